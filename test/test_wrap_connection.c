#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

enum {
    MAX_LINE = 300,
    ANY_ERROR = 1, /* some number for which the system has words */
    SOCKET = 7,    /* of no meaning: nothing here asks the system */
    BLOCKS_MAX = 8,
    BLOCK_HEADER_MAX = 64,
    SENT_MAX = 1 << 20,
    NEVER = -1
};

/* The network and the memory as the connection under test finds them. */
static struct {
    const struct connection *connection; /* it, unless NULL */

    /* What the peer has sent, how much of it one recv gives at most, and what follows it. */
    const char *incoming;
    size_t incoming_length;
    size_t recv_most;
    enum net_outcome after_incoming;

    /* What the system still takes to send, how much of it at once, and what was sent. */
    size_t room;
    size_t send_most;
    bool fickle; /* it refuses now and then although there is room, and takes some at the next call
                  */
    char sent[SENT_MAX];
    size_t sent_length; /* may pass SENT_MAX: then only the length counts */

    /* The call that fails, counted down from recv and send alike. */
    int fail_after;
    enum net_outcome failure;

    int recvs;
    int sends;
    int ends; /* of the sending side */
    int resets;
    int closes;
    size_t largest_recv; /* that was asked for */

    /* Memory allocated since the start; how many allocations go well before one is refused. */
    struct {
        void *memory;
        size_t size;
    } blocks[BLOCKS_MAX];
    bool watching_memory;
    size_t owned;
    size_t most_owned;
    int refuse_after;
    int refused;
} world;

__typeof__(malloc) __wrap_malloc, __real_malloc;
__typeof__(calloc) __wrap_calloc, __real_calloc;
__typeof__(free) __wrap_free, __real_free;
__typeof__(net_recv) __wrap_net_recv;
__typeof__(net_send) __wrap_net_send;
__typeof__(net_end_sending) __wrap_net_end_sending;
__typeof__(net_reset_on_close) __wrap_net_reset_on_close;
__typeof__(net_close) __wrap_net_close;

static bool memory_refused(void)
{
    if (!world.watching_memory || world.refuse_after == NEVER || world.refuse_after-- > 0)
        return false;
    world.refuse_after = NEVER;
    world.refused++;
    return true;
}

