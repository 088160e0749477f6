#include "ping.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connector.h"
#include "deadline.h"
#include "exchange.h"
#include "os.h"
#include "output.h"
#include "ping_report.h"
#include "proxy_sender.h"
#include "report.h"
#include "selector.h"

enum {
    PIPELINE = 1024,       /* no message is sent while so many wait for their answers */
    UNREAD_MAX = 64 * 1024 /* no message is sent while so many bytes of output are unread */
};

static const int64_t DRAIN_TIMEOUT = SECONDS(5);        /* how long to wait for the last answers */
static const int64_t RETRY_CONNECT = MILLISECONDS(100); /* shortest pause after a failure */

enum { OUTAGE = 48 }; /* size of the text about the end of an outage */

enum state { DISCONNECTED, CONNECTING, CONNECTED };

struct ping {
    const struct ping_options *options;
    struct pattern pattern;
    const struct net_address *addresses; /* to be tried in turn until a connection is made */
    size_t address_count;
    size_t addresses_tried;
    struct net_address server;
    struct selector *selector;
    struct selector_watch stop;
    struct output output;
    struct exchange exchange; /* open unless DISCONNECTED */
    enum state state;
    bool form_known;        /* it is known whether answers are prefixed */
    uint64_t first_message; /* messages that were sent or lost before this connection */
    uint64_t connections;
    int64_t connect_began;
    int64_t next_send;    /* when the next message is due */
    int64_t next_connect; /* when to connect again, if DISCONNECTED */
    int64_t now;
    struct ping_result result;
};

/* Prints a line about an event, unless only the report is wanted. */
__attribute__((format(printf, 2, 3))) static void print_event(struct ping *ping, const char *format,
                                                              ...)
{
    char text[sizeof ping->result.failure];
    va_list arguments;

    if (ping->options->quiet || ping->options->json)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_print(&ping->output, "%s\n", text);
}

static void use_address(struct ping *ping, const struct net_address *address)
{
    ping->server = *address;
    net_address_text(address, ping->result.server);
}

/* Schedules the next attempt to connect: the interval after the last one began, but not before a
 * pause. */
static void wait_to_connect(struct ping *ping, int64_t pause)
{
    int64_t due = ping->connect_began + ping->options->interval;
    int64_t earliest = ping->now + pause;

    ping->state = DISCONNECTED;
    ping->next_connect = due > earliest ? due : earliest;
}

static void disconnect(struct ping *ping, int64_t pause)
{
    exchange_close(&ping->exchange, ping->selector);
    wait_to_connect(ping, pause);
}

/* Starts an exchange on a socket that is connected or connecting. Returns false when memory is
 * refused. */
static bool open_exchange(struct ping *ping, os_socket s, enum state state)
{
    if (!exchange_open(&ping->exchange, &ping->pattern, ping->connections++, PIPELINE, s,
                       ping->selector, state == CONNECTED ? SELECTOR_READ : SELECTOR_WRITE))
        return false;
    ping->first_message = ping->result.sent;
    ping->state = state;
    return true;
}

/* Reports that there is no connection, since when, and why. */
static void record_failure(struct ping *ping, const char *what, const char *why, int64_t since)
{
    char text[sizeof ping->result.failure];

    snprintf(text, sizeof text, "%s %s", what, why);
    if (ping->result.failure[0] == '\0')
        memcpy(ping->result.failure, text, sizeof text);
    outages_begin(&ping->result.outages, since);
    print_event(ping, "%s", text);
}

/* Writes the server and why there is no connection to it. */
static const char *describe(const struct ping *ping, struct net_result result,
                            char text[CONNECTOR_ERROR])
{
    char reason[OS_ERROR_TEXT];

    snprintf(text, CONNECTOR_ERROR, "%s: %s", ping->result.server, report_failure(result, reason));
    return text;
}

static void lose_connection(struct ping *ping, struct net_result result)
{
    char why[CONNECTOR_ERROR];

    ping->result.lost += exchange_in_flight(&ping->exchange);
    record_failure(ping, "lost the connection to", describe(ping, result, why), ping->now);
    disconnect(ping, RETRY_CONNECT);
}

/* Ends the outage, if there is one, and writes how long it was, or nothing. */
static void end_outage(struct ping *ping, char text[OUTAGE])
{
    struct outages *outages = &ping->result.outages;
    char length[REPORT_DURATION];

    text[0] = '\0';
    if (outages->began != 0)
        snprintf(text, OUTAGE, " after an outage of %s",
                 report_duration(ping->now - outages->began, length));
    outages_end(outages, ping->now);
}

