/*
 * load: many connections in one select() loop, each exchanging messages with an echo server as fast
 * as it answers, or at a given rate, and comparing every byte.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "net.h"
#include "pattern.h"

struct load_options {
    struct pattern pattern;
    uint32_t connections; /* that exchange messages */
    uint32_t idle;        /* more that are only held open */
    uint32_t pipeline;    /* messages in flight on a connection at most */
    int64_t duration;     /* milliseconds; 0: no limit */
    uint64_t count;       /* messages in all; UINT64_MAX: no limit */
    double rate; /* messages a second in all, sent when they are due; 0: as soon as there is room */
    int64_t connect_timeout; /* milliseconds without any progress */
    bool reconnect;          /* a new connection for each message */
    bool progress;           /* a line on stderr once a second */
};

/* The first byte that was not right. */
struct load_fault {
    bool found;
    const char *what; /* "wrong", "missing" or "extra" */
    uint64_t connection;
    struct pattern_place place;
    int expected; /* -1: nothing */
    int got;      /* -1: nothing */
};

struct load_result {
    uint64_t connections_made;
    uint64_t connections_failed; /* not made */
    uint64_t connections_lost;   /* ended or reset before their last answer */
    uint64_t messages_sent;
    uint64_t
        messages_not_sent; /* with a rate: due, but there was no room for them before the end */
    uint64_t messages_answered; /* right in every byte */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    double seconds; /* from the first message to the last answer */
    bool interrupted;
    char failure[256]; /* why the first connection failed or was lost, for people; else empty */
    struct load_fault fault;
    struct histogram connect_time;
    struct histogram
        round_trip; /* with a rate: since the message was due; else since it was sent */
};

/*
 * Runs the load against `server` until duration, count or `stop`, the socket of os_stop_open(),
 * ends it, and then waits for the answers that are still due. Fills in `result`. Returns false when
 * memory is refused.
 */
bool load_run(const struct load_options *options, const struct net_address *server, os_socket stop,
              struct load_result *result);

/* Whether everything that was sent came back right, on connections that all could be made. */
bool load_passed(const struct load_result *result);

#endif
