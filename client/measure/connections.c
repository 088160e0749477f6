#include "connections.h"

#include <stddef.h>
#include <stdlib.h>

#include "deadline.h"
#include "os.h"
#include "proxy_sender.h"

enum { CONNECTING_AT_ONCE = 64 }; /* fewer than the backlog of any server holds */

static const int64_t RETRY_CONNECT = MILLISECONDS(100);

/* A ready watch is cast to the connection whose first member it is. */
_Static_assert(offsetof(struct exchange, watch) == 0, "the watch comes first");
_Static_assert(offsetof(struct load_connection, exchange) == 0, "the exchange comes first");

static void queue_add(struct load_queue *queue, struct load_connection *c)
{
    c->next = NULL;
    c->previous = queue->last;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = c;
    queue->last = c;
    queue->length++;
}

static void queue_remove(struct load_queue *queue, struct load_connection *c)
{
    *(c->previous != NULL ? &c->previous->next : &queue->first) = c->next;
    *(c->next != NULL ? &c->next->previous : &queue->last) = c->previous;
    queue->length--;
}

void connections_record_failure(struct connections *connections, const char *what,
                                struct net_result result)
{
    load_result_record_failure(connections->result, what, &connections->first.peer,
                               connections->source.fixed, result);
}

void connections_close(struct connections *connections, struct load_connection *c)
{
    if (c->exchange.watch.kind == LOAD_CONNECTING)
        queue_remove(&connections->connecting, c);
    connections->open -= c->exchange.watch.kind == LOAD_OPEN;
    connections->idle -= c->exchange.watch.kind == LOAD_IDLE;
    exchange_close(&c->exchange, connections->selector);
    c->exchange.watch.kind = LOAD_CLOSED;
}

/* Whether a connection is made when its message is due, and not before. */
static bool is_made_when_due(const struct connections *connections, const struct load_connection *c)
{
    return connections->options->reconnect && connections->options->rate > 0 && !c->idle;
}

void connections_wait(struct connections *connections, struct load_connection *c)
{
    c->exchange.watch.kind = LOAD_WAITING;
    connections->waiting++;
}

/* Lets a closed connection be made again, if lost ones are. There is an outage since `since`. */
static void replace(struct connections *connections, struct load_connection *c, int64_t since)
{
    bool was_missing = c->missing;

    if (!connections->replacing)
        return;
    outages_begin(&connections->result->outages, since);
    c->missing = true;
    if (is_made_when_due(connections, c)) {
        connections_wait(connections, c);
        return;
    }
    int64_t now = os_nanoseconds();

    if (connections->retry_at <= now)
        connections->retry_at = now + RETRY_CONNECT;
    connections->failing = true;
    connections->missing += !was_missing;
    c->exchange.watch.kind = LOAD_LOST;
    queue_add(&connections->lost, c);
}

/* Records that a connection has not been made. */
static void fail(struct connections *connections, struct load_connection *c,
                 struct net_result result)
{
    const struct load_options *options = connections->options;

    connections->result->counts.connections_failed++;
    connections_record_failure(connections, "cannot connect to", result);
    if (connections->last_made_at == 0 && options->address_count > 0)
        connections->first.peer =
            options->addresses[++connections->address % options->address_count];
    c->exchange.watch.kind = LOAD_CLOSED;
    replace(connections, c, c->connect_began);
}

void connections_lose(struct connections *connections, struct load_connection *c, int64_t since)
{
    connections_close(connections, c);
    replace(connections, c, since);
}

static void open_connection(struct connections *connections, struct load_connection *c, int64_t now,
                            int64_t connect_time)
{
    connections->last_made_at = now;
    connections->failing = false;
    connections->missing -= c->missing && !is_made_when_due(connections, c);
    c->missing = false;
    connections->result->counts.connections_made++;
    histogram_add(&connections->result->connect_time, connect_time);
    c->exchange.watch.kind = c->idle ? LOAD_IDLE : LOAD_OPEN;
    connections->open += !c->idle;
    connections->idle += c->idle;
    selector_change(connections->selector, &c->exchange.watch, SELECTOR_READ);
}

static bool open_exchange(struct connections *connections, struct load_connection *c,
                          uint64_t number, os_socket s, uint8_t interest)
{
    const struct load_options *options = connections->options;

    return exchange_open(&c->exchange, &options->pattern, number, c->idle ? 1 : options->pipeline,
                         s, connections->selector, interest);
}

/* Uses the connection that the connector has made. Returns false if memory is refused. */
static bool take_over_first(struct connections *connections, struct load_connection *c)
{
    os_socket s = connections->first.socket;

    connections->first.socket = OS_NO_SOCKET;
    if (!open_exchange(connections, c, connections->source.count++, s, SELECTOR_READ)) {
        fail(connections, c, (struct net_result){.outcome = NET_EXHAUSTED});
        return false;
    }
    open_connection(connections, c, os_nanoseconds(), connections->first.took);
    return true;
}

