/* report: durations, rates and failures as people read them. */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>

#include "net.h"

enum { REPORT_DURATION = 16, REPORT_RATE = 32 };

/* A number of messages a second, "105722", "16.7" or "0.5", written into `text`, which is returned:
 * whole from 100 on, below that three digits without zeros at the end. */
const char *report_rate(double rate, char text[REPORT_RATE]);

/* A duration in seconds. */
double report_seconds(int64_t nanoseconds);

/* "950 ns", "45.3 us", "1.23 ms" or "2.50 s", written into `text`, which is returned. */
const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION]);

/*
 * Why a connection was not made or was lost, in words for the user, written into `text`, which is
 * returned: the system's where it gave a number; else that the server closed it, did not answer in
 * time (NET_WOULD_BLOCK), or that memory was refused.
 */
const char *report_failure(struct net_result result, char text[OS_ERROR_TEXT]);

#endif
