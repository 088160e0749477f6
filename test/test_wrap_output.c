/* Tests of output: what happens while the reader of stdout is slow, gone, or given up. */
#include <string.h>

#include "output.h"
#include "test.h"

enum { OUTPUT = 6, STOP = 7, GRACE = 1000 }; /* milliseconds */

static struct {
    ptrdiff_t takes[8]; /* what stdout takes, call by call; the last one from then on */
    size_t calls;
    size_t stopped_at;   /* the call of stream_write() from which on it is to stop; 0: never */
    size_t refused_at;   /* the call of buffer_append() that memory is refused to; 0: none */
    int64_t now;         /* milliseconds */
    char written[16384]; /* all of it */
    size_t length;
    char complaint[256]; /* on stderr */
    unsigned waits;
    bool unwatchable;    /* select() cannot wait for stdout */
    os_socket unwatched; /* what no selector takes */
    bool wait_fails;
    struct selector_watch *stop;
} fake;

__typeof__(stream_write) __wrap_stream_write;
__typeof__(stream_socket) __wrap_stream_socket;
__typeof__(selector_wait) __wrap_selector_wait;
__typeof__(selector_add) __wrap_selector_add, __real_selector_add;
__typeof__(buffer_append) __wrap_buffer_append, __real_buffer_append;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds;
__typeof__(os_error_text) __wrap_os_error_text;

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    if (stream == STREAM_ERROR) {
        strncat(fake.complaint, bytes, length);
        return (ptrdiff_t)length;
    }
    ptrdiff_t takes = fake.takes[fake.calls < 7 ? fake.calls : 7];

    assert_int_equal(stream, STREAM_OUTPUT);
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

os_socket __wrap_stream_socket(enum stream stream)
{
    assert_int_equal(stream, STREAM_OUTPUT);
    return fake.unwatchable ? OS_NO_SOCKET : OUTPUT;
}

bool __wrap_selector_add(struct selector *selector, struct selector_watch *watch, os_socket socket,
                         uint8_t interest)
{
    if (socket == fake.unwatched)
        return false;
    if (socket == STOP)
        fake.stop = watch;
    return __real_selector_add(selector, watch, socket, interest);
}

/* Nothing happens in a wait but that the stop request is there, or time passes. */
bool __wrap_selector_wait(struct selector *selector, int64_t deadline)
{
    bool stopped = fake.stopped_at > 0 && fake.calls >= fake.stopped_at;

    (void)selector;
    fake.waits++;
    assert_int_in_range(fake.waits, 1, 100000);
    if (fake.wait_fails)
        return false;
    fake.stop->ready = SELECTOR_NONE;
    if (stopped && fake.stop->interest != SELECTOR_NONE)
        fake.stop->ready = SELECTOR_READ;
    else if (deadline < DEADLINE_NEVER)
        fake.now = (deadline + MILLISECONDS(1) - 1) / MILLISECONDS(1);
    return true;
}

bool __wrap_buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (fake.refused_at > 0 && --fake.refused_at == 0)
        return false;
    return __real_buffer_append(buffer, bytes, length);
}

const char *__wrap_os_error_text(int error, char text[OS_ERROR_TEXT])
{
    (void)error;
    return strcpy(text, "why");
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
    fake.unwatched = OS_NO_SOCKET;
    return 0;
}

static void what_a_slow_reader_does_not_take_follows(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    memcpy(fake.takes, (ptrdiff_t[]){3, 0, 0, 1, 0, 100, 100, 100}, sizeof fake.takes);
    assert_true(output_append(&output, "a whole line\n", 13));
    assert_true(output_finish(&output, STOP));
    assert_int_equal(fake.length, 13);
    assert_memory_equal(fake.written, "a whole line\n", 13);
    assert_string_equal(fake.complaint, "");
}

/* Nothing is waited for where the caller waits for everything. */
static void a_flush_does_not_wait(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    memcpy(fake.takes, (ptrdiff_t[]){3, 0}, 2 * sizeof *fake.takes);
    assert_true(output_append(&output, "a whole line\n", 13));
    assert_true(output_flush(&output));
    assert_int_equal(output_length(&output), 10);
    assert_int_equal(fake.waits, 0);
    output_drop(&output);
    assert_int_equal(output_length(&output), 0);
}

static void what_is_held_is_not_written(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};

    (void)state;
    fake.takes[0] = 100;
    assert_true(output_append(&output, "line", 4));
    assert_true(output_flush(&output));
    assert_int_equal(fake.calls, 0);
    output.held = false;
    assert_true(output_flush(&output));
    assert_memory_equal(fake.written, "line", 4);
}

