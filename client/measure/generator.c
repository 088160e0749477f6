#include "generator.h"

#include "deadline.h"
#include "os.h"

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
    record_fault(generator, exchange, "missing", exchange_expected(exchange), -1);
}

/* The index of a connection, which is also its turn in each round of messages. */
static uint64_t index_of(const struct generator *generator, const struct load_connection *c)
{
    return (uint64_t)(c - generator->connections.all);
}

/* The number of a connection's next message in the schedule. */
static uint64_t next_message_number(const struct generator *generator,
                                    const struct load_connection *c)
{
    return c->messages_begun * generator->options->connections + index_of(generator, c);
}

/* Whether a connection's next message is due. */
static bool has_due_message(const struct generator *generator, const struct load_connection *c)
{
    return c->messages_begun < schedule_released_to(&generator->schedule, index_of(generator, c));
}

/* Closes a connection that is lost since `since`, with the messages in flight on it. */
static void lose_connection(struct generator *generator, struct load_connection *c, int64_t since)
{
    generator->result->counts.connections_lost++;
    generator->in_flight -= exchange_in_flight(&c->exchange);
    connections_lose(&generator->connections, c, since);
}

/* Records why a connection is lost and the first missing byte, and closes it. */
static void fail_connection(struct generator *generator, struct load_connection *c,
                            const char *what, struct net_result result)
{
    connections_record_failure(&generator->connections, what, result);
    if (exchange_in_flight(&c->exchange) > 0)
        record_missing(generator, &c->exchange);
    lose_connection(generator, c, generator->now);
}

/* Whether a connection can begin a message now. Sets `timed_from` to when its timing starts: when
 * it is due, or without a rate now. */
