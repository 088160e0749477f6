/* Step 2: one loop around select() serves all connections, without a thread and without a sleep. */
#include "portable.h"

enum { BUFFER_SIZE = 16 * 1024 };

struct connection {
    struct connection *next;
    socket_type socket;
};

static struct connection *connections;

static void accept_connection(socket_type listener)
{
    socket_type s = accept(listener, NULL, NULL); /* Fault: it can block. */

    if (s == INVALID_SOCKET)
        die("accept");
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        die("calloc");
    connection->socket = s;
    connection->next = connections;
    connections = connection;
}

/* Answers what has arrived. Returns false at the connection's end. */
static bool serve(struct connection *connection)
{
    static char bytes[BUFFER_SIZE];
    int n = socket_recv(connection->socket, bytes, BUFFER_SIZE);

    if (n <= 0)
        return false;
    socket_send(connection->socket, bytes, (size_t)n); /* Fault: it can block. */
    return n < 4 || memcmp(bytes, "quit", 4) != 0;
}

int main(int argc, char **argv)
{
    sockets_start();
    socket_type listener = listen_on(argc > 1 ? argv[1] : NULL);

    for (;;) {
        socket_type highest = listener;
        fd_set readable;

        FD_ZERO(&readable);
        FD_SET(listener, &readable);
        for (struct connection *c = connections; c != NULL; c = c->next) {
            FD_SET(c->socket, &readable); /* Fault: the set has room for FD_SETSIZE. */
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
        }
        if (FD_ISSET(listener, &readable))
            accept_connection(listener);
    }
}
