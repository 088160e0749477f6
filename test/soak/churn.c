/*
 * The clients of `make soak`: every kind of client that comes and goes, well-behaved or not, all in
 * one thread.
 *
 * churn PORT echo|line SECONDS RATE CLIENT
 *
 * For so many seconds, RATE clients a second connect to a server in this mode. What is read is
 * compared, byte for byte. CLIENT is the path of echo-client: as processes of their own, some loads
 * are stopped for a while (SIGSTOP), and then go on to their end or are killed (SIGKILL).
 *
 * Prints how many clients of each kind connected, a kind a line, and how many were at work at once
 * at most. The first thing that goes wrong ends it with status 1 and a line on stderr.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peer.h"
#include "deadline.h"
#include "measure/source.h"
#include "net.h"
#include "random_numbers.h"

enum {
    CLIENTS = 1000, /* at once */
    BURST = 250,    /* milliseconds after which those who are due connect together */
    PROCESSES = 3,  /* loads that are stopped, at once */
    PROCESS_CONNECTIONS = 4,
    EVENTS = 256,
    PIECE = 20000,          /* those who read also read between two pieces of what they send */
    TEXT = 9 * 1024 * 1024, /* the most that a client sends, or is answered */
    HOLD = 500              /* milliseconds that a client that does not read stays, at most */
};

static const int64_t TIMEOUT = SECONDS(30); /* far longer than any client takes */
static const char PREFIX[] = "Message received - ";

struct text {
    char *bytes;
    size_t length;
};

enum leave { LEAVE_CLOSE, LEAVE_RESET };

struct kind {
    const char *name;
    unsigned weight;      /* of all clients, per mille */
    size_t lines, length; /* what it sends: so many lines of so many bytes */
    enum leave leave;     /* how it ends the connection */
    bool reads;           /* else it stays for a while once it has sent all or is blocked */
    bool half_close;      /* ends its sending side */
    bool to_end;          /* reads until the server has ended, too */
    bool slow;            /* sends a byte at a time */
    bool no_ending;       /* the last line has no ending */
    const char *only;     /* the mode that it is for, or NULL */
    const char *last;     /* sent besides, at the end; in line mode it is answered with `answer` */
    const char *answer;   /* or NULL */
    struct text request;  /* made of all this */
    struct text reply;    /* what the server answers */
    uint64_t made;        /* how many connected */
};

static struct kind kinds[] = {
    {.name = "connect, close", .weight = 240},
    {.name = "connect, echo, close", .weight = 300, .lines = 1, .length = 64, .reads = true},
    {.name = "connect, echo, reset",
     .weight = 200,
     .lines = 1,
     .length = 64,
     .reads = true,
     .leave = LEAVE_RESET},
    {.name = "connect, send, reset", .weight = 40, .lines = 1, .length = 64, .leave = LEAVE_RESET},
    {.name = "half-close and read",
     .weight = 60,
     .lines = 6,
     .length = 10000,
     .reads = true,
     .half_close = true,
     .to_end = true,
     .no_ending = true},
    {.name = "half-close and never read",
     .weight = 15,
     .lines = 10,
     .length = 30000,
     .half_close = true},
    {.name = "quit",
     .weight = 60,
     .lines = 2,
     .length = 20,
     .reads = true,
     .to_end = true,
     .only = "line",
     .last = "quit\nnot answered\n",
     .answer = "quit\n"},
    {.name = "never read while sending", .weight = 3, .lines = 140, .length = 60000},
    {.name = "the same, then reset",
     .weight = 1,
     .lines = 140,
     .length = 60000,
     .leave = LEAVE_RESET},
    {.name = "a line too long",
     .weight = 15,
     .lines = 1,
     .length = 400000,
     .reads = true,
     .to_end = true,
     .only = "line",
     .no_ending = true,
     .answer = "Message too long\n"},
    {.name = "a line without an end", .weight = 15, .lines = 1, .length = 50000, .no_ending = true},
    {.name = "a byte at a time",
     .weight = 40,
     .lines = 2,
     .length = 6,
     .reads = true,
     .slow = true},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

enum stage { FREE, CONNECTING, BUSY, HOLDING };

struct client {
    enum stage stage;
    struct kind *kind;
    int socket;
    bool half_closed;
    size_t sent, got;
    int64_t next; /* when to send the next byte, or to leave */
    int64_t began;
};

/* A load that is stopped. */
struct process {
    pid_t pid; /* 0: none */
    bool stopped;
    bool killed;
    int64_t next; /* when to stop it, or to let it go on */
};

static struct client clients[CLIENTS];
static struct process processes[PROCESSES];
static struct source source;
static struct net_address server = {.bytes = {127, 0, 0, 1}};
static const char *mode;
static int epoll;
static int64_t now;
static size_t busy, most_busy;
static uint64_t processes_finished, processes_killed;
static char scratch[64 * 1024];

static void kill_processes(void)
{
    for (size_t i = 0; i < PROCESSES; i++) {
        if (processes[i].pid > 0)
            kill(processes[i].pid, SIGKILL);
    }
}

__attribute__((format(printf, 2, 3))) static _Noreturn void fault(const struct client *client,
                                                                  const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "churn: %s: ", client != NULL ? client->kind->name : "a load that was stopped");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    kill_processes();
    exit(1);
}

