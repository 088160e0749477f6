/* Unit tests of client/measure/histogram. */
#include "measure/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { COUNT = 20000 };

static const double fractions[] = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};

static uint64_t random_state;

/* By Marsaglia's xorshift64: the same numbers in each run. */
static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* 0 to 1, without 1. */
static double random_part(void)
{
    return (double)(random_number() >> 11) / (double)((uint64_t)1 << 53);
}

static int64_t small(void)
{
    return (int64_t)(random_number() % 130);
}

static int64_t uniform(void)
{
    return (int64_t)(random_number() % 1000000);
}

static int64_t exponential(void)
{
    return (int64_t)(-log(1 - random_part()) * 50000);
}

static int64_t logarithmic(void)
{
    return (int64_t)exp2(random_part() * 42);
}

/* 40 us, but for one in a hundred. */
static int64_t two_peaks(void)
{
    return (int64_t)(random_number() % 100 == 0 ? 10000000 : 40000) +
           (int64_t)(random_number() % 1000);
}

static int64_t constant(void)
{
    return 123456789;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void check_percentiles(const struct histogram *histogram, const int64_t *sorted)
{
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        size_t rank = (size_t)ceil(fractions[i] * COUNT);
        double exact = (double)sorted[rank > 0 ? rank - 1 : 0];
        double error = (double)histogram_percentile(histogram, fractions[i]) - exact;

        if (fabs(error) > exact * 0.01)
            fail_msg("percentile %g: %g off %g", 100 * fractions[i], error, exact);
    }
}

static void check_moments(const struct histogram *histogram, const int64_t *values)
{
    long double sum = 0;
    long double squares = 0;

    for (size_t i = 0; i < COUNT; i++)
        sum += (long double)values[i];
    for (size_t i = 0; i < COUNT; i++) {
        long double difference = (long double)values[i] - sum / COUNT;

        squares += difference * difference;
    }
    double mean = (double)(sum / COUNT);
    double deviation = sqrt((double)(squares / (COUNT - 1)));

    assert_true(fabs(histogram->mean - mean) <= mean * 1e-9);
    assert_true(fabs(histogram_deviation(histogram) - deviation) <= deviation * 1e-6 + 1e-3);
}

static void check_counts(const struct histogram *histogram, const int64_t *values)
{
    for (int power = -1; power <= 42; power++) {
        int64_t limit = power < 0 ? 0 : (int64_t)1 << power;
        uint64_t below = 0;

        for (size_t i = 0; i < COUNT; i++)
            below += values[i] < limit;
        assert_int_equal(histogram_count_below(histogram, limit), below);
    }
}

static void as_the_values_themselves(void **state)
{
    static int64_t (*const distributions[])(void) = {small,       uniform,   exponential,
                                                     logarithmic, two_peaks, constant};
    int64_t *values = malloc(COUNT * sizeof *values);
    struct histogram *histogram = malloc(sizeof *histogram);

    (void)state;
    assert_non_null(values);
    assert_non_null(histogram);
    random_state = 88172645463325252;
    for (size_t d = 0; d < sizeof distributions / sizeof distributions[0]; d++) {
        memset(histogram, 0, sizeof *histogram);
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = distributions[d]();
            histogram_add(histogram, values[i]);
        }
        check_moments(histogram, values);
        check_counts(histogram, values);
        qsort(values, COUNT, sizeof values[0], compare);
        check_percentiles(histogram, values);
        assert_int_equal(histogram->count, COUNT);
        assert_int_equal(histogram->min, values[0]);
        assert_int_equal(histogram->max, values[COUNT - 1]);
    }
    free(histogram);
    free(values);
}

/* Each value alone between two far ones: it is what the median says. */
static void every_size_of_value(void **state)
{
    (void)state;
    for (int power = 0; power < 42; power++) {
        for (int i = 0; i < 200; i++) {
            int64_t value = ((int64_t)1 << power) + ((int64_t)i << power) / 200;
            struct histogram histogram = {0};

            histogram_add(&histogram, 0);
            histogram_add(&histogram, INT64_MAX);
            histogram_add(&histogram, value);
            int64_t error = histogram_percentile(&histogram, 0.5) - value;

            assert_true(llabs(error) <= value / 128);
        }
    }
}

