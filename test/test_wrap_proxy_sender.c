/* Tests of client/proxy_sender with a system that takes a header in pieces, or not. */
#include "proxy_sender.h"

#include <string.h>

#include "support.h"
#include "test.h"

enum { BROKEN = 77 };

static const struct net_result failed = {.outcome = NET_FAILED, .error = BROKEN};
static const struct net_result full = {.outcome = NET_WOULD_BLOCK, .error = BROKEN};

static struct {
    struct net_result local, peer, end;
    size_t piece; /* bytes that a send takes */
    size_t room;  /* bytes until sending ends with `end` */
    size_t sent;
    char bytes[PROXY_HEADER_MAX];
} fake;

__typeof__(net_local_address) __wrap_net_local_address, __real_net_local_address;
__typeof__(net_peer_address) __wrap_net_peer_address, __real_net_peer_address;
__typeof__(net_send) __wrap_net_send;

struct net_result __wrap_net_local_address(os_socket s, struct net_address *address)
{
    return fake.local.outcome != NET_DONE ? fake.local : __real_net_local_address(s, address);
}

struct net_result __wrap_net_peer_address(os_socket s, struct net_address *address)
{
    return fake.peer.outcome != NET_DONE ? fake.peer : __real_net_peer_address(s, address);
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    size_t taken = length < fake.piece ? length : fake.piece;

    (void)s;
    if (fake.sent == fake.room)
        return fake.end;
    if (taken > fake.room - fake.sent)
        taken = fake.room - fake.sent;
    memcpy(fake.bytes + fake.sent, bytes, taken);
    fake.sent += taken;
    return (struct net_result){.outcome = NET_DONE, .bytes = taken};
}

static os_socket pair[2];

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    support_pair(pair);
    fake.piece = fake.room = sizeof fake.bytes;
    return 0;
}

static int end(void **state)
{
    (void)state;
    proxy_sender_use(PROXY_NONE);
    net_close(pair[0]);
    net_close(pair[1]);
    return 0;
}

static void check_sent(enum proxy_version version)
{
    struct proxy_header header;
    struct net_address address;

    proxy_sender_use(version);
    assert_int_equal(proxy_sender_connect_result(pair[0]).outcome, NET_DONE);
    assert_int_equal(proxy_protocol_parse(fake.bytes, fake.sent, &header), PROXY_COMPLETE);
    assert_int_equal(header.consumed, fake.sent);
    assert_true(header.has_addresses);
    net_local_address(pair[0], &address);
    assert_true(net_address_equal(&header.source, &address));
    net_local_address(pair[1], &address);
    assert_true(net_address_equal(&header.destination, &address));
}

static void a_header_names_both_ends(void **state)
{
    (void)state;
    check_sent(PROXY_V1);
    assert_memory_equal(fake.bytes, "PROXY TCP4 127.0.0.1 127.0.0.1 ", 31);
    fake.sent = 0;
    check_sent(PROXY_V2);
    assert_int_equal(fake.sent, 28);
}

static void without_a_version_nothing_is_sent(void **state)
{
    (void)state;
    fake.room = 0;
    fake.local = fake.peer = fake.end = failed;
    assert_int_equal(proxy_sender_connect_result(pair[0]).outcome, NET_DONE);
}

static void a_header_may_be_taken_in_pieces(void **state)
{
    (void)state;
    fake.piece = 1;
    check_sent(PROXY_V1);
    fake.sent = 0;
    fake.piece = 7;
    check_sent(PROXY_V2);
}

static void check_failed(enum net_outcome outcome)
{
    struct net_result result = proxy_sender_connect_result(pair[0]);

    assert_int_equal(result.outcome, outcome);
    assert_int_equal(result.error, BROKEN);
}

/* Of half a header nothing is left but a connection to close. */
static void a_header_that_is_not_taken_fails_the_connection(void **state)
{
    (void)state;
    proxy_sender_use(PROXY_V1);
    fake.end = full;
    fake.room = 0;
    check_failed(NET_WOULD_BLOCK);
    fake.room = 20;
    check_failed(NET_WOULD_BLOCK);
    fake.end = (struct net_result){.outcome = NET_RESET, .error = BROKEN};
    check_failed(NET_RESET);
}

static void without_its_addresses_a_connection_has_failed(void **state)
{
    (void)state;
    proxy_sender_use(PROXY_V2);
    fake.local = failed;
    check_failed(NET_FAILED);
    fake.local.outcome = NET_DONE;
    fake.peer = failed;
    check_failed(NET_FAILED);
    assert_int_equal(fake.sent, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_header_names_both_ends),
        TEST(without_a_version_nothing_is_sent),
        TEST(a_header_may_be_taken_in_pieces),
        TEST(a_header_that_is_not_taken_fails_the_connection),
        TEST(without_its_addresses_a_connection_has_failed),
    };

    return cmocka_run_group_tests_name("proxy_sender", tests, support_setup, support_teardown);
}
