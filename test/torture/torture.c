/*
 * Torture: each call to the system fails in turn, with each outcome that it can have, and the
 * programs keep their promises (docs/design.md). A scenario runs once without a fault, to count the
 * calls, and then once for each outcome of each call. After a fault:
 *
 * - the program ends by itself, without a crash, a leak or a lost descriptor, and with a documented
 *   status;
 * - one connection at most is disturbed, the log gives the right reason, and what its client
 * received is a part of the right answer; all others get every byte;
 * - a failure of the program is one clear line on stderr, and JSON is whole.
 *
 * ECHO_SERVER and ECHO_CLIENT are the programs as they are, TORTURE_SERVER and TORTURE_CLIENT those
 * of faults.h. TORTURE_REPORT is a file for their reports. TORTURE_LIMIT: of each function, only so
 * many of the first calls fail. TORTURE_ONLY: one fault is made to happen, such as "send 3 0"; with
 * TORTURE_SCENARIO, in the scenario with this name.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "json.h"
#include "proxy_protocol.h"
#include "pseudo_terminal.h"
#include "selector.h"
#include "support.h"
#include "system.h"
#include "test.h"

enum {
    CALLS_MAX = 64, /* functions that one program calls */
    PEERS = 3,
    LONG_LINES = 20,
    LONG_LINE = 6000,
    INPUT_MAX = LONG_LINES * LONG_LINE,
    OUTPUT_MAX = 4 * INPUT_MAX,
    TEXT = 128 * 1024
};

static const int64_t HANG = SECONDS(20); /* far longer than any run takes */
static const char *report_path;

/* What faults.c reports of a run. */
struct call {
    char name[64];
    unsigned long calls;
    unsigned long outcomes;
};

struct report {
    struct call calls[CALLS_MAX];
    size_t count;
    char fault[64];   /* the function that failed; "": none did */
    char outcome[32]; /* and how */
    bool ended;       /* the program has come to its regular exit */
    unsigned long open;
};

/* What a run of a program left behind. */
struct run {
    int status;
    char output[TEXT]; /* stdout */
    char errors[TEXT]; /* stderr */
    struct report report;
};

static struct run run;
static char fault_text[96]; /* which call fails in this run */
static const char *scenario_name;
static unsigned problems;
static unsigned long faults; /* made to happen so far */

/* Reports a broken promise; the run goes on, so that one run shows all of them. */
__attribute__((format(printf, 1, 2))) static void problem(const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problems++;
    print_error("%s, %s (%s): %s\n", scenario_name, fault_text, run.report.outcome, text);
}

static void read_report(struct report *report)
{
    FILE *file = fopen(report_path, "r");
    char what[16], name[64], rest[32];
    unsigned long number;
    char line[160];

    *report = (struct report){.count = 0};
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        rest[0] = '\0';
        assert_true(sscanf(line, "%15s %63s %lu %31s", what, name, &number, rest) >= 3);
        if (strcmp(what, "calls") == 0) {
            assert_true(report->count < CALLS_MAX);
            struct call *call = &report->calls[report->count++];

            snprintf(call->name, sizeof call->name, "%s", name);
            call->calls = number;
            call->outcomes = strtoul(rest, NULL, 10);
        } else if (strcmp(what, "fault") == 0) {
            snprintf(report->fault, sizeof report->fault, "%s", name);
            snprintf(report->outcome, sizeof report->outcome, "%s", rest);
        } else {
            report->ended = true;
            report->open = number;
        }
    }
    if (file != NULL)
        fclose(file);
}

/* Gives a program its input, and takes all that it writes until it has ended. */
static void finish(struct process *process, const char *input, size_t length)
{
    char *const texts[] = {[STREAM_OUTPUT] = run.output, [STREAM_ERROR] = run.errors};
    int64_t deadline = os_nanoseconds() + HANG;
    bool killed = false;

    while (!process->output[STREAM_OUTPUT].ended || !process->output[STREAM_ERROR].ended) {
        ptrdiff_t n = process_pump(process, input, length, 1000);

        if (length > 0 && (n < 0 || (size_t)n == length))
            process_close_input(process);
        length = n < 0 ? 0 : length - (size_t)n;
        input += n < 0 ? 0 : n;
        if (os_nanoseconds() > deadline && !killed) {
            problem("it does not end");
            process_kill(process);
            killed = true;
        }
    }
    for (int i = STREAM_OUTPUT; i <= STREAM_ERROR; i++) {
        const struct process_output *output = &process->output[i];
        size_t written = output->length - output->taken;

        written = written < TEXT - 1 ? written : TEXT - 1;
        memcpy(texts[i], output->bytes + output->taken, written);
        texts[i][written] = '\0';
    }
    run.status = process_destroy(process);
    read_report(&run.report);
}

