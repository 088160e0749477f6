/* load_report: what a load found, as a table for people or as JSON for programs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load.h"
#include "output.h"

/* Adds the table of docs/measuring.md to what is to be printed. */
void load_report_table(struct output *output, const struct load_options *options,
                       const struct load_result *result);

/* Adds one JSON object (RFC 8259) in one line; docs/measuring.md describes its keys. */
void load_report_json(struct output *output, const struct load_options *options,
                      const struct load_result *result);

#endif