static void nothing_and_one(void **state)
{
    struct histogram histogram = {0};

    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
    assert_int_equal(histogram_percentile(&histogram, 1), 0);
    assert_int_equal(histogram_count_below(&histogram, INT64_MAX), 0);
    assert_true(histogram_deviation(&histogram) == 0);
    histogram_add(&histogram, 1000003);
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++)
        assert_int_equal(histogram_percentile(&histogram, fractions[i]), 1000003);
    assert_true(histogram_deviation(&histogram) == 0);
    assert_true(histogram.mean == 1000003);
}

/* A p99 of few values is the greatest of them, not what is in the middle of its bucket. */
static void the_first_and_the_last_rank_are_exact(void **state)
{
    struct histogram histogram = {0};

    (void)state;
    for (int i = 0; i < 99; i++)
        histogram_add(&histogram, 1000000 + i);
    histogram_add(&histogram, 1000);
    histogram_add(&histogram, 224999);
    assert_int_equal(histogram_percentile(&histogram, 0), 1000);
    assert_int_equal(histogram_percentile(&histogram, 1.0 / 101), 1000);
    assert_int_equal(histogram_percentile(&histogram, 0.999), 1000098);
    assert_int_equal(histogram_percentile(&histogram, 1), 1000098);
    histogram = (struct histogram){0};
    for (int i = 0; i < 99; i++)
        histogram_add(&histogram, i == 0 ? 225000 : 224000);
    assert_int_equal(histogram_percentile(&histogram, 0.99), 225000);
}

static void values_at_the_ends(void **state)
{
    static const int64_t longest = (int64_t)1 << 42;
    struct histogram histogram = {0};

    (void)state;
    histogram_add(&histogram, -5);
    histogram_add(&histogram, INT64_MIN);
    histogram_add(&histogram, 0);
    assert_int_equal(histogram.min, 0);
    assert_int_equal(histogram.max, 0);
    assert_true(histogram.mean == 0);
    assert_int_equal(histogram_percentile(&histogram, 1), 0);
    assert_int_equal(histogram_count_below(&histogram, 0), 0);
    assert_int_equal(histogram_count_below(&histogram, -1), 0);
    assert_int_equal(histogram_count_below(&histogram, 1), 3);

    histogram_add(&histogram, longest - 1);
    histogram_add(&histogram, longest);
    histogram_add(&histogram, INT64_MAX);
    assert_int_equal(histogram.max, INT64_MAX);
    assert_int_equal(histogram_count_below(&histogram, longest / 2), 3);
    assert_int_equal(histogram_count_below(&histogram, longest), 4);
    assert_int_equal(histogram.count, 6);
    assert_int_equal(histogram_percentile(&histogram, 1), INT64_MAX);
    /* But for the greatest, what is longer counts as that. */
    histogram_add(&histogram, INT64_MAX);
    int64_t percentile = histogram_percentile(&histogram, 6.0 / 7);

    assert_true(percentile >= longest - longest / 100 && percentile <= longest + longest / 64);
}

#define BAR(hashes, blanks) "|" hashes blanks "|"
#define FULL "########################################"
#define HALF "####################"
#define HALF_EMPTY "                    "
#define EMPTY "                                        "
#define ALMOST_EMPTY "                                       "

static void a_histogram_is_drawn(void **state)
{
    struct histogram zero = {0};
    struct histogram histogram = {0};
    char text[HISTOGRAM_TEXT];

    (void)state;
    assert_ptr_equal(histogram_draw(&histogram, text), text);
    assert_string_equal(text, "");
    histogram_add(&zero, 0);
    assert_string_equal(histogram_draw(&zero, text),
                        "      0 ns to     2 ns 100.00 % " BAR(FULL, "") " 1\n");
    histogram_add(&histogram, 40000);
    assert_string_equal(histogram_draw(&histogram, text),
                        "   32.8 us to  65.5 us 100.00 % " BAR(FULL, "") " 1\n");
    for (int i = 0; i < 999; i++)
        histogram_add(&histogram, 32768);
    for (int i = 0; i < 500; i++)
        histogram_add(&histogram, 32767);
    histogram_add(&histogram, 131072); /* with none in the doubling before */
    assert_string_equal(
        histogram_draw(&histogram, text),
        "   16.4 us to  32.8 us  33.31 % " BAR(
            HALF, HALF_EMPTY) " 500\n"
                              "   32.8 us to  65.5 us  99.93 % " BAR(
                                  FULL, "") " 1000\n"
                                            "   65.5 us to   131 us  99.93 % " BAR(
                                                "", EMPTY) " 0\n"
                                                           "    131 us to   262 us 100.00 % " BAR(
                                                               "#", ALMOST_EMPTY) " 1\n");
}

