/*
 * load_progress: what a load reports while it runs, interval by interval: with --report a line on
 * stdout, else at a terminal a row on stderr that is overwritten.
 */
#ifndef LOAD_PROGRESS_H
#define LOAD_PROGRESS_H

#include "generator.h"

/* Of all zeros, nothing is reported. */
struct load_progress {
    struct generator *generator;
    int64_t interval;
    int64_t began; /* when the current interval began */
    int64_t due;   /* when it ends: a multiple of the interval after the start of the load */
    struct load_counts before; /* what had been counted when it began */
    struct outages outages;    /* as they were then */
};

/* Begins the first interval. The generator has been started. */
void load_progress_begin(struct load_progress *progress, struct generator *generator);

/* When load_progress_report() is to be called again; DEADLINE_NEVER if nothing is reported. */
int64_t load_progress_due(const struct load_progress *progress);

/*
 * Reports the interval if it is over, and begins the next one. While 64 KiB of stdout are unread,
 * the interval goes on instead: the next line is about all of it.
 */
void load_progress_report(struct load_progress *progress);

/* Reports what is left of the last interval, which ends at `end`. Removes the row from the
 * terminal. */
void load_progress_finish(struct load_progress *progress, int64_t end);

#endif
