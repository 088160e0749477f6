#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "selector_private.h"
#include "stream.h"
#include "support.h"
#include "test.h"

/*
 * The server in the test's own process: its rounds are the test's to call, so nothing here has to
 * sleep or guess. The clock stands still; what comes by the clock comes when it is put forward.
 */

enum {
    LOG_MAX = 1 << 20,
    ROUND = 10,
    NEVER = -1,
    ANY_ERROR = 1,
    LINE = 1000,
    MANY_LINES = 64 * LINE
};

static struct {
    int64_t clock;     /* where it stands, in nanoseconds; 0: it runs */
    char log[LOG_MAX]; /* what was written to stderr */
    size_t log_length;
    char output[LINE];      /* what was written to stdout */
    ptrdiff_t output_takes; /* what stream_write() to stdout returns at most; negative: always */
    int refuse_after;       /* allocations that go well before one is refused */
    bool refused;
    enum net_outcome accept_outcome; /* of the next net_accept(), unless it is NET_DONE */
    int accepts;
    bool wait_fails;
    int64_t waited;        /* how long the selector was last told to wait */
    bool write_unreported; /* the selector says nothing of those ready to send */
    bool in_server;        /* what follows is counted while the server runs */
    int allocations;
    int selects;
    int recvs;
    int sends;
    bool sends_nothing; /* the system takes nothing from the server */
    int given_out;      /* watches that the selector gave out as ready */
    unsigned stops;     /* what os_stop_requests() says */
    int unwatched;      /* selector_add() that go well before one is refused */
    int64_t now_limit;  /* when a test of a broken server has to fail */
} world = {.refuse_after = NEVER,
           .unwatched = NEVER}; /* what runs before main() may allocate, too */

__typeof__(malloc) __wrap_malloc, __real_malloc;
__typeof__(calloc) __wrap_calloc, __real_calloc;
__typeof__(realloc) __wrap_realloc, __real_realloc;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;
__typeof__(net_accept) __wrap_net_accept, __real_net_accept;
__typeof__(stream_write) __wrap_stream_write;
__typeof__(os_stop_requests) __wrap_os_stop_requests;
__typeof__(selector_add) __wrap_selector_add, __real_selector_add;
__typeof__(selector_wait) __wrap_selector_wait, __real_selector_wait;
__typeof__(selector_sets_wait) __wrap_selector_sets_wait, __real_selector_sets_wait;
__typeof__(net_recv) __wrap_net_recv, __real_net_recv;
__typeof__(net_send) __wrap_net_send, __real_net_send;
__typeof__(selector_next) __wrap_selector_next, __real_selector_next;

static bool memory_refused(void)
{
    world.allocations += world.in_server;
    if (world.refuse_after == NEVER || world.refuse_after-- > 0)
        return false;
    world.refuse_after = NEVER;
    world.refused = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return memory_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return memory_refused() ? NULL : __real_realloc(memory, size);
}

int64_t __wrap_os_nanoseconds(void)
{
    return world.clock != 0 ? world.clock : __real_os_nanoseconds();
}

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    if (stream == STREAM_OUTPUT) {
        if (world.output_takes < (ptrdiff_t)length)
            length = world.output_takes > 0 ? (size_t)world.output_takes : 0;
        assert_true(strlen(world.output) + length < sizeof world.output);
        strncat(world.output, bytes, length);
        return world.output_takes < 0 ? world.output_takes : (ptrdiff_t)length;
    }
    if (world.log_length + length >= LOG_MAX)
        world.log_length = 0;
    assert_true(length < LOG_MAX);
    memcpy(world.log + world.log_length, bytes, length);
    world.log_length += length;
    world.log[world.log_length] = '\0';
    return (ptrdiff_t)length;
}

unsigned __wrap_os_stop_requests(void)
{
    return world.stops;
}

struct net_result __wrap_net_accept(os_socket listener, os_socket *s, struct net_address *peer)
{
    enum net_outcome outcome = world.accept_outcome;

    world.accepts++;
    if (outcome == NET_DONE)
        return __real_net_accept(listener, s, peer);
    world.accept_outcome = NET_DONE;
    *s = OS_NO_SOCKET;
    return (struct net_result){.outcome = outcome, .error = ANY_ERROR};
}

bool __wrap_selector_add(struct selector *selector, struct selector_watch *watch, os_socket s,
                         uint8_t interest)
{
    if (world.unwatched == NEVER || world.unwatched-- > 0)
        return __real_selector_add(selector, watch, s, interest);
    world.unwatched = NEVER;
    world.refused = true;
    return false;
}

bool __wrap_selector_wait(struct selector *selector, int64_t deadline)
{
    world.waited = deadline - os_nanoseconds();
    return !world.wait_fails && __real_selector_wait(selector, deadline);
}

bool __wrap_selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout)
{
    world.selects += world.in_server;
    return __real_selector_sets_wait(selector, from, to, timeout);
}

struct net_result __wrap_net_recv(os_socket s, void *bytes, size_t size)
{
    world.recvs += world.in_server;
    return __real_net_recv(s, bytes, size);
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    world.sends += world.in_server;
    if (world.in_server && world.sends_nothing)
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    return __real_net_send(s, bytes, length);
}

struct selector_watch *__wrap_selector_next(struct selector *selector)
{
    struct selector_watch *watch = __real_selector_next(selector);

    while (world.write_unreported && watch != NULL && (watch->ready & SELECTOR_WRITE))
        watch = __real_selector_next(selector);
    world.given_out += watch != NULL;
    return watch;
}

static struct server *server;
static struct listeners listeners;
static struct net_address address;

/* The milliseconds that the server could have waited for are over. */
static void put_clock_forward(int64_t duration)
{
    world.clock += duration;
}

static int start_quiet(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.clock = __real_os_nanoseconds();
    world.refuse_after = world.unwatched = NEVER;
    world.output_takes = LINE;
    server = NULL;
    return 0;
}

static int end_server(void **state)
{
    (void)state;
    world.refuse_after = NEVER;
    server_destroy(server);
    server = NULL;
    return 0;
}

static struct server_options usual(enum protocol_mode mode)
{
    return (struct server_options){
        .rules = {.mode = mode, .max_line = LINE, .prefix = PROTOCOL_PREFIX},
        .max_clients = UINT64_MAX,
        .drain_timeout = SECONDS(3600),
        .way = SELECTOR_ANNOUNCED,
        .log_level = LOG_EVENTS};
}

static void open_some_listeners(int count)
{
    static const char *const names[] = {"127.0.0.1", "127.0.0.2"};
    static const uint16_t port = 0;
    char note[LISTENERS_ERROR];

    assert_true(listeners_open(&listeners, names, count, &port, 1, false, note));
    address = listeners.all[0].address;
}

