/* load_result: pure. The results of a load, and the first failure in it. */
#ifndef LOAD_RESULT_H
#define LOAD_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "net.h"
#include "os.h"
#include "outages.h"
#include "pattern.h"

/* The first byte that was wrong, missing or extra. */
struct load_fault {
    bool found;
    const char *what; /* "wrong greeting", "wrong", "missing" or "extra" */
    uint64_t connection;
    struct pattern_place place;
    int expected; /* -1: no byte */
    int got;      /* -1: no byte */
};

/* What is counted, in all or of an interval. */
struct load_counts {
    uint64_t connections_made;
    uint64_t connections_failed; /* not made */
    uint64_t connections_lost;   /* ended or reset before their last answer */
    uint64_t messages_sent;
    uint64_t messages_answered; /* every byte was right */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t faults; /* connections on which a byte was wrong, missing or extra */
};

/* What was counted since `before`. */
struct load_counts load_counts_since(const struct load_counts *now,
                                     const struct load_counts *before);

struct load_result {
    char started_at[OS_UTC_TIME];  /* when the first message could be sent, or was due */
    char server[NET_ADDRESS_TEXT]; /* the address in use, or empty */
    struct load_counts counts;
    uint64_t messages_not_sent;  /* with a rate: messages due for which there was no room in time */
    uint64_t messages_in_flight; /* messages without an answer when the load was interrupted */
    double seconds; /* from the first message to the last answer, or to the end of the offered load
                       if that is later; 0: nothing was answered */
    bool interrupted;
    char failure[1024]; /* a message for the user: the first failure of a connection, or empty */
    struct load_fault fault;
    /* With keep_going. An outage begins when a connection is lost, or with the last byte on one
     * that is given up because it is silent, or when the try to make one began that failed. It ends
     * with the next right answer that comes while no connection is missing. */
    struct outages outages;
    struct histogram connect_time;
    struct histogram send_lateness; /* with a rate: from when a message was due to when its last
                                       byte was handed to the system; else empty */
    struct histogram round_trip;    /* with a rate from when a message was due, else from when it
                                       was sent */
};

/* Only the first failure and the first fault are recorded. Later faults are counted. */

/* Records `reason`, why a connection to `server` was not made or was lost, and what the user can do
 * about it. `what` begins the message. `source` is as for net_connect(). */
void load_result_record_failure(struct load_result *result, const char *what,
                                const struct net_address *server, const struct net_address *source,
                                struct net_result reason);

/* Records as a failure how many connections never received a byte, and what may be the cause. */
void load_result_record_unanswered(struct load_result *result, unsigned long long connections);

/* Records as a failure that the load was interrupted before anything was answered. */
void load_result_record_interruption(struct load_result *result);

/* Records a byte that is wrong, missing or extra. */
void load_result_record_fault(struct load_result *result, struct load_fault fault);

/*
 * Whether the load has passed: no failure or fault is recorded, all connections were made and kept,
 * and at least one message was answered. Unless the load was interrupted, all messages that were
 * due must have been sent and answered.
 */
bool load_result_passed(const struct load_result *result);

#endif
