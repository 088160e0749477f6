/* Step 10: the sets have room for any number of sockets (sets_posix.c, sets_win32.c). */
#include "connection.h"
#include "sets.h"

enum { OTHER_SOCKETS = 2, DRAIN_SECONDS = 5 };

static struct connection *connections;
static unsigned count;
static bool stopping;
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

    if (sets_reserve(s, count + OTHER_SOCKETS))
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

        if (connection_serve(connection, sets_readable(connection->socket),
                             sets_writable(connection->socket))) {
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

    sets_clear();
    sets_add(stop, !stopping, false);
    sets_add(listener, !stopping && accepting, false);
    for (struct connection *c = connections; c != NULL; c = c->next)
        sets_add(c->socket, connection_reads(c), connection_writes(c));
    if (sets_wait(stopping ? &second : NULL) < 0 && !error_is_interrupted())
        die("select");
}

int main(int argc, char **argv)
{
    time_t deadline = 0;

    sockets_start();
    socket_type stop = open_stop_socket(), listener = listen_on(argc > 1 ? argv[1] : NULL);

    socket_set_non_blocking(listener);
    if (!sets_reserve(listener, 0) || !sets_reserve(stop, 1))
        die("sets_reserve");
    while (!stopping || (connections != NULL && time(NULL) < deadline)) {
        wait_until_ready(listener, stop);
        serve_all();
        if (sets_readable(listener))
            accept_connection(listener);
        if (!sets_readable(stop))
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