static bool can_begin(struct generator *generator, struct load_connection *c, int64_t *timed_from)
{
    const struct load_options *options = generator->options;

    *timed_from = generator->now;
    if (!generator->sending || generator->result->counts.messages_sent >= options->count ||
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
static void send_messages(struct generator *generator, struct load_connection *c)
{
    int64_t timed_from;

    while (can_begin(generator, c, &timed_from)) {
        exchange_begin(&c->exchange, timed_from);
        c->messages_begun++;
        generator->in_flight++;
        generator->result->counts.messages_sent++;
    }
    uint64_t unsent = c->exchange.sending.message;
    struct net_result result = exchange_send(&c->exchange);

    if (generator->options->rate > 0)
        record_lateness(generator, &c->exchange, unsent);
    generator->result->counts.bytes_sent += result.bytes;
    if (result.bytes > 0)
        generator->last_byte_at = c->last_byte_at = generator->now;
    uint8_t room = can_begin(generator, c, &timed_from) ? SELECTOR_WRITE : SELECTOR_NONE;

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        fail_connection(generator, c, "lost the connection to", result);
    else
        selector_change(generator->selector, &c->exchange.watch,
                        exchange_interest(&c->exchange) | room);
}

/* Leaves out the messages that are due on a connection and have not been begun, except the last
 * `left` ones. They are not sent: the connection was missing when they were due. */
static void skip_due_messages(struct generator *generator, struct load_connection *c, unsigned left)
{
    if (generator->options->rate > 0)
        c->messages_begun =
            schedule_released_to(&generator->schedule, index_of(generator, c)) - left;
}

/* Begins to use a connection that has been made. */
static void use_connection(struct generator *generator, struct load_connection *c)
{
    generator->now = c->last_byte_at = os_nanoseconds();
    if (c->idle)
        return;
    if (!generator->options->reconnect)
        skip_due_messages(generator, c, 0);
    send_messages(generator, c);
}

static void start_connecting(struct generator *generator, struct load_connection *c)
{
    if (connections_begin(&generator->connections, c))
        use_connection(generator, c);
}

/* Connects for the next message of a connection: now, or with a rate when the message is due. */
static void connect_for_next_message(struct generator *generator, struct load_connection *c)
{
    if (generator->options->rate == 0 || has_due_message(generator, c)) {
        start_connecting(generator, c);
        return;
    }
    connections_wait(&generator->connections, c);
}

/* Records received answers. Closes the connection and returns false if a byte is wrong. */
static bool record_answers(struct generator *generator, struct load_connection *c,
                           const struct exchange_received *received)
{
    uint64_t answered = c->exchange.receiving.message;

    if (received->result.outcome == NET_DONE) {
        generator->result->counts.bytes_received += received->result.bytes;
        generator->last_byte_at = c->last_byte_at = generator->now;
    }
    generator->result->counts.messages_answered += received->answered;
    generator->in_flight -= received->answered;
    if (received->answered > 0) {
        generator->last_answer_at = generator->now;
        if (generator->connections.missing == 0)
            outages_end(&generator->result->outages, generator->now);
    }
    for (uint64_t i = answered - received->answered; i < answered; i++) {
        int64_t took = generator->now - exchange_timed_from(&c->exchange, i);

        histogram_add(&generator->result->round_trip, took);
        if (generator->options->progress || generator->options->report > 0)
            histogram_add(&generator->recent, took);
    }
    if (received->fault == EXCHANGE_RIGHT)
        return true;
    record_fault(generator, &c->exchange, exchange_fault_name(received->fault),
                 received->fault == EXCHANGE_EXTRA ? -1 : received->expected, received->got);
    lose_connection(generator, c, generator->now);
    return false;
}

/* Whether a connection, or the one that replaces it, has another message to send. With --reconnect,
 * one message is reserved for each connection that is being made. */
static bool has_another_message(const struct generator *generator, const struct load_connection *c)
{
    const struct load_options *options = generator->options;

    if (!generator->sending)
        return false;
    return options->rate > 0 ? next_message_number(generator, c) < generator->schedule.count
                             : options->count - generator->result->counts.messages_sent >
                                   generator->connections.connecting.length;
}

/* Whether the server may end a connection without loss: our side has ended, or the last answer has
 * been received. */
static bool may_end(const struct generator *generator, const struct load_connection *c)
{
    return generator->closing || (c->messages_begun > 0 && exchange_in_flight(&c->exchange) == 0 &&
                                  !has_another_message(generator, c));
}

static void serve_open(struct generator *generator, struct load_connection *c)
{
    /* The clock is read for each connection, because a time read once per round would be too old if
     * many connections are ready. */
    generator->now = os_nanoseconds();
    if (c->exchange.watch.ready & SELECTOR_READ) {
        struct exchange_received received = exchange_receive(&c->exchange);

        if (received.result.outcome != NET_DONE && received.result.outcome != NET_WOULD_BLOCK) {
            if (may_end(generator, c))
                connections_close(&generator->connections, c);
            else
                fail_connection(generator, c, "lost the connection to", received.result);
            return;
        }
        if (!record_answers(generator, c, &received))
            return;
        if (received.answered > 0 && generator->options->reconnect) {
            connections_close(&generator->connections, c);
            if (has_another_message(generator, c))
                connect_for_next_message(generator, c);
            return;
        }
    }
    send_messages(generator, c);
}

/* An idle connection should receive nothing but the greeting and its end. */
static void serve_idle(struct generator *generator, struct load_connection *c)
{
    struct exchange_received received = exchange_receive(&c->exchange);

    if (received.result.outcome == NET_DONE)
        record_answers(generator, c, &received);
    else if (received.result.outcome != NET_WOULD_BLOCK && !generator->closing)
        fail_connection(generator, c, "lost an idle connection to", received.result);
    else if (received.result.outcome != NET_WOULD_BLOCK)
        connections_close(&generator->connections, c);
}

void generator_connect_more(struct generator *generator)
{
    struct load_connection *c;

    while ((c = connections_next(&generator->connections, generator->now)) != NULL) {
        if (generator->options->reconnect && !c->idle) {
            skip_due_messages(generator, c, 0);
            connect_for_next_message(generator, c);
        } else {
            start_connecting(generator, c);
        }
    }
}

/* Releases the messages that are due, and sends once on each connection that has got any. */
static void send_due_messages(struct generator *generator)
{
    uint64_t connections = generator->options->connections;
    uint64_t first = generator->schedule.released;
    uint64_t due = generator->sending ? schedule_release(&generator->schedule, generator->now) : 0;

    for (uint64_t i = 0; i < due && i < connections; i++) {
        struct load_connection *c = &generator->connections.all[(first + i) % connections];

        if (c->exchange.watch.kind == LOAD_WAITING) {
            if (c->missing)
                skip_due_messages(generator, c, 1);
            start_connecting(generator, c);
        } else if (c->exchange.watch.kind == LOAD_OPEN) {
            generator->now = os_nanoseconds();
            send_messages(generator, c);
        }
    }
}

bool generator_step(struct generator *generator, int64_t deadline)
{
    struct selector_watch *watch;
    bool go_on = true;

    deadline = deadline_earlier(deadline, connections_deadline(&generator->connections));
    deadline = deadline_earlier(deadline, output_next_retry(generator->output));
    if (generator->sending)
        deadline = deadline_earlier(deadline, schedule_next(&generator->schedule));
    if (!selector_wait(generator->selector, deadline)) {
        generator->result->counts.connections_lost += generator->connections.open;
        connections_record_failure(
            &generator->connections, "select() failed for",
            (struct net_result){.outcome = NET_FAILED, .error = os_socket_error()});
        return false;
    }
    generator->now = os_nanoseconds();
    while ((watch = selector_next(generator->selector)) != NULL) {
        struct load_connection *c = (struct load_connection *)watch;

        switch ((enum load_watch)watch->kind) {
        case LOAD_STOP:
            go_on = false;
            break;
        case LOAD_IDLE:
            serve_idle(generator, c);
            break;
        case LOAD_CONNECTING:
            if (connections_finish(&generator->connections, c))
                use_connection(generator, c);
            break;
        case LOAD_OPEN:
            serve_open(generator, c);
            break;
        case LOAD_WAITING:
        case LOAD_LOST:
        case LOAD_CLOSED:
        case LOAD_OUTPUT: /* it is flushed below */
            break;
        }
    }
    connections_time_out(&generator->connections, generator->now);
    send_due_messages(generator);
    generator_connect_more(generator);
    return output_flush(generator->output) && go_on;
}

bool generator_has_more(const struct generator *generator)
{
    const struct load_options *options = generator->options;
    const struct connections *connections = &generator->connections;

    if (generator->result->counts.messages_sent >= options->count ||
        connections->open + connections->connecting.length + connections->waiting +
                connections->lost.length ==
            0)
        return false;
    /* With a rate, messages due on a lost connection are never sent. So once all messages have been
     * released, more are sent only while answers or connections are pending. */
    return options->rate == 0 || schedule_next(&generator->schedule) != DEADLINE_NEVER ||
           generator->in_flight > 0 || connections->connecting.length > 0;
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
    for (size_t i = 0; i < generator->connections.total; i++) {
        struct load_connection *c = &generator->connections.all[i];

        if (c->exchange.watch.kind != LOAD_OPEN)
            continue;
        generator->now = os_nanoseconds();
        send_messages(generator, c);
    }
}

int64_t generator_record_missing(struct generator *generator, int64_t since)
{
    const struct pattern_place *place;
    int64_t oldest = generator->now;
    unsigned long long unanswered = 0;
    bool lost = false;

    for (size_t i = 0; i < generator->connections.total; i++) {
        struct load_connection *c = &generator->connections.all[i];

        if (c->exchange.watch.kind != LOAD_OPEN || exchange_in_flight(&c->exchange) == 0)
            continue;
        if (c->last_byte_at > since) {
            oldest = deadline_earlier(oldest, c->last_byte_at);
            continue;
        }
        place = &c->exchange.receiving;
        unanswered += place->message == 0 && place->offset == 0;
        record_missing(generator, &c->exchange);
        lose_connection(generator, c, c->last_byte_at);
        lost = true;
    }
    /* If each message has a connection of its own, a server that stalls leaves some unanswered. */
    if (unanswered > 0 &&
        (!generator->options->reconnect || generator->result->counts.messages_answered == 0))
        load_result_record_unanswered(generator->result, unanswered);
    else if (lost)
        connections_record_failure(&generator->connections, "lost the connection to",
                                   (struct net_result){.outcome = NET_WOULD_BLOCK});
    return oldest;
}

void generator_end_sending(struct generator *generator)
{
    generator->closing = true;
    for (size_t i = 0; i < generator->connections.total; i++) {
        const struct selector_watch *watch = &generator->connections.all[i].exchange.watch;

        if (watch->kind == LOAD_OPEN)
            net_end_sending(watch->socket);
    }
}

bool generator_create(struct generator *generator, const struct load_options *options,
                      const struct connector_connection *first, os_socket stop,
                      struct output *output, struct load_result *result)
{
    *generator = (struct generator){.options = options, .result = result, .output = output};
    generator->schedule = (struct schedule){
        .rate = options->rate, .count = options->count, .connections = options->connections};
    generator->now = os_nanoseconds();
    generator->selector = selector_create(SELECTOR_ANNOUNCED);
    generator->stop.kind = LOAD_STOP;
    generator->stop.always = true;
    output->watch.kind = LOAD_OUTPUT;
    output->watch.always = true;
    return connections_create(&generator->connections, options, first, generator->selector,
                              result) &&
           generator->selector != NULL &&
           selector_add(generator->selector, &generator->stop, stop, SELECTOR_READ) &&
           output_attach(output, generator->selector);
}

void generator_destroy(struct generator *generator)
{
    output_detach(generator->output);
    connections_destroy(&generator->connections);
    selector_destroy(generator->selector);
}
