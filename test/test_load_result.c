/* Unit tests of client/load_result. */
#include "measure/load_result.h"

#include "test.h"

/* A load of 10 messages of which all is well. */
static struct load_result all_answered(void)
{
    return (struct load_result){
        .connections_made = 1, .messages_sent = 10, .messages_answered = 10};
}

static void what_came_back_right_is_passed(void **state)
{
    struct load_result result = all_answered();

    (void)state;
    assert_true(load_result_passed(&result));
    result.messages_answered = 9;
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
        result.connections_failed = 1;
        assert_false(load_result_passed(&result));
        result.connections_failed = 0;
        result.connections_lost = 1;
        assert_false(load_result_passed(&result));
        result.connections_lost = 0;
        assert_true(load_result_passed(&result));
        load_result_record_fault(&result, (struct load_fault){.what = "wrong"});
        assert_false(load_result_passed(&result));
        /* Such as a select() that refuses to wait while no connection is open. */
        result = all_answered();
        result.interrupted = interrupted != 0;
        load_result_record_failure(&result, "cannot wait for", &(struct net_address){.port = 1},
                                   (struct net_result){.outcome = NET_EXHAUSTED});
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
            struct load_result result = {.interrupted = interrupted != 0, .messages_sent = sent};

            assert_false(load_result_passed(&result));
        }
    }
}

static void an_interrupt_is_told_where_nothing_else_is(void **state)
{
    struct load_result result = {.interrupted = true};

    (void)state;
    load_result_record_interruption(&result);
    assert_string_equal(result.failure, "interrupted before anything was answered");
    result = (struct load_result){.failure = "first"};
    load_result_record_interruption(&result);
    assert_string_equal(result.failure, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_back_right_is_passed),
        cmocka_unit_test(what_went_wrong_is_not_passed),
        cmocka_unit_test(what_was_due_and_not_sent_is_not_passed),
        cmocka_unit_test(nothing_answered_is_not_passed),
        cmocka_unit_test(an_interrupt_is_told_where_nothing_else_is),
    };

    return cmocka_run_group_tests_name("load_result", tests, NULL, NULL);
}
