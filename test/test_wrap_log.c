#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "stream.h"
#include "test.h"

#define TIME "2017-03-04 05:06:07"

enum { READ_MAX = 4 * 1024 * 1024 };

static struct log server_log;

/* The reader of stderr, or its disk: what it has taken, and how many bytes more it takes. */
static char read_bytes[READ_MAX];
static size_t read_length;
static size_t room;
static size_t piece; /* the most that it takes at once */
static bool on_disk; /* no room is told as a full disk */
static bool gone;

__typeof__(os_local_time) __wrap_os_local_time;
__typeof__(stream_write) __wrap_stream_write;

void __wrap_os_local_time(char text[20])
{
    strcpy(text, TIME);
}

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    assert_int_equal(stream, STREAM_ERROR);
    assert_true(length > 0);
    if (gone)
        return STREAM_BROKEN;
    if (on_disk && room == 0)
        return STREAM_FULL;
    if (length > room)
        length = room;
    if (length > piece)
        length = piece;
    assert_true(read_length + length <= READ_MAX);
    memcpy(read_bytes + read_length, bytes, length);
    read_length += length;
    room -= length;
    return (ptrdiff_t)length;
}

static int start_reading(void **state)
{
    (void)state;
    memset(&server_log, 0, sizeof server_log);
    server_log.level = LOG_EVENTS;
    read_length = 0;
    room = piece = SIZE_MAX;
    on_disk = gone = false;
    return 0;
}

/* Everything that was logged, and nothing else, is what stands in `text`. */
static void assert_read(const char *text)
{
    assert_true(log_flush(&server_log));
    read_bytes[read_length] = '\0';
    assert_string_equal(read_bytes, text);
    read_length = 0;
}

static const struct net_address peer = {.bytes = {127, 0, 0, 1}, .port = 5555};

static void writes_lines_with_the_time(void **state)
{
    const struct net_address peer6 = {.bytes = {[15] = 1}, .port = 65535, .ipv6 = true};

    (void)state;
    assert_read("");
    log_line(&server_log, LOG_EVENTS, "Connection opened[%s]", "127.0.0.1:5555");
    assert_int_equal(read_length, 0);
    assert_read(TIME ",Connection opened[127.0.0.1:5555]\n");
    log_message(&server_log, &peer, "hello", 5);
    log_message(&server_log, &peer6, "", 0);
    log_line(&server_log, LOG_FAILURES, "select: %s", "no");
    assert_read(TIME ",Recv From Client[127.0.0.1:5555]:hello\n" TIME
                     ",Recv From Client[[::1]:65535]:\n" TIME ",select: no\n");
}

static void leaves_out_what_its_level_does(void **state)
{
    (void)state;
    server_log.level = LOG_FAILURES;
    log_line(&server_log, LOG_EVENTS, "event");
    log_message(&server_log, &peer, "message", 7);
    log_line(&server_log, LOG_FAILURES, "failure");
    assert_read(TIME ",failure\n");
    server_log.level = LOG_ALL;
    log_line(&server_log, LOG_EVENTS, "event");
    log_message(&server_log, &peer, "message", 7);
    log_line(&server_log, LOG_FAILURES, "failure");
    assert_read(TIME ",event\n" TIME ",Recv From Client[127.0.0.1:5555]:message\n" TIME
                     ",failure\n");
}

static void no_message_can_forge_a_line(void **state)
{
    static const char message[] = "a\n" TIME ",forged\r\x1b[2J\\\x7F\0\xFF\xC2\x9B\xC3\xA9";

    (void)state;
    log_message(&server_log, &peer, message, sizeof message - 1);
    assert_read(TIME ",Recv From Client[127.0.0.1:5555]:a\\n" TIME
                     ",forged\\r\\x1b[2J\\\\\\x7f\\x00\\xff\\xc2\\x9b\xC3\xA9\n");
}

