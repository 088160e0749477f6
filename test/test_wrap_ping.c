/* Tests of client/ping with a reader that takes nothing for a while, connections that cannot be
 * made. */
#include "measure/ping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/exchange.h"
#include "measure/ping_report.h"
#include "output.h"
#include "support.h"
#include "test.h"

enum {
    UNREAD_MAX = 64 * 1024,
    PATIENCE = 200, /* milliseconds */
    ANY_ERROR = 1,
    ATTEMPTS = 5,
    LONG_ATTEMPT = 3600 /* seconds */
};

static struct {
    char output[512 * 1024];
    size_t length;
    bool slow;     /* stdout takes nothing until so many bytes wait, and no more come */
    size_t last;   /* bytes that waited for it at the last call */
    int64_t since; /* when they became as many */
    size_t most;   /* bytes that have waited for it */
    /* Of the attempts to connect, in turn; after the last one all go well */
    enum {
        WELL,
        UNAVAILABLE,
        WITHOUT_MEMORY,
        AT_ONCE,
        LOST,
        LATE,
        STOPPED,
        RESET
    } attempts[ATTEMPTS];
    int64_t passed; /* by which the clock is ahead */
    struct net_address attempted_to[ATTEMPTS];
    size_t attempted;
    bool without_memory;
} fake;

__typeof__(stream_write) __wrap_stream_write;
__typeof__(stream_socket) __wrap_stream_socket;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;
__typeof__(net_connect) __wrap_net_connect, __real_net_connect;
__typeof__(exchange_open) __wrap_exchange_open, __real_exchange_open;

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    assert_int_equal(stream, STREAM_OUTPUT);
    fake.most = length > fake.most ? length : fake.most;
    if (length != fake.last)
        fake.since = os_nanoseconds();
    fake.last = length;
    if (length >= UNREAD_MAX && os_nanoseconds() - fake.since >= MILLISECONDS(PATIENCE))
        fake.slow = false;
    if (fake.slow)
        return 0;
    assert_true(fake.length + length < sizeof fake.output);
    memcpy(fake.output + fake.length, bytes, length);
    fake.length += length;
    return (ptrdiff_t)length;
}

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + fake.passed;
}

os_socket __wrap_stream_socket(enum stream stream)
{
    (void)stream;
    return OS_NO_SOCKET;
}

static os_socket lost; /* a connection that its peer has closed, until a ping has got it */
static os_socket stop[2];
static os_socket pending = OS_NO_SOCKET; /* the peer of a connection that is never ready to send */

/* As support_pair(), whose attempts are not those of the test. */
static void make_pair(os_socket pair[2])
{
    size_t attempted = fake.attempted;

    fake.attempted = ATTEMPTS;
    support_pair(pair);
    fake.attempted = attempted;
}

/* A request to stop comes while a connection is being made. */
static struct net_result stop_meanwhile(os_socket *s)
{
    static const char bytes[4096];
    os_socket pair[2];

    make_pair(pair);
    while (net_send(pair[0], bytes, sizeof bytes).outcome == NET_DONE)
        continue;
    *s = pair[0];
    if (pending != OS_NO_SOCKET)
        net_close(pending);
    pending = pair[1];
    support_send(stop[1], "", 1);
    return (struct net_result){.outcome = NET_WOULD_BLOCK};
}

struct net_result __wrap_net_connect(const struct net_address *address,
                                     const struct net_address *source, os_socket *s)
{
    int kind = fake.attempted < ATTEMPTS ? (int)fake.attempts[fake.attempted] : WELL;

    if (fake.attempted < ATTEMPTS)
        fake.attempted_to[fake.attempted] = *address;
    fake.attempted++;
    if (kind == LATE)
        fake.passed += SECONDS(LONG_ATTEMPT);
    if (kind == UNAVAILABLE || kind == LATE)
        return (struct net_result){.outcome = NET_UNAVAILABLE, .error = ANY_ERROR};
    if (kind == LOST) {
        *s = lost;
        lost = OS_NO_SOCKET;
        return (struct net_result){.outcome = NET_DONE};
    }
    if (kind == RESET) {
        os_socket pair[2];

        make_pair(pair);
        support_reset(pair[1]);
        support_wait(pair[0], SELECTOR_READ);
        *s = pair[0];
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    }
    if (kind == STOPPED)
        return stop_meanwhile(s);
    struct net_result result = __real_net_connect(address, source, s);

    if (kind == AT_ONCE) {
        support_wait(*s, SELECTOR_WRITE);
        result.outcome = NET_DONE;
    }
    fake.without_memory = kind == WITHOUT_MEMORY;
    return result;
}

