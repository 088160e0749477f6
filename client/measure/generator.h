/*
 * generator: the connections of a load, and the messages on them. load.c decides when to connect,
 * to send and to end; the generator does it, in rounds of waiting and serving.
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
    GENERATOR_IDLE, /* an open connection that exchanges no messages (--idle) */
    GENERATOR_CONNECTING,
    GENERATOR_OPEN,
    GENERATOR_WAITING, /* has no socket; connects when the next message is due */
    GENERATOR_CLOSED   /* has no socket */
};

struct generator_connection {
    struct exchange exchange; /* the first member; the kind of its watch is a generator_watch */
    int64_t connect_began;
    uint64_t messages_begun; /* including those on the connections that this one has replaced */
    bool idle;
};

struct generator {
    const struct load_options *options;
    struct load_result *result;
    struct connector_connection first; /* its socket is OS_NO_SOCKET once it is taken over */
    struct selector *selector;
    struct selector_watch stop;
    /* The connections that exchange messages, then the idle ones. Those from `started` on are
     * closed and have not been begun. */
    struct generator_connection *connections;
    size_t total;
    size_t started;
    size_t connecting; /* how many are GENERATOR_CONNECTING */
    size_t open;       /* how many are GENERATOR_OPEN */
    size_t waiting;    /* how many are GENERATOR_WAITING */
    uint64_t in_flight;
    struct schedule schedule; /* when messages are due, if there is a rate */
    struct source source;     /* its count also numbers the connections */
    bool sending;             /* messages may be begun */
    bool closing; /* our sending sides have ended; the server should end each connection */
    int64_t now;
    int64_t last_connect_at; /* when a connection was last made, or connecting last began while no
                                other connection was being made */
    int64_t last_byte_at;    /* when a byte of a message was last sent or received */
    int64_t last_answer_at;  /* when the last answer was completed; 0: never */
    struct histogram recent; /* round trips since load.c last emptied it; only with progress */
};

/* Initializes a generator that has begun no connection yet. `first` and `stop` are as for
 * load_run(). Returns false when memory is refused; generator_destroy() must be called then,
 * too. */
bool generator_create(struct generator *generator, const struct load_options *options,
                      const struct connector_connection *first, os_socket stop,
                      struct load_result *result);

/* Closes all sockets and frees the memory. */
void generator_destroy(struct generator *generator);

/* Begins connections that have not been begun yet, while fewer than a limit are being made. With a
 * rate and --reconnect, only idle ones connect now; the others wait until their messages are
 * due. */
void generator_connect_more(struct generator *generator);

/* Closes the connections that are still being made, and begins no further ones. Returns how many
 * were not made. */
size_t generator_give_up_connecting(struct generator *generator);

/* Starts the schedule, and sends the first messages. */
void generator_start(struct generator *generator);

/* Whether messages are left to send, now or later, if the duration is not over. */
bool generator_has_more(const struct generator *generator);

/* Closes the connections with missing answers as lost, and records the first missing byte. */
void generator_record_missing(struct generator *generator);

/* Ends the sending side of all connections, and gives up those that are still being made. */
void generator_end_sending(struct generator *generator);

/* Waits until a socket is ready, a message is due, or `deadline` has passed, and serves what is
 * ready or due. Returns false after a request to stop, or when waiting fails. */
bool generator_step(struct generator *generator, int64_t deadline);

#endif
