/* report: pure. Durations and histograms as people and programs read them. */
#ifndef REPORT_H
#define REPORT_H

#include "histogram.h"

enum { REPORT_DURATION = 16, REPORT_RATE = 32, REPORT_HISTOGRAM = 4096 };

/* A number of messages a second, "105722", "16.7" or "0.5", written into `text`, which is returned:
 * whole from 100 on, below that three digits without zeros at the end. */
const char *report_rate(double rate, char text[REPORT_RATE]);

/* "950 ns", "45.3 us", "1.23 ms" or "2.50 s", written into `text`, which is returned. */
const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION]);

/*
 * Draws a histogram as lines of text, one for each doubling of the duration from the one of the
 * least value to that of the greatest, without a gap: its limits, a bar, and the count, which may
 * be 0. Only counts of 0 have no bar. The first doubling begins at 0; the last that there is, at
 * 2^42 ns, counts all that is longer, too. Nothing is drawn of an empty histogram. Returns `text`.
 */
const char *report_histogram(const struct histogram *histogram, char text[REPORT_HISTOGRAM]);

#endif
