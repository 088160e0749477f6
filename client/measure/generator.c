#include "generator.h"

#include <stddef.h>
#include <stdlib.h>

#include "deadline.h"
#include "os.h"

enum { CONNECTING_AT_ONCE = 64 }; /* fewer than the backlog of any server holds */

/* A ready watch is cast to the connection whose first member it is. */
_Static_assert(offsetof(struct exchange, watch) == 0, "the watch comes first");
_Static_assert(offsetof(struct generator_connection, exchange) == 0, "the exchange comes first");

static void record_failure(struct generator *generator, const char *what, struct net_result result)
{
    load_result_record_failure(generator->result, what, &generator->first.peer, result);
}

static void record_unconnected(struct generator *generator, struct net_result result)
{
    generator->result->connections_failed++;
    record_failure(generator, "cannot connect to", result);
}

static void record_fault(struct generator *generator, const struct exchange *exchange,
                         const char *what, int expected, int got)
{
    load_result_record_fault(generator->result,
                             (struct load_fault){.what = what,
                                                 .connection = exchange->connection,
                                                 .place = exchange_place(exchange),
                                                 .expected = expected,
                                                 .got = got});
}

static void record_missing(struct generator *generator, const struct exchange *exchange)
{
    record_fault(generator, exchange, "missing",
                 pattern_answer_byte(exchange->pattern, exchange->connection, &exchange->receiving),
                 -1);
}

/* The index of a connection, which is also its turn in each round of messages. */
static uint64_t index_of(const struct generator *generator, const struct generator_connection *c)
{
    return (uint64_t)(c - generator->connections);
}

/* The number of a connection's next message in the schedule. */
static uint64_t next_message_number(const struct generator *generator,
                                    const struct generator_connection *c)
{
    return c->messages_begun * generator->options->connections + index_of(generator, c);
}

/* Whether a connection's next message is due. */
static bool has_due_message(const struct generator *generator, const struct generator_connection *c)
{
    return c->messages_begun < schedule_released_to(&generator->schedule, index_of(generator, c));
}

/* Closes a connection, with the messages in flight on it. */
static void close_connection(struct generator *generator, struct generator_connection *c)
{
    switch ((enum generator_watch)c->exchange.watch.kind) {
    case GENERATOR_CONNECTING:
        generator->connecting--;
        break;
    case GENERATOR_OPEN:
        generator->open--;
        generator->in_flight -= exchange_in_flight(&c->exchange);
        break;
    case GENERATOR_STOP:
    case GENERATOR_IDLE:
    case GENERATOR_WAITING:
    case GENERATOR_CLOSED:
        break;
    }
    exchange_close(&c->exchange, generator->selector);
    c->exchange.watch.kind = GENERATOR_CLOSED;
}

/* Records that a connection is lost, with the first missing byte, and closes it. */
static void lose_connection(struct generator *generator, struct generator_connection *c,
                            const char *what, struct net_result result)
{
    generator->result->connections_lost++;
    record_failure(generator, what, result);
    if (exchange_in_flight(&c->exchange) > 0)
        record_missing(generator, &c->exchange);
    close_connection(generator, c);
}

/* Whether a connection can begin a message now. Sets `timed_from` to when its timing starts: when
 * it is due, or without a rate now. */
static bool can_begin(struct generator *generator, struct generator_connection *c,
                      int64_t *timed_from)
{
    const struct load_options *options = generator->options;

    *timed_from = generator->now;
    if (!generator->sending || generator->result->messages_sent >= options->count ||
        exchange_in_flight(&c->exchange) >= options->pipeline || exchange_is_full(&c->exchange))
        return false;
    if (options->rate == 0)
        return true;
    *timed_from = schedule_time(&generator->schedule, next_message_number(generator, c));
    return has_due_message(generator, c);
}

/* Records how late messages were sent: from `message` to the last one that is sent completely. */
static void record_lateness(struct generator *generator, const struct exchange *exchange,
                            uint64_t message)
{
    for (; message < exchange->sending.message; message++)
        histogram_add(&generator->result->send_lateness,
                      generator->now - exchange_timed_from(exchange, message));
}

/*
 * Begins as many messages as can_begin() allows, and sends once. If messages are left that can be
 * begun, it does so when the socket has room, so that without a rate the timing of a message starts
 * when the system can take it.
 */
