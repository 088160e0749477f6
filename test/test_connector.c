/* Unit tests of client/connector, with real sockets on the loopback address. */
#include "connector.h"

#include <stdio.h>
#include <string.h>

#include "selector.h"
#include "support.h"
#include "system.h"
#include "test.h"

enum { LONG_TIME = 30000, SHORT_TIME = 300 }; /* milliseconds */

struct outcome {
    enum connector_outcome outcome;
    os_socket s;
    struct net_address peer;
    char error[CONNECTOR_ERROR];
};

static struct outcome connect_to(const struct net_address *addresses, size_t count, int64_t timeout,
                                 os_socket stop)
{
    struct outcome outcome = {.s = OS_NO_SOCKET};

    struct connector_connection connection = {.socket = OS_NO_SOCKET};

    outcome.outcome = connector_connect(addresses, count, NULL, MILLISECONDS(timeout), stop,
                                        &connection, outcome.error);
    outcome.s = connection.socket;
    outcome.peer = connection.peer;
    assert_true(outcome.outcome != CONNECTOR_CONNECTED || connection.took > 0);
    return outcome;
}

/* An address at which nobody listens: the one of a connected socket, so that nobody else is given
 * its port meanwhile. */
struct refusing {
    os_socket holders[2];
    struct net_address address;
};

static struct refusing refuse(void)
{
    struct refusing refusing = {.holders = {OS_NO_SOCKET, OS_NO_SOCKET}};

    support_pair(refusing.holders);
    assert_int_equal(net_local_address(refusing.holders[0], &refusing.address).outcome, NET_DONE);
    return refusing;
}

static void stop_refusing(const struct refusing *refusing)
{
    net_close(refusing->holders[0]);
    net_close(refusing->holders[1]);
}

/* An address that does not answer: a listener whose queue is full. */
struct black_hole {
    os_socket listener;
    struct support_queue queue;
    struct net_address address;
};

static void close_black_hole(const struct black_hole *hole)
{
    support_empty_queue(&hole->queue);
    net_close(hole->listener);
}

/* Skips the test where there is no such thing. */
static void open_black_hole(struct black_hole *hole)
{
    hole->listener = support_listen(&hole->address);
    if (support_fill_queue(&hole->queue, hole->listener, &hole->address))
        return;
    net_close(hole->listener);
    print_message("the queue of a listener cannot be filled here\n");
    skip();
}

static void expect_connection(const struct outcome *outcome, os_socket listener,
                              const struct net_address *address)
{
    os_socket accepted;

    if (outcome->outcome != CONNECTOR_CONNECTED)
        fail_msg("not connected: %s", outcome->error);
    assert_true(net_address_equal(&outcome->peer, address));
    accepted = support_accept(listener);
    support_send(outcome->s, "x", 1);
    support_expect_text(accepted, "x");
    net_close(outcome->s);
    support_expect_end(accepted);
    net_close(accepted);
}

static void expect_failure(const struct outcome *outcome, const char *error)
{
    assert_int_equal(outcome->outcome, CONNECTOR_FAILED);
    assert_string_equal(outcome->error, error);
}

static void connects_to_the_only_address(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct outcome outcome = connect_to(&address, 1, LONG_TIME, OS_NO_SOCKET);

    (void)state;
    expect_connection(&outcome, listener, &address);
    net_close(listener);
}

static void goes_on_to_the_next_address_when_refused(void **state)
{
    struct refusing refusing = refuse();
    struct net_address addresses[3] = {refusing.address, refusing.address};
    os_socket listener = support_listen(&addresses[2]);
    struct outcome outcome = connect_to(addresses, 3, LONG_TIME, OS_NO_SOCKET);

    (void)state;
    expect_connection(&outcome, listener, &addresses[2]);
    net_close(listener);
    stop_refusing(&refusing);
}

static void goes_on_to_the_next_address_when_unavailable(void **state)
{
    /* No machine can connect to a multicast address: the system refuses at once. */
    struct net_address addresses[2] = {{.bytes = {224, 0, 0, 1}, .port = 9}};
    os_socket listener = support_listen(&addresses[1]);
    struct outcome outcome = connect_to(addresses, 2, LONG_TIME, OS_NO_SOCKET);

    (void)state;
    expect_connection(&outcome, listener, &addresses[1]);
    net_close(listener);
}

