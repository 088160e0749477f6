/*
 * End-to-end tests of the client with its stdin and stdout redirected: the real program, started as
 * a user would, against servers that the test plays itself and against the real server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selector.h"
#include "support.h"
#include "system.h"
#include "test.h"

enum {
    MIB = 1 << 20,
    /* Far more than systems keep of a connection whose other end does not read. */
    TOO_MUCH = 64 * MIB,
    /* Milliseconds without progress after which a transfer counts as standing still. Were it too
     * short, a test would show less, but not fail. */
    QUIET = 300
};

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct process *run(const char *const options[],
                           const struct process_options *process_options)
{
    enum { MOST = 8 };
    const char *arguments[MOST + 1] = {support_environment("ECHO_CLIENT")};

    for (size_t i = 0; options[i] != NULL; i++) {
        assert_true(i + 1 < MOST);
        arguments[i + 1] = options[i];
    }
    return support_start(arguments, process_options);
}

static struct process *run_with_port(const char *host, uint16_t port,
                                     const struct process_options *process_options)
{
    char text[8];

    snprintf(text, sizeof text, "%d", port);
    return run(OPTIONS(host, text), process_options);
}

static void what_a_server_prints_can_be_pasted(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    static const char listening[] = "listening on ";

    (void)state;
    for (size_t i = 0; i < (support_has_ipv6() ? 2 : 1); i++) {
        struct process *server = support_start(
            OPTIONS(support_environment("ECHO_SERVER"), "-q", "-p0", "-b", addresses[i]), NULL);
        char address[NET_ADDRESS_TEXT];

        snprintf(address, sizeof address, "%s",
                 support_expect_line(server, STREAM_OUTPUT, listening) + strlen(listening));
        struct process *client = run(OPTIONS(address), NULL);

        support_write(client, "hello\n", 6);
        process_close_input(client);
        support_expect_line(client, STREAM_OUTPUT, "hello");
        assert_int_equal(support_finish(client), 0);
        process_stop(server, PROCESS_STOP_TERMINATE);
        assert_int_equal(support_finish(server), 0);
    }
}

/* A client, and the server's end of its connection. */
struct client {
    struct process *process;
    os_socket s;
    char address[NET_ADDRESS_TEXT]; /* the server's */
};

static struct client start_with(const char *option, const struct process_options *process_options)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    char port[8];
    struct client client;

    snprintf(port, sizeof port, "%d", address.port);
    client.process =
        run(option != NULL ? OPTIONS(option, "127.0.0.1", port) : OPTIONS("127.0.0.1", port),
            process_options);

    net_address_text(&address, client.address);
    client.s = support_accept(listener);
    net_close(listener);
    return client;
}

static struct client start(const struct process_options *process_options)
{
    return start_with(NULL, process_options);
}

/* Compares bytes with those from `offset` on of `pattern`, a MiB over and over. */
static void compare(const char *bytes, size_t length, const char *pattern, size_t offset)
{
    while (length > 0) {
        size_t place = offset % MIB;
        size_t part = length < MIB - place ? length : MIB - place;

        assert_memory_equal(bytes, pattern + place, part);
        bytes += part;
        offset += part;
        length -= part;
    }
}

/* Takes what has come on the client's stdout by now and returns how much it was. */
static size_t take_output(struct process *process, const char *pattern, size_t offset)
{
    struct process_output *output = &process->output[STREAM_OUTPUT];
    size_t length = output->length - output->taken;

    compare(output->bytes + output->taken, length, pattern, offset);
    output->taken += length;
    return length;
}

/* Expects `length` bytes on stdout, then its end. */
static void expect_output(struct process *process, const char *pattern, size_t length)
{
    static char buffer[65536];
    size_t received = 0, n;

    while ((n = support_read(process, STREAM_OUTPUT, buffer, sizeof buffer)) > 0) {
        assert_true(n <= length - received);
        compare(buffer, n, pattern, received);
        received += n;
    }
    assert_int_equal(received, length);
}

/* Expects this to be written, and whatever may follow. */
static void expect_output_so_far(struct process *process, const char *text)
{
    char buffer[256];
    size_t received = 0;

    while (received < strlen(text)) {
        size_t n = support_read(process, STREAM_OUTPUT, buffer, strlen(text) - received);

        assert_true(n > 0);
        assert_memory_equal(buffer, text + received, n);
        received += n;
    }
}

