/* load_result: pure. What a load has come to, and the first thing that went wrong in it. */
#ifndef LOAD_RESULT_H
#define LOAD_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "net.h"
#include "pattern.h"

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
    uint64_t messages_not_sent;  /* with a rate: due, but there was no room for them in time */
    uint64_t messages_answered;  /* right in every byte */
    uint64_t messages_in_flight; /* when it was interrupted: those still waited for */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    double seconds; /* from the first message to the last answer, or to the end of the time in which
                       load was offered, if that is later. 0: nothing was answered */
    bool interrupted;
    char failure[1024]; /* why the first connection failed or was lost, for people; else empty */
    struct load_fault fault;
    struct histogram connect_time;
    struct histogram send_lateness; /* with a rate: from when a message was due to when its last
                                       byte was handed to the system; else empty */
    struct histogram
        round_trip; /* with a rate: since the message was due; else since it was sent */
};

/* Records why a connection to `server` was not made or was lost, with what can be done about it,
 * unless a failure is recorded already. `what` names it. */
void load_result_record_failure(struct load_result *result, const char *what,
                                const struct net_address *server, struct net_result reason);

/* Records the number of connections that never got a byte of an answer, unless a failure is
 * recorded. */
void load_result_record_unanswered(struct load_result *result, unsigned long long connections);

/* Records that it was interrupted before anything was answered, unless a failure is recorded
 * already. */
void load_result_record_interruption(struct load_result *result);

/* Records a byte that is not right, unless one is recorded already. */
void load_result_record_fault(struct load_result *result, struct load_fault fault);

/* Whether something was answered, and everything that was due was sent and came back right, on
 * connections that all could be made; of a load that was interrupted, what came back by then. Never
 * where a failure is recorded. */
bool load_result_passed(const struct load_result *result);

#endif
