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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_outage_counts),
        cmocka_unit_test(only_an_outage_ends),
    };

    return cmocka_run_group_tests_name("outages", tests, NULL, NULL);
}
