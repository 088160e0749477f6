/* Tests of common/net with calls to the system that do what they seldom do here. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "support.h"
#include "test.h"

enum { GIB = 1 << 30 };

static struct {
    bool connects_at_once; /* connect() waits, as it is over at once on other systems */
    bool refuses_ipv6_only;
    size_t moved;           /* what the last recv() or send() was asked for; these move nothing */
    bool moves;             /* so do they */
    struct addrinfo *names; /* what getaddrinfo() finds */
    bool resolves;          /* so does it */
    struct servent service; /* what getservbyname() finds, if it has a name */
} fake;

/* The type that glibc gives the address is its own. */
int __wrap_connect(int s, const struct sockaddr *address, socklen_t length);
int __real_connect(int s, const struct sockaddr *address, socklen_t length);
__typeof__(setsockopt) __wrap_setsockopt, __real_setsockopt;
__typeof__(recv) __wrap_recv, __real_recv;
__typeof__(send) __wrap_send, __real_send;
__typeof__(getaddrinfo) __wrap_getaddrinfo, __real_getaddrinfo;
__typeof__(getservbyname) __wrap_getservbyname, __real_getservbyname;
__typeof__(freeaddrinfo) __wrap_freeaddrinfo, __real_freeaddrinfo;

int __wrap_connect(int s, const struct sockaddr *address, socklen_t length)
{
    int flags = fcntl(s, F_GETFL);

    if (!fake.connects_at_once)
        return __real_connect(s, address, length);
    fcntl(s, F_SETFL, flags & ~O_NONBLOCK);
    int result = __real_connect(s, address, length);

    fcntl(s, F_SETFL, flags);
    return result;
}

int __wrap_setsockopt(int s, int level, int name, const void *value, socklen_t length)
{
    if (fake.refuses_ipv6_only && level == IPPROTO_IPV6 && name == IPV6_V6ONLY) {
        errno = ENOPROTOOPT;
        return -1;
    }
    return __real_setsockopt(s, level, name, value, length);
}

ssize_t __wrap_recv(int s, void *bytes, size_t size, int flags)
{
    fake.moved = size;
    return fake.moves ? (ssize_t)size : __real_recv(s, bytes, size, flags);
}

ssize_t __wrap_send(int s, const void *bytes, size_t size, int flags)
{
    fake.moved = size;
    return fake.moves ? (ssize_t)size : __real_send(s, bytes, size, flags);
}

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    if (!fake.resolves)
        return __real_getaddrinfo(node, service, hints, found);
    *found = fake.names;
    return 0;
}

struct servent *__wrap_getservbyname(const char *name, const char *protocol)
{
    if (fake.service.s_name == NULL)
        return __real_getservbyname(name, protocol);
    assert_string_equal(protocol, "tcp");
    return strcmp(name, fake.service.s_name) == 0 ? &fake.service : NULL;
}

void __wrap_freeaddrinfo(struct addrinfo *found)
{
    if (!fake.resolves)
        __real_freeaddrinfo(found);
}

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    return 0;
}

/* On some systems a connection to this machine is made before connect() returns. */
static void a_connection_may_be_made_at_once(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;

    (void)state;
    fake.connects_at_once = true;
    assert_int_equal(net_connect(&address, NULL, &s).outcome, NET_DONE);
    os_socket accepted = support_accept(listener);

    support_send(s, "x", 1);
    support_expect_text(accepted, "x");
    net_close(accepted);
    net_close(s);
    net_close(listener);
}

static void a_connection_with_itself_that_is_made_at_once_is_none(void **state)
{
    struct net_address address;
    os_socket s = support_listen(&address);

    (void)state;
    net_close(s);
    fake.connects_at_once = true;
    struct net_result result = net_connect(&address, &address, &s);

    assert_int_equal(result.outcome, NET_FAILED);
    assert_int_equal(result.error, ECONNREFUSED);
    assert_true(s == OS_NO_SOCKET);
}

/* Otherwise it would take the clients of 0.0.0.0, too. */
static void an_ipv6_listener_takes_ipv6_only_or_is_none(void **state)
{
    struct net_address address = support_loopback(true, 0);
    os_socket listener;

    (void)state;
    if (!support_has_ipv6())
        skip();
    fake.refuses_ipv6_only = true;
    assert_int_equal(net_listen(&address, &listener).error, ENOPROTOOPT);
    assert_true(listener == OS_NO_SOCKET);
}

/* The length has to fit the type that it has on every system. */
static void no_call_moves_more_than_any_system_can(void **state)
{
    char byte;

    (void)state;
    fake.moves = true;
    assert_int_equal(net_recv(OS_NO_SOCKET, &byte, (size_t)GIB + 1).bytes, GIB);
    assert_int_equal(fake.moved, GIB);
    fake.moved = 0;
    assert_int_equal(net_send(OS_NO_SOCKET, &byte, (size_t)GIB + 1).bytes, GIB);
    assert_int_equal(fake.moved, GIB);
}

/* Names are given addresses by those who run a resolver. */
static void whatever_a_name_stands_for_is_sorted_out(void **state)
{
    enum { FOUND = NET_RESOLVE_MAX + 3 };
    static struct sockaddr_in system[FOUND];
    static struct addrinfo found[FOUND];
    struct net_address addresses[NET_RESOLVE_MAX];
    size_t count = 9;

    (void)state;
    fake.resolves = true;
    assert_string_equal(net_resolve("name", NET_ANY_FAMILY, 7, addresses, &count),
                        "it has no address");
    assert_int_equal(count, 0);
    /* One that is of no family we know, one that is there twice, and more than there is room for.
     */
    for (uint32_t i = 0; i < FOUND; i++) {
        system[i].sin_family = AF_INET;
        system[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK + (i < 2 ? 1 : i));
        found[i].ai_addr = (struct sockaddr *)&system[i];
        found[i].ai_addrlen = i == 2 ? 1000 : sizeof system[i];
        found[i].ai_next = i + 1 < FOUND ? &found[i + 1] : NULL;
    }
    fake.names = found;
    assert_null(net_resolve("name", NET_ANY_FAMILY, 7, addresses, &count));
    assert_int_equal(count, NET_RESOLVE_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(addresses[i].bytes[3], i == 0 ? 2 : i + 3);
        assert_int_equal(addresses[i].port, 7);
    }
}

/* Not every machine has a list of services. */
static void a_service_has_the_port_of_the_systems_list(void **state)
{
    uint16_t port = 0;

    (void)state;
    fake.service = (struct servent){.s_name = (char[]){"6to4"}, .s_port = htons(65534)};
    assert_true(net_port("6to4", &port));
    assert_int_equal(port, 65534);
    assert_false(net_port("6to", &port));
    assert_int_equal(port, 65534);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_may_be_made_at_once),
        TEST(a_connection_with_itself_that_is_made_at_once_is_none),
        TEST(an_ipv6_listener_takes_ipv6_only_or_is_none),
        TEST(no_call_moves_more_than_any_system_can),
        TEST(a_service_has_the_port_of_the_systems_list),
        TEST(whatever_a_name_stands_for_is_sorted_out),
    };

    return cmocka_run_group_tests_name("net", tests, support_setup, support_teardown);
}
