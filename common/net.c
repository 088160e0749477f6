#include "net.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>

#include <mstcpip.h>
typedef int transfer_size; /* the length type of recv() and send() */
enum { REUSE_OPTION = SO_EXCLUSIVEADDRUSE, END_SENDING = SD_SEND, REFUSED = WSAECONNREFUSED };
/* Windows reports that there is room again only after a send() that would block (WSAEventSelect,
 * FD_WRITE). */
enum { SEND_UNTIL_FULL = true };
#define close_socket closesocket

/* A refused connect is not tried again. Windows before 10 1607 does not know this option and may go
 * on trying, until the caller's time-out. */
static void disable_connect_retries(os_socket s)
{
    TCP_INITIAL_RTO_PARAMETERS once = {.Rtt = TCP_INITIAL_RTO_UNSPECIFIED_RTT,
                                       .MaxSynRetransmissions =
                                           TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS};
    DWORD size;

    WSAIoctl(s, SIO_TCP_INITIAL_RTO, &once, sizeof once, NULL, 0, &size, NULL, NULL);
}

/* The error numbers of the resolver are those of Winsock. */
static const char *resolver_text(int error)
{
    static char text[OS_ERROR_TEXT];

    return os_error_text(error, text);
}
#else
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
typedef size_t transfer_size;
enum { REUSE_OPTION = SO_REUSEADDR, END_SENDING = SHUT_WR, REFUSED = ECONNREFUSED };
enum { SEND_UNTIL_FULL = false };
#define close_socket close

static void disable_connect_retries(os_socket s)
{
    (void)s;
}

static const char *resolver_text(int error)
{
    return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
}
#endif

/* How many bytes of an ended stream the peer has not acknowledged; -1 where the system does not
 * say. */
#if defined __linux__
#include <sys/ioctl.h>

/* tcp(7), SIOCOUTQ, which <sys/ioctl.h> has as TIOCOUTQ: the end of the stream counts as one
 * byte. */
static int unacknowledged(os_socket s)
{
    int bytes;

    return ioctl(s, TIOCOUTQ, &bytes) == 0 ? bytes - 1 : -1;
}
#elif defined SO_NWRITE
static int unacknowledged(os_socket s)
{
    int bytes;
    socklen_t size = sizeof bytes;

    return getsockopt(s, SOL_SOCKET, SO_NWRITE, &bytes, &size) == 0 ? bytes : -1;
}
#else
static int unacknowledged(os_socket s)
{
    (void)s;
    return -1;
}
#endif

#ifdef IP_BIND_ADDRESS_NO_PORT
enum { CHOOSE_PORT_LATE = IP_BIND_ADDRESS_NO_PORT };
#else
enum { CHOOSE_PORT_LATE = 0 };
#endif

enum { TRANSFER_MAX = 1 << 30 }; /* fits the length type of every system */

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static struct net_result done(size_t bytes)
{
    return (struct net_result){.outcome = NET_DONE, .bytes = bytes};
}

/* Maps the last socket error to an outcome. */
static struct net_result failure(void)
{
    static const enum net_outcome outcomes[] = {
        [OS_ERROR_WOULD_BLOCK] = NET_WOULD_BLOCK,
        [OS_ERROR_INTERRUPTED] = NET_FAILED,
        [OS_ERROR_RESET] = NET_RESET,
        [OS_ERROR_DESCRIPTORS] = NET_EXHAUSTED,
        [OS_ERROR_EXHAUSTED] = NET_EXHAUSTED,
        [OS_ERROR_UNAVAILABLE] = NET_UNAVAILABLE,
        [OS_ERROR_IN_USE] = NET_FAILED,
        [OS_ERROR_NETWORK] = NET_FAILED,
        [OS_ERROR_OTHER] = NET_FAILED,
    };
    int error = os_socket_error();

    return (struct net_result){.outcome = outcomes[os_error_kind(error)], .error = error};
}

static bool interrupted(void)
{
    return os_error_kind(os_socket_error()) == OS_ERROR_INTERRUPTED;
}

static socklen_t to_system(const struct net_address *address, union socket_address *out)
{
    memset(out, 0, sizeof *out);
    if (address->ipv6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(address->port);
        out->v6.sin6_scope_id = address->scope;
        memcpy(&out->v6.sin6_addr, address->bytes, 16);
        return sizeof out->v6;
    }
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(address->port);
    memcpy(&out->v4.sin_addr, address->bytes, 4);
    return sizeof out->v4;
}

static struct net_address from_system(const union socket_address *in)
{
    if (in->any.sa_family != AF_INET6)
        return net_address_make(&in->v4.sin_addr, false, ntohs(in->v4.sin_port));
    struct net_address address = net_address_make(&in->v6.sin6_addr, true, ntohs(in->v6.sin6_port));

