/*
 * stop_requests: pure. Counts the requests to stop that a program has received. One intention may
 * arrive more than once: timeout(1) signals its child and then the child's process group, the
 * kernel and the shell both send SIGHUP when a window closes, and a wrapper forwards a Ctrl-C that
 * its child has received as well.
 */
#ifndef STOP_REQUESTS_H
#define STOP_REQUESTS_H

#include <stdint.h>

#include "deadline.h"

/* Requests that arrive this soon after the last counted one belong to it. */
static const int64_t STOP_REQUESTS_APART = SECONDS(1);

/* What a signal handler sends to the loop. Both members have the same width, so there is no
 * padding. */
struct stop_request {
    int64_t time;    /* when it arrived */
    int64_t hang_up; /* 1: the terminal is gone, or the session ends; 0: a user or program asks to
                        stop */
};

/* All zeros: no request. */
struct stop_requests {
    unsigned count;
    int64_t time; /* when the last counted one arrived */
};

/*
 * Counts a request, unless it belongs to one already counted. A hang-up counts only as the first
 * request: it does not mean that a user is impatient.
 */
void stop_requests_add(struct stop_requests *requests, struct stop_request request);

#endif
