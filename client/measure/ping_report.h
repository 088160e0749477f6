/* ping_report: prints the result of a ping, as a summary for people or as JSON for programs. */
#ifndef PING_REPORT_H
#define PING_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "connector.h"
#include "output.h"
#include "ping.h"
#include "report_json.h"

struct ping_result {
    char server[NET_ADDRESS_TEXT]; /* the address that was used last, or empty */
    char started_at[OS_UTC_TIME];
    uint64_t sent; /* messages, each attempt to connect that failed or had not ended, and with
                      connect_only each connection */
    uint64_t answered;
    uint64_t lost;
    bool interrupted;
    bool broken; /* select() failed */
    struct outages outages;
    char failure[CONNECTOR_ERROR + 96]; /* the first message about a connection that was not made or
                                           was lost, or about select(); or empty */
    struct load_fault fault;
    struct histogram connect_time;
    struct histogram round_trip; /* empty with connect_only */
};

/* Whether at least one message was answered, and none was lost or answered wrong. */
bool ping_result_passed(const struct ping_result *result);

/* Prints the summary that docs/measuring.md describes. */
void ping_report_summary(struct output *output, const struct ping_options *options,
                         const struct ping_result *result);

/* Prints one JSON object (RFC 8259) on one line. docs/measuring.md describes its keys. */
void ping_report_json(struct output *output, const struct ping_options *options,
                      const struct ping_result *result);

#endif