/* Expects the pattern to be sent. */
static void expect_sent(os_socket s, const char *pattern, size_t length)
{
    static char buffer[65536];

    for (size_t received = 0, n; received < length; received += n) {
        size_t left = length - received;

        n = support_receive(s, buffer, left < sizeof buffer ? left : sizeof buffer);
        assert_true(n > 0);
        compare(buffer, n, pattern, received);
    }
}

static void expect_output_text(struct process *process, const char *text)
{
    expect_output(process, text, strlen(text));
}

/* The client's only line on stderr, which says how many bytes were sent and received. */
static void expect_lost(struct process *process, const char *told, uint64_t least_sent,
                        uint64_t most_sent, uint64_t received)
{
    const char *line = support_expect_line(process, STREAM_ERROR, told);
    unsigned long long counts[2] = {0, 0};

    assert_memory_equal(line, "echo-client: ", strlen("echo-client: "));
    assert_non_null(strstr(line, " (sent "));
    assert_int_equal(sscanf(strstr(line, " (sent "), " (sent %llu bytes, received %llu bytes)",
                            &counts[0], &counts[1]),
                     2);
    assert_int_in_range(counts[0], least_sent, most_sent);
    assert_int_equal(counts[1], received);
    assert_null(support_line(process, STREAM_ERROR));
}

/* Ends the server's side of a connection whose client has ended its own. */
static void leave(os_socket s)
{
    support_expect_end(s);
    net_close(s);
}

static void stop_server(struct process *server)
{
    process_stop(server, PROCESS_STOP_INTERRUPT);
    assert_int_equal(support_finish(server), 0);
}

/* The command line */

static void help_and_version_go_to_stdout(void **state)
{
    static const char *const options[] = {"--help", "-h", "--version", "-V"};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct process *process = run(OPTIONS(options[i]), NULL);

        support_expect_line(process, STREAM_OUTPUT,
                            i < 2 ? "Usage: echo-client [" : "echo-client ");
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
        {{"--eol"}, "option '--eol' needs a value"},
        {{"--eol", "cr"}, "--eol 'cr' is not lf, crlf or none"},
        {{"--help=1"}, "option '--help' takes no value"},
        {{"--connect-timeout", "soon"}, "--connect-timeout 'soon' is not a number of seconds"},
        {{"--connect-timeout", "-1"}, "--connect-timeout '-1' is not a number of seconds"},
        {{"--connect-timeout", "0"}, "--connect-timeout has to be more than 0 seconds"},
        {{"localhost", "0"}, "PORT '0' is not a number from 1 to 65535"},
        {{"localhost", "65536"}, "PORT '65536' is not a number from 1 to 65535"},
        {{"localhost", "7echo"}, "PORT '7echo' is not a number from 1 to 65535, nor the name of "},
        {{"localhost", ""}, "PORT '' is not a number from 1 to 65535"},
        {{"localhost", "1", "2"}, "unexpected argument '2'"},
        {{""}, "HOST is empty"},
        {{"--\x1B[2J"}, "unknown option '--\\x1b[2J'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct process *process = run(cases[i].options, NULL);
        const char *line = support_line(process, STREAM_ERROR);

        assert_non_null(line);
        assert_memory_equal(line, "echo-client: ", strlen("echo-client: "));
        if (strstr(line, cases[i].told) == NULL)
            fail_msg("expected: %s, but found: %s", cases[i].told, line);
        assert_non_null(strstr(line, "; try 'echo-client --help'"));
        assert_null(support_line(process, STREAM_ERROR));
        assert_int_equal(support_finish(process), 2);
    }
}

/* Connecting */

static void a_server_that_is_not_there_is_told(void **state)
{
    os_socket holders[2];
    struct net_address address;
    struct process *process;
    char text[NET_ADDRESS_TEXT], told[160];

    (void)state;
    /* The port of a connected socket: nobody listens on it, and nobody else is given it meanwhile.
     */
    support_pair(holders);
    assert_int_equal(net_local_address(holders[0], &address).outcome, NET_DONE);
    process = run_with_port("127.0.0.1", address.port, NULL);
    snprintf(told, sizeof told,
             "echo-client: cannot connect to '127.0.0.1': %s: Connection refused",
             net_address_text(&address, text));
    assert_string_equal(support_line(process, STREAM_ERROR), told);
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
    net_close(holders[0]);
    net_close(holders[1]);
}

