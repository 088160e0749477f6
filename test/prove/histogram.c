/*
 * client/measure/histogram: any histogram of fewer than 2^63 values, any value.
 *
 * run: prove_add -eva-slevel 0 -eva-min-loop-unroll 64 -no-warn-unsigned-overflow
 * run: prove_read -eva-slevel 0 -eva-min-loop-unroll 2400 -no-warn-unsigned-overflow
 * run: prove_draw -eva-slevel 0 -eva-min-loop-unroll 64 -variadic-no-translation
 *     -no-warn-unsigned-overflow
 * inputs: any value, in histograms of fewer than 2^63 values
 * assumed: snprintf report_duration __builtin_clzll sqrt ceil floor
 * not shown: that counts do not wrap, which takes 2^64 values
 * not shown: that mean and squares stay finite, which Welford's method ensures
 */
#include "prove.h"

#include "../../client/measure/histogram.c"

/* The zeros before the first one. */
int __builtin_clzll(unsigned long long value)
{
    int zeros = 0;

    while (value >> 63 == 0) {
        value <<= 1;
        zeros++;
    }
    return zeros;
}

/* A duration of at most 8 characters, which those up to 2^43 ns have (test_report). */
const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION])
{
    //@ assert 0 <= nanoseconds <= (1LL << 43);
    any_fill(text, REPORT_DURATION);
    text[8] = '\0';
    return text;
}

/* The one format there is: two durations of 8 characters, a percentage, the bar, and at most 19
 * digits. */
int snprintf(char *out, size_t size, const char *format, ...)
{
    enum { LINE = 2 + 8 + 4 + 8 + 1 + 6 + 4 + BAR + 2 + 19 + 1 };

    //@ assert size > LINE;
    any_fill(out, LINE);
    out[LINE] = '\0';
    return (int)any_between(1, LINE);
}

static struct histogram histogram;

static void make(void)
{
    histogram.count = any_between(0, INT64_MAX);
    histogram.min = (int64_t)any_between(0, INT64_MAX);
    histogram.max = (int64_t)any_between(0, INT64_MAX);
    histogram.mean = any_double(0, 0x1p63);
    histogram.squares = any_double(0, 0x1p190);
    any_fill(histogram.buckets, sizeof histogram.buckets);
}

static void add(uint64_t least, uint64_t most)
{
    int64_t value = (int64_t)any_between(least, most);

    make();
    histogram_add(&histogram, value);
    histogram_count_below(&histogram, value);
}

/* From each power of two up to the next: a value's highest bit decides where it is counted. */
void prove_add(void)
{
    add(0, 0);
    for (unsigned bit = 0; bit < 63; bit++)
        add((uint64_t)1 << bit, ((uint64_t)2 << bit) - 1);
    add((uint64_t)1 << 63, UINT64_MAX); /* the negative ones */
}

void prove_read(void)
{
    make();
    histogram_percentile(&histogram, any_double(0, 1));
    histogram_deviation(&histogram);
}

void prove_draw(void)
{
    char text[HISTOGRAM_TEXT];

    make();
    histogram_draw(&histogram, text);
}
