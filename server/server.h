/*
 * server: the loop. It accepts, gives each ready connection its turn, and ends what has to end:
 * idle connections, those that linger too long, and at last itself.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "listeners.h"
#include "server_options.h"

struct server;

/*
 * Makes a server that serves the listeners, whose sockets it owns from now on, also on failure. It
 * says on stdout, in a line each, on which addresses it listens; what stdout does not take at once
 * is offered again in each round. `stop` is the socket of os_stop_open(), or OS_NO_SOCKET; it stays
 * the caller's. Raises the limit of open descriptors as far as the system lets it. Returns NULL
 * when memory is refused.
 */
struct server *server_create(const struct server_options *options, struct listeners *listeners,
                             os_socket stop);

enum server_status {
    SERVER_RUNNING,
    SERVER_STOPPED, /* it was asked to, and the last connection has ended */
    SERVER_FAILED   /* select() refuses to wait; the log says why */
};

/*
 * One round of the loop: waits until something has to be done, at most until `deadline`, and does
 * it. As selector_wait() takes it, DEADLINE_NEVER is for ever and 0 not at all.
 */
enum server_status server_step(struct server *server, int64_t deadline);

/*
 * Asks it to stop: it listens no more, finishes what is queued, and after the drain time-out ends
 * what is left. Asked again, it ends everything at once.
 */
void server_stop(struct server *server);

/* Connections that are being served. */
uint64_t server_clients(const struct server *server);

/* Closes all that is open, writes the rest of the log as far as its reader takes it, and frees
 * everything. */
void server_destroy(struct server *server);

#endif
