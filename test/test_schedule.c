/* Unit tests of client/schedule. */
#include "schedule.h"

#include "test.h"

static const int64_t SECOND = 1000000000;
static const int64_t START = 5000000000;

static struct schedule a_thousand_a_second(uint64_t count, uint64_t connections)
{
    return (struct schedule){
        .rate = 1000, .count = count, .connections = connections, .started = START};
}

static void a_message_is_due_at_its_time(void **state)
{
    struct schedule schedule = a_thousand_a_second(UINT64_MAX, 1);

    (void)state;
    assert_true(schedule_time(&schedule, 0) == START);
    assert_true(schedule_time(&schedule, 1) == START + SECOND / 1000);
    assert_true(schedule_time(&schedule, 3600 * 1000) == START + 3600 * SECOND);
    schedule.rate = 0.5;
    assert_true(schedule_time(&schedule, 3) == START + 6 * SECOND);
}

/* Late or not, each message is given once, in order, and none before its time. */
static void each_is_given_once_and_not_too_early(void **state)
{
    struct schedule schedule = a_thousand_a_second(5000, 1);
    uint64_t message, expected = 0;

    (void)state;
    assert_false(schedule_give(&schedule, START - 1, &message));
    for (int64_t now = START; expected < 5000; now += SECOND / 777) {
        while (schedule_give(&schedule, now, &message)) {
            assert_int_equal(message, expected++);
            assert_true(schedule_time(&schedule, message) <= now);
        }
        assert_true(schedule_next(&schedule) > now);
    }
    assert_true(schedule_next(&schedule) == INT64_MAX);
    assert_false(schedule_give(&schedule, INT64_MAX - 1, &message));
}

static void connections_take_turns(void **state)
{
    enum { CONNECTIONS = 7, MESSAGES = 100 };
    struct schedule schedule = a_thousand_a_second(MESSAGES, CONNECTIONS);
    uint64_t given[CONNECTIONS] = {0}, message;

    (void)state;
    for (int i = 0; i <= MESSAGES; i++) {
        for (uint64_t k = 0; k < CONNECTIONS; k++)
            assert_int_equal(schedule_given_to(&schedule, k), given[k]);
        if (schedule_give(&schedule, START + SECOND, &message))
            given[message % CONNECTIONS]++;
    }
    assert_int_equal(given[0], 15);
    assert_int_equal(given[CONNECTIONS - 1], 14);
}

static void without_a_rate_nothing_is_due(void **state)
{
    struct schedule schedule = {.count = UINT64_MAX, .connections = 3, .started = START};
    uint64_t message;

    (void)state;
    assert_true(schedule_next(&schedule) == INT64_MAX);
    assert_false(schedule_give(&schedule, START + SECOND, &message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_due_at_its_time),
        cmocka_unit_test(each_is_given_once_and_not_too_early),
        cmocka_unit_test(connections_take_turns),
        cmocka_unit_test(without_a_rate_nothing_is_due),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
