/*
 * generator: the connections of a load, and what happens on them. load.c says when to connect, to
 * send and to end; the generator does it, one round of waiting and serving after another.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include "exchange.h"
#include "load.h"
#include "schedule.h"
#include "selector.h"
#include "source.h"

enum generator_watch {
    GENERATOR_STOP,
    GENERATOR_IDLE,
    GENERATOR_CONNECTING,
    GENERATOR_OPEN,
    GENERATOR_WAITING, /* nothing is open: to connect when the next message is due */
    GENERATOR_CLOSED
};

struct generator_connection {
    struct exchange exchange; /* first; open unless the kind of its watch is GENERATOR_WAITING or
                                 GENERATOR_CLOSED */
    int64_t connect_began;
    uint64_t messages_begun; /* messages that have been begun, on all that this connection was */
    bool idle;               /* only to be idle open */
};

struct generator {
    const struct load_options *options;
    struct load_result *result;
    struct connector_connection
        first; /* to be messages_begun over; its socket OS_NO_SOCKET afterwards */
    struct selector *selector;
    struct selector_watch stop;
    struct generator_connection
        *connections; /* those that exchange messages first, then those that are idle open */
    size_t total;     /* of both */
    size_t opened;    /* connections that have been begun so far */
    size_t connecting;
    size_t alive;   /* open connections that exchange messages */
    size_t waiting; /* those that are to be made when a message is due */
    uint64_t in_flight;
    struct schedule schedule; /* of the messages, when there is a rate */
    struct source source;     /* counts the connections, which gives them their numbers too */
    bool sending;             /* messages are being begun */
    bool closing;             /* all is answered; the server is to end each connection now */
    int64_t now;
    int64_t last_connect_at;   /* when a connection was last made, or the first of those under way
                                  begun */
    int64_t last_byte_at;      /* when a byte of a message last went or came */
    int64_t last_answer_at;    /* when the last answer came; 0: none has */
    struct histogram interval; /* round trips timed_from load.c has last emptied it; only for the
                                  line of progress */
};

/* Makes a generator that has begun no connection yet; `first` and `stop` as for load_run(). False
 * when memory is refused; generator_destroy() is called then, too. */
bool generator_create(struct generator *generator, const struct load_options *options,
                      const struct connector_connection *first, os_socket stop,
                      struct load_result *result);

/* Closes what is open and frees what it owns. */
void generator_destroy(struct generator *generator);

/* Begins the connections that are not begun yet, a limited number at once. With a rate and a
 * connection for each message, only idle ones are begun: the others wait for their messages. */
void generator_connect_more(struct generator *generator);

/* Gives up the connections that are not made yet. Returns their number. */
size_t generator_give_up_connecting(struct generator *generator);

/* Starts the schedule, and sends. */
void generator_start(struct generator *generator);

/* Whether, apart from time, there are or will be messages to send. */
bool generator_has_more(const struct generator *generator);

/* Closes the connections on which an answer has not come, and reports the first of these
 * answers. */
void generator_record_missing(struct generator *generator);

/* Ends our side of all connections. */
void generator_end_sending(struct generator *generator);

/* One round: waits for what is ready, at most until `deadline`, and serves it. Returns false once
 * it has to stop. */
bool generator_step(struct generator *generator, int64_t deadline);

#endif
