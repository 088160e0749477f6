#include "schedule.h"

#include <math.h>

#include "deadline.h"

int64_t schedule_time(const struct schedule *schedule, uint64_t message)
{
    /* Rounded to nearest, so that a time that is a whole number of nanoseconds is exact. */
    return schedule->started +
           (int64_t)llround((double)message * (double)SECONDS(1) / schedule->rate);
}

int64_t schedule_next(const struct schedule *schedule)
{
    return schedule->rate > 0 && schedule->released < schedule->count
               ? schedule_time(schedule, schedule->released)
               : DEADLINE_NEVER;
}

uint64_t schedule_due_before(const struct schedule *schedule, int64_t end)
{
    if (schedule->rate <= 0 || end <= schedule->started)
        return 0;
    /* An estimate that is not too large despite rounding. The loop counts the few that are left, by
     * the exact times. */
    double estimate = (double)(end - schedule->started) / (double)SECONDS(1) * schedule->rate;

    if (estimate > (double)schedule->count)
        estimate = (double)schedule->count;
    uint64_t due = estimate > 2 ? (uint64_t)estimate - 2 : 0;

    while (due < schedule->count && schedule_time(schedule, due) < end)
        due++;
    return due;
}

uint64_t schedule_release(struct schedule *schedule, int64_t now)
{
    uint64_t before = schedule->released;

    /* schedule_due_before() leaves out a message due exactly at its end, but one due at `now` is
     * released: otherwise schedule_next() would stay at `now`, and the caller could not wait. */
    if (schedule_next(schedule) <= now)
        schedule->released = schedule_due_before(schedule, now + 1);
    return schedule->released - before;
}

uint64_t schedule_released_to(const struct schedule *schedule, uint64_t connection)
{
    /* Rounded up, because connections before the next one in turn have got one message more. */
    return (schedule->released + schedule->connections - 1 - connection) / schedule->connections;
}
