#include "histogram.h"

#include <math.h>
#include <stdio.h>

#include "report.h"

enum { STEP_BITS = 6, BAR = 40 /* characters of the longest bar */ };

static size_t bucket_of(uint64_t value)
{
    unsigned shift = 0;

    if (value >= (uint64_t)1 << 42)
        return HISTOGRAM_BUCKETS - 1;
    if (value >= HISTOGRAM_STEPS)
        shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    /* Values below 64 have a bucket each. Above, each doubling has 64 buckets, which are numbered
     * without a gap. */
    return shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* The middle of the values in a bucket. */
static int64_t middle_of(size_t bucket)
{
    if (bucket < (size_t)2 * HISTOGRAM_STEPS)
        return (int64_t)bucket;
    unsigned shift = (unsigned)(bucket / HISTOGRAM_STEPS) - 1;
    uint64_t first = (uint64_t)(bucket - (size_t)shift * HISTOGRAM_STEPS) << shift;

    return (int64_t)(first + (((uint64_t)1 << shift) - 1) / 2);
}

void histogram_add(struct histogram *histogram, int64_t nanoseconds)
{
    int64_t value = nanoseconds > 0 ? nanoseconds : 0;
    double difference = (double)value - histogram->mean;

    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->mean += difference / (double)histogram->count;
    histogram->squares += difference * ((double)value - histogram->mean);
    histogram->buckets[bucket_of((uint64_t)value)]++;
}

int64_t histogram_percentile(const struct histogram *histogram, double fraction)
{
    uint64_t rank = (uint64_t)ceil(fraction * (double)histogram->count);
    uint64_t seen = histogram->buckets[0];
    size_t i = 0;

    if (rank >= histogram->count)
        return histogram->max;
    if (rank <= 1)
        return histogram->min;
    while (seen < rank && i + 1 < HISTOGRAM_BUCKETS)
        seen += histogram->buckets[++i];
    int64_t value = middle_of(i);

    value = value < histogram->min ? histogram->min : value;
    return value > histogram->max ? histogram->max : value;
}

uint64_t histogram_count_below(const struct histogram *histogram, int64_t limit)
{
    size_t end = limit > 0 ? bucket_of((uint64_t)limit) : 0;
    uint64_t count = 0;

    for (size_t i = 0; i < end; i++)
        count += histogram->buckets[i];
    return count;
}

double histogram_deviation(const struct histogram *histogram)
{
    return histogram->count > 1 ? sqrt(histogram->squares / (double)(histogram->count - 1)) : 0;
}

/* The start of the last doubling, which includes all longer durations. */
static const int64_t LONGEST = (int64_t)1 << 42;

/* The number of values from `first`, or from 0 if it is 1, up to but not including 2 * `first`. */
static uint64_t count_doubling(const struct histogram *histogram, int64_t first)
{
    return (first < LONGEST ? histogram_count_below(histogram, 2 * first) : histogram->count) -
           (first > 1 ? histogram_count_below(histogram, first) : 0);
}

const char *histogram_draw(const struct histogram *histogram, char text[HISTOGRAM_TEXT])
{
    uint64_t highest = 1;
    uint64_t seen = 0;
    size_t filled = 0;

    text[0] = '\0';
    if (histogram->count == 0)
        return text;
    for (int64_t first = 1; first <= LONGEST && (first == 1 || first <= histogram->max);
         first *= 2) {
        uint64_t count = count_doubling(histogram, first);

        highest = count > highest ? count : highest;
    }
    for (int64_t first = 1; first <= LONGEST && (first == 1 || first <= histogram->max);
         first *= 2) {
        uint64_t count = count_doubling(histogram, first);
        char from[REPORT_DURATION];
        char to[REPORT_DURATION];
        char bar[BAR + 1] = "";

        seen += count;
        if (first < LONGEST && 2 * first <= histogram->min)
            continue;
        /* Rounded down, so that only the last row has 100 %. Up to 2^39 values the product is
         * exact, and an even percentage is not rounded to less. */
        double percent = floor((double)seen * 1e4 / (double)histogram->count) / 1e2;
        /* Rounded up, so that every count above 0 has a bar. */
        size_t length = (size_t)((count * BAR + highest - 1) / highest);

        for (size_t i = 0; i < BAR; i++)
            bar[i] = i < length ? '#' : ' ';
        filled += (size_t)snprintf(
            text + filled, HISTOGRAM_TEXT - filled, "  %8s to %8s %6.2f %% |%s| %llu\n",
            report_duration(first > 1 ? first : 0, from), report_duration(2 * first, to), percent,
            bar, (unsigned long long)count);
    }
    return text;
}