static void an_unknown_host_is_told(void **state)
{
    char host[101] = "", told[160];
    struct process *process;
    const char *line;

    (void)state;
    /* Longer than DNS allows, so that nobody has to be asked for it. */
    memset(host, 'x', sizeof host - 1);
    snprintf(told, sizeof told, "echo-client: cannot resolve '%s': ", host);
    process = run(OPTIONS(host), NULL);
    line = support_expect_line(process, STREAM_ERROR, told);
    assert_true(strlen(line) > strlen(told));
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
}

static void an_unknown_service_is_told(void **state)
{
    struct process *process = run(OPTIONS("127.0.0.1", "no-such-service"), NULL);

    (void)state;
    assert_string_equal(
        support_line(process, STREAM_ERROR),
        "echo-client: unknown service 'no-such-service'; give the number of its port");
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
}

/* A host without an address of the family that is wanted. */
static void a_family_that_the_host_lacks_is_told(void **state)
{
    static const struct {
        const char *options[4];
        const char *told;
    } cases[] = {
        {{"-6", "127.0.0.1", "7"}, "cannot resolve '127.0.0.1' to an IPv6 address: "},
        {{"--ipv4", "::1", "7"}, "cannot resolve '::1' to an IPv4 address: "},
        {{"--source=127.0.0.1", "::1", "7"},
         "cannot resolve '::1' to an IPv4 address, the family of --source: "},
        {{"-6", "--source=127.0.0.1", "::1", "7"},
         "cannot resolve '127.0.0.1' to an IPv6 address: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *options[5] = {NULL};

        memcpy(options, cases[i].options, sizeof cases[i].options);
        struct process *process = run(options, NULL);

        support_expect_line(process, STREAM_ERROR, cases[i].told);
        assert_null(support_line(process, STREAM_ERROR));
        assert_int_equal(support_finish(process), 1);
    }
}

static void connects_with_one_family_alone(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < (support_has_ipv6() ? 2 : 1); ipv6++) {
        struct net_address address = support_loopback(ipv6, 0);
        os_socket listener, s;
        char text[8];

        assert_int_equal(net_listen(&address, &listener).outcome, NET_DONE);
        assert_int_equal(net_local_address(listener, &address).outcome, NET_DONE);
        snprintf(text, sizeof text, "%d", address.port);
        struct process *process =
            run(OPTIONS(ipv6 ? "-6" : "-4", ipv6 ? "::1" : "127.0.0.1", text), NULL);

        s = support_accept(listener);
        net_close(listener);
        process_close_input(process);
        leave(s);
        assert_int_equal(support_finish(process), 0);
    }
}

/* An address that this machine does not have is no reason to take another one. */
static void a_foreign_source_is_told(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    char port[8];

    (void)state;
    snprintf(port, sizeof port, "%d", address.port);
    struct process *process = run(OPTIONS("--source", "192.0.2.1", "127.0.0.1", port), NULL);

    support_expect_line(process, STREAM_ERROR,
                        "echo-client: cannot connect to '127.0.0.1' from '192.0.2.1': 127.0.0.1:");
    assert_null(support_line(process, STREAM_ERROR));
    assert_int_equal(support_finish(process), 1);
    process = run(OPTIONS("--source", "127.0.0.1", "127.0.0.1", port), NULL);
    os_socket s = support_accept(listener);

    process_close_input(process);
    leave(s);
    assert_int_equal(support_finish(process), 0);
    net_close(listener);
}

static void connects_to_a_name(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address), s;
    struct process *process = run_with_port("localhost", address.port, NULL);

    (void)state;
    s = support_accept(listener);
    process_close_input(process);
    leave(s);
    assert_int_equal(support_finish(process), 0);
    net_close(listener);
}

/* What stdin is */

