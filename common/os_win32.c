#include "os.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <mmsystem.h>

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "stop_requests.h"
#include "stream.h"
#include "text.h"

/* A UDP socket connected to itself on the loopback address: select() can wait for what the control
 * handler sends. */
static SOCKET stop_socket = INVALID_SOCKET;
static struct stop_requests stop_requests;
static volatile LONG stop_status = OS_STOP_TOLD; /* os_stop_ends() */

enum { TICK = 1 /* milliseconds between two ticks, in a process that waits precisely */ };
static bool precise;

int os_start(void)
{
    WSADATA data;

    return WSAStartup(MAKEWORD(2, 2), &data);
}

void os_finish(void)
{
    stream_finish();
    if (precise)
        timeEndPeriod(TICK);
    precise = false;
    WSACleanup();
}

int64_t os_nanoseconds(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    /* Whole seconds are converted separately: one product would overflow after 15 minutes at 10
     * MHz. */
    return SECONDS(now.QuadPart / frequency.QuadPart) +
           SECONDS(now.QuadPart % frequency.QuadPart) / frequency.QuadPart;
}

void os_wait_precisely(void)
{
    precise = precise || timeBeginPeriod(TICK) == TIMERR_NOERROR;
}

int64_t os_tick(void)
{
    return precise ? MILLISECONDS(TICK) : 0;
}

void os_local_time(char text[20])
{
    SYSTEMTIME now;

    GetLocalTime(&now);
    snprintf(text, 20, "%04u-%02u-%02u %02u:%02u:%02u", now.wYear % 10000U, now.wMonth % 100U,
             now.wDay % 100U, now.wHour % 100U, now.wMinute % 100U, now.wSecond % 100U);
}

void os_local_clock(char text[13])
{
    SYSTEMTIME now;

    GetLocalTime(&now);
    snprintf(text, 13, "%02u:%02u:%02u.%03u", now.wHour % 100U, now.wMinute % 100U,
             now.wSecond % 100U, now.wMilliseconds % 1000U);
}

void os_utc_time(char text[OS_UTC_TIME])
{
    SYSTEMTIME now;

    GetSystemTime(&now);
    snprintf(text, OS_UTC_TIME, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", now.wYear % 10000U,
             now.wMonth % 100U, now.wDay % 100U, now.wHour % 100U, now.wMinute % 100U,
             now.wSecond % 100U, now.wMilliseconds % 1000U);
}

int os_socket_error(void)
{
    return WSAGetLastError();
}

enum os_error_kind os_error_kind(int error)
{
    switch (error) {
    case WSAEWOULDBLOCK:
    case WSAEINPROGRESS:
        return OS_ERROR_WOULD_BLOCK;
    case WSAEINTR:
        return OS_ERROR_INTERRUPTED;
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETRESET:
    case WSAENOTCONN:
    case WSAESHUTDOWN:
        return OS_ERROR_RESET;
    case WSAEMFILE:
    case WSAENOBUFS:
    case WSA_NOT_ENOUGH_MEMORY:
        return OS_ERROR_EXHAUSTED;
    case WSAEADDRNOTAVAIL:
    case WSAEAFNOSUPPORT:
        return OS_ERROR_UNAVAILABLE;
    case WSAEADDRINUSE:
        return OS_ERROR_IN_USE;
    case WSAENETDOWN:
    case WSAENETUNREACH:
    case WSAEHOSTUNREACH:
        return OS_ERROR_NETWORK;
    default:
        return OS_ERROR_OTHER;
    }
}

/* FormatMessage has no text for several of these under Wine, and long-winded ones on Windows. */
static const char *known_error_text(int error)
{
    switch (error) {
    case WSAEACCES:
        return "Permission denied";
    case WSAEMFILE:
        return "Too many open sockets";
    case WSAEWOULDBLOCK:
        return "Operation would block";
    case WSAEADDRINUSE:
        return "Address already in use";
    case WSAEADDRNOTAVAIL:
        return "Cannot assign requested address";
    case WSAEAFNOSUPPORT:
        return "Address family not supported";
    case WSAENETUNREACH:
        return "Network is unreachable";
    case WSAECONNABORTED:
        return "Connection aborted by this machine";
    case WSAECONNRESET:
        return "Connection reset by peer";
    case WSAENOBUFS:
        return "No buffer space available";
    case WSAETIMEDOUT:
        return "Connection timed out";
    case WSAECONNREFUSED:
        return "Connection refused";
    case WSAEHOSTUNREACH:
        return "No route to host";
    default:
        return NULL;
    }
}

