/*
 * net: TCP on non-blocking sockets. It maps every error of the system to a few outcomes. Nothing
 * above this module reads errno or WSAGetLastError().
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os.h"

enum net_outcome {
    NET_DONE,        /* success; `bytes` says how many bytes were moved */
    NET_END,         /* recv: the peer has ended its sending side and all its data has been read */
    NET_WOULD_BLOCK, /* would block: wait until the socket is ready and try again */
    NET_RESET,       /* the connection is lost */
    NET_EXHAUSTED,   /* the system or this process is out of descriptors, buffers or memory */
    NET_UNAVAILABLE, /* this machine does not have the address or address family */
    NET_FAILED       /* any other error */
};

struct net_result {
    enum net_outcome outcome;
    int error;    /* the system's error number, unless NET_DONE or NET_END; for os_error_text() */
    size_t bytes; /* only with NET_DONE; at least 1 for recv and send */
};

/* An IPv4 or IPv6 address with its port. It is small, because every connection keeps its peer's. An
 * IPv4-mapped IPv6 address (::ffff:127.0.0.1; RFC 4291, 2.5.5.2) is stored as the IPv4 address. */
struct net_address {
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first 4 */
    uint32_t scope;    /* IPv6 zone of a link-local address, else 0 */
    uint16_t port;     /* host byte order */
    bool ipv6;
};

enum {
    NET_HOST_TEXT = 46,    /* size of the text of any address alone (INET6_ADDRSTRLEN) */
    NET_ADDRESS_TEXT = 80, /* size of the text of any address, including zone and port */
    NET_RESOLVE_MAX = 16   /* the most addresses that net_resolve() returns */
};

/* The address of 4 or 16 bytes in network byte order, without a zone. */
struct net_address net_address_make(const void *bytes, bool ipv6, uint16_t port);

/* Reads an IPv4 address of four decimal numbers, or an IPv6 address without a zone
 * (inet_pton(3)); its port is 0. Returns false, with `address` unchanged, if `text` is none. */
bool net_address_parse(const char *text, bool ipv6, struct net_address *address);

/* Writes "127.0.0.1" or "::1", without zone and port, into `text` and returns it. */
const char *net_address_host(const struct net_address *address, char text[NET_HOST_TEXT]);

/* Writes "127.0.0.1:9901" or "[::1]:9901" into `text` and returns it. */
const char *net_address_text(const struct net_address *address, char text[NET_ADDRESS_TEXT]);

bool net_address_equal(const struct net_address *a, const struct net_address *b);

/* Whether the address is 127.0.0.0/8 or ::1. */
bool net_address_is_loopback(const struct net_address *address);

/* Which addresses of a host are wanted. */
enum net_family { NET_ANY_FAMILY, NET_IPV4, NET_IPV6 };

/*
 * Resolves a host name or numeric address (RFC 3493, getaddrinfo()) to its addresses of a family
 * with `port`, in the order in which to try them, without duplicates. Blocks while the name service
 * is asked. Returns NULL, or the text of an error, which stays valid until the next call.
 */
const char *net_resolve(const char *host, enum net_family family, uint16_t port,
                        struct net_address addresses[NET_RESOLVE_MAX], size_t *count);

/*
 * Reads a port: a number, or the name of a TCP service in the system's list (getservbyname(3)),
 * such as "http". Blocks while the list is looked up, perhaps at a name service. Returns false if
 * there is no such service.
 */
bool net_port(const char *text, uint16_t *port);

/*
 * Makes the system probe the peers of connections that are made or accepted from now on, once a
 * peer has been silent for `seconds`, at most NET_KEEP_ALIVE_MAX (RFC 9293, 3.8.4). A connection is
 * lost when 10 probes, one second apart, are not answered. 0: no probes, as at the start. While
 * data is unacknowledged there are none, and the connection is lost when the system gives up
 * sending it.
 */
void net_keep_alive(uint64_t seconds);
enum { NET_KEEP_ALIVE_MAX = 32767 };

