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
#include "output.h"
#include "pattern.h"

struct load_options {
    struct pattern pattern;
    uint32_t connections;             /* connections that exchange messages */
    uint32_t idle;                    /* further connections that are only held open */
    uint32_t pipeline;                /* the most messages in flight on a connection */
    int64_t duration;                 /* nanoseconds; 0: no limit */
    uint64_t count;                   /* messages in all; UINT64_MAX: no limit */
    const struct net_address *source; /* of every connection; NULL: chosen for each of them */
    double rate;             /* messages per second in all, sent when they are due; 0: sent as soon
                                as there is room */
    int64_t connect_timeout; /* how long connecting may take, in nanoseconds */
    bool reconnect;          /* a new connection for each message */
    bool keep_going;         /* replace connections that are lost or cannot be made */
    /* The addresses to try in turn, with keep_going, until the first connection is made; if it has
     * been made already, there are none. */
    const struct net_address *addresses;
    size_t address_count;
    int64_t report; /* nanoseconds from a line on stdout to the next, while it runs; 0: none */
    bool json;      /* these lines are JSON objects */
    bool progress;  /* a row on the terminal that is stderr, every second; not with report */
};

/*
 * Runs a load until its duration or count is reached or `stop`, the socket of os_stop_open(),
 * becomes readable. Then waits for outstanding answers, except after a request to stop. Takes
 * ownership of the socket of `first`, which becomes the first connection; the others are made to
 * the same server. With a rate and `reconnect`, it is closed unused. With keep_going, it may be
 * OS_NO_SOCKET. The lines of `report` go to `output`, and their last ones may be left in it
 * unwritten. The load ends early if `output` is broken. Fills in `result`. Returns false when
 * memory is refused.
 */
bool load_run(const struct load_options *options, const struct connector_connection *first,
              os_socket stop, struct output *output, struct load_result *result);

#endif