/* Logs `count` letters with a rest behind them, and expects so many with that rest. */
static void assert_cut(size_t count, const char *rest, size_t shown_count, const char *shown_rest)
{
    static char message[2 * LOG_TEXT_MAX], expected[2 * LOG_TEXT_MAX];
    int length;

    memset(message, 'm', count);
    strcpy(message + count, rest);
    length = sprintf(expected, "%s,Recv From Client[127.0.0.1:5555]:", TIME);
    memset(expected + length, 'm', shown_count);
    sprintf(expected + (size_t)length + shown_count, "%s\n", shown_rest);
    log_message(&server_log, &peer, message, strlen(message));
    assert_read(expected);
}

static void cuts_long_messages_between_characters(void **state)
{
    enum { MAX = LOG_TEXT_MAX };

    (void)state;
    assert_cut(MAX - 1, "", MAX - 1, "");
    assert_cut(MAX, "", MAX, "");
    assert_cut(MAX + 1, "", MAX, "... (1025 bytes)");
    assert_cut(MAX - 2, "\xC3\xA9", MAX - 2, "\xC3\xA9");
    assert_cut(MAX - 1, "\xC3\xA9", MAX - 1, "... (1025 bytes)");
    assert_cut(MAX - 2, "\xC3\xA9!", MAX - 2, "\xC3\xA9... (1025 bytes)");
    assert_cut(MAX - 4, "\x01", MAX - 4, "\\x01");
    assert_cut(MAX - 3, "\x01", MAX - 3, "... (1022 bytes)");
    assert_cut(MAX - 2, "\\", MAX - 2, "\\\\");
    assert_cut(MAX - 1, "\\", MAX - 1, "... (1024 bytes)");
}

/* The longest address and the longest text stand in one whole line. */
static void has_room_for_the_longest_lines(void **state)
{
    struct net_address longest = {.scope = UINT32_MAX, .port = UINT16_MAX, .ipv6 = true};
    static char message[65536], text[5000];

    (void)state;
    memset(longest.bytes, 0xFE, sizeof longest.bytes);
    memset(message, 0xFF, sizeof message);
    log_message(&server_log, &longest, message, sizeof message);
    assert_true(log_flush(&server_log));
    read_bytes[read_length] = '\0';
    assert_string_equal(strchr(read_bytes, '.'), "... (65536 bytes)\n");
    assert_non_null(strstr(read_bytes, ":fefe%4294967295]:65535]:\\xff\\xff"));
    read_length = 0;

    memset(text, 't', sizeof text - 1);
    log_line(&server_log, LOG_EVENTS, "%s", text);
    assert_true(log_flush(&server_log));
    assert_int_equal(strspn(read_bytes + strlen(TIME) + 1, "t"), read_length - strlen(TIME) - 2);
    assert_int_equal(read_bytes[read_length - 1], '\n');
}

/*
 * What was read is whole lines: each with the next number, or with how many numbers were left out,
 * which adds one to `gaps`. Returns the sum.
 */
static unsigned long numbered_lines(unsigned long *gaps)
{
    static const char lost[] = " dropped: stderr is read too slowly, or its disk is full";
    unsigned long next = 0;
    char *end;

    *gaps = 0;
    read_bytes[read_length] = '\0';
    for (char *line = read_bytes; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        assert_memory_equal(line, TIME ",", strlen(TIME) + 1);
        char *rest = line + strlen(TIME) + 1;

        if (strncmp(rest, "number ", 7) == 0) {
            assert_int_equal(strtoul(rest + 7, &rest, 10), next);
            assert_int_equal(strspn(rest, "."), strlen(rest));
            next++;
        } else {
            unsigned long count = strtoul(rest, &rest, 10);

            const char *noun = count == 1 ? " log line" : " log lines";

            assert_memory_equal(rest, noun, strlen(noun));
            assert_string_equal(rest + strlen(noun), lost);
            assert_true(count > 0);
            next += count;
            ++*gaps;
        }
    }
    return next;
}

static void log_number(unsigned long number)
{
    static char dots[400];

    memset(dots, '.', sizeof dots - 1);
    log_line(&server_log, LOG_EVENTS, "number %lu%s", number, dots + random_below(sizeof dots));
}