static void record_connected(struct ping *ping, int64_t took)
{
    char duration[REPORT_DURATION];
    char outage[OUTAGE];

    histogram_add(&ping->result.connect_time, took);
    report_duration(took, duration);
    end_outage(ping, outage);
    if (!ping->options->connect_only) {
        print_event(ping, "connected to %s in %s%s", ping->result.server, duration, outage);
        return;
    }
    ping->result.sent++;
    ping->result.answered++;
    print_event(ping, "connected to %s: seq=%llu time=%s%s", ping->result.server,
                (unsigned long long)ping->result.sent, duration, outage);
}

/* Records a failed attempt to connect. It counts as a lost message, the one that was due. */
static void record_unconnected(struct ping *ping, const char *why)
{
    const struct net_address *source = ping->options->source;
    char what[NET_HOST_TEXT + 32] = "cannot connect to", host[NET_HOST_TEXT];

    if (source != NULL)
        snprintf(what, sizeof what, "cannot connect from %s to", net_address_host(source, host));
    ping->result.sent++;
    ping->result.lost++;
    record_failure(ping, what, why, ping->connect_began);
    wait_to_connect(ping, RETRY_CONNECT);
}

/* Until a connection is made, each attempt is to the next address. */
static void connect_again(struct ping *ping)
{
    char why[CONNECTOR_ERROR];
    os_socket s;

    if (ping->result.connect_time.count == 0)
        use_address(ping, &ping->addresses[ping->addresses_tried++ % ping->address_count]);
    ping->connect_began = os_nanoseconds();
    struct net_result result = net_connect(&ping->server, ping->options->source, &s);
    ping->now = os_nanoseconds();
    bool begun = result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK;

    if (begun && open_exchange(ping, s, CONNECTING))
        return;
    if (begun)
        result = (struct net_result){.outcome = NET_EXHAUSTED};
    record_unconnected(ping, describe(ping, result, why));
}

/* Whether a connection was made. One that was reset after that suffices to time it. */
static bool was_made(const struct ping *ping, struct net_result result)
{
    return result.outcome == NET_DONE ||
           (ping->options->connect_only && os_error_kind(result.error) == OS_ERROR_RESET);
}

static void finish_connecting(struct ping *ping, struct net_result result)
{
    char why[CONNECTOR_ERROR];

    if (!was_made(ping, result)) {
        exchange_close(&ping->exchange, ping->selector);
        record_unconnected(ping, describe(ping, result, why));
        return;
    }
    record_connected(ping, ping->now - ping->connect_began);
    if (ping->options->connect_only) {
        disconnect(ping, 0);
        return;
    }
    ping->state = CONNECTED;
    selector_change(ping->selector, &ping->exchange.watch, SELECTOR_READ);
}

static void flush(struct ping *ping)
{
    struct net_result result = exchange_send(&ping->exchange);

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        lose_connection(ping, result);
    else
        selector_change(ping->selector, &ping->exchange.watch, exchange_interest(&ping->exchange));
}

static void record_answer(struct ping *ping, uint64_t message)
{
    int64_t took = ping->now - exchange_timed_from(&ping->exchange, message);
    unsigned long long number = ping->first_message + message + 1;
    char text[REPORT_DURATION];

    ping->result.answered++;
    histogram_add(&ping->result.round_trip, took);
    print_event(ping, "%llu bytes from %s: seq=%llu time=%s",
                (unsigned long long)pattern_answer_size(&ping->pattern), ping->result.server,
                number, report_duration(took, text));
}

/* Records the first byte that is wrong or answers nothing. It is named even if only the report is
 * wanted: JSON has it, and in words it is a line of its own. */
static void record_fault(struct ping *ping, const struct exchange_received *received)
{
    const char *what = exchange_fault_name(received->fault);
    const struct exchange *exchange = &ping->exchange;
    struct pattern_place place = exchange_place(exchange);
    unsigned long long number = ping->first_message + exchange->receiving.message + 1;
    char expected[8] = "nothing";

    ping->result.fault =
        (struct load_fault){.found = true,
                            .what = what,
                            .connection = exchange->connection,
                            .place = place,
                            .expected = received->fault == EXCHANGE_EXTRA ? -1 : received->expected,
                            .got = received->got};
    if (ping->options->json)
        return;
    if (received->fault != EXCHANGE_EXTRA)
        snprintf(expected, sizeof expected, "0x%02x", received->expected);
    output_print(&ping->output, "%s byte from %s: seq=%llu offset=%llu: expected %s, got 0x%02x\n",
                 what, ping->result.server, number, (unsigned long long)place.offset, expected,
                 received->got);
}

