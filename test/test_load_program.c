/* End-to-end tests of `echo-client --load`, against our server, also when it is wrong on purpose,
 * and against one that the test plays. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "measure/pattern.h"
#include "pseudo_terminal.h"
#include "support.h"
#include "system.h"
#include "test.h"

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { REPORT = 8192, MESSAGE = 64 /* bytes, where no --size says otherwise */ };

static struct process *start(const struct net_address *server, const char *const options[],
                             const struct process_options *how)
{
    enum { MOST = 16 };
    const char *arguments[MOST + 5] = {support_environment("ECHO_CLIENT"), "--load"};
    char port[8];
    size_t count = 2;

    while (*options != NULL && count < MOST + 2)
        arguments[count++] = *options++;
    assert_null(*options);
    snprintf(port, sizeof port, "%u", server->port);
    arguments[count++] = "127.0.0.1";
    arguments[count] = port;
    return support_start(arguments, how);
}

/* Waits for the client's end; gives its status and all that it printed. */
static int finish(struct process *client, char report[REPORT])
{
    size_t length = 0;
    char byte;

    while (support_read(client, STREAM_OUTPUT, &byte, 1) > 0) {
        if (system_is_windows && byte == '\n' && length > 0 && report[length - 1] == '\r')
            length--;
        assert_true(length < REPORT - 1);
        report[length++] = byte;
    }
    report[length] = '\0';
    /* No progress through a pipe, nor anything else. */
    assert_null(support_line(client, STREAM_ERROR));
    return support_finish(client);
}

/* Starts a server that is awkward on purpose, or any other. */
static struct process *start_server(const char *const options[], struct net_address *address)
{
    uint16_t port;
    struct process *server = support_start_server(options, NULL, &port);

    *address = support_loopback(false, port);
    return server;
}

/* Waits until a server that logs messages has received so many more. */
static void wait_for_messages(struct process *server, int count)
{
    for (; count > 0; count--)
        support_expect_line(server, STREAM_ERROR, ",Recv From Client[");
}

