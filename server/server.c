#include "server.h"

#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"
#include "clients.h"
#include "connection.h"
#include "log.h"
#include "os.h"
#include "selector.h"
#include "sooner.h"
#include "stream.h"
#include "text.h"

enum {
    ACCEPTS_A_ROUND =
        64, /* of one listener, so that a flood of new clients leaves the old ones their turn */
    RETRY_ACCEPT = 100,   /* milliseconds without accepting after the system refused a descriptor */
    TELL_AGAIN = 1000,    /* milliseconds with room after which being full is news again */
    RETRY_OUTPUT = 100,   /* milliseconds until an output that is not read is tried again */
    MICROSECONDS = 1000,  /* in a millisecond */
    MILLISECOND = 1000000 /* nanoseconds */
};

enum watch_kind { WATCH_STOP, WATCH_LISTENER, WATCH_CONNECTION };

struct server {
    struct server_options options;
    struct listeners *listeners;
    struct selector *selector;
    struct selector_watch stop_watch;
    struct connection_service service;
    struct clients clients;
    struct log log;
    struct buffer announcement; /* for stdout: the addresses that are listened on */
    unsigned stops;             /* requests to stop */
    int64_t started;
    int64_t drain_until; /* when stops > 0 */
    int64_t retry_at;    /* no accept before this time, or the end of a connection */
    int64_t room_since;  /* when the last client left that had filled the server */
    int64_t refused_at;  /* when the system last refused a connection */
};

/* Lent to one connection at a time, whichever server it is one of. */
static _Alignas(CONNECTION_ALIGNMENT) char scratch[CONNECTION_SCRATCH];
static _Alignas(CONNECTION_ALIGNMENT) char gather[CONNECTION_GATHER];

static int64_t milliseconds(void)
{
    return os_nanoseconds() / MILLISECOND;
}

static bool full(const struct server *server)
{
    return server->clients.count >= server->options.max_clients;
}

/* What to do when accept() gave no connection. Returns whether to ask again in this round. */
static bool not_accepted(struct server *server, struct net_result result)
{
    char words[OS_ERROR_TEXT];

    if (result.outcome == NET_RESET)
        return true;
    if (result.outcome == NET_WOULD_BLOCK)
        return false;
    if (server->service.now - server->refused_at >= TELL_AGAIN)
        log_failure(&server->log,
                    "Cannot accept: %s; trying again when a connection ends, or every %d ms",
                    os_error_text(result.error, words), RETRY_ACCEPT);
    server->refused_at = server->service.now;
    server->retry_at = server->service.now + RETRY_ACCEPT;
    return false;
}

static void accept_clients(struct server *server, const struct listener *listener)
{
    struct net_address peer;
    os_socket s;

    if (full(server))
        return;
    for (int i = 0; i < ACCEPTS_A_ROUND && !full(server); i++) {
        struct net_result result = net_accept(listener->watch.socket, &s, &peer);

        if (result.outcome == NET_DONE)
            clients_admit(&server->clients, s, &peer, WATCH_CONNECTION);
        else if (!not_accepted(server, result))
            return;
    }
    if (full(server) && server->service.now - server->room_since >= TELL_AGAIN)
        log_failure(&server->log,
                    "Full: %llu client%s; the next one waits until one of them leaves",
                    (unsigned long long)server->clients.count, text_plural(server->clients.count));
}

/* The listeners are watched only while a client could be taken: never a loop over what cannot be
 * done. */
static void watch_listeners(struct server *server)
{
    bool may_accept = !full(server) && server->service.now >= server->retry_at;

    for (size_t i = 0; i < server->listeners->count; i++)
        selector_change(server->selector, &server->listeners->all[i].watch,
                        may_accept ? SELECTOR_READ : SELECTOR_NONE);
}

static void close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->listeners->count; i++)
        selector_remove(server->selector, &server->listeners->all[i].watch);
    listeners_close(server->listeners);
}

void server_stop(struct server *server)
{
    if (server->stops++ > 0)
        return;
    server->service.now = milliseconds();
    server->drain_until = server->service.now + server->options.drain_timeout;
    log_event(&server->log, "Stopping: %llu connection%s to finish",
              (unsigned long long)server->clients.count, text_plural(server->clients.count));
    close_listeners(server);
    clients_stop(&server->clients);
}

