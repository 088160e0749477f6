#include "clients.h"

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

/* Where a connection belongs that has not ended. */
static struct client_list *list_of(struct clients *clients, const struct connection *c)
{
    if (c->state == CONNECTION_LINGERING)
        return &clients->lingering;
    return send_queue_length(&c->queue) > 0 ? &clients->sending : &clients->serving;
}

static void log_end(const struct connection_context *context, const struct connection *c)
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

/* Forgets a connection that has ended, and stands in this list. */
static void end(struct clients *clients, struct connection *c, struct client_list *list)
{
    log_end(clients->context, c);
    clients->ended.served++;
    clients->ended.bytes_in += c->bytes_in;
    clients->ended.bytes_out += c->bytes_out;
    clients->ended.messages += c->messages;
    clients->count--;
    detach(list, c);
    selector_remove(clients->selector, &c->watch);
    connection_destroy(c);
}

/* Brings lists and interest in line with what a connection has become. `list` and `active` are
 * what they were. */
static void reconcile(struct clients *clients, struct connection *c, struct client_list *list,
                      int64_t active)
{
    if (c->state == CONNECTION_CLOSED) {
        end(clients, c, list);
        return;
    }
    struct client_list *now_in = list_of(clients, c);

    if (now_in == &clients->sending && now_in->oldest == NULL)
        clients->retry_at = clients->context->now + RETRY_SEND;
    if (c->active != active || now_in != list) {
        detach(list, c);
        append(now_in, c);
    }
    selector_change(clients->selector, &c->watch, connection_interest(c));
}

void clients_admit(struct clients *clients, os_socket s, const struct net_address *peer,
                   uint8_t watch_kind)
{
    struct connection *c = connection_create(s, peer, clients->context->now);

    if (c == NULL || !selector_add(clients->selector, &c->watch, s, SELECTOR_READ)) {
        struct connection refused = {
            .peer = *peer, .end = CONNECTION_REJECTED, .opened = clients->context->now};

        log_end(clients->context, &refused);
        free(c);
        net_close(s);
        return;
    }
    c->watch.kind = watch_kind & 0xFU;
    append(&clients->serving, c);
    clients->count++;
    if (!clients->context->no_log_empty)
        connection_log_opened(c, clients->context);
}

/* Lets a connection do something, and takes what came of it into account. */
static void apply(struct clients *clients, struct connection *c,
                  void (*act)(struct connection *, struct connection_context *))
{
    struct client_list *list = list_of(clients, c);
    int64_t active = c->active;

    act(c, clients->context);
    reconcile(clients, c, list, active);
}

void clients_serve(struct clients *clients, struct connection *c)
{
    apply(clients, c, connection_serve);
}

/* The same for each connection that stands in a list now; it may leave the list by that. */
static void apply_to_all(struct clients *clients, const struct client_list *list,
                         void (*act)(struct connection *, struct connection_context *))
{
    const struct connection *last = list->newest;
    struct connection *next = list->oldest;
    bool more = next != NULL;

    while (more) {
        struct connection *c = next;

        next = c->newer;
        more = c != last;
        apply(clients, c, act);
    }
}

void clients_stop(struct clients *clients)
{
    apply_to_all(clients, &clients->serving, connection_stop);
    apply_to_all(clients, &clients->sending, connection_stop);
}

/* Ends each connection of a list on which nothing has moved for `limit` nanoseconds. */
static void end_overdue(struct clients *clients, struct client_list *list, int64_t limit,
                        enum connection_end reason)
{
    struct connection *c;

    while ((c = list->oldest) != NULL && clients->context->now - c->active >= limit) {
        connection_abort(c, clients->context, reason);
        end(clients, c, list);
    }
}

void clients_expire(struct clients *clients)
{
    int64_t now = clients->context->now;

    /* First: a reset is a better reason than having been idle. */
    if (clients->sending.oldest != NULL && now >= clients->retry_at) {
        clients->retry_at = now + RETRY_SEND;
        apply_to_all(clients, &clients->sending, connection_flush);
    }
    end_overdue(clients, &clients->lingering, CONNECTION_LINGER, CONNECTION_IDLE);
    if (clients->idle_timeout > 0) {
        end_overdue(clients, &clients->serving, clients->idle_timeout, CONNECTION_IDLE);
        end_overdue(clients, &clients->sending, clients->idle_timeout, CONNECTION_IDLE);
    }
}

/* When the oldest of a list is overdue. */
static int64_t overdue_at(const struct client_list *list, int64_t limit)
{
    return list->oldest != NULL && limit > 0 ? list->oldest->active + limit : DEADLINE_NEVER;
}

int64_t clients_next_expiry(const struct clients *clients)
{
    int64_t deadline = overdue_at(&clients->lingering, CONNECTION_LINGER);

    deadline = deadline_earlier(deadline, overdue_at(&clients->serving, clients->idle_timeout));
    deadline = deadline_earlier(deadline, overdue_at(&clients->sending, clients->idle_timeout));
    if (clients->sending.oldest != NULL)
        deadline = deadline_earlier(deadline, clients->retry_at);
    return deadline;
}

void clients_abort(struct clients *clients)
{
    const int64_t any_time = INT64_MIN;

    end_overdue(clients, &clients->serving, any_time, CONNECTION_STOPPING);
    end_overdue(clients, &clients->sending, any_time, CONNECTION_STOPPING);
    end_overdue(clients, &clients->lingering, any_time, CONNECTION_STOPPING);
}
