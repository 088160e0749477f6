/*
 * connection: one client of the server. It reads only when nothing is queued to be sent, and
 * answers at once. It keeps only what could not be sent or answered yet; an idle connection owns
 * nothing but its struct.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "deadline.h"
#include "impairment.h"
#include "log.h"
#include "net.h"
#include "protocol.h"
#include "selector.h"
#include "send_queue.h"

enum connection_state {
    CONNECTION_HEADER,    /* reads the header of the PROXY protocol */
    CONNECTION_ACCEPTED,  /* connection_open() is to be called next */
    CONNECTION_OPEN,      /* reads and answers */
    CONNECTION_FLUSHING,  /* stops reading; received input is still answered and sent */
    CONNECTION_LINGERING, /* has ended its sending side first; discards input, so that no reset
                             destroys the answer */
    CONNECTION_CLOSED     /* to be destroyed */
};

/*
 * Why a connection ends: the first reason found, with two exceptions. CONNECTION_QUIT and
 * CONNECTION_LINE_TOO_LONG come from the stream and replace any other reason. A failure to send
 * answers, or an impairment, replaces the reason for which the connection was about to end.
 */
enum connection_end {
    CONNECTION_NOT_ENDED,
    CONNECTION_END_OF_STREAM,
    CONNECTION_QUIT,
    CONNECTION_LEFT,  /* by a reset, when the system had taken every answer */
    CONNECTION_RESET, /* by a reset, with unanswered or unsent bytes */
    CONNECTION_IDLE,
    CONNECTION_STALLED, /* the peer took nothing of what was queued for it */
    CONNECTION_LINE_TOO_LONG,
    CONNECTION_MALFORMED_HEADER, /* of the PROXY protocol */
    CONNECTION_LATE_HEADER,
    CONNECTION_TOO_MANY, /* closed at once: its address has as many connections as it may have */
    CONNECTION_REJECTED, /* closed at once: memory for it was refused */
    CONNECTION_OUT_OF_MEMORY,
    CONNECTION_STOPPING,
    CONNECTION_CLOSED_ON_PURPOSE, /* by an impairment */
    CONNECTION_RESET_ON_PURPOSE,
    CONNECTION_FAILED /* see `error` */
};

enum {
    CONNECTION_SCRATCH = 256 * 1024, /* bytes read at once, at most */
    CONNECTION_ALIGNMENT = 64,       /* a cache line */
    CONNECTION_BATCH = 64 * 1024,    /* bytes of small answers that one send coalesces, at most */
    CONNECTION_CHUNK = 64 * 1024,    /* the longest message of chunk mode */
    CONNECTION_LAST_READS = 64       /* last reads of CONNECTION_SCRATCH before a close */
};

/* How long a connection lingers at most. */
static const int64_t CONNECTION_LINGER = SECONDS(2);
/* How long a header of the PROXY protocol may take from its first byte on. Until that comes there
 * is no limit, because some load balancers send it with the first data only. */
static const int64_t CONNECTION_HEADER_TIME = SECONDS(5);

/*
 * What all connections of a server share. The two buffers are used by one connection at a time,
 * while it is being served. They should be aligned to a cache line: on some processors the system
 * copies into unaligned memory at half the speed (docs/performance.md).
 */
struct connection_context {
    struct protocol_rules rules;
    struct log *log;
    bool log_messages;
    bool proxy_protocol;  /* each connection begins with a header of the PROXY protocol */
    bool no_log_empty;    /* a connection is logged once it has sent a byte */
    struct span greeting; /* sent to each client first, as a line; no bytes: nothing is sent */
    const struct impairment_rules *impairments; /* NULL: none, and connections are smaller */
    int64_t now;                                /* time of this round of the loop */
    char *scratch;                              /* CONNECTION_SCRATCH bytes */
    char *batch;
};

/* Small, because there are many: 120 bytes with 8-byte pointers and 4-byte sockets, 128 on
 * Windows. */
