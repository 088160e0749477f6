#include "clients.h"

#include <stdlib.h>

#include "log.h"
#include "net.h"

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

static struct client_list *list_of(struct clients *clients, enum connection_state state)
{
    return state == CONNECTION_LINGERING ? &clients->lingering : &clients->serving;
}

static void log_end(const struct connection_service *service, const struct connection *c)
{
    char address[NET_ADDRESS_TEXT];
    char reason[OS_ERROR_TEXT];
    void (*log)(struct log *, const char *, ...) = connection_failed(c) ? log_failure : log_event;
    int64_t lasted = service->now - c->opened;

    log(service->log,
        "Connection closed[%s]:%s; %llu bytes in, %llu bytes out, %llu messages, %lld.%03d seconds",
        net_address_text(&c->peer, address), connection_end_text(c, reason),
        (unsigned long long)c->bytes_in, (unsigned long long)c->bytes_out,
        (unsigned long long)c->messages, (long long)(lasted / 1000), (int)(lasted % 1000));
}

/* Forgets a connection that has ended. `state` is the one it was last listed under. */
static void end(struct clients *clients, struct connection *c, enum connection_state state)
{
    log_end(clients->service, c);
    clients->ended.served++;
    clients->ended.bytes_in += c->bytes_in;
    clients->ended.bytes_out += c->bytes_out;
    clients->ended.messages += c->messages;
    clients->count--;
    detach(list_of(clients, state), c);
    selector_remove(clients->selector, &c->watch);
    connection_destroy(c);
}

/* Brings lists and interest in line with what a connection has become. `state` and `active` are
 * what they were. */
static void settle(struct clients *clients, struct connection *c, enum connection_state state,
                   int64_t active)
{
    if (c->state == CONNECTION_CLOSED) {
        end(clients, c, state);
        return;
    }
    if (c->active != active || list_of(clients, c->state) != list_of(clients, state)) {
        detach(list_of(clients, state), c);
        append(list_of(clients, c->state), c);
    }
    selector_change(clients->selector, &c->watch, connection_interest(c));
}

void clients_admit(struct clients *clients, os_socket s, const struct net_address *peer,
                   uint8_t watch_kind)
{
    char address[NET_ADDRESS_TEXT];
    struct connection *c = connection_create(s, peer, clients->service->now);

    if (c == NULL || !selector_add(clients->selector, &c->watch, s, SELECTOR_READ)) {
        struct connection refused = {
            .peer = *peer, .end = CONNECTION_FULL, .opened = clients->service->now};

        log_end(clients->service, &refused);
        free(c);
        net_close(s);
        return;
    }
    c->watch.kind = watch_kind;
    append(&clients->serving, c);
    clients->count++;
    log_event(clients->service->log, "Connection opened[%s]", net_address_text(peer, address));
}

void clients_serve(struct clients *clients, struct connection *c)
{
    enum connection_state state = c->state;
    int64_t active = c->active;

    connection_serve(c, clients->service);
    settle(clients, c, state, active);
}

void clients_stop(struct clients *clients)
{
    struct connection *next;

    for (struct connection *c = clients->serving.oldest; c != NULL; c = next) {
        enum connection_state state = c->state;
        int64_t active = c->active;

        next = c->newer;
        connection_stop(c, clients->service);
        settle(clients, c, state, active);
    }
}

/* The oldest connection of a list, if nothing has moved on it for `limit` milliseconds. */
static struct connection *overdue(const struct clients *clients, const struct client_list *list,
                                  int64_t limit)
{
    struct connection *oldest = list->oldest;

    return oldest != NULL && clients->service->now - oldest->active >= limit ? oldest : NULL;
}

static void abandon(struct clients *clients, struct connection *c, enum connection_end reason)
{
    enum connection_state state = c->state;

    connection_abandon(c, reason);
    end(clients, c, state);
}

void clients_expire(struct clients *clients)
{
    struct connection *c;

    while ((c = overdue(clients, &clients->lingering, CONNECTION_LINGER)) != NULL)
        end(clients, c, CONNECTION_LINGERING);
    while (clients->idle_timeout > 0 &&
           (c = overdue(clients, &clients->serving, clients->idle_timeout)) != NULL)
        abandon(clients, c, CONNECTION_IDLE);
}

int64_t clients_next_expiry(const struct clients *clients)
{
    const struct connection *lingering = clients->lingering.oldest;
    const struct connection *serving = clients->idle_timeout > 0 ? clients->serving.oldest : NULL;
    int64_t linger = lingering != NULL ? lingering->active + CONNECTION_LINGER : INT64_MAX;
    int64_t idle = serving != NULL ? serving->active + clients->idle_timeout : INT64_MAX;

    return linger < idle ? linger : idle;
}

void clients_abandon(struct clients *clients)
{
    while (clients->serving.oldest != NULL)
        abandon(clients, clients->serving.oldest, CONNECTION_STOPPING);
    while (clients->lingering.oldest != NULL)
        abandon(clients, clients->lingering.oldest, CONNECTION_STOPPING);
}
