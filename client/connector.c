#include "connector.h"

#include <stdio.h>

#include "deadline.h"
#include "os.h"
#include "proxy_sender.h"
#include "selector.h"

/* How long an attempt runs before the next address is tried as well (RFC 8305, 8). */
static const int64_t NEXT_ADDRESS = MILLISECONDS(250);

enum attempt_state { ATTEMPT_WAITING, ATTEMPT_UNDER_WAY, ATTEMPT_FAILED, ATTEMPT_CONNECTED };

struct attempt {
    struct selector_watch watch; /* its socket is open if ATTEMPT_UNDER_WAY or ATTEMPT_CONNECTED */
    enum attempt_state state;
    const struct net_address *address;
    int64_t began;
    int64_t ended;
    int error; /* if ATTEMPT_FAILED; 0: out of memory */
};

struct connector {
    struct selector *selector;
    struct selector_watch stop;
    struct attempt attempts[NET_RESOLVE_MAX];
    size_t count;
    const struct net_address *source;
    size_t started;     /* attempts made so far; they are made in order */
    int64_t pace;       /* time from one attempt to the next, unless one fails earlier */
    int64_t next_start; /* when the next attempt is due */
    int64_t deadline;
};

static void fail(struct attempt *attempt, int error)
{
    attempt->state = ATTEMPT_FAILED;
    attempt->error = error;
}

/* Handles the end of an attempt, successful or not. */
static void finish(struct connector *connector, struct attempt *attempt)
{
    struct net_result result = proxy_sender_connect_result(attempt->watch.socket);

    attempt->ended = os_nanoseconds();
    selector_remove(connector->selector, &attempt->watch);
    if (result.outcome == NET_DONE) {
        attempt->state = ATTEMPT_CONNECTED;
        return;
    }
    net_close(attempt->watch.socket);
    fail(attempt, result.error);
    connector->next_start = 0;
}

static void start(struct connector *connector, int64_t now)
{
    struct attempt *attempt = &connector->attempts[connector->started++];
    os_socket s;

    attempt->began = os_nanoseconds();
    struct net_result result = net_connect(attempt->address, connector->source, &s);

    connector->next_start = now + connector->pace;
    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK) {
        attempt->ended = attempt->began;
        fail(attempt, result.error);
        connector->next_start = now;
        return;
    }
    attempt->watch.socket = s;
    attempt->state = ATTEMPT_UNDER_WAY;
    if (!selector_add(connector->selector, &attempt->watch, s, SELECTOR_WRITE)) {
        net_close(s);
        fail(attempt, 0);
    } else if (result.outcome == NET_DONE) {
        finish(connector, attempt);
    }
}

static size_t count_in(const struct connector *connector, enum attempt_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < connector->count; i++)
        count += connector->attempts[i].state == state;
    return count;
}

/* Fails all attempts that are under way, because select() has failed. */
static void fail_all(struct connector *connector, int error)
{
    for (size_t i = 0; i < connector->count; i++) {
        struct attempt *attempt = &connector->attempts[i];

        if (attempt->state != ATTEMPT_UNDER_WAY)
            continue;
        selector_remove(connector->selector, &attempt->watch);
        net_close(attempt->watch.socket);
        fail(attempt, error);
    }
}

/* Tries until an attempt succeeds, all have failed, or the time is up. Returns true after a request
 * to stop, which also ends it. */
static bool try_all(struct connector *connector)
{
    struct selector_watch *watch;
    int64_t now = os_nanoseconds();

    while (now < connector->deadline) {
        if (connector->started < connector->count && now >= connector->next_start)
            start(connector, now);
        if (count_in(connector, ATTEMPT_CONNECTED) > 0)
            return false;
        bool more = connector->started < connector->count;
        if (!more && count_in(connector, ATTEMPT_UNDER_WAY) == 0)
            return false;
        int64_t deadline = connector->deadline;

        if (more)
            deadline = deadline_earlier(deadline, connector->next_start);
        if (!selector_wait(connector->selector, deadline)) {
            fail_all(connector, os_socket_error());
            return false;
        }
        while ((watch = selector_next(connector->selector)) != NULL) {
            if (watch == &connector->stop)
                return true;
            finish(connector, (struct attempt *)watch);
        }
        now = os_nanoseconds();
    }
    return false;
}