static void expect_input(const struct process_options *options, const char *written,
                         const void *expected, size_t length)
{
    struct client client = start(options);

    if (options->input == PROCESS_INPUT_PIPE) {
        support_write(client.process, written, strlen(written));
        process_close_input(client.process);
    }
    support_expect(client.s, expected, length);
    support_expect_end(client.s);
    support_send(client.s, "answer", 6);
    net_close(client.s);
    expect_output_text(client.process, "answer");
    assert_int_equal(support_finish(client.process), 0);
}

static void an_input_without_bytes_ends_the_sending_side(void **state)
{
    static const enum process_input inputs[] = {PROCESS_INPUT_PIPE, PROCESS_INPUT_NULL,
                                                PROCESS_INPUT_CLOSED};
    /* Under Wine the new console takes the place of a stdin that is closed. */
    size_t count = sizeof inputs / sizeof inputs[0] - (system_is_wine() ? 1 : 0);

    (void)state;
    for (size_t i = 0; i < count; i++)
        expect_input(&(struct process_options){.input = inputs[i]}, "", "", 0);
}

static void a_pipe_is_sent_whole(void **state)
{
    (void)state;
    expect_input(&(struct process_options){.input = PROCESS_INPUT_PIPE}, "hello\r\n\x1A\x04 there",
                 "hello\r\n\x1A\x04 there", 15);
}

/* The program itself is a file with all values of bytes in it. */
static void a_file_is_sent_whole(void **state)
{
    const char *name = support_environment("ECHO_CLIENT");
    FILE *file = fopen(name, "rb");
    static char bytes[16 * MIB];
    size_t length;

    (void)state;
    assert_non_null(file);
    length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_in_range(length, 1, sizeof bytes - 1);
    expect_input(&(struct process_options){.input = PROCESS_INPUT_FILE, .input_file = name}, "",
                 bytes, length);
}

/* Transfers */

static void much_goes_both_ways_at_once(void **state)
{
    enum { LENGTH = 32 * MIB };
    uint16_t port;
    struct process *server = support_start_server(NULL, NULL, &port);
    struct process *client = run_with_port("127.0.0.1", port, NULL);
    char *pattern = support_random_bytes(MIB, 1);
    size_t written = 0, received = 0;
    int64_t end = os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;

    (void)state;
    while (written < LENGTH) {
        size_t place = written % MIB;
        ptrdiff_t n = process_pump(client, pattern + place, MIB - place, 1000);

        assert_true(n >= 0);
        written += (size_t)n;
        received += take_output(client, pattern, received);
        assert_true(received <= written);
        assert_true(os_nanoseconds() < end);
    }
    process_close_input(client);
    while (!client->output[STREAM_OUTPUT].ended) {
        process_pump(client, NULL, 0, 1000);
        received += take_output(client, pattern, received);
        assert_true(os_nanoseconds() < end);
    }
    assert_int_equal(received, LENGTH);
    assert_int_equal(support_finish(client), 0);
    stop_server(server);
    free(pattern);
}

static void quit_ends_a_conversation_in_line_mode(void **state)
{
    static const char input[] = "hello\r\nquit\nunheard\n";
    uint16_t port;
    struct process *server = support_start_server(OPTIONS("--mode", "line"), NULL, &port);
    struct process *client = run_with_port("127.0.0.1", port, NULL);

    (void)state;
    support_write(client, input, strlen(input));
    process_close_input(client);
    expect_output_text(client, "Message received - hello\r\nquit\n");
    assert_int_equal(support_finish(client), 0);
    stop_server(server);
}

/* Goes on after the end of input until the server ends, however long that takes. */
static void a_late_answer_is_waited_for(void **state)
{
    struct selector *nothing = selector_create(SELECTOR_ALL);
    struct client client = start(NULL);

    (void)state;
    assert_non_null(nothing);
    support_write(client.process, "hello\n", 6);
    process_close_input(client.process);
    support_expect_text(client.s, "hello\n");
    support_expect_end(client.s);
    selector_wait(nothing, os_nanoseconds() + SECONDS(1));
    support_send(client.s, "late\n", 5);
    net_close(client.s);
    expect_output_text(client.process, "late\n");
    assert_int_equal(support_finish(client.process), 0);
    selector_destroy(nothing);
}

