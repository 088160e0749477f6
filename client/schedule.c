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

bool schedule_give(struct schedule *schedule, int64_t now, uint64_t *message)
{
    if (schedule_next(schedule) > now)
        return false;
    *message = schedule->given++;
    return true;
}

uint64_t schedule_given_to(const struct schedule *schedule, uint64_t connection)
{
    /* Rounded up: the first connections have had their turn in the last round. */
    return (schedule->given + schedule->connections - 1 - connection) / schedule->connections;
}