    if (address.ipv6)
        address.scope = (uint32_t)in->v6.sin6_scope_id;
    return address;
}

struct net_address net_address_make(const void *bytes, bool ipv6, uint16_t port)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct net_address address = {.port = port, .ipv6 = ipv6};

    if (ipv6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
        address.ipv6 = false;
        bytes = (const uint8_t *)bytes + sizeof mapped;
    }
    memcpy(address.bytes, bytes, address.ipv6 ? 16 : 4);
    return address;
}

bool net_address_parse(const char *text, bool ipv6, struct net_address *address)
{
    uint8_t bytes[16];

    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return false;
    *address = net_address_make(bytes, ipv6, 0);
    return true;
}

const char *net_address_host(const struct net_address *address, char text[NET_HOST_TEXT])
{
    text[0] = '\0';
    inet_ntop(address->ipv6 ? AF_INET6 : AF_INET, address->bytes, text, NET_HOST_TEXT);
    return text;
}

const char *net_address_text(const struct net_address *address, char text[NET_ADDRESS_TEXT])
{
    char host[NET_HOST_TEXT];
    char zone[16] = "";

    net_address_host(address, host);
    if (address->scope != 0)
        snprintf(zone, sizeof zone, "%%%lu", (unsigned long)address->scope);
    snprintf(text, NET_ADDRESS_TEXT, address->ipv6 ? "[%s%s]:%d" : "%s%s:%d", host, zone,
             address->port);
    return text;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return a->ipv6 == b->ipv6 && a->port == b->port && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, a->ipv6 ? 16 : 4) == 0;
}

bool net_address_is_loopback(const struct net_address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};

    return address->ipv6 ? memcmp(address->bytes, loopback, sizeof loopback) == 0
                         : address->bytes[0] == 127;
}

static bool contains(const struct net_address *addresses, size_t count,
                     const struct net_address *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (net_address_equal(&addresses[i], wanted))
            return true;
    }
    return false;
}

const char *net_resolve(const char *host, enum net_family family, uint16_t port,
                        struct net_address addresses[NET_RESOLVE_MAX], size_t *count)
{
    static const int families[] = {
        [NET_ANY_FAMILY] = AF_UNSPEC, [NET_IPV4] = AF_INET, [NET_IPV6] = AF_INET6};
    struct addrinfo hints = {
        .ai_family = families[family], .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct addrinfo *found;
    int error = getaddrinfo(host, NULL, &hints, &found);

    *count = 0;
    if (error != 0)
        return resolver_text(error);
    for (const struct addrinfo *i = found; i != NULL && *count < NET_RESOLVE_MAX; i = i->ai_next) {
        union socket_address system = {.any = {0}};

        if (i->ai_addrlen > sizeof system)
            continue;
        memcpy(&system, i->ai_addr, i->ai_addrlen);
        struct net_address address = from_system(&system);
        address.port = port;
        /* ::ffff:127.0.0.1 is found as an IPv6 address. */
        bool wanted = family == NET_ANY_FAMILY || address.ipv6 == (family == NET_IPV6);

        if (wanted && !contains(addresses, *count, &address))
            addresses[(*count)++] = address;
    }
    freeaddrinfo(found);
    return *count > 0 ? NULL : "it has no address";
}

bool net_port(const char *text, uint16_t *port)
{
    uint64_t number;

    if (text_number(text, 0, UINT16_MAX, &number)) {
        *port = (uint16_t)number;
        return true;
    }
    const struct servent *service = getservbyname(text, "tcp");

    if (service == NULL)
        return false;
    *port = ntohs((uint16_t)service->s_port);
    return true;
}

static bool set_option(os_socket s, int level, int option, int value)
{
    return setsockopt(s, level, option, (const void *)&value, sizeof value) == 0;
}

static bool get_option(os_socket s, int option, int *value)
{
    socklen_t length = sizeof *value;

    *value = 0; /* Windows may write only one byte of it */
    return getsockopt(s, SOL_SOCKET, option, (void *)value, &length) == 0;
}

enum { KEEP_ALIVE_INTERVAL = 1 /* seconds */, KEEP_ALIVE_PROBES = 10 /* as Windows sends */ };

static uint32_t keep_alive; /* seconds; 0: no probes */

#ifdef _WIN32
static void set_keep_alive(os_socket s)
{
    struct tcp_keepalive probes = {.onoff = 1,
                                   .keepalivetime = keep_alive * 1000,
                                   .keepaliveinterval = KEEP_ALIVE_INTERVAL * 1000};
    DWORD size;

    WSAIoctl(s, SIO_KEEPALIVE_VALS, &probes, sizeof probes, NULL, 0, &size, NULL, NULL);
}
#else
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* macOS */
#endif

static void set_keep_alive(os_socket s)
{
    set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, (int)keep_alive);
    set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL);
    set_option(s, IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES);
}
#endif

