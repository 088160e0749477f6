/*
 * deadline: moments and durations. Inside the programs all of them are nanoseconds; a deadline is a
 * moment of os_nanoseconds(), until which one waits or after which something is due.
 */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>

#define MILLISECONDS(n) ((n)*INT64_C(1000000))
#define SECONDS(n) ((n)*INT64_C(1000000000))

/* A deadline that is never reached. */
#define DEADLINE_NEVER INT64_MAX

/* Which of two deadlines is reached first: what is due next is found with it, one after the other.
 */
static inline int64_t deadline_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
