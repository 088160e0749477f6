/*
 * exchange: one connection on which messages go out and their answers come back, every byte of them
 * compared and every answer timed. What is sent is made when it is sent, so a connection owns no
 * buffer, however slow its server is.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net.h"
#include "pattern.h"
#include "selector.h"

struct exchange {
    struct selector_watch watch; /* first; its socket is owned */
    const struct pattern *pattern;
    uint64_t connection;            /* its number in the pattern */
    struct pattern_place sending;   /* the next byte to send */
    struct pattern_place receiving; /* the next byte to come */
    uint64_t begun;                 /* messages that are sent, or to be sent now */
    int64_t *timed_from; /* owned: from when the messages in flight are timed, message m at m %
                            pipeline */
    uint32_t pipeline;   /* the most messages in flight */
};

/* Where an answer is wrong. */
enum exchange_fault {
    EXCHANGE_RIGHT,
    EXCHANGE_WRONG, /* a byte is not what it should be */
    EXCHANGE_EXTRA  /* a byte came that answers nothing */
};

struct exchange_received {
    struct net_result result; /* of the recv: NET_DONE, NET_END, NET_WOULD_BLOCK, ... */
    const char *bytes;        /* what came; valid until the next call for any exchange */
    uint64_t answered;        /* messages whose answers are now complete: those before
                                 exchange.receiving.message */
    enum exchange_fault
        fault; /* at exchange.receiving: EXCHANGE_RIGHT, EXCHANGE_WRONG or EXCHANGE_EXTRA */
    unsigned char expected;
    unsigned char got;
};

/*
 * Makes an exchange of a socket, which is connected or about to be, owns it from now on, and
 * watches it for `interest`. Returns false, and then the socket is closed, when memory is refused.
 */
bool exchange_open(struct exchange *exchange, const struct pattern *pattern, uint64_t connection,
                   uint32_t pipeline, os_socket s, struct selector *selector, uint8_t interest);

/* Watches the socket no longer, closes it, and frees what the exchange owns. */
void exchange_close(struct exchange *exchange, struct selector *selector);

/* Messages that have been begun and not answered. */
uint64_t exchange_in_flight(const struct exchange *exchange);

/* Begins one more message, timed from `timed_from` on; there are fewer than `pipeline` in
 * flight. */
void exchange_begin(struct exchange *exchange, int64_t timed_from);

/* From when a message in flight, or one that has just been answered, is timed. */
int64_t exchange_timed_from(const struct exchange *exchange, uint64_t message);

/* Sends once: what is begun, up to the size of the scratch buffer. It does not go on, so that a
 * server that takes bytes as fast as they are made cannot hold up the loop. As net_send(); NET_DONE
 * also when there is nothing to send. */
struct net_result exchange_send(struct exchange *exchange);

/* Whether what is begun and not sent fills a send: what is begun now would only wait behind it. */
bool exchange_is_full(const struct exchange *exchange);

/* What to wait for: answers, and room as long as something that is begun has not been sent. */
uint8_t exchange_interest(const struct exchange *exchange);

/* Reads once, and compares. */
struct exchange_received exchange_receive(struct exchange *exchange);

/* Compares bytes that have been received; sets all but the result. */
void exchange_compare(struct exchange *exchange, const char *bytes, size_t length,
                      struct exchange_received *received);

#endif