/* Peers: the clients of a server under torture. */

static const char prefix[] = "Message received - ";
enum { PREFIX = sizeof prefix - 1 };

enum mode { MODE_ECHO, MODE_LINE, MODE_CHUNK };

struct peer {
    struct selector_watch watch; /* first member */
    char name[NET_ADDRESS_TEXT]; /* its address, as the log has it */
    const char *input;
    size_t input_length;
    char header[PROXY_HEADER_MAX]; /* of the PROXY protocol, which goes first */
    size_t header_length;          /* 0: none */
    size_t sent;                   /* of both */
    char *received;                /* OUTPUT_MAX bytes */
    size_t length;
    bool open;
    bool lost; /* by a reset or a failure */
};

static struct peer peers[PEERS];
static struct selector *selector;
static char long_input[INPUT_MAX];

static void close_peer(struct peer *peer, bool lost)
{
    peer->lost = lost;
    peer->open = false;
    selector_remove(selector, &peer->watch);
    net_close(peer->watch.socket);
}

static bool has_sent(const struct peer *peer)
{
    return peer->sent == peer->header_length + peer->input_length;
}

static void send_more(struct peer *peer)
{
    bool in_header = peer->sent < peer->header_length;
    const char *bytes =
        in_header ? peer->header + peer->sent : peer->input + peer->sent - peer->header_length;
    size_t end = peer->header_length + (in_header ? 0 : peer->input_length);
    struct net_result result = net_send(peer->watch.socket, bytes, end - peer->sent);

    if (result.outcome == NET_DONE)
        peer->sent += result.bytes;
    else if (result.outcome != NET_WOULD_BLOCK && result.outcome != NET_EXHAUSTED)
        peer->sent = peer->header_length + peer->input_length; /* an answer may still come */
    if (has_sent(peer)) {
        net_end_sending(peer->watch.socket);
        selector_change(selector, &peer->watch, SELECTOR_READ);
    }
}

static void receive_more(struct peer *peer)
{
    struct net_result result =
        net_recv(peer->watch.socket, peer->received + peer->length, OUTPUT_MAX - peer->length);

    if (result.outcome == NET_DONE)
        peer->length += result.bytes;
    else if (result.outcome != NET_WOULD_BLOCK)
        close_peer(peer, result.outcome != NET_END);
    assert_true(peer->length < OUTPUT_MAX);
}

/* Connects all peers; each sends its input, behind a header of the PROXY protocol if they are
 * `proxied`, ends its side and reads until the server ends. `server` is pumped meanwhile. */
static void run_peers(struct process *server, uint16_t port, bool proxied)
{
    struct net_address address = support_loopback(false, port), local;
    int64_t deadline = os_nanoseconds() + HANG;
    struct selector_watch *watch;
    size_t open = 0;

    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &peers[i];
        os_socket s;
        struct net_result result = net_connect(&address, NULL, &s);

        peer->sent = peer->length = peer->header_length = 0;
        peer->name[0] = '\0';
        peer->lost = true;
        if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
            continue;
        assert_true(selector_add(selector, &peer->watch, s, SELECTOR_READ | SELECTOR_WRITE));
        assert_int_equal(net_local_address(s, &local).outcome, NET_DONE);
        net_address_text(&local, peer->name);
        if (proxied)
            peer->header_length = proxy_protocol_format(PROXY_V1, &local, &address, peer->header);
        peer->open = true;
        open++;
    }
    while (open > 0 && os_nanoseconds() < deadline) {
        assert_true(selector_wait(selector, os_nanoseconds() + MILLISECONDS(20)));
        while ((watch = selector_next(selector)) != NULL) {
            struct peer *peer = (struct peer *)(void *)watch;

            if (watch->ready & SELECTOR_WRITE && !has_sent(peer))
                send_more(peer);
            if (watch->ready & SELECTOR_READ)
                receive_more(peer);
            open -= !peer->open;
        }
        process_pump(server, NULL, 0, 0);
    }
    for (size_t i = 0; i < PEERS; i++) {
        if (!peers[i].open)
            continue;
        problem("client %d hangs with %lu bytes", (int)i, (unsigned long)peers[i].length);
        close_peer(&peers[i], true);
    }
}

