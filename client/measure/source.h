/*
 * source: from which local address to connect. A system has some 28,000 ports for connections from
 * one address to one server, fewer by those that were closed in the last minute (TIME_WAIT, RFC
 * 9293, 3.6.1); but a server on the loopback network 127.0.0.0/8 can be reached from 16 million
 * addresses.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

/* All zero at first. */
struct source {
    uint64_t count; /* connections begun so far */
    uint64_t full;  /* addresses that had no port left */
};

/* Whether connections to this server can come from any loopback address. */
bool source_is_free(const struct net_address *server);

/* Begins to connect from where there is a port left; as net_connect(). */
struct net_result source_connect(struct source *source, const struct net_address *server,
                                 os_socket *s);

#endif