static void open_listeners(void)
{
    open_some_listeners(1);
}

static void start_on(int count, const struct server_options *options)
{
    open_some_listeners(count);
    server = server_create(options, &listeners, OS_NO_SOCKET);
    assert_non_null(server);
    world.now_limit = __real_os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
}

static void start(const struct server_options *options)
{
    start_on(1, options);
}

/* One round, which has nothing to do with the server's end; waits if there is nothing to do. */
static void step(void)
{
    world.in_server = true;
    assert_int_equal(server_step(server, os_nanoseconds() + MILLISECONDS(ROUND)), SERVER_RUNNING);
    world.in_server = false;
    if (__real_os_nanoseconds() > world.now_limit)
        fail_msg("what the test waits for has not come; the log:\n%s", world.log);
}

static void step_until_clients(uint64_t count)
{
    while (server_clients(server) != count)
        step();
}

/* Rounds until one has nothing to do, and so has waited. */
static void step_until_quiet(void)
{
    int before;

    do {
        before = world.given_out;
        step();
    } while (world.given_out > before);
}

/* Nothing is given out over and over: the server waits. */
static void assert_quiet(void)
{
    step_until_quiet();
    int before = world.given_out;

    for (int i = 0; i < 5; i++)
        assert_int_equal(server_step(server, 0), SERVER_RUNNING);
    assert_int_equal(world.given_out, before);
}

/* As server_step(), until it has ended. */
static void step_until_stopped(void)
{
    enum server_status status;

    world.in_server = true;
    while ((status = server_step(server, os_nanoseconds() + MILLISECONDS(ROUND))) == SERVER_RUNNING)
        assert_true(__real_os_nanoseconds() < world.now_limit);
    world.in_server = false;
    assert_int_equal(status, SERVER_STOPPED);
}

static os_socket join(void)
{
    uint64_t before = server_clients(server);
    os_socket s = support_connect(&address);

    step_until_clients(before + 1);
    return s;
}

/* Steps the server until something has come. */
static struct net_result receive(os_socket s, void *bytes, size_t size)
{
    struct net_result result;

    while ((result = net_recv(s, bytes, size)).outcome == NET_WOULD_BLOCK)
        step();
    return result;
}

static void expect_bytes(os_socket s, const void *bytes, size_t length)
{
    static char received[65536];

    for (size_t done = 0; done < length;) {
        size_t rest = length - done;
        struct net_result result =
            receive(s, received, rest < sizeof received ? rest : sizeof received);

        assert_int_equal(result.outcome, NET_DONE);
        assert_memory_equal(received, (const char *)bytes + done, result.bytes);
        done += result.bytes;
    }
}

static void expect(os_socket s, const char *text)
{
    expect_bytes(s, text, strlen(text));
}

static void expect_end(os_socket s)
{
    char byte;

    assert_int_equal(receive(s, &byte, 1).outcome, NET_END);
}

static void say(os_socket s, const char *text)
{
    support_send(s, text, strlen(text));
}

/* MANY_LINES bytes of an endless stream of lines of LINE bytes, from `offset` on. */
static const char *lines_from(size_t offset)
{
    static char lines[MANY_LINES + LINE];

    if (lines[0] == '\0') {
        memset(lines, 'x', sizeof lines);
        for (size_t i = LINE - 1; i < sizeof lines; i += LINE)
            lines[i] = '\n';
    }
    return lines + offset % LINE;
}

/*
 * Sends lines, and reads no answer, until neither the server nor the system takes any more; returns
 * how many bytes that were. What was logged until then is forgotten: it may be too much to keep.
 */
static size_t send_until_stuck(os_socket s)
{
    size_t sent = 0;

    for (int refusals = 0; refusals < 20;) {
        struct net_result result = net_send(s, lines_from(sent), MANY_LINES);

        assert_true(result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK);
        sent += result.bytes;
        refusals = result.outcome == NET_DONE ? 0 : refusals + 1;
        assert_int_equal(server_step(server, os_nanoseconds() + MILLISECONDS(1)), SERVER_RUNNING);
        assert_true(sent < (size_t)1 << 30);
    }
    world.log_length = 0;
    return sent;
}

static void expect_lines(os_socket s, size_t length)
{
    for (size_t done = 0; done < length;) {
        size_t piece = length - done < MANY_LINES ? length - done : MANY_LINES;

        expect_bytes(s, lines_from(done), piece);
        done += piece;
    }
}