/* A request to stop: a load that is stopped would stay for ever. */
static void stop(int signal)
{
    kill_processes();
    _exit(128 + signal);
}

static int64_t in_milliseconds(size_t least, size_t most)
{
    return now + (int64_t)(least + random_below(most - least + 1)) * MILLISECONDS(1);
}

static void append(struct text *text, const char *bytes, size_t length)
{
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

/* What a client of a kind sends, and what it has to be answered. */
static void prepare(struct kind *kind)
{
    bool line_mode = strcmp(mode, "line") == 0;
    size_t place = 0;

    kind->request.bytes = peer_allocate(TEXT);
    kind->reply.bytes = peer_allocate(TEXT);
    for (size_t i = 0; i < kind->lines; i++) {
        char *line = kind->request.bytes + kind->request.length;

        for (size_t k = 0; k < kind->length; k++)
            line[k] = (char)('a' + place++ % 23);
        if (!kind->no_ending || i + 1 < kind->lines)
            line[kind->length - 1] = '\n';
        kind->request.length += kind->length;
        if (line_mode && (kind->answer == NULL || kind->last != NULL))
            append(&kind->reply, PREFIX, strlen(PREFIX));
        if (kind->answer == NULL || kind->last != NULL)
            append(&kind->reply, line, kind->length);
    }
    if (kind->last != NULL)
        append(&kind->request, kind->last, strlen(kind->last));
    if (kind->answer != NULL)
        append(&kind->reply, kind->answer, strlen(kind->answer));
}

static void want(const struct client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = (void *)(uintptr_t)client};

    if (epoll_ctl(epoll, operation, client->socket, &event) != 0)
        peer_fail("epoll_ctl");
}

/* Waits for what there is to do next. */
static void want_next(const struct client *client)
{
    bool sends =
        client->stage == BUSY && client->sent < client->kind->request.length && !client->kind->slow;

    want(client, EPOLL_CTL_MOD, (sends ? EPOLLOUT : 0U) | (client->kind->reads ? EPOLLIN : 0U));
}

static void leave(struct client *client)
{
    if (client->kind->leave == LEAVE_RESET)
        net_reset_on_close(client->socket);
    net_close(client->socket);
    client->stage = FREE;
    busy--;
}

/* One who never reads stays for a while when there is nothing left to send, or no room for it. */
static void hold(struct client *client)
{
    client->stage = HOLDING;
    client->next = in_milliseconds(0, HOLD);
    want(client, EPOLL_CTL_MOD, 0);
}

