/*
 * histogram: pure. A log-linear histogram of durations. It takes any number of values in constant
 * memory, and knows each of them to within 1/128, so that percentiles are off by 0.8 % at most.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 64, /* buckets between a power of two and the next */
    /* For values up to 2^42 ns (73 minutes), and one bucket for all longer ones. */
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (42 - 6 + 1) + 1,
    HISTOGRAM_TEXT = 4096 /* size of the text of any histogram */
};

/* A histogram of all zeros is empty. It takes fewer than 2^63 values. */
struct histogram {
    uint64_t count;
    int64_t min; /* exact */
    int64_t max; /* exact */
    /* By Welford's method, exact except for rounding. */
    double mean;
    double squares; /* sum of the squared differences from the mean */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Counts a duration in nanoseconds; a negative one counts as 0. */
/*@ requires histogram->count < 1ULL << 63; */
void histogram_add(struct histogram *histogram, int64_t nanoseconds);

/*
 * The duration that `fraction` of all values do not exceed (0.5: the median). Exact if it is the
 * smallest or the largest value. Otherwise it is the middle of its bucket, but not less than the
 * smallest or more than the largest value. 0 for an empty histogram.
 */
/*@ requires 0 <= fraction <= 1 && histogram->count < 1ULL << 63; */
int64_t histogram_percentile(const struct histogram *histogram, double fraction);

/*
 * How many values are below a limit. Exact if the limit is 0 or a power of two up to 2^42, because
 * a bucket begins there. Otherwise the limit is rounded down to the start of its bucket.
 */
uint64_t histogram_count_below(const struct histogram *histogram, int64_t limit);

/* The standard deviation of the values in nanoseconds; 0 for fewer than two values. */
double histogram_deviation(const struct histogram *histogram);

/*
 * Draws a histogram as lines of text and returns `text`. There is one line for each doubling of the
 * duration, from that of the smallest value to that of the largest, without gaps. A line shows the
 * limits, how many percent of all values are below the upper limit, a bar and the count; every
 * count above 0 has a bar. The first doubling begins at 0. The last possible one begins at 2^42 ns,
 * and includes all longer durations. An empty histogram has no lines.
 */
const char *histogram_draw(const struct histogram *histogram, char text[HISTOGRAM_TEXT]);

#endif