static void takes_the_first_of_two_that_listen(void **state)
{
    struct net_address addresses[2], peer;
    os_socket listeners[2] = {support_listen(&addresses[0]), support_listen(&addresses[1])}, s;
    struct outcome outcome = connect_to(addresses, 2, LONG_TIME, OS_NO_SOCKET);

    (void)state;
    expect_connection(&outcome, listeners[0], &addresses[0]);
    assert_int_equal(net_accept(listeners[1], &s, &peer).outcome, NET_WOULD_BLOCK);
    net_close(listeners[0]);
    net_close(listeners[1]);
}

static void goes_on_to_the_next_address_when_there_is_no_answer(void **state)
{
    struct black_hole hole;
    struct net_address addresses[2];
    struct outcome outcome;
    os_socket listener;

    (void)state;
    open_black_hole(&hole);
    addresses[0] = hole.address;
    listener = support_listen(&addresses[1]);
    outcome = connect_to(addresses, 2, LONG_TIME, OS_NO_SOCKET);
    expect_connection(&outcome, listener, &addresses[1]);
    net_close(listener);
    close_black_hole(&hole);
}

/* On POSIX a new descriptor has the lowest number that is free. */
static os_socket next_number(void)
{
    struct net_address address;
    os_socket s = support_listen(&address);

    net_close(s);
    return s;
}

static void says_for_each_address_why_it_failed(void **state)
{
    struct refusing first = refuse(), second = refuse();
    const struct net_address addresses[] = {first.address, second.address};
    char texts[2][NET_ADDRESS_TEXT], expected[CONNECTOR_ERROR];
    os_socket before = next_number();
    struct outcome outcome = connect_to(addresses, 2, LONG_TIME, OS_NO_SOCKET);

    (void)state;
    snprintf(expected, sizeof expected, "%s: Connection refused; %s: Connection refused",
             net_address_text(&addresses[0], texts[0]), net_address_text(&addresses[1], texts[1]));
    expect_failure(&outcome, expected);
    assert_true(system_is_windows || next_number() == before);
    stop_refusing(&first);
    stop_refusing(&second);
}

static void many_reasons_are_cut_to_their_room(void **state)
{
    struct refusing refusing = refuse();
    struct net_address addresses[NET_RESOLVE_MAX];
    struct outcome outcome;
    char text[NET_ADDRESS_TEXT];

    (void)state;
    for (int i = 0; i < NET_RESOLVE_MAX; i++)
        addresses[i] = refusing.address;
    outcome = connect_to(addresses, NET_RESOLVE_MAX, LONG_TIME, OS_NO_SOCKET);
    assert_int_equal(outcome.outcome, CONNECTOR_FAILED);
    assert_true(strlen(outcome.error) < CONNECTOR_ERROR);
    assert_non_null(strstr(outcome.error, net_address_text(&refusing.address, text)));
    stop_refusing(&refusing);
}

static void gives_up_when_the_time_is_over(void **state)
{
    struct black_hole hole;
    struct refusing refusing;
    char texts[2][NET_ADDRESS_TEXT], expected[CONNECTOR_ERROR];
    struct outcome outcome;
    os_socket before;

    (void)state;
    open_black_hole(&hole);
    refusing = refuse();
    before = next_number();
    outcome = connect_to((const struct net_address[]){refusing.address, hole.address}, 2,
                         SHORT_TIME, OS_NO_SOCKET);
    snprintf(expected, sizeof expected, "%s: Connection refused; %s: no answer in time",
             net_address_text(&refusing.address, texts[0]),
             net_address_text(&hole.address, texts[1]));
    expect_failure(&outcome, expected);
    assert_true(system_is_windows || next_number() == before);
    stop_refusing(&refusing);
    close_black_hole(&hole);
}