static void send_messages(struct generator *generator, struct generator_connection *c)
{
    int64_t timed_from;

    while (can_begin(generator, c, &timed_from)) {
        exchange_begin(&c->exchange, timed_from);
        c->messages_begun++;
        generator->in_flight++;
        generator->result->messages_sent++;
    }
    uint64_t unsent = c->exchange.sending.message;
    struct net_result result = exchange_send(&c->exchange);

    if (generator->options->rate > 0)
        record_lateness(generator, &c->exchange, unsent);
    generator->result->bytes_sent += result.bytes;
    if (result.bytes > 0)
        generator->last_byte_at = generator->now;
    uint8_t room = can_begin(generator, c, &timed_from) ? SELECTOR_WRITE : SELECTOR_NONE;

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        lose_connection(generator, c, "lost the connection to", result);
    else
        selector_change(generator->selector, &c->exchange.watch,
                        exchange_interest(&c->exchange) | room);
}

/* Handles a connection that has been made, in `connect_time` nanoseconds. */
static void connection_opened(struct generator *generator, struct generator_connection *c,
                              int64_t connect_time)
{
    generator->last_connect_at = generator->now;
    generator->result->connections_made++;
    histogram_add(&generator->result->connect_time, connect_time);
    c->exchange.watch.kind = c->idle ? GENERATOR_IDLE : GENERATOR_OPEN;
    selector_change(generator->selector, &c->exchange.watch, SELECTOR_READ);
    if (!c->idle) {
        generator->open++;
        send_messages(generator, c);
    }
}

/* Handles the end of a connect, successful or not. */
static void finish_connecting(struct generator *generator, struct generator_connection *c)
{
    struct net_result result = net_connect_result(c->exchange.watch.socket);

    generator->now = os_nanoseconds();
    if (result.outcome != NET_DONE) {
        record_unconnected(generator, result);
        close_connection(generator, c);
        return;
    }
    generator->connecting--;
    connection_opened(generator, c, generator->now - c->connect_began);
}

static bool open_exchange(struct generator *generator, struct generator_connection *c,
                          uint64_t number, os_socket s, uint8_t interest)
{
    const struct load_options *options = generator->options;

    return exchange_open(&c->exchange, &options->pattern, number, c->idle ? 1 : options->pipeline,
                         s, generator->selector, interest);
}

/* Uses the connection that the connector has made. */
static void take_over_first(struct generator *generator, struct generator_connection *c)
{
    os_socket s = generator->first.socket;

    generator->first.socket = OS_NO_SOCKET;
    generator->now = os_nanoseconds();
    if (open_exchange(generator, c, generator->source.count++, s, SELECTOR_READ)) {
        connection_opened(generator, c, generator->first.took);
        return;
    }
    c->exchange.watch.kind = GENERATOR_CLOSED;
    record_unconnected(generator, (struct net_result){.outcome = NET_EXHAUSTED});
}

/* Begins to connect. If this fails, the failure is recorded and the connection stays closed. */
static void start_connecting(struct generator *generator, struct generator_connection *c)
{
    uint64_t number = generator->source.count;
    os_socket s;

    if (generator->first.socket != OS_NO_SOCKET) {
        take_over_first(generator, c);
        return;
    }
    c->connect_began = generator->now = os_nanoseconds();
    struct net_result result = source_connect(&generator->source, &generator->first.peer, &s);
    bool begun = result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK;

    if (begun && open_exchange(generator, c, number, s, SELECTOR_WRITE)) {
        c->exchange.watch.kind = GENERATOR_CONNECTING;
        if (generator->connecting++ == 0)
            generator->last_connect_at = generator->now;
        return;
    }
    c->exchange.watch.kind = GENERATOR_CLOSED;
    if (begun)
        result = (struct net_result){.outcome = NET_EXHAUSTED};
    record_unconnected(generator, result);
}

/* Connects for the next message of a connection: now, or with a rate when the message is due. */
static void connect_for_next_message(struct generator *generator, struct generator_connection *c)
{
    if (generator->options->rate == 0 || has_due_message(generator, c)) {
        start_connecting(generator, c);
        return;
    }
    c->exchange.watch.kind = GENERATOR_WAITING;
    generator->waiting++;
}

/* Records received answers. Closes the connection and returns false if a byte is wrong. */
static bool record_answers(struct generator *generator, struct generator_connection *c,
                           const struct exchange_received *received)
{
    uint64_t answered = c->exchange.receiving.message;

    if (received->result.outcome == NET_DONE) {
        generator->result->bytes_received += received->result.bytes;
        generator->last_byte_at = generator->now;
    }
    generator->result->messages_answered += received->answered;
    generator->in_flight -= received->answered;
    generator->last_answer_at = received->answered > 0 ? generator->now : generator->last_answer_at;
    for (uint64_t i = answered - received->answered; i < answered; i++) {
        int64_t took = generator->now - exchange_timed_from(&c->exchange, i);

        histogram_add(&generator->result->round_trip, took);
        if (generator->options->progress)
            histogram_add(&generator->recent, took);
    }
    switch (received->fault) {
    case EXCHANGE_RIGHT:
        return true;
    case EXCHANGE_UNGREETED:
    case EXCHANGE_WRONG:
        record_fault(generator, &c->exchange,
                     received->fault == EXCHANGE_WRONG ? "wrong" : "wrong greeting",
                     received->expected, received->got);
        break;
    case EXCHANGE_EXTRA:
        record_fault(generator, &c->exchange, "extra", -1, received->got);
        break;
    }
    generator->result->connections_lost++;
    close_connection(generator, c);
    return false;
}

