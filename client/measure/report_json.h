/* report_json: what the JSON reports (RFC 8259) of --load and --ping have in common. Each function
 * prints one or more members of an object, each behind a comma. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "histogram.h"
#include "load_result.h"
#include "os.h"
#include "outages.h"
#include "output.h"

/* The percentiles of all reports. */
enum { REPORT_PERCENTILES = 4 };
struct report_percentile {
    const char *name; /* for people */
    const char *key;  /* in JSON */
    double fraction;
};
extern const struct report_percentile report_percentiles[REPORT_PERCENTILES];

/* Prints durations as an object with their count, and in microseconds their extremes, mean,
 * standard deviation and percentiles. */
void report_json_times(struct output *output, const char *key, const struct histogram *times);

/* Prints UTF-8 text as a string; NULL as null. */
void report_json_text(struct output *output, const char *key, const char *text);

/* Prints where a byte was wrong, missing or extra, as an object; null if none was. */
void report_json_fault(struct output *output, const struct load_fault *fault);

/* Prints how many outages there were and how long they lasted, as an object. */
void report_json_outages(struct output *output, const struct outages *outages);

/* Prints which version of the program measured which server, and since when, a text of
 * os_utc_time(). `server` is an address with its port, or NULL if the host has no address. */
void report_json_run(struct output *output, const char *server, const char started_at[OS_UTC_TIME]);

#endif
