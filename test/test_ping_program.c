/* End-to-end tests of `echo-client --ping`, against our server, also when it is wrong on purpose,
 * and against one that the test plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "measure/pattern.h"
#include "support.h"
#include "test.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct process *start(const struct net_address *server, const char *const options[])
{
    enum { MOST = 12 };
    const char *arguments[MOST + 4] = {support_environment("ECHO_CLIENT"), "--ping"};
    static char port[8];
    size_t count = 2;

    while (*options != NULL && count < MOST)
        arguments[count++] = *options++;
    assert_null(*options);
    snprintf(port, sizeof port, "%u", server->port);
    arguments[count++] = "127.0.0.1";
    arguments[count] = port;
    return support_start(arguments, NULL);
}

/* What the summary says. */
struct summary {
    unsigned sent, answered, lost, reconnects, waiting, outages;
    char percent[8];
};

/* Reads one number after another from a line, each behind its text, and expects nothing else. */
static void read_counts(const char *line, struct summary *s)
{
    const char *format = strstr(line, "reconnect") == NULL
                             ? "%u sent, %u answered, %u lost (%7[0-9.] %%)%n, %u still in flight%n"
                         : strstr(line, " 1 reconnect") == NULL
                             ? "%u sent, %u answered, %u lost (%7[0-9.] %%), %u reconnects%n, %u "
                               "still in flight%n"
                             : "%u sent, %u answered, %u lost (%7[0-9.] %%), %u reconnect%n, %u "
                               "still in flight%n";
    bool connect_only = strstr(line, "reconnect") == NULL;
    int length = 0, end = 0;
    int read = connect_only ? sscanf(line, format, &s->sent, &s->answered, &s->lost, s->percent,
                                     &length, &s->waiting, &end)
                            : sscanf(line, format, &s->sent, &s->answered, &s->lost, s->percent,
                                     &s->reconnects, &length, &s->waiting, &end);

    assert_int_equal(read, (connect_only ? 4 : 5) + (s->waiting > 0));
    assert_int_equal(s->waiting > 0 ? end : length, strlen(line));
    assert_int_equal(s->sent, s->answered + s->lost + s->waiting);
}

/* Expects the rest of the output from the first line of the summary on: the counts, the outages and
 * the times if there are any, and a histogram whose counts add up. */
static struct summary expect_summary(struct process *client, const struct net_address *server)
{
    char title[NET_ADDRESS_TEXT + 16], text[NET_ADDRESS_TEXT];
    struct summary s = {0};
    unsigned drawn = 0;
    const char *line;

    snprintf(title, sizeof title, "--- %s ---", net_address_text(server, text));
    assert_string_equal(support_line(client, STREAM_OUTPUT), title);
    read_counts(support_line(client, STREAM_OUTPUT), &s);
    while ((line = support_line(client, STREAM_OUTPUT)) != NULL) {
        if (strstr(line, " |") != NULL)
            drawn += (unsigned)atoi(strrchr(line, '|') + 1);
        else if (strstr(line, " outage") != NULL)
            s.outages = (unsigned)atoi(line);
        else if (strncmp(line, "connect    min/mean/max/stddev = ", 33) != 0)
            assert_memory_equal(line, "round trip min/mean/max/stddev = ", 33);
        if (strchr(line, '=') != NULL)
            assert_non_null(strstr(line, ", p50/p90/p99/p99.9 = "));
    }
    assert_int_equal(drawn, s.answered);
    return s;
}

/* Expects an answer of this size, and returns its number. */
static unsigned expect_answer(struct process *client, const struct net_address *server, size_t size)
{
    char expected[NET_ADDRESS_TEXT + 32], text[NET_ADDRESS_TEXT], unit[4] = "";
    unsigned number = 0;
    double time;

    snprintf(expected, sizeof expected, "%zu bytes from %s: seq=", size,
             net_address_text(server, text));
    const char *line = support_expect_line(client, STREAM_OUTPUT, expected);

    assert_ptr_equal(strstr(line, expected), line);
    assert_int_equal(sscanf(line + strlen(expected), "%u time=%lf %3s", &number, &time, unit), 3);
    assert_true(time >= 0 && strstr("ns us ms s", unit) != NULL);
    return number;
}

