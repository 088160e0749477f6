/*
 * deadline: times and durations, all in nanoseconds. A deadline is a time of os_nanoseconds(): the
 * end of a wait, or the time when something is due.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>

#define MILLISECONDS(n) ((n)*INT64_C(1000000))
#define SECONDS(n) ((n)*INT64_C(1000000000))

/* A deadline that is never reached. */
#define DEADLINE_NEVER INT64_MAX

/* The earlier of two deadlines. Applied to each deadline in turn, it finds what is due next. */
static inline int64_t deadline_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
