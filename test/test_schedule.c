/* Unit tests of client/schedule. */
#include "measure/schedule.h"

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

/* Late or not, each message is given once, and none before its time; however fast, in few steps. */
static void each_is_given_once_and_not_too_early(void **state)
{
    static const double rates[] = {0.3, 1000, 12345.678, 1e8};

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        uint64_t count = rates[i] < 1 ? 3 : (uint64_t)(5 * rates[i]);
        struct schedule schedule = a_thousand_a_second(count, 1);
        uint64_t given = 0;

        schedule.rate = rates[i];
        assert_int_equal(schedule_release(&schedule, START - 1), 0);
        for (int64_t now = START; given < count; now += SECOND / 777) {
            given += schedule_release(&schedule, now);
            assert_int_equal(schedule.released, given);
            assert_true(given == 0 || schedule_time(&schedule, given - 1) <= now);
            assert_true(schedule_next(&schedule) > now);
        }
        assert_int_equal(given, count);
        assert_true(schedule_next(&schedule) == INT64_MAX);
        assert_int_equal(schedule_release(&schedule, INT64_MAX - 1), 0);
    }
}

/* In T seconds at R a second R * T, not one more, whatever the rounding of R and T. */
static void as_many_as_rate_times_time_are_due(void **state)
{
    static const struct {
        double rate;
        int64_t milliseconds;
        uint64_t due;
    } cases[] = {
        {1, 10000, 10},
        {1, 9999, 10},
        {1, 10001, 11},
        {0.5, 10000, 5},
        {0.3, 10000, 3},
        {0.001, 1000000, 1},
        {0.001, 1000001, 2},
        {3, 1000, 3},
        {7, 1000000, 7000},
        {10, 700, 7},
        {100, 70, 7},
        {100, 290, 29},
        {1000, 2500, 2500},
        {1000, 1, 1},
        {1e8, 1000, 100000000},
        {49, 1000, 49},
        {10, 4100, 41},
        {60, 2050, 123},
        {1e6, 3600000, 3600000000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schedule schedule = a_thousand_a_second(UINT64_MAX, 1);

        schedule.rate = cases[i].rate;
        uint64_t due = schedule_due_before(&schedule, START + cases[i].milliseconds * 1000000);

        if (due != cases[i].due)
            fail_msg("case %zu: %llu are due", i, (unsigned long long)due);
    }
}

static void no_more_than_all_are_due(void **state)
{
    struct schedule schedule = a_thousand_a_second(5, 1);

    (void)state;
    assert_int_equal(schedule_due_before(&schedule, START - SECOND), 0);
    assert_int_equal(schedule_due_before(&schedule, START), 0);
    assert_int_equal(schedule_due_before(&schedule, START + 1), 1);
    assert_int_equal(schedule_due_before(&schedule, START + SECOND), 5);
    assert_int_equal(schedule_due_before(&schedule, INT64_MAX), 5);
    schedule.rate = 0;
    assert_int_equal(schedule_due_before(&schedule, START + SECOND), 0);
}

/* After a pause, all that have become due meanwhile. */
static void what_is_late_is_given_at_once(void **state)
{
    struct schedule schedule = a_thousand_a_second(UINT64_MAX, 1);

    (void)state;
    schedule.rate = 1e8;
    assert_int_equal(schedule_release(&schedule, START), 1);
    assert_int_equal(schedule_release(&schedule, START + 1000 * SECOND),
                     1000 * (uint64_t)100000000);
    assert_int_equal(schedule_release(&schedule, START + 1000 * SECOND), 0);
    assert_int_equal(schedule_release(&schedule, START + 1000 * SECOND + 10), 1);
}

static void connections_take_turns(void **state)
{
    enum { CONNECTIONS = 7, MESSAGES = 100 };
    struct schedule schedule = a_thousand_a_second(MESSAGES, CONNECTIONS);
    uint64_t given[CONNECTIONS] = {0};

    (void)state;
    for (int i = 0; i <= MESSAGES; i++) {
        for (uint64_t k = 0; k < CONNECTIONS; k++)
            assert_int_equal(schedule_released_to(&schedule, k), given[k]);
        if (schedule_release(&schedule, START + i * SECOND / 1000) == 1)
            given[i % CONNECTIONS]++;
    }
    assert_int_equal(given[0], 15);
    assert_int_equal(given[CONNECTIONS - 1], 14);
}

static void without_a_rate_nothing_is_due(void **state)
{
    struct schedule schedule = {.count = UINT64_MAX, .connections = 3, .started = START};

    (void)state;
    assert_true(schedule_next(&schedule) == INT64_MAX);
    assert_int_equal(schedule_release(&schedule, START + SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_due_at_its_time),
        cmocka_unit_test(each_is_given_once_and_not_too_early),
        cmocka_unit_test(as_many_as_rate_times_time_are_due),
        cmocka_unit_test(no_more_than_all_are_due),
        cmocka_unit_test(what_is_late_is_given_at_once),
        cmocka_unit_test(connections_take_turns),
        cmocka_unit_test(without_a_rate_nothing_is_due),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
