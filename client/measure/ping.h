/* ping: measures the round trip of one message after another, and shows it as ping(8) does. */
#ifndef PING_H
#define PING_H

#include <stdint.h>

#include "connector.h"
#include "pattern.h"

struct ping_options {
    struct pattern pattern;  /* lines */
    bool detect;             /* the first answer shows whether answers are prefixed */
    uint64_t count;          /* messages to send; UINT64_MAX: no limit */
    int64_t interval;        /* nanoseconds from one message to the next */
    int64_t connect_timeout; /* nanoseconds, for each attempt to connect again */
};

enum ping_end {
    PING_ALL_ANSWERED, /* at least one answer, and none lost or wrong; messages in flight when a
                          request to stop arrived do not count */
    PING_LOST          /* anything else */
};

/*
 * Sends messages until `count` are answered or lost, a byte is wrong, or `stop`, the socket of
 * os_stop_open(), becomes readable. Prints a line for each answer and a summary to stdout. Takes
 * ownership of the connection's socket. If the connection is lost, it connects to the same server
 * again.
 */
enum ping_end ping_run(const struct ping_options *options,
                       const struct connector_connection *connection, os_socket stop);

#endif
