/*
 * exchange: one connection on which messages are sent and their answers are received. Every byte of
 * an answer is compared, and every answer is timed. Messages are generated when they are sent, so a
 * connection owns no buffer, however slow its server is.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"
#include "pattern.h"
#include "selector.h"

struct exchange {
    struct selector_watch watch; /* the first member; its socket is owned */
    const struct pattern *pattern;
    uint64_t connection;            /* the number of the connection in the pattern */
    struct pattern_place sending;   /* the next byte to send */
    struct pattern_place receiving; /* the next byte to receive, after the greeting */
    size_t greeted;                 /* bytes received of the greeting */
    uint64_t begun;                 /* messages begun: sent, or to be sent now */
    /* When the timing of each message in flight starts; message m is at m % pipeline. Owned. */
    int64_t *timed_from;
    uint32_t pipeline; /* the most messages in flight */
};

/* Where an answer is wrong. */
enum exchange_fault {
    EXCHANGE_RIGHT,
    EXCHANGE_UNGREETED, /* the greeting's byte at `greeted` differs from the expected one */
    EXCHANGE_WRONG,     /* a byte differs from the expected one */
    EXCHANGE_EXTRA      /* a byte was received after the last expected answer */
};

/* What a report calls a fault: "wrong greeting", "wrong" or "extra". */
const char *exchange_fault_name(enum exchange_fault fault);

struct exchange_received {
    struct net_result result;  /* of the recv: NET_DONE, NET_END, NET_WOULD_BLOCK, ... */
    const char *bytes;         /* the received bytes; valid until the next call for any exchange */
    uint64_t answered;         /* how many answers were completed: the last ones before
                                  exchange.receiving.message */
    enum exchange_fault fault; /* at the place exchange.receiving */
    unsigned char expected;    /* unless EXCHANGE_RIGHT or EXCHANGE_EXTRA */
    unsigned char got;         /* unless EXCHANGE_RIGHT */
};

/*
 * Starts an exchange on a socket that is connected or connecting. Takes ownership of the socket and
 * watches it for `interest`. Closes the socket and returns false when memory is refused.
 */
bool exchange_open(struct exchange *exchange, const struct pattern *pattern, uint64_t connection,
                   uint32_t pipeline, os_socket s, struct selector *selector, uint8_t interest);

/* Stops watching the socket, closes it, and frees the memory of the exchange. */
void exchange_close(struct exchange *exchange, struct selector *selector);

/* The number of messages that have been begun and not answered yet. */
uint64_t exchange_in_flight(const struct exchange *exchange);

/* Begins one more message, whose timing starts at `timed_from`. Fewer than `pipeline` messages must
 * be in flight. */
void exchange_begin(struct exchange *exchange, int64_t timed_from);

/* Where the next byte is received, for a fault: in the greeting, as if it were part of message 0,
 * or in the answers. */
struct pattern_place exchange_place(const struct exchange *exchange);

/* The byte that is right at exchange_place(). */
unsigned char exchange_expected(const struct exchange *exchange);

/* When the timing of a message started that is in flight or has just been answered. */
int64_t exchange_timed_from(const struct exchange *exchange, uint64_t message);

/*
 * Sends unsent bytes of the begun messages, at most as many as fit into the scratch buffer. It
 * calls net_send() only once, so that a server that takes bytes as fast as they are generated
 * cannot hold up the loop. Returns the result of net_send(), or NET_DONE when there is nothing to
 * send.
 */
struct net_result exchange_send(struct exchange *exchange);

/* Whether the unsent bytes already fill one send. A message begun now would only wait behind
 * them. */
bool exchange_is_full(const struct exchange *exchange);

/* What to wait for: answers and, while begun messages have unsent bytes, room to send. */
uint8_t exchange_interest(const struct exchange *exchange);

/* Receives once, and compares the received bytes. */
struct exchange_received exchange_receive(struct exchange *exchange);

/* Compares received bytes with the expected answers. Sets `answered`, `fault`, `expected` and
 * `got`. */
void exchange_compare(struct exchange *exchange, const char *bytes, size_t length,
                      struct exchange_received *received);

#endif