void net_keep_alive(uint64_t seconds)
{
    keep_alive = (uint32_t)seconds;
}

/* Closes a socket after a failed call and returns the error of that call. */
static struct net_result close_failed(os_socket *s)
{
    struct net_result result = failure();

    close_socket(*s);
    *s = OS_NO_SOCKET;
    return result;
}

/*
 * Every socket is non-blocking and not inherited by child processes. Setting both in the call that
 * creates the socket saves two calls, where the system supports it. On Windows an accepted socket
 * inherits non-blocking mode from its listener, on Linux it does not: this code relies on neither.
 */
#ifdef SOCK_NONBLOCK
static os_socket new_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

static os_socket accept_socket(os_socket listener, struct sockaddr *address, socklen_t *length)
{
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
#else
static os_socket prepare(os_socket s)
{
    if (s != OS_NO_SOCKET && !os_prepare_socket(s))
        close_failed(&s);
    return s;
}

static os_socket new_socket(int family)
{
    return prepare(socket(family, SOCK_STREAM, IPPROTO_TCP));
}

static os_socket accept_socket(os_socket listener, struct sockaddr *address, socklen_t *length)
{
    return prepare(accept(listener, address, length));
}
#endif

/*
 * Options of every connection; accepted ones inherit them from their listener. TCP_NODELAY: answers
 * are sent without delay. SO_OOBINLINE: urgent bytes are read like others (RFC 6093), so they do
 * not make select() on Windows report an exception that is never cleared.
 */
static void set_connection_options(os_socket s)
{
    set_option(s, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(s, SOL_SOCKET, SO_OOBINLINE, 1);
}

struct net_result net_listen(const struct net_address *address, os_socket *listener)
{
    union socket_address system;
    socklen_t length = to_system(address, &system);

    *listener = new_socket(system.any.sa_family);
    if (*listener == OS_NO_SOCKET)
        return failure();
    set_connection_options(*listener);
    if (!set_option(*listener, SOL_SOCKET, REUSE_OPTION, 1) ||
        (address->ipv6 && !set_option(*listener, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        bind(*listener, &system.any, length) != 0 || listen(*listener, SOMAXCONN) != 0)
        return close_failed(listener);
    return done(0);
}

const char *net_adopt_listener(os_socket listener, struct net_address *address)
{
    static char words[OS_ERROR_TEXT];
    union socket_address system = {.any = {0}};
    socklen_t length = sizeof system;
    int type;

    if (!get_option(listener, SO_TYPE, &type) || getsockname(listener, &system.any, &length) != 0 ||
        !os_prepare_socket(listener))
        return os_error_text(os_socket_error(), words);
    *address = from_system(&system);
    /* Not every system says whether a socket listens (SO_ACCEPTCONN). One that does may be told so
     * once more; one that is connected may not. */
    if (type != SOCK_STREAM ||
        (system.any.sa_family != AF_INET && system.any.sa_family != AF_INET6) ||
        address->port == 0 || listen(listener, SOMAXCONN) != 0)
        return "it is not a listening TCP socket";
    set_connection_options(listener);
    return NULL;
}

struct net_result net_local_address(os_socket s, struct net_address *address)
{
    union socket_address system = {.any = {0}};
    socklen_t length = sizeof system;

    if (getsockname(s, &system.any, &length) != 0)
        return failure();
    *address = from_system(&system);
    return done(0);
}

struct net_result net_peer_address(os_socket s, struct net_address *address)
{
    union socket_address system = {.any = {0}};
    socklen_t length = sizeof system;

    if (getpeername(s, &system.any, &length) != 0)
        return failure();
    *address = from_system(&system);
    return done(0);
}

struct net_result net_accept(os_socket listener, os_socket *s, struct net_address *peer)
{
    union socket_address system = {.any = {0}};
    socklen_t length;

    do {
        length = sizeof system;
        *s = accept_socket(listener, &system.any, &length);
    } while (*s == OS_NO_SOCKET && interrupted());
    if (*s == OS_NO_SOCKET) {
        struct net_result result = failure();

        /* Linux reports errors of the new connection here (accept(2), Error handling). */
        if (os_error_kind(result.error) == OS_ERROR_NETWORK)
            result.outcome = NET_RESET;
        return result;
    }
    if (keep_alive > 0)
        set_keep_alive(*s);
    *peer = from_system(&system);
    return done(0);
}

/*
 * Binds a socket that is about to connect. Linux can choose the port at connect(), when the other
 * end is known (ip(7), IP_BIND_ADDRESS_NO_PORT): otherwise each port would serve only one
 * connection.
 */
static bool bind_source(os_socket s, const struct net_address *source)
{
    union socket_address system;
    socklen_t length = to_system(source, &system);

    if (CHOOSE_PORT_LATE != 0)
        set_option(s, IPPROTO_IP, CHOOSE_PORT_LATE, 1);
    return bind(s, &system.any, length) == 0;
}

/*
 * Whether a connection is one to itself. If the target is an ephemeral port on which no program
 * listens, the system may choose that very port as the source, and the two SYN cross (RFC 9293,
 * 3.5). Such a connection would echo, too.
 */
static bool is_self_connect(os_socket s)
{
    struct net_address here = {.port = 0}, there = {.port = 0};

    return net_local_address(s, &here).outcome == NET_DONE &&
           net_peer_address(s, &there).outcome == NET_DONE && net_address_equal(&here, &there);
}

struct net_result net_connect(const struct net_address *address, const struct net_address *source,
                              os_socket *s)
{
    union socket_address system;
    socklen_t length = to_system(address, &system);

    *s = new_socket(system.any.sa_family);
    if (*s == OS_NO_SOCKET)
        return failure();
    set_connection_options(*s);
    if (source != NULL && !bind_source(*s, source))
        return close_failed(s);
    if (keep_alive > 0)
        set_keep_alive(*s);
    if (net_address_is_loopback(address))
        disable_connect_retries(*s);
    if (connect(*s, &system.any, length) == 0) {
        if (!is_self_connect(*s))
            return done(0);
        close_socket(*s);
        *s = OS_NO_SOCKET;
        return (struct net_result){.outcome = NET_FAILED, .error = REFUSED};
    }
    struct net_result result = failure();
    /* An interrupted connect() continues in the background (POSIX, connect()). */
    if (interrupted())
        result.outcome = NET_WOULD_BLOCK;
    return result.outcome == NET_WOULD_BLOCK ? result : close_failed(s);
}

/* Reads and clears the pending error of a socket; 0: none. */
static int pending_error(os_socket s)
{
    int error;

    return get_option(s, SO_ERROR, &error) ? error : os_socket_error();
}

struct net_result net_connect_result(os_socket s)
{
    int error = pending_error(s);

    if (error == 0 && is_self_connect(s))
        error = REFUSED;
    if (error != 0)
        return (struct net_result){.outcome = NET_FAILED, .error = error};
    return done(0);
}

struct net_result net_check(os_socket s)
{
    int error = pending_error(s);

    if (error != 0)
        return (struct net_result){.outcome = NET_RESET, .error = error};
    return done(0);
}

size_t net_unacknowledged(os_socket s)
{
    int bytes = unacknowledged(s);

    return bytes > 0 ? (size_t)bytes : 0;
}

struct net_result net_recv(os_socket s, void *bytes, size_t size)
{
    ptrdiff_t n;

    do {
        n = recv(s, bytes, (transfer_size)(size < TRANSFER_MAX ? size : TRANSFER_MAX), 0);
    } while (n == -1 && interrupted());
    if (n < 0)
        return failure();
    return (struct net_result){.outcome = n > 0 ? NET_DONE : NET_END, .bytes = (size_t)n};
}

static ptrdiff_t send_once(os_socket s, const char *bytes, size_t length)
{
    ptrdiff_t n;

    do {
        n = send(s, bytes, (transfer_size)(length < TRANSFER_MAX ? length : TRANSFER_MAX), 0);
    } while (n == -1 && interrupted());
    return n;
}

struct net_result net_send(os_socket s, const void *bytes, size_t length)
{
    ptrdiff_t n = send_once(s, bytes, length);
    size_t sent = n > 0 ? (size_t)n : 0;

    while (SEND_UNTIL_FULL && n > 0 && sent < length) {
        n = send_once(s, (const char *)bytes + sent, length - sent);
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent > 0 ? done(sent) : failure();
}

struct net_result net_end_sending(os_socket s)
{
    return shutdown(s, END_SENDING) == 0 ? done(0) : failure();
}

void net_reset_on_close(os_socket s)
{
    struct linger at_once = {.l_onoff = 1};

    setsockopt(s, SOL_SOCKET, SO_LINGER, (const void *)&at_once, sizeof at_once);
}

void net_close(os_socket s)
{
    close_socket(s);
}