static void send_some(struct client *client)
{
    const struct kind *kind = client->kind;

    while (client->sent < kind->request.length) {
        size_t rest = kind->request.length - client->sent;
        size_t piece = kind->slow ? 1 : kind->reads && rest > PIECE ? PIECE : rest;
        struct net_result result =
            net_send(client->socket, kind->request.bytes + client->sent, piece);

        if (result.outcome == NET_WOULD_BLOCK) {
            if (!kind->reads)
                break;
            want_next(client);
            return;
        }
        if (result.outcome != NET_DONE)
            fault(client, "cannot send after %zu bytes: %s", client->sent, strerror(result.error));
        client->sent += result.bytes;
        client->next = in_milliseconds(1, 3);
        if (kind->reads)
            break;
    }
    if (kind->reads && client->sent < kind->request.length) {
        want_next(client);
        return;
    }
    if (kind->half_close && !client->half_closed) {
        client->half_closed = true;
        if (net_end_sending(client->socket).outcome != NET_DONE)
            fault(client, "cannot end its sending side");
    }
    if (!kind->reads)
        hold(client);
    else
        want_next(client);
}

static void receive_some(struct client *client)
{
    const struct text *reply = &client->kind->reply;

    for (;;) {
        struct net_result result = net_recv(client->socket, scratch, sizeof scratch);

        if (result.outcome == NET_WOULD_BLOCK)
            return;
        if (result.outcome == NET_END && client->got == reply->length && client->kind->to_end)
            break;
        if (result.outcome != NET_DONE)
            fault(client, "lost after %zu of %zu bytes: %s", client->got, reply->length,
                  result.outcome == NET_END ? "end of stream" : strerror(result.error));
        if (result.bytes > reply->length - client->got ||
            memcmp(scratch, reply->bytes + client->got, result.bytes) != 0)
            fault(client, "wrong bytes behind the first %zu of %zu", client->got, reply->length);
        client->got += result.bytes;
        if (client->got == reply->length && !client->kind->to_end)
            break;
    }
    leave(client);
}

