/* Unit tests of common/net, with real sockets on the loopback address. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selector.h"
#include "support.h"
#include "system.h"
#include "test.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>

static bool inherited(os_socket s)
{
    DWORD flags = 0;

    GetHandleInformation((HANDLE)s, &flags);
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}
#else
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static bool inherited(os_socket s)
{
    return (fcntl(s, F_GETFD) & FD_CLOEXEC) == 0;
}
#endif

static void check_text(const struct net_address *address, const char *expected)
{
    char text[NET_ADDRESS_TEXT];

    assert_ptr_equal(net_address_text(address, text), text);
    assert_string_equal(text, expected);
}

static void addresses_have_a_text(void **state)
{
    static const struct net_address zone = {
        .ipv6 = true, .bytes = {0xFE, 0x80, [15] = 1}, .scope = 4294967295U, .port = 65535};
    static const struct net_address long_one = {.ipv6 = true,
                                                .bytes = {0x20, 1, 0xD, 0xB8, 0x11, 0x11, 0x22,
                                                          0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55,
                                                          0xAB, 0xCD},
                                                .port = 80};
    struct net_address address = {.bytes = {192, 0, 2, 255}, .port = 9901};

    (void)state;
    check_text(&address, "192.0.2.255:9901");
    address = support_loopback(true, 9901);
    check_text(&address, "[::1]:9901");
    address = (struct net_address){.ipv6 = true};
    check_text(&address, "[::]:0");
    check_text(&zone, "[fe80::1%4294967295]:65535");
    check_text(&long_one, "[2001:db8:1111:2222:3333:4444:5555:abcd]:80");
}

static void addresses_are_made_of_bytes_and_text(void **state)
{
    static const uint8_t bytes[16] = {0x20, 1, 0xD, 0xB8, [15] = 1};
    static const uint8_t mapped[16] = {[10] = 0xFF, 0xFF, 192, 0, 2, 1};
    static const char *const hosts[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1",
                                        "::", "2001:db8:1111:2222:3333:4444:5555:abcd"};
    static const char *const not_ipv4[] = {"",         "1.2.3",     "1.2.3.256",
                                           "1.2.3.4 ", "1.2.3.4:5", "::1"};
    static const char *const not_ipv6[] = {"", "1.2.3.4", "::1::", "12345::", "[::1]", ":::"};
    struct net_address address = net_address_make(bytes, true, 80);
    char text[NET_HOST_TEXT];

    (void)state;
    check_text(&address, "[2001:db8::1]:80");
    address = net_address_make(bytes, false, 80);
    check_text(&address, "32.1.13.184:80");
    address = net_address_make(mapped, true, 80);
    check_text(&address, "192.0.2.1:80");
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        address.port = 1;
        assert_true(net_address_parse(hosts[i], strchr(hosts[i], ':') != NULL, &address));
        assert_int_equal(address.port, 0);
        assert_ptr_equal(net_address_host(&address, text), text);
        assert_string_equal(text, hosts[i]);
    }
    assert_true(net_address_parse("::ffff:192.0.2.1", true, &address));
    check_text(&address, "192.0.2.1:0");
    for (size_t i = 0; i < sizeof not_ipv4 / sizeof not_ipv4[0]; i++)
        assert_false(net_address_parse(not_ipv4[i], false, &address));
    for (size_t i = 0; i < sizeof not_ipv6 / sizeof not_ipv6[0]; i++)
        assert_false(net_address_parse(not_ipv6[i], true, &address));
    check_text(&address, "192.0.2.1:0");
}

static void addresses_compare(void **state)
{
    struct net_address a = support_loopback(false, 80);
    struct net_address b = support_loopback(false, 80);

    (void)state;
    b.bytes[4] = 1; /* not a part of an IPv4 address */
    assert_true(net_address_equal(&a, &b));
    b.bytes[3]++;
    assert_false(net_address_equal(&a, &b));
    b = support_loopback(false, 81);
    assert_false(net_address_equal(&a, &b));
    b = support_loopback(true, 80);
    assert_false(net_address_equal(&a, &b));
    a = b;
    assert_true(net_address_equal(&a, &b));
    a.scope = 1;
    assert_false(net_address_equal(&a, &b));
}

