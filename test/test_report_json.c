/* Unit tests of client/report_json, and of the time that stands in the reports. */
#include "measure/report_json.h"

#include <string.h>
#include <time.h>

#include "json.h"
#include "test.h"
#include "version.h"

/* The object that the members printed so far make. */
static const char *take(struct output *output)
{
    static char text[2048];
    size_t length = output_length(output);

    assert_int_in_range(length, 1, sizeof text - 2);
    memcpy(text, buffer_bytes(&output->text), length);
    assert_int_equal(text[0], ',');
    text[0] = '{';
    memcpy(text + length, "}", 2);
    output_drop(output);
    assert_true(json_valid(text));
    return text;
}

static void texts_are_strings_or_null(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};

    (void)state;
    report_json_text(&output, "a", "\"\\\n\x1f\xc3\xa4");
    report_json_text(&output, "b", NULL);
    report_json_text(&output, "c", "");
    const char *json = take(&output);

    assert_true(json_is(json, "a", "\"\\\"\\\\\\u000a\\u001f\xc3\xa4\""));
    assert_true(json_is(json, "b", "null"));
    assert_true(json_is(json, "c", "\"\""));
}

static void times_are_in_microseconds(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};
    struct histogram times = {0};
    char keys[256];

    (void)state;
    histogram_add(&times, 1500);
    histogram_add(&times, 2500);
    report_json_times(&output, "t", &times);
    const char *json = take(&output);

    assert_string_equal(json_keys(json, "t", keys, sizeof keys),
                        "count min_us mean_us stddev_us p50_us p90_us p99_us p99_9_us max_us ");
    assert_true(json_is(json, "t.count", "2"));
    assert_true(json_is(json, "t.min_us", "1.500"));
    assert_true(json_is(json, "t.mean_us", "2.000"));
    assert_true(json_is(json, "t.p99_9_us", "2.500"));
    assert_true(json_is(json, "t.max_us", "2.500"));
}

/* So many seconds from now, by the clock of the C library, in the same form. That clock may be some
 * milliseconds behind. */
static const char *seconds_from_now(int seconds, char text[20])
{
    time_t then = time(NULL) + seconds;

    assert_int_equal(strftime(text, 20, "%Y-%m-%dT%H:%M:%S", gmtime(&then)), 19);
    return text;
}

static void a_run_has_its_version_its_server_and_its_time(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};
    char before[20], after[20], time[OS_UTC_TIME];

    (void)state;
    seconds_from_now(0, before);
    os_utc_time(time);
    seconds_from_now(1, after);
    assert_true(strncmp(before, time, 19) <= 0 && strncmp(time, after, 19) <= 0);
    assert_int_equal(time[19], '.');
    assert_int_equal(strspn(time + 20, "0123456789"), 3);
    assert_string_equal(time + 23, "Z");

    report_json_run(&output, "[::1]:9901", "2026-01-02T03:04:05.678Z");
    const char *json = take(&output);

    assert_true(json_is(json, "version", "\"" VERSION "\""));
    assert_true(json_is(json, "server", "\"[::1]:9901\""));
    assert_true(json_is(json, "started_at", "\"2026-01-02T03:04:05.678Z\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_strings_or_null),
        cmocka_unit_test(times_are_in_microseconds),
        cmocka_unit_test(a_run_has_its_version_its_server_and_its_time),
    };

    return cmocka_run_group_tests_name("report_json", tests, NULL, NULL);
}
