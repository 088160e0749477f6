/* Unit tests of client/load_report: what a report says of loads that are hard to bring about. */
#include "measure/load_report.h"

#include <string.h>

#include "json.h"
#include "test.h"

/* The text of an output, which then is empty. */
static const char *take(struct output *output)
{
    static char text[8192];
    size_t length = output_length(output);

    assert_true(length > 0 && length < sizeof text);
    memcpy(text, buffer_bytes(&output->text), length);
    text[length] = '\0';
    output_drop(output);
    return text;
}

/* The text of a report. */
static const char *report(void (*print)(struct output *, const struct load_options *,
                                        const struct load_result *),
                          const struct load_options *options, const struct load_result *result)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};

    print(&output, options, result);
    return take(&output);
}

/* The times of a server that was too slow are too good: the reader has to know. */
static void a_server_that_was_too_slow_is_reported(void **state)
{
    struct load_options options = {.rate = 100};
    struct load_result result = {
        .counts.messages_sent = 1, .counts.messages_answered = 1, .messages_not_sent = 7};

    (void)state;
    const char *table = report(load_report_table, &options, &result);

    assert_non_null(strstr(table, "\nBEHIND: messages that were due and could not be sent: 7, "));
    assert_non_null(strstr(table, "\nFAILED\n"));
    result.messages_not_sent = 0;
    assert_null(strstr(report(load_report_table, &options, &result), "BEHIND"));
}

/* With nothing answered there is nothing of which times could be shown. */
static void without_an_answer_there_are_no_times(void **state)
{
    struct load_options options = {.rate = 0};
    struct load_result result = {.counts.messages_sent = 1};

    (void)state;
    const char *table = report(load_report_table, &options, &result);

    assert_null(strstr(table, "round trip"));
    assert_non_null(strstr(table, "connections  0 made, 0 failed, 0 lost\n"));
    assert_non_null(strstr(table, "throughput   0 messages/s, "));
    histogram_add(&result.round_trip, 1);
    histogram_add(&result.connect_time, 1);
    table = report(load_report_table, &options, &result);
    assert_non_null(strstr(table, "\nround trip   "));
    assert_non_null(strstr(table, " lost; time to connect p50 1 ns, max 1 ns\n"));
}

static void the_table_says_what_is_timed(void **state)
{
    struct load_result result = {.counts.messages_sent = 1, .counts.messages_answered = 1};

    (void)state;
    histogram_add(&result.round_trip, 1);
    for (int rate = 0; rate < 2; rate++) {
        for (int reconnect = 0; reconnect < 2; reconnect++) {
            struct load_options options = {.rate = rate, .reconnect = reconnect != 0};
            const char *table = report(load_report_table, &options, &result);

            assert_true((strstr(table, "open loop: ") != NULL) == (rate > 0));
            assert_true((strstr(table, "connecting included") != NULL) ==
                        (rate > 0 && reconnect > 0));
        }
    }
}

/* Whatever stands in a message of the system or in the name of a host. */
static void any_failure_is_a_json_string(void **state)
{
    struct load_options options = {.rate = 0};
    struct load_result result = {.failure = "a \"b\" \\c\n\x1f\xc3\xa4"};

    (void)state;
    const char *json = report(load_report_json, &options, &result);

    assert_true(json_valid(json));
    assert_true(json_is(json, "failure", "\"a \\\"b\\\" \\\\c\\u000a\\u001f\xc3\xa4\""));
}

static void outages_are_reported(void **state)
{
    struct load_options options = {.keep_going = true};
    struct load_result result = {
        .outages = {.count = 2, .total = 2500000000, .longest = 2000000000}};

    (void)state;
    assert_non_null(strstr(report(load_report_table, &options, &result),
                           "\noutages      2, 2.50 s in all, the longest 2.00 s\n"));
    const char *json = report(load_report_json, &options, &result);

    assert_true(json_number(json, "outages.count") == 2);
    assert_true(json_number(json, "outages.seconds") == 2.5);
    assert_true(json_number(json, "outages.longest_seconds") == 2);
    assert_true(json_is(json, "keep_going", "true"));
    result.outages.count = 0;
    assert_null(strstr(report(load_report_table, &options, &result), "outages"));
}