/* However little time there is, each address has its share of it. */
static void shares_a_short_time_between_the_addresses(void **state)
{
    struct black_hole holes[2];
    char texts[2][NET_ADDRESS_TEXT], expected[CONNECTOR_ERROR];

    (void)state;
    open_black_hole(&holes[0]);
    open_black_hole(&holes[1]);
    struct outcome outcome =
        connect_to((const struct net_address[]){holes[0].address, holes[1].address}, 2,
                   SHORT_TIME / 2, OS_NO_SOCKET);

    snprintf(expected, sizeof expected, "%s: no answer in time; %s: no answer in time",
             net_address_text(&holes[0].address, texts[0]),
             net_address_text(&holes[1].address, texts[1]));
    expect_failure(&outcome, expected);
    close_black_hole(&holes[0]);
    close_black_hole(&holes[1]);
}

static void stops_when_asked_to(void **state)
{
    struct black_hole hole;
    os_socket stop[2], before;
    struct outcome outcome;

    (void)state;
    open_black_hole(&hole);
    support_pair(stop);
    support_send(stop[1], "", 1);
    before = next_number();
    outcome = connect_to(&hole.address, 1, LONG_TIME, stop[0]);
    assert_int_equal(outcome.outcome, CONNECTOR_STOPPED);
    assert_true(system_is_windows || next_number() == before);
    net_close(stop[0]);
    net_close(stop[1]);
    close_black_hole(&hole);
}

/* A stop socket that says nothing is no reason not to connect. */
static void connects_while_nobody_asks_it_to_stop(void **state)
{
    struct refusing refusing = refuse();
    struct net_address addresses[2] = {refusing.address};
    os_socket listener = support_listen(&addresses[1]), stop[2];
    struct outcome outcome;

    (void)state;
    support_pair(stop);
    outcome = connect_to(addresses, 2, LONG_TIME, stop[0]);
    expect_connection(&outcome, listener, &addresses[1]);
    net_close(stop[0]);
    net_close(stop[1]);
    net_close(listener);
    stop_refusing(&refusing);
}

/* From an address that is not this machine's there is no connection. */
static void connects_from_the_source_alone(void **state)
{
    const struct net_address sources[2] = {{.bytes = {192, 0, 2, 1}}, {.bytes = {127, 0, 0, 1}}};
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct connector_connection connection;
    char error[CONNECTOR_ERROR];

    (void)state;
    assert_int_equal(
        connector_connect(&address, 1, &sources[0], SECONDS(30), OS_NO_SOCKET, &connection, error),
        CONNECTOR_FAILED);
    assert_int_equal(
        connector_connect(&address, 1, &sources[1], SECONDS(30), OS_NO_SOCKET, &connection, error),
        CONNECTOR_CONNECTED);
    net_close(connection.socket);
    net_close(listener);
}

/* Whatever localhost means here: ::1 first, 127.0.0.1 first, or one of them alone. */
static void connects_to_localhost_by_name(void **state)
{
    struct net_address address, addresses[NET_RESOLVE_MAX];
    os_socket listener = support_listen(&address);
    struct outcome outcome;
    size_t count;

    (void)state;
    assert_null(net_resolve("localhost", NET_ANY_FAMILY, address.port, addresses, &count));
    outcome = connect_to(addresses, count, LONG_TIME, OS_NO_SOCKET);
    expect_connection(&outcome, listener, &address);
    net_close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_to_the_only_address),
        cmocka_unit_test(goes_on_to_the_next_address_when_refused),
        cmocka_unit_test(goes_on_to_the_next_address_when_unavailable),
        cmocka_unit_test(takes_the_first_of_two_that_listen),
        cmocka_unit_test(goes_on_to_the_next_address_when_there_is_no_answer),
        cmocka_unit_test(says_for_each_address_why_it_failed),
        cmocka_unit_test(many_reasons_are_cut_to_their_room),
        cmocka_unit_test(gives_up_when_the_time_is_over),
        cmocka_unit_test(shares_a_short_time_between_the_addresses),
        cmocka_unit_test(stops_when_asked_to),
        cmocka_unit_test(connects_while_nobody_asks_it_to_stop),
        cmocka_unit_test(connects_from_the_source_alone),
        cmocka_unit_test(connects_to_localhost_by_name),
    };

    return cmocka_run_group_tests_name("connector", tests, support_setup, support_teardown);
}
