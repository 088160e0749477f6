#include "connection.h"

bool connection_reads(const struct connection *connection)
{
    return connection->lingering || (!connection->ended && connection->end < BUFFER_SIZE);
}

bool connection_writes(const struct connection *connection)
{
    return connection->begin < connection->end;
}

static bool receive(struct connection *connection)
{
    static char discarded[BUFFER_SIZE];
    char *bytes = connection->lingering ? discarded : connection->bytes + connection->end;
    size_t size = connection->lingering ? BUFFER_SIZE : BUFFER_SIZE - connection->end;
    int n = socket_recv(connection->socket, bytes, size);

    if (n < 0)
        return error_is_would_block();
    if (connection->lingering)
        return n > 0;
    /* Fault: `quit` counts where recv() happens to begin. A stream has no such place. */
    connection->ended = n == 0 || (n >= 4 && memcmp(bytes, "quit", 4) == 0);
    connection->end += (size_t)n;
    return true;
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

/* When all is sent, ends our side. Closing a socket with unread input would reset the connection,
 * and the peer could lose what it has not read yet. So input is read and discarded until the peer
 * ends. */
static void linger_when_sent(struct connection *connection)
{
    if (!connection->ended || connection_writes(connection) || connection->lingering)
        return;
    shutdown(connection->socket, SHUT_WR);
    connection->lingering = true;
}

void connection_end(struct connection *connection)
{
    connection->ended = true;
    linger_when_sent(connection);
}

bool connection_serve(struct connection *connection, bool readable, bool writable)
{
    if (readable && !receive(connection))
        return false;
    if ((readable || writable) && connection_writes(connection) && !send_queued(connection))
        return false;
    linger_when_sent(connection);
    return true;
}
