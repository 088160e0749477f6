/*
 * clients: all connections of the server, in order of their last activity, and their totals. It
 * updates the interest of each connection to its state, and ends connections that time out.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdint.h>

#include "address_counts.h"
#include "connection.h"
#include "selector.h"

/* Connections in order of `active`, the oldest first. All have the same time-out, so this is also
 * the order of expiry. */
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

/* A struct of all zeros, except for the first five members, is a server without clients. Each
 * connection is in one list at a time, by its state and its queue. */
struct clients {
    struct selector *selector;
    struct connection_context *context;
    int64_t idle_timeout;        /* nanoseconds; 0: none */
    int64_t stall_timeout;       /* the same, for connections that take nothing */
    uint64_t max_per_address;    /* connections; 0: no limit, and `addresses` stays empty */
    struct client_list arriving; /* connections whose header has begun, in order of when it began */
    struct client_list serving;  /* connections with nothing to send */
    struct client_list sending;  /* connections with queued bytes */
    struct client_list lingering;    /* lingering connections, which CONNECTION_LINGER ends */
    int64_t retry_at;                /* when the next send is tried on all of `sending` */
    int64_t release_at;              /* when an impairment lets a connection send next */
    uint64_t count;                  /* in all lists */
    struct address_counts addresses; /* of the connections in all lists */
    struct client_totals ended;      /* sums over the connections that have ended */
};

/*
 * Starts to serve an accepted connection, with watches of this kind, and greets it. Owns the socket
 * from now on. If memory is refused, or its address has too many connections, the connection is
 * closed at once and the log reports it.
 */
void clients_admit(struct clients *clients, os_socket s, const struct net_address *peer,
                   uint8_t watch_kind);

/* Serves a connection that is ready. It may have been destroyed afterwards. */
void clients_serve(struct clients *clients, struct connection *connection);

/*
 * Ends the connections that have been idle, taken nothing or lingered for too long, and sends what
 * impairments let go. Once a second it also tries to send queued bytes, even without readiness:
 * select() does not report a reset on every system when only sending is watched (docs/windows.md),
 * but send() does. Elsewhere this costs one send a second for each client that does not read.
 */
void clients_expire(struct clients *clients);

/* When clients_expire() is due next. */
int64_t clients_next_expiry(const struct clients *clients);

/* Stops all connections: connection_stop(). */
void clients_stop(struct clients *clients);

/* Ends all connections at once: connection_abort(). */
void clients_abort(struct clients *clients);

/* Frees what the clients own besides their connections, which have all ended. */
void clients_clear(struct clients *clients);

#endif
