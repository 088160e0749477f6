#include "server.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"
#include "clients.h"
#include "connection.h"
#include "deadline.h"
#include "log.h"
#include "os.h"
#include "selector.h"
#include "stream.h"
#include "text.h"

enum {
    ACCEPTS_PER_ROUND = 64 /* from one listener, so that new clients do not starve the others */
};

/* How long accepting pauses after the system has refused a connection. */
static const int64_t RETRY_ACCEPT = MILLISECONDS(100);
/* How long the server must have had room before it logs again that it is full. */
static const int64_t LOG_INTERVAL = SECONDS(1);
/* How soon an output that is not read is tried again. */
static const int64_t RETRY_OUTPUT = MILLISECONDS(100);

enum watch_kind { WATCH_STOP, WATCH_LISTENER, WATCH_CONNECTION };

_Static_assert(WATCH_CONNECTION < (int)SELECTOR_KINDS, "every kind fits into a watch");
_Static_assert(SERVER_OPTIONS_BINDS <= (int)LISTENERS_MAX, "every --bind may have a listener");

struct server {
    struct server_options options;
    struct listeners *listeners;
    struct selector *selector;
    struct selector_watch stop_watch;
    struct connection_context context;
    struct clients clients;
    struct log log;
    struct buffer startup_lines; /* for stdout: the addresses it listens on */
    unsigned first_listener;     /* of those that are ready, modulo their number */
    unsigned stops;              /* requests to stop */
    int64_t started;
    int64_t drain_until; /* end of the drain time-out; valid if stops > 0 */
    int64_t retry_at;    /* no accept() before this time or the end of a connection */
    int64_t accept_at;  /* end of --accept-delay for the connections that wait for it; 0: none do */
    int64_t room_since; /* when the server was last full and a client left */
    int64_t refused_at; /* when the system last refused a connection */
};

/* Used by one connection at a time, of any server in the process. */
static _Alignas(CONNECTION_ALIGNMENT) char scratch[CONNECTION_SCRATCH];
static _Alignas(CONNECTION_ALIGNMENT) char batch[CONNECTION_BATCH];

static bool is_full(const struct server *server)
{
    return server->clients.count >= server->options.max_clients;
}

/* Handles an accept() that failed. Returns whether to try again in this round. */
static bool accept_failed(struct server *server, struct net_result result)
{
    char words[OS_ERROR_TEXT];

    if (result.outcome == NET_RESET)
        return true;
    if (result.outcome == NET_WOULD_BLOCK)
        return false;
    if (server->context.now - server->refused_at >= LOG_INTERVAL)
        log_line(&server->log, LOG_FAILURES,
                 "Cannot accept: %s; trying again when a connection ends, or every %d ms",
                 os_error_text(result.error, words), (int)(RETRY_ACCEPT / MILLISECONDS(1)));
    server->refused_at = server->context.now;
    server->retry_at = server->context.now + RETRY_ACCEPT;
    return false;
}

static void accept_clients(struct server *server, const struct listener *listener)
{
    struct net_address peer;
    os_socket s;

    if (is_full(server))
        return;
    for (int i = 0; i < ACCEPTS_PER_ROUND && !is_full(server); i++) {
        struct net_result result = net_accept(listener->watch.socket, &s, &peer);

        if (result.outcome == NET_DONE)
            clients_admit(&server->clients, s, &peer, WATCH_CONNECTION);
        else if (!accept_failed(server, result))
            return;
    }
    if (is_full(server) && server->context.now - server->room_since >= LOG_INTERVAL)
        log_line(&server->log, LOG_FAILURES,
                 "Client limit (%llu) reached: new connections wait in the backlog",
                 (unsigned long long)server->options.max_clients);
}

/* Whether new connections have waited long enough for --accept-delay. If they have not waited yet,
 * they begin to. */
static bool accept_delay_is_over(struct server *server)
{
    bool over = server->options.accept_delay == 0 || server->accept_at > 0;

    server->accept_at = over ? 0 : server->context.now + server->options.accept_delay;
    return over;
}

/* Watches the listeners only while a connection can be accepted: otherwise the loop would spin. */
static void watch_listeners(struct server *server)
{
    bool may_accept = !is_full(server) && server->context.now >= server->retry_at &&
                      server->context.now >= server->accept_at;

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
    server->context.now = os_nanoseconds();
    server->drain_until = server->context.now + server->options.drain_timeout;
    log_line(&server->log, LOG_EVENTS, "Stopping: %llu connection%s to finish",
             (unsigned long long)server->clients.count, text_plural(server->clients.count));
    close_listeners(server);
    clients_stop(&server->clients);
}

/* Whether a stopping server waits for its clients no longer. */
static bool drained(const struct server *server)
{
    return server->stops > 1 || (server->stops == 1 && server->context.now >= server->drain_until);
}

/* Whether a stopping server has nothing left to do. */
static bool finished(const struct server *server)
{
    return server->stops > 1 || (server->stops == 1 && server->clients.count == 0);
}

/* The deadline of the next wait: the earliest time when something is due. */
static int64_t next_deadline(const struct server *server, int64_t deadline)
{
    if (finished(server))
        return 0;
    deadline = deadline_earlier(deadline, clients_next_expiry(&server->clients));
    if (server->stops > 0)
        deadline = deadline_earlier(deadline, server->drain_until);
    if (server->retry_at > server->context.now) /* then the listeners are not watched */
        deadline = deadline_earlier(deadline, server->retry_at);
    if (server->accept_at > server->context.now) /* the same */
        deadline = deadline_earlier(deadline, server->accept_at);
    if (server->log.length > 0 || buffer_length(&server->startup_lines) > 0)
        deadline = deadline_earlier(deadline, os_nanoseconds() + RETRY_OUTPUT);
    return deadline;
}