static void connected(struct client *client)
{
    struct net_result result = net_connect_result(client->socket);

    int small = 4096;

    if (result.outcome != NET_DONE)
        fault(client, "cannot connect: %s", strerror(result.error));
    /* Where the system keeps little for them, the server soon has to keep the rest. */
    if (!client->kind->reads)
        setsockopt(client->socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    client->kind->made++;
    client->stage = BUSY;
    if (client->kind->request.length == 0)
        leave(client);
    else
        send_some(client);
}

static void begin(struct client *client)
{
    size_t which = random_below(1000), kind = 0;

    while (kind < KINDS - 1 && which >= kinds[kind].weight)
        which -= kinds[kind++].weight;
    if (kinds[kind].only != NULL && strcmp(kinds[kind].only, mode) != 0)
        kind = 1;
    *client = (struct client){.stage = CONNECTING, .kind = &kinds[kind], .began = now};
    struct net_result result = source_connect(&source, &server, &client->socket);

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
        fault(client, "cannot connect: %s", strerror(result.error));
    busy++;
    if (busy > most_busy)
        most_busy = busy;
    want(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static void serve(struct client *client, uint32_t events)
{
    if (client->stage == CONNECTING)
        connected(client);
    else if (client->stage == BUSY && (events & EPOLLOUT) != 0)
        send_some(client);
    /* Of those who never read, the server ends none. */
    if (client->stage == HOLDING && (events & EPOLLERR) != 0)
        fault(client, "was reset");
    if (client->stage == BUSY && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        receive_some(client);
}

/* What is due now. */
static void pass_time(struct client *client)
{
    if (client->stage == BUSY && client->kind->slow &&
        client->sent < client->kind->request.length && now >= client->next)
        send_some(client);
    else if (client->stage == HOLDING && now >= client->next)
        leave(client);
    else if (client->stage != FREE && now - client->began >= TIMEOUT)
        fault(client, "nothing for %d s; %zu of %zu bytes sent, %zu of %zu received",
              (int)(TIMEOUT / SECONDS(1)), client->sent, client->kind->request.length, client->got,
              client->kind->reply.length);
}

static void begin_process(struct process *process, char *program)
{
    char host[] = "127.0.0.1", port[8], load[] = "--load", expect[] = "--expect", answer[8],
         connections[] = "--connections", four[8], rate[] = "--rate", thousand[] = "1000",
         count[] = "--count", messages[] = "300", size[] = "--size", bytes[] = "200",
         pipeline[] = "--pipeline", most[] = "8";
    char *arguments[] = {program,  load, expect, answer,   connections, four, rate, thousand, count,
                         messages, size, bytes,  pipeline, most,        host, port, NULL};
    posix_spawn_file_actions_t actions;

    snprintf(port, sizeof port, "%u", server.port);
    snprintf(four, sizeof four, "%d", PROCESS_CONNECTIONS);
    snprintf(answer, sizeof answer, "%s", mode);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&process->pid, program, &actions, NULL, arguments, environ) != 0)
        peer_fail("posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    process->stopped = process->killed = false;
    process->next = in_milliseconds(20, 200);
}

/* Stops a load when it is time, and lets it go on or kills it later. */
static void step_process(struct process *process)
{
    int status;

    if (waitpid(process->pid, &status, WNOHANG) == process->pid) {
        process->pid = 0;
        if (process->killed)
            processes_killed++;
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fault(NULL, "ended with status %d", status);
        else
            processes_finished++;
    } else if (now >= process->next && !process->killed) {
        process->killed = process->stopped && random_below(2) == 0;
        kill(process->pid, process->killed ? SIGKILL : process->stopped ? SIGCONT : SIGSTOP);
        process->next = process->stopped ? now + TIMEOUT : in_milliseconds(20, 500);
        process->stopped = true;
    }
}

/* Waits for at most a millisecond, and handles all that is ready or due. Returns whether anybody is
 * still there. */
static bool step(void)
{
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, 1);
    bool more = busy > 0;

    now = os_nanoseconds();
    for (int i = 0; i < ready; i++)
        serve(events[i].data.ptr, events[i].events);
    for (size_t i = 0; i < CLIENTS; i++)
        pass_time(&clients[i]);
    for (size_t i = 0; i < PROCESSES; i++) {
        if (processes[i].pid > 0) {
            step_process(&processes[i]);
            more = true;
        }
    }
    return more;
}

/* Begins the clients that are due: in every other second one by one, in the others hundreds in
 * parallel. */
static void begin_due(int64_t passed, double rate)
{
    if (passed / SECONDS(1) % 2 == 1)
        passed -= passed % MILLISECONDS(BURST);
    double due = (double)passed * rate / (double)SECONDS(1);

    for (size_t i = 0; i < CLIENTS && (double)source.count < due; i++) {
        if (clients[i].stage == FREE)
            begin(&clients[i]);
    }
}

static void tell(void)
{
    uint64_t made = 0;

    for (size_t i = 0; i < KINDS; i++) {
        made += kinds[i].made;
        if (kinds[i].made > 0)
            printf("%10" PRIu64 " %s\n", kinds[i].made, kinds[i].name);
    }
    printf("%10" PRIu64 " loads stopped, each with up to %d connections\n"
           "%10" PRIu64 " loads stopped and killed, each with up to %d connections\n"
           "%10" PRIu64 " connections, without those of the loads\n"
           "%10zu of them at once, at most\n",
           processes_finished, PROCESS_CONNECTIONS, processes_killed, PROCESS_CONNECTIONS, made,
           most_busy);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fputs("usage: churn PORT echo|line SECONDS RATE CLIENT\n", stderr);
        return 2;
    }
    server.port = (uint16_t)strtoul(argv[1], NULL, 10);
    mode = argv[2];
    double seconds = strtod(argv[3], NULL), rate = strtod(argv[4], NULL);

    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    random_begin(2017);
    for (size_t i = 0; i < KINDS; i++)
        prepare(&kinds[i]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    now = os_nanoseconds();
    int64_t began = now, end = began + (int64_t)(seconds * (double)SECONDS(1));

    while (now < end) {
        begin_due(now - began, rate);
        for (size_t i = 0; i < PROCESSES; i++) {
            if (processes[i].pid == 0)
                begin_process(&processes[i], argv[5]);
        }
        step();
    }
    while (step())
        continue;
    tell();
    return 0;
}