const char *os_error_text(int error, char text[OS_ERROR_TEXT])
{
    const char *known = known_error_text(error);
    WCHAR words[512];
    char utf8[3 * sizeof words / sizeof words[0]];
    DWORD length;

    if (known != NULL) {
        snprintf(text, OS_ERROR_TEXT, "%s", known);
        return text;
    }
    length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                FORMAT_MESSAGE_MAX_WIDTH_MASK,
                            NULL, (DWORD)error, 0, words, sizeof words / sizeof words[0], NULL);
    size_t bytes = (size_t)WideCharToMultiByte(CP_UTF8, 0, words, (int)length, utf8,
                                               (int)sizeof utf8, NULL, NULL);

    if (bytes > OS_ERROR_TEXT - 1) {
        bytes = OS_ERROR_TEXT - 1;
        bytes -= text_utf8_cut(utf8, bytes);
    }
    while (bytes > 0 && memchr(" .\r\n", utf8[bytes - 1], 4) != NULL)
        bytes--;
    memcpy(text, utf8, bytes);
    text[bytes] = '\0';
    if (bytes == 0)
        snprintf(text, OS_ERROR_TEXT, "Windows error %d", error);
    return text;
}

const char *os_bind_advice(int error)
{
    return error == WSAEACCES ? "; Windows may keep this port for itself (Hyper-V, WinNAT): see "
                                "netsh interface ipv4 show excludedportrange protocol=tcp"
                              : "";
}

bool os_prepare_socket(os_socket s)
{
    u_long on = 1;

    SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    return ioctlsocket(s, (long)FIONBIO, &on) == 0;
}

uint64_t os_raise_descriptor_limit(void)
{
    return 0;
}

/* Runs on a thread that the system creates. It may only send one datagram, or end the process
 * without the locks that ExitProcess() would wait for. */
static BOOL WINAPI on_console_control(DWORD event)
{
    bool hang_up =
        event == CTRL_CLOSE_EVENT || event == CTRL_LOGOFF_EVENT || event == CTRL_SHUTDOWN_EVENT;
    struct stop_request request = {.time = os_nanoseconds(), .hang_up = hang_up};
    LONG status = stop_status;

    if (status != OS_STOP_TOLD)
        TerminateProcess(GetCurrentProcess(), (UINT)status);
    send(stop_socket, (const char *)&request, sizeof request, 0);
    /* After these events the system ends the process as soon as the handler returns, so it gives
     * the main thread all the time there is. */
    if (hang_up)
        Sleep(4500);
    return TRUE;
}

static void close_stop_socket(void)
{
    int error = WSAGetLastError();

    closesocket(stop_socket);
    stop_socket = INVALID_SOCKET;
    WSASetLastError(error);
}

os_socket os_stop_open(void)
{
    struct sockaddr_in self = {.sin_family = AF_INET};
    int length = sizeof self;

    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stop_socket = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (stop_socket == INVALID_SOCKET)
        return OS_NO_SOCKET;
    /* A connected socket accepts datagrams from its own address only: no other process can stop the
     * server. */
    if (bind(stop_socket, (struct sockaddr *)&self, length) != 0 ||
        getsockname(stop_socket, (struct sockaddr *)&self, &length) != 0 ||
        connect(stop_socket, (struct sockaddr *)&self, length) != 0 ||
        !os_prepare_socket(stop_socket)) {
        close_stop_socket();
        return OS_NO_SOCKET;
    }
    memset(&stop_requests, 0, sizeof stop_requests);
    /* A process inherits "ignore Ctrl-C" from its parent; this undoes it. */
    SetConsoleCtrlHandler(NULL, FALSE);
    if (!SetConsoleCtrlHandler(on_console_control, TRUE)) {
        close_stop_socket();
        return OS_NO_SOCKET;
    }
    return stop_socket;
}

unsigned os_stop_requests(void)
{
    struct stop_request request;

    while (recv(stop_socket, (char *)&request, sizeof request, 0) == (int)sizeof request)
        stop_requests_add(&stop_requests, request);
    return stop_requests.count;
}

void os_stop_ends(int status)
{
    stop_status = status;
}
