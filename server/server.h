/*
 * server: the loop. It accepts connections, serves those that are ready, and ends what is due: idle
 * connections, connections that linger too long, and finally itself.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "listeners.h"
#include "server_options.h"

struct server;

/*
 * Creates a server for the listeners. It owns their sockets from now on, even on failure. It writes
 * one line for each address it listens on to stdout; what stdout does not take at once is written
 * in later rounds. `stop` is the socket of os_stop_open(), or OS_NO_SOCKET; it stays the caller's.
 * Raises the limit of open descriptors as far as the system allows. Returns NULL when memory is
 * refused.
 */
struct server *server_create(const struct server_options *options, struct listeners *listeners,
                             os_socket stop);

enum server_status {
    SERVER_RUNNING,
    SERVER_STOPPED, /* stopped on request, and the last connection has ended */
    SERVER_FAILED   /* select() failed; the log says why */
};

/*
 * One round of the loop: waits until something is due or ready, or until `deadline`, and handles
 * it. `deadline` is as in selector_wait(): DEADLINE_NEVER waits for ever, 0 does not wait.
 */
enum server_status server_step(struct server *server, int64_t deadline);

/*
 * Stops the server: it closes the listeners, sends what is queued, and ends the remaining
 * connections after the drain time-out. A second call ends everything at once.
 */
void server_stop(struct server *server);

/* The number of connections being served. */
uint64_t server_clients(const struct server *server);

/* Closes everything, writes the rest of the log as far as its reader takes it, and frees
 * everything. */
void server_destroy(struct server *server);

#endif
