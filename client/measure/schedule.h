/*
 * schedule: pure. When the messages of an open-loop load are due: message k of all, counted from 0,
 * k / rate seconds after the start, on connection k % connections, whether or not the server keeps
 * up.
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
    uint64_t released; /* messages that were due so far */
};

/* When a message is due. */
int64_t schedule_time(const struct schedule *schedule, uint64_t message);

/* How many of all messages are due in [started, end): of R a second in T seconds R * T, rounded up.
 */
uint64_t schedule_due_before(const struct schedule *schedule, int64_t end);

/* Releases all messages that are due by now and have not been released yet; returns how many. */
uint64_t schedule_release(struct schedule *schedule, int64_t now);

/* When schedule_release() will release one more. */
int64_t schedule_next(const struct schedule *schedule);

/* How many messages were due so far on one connection. */
uint64_t schedule_released_to(const struct schedule *schedule, uint64_t connection);

#endif
