/*
 * schedule: pure. When the messages of an open-loop load are due: message k of all, counted from 0,
 * k / rate seconds after the start, on connection k % connections, whether or not the server keeps
 * up. Times are in nanoseconds.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    double rate;          /* messages a second; 0: nothing is ever due */
    uint64_t count;       /* messages in all */
    uint64_t connections; /* at least 1 */
    int64_t started;
    uint64_t given; /* messages that were due so far */
};

/* When a message is due. */
int64_t schedule_time(const struct schedule *schedule, uint64_t message);

/* How many of all messages are due in [started, end): of R a second in T seconds R * T, rounded up.
 */
uint64_t schedule_due_before(const struct schedule *schedule, int64_t end);

/* Gives all messages that are due by now and not given yet; returns how many. */
uint64_t schedule_give(struct schedule *schedule, int64_t now);

/* When schedule_give() will give one more; INT64_MAX: never. */
int64_t schedule_next(const struct schedule *schedule);

/* How many messages were due so far on one connection. */
uint64_t schedule_given_to(const struct schedule *schedule, uint64_t connection);

#endif
