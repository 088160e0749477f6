/*
 * stop_requests: pure. How many requests to stop a program has got. One wish to stop may arrive
 * more than once: timeout(1) signals its child and then the child's group, the kernel and the shell
 * both send SIGHUP when a window closes, a wrapper forwards the Ctrl-C that its child has got as
 * well.
 */
#ifndef STOP_REQUESTS_H
#define STOP_REQUESTS_H

#include <stdint.h>

#include "deadline.h"

/* After the request that was counted last, within which another one is the same. */
static const int64_t STOP_REQUESTS_APART = SECONDS(1);

/* What a signal handler sends to the loop. As wide as each other: there is no padding to send. */
struct stop_request {
    int64_t time;    /* when it came */
    int64_t hang_up; /* 1: the terminal is gone, or the session ends; 0: somebody asks */
};

/* All zero is none. */
struct stop_requests {
    unsigned count;
    int64_t time; /* when the last one came that was counted */
};

/*
 * Counts a request, unless it is part of one that was counted. A hang-up is never more than the
 * first: nobody is there who could be impatient.
 */
void stop_requests_add(struct stop_requests *requests, struct stop_request request);

#endif