static void check_whole_lines(void)
{
    unsigned long number = 0, gaps;

    random_begin(42);
    room = 0;
    for (int i = 0; i < 1500; i++) {
        size_t lines = random_below(20);

        while (lines-- > 0)
            log_number(number++);
        room += random_below(i / 250 % 2 == 0 ? 500 : 6000);
        piece = 1 + random_below(i % 7 == 0 ? 5 : 4096);
        log_flush(&server_log);
    }
    /* The last line stands behind the last gap. */
    room = piece = SIZE_MAX;
    assert_true(log_flush(&server_log));
    log_number(number++);
    assert_true(log_flush(&server_log));
    assert_int_equal(numbered_lines(&gaps), number);
    assert_int_in_range(gaps, 10, number / 2);
}

static void a_slow_reader_gets_whole_lines_and_is_told_what_is_lost(void **state)
{
    (void)state;
    check_whole_lines();
}

static void a_disk_that_is_full_now_and_then_gets_whole_lines_and_is_told_what_is_lost(void **state)
{
    (void)state;
    on_disk = true;
    check_whole_lines();
}

/* The disk is full in the middle of a line, and has room again. */
static void a_line_that_filled_the_disk_is_finished_first(void **state)
{
    (void)state;
    on_disk = true;
    room = 30;
    log_line(&server_log, LOG_EVENTS, "Connection opened[%s]", "127.0.0.1:5555");
    assert_false(log_flush(&server_log));
    assert_int_equal(read_length, 30);
    log_line(&server_log, LOG_EVENTS, "two");
    assert_false(log_flush(&server_log));
    room = SIZE_MAX;
    assert_read(TIME ",Connection opened[127.0.0.1:5555]\n" TIME ",two\n");
}

/* So that a test of a lost line is one: while nobody reads, lines are lost, and nothing grows. */
static void a_reader_who_stands_still_loses_lines(void **state)
{
    unsigned long number = 0, gaps;

    (void)state;
    random_begin(42);
    room = 0;
    while (number < 10000)
        log_number(number++);
    assert_false(log_flush(&server_log));
    assert_true(server_log.length <= LOG_BUFFER);
    assert_int_in_range(server_log.dropped, 1, 10000 - 1);
    room = SIZE_MAX;
    log_number(number++);
    assert_true(log_flush(&server_log));
    assert_int_equal(numbered_lines(&gaps), number);
    assert_int_in_range(gaps, 1, 10);
    assert_int_equal(server_log.dropped, 0);
}

/* Each line is offered when there is no room for it, not only at the end of a round. */
static void a_fast_reader_loses_nothing_in_a_long_round(void **state)
{
    unsigned long number = 0, gaps;

    (void)state;
    random_begin(42);
    while (number < 3000)
        log_number(number++);
    assert_true(log_flush(&server_log));
    assert_int_equal(numbered_lines(&gaps), number);
    assert_int_equal(gaps, 0);
}

static void a_reader_who_is_gone_stops_nothing(void **state)
{
    (void)state;
    gone = true;
    log_line(&server_log, LOG_EVENTS, "one");
    assert_true(log_flush(&server_log));
    random_begin(42);
    for (unsigned long number = 0; number < 3000; number++)
        log_number(number);
    assert_true(log_flush(&server_log));
    gone = false;
    log_line(&server_log, LOG_EVENTS, "two");
    assert_read(TIME ",two\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(writes_lines_with_the_time, start_reading),
        cmocka_unit_test_setup(leaves_out_what_its_level_does, start_reading),
        cmocka_unit_test_setup(no_message_can_forge_a_line, start_reading),
        cmocka_unit_test_setup(cuts_long_messages_between_characters, start_reading),
        cmocka_unit_test_setup(has_room_for_the_longest_lines, start_reading),
        cmocka_unit_test_setup(a_slow_reader_gets_whole_lines_and_is_told_what_is_lost,
                               start_reading),
        cmocka_unit_test_setup(
            a_disk_that_is_full_now_and_then_gets_whole_lines_and_is_told_what_is_lost,
            start_reading),
        cmocka_unit_test_setup(a_line_that_filled_the_disk_is_finished_first, start_reading),
        cmocka_unit_test_setup(a_reader_who_stands_still_loses_lines, start_reading),
        cmocka_unit_test_setup(a_fast_reader_loses_nothing_in_a_long_round, start_reading),
        cmocka_unit_test_setup(a_reader_who_is_gone_stops_nothing, start_reading),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
