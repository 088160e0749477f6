#include "ping.h"

#include <stdio.h>
#include <stdlib.h>

#include "deadline.h"
#include "exchange.h"
#include "histogram.h"
#include "os.h"
#include "output.h"
#include "proxy_sender.h"
#include "report.h"
#include "selector.h"
#include "text.h"

enum {
    PIPELINE = 1024,       /* no message is sent while so many wait for their answers */
    UNREAD_MAX = 64 * 1024 /* no message is sent while so many bytes of output are unread */
};

static const int64_t DRAIN_TIMEOUT = SECONDS(5);        /* how long to wait for the last answers */
static const int64_t RETRY_CONNECT = MILLISECONDS(100); /* shortest pause before a reconnect */

enum state { DISCONNECTED, CONNECTING, CONNECTED };

struct ping {
    const struct ping_options *options;
    struct pattern pattern;
    struct net_address server;
    char address[NET_ADDRESS_TEXT];
    struct selector *selector;
    struct selector_watch stop;
    struct output output;
    struct exchange exchange; /* open unless DISCONNECTED */
    enum state state;
    bool form_known;        /* it is known whether answers are prefixed */
    bool wrong;             /* a byte was wrong, or select() failed */
    uint64_t first_message; /* messages that were sent or lost before this connection */
    uint64_t sent;
    uint64_t answered;
    uint64_t lost;
    uint64_t connections;
    int64_t connect_began;
    int64_t next_send;    /* when the next message is due */
    int64_t next_connect; /* when to connect again, if DISCONNECTED */
    int64_t now;
    struct histogram connect_time;
    struct histogram round_trip;
};

/* Schedules the next attempt to connect, after a pause. */
static void wait_to_connect(struct ping *ping)
{
    ping->state = DISCONNECTED;
    int64_t interval = ping->options->interval;

    ping->next_connect = ping->now + (interval > RETRY_CONNECT ? interval : RETRY_CONNECT);
}

static void disconnect(struct ping *ping)
{
    exchange_close(&ping->exchange, ping->selector);
    wait_to_connect(ping);
}

/* Starts an exchange on a socket that is connected or connecting. Returns false when memory is
 * refused. */
static bool open_exchange(struct ping *ping, os_socket s, enum state state)
{
    if (!exchange_open(&ping->exchange, &ping->pattern, ping->connections++, PIPELINE, s,
                       ping->selector, state == CONNECTED ? SELECTOR_READ : SELECTOR_WRITE))
        return false;
    ping->first_message = ping->sent;
    ping->state = state;
    return true;
}

static void print_lost(struct ping *ping, const char *what, struct net_result result)
{
    char reason[OS_ERROR_TEXT];

    output_print(&ping->output, "%s %s: %s\n", what, ping->address, report_failure(result, reason));
}

static void lose_connection(struct ping *ping, struct net_result result)
{
    ping->lost += exchange_in_flight(&ping->exchange);
    print_lost(ping, "lost the connection to", result);
    disconnect(ping);
}

static void record_connected(struct ping *ping, int64_t took)
{
    char text[REPORT_DURATION];

    histogram_add(&ping->connect_time, took);
    output_print(&ping->output, "connected to %s in %s\n", ping->address,
                 report_duration(took, text));
}

/* Prints a failed attempt to connect. It counts as a lost message, the one that was due. */
static void print_unconnected(struct ping *ping, struct net_result result)
{
    ping->sent++;
    ping->lost++;
    print_lost(ping, "cannot connect to", result);
}

static void reconnect(struct ping *ping)
{
    os_socket s;

    ping->connect_began = os_nanoseconds();
    struct net_result result = net_connect(&ping->server, NULL, &s);
    bool begun = result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK;

    if (begun && open_exchange(ping, s, CONNECTING))
        return;
    if (begun)
        result = (struct net_result){.outcome = NET_EXHAUSTED};
    print_unconnected(ping, result);
    wait_to_connect(ping);
}

static void finish_connecting(struct ping *ping, struct net_result result)
{
    if (result.outcome != NET_DONE) {
        print_unconnected(ping, result);
        disconnect(ping);
        return;
    }
    ping->state = CONNECTED;
    selector_change(ping->selector, &ping->exchange.watch, SELECTOR_READ);
    record_connected(ping, ping->now - ping->connect_began);
}

static void flush(struct ping *ping)
{
    struct net_result result = exchange_send(&ping->exchange);

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        lose_connection(ping, result);
    else
        selector_change(ping->selector, &ping->exchange.watch, exchange_interest(&ping->exchange));
}

