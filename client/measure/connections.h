/*
 * connections: the connections of a load: how they are made, given up and closed, and with
 * --keep-going replaced. generator.c exchanges messages on them.
 */
#ifndef CONNECTIONS_H
#define CONNECTIONS_H

#include "exchange.h"
#include "load.h"
#include "selector.h"
#include "source.h"

/* The kinds of the watches in a load's selector. */
enum load_watch {
    LOAD_STOP,
    LOAD_OUTPUT,
    LOAD_IDLE, /* an open connection that exchanges no messages (--idle) */
    LOAD_CONNECTING,
    LOAD_OPEN,
    LOAD_WAITING, /* has no socket; connects when the next message is due */
    LOAD_LOST,    /* has no socket; is to be made again */
    LOAD_CLOSED   /* has no socket */
};

struct load_connection {
    struct exchange exchange;     /* the first member; the kind of its watch is a load_watch */
    struct load_connection *next; /* in its queue */
    struct load_connection *previous;
    int64_t connect_began;
    int64_t last_byte_at; /* when it was made, or a byte of a message was last sent or received */
    uint64_t messages_begun; /* including those on the connections that this one has replaced */
    bool idle;
    bool missing; /* it was lost or not made, and has not been made again */
};

/* Connections in the order in which they were added. */
struct load_queue {
    struct load_connection *first;
    struct load_connection *last;
    size_t length;
};

struct connections {
    const struct load_options *options;
    struct load_result *result;
    struct selector *selector;
    struct connector_connection first; /* its socket is OS_NO_SOCKET once it is taken over */
    struct source source;              /* its count also numbers the connections */
    /* The connections that exchange messages, then the idle ones. Those from `started` on are
     * closed and have not been begun. */
    struct load_connection *all;
    size_t total;
    size_t started;
    struct load_queue connecting; /* those that are LOAD_CONNECTING */
    size_t open;                  /* how many are LOAD_OPEN */
    size_t idle;                  /* how many are LOAD_IDLE */
    size_t waiting;               /* how many are LOAD_WAITING */
    int64_t last_made_at;         /* when a connection was last made; 0: never */
    bool replacing;               /* lost connections are made again */
    struct load_queue lost;       /* those that are LOAD_LOST */
    size_t missing;               /* without those that connect when a message is due */
    /* Since a connection was lost or not made, and until one is made. Only one is begun every
     * RETRY_CONNECT then: the server may be down, or a proxy without one. Those that connect when a
     * message is due are left out: the rate bounds them. */
    bool failing;
    int64_t retry_at; /* lost connections are not made again before */
    size_t address;   /* in options->addresses, the one in use */
};

/* Initializes connections of which none has been begun yet. `first` is as for load_run(). Returns
 * false when memory is refused; connections_destroy() must be called then, too. */
bool connections_create(struct connections *connections, const struct load_options *options,
                        const struct connector_connection *first, struct selector *selector,
                        struct load_result *result);

/* Closes all sockets and frees the memory. */
void connections_destroy(struct connections *connections);

/* The next connection that is to be begun now, or again. NULL if there is none, or no further one
 * may be begun yet. */
struct load_connection *connections_next(struct connections *connections, int64_t now);

/* Begins to connect. Returns true if the connection is already open. If connecting fails, this is
 * recorded, and the connection is lost. */
bool connections_begin(struct connections *connections, struct load_connection *c);

/* Handles the end of a connect, successful or not. Returns true if the connection is open. */
bool connections_finish(struct connections *connections, struct load_connection *c);

/* When the oldest connect that is under way times out, or connections_next() has another one;
 * DEADLINE_NEVER if neither will happen. */
int64_t connections_deadline(const struct connections *connections);

/* Fails the connects that have timed out. If no connection was made meanwhile, those that have not
 * been begun have failed, too. */
void connections_time_out(struct connections *connections, int64_t now);

/* Lets a connection that has no socket wait for its next message. */
void connections_wait(struct connections *connections, struct load_connection *c);

/* Closes a connection. */
void connections_close(struct connections *connections, struct load_connection *c);

/* Closes a connection that is lost, or on which there was a fault. With --keep-going, it is to be
 * made again, and there is an outage since `since`. */
void connections_lose(struct connections *connections, struct load_connection *c, int64_t since);

/* Closes the connections that are still being made, and begins no further ones. */
void connections_give_up(struct connections *connections);

/* Records why a connection was not made or was lost. `what` begins the message. */
void connections_record_failure(struct connections *connections, const char *what,
                                struct net_result result);

#endif
