/*
 * histogram: pure. A log-linear histogram of durations: any number of values in constant memory,
 * with every value known to within 1/128 of itself, so that a percentile is at most 0.8 % off.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEPS = 64, /* buckets between a power of two and the next */
    /* Up to 2^42 ns, 73 minutes, and one for all that is longer. */
    HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * (42 - 6 + 1) + 1,
    HISTOGRAM_TEXT = 4096 /* room for its drawing */
};

/* All zero is an empty histogram. */
struct histogram {
    uint64_t count;
    int64_t min; /* exact */
    int64_t max; /* exact */
    double mean; /* exact but for rounding, as is the sum of squares, both by Welford's method */
    double squares;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Counts a duration in nanoseconds; a negative one counts as 0. */
void histogram_add(struct histogram *histogram, int64_t nanoseconds);

/*
 * The duration that `fraction` (0.5: median) of all values do not exceed. Exact where that is the
 * least or the greatest of all values; else within the precision above: the middle of the bucket it
 * falls into, kept between these two. 0 for an empty histogram.
 */
int64_t histogram_percentile(const struct histogram *histogram, double fraction);

/*
 * How many values are below a limit. Exact where it is 0, or a power of two up to 2^42, since
 * buckets begin there; else to within the precision above.
 */
uint64_t histogram_count_below(const struct histogram *histogram, int64_t limit);

/* The standard deviation of all values in nanoseconds; 0 for fewer than two. */
double histogram_deviation(const struct histogram *histogram);

/*
 * Draws a histogram as lines of text, one for each doubling of the duration from the one of the
 * least value to that of the greatest, without a gap: its limits, a bar, and the count, which may
 * be 0. Only counts of 0 have no bar. The first doubling begins at 0; the last that there is, at
 * 2^42 ns, counts all that is longer, too. Nothing is drawn of an empty histogram. Returns `text`.
 */
const char *histogram_draw(const struct histogram *histogram, char text[HISTOGRAM_TEXT]);

#endif