/* Whether a connection, or the one that replaces it, has another message to send. With --reconnect,
 * one message is reserved for each connection that is being made. */
static bool has_another_message(const struct generator *generator,
                                const struct generator_connection *c)
{
    const struct load_options *options = generator->options;

    if (!generator->sending)
        return false;
    return options->rate > 0
               ? next_message_number(generator, c) < generator->schedule.count
               : options->count - generator->result->messages_sent > generator->connecting;
}

/* Whether the server may end a connection without loss: our side has ended, or the last answer has
 * been received. */
static bool may_end(const struct generator *generator, const struct generator_connection *c)
{
    return generator->closing || (c->messages_begun > 0 && exchange_in_flight(&c->exchange) == 0 &&
                                  !has_another_message(generator, c));
}

static void serve_open(struct generator *generator, struct generator_connection *c)
{
    /* The clock is read for each connection, because a time read once per round would be too old if
     * many connections are ready. */
    generator->now = os_nanoseconds();
    if (c->exchange.watch.ready & SELECTOR_READ) {
        struct exchange_received received = exchange_receive(&c->exchange);

        if (received.result.outcome != NET_DONE && received.result.outcome != NET_WOULD_BLOCK) {
            if (may_end(generator, c))
                close_connection(generator, c);
            else
                lose_connection(generator, c, "lost the connection to", received.result);
            return;
        }
        if (!record_answers(generator, c, &received))
            return;
        if (received.answered > 0 && generator->options->reconnect) {
            close_connection(generator, c);
            if (has_another_message(generator, c))
                connect_for_next_message(generator, c);
            return;
        }
    }
    send_messages(generator, c);
}

/* An idle connection should receive nothing but the greeting and its end. */
static void serve_idle(struct generator *generator, struct generator_connection *c)
{
    struct exchange_received received = exchange_receive(&c->exchange);

    if (received.result.outcome == NET_DONE)
        record_answers(generator, c, &received);
    else if (received.result.outcome != NET_WOULD_BLOCK && !generator->closing)
        lose_connection(generator, c, "lost an idle connection to", received.result);
    else if (received.result.outcome != NET_WOULD_BLOCK)
        close_connection(generator, c);
}

void generator_connect_more(struct generator *generator)
{
    while (generator->started < generator->total && generator->connecting < CONNECTING_AT_ONCE) {
        struct generator_connection *c = &generator->connections[generator->started++];

        c->idle = generator->started > generator->options->connections;
        if (generator->options->reconnect && !c->idle)
            connect_for_next_message(generator, c);
        else
            start_connecting(generator, c);
    }
}

/* Releases the messages that are due, and sends once on each connection that has got any. */
static void send_due_messages(struct generator *generator)
{
    uint64_t connections = generator->options->connections;
    uint64_t first = generator->schedule.released;
    uint64_t due = generator->sending ? schedule_release(&generator->schedule, generator->now) : 0;

    for (uint64_t i = 0; i < due && i < connections; i++) {
        struct generator_connection *c = &generator->connections[(first + i) % connections];

        if (c->exchange.watch.kind == GENERATOR_WAITING) {
            generator->waiting--;
            start_connecting(generator, c);
        } else if (c->exchange.watch.kind == GENERATOR_OPEN) {
            generator->now = os_nanoseconds();
            send_messages(generator, c);
        }
    }
}

bool generator_step(struct generator *generator, int64_t deadline)
{
    struct selector_watch *watch;
    bool go_on = true;

    if (generator->sending)
        deadline = deadline_earlier(deadline, schedule_next(&generator->schedule));
    if (!selector_wait(generator->selector, deadline)) {
        generator->result->connections_lost += generator->open;
        record_failure(generator, "select() failed for",
                       (struct net_result){.outcome = NET_FAILED, .error = os_socket_error()});
        return false;
    }
    generator->now = os_nanoseconds();
    while ((watch = selector_next(generator->selector)) != NULL) {
        struct generator_connection *c = (struct generator_connection *)watch;

        switch ((enum generator_watch)watch->kind) {
        case GENERATOR_STOP:
            go_on = false;
            break;
        case GENERATOR_IDLE:
            serve_idle(generator, c);
            break;
        case GENERATOR_CONNECTING:
            finish_connecting(generator, c);
            break;
        case GENERATOR_OPEN:
            serve_open(generator, c);
            break;
        case GENERATOR_WAITING:
        case GENERATOR_CLOSED:
            break;
        }
    }
    send_due_messages(generator);
    return go_on;
}