static void print_answer(struct ping *ping, uint64_t message)
{
    int64_t took = ping->now - exchange_timed_from(&ping->exchange, message);
    unsigned long long number = ping->first_message + message + 1;
    char text[REPORT_DURATION];

    ping->answered++;
    histogram_add(&ping->round_trip, took);
    output_print(&ping->output, "%llu bytes from %s: seq=%llu time=%s\n",
                 (unsigned long long)pattern_answer_size(&ping->pattern), ping->address, number,
                 report_duration(took, text));
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
    ping->form_known = true;
    for (uint64_t i = exchange->receiving.message - received.answered;
         i < exchange->receiving.message; i++)
        print_answer(ping, i);
    if (received.fault == EXCHANGE_RIGHT)
        return;
    unsigned long long number = ping->first_message + exchange->receiving.message + 1;

    static const char *const faults[] = {[EXCHANGE_UNGREETED] = "wrong greeting",
                                         [EXCHANGE_WRONG] = "wrong",
                                         [EXCHANGE_EXTRA] = "extra"};

    output_print(&ping->output, "%s byte from %s: seq=%llu offset=%llu: expected ",
                 faults[received.fault], ping->address, number,
                 (unsigned long long)exchange_place(exchange).offset);
    output_print(&ping->output, received.fault == EXCHANGE_EXTRA ? "nothing" : "0x%02x",
                 received.expected);
    output_print(&ping->output, ", got 0x%02x\n", received.got);
    ping->wrong = true;
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
        reconnect(ping);
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
        ping->sent++;
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
        output_error(ping->stop.socket, "select() failed: %s",
                     os_error_text(os_socket_error(), reason));
        ping->wrong = true;
        return false;
    }
    ping->now = os_nanoseconds();
    while ((watch = selector_next(ping->selector)) != NULL) {
        if (watch == &ping->stop)
            return false;
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
        ping->lost += exchange_timed_from(exchange, i) <= until || (ping->wrong && i == first);
}

/* Sends and receives until all messages are answered, a byte is wrong, or a request to stop
 * arrives. */
static void exchange_all(struct ping *ping)
{
    bool go_on = output_flush(&ping->output);

    ping->next_send = ping->now;
    while (go_on && !ping->wrong && ping->sent < ping->options->count) {
        if (ping->now >= next_deadline(ping)) {
            do_due(ping);
            go_on = output_flush(&ping->output);
        }
        if (go_on && ping->sent < ping->options->count)
            go_on = step(ping, next_deadline(ping));
    }
    int64_t deadline = ping->now + DRAIN_TIMEOUT;

    while (go_on && !ping->wrong && ping->state == CONNECTED &&
           exchange_in_flight(&ping->exchange) > 0 && ping->now < deadline)
        go_on = step(ping, deadline);
    if (ping->state == CONNECTED)
        count_overdue(ping, go_on && !ping->wrong ? ping->now : ping->now - DRAIN_TIMEOUT);
}

static void print_times(struct output *output, const char *name, const struct histogram *times)
{
    static const double fractions[] = {0.5, 0.9, 0.99, 0.999};
    char text[4][REPORT_DURATION];

    output_print(output, "%s min/mean/max/stddev = %s", name, report_duration(times->min, text[0]));
    output_print(output, "/%s/%s", report_duration((int64_t)times->mean, text[0]),
                 report_duration(times->max, text[1]));
    output_print(output, "/%s, p50/p90/p99/p99.9 = ",
                 report_duration((int64_t)histogram_deviation(times), text[0]));
    for (int i = 0; i < 4; i++)
        report_duration(histogram_percentile(times, fractions[i]), text[i]);
    output_print(output, "%s/%s/%s/%s\n", text[0], text[1], text[2], text[3]);
}

/* Prints the summary. Returns false when some of the output could not be written. */
static bool summarize(struct ping *ping)
{
    struct output *output = &ping->output;
    uint64_t waiting = ping->sent - ping->answered - ping->lost;
    unsigned long long reconnects = ping->connect_time.count - 1;
    char text[HISTOGRAM_TEXT];

    output_print(output, "\n--- %s ---\n", ping->address);
    output_print(output, "%llu sent, %llu answered, %llu lost, %llu reconnect%s",
                 (unsigned long long)ping->sent, (unsigned long long)ping->answered,
                 (unsigned long long)ping->lost, reconnects, text_plural(reconnects));
    if (waiting > 0)
        output_print(output, ", %llu still in flight", (unsigned long long)waiting);
    output_print(output, "\n");
    print_times(output, "connect   ", &ping->connect_time);
    if (ping->answered > 0) {
        print_times(output, "round trip", &ping->round_trip);
        output_print(output, "%s", histogram_draw(&ping->round_trip, text));
    }
    return output_finish(output, ping->stop.socket);
}

enum ping_end ping_run(const struct ping_options *options,
                       const struct connector_connection *connection, os_socket stop)
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
        net_close(connection->socket);
    } else {
        ping->options = options;
        ping->pattern = options->pattern;
        ping->form_known = !options->detect;
        ping->server = connection->peer;
        net_address_text(&ping->server, ping->address);
        ping->now = os_nanoseconds();
        record_connected(ping, connection->took);
        if (!open_exchange(ping, connection->socket, CONNECTED))
            print_lost(ping, "lost the connection to",
                       (struct net_result){.outcome = NET_EXHAUSTED});
        exchange_all(ping);
        if (ping->state != DISCONNECTED)
            disconnect(ping);
        if (summarize(ping) && ping->lost == 0 && !ping->wrong && ping->answered > 0)
            end = PING_ALL_ANSWERED;
    }
    if (ping != NULL)
        selector_destroy(ping->selector);
    free(ping);
    return end;
}