static int logged(const char *text)
{
    int count = 0;

    for (const char *at = world.log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void serves_many_clients(void **state)
{
    enum { CLIENTS = 200 };
    struct server_options options = usual(PROTOCOL_LINE);
    os_socket clients[CLIENTS];
    char line[64], answer[64];

    (void)state;
    start(&options);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = join();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(line, sizeof line, "client %d round %d\n", i, round);
            say(clients[i], line);
        }
        for (int i = CLIENTS - 1; i >= 0; i--) {
            snprintf(answer, sizeof answer, "Message received - client %d round %d\n", i, round);
            expect(clients[i], answer);
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        net_close(clients[i]);
    step_until_clients(0);
    assert_int_equal(logged("Connection opened["), CLIENTS);
    assert_int_equal(logged("]:end of stream; "), CLIENTS);
}

/* One recv and one send a message, and one wait for all that are ready. */
static void a_message_costs_two_system_calls(void **state)
{
    enum { CLIENTS = 100, ROUNDS = 20, MESSAGES = CLIENTS * ROUNDS };
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket clients[CLIENTS];

    (void)state;
    start(&options);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = join();
    step_until_quiet();
    world.selects = world.recvs = world.sends = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int given_out = world.given_out;

        for (int i = 0; i < CLIENTS; i++)
            say(clients[i], "message");
        while (world.given_out - given_out < CLIENTS)
            step();
        for (int i = 0; i < CLIENTS; i++)
            expect(clients[i], "message");
    }
    assert_int_equal(world.recvs, MESSAGES);
    assert_int_equal(world.sends, MESSAGES);
    assert_int_in_range(world.selects, ROUNDS, MESSAGES / 20);
    for (int i = 0; i < CLIENTS; i++)
        net_close(clients[i]);
    step_until_clients(0);
}

/* Its struct, and now and then more room in what the selector has for all. */
static void a_connection_costs_one_allocation(void **state)
{
    enum { CLIENTS = 200, GROWTH = 20 };
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket clients[CLIENTS];

    (void)state;
    start(&options);
    world.allocations = 0;
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = join();
    assert_int_in_range(world.allocations, CLIENTS, CLIENTS + GROWTH);
    world.allocations = 0;
    for (int i = 0; i < CLIENTS; i++) {
        say(clients[i], "message");
        expect(clients[i], "message");
    }
    assert_int_equal(world.allocations, 0);
    for (int i = 0; i < CLIENTS; i++)
        net_close(clients[i]);
    step_until_clients(0);
}

/* The other side of the half-close: everything comes back, and then the end. */
static void echoes_all_before_the_end(void **state)
{
    enum { LENGTH = 1 << 20 };
    struct server_options options = usual(PROTOCOL_ECHO);
    char *bytes = support_random_bytes(LENGTH, 1);
    size_t sent = 0, received = 0;
    static char buffer[65536];

    (void)state;
    start(&options);
    os_socket s = join();

    while (received < LENGTH) {
        struct net_result result = {.outcome = NET_WOULD_BLOCK};

        if (sent < LENGTH) {
            result = net_send(s, bytes + sent, LENGTH - sent);
            sent += result.outcome == NET_DONE ? result.bytes : 0;
            if (sent == LENGTH)
                net_end_sending(s);
        }
        if (result.outcome == NET_WOULD_BLOCK) {
            result = receive(s, buffer, sizeof buffer);
            assert_int_equal(result.outcome, NET_DONE);
            assert_true(received + result.bytes <= LENGTH);
            assert_memory_equal(buffer, bytes + received, result.bytes);
            received += result.bytes;
        }
        assert_int_equal(server_step(server, 0), SERVER_RUNNING);
    }
    expect_end(s);
    step_until_clients(0);
    net_close(s);
    free(bytes);
    assert_int_equal(logged("]:end of stream; 1048576 bytes in, 1048576 bytes out, "), 1);
}

static void logs_each_connection_and_a_summary(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);
    struct net_address peer;
    char text[NET_ADDRESS_TEXT], expected[256];

    (void)state;
    options.max_clients = 5;
    start(&options);
    assert_int_equal(logged("Started: mode line, at most 5 clients"), 1);
    os_socket s = join();

    assert_int_equal(net_local_address(s, &peer).outcome, NET_DONE);
    net_address_text(&peer, text);
    snprintf(expected, sizeof expected, ",Connection opened[%s]\n", text);
    assert_int_equal(logged(expected), 1);
    say(s, "hello\n");
    expect(s, "Message received - hello\n");
    say(s, "quit\r\n");
    expect(s, "quit\r\n");
    expect_end(s);
    snprintf(expected, sizeof expected, ",Recv From Client[%s]:hello\n", text);
    assert_int_equal(logged(expected), 1);
    put_clock_forward(MILLISECONDS(1234));
    net_close(s);
    step_until_clients(0);
    snprintf(expected, sizeof expected,
             ",Connection closed[%s]:quit; 12 bytes in, 31 bytes out, 2 messages, 1.234 seconds\n",
             text);
    assert_int_equal(logged(expected), 1);
    server_stop(server);
    assert_int_equal(server_step(server, 0), SERVER_STOPPED);
    assert_int_equal(logged(",Stopping: "), 1);
    assert_int_equal(logged(",Stopped: 1 connection served, 12 bytes in, 31 bytes out, 2 "
                            "messages, 1.234 seconds\n"),
                     1);
}

static void says_one_in_the_singular(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.max_clients = 1;
    start(&options);
    assert_int_equal(logged(", at most 1 client, "), 1);
    os_socket s = join();

    assert_int_equal(logged(",Client limit (1) reached: "), 1);
    say(s, "x");
    expect(s, "x");
    server_stop(server);
    net_close(s);
    step_until_stopped();
    assert_int_equal(logged(",Stopping: 1 connection to finish\n"), 1);
    assert_int_equal(logged("; 1 byte in, 1 byte out, 1 message, "), 1);
    assert_int_equal(logged(",Stopped: 1 connection served, 1 byte in, 1 byte out, 1 message, "),
                     1);
}

static void keeps_quiet_about_what_goes_well(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    options.log_level = LOG_FAILURES;
    start(&options);
    os_socket good = join(), bad = join();

    say(good, "hello\nquit\n");
    expect(good, "Message received - hello\nquit\n");
    expect_end(good);
    net_close(good);
    step_until_clients(1);
    good = join();
    say(good, "hello\n");
    expect(good, "Message received - hello\n");
    support_reset(good);
    step_until_clients(1);
    assert_string_equal(world.log, "");
    support_send(bad, lines_from(0), LINE - 1);
    say(bad, "xx");
    expect(bad, "Message too long\n");
    expect_end(bad);
    net_close(bad);
    step_until_clients(0);
    assert_int_equal(logged("\n"), 1);
    assert_int_equal(logged("]:line too long; "), 1);
}

/* What says nothing leaves no trace but in the summary; what says something is logged whole. */
static void leaves_empty_connections_out_of_the_log(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    options.no_log_empty = true;
    options.idle_timeout = SECONDS(3600);
    start(&options);
    os_socket ends = join(), resets = join(), idles = join();

    net_close(ends);
    support_reset(resets);
    step_until_clients(1);
    put_clock_forward(options.idle_timeout);
    step_until_clients(0);
    net_close(idles);
    os_socket talks = join();

    assert_int_equal(logged("Connection"), 0);
    say(talks, "hello\n");
    expect(talks, "Message received - hello\n");
    say(talks, "again\n");
    expect(talks, "Message received - again\n");
    assert_int_equal(logged("Connection opened["), 1);
    const char *opened = strstr(world.log, "Connection opened[");

    assert_true(opened < strstr(world.log, "Recv From Client["));
    net_close(talks);
    step_until_clients(0);
    assert_int_equal(logged("Connection closed["), 1);
    /* Turned away by the server is no empty connection's own affair. */
    os_socket refused = support_connect(&address);

    world.refuse_after = 0;
    while (!world.refused)
        step();
    assert_int_equal(logged("]:rejected: out of memory; "), 1);
    net_close(refused);
    server_stop(server);
    step_until_stopped();
    assert_int_equal(logged(",Stopped: 4 connections served"), 1);
}

/* Its first bytes may come when nobody answers any more. */
static void logs_what_talks_while_the_server_stops(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    options.no_log_empty = true;
    start(&options);
    os_socket s = join();

    server_stop(server);
    say(s, "late");
    net_end_sending(s);
    step_until_stopped();
    assert_int_equal(logged("Connection opened["), 1);
    assert_int_equal(logged("]:stopping; 4 bytes in, "), 1);
    net_close(s);
}