static void numeric_hosts_resolve_to_themselves(void **state)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    size_t count = 0;

    (void)state;
    assert_null(net_resolve("192.0.2.1", NET_ANY_FAMILY, 9901, addresses, &count));
    assert_int_equal(count, 1);
    check_text(&addresses[0], "192.0.2.1:9901");
    assert_null(net_resolve("2001:db8::1", NET_ANY_FAMILY, 1, addresses, &count));
    assert_int_equal(count, 1);
    check_text(&addresses[0], "[2001:db8::1]:1");
    /* What IPv6 has for an IPv4 address is that address; the one before and after are none. */
    assert_null(net_resolve("::ffff:192.0.2.1", NET_ANY_FAMILY, 9901, addresses, &count));
    assert_int_equal(count, 1);
    check_text(&addresses[0], "192.0.2.1:9901");
    assert_null(net_resolve("::fffe:c000:201", NET_ANY_FAMILY, 1, addresses, &count));
    check_text(&addresses[0], "[::fffe:c000:201]:1");
}

static void only_addresses_of_the_family_that_is_asked_for_are_found(void **state)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    size_t count = 0;

    (void)state;
    assert_null(net_resolve("192.0.2.1", NET_IPV4, 1, addresses, &count));
    check_text(&addresses[0], "192.0.2.1:1");
    assert_null(net_resolve("2001:db8::1", NET_IPV6, 1, addresses, &count));
    check_text(&addresses[0], "[2001:db8::1]:1");
    assert_non_null(net_resolve("192.0.2.1", NET_IPV6, 1, addresses, &count));
    assert_int_equal(count, 0);
    assert_non_null(net_resolve("2001:db8::1", NET_IPV4, 1, addresses, &count));
    assert_int_equal(count, 0);
    assert_string_equal(net_resolve("::ffff:192.0.2.1", NET_IPV6, 1, addresses, &count),
                        "it has no address");
    assert_int_equal(count, 0);
}

static void a_number_is_a_port_and_an_unknown_name_is_none(void **state)
{
    uint16_t port = 77;

    (void)state;
    assert_true(net_port("0", &port));
    assert_int_equal(port, 0);
    assert_true(net_port("65535", &port));
    assert_int_equal(port, 65535);
    assert_false(net_port("no-such-service-here", &port));
    assert_int_equal(port, 65535);
}

static void localhost_resolves(void **state)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    size_t count = 0;

    (void)state;
    assert_null(net_resolve("localhost", NET_ANY_FAMILY, 9901, addresses, &count));
    assert_int_in_range(count, 1, NET_RESOLVE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct net_address loopback = support_loopback(addresses[i].ipv6, 9901);

        assert_true(net_address_equal(&addresses[i], &loopback) || addresses[i].bytes[0] == 127);
        for (size_t k = 0; k < i; k++)
            assert_false(net_address_equal(&addresses[i], &addresses[k]));
    }
}

static void a_host_that_is_none_has_a_reason(void **state)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    char label[101] = "";
    size_t count = 77;
    const char *reason;

    (void)state;
    /* Longer than DNS allows, so that nobody has to be asked for it. */
    memset(label, 'x', sizeof label - 1);
    reason = net_resolve(label, NET_ANY_FAMILY, 9901, addresses, &count);
    assert_non_null(reason);
    assert_true(strlen(reason) > 0);
    assert_int_equal(count, 0);
}

static void adopts_what_listens_and_nothing_else(void **state)
{
    struct net_address ours, adopted;
    os_socket listener = support_listen(&ours), pair[2];

    (void)state;
    assert_null(net_adopt_listener(listener, &adopted));
    assert_true(net_address_equal(&ours, &adopted));
    net_close(listener);
    assert_non_null(net_adopt_listener(listener, &adopted));
    support_pair(pair);
    assert_string_equal(net_adopt_listener(pair[0], &adopted), "it is not a listening TCP socket");
    net_close(pair[0]);
    net_close(pair[1]);
}

