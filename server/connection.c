#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy_protocol.h"

/*
 * Reads are small until the peer has proved that it reads its answers: if it stops reading, all of
 * one read may have to be kept. A peer that never reads takes only what the system buffers on both
 * sides, a few MiB. A peer to which more has been sent does read.
 */
enum {
    READ_FIRST = 16 * 1024,
    READ_MORE = 64 * 1024,            /* read size once this much has been sent */
    READ_MAX_AFTER = 16 * 1024 * 1024 /* CONNECTION_SCRATCH once this much has been sent */
};

/* Answers of at least this size are sent from the input instead of being copied to the batch. */
enum { BATCH_LIMIT = 8 * 1024 };

_Static_assert(BATCH_LIMIT <= (int)CONNECTION_BATCH, "the batch has room for every small answer");
_Static_assert(READ_MORE <= (int)CONNECTION_SCRATCH && CONNECTION_CHUNK <= CONNECTION_SCRATCH,
               "every read fits into the scratch memory");
_Static_assert(CONNECTION_CLOSED < 1 << 3 && CONNECTION_FAILED < 1 << 5,
               "the enumerators fit into their bit-fields");
_Static_assert(sizeof(void *) > 8 || sizeof(struct connection) <= 128, "connections are small");

/* What a connection is when the server is an awkward peer. */
struct impaired_connection {
    struct connection connection;
    struct impairment impairment;
};

/* The impairment of a connection, if the context has any; else NULL. */
static struct impairment *impairment_of(const struct connection *c,
                                        const struct connection_context *context)
{
    return context->impairments != NULL ? &((struct impaired_connection *)c)->impairment : NULL;
}

struct connection *connection_create(os_socket s, const struct net_address *peer, uint64_t number,
                                     const struct connection_context *context)
{
    struct connection *c =
        calloc(1, context->impairments != NULL ? sizeof(struct impaired_connection)
                                               : sizeof(struct connection));

    if (c == NULL)
        return NULL;
    c->watch.socket = s;
    c->peer = *peer;
    c->state = context->proxy_protocol ? CONNECTION_HEADER : CONNECTION_ACCEPTED;
    c->opened = c->active = context->now;
    if (context->impairments != NULL)
        impairment_begin(impairment_of(c, context), context->impairments, number);
    return c;
}

void connection_destroy(struct connection *c, const struct connection_context *context)
{
    if (context->impairments != NULL)
        impairment_clear(impairment_of(c, context));
    send_queue_clear(&c->queue);
    buffer_clear(&c->pending_input);
    net_close(c->watch.socket);
    free(c);
}

static void set_end(struct connection *c, enum connection_end end)
{
    if (c->end == CONNECTION_NOT_ENDED)
        c->end = end;
}

/* Closes the connection after a failed recv or send. */
static void fail(struct connection *c, struct net_result result)
{
    c->state = CONNECTION_CLOSED;
    switch (result.outcome) {
    case NET_RESET:
        c->end = CONNECTION_RESET;
        return;
    case NET_EXHAUSTED:
        c->end = CONNECTION_OUT_OF_MEMORY;
        return;
    case NET_DONE:
    case NET_END:
    case NET_WOULD_BLOCK:
    case NET_UNAVAILABLE:
    case NET_FAILED:
        c->end = CONNECTION_FAILED;
        c->error = result.error;
        return;
    }
}

/* Closes the connection after a failed recv or send. A reset is no failure if the peer lacks no
 * answer: what it may lack then is a greeting. */
static void fail_unless_left(struct connection *c, struct net_result result, bool lacks_answers)
{
    fail(c, result);
    if (result.outcome == NET_RESET &&
        (!lacks_answers || (c->bytes_in == 0 && buffer_length(&c->pending_input) == 0)))
        c->end = CONNECTION_LEFT;
}

/* Records the result of a send. */
static void record_sent(struct connection *c, const struct connection_context *context,
                        struct net_result result)
{
    c->bytes_out += result.bytes;
    if (result.bytes > 0)
        c->active = context->now;
    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        fail_unless_left(c, result, true);
}

/* Sends a part of an answer, or leaves it to the impairment. */
static void send_bytes(struct connection *c, const struct connection_context *context,
                       struct span part)
{
    if (part.length == 0 || c->state == CONNECTION_CLOSED)
        return;
    if (context->impairments == NULL)
        record_sent(c, context,
                    send_queue_send(&c->queue, c->watch.socket, part.bytes, part.length));
    else if (!impairment_add(impairment_of(c, context), context->impairments, part, context->now))
        fail(c, (struct net_result){.outcome = NET_EXHAUSTED});
}

