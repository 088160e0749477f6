/*
 * load: many connections in one select() loop, each exchanging messages with an echo server as fast
 * as it answers, or at a given rate, and comparing every byte.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "connector.h"
#include "load_result.h"
#include "pattern.h"

struct load_options {
    struct pattern pattern;
    uint32_t connections; /* that exchange messages */
    uint32_t idle;        /* more that are only held open */
    uint32_t pipeline;    /* messages in flight on a connection at most */
    int64_t duration;     /* nanoseconds; 0: no limit */
    uint64_t count;       /* messages in all; UINT64_MAX: no limit */
    double rate; /* messages a second in all, sent when they are due; 0: as soon as there is room */
    int64_t connect_timeout; /* nanoseconds without any progress */
    bool reconnect;          /* a new connection for each message */
    bool progress;           /* a line on stderr once a second */
};

/*
 * Runs the load until duration, count or `stop`, the socket of os_stop_open(), ends it, and then
 * waits for the answers that are still due. `first` is the first of its connections, and its socket
 * owned from now on; the others are made to the same server. With a rate and a connection for each
 * message, it has only shown that the server is there. Fills in `result`. Returns false when
 * memory is refused.
 */
bool load_run(const struct load_options *options, const struct connector_connection *first,
              os_socket stop, struct load_result *result);

#endif