static void pings(const char *mode, const char *count, const char *size, size_t answer)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q", "--mode", mode), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client =
        start(&address, OPTIONS("--count", count, "--interval", "0", "--size", size));

    support_expect_line(client, STREAM_OUTPUT, "connected to 127.0.0.1:");
    unsigned messages = (unsigned)atoi(count);

    for (unsigned i = 1; i <= messages; i++)
        assert_int_equal(expect_answer(client, &address, answer), i);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    struct summary summary = expect_summary(client, &address);

    assert_int_equal(summary.sent, messages);
    assert_int_equal(summary.answered, messages);
    assert_int_equal(summary.lost, 0);
    assert_string_equal(summary.percent, "0");
    assert_int_equal(summary.reconnects, 0);
    assert_int_equal(summary.outages, 0);
    assert_null(support_line(client, STREAM_ERROR));
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void an_echo_is_measured(void **state)
{
    (void)state;
    pings("echo", "5", "64", 64);
    pings("echo", "5", "2", 2);
    pings("echo", "5", "9", 9);
    pings("echo", "5", "65537", 65537);
}

static void the_prefix_of_line_mode_is_recognised(void **state)
{
    (void)state;
    pings("line", "5", "64", 64 + strlen("Message received - "));
    pings("line", "5", "2", 2 + strlen("Message received - "));
    pings("line", "5", "65536", 65536 + strlen("Message received - "));
    /* Two messages might come together, and get one answer. */
    pings("chunk", "1", "64", 64 + strlen("Message received - "));
}

