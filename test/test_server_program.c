/* End-to-end tests of the server: the real program, started as a user would, talked to over real
 * connections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pseudo_terminal.h"
#include "selector.h"
#include "support.h"
#include "system.h"
#include "test.h"
#include "text.h"

enum { MIB = 1 << 20, TIME_LENGTH = 20 };

struct server {
    struct process *process;
    struct net_address address;
};

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Starts the server on a free port of 127.0.0.1. `options` may be NULL. */
static struct server start(const char *const options[])
{
    uint16_t port = 0;
    struct process *process = support_start_server(options, NULL, &port);

    return (struct server){.process = process, .address = support_loopback(false, port)};
}

static os_socket connect_to(const struct server *server)
{
    return support_connect(&server->address);
}

/* Asks the server to stop, and checks that it ends well. */
static void stop_server(const struct server *server)
{
    process_stop(server->process, PROCESS_STOP_INTERRUPT);
    support_expect_line(server->process, STREAM_ERROR, ",Stopped: ");
    assert_null(support_line(server->process, STREAM_ERROR));
    assert_int_equal(support_finish(server->process), 0);
}

/* Ends our side, and expects the server to end its own without another byte. */
static void leave(os_socket s)
{
    net_end_sending(s);
    support_expect_end(s);
    net_close(s);
}

static void ask(os_socket s, const char *message, const char *answer)
{
    support_send(s, message, strlen(message));
    support_expect_text(s, answer);
}

/*
 * After this the server has read what other connections had sent before. An answer shows that the
 * loop has gone round, but others may come after this connection within the round; a second answer
 * comes from a later one.
 */
static void let_server_read(os_socket echoing)
{
    ask(echoing, "\n", "\n");
    ask(echoing, "\n", "\n");
}

static void let_server_answer(os_socket in_line_mode)
{
    ask(in_line_mode, "\n", "Message received - \n");
    ask(in_line_mode, "\n", "Message received - \n");
}

static void expect_nothing_came(os_socket s)
{
    char byte;

    assert_int_equal(net_recv(s, &byte, 1).outcome, NET_WOULD_BLOCK);
}

/* The next log line about this client, behind its time; `form` has a place for the client's address
 * and port. */
static const char *expect_log(const struct server *server, os_socket client, const char *form)
{
    struct net_address address;
    char text[NET_ADDRESS_TEXT];
    char expected[256];

    assert_int_equal(net_local_address(client, &address).outcome, NET_DONE);
    snprintf(expected, sizeof expected, form, net_address_text(&address, text));
    return support_expect_line(server->process, STREAM_ERROR, expected) + TIME_LENGTH;
}

/* Starts the server with these options and no others. */
static struct process *run(const char *const options[])
{
    enum { MOST = 8 };
    const char *arguments[MOST + 1] = {support_environment("ECHO_SERVER")};

    for (size_t i = 0; options[i] != NULL; i++) {
        assert_true(i + 1 < MOST);
        arguments[i + 1] = options[i];
    }
    return support_start(arguments, NULL);
}

/* The next line of a program's output, which there has to be. */
static const char *next_line(struct process *process, enum stream stream)
{
    const char *line = support_line(process, stream);

    if (line == NULL)
        fail_msg("%s has ended", stream == STREAM_OUTPUT ? "stdout" : "stderr");
    return line;
}

/* Start and stop */

static void listens_on_both_loopback_addresses(void **state)
{
    struct process *process = run(OPTIONS("--port", "0"));
    bool has_ipv6 = support_has_ipv6();
    int ports[2] = {0, 0};

    (void)state;
    if (!has_ipv6)
        support_expect_line(process, STREAM_ERROR, "echo-server: note: cannot listen on [::1]:");
    assert_int_equal(
        sscanf(next_line(process, STREAM_OUTPUT), "listening on 127.0.0.1:%d", &ports[0]), 1);
    if (has_ipv6) {
        assert_int_equal(
            sscanf(next_line(process, STREAM_OUTPUT), "listening on [::1]:%d", &ports[1]), 1);
        assert_int_equal(ports[0], ports[1]);
    }
    for (int i = 0; i < (has_ipv6 ? 2 : 1); i++) {
        struct net_address address = support_loopback(i == 1, (uint16_t)ports[i]);
        os_socket client = support_connect(&address);

        ask(client, "hello", "hello");
        leave(client);
    }
    process_stop(process, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(process), 0);
}

/* Which services a machine knows differs: this one is nowhere. */
static void an_unknown_service_is_told(void **state)
{
    struct process *process =
        support_start(OPTIONS(support_environment("ECHO_SERVER"), "-p0,no-such-service"), NULL);

    (void)state;
    assert_string_equal(
        support_line(process, STREAM_ERROR),
        "echo-server: --port 'no-such-service' is no known service; give the number of its port");
    assert_int_equal(support_finish(process), 1);
}

static void listens_on_several_ports(void **state)
{
    enum { PORTS = 3 };
    struct process *process = run(OPTIONS("--bind", "127.0.0.1", "--port", "0,0", "--port", "0"));
    int ports[PORTS];

    (void)state;
    for (int i = 0; i < PORTS; i++) {
        assert_int_equal(
            sscanf(next_line(process, STREAM_OUTPUT), "listening on 127.0.0.1:%d", &ports[i]), 1);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(ports[k], ports[i]);
    }
    for (int i = 0; i < PORTS; i++) {
        struct net_address address = support_loopback(false, (uint16_t)ports[i]);
        os_socket client = support_connect(&address);

        ask(client, "hello", "hello");
        leave(client);
    }
    process_stop(process, PROCESS_STOP_INTERRUPT);
    support_expect_line(process, STREAM_ERROR, ",Stopped: 3 connections served");
    assert_int_equal(support_finish(process), 0);
}

static void listens_where_it_is_told_to(void **state)
{
    struct server server;
    struct net_address v6;
    char expected[64];
    os_socket client;

    (void)state;
    if (!support_has_ipv6())
        skip();
    server = start(OPTIONS("--bind", "::1", "-b", "::1", "--bind", "localhost"));
    snprintf(expected, sizeof expected, "listening on [::1]:%d", server.address.port);
    assert_string_equal(next_line(server.process, STREAM_OUTPUT), expected);
    v6 = support_loopback(true, server.address.port);
    client = support_connect(&v6);
    ask(client, "hello", "hello");
    expect_log(&server, client, ",Connection opened[%s]");
    net_end_sending(client);
    support_expect_end(client);
    expect_log(&server, client, ",Connection closed[%s]:end of stream; 5 bytes in, 5 bytes out");
    net_close(client);
    stop_server(&server);
}

