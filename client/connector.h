/*
 * connector: connects to one of the addresses of a host (RFC 8305, "happy eyeballs"). The next
 * address is tried when one has failed or has not answered for a while, and the first connection
 * that is made wins. So a dead address only causes a delay; it does not use up the time that the
 * others need.
 */
#ifndef CONNECTOR_H
#define CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"

/* Size of the text that says for each address why it could not be connected to. */
enum { CONNECTOR_ERROR = 2048 };

enum connector_outcome { CONNECTOR_CONNECTED, CONNECTOR_FAILED, CONNECTOR_STOPPED };

struct connector_connection {
    os_socket socket; /* connected; owned by the receiver of this struct */
    struct net_address peer;
    int64_t took; /* how long connecting to this address took, in nanoseconds */
    bool reset;   /* the connection was made, but reset at once: there is no socket */
};

/*
 * Connects to one of `count` addresses, 1 to NET_RESOLVE_MAX, within `timeout` nanoseconds in all,
 * from `source` as for net_connect().
 * CONNECTOR_CONNECTED: `connection` is filled in. CONNECTOR_FAILED: `error` says in one line why
 * each address failed, and `connection` is filled in if `reset`. CONNECTOR_STOPPED: `stop` became
 * readable first. It is the socket of os_stop_open(), or OS_NO_SOCKET.
 */
enum connector_outcome connector_connect(const struct net_address *addresses, size_t count,
                                         const struct net_address *source, int64_t timeout,
                                         os_socket stop, struct connector_connection *connection,
                                         char error[CONNECTOR_ERROR]);

#endif
