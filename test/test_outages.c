/* Unit tests of client/outages. */
#include "measure/outages.h"

#include "test.h"

static void each_outage_counts(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_begin(&outages, 100);
    outages_begin(&outages, 150); /* within it */
    assert_int_equal(outages.count, 1);
    outages_end(&outages, 300);
    outages_begin(&outages, 400);
    outages_end(&outages, 450);
    assert_int_equal(outages.count, 2);
    assert_int_equal(outages.total, 250);
    assert_int_equal(outages.longest, 200);
}

/* An outage is noticed late: a server is silent for a while before a connection is given up. */
static void an_outage_may_begin_in_the_past(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_begin(&outages, 150);
    outages_begin(&outages, 100);
    assert_int_equal(outages.count, 1);
    outages_end(&outages, 300);
    assert_int_equal(outages.total, 200);
    /* Time counts once. */
    outages_begin(&outages, 250);
    assert_int_equal(outages.count, 2);
    outages_begin(&outages, 200);
    outages_end(&outages, 400);
    assert_int_equal(outages.total, 300);
    assert_int_equal(outages.longest, 200);
    /* Not even one that has no length is negative. */
    outages_begin(&outages, 350);
    outages_end(&outages, 400);
    assert_int_equal(outages.count, 3);
    assert_int_equal(outages.total, 300);
}

static void only_an_outage_ends(void **state)
{
    struct outages outages = {0};

    (void)state;
    outages_end(&outages, 1000);
    assert_int_equal(outages.total, 0);
    assert_int_equal(outages.longest, 0);
    outages_begin(&outages, 2000);
    outages_end(&outages, 2010);
    outages_end(&outages, 3000);
    assert_int_equal(outages.total, 10);
    assert_int_equal(outages.longest, 10);
}

static void ended_outages_are_counted(void **state)
{
    struct outages outages = {0};

    (void)state;
    assert_int_equal(outages_ended(&outages), 0);
    outages_begin(&outages, 100);
    assert_int_equal(outages_ended(&outages), 0);
    outages_end(&outages, 200);
    assert_int_equal(outages_ended(&outages), 1);
    outages_begin(&outages, 300);
    assert_int_equal(outages_ended(&outages), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_outage_counts),
        cmocka_unit_test(an_outage_may_begin_in_the_past),
        cmocka_unit_test(only_an_outage_ends),
        cmocka_unit_test(ended_outages_are_counted),
    };

    return cmocka_run_group_tests_name("outages", tests, NULL, NULL);
}