static void help_and_version_go_to_stdout(void **state)
{
    static const char *const options[] = {"--help", "-h", "--version", "-V"};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct process *process = run(OPTIONS(options[i]));

        support_expect_line(process, STREAM_OUTPUT, i < 2 ? "echo-server [" : "echo-server ");
        while (support_line(process, STREAM_OUTPUT) != NULL)
            assert_true(i < 2); /* the version is one line */
        assert_int_equal(support_finish(process), 0);
    }
}

static void wrong_usage_is_told_in_one_line(void **state)
{
    static const struct {
        const char *options[4];
        const char *told;
    } cases[] = {
        {{"--foo"}, "unknown option '--foo'"},
        {{"-x"}, "unknown option '-x'"},
        {{"-qx"}, "unknown option '-x'"},
        {{"--port"}, "option '--port' needs a value"},
        {{"-p"}, "option '-p' needs a value"},
        {{"--quiet=1"}, "option '--quiet' takes no value"},
        {{"--port", "65536"}, "--port '65536' is not a number from 0 to 65535"},
        {{"--port", "-1"}, "--port '-1' is not a number from 0 to 65535"},
        {{"--port", "80a"}, "--port '80a' is not a number from 0 to 65535"},
        {{"--port", ""}, "--port '' is not a number from 0 to 65535"},
        {{"-p", " 1"}, "--port ' 1' is not a number from 0 to 65535"},
        {{"--mode", "loud"}, "--mode 'loud' is not echo, line or chunk"},
        {{"--bind", ""}, "--bind needs an address"},
        {{"--max-clients", "0"}, "--max-clients '0' is not a number from 1 to "},
        {{"--max-clients", "many"}, "--max-clients 'many' is not a number"},
        {{"--max-line", "0"}, "--max-line '0' is not a number of bytes from 1 to "},
        {{"--max-line", "99999999999999999999"},
         "--max-line '99999999999999999999' is not a number"},
        {{"--idle-timeout", "soon"}, "--idle-timeout 'soon' is not a number of seconds"},
        {{"--idle-timeout", "-1"}, "--idle-timeout '-1' is not a number of seconds"},
        {{"--drain-timeout", "1.2345"}, "--drain-timeout '1.2345' is not a number of seconds"},
        {{"9901"}, "'9901'"},
        {{"a\x1B[2Jb"}, "'a\\x1b[2Jb'"},
        {{"say \"hi\"\\", "x"}, "'say \"hi\"\\\\'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process *process = run(cases[i].options);
        const char *line = next_line(process, STREAM_ERROR);

        assert_memory_equal(line, "echo-server: ", strlen("echo-server: "));
        if (strstr(line, cases[i].told) == NULL)
            fail_msg("expected: %s, but found: %s", cases[i].told, line);
        assert_non_null(strstr(line, "; try 'echo-server --help'"));
        assert_null(support_line(process, STREAM_ERROR));
        assert_int_equal(support_finish(process), 2);
    }
}

/* Expects the server not to start on an address on which we cannot listen either, and to say so in
 * one line with the system's words. */
static void expect_refusal(const struct net_address *address)
{
    char port[8], text[NET_ADDRESS_TEXT], words[OS_ERROR_TEXT], host[NET_ADDRESS_TEXT], told[256];
    os_socket listener;
    struct net_result result = net_listen(address, &listener);
    struct process *process;

    assert_int_not_equal(result.outcome, NET_DONE);
    net_address_text(address, text);
    snprintf(told, sizeof told, "echo-server: cannot listen on %s: %s", text,
             os_error_text(result.error, words));
    snprintf(host, sizeof host, "%.*s", (int)strcspn(text, ":"), text);
    snprintf(port, sizeof port, "%d", address->port);
    process = run(OPTIONS("--bind", host, "--port", port));
    if (os_error_kind(result.error) == OS_ERROR_IN_USE)
        support_expect_line(process, STREAM_ERROR, "; trying again for 2 seconds");
    assert_string_equal(next_line(process, STREAM_ERROR), told);
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
}

static void a_port_in_use_is_refused(void **state)
{
    struct server server = start(NULL);

    (void)state;
    expect_refusal(&server.address);
    stop_server(&server);
}

/* On Windows a port may be in use for a moment longer than the program that had it. */
static void a_port_that_becomes_free_is_taken(void **state)
{
    struct net_address address;
    os_socket other = support_listen(&address);
    char port[8];

    (void)state;
    if (!system_is_windows) {
        net_close(other);
        skip();
    }
    snprintf(port, sizeof port, "%d", address.port);
    struct process *process = run(OPTIONS("--bind", "127.0.0.1", "--port", port));

    support_expect_line(process, STREAM_ERROR, "; trying again for 2 seconds");
    net_close(other);
    support_expect_line(process, STREAM_OUTPUT, "listening on 127.0.0.1:");
    process_stop(process, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(process), 0);
}

static void a_foreign_address_is_refused(void **state)
{
    const struct net_address foreign = {.bytes = {192, 0, 2, 1}}; /* RFC 5737: nobody's */

    (void)state;
    expect_refusal(&foreign);
}

static void an_unknown_host_is_refused(void **state)
{
    char host[101] = "", told[128];
    struct process *process;
    const char *line;

    (void)state;
    /* Longer than DNS allows, so that nobody has to be asked for it. */
    memset(host, 'x', sizeof host - 1);
    snprintf(told, sizeof told, "echo-server: cannot resolve --bind '%s': ", host);
    process = run(OPTIONS("--bind", host));
    line = support_expect_line(process, STREAM_ERROR, told);
    assert_true(strlen(line) > strlen(told));
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
}

/* Sources disagree about Windows, so there a refusal counts as well; `make probe` tells. */
static void the_port_can_be_used_again_at_once(void **state)
{
    struct server server = start(OPTIONS("--mode", "line"));
    os_socket client = connect_to(&server);
    char port[8], expected[64];
    struct process *again;

    (void)state;
    /* The server closes first, and so its port is the one in TIME-WAIT. */
    ask(client, "quit\n", "quit\n");
    support_expect_end(client);
    net_close(client);
    stop_server(&server);
    snprintf(port, sizeof port, "%d", server.address.port);
    snprintf(expected, sizeof expected, "listening on 127.0.0.1:%s", port);
    again = run(OPTIONS("--bind", "127.0.0.1", "-p", port));
    const char *line = support_line(again, STREAM_OUTPUT);

    if (line == NULL && system_is_windows) {
        support_expect_line(again, STREAM_ERROR, "echo-server: cannot listen on 127.0.0.1:");
        assert_int_equal(support_finish(again), 1);
        return;
    }
    assert_non_null(line);
    assert_string_equal(line, expected);
    process_stop(again, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(again), 0);
}

static void each_stop_signal_stops_it(void **state)
{
    (void)state;
    for (int how = PROCESS_STOP_INTERRUPT; how <= PROCESS_STOP_HANG_UP; how++) {
        struct server server = start(NULL);

        process_stop(server.process, (enum process_stop)how);
        support_expect_line(server.process, STREAM_ERROR, ",Stopping: 0 connections");
        support_expect_line(server.process, STREAM_ERROR,
                            ",Stopped: 0 connections served, 0 bytes in, 0 bytes out");
        assert_int_equal(support_finish(server.process), 0);
    }
}

static void a_stop_ends_idle_clients(void **state)
{
    struct server server = start(NULL);
    os_socket clients[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        clients[i] = connect_to(&server);
        ask(clients[i], "hello", "hello");
    }
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    support_expect_line(server.process, STREAM_ERROR, ",Stopping: 3 connections");
    for (int i = 0; i < 3; i++) {
        support_expect_end(clients[i]);
        net_close(clients[i]);
    }
    for (int i = 0; i < 3; i++)
        support_expect_line(server.process, STREAM_ERROR, "]:stopping; 5 bytes in, 5 bytes out");
    support_expect_line(server.process, STREAM_ERROR,
                        ",Stopped: 3 connections served, 15 bytes in, 15 bytes out");
    assert_int_equal(support_finish(server.process), 0);
}

/*
 * Sends the MiB `bytes` over and over, until nothing more is taken although the server has had
 * time: each answer to `other` costs it a round, in which it could read 16 KiB of what the system
 * holds.
 */
static size_t send_until_refused(os_socket s, const char *bytes, os_socket other,
                                 const char *answer)
{
    enum { ROUNDS = 1000 };
    size_t sent = 0;

    for (int idle = 0; idle < ROUNDS; idle++) {
        struct net_result result = net_send(s, bytes + sent % MIB, MIB - sent % MIB);

        if (result.outcome == NET_DONE)
            idle = 0;
        else
            assert_int_equal(result.outcome, NET_WOULD_BLOCK);
        sent += result.bytes;
        /* What the system and a server of bounded memory keep is far less. */
        assert_true(sent < 64 * MIB);
        ask(other, "\n", answer);
    }
    return sent;
}

static const char line_answer[] = "Message received - ";

/*
 * A server in line mode that cannot get rid of its answers: its client has sent as many lines as
 * were taken, each 1 MiB long with its ending, and has read nothing yet.
 */
struct congested {
    struct server server;
    os_socket client;
    char *line; /* the MiB that was sent over and over */
};

/* Its stop requests come at once, one after the other. */
static struct congested congest_and_stop(const char *drain_timeout, const enum process_stop *stops,
                                         size_t count)
{
    struct congested c = {
        .server = start(
            OPTIONS("--mode", "line", "--max-line", "2000000", "--drain-timeout", drain_timeout)),
        .line = support_random_bytes(MIB, 6),
    };
    os_socket other = connect_to(&c.server);

    for (size_t i = 0; i < MIB; i++)
        c.line[i] = (char)('a' + (unsigned char)c.line[i] % 26);
    c.line[MIB - 1] = '\n';
    c.client = connect_to(&c.server);
    send_until_refused(c.client, c.line, other, "Message received - \n");
    leave(other);
    for (size_t i = 0; i < count; i++)
        process_stop(c.server.process, stops[i]);
    support_expect_line(c.server.process, STREAM_ERROR, ",Stopping: ");
    return c;
}

static struct congested congest(const char *drain_timeout)
{
    return congest_and_stop(drain_timeout, (const enum process_stop[]){PROCESS_STOP_INTERRUPT}, 1);
}

static void finish_congested(const struct congested *c)
{
    support_expect_line(c->server.process, STREAM_ERROR, ",Stopped: 2 connections served");
    assert_int_equal(support_finish(c->server.process), 0);
    net_close(c->client);
    free(c->line);
}

/* Reads all answers of a server that is stopping, and sees it end. */
static void expect_what_is_queued(struct congested c)
{
    char *buffer = malloc(MIB);
    size_t answers = 0;
    const char *closed;

    assert_non_null(buffer);
    /* Whole answers, as many as the server says that it has given, and then the end: no rest and no
     * reset. */
    for (; support_receive(c.client, buffer, 1) > 0; answers++) {
        assert_int_equal(buffer[0], line_answer[0]);
        support_expect_text(c.client, line_answer + 1);
        support_expect(c.client, c.line, MIB);
    }
    assert_int_in_range(answers, 1, 64);
    net_end_sending(c.client);
    closed = expect_log(&c.server, c.client, ",Connection closed[%s]:stopping; ");
    snprintf(buffer, MIB, ", %lu message%s, ", (unsigned long)answers, text_plural(answers));
    assert_non_null(strstr(closed, buffer));
    finish_congested(&c);
    free(buffer);
}

static void a_stop_delivers_what_is_queued(void **state)
{
    (void)state;
    expect_what_is_queued(congest("3600"));
}

/* As timeout(1), a wrapper that forwards Ctrl-C, or the kernel beside the shell send it. */
static void one_wish_to_stop_may_arrive_twice(void **state)
{
    static const enum process_stop pairs[][2] = {
        {PROCESS_STOP_INTERRUPT, PROCESS_STOP_TERMINATE},
        {PROCESS_STOP_TERMINATE, PROCESS_STOP_HANG_UP},
        {PROCESS_STOP_HANG_UP, PROCESS_STOP_TERMINATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        expect_what_is_queued(congest_and_stop("3600", pairs[i], 2));
}

/* One that is not the first one once more, so it is asked until it answers. */
static void a_second_stop_ends_at_once(void **state)
{
    struct congested c = congest("3600");
    const struct process_output *log = &c.server.process->output[STREAM_ERROR];

    (void)state;
    while (log->taken == log->length) {
        process_stop(c.server.process, PROCESS_STOP_INTERRUPT);
        process_pump(c.server.process, NULL, 0, 100);
    }
    expect_log(&c.server, c.client, ",Connection closed[%s]:stopping; ");
    finish_congested(&c);
}

static void draining_has_its_time(void **state)
{
    static const char *const times[] = {"0.2", "0"};

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct congested c = congest(times[i]);

        expect_log(&c.server, c.client, ",Connection closed[%s]:stopping; ");
        finish_congested(&c);
    }
}

/* Echo, and many clients */

static void bytes_come_back_unchanged(void **state)
{
    struct server server = start(NULL);
    os_socket client = connect_to(&server);
    size_t length = 8 * MIB;
    char *bytes = support_random_bytes(length, 7);

    (void)state;
    /* First each value once, in order. */
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    support_expect_echo(client, bytes, length);
    leave(client);
    stop_server(&server);
    free(bytes);
}

static void what_came_before_a_half_close_comes_back(void **state)
{
    enum { LENGTH = 64 * 1024 };
    struct server server = start(NULL);
    os_socket client = connect_to(&server);
    char *bytes = support_random_bytes(LENGTH, 8);

    (void)state;
    support_send(client, bytes, LENGTH);
    net_end_sending(client);
    expect_log(&server, client, ",Connection opened[%s]");
    support_expect(client, bytes, LENGTH);
    support_expect_end(client);
    expect_log(&server, client,
               ",Connection closed[%s]:end of stream; 65536 bytes in, 65536 bytes out");
    net_close(client);
    stop_server(&server);
    free(bytes);
}

static void a_thousand_clients_at_once(void **state)
{
    enum { CLIENTS = 1000 };
    uint64_t limit = os_raise_descriptor_limit();
    static os_socket clients[CLIENTS];
    struct server server;
    char text[32];

    (void)state;
    if (limit > 0 && limit < CLIENTS + 50)
        skip();
    server = start(NULL);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&server);
    for (int i = 0; i < CLIENTS; i++) {
        snprintf(text, sizeof text, "client %d", i);
        support_send(clients[i], text, strlen(text));
    }
    /* Every one has its own bytes and no others. */
    for (int i = CLIENTS - 1; i >= 0; i--) {
        snprintf(text, sizeof text, "client %d", i);
        support_expect_text(clients[i], text);
    }
    for (int i = 0; i < CLIENTS; i++)
        leave(clients[i]);
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    support_expect_line(server.process, STREAM_ERROR,
                        ",Stopped: 1000 connections served, 9890 bytes in, 9890 bytes out");
    assert_int_equal(support_finish(server.process), 0);
}

static void a_client_that_never_reads_harms_nobody(void **state)
{
    struct server server = start(NULL);
    os_socket silent = connect_to(&server), other = connect_to(&server);
    char *bytes = support_random_bytes(MIB, 5);
    size_t sent = send_until_refused(silent, bytes, other, "\n");

    (void)state;
    net_end_sending(silent);
    /* When it reads at last, nothing is missing. */
    for (size_t received = 0; received < sent; received += MIB)
        support_expect(silent, bytes, MIB < sent - received ? MIB : sent - received);
    support_expect_end(silent);
    net_close(silent);
    leave(other);
    stop_server(&server);
    free(bytes);
}

static void resets_harm_nobody(void **state)
{
    struct server server;
    os_socket idle, silent, other;
    char *bytes;
    struct net_address addresses[2];
    char address[NET_ADDRESS_TEXT], expected[128];

    (void)state;
    server = start(NULL);
    idle = connect_to(&server);
    silent = connect_to(&server);
    other = connect_to(&server);
    bytes = support_random_bytes(MIB, 9);
    send_until_refused(silent, bytes, other, "\n");
    assert_int_equal(net_local_address(idle, &addresses[0]).outcome, NET_DONE);
    assert_int_equal(net_local_address(silent, &addresses[1]).outcome, NET_DONE);
    for (int i = 0; i < 2; i++) {
        support_reset(i == 0 ? idle : silent);
        snprintf(expected, sizeof expected, ",Connection closed[%s]:%s",
                 net_address_text(&addresses[i], address), system_is_wine() ? "" : "reset; ");
        support_expect_line(server.process, STREAM_ERROR, expected);
        let_server_read(other);
    }
    leave(other);
    stop_server(&server);
    free(bytes);
}

static void without_descriptors_the_others_are_served(void **state)
{
    enum { LIMIT = 32, CLIENTS = 40 };
    const struct process_options limited = {.descriptor_limit = LIMIT};
    struct server server = {.process = NULL};
    os_socket clients[CLIENTS];
    uint16_t port = 0;

    (void)state;
    if (system_is_windows)
        skip();
    server.process = support_start_server(NULL, &limited, &port);
    server.address = support_loopback(false, port);
    support_expect_line(server.process, STREAM_ERROR, "at most 32 descriptors");
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = connect_to(&server);
        support_send(clients[i], "x", 1);
    }
    support_expect_line(server.process, STREAM_ERROR, ",Cannot accept: ");
    support_expect_text(clients[0], "x");
    let_server_read(clients[0]);
    expect_nothing_came(clients[CLIENTS - 1]);
    for (int i = 0; i < CLIENTS; i++) {
        if (i > 0)
            support_expect_text(clients[i], "x");
        leave(clients[i]);
    }
    /* Told once: another such line would be found at the end. */
    stop_server(&server);
}