static void stop_server(struct process *server)
{
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void expect_number(const char *json, const char *path, double expected)
{
    double found = json_number(json, path);

    if (found != expected)
        fail_msg("%s is %g and should be %g in %s", path, found, expected, json);
}

static void expect_is(const char *json, const char *path, const char *expected)
{
    if (!json_is(json, path, expected))
        fail_msg("%s should be %s in %s", path, expected, json);
}

static void expect_times(const char *json, const char *path, double count)
{
    static const char *const ascending[] = {"min_us", "p50_us",   "p90_us",
                                            "p99_us", "p99_9_us", "max_us"};
    char keys[256], key[64];
    double before = 0;

    assert_string_equal(json_keys(json, path, keys, sizeof keys),
                        "count min_us mean_us stddev_us p50_us p90_us p99_us p99_9_us max_us ");
    snprintf(key, sizeof key, "%s.count", path);
    expect_number(json, key, count);
    for (size_t i = 0; i < sizeof ascending / sizeof ascending[0]; i++) {
        snprintf(key, sizeof key, "%s.%s", path, ascending[i]);
        if (!(json_number(json, key) >= before))
            fail_msg("%s is too small in %s", key, json);
        before = json_number(json, key);
    }
    snprintf(key, sizeof key, "%s.mean_us", path);
    assert_true(json_number(json, key) <= before && before > 0);
}

/* What is true of every report, however the load went. */
static void expect_sound(const char *json)
{
    char keys[1024];

    if (!json_valid(json) || strchr(json, '\n') != json + strlen(json) - 1)
        fail_msg("this is not one line of JSON: %s", json);
    assert_string_equal(
        json_keys(json, "", keys, sizeof keys),
        "type passed interrupted version server started_at loop message_size_bytes connections "
        "pipeline idle_connections target_rate_per_second seed reconnect keep_going "
        "duration_seconds connections_made connections_failed connections_lost messages_sent "
        "messages_answered messages_per_second bytes_sent bytes_received sent_bytes_per_second "
        "received_bytes_per_second faults messages_in_flight messages_not_sent outages "
        "connect_time round_trip send_lateness failure fault ");
    expect_is(json, "type", "\"total\"");
    assert_true(json_number(json, "messages_answered") <= json_number(json, "messages_sent"));
    assert_true(json_number(json, "bytes_sent") <=
                json_number(json, "messages_sent") * json_number(json, "message_size_bytes"));
}

/* An amount a second, which is reported to the thousandth, and the seconds to the microsecond. */
static void expect_a_second(const char *json, const char *path, double amount)
{
    double found = json_number(json, path);
    double seconds = json_number(json, "duration_seconds");

    if (!(fabs(found * seconds - amount) <= found * 1e-6 + (seconds + 1) * 0.001))
        fail_msg("%s is not %g over duration_seconds in %s", path, amount, json);
}

/* A load that went well: all that was sent came back, each message with so many bytes more. */
static void expect_passed(const char *json, double extra_bytes)
{
    double messages, bytes;

    expect_sound(json);
    messages = json_number(json, "messages_answered");
    bytes = messages * json_number(json, "message_size_bytes");
    expect_is(json, "passed", "true");
    expect_is(json, "failure", "null");
    expect_is(json, "fault", "null");
    expect_number(json, "connections_failed", 0);
    expect_number(json, "connections_lost", 0);
    assert_true(messages > 0 && json_number(json, "duration_seconds") > 0);
    if (json_is(json, "interrupted", "false")) {
        expect_number(json, "messages_sent", messages);
        expect_number(json, "bytes_sent", bytes);
        expect_number(json, "bytes_received", bytes + messages * extra_bytes);
    }
    expect_a_second(json, "messages_per_second", messages);
    expect_a_second(json, "sent_bytes_per_second", json_number(json, "bytes_sent"));
    expect_a_second(json, "received_bytes_per_second", json_number(json, "bytes_received"));
    expect_times(json, "round_trip", messages);
    if (json_is(json, "loop", "\"open\""))
        expect_times(json, "send_lateness", json_number(json, "messages_sent"));
    else
        expect_number(json, "send_lateness.count", 0);
    expect_times(json, "connect_time", json_number(json, "connections_made"));
}

/* Loads our server in a mode; returns the report, in which nothing is wrong. */
static const char *load(const char *mode, const char *const options[])
{
    static char report[REPORT];
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q", "--mode", mode), NULL, &port);
    struct net_address address = support_loopback(false, port);
    int status = finish(start(&address, options, NULL), report);

    expect_passed(report, strcmp(mode, "echo") == 0 ? 0 : (double)strlen("Message received - "));
    assert_int_equal(status, 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
    return report;
}

/* Loads a server that greets, and answers lines with a prefix of its own. Returns the report. */
static const char *load_greeted(const char *greeting, const char *prefix)
{
    static char report[REPORT];
    uint16_t port;
    struct process *server = support_start_server(
        OPTIONS("-q", "--mode", "line", "--greeting", "one greets", "--prefix", "one: "), NULL,
        &port);
    struct net_address address = support_loopback(false, port);

    finish(start(&address,
                 OPTIONS("--json", "--count", "100", "--connections", "3", "--idle", "2",
                         "--greeting", greeting, "--prefix", prefix),
                 NULL),
           report);
    expect_sound(report);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
    return report;
}

/* Every byte of the greeting is compared as well, on idle connections too. */
static void knows_greeting_and_prefix(void **state)
{
    const char *json = load_greeted("one greets", "one: ");

    (void)state;
    expect_is(json, "passed", "true");
    expect_number(json, "messages_answered", 100);

    json = load_greeted("one greetz", "one: ");
    expect_is(json, "passed", "false");
    expect_is(json, "fault.kind", "\"wrong greeting\"");
    expect_number(json, "fault.offset_bytes", 9);
    expect_number(json, "fault.expected", 'z');
    expect_number(json, "fault.got", 's');
    /* The load ends with its last message, perhaps before the greetings of idle connections come.
     */
    assert_int_in_range((int)json_number(json, "connections_lost"), 3, 5);

    json = load_greeted("one greets", "two: ");
    expect_is(json, "fault.kind", "\"wrong\"");
    expect_number(json, "fault.offset_bytes", 0);
    expect_number(json, "fault.expected", 't');
    expect_number(json, "fault.got", 'o');
}

/* Of a greeting that is cut, the byte that is missing is the greeting's. */
static void names_a_cut_greeting(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    struct process *client =
        start(&address, OPTIONS("--json", "--count", "1", "--greeting", "hello"), NULL);
    os_socket s = support_accept(listener);

    (void)state;
    support_send(s, "hel", 3);
    net_end_sending(s);
    support_expect_closed(s);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_is(report, "fault.kind", "\"missing\"");
    expect_number(report, "fault.message", 0);
    expect_number(report, "fault.offset_bytes", 3);
    expect_number(report, "fault.expected", 'l');
    net_close(s);
    net_close(listener);
}

static void counts_messages(void **state)
{
    static const struct {
        const char *size, *connections, *pipeline, *count;
    } cases[] = {
        {"1", "1", "1", "100"},    {"1", "3", "100", "1000"},  {"7", "2", "3", "101"},
        {"64", "1", "1", "100"},   {"64", "10", "16", "1000"}, {"64", "8", "65536", "3"},
        {"4095", "2", "5", "50"},  {"65536", "1", "1", "10"},  {"65536", "3", "16", "100"},
        {"262145", "2", "2", "9"}, {"3000000", "1", "2", "3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *json =
            load("echo", OPTIONS("--json", "--size", cases[i].size, "--connections",
                                 cases[i].connections, "--pipeline", cases[i].pipeline, "--count",
                                 cases[i].count, "--seed", "18446744073709551615"));

        expect_number(json, "messages_answered", atof(cases[i].count));
        expect_number(json, "message_size_bytes", atof(cases[i].size));
        expect_number(json, "connections", atof(cases[i].connections));
        expect_number(json, "connections_made", atof(cases[i].connections));
        expect_number(json, "pipeline", atof(cases[i].pipeline));
        expect_is(json, "loop", "\"closed\"");
        expect_is(json, "seed", "18446744073709551615");
    }
}

static void understands_lines(void **state)
{
    static const char *const sizes[] = {"2", "9", "64", "65537"};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        load("line", OPTIONS("--json", "--expect", "line", "--count", "200", "--connections", "3",
                             "--pipeline", "4", "--size", sizes[i]));
}

/* One message at a time is what one recv() returns, whatever TCP does. */
static void understands_chunks_of_one_message(void **state)
{
    (void)state;
    load("chunk", OPTIONS("--json", "--expect", "line", "--count", "200", "--connections", "3"));
}

static void stops_after_a_duration(void **state)
{
    (void)state;
    expect_is(load("echo", OPTIONS("--json", "--duration", "0.1")), "interrupted", "false");
    load("echo", OPTIONS("--json", "--duration", "0.1", "--connections", "5", "--pipeline", "5"));
}

static void sends_at_a_rate(void **state)
{
    const char *json = load("echo", OPTIONS("--json", "--rate", "2000", "--count", "100",
                                            "--connections", "3", "--pipeline", "8"));

    (void)state;
    expect_is(json, "loop", "\"open\"");
    expect_number(json, "target_rate_per_second", 2000);
    expect_number(json, "messages_answered", 100);
    /* So many are offered in that time, though the last one is due before its end. */
    assert_true(json_number(json, "duration_seconds") >= 100 / 2000.0);
}

static void sends_as_many_as_rate_times_duration(void **state)
{
    const char *json = load("echo", OPTIONS("--json", "--rate", "1000", "--duration", "0.05"));

    (void)state;
    expect_number(json, "messages_sent", 50);
    expect_number(json, "messages_not_sent", 0);
    assert_true(json_number(json, "duration_seconds") >= 0.05);
    assert_true(json_number(json, "messages_per_second") <= 1000);
}

static void holds_idle_connections(void **state)
{
    const char *json = load("echo", OPTIONS("--json", "--count", "50", "--idle", "20"));

    (void)state;
    expect_number(json, "connections", 1);
    expect_number(json, "idle_connections", 20);
    expect_number(json, "connections_made", 21);
}

/* Takes the connections of a client: the one with messages, and the idle one, which only the
 * order of connecting tells apart. */
static struct process *start_beside_an_idle_one(const char *const options[],
                                                struct net_address *address, os_socket *listener,
                                                os_socket sockets[2])
{
    *listener = support_listen(address);
    struct process *client = start(address, options, NULL);

    for (int i = 0; i < 2; i++)
        sockets[i] = support_accept(*listener);
    return client;
}

/* A connection that is only held is part of the promise: what becomes of it is reported. */
static void an_idle_connection_that_is_not_left_alone_is_reported(void **state)
{
    static char report[REPORT];

    (void)state;
    for (int sends = 0; sends < 2; sends++) {
        struct net_address address;
        os_socket listener, sockets[2];
        struct process *client = start_beside_an_idle_one(
            OPTIONS("--json", "--count", "2", "--idle", "1"), &address, &listener, sockets);

        support_echo(sockets[0], MESSAGE);
        if (sends)
            support_send(sockets[1], "x", 1);
        else
            net_end_sending(sockets[1]);
        support_expect_closed(sockets[1]);
        support_echo(sockets[0], MESSAGE);
        support_expect_closed(sockets[0]);
        for (int i = 0; i < 2; i++)
            net_close(sockets[i]);
        assert_int_equal(finish(client, report), 1);
        expect_sound(report);
        expect_number(report, "messages_answered", 2);
        expect_number(report, "connections_lost", 1);
        if (sends) {
            expect_is(report, "fault.kind", "\"extra\"");
            expect_number(report, "fault.got", 'x');
        } else {
            assert_non_null(
                strstr(json_find(report, "failure"), "lost an idle connection to 127.0.0.1:"));
        }
        net_close(listener);
    }
}

/* Once all is answered, a server may end whatever it likes. */
static void an_idle_connection_may_end_last(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener, sockets[2];

    (void)state;
    struct process *client = start_beside_an_idle_one(
        OPTIONS("--json", "--count", "1", "--idle", "1"), &address, &listener, sockets);

    support_echo(sockets[0], MESSAGE);
    support_expect_end(sockets[0]);
    net_end_sending(sockets[1]);
    support_expect_closed(sockets[1]);
    for (int i = 0; i < 2; i++)
        net_close(sockets[i]);
    assert_int_equal(finish(client, report), 0);
    expect_passed(report, 0);
    net_close(listener);
}

/* Idle ones are held, whatever the others do. */
static void idle_connections_are_not_made_anew(void **state)
{
    const char *json =
        load("echo", OPTIONS("--json", "--count", "5", "--reconnect", "--idle", "2"));

    (void)state;
    expect_number(json, "connections_made", 7);
}

static void connects_anew_for_each_message(void **state)
{
    const char *json = load("echo", OPTIONS("--json", "--count", "50", "--reconnect"));

    (void)state;
    expect_is(json, "reconnect", "true");
    expect_number(json, "connections_made", 50);
    expect_number(json, "messages_answered", 50);
    json = load("echo", OPTIONS("--json", "--count", "50", "--reconnect", "--connections", "4"));
    expect_number(json, "connections_made", 50);
    json = load("echo", OPTIONS("--json", "--count", "50", "--reconnect", "--connections", "4",
                                "--rate", "5000"));
    expect_number(json, "messages_answered", 50);
    expect_number(json, "connections_made", 50);
    assert_true(json_number(json, "round_trip.mean_us") >
                json_number(json, "connect_time.mean_us"));
}

/* With a rate: no connection for a message that will only be due in a quarter of an hour. */
static void connects_when_a_message_is_due(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    struct process *client = start(
        &address,
        OPTIONS("--json", "--reconnect", "--rate", "0.001", "--count", "4", "--connections", "2"),
        NULL);
    os_socket s = support_accept(listener);

    /* The one that found out whether the server is there. */
    support_expect_closed(s);
    net_close(s);
    s = support_accept(listener);
    support_echo(s, MESSAGE);
    support_expect_closed(s);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, report), 0);
    expect_passed(report, 0);
    expect_number(report, "connections_made", 1);
    expect_number(report, "messages_sent", 1);
    net_close(s);
    net_close(listener);
}

/* So it is no fault of a server to end each connection when it has answered, even if other answers
 * are still to come. */
static void closes_what_is_answered_while_others_wait(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    os_socket sockets[2];

    (void)state;
    struct process *client = start(
        &address, OPTIONS("--json", "--reconnect", "--count", "2", "--connections", "2"), NULL);

    for (int i = 0; i < 2; i++)
        sockets[i] = support_accept(listener);
    for (int i = 0; i < 2; i++) {
        support_echo(sockets[i], MESSAGE);
        support_expect_closed(sockets[i]);
        net_close(sockets[i]);
    }
    assert_int_equal(finish(client, report), 0);
    expect_passed(report, 0);
    expect_number(report, "connections_made", 2);
    net_close(listener);
}

/* Nothing is lost with a connection that the server ends behind its last answer, though others are
 * still waited for. */
static void an_end_behind_the_last_answer_is_no_loss(void **state)
{
    static const char *const loops[] = {"--rate=1000", "--seed=1"};
    static char report[REPORT];

    (void)state;
    for (size_t loop = 0; loop < sizeof loops / sizeof loops[0]; loop++) {
        struct net_address address;
        os_socket listener = support_listen(&address);
        os_socket sockets[2];
        struct process *client = start(
            &address, OPTIONS("--json", "--count", "2", "--connections", "2", loops[loop]), NULL);

        for (int i = 0; i < 2; i++)
            sockets[i] = support_accept(listener);
        for (int i = 0; i < 2; i++) {
            support_echo(sockets[i], MESSAGE);
            net_end_sending(sockets[i]);
            support_expect_closed(sockets[i]);
            net_close(sockets[i]);
        }
        assert_int_equal(finish(client, report), 0);
        expect_passed(report, 0);
        net_close(listener);
    }
}

/* The time to connect is not what went by before it was begun. */
static void a_late_answer_leaves_time_to_connect(void **state)
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-q", "--delay", "100"), &address);

    (void)state;
    assert_int_equal(
        finish(start(&address,
                     OPTIONS("--json", "--reconnect", "--count", "3", "--connect-timeout", "0.05"),
                     NULL),
               report),
        0);
    expect_passed(report, 0);
    expect_number(report, "messages_answered", 3);
    stop_server(server);
}

