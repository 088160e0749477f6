/* report: formats durations, rates and failures for people. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "net.h"

enum { REPORT_DURATION = 16, REPORT_RATE = 32, REPORT_PERCENT = 16 };

/* Writes a rate, such as "105722", "16.7" or "0.5", into `text` and returns it. From 100 on it is a
 * whole number; below, it has three significant digits, without trailing zeros. */
const char *report_rate(double rate, char text[REPORT_RATE]);

/* Writes `part` of `whole` as a percentage into `text` and returns it, such as "0", "33.3" or
 * "100". It is 0 or 100 only if it is exactly that. `whole` 0 gives "0". */
const char *report_percent(uint64_t part, uint64_t whole, char text[REPORT_PERCENT]);

/* A duration in seconds. */
double report_seconds(int64_t nanoseconds);

/* Writes a duration, such as "950 ns", "45.3 us", "1.23 ms" or "2.50 s", into `text` and returns
 * it. */
const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION]);

/*
 * Writes for the user why a connection was not made or was lost, and returns `text`. It is the
 * system's message if the result has an error number. Otherwise it says that the server closed the
 * connection (NET_END) or did not answer in time (NET_WOULD_BLOCK), or that memory was refused.
 */
const char *report_failure(struct net_result result, char text[OS_ERROR_TEXT]);

#endif
