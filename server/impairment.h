/*
 * impairment: pure. How the server becomes an awkward peer on purpose: when, in which pieces and
 * with which faults the answers on one connection are sent. Answers are added as they are made, and
 * come out as they may be sent. The same rules and the same connection give the same faults.
 */
#ifndef IMPAIRMENT_H
#define IMPAIRMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "protocol.h"

/* What happens once, after a number of bytes of the answers on a connection. If several come after
 * the same number, a stall wins, and a reset wins over an end. */
enum impairment_fault {
    IMPAIRMENT_STALL,     /* nothing more is sent, or read, and the connection stays open */
    IMPAIRMENT_MUTE,      /* no further answers; input is still read */
    IMPAIRMENT_CLOSE,     /* the stream ends, and the connection closes */
    IMPAIRMENT_RESET,     /* the connection is reset */
    IMPAIRMENT_CORRUPT,   /* one bit of the next byte is wrong */
    IMPAIRMENT_DROP,      /* the next byte is left out */
    IMPAIRMENT_DUPLICATE, /* the next byte is sent twice */
    IMPAIRMENT_FAULTS
};

/* All zeros: nothing is impaired. */
struct impairment_rules {
    int64_t delay;  /* nanoseconds from when an answer is added to when it may be sent */
    int64_t jitter; /* up to so many nanoseconds more, drawn anew for each time of adding */
    uint64_t piece; /* the most bytes to send at once, a millisecond apart; 0: no limit */
    uint64_t rate;  /* bytes a second; 0: no limit */
    /* The byte of the answers, counted from 1, at which each fault comes; 0: never. */
    uint64_t at[IMPAIRMENT_FAULTS];
    uint64_t seed;
};

enum {
    IMPAIRMENT_QUEUE = 64 * 1024, /* bytes that wait to be sent before there is no more room */
    IMPAIRMENT_MARKS = 256        /* times of adding before there is no more room */
};

/* A part of the waiting bytes that may be sent at the same time. */
struct impairment_mark {
    uint64_t end; /* where it ends, counted from the first byte ever sent */
    int64_t due;
};

/*
 * The answers on one connection that have not been sent. Invariants: with a delay, each waiting
 * byte is in one mark, and no mark is empty; without one there are no marks. So the memory is
 * bounded by IMPAIRMENT_QUEUE and what is added at once.
 */
struct impairment {
    struct buffer waiting; /* owned */
    uint64_t added;        /* bytes of answers, before faults */
    uint64_t sent;         /* bytes taken out, after faults */
    int64_t added_at;      /* when the last mark was made */
    int64_t next_send;     /* the earliest time of the next send, by `piece` and `rate` */
    uint64_t random;
    unsigned first_mark; /* in `marks`, which is a ring */
    unsigned mark_count;
    struct impairment_mark marks[IMPAIRMENT_MARKS];
};

/* Whether these rules impair anything. */
bool impairment_is_on(const struct impairment_rules *rules);

/* Initializes the impairment of connection number `connection` of the server. */
void impairment_begin(struct impairment *impairment, const struct impairment_rules *rules,
                      uint64_t connection);

/* Frees the memory; nothing waits any more. */
void impairment_clear(struct impairment *impairment);

/* Adds a part of an answer. Returns false when memory is refused. */
bool impairment_add(struct impairment *impairment, const struct impairment_rules *rules,
                    struct span part, int64_t now);

/* Whether answers may be added, at this time or a later one; else input has to wait. */
bool impairment_has_room(const struct impairment *impairment, const struct impairment_rules *rules);

/* The bytes to send now; none if it is not time. Valid until the next call that changes the
 * impairment. */
struct span impairment_next(const struct impairment *impairment,
                            const struct impairment_rules *rules, int64_t now);

/* Takes out `length` bytes, at most those of impairment_next(), which have been sent. */
void impairment_sent(struct impairment *impairment, const struct impairment_rules *rules,
                     size_t length, int64_t now);

/* When impairment_next() has bytes; DEADLINE_NEVER if none wait, or none will be sent. */
int64_t impairment_due(const struct impairment *impairment, const struct impairment_rules *rules);

/* Whether this fault, IMPAIRMENT_STALL, _CLOSE or _RESET, has come: its bytes have been sent. */
bool impairment_has_come(const struct impairment *impairment, const struct impairment_rules *rules,
                         enum impairment_fault fault);

#endif