static void an_answer_is_written_while_input_goes_on(void **state)
{
    struct client client = start(NULL);
    char answer[6];

    (void)state;
    for (int i = 0; i < 3; i++) {
        support_write(client.process, "ask\n", 4);
        support_expect_text(client.s, "ask\n");
        support_send(client.s, "reply\n", 6);
        for (size_t n = 0; n < sizeof answer;) {
            size_t more =
                support_read(client.process, STREAM_OUTPUT, answer + n, sizeof answer - n);

            assert_true(more > 0);
            n += more;
        }
        assert_memory_equal(answer, "reply\n", 6);
    }
    process_close_input(client.process);
    leave(client.s);
    assert_int_equal(support_finish(client.process), 0);
}

static void a_server_may_end_first(void **state)
{
    struct client client = start(NULL);
    char *bytes = support_random_bytes(MIB, 2);

    (void)state;
    support_send(client.s, bytes, MIB);
    net_end_sending(client.s);
    process_close_input(client.process);
    expect_output(client.process, bytes, MIB);
    leave(client.s);
    assert_int_equal(support_finish(client.process), 0);
    free(bytes);
}

static void a_reset_is_told(void **state)
{
    struct client client = start(NULL);
    char answer[3];
    char told[160];

    (void)state;
    support_write(client.process, "hello", 5);
    support_expect_text(client.s, "hello");
    support_send(client.s, "abc", 3);
    for (size_t n = 0; n < sizeof answer;) {
        size_t more = support_read(client.process, STREAM_OUTPUT, answer + n, sizeof answer - n);

        assert_true(more > 0);
        n += more;
    }
    support_reset(client.s);
    snprintf(told, sizeof told, "connection to %s lost: Connection reset by peer", client.address);
    /* Wine may give a reset out as an end, and then the end of the input is waited for. */
    if (system_is_wine())
        process_close_input(client.process);
    if (system_is_wine() && support_line(client.process, STREAM_ERROR) == NULL) {
        assert_int_equal(support_finish(client.process), 0);
        return;
    }
    expect_lost(client.process, told, 5, 5, 3);
    assert_int_equal(support_finish(client.process), 1);
}

/* Writes to the client's stdin until it stands still; returns how much. */
static size_t write_until_refused(struct process *process, const char *pattern)
{
    size_t written = 0;
    int64_t progress = os_nanoseconds();

    while (os_nanoseconds() - progress < (int64_t)QUIET * 1000000) {
        size_t place = written % MIB;
        ptrdiff_t n = process_pump(process, pattern + place, MIB - place, QUIET);

        assert_true(n >= 0);
        written += (size_t)n;
        if (n > 0)
            progress = os_nanoseconds();
        assert_true(written < TOO_MUCH);
    }
    return written;
}

/* As support_wait(), but leaves the output of the programs alone. */
static bool becomes_ready(os_socket s, uint8_t interest, int timeout)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch watch;
    bool ready;

    assert_non_null(selector);
    assert_true(selector_add(selector, &watch, s, interest));
    assert_true(selector_wait(selector, os_nanoseconds() + MILLISECONDS(timeout)));
    ready = selector_next(selector) != NULL;
    selector_destroy(selector);
    return ready;
}

/* Sends until the connection stands still; returns how much. The client's output is not read
 * meanwhile. */
static size_t send_until_refused(os_socket s, const char *pattern)
{
    size_t sent = 0;

    for (;;) {
        size_t place = sent % MIB;
        struct net_result result = net_send(s, pattern + place, MIB - place);

        if (result.outcome == NET_WOULD_BLOCK && !becomes_ready(s, SELECTOR_WRITE, QUIET))
            return sent;
        assert_true(result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK);
        sent += result.bytes;
        assert_true(sent < TOO_MUCH);
    }
}

static void input_waits_for_a_server_that_does_not_read(void **state)
{
    struct client client = start(NULL);
    char *pattern = support_random_bytes(MIB, 3);
    size_t written = write_until_refused(client.process, pattern);

    (void)state;
    for (size_t received = 0; received < written; received += MIB)
        support_expect(client.s, pattern, MIB < written - received ? MIB : written - received);
    process_close_input(client.process);
    leave(client.s);
    assert_int_equal(support_finish(client.process), 0);
    free(pattern);
}

