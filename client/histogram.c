#include "histogram.h"

#include <math.h>

enum { STEP_BITS = 6 };

static size_t bucket_of(uint64_t value)
{
    unsigned shift = 0;

    if (value >= (uint64_t)1 << 42)
        return HISTOGRAM_BUCKETS - 1;
    if (value >= HISTOGRAM_STEPS)
        shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    /* Below 64 a bucket for each value; from there on 64 for each doubling, numbered on without a
     * gap. */
    return shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* The middle of the values that a bucket counts. */
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

    if (histogram->count == 0 || value < histogram->least)
        histogram->least = value;
    if (value > histogram->most)
        histogram->most = value;
    histogram->count++;
    histogram->mean += difference / (double)histogram->count;
    histogram->squares += difference * ((double)value - histogram->mean);
    histogram->buckets[bucket_of((uint64_t)value)]++;
}

int64_t histogram_percentile(const struct histogram *histogram, double fraction)
{
    uint64_t rank = (uint64_t)ceil(fraction * (double)histogram->count);
    uint64_t seen = 0;

    if (rank >= histogram->count)
        return histogram->most;
    if (rank <= 1)
        return histogram->least;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank) {
            int64_t value = middle_of(i);

            value = value < histogram->least ? histogram->least : value;
            return value > histogram->most ? histogram->most : value;
        }
    }
    return histogram->most;
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
