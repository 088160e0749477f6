#include "clients.h"

#include <assert.h>
#include <stdlib.h>

#include "deadline.h"
#include "log.h"
#include "net.h"
#include "text.h"

static const int64_t RETRY_SEND = SECONDS(1);

static void append(struct client_list *list, struct connection *c)
{
    c->older = list->newest;
    c->newer = NULL;
    if (list->newest != NULL)
        list->newest->newer = c;
    else
        list->oldest = c;
    list->newest = c;
}

static void detach(struct client_list *list, struct connection *c)
{
    if (c->older != NULL)
        c->older->newer = c->newer;
    else
        list->oldest = c->newer;
    if (c->newer != NULL)
        c->newer->older = c->older;
    else
        list->newest = c->older;
}

/* The list for a connection that has not ended. */
static struct client_list *list_for(struct clients *clients, const struct connection *c)
{
    if (c->state == CONNECTION_LINGERING)
        return &clients->lingering;
    if (c->state == CONNECTION_HEADER && connection_header_has_begun(c))
        return &clients->arriving;
    return send_queue_length(&c->queue) > 0 ? &clients->sending : &clients->serving;
}

static void log_closed(const struct connection_context *context, const struct connection *c)
{
    char address[NET_ADDRESS_TEXT];
    char reason[CONNECTION_END_TEXT];

    bool failed = connection_failed(c);
    bool empty = context->no_log_empty && c->bytes_in == 0;

    if (!failed && (empty || context->log->level == LOG_FAILURES))
        return;
    log_line(context->log, failed ? LOG_FAILURES : LOG_EVENTS,
             "Connection closed[%s]:%s; %llu byte%s in, %llu byte%s out, %llu message%s, "
             "%.3f seconds",
             net_address_text(&c->peer, address), connection_end_text(c, reason),
             (unsigned long long)c->bytes_in, text_plural(c->bytes_in),
             (unsigned long long)c->bytes_out, text_plural(c->bytes_out),
             (unsigned long long)c->messages, text_plural(c->messages),
             (double)(context->now - c->opened) / (double)SECONDS(1));
}

/* Counts a connection of this address, if there is a limit. Returns why it may have no further one,
 * or CONNECTION_NOT_ENDED. */
static enum connection_end count(struct clients *clients, const struct net_address *peer)
{
    if (clients->max_per_address == 0)
        return CONNECTION_NOT_ENDED;
    uint32_t *of_address = address_counts_find(&clients->addresses, peer);

    if (of_address == NULL)
        return CONNECTION_REJECTED;
    if (*of_address >= clients->max_per_address)
        return CONNECTION_TOO_MANY;
    ++*of_address;
    return CONNECTION_NOT_ENDED;
}

/* Undoes count(). */
static void uncount(struct clients *clients, const struct net_address *peer)
{
    uint32_t *of_address = address_counts_find(&clients->addresses, peer);

    assert(of_address != NULL && *of_address > 0);
    --*of_address;
}

/* Removes and destroys a connection that has ended and is in this list. */
static void remove_ended(struct clients *clients, struct connection *c, struct client_list *list)
{
    assert(c->state == CONNECTION_CLOSED && clients->count > 0);
    log_closed(clients->context, c);
    clients->ended.served++;
    clients->ended.bytes_in += c->bytes_in;
    clients->ended.bytes_out += c->bytes_out;
    clients->ended.messages += c->messages;
    clients->count--;
    if (c->counted)
        uncount(clients, &c->peer);
    detach(list, c);
    selector_remove(clients->selector, &c->watch);
    connection_destroy(c, clients->context);
}

/* Updates lists and interest after a connection has changed. `list` and `active` are the values
 * before the change. */
static void reconcile(struct clients *clients, struct connection *c, struct client_list *list,
                      int64_t active)
{
    if (c->state == CONNECTION_CLOSED) {
        remove_ended(clients, c, list);
        return;
    }
    struct client_list *new_list = list_for(clients, c);

    if (new_list == &clients->sending && new_list->oldest == NULL)
        clients->retry_at = clients->context->now + RETRY_SEND;
    if (c->active != active || new_list != list) {
        detach(list, c);
        append(new_list, c);
    }
    selector_change(clients->selector, &c->watch, connection_interest(c, clients->context));
    if (clients->context->impairments != NULL)
        clients->release_at =
            deadline_earlier(clients->release_at, connection_due(c, clients->context));
}

/* Closes a connection that is not served. */
static void reject(const struct clients *clients, os_socket s, const struct net_address *peer,
                   enum connection_end reason)
{
    struct connection rejected = {.peer = *peer, .end = reason, .opened = clients->context->now};

    log_closed(clients->context, &rejected);
    net_close(s);
}

/* Opens a connection whose header has come, unless its address has too many. */
static void open_proxied(struct clients *clients, struct connection *c)
{
    enum connection_end reason = count(clients, &c->peer);

    c->counted = reason == CONNECTION_NOT_ENDED && clients->max_per_address > 0;
    if (reason == CONNECTION_NOT_ENDED)
        connection_open(c, clients->context);
    else
        connection_abort(c, clients->context, reason);
}