static void the_server_waits_for_an_output_that_nobody_reads(void **state)
{
    struct client client = start(NULL);
    char *pattern = support_random_bytes(MIB, 4);
    size_t sent = send_until_refused(client.s, pattern);

    (void)state;
    net_end_sending(client.s);
    process_close_input(client.process);
    expect_output(client.process, pattern, sent);
    leave(client.s);
    assert_int_equal(support_finish(client.process), 0);
    free(pattern);
}

static void a_reset_is_told_while_input_waits(void **state)
{
    struct client client = start(NULL);
    char *pattern = support_random_bytes(MIB, 5);
    size_t written = write_until_refused(client.process, pattern);

    (void)state;
    support_reset(client.s);
    expect_lost(client.process, "echo-client: ", 1, written, 0);
    assert_int_equal(support_finish(client.process), 1);
    free(pattern);
}

/* The two directions are independent (RFC 9293, 3.6). */
static void a_server_that_has_ended_is_sent_everything(void **state)
{
    struct client client = start(NULL);
    char *pattern = support_random_bytes(MIB, 6);
    size_t written = write_until_refused(client.process, pattern);

    (void)state;
    support_send(client.s, "enough", 6);
    net_end_sending(client.s);
    expect_output_so_far(client.process, "enough");
    expect_sent(client.s, pattern, written);
    support_write(client.process, "and more", 8);
    support_expect_text(client.s, "and more");
    process_close_input(client.process);
    support_expect_end(client.s);
    net_close(client.s);
    assert_int_equal(support_finish(client.process), 0);
    free(pattern);
}

/* However long the input is silent: what comes later is lost, and that is told. */
static void a_server_that_is_gone_before_the_input_ends_is_told(void **state)
{
    struct client client = start(NULL);
    int64_t end = os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;

    (void)state;
    support_write(client.process, "one\n", 4);
    support_expect_text(client.s, "one\n");
    support_send(client.s, "bye", 3);
    net_end_sending(client.s);
    expect_output_so_far(client.process, "bye");
    net_close(client.s);
    while (process_pump(client.process, "more\n", 5, 10) >= 0 &&
           !client.process->output[STREAM_ERROR].ended)
        assert_true(os_nanoseconds() < end);
    expect_lost(client.process, "the server ended the connection before the end of the input", 4,
                TOO_MUCH, 3);
    assert_int_equal(support_finish(client.process), 1);
}

/* As in test_server_program.c: a probe of a socket that is not there is answered with a reset. */
static void a_server_that_vanishes_is_noticed(void **state)
{
    struct client client = start_with("--keep-alive=1", NULL);

    (void)state;
    support_write(client.process, "hello", 5);
    support_expect_text(client.s, "hello");
    if (!system_vanish(client.s)) {
        net_close(client.s);
        skip();
    }
    expect_lost(client.process, "lost: Connection reset by peer", 5, 5, 0);
    assert_int_equal(support_finish(client.process), 1);
}

/* What the server's system has not taken when the input is at its end may still be lost. All
 * clients have sent theirs before the first one's is lost. */
static void what_is_on_its_way_is_waited_for(void **state)
{
    enum { CLIENTS = 10, LENGTH = MIB / 2 };
    struct client clients[CLIENTS];

    (void)state;
    if (system_is_windows)
        skip(); /* it does not tell what is acknowledged */
    char *pattern = support_random_bytes(LENGTH, 8);

    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = start(NULL);
        net_end_sending(clients[i].s);
        support_write(clients[i].process, pattern, LENGTH);
        process_close_input(clients[i].process);
    }
    for (int i = 0; i < CLIENTS; i++) {
        support_reset(clients[i].s);
        expect_lost(clients[i].process, "echo-client: ", 1, LENGTH, 0);
        assert_int_equal(support_finish(clients[i].process), 1);
    }
    free(pattern);
}

static void the_end_of_the_server_may_be_ours(void **state)
{
    struct client client = start_with("--until-server-ends", NULL);

    (void)state;
    support_write(client.process, "one\n", 4);
    support_expect_text(client.s, "one\n");
    support_send(client.s, "bye", 3);
    net_end_sending(client.s);
    expect_output_text(client.process, "bye");
    support_expect_end(client.s);
    net_close(client.s);
    assert_int_equal(support_finish(client.process), 0);
}

/* A server that does not end: the client leaves, with all that came, and says that it may not be
 * all. */