static void runs_many_connections(void **state)
{
    const char *many = system_is_wine() ? "60" : "1000"; /* its select() takes long with many */
    const char *json =
        load("echo", OPTIONS("--json", "--connections", many, "--count", "4000", "--size", "100"));

    (void)state;
    expect_number(json, "connections_made", atof(many));
    expect_number(json, "messages_answered", 4000);
}

/* The line that begins so, without this beginning. */
static const char *find_line(const char *table, const char *beginning)
{
    const char *line = strncmp(table, beginning, strlen(beginning)) == 0 ? table : NULL;
    char text[64];

    if (line == NULL) {
        snprintf(text, sizeof text, "\n%s", beginning);
        line = strstr(table, text);
        line = line != NULL ? line + 1 : NULL;
    }
    if (line == NULL)
        fail_msg("there is no line '%s' in:\n%s", beginning, table);
    return line + strlen(beginning);
}

static void prints_a_table(void **state)
{
    static const char *const times[] = {"  min ", "  mean ",  "  p50 ", "  p90 ",
                                        "  p99 ", "  p99.9 ", "  max "};
    static char table[REPORT];
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    unsigned drawn = 0;
    double late[3];

    (void)state;
    assert_int_equal(
        finish(start(&address, OPTIONS("--count", "30", "--connections", "2"), NULL), table), 0);
    assert_non_null(strstr(find_line(table, "connections  "), "2 made, 0 failed, 0 lost"));
    assert_non_null(
        strstr(find_line(table, "messages     "), "30 sent, 30 answered, 0 not answered, in "));
    assert_non_null(strstr(find_line(table, "throughput   "), " messages/s, "));
    assert_non_null(strstr(find_line(table, "round trip   "), "closed loop"));
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        assert_true(atof(find_line(table, times[i])) > 0);
    for (const char *bar = table; (bar = strstr(bar, "| ")) != NULL; bar++)
        drawn += (unsigned)atoi(bar + 2);
    assert_int_equal(drawn, 30);
    assert_string_equal(find_line(table, "every byte was right"), "\n");
    assert_int_equal(
        finish(start(&address, OPTIONS("--count", "30", "--rate", "9999"), NULL), table), 0);
    assert_non_null(strstr(find_line(table, "round trip   "), "open loop"));
    assert_int_equal(sscanf(find_line(table, "lateness     "), "p50 %lf %*s p99 %lf %*s max %lf",
                            &late[0], &late[1], &late[2]),
                     3);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void one_message_is_no_plural(void **state)
{
    static char table[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    char message[MESSAGE];

    (void)state;
    struct process *client = start(&address, OPTIONS("--duration", "1000"), NULL);
    os_socket s = support_accept(listener);

    for (int i = 0; i < 2; i++) {
        support_receive_all(s, message, sizeof message);
        if (i == 0)
            support_send(s, message, sizeof message);
    }
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, table), 0);
    find_line(table, "interrupted; 1 message on the way, not counted as lost\n");
    net_close(s);
    net_close(listener);
}

/* The line of progress tells of the last second alone: when nothing was answered in it, there is no
 * percentile. */
static void progress_is_of_the_last_second(void **state)
{
    static char screen[PSEUDO_TERMINAL_TEXT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    int64_t deadline = os_nanoseconds() + SUPPORT_DEADLINE * (int64_t)1000000;
    char port[8];

    (void)state;
    snprintf(port, sizeof port, "%u", address.port);
    struct pseudo_terminal *terminal =
        pseudo_terminal_start((const char *const[]){support_environment("ECHO_CLIENT"), "--load",
                                                    "--duration", "1000", "127.0.0.1", port, NULL},
                              &(struct pseudo_terminal_options){.term = "xterm"});

    assert_non_null(terminal);
    os_socket s = support_accept(listener);

    support_echo(s, MESSAGE);
    do
        pseudo_terminal_look(terminal, screen);
    while (strstr(screen, " 0 messages/s") == NULL && os_nanoseconds() < deadline);
    if (strstr(screen, " s, 1 connection, 0 messages/s, 0.00 MB/s, p99 -") == NULL)
        fail_msg("the screen shows: %s", screen);
    pseudo_terminal_send(terminal, PSEUDO_TERMINAL_INTERRUPT);
    while (!pseudo_terminal_ended(terminal) && os_nanoseconds() < deadline)
        pseudo_terminal_look(terminal, screen);
    assert_int_equal(pseudo_terminal_destroy(terminal), 0);
    net_close(s);
    net_close(listener);
}

static void an_interrupt_ends_it_with_a_report(void **state)
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-v", "--delay", "5"), &address);
    struct process *client =
        start(&address, OPTIONS("--json", "--duration", "1000", "--connections", "3"), NULL);

    (void)state;
    wait_for_messages(server, 10); /* so some have been answered */
    process_stop(client, PROCESS_STOP_INTERRUPT);
    int status = finish(client, report);

    expect_is(report, "interrupted", "true");
    expect_passed(report, 0);
    assert_int_equal(status, 0);
    stop_server(server);
}

