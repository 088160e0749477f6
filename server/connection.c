#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reads are small until the peer has shown that it takes what it is sent: what one read brought may
 * all have to be kept, if the peer stops reading. A peer that never reads takes no more than what
 * the system buffers on both sides, a few MiB; one to which more has been sent does read.
 */
enum {
    READ_FIRST = 16 * 1024,
    READ_MORE = 64 * 1024,    /* after as much has been sent, */
    PROVEN = 16 * 1024 * 1024 /* and as much as there is room for after this */
};

/* Answers of at least this size are sent from where they stand instead of being batched. */
enum { BATCH_LIMIT = 8 * 1024 };

struct connection *connection_create(os_socket s, const struct net_address *peer, int64_t now)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->watch.socket = s;
    c->peer = *peer;
    c->opened = c->active = now;
    return c;
}

void connection_destroy(struct connection *c)
{
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

/* Ends the connection after an outcome of recv or send that leaves nothing else to do. */
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

/* Takes the result of a send into account. */
static void sent(struct connection *c, const struct connection_context *context,
                 struct net_result result)
{
    c->bytes_out += result.bytes;
    if (result.bytes > 0)
        c->active = context->now;
    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        fail(c, result);
}

static void send_bytes(struct connection *c, const struct connection_context *context,
                       struct span part)
{
    if (part.length > 0 && c->state != CONNECTION_CLOSED)
        sent(c, context, send_queue_send(&c->queue, c->watch.socket, part.bytes, part.length));
}

/* Sends a part of an answer, or puts it with the `*batched` bytes that are to go out in one send.
 */
static void put(struct connection *c, const struct connection_context *context, size_t *batched,
                struct span part)
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

/* Whether there is still something to be gained from the input: the peer takes answers, and has not
 * said quit. */
static bool may_answer(const struct connection *c)
{
    return c->state != CONNECTION_CLOSED && c->end != CONNECTION_QUIT &&
           c->end != CONNECTION_LINE_TOO_LONG && send_queue_length(&c->queue) == 0;
}

/*
 * Answers the messages in the input until none is whole, or the system takes no more. Returns how
 * much of the input is dealt with; after a quit or a line too long, all of it.
 */
static size_t answer(struct connection *c, struct connection_context *context, struct span input)
{
    struct protocol_answer next;
    size_t searched = c->searched;
    size_t batched = 0;
    size_t used = 0;

    while (may_answer(c)) {
        struct span rest = {input.bytes + used, input.length - used};
        enum protocol_verdict verdict =
            protocol_next(&context->rules, rest, c->peer_ended, &searched, &next);

        if (verdict == PROTOCOL_INCOMPLETE)
            break;
        used += next.consumed;
        /* Before anything is sent: if that fails, the failure is what is reported. */
        if (verdict == PROTOCOL_QUIT || verdict == PROTOCOL_TOO_LONG)
            c->end = verdict == PROTOCOL_QUIT ? CONNECTION_QUIT : CONNECTION_LINE_TOO_LONG;
        put(c, context, &batched, next.prefix);
        put(c, context, &batched, next.body);
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

/* Answers what was kept, as far as that can be done now. */
static void answer_kept(struct connection *c, struct connection_context *context)
{
    size_t length = buffer_length(&c->pending_input);

    if (length > 0)
        buffer_consume(&c->pending_input,
                       answer(c, context, (struct span){buffer_bytes(&c->pending_input), length}));
}

/* Answers what has just come, and keeps what cannot be answered yet. */
static void answer_new(struct connection *c, struct connection_context *context, struct span input)
{
    bool more = buffer_length(&c->pending_input) > 0; /* than the input is to be answered */
    size_t used = more ? 0 : answer(c, context, input);

    /* Once a send has failed, nothing will be answered any more. */
    if (used == input.length || c->state == CONNECTION_CLOSED)
        return;
    if (!buffer_append(&c->pending_input, input.bytes + used, input.length - used))
        fail(c, (struct net_result){.outcome = NET_EXHAUSTED});
    else if (more)
        answer_kept(c, context);
}

static size_t read_size(const struct connection *c, const struct connection_context *context)
{
    if (context->rules.mode == PROTOCOL_CHUNK)
        return CONNECTION_CHUNK;
    return c->bytes_out >= PROVEN      ? CONNECTION_SCRATCH
           : c->bytes_out >= READ_MORE ? READ_MORE
                                       : READ_FIRST;
}

void connection_log_opened(const struct connection *c, const struct connection_context *context)
{
    char address[NET_ADDRESS_TEXT];

    if (context->log->level != LOG_FAILURES)
        log_line(context->log, LOG_EVENTS, "Connection opened[%s]",
                 net_address_text(&c->peer, address));
}

/* Takes into account that bytes have come. */
static void received(struct connection *c, const struct connection_context *context, size_t bytes)
{
    if (c->bytes_in == 0 && context->no_log_empty)
        connection_log_opened(c, context);
    c->bytes_in += bytes;
}

static void receive(struct connection *c, struct connection_context *context)
{
    struct net_result result = net_recv(c->watch.socket, context->scratch, read_size(c, context));

    switch (result.outcome) {
    case NET_DONE:
        received(c, context, result.bytes);
        c->active = context->now;
        answer_new(c, context, (struct span){context->scratch, result.bytes});
        return;
    case NET_END:
        c->peer_ended = true;
        c->active = context->now;
        set_end(c, CONNECTION_END_OF_STREAM);
        answer_kept(c, context);
        return;
    case NET_WOULD_BLOCK:
        return;
    case NET_RESET:
    case NET_EXHAUSTED:
    case NET_UNAVAILABLE:
    case NET_FAILED:
        fail(c, result);
        /* Nothing is read while answers wait: what it has sent has been answered, unless it is
         * kept. */
        if (result.outcome == NET_RESET && buffer_length(&c->pending_input) == 0)
            c->end = CONNECTION_LEFT;
        return;
    }
}

/* Reads what nobody will answer, until the peer ends too. Returns whether there was any. */
static bool discard(struct connection *c, struct connection_context *context)
{
    struct net_result result = net_recv(c->watch.socket, context->scratch, CONNECTION_SCRATCH);

    if (result.outcome == NET_DONE)
        received(c, context, result.bytes);
    else if (result.outcome != NET_WOULD_BLOCK)
        c->state = CONNECTION_CLOSED;
    return result.outcome == NET_DONE;
}

void connection_abort(struct connection *c, struct connection_context *context,
                      enum connection_end end)
{
    set_end(c, end);
    /* An end that was near but did not come is not the one to report. */
    if (send_queue_length(&c->queue) > 0)
        c->end = end;
    for (int i = 0; i < CONNECTION_LAST_READS && c->state != CONNECTION_CLOSED; i++) {
        if (!discard(c, context))
            break;
    }
    c->state = CONNECTION_CLOSED;
}

/* Once there is an end, goes through the states on the way to it as far as possible. */
static void advance(struct connection *c, struct connection_context *context)
{
    if (c->state == CONNECTION_OPEN && c->end != CONNECTION_NOT_ENDED)
        c->state = CONNECTION_FLUSHING;
    if (c->state != CONNECTION_FLUSHING || send_queue_length(&c->queue) > 0)
        return;
    /*
     * When the server stops, a client that has been silent for as long as it might linger is not
     * waited for; what it sends at that very moment is lost.
     */
    bool silent = c->end == CONNECTION_STOPPING && context->now - c->active >= CONNECTION_LINGER;

    net_end_sending(c->watch.socket);
    c->active = context->now;
    c->state = c->peer_ended || silent ? CONNECTION_CLOSED : CONNECTION_LINGERING;
}

void connection_flush(struct connection *c, struct connection_context *context)
{
    sent(c, context, send_queue_flush(&c->queue, c->watch.socket));
    if (may_answer(c))
        answer_kept(c, context);
    advance(c, context);
}

void connection_serve(struct connection *c, struct connection_context *context)
{
    switch ((enum connection_state)c->state) {
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
    case CONNECTION_CLOSED:
        return;
    }
}

void connection_stop(struct connection *c, struct connection_context *context)
{
    set_end(c, CONNECTION_STOPPING);
    advance(c, context);
}

uint8_t connection_interest(const struct connection *c)
{
    switch ((enum connection_state)c->state) {
    case CONNECTION_OPEN:
    case CONNECTION_FLUSHING:
        return send_queue_length(&c->queue) > 0 ? SELECTOR_WRITE : SELECTOR_READ;
    case CONNECTION_LINGERING:
        return SELECTOR_READ;
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
        [CONNECTION_LINE_TOO_LONG] = "line too long",
        [CONNECTION_REJECTED] = "rejected: out of memory",
        [CONNECTION_OUT_OF_MEMORY] = "out of memory",
        [CONNECTION_STOPPING] = "stopping",
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
    case CONNECTION_REJECTED:
    case CONNECTION_OUT_OF_MEMORY:
    case CONNECTION_FAILED:
        return true;
    case CONNECTION_NOT_ENDED:
    case CONNECTION_END_OF_STREAM:
    case CONNECTION_QUIT:
    case CONNECTION_LEFT:
    case CONNECTION_IDLE:
    case CONNECTION_STOPPING:
        break;
    }
    return false;
}