bool connections_begin(struct connections *connections, struct load_connection *c)
{
    uint64_t number = connections->source.count;
    os_socket s;

    connections->waiting -= c->exchange.watch.kind == LOAD_WAITING;
    c->connect_began = os_nanoseconds();
    if (connections->first.socket != OS_NO_SOCKET)
        return take_over_first(connections, c);
    struct net_result result = source_connect(&connections->source, &connections->first.peer, &s);
    bool begun = result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK;

    if (begun && open_exchange(connections, c, number, s, SELECTOR_WRITE)) {
        c->exchange.watch.kind = LOAD_CONNECTING;
        queue_add(&connections->connecting, c);
        return false;
    }
    if (begun)
        result = (struct net_result){.outcome = NET_EXHAUSTED};
    fail(connections, c, result);
    return false;
}

/* Closes a connection that is being made, and records why. */
static void fail_connecting(struct connections *connections, struct load_connection *c,
                            struct net_result result)
{
    connections_close(connections, c);
    fail(connections, c, result);
}

bool connections_finish(struct connections *connections, struct load_connection *c)
{
    struct net_result result = proxy_sender_connect_result(c->exchange.watch.socket);
    int64_t now = os_nanoseconds();

    if (result.outcome != NET_DONE) {
        fail_connecting(connections, c, result);
        return false;
    }
    queue_remove(&connections->connecting, c);
    open_connection(connections, c, now, now - c->connect_began);
    return true;
}

/* The connection that is to be begun next; NULL if there is none, or too many are being made. */
static struct load_connection *next_connection(const struct connections *connections)
{
    if (connections->connecting.length >= CONNECTING_AT_ONCE)
        return NULL;
    if (connections->lost.first != NULL)
        return connections->lost.first;
    return connections->started < connections->total ? &connections->all[connections->started]
                                                     : NULL;
}

struct load_connection *connections_next(struct connections *connections, int64_t now)
{
    struct load_connection *c = next_connection(connections);

    if (c == NULL)
        return NULL;
    if (!is_made_when_due(connections, c)) {
        if (now < connections->retry_at)
            return NULL;
        if (connections->failing)
            connections->retry_at = now + RETRY_CONNECT;
    }
    if (c == connections->lost.first)
        queue_remove(&connections->lost, c);
    else
        connections->started++;
    return c;
}

/* When the oldest connect that is under way times out; DEADLINE_NEVER if there is none. */
static int64_t next_time_out(const struct connections *connections)
{
    const struct load_connection *oldest = connections->connecting.first;

    return oldest != NULL ? oldest->connect_began + connections->options->connect_timeout
                          : DEADLINE_NEVER;
}

int64_t connections_deadline(const struct connections *connections)
{
    return deadline_earlier(next_time_out(connections), next_connection(connections) != NULL
                                                            ? connections->retry_at
                                                            : DEADLINE_NEVER);
}

void connections_time_out(struct connections *connections, int64_t now)
{
    while (now >= next_time_out(connections)) {
        struct load_connection *c = connections->connecting.first;

        if (!connections->replacing && connections->last_made_at < c->connect_began) {
            connections->result->counts.connections_failed +=
                connections->total - connections->started;
            connections->started = connections->total;
        }
        fail_connecting(connections, c, (struct net_result){.outcome = NET_WOULD_BLOCK});
    }
}

void connections_give_up(struct connections *connections)
{
    while (connections->connecting.first != NULL)
        connections_close(connections, connections->connecting.first);
    while (connections->lost.first != NULL) {
        connections->lost.first->exchange.watch.kind = LOAD_CLOSED;
        queue_remove(&connections->lost, connections->lost.first);
    }
    connections->replacing = false;
    connections->started = connections->total;
}

bool connections_create(struct connections *connections, const struct load_options *options,
                        const struct connector_connection *first, struct selector *selector,
                        struct load_result *result)
{
    size_t total = (size_t)options->connections + options->idle;

    *connections = (struct connections){.options = options,
                                        .result = result,
                                        .selector = selector,
                                        .first = *first,
                                        .source.fixed = options->source,
                                        .replacing = options->keep_going,
                                        /* One is tried first if nobody was there. */
                                        .failing = first->socket == OS_NO_SOCKET};
    /* Each message is timed with a connection of its own, so the first one is not used. */
    if (options->reconnect && options->rate > 0 && first->socket != OS_NO_SOCKET) {
        net_close(first->socket);
        connections->first.socket = OS_NO_SOCKET;
    }
    connections->all = calloc(total, sizeof *connections->all);
    if (connections->all == NULL)
        return false;
    connections->total = total;
    for (size_t i = 0; i < total; i++) {
        connections->all[i].exchange.watch.kind = LOAD_CLOSED;
        connections->all[i].idle = i >= options->connections;
    }
    return true;
}

void connections_destroy(struct connections *connections)
{
    for (size_t i = 0; i < connections->total; i++) {
        uint8_t kind = connections->all[i].exchange.watch.kind;

        if (kind != LOAD_WAITING && kind != LOAD_LOST && kind != LOAD_CLOSED)
            connections_close(connections, &connections->all[i]);
    }
    if (connections->first.socket != OS_NO_SOCKET)
        net_close(connections->first.socket);
    free(connections->all);
}
