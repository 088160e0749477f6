/* Tests of client/connector with calls that go well at once, fail, or find no memory. */
#include "connector.h"

#include <stdio.h>
#include <string.h>

#include "selector.h"
#include "support.h"
#include "test.h"

enum { REFUSED = 1, BROKEN, ATTEMPTS = 2 };

static struct {
    bool acts;                           /* else all calls are the system's */
    struct net_result results[ATTEMPTS]; /* of net_connect(), in turn */
    os_socket sockets[ATTEMPTS];
    size_t connects;
    int adds;  /* selector_add() that go well before one is refused; -1: all do */
    int skips; /* waits in which nothing becomes ready, and a quarter of a second goes by */
    int waits;
    int failing; /* the wait that fails, counted from 1; 0: none */
    int closed;
    int64_t passed;
} fake;

__typeof__(net_connect) __wrap_net_connect, __real_net_connect;
__typeof__(net_close) __wrap_net_close, __real_net_close;
__typeof__(selector_add) __wrap_selector_add, __real_selector_add;
__typeof__(selector_wait) __wrap_selector_wait, __real_selector_wait;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;
__typeof__(os_socket_error) __wrap_os_socket_error, __real_os_socket_error;
__typeof__(os_error_text) __wrap_os_error_text;

struct net_result __wrap_net_connect(const struct net_address *address,
                                     const struct net_address *source, os_socket *s)
{
    if (!fake.acts)
        return __real_net_connect(address, source, s);
    assert_true(fake.connects < ATTEMPTS);
    *s = fake.sockets[fake.connects];
    return fake.results[fake.connects++];
}

void __wrap_net_close(os_socket s)
{
    if (fake.acts)
        fake.closed++;
    else
        __real_net_close(s);
}

bool __wrap_selector_add(struct selector *selector, struct selector_watch *watch, os_socket s,
                         uint8_t interest)
{
    return fake.adds-- != 0 && __real_selector_add(selector, watch, s, interest);
}

bool __wrap_selector_wait(struct selector *selector, int64_t deadline)
{
    fake.waits++;
    if (fake.waits == fake.failing)
        return false;
    if (fake.skips-- > 0) {
        fake.passed += MILLISECONDS(250);
        return true;
    }
    return __real_selector_wait(selector, deadline);
}

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + fake.passed;
}

int __wrap_os_socket_error(void)
{
    return fake.acts ? BROKEN : __real_os_socket_error();
}

const char *__wrap_os_error_text(int error, char text[OS_ERROR_TEXT])
{
    return strcpy(text, error == REFUSED ? "refused" : error == BROKEN ? "broken" : "unknown");
}

static os_socket pair[2];
static const struct net_address addresses[ATTEMPTS] = {{.bytes = {10, 0, 0, 1}, .port = 7},
                                                       {.bytes = {10, 0, 0, 2}, .port = 7}};
static struct connector_connection connection;
static char error[CONNECTOR_ERROR];

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.adds = -1;
    support_pair(pair);
    for (int i = 0; i < ATTEMPTS; i++)
        fake.sockets[i] = pair[i];
    fake.acts = true;
    fake.waits = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake.acts = false;
    net_close(pair[0]);
    net_close(pair[1]);
    return 0;
}

static enum connector_outcome connect_to(size_t count)
{
    return connector_connect(addresses, count, NULL, SECONDS(30), OS_NO_SOCKET, &connection, error);
}

static void a_connection_made_at_once_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(connect_to(2), CONNECTOR_CONNECTED);
    assert_true(connection.socket == pair[0]);
    assert_int_equal(fake.connects, 1);
    assert_int_equal(fake.waits, 0);
    assert_int_equal(fake.closed, 0);
}

static void the_first_of_two_that_are_made_together_is_taken(void **state)
{
    (void)state;
    fake.results[0].outcome = fake.results[1].outcome = NET_WOULD_BLOCK;
    fake.skips = 1;
    assert_int_equal(connect_to(2), CONNECTOR_CONNECTED);
    assert_true(connection.socket == pair[0]);
    assert_true(net_address_equal(&connection.peer, &addresses[0]));
    assert_int_equal(fake.connects, 2);
    assert_int_equal(fake.closed, 1);
}

/* Another address may do better. If none does, it is told that there was a connection. Windows may
 * not tell of the reset here. */
static void a_connection_that_is_reset_at_once_is_told(void **state)
{
    os_socket other[2];

    (void)state;
    fake.acts = false;
    support_pair(other);
    support_reset(other[1]);
    support_wait(other[0], SELECTOR_READ);
    fake.sockets[1] = other[0];
    fake.acts = true;
    fake.results[0] = (struct net_result){.outcome = NET_FAILED, .error = REFUSED};
    fake.results[1].outcome = NET_WOULD_BLOCK;
    if (connect_to(2) == CONNECTOR_FAILED) {
        assert_true(connection.reset);
        assert_true(connection.socket == OS_NO_SOCKET);
        assert_true(connection.took > 0);
        assert_int_equal(fake.closed, 1);
    } else {
        assert_true(connection.socket == other[0]);
    }
    assert_true(net_address_equal(&connection.peer, &addresses[1]));
    fake.acts = false;
    net_close(other[0]);
}

static void an_attempt_that_finds_no_memory_has_failed(void **state)
{
    (void)state;
    fake.results[0].outcome = NET_WOULD_BLOCK;
    fake.adds = 0;
    assert_int_equal(connect_to(1), CONNECTOR_FAILED);
    assert_string_equal(error, "10.0.0.1:7: out of memory");
    assert_int_equal(fake.closed, 1);
}

/* Then nothing is tried, because nobody could end it. */
static void a_request_to_stop_that_finds_no_memory_fails_all(void **state)
{
    (void)state;
    fake.adds = 0;
    assert_int_equal(
        connector_connect(addresses, 2, NULL, SECONDS(30), pair[1], &connection, error),
        CONNECTOR_FAILED);
    assert_string_equal(error, "10.0.0.1:7: out of memory; 10.0.0.2:7: out of memory");
    assert_int_equal(fake.connects, 0);
}

/* Each address keeps its own reason. */
static void when_nothing_can_be_waited_for_all_attempts_have_failed(void **state)
{
    (void)state;
    fake.results[0] = (struct net_result){.outcome = NET_FAILED, .error = REFUSED};
    fake.results[1].outcome = NET_WOULD_BLOCK;
    fake.skips = 1;
    fake.failing = 2;
    assert_int_equal(connect_to(2), CONNECTOR_FAILED);
    assert_string_equal(error, "10.0.0.1:7: refused; 10.0.0.2:7: broken");
    assert_int_equal(fake.closed, 1);
}

static void without_an_address_there_is_no_connection(void **state)
{
    (void)state;
    assert_int_equal(connect_to(0), CONNECTOR_FAILED);
    assert_string_equal(error, "");
    assert_int_equal(fake.connects, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_made_at_once_is_not_waited_for),
        TEST(the_first_of_two_that_are_made_together_is_taken),
        TEST(a_connection_that_is_reset_at_once_is_told),
        TEST(an_attempt_that_finds_no_memory_has_failed),
        TEST(a_request_to_stop_that_finds_no_memory_fails_all),
        TEST(when_nothing_can_be_waited_for_all_attempts_have_failed),
        TEST(without_an_address_there_is_no_connection),
    };

    return cmocka_run_group_tests_name("connector", tests, support_setup, support_teardown);
}
