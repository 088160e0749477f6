/*
 * Fuzzes the whole server. The input is a script: clients connect, send, read, stall, half-close
 * and reset, the server is stopped, and time passes, in any order; and the server may be an awkward
 * peer. The network, the clock and the log are this file's, so a script always plays out in the
 * same way. protocol_model, and the faults of the impairment, say what each client must have
 * received in the end, and what the log must say.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "deadline.h"
#include "fuzz.h"
#include "net.h"
#include "os.h"
#include "protocol_model.h"
#include "selector_private.h"
#include "server.h"
#include "stream.h"

enum {
    CLIENTS = 6,
    LISTENER = 3,      /* sockets: the listener's, */
    FIRST_SOCKET = 10, /* and those of the clients from here on */
    IN_MAX = 1 << 16,  /* bytes that a client sends in all, */
    OUT_MAX = 1 << 21, /* and may be sent */
    LOG = 1 << 25,
    STEPS_MAX = 100000,
    QUIET_STEPS = 100 /* without a byte, of 10 ms each: no impairment is as late as that */
};

/* One direction of a connection. */
struct direction {
    char *bytes;
    size_t written;
    size_t read;
    size_t room; /* the most that may wait between the two */
    bool ended;
};

struct client {
    bool connecting; /* in the backlog */
    bool connected;  /* accepted, at any time */
    bool closed;     /* the server has closed its socket */
    bool reset;      /* by the client */
    bool aborted;    /* the server's close is a reset */
    bool saw_end;    /* the server has read the end of the stream */
    struct direction in;
    struct direction out;
    size_t answerable;   /* bytes of `in` that the server had read when it was stopped, */
    bool end_answerable; /* and whether it had read their end */
    size_t chunks[4096]; /* chunk mode: the ends of what each net_recv() returned */
    size_t chunk_count;
    bool overflowed; /* more chunks than that */
};

static struct {
    struct client clients[CLIENTS];
    int64_t now;
    char log[LOG];
    size_t log_length;
    bool stopped;
    bool drained; /* draining may have been cut short */
    bool timed;   /* a connection may have been ended for being idle */
} world;

__typeof__(os_nanoseconds) __wrap_os_nanoseconds;
__typeof__(os_raise_descriptor_limit) __wrap_os_raise_descriptor_limit;
__typeof__(stream_write) __wrap_stream_write;
__typeof__(net_accept) __wrap_net_accept;
__typeof__(net_recv) __wrap_net_recv;
__typeof__(net_send) __wrap_net_send;
__typeof__(net_end_sending) __wrap_net_end_sending;
__typeof__(net_reset_on_close) __wrap_net_reset_on_close;
__typeof__(net_close) __wrap_net_close;
__typeof__(selector_sets_wait) __wrap_selector_sets_wait;

int64_t __wrap_os_nanoseconds(void)
{
    return world.now;
}

uint64_t __wrap_os_raise_descriptor_limit(void)
{
    return 0;
}

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    if (stream == STREAM_ERROR) {
        MUST(world.log_length + length < LOG);
        memcpy(world.log + world.log_length, bytes, length);
        world.log_length += length;
        world.log[world.log_length] = '\0';
    }
    return (ptrdiff_t)length;
}

static struct client *client_of(os_socket s)
{
    MUST(s >= FIRST_SOCKET && s < FIRST_SOCKET + CLIENTS);
    struct client *client = &world.clients[s - FIRST_SOCKET];

    MUST(client->connected && !client->closed);
    return client;
}

struct net_result __wrap_net_accept(os_socket listener, os_socket *s, struct net_address *peer)
{
    MUST(listener == LISTENER);
    for (int i = 0; i < CLIENTS; i++) {
        if (!world.clients[i].connecting)
            continue;
        world.clients[i].connecting = false;
        world.clients[i].connected = true;
        *s = FIRST_SOCKET + i;
        *peer = (struct net_address){.bytes = {127, 0, 0, 1}, .port = (uint16_t)(1000 + i)};
        return (struct net_result){.outcome = NET_DONE};
    }
    *s = OS_NO_SOCKET;
    return (struct net_result){.outcome = NET_WOULD_BLOCK};
}

struct net_result __wrap_net_recv(os_socket s, void *bytes, size_t size)
{
    struct client *client = client_of(s);
    struct direction *in = &client->in;
    size_t waiting = in->written - in->read;

    MUST(size > 0);
    if (client->reset)
        return (struct net_result){.outcome = NET_RESET, .error = 1};
    if (waiting == 0 && !in->ended)
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    if (waiting == 0) {
        client->saw_end = true;
        return (struct net_result){.outcome = NET_END};
    }
    size = size < waiting ? size : waiting;
    memcpy(bytes, in->bytes + in->read, size);
    in->read += size;
    client->overflowed |= client->chunk_count == sizeof client->chunks / sizeof client->chunks[0];
    if (!client->overflowed)
        client->chunks[client->chunk_count++] = in->read;
    return (struct net_result){.outcome = NET_DONE, .bytes = size};
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    struct client *client = client_of(s);
    struct direction *out = &client->out;
    size_t waiting = out->written - out->read;
    size_t room = out->room > waiting ? out->room - waiting : 0;