/* While it is full, the next client waits in the listener's queue, and nobody asks for it. */
static void pauses_when_full_and_resumes(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.max_clients = 2;
    start(&options);
    os_socket first = join(), second = join(), third = support_connect(&address);

    say(third, "third");
    assert_quiet();
    int accepts = world.accepts;

    say(first, "first");
    expect(first, "first");
    assert_quiet();
    assert_int_equal(server_clients(server), 2);
    assert_int_equal(world.accepts, accepts);
    assert_int_equal(logged("Client limit (2) reached"), 1);
    net_close(second);
    expect(third, "third");
    assert_int_equal(server_clients(server), 2);
    assert_int_equal(logged("Client limit ("), 1);
    net_close(first);
    net_close(third);
    step_until_clients(0);
}

/* One limit for all addresses, also when clients come to all of them in the same round. */
static void the_limit_holds_for_all_listeners_together(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket clients[2];

    (void)state;
    options.max_clients = 1;
    start_on(2, &options);
    assert_int_equal(listeners.count, 2);
    for (int i = 0; i < 2; i++) {
        clients[i] = support_connect(&listeners.all[i].address);
        support_wait(listeners.all[i].watch.socket, SELECTOR_READ);
    }
    assert_quiet();
    assert_int_equal(server_clients(server), 1);
    assert_int_equal(logged("Connection opened["), 1);
    assert_int_equal(logged("Client limit (1) reached"), 1);
    for (int i = 0; i < 2; i++)
        net_close(clients[i]);
    step_until_clients(0);
}

/* Out of descriptors: told once; asked for again after 100 ms, or when a connection ends. */
static void pauses_when_the_system_is_exhausted_and_resumes(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    os_socket first = join();

    world.accept_outcome = NET_EXHAUSTED;
    world.accepts = 0;
    os_socket second = support_connect(&address);

    while (world.accepts == 0)
        step();
    assert_quiet();
    assert_int_equal(world.accepts, 1);
    world.accept_outcome = NET_EXHAUSTED;
    put_clock_forward(MILLISECONDS(100));
    while (world.accepts == 1)
        step();
    assert_quiet();
    assert_int_equal(world.accepts, 2);
    assert_int_equal(logged("Cannot accept: "), 1);
    net_close(first);
    say(second, "second");
    expect(second, "second");
    assert_true(world.accepts > 2);

    /* Once all was well for a second, the next time is told again. */
    put_clock_forward(SECONDS(1));
    world.accept_outcome = NET_EXHAUSTED;
    os_socket third = support_connect(&address);

    while (logged("Cannot accept: ") == 1)
        step();
    put_clock_forward(MILLISECONDS(100));
    say(third, "third");
    expect(third, "third");
    assert_int_equal(logged("Cannot accept: "), 2);
    net_close(second);
    net_close(third);
    step_until_clients(0);
}

/* A connection that had died in the queue holds up none of those behind it. */
static void goes_on_to_the_next_when_one_dies_in_the_queue(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    world.accept_outcome = NET_RESET;
    os_socket s = support_connect(&address);

    while (world.accepts == 0)
        step();
    assert_int_equal(server_clients(server), 1);
    assert_int_equal(logged("Cannot accept"), 0);
    net_close(s);
}

/* Nothing is ready, and nothing due until the clock is put forward. */
static void assert_waits(void)
{
    assert_quiet();
    step();
    assert_int_equal(world.waited, MILLISECONDS(ROUND));
}

/* All that wait when the delay of the first is over are accepted, on whichever address. */
static void leaves_new_connections_in_the_backlog(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket clients[3];

    (void)state;
    options.accept_delay = SECONDS(2);
    start_on(2, &options);
    for (int i = 0; i < 2; i++) {
        clients[i] = support_connect(&listeners.all[i].address);
        say(clients[i], "hello");
        support_wait(listeners.all[i].watch.socket, SELECTOR_READ);
        assert_waits();
        assert_int_equal(world.accepts, 0);
        put_clock_forward(SECONDS(1));
    }
    for (int i = 0; i < 2; i++)
        expect(clients[i], "hello");
    /* The next one waits as long. */
    clients[2] = support_connect(&address);
    support_wait(listeners.all[0].watch.socket, SELECTOR_READ);
    put_clock_forward(SECONDS(60));
    assert_waits();
    assert_int_equal(server_clients(server), 2);
    put_clock_forward(SECONDS(2));
    step_until_clients(3);
    for (int i = 0; i < 3; i++)
        net_close(clients[i]);
    step_until_clients(0);
}

static void the_backlog_waits_for_room_and_for_the_delay(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.accept_delay = SECONDS(1);
    options.max_clients = 1;
    start(&options);
    os_socket first = support_connect(&address);
    os_socket second = support_connect(&address);

    support_wait(listeners.all[0].watch.socket, SELECTOR_READ);
    assert_waits();
    put_clock_forward(SECONDS(1));
    step_until_clients(1);
    assert_waits();
    put_clock_forward(SECONDS(60));
    assert_waits();
    assert_int_equal(logged("Client limit (1) reached"), 1);
    net_close(first);
    step_until_clients(0);
    assert_waits();
    put_clock_forward(SECONDS(1));
    step_until_clients(1);
    /* Who waits when the server is stopped is not served. */
    net_close(second);
    step_until_clients(0);
    second = support_connect(&address);
    support_wait(listeners.all[0].watch.socket, SELECTOR_READ);
    assert_waits();
    server_stop(server);
    step_until_stopped();
    support_expect_closed(second);
    assert_int_equal(logged("Connection opened["), 2);
    net_close(second);
}

/* Of many connections, idle ones among them, each gets its late answer in time, also if its input
 * had to wait for room; and the server sleeps meanwhile. */
static void late_answers_reach_many_clients(void **state)
{
    enum { CLIENTS = 80, LENGTH = 200 * 1024 };
    static const enum selector_way ways[] = {SELECTOR_ALL, SELECTOR_POLLED, SELECTOR_ANNOUNCED};
    os_socket clients[CLIENTS];
    char *bytes = support_random_bytes(LENGTH, 1);

    (void)state;
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        struct server_options options = usual(PROTOCOL_ECHO);

        options.way = ways[way];
        options.impairments.delay = SECONDS(1);
        start(&options);
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = join();
        put_clock_forward(SECONDS(10)); /* until they are cold */
        assert_quiet();
        put_clock_forward(SECONDS(10));
        assert_quiet();
        int64_t said = world.clock;
        int recvs = world.recvs;

        for (int i = 0; i < CLIENTS; i++)
            say(clients[i], "late");
        for (; world.recvs < recvs + CLIENTS; put_clock_forward(MILLISECONDS(1)))
            step(); /* cold ones are polled by the clock */
        assert_true(world.clock < said + SECONDS(1));
        world.clock = said + SECONDS(1) - 1;
        step_until_quiet();
        for (int i = 0; i < CLIENTS; i++) {
            char byte;

            assert_int_equal(net_recv(clients[i], &byte, 1).outcome, NET_WOULD_BLOCK);
        }
        put_clock_forward(SECONDS(1));
        for (int i = 0; i < CLIENTS; i++)
            expect(clients[i], "late");

        for (size_t sent = 0, got = 0; got < LENGTH;) {
            static char received[LENGTH];

            if (sent < LENGTH)
                sent += net_send(clients[7], bytes + sent, LENGTH - sent).bytes;
            step_until_quiet();
            put_clock_forward(SECONDS(1));
            step_until_quiet();
            struct net_result result = net_recv(clients[7], received, LENGTH - got);

            assert_memory_equal(received, bytes + got, result.bytes);
            got += result.bytes;
        }
        for (int i = 0; i < CLIENTS; i++)
            net_close(clients[i]);
        step_until_clients(0);
        end_server(NULL);
    }
    free(bytes);
}