/* Sends a part of an answer, or adds it to the `*batched` bytes that go out in one send. */
static void send_or_batch(struct connection *c, const struct connection_context *context,
                          size_t *batched, struct span part)
{
    if (part.length >= BATCH_LIMIT || *batched + part.length > CONNECTION_BATCH) {
        send_bytes(c, context, (struct span){context->batch, *batched});
        *batched = 0;
    }
    if (part.length >= BATCH_LIMIT) {
        send_bytes(c, context, part);
    } else if (part.length > 0) {
        memcpy(context->batch + *batched, part.bytes, part.length);
        *batched += part.length;
    }
}

/* Whether bytes are queued, or wait because of an impairment. */
static bool has_unsent(const struct connection *c, const struct connection_context *context)
{
    return send_queue_length(&c->queue) > 0 ||
           (context->impairments != NULL && buffer_length(&impairment_of(c, context)->waiting) > 0);
}

/* Whether the connection is stalled on purpose: it stays as it is until somebody else ends it. */
static bool is_stalled(const struct connection *c, const struct connection_context *context)
{
    return context->impairments != NULL && send_queue_length(&c->queue) == 0 &&
           impairment_has_come(impairment_of(c, context), context->impairments, IMPAIRMENT_STALL);
}

/* Whether an answer can be sent, or left to the impairment. As the next function, it is asked for
 * each message, and so inline. */
static inline bool has_room(const struct connection *c, const struct connection_context *context)
{
    return send_queue_length(&c->queue) == 0 &&
           (context->impairments == NULL ||
            impairment_has_room(impairment_of(c, context), context->impairments));
}

/* Whether the input can be answered: the peer takes answers, and its stream has not ended with quit
 * or a line too long. */
static inline bool can_answer(const struct connection *c, const struct connection_context *context)
{
    return c->state != CONNECTION_CLOSED && c->end != CONNECTION_QUIT &&
           c->end != CONNECTION_LINE_TOO_LONG && has_room(c, context);
}

/*
 * Answers the messages in the input until no complete one is left, or the socket is full. Returns
 * how many bytes of the input are done with: after a quit or a line too long, all of them.
 */
static size_t answer(struct connection *c, struct connection_context *context, struct span input)
{
    struct protocol_answer next;
    size_t searched = c->searched;
    size_t batched = 0;
    size_t used = 0;

    while (can_answer(c, context)) {
        struct span rest = {input.bytes + used, input.length - used};
        enum protocol_verdict verdict =
            protocol_next(&context->rules, rest, c->peer_ended, &searched, &next);

        if (verdict == PROTOCOL_INCOMPLETE)
            break;
        used += next.consumed;
        /* Set before the send: if that fails, it replaces this reason. */
        if (verdict == PROTOCOL_QUIT || verdict == PROTOCOL_TOO_LONG)
            c->end = verdict == PROTOCOL_QUIT ? CONNECTION_QUIT : CONNECTION_LINE_TOO_LONG;
        send_or_batch(c, context, &batched, next.prefix);
        send_or_batch(c, context, &batched, next.body);
        if (verdict == PROTOCOL_TOO_LONG)
            continue;
        c->messages++;
        if (context->log_messages)
            log_message(context->log, &c->peer, next.text.bytes, next.text.length);
    }
    send_bytes(c, context, (struct span){context->batch, batched});
    if (c->state != CONNECTION_CLOSED)
        c->searched = (uint32_t)searched;
    return c->end == CONNECTION_QUIT || c->end == CONNECTION_LINE_TOO_LONG ? input.length : used;
}

/* Answers the pending input as far as possible now. Returns whether there was any to answer. */
static bool answer_pending(struct connection *c, struct connection_context *context)
{
    size_t length = buffer_length(&c->pending_input);
    size_t used = 0;

    if (length > 0)
        used = answer(c, context, (struct span){buffer_bytes(&c->pending_input), length});
    buffer_consume(&c->pending_input, used);
    return used > 0;
}

/* Answers new input, and keeps what cannot be answered yet. */
static void answer_input(struct connection *c, struct connection_context *context,
                         struct span input)
{
    bool has_pending = buffer_length(&c->pending_input) > 0; /* this comes first */
    size_t used = has_pending ? 0 : answer(c, context, input);

    /* After a failed send nothing is answered any more. */
    if (used == input.length || c->state == CONNECTION_CLOSED)
        return;
    if (!buffer_append(&c->pending_input, input.bytes + used, input.length - used))
        fail(c, (struct net_result){.outcome = NET_EXHAUSTED});
    else if (has_pending)
        answer_pending(c, context);
}