static void receive(struct ping *ping)
{
    struct exchange *exchange = &ping->exchange;
    size_t greeted = exchange->greeted;
    struct exchange_received received = exchange_receive(exchange);

    if (received.result.outcome == NET_WOULD_BLOCK)
        return;
    if (received.result.outcome != NET_DONE) {
        lose_connection(ping, received.result);
        return;
    }
    /* The first byte shows whether answers are prefixed: "Message" begins with M, an echo with a
     * hexadecimal digit. */
    if (!ping->form_known && received.fault == EXCHANGE_WRONG && exchange->receiving.offset == 0 &&
        received.got == 'M') {
        ping->pattern.prefix = (struct pattern_text)PATTERN_PREFIX;
        exchange->greeted = greeted;
        exchange_compare(exchange, received.bytes, received.result.bytes, &received);
    }
    /* A greeting alone says nothing about answers. */
    if (exchange->receiving.message > 0 || exchange->receiving.offset > 0)
        ping->form_known = true;
    for (uint64_t i = exchange->receiving.message - received.answered;
         i < exchange->receiving.message; i++)
        record_answer(ping, i);
    if (received.fault != EXCHANGE_RIGHT)
        record_fault(ping, &received);
}

/* When the next message or attempt to connect is due, or the current attempt times out. */
static int64_t next_deadline(const struct ping *ping)
{
    /* Nothing is measured that nobody reads. */
    if (ping->state != CONNECTING && output_length(&ping->output) >= UNREAD_MAX)
        return DEADLINE_NEVER;
    switch (ping->state) {
    case DISCONNECTED:
        return ping->next_connect;
    case CONNECTING:
        return ping->connect_began + ping->options->connect_timeout;
    case CONNECTED:
        break;
    }
    return exchange_in_flight(&ping->exchange) < PIPELINE && !exchange_is_full(&ping->exchange)
               ? ping->next_send
               : DEADLINE_NEVER;
}

/* Does what is due: connects, gives up an attempt to connect, or sends a message. */
static void do_due(struct ping *ping)
{
    switch (ping->state) {
    case DISCONNECTED:
        connect_again(ping);
        break;
    case CONNECTING:
        finish_connecting(ping, (struct net_result){.outcome = NET_WOULD_BLOCK});
        break;
    case CONNECTED:
        ping->next_send += ping->options->interval;
        /* Messages that were due during an outage are skipped. */
        if (ping->next_send < ping->now)
            ping->next_send = ping->now + ping->options->interval;
        /* The clock is read anew: an answer may have been printed since the wait. */
        exchange_begin(&ping->exchange, os_nanoseconds());
        ping->result.sent++;
        flush(ping);
        break;
    }
}

static void serve(struct ping *ping)
{
    if (ping->state == CONNECTING) {
        finish_connecting(ping, proxy_sender_connect_result(ping->exchange.watch.socket));
        return;
    }
    if (ping->exchange.watch.ready & SELECTOR_READ)
        receive(ping);
    if (ping->state == CONNECTED)
        flush(ping);
}

/* Waits until something is ready or `deadline` has passed, and serves what is ready. Returns false
 * after a request to stop, or when waiting fails or stdout is broken. */
static bool step(struct ping *ping, int64_t deadline)
{
    struct selector_watch *watch;
    char reason[OS_ERROR_TEXT];

    deadline = deadline_earlier(deadline, output_next_retry(&ping->output));
    if (!selector_wait(ping->selector, deadline)) {
        snprintf(ping->result.failure, sizeof ping->result.failure, "select() failed: %s",
                 os_error_text(os_socket_error(), reason));
        output_error(ping->stop.socket, "%s", ping->result.failure);
        ping->result.broken = true;
        return false;
    }
    ping->now = os_nanoseconds();
    while ((watch = selector_next(ping->selector)) != NULL) {
        if (watch == &ping->stop) {
            ping->result.interrupted = true;
            return false;
        }
        if (watch != &ping->output.watch)
            serve(ping);
    }
    return output_flush(&ping->output);
}

/* Counts unanswered messages as lost: those sent at `until` or before, and the one that was
 * answered wrong. Later ones only remain in flight. */
static void count_overdue(struct ping *ping, int64_t until)
{
    const struct exchange *exchange = &ping->exchange;
    uint64_t first = exchange->receiving.message;

    for (uint64_t i = first; i < exchange->begun; i++)
        ping->result.lost +=
            exchange_timed_from(exchange, i) <= until || (ping->result.fault.found && i == first);
}

/* Sends and receives until all messages are answered, a byte is wrong, or a request to stop
 * arrives. */
