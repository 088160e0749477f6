/*
 * schedule: pure. When the messages of an open-loop load are due. Message k, counted from 0 over
 * all connections, is due k / rate seconds after the start, on connection k % connections, whether
 * or not the server keeps up.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    double rate;          /* messages per second; 0: none is ever due */
    uint64_t count;       /* messages in all */
    uint64_t connections; /* at least 1 */
    int64_t started;
    uint64_t released; /* messages released so far: those before this number */
};

/* The time when a message is due, if the rate is not 0. */
/*@ requires schedule->rate > 0; */
int64_t schedule_time(const struct schedule *schedule, uint64_t message);

/* How many messages are due before `end`. In T seconds these are rate * T, rounded up. */
uint64_t schedule_due_before(const struct schedule *schedule, int64_t end);

/* Releases the messages that are due at `now` or before, and returns how many it has released. */
uint64_t schedule_release(struct schedule *schedule, int64_t now);

/* When the next message is due that has not been released; DEADLINE_NEVER if there is none. */
int64_t schedule_next(const struct schedule *schedule);

/* How many messages have been released to one connection. */
/*@ requires schedule->connections >= 1; */
uint64_t schedule_released_to(const struct schedule *schedule, uint64_t connection);

#endif