static size_t read_size(const struct connection *c, const struct connection_context *context)
{
    if (context->rules.mode == PROTOCOL_CHUNK)
        return CONNECTION_CHUNK;
    if (context->impairments != NULL)
        return READ_FIRST;
    return c->bytes_out >= READ_MAX_AFTER ? CONNECTION_SCRATCH
           : c->bytes_out >= READ_MORE    ? READ_MORE
                                          : READ_FIRST;
}

/* Logs that the connection was opened, and through which proxy. */
static void log_opened(const struct connection *c, const struct connection_context *context)
{
    char address[NET_ADDRESS_TEXT], through[NET_ADDRESS_TEXT] = "";
    struct net_address proxy;

    if (context->log->level == LOG_FAILURES)
        return;
    bool proxied = context->proxy_protocol &&
                   net_peer_address(c->watch.socket, &proxy).outcome == NET_DONE &&
                   !net_address_equal(&proxy, &c->peer);

    if (proxied)
        net_address_text(&proxy, through);
    log_line(context->log, LOG_EVENTS, "Connection opened[%s]%s%s",
             net_address_text(&c->peer, address), proxied ? " through " : "", through);
}

/* Records that bytes have arrived. */
static void record_received(struct connection *c, const struct connection_context *context,
                            size_t bytes)
{
    if (c->bytes_in == 0 && context->no_log_empty)
        log_opened(c, context);
    c->bytes_in += bytes;
}

bool connection_header_has_begun(const struct connection *c)
{
    return c->state == CONNECTION_HEADER &&
           (buffer_length(&c->pending_input) > 0 || c->to_skip > 0);
}

/* Takes the header off the stream. What follows it stays as pending input. */
static void take_header(struct connection *c, struct span input)
{
    struct proxy_header header;
    size_t length;

    if (!buffer_append(&c->pending_input, input.bytes, input.length)) {
        fail(c, (struct net_result){.outcome = NET_EXHAUSTED});
        return;
    }
    length = buffer_length(&c->pending_input);
    if (c->to_skip == 0) {
        switch (proxy_protocol_parse(buffer_bytes(&c->pending_input), length, &header)) {
        case PROXY_INCOMPLETE:
            return;
        case PROXY_MALFORMED:
            c->end = CONNECTION_MALFORMED_HEADER;
            c->state = CONNECTION_CLOSED;
            return;
        case PROXY_COMPLETE:
            break;
        }
        if (header.has_addresses)
            c->peer = header.source;
        buffer_consume(&c->pending_input, header.consumed);
        length -= header.consumed;
        c->to_skip = (uint32_t)header.skip;
    }
    size_t skipped = c->to_skip < length ? c->to_skip : length;

    buffer_consume(&c->pending_input, skipped);
    c->to_skip -= (uint32_t)skipped;
    if (c->to_skip == 0)
        c->state = CONNECTION_ACCEPTED;
}

/* Reads a part of the header. A connection that ends without one was a health check, perhaps. */
static void receive_header(struct connection *c, struct connection_context *context)
{
    struct net_result result = net_recv(c->watch.socket, context->scratch, READ_FIRST);
    bool begun = connection_header_has_begun(c);

    switch (result.outcome) {
    case NET_DONE:
        if (!begun)
            c->active = context->now;
        take_header(c, (struct span){context->scratch, result.bytes});
        return;
    case NET_END:
        c->end = begun ? CONNECTION_MALFORMED_HEADER : CONNECTION_END_OF_STREAM;
        c->state = CONNECTION_CLOSED;
        return;
    case NET_WOULD_BLOCK:
        return;
    case NET_RESET:
    case NET_EXHAUSTED:
    case NET_UNAVAILABLE:
    case NET_FAILED:
        fail_unless_left(c, result, begun);
        return;
    }
}

static void receive(struct connection *c, struct connection_context *context)
{
    struct net_result result = net_recv(c->watch.socket, context->scratch, read_size(c, context));

    switch (result.outcome) {
    case NET_DONE:
        record_received(c, context, result.bytes);
        c->active = context->now;
        answer_input(c, context, (struct span){context->scratch, result.bytes});
        return;
    case NET_END:
        c->peer_ended = true;
        c->active = context->now;
        set_end(c, CONNECTION_END_OF_STREAM);
        answer_pending(c, context);
        return;
    case NET_WOULD_BLOCK:
        return;
    case NET_RESET:
    case NET_EXHAUSTED:
    case NET_UNAVAILABLE:
    case NET_FAILED:
        /* Nothing is read while answers are queued, so all input has been answered, except for
         * pending input and what an impairment keeps. */
        fail_unless_left(c, result, buffer_length(&c->pending_input) > 0 || has_unsent(c, context));
        return;
    }
}