/* Calls a function of a connection, and updates lists and interest to the result. */
static void apply(struct clients *clients, struct connection *c,
                  void (*function)(struct connection *, struct connection_context *))
{
    struct client_list *list = list_for(clients, c);
    int64_t active = c->active;

    function(c, clients->context);
    if (c->state == CONNECTION_ACCEPTED)
        open_proxied(clients, c);
    reconcile(clients, c, list, active);
}

void clients_admit(struct clients *clients, os_socket s, const struct net_address *peer,
                   uint8_t watch_kind)
{
    bool proxied = clients->context->proxy_protocol; /* then its address is not known yet */
    enum connection_end reason = proxied ? CONNECTION_NOT_ENDED : count(clients, peer);

    if (reason != CONNECTION_NOT_ENDED) {
        reject(clients, s, peer, reason);
        return;
    }
    bool counted = clients->max_per_address > 0 && !proxied;
    struct connection *c =
        connection_create(s, peer, clients->ended.served + clients->count, clients->context);

    if (c == NULL || !selector_add(clients->selector, &c->watch, s, SELECTOR_READ)) {
        free(c);
        if (counted)
            uncount(clients, peer);
        reject(clients, s, peer, CONNECTION_REJECTED);
        return;
    }
    c->counted = counted;
    c->watch.kind = watch_kind & 0xFU;
    append(&clients->serving, c);
    clients->count++;
    if (!proxied)
        apply(clients, c, connection_open);
}

void clients_serve(struct clients *clients, struct connection *c)
{
    apply(clients, c, connection_serve);
}

/* Applies a function to each connection that is in a list now. The function may move a connection
 * to another list. */
static void apply_to_all(struct clients *clients, const struct client_list *list,
                         void (*function)(struct connection *, struct connection_context *))
{
    const struct connection *last = list->newest;
    struct connection *next = list->oldest;
    bool more = next != NULL;

    while (more) {
        struct connection *c = next;

        next = c->newer;
        more = c != last;
        apply(clients, c, function);
    }
}

void clients_stop(struct clients *clients)
{
    apply_to_all(clients, &clients->arriving, connection_stop);
    apply_to_all(clients, &clients->serving, connection_stop);
    apply_to_all(clients, &clients->sending, connection_stop);
}

/* Ends each connection of a list that has made no progress for `limit` nanoseconds. */
static void abort_overdue(struct clients *clients, struct client_list *list, int64_t limit,
                          enum connection_end reason)
{
    struct connection *c;

    while ((c = list->oldest) != NULL && clients->context->now - c->active >= limit) {
        connection_abort(c, clients->context, reason);
        remove_ended(clients, c, list);
    }
}

void clients_expire(struct clients *clients)
{
    int64_t now = clients->context->now;

    /* Which connections are due is not kept: all are looked at, and tell when they are due next. */
    if (clients->context->impairments != NULL && now >= clients->release_at) {
        clients->release_at = DEADLINE_NEVER;
        apply_to_all(clients, &clients->serving, connection_flush);
    }

    /* Before the time-outs: a reset is a better reason than being idle. */
    if (clients->sending.oldest != NULL && now >= clients->retry_at) {
        clients->retry_at = now + RETRY_SEND;
        apply_to_all(clients, &clients->sending, connection_flush);
    }
    abort_overdue(clients, &clients->lingering, CONNECTION_LINGER, CONNECTION_IDLE);
    abort_overdue(clients, &clients->arriving, CONNECTION_HEADER_TIME, CONNECTION_LATE_HEADER);
    if (clients->stall_timeout > 0)
        abort_overdue(clients, &clients->sending, clients->stall_timeout, CONNECTION_STALLED);
    if (clients->idle_timeout > 0) {
        abort_overdue(clients, &clients->serving, clients->idle_timeout, CONNECTION_IDLE);
        abort_overdue(clients, &clients->sending, clients->idle_timeout, CONNECTION_IDLE);
    }
}

/* When the oldest connection of a list expires. */
static int64_t expiry_of(const struct client_list *list, int64_t limit)
{
    return list->oldest != NULL && limit > 0 ? list->oldest->active + limit : DEADLINE_NEVER;
}

int64_t clients_next_expiry(const struct clients *clients)
{
    int64_t deadline = expiry_of(&clients->lingering, CONNECTION_LINGER);

    deadline = deadline_earlier(deadline, expiry_of(&clients->arriving, CONNECTION_HEADER_TIME));
    deadline = deadline_earlier(deadline, expiry_of(&clients->serving, clients->idle_timeout));
    deadline = deadline_earlier(deadline, expiry_of(&clients->sending, clients->idle_timeout));
    deadline = deadline_earlier(deadline, expiry_of(&clients->sending, clients->stall_timeout));
    if (clients->sending.oldest != NULL)
        deadline = deadline_earlier(deadline, clients->retry_at);
    if (clients->context->impairments != NULL)
        deadline = deadline_earlier(deadline, clients->release_at);
    return deadline;
}

void clients_abort(struct clients *clients)
{
    const int64_t any_time = INT64_MIN;

    abort_overdue(clients, &clients->arriving, any_time, CONNECTION_STOPPING);
    abort_overdue(clients, &clients->serving, any_time, CONNECTION_STOPPING);
    abort_overdue(clients, &clients->sending, any_time, CONNECTION_STOPPING);
    abort_overdue(clients, &clients->lingering, any_time, CONNECTION_STOPPING);
}

void clients_clear(struct clients *clients)
{
    address_counts_clear(&clients->addresses);
}