static void port_0_takes_a_free_port(void **state)
{
    struct net_address first, second;
    os_socket a = support_listen(&first), b = support_listen(&second);

    (void)state;
    assert_int_not_equal(first.port, 0);
    assert_int_not_equal(first.port, second.port);
    assert_false(inherited(a));
    net_close(a);
    net_close(b);
}

static void an_address_in_use_is_refused(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), second = 77;
    struct net_result result = net_listen(&address, &second);
    char text[OS_ERROR_TEXT];

    (void)state;
    assert_int_equal(result.outcome, NET_FAILED);
    assert_non_null(strstr(os_error_text(result.error, text), "in use"));
    assert_true(second == OS_NO_SOCKET);
    net_close(listener);
}

static void a_foreign_address_is_unavailable(void **state)
{
    struct net_address foreign = {.bytes = {192, 0, 2, 1}}; /* RFC 5737: nobody's */
    os_socket listener;

    (void)state;
    assert_int_equal(net_listen(&foreign, &listener).outcome, NET_UNAVAILABLE);
    assert_true(listener == OS_NO_SOCKET);
}

static void an_address_can_be_bound_again_at_once(void **state)
{
    struct net_address address, peer;
    os_socket listener = support_listen(&address);
    os_socket client = support_connect(&address), server;

    (void)state;
    support_wait(listener, SELECTOR_READ);
    assert_int_equal(net_accept(listener, &server, &peer).outcome, NET_DONE);
    /* The side that closes first keeps the port in TIME-WAIT. */
    net_close(server);
    support_expect_end(client);
    net_close(client);
    net_close(listener);
    assert_int_equal(net_listen(&address, &listener).outcome, NET_DONE);
    net_close(listener);
}

static void accept_gives_a_prepared_socket_and_its_peer(void **state)
{
    struct net_address address, peer, ours;
    os_socket listener = support_listen(&address), client, server;
    char byte;
    int on = 0;
    socklen_t size = sizeof on;

    (void)state;
    assert_int_equal(net_accept(listener, &server, &peer).outcome, NET_WOULD_BLOCK);
    client = support_connect(&address);
    support_wait(listener, SELECTOR_READ);
    assert_int_equal(net_accept(listener, &server, &peer).outcome, NET_DONE);
    assert_int_equal(net_local_address(client, &ours).outcome, NET_DONE);
    assert_true(net_address_equal(&peer, &ours));
    assert_int_equal(net_recv(server, &byte, 1).outcome, NET_WOULD_BLOCK);
    assert_int_equal(net_recv(client, &byte, 1).outcome, NET_WOULD_BLOCK);
    assert_false(inherited(server));
    assert_false(inherited(client));
    assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, (void *)&on, &size), 0);
    assert_true(on);
    on = 0;
    assert_int_equal(getsockopt(server, SOL_SOCKET, SO_OOBINLINE, (void *)&on, &size), 0);
    assert_true(on);
    net_close(client);
    net_close(server);
    net_close(listener);
}

/* Listens on both addresses with one port; false when the second one's is taken. */
static bool listen_on_both(struct net_address *v4, struct net_address *v6, os_socket listeners[2])
{
    v4->port = 0;
    assert_int_equal(net_listen(v4, &listeners[0]).outcome, NET_DONE);
    assert_int_equal(net_local_address(listeners[0], v4).outcome, NET_DONE);
    v6->port = v4->port;
    if (net_listen(v6, &listeners[1]).outcome == NET_DONE)
        return true;
    net_close(listeners[0]);
    return false;
}