static void idle_clients_are_sent_away(void **state)
{
    struct server server = start(OPTIONS("--idle-timeout", "1"));
    os_socket idle = connect_to(&server), busy = connect_to(&server);
    char byte;

    (void)state;
    ask(idle, "hello", "hello");
    do {
        ask(busy, "x", "x");
    } while (net_recv(idle, &byte, 1).outcome == NET_WOULD_BLOCK);
    expect_log(&server, idle, ",Connection closed[%s]:idle; 5 bytes in, 5 bytes out");
    ask(busy, "x", "x");
    leave(busy);
    net_close(idle);
    stop_server(&server);
}

/* The system answers a probe of a socket that is not there with a reset, which ends the connection;
 * without a probe nothing would. */
static void clients_that_vanish_are_noticed(void **state)
{
    struct server server = start(OPTIONS("--keep-alive", "1"));
    os_socket gone = connect_to(&server);

    (void)state;
    ask(gone, "hello", "hello");
    if (!system_vanish(gone)) {
        net_close(gone);
        stop_server(&server);
        skip();
    }
    support_expect_line(server.process, STREAM_ERROR, "]:reset; 5 bytes in, 5 bytes out");
    stop_server(&server);
}

/* Line and chunk mode */

struct script {
    const char *input;
    size_t input_length;
    const char *output;
    size_t output_length;
};