/* A server that stalls is not taken for a fast one: the stall belongs to the time reported over. */
static void a_stall_before_an_interrupt_counts(void **state)
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-v", "--stall-after", "640"), &address);
    struct process *client =
        start(&address, OPTIONS("--json", "--duration", "1000", "--size", "64"), NULL);

    (void)state;
    wait_for_messages(server, 10);
    int64_t stalled = os_nanoseconds();

    process_pump(client, NULL, 0, 100); /* nothing is printed meanwhile */
    double stall = (double)(os_nanoseconds() - stalled) / 1e9;

    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, report), 0);
    assert_true(json_number(report, "duration_seconds") >= stall);
    expect_number(report, "messages_answered", 10);
    expect_number(report, "messages_in_flight", 1);
    stop_server(server);
}

/* What was lost with a connection is not on the way any more. */
static void an_interrupt_does_not_find_what_is_lost(void **state)
{
    static char table[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address), sockets[2];
    char message[MESSAGE];
    struct process *client =
        start(&address, OPTIONS("--duration", "1000", "--connections", "2"), NULL);

    (void)state;
    for (int i = 0; i < 2; i++)
        sockets[i] = support_accept(listener);
    support_echo(sockets[0], MESSAGE);
    support_receive_all(sockets[0], message, MESSAGE);
    net_end_sending(sockets[0]);
    support_expect_closed(sockets[0]);
    for (int i = 0; i < 10; i++)
        support_echo(sockets[1], MESSAGE);
    support_receive_all(sockets[1], message, MESSAGE);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, table), 1);
    assert_non_null(strstr(find_line(table, "connections  "), "2 made, 0 failed, 1 lost"));
    find_line(table, "interrupted; 1 message on the way, not counted as lost\n");
    for (int i = 0; i < 2; i++)
        net_close(sockets[i]);
    net_close(listener);
}

/* Whatever comes while it ends, the status is that of its report. */
static void no_request_to_stop_comes_too_late(void **state)
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-v", "--delay", "1"), &address);
    int trials = system_is_windows ? 3 : 20; /* there each takes a console */

    (void)state;
    for (int trial = 0; trial < trials; trial++) {
        struct process *client = start(&address, OPTIONS("--json", "--duration", "1000"), NULL);

        wait_for_messages(server, 10);
        process_stop(client, PROCESS_STOP_INTERRUPT);
        while (!client->output[STREAM_OUTPUT].ended) {
            process_stop(client, trial % 2 == 0 ? PROCESS_STOP_INTERRUPT : PROCESS_STOP_TERMINATE);
            process_pump(client, NULL, 0, 0);
        }
        assert_int_equal(finish(client, report), 0);
        expect_is(report, "interrupted", "true");
        support_expect_line(server, STREAM_ERROR, ",Connection closed[");
    }
    stop_server(server);
}

/* An interrupt does not turn a server that never answers into one that passes. */
static void an_interrupt_before_any_answer_is_a_failure(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    char byte;

    (void)state;
    struct process *client = start(&address, OPTIONS("--json", "--duration", "1000"), NULL);
    os_socket s = support_accept(listener);

    support_receive(s, &byte, 1);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_is(report, "interrupted", "true");
    expect_is(report, "passed", "false");
    expect_is(report, "failure", "\"interrupted before anything was answered\"");
    net_close(s);
    net_close(listener);
}

/* What no send has taken has not been sent, however many messages may be on the way. */
static void what_waits_for_room_is_not_sent(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    char byte;

    (void)state;
    struct process *client = start(
        &address,
        OPTIONS("--json", "--duration", "1000", "--size", "1000000", "--pipeline", "65536"), NULL);
    os_socket s = support_accept(listener);

    support_receive(s, &byte, 1);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    assert_true(json_number(report, "bytes_sent") >
                1e6 * (json_number(report, "messages_sent") - 2));
    net_close(s);
    net_close(listener);
}

/* Faults */

enum { SIZE = 50, NOTHING = -1, ONE_BIT = -2 };

static const struct pattern fifty = {.size = SIZE, .seed = 1};

/* A byte of what a connection sends. */
static int byte_of(uint64_t connection, uint64_t at)
{
    struct pattern_place place = {at / SIZE, (size_t)(at % SIZE)};

    return pattern_answer_byte(&fifty, connection, &place);
}

/* Expects a fault in a report in JSON. Returns the byte that came, or NOTHING. */
static int expect_fault_in_json(const char *json, const char *kind, uint64_t at, int expected,
                                int got)
{
    uint64_t message = at / SIZE;
    char quoted[16];
    int came = NOTHING;

    expect_sound(json);
    snprintf(quoted, sizeof quoted, "\"%s\"", kind);
    expect_is(json, "passed", "false");
    expect_is(json, "fault.kind", quoted);
    expect_number(json, "fault.connection", 0);
    expect_number(json, "fault.message", (double)message);
    expect_number(json, "fault.offset_bytes", (double)(at % SIZE));
    expect_number(json, "connections_made", 1);
    expect_number(json, "connections_lost", 1);
    if (expected != NOTHING)
        expect_number(json, "fault.expected", expected);
    else
        expect_is(json, "fault.expected", "null");
    if (got == NOTHING) {
        expect_is(json, "fault.got", "null");
    } else {
        came = (int)json_number(json, "fault.got");
        unsigned changed = (unsigned)(came ^ expected);

        if (got == ONE_BIT)
            assert_true(changed != 0 && (changed & (changed - 1)) == 0);
        else
            assert_int_equal(came, got);
    }
    return came;
}

/*
 * Runs a load with messages of 50 bytes against our server with one fault after so many bytes, and
 * expects both reports to name the byte `at`, and what came instead, and the server's log to name
 * the reason for which the connection has ended.
 */
static void expect_fault(const char *option, unsigned after, const char *pipeline, const char *kind,
                         uint64_t at, int expected, int got, const char *reason)
{
    static char report[REPORT];
    char number[16], text[256], wanted[16] = "nothing", came[16] = "nothing";
    struct net_address address;

    snprintf(number, sizeof number, "%u", after);
    struct process *server = start_server(OPTIONS(option, number), &address);

    for (int as_json = 1; as_json >= 0; as_json--) {
        assert_int_equal(finish(start(&address,
                                      OPTIONS("--count", "30", "--size", "50", "--pipeline",
                                              pipeline, as_json ? "--json" : "--seed=1"),
                                      NULL),
                                report),
                         1);
        if (as_json) {
            got = expect_fault_in_json(report, kind, at, expected, got);
        } else if (got != NOTHING && strcmp(option, "--corrupt-after") == 0) {
            /* Which bit it is depends on the number of the connection. */
            unsigned byte;

            assert_int_equal(sscanf(strstr(report, ", got "), ", got %x", &byte), 1);
            got = (int)byte;
        }
        support_expect_line(server, STREAM_ERROR, reason);
    }
    if (expected != NOTHING)
        snprintf(wanted, sizeof wanted, "0x%02x", (unsigned)expected);
    if (got != NOTHING)
        snprintf(came, sizeof came, "0x%02x", (unsigned)got);
    snprintf(text, sizeof text,
             "%s %s byte: connection 0, message %u, offset %u: expected %s, got %s\n",
             strcmp(kind, "extra") == 0 ? "an" : "a", kind, (unsigned)(at / SIZE),
             (unsigned)(at % SIZE), wanted, came);
    const char *line = find_line(report, "FAULT: ");

    if (strncmp(line, text, strlen(text)) != 0)
        fail_msg("expected: %s, but found: %s", text, report);
    assert_string_equal(find_line(report, "FAILED"), "\n");
    stop_server(server);
}