size_t generator_give_up_connecting(struct generator *generator)
{
    size_t given_up = generator->total - generator->started;

    for (size_t i = 0; i < generator->started && generator->connecting > 0; i++) {
        if (generator->connections[i].exchange.watch.kind != GENERATOR_CONNECTING)
            continue;
        given_up++;
        close_connection(generator, &generator->connections[i]);
    }
    generator->started = generator->total;
    return given_up;
}

bool generator_has_more(const struct generator *generator)
{
    const struct load_options *options = generator->options;

    if (generator->result->messages_sent >= options->count ||
        generator->open + generator->connecting + generator->waiting == 0)
        return false;
    /* With a rate, messages due on a lost connection are never sent. So once all messages have been
     * released, more are sent only while answers or connections are pending. */
    return options->rate == 0 || schedule_next(&generator->schedule) != DEADLINE_NEVER ||
           generator->in_flight > 0 || generator->connecting > 0;
}

void generator_start(struct generator *generator)
{
    const struct load_options *options = generator->options;
    struct schedule *schedule = &generator->schedule;

    schedule->started = generator->last_byte_at = generator->now = os_nanoseconds();
    if (options->duration > 0)
        schedule->count = schedule_due_before(schedule, schedule->started + options->duration);
    generator->sending = true;
    send_due_messages(generator);
    for (size_t i = 0; i < generator->total; i++) {
        if (generator->connections[i].exchange.watch.kind != GENERATOR_OPEN)
            continue;
        generator->now = os_nanoseconds();
        send_messages(generator, &generator->connections[i]);
    }
}

void generator_record_missing(struct generator *generator)
{
    const struct pattern_place *place;
    unsigned long long unanswered = 0;

    for (size_t i = 0; i < generator->total; i++) {
        struct generator_connection *c = &generator->connections[i];

        if (c->exchange.watch.kind != GENERATOR_OPEN || exchange_in_flight(&c->exchange) == 0)
            continue;
        place = &c->exchange.receiving;
        unanswered += place->message == 0 && place->offset == 0;
        record_missing(generator, &c->exchange);
        generator->result->connections_lost++;
        close_connection(generator, c);
    }
    if (unanswered > 0)
        load_result_record_unanswered(generator->result, unanswered);
}

void generator_end_sending(struct generator *generator)
{
    generator->closing = true;
    generator_give_up_connecting(generator);
    for (size_t i = 0; i < generator->total; i++) {
        if (generator->connections[i].exchange.watch.kind == GENERATOR_OPEN)
            net_end_sending(generator->connections[i].exchange.watch.socket);
    }
}

bool generator_create(struct generator *generator, const struct load_options *options,
                      const struct connector_connection *first, os_socket stop,
                      struct load_result *result)
{
    size_t total = (size_t)options->connections + options->idle;

    *generator = (struct generator){.options = options, .result = result, .first = *first};
    generator->schedule = (struct schedule){
        .rate = options->rate, .count = options->count, .connections = options->connections};
    generator->now = os_nanoseconds();
    /* Each message is timed with a connection of its own, so the first one is not used. */
    if (options->reconnect && options->rate > 0) {
        net_close(first->socket);
        generator->first.socket = OS_NO_SOCKET;
    }
    generator->connections = calloc(total, sizeof *generator->connections);
    generator->selector = selector_create(SELECTOR_ANNOUNCED);
    if (generator->connections == NULL || generator->selector == NULL)
        return false;
    generator->total = total;
    for (size_t i = 0; i < total; i++)
        generator->connections[i].exchange.watch.kind = GENERATOR_CLOSED;
    generator->stop.kind = GENERATOR_STOP;
    generator->stop.always = true;
    return selector_add(generator->selector, &generator->stop, stop, SELECTOR_READ);
}

void generator_destroy(struct generator *generator)
{
    for (size_t i = 0; i < generator->total; i++) {
        uint8_t kind = generator->connections[i].exchange.watch.kind;

        if (kind != GENERATOR_WAITING && kind != GENERATOR_CLOSED)
            close_connection(generator, &generator->connections[i]);
    }
    if (generator->first.socket != OS_NO_SOCKET)
        net_close(generator->first.socket);
    selector_destroy(generator->selector);
    free(generator->connections);
}