#define SCRIPT(input, output)                                                                      \
    {                                                                                              \
        input, sizeof input - 1, output, sizeof output - 1                                         \
    }
#define RECEIVED "Message received - "

/* Sends the input in two pieces, the first of `cut` bytes, of which the server reads the first
 * before the second. */
static void play(const struct server *server, const struct script *script, size_t cut,
                 os_socket other)
{
    os_socket client = connect_to(server);

    if (cut > 0) {
        support_send(client, script->input, cut);
        let_server_answer(other);
    }
    support_send(client, script->input + cut, script->input_length - cut);
    net_end_sending(client);
    support_expect(client, script->output, script->output_length);
    support_expect_end(client);
    net_close(client);
}

static void play_byte_by_byte(const struct server *server, const struct script *script,
                              os_socket other)
{
    os_socket client = connect_to(server);

    for (size_t i = 0; i < script->input_length; i++) {
        support_send(client, script->input + i, 1);
        let_server_answer(other);
    }
    net_end_sending(client);
    support_expect(client, script->output, script->output_length);
    support_expect_end(client);
    net_close(client);
}

/* However TCP cuts the stream, the answer is the same. */
static void check_scripts(const char *const options[], const struct script *scripts, size_t count)
{
    struct server server = start(options);
    os_socket other = connect_to(&server);

    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 0; cut < scripts[i].input_length; cut++)
            play(&server, &scripts[i], cut, other);
        play_byte_by_byte(&server, &scripts[i], other);
    }
    leave(other);
    stop_server(&server);
}

