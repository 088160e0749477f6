/*
 * source: chooses the local address of each connection. A system has about 28,000 ports for
 * connections from one address to one server, and ports of connections closed in the last minute
 * are still in use (TIME_WAIT, RFC 9293, 3.6.1). A server on the loopback network 127.0.0.0/8,
 * however, can be reached from 16 million addresses.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

/* All zeros at first, except `fixed`. */
struct source {
    const struct net_address *fixed; /* the address of all connections; NULL: chosen here */
    uint64_t count;                  /* connections begun so far, successful or not */
    uint64_t full;                   /* how often an address had no port left */
};

/* Whether connections to a server can come from any loopback address. */
bool source_is_free(const struct net_address *server);

/* Begins to connect to a server from an address that has a port left. Returns as net_connect(). */
struct net_result source_connect(struct source *source, const struct net_address *server,
                                 os_socket *s);

#endif
