#include "portable.h"

#include <fcntl.h>
#include <io.h>

static SOCKET stop_socket;

void sockets_start(void)
{
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        die("WSAStartup");
    _setmode(0, _O_BINARY);
    _setmode(1, _O_BINARY);
}

void sockets_finish(void)
{
    WSACleanup();
}

void socket_close(socket_type s)
{
    closesocket(s);
}

void socket_set_non_blocking(socket_type s)
{
    u_long on = 1;

    if (ioctlsocket(s, (long)FIONBIO, &on) != 0)
        die("ioctlsocket");
}

bool set_has_room(socket_type s, unsigned count)
{
    (void)s;
    return count < FD_SETSIZE;
}

int socket_recv(socket_type s, void *bytes, size_t size)
{
    return recv(s, bytes, (int)size, 0);
}

int socket_send(socket_type s, const void *bytes, size_t length)
{
    return send(s, bytes, (int)length, 0);
}

bool error_is_would_block(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}

bool error_is_interrupted(void)
{
    return WSAGetLastError() == WSAEINTR;
}

bool error_is_shortage(void)
{
    return WSAGetLastError() == WSAEMFILE || WSAGetLastError() == WSAENOBUFS;
}

void print_error(const char *what)
{
    fprintf(stderr, "%s: Winsock error %d\n", what, WSAGetLastError());
}

int stdin_read(void *bytes, size_t size)
{
    return _read(0, bytes, (unsigned)size);
}

bool stdout_write(const void *bytes, size_t length)
{
    return _write(1, bytes, (unsigned)length) == (int)length;
}

/* A thread of its own: Windows wants a function of another kind. */
struct start {
    void (*function)(void *argument);
    void *argument;
};

static DWORD WINAPI run(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.function(start.argument);
    return 0;
}

void start_thread(void (*function)(void *argument), void *argument)
{
    struct start *start = malloc(sizeof *start);

    if (start == NULL)
        die("malloc");
    *start = (struct start){function, argument};
    HANDLE thread = CreateThread(NULL, 0, run, start, 0, NULL);

    if (thread == NULL)
        die("CreateThread");
    CloseHandle(thread);
}

void sleep_milliseconds(unsigned milliseconds)
{
    Sleep(milliseconds);
}

/* Windows runs this in a thread that it creates for it. */
static BOOL WINAPI on_control(DWORD event)
{
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        return FALSE;
    send(stop_socket, "", 1, 0);
    return TRUE;
}

/* Windows has no socketpair(), but a UDP socket can be connected to itself. */
socket_type open_stop_socket(void)
{
    struct sockaddr_in address = loopback("0");
    int length = sizeof address;

    stop_socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (stop_socket == INVALID_SOCKET ||
        bind(stop_socket, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(stop_socket, (struct sockaddr *)&address, &length) != 0 ||
        connect(stop_socket, (struct sockaddr *)&address, sizeof address) != 0)
        die("stop socket");
    if (!SetConsoleCtrlHandler(on_control, TRUE))
        die("SetConsoleCtrlHandler");
    return stop_socket;
}
