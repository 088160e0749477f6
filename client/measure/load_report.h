/* load_report: prints the result of a load, as a table for people or as JSON for programs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load.h"
#include "output.h"

/* Prints the table that docs/measuring.md describes. */
void load_report_table(struct output *output, const struct load_options *options,
                       const struct load_result *result);

/* Prints one JSON object (RFC 8259) on one line. docs/measuring.md describes its keys. */
void load_report_json(struct output *output, const struct load_options *options,
                      const struct load_result *result);

#endif