static void expect_flipped_bit(unsigned at, const char *pipeline)
{
    expect_fault("--corrupt-after", at, pipeline, "wrong", at, byte_of(0, at), ONE_BIT,
                 "]:end of stream; ");
}

static void names_a_flipped_bit(void **state)
{
    (void)state;
    expect_flipped_bit(0, "1");
    expect_flipped_bit(SIZE * 3 + 17, "1");
    expect_flipped_bit(SIZE * 4 + 49, "5");
}

static void names_a_dropped_byte(void **state)
{
    (void)state;
    for (unsigned at = SIZE * 2 + 9, i = 0; i < 2; at += 21, i++)
        expect_fault("--drop-after", at, i == 0 ? "1" : "5", "wrong", at, byte_of(0, at),
                     byte_of(0, at + 1), "]:end of stream; ");
}

static void names_a_repeated_byte(void **state)
{
    unsigned at = SIZE * 2 + 30;

    (void)state;
    expect_fault("--duplicate-after", at, "1", "wrong", at + 1, byte_of(0, at + 1), byte_of(0, at),
                 "]:end of stream; ");
    expect_fault("--duplicate-after", 49, "1", "extra", SIZE, NOTHING, byte_of(0, 49),
                 "]:end of stream; ");
}

static void names_a_cut_connection(void **state)
{
    unsigned at = SIZE * 3;

    (void)state;
    expect_fault("--close-after", at + 17, "1", "missing", at + 17, byte_of(0, at + 17), NOTHING,
                 "]:closed on purpose; ");
    expect_fault("--close-after", at, "4", "missing", at, byte_of(0, at), NOTHING,
                 "]:closed on purpose; ");
}

/* Of three connections one is wrong: it is named, whichever it is, and the others go on. */
static void names_the_connection(void **state)
{
    enum { CONNECTIONS = 3, COUNT = 30 };

    (void)state;
    for (int wrong = 0; wrong < CONNECTIONS; wrong++) {
        static char report[REPORT];
        struct net_address address;
        os_socket listener = support_listen(&address), sockets[CONNECTIONS];
        char first[CONNECTIONS][SIZE], message[SIZE];
        struct process *client =
            start(&address,
                  OPTIONS("--json", "--count", "30", "--connections", "3", "--size", "50"), NULL);

        /* By the client's numbers, which are in what it sends. */
        for (uint64_t i = 0; i < CONNECTIONS; i++)
            pattern_fill(&fifty, i, &(struct pattern_place){0, 0}, first[i], SIZE);
        for (int i = 0; i < CONNECTIONS; i++) {
            os_socket s = support_accept(listener);
            int number = 0;

            support_receive_all(s, message, SIZE);
            while (memcmp(message, first[number], SIZE) != 0)
                assert_true(++number < CONNECTIONS);
            sockets[number] = s;
        }
        support_send(sockets[wrong], first[wrong], SIZE);
        support_echo(sockets[wrong], SIZE);
        support_echo(sockets[wrong], SIZE);
        support_receive_all(sockets[wrong], message, SIZE);
        message[17] ^= 1;
        support_send(sockets[wrong], message, SIZE);
        support_expect_closed(sockets[wrong]);
        int next = (wrong + 1) % CONNECTIONS, last = (wrong + 2) % CONNECTIONS;

        support_send(sockets[next], first[next], SIZE);
        for (int sent = 4 + 2; sent < COUNT; sent++)
            support_echo(sockets[next], SIZE);
        support_send(sockets[last], first[last], SIZE);
        support_expect_closed(sockets[next]);
        support_expect_closed(sockets[last]);
        assert_int_equal(finish(client, report), 1);
        expect_sound(report);
        expect_is(report, "fault.kind", "\"wrong\"");
        expect_number(report, "fault.connection", wrong);
        expect_number(report, "fault.message", 3);
        expect_number(report, "fault.offset_bytes", 17);
        expect_number(report, "fault.expected", byte_of((uint64_t)wrong, SIZE * 3 + 17));
        expect_number(report, "fault.got", byte_of((uint64_t)wrong, SIZE * 3 + 17) ^ 1);
        expect_number(report, "connections_made", CONNECTIONS);
        expect_number(report, "connections_lost", 1);
        expect_number(report, "messages_answered", COUNT - 1);
        for (int i = 0; i < CONNECTIONS; i++)
            net_close(sockets[i]);
        net_close(listener);
    }
}

/* Runs a load against our server with these options, and returns its report, which says that it
 * failed. */
static const char *fail_with(const char *const server_options[], const char *const options[])
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(server_options, &address);

    assert_int_equal(finish(start(&address, options, NULL), report), 1);
    expect_sound(report);
    expect_is(report, "passed", "false");
    stop_server(server);
    return report;
}

/* All that was answered before the last message was sent has been received. Of what comes right
 * before a reset, the reset may destroy some. */
static void names_a_reset(void **state)
{
    const char *json =
        fail_with(OPTIONS("--reset-after", "138"), OPTIONS("--json", "--count", "9"));

    (void)state;
    expect_is(json, "fault.kind", "\"missing\"");
    expect_number(json, "fault.message", 2);
    assert_true(json_number(json, "fault.offset_bytes") <= 10);
    expect_is(json, "fault.got", "null");
    expect_number(json, "connections_lost", 1);
    expect_number(json, "messages_answered", 2);
    assert_non_null(strstr(json_find(json, "failure"), "lost the connection to 127.0.0.1:"));
}

static void names_what_never_comes(void **state)
{
    const char *json = fail_with(OPTIONS("--mute-after", "67"), OPTIONS("--json", "--count", "2"));

    (void)state;
    expect_is(json, "fault.kind", "\"missing\"");
    expect_number(json, "fault.message", 1);
    expect_number(json, "fault.offset_bytes", 3);
    expect_is(json, "fault.got", "null");
    expect_number(json, "messages_answered", 1);
    assert_non_null(strstr(json_find(json, "failure"), ": no answer in time\""));
}

/* Also when it would have to send many more before it had an end. */
static void does_not_wait_for_ever_for_what_never_comes(void **state)
{
    const char *json =
        fail_with(OPTIONS("--stall-after", "67"), OPTIONS("--json", "--count", "1000"));

    (void)state;
    expect_is(json, "fault.kind", "\"missing\"");
    expect_number(json, "fault.message", 1);
    expect_number(json, "fault.offset_bytes", 3);
    expect_number(json, "messages_answered", 1);
}

static void names_a_byte_behind_the_end(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    struct process *client = start(&address, OPTIONS("--json", "--count", "4"), NULL);
    os_socket s = support_accept(listener);

    for (int i = 0; i < 4; i++)
        support_echo(s, MESSAGE);
    support_expect_end(s);
    support_send(s, "x", 1);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_is(report, "fault.kind", "\"extra\"");
    expect_number(report, "fault.message", 4);
    expect_number(report, "fault.offset_bytes", 0);
    expect_is(report, "fault.expected", "null");
    expect_number(report, "fault.got", 'x');
    expect_number(report, "messages_answered", 4);
    net_close(s);
    net_close(listener);
}