/* Reads and discards input until the peer ends its stream. Returns whether there was any. */
static bool discard(struct connection *c, struct connection_context *context)
{
    struct net_result result = net_recv(c->watch.socket, context->scratch, CONNECTION_SCRATCH);

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        c->state = CONNECTION_CLOSED;
    else if (result.outcome == NET_DONE && c->state >= CONNECTION_OPEN)
        record_received(c, context, result.bytes);
    return result.outcome == NET_DONE;
}

void connection_abort(struct connection *c, struct connection_context *context,
                      enum connection_end end)
{
    set_end(c, end);
    /* With bytes still to send, the earlier reason has not taken effect: report this one. */
    if (has_unsent(c, context))
        c->end = end;
    for (int i = 0; i < CONNECTION_LAST_READS && c->state != CONNECTION_CLOSED; i++) {
        if (!discard(c, context))
            break;
    }
    c->state = CONNECTION_CLOSED;
}

/* Sends what the impairment lets go, and ends the connection if that is its time. */
static void release(struct connection *c, struct connection_context *context)
{
    const struct impairment_rules *rules = context->impairments;
    struct impairment *impairment = impairment_of(c, context);
    struct span part;

    while (c->state != CONNECTION_CLOSED && send_queue_length(&c->queue) == 0 &&
           (part = impairment_next(impairment, rules, context->now)).length > 0) {
        record_sent(c, context,
                    send_queue_send(&c->queue, c->watch.socket, part.bytes, part.length));
        impairment_sent(impairment, rules, part.length, context->now);
    }
    if (c->state == CONNECTION_CLOSED || send_queue_length(&c->queue) > 0 || is_stalled(c, context))
        return;
    if (impairment_has_come(impairment, rules, IMPAIRMENT_RESET)) {
        c->end = CONNECTION_RESET_ON_PURPOSE;
        c->state = CONNECTION_CLOSED;
        net_reset_on_close(c->watch.socket);
    } else if (impairment_has_come(impairment, rules, IMPAIRMENT_CLOSE)) {
        c->end = CONNECTION_CLOSED_ON_PURPOSE;
        impairment_clear(impairment);
        buffer_clear(&c->pending_input);
    }
}

/* Lets an impairment go on: sends what is due, and answers the input for which there is room. */
static void release_and_answer(struct connection *c, struct connection_context *context)
{
    do
        release(c, context);
    while (can_answer(c, context) && answer_pending(c, context));
}

/* Once there is a reason to end, advances through the states as far as possible. */
static void advance(struct connection *c, struct connection_context *context)
{
    if (context->impairments != NULL)
        release_and_answer(c, context);
    if (c->end == CONNECTION_NOT_ENDED)
        return;
    if (c->state == CONNECTION_OPEN)
        c->state = CONNECTION_FLUSHING;
    if (c->end == CONNECTION_STOPPING && is_stalled(c, context))
        connection_abort(c, context, CONNECTION_STOPPING);
    if (c->state != CONNECTION_FLUSHING || has_unsent(c, context) || is_stalled(c, context))
        return;
    /*
     * When the server stops, a client that has been silent for CONNECTION_LINGER does not linger.
     * What it sends at that very moment is lost.
     */
    bool silent = c->end == CONNECTION_STOPPING && context->now - c->active >= CONNECTION_LINGER;

    bool ended = net_end_sending(c->watch.socket).outcome == NET_DONE;

    c->active = context->now;
    c->state = ended && !c->peer_ended && !silent ? CONNECTION_LINGERING : CONNECTION_CLOSED;
}

void connection_flush(struct connection *c, struct connection_context *context)
{
    if (c->state < CONNECTION_OPEN)
        return;
    record_sent(c, context, send_queue_flush(&c->queue, c->watch.socket));
    if (can_answer(c, context))
        answer_pending(c, context);
    advance(c, context);
}

void connection_open(struct connection *c, struct connection_context *context)
{
    size_t batched = 0;

    c->state = CONNECTION_OPEN;
    c->active = context->now;
    if (!context->no_log_empty)
        log_opened(c, context);
    if (context->greeting.length > 0) {
        send_or_batch(c, context, &batched, context->greeting);
        send_or_batch(c, context, &batched, (struct span){"\n", 1});
        send_bytes(c, context, (struct span){context->batch, batched});
    }
    if (buffer_length(&c->pending_input) > 0) {
        record_received(c, context, buffer_length(&c->pending_input));
        if (can_answer(c, context))
            answer_pending(c, context);
    }
    advance(c, context);
}