/* Late answers are drained, and one that is stalled is not waited for. */
static void drains_impaired_connections(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.impairments.delay = SECONDS(60);
    options.impairments.at[IMPAIRMENT_STALL] = 7;
    start(&options);
    os_socket late = join(), stalled = join();

    say(stalled, "too much");
    step_until_quiet();
    put_clock_forward(SECONDS(60));
    expect(stalled, "too mu");
    say(stalled, "more");
    say(late, "late");
    step_until_quiet();
    assert_int_equal(server_clients(server), 2);
    server_stop(server);
    assert_int_equal(server_clients(server), 1);
    assert_waits();
    assert_int_equal(logged("]:stopping; 12 bytes in, 6 bytes out, "), 1);
    put_clock_forward(SECONDS(60));
    expect(late, "late");
    expect_end(late);
    net_close(late);
    step_until_stopped();
    net_close(stalled);
}

/* It is as idle as any other: nothing moves on it. */
static void ends_stalled_connections_that_are_idle(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.impairments.at[IMPAIRMENT_STALL] = 4;
    options.idle_timeout = SECONDS(3600);
    start(&options);
    os_socket s = join();

    say(s, "hello");
    expect(s, "hel");
    say(s, "again");
    net_end_sending(s);
    assert_waits();
    put_clock_forward(options.idle_timeout);
    step_until_clients(0);
    expect_end(s);
    assert_int_equal(logged("]:idle; 10 bytes in, 3 bytes out, "), 1);
    net_close(s);
}

static void ends_idle_connections(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.idle_timeout = SECONDS(3600);
    start(&options);
    os_socket busy = join(), silent = join();

    put_clock_forward(options.idle_timeout * 3 / 4);
    say(busy, "busy");
    expect(busy, "busy");
    assert_int_equal(server_clients(server), 2);
    put_clock_forward(options.idle_timeout / 2);
    step_until_clients(1);
    expect_end(silent);
    say(busy, "busy");
    expect(busy, "busy");
    assert_int_equal(logged("]:idle; 0 bytes in, 0 bytes out, 0 messages, "), 1);
    assert_int_equal(logged("Connection closed"), 1);
    net_close(silent);
    net_close(busy);
}

/* A round that may wait for ever does not, when there is something to be done at its time. */
static void wakes_up_by_itself(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    world.clock = 0;
    options.idle_timeout = MILLISECONDS(30);
    start(&options);
    os_socket s = join();

    while (server_clients(server) > 0)
        assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_int_equal(logged("]:idle; "), 1);
    net_close(s);

    world.accept_outcome = NET_EXHAUSTED;
    s = support_connect(&address);
    while (server_clients(server) == 0)
        assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_int_equal(logged("Cannot accept: "), 1);

    net_close(s);
    end_server(NULL);

    options.idle_timeout = 0;
    options.accept_delay = options.impairments.delay = MILLISECONDS(30);
    start(&options);
    s = support_connect(&address);
    while (server_clients(server) == 0)
        assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    say(s, "late");
    net_end_sending(s);
    while (server_clients(server) > 0)
        assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    support_expect_text(s, "late");
    net_close(s);
    end_server(NULL);

    options.accept_delay = options.impairments.delay = 0;
    options.drain_timeout = MILLISECONDS(30);
    start(&options);
    s = join();
    send_until_stuck(s);
    server_stop(server);
    /* First one in which the log is written, so that it is not what the next one wakes up for. */
    for (int64_t deadline = 0; server_step(server, deadline) == SERVER_RUNNING;
         deadline = DEADLINE_NEVER)
        assert_int_equal(server_clients(server), 1);
    net_close(s);
}

/* What a round takes is not waited for once more after it. */
static void a_long_round_puts_nothing_off(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.idle_timeout = SECONDS(1);
    start(&options);
    os_socket s = join();

    put_clock_forward(MILLISECONDS(999));
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_int_equal(world.waited, MILLISECONDS(1));
    put_clock_forward(SECONDS(3600));
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_true(world.waited <= 0);
    assert_int_equal(logged("]:idle; "), 1);
    net_close(s);

    /* The listeners are watched again, though their time has come between two rounds. */
    world.accept_outcome = NET_EXHAUSTED;
    s = support_connect(&address);
    while (logged("Cannot accept: ") == 0)
        step();
    put_clock_forward(SECONDS(3600));
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_true(world.waited <= 0);
    step_until_clients(1);
    net_close(s);
}

/* A client that takes nothing of its answers is ended; one that is only silent is not. */
static void ends_connections_that_take_nothing(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.stall_timeout = SECONDS(3600);
    start(&options);
    os_socket stalled = join(), silent = join();

    send_until_stuck(stalled);
    put_clock_forward(options.stall_timeout);
    step_until_clients(1);
    assert_int_equal(logged("]:stalled; "), 1);
    assert_int_equal(logged("Connection closed"), 1);
    say(silent, "silent");
    expect(silent, "silent");
    net_close(stalled);
    net_close(silent);
}

/* The connections of one address are limited; when one of them ends, another one is served. */
static void limits_the_connections_of_an_address(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.max_per_address = 2;
    start(&options);
    os_socket first = join(), second = join();

    for (int i = 0; i < 3; i++) {
        os_socket third = support_connect(&address);

        expect_end(third);
        net_close(third);
        assert_int_equal(logged("]:rejected: too many from this address; 0 bytes in"), i + 1);
    }
    assert_int_equal(server_clients(server), 2);
    net_close(first);
    step_until_clients(1);
    os_socket fourth = join();

    say(fourth, "served");
    expect(fourth, "served");
    say(second, "too");
    expect(second, "too");
    net_close(second);
    net_close(fourth);
}

