/* Unit tests of client/load_result. */
#include "measure/load_result.h"

#include <string.h>

#include "test.h"

/* A load of 10 messages of which all is well. */
static struct load_result all_answered(void)
{
    return (struct load_result){
        .counts.connections_made = 1, .counts.messages_sent = 10, .counts.messages_answered = 10};
}

static void what_came_back_right_is_passed(void **state)
{
    struct load_result result = all_answered();

    (void)state;
    assert_true(load_result_passed(&result));
    result.counts.messages_answered = 9;
    assert_false(load_result_passed(&result));
    /* What was on the way at an interrupt is not counted as lost. */
    result.interrupted = true;
    assert_true(load_result_passed(&result));
}

static void what_went_wrong_is_not_passed(void **state)
{
    (void)state;
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        struct load_result result = all_answered();

        result.interrupted = interrupted != 0;
        result.counts.connections_failed = 1;
        assert_false(load_result_passed(&result));
        result.counts.connections_failed = 0;
        result.counts.connections_lost = 1;
        assert_false(load_result_passed(&result));
        result.counts.connections_lost = 0;
        assert_true(load_result_passed(&result));
        load_result_record_fault(&result, (struct load_fault){.what = "wrong"});
        assert_false(load_result_passed(&result));
        /* Such as a select() that refuses to wait while no connection is open. */
        result = all_answered();
        result.interrupted = interrupted != 0;
        load_result_record_failure(&result, "cannot wait for", &(struct net_address){.port = 1},
                                   NULL, (struct net_result){.outcome = NET_EXHAUSTED});
        assert_false(load_result_passed(&result));
    }
}

/* Those for which the server was too slow have waited longer than any that is in the report. */
static void what_was_due_and_not_sent_is_not_passed(void **state)
{
    struct load_result result = all_answered();

    (void)state;
    result.messages_not_sent = 1;
    assert_false(load_result_passed(&result));
    /* At an interrupt they are as those on the way. */
    result.interrupted = true;
    assert_true(load_result_passed(&result));
}

/* A server that takes nothing and an interrupt are no reason to be content. */
static void nothing_answered_is_not_passed(void **state)
{
    (void)state;
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        for (uint64_t sent = 0; sent < 2; sent++) {
            struct load_result result = {.interrupted = interrupted != 0,
                                         .counts.messages_sent = sent};

            assert_false(load_result_passed(&result));
        }
    }
}

static void an_interrupt_is_reported_where_nothing_else_is(void **state)
{
    struct load_result result = {.interrupted = true};

    (void)state;
    load_result_record_interruption(&result);
    assert_string_equal(result.failure, "interrupted before anything was answered");
    result = (struct load_result){.failure = "first"};
    load_result_record_interruption(&result);
    assert_string_equal(result.failure, "first");
}

/* Only the user can end a shortage, so the message has to say how. */
static void a_shortage_of_ports_is_reported_with_its_remedy(void **state)
{
    static const struct net_result none = {.outcome = NET_UNAVAILABLE};
    static const struct {
        struct net_address server;
        bool knows_more; /* addresses of this machine, each with ports of its own */
    } cases[] = {
        {{.bytes = {127, 0, 0, 1}, .port = 7}, true},
        {{.bytes = {192, 0, 2, 1}, .port = 7}, false},
        {{.ipv6 = true, .bytes = {[15] = 1}, .port = 7}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct load_result result = {.counts.connections_made = 1};

        load_result_record_failure(&result, "cannot connect to", &cases[i].server, NULL, none);
        assert_non_null(strstr(result.failure, "; no local port is left: use fewer connections, "));
        assert_true((strstr(result.failure, "test a server on 127.0.0.1") == NULL) ==
                    cases[i].knows_more);
        /* An address that the user has chosen may be wrong. */
        result.failure[0] = '\0';
        load_result_record_failure(&result, "cannot connect to", &cases[i].server,
                                   &(struct net_address){.bytes = {192, 0, 2, 2}}, none);
        assert_null(strstr(result.failure, "port is left"));
    }
}

static void what_was_never_answered_is_reported_with_its_likely_causes(void **state)
{
    struct load_result result = {.counts.connections_made = 3};

    (void)state;
    load_result_record_unanswered(&result, 3);
    assert_non_null(strstr(result.failure, "never answered: 3; "));
    assert_non_null(strstr(result.failure, "--expect line"));
    result = (struct load_result){.counts.messages_answered = 1};
    load_result_record_unanswered(&result, 3);
    assert_non_null(strstr(result.failure, "at a limit of its own"));
    assert_null(strstr(result.failure, "--expect line"));
    result = (struct load_result){.failure = "first"};
    load_result_record_unanswered(&result, 3);
    assert_string_equal(result.failure, "first");
}

/* All that is counted is counted in an interval, too. */
static void an_interval_has_what_was_counted_in_it(void **state)
{
    enum { COUNTS = sizeof(struct load_counts) / sizeof(uint64_t) };
    union {
        struct load_counts counts;
        uint64_t numbers[COUNTS];
    } before, now, since;

    (void)state;
    for (uint64_t i = 0; i < COUNTS; i++) {
        before.numbers[i] = 100 * i;
        now.numbers[i] = 100 * i + i + 1;
    }
    since.counts = load_counts_since(&now.counts, &before.counts);
    for (uint64_t i = 0; i < COUNTS; i++)
        assert_int_equal(since.numbers[i], i + 1);
}

static void the_first_fault_is_kept(void **state)
{
    struct load_result result = all_answered();

    (void)state;
    load_result_record_fault(&result, (struct load_fault){.what = "wrong"});
    load_result_record_fault(&result, (struct load_fault){.what = "extra"});
    assert_string_equal(result.fault.what, "wrong");
    assert_int_equal(result.counts.faults, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_back_right_is_passed),
        cmocka_unit_test(what_went_wrong_is_not_passed),
        cmocka_unit_test(what_was_due_and_not_sent_is_not_passed),
        cmocka_unit_test(nothing_answered_is_not_passed),
        cmocka_unit_test(a_shortage_of_ports_is_reported_with_its_remedy),
        cmocka_unit_test(what_was_never_answered_is_reported_with_its_likely_causes),
        cmocka_unit_test(the_first_fault_is_kept),
        cmocka_unit_test(an_interval_has_what_was_counted_in_it),
        cmocka_unit_test(an_interrupt_is_reported_where_nothing_else_is),
    };

    return cmocka_run_group_tests_name("load_result", tests, NULL, NULL);
}
