#include "portable.h"

_Noreturn void die(const char *what)
{
    print_error(what);
    exit(EXIT_FAILURE);
}

struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)strtoul(port != NULL ? port : "9901", NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

socket_type listen_on(const char *port)
{
    const int on = 1;
    struct sockaddr_in address = loopback(port);
    socklen_t length = sizeof address;
    socket_type listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener == INVALID_SOCKET)
        die("socket");
    if (setsockopt(listener, SOL_SOCKET, LISTENER_OPTION, (const char *)&on, sizeof on) != 0)
        die("setsockopt");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        die("bind");
    if (listen(listener, SOMAXCONN) != 0)
        die("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

socket_type connect_to(const char *port)
{
    struct sockaddr_in address = loopback(port);
    socket_type s = socket(AF_INET, SOCK_STREAM, 0);

    if (s == INVALID_SOCKET)
        die("socket");
    if (connect(s, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    return s;
}