/* With headers, the limit counts the clients that they name, and not the proxy. */
static void limits_the_connections_of_a_proxied_address(void **state)
{
    static const char *const named[] = {"192.0.2.1", "192.0.2.2", "192.0.2.1"};
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket proxied[3];
    char text[128];

    (void)state;
    options.max_per_address = 1;
    options.proxy_protocol = true;
    start(&options);
    for (int i = 0; i < 3; i++) {
        proxied[i] = join();
        snprintf(text, sizeof text, "PROXY TCP4 %s 127.0.0.1 %d 9901\r\nhello", named[i], 5000 + i);
        say(proxied[i], text);
        if (i < 2)
            expect(proxied[i], "hello");
    }
    step_until_clients(2);
    assert_int_equal(logged("Connection opened[192.0.2.1:5000] through 127.0.0.1:"), 1);
    assert_int_equal(logged("Connection opened[192.0.2.2:5001] through 127.0.0.1:"), 1);
    assert_int_equal(logged("Connection opened["), 2);
    assert_int_equal(
        logged("Connection closed[192.0.2.1:5002]:rejected: too many from this address; "), 1);
    net_close(proxied[0]);
    step_until_clients(1);
    assert_int_equal(logged("Connection closed[192.0.2.1:5000]:end of stream; 5 bytes in, "), 1);
    os_socket again = join();

    say(again, "PROXY TCP4 192.0.2.1 127.0.0.1 5003 9901\r\nagain");
    expect(again, "again");
    net_close(again);
    for (int i = 1; i < 3; i++)
        net_close(proxied[i]);
}

/* A header has its time once it has begun; until then it may take as long as it likes. */
static void headers_have_their_time(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.proxy_protocol = true;
    start(&options);
    os_socket waits = join(), first = join(), second = join();

    put_clock_forward(SECONDS(3600));
    step_until_quiet();
    assert_int_equal(server_clients(server), 3);
    say(first, "PROXY TCP4 192.0.2.1 ");
    step_until_quiet();
    put_clock_forward(CONNECTION_HEADER_TIME / 2);
    say(first, "127.0.0.1 ");
    say(second, "PROXY");
    step_until_quiet();
    assert_int_equal(server_clients(server), 3);
    put_clock_forward(CONNECTION_HEADER_TIME / 2);
    step_until_clients(2);
    assert_int_equal(logged("]:late PROXY header; 0 bytes in"), 1);
    say(second, " UNKNOWN\r\nhello");
    expect(second, "hello");
    say(waits, "PROXY UNKNOWN\r\nhello");
    expect(waits, "hello");
    net_close(first);
    first = join();
    say(first, "PROXY");
    step_until_quiet();
    server_stop(server);
    step();
    assert_int_equal(logged("]:stopping; "), 1);
    net_close(waits);
    net_close(first);
    net_close(second);
    step_until_stopped();
}

/* The time of a header is no idle time of the connection that it opens. */
static void a_slow_header_makes_nobody_idle(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.proxy_protocol = true;
    options.idle_timeout = SECONDS(4);
    start(&options);
    os_socket slow = join();

    say(slow, "PROXY");
    step_until_quiet();
    put_clock_forward(SECONDS(3));
    os_socket other = join();

    say(other, "PROXY UNKNOWN\r\nhello");
    expect(other, "hello");
    put_clock_forward(SECONDS(1));
    say(slow, " UNKNOWN\r\n");
    step_until_quiet();
    assert_int_equal(logged("Connection opened["), 2);
    put_clock_forward(SECONDS(3));
    step_until_clients(1);
    expect_end(other);
    assert_int_equal(logged("]:idle; "), 1);
    put_clock_forward(SECONDS(1));
    step_until_clients(0);
    expect_end(slow);
    assert_int_equal(logged("]:idle; "), 2);
    net_close(slow);
    net_close(other);
}

/* Behind a proxy, too, a stop ends connections politely: what has come is read first. */
static void a_stop_resets_no_proxied_connection(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.proxy_protocol = true;
    start(&options);
    os_socket s = join();

    say(s, "PROXY TCP4 192.0.2.1 ");
    step_until_quiet();
    say(s, "192.0.2.2 5000 9901\r\nhello");
    server_stop(server);
    expect_end(s);
    net_close(s);
    step_until_stopped();
    assert_int_equal(logged("]:stopping; 0 bytes in"), 1);
}

/* While there is room for one connection at a time, each listener has its turn. */
static void no_listener_starves_the_others(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket first[10], second;

    (void)state;
    options.max_clients = 1;
    start_on(2, &options);
    for (int i = 0; i < 10; i++)
        first[i] = support_connect(&listeners.all[0].address);
    second = support_connect(&listeners.all[1].address);
    say(second, "hello");
    for (int i = 0; i < 2; i++) {
        step_until_clients(1);
        net_close(first[i]);
        step();
    }
    expect(second, "hello");
    net_close(second);
    for (int i = 2; i < 10; i++)
        net_close(first[i]);
}

/* A client that neither reads nor sends anything more is idle too, whatever is queued for it. */
static void ends_idle_connections_that_do_not_read(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.idle_timeout = SECONDS(3600);
    start(&options);
    os_socket s = join();

    send_until_stuck(s);
    assert_int_equal(server_clients(server), 1);
    put_clock_forward(options.idle_timeout);
    step_until_clients(0);
    assert_int_equal(logged("]:idle; "), 1);
    net_close(s);
}

static void lingers_no_longer_than_it_says(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    start(&options);
    os_socket s = join();

    say(s, "quit\nmore");
    expect(s, "quit\n");
    expect_end(s);
    step_until_quiet();
    assert_int_equal(server_clients(server), 1);
    /* Still talking does not keep it. */
    put_clock_forward(CONNECTION_LINGER / 2);
    say(s, "more");
    step_until_quiet();
    assert_int_equal(server_clients(server), 1);
    put_clock_forward(CONNECTION_LINGER / 2);
    step_until_clients(0);
    assert_int_equal(logged("]:quit; "), 1);
    net_close(s);
}

static void a_client_that_does_not_read_is_not_read_from(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    os_socket reader = join(), other = join();
    size_t sent = send_until_stuck(other);

    assert_quiet();
    for (int i = 0; i < 20; i++) {
        say(reader, "reader");
        expect(reader, "reader");
    }
    /* All of it was only held up. */
    net_end_sending(other);
    expect_lines(other, sent);
    expect_end(other);
    net_close(other);
    step_until_clients(1);
    net_close(reader);
    step_until_clients(0);
}

