/*
 * A client that resets its connections: reset STAGE PORT. The stages are those of main(), and each
 * is reached by so many connections in turn. The status is 1 when it cannot connect.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 20,
    NO_ROOM = 50 /* milliseconds: then the server is taken to read no more */
};

static const char line[] = "a line of the input\n";
static const size_t line_length = sizeof line - 1;

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    if (s == -1 || connect(s, (const struct sockaddr *)&address, sizeof address) != 0) {
        perror("reset");
        exit(EXIT_FAILURE);
    }
    return s;
}

static void reset(int s)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s);
}

/* Sends a line and receives the beginning of its answer: the server serves this connection. */
static void exchange(int s)
{
    char answer;

    send(s, line, line_length, MSG_NOSIGNAL);
    recv(s, &answer, 1, 0);
}

/* Sends lines until the server has no room for more answers, and so reads no more. */
static void send_until_full(int s)
{
    static char lines[1000 * sizeof line];
    struct pollfd room = {.fd = s, .events = POLLOUT};
    size_t length = 0;

    for (; length + line_length <= sizeof lines; length += line_length)
        memcpy(lines + length, line, line_length);
    while (poll(&room, 1, NO_ROOM) == 1) {
        if (send(s, lines, length, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
            (room.revents & (POLLERR | POLLHUP)) != 0)
            return;
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (int i = 0; i < CONNECTIONS; i++) {
        int s = connect_to((uint16_t)strtoul(argv[2], NULL, 10));

        if (strcmp(argv[1], "served") == 0) {
            exchange(s);
        } else if (strcmp(argv[1], "middle") == 0) {
            exchange(s);
            send(s, line, line_length / 2, MSG_NOSIGNAL);
        } else if (strcmp(argv[1], "unread") == 0) {
            send_until_full(s);
        } else if (strcmp(argv[1], "half-closed") == 0) {
            send(s, line, line_length, MSG_NOSIGNAL);
            shutdown(s, SHUT_WR);
        } else if (strcmp(argv[1], "connected") != 0) {
            return 2;
        }
        reset(s);
    }
    return EXIT_SUCCESS;
}