static void a_silent_server_may_be_left(void **state)
{
    struct client client = start_with("--quit-after=0.3", NULL);

    (void)state;
    support_write(client.process, "hello", 5);
    process_close_input(client.process);
    support_expect_text(client.s, "hello");
    support_expect_end(client.s);
    support_send(client.s, "so far", 6);
    expect_output_text(client.process, "so far");
    expect_lost(client.process,
                "the server was silent for 300 ms after the end of the input, and has not ended", 5,
                5, 6);
    assert_int_equal(support_finish(client.process), 1);
    net_close(client.s);
}

/* Before the end of the input the time does not count. */
static void an_input_may_be_silent_for_longer(void **state)
{
    struct selector *nothing = selector_create(SELECTOR_ALL);
    struct client client = start_with("--quit-after=0.2", NULL);

    (void)state;
    assert_non_null(nothing);
    selector_wait(nothing, os_nanoseconds() + MILLISECONDS(600));
    support_write(client.process, "hello", 5);
    support_expect_text(client.s, "hello");
    net_close(client.s);
    process_close_input(client.process);
    assert_int_equal(support_finish(client.process), 0);
    selector_destroy(nothing);
}

/* What its system has not acknowledged it may never get. */
static void a_server_that_takes_nothing_may_be_left(void **state)
{
    enum { LENGTH = MIB / 2 };
    struct client client = start_with("--quit-after=0.2", NULL);

    (void)state;
    if (system_is_windows)
        skip(); /* it does not tell what is acknowledged */
    char *pattern = support_random_bytes(LENGTH, 9);

    net_end_sending(client.s);
    support_write(client.process, pattern, LENGTH);
    process_close_input(client.process);
    expect_lost(client.process, "after the end of the input, and has not taken all of it", 1,
                LENGTH, 0);
    assert_int_equal(support_finish(client.process), 1);
    net_close(client.s);
    free(pattern);
}

/* It is the reader of stdout that has to act, not the server. */
static void a_reader_of_the_answer_has_all_the_time(void **state)
{
    struct selector *nothing = selector_create(SELECTOR_ALL);
    struct client client = start_with("--quit-after=0.2", NULL);
    char *pattern = support_random_bytes(MIB, 10);

    (void)state;
    assert_non_null(nothing);
    process_close_input(client.process);
    support_expect_end(client.s);
    size_t sent = send_until_refused(client.s, pattern);

    selector_wait(nothing, os_nanoseconds() + MILLISECONDS(600));
    net_end_sending(client.s);
    expect_output(client.process, pattern, sent);
    net_close(client.s);
    assert_int_equal(support_finish(client.process), 0);
    selector_destroy(nothing);
    free(pattern);
}

static void help_that_nobody_can_read_is_a_failure(void **state)
{
    (void)state;
    if (system_is_windows)
        skip(); /* it has no disk that is always full */
    struct process *client = support_start(
        (const char *const[]){"/bin/sh", "-c", "exec \"$ECHO_CLIENT\" -h >/dev/full", NULL}, NULL);

    support_expect_line(client, STREAM_ERROR, "echo-client: cannot write to standard output");
    assert_int_equal(support_finish(client), 1);
}