/* Removes what the server puts before each message, also where the end has cut it. */
static size_t without_prefixes(const char *bytes, size_t length, char *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < length;) {
        size_t rest = length - i < PREFIX ? length - i : PREFIX;

        if (memcmp(bytes + i, prefix, rest) == 0)
            i += rest;
        else
            out[kept++] = bytes[i++];
    }
    return kept;
}

/* The right answer of each peer, but for the prefixes, is its input. Where there is a mistake, or
 * NULL. */
static const char *check_answer(const struct peer *peer, enum mode mode)
{
    static char text[OUTPUT_MAX];
    const char *bytes = peer->received;
    size_t length = peer->length;

    if (mode != MODE_ECHO) {
        length = without_prefixes(peer->received, peer->length, text);
        bytes = text;
    }
    if (length > peer->input_length || memcmp(bytes, peer->input, length) != 0)
        return "received wrong bytes";
    if (peer->lost || length < peer->input_length)
        return "was cut off";
    if (mode == MODE_LINE) {
        size_t lines = 0, quits = 0;

        for (size_t i = 0; i < length; i++)
            lines += bytes[i] == '\n';
        quits = length >= 5 && memcmp(bytes + length - 5, "quit\n", 5) == 0;
        if (peer->length - length != PREFIX * (lines - quits))
            return "received wrong prefixes";
    }
    return NULL;
}

/* The reason in the line with which the log closes a connection; "" when there is none. */
static const char *logged_reason(const char *address)
{
    static char reason[160];
    char start[NET_ADDRESS_TEXT + 32];

    snprintf(start, sizeof start, "Connection closed[%s]:", address);
    const char *line = strstr(run.errors, start);

    if (line == NULL)
        return "";
    line += strlen(start);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(line, ";\n"), line);
    return reason;
}

/* Whether a reason in the log names the fault of this run. */
static bool is_right_reason(const char *reason)
{
    static const struct {
        const char *outcome;
        const char *reason;
    } reasons[] = {
        {"ENOMEM", "out of memory"},  {"ENOMEM", "rejected: out of memory"},
        {"ENOBUFS", "out of memory"}, {"WSAENOBUFS", "out of memory"},
        {"ECONNRESET", "reset"},      {"WSAECONNRESET", "reset"},
        {"EPIPE", "reset"},           {"ETIMEDOUT", "reset"},
        {"WSAETIMEDOUT", "reset"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(run.report.outcome, reasons[i].outcome) == 0 &&
            strcmp(reason, reasons[i].reason) == 0)
            return true;
    }
    return strncmp(reason, "failed: ", 8) == 0;
}

/* Each line on stderr is whole, and is one of the server's. */
static void check_log(void)
{
    char line[2048];

    for (const char *at = run.errors; *at != '\0'; at += strcspn(at, "\n") + 1) {
        size_t length = strcspn(at, "\n");

        snprintf(line, sizeof line, "%.*s", (int)length, at);
        bool whole = at[length] == '\n' &&
                     (strncmp(line, "echo-server: ", 13) == 0 ||
                      (length > 20 && line[4] == '-' && line[19] == ',' && line[20] >= 'A'));

        if (!whole)
            problem("a line on stderr: %s", line);
        if (at[length] == '\0')
            break;
    }
}

/* What each run promises, whichever program it was. */
static void check_end(unsigned long open_without_fault)
{
    if (run.status > 2 && run.status != 130)
        problem("status %d; stderr: %s", run.status, run.errors);
    else if (!run.report.ended)
        problem("no regular exit, status %d", run.status);
    else if (run.report.open > open_without_fault && strcmp(run.report.fault, "close") != 0)
        problem("%lu descriptors are open at the end, and not %lu", run.report.open,
                open_without_fault);
}