static void both_wildcards_fit_on_one_port(void **state)
{
    struct net_address v4 = {.ipv6 = false}, v6 = {.ipv6 = true};
    os_socket listeners[2];
    int tries = 0;

    (void)state;
    if (!support_has_ipv6())
        skip();
    /* Somebody else may have the port on the other address. */
    while (!listen_on_both(&v4, &v6, listeners))
        assert_true(++tries < 20);
    for (int i = 0; i < 2; i++) {
        struct net_address address = support_loopback(i == 1, v4.port);
        os_socket client = support_connect(&address), server = support_accept(listeners[i]);

        support_send(client, "x", 1);
        support_expect_text(server, "x");
        net_close(client);
        net_close(server);
    }
    for (int i = 0; i < 2; i++)
        net_close(listeners[i]);
}

/* TCP lets a socket connect to itself; it would answer all that it is asked. */
static void a_connection_with_itself_is_none(void **state)
{
    struct net_address address;
    os_socket s = support_listen(&address);

    (void)state;
    net_close(s);
    struct net_result result = net_connect(&address, &address, &s);

    if (result.outcome == NET_WOULD_BLOCK) {
        support_wait(s, SELECTOR_WRITE);
        result = net_connect_result(s);
        net_close(s);
    }
    assert_int_equal(result.outcome, NET_FAILED);
}

static void a_source_that_is_not_ours_is_unavailable(void **state)
{
    const struct net_address foreign = {.bytes = {192, 0, 2, 1}}; /* RFC 5737: nobody's */
    struct net_address address;
    os_socket listener = support_listen(&address), s;

    (void)state;
    assert_int_equal(net_connect(&address, &foreign, &s).outcome, NET_UNAVAILABLE);
    assert_true(s == OS_NO_SOCKET);
    net_close(listener);
}

/* So nobody waits for what a system does not tell. */
static void what_is_not_known_to_be_missing_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(net_unacknowledged(OS_NO_SOCKET), 0);
}

static void a_refused_connect_says_so(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;
    struct net_result result;
    char text[OS_ERROR_TEXT];

    (void)state;
    net_close(listener);
    result = net_connect(&address, NULL, &s);
    if (result.outcome == NET_WOULD_BLOCK) {
        support_wait(s, SELECTOR_WRITE);
        result = net_connect_result(s);
        net_close(s);
    } else {
        assert_true(s == OS_NO_SOCKET);
    }
    assert_int_equal(result.outcome, NET_FAILED);
    assert_string_equal(os_error_text(result.error, text), "Connection refused");
}

static void recv_tells_nothing_bytes_and_end_apart(void **state)
{
    os_socket pair[2];
    char byte;
    struct net_result result;

    (void)state;
    support_pair(pair);
    result = net_recv(pair[0], &byte, 1);
    assert_int_equal(result.outcome, NET_WOULD_BLOCK);
    support_send(pair[1], "ab", 2);
    support_wait(pair[0], SELECTOR_READ);
    result = net_recv(pair[0], &byte, 1);
    assert_int_equal(result.outcome, NET_DONE);
    assert_int_equal(result.bytes, 1);
    assert_int_equal(byte, 'a');
    net_end_sending(pair[1]);
    support_expect_text(pair[0], "b");
    support_wait(pair[0], SELECTOR_READ);
    assert_int_equal(net_recv(pair[0], &byte, 1).outcome, NET_END);
    /* The other direction is still open. */
    support_send(pair[0], "c", 1);
    support_expect_text(pair[1], "c");
    net_close(pair[0]);
    support_expect_end(pair[1]);
    net_close(pair[1]);
}

static void a_reset_shows_in_recv(void **state)
{
    os_socket pair[2];
    struct net_result result;
    char byte;

    (void)state;
    support_pair(pair);
    support_reset(pair[1]);
    support_wait(pair[0], SELECTOR_READ);
    result = net_recv(pair[0], &byte, 1);
    /* Wine may give a reset out as an end. */
    if (!system_is_wine() || result.outcome != NET_END)
        assert_int_equal(result.outcome, NET_RESET);
    net_close(pair[0]);
}

