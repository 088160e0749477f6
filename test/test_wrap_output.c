/* Tests of output: what happens while the reader of stdout is slow, gone, or given up. */
#include <string.h>

#include "output.h"
#include "test.h"

enum { STOP = 7, GRACE = 1000 }; /* milliseconds */

static struct {
    ptrdiff_t takes[8]; /* what stdout takes, call by call; the last one from then on */
    size_t calls;
    size_t stopped_at;   /* the call of os_write() from which on it is to stop; 0: never */
    int64_t now;         /* milliseconds */
    char written[16384]; /* all of it */
    size_t length;
    unsigned waits;
} fake;

__typeof__(os_write) __wrap_os_write;
__typeof__(os_wait_for_room) __wrap_os_wait_for_room;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds;

ptrdiff_t __wrap_os_write(enum os_stream stream, const void *bytes, size_t length)
{
    ptrdiff_t takes = fake.takes[fake.calls < 7 ? fake.calls : 7];

    assert_int_equal(stream, OS_STDOUT);
    assert_true(length > 0);
    fake.calls++;
    if (takes <= 0)
        return takes;
    if ((size_t)takes > length)
        takes = (ptrdiff_t)length;
    memcpy(fake.written + fake.length, bytes, (size_t)takes);
    fake.length += (size_t)takes;
    return takes;
}

bool __wrap_os_wait_for_room(enum os_stream stream, os_socket stop, int timeout)
{
    bool stopped = fake.stopped_at > 0 && fake.calls >= fake.stopped_at;

    assert_int_equal(stream, OS_STDOUT);
    fake.waits++;
    if (stop == STOP) {
        assert_int_equal(timeout, -1);
        return !stopped;
    }
    /* Once it is to stop, its socket would end every wait at once. */
    assert_true(stopped && stop == OS_NO_SOCKET && timeout > 0);
    fake.now += timeout;
    return true;
}

int64_t __wrap_os_nanoseconds(void)
{
    return fake.now * 1000000;
}

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.now = 5;
    return 0;
}

static void what_a_slow_reader_does_not_take_follows(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    memcpy(fake.takes, (ptrdiff_t[]){3, 0, 0, 1, 0, 100, 100, 100}, sizeof fake.takes);
    assert_true(output_write(&output, "a whole line\n", 13));
    assert_int_equal(fake.length, 13);
    assert_memory_equal(fake.written, "a whole line\n", 13);
    assert_int_equal(fake.waits, 3);
}

static void a_reader_that_is_gone_is_an_error(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    memcpy(fake.takes, (ptrdiff_t[]){3, -1}, 2 * sizeof *fake.takes);
    assert_false(output_write(&output, "a whole line\n", 13));
    assert_int_equal(fake.calls, 2);
}

static void a_request_to_stop_gives_the_reader_a_second(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    fake.stopped_at = 1;
    fake.takes[4] = 2;
    assert_true(output_write(&output, "line", 4));
    assert_memory_equal(fake.written, "li", 2);
    assert_int_equal(fake.length, 2);
    assert_in_range(fake.now, 5 + GRACE, 5 + GRACE + 100);
    /* In all, not for each text. */
    int64_t given_up = fake.now;

    assert_true(output_write(&output, "line", 4));
    assert_int_equal(fake.now, given_up);
}

static void a_reader_that_comes_back_in_time_gets_all(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    fake.stopped_at = 1;
    fake.takes[4] = 100;
    assert_true(output_write(&output, "line", 4));
    assert_int_equal(fake.length, 4);
    assert_in_range(fake.now, 5, GRACE);
}

static void what_is_printed_is_written_at_once(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    fake.takes[0] = 16000;
    output_print(&output, "%s %d", "seq", 1);
    output_print(&output, ", %.1f ms\n", 2.5);
    assert_int_equal(fake.calls, 0);
    assert_true(output_flush(&output));
    assert_int_equal(fake.calls, 1);
    assert_int_equal(fake.length, strlen("seq 1, 2.5 ms\n"));
    assert_memory_equal(fake.written, "seq 1, 2.5 ms\n", fake.length);
    assert_true(output_flush(&output));
    assert_int_equal(fake.calls, 1);
}

/* It stays broken, so that a program that looks at the end knows. */
static void what_is_lost_is_told(void **state)
{
    struct output output = {.stop = STOP};

    (void)state;
    fake.takes[0] = -1;
    fake.takes[1] = 100;
    output_print(&output, "lost");
    assert_false(output_flush(&output));
    output_print(&output, "kept");
    assert_false(output_flush(&output));
    assert_true(output.broken);
    assert_memory_equal(fake.written, "kept", 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(what_a_slow_reader_does_not_take_follows),
        TEST(a_reader_that_is_gone_is_an_error),
        TEST(a_request_to_stop_gives_the_reader_a_second),
        TEST(a_reader_that_comes_back_in_time_gets_all),
        TEST(what_is_printed_is_written_at_once),
        TEST(what_is_lost_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
