/*
 * client/measure/schedule, and common/stop_requests: any time from 0 to 2^61 ns, 73 years.
 *
 * run: prove_schedule -eva-slevel 0 -eva-min-loop-unroll 13 -no-warn-unsigned-overflow
 * run: prove_stop_requests
 * inputs: rates of 0 and from 0.001 to 10^9, the last message due within 63 years
 * assumed: llround
 */
#include "prove.h"

#include "../../client/measure/schedule.c"
#include "../../common/stop_requests.c"

/* The latest time: 73 years. */
static const int64_t LATEST = (int64_t)1 << 61;

long long llround(double value)
{
    //@ assert -0x1p62 <= value <= 0x1p62;
    return (long long)value + (long long)any_between(0, 2) - 1;
}

static void prove_rate(double least, double most)
{
    /* With the least of these rates the last message is due after 63 years. */
    uint64_t count = (uint64_t)(least * 2e9);
    struct schedule schedule = {.rate = any_double(least, most),
                                .count = any_between(0, count),
                                .connections = any_between(1, UINT32_MAX),
                                .started = (int64_t)any_between(0, (uint64_t)LATEST)};
    int64_t time = (int64_t)any_between(0, (uint64_t)LATEST);

    schedule.released = any_between(0, schedule.count);
    schedule_time(&schedule, any_between(0, count));
    schedule_next(&schedule);
    schedule_due_before(&schedule, time);
    schedule_release(&schedule, time);
    schedule_released_to(&schedule, any_between(0, schedule.connections - 1));
}

void prove_schedule(void)
{
    struct schedule never = {.count = any_between(0, UINT64_MAX), .connections = 1};
    double rate = 0.001;

    schedule_next(&never);
    schedule_due_before(&never, LATEST);
    schedule_release(&never, LATEST);
    for (int decade = 0; decade < 12; decade++) {
        prove_rate(rate, rate * 10);
        rate *= 10;
    }
}

void prove_stop_requests(void)
{
    struct stop_requests requests = {.count = (unsigned)any_between(0, UINT32_MAX - 1),
                                     .time = (int64_t)any_between(0, (uint64_t)LATEST)};

    stop_requests_add(&requests,
                      (struct stop_request){.time = (int64_t)any_between(0, (uint64_t)LATEST),
                                            .hang_up = (int64_t)any_between(0, 1)});
}