    MUST(length > 0 && !out->ended);
    if (client->reset)
        return (struct net_result){.outcome = NET_RESET, .error = 1};
    if (room == 0)
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    length = length < room ? length : room;
    MUST(out->written + length <= OUT_MAX);
    memcpy(out->bytes + out->written, bytes, length);
    out->written += length;
    return (struct net_result){.outcome = NET_DONE, .bytes = length};
}

struct net_result __wrap_net_end_sending(os_socket s)
{
    struct client *client = client_of(s);

    if (client->reset)
        return (struct net_result){.outcome = NET_RESET, .error = 1};
    client->out.ended = true;
    return (struct net_result){.outcome = NET_DONE};
}

void __wrap_net_reset_on_close(os_socket s)
{
    client_of(s)->aborted = true;
}

void __wrap_net_close(os_socket s)
{
    if (s == LISTENER)
        return;
    struct client *client = client_of(s);

    client->closed = client->out.ended = true;
}

static uint8_t ready_for(os_socket s)
{
    uint8_t ready = SELECTOR_NONE;

    if (s == LISTENER) {
        for (int i = 0; i < CLIENTS; i++)
            ready |= world.clients[i].connecting ? SELECTOR_READ : SELECTOR_NONE;
        return ready;
    }
    const struct client *client = client_of(s);

    if (client->reset)
        return SELECTOR_READ | SELECTOR_WRITE;
    if (client->in.read < client->in.written || client->in.ended)
        ready |= SELECTOR_READ;
    if (client->out.written - client->out.read < client->out.room)
        ready |= SELECTOR_WRITE;
    return ready;
}

bool __wrap_selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout)
{
    (void)timeout;
    selector->completed = true;
    for (size_t i = 0; i < to; i++) {
        struct selector_watch *watch = selector->watches[i];

        if ((i >= selector->hot && i < from) || watch->interest == SELECTOR_NONE)
            continue;
        uint8_t ready = ready_for(watch->socket) & watch->interest;

        if (ready != SELECTOR_NONE)
            selector_mark_ready(selector, watch, ready);
    }
    return true;
}

/* The right answer to a client. */
static char expected_bytes[OUT_MAX];
static struct protocol_model expected = {.bytes = expected_bytes, .size = OUT_MAX};

/* Computes the answer to the first `length` bytes of a client's stream. */
static void compute_answer(const struct protocol_rules *rules, const struct client *client,
                           size_t length, bool at_end)
{
    const char *bytes = client->in.bytes;
    size_t done = 0, chunk = 0;

    expected.length = 0;
    expected.end = NULL;
    if (rules->mode == PROTOCOL_ECHO)
        protocol_model_add(&expected, bytes, length);
    else if (rules->mode == PROTOCOL_LINE)
        protocol_model_lines(&expected, bytes, length, at_end, rules->max_line);
    while (rules->mode == PROTOCOL_CHUNK && done < length && expected.end == NULL) {
        protocol_model_message(&expected, bytes + done, client->chunks[chunk] - done);
        done = client->chunks[chunk++];
    }
    if (expected.end == NULL && at_end)
        expected.end = "end of stream";
}

/* How many bytes of the answers come before a fault. */
static size_t bytes_before(const struct impairment_rules *rules, enum impairment_fault fault)
{
    return rules->at[fault] > 0 ? (size_t)rules->at[fault] - 1 : SIZE_MAX;
}

/* The bytes of the answer that are sent, and which of them have a wrong bit. */
static char sent[OUT_MAX];
static bool wrong[OUT_MAX];

/* Computes what an impairment makes of the answer; returns its length. It may end the stream, and
 * be the reason for that. */
static size_t impair_answer(const struct impairment_rules *rules)
{
    size_t stall = bytes_before(rules, IMPAIRMENT_STALL);
    size_t close = bytes_before(rules, IMPAIRMENT_CLOSE);
    size_t reset = bytes_before(rules, IMPAIRMENT_RESET);
    size_t length = 0, end = stall < close ? stall : close;

    for (size_t i = 0; i < expected.length && i < bytes_before(rules, IMPAIRMENT_MUTE); i++) {
        int copies = 1 + (i == bytes_before(rules, IMPAIRMENT_DUPLICATE)) -
                     (i == bytes_before(rules, IMPAIRMENT_DROP));

        for (; copies > 0 && length < OUT_MAX; copies--) {
            wrong[length] = i == bytes_before(rules, IMPAIRMENT_CORRUPT);
            sent[length++] = expected.bytes[i];
        }
    }
    end = end < reset ? end : reset;
    if (length < end)
        return length;
    expected.end = end == stall   ? "stalled for ever"
                   : end == reset ? "reset on purpose"
                                  : "closed on purpose";
    return end;
}

