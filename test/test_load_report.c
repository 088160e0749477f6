/* Unit tests of client/load_report: what a report says of loads that are hard to bring about. */
#include "measure/load_report.h"

#include <string.h>

#include "json.h"
#include "test.h"

/* The text of a report. */
static const char *report(void (*print)(struct output *, const struct load_options *,
                                        const struct load_result *),
                          const struct load_options *options, const struct load_result *result)
{
    static char text[8192];
    struct output output = {.stream = STREAM_OUTPUT, .held = true};

    print(&output, options, result);
    size_t length = output_length(&output);

    assert_true(length > 0 && length < sizeof text);
    memcpy(text, buffer_bytes(&output.text), length);
    text[length] = '\0';
    output_drop(&output);
    return text;
}

/* The times of a server that was too slow are too good: the reader has to know. */
static void a_server_that_was_too_slow_is_told(void **state)
{
    struct load_options options = {.rate = 100};
    struct load_result result = {
        .messages_sent = 1, .messages_answered = 1, .messages_not_sent = 7};

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
    struct load_result result = {.messages_sent = 1};

    (void)state;
    const char *table = report(load_report_table, &options, &result);

    assert_null(strstr(table, "round trip"));
    assert_non_null(strstr(table, "throughput   0 messages/s, "));
    histogram_add(&result.round_trip, 1);
    assert_non_null(strstr(report(load_report_table, &options, &result), "\nround trip   "));
}

static void the_table_says_what_is_timed(void **state)
{
    struct load_result result = {.messages_sent = 1, .messages_answered = 1};

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_was_too_slow_is_told),
        cmocka_unit_test(without_an_answer_there_are_no_times),
        cmocka_unit_test(the_table_says_what_is_timed),
        cmocka_unit_test(any_failure_is_a_json_string),
    };

    return cmocka_run_group_tests_name("load_report", tests, NULL, NULL);
}