/* Some of these fractions are not exact in binary. */
static void percentages_that_come_out_even_are_exact(void **state)
{
    (void)state;
    for (int below = 1; below < 10000; below++) {
        struct histogram histogram = {.count = 10000, .min = 1, .max = 2};
        char text[HISTOGRAM_TEXT], expected[64];

        histogram.buckets[1] = (uint64_t)below;
        histogram.buckets[2] = 10000 - (uint64_t)below;
        histogram_draw(&histogram, text);
        snprintf(expected, sizeof expected, "to     2 ns %3d.%02d %% |", below / 100, below % 100);
        if (strstr(text, expected) == NULL)
            fail_msg("not %s in %s", expected, text);
    }
}

/* Where a doubling begins, the value is in its line; the last one takes all that is longer. */
static void the_doubling_of_one_value(void **state)
{
    static const struct {
        int64_t value;
        const char *limits;
    } cases[] = {
        {0, "      0 ns to     2 ns 100.00 % |"},
        {1, "      0 ns to     2 ns 100.00 % |"},
        {2, "      2 ns to     4 ns 100.00 % |"},
        {3, "      2 ns to     4 ns 100.00 % |"},
        {4, "      4 ns to     8 ns 100.00 % |"},
        {((int64_t)1 << 42) - 1, "    2199 s to   4398 s 100.00 % |"},
        {(int64_t)1 << 42, "    4398 s to   8796 s 100.00 % |"},
        {((int64_t)1 << 43) - 1, "    4398 s to   8796 s 100.00 % |"},
        {(int64_t)1 << 43, "    4398 s to   8796 s 100.00 % |"},
        {INT64_MAX, "    4398 s to   8796 s 100.00 % |"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct histogram histogram = {0};
        char text[HISTOGRAM_TEXT];

        histogram_add(&histogram, cases[i].value);
        histogram_draw(&histogram, text);
        assert_memory_equal(text, cases[i].limits, strlen(cases[i].limits));
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    }
}

/* Each value is in one line, whatever it is, and the text in its place. */
static void every_value_is_drawn(void **state)
{
    struct histogram histogram = {0};
    char *text = malloc(HISTOGRAM_TEXT);
    unsigned long long drawn = 0;

    (void)state;
    assert_non_null(text);
    histogram_add(&histogram, 0);
    for (int power = 0; power < 63; power++) {
        histogram_add(&histogram, (int64_t)1 << power);
        histogram_add(&histogram, ((int64_t)1 << power) - 1);
    }
    histogram_add(&histogram, INT64_MAX);
    histogram_draw(&histogram, text);
    assert_int_in_range(strlen(text), 1, HISTOGRAM_TEXT - 1);
    for (const char *bar = strchr(text, '|'); bar != NULL; bar = strchr(bar + 1, '|')) {
        bar = strchr(bar + 1, '|');
        assert_non_null(bar);
        drawn += strtoull(bar + 1, NULL, 10);
    }
    assert_int_equal(drawn, histogram.count);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_values_themselves),
        cmocka_unit_test(every_size_of_value),
        cmocka_unit_test(nothing_and_one),
        cmocka_unit_test(the_first_and_the_last_rank_are_exact),
        cmocka_unit_test(values_at_the_ends),
        cmocka_unit_test(a_histogram_is_drawn),
        cmocka_unit_test(percentages_that_come_out_even_are_exact),
        cmocka_unit_test(the_doubling_of_one_value),
        cmocka_unit_test(every_value_is_drawn),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