/* Writes for each address why it could not be connected to. */
static void describe(const struct connector *connector, char error[CONNECTOR_ERROR])
{
    size_t filled = 0;

    error[0] = '\0';
    for (size_t i = 0; i < connector->count && filled < CONNECTOR_ERROR; i++) {
        const struct attempt *attempt = &connector->attempts[i];
        char address[NET_ADDRESS_TEXT];
        char reason[OS_ERROR_TEXT] = "no answer in time";

        if (attempt->state == ATTEMPT_FAILED && attempt->error == 0)
            snprintf(reason, sizeof reason, "out of memory");
        else if (attempt->state == ATTEMPT_FAILED)
            os_error_text(attempt->error, reason);
        else if (attempt->state == ATTEMPT_WAITING)
            snprintf(reason, sizeof reason, "no time left to try it");
        filled += (size_t)snprintf(error + filled, CONNECTOR_ERROR - filled, "%s%s: %s",
                                   i > 0 ? "; " : "", net_address_text(attempt->address, address),
                                   reason);
    }
}

/* Whether a connection was made, but had been reset before it was looked at. */
static bool was_reset(const struct attempt *attempt)
{
    return attempt->state == ATTEMPT_FAILED && os_error_kind(attempt->error) == OS_ERROR_RESET;
}

/* Fills in the first connection that was made, and closes all other sockets. Returns false if there
 * is none, or only one that was reset. */
static bool take_connected(struct connector *connector, struct connector_connection *connection)
{
    bool found = false;

    for (size_t i = 0; i < connector->count; i++) {
        struct attempt *attempt = &connector->attempts[i];

        if (attempt->state == ATTEMPT_CONNECTED && !found) {
            *connection = (struct connector_connection){attempt->watch.socket, *attempt->address,
                                                        attempt->ended - attempt->began, false};
            found = true;
        } else if (attempt->state == ATTEMPT_CONNECTED || attempt->state == ATTEMPT_UNDER_WAY) {
            net_close(attempt->watch.socket);
        } else if (was_reset(attempt) && !found && !connection->reset) {
            *connection = (struct connector_connection){OS_NO_SOCKET, *attempt->address,
                                                        attempt->ended - attempt->began, true};
        }
    }
    return found;
}

enum connector_outcome connector_connect(const struct net_address *addresses, size_t count,
                                         const struct net_address *source, int64_t timeout,
                                         os_socket stop, struct connector_connection *connection,
                                         char error[CONNECTOR_ERROR])
{
    struct connector connector = {
        .selector = selector_create(SELECTOR_ALL), .count = count, .source = source};
    bool stopped = false;

    *connection = (struct connector_connection){.socket = OS_NO_SOCKET};
    for (size_t i = 0; i < count; i++)
        connector.attempts[i].address = &addresses[i];
    if (connector.selector == NULL ||
        (stop != OS_NO_SOCKET &&
         !selector_add(connector.selector, &connector.stop, stop, SELECTOR_READ))) {
        selector_destroy(connector.selector);
        for (size_t i = 0; i < count; i++)
            fail(&connector.attempts[i], 0);
        describe(&connector, error);
        return CONNECTOR_FAILED;
    }
    connector.deadline = os_nanoseconds() + timeout;
    /* If the time is short, each address gets an equal share of it. */
    connector.pace = count > 0 ? timeout / (int64_t)count : timeout;
    if (connector.pace > NEXT_ADDRESS)
        connector.pace = NEXT_ADDRESS;
    stopped = try_all(&connector);
    selector_destroy(connector.selector);
    describe(&connector, error);
    if (take_connected(&connector, connection))
        return CONNECTOR_CONNECTED;
    return stopped ? CONNECTOR_STOPPED : CONNECTOR_FAILED;
}
