#include "schedule.h"

#include <math.h>

#include "deadline.h"

int64_t schedule_time(const struct schedule *schedule, uint64_t message)
{
    /* To the nearest nanosecond: where it is a whole number of them, exactly that. */
    return schedule->started + (int64_t)llround((double)message * 1e9 / schedule->rate);
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
    /* Nearly as many, but not one too many; the rest one by one. */
    double passed = (double)(end - schedule->started) / 1e9 * schedule->rate;

    if (passed > (double)schedule->count)
        passed = (double)schedule->count;
    uint64_t due = passed > 2 ? (uint64_t)passed - 2 : 0;

    while (due < schedule->count && schedule_time(schedule, due) < end)
        due++;
    return due;
}

uint64_t schedule_release(struct schedule *schedule, int64_t now)
{
    uint64_t before = schedule->released;

    if (schedule_next(schedule) <= now)
        schedule->released = schedule_due_before(schedule, now + 1); /* due at `now`, too */
    return schedule->released - before;
}

uint64_t schedule_released_to(const struct schedule *schedule, uint64_t connection)
{
    /* Rounded up: the first connections have had their turn in the last round. */
    return (schedule->released + schedule->connections - 1 - connection) / schedule->connections;
}