static void a_reader_that_is_gone_is_an_error(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    memcpy(fake.takes, (ptrdiff_t[]){3, STREAM_BROKEN}, 2 * sizeof *fake.takes);
    assert_true(output_append(&output, "a whole line\n", 13));
    assert_false(output_flush(&output));
    assert_int_equal(fake.calls, 2);
    assert_false(output_append(&output, "more", 4));
    assert_false(output_finish(&output, STOP));
    assert_string_equal(fake.complaint, "echo-client: cannot write to standard output: why\n");
}

static void a_full_disk_is_an_error(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    fake.takes[0] = STREAM_FULL;
    assert_true(output_append(&output, "a whole line\n", 13));
    assert_false(output_finish(&output, STOP));
    assert_string_equal(fake.complaint, "echo-client: cannot write to standard output: why\n");
}

static void a_request_to_stop_gives_the_reader_a_second(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    fake.stopped_at = 1;
    fake.takes[0] = 2;
    assert_true(output_append(&output, "line", 4));
    assert_false(output_finish(&output, STOP));
    assert_memory_equal(fake.written, "li", 2);
    assert_int_equal(fake.length, 2);
    assert_int_in_range(fake.now, 5 + GRACE, 5 + GRACE + 100);
    assert_string_equal(fake.complaint,
                        "echo-client: cannot write to standard output: its reader takes nothing\n");
}

static void a_reader_that_comes_back_in_time_gets_all(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    fake.stopped_at = 1;
    fake.takes[2] = 100;
    assert_true(output_append(&output, "line", 4));
    assert_true(output_finish(&output, STOP));
    assert_int_equal(fake.length, 4);
    assert_int_in_range(fake.now, 5, 5 + GRACE);
}

static void what_is_printed_is_written_at_once(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

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

/* A report with a hole in it would be taken for a report. */
static void a_report_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t refused = 1; refused <= 3; refused++) {
        struct output output = {.stream = STREAM_OUTPUT};

        reset(NULL);
        fake.takes[0] = fake.takes[7] = 16000;
        fake.refused_at = refused;
        output_print(&output, "{\"passed\":true");
        output_print(&output, ",\"hole\":1");
        output_print(&output, "}\n");
        assert_false(output_finish(&output, STOP));
        assert_int_equal(fake.length, 0);
        assert_string_equal(fake.complaint,
                            "echo-client: cannot write to standard output: out of memory\n");
    }
}

static void a_complaint_is_a_line_on_stderr(void **state)
{
    (void)state;
    fake.refused_at = 1;
    output_error(STOP, "no %s", "way");
    assert_string_equal(fake.complaint, "echo-client: no way\n");
}

/* Where nothing can be waited for, it is tried again and again. */
static void what_select_cannot_wait_for_is_tried_again(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT};

    (void)state;
    fake.unwatchable = true;
    memcpy(fake.takes, (ptrdiff_t[]){3, 0, 0, 0, 100, 100, 100, 100}, sizeof fake.takes);
    assert_true(output_append(&output, "a whole line\n", 13));
    assert_true(output_finish(&output, STOP));
    assert_int_equal(fake.length, 13);
    assert_int_equal(fake.now, 5 + 2 * STREAM_RETRY / MILLISECONDS(1));
}

/* What is lost is told with the reason, not with the next best one. */
static void what_cannot_be_waited_for_is_told(void **state)
{
    static const os_socket refused[] = {OUTPUT, STOP, OS_NO_SOCKET};

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct output output = {.stream = STREAM_OUTPUT};

        reset(NULL);
        fake.unwatched = refused[i];
        fake.wait_fails = refused[i] == OS_NO_SOCKET;
        assert_true(output_append(&output, "a whole line\n", 13));
        assert_false(output_finish(&output, STOP));
        assert_int_equal(fake.length, 0);
        assert_string_equal(fake.complaint,
                            fake.wait_fails
                                ? "echo-client: cannot write to standard output: why\n"
                                : "echo-client: cannot write to standard output: out of memory\n");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(what_a_slow_reader_does_not_take_follows),
        TEST(a_flush_does_not_wait),
        TEST(what_is_held_is_not_written),
        TEST(a_reader_that_is_gone_is_an_error),
        TEST(a_full_disk_is_an_error),
        TEST(a_request_to_stop_gives_the_reader_a_second),
        TEST(a_reader_that_comes_back_in_time_gets_all),
        TEST(what_is_printed_is_written_at_once),
        TEST(a_report_is_written_whole_or_not_at_all),
        TEST(what_select_cannot_wait_for_is_tried_again),
        TEST(what_cannot_be_waited_for_is_told),
        TEST(a_complaint_is_a_line_on_stderr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
