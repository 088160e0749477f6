/*
 * clients: all connections of the server, in order of age, with what is counted of them. It brings
 * each one's interest in line with what it has become, and ends what has waited for too long.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdint.h>

#include "connection.h"
#include "selector.h"

/* Connections in order of `active`, the oldest first: one time-out for all makes that the order of
 * expiry too. */
struct client_list {
    struct connection *oldest;
    struct connection *newest;
};

struct client_totals {
    uint64_t served;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t messages;
};

/* All zero, with the first three set, is a server without clients. */
struct clients {
    struct selector *selector;
    struct connection_context *context;
    int64_t idle_timeout;         /* nanoseconds; 0: none */
    struct client_list serving;   /* connections for which nothing waits to be sent */
    struct client_list sending;   /* those for which something does */
    struct client_list lingering; /* those for which only CONNECTION_LINGER counts */
    int64_t retry_at;             /* when those that are sending are next tried unasked */
    uint64_t count;               /* in all lists */
    struct client_totals ended;   /* of the connections that have ended */
};

/*
 * Begins to serve a connection that has been accepted, with watches of this kind; owns the socket
 * from now on. Where memory is refused, the connection is closed at once and a line in the log says
 * so.
 */
void clients_admit(struct clients *clients, os_socket s, const struct net_address *peer,
                   uint8_t watch_kind);

/* Gives a connection its turn, now that it is ready. It may be gone afterwards. */
void clients_serve(struct clients *clients, struct connection *connection);

/*
 * Ends the connections that have been idle or have lingered for too long. Once a second it also
 * tries to send what waits, though the selector has not asked for it: not every system's select()
 * reports a reset to one who only waits to send (docs/windows.md), but a send() finds it. Where it
 * is reported, this costs a send a second for a client that takes nothing.
 */
void clients_expire(struct clients *clients);

/* When clients_expire() has to be called next. */
int64_t clients_next_expiry(const struct clients *clients);

/* Asks all to finish what is queued and end. */
void clients_stop(struct clients *clients);

/* Ends all now: connection_abort(). */
void clients_abort(struct clients *clients);

#endif
