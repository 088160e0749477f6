/*
 * generator: the messages of a load, on its connections. load.c decides when to connect,
 * to send and to end; the generator does it, in rounds of waiting and serving.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include "connections.h"
#include "load.h"
#include "output.h"
#include "schedule.h"
#include "selector.h"

struct generator {
    const struct load_options *options;
    struct load_result *result;
    struct selector *selector;
    struct selector_watch stop;
    struct output *output; /* written to while it runs */
    struct connections connections;
    uint64_t in_flight;
    struct schedule schedule; /* when messages are due, if there is a rate */
    bool sending;             /* messages may be begun */
    bool closing; /* our sending sides have ended; the server should end each connection */
    int64_t now;
    int64_t last_byte_at;    /* when a byte of a message was last sent or received */
    int64_t last_answer_at;  /* when the last answer was completed; 0: never */
    struct histogram recent; /* round trips in the current interval of load_progress.c, if any */
};

/* Initializes a generator that has begun no connection yet. `first`, `stop` and `output` are as for
 * load_run(). Returns false when memory is refused; generator_destroy() must be called then,
 * too. */
bool generator_create(struct generator *generator, const struct load_options *options,
                      const struct connector_connection *first, os_socket stop,
                      struct output *output, struct load_result *result);

/* Closes all sockets and frees the memory. */
void generator_destroy(struct generator *generator);

/* Begins the connections of connections_next(). With a rate and --reconnect, only idle ones connect
 * now; the others wait until their messages are due. */
void generator_connect_more(struct generator *generator);

/* Starts the schedule, and sends the first messages. */
void generator_start(struct generator *generator);

/* Whether messages are left to send, now or later, if the duration is not over. */
bool generator_has_more(const struct generator *generator);

/* Closes as lost the connections with missing answers on which no byte was sent or received after
 * `since`, and records why, and the first missing byte. Returns when the last byte was on that of
 * the others with missing answers which has been silent the longest; now if there is none. */
int64_t generator_record_missing(struct generator *generator, int64_t since);

/* Ends the sending side of all connections. */
void generator_end_sending(struct generator *generator);

/* Waits until a socket is ready, a message or a connection is due, or `deadline` has passed, and
 * serves what is ready or due. Returns false after a request to stop, or when waiting fails or the
 * output is broken. */
bool generator_step(struct generator *generator, int64_t deadline);

#endif
