/* Step 6: the queue has a bound. A connection whose queue is full is not read. */
#include "portable.h"

enum { BUFFER_SIZE = 16 * 1024, OTHER_SOCKETS = 1 };

struct connection {
    struct connection *next;
    socket_type socket;
    size_t begin, end; /* bytes[begin] up to bytes[end] are still to be sent */
    char bytes[BUFFER_SIZE];
};

static struct connection *connections;
static unsigned count;

static void accept_connection(socket_type listener)
{
    socket_type s = accept(listener, NULL, NULL);

    if (s == INVALID_SOCKET) {
        if (!error_is_would_block())
            print_error("accept");
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

/* This and the next function return false at the connection's end. */
static bool receive(struct connection *connection)
{
    char *bytes = connection->bytes + connection->end;
    int n = socket_recv(connection->socket, bytes, BUFFER_SIZE - connection->end);

    if (n < 0)
        return error_is_would_block();
    connection->end += (size_t)n;
    /* Fault: what is queued is dropped, and unread input makes the system reset the connection. */
    return n > 0 && (n < 4 || memcmp(bytes, "quit", 4) != 0);
}

static bool send_queued(struct connection *connection)
{
    int n = socket_send(connection->socket, connection->bytes + connection->begin,
                        connection->end - connection->begin);

    if (n < 0)
        return error_is_would_block();
    connection->begin += (size_t)n;
    if (connection->begin == connection->end)
        connection->begin = connection->end = 0;
    return true;
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
            if (c->end < BUFFER_SIZE)
                FD_SET(c->socket, &readable);
            if (c->begin < c->end)
                FD_SET(c->socket, &writable);
            highest = c->socket > highest ? c->socket : highest;
        }
        if (select((int)highest + 1, &readable, &writable, NULL, NULL) < 0)
            die("select");
        for (struct connection **link = &connections; *link != NULL;) {
            struct connection *connection = *link;

            if ((!FD_ISSET(connection->socket, &readable) || receive(connection)) &&
                (!FD_ISSET(connection->socket, &writable) || send_queued(connection))) {
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
