/* Unit tests of client/report. */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void durations(void **state)
{
    static const struct {
        int64_t nanoseconds;
        const char *text;
    } cases[] = {
        {0, "0 ns"},
        {1, "1 ns"},
        {999, "999 ns"},
        {1000, "1.00 us"},
        {1234, "1.23 us"},
        {1236, "1.24 us"},
        {9994, "9.99 us"},
        {9996, "10.0 us"},
        {45300, "45.3 us"},
        {99949, "99.9 us"},
        {99951, "100 us"},
        {123456, "123 us"},
        {999499, "999 us"},
        {999501, "1.00 ms"},
        {1000000, "1.00 ms"},
        {1230000, "1.23 ms"},
        {99949999, "99.9 ms"},
        {99950001, "100 ms"},
        {999499999, "999 ms"},
        {999500001, "1.00 s"},
        {2500000000, "2.50 s"},
        {61000000000, "61.0 s"},
        {3600000000000, "3600 s"},
        {INT64_MAX, "9223372037 s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[REPORT_DURATION];

        assert_ptr_equal(report_duration(cases[i].nanoseconds, text), text);
        assert_string_equal(text, cases[i].text);
    }
}

static void rates(void **state)
{
    static const struct {
        double rate;
        const char *text;
    } cases[] = {{0, "0"},       {0.001, "0.001"}, {0.5, "0.5"},
                 {1, "1"},       {1.1, "1.1"},     {16.66, "16.7"},
                 {99.4, "99.4"}, {99.6, "100"},    {105722.3, "105722"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[REPORT_RATE];

        assert_string_equal(report_rate(cases[i].rate, text), cases[i].text);
    }
}

static void percentages(void **state)
{
    static const struct {
        uint64_t part;
        uint64_t whole;
        const char *text;
    } cases[] = {{0, 0, "0"},
                 {0, 7, "0"},
                 {1, 10, "10"},
                 {1, 3, "33.3"},
                 {2, 3, "66.7"},
                 {1, 1000000, "0.1"},
                 {999999, 1000000, "99.9"},
                 {7, 7, "100"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[REPORT_PERCENT];

        assert_string_equal(report_percent(cases[i].part, cases[i].whole, text), cases[i].text);
    }
}

/* Three digits, to which the value was rounded. */
static void durations_of_all_sizes(void **state)
{
    (void)state;
    for (double size = 1; size < 1e13; size *= 1.0007) {
        int64_t nanoseconds = (int64_t)size;
        char text[REPORT_DURATION];
        char *unit;
        double value = strtod(report_duration(nanoseconds, text), &unit);
        double factor = strcmp(unit, " s") == 0    ? 1e9
                        : strcmp(unit, " ms") == 0 ? 1e6
                        : strcmp(unit, " us") == 0 ? 1e3
                        : strcmp(unit, " ns") == 0 ? 1
                                                   : 0;
        double step = value < 9.9999 ? 0.01 : value < 99.999 ? 0.1 : 1;

        assert_true(strlen(text) <= 8); /* the columns of histogram_draw() */
        assert_true(factor > 0);
        assert_true(factor >= 1e9 || value < 1000);
        assert_true(value >= 1);
        if (factor > 1)
            assert_true(fabs((double)nanoseconds / factor - value) <= step * 0.5001);
        else
            assert_true((double)nanoseconds == value);
        /* As many digits as there are. */
        assert_int_equal((size_t)(unit - text),
                         factor > 1 && value < 999.5 ? value < 99.999 ? 4 : 3 : strcspn(text, " "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(rates),
        cmocka_unit_test(percentages),
        cmocka_unit_test(durations_of_all_sizes),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