/* Nothing is lost with it: all answers have come, and we have ended, too. */
static void a_reset_behind_the_end_is_an_end(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    struct process *client = start(&address, OPTIONS("--json", "--count", "1"), NULL);
    os_socket s = support_accept(listener);

    support_echo(s, MESSAGE);
    support_expect_closed(s);
    support_reset(s);
    assert_int_equal(finish(client, report), 0);
    expect_passed(report, 0);
    net_close(listener);
}

static void a_connection_closed_at_once_is_a_failure(void **state)
{
    const char *json = fail_with(OPTIONS("--close-after", "0"), OPTIONS("--json", "--count", "4"));

    (void)state;
    expect_number(json, "messages_answered", 0);
    assert_false(json_is(json, "failure", "null"));
    assert_true(json_number(json, "connections_lost") + json_number(json, "connections_failed") ==
                1);
}

static void a_rate_goes_on_without_a_lost_connection(void **state)
{
    enum { EACH = 20 };
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address), sockets[2];
    char message[MESSAGE];
    struct process *client = start(
        &address, OPTIONS("--json", "--rate", "2000", "--count", "40", "--connections", "2"), NULL);

    (void)state;
    for (int i = 0; i < 2; i++)
        sockets[i] = support_accept(listener);
    support_echo(sockets[0], MESSAGE);
    support_receive_all(sockets[0], message, MESSAGE);
    net_end_sending(sockets[0]);
    support_expect_closed(sockets[0]);
    for (int i = 0; i < EACH; i++)
        support_echo(sockets[1], MESSAGE);
    support_expect_end(sockets[1]);
    for (int i = 0; i < 2; i++)
        net_close(sockets[i]);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_is(report, "passed", "false");
    expect_number(report, "connections_lost", 1);
    expect_number(report, "messages_answered", 1 + EACH);
    expect_is(report, "fault.kind", "\"missing\"");
    expect_number(report, "fault.message", 1);
    net_close(listener);
}

static void an_echo_is_no_answer_of_line_mode(void **state)
{
    const char *json =
        fail_with(OPTIONS("--mode", "echo"), OPTIONS("--json", "--expect", "line", "--count", "4"));

    (void)state;
    expect_is(json, "fault.kind", "\"wrong\"");
    expect_number(json, "fault.message", 0);
    expect_number(json, "fault.offset_bytes", 0);
    expect_number(json, "fault.expected", 'M');
    expect_number(json, "fault.got", '0');
}

enum { DELAY = 20 }; /* milliseconds */

/*
 * Each answer comes so late that the messages due meanwhile have to wait. In an open loop their
 * waiting counts: the last one is due after 19 ms, and is answered after the delays of all. In a
 * closed loop, only what was on the way has waited.
 */
static void waiting_counts_in_an_open_loop(void **state)
{
    enum { COUNT = 20 };
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-q", "--delay", "20"), &address);

    (void)state;
    for (int open = 0; open < 2; open++) {
        assert_int_equal(
            finish(start(&address,
                         OPTIONS("--json", "--count", "20", open ? "--rate=1000" : "--seed=1"),
                         NULL),
                   report),
            0);
        expect_passed(report, 0);
        expect_number(report, "messages_answered", COUNT);
        assert_true(json_number(report, "round_trip.min_us") >= DELAY * 1e3);
        if (open) {
            assert_true(json_number(report, "round_trip.max_us") >= (COUNT * DELAY - 19) * 1e3);
            /* All but the first one have been sent that late. */
            assert_true(json_number(report, "send_lateness.p50_us") >= (DELAY - 1) * 1e3);
            assert_true(json_number(report, "send_lateness.max_us") >=
                        ((COUNT - 1) * DELAY - 19) * 1e3);
        }
    }
    stop_server(server);
}

