/* load_report: prints the result of a load, as a table for people or as JSON for programs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load.h"
#include "output.h"

/* An interval of a load (--report). */
struct load_interval {
    char ended_at[OS_UTC_TIME];
    double elapsed;          /* from the start of the load to its end, in seconds */
    double seconds;          /* its length */
    size_t connections_open; /* at its end, with the idle ones */
    struct load_counts counts;
    uint64_t outages;    /* that ended in it */
    int64_t outage_time; /* how long these were together, in nanoseconds */
    const struct histogram *round_trip;
};

/* Prints a line about an interval; as one JSON object. docs/measuring.md describes both. */
void load_report_interval(struct output *output, const struct load_interval *interval);
void load_report_interval_json(struct output *output, const struct load_interval *interval);

/* Prints the table that docs/measuring.md describes. */
void load_report_table(struct output *output, const struct load_options *options,
                       const struct load_result *result);

/* Prints one JSON object (RFC 8259) on one line. docs/measuring.md describes its keys. */
void load_report_json(struct output *output, const struct load_options *options,
                      const struct load_result *result);

#endif
