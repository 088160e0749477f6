#include "schedule.h"

int64_t schedule_time(const struct schedule *schedule, uint64_t message)
{
    return schedule->started + (int64_t)((double)message / schedule->rate * 1e9);
}

int64_t schedule_next(const struct schedule *schedule)
{
    return schedule->rate > 0 && schedule->given < schedule->count
               ? schedule_time(schedule, schedule->given)
               : INT64_MAX;
}

uint64_t schedule_give(struct schedule *schedule, int64_t now)
{
    uint64_t before = schedule->given;

    if (schedule_next(schedule) > now)
        return 0;
    /* How many, at most one too few; the rest one by one. */
    double passed = (double)(now - schedule->started) / 1e9 * schedule->rate;

    if (passed > (double)schedule->count)
        passed = (double)schedule->count;
    if (passed > (double)before + 1)
        schedule->given = (uint64_t)passed - 1;
    while (schedule_next(schedule) <= now)
        schedule->given++;
    return schedule->given - before;
}

uint64_t schedule_given_to(const struct schedule *schedule, uint64_t connection)
{
    /* Rounded up: the first connections have had their turn in the last round. */
    return (schedule->given + schedule->connections - 1 - connection) / schedule->connections;
}