/* The log's line about the end of a client's connection: fills in its reason and its counts. */
static void find_closing(int number, char reason[64], unsigned long long *in,
                         unsigned long long *out)
{
    char start[64];

    snprintf(start, sizeof start, ",Connection closed[127.0.0.1:%d]:", 1000 + number);
    const char *line = strstr(world.log, start);

    MUST(line != NULL);
    line += strlen(start);
    MUST(strstr(line, start) == NULL); /* one line for each connection */
    size_t length = strcspn(line, ";");

    MUST(length < 64);
    memcpy(reason, line, length);
    reason[length] = '\0';
    MUST(sscanf(line + length, "; %llu byte%*[s] in, %llu", in, out) == 2 ||
         sscanf(line + length, "; %llu byte in, %llu", in, out) == 2);
}

static void check_client(const struct server_options *options, int number)
{
    const struct client *client = &world.clients[number];
    bool cut_short = client->reset || world.timed || world.drained;
    size_t answerable = world.stopped ? client->answerable : client->in.read;
    bool at_end = world.stopped ? client->end_answerable : client->saw_end;
    unsigned long long in, out;
    char reason[64];

    if (!client->connected || client->overflowed)
        return;
    MUST(client->closed && client->out.ended);
    find_closing(number, reason, &in, &out);
    MUST(in == client->in.read && out == client->out.written);
    compute_answer(&options->rules, client, answerable, at_end);
    size_t length = impair_answer(&options->impairments);

    MUST(client->out.written <= length);
    for (size_t i = 0; i < client->out.written; i++) {
        unsigned changed = (unsigned char)(client->out.bytes[i] ^ sent[i]);

        MUST(wrong[i] ? changed != 0 && (changed & (changed - 1)) == 0 : changed == 0);
    }
    MUST(client->aborted == (strcmp(reason, "reset on purpose") == 0));
    if (cut_short)
        return;
    MUST(client->out.written == length);
    if (world.stopped)
        return;
    MUST(expected.end != NULL && strcmp(reason, expected.end) == 0);
    /* Nothing is left unread, unless the stream ended earlier. */
    MUST(client->in.read == client->in.written || strcmp(reason, "end of stream") != 0);
}

static void stop(struct server *server)
{
    for (int i = 0; i < CLIENTS && !world.stopped; i++) {
        world.clients[i].answerable = world.clients[i].in.read;
        world.clients[i].end_answerable = world.clients[i].saw_end;
    }
    world.drained |= world.stopped; /* a second request ends all at once */
    world.stopped = true;
    server_stop(server);
}

/* Bytes of a client: text with line endings, and at times a quit. */
static void send_some(struct client *client, uint8_t seed, size_t length)
{
    static const char alphabet[] = "abc\r\nde\n";
    struct direction *in = &client->in;

    if (in->ended || client->reset || (!client->connected && !client->connecting))
        return;
    if (seed == 0 && in->written + 5 <= IN_MAX) {
        memcpy(in->bytes + in->written, "quit\n", 5);
        in->written += 5;
        return;
    }
    for (size_t i = 0; i < length && in->written < IN_MAX; i++)
        in->bytes[in->written++] =
            (char)(seed % 4 == 1 ? 'x'
                                 : alphabet[(seed + i * (seed | 1U)) % (sizeof alphabet - 1)]);
}

/* Plays one step of the script. Returns how many bytes of it are used. */
static size_t play(struct server *server, const struct server_options *options,
                   const uint8_t *script)
{
    struct client *client = &world.clients[script[0] / 16 % CLIENTS];
    size_t amount = script[1];

    switch (script[0] % 16) {
    case 0:
    case 1:
        if (!client->connected && !client->connecting && !world.stopped)
            client->connecting = true;
        break;
    case 2:
    case 3:
        send_some(client, script[1], 1 + amount % 32);
        break;
    case 4:
        send_some(client, script[1], 1 + 256 * amount);
        break;
    case 5:
    case 6:
        amount = 1 + amount * amount;
        client->out.read += amount < client->out.written - client->out.read
                                ? amount
                                : client->out.written - client->out.read;
        break;
    case 7:
        client->out.room = 1 + amount * amount * amount / 16;
        break;
    case 8:
        client->in.ended = client->in.ended || client->connected || client->connecting;
        break;
    case 9:
        client->reset = client->reset || client->connected;
        break;
    case 10:
        if (amount > 200)
            stop(server);
        break;
    case 11:
        world.now += MILLISECONDS(10) * (int64_t)amount;
        world.timed |= options->idle_timeout > 0 || options->stall_timeout > 0;
        world.drained |= world.stopped;
        break;
    default:
        break;
    }
    return 2;
}

