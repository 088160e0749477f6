/* outages: pure. How often there was an outage, and how long. */
#ifndef OUTAGES_H
#define OUTAGES_H

#include <stdint.h>

/* All zeros at first. Times are in nanoseconds. */
struct outages {
    uint64_t count; /* with the one that lasts */
    int64_t total;  /* of those that have ended */
    int64_t longest;
    int64_t began; /* when the one that lasts began; 0: there is none */
};

/* Begins an outage, unless one lasts. `now` is not 0. */
void outages_begin(struct outages *outages, int64_t now);

/* Ends the outage that lasts, if there is one. */
void outages_end(struct outages *outages, int64_t now);

#endif