static void a_reset_concerns_nobody_else(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    os_socket first = join(), second = join(), third = join();

    say(first, "first");
    say(third, "third");
    send_until_stuck(second);
    support_reset(second);
    step_until_clients(2);
    expect(first, "first");
    expect(third, "third");
    assert_int_equal(logged("]:reset; "), 1);
    support_reset(first);
    step_until_clients(1);
    say(third, "third");
    expect(third, "third");
    net_close(third);
    step_until_clients(0);
}

/* Not every select() reports a reset to one who waits to send; a send finds it. */
static void a_reset_that_is_not_reported_is_found(void **state)
{
    static const int64_t RETRY = SECONDS(1);
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    os_socket first = join(), second = join();
    size_t sent = send_until_stuck(first);

    send_until_stuck(second);
    world.write_unreported = true;
    support_reset(second);
    put_clock_forward(RETRY - MILLISECONDS(1));
    step_until_quiet();
    assert_int_equal(server_clients(server), 2);
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_int_equal(world.waited, MILLISECONDS(1));
    /* The reset may be on its way still when a send is tried. */
    for (put_clock_forward(MILLISECONDS(1)); server_clients(server) > 1; put_clock_forward(RETRY))
        step_until_quiet();
    assert_int_equal(logged("]:reset; "), 1);
    /* Again, and again it costs the one that is only slow nothing. */
    put_clock_forward(RETRY);
    step_until_quiet();
    world.write_unreported = false;
    net_end_sending(first);
    expect_lines(first, sent);
    expect_end(first);
    net_close(first);
    step_until_clients(0);
}

/* The client for which there is no memory is turned away with a line in the log. */
static void refused_memory_concerns_nobody_else(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    char byte;

    (void)state;
    start(&options);
    os_socket good = join();
    os_socket refused = support_connect(&address);

    world.refuse_after = 0;
    while (!world.refused)
        step();
    assert_int_not_equal(receive(refused, &byte, 1).outcome, NET_DONE);
    net_close(refused);
    assert_int_equal(server_clients(server), 1);
    assert_int_equal(logged("]:rejected: out of memory; "), 1);

    /* The same while it reads from one that does not read. */
    os_socket other = join();

    world.refused = false;
    world.refuse_after = 0;
    for (size_t sent = 0; !world.refused;
         sent += net_send(other, lines_from(sent), MANY_LINES).bytes)
        step();
    step_until_clients(1);
    assert_int_equal(logged("]:out of memory; "), 1);
    net_close(other);
    say(good, "good");
    expect(good, "good");
    net_close(good);
    step_until_clients(0);
}

/* The selector's own memory, too, which grows with the clients. */
static void survives_any_refusal_while_clients_come(void **state)
{
    enum { CLIENTS = 80 };
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket clients[CLIENTS];
    bool served[CLIENTS];

    (void)state;
    start(&options);
    for (int i = 0; i < CLIENTS; i++) {
        uint64_t before = server_clients(server);
        int accepts = world.accepts;

        clients[i] = support_connect(&address);
        world.refuse_after = i % 4;
        while (world.accepts == accepts)
            step();
        world.refuse_after = NEVER;
        served[i] = server_clients(server) > before;
    }
    assert_int_in_range(server_clients(server), CLIENTS / 2, CLIENTS - CLIENTS / 4);
    assert_int_equal(logged("]:rejected: out of memory; "), CLIENTS - server_clients(server));
    for (int i = 0; i < CLIENTS; i++) {
        if (served[i]) {
            say(clients[i], "good");
            expect(clients[i], "good");
        }
        net_close(clients[i]);
    }
    step_until_clients(0);
}

static void drains_when_it_is_stopped(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    start(&options);
    os_socket silent[] = {join(), join(), join()};

    put_clock_forward(CONNECTION_LINGER);
    os_socket slow = join(), idle = join();
    size_t sent = send_until_stuck(slow);

    server_stop(server);
    assert_int_equal(listeners.count, 0);
    step_until_quiet();
    assert_int_equal(server_clients(server), 2);
    for (int i = 0; i < 3; i++) {
        expect_end(silent[i]);
        net_close(silent[i]);
    }
    expect_end(idle);
    net_close(idle);

    /* What was answered comes, as whole lines, and then the end. */
    static const char answer[] = "Message received - ";
    size_t length = 0;
    struct net_result result;
    char byte;

    while ((result = receive(slow, &byte, 1)).outcome == NET_DONE) {
        assert_int_equal(byte, answer[0]);
        expect(slow, answer + 1);
        expect_lines(slow, LINE);
        length += LINE;
    }
    assert_int_equal(result.outcome, NET_END);
    assert_int_in_range(length, LINE, sent);
    net_close(slow);
    step_until_stopped();
    assert_int_equal(logged("]:stopping; "), 5);
}

static void drains_no_longer_than_it_is_told(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    os_socket s = join();

    send_until_stuck(s);
    server_stop(server);
    step_until_quiet();
    put_clock_forward(options.drain_timeout - SECONDS(60));
    step_until_quiet();
    assert_int_equal(server_clients(server), 1);
    put_clock_forward(SECONDS(60));
    step_until_stopped();
    assert_int_equal(server_clients(server), 0);
    assert_int_equal(logged("]:stopping; "), 1);
    net_close(s);
}

static void drains_not_at_all_when_told_so(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    options.drain_timeout = 0;
    start(&options);
    os_socket s = join();

    send_until_stuck(s);
    server_stop(server);
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_STOPPED);
    net_close(s);
}

static void a_second_stop_ends_it_at_once(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    start(&options);
    os_socket lingering = join(), stuck = join();

    say(lingering, "quit\n");
    expect(lingering, "quit\n");
    send_until_stuck(stuck);
    server_stop(server);
    step_until_quiet();
    assert_int_equal(server_clients(server), 2);
    server_stop(server);
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_STOPPED);
    assert_int_equal(logged("]:quit; "), 1);
    assert_int_equal(logged("]:stopping; "), 1);
    net_close(lingering);
    net_close(stuck);
}

/* What the system has taken arrives, although the client has sent what nobody has read. */
static void a_second_stop_destroys_nothing_on_its_way(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket s;
    char byte;

    (void)state;
    start(&options);
    s = join();
    say(s, "answered");
    while (world.sends == 0)
        step();
    world.sends_nothing = true;
    say(s, "stuck");
    while (world.sends == 1)
        step();
    say(s, "unread");
    server_stop(server);
    server_stop(server);
    step_until_stopped();
    support_expect_text(s, "answered");
    support_wait(s, SELECTOR_READ);
    assert_int_equal(net_recv(s, &byte, 1).outcome, NET_END);
    net_close(s);
}