/* All bytes that the server has sent. */
static size_t written(void)
{
    size_t sum = 0;

    for (int i = 0; i < CLIENTS; i++)
        sum += world.clients[i].out.written;
    return sum;
}

/* Lets every client read all and end, until the server has closed all connections. An impairment
 * is given its time. If it has stalled a connection, the server has to be stopped. */
static void finish(struct server *server, const struct server_options *options)
{
    bool impaired = impairment_is_on(&options->impairments), more = true;
    int quiet = 0;

    world.drained |= impaired && world.stopped;
    world.timed |= impaired && (options->idle_timeout > 0 || options->stall_timeout > 0);
    for (int step = 0; more; step++) {
        size_t before = written();

        MUST(step < STEPS_MAX);
        more = false;
        world.now += impaired ? MILLISECONDS(10) : 0;
        if (quiet == QUIET_STEPS && options->impairments.at[IMPAIRMENT_STALL] > 0)
            stop(server);
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &world.clients[i];

            client->out.room = OUT_MAX;
            client->out.read = client->out.written;
            client->in.ended |= client->connected;
            more |= client->connecting || (client->connected && !client->closed);
        }
        if (world.stopped) {
            for (int i = 0; i < CLIENTS; i++)
                world.clients[i].connecting = false;
        }
        if (server_step(server, 0) != SERVER_RUNNING)
            more = false;
        quiet = written() > before ? 0 : quiet + 1;
    }
}

/* The rules of an awkward peer, from eight bytes. */
static struct impairment_rules rules_of(const uint8_t bytes[8])
{
    struct impairment_rules rules = {.seed = bytes[0]};
    int first = bytes[4] % 16, second = bytes[4] / 16;

    rules.delay = bytes[0] % 2 == 1 ? MILLISECONDS(bytes[0]) : 0;
    rules.jitter = bytes[1] % 2 == 1 ? MILLISECONDS(bytes[1]) : 0;
    rules.piece = bytes[2] % 2 == 1 ? 256 + bytes[2] : 0;
    rules.rate = bytes[3] % 2 == 1 ? UINT64_C(1000000) * bytes[3] : 0;
    if (first < IMPAIRMENT_FAULTS)
        rules.at[first] = 1 + (uint64_t)bytes[5] * (1 + bytes[6]);
    if (second < IMPAIRMENT_FAULTS)
        rules.at[second] = 1 + bytes[7];
    return rules;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    static char in[CLIENTS][IN_MAX], out[CLIENTS][OUT_MAX];
    static struct listeners listeners;
    struct server_options options = {.rules = {.prefix = PROTOCOL_PREFIX},
                                     .max_clients = UINT64_MAX,
                                     .drain_timeout = SECONDS(1),
                                     .way = SELECTOR_ALL,
                                     .log_level = LOG_EVENTS};

    if (length < 3 || length > 4096)
        return 0;
    options.rules.mode = (enum protocol_mode)(input[0] % 3);
    options.rules.max_line = 1 + input[1];
    options.idle_timeout = input[2] % 4 == 1 ? SECONDS(1) : 0;
    options.stall_timeout = input[2] % 4 == 2 ? SECONDS(1) : 0;
    options.max_per_address = input[2] % 4 == 3 ? CLIENTS : 0;
    if (input[2] >= 128 && length >= 11)
        options.impairments = rules_of(input + length - 8);
    options.no_log_empty = false;
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &world.clients[i];

        client->connecting = client->connected = client->closed = client->reset = false;
        client->saw_end = client->overflowed = client->aborted = false;
        client->in.written = client->in.read = client->out.written = client->out.read = 0;
        client->in.ended = client->out.ended = false;
        client->in.bytes = in[i];
        client->out.bytes = out[i];
        client->out.room = OUT_MAX;
        client->answerable = client->chunk_count = 0;
    }
    world.now = SECONDS(1000);
    world.log_length = 0;
    world.stopped = world.drained = world.timed = false;
    listeners.count = 1;
    listeners.all[0] = (struct listener){.watch.socket = LISTENER, .address.port = 7};
    struct server *server = server_create(&options, &listeners, OS_NO_SOCKET);

    MUST(server != NULL);
    for (size_t i = 3; i + 2 <= length;) {
        bool steps = input[i] % 16 >= 8 || input[i] % 2 == 0;

        i += play(server, &options, input + i);
        if (steps && server_step(server, 0) != SERVER_RUNNING)
            break;
    }
    finish(server, &options);
    MUST(server_clients(server) == 0 || world.stopped);
    server_destroy(server);
    for (int i = 0; i < CLIENTS; i++)
        check_client(&options, i);
    return 0;
}