static void an_ending_may_be_chosen_for_a_pipe_too(void **state)
{
    static const struct {
        const char *option, *input, *sent;
    } cases[] = {{"--eol=crlf", "a\nb\r\n\nc", "a\r\nb\r\n\r\nc"},
                 {"--eol=none", "a\nb\n", "ab"},
                 {"--eol=lf", "a\nb\r\n", "a\nb\r\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client client = start_with(cases[i].option, NULL);

        support_write(client.process, cases[i].input, strlen(cases[i].input));
        process_close_input(client.process);
        support_expect_text(client.s, cases[i].sent);
        support_expect_end(client.s);
        net_close(client.s);
        assert_int_equal(support_finish(client.process), 0);
    }
}

static void a_dump_may_go_to_a_pipe(void **state)
{
    struct client client = start_with("--hex", NULL);

    (void)state;
    support_send(client.s, "hello\n", 6);
    net_end_sending(client.s);
    process_close_input(client.process);
    expect_output_text(client.process,
                       "< 00000000  68 65 6c 6c 6f 0a                                 |hello.|\n");
    support_expect_end(client.s);
    net_close(client.s);
    assert_int_equal(support_finish(client.process), 0);
}

static void an_output_that_nobody_will_read_ends_it(void **state)
{
    struct client client = start(NULL);

    (void)state;
    process_close_output(client.process, STREAM_OUTPUT);
    support_send(client.s, "hello", 5);
    expect_lost(client.process, "cannot write to standard output", 0, 0, 5);
    support_expect_closed(client.s);
    assert_int_equal(support_finish(client.process), 1);
    net_close(client.s);
}

static void a_request_to_stop_interrupts_it(void **state)
{
    (void)state;
    for (int how = PROCESS_STOP_INTERRUPT; how <= PROCESS_STOP_TERMINATE; how++) {
        struct client client = start(NULL);

        support_send(client.s, "hi", 2);
        expect_output_so_far(client.process, "hi"); /* it is connected, and knows */
        process_stop(client.process, (enum process_stop)how);
        support_expect_end(client.s);
        expect_lost(client.process, "echo-client: interrupted (sent 0 bytes, ", 0, 0, 2);
        assert_int_equal(support_finish(client.process), 130);
        net_close(client.s);
    }
}

/* Neither a full connection nor a full output holds it up. */
static void it_can_be_interrupted_while_both_sides_wait(void **state)
{
    struct client client = start(NULL);
    char *bytes = support_random_bytes(MIB, 7);
    struct net_result result;

    (void)state;
    write_until_refused(client.process, bytes);
    send_until_refused(client.s, bytes);
    process_stop(client.process, PROCESS_STOP_INTERRUPT);
    do {
        assert_true(becomes_ready(client.s, SELECTOR_READ, SUPPORT_DEADLINE));
        result = net_recv(client.s, bytes, MIB);
    } while (result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK);
    while (support_read(client.process, STREAM_OUTPUT, bytes, MIB) > 0)
        continue;
    support_expect_line(client.process, STREAM_ERROR, "echo-client: interrupted (sent ");
    assert_int_equal(support_finish(client.process), 130);
    net_close(client.s);
    free(bytes);
}

#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_vanishes_is_noticed),
        TEST(help_and_version_go_to_stdout),
        TEST(wrong_usage_is_told_in_one_line),
        TEST(a_server_that_is_not_there_is_told),
        TEST(an_unknown_host_is_told),
        TEST(an_unknown_service_is_told),
        TEST(a_family_that_the_host_lacks_is_told),
        TEST(connects_with_one_family_alone),
        TEST(a_foreign_source_is_told),
        TEST(connects_to_a_name),
        TEST(what_a_server_prints_can_be_pasted),
        TEST(an_input_without_bytes_ends_the_sending_side),
        TEST(a_pipe_is_sent_whole),
        TEST(a_file_is_sent_whole),
        TEST(much_goes_both_ways_at_once),
        TEST(quit_ends_a_conversation_in_line_mode),
        TEST(a_late_answer_is_waited_for),
        TEST(an_answer_is_written_while_input_goes_on),
        TEST(a_server_may_end_first),
        TEST(a_reset_is_told),
        TEST(input_waits_for_a_server_that_does_not_read),
        TEST(the_server_waits_for_an_output_that_nobody_reads),
        TEST(a_reset_is_told_while_input_waits),
        TEST(a_server_that_has_ended_is_sent_everything),
        TEST(a_server_that_is_gone_before_the_input_ends_is_told),
        TEST(what_is_on_its_way_is_waited_for),
        TEST(the_end_of_the_server_may_be_ours),
        TEST(a_silent_server_may_be_left),
        TEST(an_input_may_be_silent_for_longer),
        TEST(a_server_that_takes_nothing_may_be_left),
        TEST(a_reader_of_the_answer_has_all_the_time),
        TEST(help_that_nobody_can_read_is_a_failure),
        TEST(an_ending_may_be_chosen_for_a_pipe_too),
        TEST(a_dump_may_go_to_a_pipe),
        TEST(an_output_that_nobody_will_read_ends_it),
        TEST(a_request_to_stop_interrupts_it),
        TEST(it_can_be_interrupted_while_both_sides_wait),
    };

    return cmocka_run_group_tests_name("client_program", tests, support_setup, support_teardown);
}