_Static_assert(offsetof(struct listener, watch) == 0, "dispatch() casts a watch to its listener");
_Static_assert(offsetof(struct connection, watch) == 0, "and to its connection");

/* Serves each ready connection. New ones are accepted last, so that no descriptor is reused within
 * the round. */
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
            assert(ready_count < LISTENERS_MAX);
            ready[ready_count++] = (const struct listener *)watch;
            break;
        case WATCH_CONNECTION:
            clients_serve(&server->clients, (struct connection *)watch);
            break;
        }
    }
    if (ready_count == 0 || !accept_delay_is_over(server))
        return;
    /* Each in turn is the first, so that none takes all the room that there is. */
    server->first_listener++;
    for (size_t i = 0; i < ready_count && server->stops == 0; i++)
        accept_clients(server, ready[(server->first_listener + i) % ready_count]);
}

static void log_summary(struct server *server)
{
    const struct client_totals *totals = &server->clients.ended;

    log_line(&server->log, LOG_EVENTS,
             "Stopped: %llu connection%s served, %llu byte%s in, %llu byte%s out, %llu message%s, "
             "%.3f seconds",
             (unsigned long long)totals->served, text_plural(totals->served),
             (unsigned long long)totals->bytes_in, text_plural(totals->bytes_in),
             (unsigned long long)totals->bytes_out, text_plural(totals->bytes_out),
             (unsigned long long)totals->messages, text_plural(totals->messages),
             (double)(server->context.now - server->started) / (double)SECONDS(1));
}

/* Writes as much of the startup lines as stdout takes now. */
static void write_startup_lines(struct server *server)
{
    size_t length;

    while ((length = buffer_length(&server->startup_lines)) > 0) {
        ptrdiff_t n = stream_write(STREAM_OUTPUT, buffer_bytes(&server->startup_lines), length);

        if (n == 0)
            return;
        if (n < 0)
            log_line(&server->log, LOG_FAILURES,
                     "Cannot write to standard output what it listens on");
        buffer_consume(&server->startup_lines, n < 0 ? length : (size_t)n);
    }
}

/* Handles everything that is ready or due after a wait. */
static enum server_status run_round(struct server *server)
{
    uint64_t ended = server->clients.ended.served;
    bool was_full = is_full(server);

    server->context.now = os_nanoseconds();
    dispatch(server);
    clients_expire(&server->clients);
    if (drained(server))
        clients_abort(&server->clients);
    if (server->clients.ended.served != ended)
        server->retry_at = 0;
    if (was_full && !is_full(server))
        server->room_since = server->context.now;
    watch_listeners(server);
    if (server->stops == 0 || server->clients.count > 0)
        return SERVER_RUNNING;
    log_summary(server);
    return SERVER_STOPPED;
}

enum server_status server_step(struct server *server, int64_t deadline)
{
    char words[OS_ERROR_TEXT];
    enum server_status status = SERVER_FAILED;

    if (selector_wait(server->selector, next_deadline(server, deadline)))
        status = run_round(server);
    else
        log_line(&server->log, LOG_FAILURES, "select() failed: %s",
                 os_error_text(os_socket_error(), words));
    write_startup_lines(server);
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
    log_line(&server->log, LOG_EVENTS, "Started: mode %s, %s, %s, %s",
             modes[server->options.rules.mode], clients, limit,
             ways[selector_way(server->selector)]);
}

/* The lines that scripts wait for. They are written once every address listens, and nothing else is
 * written to stdout. False when memory is refused. */
static bool prepare_startup_lines(struct server *server)
{
    char address[NET_ADDRESS_TEXT];
    char line[NET_ADDRESS_TEXT + 16];

    for (size_t i = 0; i < server->listeners->count; i++) {
        int length = snprintf(line, sizeof line, "listening on %s\n",
                              net_address_text(&server->listeners->all[i].address, address));

        if (!buffer_append(&server->startup_lines, line, (size_t)length))
            return false;
    }
    return true;
}

/* Initializes the parts of a server; false when memory is refused. */
static bool set_up(struct server *server, os_socket stop)
{
    server->context.scratch = scratch;
    server->context.batch = batch;
    server->selector = selector_create(server->options.way);
    if (server->selector == NULL)
        return false;
    server->clients.selector = server->selector;
    server->clients.context = &server->context;
    server->clients.idle_timeout = server->options.idle_timeout;
    server->clients.stall_timeout = server->options.stall_timeout;
    server->clients.max_per_address = server->options.max_per_address;
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
    return prepare_startup_lines(server);
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
    server->context.rules = options->rules;
    server->context.greeting = options->greeting;
    if (impairment_is_on(&options->impairments))
        server->context.impairments = &server->options.impairments;
    server->context.log = &server->log;
    server->context.proxy_protocol = options->proxy_protocol;
    server->context.no_log_empty = options->no_log_empty;
    server->context.log_messages =
        options->rules.mode != PROTOCOL_ECHO || options->log_level == LOG_ALL;
    server->started = server->context.now = os_nanoseconds();
    server->room_since = server->refused_at = server->started - LOG_INTERVAL;
    if (!set_up(server, stop)) {
        server_destroy(server);
        return NULL;
    }
    log_start(server, os_raise_descriptor_limit());
    log_flush(&server->log);
    write_startup_lines(server);
    return server;
}

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    clients_abort(&server->clients);
    clients_clear(&server->clients);
    listeners_close(server->listeners);
    log_flush(&server->log);
    buffer_clear(&server->startup_lines);
    selector_destroy(server->selector);
    free(server);
}