/* As an echo container that says who it is: a greeting, then the prefix before each line. */
static void greeting_and_prefix_tell_which_one_answers(void **state)
{
    struct server server =
        start(OPTIONS("--mode", "line", "--greeting", "this is one", "--prefix", "one: "));
    os_socket client = connect_to(&server);

    (void)state;
    support_expect(client, "this is one\n", 12);
    ask(client, "hello\n", "one: hello\n");
    ask(client, "quit\n", "quit\n");
    expect_log(&server, client, "Connection opened[%s]");
    expect_log(&server, client, "Recv From Client[%s]:hello");
    expect_log(&server, client, "Recv From Client[%s]:quit");
    assert_int_equal(net_end_sending(client).outcome, NET_DONE);
    expect_log(&server, client,
               "Connection closed[%s]:quit; 11 bytes in, 28 bytes out, 2 messages, ");
    net_close(client);
    stop_server(&server);
}

static void lines_are_answered_however_they_are_cut(void **state)
{
    static const struct script scripts[] = {
        SCRIPT("hello\nhello\r\n\n\r\n",
               RECEIVED "hello\n" RECEIVED "hello\r\n" RECEIVED "\n" RECEIVED "\r\n"),
        SCRIPT("\0a\xFF\rb\0\r\r\n", RECEIVED "\0a\xFF\rb\0\r\r\n"),
        SCRIPT("one\ntwo", RECEIVED "one\n" RECEIVED "two"),
        SCRIPT("one\r", RECEIVED "one\r"),
        SCRIPT("Quit\nquit \n quit\nxquit\nquit\r\r\n",
               RECEIVED "Quit\n" RECEIVED "quit \n" RECEIVED " quit\n" RECEIVED "xquit\n" RECEIVED
                        "quit\r\r\n"),
        SCRIPT("one\nquit\ntwo\nquit\n", RECEIVED "one\nquit\n"),
        SCRIPT("quit\r\ntwo\r\n", "quit\r\n"),
        SCRIPT("one\nquit", RECEIVED "one\nquit"),
    };

    (void)state;
    check_scripts(OPTIONS("--mode", "line"), scripts, sizeof scripts / sizeof scripts[0]);
}

static void lines_have_a_longest_length(void **state)
{
    static const struct script scripts[] = {
        SCRIPT("123456789\n123456789\r\n123456789",
               RECEIVED "123456789\n" RECEIVED "123456789\r\n" RECEIVED "123456789"),
        SCRIPT("1\n123456789a\n1\n", RECEIVED "1\nMessage too long\n"),
        SCRIPT("123456789a", "Message too long\n"),
        SCRIPT("123456789\ra\n", "Message too long\n"),
    };

    (void)state;
    check_scripts(OPTIONS("--mode", "line", "--max-line", "9"), scripts,
                  sizeof scripts / sizeof scripts[0]);
}

/* Sends more than the answer needs; the answer must arrive all the same, and no reset may destroy
 * it. */
static void check_the_rest_is_discarded(const char *first, const char *answer, const char *end)
{
    struct server server = start(OPTIONS("-m", "line"));
    os_socket client = connect_to(&server);
    char *rest = malloc(4 * MIB);

    assert_non_null(rest);
    memset(rest, 'x', 4 * MIB);
    support_send(client, first, strlen(first));
    support_send(client, rest, 4 * MIB);
    support_expect_text(client, answer);
    support_expect_end(client);
    net_close(client);
    support_expect_line(server.process, STREAM_ERROR, end);
    stop_server(&server);
    free(rest);
}

static void what_follows_quit_is_discarded(void **state)
{
    (void)state;
    check_the_rest_is_discarded("quit\n", "quit\n", "]:quit; ");
}

/* The server has ended its side as soon as it had answered, and reads on. */
static void after_quit_the_end_comes_first(void **state)
{
    struct server server = start(OPTIONS("-m", "line"));
    os_socket client = connect_to(&server);

    (void)state;
    ask(client, "quit\n", "quit\n");
    support_expect_end(client);
    support_send(client, "more", 4);
    net_end_sending(client);
    expect_log(&server, client, ",Connection closed[%s]:quit; 9 bytes in, 5 bytes out, 1 message");
    net_close(client);
    stop_server(&server);
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    check_the_rest_is_discarded("", "Message too long\n", "]:line too long; ");
}

static void chunks_are_answered_as_they_come(void **state)
{
    static const struct script scripts[] = {
        SCRIPT("hello", RECEIVED "hello"),
        SCRIPT("hello\r\n", RECEIVED "hello\r\n"),
        SCRIPT("one\ntwo\n", RECEIVED "one\ntwo\n"),
        SCRIPT("\0\xFF", RECEIVED "\0\xFF"),
        SCRIPT("quit ", RECEIVED "quit "),
        SCRIPT("quit", "quit"),
        SCRIPT("quit\n", "quit\n"),
        SCRIPT("quit\r\n", "quit\r\n"),
    };
    struct server server = start(OPTIONS("--mode", "chunk"));
    os_socket client = connect_to(&server);
    char long_one[1024]; /* exactly what the tutorial's buffer held, and no end of string with it */

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        play(&server, &scripts[i], 0, 0);
    memset(long_one, 'x', sizeof long_one);
    support_send(client, long_one, sizeof long_one);
    support_expect_text(client, RECEIVED);
    support_expect(client, long_one, sizeof long_one);
    ask(client, "and one more", RECEIVED "and one more");
    /* It ends with no help from the client. */
    ask(client, "quit", "quit");
    support_expect_end(client);
    net_close(client);
    stop_server(&server);
}

/* The log */

static void check_time(const char *line)
{
    int date[3], time[3], length = 0;

    sscanf(line, "%4d-%2d-%2d %2d:%2d:%2d,%n", &date[0], &date[1], &date[2], &time[0], &time[1],
           &time[2], &length);
    assert_int_equal(length, TIME_LENGTH);
    assert_int_in_range(date[0], 2024, 9999);
    assert_int_in_range(date[1], 1, 12);
    assert_int_in_range(date[2], 1, 31);
    assert_int_in_range(time[0], 0, 23);
    assert_int_in_range(time[1], 0, 59);
    assert_int_in_range(time[2], 0, 60);
}

