/* Step 3: sockets that never block, and no more connections than an fd_set has room for. */
#include "portable.h"

enum { BUFFER_SIZE = 16 * 1024, OTHER_SOCKETS = 1 };

struct connection {
    struct connection *next;
    socket_type socket;
};

static struct connection *connections;
static unsigned count;

static void accept_connection(socket_type listener)
{
    socket_type s = accept(listener, NULL, NULL);

    if (s == INVALID_SOCKET) {
        if (error_is_would_block())
            return;
        die("accept"); /* Fault: a connection that is lost before accept() ends all. */
    }
    struct connection *connection = NULL;

    if (set_has_room(s, count + OTHER_SOCKETS))
        connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        fprintf(stderr, "no room for another connection\n");
        socket_close(s);
        return;
    }
    socket_set_non_blocking(s);
    connection->socket = s;
    connection->next = connections;
    connections = connection;
    count++;
}

/* Answers what has arrived. Returns false at the connection's end. */
static bool serve(struct connection *connection)
{
    static char bytes[BUFFER_SIZE];
    int n = socket_recv(connection->socket, bytes, BUFFER_SIZE);

    if (n < 0) {
        if (error_is_would_block())
            return true;
        die("recv"); /* Fault: one connection's error is the end of all. */
    }
    if (n == 0)
        return false;
    /* Fault: send() may take only a part, or nothing. The rest is lost. */
    if (socket_send(connection->socket, bytes, (size_t)n) < 0 && !error_is_would_block())
        die("send");
    return n < 4 || memcmp(bytes, "quit", 4) != 0;
}

int main(int argc, char **argv)
{
    sockets_start();
    socket_type listener = listen_on(argc > 1 ? argv[1] : NULL);

    socket_set_non_blocking(listener);
    for (;;) {
        socket_type highest = listener;
        fd_set readable;

        FD_ZERO(&readable);
        FD_SET(listener, &readable);
        for (struct connection *c = connections; c != NULL; c = c->next) {
            FD_SET(c->socket, &readable);
            highest = c->socket > highest ? c->socket : highest;
        }
        if (select((int)highest + 1, &readable, NULL, NULL, NULL) < 0)
            die("select");
        for (struct connection **link = &connections; *link != NULL;) {
            struct connection *connection = *link;

            if (!FD_ISSET(connection->socket, &readable) || serve(connection)) {
                link = &connection->next;
                continue;
            }
            *link = connection->next;
            socket_close(connection->socket);
            free(connection);
            count--;
        }
        if (FD_ISSET(listener, &readable))
            accept_connection(listener);
    }
}