/*
 * Opens a listening, non-blocking socket. An IPv6 socket accepts IPv6 connections only
 * (IPV6_V6ONLY), so that 0.0.0.0 and :: can both be bound. The address can be bound again right
 * after the program has ended, but not by another program while it runs (SO_REUSEADDR on POSIX,
 * SO_EXCLUSIVEADDRUSE on Windows). On failure no socket is left open.
 */
struct net_result net_listen(const struct net_address *address, os_socket *listener);

/*
 * Makes a listening TCP socket that another program has opened one like those of net_listen(), and
 * gives the address that it is bound to. Only IPV6_V6ONLY stays as it is; the backlog becomes the
 * largest that the system allows. A socket that is bound and does not listen yet begins to. Returns
 * NULL, or the text of an error, which stays valid until the next call; the socket is the caller's
 * in any case.
 */
const char *net_adopt_listener(os_socket listener, struct net_address *address);

/* The address that a socket is bound to, for example the port that the system has chosen for port
 * 0. */
struct net_result net_local_address(os_socket s, struct net_address *address);

/* The address of the other end of a connection. */
struct net_result net_peer_address(os_socket s, struct net_address *address);

/*
 * Accepts one connection. The new socket is non-blocking, has TCP_NODELAY set (RFC 896 would delay
 * small answers) and is not inherited by child processes; the caller owns it. NET_RESET: that
 * connection was lost while it was in the backlog; try again.
 */
struct net_result net_accept(os_socket listener, os_socket *s, struct net_address *peer);

/*
 * Starts to connect a new non-blocking socket with TCP_NODELAY. It is bound to `source`, whose port
 * is 0, or to an address that the system chooses if `source` is NULL. NET_DONE: connected.
 * NET_WOULD_BLOCK: in progress; wait until it is ready to send and call net_connect_result(). On
 * any other outcome no socket is left open. NET_UNAVAILABLE: no local port or address is left.
 *
 * A port of this machine on which no program listens refuses at once. Windows otherwise tries three
 * times, for 2 s (SIO_TCP_INITIAL_RTO, Windows 10 1607).
 */
struct net_result net_connect(const struct net_address *address, const struct net_address *source,
                              os_socket *s);

/* The result of a connect whose socket has become ready: NET_DONE, or why it failed (SO_ERROR). A
 * TCP connection to itself counts as refused. The socket stays open. */
struct net_result net_connect_result(os_socket s);

/* The state of a connection that is no longer read: NET_DONE, or why it is lost (SO_ERROR). A
 * failure is reported once. */
struct net_result net_check(os_socket s);

/* Reads at most `size` bytes, at least 1. Returns NET_DONE, NET_END, NET_WOULD_BLOCK, NET_RESET or
 * NET_FAILED. */
struct net_result net_recv(os_socket s, void *bytes, size_t size);

/*
 * Sends as many of `length` bytes, at least 1, as the system takes. If it takes fewer, the socket
 * is full: wait until it is ready to send. Does not raise SIGPIPE once os_start() has been called.
 */
struct net_result net_send(os_socket s, const void *bytes, size_t length);

/* Ends the sending side: the peer reads end of stream after all the data (RFC 9293, 3.6).
 * NET_RESET: the connection is lost already, which net_recv() reports after the data that has
 * arrived. On any other failure the peer waits for more. */
struct net_result net_end_sending(os_socket s);

/*
 * How many of the bytes sent before net_end_sending() the peer's system has not acknowledged yet
 * (Linux: tcp(7) SIOCOUTQ, macOS: SO_NWRITE). 0 where the system does not say, as on Windows. Call
 * it before net_check(), which then shows a connection that is lost in between.
 */
size_t net_unacknowledged(os_socket s);

/* Makes net_close() reset the connection: what the peer has not received is lost (SO_LINGER with a
 * time of 0). */
void net_reset_on_close(os_socket s);

/* Closes the socket. If unread input is left, this resets the connection (RFC 2525, 2.17). */
void net_close(os_socket s);

#endif
