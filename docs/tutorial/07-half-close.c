/* Step 7: the end of the input is not the end of the answers, and a socket with unread input is not
 * closed: see connection.c. */
#include "connection.h"

enum { OTHER_SOCKETS = 1 };

static struct connection *connections;
static unsigned count;

static void accept_connection(socket_type listener)
{
    socket_type s = accept(listener, NULL, NULL);

    if (s == INVALID_SOCKET) {
        if (!error_is_would_block())
            print_error("accept"); /* Fault: what if the listener stays readable? */
        return;
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

int main(int argc, char **argv)
{
    sockets_start();
    socket_type listener = listen_on(argc > 1 ? argv[1] : NULL);

    socket_set_non_blocking(listener);
    for (;;) {
        socket_type highest = listener;
        fd_set readable, writable;

        FD_ZERO(&readable);
        FD_ZERO(&writable);
        FD_SET(listener, &readable);
        for (struct connection *c = connections; c != NULL; c = c->next) {
            if (connection_reads(c))
                FD_SET(c->socket, &readable);
            if (connection_writes(c))
                FD_SET(c->socket, &writable);
            highest = c->socket > highest ? c->socket : highest;
        }
        if (select((int)highest + 1, &readable, &writable, NULL, NULL) < 0)
            die("select");
        for (struct connection **link = &connections; *link != NULL;) {
            struct connection *connection = *link;

            if (connection_serve(connection, FD_ISSET(connection->socket, &readable),
                                 FD_ISSET(connection->socket, &writable))) {
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