static void check_server(enum mode mode, bool served)
{
    unsigned disturbed = 0;

    check_log();
    if (run.status != 0) {
        if (run.status != 1 || (strstr(run.errors, "echo-server: ") == NULL &&
                                strstr(run.errors, ",select() failed: ") == NULL))
            problem("status %d; stderr: %s", run.status, run.errors);
        return;
    }
    if (!served) {
        if (strstr(run.errors, ",Cannot write to standard output") == NULL)
            problem("no listening line; stderr: %s", run.errors);
        return;
    }
    for (size_t i = 0; i < PEERS; i++) {
        const char *mistake = check_answer(&peers[i], mode);

        if (mistake == NULL)
            continue;
        disturbed++;
        const char *reason = logged_reason(peers[i].name);
        bool explained = is_right_reason(reason) ||
                         (reason[0] == '\0' && strstr(run.errors, ",Cannot accept: ") != NULL);

        if (strcmp(mistake, "was cut off") != 0 || !explained)
            problem("client %d %s after %lu bytes; logged reason: '%s'; stderr: %s", (int)i,
                    mistake, (unsigned long)peers[i].length, reason, run.errors);
    }
    if (disturbed > (run.report.fault[0] != '\0'))
        problem("%u clients are disturbed", disturbed);
}

/* The port in the line with which the server says where it listens; 0 when there is none. */
static uint16_t read_port(struct process *process)
{
    static const char listening[] = "listening on 127.0.0.1:";
    const struct process_output *output = process->output;
    int64_t deadline = os_nanoseconds() + HANG;
    const char *error = "Cannot write to standard output";

    while (os_nanoseconds() < deadline) {
        struct process_output *room = &process->output[STREAM_OUTPUT];

        if (output[STREAM_OUTPUT].length > 0 && memchr(room->bytes, '\n', room->length) != NULL &&
            room->length > sizeof listening)
            return (uint16_t)atoi(room->bytes + sizeof listening - 1);
        if (output[STREAM_OUTPUT].ended)
            return 0;
        *process_output_room(&process->output[STREAM_ERROR], 1) = '\0';
        if (strstr(output[STREAM_ERROR].bytes, error) != NULL)
            return 0;
        process_pump(process, NULL, 0, 1000);
    }
    problem("it does not say where it listens");
    return 0;
}

/* What a program has to survive, by the name under which TORTURE_SCENARIO knows it. */
struct scenario {
    const char *name;
    void (*run)(const struct scenario *scenario);
    enum mode mode;          /* of a server */
    bool proxied;            /* the clients of a server begin with a header */
    bool silent;             /* a client sends nothing, not even a header */
    const char *options[16]; /* of a client, up to a NULL; */
    const char *shown;       /* and a part of what it prints */
};

/* One run of a server with peers that talk to it. */
static void run_server(const struct scenario *scenario)
{
    static const char *const modes[] = {
        [MODE_ECHO] = "echo", [MODE_LINE] = "line", [MODE_CHUNK] = "chunk"};
    static const struct process_options options = {.input = PROCESS_INPUT_NULL};
    const char *const arguments[] = {support_environment("TORTURE_SERVER"),
                                     "--port",
                                     "0",
                                     "--bind",
                                     "127.0.0.1",
                                     "--mode",
                                     modes[scenario->mode],
                                     "--max-per-address",
                                     "100",
                                     "--keep-alive",
                                     "100",
                                     scenario->proxied ? "--proxy-protocol" : NULL,
                                     NULL};
    struct process *process = process_start(arguments, &options);

    assert_non_null(process);
    uint16_t port = read_port(process);

    if (port != 0)
        run_peers(process, port, scenario->proxied);
    process_pump(process, NULL, 0, 0);
    if (!process->output[STREAM_ERROR].ended)
        process_stop(process, PROCESS_STOP_INTERRUPT);
    finish(process, NULL, 0);
    check_server(scenario->mode, port != 0);
}

/* Clients under torture, with a server that is all right, and requires a header. */

static struct process *good_server;
static uint16_t good_port;