bool __wrap_exchange_open(struct exchange *exchange, const struct pattern *pattern,
                          uint64_t connection, uint32_t pipeline, os_socket s,
                          struct selector *selector, uint8_t interest)
{
    if (!fake.without_memory)
        return __real_exchange_open(exchange, pattern, connection, pipeline, s, selector, interest);
    fake.without_memory = false;
    net_close(s);
    return false;
}

static struct process *server;
static struct net_address address;
static int64_t interval;

static int begin(void **state)
{
    os_socket pair[2];
    uint16_t port;

    (void)state;
    memset(&fake, 0, sizeof fake);
    interval = 0;
    server = support_start_server((const char *const[]){"-q", NULL}, NULL, &port);
    address = support_loopback(false, port);
    support_pair(stop);
    support_pair(pair);
    net_close(pair[1]);
    lost = pair[0];
    return 0;
}

static int end(void **state)
{
    (void)state;
    net_close(stop[0]);
    net_close(stop[1]);
    if (lost != OS_NO_SOCKET)
        net_close(lost);
    if (pending != OS_NO_SOCKET)
        net_close(pending);
    pending = OS_NO_SOCKET;
    process_stop(server, PROCESS_STOP_INTERRUPT);
    return support_finish(server);
}

static enum ping_end ping(const struct net_address *addresses, size_t address_count, uint64_t count,
                          bool connect_only)
{
    const struct ping_options options = {.pattern = {.size = 64, .seed = 1, .lines = true},
                                         .detect = true,
                                         .connect_only = connect_only,
                                         .count = count,
                                         .interval = interval,
                                         .connect_timeout = SECONDS(30)};

    fake.attempted = 0; /* those of the test do not count */
    enum ping_end result = ping_run(&options, addresses, address_count, stop[0]);

    fake.output[fake.length] = '\0';
    return result;
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;

    for (const char *at = fake.output; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* Nothing is measured that nobody reads, and all that was measured is told. */
static void a_reader_that_takes_nothing_stops_the_messages(void **state)
{
    enum { COUNT = 6000 };

    (void)state;
    fake.slow = true;
    assert_int_equal(ping(&address, 1, COUNT, false), PING_ALL_ANSWERED);
    assert_int_equal(count_of(" bytes from "), COUNT);
    assert_non_null(strstr(fake.output, "6000 sent, 6000 answered, 0 lost (0 %), 0 reconnects\n"));
    /* What is on the way when it stops comes on top. */
    assert_int_in_range(fake.most, UNREAD_MAX, 2 * UNREAD_MAX);
}

/* Each attempt that fails is the loss of the message that was due, with its reason. */
static void attempts_that_fail_are_told_and_made_again(void **state)
{
    (void)state;
    memcpy(fake.attempts, (int[]){LOST, UNAVAILABLE, WITHOUT_MEMORY, AT_ONCE, WELL},
           sizeof fake.attempts);
    assert_int_equal(ping(&address, 1, 5, false), PING_LOST);
    assert_int_equal(count_of("cannot connect to 127.0.0.1:"), 2);
    assert_int_equal(count_of(": out of memory\n"), 1);
    assert_int_equal(count_of(" bytes from "), 2);
    assert_non_null(strstr(fake.output, "5 sent, 2 answered, 3 lost (60 %), 1 reconnect\n"));
    assert_non_null(strstr(fake.output, "\n1 outage, "));
}

/* An outage that begins with the last attempt has a length, too: that of the attempt. */
static void an_outage_of_one_attempt_has_its_length(void **state)
{
    (void)state;
    memcpy(fake.attempts, (int[]){WELL, LATE, WELL, WELL, WELL}, sizeof fake.attempts);
    assert_int_equal(ping(&address, 1, 2, true), PING_LOST);
    assert_int_equal(count_of("cannot connect to 127.0.0.1:"), 1);
    const char *outage = strstr(fake.output, "\n1 outage, ");

    assert_non_null(outage);
    assert_true(atoi(outage + strlen("\n1 outage, ")) >= LONG_ATTEMPT);
    assert_non_null(strstr(outage, " s in all, "));
}

/* The interval is from one attempt to the next. What a failed one took of it is not waited again.
 */
static void a_long_attempt_does_not_delay_the_next_one(void **state)
{
    (void)state;
    interval = SECONDS(LONG_ATTEMPT);
    memcpy(fake.attempts, (int[]){LATE, LATE, WELL, WELL, WELL}, sizeof fake.attempts);
    assert_int_equal(ping(&address, 1, 3, true), PING_LOST);
    assert_int_equal(fake.attempted, 3);
    assert_int_equal(count_of("cannot connect to 127.0.0.1:"), 2);
    assert_int_equal(count_of(" after an outage of "), 1);
}

/* A connection that is reset at once was made nevertheless, which only --connect-only asks for. */
static void a_connection_that_is_reset_at_once_was_made(void **state)
{
    (void)state;
    memcpy(fake.attempts, (int[]){RESET, RESET, WELL, RESET, WELL}, sizeof fake.attempts);
    assert_int_equal(ping(&address, 1, 4, true), PING_ALL_ANSWERED);
    assert_int_equal(fake.attempted, 4);
    assert_int_equal(count_of("connected to 127.0.0.1:"), 4);
    assert_non_null(strstr(fake.output, "4 sent, 4 answered, 0 lost (0 %)\n"));

    fake.length = 0;
    assert_int_equal(ping(&address, 1, 3, false), PING_LOST);
    assert_true(count_of(" the connection to 127.0.0.1:") + count_of("cannot connect to ") > 0);
}

/* An attempt that has not ended yet is neither answered nor lost. If there has been a connection,
 * nothing shows that there is none now. */
static void an_attempt_that_is_under_way_is_in_flight(void **state)
{
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        char expected[64], request;

        memset(&fake, 0, sizeof fake);
        memcpy(fake.attempts,
               answered > 0 ? (int[]){WELL, STOPPED, WELL, WELL, WELL}
                            : (int[]){UNAVAILABLE, STOPPED, WELL, WELL, WELL},
               sizeof fake.attempts);
        assert_int_equal(ping(&address, 1, 5, true), answered > 0 ? PING_ALL_ANSWERED : PING_LOST);
        snprintf(expected, sizeof expected,
                 "2 sent, %d answered, %d lost (%s %%), 1 still in flight\n", answered,
                 1 - answered, answered > 0 ? "0" : "50");
        assert_non_null(strstr(fake.output, expected));
        assert_int_equal(count_of("\n1 outage, "), 1 - answered);
        support_receive_all(stop[0], &request, 1);
    }
}

/* The connector tries them all at once. After that it is one after the other, until one answers. */
static void each_address_is_tried_in_turn_until_one_answers(void **state)
{
    const struct net_address addresses[2] = {{.bytes = {192, 0, 2, 1}, .port = 7}, address};

    (void)state;
    memcpy(fake.attempts, (int[]){UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, WELL, WELL},
           sizeof fake.attempts);
    assert_int_equal(ping(addresses, 2, 4, true), PING_LOST);
    assert_int_equal(fake.attempted, 5);
    assert_true(net_address_equal(&fake.attempted_to[0], &addresses[0]));
    assert_true(net_address_equal(&fake.attempted_to[1], &addresses[1]));
    assert_true(net_address_equal(&fake.attempted_to[2], &addresses[0]));
    assert_true(net_address_equal(&fake.attempted_to[3], &addresses[1]));
    assert_true(net_address_equal(&fake.attempted_to[4], &addresses[1]));
    /* The first line has both. */
    assert_non_null(strstr(fake.output, "cannot connect to 192.0.2.1:7: "));
    assert_non_null(strstr(fake.output, "; 127.0.0.1:"));
    assert_int_equal(count_of("cannot connect to 192.0.2.1:7: "), 2);
    assert_int_equal(count_of(" after an outage of "), 1);
    assert_non_null(strstr(fake.output, "4 sent, 2 answered, 2 lost (50 %)\n1 outage, "));
}

/* A connection that was made, but for which there is no memory, is made anew. */
static void a_first_connection_without_memory_is_made_anew(void **state)
{
    (void)state;
    memcpy(fake.attempts, (int[]){WITHOUT_MEMORY, WELL, WELL, WELL, WELL}, sizeof fake.attempts);
    assert_int_equal(ping(&address, 1, 2, false), PING_ALL_ANSWERED);
    assert_int_equal(count_of("lost the connection to 127.0.0.1:"), 1);
    assert_non_null(strstr(fake.output, "2 sent, 2 answered, 0 lost (0 %), 1 reconnect\n"));
}

/* Only exactly none is 0 %, for programs, too. */
static void a_small_loss_is_not_told_as_none(void **state)
{
    static const struct ping_result result = {.sent = 300000, .answered = 299999, .lost = 1};
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    ping_report_json(&output, &(struct ping_options){.json = true}, &result);
    assert_true(output_finish(&output, OS_NO_SOCKET));
    fake.output[fake.length] = '\0';
    assert_non_null(strstr(fake.output, "\"loss_percent\":0.000333333333,"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_that_takes_nothing_stops_the_messages),
        TEST(each_address_is_tried_in_turn_until_one_answers),
        TEST(a_first_connection_without_memory_is_made_anew),
        TEST(attempts_that_fail_are_told_and_made_again),
        TEST(an_attempt_that_is_under_way_is_in_flight),
        TEST(a_connection_that_is_reset_at_once_was_made),
        TEST(a_small_loss_is_not_told_as_none),
        TEST(a_long_attempt_does_not_delay_the_next_one),
        TEST(an_outage_of_one_attempt_has_its_length),
    };

    return cmocka_run_group_tests_name("ping", tests, support_setup, support_teardown);
}