static void exchange_all(struct ping *ping)
{
    const struct ping_result *result = &ping->result;
    uint64_t count = ping->options->count;
    bool go_on = output_flush(&ping->output);

    ping->next_send = ping->now;
    while (go_on && !result->fault.found && result->sent < count) {
        if (ping->now >= next_deadline(ping)) {
            do_due(ping);
            go_on = output_flush(&ping->output);
        }
        if (go_on && result->sent < count)
            go_on = step(ping, next_deadline(ping));
    }
    int64_t deadline = ping->now + DRAIN_TIMEOUT;

    while (go_on && !result->fault.found && ping->state == CONNECTED &&
           exchange_in_flight(&ping->exchange) > 0 && ping->now < deadline)
        go_on = step(ping, deadline);
    if (ping->state == CONNECTED)
        count_overdue(ping, go_on && !result->fault.found ? ping->now : ping->now - DRAIN_TIMEOUT);
}

/* Uses the connection that the connector has made. With connect_only it may have been reset. */
static void take_over(struct ping *ping, const struct connector_connection *connection)
{
    char why[CONNECTOR_ERROR];

    use_address(ping, &connection->peer);
    ping->connect_began = ping->now - connection->took;
    record_connected(ping, connection->took);
    if (connection->reset) {
        wait_to_connect(ping, 0);
    } else if (!open_exchange(ping, connection->socket, CONNECTED)) {
        record_failure(ping, "lost the connection to",
                       describe(ping, (struct net_result){.outcome = NET_EXHAUSTED}, why),
                       ping->now);
        wait_to_connect(ping, RETRY_CONNECT);
    } else if (ping->options->connect_only) {
        disconnect(ping, 0);
    }
}

/* Counts an attempt that is under way when the ping ends: it remains in flight. If there has never
 * been a connection, that is an outage. */
static void record_unfinished(struct ping *ping)
{
    ping->result.sent++;
    if (ping->result.connect_time.count == 0)
        outages_begin(&ping->result.outages, ping->connect_began);
}

/* Connects for the first time, to whichever address answers first. Returns false after a request to
 * stop. */
static bool connect_first(struct ping *ping)
{
    struct connector_connection connection;
    char error[CONNECTOR_ERROR];

    use_address(ping, &ping->addresses[0]);
    ping->connect_began = os_nanoseconds();
    enum connector_outcome outcome =
        connector_connect(ping->addresses, ping->address_count, ping->options->source,
                          ping->options->connect_timeout, ping->stop.socket, &connection, error);

    ping->now = os_nanoseconds();
    switch (outcome) {
    case CONNECTOR_CONNECTED:
        take_over(ping, &connection);
        return true;
    case CONNECTOR_FAILED:
        if (ping->options->connect_only && connection.reset)
            take_over(ping, &connection);
        else
            record_unconnected(ping, error);
        return true;
    case CONNECTOR_STOPPED:
        break;
    }
    record_unfinished(ping);
    ping->result.interrupted = true;
    return false;
}

/* Pings, and prints the report. */
static enum ping_end run(struct ping *ping)
{
    os_utc_time(ping->result.started_at);
    if (connect_first(ping))
        exchange_all(ping);
    if (ping->state == CONNECTING)
        record_unfinished(ping);
    if (ping->state != DISCONNECTED)
        exchange_close(&ping->exchange, ping->selector);
    outages_end(&ping->result.outages, ping->now);
    print_event(ping, "%s", "");
    if (ping->options->json)
        ping_report_json(&ping->output, ping->options, &ping->result);
    else
        ping_report_summary(&ping->output, ping->options, &ping->result);
    return output_finish(&ping->output, ping->stop.socket) && ping_result_passed(&ping->result)
               ? PING_ALL_ANSWERED
               : PING_LOST;
}

enum ping_end ping_run(const struct ping_options *options, const struct net_address *addresses,
                       size_t count, os_socket stop)
{
    struct ping *ping = calloc(1, sizeof *ping);
    enum ping_end end = PING_LOST;

    os_wait_precisely();
    if (ping != NULL)
        ping->output.stream = STREAM_OUTPUT;
    if (ping == NULL || (ping->selector = selector_create(SELECTOR_ALL)) == NULL ||
        !selector_add(ping->selector, &ping->stop, stop, SELECTOR_READ) ||
        !output_attach(&ping->output, ping->selector)) {
        output_error(stop, "out of memory");
    } else {
        ping->options = options;
        ping->pattern = options->pattern;
        ping->form_known = !options->detect;
        ping->addresses = addresses;
        ping->address_count = count;
        end = run(ping);
    }
    if (ping != NULL)
        selector_destroy(ping->selector);
    free(ping);
    return end;
}