/* The next line of the log is this one: `form` with the client's address where it has a %s, behind
 * a time. */
static const char *next_log(const struct server *server, const char *form,
                            const struct net_address *client)
{
    const char *line = next_line(server->process, STREAM_ERROR);
    char address[NET_ADDRESS_TEXT], expected[1500];

    snprintf(expected, sizeof expected, form, net_address_text(client, address));
    check_time(line);
    if (strncmp(line + TIME_LENGTH, expected, strlen(expected)) != 0)
        fail_msg("expected: %s, but found: %s", expected, line + TIME_LENGTH);
    return line + TIME_LENGTH + strlen(expected);
}

static void check_seconds(const char *text)
{
    int whole = -1, length = 0;
    char decimals[4] = "";

    sscanf(text, "%d.%3[0-9] seconds%n", &whole, decimals, &length);
    assert_true(whole >= 0 && strlen(decimals) == 3);
    assert_int_equal(text[length], '\0');
}

static void the_log_tells_a_connection_from_its_start_to_its_end(void **state)
{
    struct server server = start(OPTIONS("--mode", "line"));
    os_socket client = connect_to(&server);
    struct net_address address;

    (void)state;
    assert_int_equal(net_local_address(client, &address).outcome, NET_DONE);
    ask(client, "hello\r\n", RECEIVED "hello\r\n");
    ask(client, "\n", RECEIVED "\n");
    ask(client, "quit\n", "quit\n");
    support_expect_end(client);
    net_close(client);
    next_log(&server, "Started: mode line, no limit of clients", &address);
    assert_string_equal(next_log(&server, "Connection opened[%s]", &address), "");
    assert_string_equal(next_log(&server, "Recv From Client[%s]:hello", &address), "");
    assert_string_equal(next_log(&server, "Recv From Client[%s]:", &address), "");
    assert_string_equal(next_log(&server, "Recv From Client[%s]:quit", &address), "");
    check_seconds(next_log(
        &server, "Connection closed[%s]:quit; 13 bytes in, 51 bytes out, 3 messages, ", &address));
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    next_log(&server, "Stopping: 0 connections", &address);
    check_seconds(next_log(&server,
                           "Stopped: 1 connection served, 13 bytes in, 51 bytes out, 3 messages, ",
                           &address));
    assert_int_equal(support_finish(server.process), 0);
}

static void a_message_cannot_forge_the_log(void **state)
{
    static const char message[] =
        "a\n2017-01-01 00:00:00,Stopped: forged\r\n\x1B[2J\x7F\xC2\x9B\xE2\x80\xA8\\\xFF\xC3\xA9";
    struct server server = start(OPTIONS("--mode", "chunk"));
    os_socket client = connect_to(&server);
    struct net_address address;
    char long_one[5000];

    (void)state;
    assert_int_equal(net_local_address(client, &address).outcome, NET_DONE);
    ask(client, message, RECEIVED);
    support_expect_text(client, message);
    next_log(&server, "Started: ", &address);
    next_log(&server, "Connection opened[%s]", &address);
    assert_string_equal(
        next_log(&server,
                 "Recv From Client[%s]:a\\n2017-01-01 00:00:00,Stopped: forged\\r\\n\\x1b[2J\\x7f"
                 "\\xc2\\x9b\\xe2\\x80\\xa8\\\\\\xff\xC3\xA9",
                 &address),
        "");
    /* A long one is cut, and its length is told. */
    memset(long_one, 'x', sizeof long_one);
    support_send(client, long_one, sizeof long_one);
    support_expect_text(client, RECEIVED);
    support_expect(client, long_one, sizeof long_one);
    const char *rest = next_log(&server, "Recv From Client[%s]:", &address);
    size_t shown = strspn(rest, "x");
    assert_int_in_range(shown, 100, sizeof long_one - 1);
    assert_string_equal(rest + shown, "... (5000 bytes)");
    leave(client);
    stop_server(&server);
}

static struct pseudo_terminal *terminal;

static int end_terminal(void **state)
{
    if (terminal != NULL) {
        pseudo_terminal_kill(terminal);
        pseudo_terminal_destroy(terminal);
        terminal = NULL;
    }
    return support_end_programs(state);
}

/* A terminal that stops those who write in its background stops neither the service nor a request
 * to stop. */
static void in_the_background_of_a_terminal_it_serves_on(void **state)
{
    static const struct pseudo_terminal_options options = {
        .term = "xterm", .piped = true, .background = true, .tostop = true};
    static char screen[PSEUDO_TERMINAL_TEXT];
    int64_t end = os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
    const char *piped = "";

    (void)state;
    if (system_is_windows)
        skip();
    terminal =
        pseudo_terminal_start((const char *const[]){support_environment("ECHO_SERVER"), "--bind",
                                                    "127.0.0.1", "--port", "0", NULL},
                              &options);

    assert_non_null(terminal);
    while (strchr(piped, '\n') == NULL && os_nanoseconds() < end)
        piped = pseudo_terminal_piped(terminal);
    assert_non_null(strchr(piped, '\n'));
    const struct net_address address =
        support_loopback(false, (uint16_t)strtoul(strrchr(piped, ':') + 1, NULL, 10));

    for (int i = 0; i < 20; i++) {
        os_socket s = support_connect(&address);

        ask(s, "hello", "hello");
        leave(s);
    }
    pseudo_terminal_send(terminal, PSEUDO_TERMINAL_TERMINATE);
    while (!pseudo_terminal_ended(terminal))
        assert_true(os_nanoseconds() < end);
    pseudo_terminal_look(terminal, screen);
    assert_string_equal(screen, "");
    struct pseudo_terminal *ended = terminal;

    terminal = NULL;
    assert_int_equal(pseudo_terminal_destroy(ended), 0);
}

static void verbose_logs_what_echo_mode_receives(void **state)
{
    (void)state;
    for (int verbose = 0; verbose < 2; verbose++) {
        struct server server = start(verbose ? OPTIONS("--verbose") : NULL);
        os_socket client = connect_to(&server);
        struct net_address address;

        assert_int_equal(net_local_address(client, &address).outcome, NET_DONE);
        ask(client, "hello\n", "hello\n");
        leave(client);
        next_log(&server, "Started: mode echo", &address);
        next_log(&server, "Connection opened[%s]", &address);
        if (verbose)
            assert_string_equal(next_log(&server, "Recv From Client[%s]:hello\\n", &address), "");
        next_log(&server, "Connection closed[%s]:end of stream; 6 bytes in, 6 bytes out, 1 message",
                 &address);
        stop_server(&server);
    }
}