/* Whether a server that is to stop waits for its clients no longer. */
static bool drained(const struct server *server)
{
    return server->stops > 1 || (server->stops == 1 && server->service.now >= server->drain_until);
}

/* Whether there is nothing left to do but to end. */
static bool finished(const struct server *server)
{
    return server->stops > 1 || (server->stops == 1 && server->clients.count == 0);
}

/* How long to wait at most, in microseconds, so that nothing that has its time is late. */
static int64_t wait_limit(const struct server *server, int64_t timeout)
{
    int64_t now = milliseconds(); /* the last round has taken its time */
    int64_t until = clients_next_expiry(&server->clients);

    if (timeout >= 0)
        until = sooner(until, now + timeout);
    if (server->stops > 0)
        until = sooner(until, finished(server) ? now : server->drain_until);
    if (server->retry_at > server->service.now) /* so the listeners are not watched now */
        until = sooner(until, server->retry_at);
    if (server->log.length > 0 || buffer_length(&server->announcement) > 0)
        until = sooner(until, now + RETRY_OUTPUT);
    if (until == INT64_MAX)
        return -1;
    return until > now ? (until - now) * MICROSECONDS : 0;
}

/* Gives each ready connection its turn; new ones come last, so that no descriptor is used again
 * within the round. */
static void dispatch(struct server *server)
{
    const struct listener *ready[LISTENERS_MAX];
    size_t ready_count = 0;
    struct selector_watch *watch;

    while ((watch = selector_next(server->selector)) != NULL) {
        switch ((enum watch_kind)watch->kind) {
        case WATCH_STOP:
            for (unsigned requests = os_stop_requests(); server->stops < requests;)
                server_stop(server);
            break;
        case WATCH_LISTENER:
            ready[ready_count++] = (const struct listener *)watch;
            break;
        case WATCH_CONNECTION:
            clients_serve(&server->clients, (struct connection *)watch);
            break;
        }
    }
    for (size_t i = 0; i < ready_count && server->stops == 0; i++)
        accept_clients(server, ready[i]);
}

static void log_summary(struct server *server)
{
    const struct client_totals *totals = &server->clients.ended;
    int64_t lasted = server->service.now - server->started;

    log_event(&server->log,
              "Stopped: %llu connection%s served, %llu byte%s in, %llu byte%s out, %llu message%s, "
              "%lld.%03d seconds",
              (unsigned long long)totals->served, text_plural(totals->served),
              (unsigned long long)totals->bytes_in, text_plural(totals->bytes_in),
              (unsigned long long)totals->bytes_out, text_plural(totals->bytes_out),
              (unsigned long long)totals->messages, text_plural(totals->messages),
              (long long)(lasted / 1000), (int)(lasted % 1000));
}

/* Offers stdout what it has not taken yet of the announcement. */
static void announce(struct server *server)
{
    size_t length;

    while ((length = buffer_length(&server->announcement)) > 0) {
        ptrdiff_t n = stream_write(STREAM_OUTPUT, buffer_bytes(&server->announcement), length);

        if (n == 0)
            return;
        if (n < 0)
            log_failure(&server->log, "Cannot write to standard output what it listens on");
        buffer_consume(&server->announcement, n < 0 ? length : (size_t)n);
    }
}

/* Does what there is to do after a wait. */
static enum server_status work(struct server *server)
{
    uint64_t ended = server->clients.ended.served;
    bool was_full = full(server);

    server->service.now = milliseconds();
    dispatch(server);
    clients_expire(&server->clients);
    if (drained(server))
        clients_abandon(&server->clients);
    if (server->clients.ended.served != ended)
        server->retry_at = 0;
    if (was_full && !full(server))
        server->room_since = server->service.now;
    watch_listeners(server);
    if (server->stops == 0 || server->clients.count > 0)
        return SERVER_RUNNING;
    log_summary(server);
    return SERVER_STOPPED;
}

