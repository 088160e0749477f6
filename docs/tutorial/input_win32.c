#include "input.h"

/* Reads stdin, be it a console, a pipe or a file, and sends it to the program itself. Whatever has
 * to wait here, keeps nobody else from working. */
static void forward(void *argument)
{
    SOCKET s = *(SOCKET *)argument;
    static char bytes[4 * 1024];
    int n;

    while ((n = stdin_read(bytes, sizeof bytes)) > 0)
        if (socket_send(s, bytes, (size_t)n) != n)
            break;
    closesocket(s);
}

/* Windows has no socketpair(): the program connects to itself. */
socket_type input_open(void)
{
    static SOCKET writer;
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = sizeof address;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), reader = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener == INVALID_SOCKET || reader == INVALID_SOCKET ||
        bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(reader, (struct sockaddr *)&address, sizeof address) != 0)
        die("input");
    writer = accept(listener, NULL, NULL);
    if (writer == INVALID_SOCKET)
        die("accept");
    closesocket(listener);
    start_thread(forward, &writer);
    return reader;
}

int input_read(socket_type input, void *bytes, size_t size)
{
    return socket_recv(input, bytes, size);
}