static void an_interrupt_ends_it_with_a_summary(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address, OPTIONS("--interval", "0.01"));
    unsigned last = 0;
    const char *line;

    (void)state;
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    while (last < 3)
        last = expect_answer(client, &address, 64);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    while (*(line = support_line(client, STREAM_OUTPUT)) != '\0')
        assert_non_null(strstr(line, "seq="));
    struct summary summary = expect_summary(client, &address);

    assert_true(summary.answered >= 3 && summary.sent >= summary.answered);
    assert_int_equal(summary.lost, 0);
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* What the user says the server answers is not found out. */
static void an_answer_of_another_form_than_expected_is_wrong(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q", "--mode", "line"), NULL, &port);
    struct net_address address = support_loopback(false, port);

    (void)state;
    for (int line = 0; line < 2; line++) {
        struct process *client = start(&address, OPTIONS("--count", "2", "--interval", "0.01",
                                                         "--expect", line ? "line" : "echo"));

        support_expect_line(client, STREAM_OUTPUT, "connected to ");
        support_expect_line(client, STREAM_OUTPUT, line ? "83 bytes from " : "wrong byte from ");
        while (support_line(client, STREAM_OUTPUT) != NULL)
            continue;
        assert_int_equal(support_finish(client), line ? 0 : 1);
    }
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* What has been on its way for a moment only, when the user has seen enough, is not lost. */
static void what_is_not_waited_for_is_told(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-v", "--mute-after", "64"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address, OPTIONS("--interval", "0.01"));

    (void)state;
    for (int received = 0; received < 3; received++)
        support_expect_line(server, STREAM_ERROR, ",Recv From Client[");
    process_stop(client, PROCESS_STOP_INTERRUPT);
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    assert_int_equal(expect_answer(client, &address, 64), 1);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    struct summary summary = expect_summary(client, &address);

    assert_true(summary.waiting >= 2);
    assert_int_equal(summary.lost, 0);
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void a_lost_connection_is_made_anew(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;
    struct process *client = start(&address, OPTIONS("--interval", "0.01"));
    const char *line;
    char message[64];
    unsigned last = 1;
    size_t length;

    (void)state;
    s = support_accept(listener);
    support_echo(s, sizeof message);
    support_receive_all(s, message, sizeof message);
    support_send(s, message, 6);
    net_end_sending(s);
    support_expect_closed(s);
    net_close(s);
    s = support_accept(listener);
    support_echo(s, sizeof message);
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    assert_int_equal(expect_answer(client, &address, 64), 1);
    support_expect_line(client, STREAM_OUTPUT, "lost the connection to 127.0.0.1:");
    assert_non_null(strstr(support_expect_line(client, STREAM_OUTPUT, "connected to "),
                           " after an outage of "));
    last = expect_answer(client, &address, 64);
    assert_true(last > 2); /* what was on the way is lost */
    process_stop(client, PROCESS_STOP_INTERRUPT);
    while ((length = support_receive(s, message, sizeof message)) > 0)
        support_send(s, message, length);
    net_close(s);
    while (*(line = support_line(client, STREAM_OUTPUT)) != '\0')
        assert_int_equal(atoi(strstr(line, "seq=") + 4), ++last);
    struct summary summary = expect_summary(client, &address);

    assert_true(summary.lost >= 1);
    assert_int_equal(summary.sent, last + summary.waiting);
    assert_int_equal(summary.reconnects, 1);
    assert_int_equal(summary.outages, 1);
    assert_int_equal(support_finish(client), 1);
    net_close(listener);
}

/* A count is reached, too, when the server does not come back. */
static void a_server_that_is_gone_is_tried_as_often_as_told(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;
    struct process *client = start(&address, OPTIONS("--count", "4", "--interval", "0"));
    char message[64];

    (void)state;
    s = support_accept(listener);
    support_receive_all(s, message, sizeof message);
    net_close(listener);
    support_send(s, message, sizeof message);
    support_reset(s);
    while (*support_line(client, STREAM_OUTPUT) != '\0')
        continue;
    struct summary summary = expect_summary(client, &address);

    assert_int_equal(summary.sent, 4);
    assert_int_equal(summary.sent, summary.answered + summary.lost);
    assert_true(summary.lost > 0);
    assert_int_equal(support_finish(client), 1);
}

static void a_server_that_answers_no_more_is_given_up_and_tried_again(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;
    struct support_queue queue;
    struct process *client =
        start(&address, OPTIONS("--interval", "0.02", "--connect-timeout", "0.05"));
    char expected[NET_ADDRESS_TEXT + 64], text[NET_ADDRESS_TEXT], message[64];

    (void)state;
    s = support_accept(listener);
    support_receive(s, message, sizeof message);
    bool filled = support_fill_queue(&queue, listener, &address);
    net_close(s);
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    support_expect_line(client, STREAM_OUTPUT, "lost the connection to ");
    snprintf(expected, sizeof expected, "cannot connect to %s: no answer in time",
             net_address_text(&address, text));
    for (int i = 0; filled && i < 2; i++)
        assert_string_equal(support_line(client, STREAM_OUTPUT), expected);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    while (support_line(client, STREAM_OUTPUT) != NULL)
        ;
    assert_int_equal(support_finish(client), 1);
    if (filled)
        support_empty_queue(&queue);
    net_close(listener);
}

static void late_answers_are_no_loss(void **state)
{
    uint16_t port;
    struct process *server =
        support_start_server(OPTIONS("--delay", "50", "--jitter", "50"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address, OPTIONS("--count", "5", "--interval", "0"));

    (void)state;
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(expect_answer(client, &address, 64), i);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    assert_int_equal(expect_summary(client, &address).lost, 0);
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* A byte of what the client sends on its first connection. */
static unsigned byte_of(uint64_t seed, unsigned at)
{
    const struct pattern pattern = {.size = 64, .seed = seed, .lines = true};
    struct pattern_place place = {at / 64, at % 64};

    return pattern_answer_byte(&pattern, 0, &place);
}

/* With one fault after so many bytes, the client says what it was, and where. */
static void names(const char *option, unsigned after, unsigned answered, const char *place)
{
    uint16_t port;
    char number[8], expected[128];
    unsigned right = byte_of(1, after), wrong = 0;

    snprintf(number, sizeof number, "%u", after);
    struct process *server = support_start_server(OPTIONS(option, number), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address, OPTIONS("--count", "2", "--interval", "0.5"));

    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    for (unsigned i = 1; i <= answered; i++)
        assert_int_equal(expect_answer(client, &address, 64), i);
    const char *line = support_expect_line(client, STREAM_OUTPUT, " byte from ");

    if (strcmp(option, "--duplicate-after") == 0)
        snprintf(expected, sizeof expected, "%s: expected nothing, got 0x", place);
    else
        snprintf(expected, sizeof expected, "%s: expected 0x%02x, got 0x", place, right);
    assert_non_null(strstr(line, expected));
    assert_int_equal(sscanf(strstr(line, ", got "), ", got %x", &wrong), 1);
    if (strcmp(option, "--drop-after") == 0)
        assert_int_equal(wrong, byte_of(1, after + 1));
    else if (strcmp(option, "--duplicate-after") == 0)
        assert_int_equal(wrong, right);
    else
        assert_true(wrong != right && ((wrong ^ right) & ((wrong ^ right) - 1)) == 0); /* one bit */
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    struct summary summary = expect_summary(client, &address);

    assert_int_equal(summary.answered, answered);
    assert_int_equal(summary.sent, answered + summary.lost);
    assert_int_equal(support_finish(client), 1);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void a_wrong_answer_is_named(void **state)
{
    (void)state;
    names("--corrupt-after", 64 + 20, 1, "seq=2 offset=20");
    names("--corrupt-after", 0, 0, "seq=1 offset=0");
    names("--drop-after", 30, 0, "seq=1 offset=30");
}

static void an_extra_byte_is_named(void **state)
{
    (void)state;
    names("--duplicate-after", 63, 1, "seq=2 offset=0");
}

/* The next line is about a failed attempt to connect to this server. */
static void expect_refusal(struct process *client, const struct net_address *server)
{
    char expected[NET_ADDRESS_TEXT + 64], text[NET_ADDRESS_TEXT];

    snprintf(expected, sizeof expected, "cannot connect to %s: Connection refused",
             net_address_text(server, text));
    assert_string_equal(support_line(client, STREAM_OUTPUT), expected);
}

/* Nobody is there, and nobody comes: each attempt is a message that is lost. */
static void a_server_that_is_not_there_is_tried_as_often_as_told(void **state)
{
    struct net_address address;

    (void)state;
    net_close(support_listen(&address));
    for (int connect_only = 0; connect_only < 2; connect_only++) {
        struct process *client =
            connect_only ? start(&address, OPTIONS("-c", "3", "-i", "0", "--connect-only"))
                         : start(&address, OPTIONS("-c", "3", "-i", "0"));

        for (int i = 0; i < 3; i++)
            expect_refusal(client, &address);
        assert_string_equal(support_line(client, STREAM_OUTPUT), "");
        struct summary summary = expect_summary(client, &address);

        assert_int_equal(summary.sent, 3);
        assert_int_equal(summary.lost, 3);
        assert_string_equal(summary.percent, "100");
        assert_int_equal(summary.outages, 1);
        assert_null(support_line(client, STREAM_ERROR));
        assert_int_equal(support_finish(client), 1);
    }
}

/* Nobody is there at first. The outage ends with the first connection. */
static void a_server_that_comes_later_ends_an_outage(void **state)
{
    struct net_address address;
    os_socket listener = OS_NO_SOCKET, s;
    const char *line;

    (void)state;
    net_close(support_listen(&address));
    struct process *client = start(&address, OPTIONS("-i", "0.01"));

    expect_refusal(client, &address);
    assert_int_equal(net_listen(&address, &listener).outcome, NET_DONE);
    s = support_accept(listener);
    support_echo(s, 64);
    while (strstr(line = support_line(client, STREAM_OUTPUT), "connected to ") == NULL)
        assert_non_null(strstr(line, "cannot connect to "));
    assert_non_null(strstr(line, " after an outage of "));
    unsigned number = expect_answer(client, &address, 64);

    assert_true(number >= 2);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    struct summary summary = expect_summary(client, &address);

    assert_int_equal(summary.answered, 1);
    assert_int_equal(summary.lost, number - 1);
    assert_int_equal(summary.reconnects, 0);
    assert_int_equal(summary.outages, 1);
    assert_int_equal(support_finish(client), 1);
    net_close(s);
    net_close(listener);
}

/* Each probe is a connection of its own, which is closed whatever the server has to say. */
static void connections_alone_are_measured(void **state)
{
    enum { PROBES = 3 };
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client = start(&address, OPTIONS("-c", "3", "-i", "0.01", "--connect-only"));
    char expected[NET_ADDRESS_TEXT + 32], text[NET_ADDRESS_TEXT];

    (void)state;
    for (unsigned i = 1; i <= PROBES; i++) {
        os_socket s = support_accept(listener);

        net_send(s, "220 a banner\r\n", 14);
        support_expect_closed(s);
        net_close(s);
        snprintf(expected, sizeof expected,
                 "connected to %s: seq=%u time=", net_address_text(&address, text), i);
        support_expect_line(client, STREAM_OUTPUT, expected);
    }
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    struct summary summary = expect_summary(client, &address);

    assert_int_equal(summary.sent, PROBES);
    assert_int_equal(summary.answered, PROBES);
    assert_int_equal(support_finish(client), 0);
    net_close(listener);
}

/* The one that is lost is among those that are made. */
static void a_connection_that_is_refused_is_lost(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client = start(&address, OPTIONS("--interval", "0.01", "--connect-only"));
    const char *line;

    (void)state;
    support_expect_line(client, STREAM_OUTPUT, ": seq=1 time=");
    net_close(listener);
    while (strstr(line = support_line(client, STREAM_OUTPUT), "cannot connect to ") == NULL)
        assert_non_null(strstr(line, ": seq="));
    assert_int_equal(net_listen(&address, &listener).outcome, NET_DONE);
    while (strstr(line = support_line(client, STREAM_OUTPUT), " after an outage of ") == NULL)
        assert_non_null(strstr(line, "cannot connect to "));
    assert_non_null(strstr(line, ": seq="));
    process_stop(client, PROCESS_STOP_INTERRUPT);
    while (*(line = support_line(client, STREAM_OUTPUT)) != '\0')
        assert_non_null(strstr(line, ": seq="));
    struct summary summary = expect_summary(client, &address);

    assert_true(summary.lost >= 1 && summary.answered >= 2);
    assert_int_equal(summary.outages, 1);
    assert_int_equal(support_finish(client), 1);
    net_close(listener);
}

static void the_summary_may_stand_alone(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address, OPTIONS("-q", "-c", "3", "-i", "0", "-s", "9"));

    (void)state;
    assert_int_equal(expect_summary(client, &address).answered, 3);
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* Without it nobody would know why nothing was answered. */
static void a_summary_alone_has_the_first_failure(void **state)
{
    char expected[NET_ADDRESS_TEXT + 64], text[NET_ADDRESS_TEXT];
    struct net_address address;

    (void)state;
    net_close(support_listen(&address));
    struct process *client = start(&address, OPTIONS("-q", "-c", "2", "-i", "0"));

    snprintf(expected, sizeof expected, "first failure: cannot connect to %s: Connection refused",
             net_address_text(&address, text));
    support_expect_line(client, STREAM_OUTPUT, "--- 127.0.0.1:");
    support_expect_line(client, STREAM_OUTPUT, "2 sent, 0 answered, 2 lost (100 %), 0 reconnects");
    support_expect_line(client, STREAM_OUTPUT, "1 outage, ");
    assert_string_equal(support_line(client, STREAM_OUTPUT), expected);
    assert_null(support_line(client, STREAM_OUTPUT));
    assert_int_equal(support_finish(client), 1);
}

/* The only line that a program prints, as JSON. */
static const char *expect_json(struct process *client, const struct net_address *server)
{
    static char json[4096];
    char expected[NET_ADDRESS_TEXT + 2], text[NET_ADDRESS_TEXT], keys[512];
    const char *line = support_line(client, STREAM_OUTPUT);

    assert_non_null(line);
    assert_true(strlen(line) < sizeof json);
    strcpy(json, line);
    assert_null(support_line(client, STREAM_OUTPUT));
    assert_null(support_line(client, STREAM_ERROR));
    assert_true(json_valid(json));
    assert_string_equal(
        json_keys(json, "", keys, sizeof keys),
        "type passed interrupted version server started_at connect_only message_size_bytes seed "
        "interval_seconds messages_sent messages_answered messages_lost messages_in_flight "
        "loss_percent reconnects outages connect_time round_trip failure fault ");
    assert_string_equal(json_keys(json, "outages", keys, sizeof keys),
                        "count seconds longest_seconds ");
    snprintf(expected, sizeof expected, "\"%s\"", net_address_text(server, text));
    assert_true(json_is(json, "server", expected));
    return json;
}

static void json_stands_alone(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("--corrupt-after", "84"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client =
        start(&address, OPTIONS("--json", "-c", "3", "-i", "0.5", "--seed", "7"));
    char byte[8];

    (void)state;
    const char *json = expect_json(client, &address);

    assert_true(json_is(json, "passed", "false"));
    assert_true(json_is(json, "interrupted", "false"));
    assert_true(json_is(json, "connect_only", "false"));
    assert_true(json_is(json, "message_size_bytes", "64"));
    assert_true(json_is(json, "seed", "7"));
    assert_true(json_is(json, "interval_seconds", "0.500"));
    assert_true(json_is(json, "messages_sent", "2"));
    assert_true(json_is(json, "messages_answered", "1"));
    assert_true(json_is(json, "messages_lost", "1"));
    assert_true(json_is(json, "loss_percent", "50"));
    assert_true(json_is(json, "messages_in_flight", "0"));
    assert_true(json_is(json, "reconnects", "0"));
    assert_true(json_is(json, "outages.count", "0"));
    assert_true(json_is(json, "connect_time.count", "1"));
    assert_true(json_is(json, "round_trip.count", "1"));
    assert_true(json_is(json, "failure", "null"));
    assert_true(json_is(json, "fault.kind", "\"wrong\""));
    assert_true(json_is(json, "fault.message", "1"));
    assert_true(json_is(json, "fault.offset_bytes", "20"));
    snprintf(byte, sizeof byte, "%u", byte_of(7, 64 + 20));
    assert_true(json_is(json, "fault.expected", byte));
    assert_int_equal(support_finish(client), 1);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void json_tells_of_connections_and_outages(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client =
        start(&address, OPTIONS("--json", "-c", "2", "-i", "0", "--connect-only"));

    (void)state;
    const char *json = expect_json(client, &address);

    assert_true(json_is(json, "passed", "true"));
    assert_true(json_is(json, "connect_only", "true"));
    assert_true(json_is(json, "message_size_bytes", "0"));
    assert_true(json_is(json, "connect_time.count", "2"));
    assert_true(json_is(json, "round_trip.count", "0"));
    assert_true(json_is(json, "fault", "null"));
    assert_int_equal(support_finish(client), 0);
    net_close(listener);

    client = start(&address, OPTIONS("--json", "-c", "2", "-i", "0"));
    json = expect_json(client, &address);
    assert_true(json_is(json, "passed", "false"));
    assert_true(json_is(json, "messages_lost", "2"));
    assert_true(json_is(json, "loss_percent", "100"));
    assert_true(json_is(json, "outages.count", "1"));
    assert_true(json_number(json, "outages.seconds") > 0);
    assert_non_null(json_find(json, "failure"));
    assert_non_null(strstr(json_find(json, "failure"), ": Connection refused\",\"fault\":null"));
    assert_int_equal(support_finish(client), 1);
}

/* A program that reads the report expects an object in any case. */
static void json_tells_of_a_host_without_an_address(void **state)
{
    const struct net_address address = support_loopback(false, 7);
    struct process *client = start(&address, OPTIONS("--json", "-6"));

    (void)state;
    support_expect_line(client, STREAM_ERROR,
                        "echo-client: cannot resolve '127.0.0.1' to an IPv6 address: ");
    const char *json = support_line(client, STREAM_OUTPUT);

    assert_non_null(json);
    assert_true(json_valid(json));
    assert_true(json_is(json, "type", "\"total\""));
    assert_true(json_is(json, "passed", "false"));
    assert_true(json_is(json, "server", "null"));
    assert_true(json_is(json, "messages_sent", "0"));
    assert_true(json_is(json, "outages.count", "0"));
    assert_non_null(strstr(json_find(json, "failure"), "cannot resolve '127.0.0.1' to an IPv6 "));
    assert_null(support_line(client, STREAM_OUTPUT));
    assert_int_equal(support_finish(client), 1);
}

/* An address that this machine does not have is not used tacitly for another one. */
static void connections_come_from_the_source_that_is_given(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client =
        start(&address, OPTIONS("-c", "2", "-i", "0", "--source", "192.0.2.1"));

    (void)state;
    for (int i = 0; i < 2; i++)
        support_expect_line(client, STREAM_OUTPUT, "cannot connect from 192.0.2.1 to 127.0.0.1:");
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    assert_int_equal(expect_summary(client, &address).lost, 2);
    assert_int_equal(support_finish(client), 1);
    net_close(listener);
}

/* The greeting is compared before the first answer, and the prefix need not be found out. */
static void knows_greeting_and_prefix(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(
        OPTIONS("-q", "--mode", "line", "--greeting", "one greets", "--prefix", "one: "), NULL,
        &port);
    struct net_address address = support_loopback(false, port);
    struct process *client =
        start(&address, OPTIONS("--count", "3", "--interval", "0", "--size", "10", "--greeting",
                                "one greets", "--prefix", "one: "));

    (void)state;
    support_expect_line(client, STREAM_OUTPUT, "connected to 127.0.0.1:");
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(expect_answer(client, &address, 15), i);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    assert_int_equal(expect_summary(client, &address).answered, 3);
    assert_int_equal(support_finish(client), 0);

    client = start(&address, OPTIONS("--count", "3", "--greeting", "two greets"));
    support_expect_line(client, STREAM_OUTPUT, "connected to 127.0.0.1:");
    const char *line = support_expect_line(client, STREAM_OUTPUT, "wrong greeting byte from ");
    assert_non_null(strstr(line, " offset=0: expected 0x74, got 0x6f"));
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    assert_int_equal(expect_summary(client, &address).lost, 1);
    assert_int_equal(support_finish(client), 1);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* A greeting comes on its own, and the form of the answers is found out after it. */
static void the_form_is_recognised_after_a_greeting(void **state)
{
    static const char prefix[] = "Message received - ";
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client = start(&address, OPTIONS("-i", "0.01", "-c", "2", "--greeting", "hi"));
    os_socket s = support_accept(listener);
    char messages[2][64];

    (void)state;
    support_send(s, "hi\n", 3);
    support_receive_all(s, messages, sizeof messages);
    support_expect_line(client, STREAM_OUTPUT, "connected to ");
    for (unsigned i = 0; i < 2; i++) {
        support_send(s, prefix, sizeof prefix - 1);
        support_send(s, messages[i], sizeof messages[i]);
        assert_int_equal(expect_answer(client, &address, sizeof prefix - 1 + 64), i + 1);
    }
    assert_string_equal(support_line(client, STREAM_OUTPUT), "");
    assert_int_equal(expect_summary(client, &address).answered, 2);
    assert_int_equal(support_finish(client), 0);
    net_close(s);
    net_close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)
    const struct CMUnitTest tests[] = {
        TEST(knows_greeting_and_prefix),
        TEST(the_form_is_recognised_after_a_greeting),
        TEST(an_echo_is_measured),
        TEST(the_prefix_of_line_mode_is_recognised),
        TEST(an_answer_of_another_form_than_expected_is_wrong),
        TEST(an_interrupt_ends_it_with_a_summary),
        TEST(what_is_not_waited_for_is_told),
        TEST(a_lost_connection_is_made_anew),
        TEST(a_server_that_is_gone_is_tried_as_often_as_told),
        TEST(a_server_that_answers_no_more_is_given_up_and_tried_again),
        TEST(late_answers_are_no_loss),
        TEST(a_wrong_answer_is_named),
        TEST(an_extra_byte_is_named),
        TEST(a_server_that_is_not_there_is_tried_as_often_as_told),
        TEST(a_server_that_comes_later_ends_an_outage),
        TEST(connections_alone_are_measured),
        TEST(a_connection_that_is_refused_is_lost),
        TEST(the_summary_may_stand_alone),
        TEST(a_summary_alone_has_the_first_failure),
        TEST(json_stands_alone),
        TEST(json_tells_of_connections_and_outages),
        TEST(json_tells_of_a_host_without_an_address),
        TEST(connections_come_from_the_source_that_is_given),
    };

    return cmocka_run_group_tests(tests, support_setup, support_teardown);
}
