#include "input.h"

static volatile LONG failed; /* whether stdin could not be read; set before the socket is closed */

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
    failed = n < 0;
    closesocket(s);
}

/* Windows has no socketpair(): the program connects to itself. */
socket_type input_open(void)
{
    static SOCKET writer;
    struct sockaddr_in address = loopback("0"), reader_address, peer;
    int length = sizeof address;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), reader = socket(AF_INET, SOCK_STREAM, 0);

    if (listener == INVALID_SOCKET || reader == INVALID_SOCKET ||
        bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        connect(reader, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(reader, (struct sockaddr *)&reader_address, &length) != 0)
        die("input");
    /* Another program may have connected first. It does not get what is typed. */
    while ((writer = accept(listener, (struct sockaddr *)&peer, &length)) != INVALID_SOCKET &&
           (peer.sin_port != reader_address.sin_port ||
            peer.sin_addr.s_addr != reader_address.sin_addr.s_addr))
        closesocket(writer);
    if (writer == INVALID_SOCKET)
        die("accept");
    closesocket(listener);
    start_thread(forward, &writer);
    return reader;
}

int input_read(socket_type input, void *bytes, size_t size)
{
    int n = socket_recv(input, bytes, size);

    return n == 0 && failed ? -1 : n;
}