void connection_serve(struct connection *c, struct connection_context *context)
{
    switch ((enum connection_state)c->state) {
    case CONNECTION_HEADER:
        receive_header(c, context);
        return;
    case CONNECTION_OPEN:
    case CONNECTION_FLUSHING:
        if (c->watch.ready & SELECTOR_WRITE) {
            connection_flush(c, context);
        } else {
            receive(c, context);
            advance(c, context);
        }
        return;
    case CONNECTION_LINGERING:
        discard(c, context);
        return;
    case CONNECTION_ACCEPTED:
    case CONNECTION_CLOSED:
        return;
    }
}

void connection_stop(struct connection *c, struct connection_context *context)
{
    set_end(c, CONNECTION_STOPPING);
    if (c->state < CONNECTION_OPEN) {
        connection_abort(c, context, CONNECTION_STOPPING);
        return;
    }
    if (is_stalled(c, context)) /* an earlier reason has not taken effect, and never will */
        c->end = CONNECTION_STOPPING;
    advance(c, context);
}

int64_t connection_due(const struct connection *c, const struct connection_context *context)
{
    return context->impairments != NULL && send_queue_length(&c->queue) == 0
               ? impairment_due(impairment_of(c, context), context->impairments)
               : DEADLINE_NEVER;
}

uint8_t connection_interest(const struct connection *c, const struct connection_context *context)
{
    switch ((enum connection_state)c->state) {
    case CONNECTION_HEADER:
        return SELECTOR_READ;
    case CONNECTION_OPEN:
        if (has_room(c, context))
            return SELECTOR_READ;
        return send_queue_length(&c->queue) > 0 ? SELECTOR_WRITE : SELECTOR_NONE;
    case CONNECTION_FLUSHING:
        return send_queue_length(&c->queue) > 0 ? SELECTOR_WRITE : SELECTOR_NONE;
    case CONNECTION_LINGERING:
        return SELECTOR_READ;
    case CONNECTION_ACCEPTED:
    case CONNECTION_CLOSED:
        break;
    }
    return SELECTOR_NONE;
}

const char *connection_end_text(const struct connection *c, char text[CONNECTION_END_TEXT])
{
    static const char *const texts[] = {
        [CONNECTION_NOT_ENDED] = "not ended",
        [CONNECTION_END_OF_STREAM] = "end of stream",
        [CONNECTION_QUIT] = "quit",
        [CONNECTION_LEFT] = "reset",
        [CONNECTION_RESET] = "reset",
        [CONNECTION_IDLE] = "idle",
        [CONNECTION_STALLED] = "stalled",
        [CONNECTION_LINE_TOO_LONG] = "line too long",
        [CONNECTION_MALFORMED_HEADER] = "malformed PROXY header",
        [CONNECTION_LATE_HEADER] = "late PROXY header",
        [CONNECTION_TOO_MANY] = "rejected: too many from this address",
        [CONNECTION_REJECTED] = "rejected: out of memory",
        [CONNECTION_OUT_OF_MEMORY] = "out of memory",
        [CONNECTION_STOPPING] = "stopping",
        [CONNECTION_CLOSED_ON_PURPOSE] = "closed on purpose",
        [CONNECTION_RESET_ON_PURPOSE] = "reset on purpose",
        [CONNECTION_FAILED] = "failed: ",
    };
    char words[OS_ERROR_TEXT] = "";

    if (c->end == CONNECTION_FAILED)
        os_error_text(c->error, words);
    snprintf(text, CONNECTION_END_TEXT, "%s%s", texts[c->end], words);
    return text;
}

bool connection_failed(const struct connection *c)
{
    switch ((enum connection_end)c->end) {
    case CONNECTION_RESET:
    case CONNECTION_LINE_TOO_LONG:
    case CONNECTION_MALFORMED_HEADER:
    case CONNECTION_LATE_HEADER:
    case CONNECTION_REJECTED:
    case CONNECTION_OUT_OF_MEMORY:
    case CONNECTION_FAILED:
        return true;
    case CONNECTION_NOT_ENDED:
    case CONNECTION_END_OF_STREAM:
    case CONNECTION_QUIT:
    case CONNECTION_LEFT:
    case CONNECTION_IDLE:
    case CONNECTION_STALLED:
    case CONNECTION_TOO_MANY:
    case CONNECTION_STOPPING:
    case CONNECTION_CLOSED_ON_PURPOSE:
    case CONNECTION_RESET_ON_PURPOSE:
        break;
    }
    return false;
}