static void a_report_says_of_what_it_is(void **state)
{
    struct load_options options = {.rate = 0};
    struct load_result result = {.server = "[::1]:7", .started_at = "2026-01-02T03:04:05.678Z"};

    (void)state;
    const char *json = report(load_report_json, &options, &result);

    assert_true(json_is(json, "type", "\"total\""));
    assert_true(json_is(json, "server", "\"[::1]:7\""));
    assert_true(json_is(json, "started_at", "\"2026-01-02T03:04:05.678Z\""));
    result.server[0] = '\0';
    assert_true(json_is(report(load_report_json, &options, &result), "server", "null"));
}

static void an_interval_is_reported(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};
    struct histogram times = {0};
    struct load_interval interval = {.ended_at = "2026-01-02T03:04:05.678Z",
                                     .elapsed = 12,
                                     .seconds = 2,
                                     .connections_open = 7,
                                     .counts = {.connections_made = 1,
                                                .connections_failed = 2,
                                                .connections_lost = 3,
                                                .messages_sent = 4,
                                                .messages_answered = 1,
                                                .bytes_sent = 5000000,
                                                .bytes_received = 3000000,
                                                .faults = 1},
                                     .round_trip = &times};

    (void)state;
    load_report_interval(&output, &interval);
    assert_string_equal(take(&output),
                        "2026-01-02T03:04:05.678Z  0.5 messages/s, 1.50 MB/s, nothing answered; "
                        "7 open, 1 made, 2 failed, 3 lost, 1 fault\n");
    histogram_add(&times, 1500);
    load_report_interval(&output, &interval);
    assert_string_equal(
        take(&output),
        "2026-01-02T03:04:05.678Z  0.5 messages/s, 1.50 MB/s, p50 1.50 us, p90 1.50 us, "
        "p99 1.50 us, p99.9 1.50 us, max 1.50 us; 7 open, 1 made, 2 failed, 3 lost, "
        "1 fault\n");
    interval.outages = 2;
    interval.outage_time = SECONDS(5);
    load_report_interval(&output, &interval);
    assert_non_null(strstr(take(&output), ", 1 fault; 2 outages ended, 5.00 s in all\n"));
    load_report_interval_json(&output, &interval);
    const char *json = take(&output);

    assert_true(json_number(json, "outages_ended") == 2);
    assert_true(json_number(json, "outage_seconds") == 5);

    assert_true(json_valid(json));
    assert_true(json_is(json, "type", "\"interval\""));
    assert_true(json_is(json, "ended_at", "\"2026-01-02T03:04:05.678Z\""));
    assert_true(json_number(json, "elapsed_seconds") == 12);
    assert_true(json_number(json, "interval_seconds") == 2);
    assert_true(json_number(json, "connections_open") == 7);
    assert_true(json_number(json, "messages_per_second") == 0.5);
    assert_true(json_number(json, "sent_bytes_per_second") == 2500000);
    assert_true(json_number(json, "received_bytes_per_second") == 1500000);
    assert_true(json_number(json, "round_trip.max_us") == 1.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_was_too_slow_is_reported),
        cmocka_unit_test(without_an_answer_there_are_no_times),
        cmocka_unit_test(the_table_says_what_is_timed),
        cmocka_unit_test(any_failure_is_a_json_string),
        cmocka_unit_test(outages_are_reported),
        cmocka_unit_test(a_report_says_of_what_it_is),
        cmocka_unit_test(an_interval_is_reported),
    };

    return cmocka_run_group_tests_name("load_report", tests, NULL, NULL);
}
