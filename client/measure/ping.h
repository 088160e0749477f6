/* ping: the round trip of one message after another, as ping(8) shows it. */
#ifndef PING_H
#define PING_H

#include <stdint.h>

#include "connector.h"
#include "pattern.h"

struct ping_options {
    struct pattern pattern;  /* lines */
    bool detect;             /* whether answers are prefixed is found out from the first one */
    uint64_t count;          /* messages; UINT64_MAX: until it is stopped */
    int64_t interval;        /* nanoseconds from one message to the next */
    int64_t connect_timeout; /* nanoseconds, for each further try to connect */
};

enum ping_end {
    PING_ALL_ANSWERED, /* each message that could be answered was; nothing is known of those on the
                          way at a Ctrl-C */
    PING_LOST          /* a message, a byte or all connections were lost */
};

/*
 * Sends messages until `count` are answered or `stop`, the socket of os_stop_open(), becomes
 * readable, and prints a line for each answer and a summary to stdout. The connection's socket is
 * owned from now on; when it is lost, ping connects to the same server again.
 */
enum ping_end ping_run(const struct ping_options *options,
                       const struct connector_connection *connection, os_socket stop);

#endif