static void run_client(const struct scenario *scenario, const char *input, size_t length)
{
    enum { MOST = sizeof scenario->options / sizeof scenario->options[0] };
    const char *arguments[MOST + 5] = {support_environment("TORTURE_CLIENT")};
    struct process_options how = {.input = length > 0 ? PROCESS_INPUT_PIPE : PROCESS_INPUT_NULL};
    size_t count = 1;
    char port[8];

    for (; scenario->options[count - 1] != NULL; count++)
        arguments[count] = scenario->options[count - 1];
    snprintf(port, sizeof port, "%u", good_port);
    if (!scenario->silent) {
        arguments[count++] = "--proxy-protocol";
        arguments[count++] = "v2";
    }
    arguments[count++] = "127.0.0.1";
    arguments[count] = port;
    struct process *process = process_start(arguments, &how);

    assert_non_null(process);
    finish(process, input, length);
}

/* Whether the client has said why it failed, where it could. */
static bool explained(void)
{
    return strncmp(run.errors, "echo-client: ", 13) == 0 || strstr(run.errors, "\necho-client: ") ||
           (run.errors[0] == '\0' && strncmp(run.report.fault, "write", 5) == 0);
}

static void check_failure(void)
{
    if (run.status != 1 || !explained())
        problem("status %d; stdout: %s; stderr: %s", run.status, run.output, run.errors);
}

static void run_pipe(const struct scenario *scenario)
{
    run_client(scenario, long_input, sizeof long_input);
    size_t shown = strlen(run.output);

    if (shown > sizeof long_input || memcmp(run.output, long_input, shown) != 0)
        problem("wrong bytes on stdout");
    if (run.status != 0)
        check_failure();
    else if (shown < sizeof long_input)
        problem("status 0, and %lu bytes on stdout", (unsigned long)shown);
}

/* What arrives is shown as text, or as a dump, and what is sent has endings of its own. */
static void run_shown(const struct scenario *scenario)
{
    static const char input[] = "one\ntwo\r\nthree\xC3\xA4";

    run_client(scenario, input, sizeof input - 1);
    if (run.status != 0)
        check_failure();
    else if (strstr(run.output, scenario->shown) == NULL)
        problem("status 0, and stdout: %s", run.output);
}

/* Waits until the screen shows `text`, the program has ended, or the fault has happened: then the
 * screen may never show it. Returns whether the program runs. */
static bool wait_for_screen(struct pseudo_terminal *terminal, char *screen, const char *text)
{
    int64_t deadline = os_nanoseconds() + HANG;

    while (pseudo_terminal_look(terminal, screen) && strstr(screen, text) == NULL &&
           os_nanoseconds() < deadline) {
        read_report(&run.report);
        if (run.report.fault[0] != '\0')
            break;
    }
    return !pseudo_terminal_ended(terminal);
}

/* Waits until the program has ended. Returns whether it has, before `deadline`. */
static bool wait_for_end(struct pseudo_terminal *terminal, char *screen, int64_t deadline)
{
    while (pseudo_terminal_look(terminal, screen) && os_nanoseconds() < deadline)
        continue;
    return pseudo_terminal_ended(terminal);
}

