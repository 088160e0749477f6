/*
 * net: TCP on non-blocking sockets. Every error of the system is folded here, once, into a few
 * outcomes; nothing above this module looks at errno or WSAGetLastError.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os.h"

enum net_outcome {
    NET_DONE, /* what was asked for is done; `bytes` says how much of it */
    NET_END,  /* recv: the peer has ended its sending side and everything before that has been read
               */
    NET_WOULD_BLOCK, /* nothing can be done now; wait for readiness and ask again */
    NET_RESET,       /* the connection is no more */
    NET_EXHAUSTED,   /* the system, or this process, is out of descriptors, buffers or memory */
    NET_UNAVAILABLE, /* this machine has no such address or address family */
    NET_FAILED       /* anything else */
};

struct net_result {
    enum net_outcome outcome;
    int error;    /* the system's number behind any outcome but NET_DONE and NET_END; for
                     os_error_text() */
    size_t bytes; /* only with NET_DONE, and then at least 1 for recv and send */
};

/* An IPv4 or IPv6 address with its port: small, so that every connection can afford to keep its
 * peer's. One that IPv6 writes as ::ffff:127.0.0.1 (RFC 4291, 2.5.5.2) is the IPv4 address. */
struct net_address {
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first 4 */
    uint32_t scope;    /* IPv6 zone of a link-local address, else 0 */
    uint16_t port;     /* host byte order */
    bool ipv6;
};

enum {
    NET_ADDRESS_TEXT = 80, /* room for the text of any address, its zone and port included */
    NET_RESOLVE_MAX = 16   /* addresses of one name that net_resolve() gives at most */
};

/* "127.0.0.1:9901" or "[::1]:9901", written into `text`, which is returned. */
const char *net_address_text(const struct net_address *address, char text[NET_ADDRESS_TEXT]);

bool net_address_equal(const struct net_address *a, const struct net_address *b);

/* Whether it is an address of this machine for itself: 127.0.0.0/8 or ::1. */
bool net_address_is_loopback(const struct net_address *address);

/*
 * Looks a host name or numeric address up (RFC 3493, getaddrinfo) and gives its addresses with
 * `port`, in the order in which they should be tried, none twice. Waits for the name service.
 * Returns NULL, or why there is none: a text that stays valid until the next call.
 */
const char *net_resolve(const char *host, uint16_t port,
                        struct net_address addresses[NET_RESOLVE_MAX], size_t *count);

/*
 * Opens a listening, non-blocking socket. An IPv6 one takes IPv6 connections only (IPV6_V6ONLY), so
 * that 0.0.0.0 and :: can both be bound. The address can be bound again right after the program has
 * ended, and by no other program while it runs (SO_REUSEADDR on POSIX, SO_EXCLUSIVEADDRUSE on
 * Windows). On failure there is no socket.
 */
struct net_result net_listen(const struct net_address *address, os_socket *listener);

/* The address that a socket is bound to: tells the port that the system chose for port 0. */
struct net_result net_local_address(os_socket s, struct net_address *address);

/*
 * Takes one connection off the listener's queue: a non-blocking socket with TCP_NODELAY (RFC 896
 * would hold small answers back) that no child process inherits. NET_RESET: that connection had
 * died in the queue, try the next one.
 */
struct net_result net_accept(os_socket listener, os_socket *s, struct net_address *peer);

/*
 * Begins to connect a new non-blocking socket with TCP_NODELAY, from `source`, whose port is 0, or
 * from wherever the system chooses if that is NULL. NET_DONE: connected; NET_WOULD_BLOCK: under
 * way, wait until it is ready to send and call net_connect_result(). On any other outcome there is
 * no socket; NET_UNAVAILABLE: no local port or address is left for it. A port of this machine that
 * nobody listens on refuses at once, on Windows too, which asks others three times, for 2 s
 * (SIO_TCP_INITIAL_RTO, Windows 10 1607).
 */
struct net_result net_connect(const struct net_address *address, const struct net_address *source,
                              os_socket *s);

/* How a connect ended whose socket has become ready: NET_DONE, or why it failed (SO_ERROR). One
 * with itself, which TCP allows, counts as refused. The socket stays open. */
struct net_result net_connect_result(os_socket s);

/* What has become of a connection that nothing is read from any more: NET_DONE as long as nothing
 * is wrong, or why it is lost (SO_ERROR). A failure is told once. */
struct net_result net_check(os_socket s);

/* Reads at most `size` bytes, `size` at least 1. NET_DONE, NET_END, NET_WOULD_BLOCK, NET_RESET or
 * NET_FAILED. */
struct net_result net_recv(os_socket s, void *bytes, size_t size);

/*
 * Sends what the system takes of `length` bytes, at least 1. When it is fewer, the system takes no
 * more now: wait until the socket is ready to send. Never raises SIGPIPE once os_start() ran.
 */
struct net_result net_send(os_socket s, const void *bytes, size_t length);

/* Ends the sending side: the peer reads end of stream after all that was sent (RFC 9293, 3.6). */
void net_end_sending(os_socket s);

/*
 * How many of the bytes sent before net_end_sending() the peer's system has not acknowledged yet
 * (Linux: tcp(7) SIOCOUTQ, macOS: SO_NWRITE). 0 where the system does not tell, as on Windows. Ask
 * before net_check(): a connection that is lost in between then shows there.
 */
size_t net_unacknowledged(os_socket s);

/* Closes the socket. With unread input waiting this resets the connection (RFC 2525, 2.17). */
void net_close(os_socket s);

#endif