static void an_address_of_this_machine_for_itself_is_known(void **state)
{
    static const struct {
        struct net_address address;
        bool loopback;
    } cases[] = {
        {{.bytes = {127, 0, 0, 1}}, true},
        {{.bytes = {127, 255, 1, 2}}, true},
        {{.bytes = {128, 0, 0, 1}}, false},
        {{.bytes = {0}}, false},
        {{.bytes = {[15] = 1}, .ipv6 = true}, true},
        {{.bytes = {127, [15] = 1}, .ipv6 = true}, false},
        {{.bytes = {0}, .ipv6 = true}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(net_address_is_loopback(&cases[i].address), cases[i].loopback);
}

static void a_reset_shows_in_send(void **state)
{
    os_socket pair[2];
    struct net_result result;

    (void)state;
    support_pair(pair);
    support_reset(pair[1]);
    support_wait(pair[0], SELECTOR_READ); /* it has come */
    result = net_send(pair[0], "x", 1);
    assert_int_equal(result.outcome, NET_RESET);
    net_close(pair[0]);
}

static void send_takes_what_fits_and_no_more(void **state)
{
    enum { LENGTH = 1 << 20, MOST = 256 };
    os_socket pair[2];
    struct net_result result = {.outcome = NET_DONE};
    char *bytes = support_random_bytes(LENGTH, 2);
    size_t sent = 0;

    (void)state;
    support_pair(pair);
    /* Windows may take a single send whole, however long; but not one after the other for ever. */
    while (result.outcome == NET_DONE) {
        assert_true(sent < (size_t)LENGTH * MOST);
        result = net_send(pair[0], bytes + sent % LENGTH, LENGTH - sent % LENGTH);
        if (result.outcome == NET_DONE)
            assert_int_in_range(result.bytes, 1, LENGTH - sent % LENGTH);
        sent += result.bytes;
    }
    assert_int_equal(result.outcome, NET_WOULD_BLOCK);
    for (size_t received = 0; received < sent;) {
        size_t part = LENGTH < sent - received ? LENGTH : sent - received;

        support_expect(pair[1], bytes, part);
        received += part;
    }
    support_wait(pair[0], SELECTOR_WRITE);
    net_close(pair[0]);
    support_expect_end(pair[1]);
    net_close(pair[1]);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_have_a_text),
        cmocka_unit_test(addresses_are_made_of_bytes_and_text),
        cmocka_unit_test(addresses_compare),
        cmocka_unit_test(numeric_hosts_resolve_to_themselves),
        cmocka_unit_test(only_addresses_of_the_family_that_is_asked_for_are_found),
        cmocka_unit_test(a_number_is_a_port_and_an_unknown_name_is_none),
        cmocka_unit_test(localhost_resolves),
        cmocka_unit_test(a_host_that_is_none_has_a_reason),
        cmocka_unit_test(adopts_what_listens_and_nothing_else),
        cmocka_unit_test(port_0_takes_a_free_port),
        cmocka_unit_test(an_address_in_use_is_refused),
        cmocka_unit_test(a_foreign_address_is_unavailable),
        cmocka_unit_test(an_address_can_be_bound_again_at_once),
        cmocka_unit_test(accept_gives_a_prepared_socket_and_its_peer),
        cmocka_unit_test(both_wildcards_fit_on_one_port),
        cmocka_unit_test(a_connection_with_itself_is_none),
        cmocka_unit_test(a_source_that_is_not_ours_is_unavailable),
        cmocka_unit_test(what_is_not_known_to_be_missing_is_not_waited_for),
        cmocka_unit_test(a_refused_connect_says_so),
        cmocka_unit_test(recv_tells_nothing_bytes_and_end_apart),
        cmocka_unit_test(a_reset_shows_in_recv),
        cmocka_unit_test(an_address_of_this_machine_for_itself_is_known),
        cmocka_unit_test(a_reset_shows_in_send),
        cmocka_unit_test(send_takes_what_fits_and_no_more),
    };

    return cmocka_run_group_tests_name("net", tests, support_setup, support_teardown);
}