/* One line is typed and answered, and the end of the input ends the session. */
static void run_terminal(const struct scenario *scenario)
{
    static const struct pseudo_terminal_options options = {.term = "xterm", .no_color = "1"};
    static char screen[PSEUDO_TERMINAL_TEXT];
    const char *arguments[] = {
        support_environment("TORTURE_CLIENT"), "--proxy-protocol", "v1", "127.0.0.1", NULL, NULL};
    int64_t deadline = os_nanoseconds() + HANG;
    char port[8];

    (void)scenario;
    snprintf(port, sizeof port, "%u", good_port);
    arguments[4] = port;
    struct pseudo_terminal *terminal = pseudo_terminal_start(arguments, &options);

    assert_non_null(terminal);
    if (wait_for_screen(terminal, screen, "ends\n"))
        pseudo_terminal_press(terminal, "hello\r", 6);
    wait_for_screen(terminal, screen, "< hello");
    read_report(&run.report);
    /* After this fault a console edits lines by itself, and nothing ends its read under Wine
     * (docs/windows.md). */
    if (system_is_windows && strstr(run.report.fault, "ConsoleMode") != NULL) {
        pseudo_terminal_kill(terminal);
        pseudo_terminal_destroy(terminal);
        run.status = 0;
        run.report.ended = true;
        return;
    }
    /* Where the terminal edits the line after a fault, the key that ends the input counts on an
     * empty line only, and one that came too early is lost. */
    while (!wait_for_end(terminal, screen, os_nanoseconds() + MILLISECONDS(200)) &&
           os_nanoseconds() < deadline)
        pseudo_terminal_press(terminal, PSEUDO_TERMINAL_END, 1);
    if (!pseudo_terminal_ended(terminal)) {
        problem("it does not end; the screen: %s", screen);
        pseudo_terminal_kill(terminal);
    }
    bool restored = pseudo_terminal_as_found(terminal);

    run.status = pseudo_terminal_destroy(terminal);
    read_report(&run.report);
    if (!restored && strcmp(run.report.fault, "tcsetattr") != 0 &&
        strcmp(run.report.fault, "SetConsoleMode") != 0)
        problem("the terminal is left in another mode");
    /* A key may be lost for want of memory, and the summary may be: the user sees both. Where the
     * typed line itself is not shown, its answer is, behind a mark. */
    const char *typed = strstr(screen, "ello"), *shown = strstr(screen, "\n< ");
    bool answered = typed != NULL && (strstr(typed + 1, "ello") != NULL ||
                                      (shown != NULL && strstr(shown, "ello") != NULL));

    if (run.status == 1 ? strstr(screen, "echo-client: ") == NULL : run.status != 0 || !answered)
        problem("status %d with the screen: %s", run.status, screen);
}

static void run_ping(const struct scenario *scenario)
{
    run_client(scenario, NULL, 0);
    if (run.status == 0 && strstr(run.output, scenario->shown) == NULL)
        problem("status 0, and stdout: %s", run.output);
    if (run.status != 0 && strstr(run.output, " lost") == NULL)
        check_failure();
}

/* The report of a load, behind its lines of --report. */
static const char *load_total(void)
{
    static const char begins[] = "{\"type\":\"total\"";
    const char *total = run.output;

    while (strncmp(total, begins, sizeof begins - 1) != 0 && strchr(total, '\n') != NULL)
        total = strchr(total, '\n') + 1;
    return total;
}

static void run_load(const struct scenario *scenario)
{
    run_client(scenario, NULL, 0);
    const char *total = load_total();
    bool whole = json_valid(total);

    if (total[0] != '\0' && !whole)
        problem("stdout is not JSON: %s", run.output);
    if (whole && json_is(total, "passed", "true") != (run.status == 0))
        problem("status %d with %s", run.status, total);
    if (!whole && (run.status == 0 || !explained()))
        problem("status %d; stderr: %s", run.status, run.errors);
    if (whole && run.status != 0 && !explained() && json_is(total, "failure", "null") &&
        json_is(total, "fault", "null"))
        problem("no reason in %s", total);
}