static void *remember_block(void *memory, size_t size)
{
    for (int i = 0; world.watching_memory && memory != NULL; i++) {
        assert_true(i < BLOCKS_MAX);
        if (world.blocks[i].memory != NULL)
            continue;
        world.blocks[i].memory = memory;
        world.blocks[i].size = size;
        world.owned += size;
        if (world.owned > world.most_owned)
            world.most_owned = world.owned;
        break;
    }
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return memory_refused() ? NULL : remember_block(__real_malloc(size), size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_refused() ? NULL : remember_block(__real_calloc(count, size), count * size);
}

void __wrap_free(void *memory)
{
    for (int i = 0; memory != NULL && i < BLOCKS_MAX; i++) {
        if (world.blocks[i].memory == memory) {
            world.blocks[i].memory = NULL;
            world.owned -= world.blocks[i].size;
        }
    }
    __real_free(memory);
}

static bool call_fails(void)
{
    if (world.fail_after == NEVER || world.fail_after-- > 0)
        return false;
    world.fail_after = 0; /* what has failed goes on failing */
    return true;
}

struct net_result __wrap_net_recv(os_socket s, void *bytes, size_t size)
{
    assert_int_equal(s, SOCKET);
    assert_true(size > 0);
    world.recvs++;
    if (size > world.largest_recv)
        world.largest_recv = size;
    /* The back-pressure: nothing is read while something waits to be sent. */
    if (world.connection != NULL)
        assert_int_equal(send_queue_length(&world.connection->queue), 0);
    if (call_fails())
        return (struct net_result){.outcome = world.failure, .error = ANY_ERROR};
    if (world.incoming_length == 0)
        return (struct net_result){.outcome = world.after_incoming, .error = ANY_ERROR};
    if (size > world.recv_most)
        size = world.recv_most;
    if (size > world.incoming_length)
        size = world.incoming_length;
    memcpy(bytes, world.incoming, size);
    world.incoming += size;
    world.incoming_length -= size;
    return (struct net_result){.outcome = NET_DONE, .bytes = size};
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    assert_int_equal(s, SOCKET);
    assert_true(length > 0);
    assert_int_equal(world.ends, 0);
    world.sends++;
    if (call_fails())
        return (struct net_result){.outcome = world.failure, .error = ANY_ERROR};
    if (world.room == 0 || (world.fickle && random_below(3) == 0))
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    if (length > world.send_most)
        length = world.send_most;
    if (length > world.room)
        length = world.room;
    if (world.sent_length + length <= SENT_MAX)
        memcpy(world.sent + world.sent_length, bytes, length);
    world.sent_length += length;
    world.room -= length;
    return (struct net_result){.outcome = NET_DONE, .bytes = length};
}

struct net_result __wrap_net_end_sending(os_socket s)
{
    assert_int_equal(s, SOCKET);
    world.ends++;
    return (struct net_result){.outcome = NET_DONE};
}

void __wrap_net_reset_on_close(os_socket s)
{
    assert_int_equal(s, SOCKET);
    world.resets++;
}

void __wrap_net_close(os_socket s)
{
    assert_int_equal(s, SOCKET);
    world.closes++;
}

static char scratch[CONNECTION_SCRATCH];
static char batch[CONNECTION_BATCH];
static struct log server_log;
static const struct net_address peer = {.bytes = {127, 0, 0, 1}, .port = 5555};

static struct connection_context context = {
    .rules = {.max_line = MAX_LINE, .prefix = PROTOCOL_PREFIX},
    .log = &server_log,
    .scratch = scratch,
    .batch = batch};

/* A new connection in a world in which nothing comes and everything is taken. */
static struct connection *create(enum protocol_mode mode)
{
    memset(&world, 0, sizeof world);
    world.after_incoming = NET_WOULD_BLOCK;
    world.recv_most = world.send_most = world.room = SIZE_MAX;
    world.fail_after = world.refuse_after = NEVER;
    world.watching_memory = true;
    context.rules.mode = mode;
    context.rules.max_line = MAX_LINE;
    context.now = 1000;
    context.log_messages = false;
    server_log.level = LOG_FAILURES;

    struct connection *c = connection_create(SOCKET, &peer, 0, &context);

    world.connection = c;
    assert_non_null(c);
    return c;
}

/* The same, opened. */
static struct connection *start(enum protocol_mode mode)
{
    context.greeting = (struct span){NULL, 0};

    struct connection *c = create(mode);

    connection_open(c, &context);
    return c;
}

/* Nothing is left of it. */
static void finish(struct connection *c)
{
    assert_int_equal(world.closes, 0);
    connection_destroy(c, &context);
    assert_int_equal(world.closes, 1);
    assert_int_equal(world.owned, 0);
    world.watching_memory = false;
}

/* One turn, if the connection waits for something that is there. Returns whether. */
static bool turn(struct connection *c)
{
    uint8_t interest = connection_interest(c, &context);
    bool failed = world.fail_after == 0;
    uint8_t ready = SELECTOR_NONE;

    /* Never both. */
    if (context.impairments == NULL)
        assert_int_equal(interest == SELECTOR_NONE,
                         c->state == CONNECTION_CLOSED || c->state == CONNECTION_ACCEPTED);
    if (interest != SELECTOR_NONE)
        assert_int_equal(interest == SELECTOR_WRITE, send_queue_length(&c->queue) > 0);
    if (failed || world.incoming_length > 0 || world.after_incoming != NET_WOULD_BLOCK)
        ready |= interest & SELECTOR_READ;
    if (failed || world.room > 0)
        ready |= interest & SELECTOR_WRITE;
    if (ready == SELECTOR_NONE)
        return false;
    c->watch.ready = ready;
    connection_serve(c, &context);
    return true;
}

static void run(struct connection *c)
{
    for (int turns = 0; turn(c); turns++)
        assert_true(turns < 100000);
}

static void receive_bytes(struct connection *c, const void *bytes, size_t length)
{
    world.incoming = bytes;
    world.incoming_length = length;
    run(c);
}

static void receive(struct connection *c, const char *text)
{
    receive_bytes(c, text, strlen(text));
}

/* What was sent since the last time is `text`. */
static void assert_sent(const char *text)
{
    assert_int_equal(world.sent_length, strlen(text));
    assert_memory_equal(world.sent, text, strlen(text));
    world.sent_length = 0;
}

static void assert_end(const struct connection *c, enum connection_state state, const char *reason)
{
    char text[CONNECTION_END_TEXT];

    assert_int_equal(c->state, state);
    assert_string_equal(connection_end_text(c, text), reason);
}

/* In the steady state: one recv and one send for each message, and no memory. */
static void costs_one_recv_and_one_send_a_message(void **state)
{
    static const char *const answers[] = {"hello\n", "Message received - hello\n",
                                          "Message received - hello\n"};

    (void)state;
    for (enum protocol_mode mode = PROTOCOL_ECHO; mode <= PROTOCOL_CHUNK; mode++) {
        struct connection *c = start(mode);

        assert_int_equal(world.owned, sizeof *c);
        for (int i = 1; i <= 100; i++) {
            context.now++;
            receive(c, "hello\n");
            assert_sent(answers[mode]);
            assert_int_equal(world.recvs, i);
            assert_int_equal(world.sends, i);
            assert_int_equal(c->messages, i);
            assert_int_equal(c->active, context.now);
        }
        assert_int_equal(world.owned, sizeof *c);
        assert_int_equal(world.most_owned, sizeof *c);
        assert_int_equal(c->bytes_in, 600);
        assert_int_equal(c->bytes_out, 100 * strlen(answers[mode]));
        finish(c);
    }
}

static void greet(struct connection *c, const char *greeting)
{
    context.greeting = (struct span){greeting, strlen(greeting)};
    connection_open(c, &context);
}

/* The greeting is a line before all answers, also when the system takes it in parts. */
static void greets_before_it_answers(void **state)
{
    struct connection *c = create(PROTOCOL_LINE);

    (void)state;
    greet(c, "this is one");
    assert_sent("this is one\n");
    receive(c, "hello\n");
    assert_sent("Message received - hello\n");
    assert_int_equal(c->messages, 1);
    assert_int_equal(c->bytes_out, 12 + 25);
    finish(c);

    c = create(PROTOCOL_ECHO);
    world.room = 4;
    greet(c, "this is one");
    receive(c, "hello");
    assert_int_equal(connection_interest(c, &context), SELECTOR_WRITE);
    world.room = SIZE_MAX;
    run(c);
    assert_sent("this is one\nhello");
    finish(c);
}

/* Which is a failure only if the peer has sent something, behind the header of a proxy. */
static void a_lost_peer_is_not_greeted(void **state)
{
    (void)state;
    for (int sent = 0; sent < 2; sent++) {
        struct connection *c = create(PROTOCOL_ECHO);

        assert_true(sent == 0 || buffer_append(&c->pending_input, "hello", 5));
        world.fail_after = 0;
        world.failure = NET_RESET;
        greet(c, "hello");
        assert_end(c, CONNECTION_CLOSED, "reset");
        assert_int_equal(connection_failed(c), sent);
        finish(c);
    }
}

static struct impairment_rules rules;

/* Impairs connections from now on, by rules that the test fills in. */
static void impair(void)
{
    rules = (struct impairment_rules){.seed = 1};
    context.impairments = &rules;
}

/* Answers are late and in pieces, the loop is told when to come, and input waits for them. */
static void impaired_answers_come_when_they_are_due(void **state)
{
    (void)state;
    impair();
    rules.delay = MILLISECONDS(20);
    rules.piece = 4;
    struct connection *c = start(PROTOCOL_ECHO);

    assert_int_equal(connection_due(c, &context), DEADLINE_NEVER);
    receive(c, "hello");
    assert_sent("");
    assert_int_equal(connection_due(c, &context), context.now + MILLISECONDS(20));
    context.now += MILLISECONDS(20);
    connection_flush(c, &context);
    assert_sent("hell");
    assert_int_equal(connection_due(c, &context), context.now + MILLISECONDS(1));
    /* The end of the input is no reason to lose what waits. */
    world.after_incoming = NET_END;
    run(c);
    assert_end(c, CONNECTION_FLUSHING, "end of stream");
    context.now += MILLISECONDS(1);
    connection_flush(c, &context);
    assert_sent("o");
    assert_end(c, CONNECTION_CLOSED, "end of stream");
    finish(c);
    context.impairments = NULL;
}

/* Each way to end on purpose, and the log's reason for it; nothing is sent past it. */
static void impairments_end_connections(void **state)
{
    static const struct {
        enum impairment_fault fault;
        enum connection_state state;
        const char *reason;
    } cases[] = {
        {IMPAIRMENT_CLOSE, CONNECTION_LINGERING, "closed on purpose"},
        {IMPAIRMENT_RESET, CONNECTION_CLOSED, "reset on purpose"},
        {IMPAIRMENT_STALL, CONNECTION_OPEN, "not ended"},
        {IMPAIRMENT_MUTE, CONNECTION_OPEN, "not ended"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {

        impair();
        rules.at[cases[i].fault] = 8;
        struct connection *c = start(PROTOCOL_ECHO);

        receive(c, "hello");
        assert_sent("hello");
        receive(c, "there");
        assert_sent("th");
        assert_end(c, cases[i].state, cases[i].reason);
        assert_int_equal(world.resets, cases[i].fault == IMPAIRMENT_RESET);
        assert_int_equal(connection_due(c, &context), DEADLINE_NEVER);
        if (cases[i].fault == IMPAIRMENT_STALL)
            assert_int_equal(connection_interest(c, &context), SELECTOR_NONE);
        if (cases[i].fault == IMPAIRMENT_MUTE) {
            receive(c, "is more");
            assert_sent("");
            assert_int_equal(c->bytes_in, 17);
        }
        finish(c);
    }
    context.impairments = NULL;
}

/* The peer has ended, or the server stops, before the byte comes at which a fault does. */
static void impairments_come_while_it_ends(void **state)
{
    static const struct {
        enum impairment_fault fault;
        enum connection_state after_the_peer; /* has ended */
        enum connection_state after_stopping;
        const char *reason; /* NULL: that of the end */
    } cases[] = {
        {IMPAIRMENT_STALL, CONNECTION_FLUSHING, CONNECTION_CLOSED, NULL},
        {IMPAIRMENT_MUTE, CONNECTION_CLOSED, CONNECTION_LINGERING, NULL},
        {IMPAIRMENT_CLOSE, CONNECTION_CLOSED, CONNECTION_LINGERING, "closed on purpose"},
        {IMPAIRMENT_RESET, CONNECTION_CLOSED, CONNECTION_CLOSED, "reset on purpose"},
    };

    (void)state;
    for (size_t i = 0; i < 4 * sizeof cases / sizeof cases[0]; i++) {
        bool stopping = i % 2 > 0, all = i / 2 % 2 > 0;
        enum impairment_fault fault = cases[i / 4].fault;
        const char *reason = cases[i / 4].reason;

        impair();
        rules.delay = MILLISECONDS(1);
        rules.at[fault] = all ? 6 : 4; /* with bytes that are never sent, and without */
        struct connection *c = start(PROTOCOL_ECHO);

        receive(c, "hello");
        assert_sent("");
        if (stopping)
            connection_stop(c, &context);
        else
            world.after_incoming = NET_END;
        run(c);
        assert_int_equal(c->state, CONNECTION_FLUSHING);
        context.now = connection_due(c, &context);
        connection_flush(c, &context);
        assert_sent(all ? "hello" : "hel");
        assert_end(c, stopping ? cases[i / 4].after_stopping : cases[i / 4].after_the_peer,
                   reason != NULL ? reason
                   : stopping     ? "stopping"
                                  : "end of stream");
        assert_int_equal(world.resets, fault == IMPAIRMENT_RESET);
        assert_int_equal(connection_due(c, &context), DEADLINE_NEVER);
        finish(c);
    }
    context.impairments = NULL;
}

/* What is stalled for ever is not waited for when the server stops, and stays as it is until then,
 * whatever else should come at that byte. */
static void a_stalled_connection_is_not_drained(void **state)
{
    (void)state;
    impair();
    rules.at[IMPAIRMENT_CLOSE] = rules.at[IMPAIRMENT_RESET] = 6;
    for (uint64_t sent = 3; sent <= 5; sent++) {
        rules.at[IMPAIRMENT_STALL] = sent + 1;
        struct connection *c = start(PROTOCOL_ECHO);

        receive(c, "hello");
        assert_int_equal(world.sent_length, sent);
        assert_end(c, CONNECTION_OPEN, "not ended");
        receive(c, "again");
        assert_int_equal(world.incoming_length, 5);
        connection_stop(c, &context);
        assert_end(c, CONNECTION_CLOSED, "stopping");
        assert_int_equal(world.resets, 0);
        finish(c);
    }
    /* What the system has still to take is drained as ever. */
    rules.at[IMPAIRMENT_STALL] = 6;
    struct connection *c = start(PROTOCOL_ECHO);

    world.room = 0;
    receive(c, "hello");
    connection_stop(c, &context);
    assert_end(c, CONNECTION_FLUSHING, "stopping");
    world.room = SIZE_MAX;
    run(c);
    assert_sent("hello");
    assert_end(c, CONNECTION_CLOSED, "stopping");
    finish(c);
    context.impairments = NULL;
}

/* A reset that the peer sends before all answers have been is a loss. */
static void a_reset_before_a_late_answer_is_a_failure(void **state)
{
    (void)state;
    impair();
    rules.delay = MILLISECONDS(1);
    for (int late = 0; late < 2; late++) {
        struct connection *c = start(PROTOCOL_ECHO);

        receive(c, "hello");
        if (!late) {
            context.now += MILLISECONDS(1);
            connection_flush(c, &context);
            assert_sent("hello");
        }
        world.after_incoming = NET_RESET;
        run(c);
        assert_end(c, CONNECTION_CLOSED, "reset");
        assert_int_equal(connection_failed(c), late);
        finish(c);
    }
    context.impairments = NULL;
}

/* A connection may end before its first byte. */
static void impairments_may_come_at_once(void **state)
{
    (void)state;
    impair();
    rules.at[IMPAIRMENT_RESET] = 1;
    struct connection *c = start(PROTOCOL_ECHO);

    assert_end(c, CONNECTION_CLOSED, "reset on purpose");
    finish(c);
    context.impairments = NULL;
}

/* Input for which there was no room is answered as soon as there is some, even if nothing else
 * happens, and memory is bounded meanwhile. */
static void impaired_input_waits_for_room(void **state)
{
    static char lines[100000];

    (void)state;
    impair();
    memset(lines, '\n', sizeof lines);
    rules.delay = MILLISECONDS(1);
    struct connection *c = start(PROTOCOL_LINE);
    size_t sent = 0;

    receive_bytes(c, lines, sizeof lines);
    while (connection_due(c, &context) != DEADLINE_NEVER) {
        assert_true(world.owned < 400 * 1024);
        context.now = connection_due(c, &context);
        connection_flush(c, &context);
        run(c);
        sent += world.sent_length;
        world.sent_length = 0;
    }
    assert_int_equal(c->messages, sizeof lines);
    assert_int_equal(sent, 20 * sizeof lines);
    finish(c);
    context.impairments = NULL;
}

/* Refused memory ends the connection, and nothing else. */
static void impaired_answers_may_not_fit(void **state)
{
    (void)state;
    impair();
    rules.delay = MILLISECONDS(1);
    for (int faulty = 0; faulty < 2; faulty++) {
        rules.at[IMPAIRMENT_CORRUPT] = faulty ? 1 : 0;
        struct connection *c = start(PROTOCOL_ECHO);

        world.refuse_after = 0;
        receive(c, "hello");
        assert_end(c, CONNECTION_CLOSED, "out of memory");
        finish(c);
    }
    context.impairments = NULL;
}

/* Headers of both versions; the second one of version 2 has 3 bytes of further values. */
static const struct {
    const char *bytes;
    size_t length;
    const char *address;
} headers[] = {
#define HEADER(text) text, sizeof text - 1
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
    {HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 5000 9901\r\n"), "192.0.2.1:5000"},
    {HEADER("PROXY TCP6 2001:db8::1 2001:db8::2 5000 9901\r\n"), "[2001:db8::1]:5000"},
    {HEADER("PROXY UNKNOWN\r\n"), "127.0.0.1:5555"},
    {HEADER(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x13\x88\x26\xad"), "192.0.2.1:5000"},
    {HEADER(SIGNATURE "\x21\x11\0\x0f\xc0\0\2\1\xc6\x33\x64\2\x13\x88\x26\xad\4\0\0"),
     "192.0.2.1:5000"},
    {HEADER(SIGNATURE "\x20\0\0\0"), "127.0.0.1:5555"},
#undef SIGNATURE
#undef HEADER
};

static struct connection *start_proxied(enum protocol_mode mode)
{
    context.greeting = (struct span){NULL, 0};
    context.proxy_protocol = true;

    struct connection *c = create(mode);

    context.proxy_protocol = false;
    assert_int_equal(c->state, CONNECTION_HEADER);
    assert_false(connection_header_has_begun(c));
    return c;
}

/* The header comes in two pieces, with the first message behind it or later. */
static void takes_the_header_off_the_stream(void **state)
{
    char stream[128], address[NET_ADDRESS_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        for (size_t cut = 0; cut <= headers[i].length + 4; cut++) {
            struct connection *c = start_proxied(PROTOCOL_LINE);
            int64_t began = context.now += 5;

            memcpy(stream, headers[i].bytes, headers[i].length);
            memcpy(stream + headers[i].length, "one\n", 4);
            if (cut > 0)
                receive_bytes(c, stream, cut);
            if (cut > 0 && cut < headers[i].length) {
                assert_true(connection_header_has_begun(c));
                assert_int_equal(c->active, began);
                context.now += 5;
                assert_int_equal(connection_interest(c, &context), SELECTOR_READ);
            }
            if (cut < headers[i].length)
                receive_bytes(c, stream + cut, headers[i].length - cut);
            cut = cut < headers[i].length ? headers[i].length : cut;
            assert_int_equal(c->state, CONNECTION_ACCEPTED);
            assert_string_equal(net_address_text(&c->peer, address), headers[i].address);
            assert_int_equal(c->bytes_in, 0);
            connection_open(c, &context);
            assert_int_equal(c->state, CONNECTION_OPEN);
            receive_bytes(c, stream + cut, headers[i].length + 4 - cut);
            assert_sent("Message received - one\n");
            assert_int_equal(c->bytes_in, 4);
            assert_int_equal(c->messages, 1);
            assert_int_equal(world.owned, sizeof *c);
            finish(c);
        }
    }
}

/* A long tail of further values is discarded as it comes: it takes no memory. */
static void skips_what_it_does_not_know(void **state)
{
    static char stream[16 + 65535 + 4] = "\r\n\r\n\0\r\nQUIT\n\x21\0\xff\xff";
    struct connection *c = start_proxied(PROTOCOL_ECHO);

    (void)state;
    memcpy(stream + 16 + 65535, "echo", 4);
    world.recv_most = 1000;
    receive_bytes(c, stream, sizeof stream);
    assert_int_equal(c->state, CONNECTION_ACCEPTED);
    assert_true(world.most_owned <= 2 * 1000 + sizeof *c + 64);
    connection_open(c, &context);
    run(c);
    assert_sent("echo");
    finish(c);
}

static void refuses_what_is_no_header(void **state)
{
    static const struct {
        const char *stream;
        enum net_outcome after;
        const char *reason;
        bool failed;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", NET_WOULD_BLOCK, "malformed PROXY header", true},
        {"PROXY TCP4 192.0.2.1 ", NET_END, "malformed PROXY header", true},
        {"", NET_END, "end of stream", false},
        {"", NET_RESET, "reset", false},
        {"PROXY TCP4 192.0.2.1 ", NET_RESET, "reset", true},
        {"PROXY TCP4 192.0.2.1 ", NET_EXHAUSTED, "out of memory", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection *c = start_proxied(PROTOCOL_ECHO);

        world.after_incoming = cases[i].after;
        receive(c, cases[i].stream);
        assert_end(c, CONNECTION_CLOSED, cases[i].reason);
        assert_int_equal(connection_failed(c), cases[i].failed);
        assert_sent("");
        assert_int_equal(c->bytes_in, 0);
        finish(c);
    }
    struct connection *c = start_proxied(PROTOCOL_ECHO);

    world.refuse_after = 0;
    receive(c, "PROXY");
    assert_end(c, CONNECTION_CLOSED, "out of memory");
    finish(c);
}

/* Before it is open, a connection has nothing to finish. */
static void ends_at_once_before_it_is_open(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct connection *c = start_proxied(PROTOCOL_ECHO);

        receive(c, "PROXY");
        connection_flush(c, &context);
        assert_int_equal(c->state, CONNECTION_HEADER);
        if (i == 0)
            connection_stop(c, &context);
        else
            connection_abort(c, &context, CONNECTION_LATE_HEADER);
        assert_end(c, CONNECTION_CLOSED, i == 0 ? "stopping" : "late PROXY header");
        finish(c);
    }
}

static void gathers_many_answers_into_one_send(void **state)
{
    struct connection *c = start(PROTOCOL_LINE);

    (void)state;
    receive(c, "one\ntwo\n\nthree\r\nfour");
    assert_sent("Message received - one\nMessage received - two\nMessage received - \n"
                "Message received - three\r\n");
    assert_int_equal(world.sends, 1);
    assert_int_equal(c->messages, 4);
    /* What was searched for a line ending is not searched again. */
    assert_int_equal(c->searched, 4);
    receive(c, " and");
    assert_int_equal(c->searched, 8);
    receive(c, "\n");
    assert_sent("Message received - four and\n");
    assert_int_equal(world.owned, sizeof *c);
    finish(c);
}

static void logs_messages_without_their_ending(void **state)
{
    struct connection *c = start(PROTOCOL_LINE);

    (void)state;
    memset(&server_log, 0, sizeof server_log);
    server_log.level = LOG_EVENTS;
    context.log_messages = true;
    receive(c, "one\r\ntw\x01o\nquit\nthree\n");
    server_log.lines[server_log.length] = '\0';
    char *line = server_log.lines;

    /* Each behind its time. */
    for (size_t i = 0; i < 3; i++) {
        static const char *const texts[] = {"one\n", "tw\\x01o\n", "quit\n"};
        static const char start_of_text[] = "Recv From Client[127.0.0.1:5555]:";

        line += strlen("YYYY-MM-DD HH:MM:SS,");
        assert_memory_equal(line, start_of_text, strlen(start_of_text));
        line += strlen(start_of_text);
        assert_memory_equal(line, texts[i], strlen(texts[i]));
        line += strlen(texts[i]);
    }
    assert_string_equal(line, "");
    finish(c);
}

/* Lines of all lengths up to `longest` and one more, some of them quit. Returns the length. */
static size_t random_stream(char *out, size_t size, size_t longest)
{
    size_t length = 0, most = random_below(4) > 0 ? 20 : longest + 1;

    while (length + longest + 10 < size && random_below(60) > 0) {
        size_t line = random_below(5) == 0 ? most : random_below(most);

        memset(out + length, 'a' + (int)random_below(26), line);
        length += line;
        if (random_below(40) == 0) {
            memcpy(out + length, "\nquit", 5);
            length += 5;
        }
        memcpy(out + length, "\r\n", 2);
        length += 2;
    }
    return length;
}

/* What the protocol, which has tests of its own, answers to a stream in pieces of `most` bytes. */
static size_t expected_answers(const char *stream, size_t length, size_t most, char *out,
                               uint64_t *messages)
{
    struct protocol_answer answer;
    enum protocol_verdict verdict = PROTOCOL_ANSWER;
    size_t searched = 0, out_length = 0;

    *messages = 0;
    for (size_t at = 0; at < length && verdict == PROTOCOL_ANSWER; at += answer.consumed) {
        size_t piece = length - at < most ? length - at : most;

        verdict = protocol_next(&context.rules, (struct span){stream + at, piece}, true, &searched,
                                &answer);
        *messages += verdict != PROTOCOL_TOO_LONG;
        if (answer.prefix.length > 0)
            memcpy(out + out_length, answer.prefix.bytes, answer.prefix.length);
        out_length += answer.prefix.length;
        if (answer.body.length > 0)
            memcpy(out + out_length, answer.body.bytes, answer.body.length);
        out_length += answer.body.length;
    }
    return out_length;
}

/* However the system cuts what comes and refuses what goes, the answers are the same. */
static void assert_answers(enum protocol_mode mode, size_t longest, size_t recv_most,
                           size_t send_most)
{
    static char stream[60000], expected[20 * sizeof stream];
    struct connection *c = start(mode);
    uint64_t messages;

    context.rules.max_line = longest;
    size_t length = random_stream(stream, longest > MAX_LINE ? sizeof stream : 2000, longest);
    world.incoming = stream;
    world.incoming_length = length;
    world.after_incoming = NET_END;
    world.fickle = true;
    /* In chunk mode what one recv returns is a message: there the cuts count. */
    world.recv_most = recv_most;
    size_t expected_length = expected_answers(
        stream, length, mode == PROTOCOL_CHUNK ? recv_most : SIZE_MAX, expected, &messages);

    for (int turns = 0; c->state != CONNECTION_CLOSED; turns++) {
        assert_true(turns < 200000);
        if (mode != PROTOCOL_CHUNK)
            world.recv_most = 1 + random_below(recv_most);
        world.send_most = 1 + random_below(send_most);
        world.room = random_below(3) == 0 ? 0 : random_below(3 * send_most + 1);
        turn(c);
    }
    assert_int_equal(world.sent_length, expected_length);
    assert_memory_equal(world.sent, expected, expected_length);
    assert_int_equal(c->bytes_in, length);
    assert_int_equal(c->bytes_out, expected_length);
    assert_int_equal(world.incoming_length, 0);
    assert_int_equal(world.ends, 1);
    if (mode != PROTOCOL_ECHO)
        assert_int_equal(c->messages, messages);
    finish(c);
}

static void answers_the_same_whatever_the_outcomes(void **state)
{
    (void)state;
    random_begin(42);
    for (int i = 0; i < 1000; i++) {
        for (enum protocol_mode mode = PROTOCOL_ECHO; mode <= PROTOCOL_CHUNK; mode++) {
            assert_answers(mode, MAX_LINE, i % 2 == 0 ? 10 : 700, i % 5 == 0 ? 1 : 300);
            if (i % 5 == 0)
                assert_answers(mode, 20000, 30000, 20000);
        }
    }
}

/* Gives a connection two and a half lines, bit by bit, until a call fails. */
static void talk(struct connection *c)
{
    static const char stream[] = "one\ntwo\nthree";

    world.incoming = stream;
    world.incoming_length = strlen(stream);
    world.recv_most = 5;
    world.send_most = 7;
    for (int turns = 0; world.fail_after != 0 && turns < 100; turns++) {
        world.room = (size_t)(turns % 3) * 10;
        turn(c);
    }
}

/* Whichever call fails, the connection ends with that reason, and nothing is left of it. */
static void ends_when_any_call_fails(void **state)
{
    static const enum net_outcome failures[] = {NET_RESET, NET_EXHAUSTED, NET_FAILED};
    char words[OS_ERROR_TEXT], failed[2 * OS_ERROR_TEXT];
    const char *const reasons[] = {"reset", "out of memory", failed};
    struct connection *c = start(PROTOCOL_LINE);

    (void)state;
    talk(c);
    assert_sent("Message received - one\nMessage received - two\n");
    int calls = world.recvs + world.sends;

    assert_int_in_range(calls, 10, 100);
    finish(c);
    snprintf(failed, sizeof failed, "failed: %s", os_error_text(ANY_ERROR, words));
    for (int i = 0; i < 3 * calls; i++) {
        c = start(PROTOCOL_LINE);
        world.fail_after = i / 3;
        world.failure = failures[i % 3];
        talk(c);
        run(c);
        assert_int_equal(world.recvs + world.sends, i / 3 + 1);
        assert_end(c, CONNECTION_CLOSED, reasons[i % 3]);
        /* A reset before anything came is none. */
        assert_int_equal(connection_failed(c), i > 0);
        finish(c);
    }
}

/* Makes a connection keep all that it can: an incomplete line, a queue, more lines behind it. */
static void keep_things(struct connection *c)
{
    world.room = 0;
    world.recv_most = 3;
    receive(c, "one\ntwo\nt");
    world.room = 30;
    run(c);
    world.room = 0;
    world.recv_most = SIZE_MAX;
    receive(c, "hree\nfour\nfive");
    world.room = SIZE_MAX;
    run(c);
    receive(c, "\n");
}

static void ends_with_a_reason_when_memory_is_refused(void **state)
{
    struct connection *c = start(PROTOCOL_LINE);
    int allocations = 0;
    bool went_well = false;

    (void)state;
    world.refuse_after = 0;
    assert_null(connection_create(SOCKET, &peer, 0, &context));
    finish(c);
    for (; !went_well; allocations++) {
        c = start(PROTOCOL_LINE);
        world.refuse_after = allocations;
        keep_things(c);
        went_well = world.refused == 0;
        if (went_well) {
            assert_int_equal(c->state, CONNECTION_OPEN);
            assert_int_equal(world.sent_length, strlen("onetwothreefourfive\n\n\n\n\n") + 5 * 19);
        } else {
            assert_end(c, CONNECTION_CLOSED, "out of memory");
            assert_true(connection_failed(c));
        }
        finish(c);
    }
    assert_int_in_range(allocations, 4, 50);
}

/* A client that has all its answers may leave by a reset, as health checks do. */
static void a_reset_is_a_failure_when_something_is_lost(void **state)
{
    static const struct {
        enum protocol_mode mode;
        const char *stream;
        size_t room;
        bool failed;
    } cases[] = {
        {PROTOCOL_ECHO, "", 0, false},
        {PROTOCOL_ECHO, "hello", SIZE_MAX, false},
        {PROTOCOL_LINE, "hello\n", SIZE_MAX, false},
        {PROTOCOL_LINE, "hello\nagain", SIZE_MAX, true}, /* not answered */
        {PROTOCOL_ECHO, "hello", 2, true},               /* not sent */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection *c = start(cases[i].mode);

        world.room = cases[i].room;
        receive(c, cases[i].stream);
        world.fail_after = 0;
        world.failure = NET_RESET;
        run(c);
        assert_end(c, CONNECTION_CLOSED, "reset");
        assert_int_equal(connection_failed(c), cases[i].failed);
        finish(c);
    }
}

/* What is behind an answer that could not be sent is not kept: it would only need memory, and one
 * that is refused would be the wrong reason. */
static void keeps_nothing_once_a_send_has_failed(void **state)
{
    static char long_line[9000 + 6]; /* its answer is sent alone, and the next one is not tried */
    static const char *const streams[] = {long_line, "quit\nrest", "one\nrest"};

    (void)state;
    memset(long_line, 'x', 9000);
    memcpy(long_line + 9000, "\none\n", 6);
    for (size_t i = 0; i < 2 * sizeof streams / sizeof streams[0]; i++) {
        struct connection *c = start(PROTOCOL_LINE);

        context.rules.max_line = 10000;
        world.fail_after = 1; /* the send after the recv */
        world.failure = NET_RESET;
        world.refuse_after = i % 2 == 0 ? NEVER : 0;
        receive(c, streams[i / 2]);
        assert_end(c, CONNECTION_CLOSED, "reset");
        assert_int_equal(world.owned, sizeof *c);
        assert_int_equal(world.refused, 0);
        finish(c);
    }
}

/* After quit or a line too long: the answer, the end of the sending side, then input is discarded.
 */
static void lingers_after_it_has_ended_first(void **state)
{
    static const struct {
        const char *stream;
        const char *sent;
        const char *reason;
        enum protocol_mode mode;
    } cases[] = {
        {"one\nquit\r\ntwo\n", "Message received - one\nquit\r\n", "quit", PROTOCOL_LINE},
        {"one\n01234567890\n", "Message received - one\nMessage too long\n", "line too long",
         PROTOCOL_LINE},
        {"01234567890", "Message too long\n", "line too long", PROTOCOL_LINE},
        {"quit", "quit", "quit", PROTOCOL_CHUNK},
    };
    static const enum net_outcome ends[] = {NET_END, NET_RESET, NET_FAILED};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] * 3; i++) {
        struct connection *c = start(cases[i / 3].mode);
        const char *reason = cases[i / 3].reason;

        context.rules.max_line = 10;
        world.room = 0;
        receive(c, cases[i / 3].stream);
        assert_end(c, CONNECTION_FLUSHING, reason);
        assert_int_equal(connection_interest(c, &context), SELECTOR_WRITE);
        assert_int_equal(world.ends, 0);
        context.now += 10;
        world.send_most = 5;
        world.room = SIZE_MAX;
        run(c);
        assert_sent(cases[i / 3].sent);
        assert_end(c, CONNECTION_LINGERING, reason);
        assert_int_equal(c->active, context.now);
        assert_int_equal(world.ends, 1);
        assert_int_equal(world.owned, sizeof *c);

        context.now += 10;
        receive(c, "three\nquit\n");
        receive(c, "more");
        assert_sent("");
        assert_end(c, CONNECTION_LINGERING, reason);
        assert_int_equal(c->active, context.now - 10);
        assert_int_equal(c->bytes_in, strlen(cases[i / 3].stream) + 15);
        world.after_incoming = ends[i % 3];
        run(c);
        assert_end(c, CONNECTION_CLOSED, reason);
        assert_int_equal(world.ends, 1);
        finish(c);
    }
}

/* The peer's end: an unterminated line is still answered, all is still sent, and then it closes. */
static void sends_everything_after_the_peer_has_ended(void **state)
{
    struct connection *c = start(PROTOCOL_LINE);

    (void)state;
    receive(c, "one\ntw");
    assert_sent("Message received - one\n");
    world.room = 3;
    world.after_incoming = NET_END;
    run(c);
    assert_end(c, CONNECTION_FLUSHING, "end of stream");
    assert_int_equal(world.ends, 0);
    assert_int_equal(world.recvs, 2);
    world.room = SIZE_MAX;
    run(c);
    assert_sent("Message received - tw");
    assert_end(c, CONNECTION_CLOSED, "end of stream");
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.recvs, 2);
    assert_int_equal(c->messages, 2);
    assert_false(connection_failed(c));
    finish(c);

    /* quit as an unterminated last line: both sides have ended, there is nothing to linger for. */
    c = start(PROTOCOL_LINE);
    world.after_incoming = NET_END;
    receive(c, "quit");
    assert_sent("quit");
    assert_end(c, CONNECTION_CLOSED, "quit");
    finish(c);
}

/* While bytes wait, the end of the stream is not looked for. */
static void finds_the_end_of_the_stream_behind_what_waits(void **state)
{
    struct connection *c = start(PROTOCOL_ECHO);

    (void)state;
    world.room = 2;
    world.after_incoming = NET_END;
    receive(c, "hello");
    assert_end(c, CONNECTION_OPEN, "not ended");
    assert_int_equal(world.recvs, 1);
    world.room = SIZE_MAX;
    run(c);
    assert_sent("hello");
    assert_end(c, CONNECTION_CLOSED, "end of stream");
    assert_int_equal(world.recvs, 2);
    finish(c);
}

static void stops_in_each_state(void **state)
{
    struct connection *c = start(PROTOCOL_LINE);

    (void)state;
    /* Open, and heard of lately: it lingers, for what the client may just be sending. */
    receive(c, "incomplete");
    context.now += CONNECTION_LINGER - 1;
    connection_stop(c, &context);
    assert_end(c, CONNECTION_LINGERING, "stopping");
    assert_int_equal(world.ends, 1);
    assert_int_equal(c->active, context.now);
    /* Lingering: it goes on lingering. */
    connection_stop(c, &context);
    assert_end(c, CONNECTION_LINGERING, "stopping");
    assert_int_equal(world.ends, 1);
    world.after_incoming = NET_END;
    run(c);
    /* Closed: it stays so. */
    connection_stop(c, &context);
    assert_end(c, CONNECTION_CLOSED, "stopping");
    assert_false(connection_failed(c));
    finish(c);

    /* Open, and long silent. */
    c = start(PROTOCOL_LINE);
    context.now += CONNECTION_LINGER;
    connection_stop(c, &context);
    assert_end(c, CONNECTION_CLOSED, "stopping");
    assert_int_equal(world.ends, 1);
    finish(c);

    /* Open, with a queue and lines behind it: they are answered, but nothing more is read. */
    c = start(PROTOCOL_LINE);
    world.send_most = 10;
    world.room = 10;
    context.rules.max_line = 10000;
    static char lines[10000 + 4];
    memset(lines, 'x', 10000);
    memcpy(lines + 10000, "\na\nb", 4);
    receive_bytes(c, lines, sizeof lines);
    assert_true(buffer_length(&c->pending_input) > 0);
    connection_stop(c, &context);
    assert_end(c, CONNECTION_FLUSHING, "stopping");
    assert_int_equal(world.ends, 0);
    int recvs = world.recvs;
    world.room = SIZE_MAX;
    run(c);
    assert_int_equal(world.sent_length, 19 + 10000 + 1 + 19 + 2);
    assert_memory_equal(world.sent + 19 + 10000 + 1, "Message received - a\n", 21);
    assert_end(c, CONNECTION_LINGERING, "stopping");
    assert_int_equal(world.recvs, recvs);
    finish(c);

    /* Flushing for a reason of its own: that stays. */
    c = start(PROTOCOL_LINE);
    world.room = 0;
    receive(c, "quit\n");
    connection_stop(c, &context);
    assert_end(c, CONNECTION_FLUSHING, "quit");
    finish(c);
}

static void is_abandoned_with_the_first_reason(void **state)
{
    struct connection *c = start(PROTOCOL_ECHO);

    (void)state;
    connection_abort(c, &context, CONNECTION_IDLE);
    assert_end(c, CONNECTION_CLOSED, "idle");
    connection_abort(c, &context, CONNECTION_STOPPING);
    assert_end(c, CONNECTION_CLOSED, "idle");
    assert_false(connection_failed(c));
    finish(c);
}

/* Input that is left unread would make the system destroy what it has still to deliver. */
static void reads_what_has_come_before_it_is_abandoned(void **state)
{
    static char stream[4 * CONNECTION_SCRATCH];
    static const enum net_outcome outcomes[] = {NET_WOULD_BLOCK, NET_END, NET_RESET};

    (void)state;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct connection *c = start(PROTOCOL_ECHO);

        world.room = 0;
        receive(c, "stuck");
        assert_int_equal(connection_interest(c, &context), SELECTOR_WRITE);
        world.incoming = stream;
        world.incoming_length = sizeof stream;
        world.after_incoming = outcomes[i];
        world.connection = NULL; /* no back-pressure any more */
        connection_abort(c, &context, CONNECTION_STOPPING);
        assert_int_equal(world.incoming_length, 0);
        assert_end(c, CONNECTION_CLOSED, "stopping");
        assert_int_equal(c->bytes_in, strlen("stuck") + sizeof stream);
        assert_int_equal(c->bytes_out, 0);
        /* Once it is closed, nothing is read. */
        int recvs = world.recvs;
        connection_abort(c, &context, CONNECTION_STOPPING);
        assert_int_equal(world.recvs, recvs);
        finish(c);
    }
}

/* Whoever never stops sending does not hold the end up. */
static void is_abandoned_even_if_more_and_more_comes(void **state)
{
    struct connection *c = start(PROTOCOL_ECHO);

    (void)state;
    world.incoming = scratch; /* never used up: each recv gives a byte */
    world.incoming_length = SIZE_MAX;
    world.recv_most = 1;
    connection_abort(c, &context, CONNECTION_STOPPING);
    assert_int_equal(world.recvs, CONNECTION_LAST_READS);
    assert_end(c, CONNECTION_CLOSED, "stopping");
    finish(c);
}

/* A send that would block is no activity, nor is a readiness that was none. */
static void is_active_only_when_something_comes_or_goes(void **state)
{
    struct connection *c = start(PROTOCOL_ECHO);

    (void)state;
    context.now += 5;
    c->watch.ready = SELECTOR_READ;
    connection_serve(c, &context);
    assert_int_equal(c->active, context.now - 5);
    world.room = 0;
    receive(c, "x");
    assert_int_equal(c->active, context.now);
    context.now += 5;
    c->watch.ready = SELECTOR_WRITE;
    connection_serve(c, &context);
    assert_int_equal(c->active, context.now - 5);
    world.room = 1;
    run(c);
    assert_int_equal(c->active, context.now);
    finish(c);
    /* The end of the stream is something that comes. */
    c = start(PROTOCOL_LINE);
    receive(c, "x");
    context.now += 5;
    world.room = 0;
    world.after_incoming = NET_END;
    run(c);
    assert_end(c, CONNECTION_FLUSHING, "end of stream");
    assert_int_equal(c->active, context.now);
    finish(c);
}

/*
 * What a connection keeps for a peer that stops reading, as docs/design.md promises it. One read
 * brings 16 KiB at most; 64 KiB to a peer that has taken as much, 256 KiB to one that has taken
 * 16 MiB.
 */
static size_t largest_read(size_t taken)
{
    return taken < 64 * 1024 ? 16 * 1024 : taken < 16 * 1024 * 1024 ? 64 * 1024 : 256 * 1024;
}

/* The peer has sent `pattern` over and over, and more of it than is read at once. */
static void send_pattern(const struct connection *c, const char *pattern, size_t pattern_length)
{
    static char stream[2 * CONNECTION_SCRATCH];
    size_t at = (size_t)(c->bytes_in % pattern_length); /* where it goes on */

    for (size_t i = 0; i < sizeof stream; i++) {
        stream[i] = pattern[at];
        at = at + 1 < pattern_length ? at + 1 : 0;
    }
    world.incoming = stream;
    world.incoming_length = sizeof stream;
}

/* Answers `pattern`, over and over, to a peer that takes `taken` bytes and then no more. */
static void assert_bounded(enum protocol_mode mode, size_t max_line, const char *pattern,
                           size_t pattern_length, size_t taken)
{
    struct connection *c = start(mode);
    size_t read = mode == PROTOCOL_CHUNK ? CONNECTION_CHUNK : largest_read(taken);
    size_t queue_bound = mode == PROTOCOL_ECHO    ? read
                         : mode == PROTOCOL_CHUNK ? 19 + read
                                                  : 64 * 1024 + 19 + max_line + 2;
    size_t kept_bound = mode == PROTOCOL_LINE ? max_line + 1 + read : 0;

    context.rules.max_line = max_line;
    world.room = taken;
    for (int turns = 0; connection_interest(c, &context) != SELECTOR_WRITE || world.room > 0;
         turns++) {
        assert_true(turns < 100000);
        if (world.incoming_length < CONNECTION_SCRATCH)
            send_pattern(c, pattern, pattern_length);
        turn(c);
        assert_int_equal(c->state, CONNECTION_OPEN);
    }
    assert_false(turn(c));
    assert_int_in_range(send_queue_length(&c->queue), 1, queue_bound);
    assert_int_in_range(buffer_length(&c->pending_input), 0, kept_bound);
    assert_true(world.largest_recv <= read);
    if (mode == PROTOCOL_ECHO)
        assert_int_equal(world.largest_recv, read);
    /* In line mode the buffers may have grown, and then be twice as large as what they hold. */
    size_t memory_bound = (mode == PROTOCOL_LINE ? 2 : 1) * (queue_bound + kept_bound);
    memory_bound += sizeof *c + 2 * BLOCK_HEADER_MAX;
    assert_int_in_range(world.owned, sizeof *c, memory_bound);

    /* A refusal does not take away what has been earned: who streams is refused now and then. */
    world.largest_recv = 0;
    send_pattern(c, pattern, pattern_length);
    world.room = send_queue_length(&c->queue);
    while (world.largest_recv == 0 && turn(c))
        world.room++;
    assert_int_in_range(world.largest_recv, read, CONNECTION_SCRATCH);
    finish(c);
}

static void keeps_a_bounded_amount_for_a_peer_that_does_not_read(void **state)
{
    static const size_t taken[] = {0,       1,       20000,          65535,   65536,
                                   1 << 20, 3 << 20, (16 << 20) - 1, 17 << 20};
    enum { LONGEST = 60000, SHORT_LINES = 3270 };
    /* Short lines, whose answers almost fill what is gathered, and one as long as can be. */
    static char lines[SHORT_LINES + LONGEST + 2];
    static const char *const longest = lines + SHORT_LINES;

    (void)state;
    memset(lines, '\n', SHORT_LINES);
    memset(lines + SHORT_LINES, 'x', LONGEST);
    memcpy(lines + SHORT_LINES + LONGEST, "\r\n", 2);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        assert_bounded(PROTOCOL_ECHO, 1, "echo", 4, taken[i]);
        assert_bounded(PROTOCOL_CHUNK, 1, "chunk", 5, taken[i]);
        assert_bounded(PROTOCOL_LINE, 1, "\n", 1, taken[i]);
        assert_bounded(PROTOCOL_LINE, 20, "short line\r\n", 12, taken[i]);
        assert_bounded(PROTOCOL_LINE, LONGEST, longest, LONGEST + 2, taken[i]);
        assert_bounded(PROTOCOL_LINE, LONGEST, lines, sizeof lines, taken[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_one_recv_and_one_send_a_message),
        cmocka_unit_test(greets_before_it_answers),
        cmocka_unit_test(a_lost_peer_is_not_greeted),
        cmocka_unit_test(impaired_answers_come_when_they_are_due),
        cmocka_unit_test(impairments_end_connections),
        cmocka_unit_test(impairments_come_while_it_ends),
        cmocka_unit_test(a_stalled_connection_is_not_drained),
        cmocka_unit_test(a_reset_before_a_late_answer_is_a_failure),
        cmocka_unit_test(impairments_may_come_at_once),
        cmocka_unit_test(impaired_input_waits_for_room),
        cmocka_unit_test(impaired_answers_may_not_fit),
        cmocka_unit_test(takes_the_header_off_the_stream),
        cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(refuses_what_is_no_header),
        cmocka_unit_test(ends_at_once_before_it_is_open),
        cmocka_unit_test(gathers_many_answers_into_one_send),
        cmocka_unit_test(logs_messages_without_their_ending),
        cmocka_unit_test(answers_the_same_whatever_the_outcomes),
        cmocka_unit_test(ends_when_any_call_fails),
        cmocka_unit_test(ends_with_a_reason_when_memory_is_refused),
        cmocka_unit_test(a_reset_is_a_failure_when_something_is_lost),
        cmocka_unit_test(keeps_nothing_once_a_send_has_failed),
        cmocka_unit_test(lingers_after_it_has_ended_first),
        cmocka_unit_test(sends_everything_after_the_peer_has_ended),
        cmocka_unit_test(finds_the_end_of_the_stream_behind_what_waits),
        cmocka_unit_test(stops_in_each_state),
        cmocka_unit_test(is_abandoned_with_the_first_reason),
        cmocka_unit_test(reads_what_has_come_before_it_is_abandoned),
        cmocka_unit_test(is_abandoned_even_if_more_and_more_comes),
        cmocka_unit_test(is_active_only_when_something_comes_or_goes),
        cmocka_unit_test(keeps_a_bounded_amount_for_a_peer_that_does_not_read),
    };

    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