static void a_log_that_nobody_reads_stops_nobody(void **state)
{
    struct server server = start(OPTIONS("--verbose"));
    os_socket client = connect_to(&server);
    char message[1000];
    const char *line;
    bool told = false;

    (void)state;
    support_expect_line(server.process, STREAM_ERROR, ",Connection opened[");
    server.process->log_unread = true;
    /* Far more than the pipe and the server hold. */
    memset(message, 'x', sizeof message);
    for (int i = 0; i < 1000; i++)
        support_expect_echo(client, message, sizeof message);
    server.process->log_unread = false;
    /* What is missing is told as soon as there is room, and every other line is whole. */
    while (!told) {
        support_expect_echo(client, message, sizeof message);
        line = next_line(server.process, STREAM_ERROR);
        check_time(line);
        told = strstr(line, " dropped: ") != NULL;
    }
    leave(client);
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    while ((line = support_line(server.process, STREAM_ERROR)) != NULL)
        check_time(line);
    assert_int_equal(support_finish(server.process), 0);
}

/* An awkward peer, on purpose */

/* Expects the log's line about the end of a connection. */
static void expect_end(const struct server *server, os_socket client, const char *reason)
{
    char form[128];

    snprintf(form, sizeof form, ",Connection closed[%%s]:%s; ", reason);
    expect_log(server, client, form);
}

/* Sends "abcdefgh", receives `answer`, and ends. */
static void expect_answer(const char *option, const char *value, const char *answer)
{
    struct server server = start(OPTIONS(option, value));

    for (int i = 0; i < 2; i++) { /* each connection has the fault */
        os_socket client = connect_to(&server);

        ask(client, "abcdefgh", answer);
        leave(client);
    }
    stop_server(&server);
}

static void faults_come_at_their_byte(void **state)
{
    (void)state;
    expect_answer("--drop-after", "3", "abcefgh");
    expect_answer("--drop-after", "0", "bcdefgh");
    expect_answer("--duplicate-after", "3", "abcddefgh");
    expect_answer("--duplicate-after", "7", "abcdefghh");
    expect_answer("--mute-after", "3", "abc");
    expect_answer("--mute-after", "0", "");
    expect_answer("--corrupt-after", "8", "abcdefgh");
}

/* The wrong bit is the same for the connection of the same number and the same seed. */
static void the_wrong_bit_is_the_same_in_each_run(void **state)
{
    static const char *const seeds[] = {"7", "7", "8"};
    enum { CONNECTIONS = 12 };
    char bytes[3][CONNECTIONS];

    (void)state;
    for (int run = 0; run < 3; run++) {
        struct server server = start(OPTIONS("--corrupt-after", "3", "--seed", seeds[run]));

        for (int i = 0; i < CONNECTIONS; i++) {
            os_socket client = connect_to(&server);
            char answer[8];

            support_send(client, "abcdefgh", sizeof answer);
            support_receive_all(client, answer, sizeof answer);
            leave(client);
            unsigned changed = (unsigned char)(answer[3] ^ 'd');

            assert_true(changed != 0 && (changed & (changed - 1)) == 0);
            bytes[run][i] = answer[3];
            answer[3] = 'd';
            assert_memory_equal(answer, "abcdefgh", sizeof answer);
        }
        stop_server(&server);
    }
    assert_memory_equal(bytes[0], bytes[1], CONNECTIONS);
    assert_memory_not_equal(bytes[0], bytes[2], CONNECTIONS);
    bool all_alike = true;

    for (int i = 1; i < CONNECTIONS; i++)
        all_alike = all_alike && bytes[0][i] == bytes[0][0];
    assert_false(all_alike);
}

/* Receives until the connection is reset. Wine tells of a reset only once, perhaps before recv(),
 * which then finds an end. */
static void expect_reset(os_socket s)
{
    struct net_result result;
    char byte;

    while ((result = net_recv(s, &byte, 1)).outcome != NET_RESET) {
        if (result.outcome == NET_END && system_is_wine())
            return;
        assert_true(result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK);
        if (result.outcome == NET_WOULD_BLOCK)
            support_wait(s, SELECTOR_READ);
    }
}

/* Before the client has said anything, as well as in the middle of an answer. */
static void a_connection_is_ended_on_purpose(void **state)
{
    static const char *const after[] = {"0", "5"};

    (void)state;
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        struct server server = start(OPTIONS("--close-after", after[i]));
        os_socket client = connect_to(&server);

        if (i > 0)
            ask(client, "hello, world", "hello");
        support_expect_end(client); /* the other direction goes on for a while */
        support_send(client, "more", 4);
        net_end_sending(client);
        expect_end(&server, client, "closed on purpose");
        net_close(client);
        stop_server(&server);
    }
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        struct server server = start(OPTIONS("--reset-after", after[i]));
        os_socket client;
        struct net_result result = net_connect(&server.address, NULL, &client);

        if (result.outcome == NET_WOULD_BLOCK) {
            support_wait(client, SELECTOR_WRITE);
            result = net_connect_result(client);
        }
        if (i > 0)
            support_send(client, "hello", 5);
        support_expect_line(server.process, STREAM_ERROR, "]:reset on purpose; ");
        /* As its client sees it, one that is reset at once may not be made at all. */
        if (i > 0)
            expect_reset(client);
        else if (result.outcome == NET_DONE)
            support_expect_closed(client);
        net_close(client);
        stop_server(&server);
    }
}

/* It takes no more than the system holds, but stays, until the server stops. */
static void a_stalled_connection_stays_open(void **state)
{
    static char bytes[65536];
    struct server server = start(OPTIONS("-v", "--stall-after", "5"));
    os_socket client = connect_to(&server), other;
    struct net_result result;
    size_t taken = 0;

    (void)state;
    ask(client, "hello, world", "hello");
    for (int refusals = 0; refusals < 3;) {
        result = net_send(client, bytes, sizeof bytes);
        taken += result.bytes;
        if (result.outcome == NET_WOULD_BLOCK) {
            /* So the server has had its time to read. */
            other = connect_to(&server);
            ask(other, "abcde", "abcde");
            net_close(other);
            refusals++;
        }
        assert_true(taken < (size_t)64 * MIB);
    }
    expect_nothing_came(client);
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    const char *line = expect_log(&server, client, ",Connection closed[%s]:stopping; ");

    assert_non_null(strstr(line, " bytes in, 5 bytes out, 1 message, "));
    support_expect_line(server.process, STREAM_ERROR, ",Stopped: ");
    assert_int_equal(support_finish(server.process), 0);
    net_close(client);
}

/* What is not there yet when the server has read it, and read the client's end as well, comes, and
 * so does the end. How late it is, test_impairment.c shows with a clock of its own. */
