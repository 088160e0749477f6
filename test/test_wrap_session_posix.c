/* Tests of client/session with an input of the test's, and outputs that take nothing. */
#include "session/session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "support.h"
#include "test.h"

static const int64_t SILENCE = MILLISECONDS(600); /* before each piece that the server sends */

static struct {
    bool acts;
    bool without_memory; /* nothing more can be said later */
    bool full;           /* stdout and stderr take nothing, until `takes_at` */
    int64_t takes_at;
    bool stops;      /* a request to stop comes as soon as something is to be written */
    bool keeps;      /* the system takes nothing for the server, which ends then */
    bool fails;      /* nothing can be sent any more, of which the server does not know */
    unsigned pieces; /* that the server still sends, one after each that is read, and then ends */
    char written[512];
    int64_t passed; /* once it is over, time goes by in each wait */
} fake;

static os_socket stop[2], pair[2];
static int input[2];

__typeof__(output_append) __wrap_output_append, __real_output_append;
__typeof__(stream_write) __wrap_stream_write;
__typeof__(net_send) __wrap_net_send, __real_net_send;
__typeof__(net_recv) __wrap_net_recv, __real_net_recv;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;

bool __wrap_output_append(struct output *output, const void *bytes, size_t length)
{
    return !(fake.without_memory && output->stream == STREAM_ERROR) &&
           __real_output_append(output, bytes, length);
}

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    (void)stream;
    if (fake.stops) {
        support_send(stop[1], "x", 1);
        support_wait(stop[0], SELECTOR_READ);
        fake.stops = false;
    } else if (fake.full) {
        fake.passed += MILLISECONDS(100);
    }
    if (fake.full && fake.passed < fake.takes_at)
        return 0;
    strncat(fake.written, bytes, length);
    return (ptrdiff_t)length;
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    if (fake.acts && fake.fails && s == pair[0])
        return (struct net_result){.outcome = NET_FAILED, .error = ENOBUFS};
    if (fake.acts && fake.keeps && s == pair[0]) {
        net_end_sending(pair[1]);
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    }
    return __real_net_send(s, bytes, length);
}

struct net_result __wrap_net_recv(os_socket s, void *bytes, size_t size)
{
    struct net_result result = __real_net_recv(s, bytes, size);

    if (fake.acts && s == pair[0] && result.outcome == NET_DONE && fake.pieces > 0) {
        fake.passed += SILENCE;
        if (--fake.pieces > 0)
            support_send(pair[1], "piece", 5);
        else
            net_end_sending(pair[1]);
        support_wait(pair[0], SELECTOR_READ);
    }
    return result;
}

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + fake.passed;
}

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    support_pair(stop);
    support_pair(pair);
    return pipe(input) != 0 || dup2(input[0], STDIN_FILENO) != STDIN_FILENO || stream_start() != 0;
}

static int end(void **state)
{
    (void)state;
    fake.acts = false;
    net_close(stop[0]);
    net_close(stop[1]);
    close(input[0]);
    close(input[1]);
    return 0;
}

/* A session over pair[0], which it closes. */
static enum session_end run(bool until_server_ends, int64_t quit_after)
{
    static struct session_options options;
    struct connector_connection connection = {.socket = pair[0]};

    options.until_server_ends = until_server_ends;
    options.quit_after = quit_after;
    fake.acts = true;
    return session_run(&options, &connection, stop[0]);
}

/* The user is told, even if it has to be in one attempt. */
static void a_failure_is_told_without_memory(void **state)
{
    (void)state;
    support_reset(pair[1]);
    fake.without_memory = true;
    assert_int_equal(run(false, 0), SESSION_FAILED);
    assert_non_null(strstr(fake.written, "echo-client: connection to "));
    assert_non_null(strstr(fake.written, " lost: Connection reset by peer (sent 0 bytes, "));
}

/* The line of a failure is given a second. */
static void a_request_to_stop_ends_the_wait_for_a_reader(void **state)
{
    (void)state;
    support_reset(pair[1]);
    fake.full = fake.stops = true;
    fake.takes_at = INT64_MAX;
    assert_int_equal(run(false, 0), SESSION_FAILED);
    assert_int_in_range(fake.passed, SECONDS(1) / 2, SECONDS(2));
    assert_string_equal(fake.written, "");
}

static void a_request_to_stop_makes_no_interrupt_of_a_failure(void **state)
{
    (void)state;
    support_reset(pair[1]);
    fake.full = fake.stops = true;
    fake.takes_at = SECONDS(1) / 2;
    assert_int_equal(run(false, 0), SESSION_FAILED);
    assert_non_null(strstr(fake.written, " lost: Connection reset by peer (sent 0 bytes, "));
    assert_null(strstr(fake.written, "interrupted"));
}

/* The end of the server is the end of the input only if all of it before that was sent. */
static void an_end_of_the_server_before_all_is_sent_is_told(void **state)
{
    (void)state;
    assert_int_equal(write(input[1], "hello\n", 6), 6);
    fake.keeps = true;
    assert_int_equal(run(true, 0), SESSION_FAILED);
    assert_non_null(strstr(fake.written, "echo-client: the server ended the connection before the "
                                         "end of the input (sent 0 bytes, "));
    net_close(pair[1]);
}

/* --quit-after is about silence, not about how long the answer takes. */
static void a_server_that_goes_on_sending_is_not_left(void **state)
{
    (void)state;
    close(input[1]); /* the time counts from the end of the input on */
    input[1] = dup(input[0]);
    fake.pieces = 5;
    support_send(pair[1], "piece", 5);
    assert_int_equal(run(false, 2 * SILENCE), SESSION_FINISHED);
    assert_int_equal(fake.passed, 5 * SILENCE);
    net_close(pair[1]);
}

/* A send that failed is why the server is silent. */
static void a_send_that_failed_is_told_when_the_server_is_left(void **state)
{
    (void)state;
    assert_int_equal(write(input[1], "hello\n", 6), 6);
    fake.fails = true;
    assert_int_equal(run(false, MILLISECONDS(1)), SESSION_FAILED);
    assert_non_null(strstr(fake.written, "echo-client: connection to "));
    assert_null(strstr(fake.written, "silent"));
    net_close(pair[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_failure_is_told_without_memory),
        TEST(a_request_to_stop_ends_the_wait_for_a_reader),
        TEST(a_request_to_stop_makes_no_interrupt_of_a_failure),
        TEST(a_send_that_failed_is_told_when_the_server_is_left),
        TEST(a_server_that_goes_on_sending_is_not_left),
        TEST(an_end_of_the_server_before_all_is_sent_is_told),
    };

    return cmocka_run_group_tests_name("session", tests, support_setup, support_teardown);
}
