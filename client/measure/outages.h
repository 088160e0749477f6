/* outages: pure. How often there was an outage, and how long. */
#ifndef OUTAGES_H
#define OUTAGES_H

#include <stdint.h>

/* All zeros at first. Times are in nanoseconds. */
struct outages {
    uint64_t count; /* including the current one */
    int64_t total;  /* of those that have ended */
    int64_t longest;
    int64_t began; /* when the current one began; 0: there is none */
    int64_t ended; /* when the last one ended; 0: none has */
};

/* Begins an outage, or lets the current one begin earlier. An outage may be noticed late, so
 * `since` may be in the past, but it is not 0. No outage begins before the last one ended. */
void outages_begin(struct outages *outages, int64_t since);

/* Ends the current outage, if there is one. `now` is not before any time that was given. */
void outages_end(struct outages *outages, int64_t now);

/* How many outages have ended. */
uint64_t outages_ended(const struct outages *outages);

#endif