/* The socket that requests to stop make readable; here both have come before the server looks. */
static void stops_when_its_stop_socket_says_so(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    os_socket pair[2];

    (void)state;
    support_pair(pair);
    open_listeners();
    server = server_create(&options, &listeners, pair[0]);
    assert_non_null(server);
    world.now_limit = __real_os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
    os_socket s = join();

    send_until_stuck(s);
    world.stops = 2;
    say(pair[1], "x");
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_STOPPED);
    net_close(s);
    net_close(pair[0]);
    net_close(pair[1]);
}

static void says_why_it_cannot_wait(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    world.wait_fails = true;
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_FAILED);
    assert_int_equal(logged(",select() failed: "), 1);
}

/* Sanitizers tell if anything of these is left. */
static void is_destroyed_with_all_that_it_has(void **state)
{
    struct server_options options = usual(PROTOCOL_LINE);

    (void)state;
    start(&options);
    os_socket open = join(), incomplete = join(), lingering = join(), stuck = join();

    say(incomplete, "incomplete");
    say(lingering, "quit\n");
    expect(lingering, "quit\n");
    send_until_stuck(stuck);
    assert_int_equal(server_clients(server), 4);
    end_server(NULL);
    assert_int_equal(listeners.count, 0);
    assert_int_equal(logged("Connection closed"), 4);
    support_expect_closed(open);
    net_close(open);
    net_close(incomplete);
    net_close(lingering);
    net_close(stuck);
}

static void is_created_whole_or_not_at_all(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    int allocations = 0;

    (void)state;
    do {
        open_listeners();
        world.refused = false;
        world.refuse_after = allocations++;
        server = server_create(&options, &listeners, OS_NO_SOCKET);
        assert_int_equal(server == NULL, world.refused);
        assert_int_equal(listeners.count, server != NULL);
        assert_int_equal(logged("Started: "), server != NULL);
    } while (server == NULL);
    assert_int_in_range(allocations, 5, 20);
}

/* A descriptor with a high number needs memory to be watched. */
static void is_created_only_if_all_can_be_watched(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);
    int watched = 0;
    os_socket stop[2];

    (void)state;
    support_pair(stop);
    do {
        open_listeners();
        world.refused = false;
        world.unwatched = watched++;
        server = server_create(&options, &listeners, stop[0]);
        assert_int_equal(server == NULL, world.refused);
        assert_int_equal(listeners.count, server != NULL);
    } while (server == NULL);
    assert_int_equal(watched, 1 + 2); /* the request to stop, and the listener */
    world.unwatched = NEVER;
    net_close(stop[0]);
    net_close(stop[1]);
}

/* What the server says of its listener, to compare with world.output. */
static const char *announcement(void)
{
    static char line[NET_ADDRESS_TEXT + 16];
    char text[NET_ADDRESS_TEXT];

    sprintf(line, "listening on %s\n", net_address_text(&address, text));
    return line;
}

static void says_where_it_listens_before_all_else(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    start(&options);
    assert_string_equal(world.output, announcement());
    assert_quiet();
    assert_string_equal(world.output, announcement());
}

static void serves_and_stops_while_nobody_reads_where_it_listens(void **state)
{
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    world.output_takes = 0;
    start(&options);
    os_socket s = join();

    say(s, "hello");
    expect(s, "hello");
    step();
    assert_string_equal(world.output, "");
    /* It does not wait for its clients alone. */
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    world.output_takes = 5;
    assert_int_equal(server_step(server, DEADLINE_NEVER), SERVER_RUNNING);
    assert_string_equal(world.output, announcement());
    net_close(s);
    step_until_clients(0);

    server_destroy(server);
    world.output_takes = 0;
    start(&options);
    server_stop(server);
    step_until_stopped();
}

static void an_output_that_takes_nothing_ever_is_told_once(void **state)
{
    static const ptrdiff_t failures[] = {STREAM_BROKEN, STREAM_FULL};
    struct server_options options = usual(PROTOCOL_ECHO);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        server_destroy(server);
        world.log_length = 0;
        world.output_takes = failures[i];
        start(&options);
        assert_quiet();
        assert_int_equal(logged("Cannot write to standard output what it listens on"), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_quiet, end_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(serves_many_clients),
        TEST(says_where_it_listens_before_all_else),
        TEST(serves_and_stops_while_nobody_reads_where_it_listens),
        TEST(an_output_that_takes_nothing_ever_is_told_once),
        TEST(a_message_costs_two_system_calls),
        TEST(a_connection_costs_one_allocation),
        TEST(echoes_all_before_the_end),
        TEST(logs_each_connection_and_a_summary),
        TEST(says_one_in_the_singular),
        TEST(keeps_quiet_about_what_goes_well),
        TEST(leaves_empty_connections_out_of_the_log),
        TEST(logs_what_talks_while_the_server_stops),
        TEST(pauses_when_full_and_resumes),
        TEST(the_limit_holds_for_all_listeners_together),
        TEST(pauses_when_the_system_is_exhausted_and_resumes),
        TEST(goes_on_to_the_next_when_one_dies_in_the_queue),
        TEST(leaves_new_connections_in_the_backlog),
        TEST(the_backlog_waits_for_room_and_for_the_delay),
        TEST(late_answers_reach_many_clients),
        TEST(drains_impaired_connections),
        TEST(ends_stalled_connections_that_are_idle),
        TEST(ends_idle_connections),
        TEST(wakes_up_by_itself),
        TEST(a_long_round_puts_nothing_off),
        TEST(ends_connections_that_take_nothing),
        TEST(limits_the_connections_of_an_address),
        TEST(limits_the_connections_of_a_proxied_address),
        TEST(headers_have_their_time),
        TEST(a_slow_header_makes_nobody_idle),
        TEST(a_stop_resets_no_proxied_connection),
        TEST(no_listener_starves_the_others),
        TEST(ends_idle_connections_that_do_not_read),
        TEST(lingers_no_longer_than_it_says),
        TEST(a_client_that_does_not_read_is_not_read_from),
        TEST(a_reset_concerns_nobody_else),
        TEST(a_reset_that_is_not_reported_is_found),
        TEST(refused_memory_concerns_nobody_else),
        TEST(survives_any_refusal_while_clients_come),
        TEST(drains_when_it_is_stopped),
        TEST(drains_no_longer_than_it_is_told),
        TEST(drains_not_at_all_when_told_so),
        TEST(a_second_stop_ends_it_at_once),
        TEST(a_second_stop_destroys_nothing_on_its_way),
        TEST(stops_when_its_stop_socket_says_so),
        TEST(says_why_it_cannot_wait),
        TEST(is_destroyed_with_all_that_it_has),
        TEST(is_created_whole_or_not_at_all),
        TEST(is_created_only_if_all_can_be_watched),
    };

    return cmocka_run_group_tests_name("server", tests, support_setup, support_teardown);
}
