/*
 * connector: from a host name to a connection. All addresses of the name are tried, the next one
 * whenever one has failed or has not answered for a while, and the first that answers wins (RFC
 * 8305, "happy eyeballs"): one dead address delays, but does not use up the time that the others
 * need.
 */
#ifndef CONNECTOR_H
#define CONNECTOR_H

#include <stdint.h>

#include "net.h"

/* Room for the reasons why no address of a name could be connected to. */
enum { CONNECTOR_ERROR = 2048 };

enum connector_outcome { CONNECTOR_CONNECTED, CONNECTOR_FAILED, CONNECTOR_STOPPED };

struct connector_connection {
    os_socket socket; /* connected; owned by whoever takes the connection over */
    struct net_address peer;
    int64_t took; /* nanoseconds from the first packet to this address to the connection */
};

/*
 * Connects to one of the addresses, of which there are 1 to NET_RESOLVE_MAX, within `timeout`
 * nanoseconds in all. CONNECTOR_CONNECTED: `connection` is filled in. CONNECTOR_FAILED: `error`
 * says for each address why, in one line. CONNECTOR_STOPPED: `stop`, the socket of os_stop_open()
 * or OS_NO_SOCKET, became readable first.
 */
enum connector_outcome connector_connect(const struct net_address *addresses, size_t count,
                                         int64_t timeout, os_socket stop,
                                         struct connector_connection *connection,
                                         char error[CONNECTOR_ERROR]);

#endif
