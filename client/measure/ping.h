/* ping: measures the round trip of one message after another, or the time of one connect after
 * another, and shows it as ping(8) does. */
#ifndef PING_H
#define PING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include "pattern.h"

struct ping_options {
    struct pattern pattern;  /* lines */
    bool detect;             /* the first answer shows whether answers are prefixed */
    bool connect_only;       /* each message is a connection, which is made and closed at once */
    bool quiet;              /* print the report alone */
    bool json;               /* the report is a JSON object, and printed alone */
    uint64_t count;          /* messages to send; UINT64_MAX: no limit */
    int64_t interval;        /* nanoseconds from one message to the next */
    int64_t connect_timeout; /* nanoseconds, for each attempt to connect */
    const struct net_address *source; /* of every connection; NULL: the system chooses */
};

enum ping_end {
    PING_ALL_ANSWERED, /* at least one answer, and none lost or wrong; messages in flight when a
                          request to stop arrived do not count */
    PING_LOST          /* anything else */
};

/*
 * Connects to one of `count` addresses, 1 to NET_RESOLVE_MAX, and sends messages until as many as
 * the options say are answered or lost, a byte is wrong, or `stop`, the socket of os_stop_open(),
 * becomes readable. If no connection can be made or it is lost, it connects again: to one address
 * after the other until one has answered, and then to that one. Prints a line for each answer, loss
 * and connection, and a summary, to stdout.
 */
enum ping_end ping_run(const struct ping_options *options, const struct net_address *addresses,
                       size_t count, os_socket stop);

#endif