static void answers_come_late(void **state)
{
    struct server server = start(OPTIONS("-v", "--delay", "300", "--jitter", "50"));
    os_socket client = connect_to(&server);

    (void)state;
    support_send(client, "hello", 5);
    net_end_sending(client);
    expect_log(&server, client, ",Recv From Client[%s]:hello");
    expect_nothing_came(client);
    support_expect_text(client, "hello");
    support_expect_end(client);
    expect_end(&server, client, "end of stream");
    net_close(client);
    stop_server(&server);
}

/* A stop waits for late answers, and no longer than it is told. */
static void late_answers_are_drained(void **state)
{
    (void)state;
    for (int in_time = 0; in_time < 2; in_time++) {
        struct server server = start(OPTIONS("-v", "--delay", in_time ? "200" : "3600000",
                                             "--drain-timeout", in_time ? "30" : "0.1"));
        os_socket client = connect_to(&server);

        support_send(client, "hello", 5);
        expect_log(&server, client, ",Recv From Client[%s]:hello");
        process_stop(server.process, PROCESS_STOP_INTERRUPT);
        if (in_time)
            support_expect_text(client, "hello");
        support_expect_end(client);
        net_close(client);
        support_expect_line(server.process, STREAM_ERROR, "]:stopping; ");
        assert_int_equal(support_finish(server.process), 0);
    }
}

/* In pieces and slowly, all comes back: more at once than waits anywhere. */
static void pieces_and_rates_lose_nothing(void **state)
{
    static const struct {
        const char *options[4];
        size_t length;
    } cases[] = {
        {{"--piece", "1", "--mode", "echo"}, 50},
        {{"--piece", "16K", "--mode", "echo"}, 300000},
        {{"--rate-limit", "20M", "--mode", "echo"}, 3000000},
        {{"--rate-limit", "100", "--piece", "2"}, 12},
        {{"--piece", "8K", "--delay", "5"}, 200000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const *o = cases[i].options;
        struct server server = start(OPTIONS(o[0], o[1], o[2], o[3]));
        os_socket client = connect_to(&server);
        char *bytes = support_random_bytes(cases[i].length, 5);

        support_expect_echo(client, bytes, cases[i].length);
        leave(client);
        free(bytes);
        stop_server(&server);
    }
}

/* A client that reads as soon as something is there finds a piece, and not the whole. */
static void an_answer_comes_in_pieces(void **state)
{
    struct server server = start(OPTIONS("--piece", "4", "--rate-limit", "40"));
    os_socket client = connect_to(&server);
    char bytes[12];
    size_t first;

    (void)state;
    support_send(client, "abcdefghijkl", sizeof bytes);
    first = support_receive(client, bytes, sizeof bytes);
    assert_int_in_range(first, 1, sizeof bytes - 1);
    support_receive_all(client, bytes + first, sizeof bytes - first);
    assert_memory_equal(bytes, "abcdefghijkl", sizeof bytes);
    leave(client);
    stop_server(&server);
}

/* The connection is made, and what the client has sent is there, before the server takes it. */
static void a_connection_waits_in_the_backlog(void **state)
{
    struct server server = start(OPTIONS("--accept-delay", "200"));
    os_socket client = connect_to(&server);

    (void)state;
    support_send(client, "hello", 5);
    expect_nothing_came(client);
    support_expect_text(client, "hello");
    expect_log(&server, client, ",Connection opened[%s]");
    leave(client);
    /* One that still waits is not served when the server stops. */
    client = connect_to(&server);
    process_stop(server.process, PROCESS_STOP_INTERRUPT);
    support_expect_line(server.process, STREAM_ERROR, ",Stopped: ");
    assert_int_equal(support_finish(server.process), 0);
    support_expect_closed(client);
    net_close(client);
}

/* The greeting and the prefixes are bytes of answers as well. */
static void faults_go_with_every_mode(void **state)
{
    struct server server =
        start(OPTIONS("--mode", "line", "--greeting", "hi", "--prefix", "> ", "--drop-after", "4",
                      "--duplicate-after", "6", "--close-after", "9", "--delay", "1"));
    os_socket client = connect_to(&server);

    (void)state;
    ask(client, "abc\nquit\n", "hi\n>abbc\n");
    support_expect_end(client);
    net_end_sending(client);
    expect_end(&server, client, "closed on purpose");
    net_close(client);
    stop_server(&server);
}

#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listens_on_both_loopback_addresses),
        TEST(an_unknown_service_is_told),
        TEST(listens_on_several_ports),
        TEST(listens_where_it_is_told_to),
        TEST(help_and_version_go_to_stdout),
        TEST(wrong_usage_is_told_in_one_line),
        TEST(a_port_in_use_is_refused),
        TEST(a_port_that_becomes_free_is_taken),
        TEST(a_foreign_address_is_refused),
        TEST(an_unknown_host_is_refused),
        TEST(the_port_can_be_used_again_at_once),
        TEST(each_stop_signal_stops_it),
        TEST(a_stop_ends_idle_clients),
        TEST(a_stop_delivers_what_is_queued),
        TEST(one_wish_to_stop_may_arrive_twice),
        TEST(a_second_stop_ends_at_once),
        TEST(draining_has_its_time),
        TEST(bytes_come_back_unchanged),
        TEST(what_came_before_a_half_close_comes_back),
        TEST(a_thousand_clients_at_once),
        TEST(a_client_that_never_reads_harms_nobody),
        TEST(resets_harm_nobody),
        TEST(without_descriptors_the_others_are_served),
        TEST(idle_clients_are_sent_away),
        TEST(clients_that_vanish_are_noticed),
        TEST(greeting_and_prefix_tell_which_one_answers),
        TEST(lines_are_answered_however_they_are_cut),
        TEST(lines_have_a_longest_length),
        TEST(what_follows_quit_is_discarded),
        TEST(after_quit_the_end_comes_first),
        TEST(a_line_without_end_is_refused),
        TEST(chunks_are_answered_as_they_come),
        TEST(the_log_tells_a_connection_from_its_start_to_its_end),
        TEST(a_message_cannot_forge_the_log),
        TEST(verbose_logs_what_echo_mode_receives),
        TEST(a_log_that_nobody_reads_stops_nobody),
        TEST(faults_come_at_their_byte),
        TEST(the_wrong_bit_is_the_same_in_each_run),
        TEST(a_connection_is_ended_on_purpose),
        TEST(a_stalled_connection_stays_open),
        TEST(answers_come_late),
        TEST(late_answers_are_drained),
        TEST(pieces_and_rates_lose_nothing),
        TEST(an_answer_comes_in_pieces),
        TEST(a_connection_waits_in_the_backlog),
        TEST(faults_go_with_every_mode),
        cmocka_unit_test_teardown(in_the_background_of_a_terminal_it_serves_on, end_terminal),
    };

    return cmocka_run_group_tests_name("server program", tests, support_setup, support_teardown);
}