struct connection {
    struct selector_watch
        watch; /* first member: the watch and the connection have the same address */
    /* unsigned, because bit-fields of an enum may be signed and then read back negative. */
    unsigned state : 3;      /* enum connection_state */
    unsigned end : 5;        /* enum connection_end */
    unsigned peer_ended : 1; /* the end of its stream has been read */
    unsigned counted : 1;    /* among those of its address; used by the server's clients */
    union {
        uint32_t
            to_skip; /* before it is open: bytes of the header that are still to be discarded */
        uint32_t searched; /* while open: bytes of `pending_input` known to have no line ending */
        int error;         /* once closed with CONNECTION_FAILED: the system's error number */
    };
    struct net_address peer;  /* the client's; before the header has come, the proxy's */
    struct connection *older; /* in the server's list, by the time of the last activity */
    struct connection *newer;
    int64_t opened;
    int64_t active; /* when data or end of stream last moved; the start of lingering */
    uint64_t bytes_in;
    uint64_t bytes_out; /* also determines the size of reads */
    uint64_t messages;  /* in echo mode, the data of one recv() counts as one */
    struct send_queue queue;
    struct buffer pending_input; /* received, but not answered yet: an incomplete line, or what
                                    arrived while the queue was not empty */
};

/*
 * Returns connection number `number` of the server, which owns the socket from now on. It is
 * CONNECTION_HEADER if it has to begin with one, else CONNECTION_ACCEPTED. Returns NULL when memory
 * is refused; then the socket is still the caller's.
 */
struct connection *connection_create(os_socket s, const struct net_address *peer, uint64_t number,
                                     const struct connection_context *context);

/* Closes the socket and frees the connection. */
void connection_destroy(struct connection *connection, const struct connection_context *context);

/* Opens a connection that is CONNECTION_ACCEPTED: logs it, sends the greeting, and answers what has
 * come behind the header. */
void connection_open(struct connection *connection, struct connection_context *context);

/* Whether a part of the header has come, but not all of it. */
bool connection_header_has_begun(const struct connection *connection);

/*
 * Handles what watch.ready says: reads, answers, sends, changes state. A failure affects this
 * connection only and leads to CONNECTION_CLOSED.
 */
void connection_serve(struct connection *connection, struct connection_context *context);

/* Sends as many queued bytes as the system takes, and those that an impairment lets go. If all are
 * sent, it answers the pending input. */
void connection_flush(struct connection *connection, struct connection_context *context);

/* Stops reading. The connection ends once the received input has been answered and the answers
 * sent; at once if it is stalled on purpose by now, because these are never sent. */
void connection_stop(struct connection *connection, struct connection_context *context);

/*
 * Ends the connection at once, for this reason. Queued bytes are lost. Bytes that the system has
 * taken still arrive, unless the peer goes on sending: closing with unread input would destroy them
 * (RFC 2525, 2.17), so the input that has arrived is read first, with at most CONNECTION_LAST_READS
 * reads.
 */
void connection_abort(struct connection *connection, struct connection_context *context,
                      enum connection_end end);

/* The events to wait for. Nothing is read while bytes are queued: that is the back-pressure. */
uint8_t connection_interest(const struct connection *connection,
                            const struct connection_context *context);

/* When connection_flush() is due because of an impairment; DEADLINE_NEVER if it is not. */
int64_t connection_due(const struct connection *connection,
                       const struct connection_context *context);

/* Writes the reason of the end, for the log, into `text` and returns it. */
enum { CONNECTION_END_TEXT = OS_ERROR_TEXT + 16 };
const char *connection_end_text(const struct connection *connection,
                                char text[CONNECTION_END_TEXT]);

/* Whether the connection ended by a failure, which --quiet still logs. A reset is not a failure
 * when everything received had been answered: health checks often end that way. */
bool connection_failed(const struct connection *connection);

#endif
