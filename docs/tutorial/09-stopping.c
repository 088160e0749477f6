/* Step 9: Ctrl-C or SIGTERM wakes select() up through a socket. From then on nobody is accepted,
 * what was read is still answered, and the program ends once its connections have, or after 5 s. */
#include "connection.h"

enum { OTHER_SOCKETS = 2, DRAIN_SECONDS = 5 };

static struct connection *connections;
static unsigned count;
static bool stopping;
static fd_set readable, writable;
static bool accepting = true; /* false from a shortage of sockets until a connection ends */

/* Returns false when there is nobody left to accept. */
static bool accept_connection(socket_type listener)
{
    socket_type s = accept(listener, NULL, NULL);

    if (s == INVALID_SOCKET) {
        accepting = !error_is_shortage();
        if (!error_is_would_block())
            print_error("accept");
        return false;
    }
    struct connection *connection = NULL;

    if (set_has_room(s, count + OTHER_SOCKETS))
        connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        fprintf(stderr, "no room for another connection\n");
        socket_close(s);
        return true;
    }
    socket_set_non_blocking(s);
    connection->socket = s;
    connection->next = connections;
    connections = connection;
    count++;
    return true;
}

static void serve_all(void)
{
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
        accepting = true;
    }
}

/* Waits until something is ready. While stopping, also until a second is over. */
static void wait_until_ready(socket_type listener, socket_type stop)
{
    struct timeval second = {1, 0};
    socket_type highest = listener > stop ? listener : stop;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    if (!stopping)
        FD_SET(stop, &readable);
    if (!stopping && accepting)
        FD_SET(listener, &readable);
    for (struct connection *c = connections; c != NULL; c = c->next) {
        if (connection_reads(c))
            FD_SET(c->socket, &readable);
        if (connection_writes(c))
            FD_SET(c->socket, &writable);
        highest = c->socket > highest ? c->socket : highest;
    }
    if (select((int)highest + 1, &readable, &writable, NULL, stopping ? &second : NULL) >= 0)
        return;
    if (!error_is_interrupted())
        die("select");
    FD_ZERO(&readable); /* what select() leaves when it fails is not defined */
    FD_ZERO(&writable);
}

int main(int argc, char **argv)
{
    time_t deadline = 0;

    sockets_start();
    socket_type stop = open_stop_socket(), listener = listen_on(argc > 1 ? argv[1] : NULL);

    socket_set_non_blocking(listener);
    while (!stopping || (connections != NULL && time(NULL) < deadline)) {
        wait_until_ready(listener, stop);
        serve_all();
        if (FD_ISSET(listener, &readable))
            accept_connection(listener);
        if (!FD_ISSET(stop, &readable))
            continue;
        stopping = true;
        deadline = time(NULL) + DRAIN_SECONDS;
        while (accept_connection(listener)) /* to close it would reset those in the backlog */
            continue;
        socket_close(listener);
        for (struct connection *c = connections; c != NULL; c = c->next)
            connection_end(c);
    }
    printf("stopped, with %u connections left\n", count);
    return EXIT_SUCCESS;
}
