#include "connections.h"

#include <stddef.h>
#include <stdlib.h>

#include "deadline.h"
#include "os.h"
#include "proxy_sender.h"

enum { CONNECTING_AT_ONCE = 64 }; /* fewer than the backlog of any server holds */

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
    load_result_record_failure(connections->result, what, &connections->first.peer, result);
}

void connections_close(struct connections *connections, struct load_connection *c)
{
    if (c->exchange.watch.kind == LOAD_CONNECTING)
        queue_remove(&connections->connecting, c);
    connections->open -= c->exchange.watch.kind == LOAD_OPEN;
    exchange_close(&c->exchange, connections->selector);
    c->exchange.watch.kind = LOAD_CLOSED;
}

/* Records that a connection has not been made. */
static void fail(struct connections *connections, struct load_connection *c,
                 struct net_result result)
{
    connections->result->connections_failed++;
    connections_record_failure(connections, "cannot connect to", result);
    c->exchange.watch.kind = LOAD_CLOSED;
}

static void open_connection(struct connections *connections, struct load_connection *c, int64_t now,
                            int64_t connect_time)
{
    connections->last_made_at = now;
    connections->result->connections_made++;
    histogram_add(&connections->result->connect_time, connect_time);
    c->exchange.watch.kind = c->idle ? LOAD_IDLE : LOAD_OPEN;
    connections->open += !c->idle;
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

    if (connections->first.socket != OS_NO_SOCKET)
        return take_over_first(connections, c);
    c->connect_began = os_nanoseconds();
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

struct load_connection *connections_next(struct connections *connections)
{
    if (connections->started == connections->total ||
        connections->connecting.length == CONNECTING_AT_ONCE)
        return NULL;
    struct load_connection *c = &connections->all[connections->started++];

    c->idle = connections->started > connections->options->connections;
    return c;
}

int64_t connections_deadline(const struct connections *connections)
{
    const struct load_connection *oldest = connections->connecting.first;

    return oldest != NULL ? oldest->connect_began + connections->options->connect_timeout
                          : DEADLINE_NEVER;
}

void connections_time_out(struct connections *connections, int64_t now)
{
    while (now >= connections_deadline(connections)) {
        struct load_connection *c = connections->connecting.first;

        if (connections->last_made_at < c->connect_began) {
            connections->result->connections_failed += connections->total - connections->started;
            connections->started = connections->total;
        }
        fail_connecting(connections, c, (struct net_result){.outcome = NET_WOULD_BLOCK});
    }
}

void connections_wait(struct connections *connections, struct load_connection *c)
{
    c->exchange.watch.kind = LOAD_WAITING;
    connections->waiting++;
}

void connections_give_up(struct connections *connections)
{
    while (connections->connecting.first != NULL)
        connections_close(connections, connections->connecting.first);
    connections->started = connections->total;
}

bool connections_create(struct connections *connections, const struct load_options *options,
                        const struct connector_connection *first, struct selector *selector,
                        struct load_result *result)
{
    size_t total = (size_t)options->connections + options->idle;

    *connections = (struct connections){
        .options = options, .result = result, .selector = selector, .first = *first};
    /* Each message is timed with a connection of its own, so the first one is not used. */
    if (options->reconnect && options->rate > 0) {
        net_close(first->socket);
        connections->first.socket = OS_NO_SOCKET;
    }
    connections->all = calloc(total, sizeof *connections->all);
    if (connections->all == NULL)
        return false;
    connections->total = total;
    for (size_t i = 0; i < total; i++)
        connections->all[i].exchange.watch.kind = LOAD_CLOSED;
    return true;
}

void connections_destroy(struct connections *connections)
{
    for (size_t i = 0; i < connections->total; i++) {
        uint8_t kind = connections->all[i].exchange.watch.kind;

        if (kind != LOAD_WAITING && kind != LOAD_CLOSED)
            connections_close(connections, &connections->all[i]);
    }
    if (connections->first.socket != OS_NO_SOCKET)
        net_close(connections->first.socket);
    free(connections->all);
}