static struct scenario scenarios[] = {
    {.name = "server, echo mode", .run = run_server, .mode = MODE_ECHO},
    {.name = "server, line mode", .run = run_server, .mode = MODE_LINE},
    {.name = "server, chunk mode", .run = run_server, .mode = MODE_CHUNK},
    {.name = "server, PROXY headers", .run = run_server, .mode = MODE_LINE, .proxied = true},
    {.name = "session, pipes", .run = run_pipe},
    {.name = "session, terminal", .run = run_terminal},
    {.name = "ping",
     .run = run_ping,
     .options = {"--ping", "--count", "3", "--interval", "0.001"},
     .shown = "3 sent, 3 answered, 0 lost"},
    {.name = "ping, connections alone",
     .run = run_load,
     .silent = true,
     .options = {"--ping", "--connect-only", "--json", "--count", "3", "--interval", "0.001"}},
    {.name = "load",
     .run = run_load,
     .options = {"--load", "--connections", "2", "--count", "6", "--pipeline", "2", "--size",
                 "20000", "--json"}},
    {.name = "load, open loop",
     .run = run_load,
     .options = {"--load", "--connections", "2", "--count", "4", "--idle", "1", "--rate", "2000",
                 "--reconnect", "--json"}},
    {.name = "load that goes on",
     .run = run_load,
     .options = {"--load", "--connections", "2", "--count", "40", "--idle", "1", "--rate", "1000",
                 "--keep-going", "--report", "0.01", "--json"}},
    {.name = "session, timestamps",
     .run = run_shown,
     .options = {"--eol", "crlf", "--timestamps"},
     .shown = " < three"},
    {.name = "session, dump",
     .run = run_shown,
     .options = {"--eol", "crlf", "--hex"},
     .shown = " 74 68 72 65 65 c3"}, /* "three", in whatever row */
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

/* Runs a scenario, the test's state, with each fault. */
static void survives(void **state)
{
    static struct report clean;
    const struct scenario *scenario = *state;
    const char *limit_text = getenv("TORTURE_LIMIT");
    const char *only_fault = getenv("TORTURE_ONLY");
    const char *only_scenario = getenv("TORTURE_SCENARIO");
    unsigned long limit = limit_text != NULL ? strtoul(limit_text, NULL, 10) : 0;
    unsigned long before = faults;
    unsigned problems_before = problems;

    if (only_scenario != NULL && strcmp(only_scenario, scenario->name) != 0)
        skip();
    scenario_name = scenario->name;
    snprintf(fault_text, sizeof fault_text, "none");
    system_set_environment("TORTURE_FAULT", fault_text);
    remove(report_path);
    scenario->run(scenario);
    check_end(run.report.open);
    clean = run.report;
    assert_true(run.status == 0 && clean.count > 0 && problems == problems_before);
    for (size_t i = 0; i < clean.count; i++) {
        const struct call *call = &clean.calls[i];

        for (unsigned long k = 1; k <= call->calls && (limit == 0 || k <= limit); k++) {
            for (unsigned long outcome = 0; outcome < call->outcomes; outcome++) {
                snprintf(fault_text, sizeof fault_text, "%s %lu %lu", call->name, k, outcome);
                if (only_fault != NULL && strcmp(only_fault, fault_text) != 0)
                    continue;
                system_set_environment("TORTURE_FAULT", fault_text);
                remove(report_path);
                scenario->run(scenario);
                check_end(clean.open);
                if (good_server != NULL)
                    process_pump(good_server, NULL, 0, 0); /* its log is read */
                faults += run.report.fault[0] != '\0';
            }
        }
    }
    print_message("%s: %lu faults, %u broken promises\n", scenario_name, faults - before,
                  problems - problems_before);
    assert_int_equal(problems, problems_before);
}

static int begin(void **state)
{
    static char received[PEERS][OUTPUT_MAX];

    if (support_setup(state) != 0)
        return -1;
    report_path = support_environment("TORTURE_REPORT");
    selector = selector_create(SELECTOR_ALL);
    for (size_t i = 0; i < sizeof long_input; i++)
        long_input[i] = (char)(i % LONG_LINE == LONG_LINE - 1 ? '\n' : 'a' + i % 23);
    for (size_t i = 0; i < PEERS; i++)
        peers[i].received = received[i];
    peers[0].input = "one\ntwo\n";
    peers[0].input_length = 8;
    peers[1].input = long_input;
    peers[1].input_length = sizeof long_input;
    peers[2].input = "bye\nquit\n";
    peers[2].input_length = 9;
    return selector == NULL ? -1 : 0;
}

static int end(void **state)
{
    selector_destroy(selector);
    remove(report_path);
    return support_teardown(state);
}

static int begin_client(void **state)
{
    (void)state;
    good_server =
        support_start_server((const char *const[]){"--proxy-protocol", NULL}, NULL, &good_port);
    return 0;
}

/* The server ends well, too, and has logged nothing unusual. */
static int end_client(void **state)
{
    (void)state;
    process_stop(good_server, PROCESS_STOP_INTERRUPT);
    int status = support_finish(good_server);

    good_server = NULL;
    return status;
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS];

    for (size_t i = 0; i < SCENARIOS; i++) {
        bool client = scenarios[i].run != run_server;

        tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
                                       .test_func = survives,
                                       .setup_func = client ? begin_client : NULL,
                                       .teardown_func = client ? end_client : NULL,
                                       .initial_state = &scenarios[i]};
    }
    return cmocka_run_group_tests_name("torture", tests, begin, end);
}
