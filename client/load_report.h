/* load_report: what a load found, as a table for people or as JSON for programs. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load.h"

/* Prints the table of docs/measuring.md to stdout. */
void load_report_table(const struct load_options *options, const struct load_result *result);

/* Prints one JSON object (RFC 8259) in one line to stdout; docs/measuring.md describes its keys. */
void load_report_json(const struct load_options *options, const struct load_result *result);

#endif
