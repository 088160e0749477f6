/*
 * proxy_protocol: pure. The header with which a proxy tells the server whose connection it relays,
 * in both versions of HAProxy's proxy-protocol.txt: a line of text (1) or binary (2).
 */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

#include "net.h"

enum proxy_version { PROXY_NONE, PROXY_V1, PROXY_V2 };

enum proxy_verdict {
    PROXY_INCOMPLETE, /* a header may have begun, but more of it has to come */
    PROXY_COMPLETE,
    PROXY_MALFORMED /* no header, whatever else may come */
};

/* The most bytes that have to be kept until a header is complete. */
enum { PROXY_HEADER_MAX = 107 };

struct proxy_header {
    size_t consumed; /* bytes of the stream that are done with, 15 to PROXY_HEADER_MAX */
    size_t skip; /* bytes of the header that follow these, at most 65535, to be discarded: further
                    values (TLV), or addresses of another family */
    bool has_addresses; /* whether the header names both ends; otherwise the connection's own are
                           meant, as for the health checks of a proxy */
    struct net_address source;      /* the client's end of the connection that is relayed */
    struct net_address destination; /* the proxy's end of that connection */
};

/*
 * Judges the first `length` bytes of a stream, of which it looks at no more than PROXY_HEADER_MAX.
 * They may be cut anywhere: the verdict is PROXY_INCOMPLETE until the header is complete, apart
 * from what is to be skipped, or until the first byte that makes it malformed; if each byte could
 * be right, until the end of the address or number that is not. Fills in `header` only if it is
 * complete.
 *
 * A header has no addresses in these cases, all of which the specification wants to be accepted:
 * UNKNOWN in version 1; in version 2 LOCAL, and any combination of the known families and transport
 * protocols other than TCP over IPv4 or IPv6, such as UDP and UNIX.
 */
/*@ requires \valid_read((const char *)bytes + (0 .. length - 1)); */
enum proxy_verdict proxy_protocol_parse(const void *bytes, size_t length,
                                        struct proxy_header *header);

/*
 * Writes the header for a connection from `source` to `destination`, both IPv4 or both IPv6, into
 * `out` and returns its length. `version` is PROXY_V1 or PROXY_V2. There is no place in it for the
 * zone of an address.
 */
size_t proxy_protocol_format(enum proxy_version version, const struct net_address *source,
                             const struct net_address *destination, char out[PROXY_HEADER_MAX]);

#endif
