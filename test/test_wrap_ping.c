/* Tests of client/ping with a reader that takes nothing for a while, and connections that cannot be
 * made anew. */
#include "measure/ping.h"

#include <stdio.h>
#include <string.h>

#include "measure/exchange.h"
#include "output.h"
#include "support.h"
#include "test.h"

enum { UNREAD_MAX = 64 * 1024, PATIENCE = 200 /* milliseconds */, ANY_ERROR = 1 };

static struct {
    char output[512 * 1024];
    size_t length;
    bool slow;     /* stdout takes nothing until so many bytes wait, and no more come */
    size_t last;   /* bytes that waited for it at the last call */
    int64_t since; /* when they became as many */
    size_t most;   /* bytes that have waited for it */
    /* Of the next attempts to connect again, in turn */
    enum { WELL, UNAVAILABLE, WITHOUT_MEMORY, AT_ONCE } attempts[4];
    size_t attempted;
    bool without_memory;
} fake;

__typeof__(stream_write) __wrap_stream_write;
__typeof__(stream_socket) __wrap_stream_socket;
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

os_socket __wrap_stream_socket(enum stream stream)
{
    (void)stream;
    return OS_NO_SOCKET;
}

/* Whether the attempt that comes next is such a one. */
static bool next_is(int kind)
{
    return fake.attempted < 4 && (int)fake.attempts[fake.attempted] == kind;
}

struct net_result __wrap_net_connect(const struct net_address *address,
                                     const struct net_address *source, os_socket *s)
{
    if (next_is(UNAVAILABLE)) {
        fake.attempted++;
        return (struct net_result){.outcome = NET_UNAVAILABLE, .error = ANY_ERROR};
    }
    struct net_result result = __real_net_connect(address, source, s);

    if (next_is(AT_ONCE)) {
        support_wait(*s, SELECTOR_WRITE);
        result.outcome = NET_DONE;
    }
    fake.without_memory = next_is(WITHOUT_MEMORY);
    fake.attempted++;
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
static os_socket stop[2];

static int begin(void **state)
{
    uint16_t port;

    (void)state;
    memset(&fake, 0, sizeof fake);
    server = support_start_server((const char *const[]){"-q", NULL}, NULL, &port);
    address = support_loopback(false, port);
    support_pair(stop);
    return 0;
}

static int end(void **state)
{
    (void)state;
    net_close(stop[0]);
    net_close(stop[1]);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    return support_finish(server);
}

/* Pings over a connection of the test's, and then over those that it makes itself. */
static enum ping_end ping(os_socket s, uint64_t count)
{
    const struct ping_options options = {.pattern = {.size = 64, .seed = 1, .lines = true},
                                         .detect = true,
                                         .count = count,
                                         .connect_timeout = SECONDS(30)};
    struct connector_connection connection = {.socket = s, .peer = address, .took = 1};
    enum ping_end result = ping_run(&options, &connection, stop[0]);

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
    os_socket s = support_connect(&address);

    fake.attempted = 0;
    assert_int_equal(ping(s, COUNT), PING_ALL_ANSWERED);
    assert_int_equal(count_of(" bytes from "), COUNT);
    assert_non_null(strstr(fake.output, "6000 sent, 6000 answered, 0 lost, 0 reconnects\n"));
    /* What is on the way when it stops comes on top. */
    assert_int_in_range(fake.most, UNREAD_MAX, 2 * UNREAD_MAX);
}

/* Each attempt that fails is the loss of the message that was due, with its reason. */
static void attempts_that_fail_are_told_and_made_again(void **state)
{
    os_socket pair[2];

    (void)state;
    support_pair(pair);
    support_reset(pair[1]); /* the first connection is lost at once */
    memcpy(fake.attempts, (int[]){UNAVAILABLE, WITHOUT_MEMORY, AT_ONCE, WELL},
           sizeof fake.attempts);
    fake.attempted = 0;
    assert_int_equal(ping(pair[0], 5), PING_LOST);
    assert_int_equal(count_of("cannot connect to 127.0.0.1:"), 2);
    assert_int_equal(count_of(": out of memory\n"), 1);
    assert_int_equal(count_of(" bytes from "), 2);
    assert_non_null(strstr(fake.output, "5 sent, 2 answered, 3 lost, 1 reconnect\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_reader_that_takes_nothing_stops_the_messages),
        TEST(attempts_that_fail_are_told_and_made_again),
    };

    return cmocka_run_group_tests_name("ping", tests, support_setup, support_teardown);
}