/* A stall that lasts beyond the end: all that was due by then is sent, and has waited. */
static void waiting_beyond_the_end_counts(void **state)
{
    static char report[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-q", "--delay", "20"), &address);

    (void)state;
    assert_int_equal(
        finish(start(&address, OPTIONS("--json", "--rate", "1000", "--duration", "0.02"), NULL),
               report),
        0);
    expect_passed(report, 0);
    expect_number(report, "messages_answered", 20);
    expect_number(report, "messages_not_sent", 0);
    assert_true(json_number(report, "round_trip.min_us") >= DELAY * 1e3);
    assert_true(json_number(report, "round_trip.max_us") >= (20 * DELAY - 19) * 1e3);
    stop_server(server);
}

/* More than any server answers one by one until 5 s after the end. */
static void what_is_due_and_never_sent_is_a_failure(void **state)
{
    static char report[REPORT];
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);

    (void)state;
    assert_int_equal(
        finish(start(&address, OPTIONS("--json", "--rate", "100000000", "--duration", "0.5"), NULL),
               report),
        1);
    expect_sound(report);
    expect_is(report, "passed", "false");
    expect_is(report, "interrupted", "false");
    expect_number(report, "connections_lost", 0);
    expect_number(report, "messages_answered", json_number(report, "messages_sent"));
    expect_number(report, "messages_not_sent", 50000000 - json_number(report, "messages_sent"));
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

static void nothing_listening_is_one_line(void **state)
{
    struct net_address address;

    (void)state;
    net_close(support_listen(&address));
    for (int as_json = 0; as_json < 2; as_json++) {
        struct process *client =
            start(&address, OPTIONS("--count", "1", as_json ? "--json" : "--seed=1"), NULL);

        support_expect_line(client, STREAM_ERROR,
                            "echo-client: cannot connect to '127.0.0.1': 127.0.0.1:");
        assert_null(support_line(client, STREAM_ERROR));
        if (as_json)
            assert_non_null(strstr(
                support_expect_line(client, STREAM_OUTPUT, "{\"type\":\"total\",\"passed\":false,"),
                "\"failure\":\"cannot connect to '127.0.0.1': 127.0.0.1:"));
        assert_int_equal(support_finish(client), 1);
    }
}

static void an_unknown_host_is_json_too(void **state)
{
    char host[101] = "", told[160];
    const char *const arguments[] = {support_environment("ECHO_CLIENT"), "--load", "--json", host,
                                     NULL};

    (void)state;
    /* Longer than DNS allows, so that nobody has to be asked for it. */
    memset(host, 'x', sizeof host - 1);
    struct process *client = support_start(arguments, NULL);

    snprintf(told, sizeof told, "echo-client: cannot resolve '%s': ", host);
    support_expect_line(client, STREAM_ERROR, told);
    snprintf(told, sizeof told, "\"failure\":\"cannot resolve '%s': ", host);
    support_expect_line(client, STREAM_OUTPUT, told);
    assert_int_equal(support_finish(client), 1);
}

static void too_few_descriptors_are_reported_with_the_remedy(void **state)
{
    static char report[REPORT];
    uint16_t port;

    (void)state;
    if (system_is_windows)
        skip();
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client =
        start(&address, OPTIONS("--json", "--count", "100", "--connections", "60"),
              &(struct process_options){.descriptor_limit = 40});

    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    assert_non_null(strstr(json_find(report, "failure"), "ulimit -n"));
    assert_true(json_number(report, "connections_failed") >= 20);
    expect_number(report, "connections_failed", 60 - json_number(report, "connections_made"));
    expect_number(report, "messages_answered", 100);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* --report */

/* The next line of a report while the load runs; NULL if it is the last one, of the whole load,
 * which then is in `total`. */
static const char *next_interval(struct process *client, char total[REPORT])
{
    static const char counts[] =
        "type ended_at elapsed_seconds interval_seconds connections_open connections_made "
        "connections_failed connections_lost messages_sent messages_answered messages_per_second "
        "bytes_sent bytes_received sent_bytes_per_second received_bytes_per_second faults "
        "outages_ended outage_seconds round_trip ";
    const char *line = support_line(client, STREAM_OUTPUT);
    char keys[1024];

    assert_non_null(line);
    if (!json_valid(line))
        fail_msg("this is not JSON: %s", line);
    if (json_is(line, "type", "\"total\"")) {
        snprintf(total, REPORT, "%s\n", line);
        expect_sound(total);
        return NULL;
    }
    expect_is(line, "type", "\"interval\"");
    assert_string_equal(json_keys(line, "", keys, sizeof keys), counts);
    expect_number(line, "round_trip.count", json_number(line, "messages_answered"));
    return line;
}

static void each_interval_has_a_line(void **state)
{
    static const char *const summed[] = {"connections_made", "messages_sent", "messages_answered",
                                         "bytes_sent", "bytes_received"};
    enum { SUMMED = sizeof summed / sizeof summed[0] };
    static char total[REPORT];
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client = start(&address,
                                   OPTIONS("--json", "--report", "0.1", "--duration", "0.35",
                                           "--connections", "2", "--idle", "1"),
                                   NULL);
    double sums[SUMMED] = {0}, elapsed = 0;
    unsigned lines = 0;
    const char *line;

    (void)state;
    while ((line = next_interval(client, total)) != NULL) {
        double now = json_number(line, "elapsed_seconds");

        lines++;
        /* No line comes before its time, as far as its microseconds tell; late ones do not move the
         * next ones. */
        assert_true(now > 0.1 * lines - 1e-5 || now > 0.35 - 1e-5);
        assert_true(fabs(now - elapsed - json_number(line, "interval_seconds")) < 1e-5);
        elapsed = now;
        expect_number(line, "connections_open", 3);
        expect_number(line, "faults", 0);
        for (int i = 0; i < SUMMED; i++)
            sums[i] += json_number(line, summed[i]);
    }
    assert_int_in_range(lines, 1, 4);
    for (int i = 0; i < SUMMED; i++)
        expect_number(total, summed[i], sums[i]);
    expect_passed(total, 0);
    assert_int_equal(support_finish(client), 0);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* The last message is due when the last line but one is. What is left is the time until the next
 * message would be due, and not only that of the answer, which would look like a high rate. */
static void the_intervals_add_up_to_the_duration(void **state)
{
    static char total[REPORT];
    struct net_address address;
    struct process *server = start_server(OPTIONS("-q"), &address);
    struct process *client = start(&address,
                                   OPTIONS("--json", "--report", "0.35", "--duration", "0.4",
                                           "--rate", "20", "--connections", "1"),
                                   NULL);
    double sum = 0;
    const char *line;

    (void)state;
    while ((line = next_interval(client, total)) != NULL)
        sum += json_number(line, "interval_seconds");
    assert_true(fabs(sum - json_number(total, "duration_seconds")) < 1e-5);
    assert_int_equal(support_finish(client), 0);
    stop_server(server);
}

static void an_interval_is_a_line_for_people(void **state)
{
    static char report[REPORT];
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);

    (void)state;
    assert_int_equal(
        finish(start(&address, OPTIONS("--report", "100", "--count", "3"), NULL), report), 0);
    /* What is left of the last interval has a line, too. */
    assert_non_null(strstr(report, "Z  "));
    assert_non_null(strstr(report, "; 1 open, 1 made, 0 failed, 0 lost, 0 faults\n"));
    assert_true(strstr(report, " messages/s, ") < find_line(report, "connections  "));
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* As with `| head -n 1`: nobody is there for whom it could go on. */
static void a_reader_of_the_lines_that_leaves_ends_the_load(void **state)
{
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
    struct net_address address = support_loopback(false, port);
    struct process *client =
        start(&address, OPTIONS("--report", "0.01", "--duration", "1000"), NULL);

    (void)state;
    support_expect_line(client, STREAM_OUTPUT, " messages/s, ");
    process_close_output(client, STREAM_OUTPUT);
    support_expect_line(client, STREAM_ERROR, "echo-client: cannot write to standard output: ");
    assert_int_equal(support_finish(client), 1);
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* --keep-going */

/* Waits for a line in which so many messages are answered: none, or some. */
static void wait_for_answers(struct process *client, bool some)
{
    static char total[REPORT];
    const char *line;

    do {
        line = next_interval(client, total);
        assert_non_null(line);
    } while ((json_number(line, "messages_answered") > 0) != some);
}

static struct process *start_server_on(uint16_t port)
{
    char text[8], listening[64];

    snprintf(text, sizeof text, "%u", port);
    snprintf(listening, sizeof listening, "listening on 127.0.0.1:%u", port);
    struct process *server = support_start(
        OPTIONS(support_environment("ECHO_SERVER"), "-q", "--port", text, "--bind", "127.0.0.1"),
        NULL);

    support_expect_line(server, STREAM_OUTPUT, listening);
    return server;
}

/* Stops a load and gives its report, which has failed, though the load has gone on. */
static void stop_load(struct process *client, char total[REPORT])
{
    process_stop(client, PROCESS_STOP_INTERRUPT);
    while (next_interval(client, total) != NULL)
        continue;
    assert_int_equal(support_finish(client), 1);
    expect_is(total, "passed", "false");
    expect_is(total, "keep_going", "true");
}

/* Whatever the load is, and however its connections are lost. */
static void a_load_outlives_its_server(void **state)
{
    static const char *const loads[][2] = {{"--seed=1", "--seed=1"},
                                           {"--rate=500", "--seed=1"},
                                           {"--reconnect", "--seed=1"},
                                           {"--reconnect", "--rate=500"},
                                           {"--idle=3", "--pipeline=5"}};

    (void)state;
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        static char total[REPORT];
        uint16_t port;
        struct process *server = support_start_server(OPTIONS("-q"), NULL, &port);
        struct net_address address = support_loopback(false, port);
        struct process *client =
            start(&address,
                  OPTIONS("--json", "--report", "0.05", "--keep-going", "--duration", "1000",
                          "--connections", "3", loads[i][0], loads[i][1]),
                  NULL);

        wait_for_answers(client, true);
        process_kill(server);
        support_finish(server);
        wait_for_answers(client, false);
        server = start_server_on(port);
        wait_for_answers(client, true);
        stop_load(client, total);
        /* With both, no connection is missing in between: an answer that was on its way may end an
         * outage that has just begun. */
        if (strcmp(loads[i][1], "--rate=500") != 0)
            expect_number(total, "outages.count", 1);
        assert_true(json_number(total, "outages.longest_seconds") > 0.05);
        assert_false(json_is(total, "failure", "null"));
        process_stop(server, PROCESS_STOP_INTERRUPT);
        assert_int_equal(support_finish(server), 0);
    }
}

static void a_load_waits_for_a_server_that_is_not_there_yet(void **state)
{
    static const char *const loads[] = {"--rate=500", "--seed=1", "--reconnect"};

    (void)state;
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        static char total[REPORT];
        struct net_address address;

        net_close(support_listen(&address));
        struct process *client = start(&address,
                                       OPTIONS("--json", "--report", "0.05", "--keep-going",
                                               "--duration", "1000", "--connections=3", loads[i]),
                                       NULL);

        wait_for_answers(client, false);
        struct process *server = start_server_on(address.port);

        wait_for_answers(client, true);
        stop_load(client, total);
        expect_number(total, "outages.count", 1);
        expect_number(total, "connections_lost", 0);
        assert_non_null(strstr(json_find(total, "failure"), "cannot connect to 127.0.0.1:"));
        process_stop(server, PROCESS_STOP_INTERRUPT);
        assert_int_equal(support_finish(server), 0);
    }
}

static void a_server_that_never_comes_is_reported_in_the_report(void **state)
{
    static char report[REPORT];
    struct net_address address;

    (void)state;
    net_close(support_listen(&address));
    assert_int_equal(
        finish(start(&address, OPTIONS("--json", "--keep-going", "--duration", "0.25"), NULL),
               report),
        1);
    expect_sound(report);
    expect_number(report, "connections_made", 0);
    expect_number(report, "outages.count", 1);
    assert_true(json_number(report, "connections_failed") > 1);
}

/* Not only losses: a fault closes a connection, too. */
static void a_connection_with_a_fault_is_replaced(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);
    char message[MESSAGE];

    (void)state;
    struct process *client = start(
        &address, OPTIONS("--json", "--keep-going", "--count", "3", "--connections", "1"), NULL);
    os_socket s = support_accept(listener);

    support_echo(s, MESSAGE);
    support_receive_all(s, message, sizeof message);
    message[5] ^= 1;
    support_send(s, message, sizeof message);
    support_expect_closed(s);
    net_close(s);
    s = support_accept(listener);
    support_echo(s, MESSAGE);
    support_expect_closed(s);
    net_close(s);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_number(report, "messages_answered", 2);
    expect_number(report, "connections_made", 2);
    expect_number(report, "connections_lost", 1);
    expect_number(report, "faults", 1);
    expect_is(report, "fault.kind", "\"wrong\"");
    expect_number(report, "fault.message", 1);
    expect_number(report, "fault.offset_bytes", 5);
    expect_number(report, "outages.count", 1);
    net_close(listener);
}

/* The schedule goes on meanwhile: these messages are not sent, and do not come all at once when the
 * server is back. */
static void what_is_due_in_an_outage_is_not_sent(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    struct process *client = start(
        &address, OPTIONS("--json", "--keep-going", "--rate", "200", "--duration", "0.4"), NULL);
    os_socket s = support_accept(listener);

    support_echo(s, MESSAGE);
    support_reset(s);
    s = support_accept(listener);
    support_echo(s, MESSAGE);
    support_reset(s);
    net_close(listener);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_number(report, "messages_answered", 2);
    expect_number(report, "connections_lost", 2);
    expect_number(report, "outages.count", 2);
    /* One pause alone takes the time in which 20 are due. */
    assert_true(json_number(report, "messages_not_sent") >= 20);
    expect_number(report, "messages_not_sent", 80 - json_number(report, "messages_sent"));
    assert_true(json_number(report, "send_lateness.max_us") < 100e3);
}

/* It is noticed when all messages have been due, and no answer ends it any more. */
static void a_server_that_stops_at_the_end_is_an_outage(void **state)
{
    static char report[REPORT];
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    struct process *client = start(&address,
                                   OPTIONS("--json", "--keep-going", "--connections", "1", "--rate",
                                           "10", "--duration", "0.5"),
                                   NULL);
    os_socket s = support_accept(listener);

    support_echo(s, MESSAGE);
    support_echo(s, MESSAGE);
    assert_int_equal(finish(client, report), 1);
    expect_sound(report);
    expect_number(report, "messages_answered", 2);
    expect_number(report, "connections_lost", 1);
    expect_is(report, "fault.kind", "\"missing\"");
    expect_number(report, "outages.count", 1);
    /* Since the last byte, and not since 5 s later. */
    assert_true(json_number(report, "outages.seconds") >= 5);
    net_close(s);
    net_close(listener);
}

/* The reader of JSON itself */

static void reads_json_strictly(void **state)
{
    static const char *const good[] = {"0",
                                       "-1.5e+3",
                                       " [ ] ",
                                       "{}",
                                       "[1,\"a\\u00e9\\n\",null]",
                                       "{\"a\" : {\"b\":[true,false]}, \"\":\"\"}"};
    static const char *const bad[] = {
        "",        "01",  "1.",     "+1",    "nan",        "[1,]", "{\"a\"}",     "{a:1}", "[1 2]",
        "\"\\x\"", "\"a", "\"\t\"", "{} {}", "{\"a\":1,}", "tru",  "\"\\u12g4\"", "[",     "'a'"};
    static const char json[] = "{\"a\":{\"b\":1,\"c\":\"x\"},\"c\":-2.5}";
    char keys[32];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!json_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (json_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
    }
    assert_true(json_number(json, "c") == -2.5 && json_number(json, "a.b") == 1);
    assert_true(json_is(json, "a.c", "\"x\"") && !json_is(json, "a.c", "\"\""));
    assert_null(json_find(json, "b"));
    assert_null(json_find(json, "a.b.c"));
    assert_string_equal(json_keys(json, "", keys, sizeof keys), "a c ");
    assert_string_equal(json_keys(json, "a", keys, sizeof keys), "b c ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)
    const struct CMUnitTest tests[] = {
        TEST(reads_json_strictly),
        TEST(knows_greeting_and_prefix),
        TEST(names_a_cut_greeting),
        TEST(counts_messages),
        TEST(understands_lines),
        TEST(understands_chunks_of_one_message),
        TEST(stops_after_a_duration),
        TEST(sends_at_a_rate),
        TEST(sends_as_many_as_rate_times_duration),
        TEST(holds_idle_connections),
        TEST(an_idle_connection_that_is_not_left_alone_is_reported),
        TEST(an_idle_connection_may_end_last),
        TEST(idle_connections_are_not_made_anew),
        TEST(connects_anew_for_each_message),
        TEST(connects_when_a_message_is_due),
        TEST(closes_what_is_answered_while_others_wait),
        TEST(an_end_behind_the_last_answer_is_no_loss),
        TEST(a_late_answer_leaves_time_to_connect),
        TEST(runs_many_connections),
        TEST(prints_a_table),
        TEST(one_message_is_no_plural),
        TEST(progress_is_of_the_last_second),
        TEST(an_interrupt_ends_it_with_a_report),
        TEST(a_stall_before_an_interrupt_counts),
        TEST(an_interrupt_does_not_find_what_is_lost),
        TEST(no_request_to_stop_comes_too_late),
        TEST(an_interrupt_before_any_answer_is_a_failure),
        TEST(what_waits_for_room_is_not_sent),
        TEST(names_a_flipped_bit),
        TEST(names_a_dropped_byte),
        TEST(names_a_repeated_byte),
        TEST(names_a_cut_connection),
        TEST(names_the_connection),
        TEST(names_a_reset),
        TEST(names_what_never_comes),
        TEST(does_not_wait_for_ever_for_what_never_comes),
        TEST(names_a_byte_behind_the_end),
        TEST(a_reset_behind_the_end_is_an_end),
        TEST(a_connection_closed_at_once_is_a_failure),
        TEST(an_echo_is_no_answer_of_line_mode),
        TEST(waiting_counts_in_an_open_loop),
        TEST(waiting_beyond_the_end_counts),
        TEST(what_is_due_and_never_sent_is_a_failure),
        TEST(nothing_listening_is_one_line),
        TEST(an_unknown_host_is_json_too),
        TEST(too_few_descriptors_are_reported_with_the_remedy),
        TEST(a_rate_goes_on_without_a_lost_connection),
        TEST(each_interval_has_a_line),
        TEST(the_intervals_add_up_to_the_duration),
        TEST(an_interval_is_a_line_for_people),
        TEST(a_reader_of_the_lines_that_leaves_ends_the_load),
        TEST(a_load_outlives_its_server),
        TEST(a_load_waits_for_a_server_that_is_not_there_yet),
        TEST(a_server_that_never_comes_is_reported_in_the_report),
        TEST(a_connection_with_a_fault_is_replaced),
        TEST(what_is_due_in_an_outage_is_not_sent),
        TEST(a_server_that_stops_at_the_end_is_an_outage),
    };

    return cmocka_run_group_tests(tests, support_setup, support_teardown);
}