enum server_status server_step(struct server *server, int64_t timeout)
{
    char words[OS_ERROR_TEXT];
    enum server_status status = SERVER_FAILED;

    if (selector_wait(server->selector, wait_limit(server, timeout)))
        status = work(server);
    else
        log_failure(&server->log, "Cannot wait: %s", os_error_text(os_socket_error(), words));
    announce(server);
    log_flush(&server->log);
    return status;
}

uint64_t server_clients(const struct server *server)
{
    return server->clients.count;
}

static void log_start(struct server *server, uint64_t descriptors)
{
    static const char *const modes[] = {
        [PROTOCOL_ECHO] = "echo", [PROTOCOL_LINE] = "line", [PROTOCOL_CHUNK] = "chunk"};
    static const char *const ways[] = {[SELECTOR_ALL] = "select() over all sockets",
                                       [SELECTOR_POLLED] = "idle sockets are polled",
                                       [SELECTOR_ANNOUNCED] = "idle sockets announce themselves"};
    char clients[48] = "no limit of clients";
    char limit[48] = "no limit of descriptors";

    if (server->options.max_clients != UINT64_MAX)
        snprintf(clients, sizeof clients, "at most %llu client%s",
                 (unsigned long long)server->options.max_clients,
                 text_plural(server->options.max_clients));
    if (descriptors > 0)
        snprintf(limit, sizeof limit, "at most %llu descriptors", (unsigned long long)descriptors);
    log_event(&server->log, "Started: mode %s, %s, %s, %s", modes[server->options.rules.mode],
              clients, limit, ways[selector_way(server->selector)]);
}

/* The lines for which scripts wait: they are written once every address listens, and nothing else
 * is written there. False when memory is refused. */
static bool prepare_announcement(struct server *server)
{
    char address[NET_ADDRESS_TEXT];
    char line[NET_ADDRESS_TEXT + 16];

    for (size_t i = 0; i < server->listeners->count; i++) {
        int length = snprintf(line, sizeof line, "listening on %s\n",
                              net_address_text(&server->listeners->all[i].address, address));

        if (!buffer_append(&server->announcement, line, (size_t)length))
            return false;
    }
    return true;
}

/* Makes what a server is made of; false when memory is refused. */
static bool set_up(struct server *server, os_socket stop)
{
    server->service.scratch = scratch;
    server->service.gather = gather;
    server->selector = selector_create(server->options.way);
    if (server->selector == NULL)
        return false;
    server->clients.selector = server->selector;
    server->clients.service = &server->service;
    server->clients.idle_timeout = server->options.idle_timeout;
    server->stop_watch.kind = WATCH_STOP;
    server->stop_watch.always = true;
    if (stop != OS_NO_SOCKET &&
        !selector_add(server->selector, &server->stop_watch, stop, SELECTOR_READ))
        return false;
    for (size_t i = 0; i < server->listeners->count; i++) {
        struct selector_watch *watch = &server->listeners->all[i].watch;

        watch->kind = WATCH_LISTENER;
        watch->always = true;
        if (!selector_add(server->selector, watch, watch->socket, SELECTOR_READ))
            return false;
    }
    return prepare_announcement(server);
}

struct server *server_create(const struct server_options *options, struct listeners *listeners,
                             os_socket stop)
{
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        listeners_close(listeners);
        return NULL;
    }
    server->options = *options;
    server->listeners = listeners;
    server->log.level = options->log_level;
    server->service.rules = options->rules;
    server->service.log = &server->log;
    server->service.no_log_empty = options->no_log_empty;
    server->service.log_messages =
        options->rules.mode != PROTOCOL_ECHO || options->log_level == LOG_ALL;
    server->started = server->service.now = milliseconds();
    server->room_since = server->refused_at = server->started - TELL_AGAIN;
    if (!set_up(server, stop)) {
        server_destroy(server);
        return NULL;
    }
    log_start(server, os_raise_descriptor_limit());
    log_flush(&server->log);
    announce(server);
    return server;
}

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    clients_abandon(&server->clients);
    listeners_close(server->listeners);
    log_flush(&server->log);
    buffer_clear(&server->announcement);
    selector_destroy(server->selector);
    free(server);
}
