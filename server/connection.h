/*
 * connection: one client of the server. It reads when nothing waits to be sent, answers at once,
 * and keeps only what could not be sent or answered yet; an idle connection owns its struct and
 * nothing else.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "deadline.h"
#include "log.h"
#include "net.h"
#include "protocol.h"
#include "selector.h"
#include "send_queue.h"

enum connection_state {
    CONNECTION_OPEN,      /* reads and answers */
    CONNECTION_FLUSHING,  /* reads no more; what has been received is still answered and sent */
    CONNECTION_LINGERING, /* has ended its sending side first and discards input, so that no reset
                             destroys the answer */
    CONNECTION_CLOSED     /* to be destroyed */
};

/*
 * Why a connection ends: the first reason found. But quit and a line too long stand in the stream,
 * before all others; and what keeps answers from being sent is reported rather than why the
 * connection was about to end.
 */
enum connection_end {
    CONNECTION_NOT_ENDED,
    CONNECTION_END_OF_STREAM,
    CONNECTION_QUIT,
    CONNECTION_LEFT,  /* by a reset with which nothing was lost */
    CONNECTION_RESET, /* with something pending_input or unsent */
    CONNECTION_IDLE,
    CONNECTION_LINE_TOO_LONG,
    CONNECTION_REJECTED, /* at once: there was no memory for it */
    CONNECTION_OUT_OF_MEMORY,
    CONNECTION_STOPPING,
    CONNECTION_FAILED /* `error` says of what */
};

enum {
    CONNECTION_SCRATCH = 256 * 1024, /* the most that is read at once */
    CONNECTION_ALIGNMENT = 64,       /* a cache line */
    CONNECTION_BATCH = 64 * 1024,    /* bytes of small answers that one send coalesces at most */
    CONNECTION_CHUNK = 64 * 1024,    /* the longest message of chunk mode */
    CONNECTION_LAST_READS = 64       /* of CONNECTION_SCRATCH, before one with input is closed */
};

/* A connection lingers at most so long. */
static const int64_t CONNECTION_LINGER = SECONDS(2);

/*
 * What all connections of a server share. The memory is lent to one connection at a time, while it
 * is being served. It is best aligned to a cache line: the system copies into memory that is not at
 * half the speed on some processors (docs/performance.md).
 */
struct connection_context {
    struct protocol_rules rules;
    struct log *log;
    bool log_messages;
    bool no_log_empty; /* a connection is logged from its first byte on */
    int64_t now;       /* of this round of the loop */
    char *scratch;     /* CONNECTION_SCRATCH bytes */
    char *batch;
};

/* Small, for there are many: 120 bytes where pointers have 8 and sockets 4. */
struct connection {
    struct selector_watch watch; /* first, so that the watch's address is the connection's */
    /* Bit-fields of an enum could be signed, and then read back negative. */
    unsigned state : 3;      /* enum connection_state */
    unsigned end : 4;        /* enum connection_end */
    unsigned peer_ended : 1; /* the end of its stream has been read */
    union {
        uint32_t searched; /* until it is closed: bytes of `pending_input` without a line ending */
        int error;         /* when it is, and has failed: the system's number */
    };
    struct net_address peer;
    struct connection *older; /* in the server's list, by the time of the last activity */
    struct connection *newer;
    int64_t opened;
    int64_t active; /* when bytes, or their end, last moved; when lingering, since when it does */
    uint64_t bytes_in;
    uint64_t bytes_out; /* earns larger reads */
    uint64_t messages;  /* in echo mode, what one recv returned counts as one */
    struct send_queue queue;
    struct buffer pending_input; /* received: an incomplete line, or what came while the queue was
                                    not empty */
};

/*
 * Returns a connection that owns the socket from now on, or NULL, and then the socket is still the
 * caller's, when memory is refused.
 */
struct connection *connection_create(os_socket s, const struct net_address *peer, int64_t now);

/* Closes the socket and frees all. */
void connection_destroy(struct connection *connection);

/*
 * Does what can be done now that the socket is ready as watch.ready says: reads, answers, sends,
 * changes state. Whatever goes wrong concerns this connection alone and leads to CONNECTION_CLOSED.
 */
void connection_serve(struct connection *connection, struct connection_context *context);

/* Sends of what waits as much as the system takes, and answers what was kept when all is gone. */
void connection_flush(struct connection *connection, struct connection_context *context);

/* Reads no more, and ends when what has been received is answered and sent. */
void connection_stop(struct connection *connection, struct connection_context *context);

/*
 * Ends it now, for this reason; what waits in its queue is lost. What the system has taken still
 * arrives, unless the peer goes on sending: what has come by now is read, in CONNECTION_LAST_READS
 * at most, since closing with input unread would destroy it (RFC 2525, 2.17).
 */
void connection_abort(struct connection *connection, struct connection_context *context,
                      enum connection_end end);

/* What to wait for: nothing is read while something waits to be sent. That is the back-pressure. */
uint8_t connection_interest(const struct connection *connection);

/* Says in the log that it is there. */
void connection_log_opened(const struct connection *connection,
                           const struct connection_context *context);

/* Why it ended, for the log, written into `text`, which is returned. */
enum { CONNECTION_END_TEXT = OS_ERROR_TEXT + 16 };
const char *connection_end_text(const struct connection *connection,
                                char text[CONNECTION_END_TEXT]);

/* Whether the connection ended by a failure: what --quiet still reports. A reset is none when all
 * that came had been answered: checks of a server's health often end so. */
bool connection_failed(const struct connection *connection);

#endif
