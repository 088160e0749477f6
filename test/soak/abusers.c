/*
 * The clients of `make abuse`, all in one thread, so that they take little of the core that they
 * share with the well-behaved one:
 *
 * abusers PORT DRIBBLERS DEAF ENDLESS FLOOD [filling]
 *
 * DRIBBLERS send a byte a second each, in lines of 16 bytes. DEAF ones send all that they can, in
 * lines of 64 KiB, and never read. ENDLESS ones, which need line mode, send 64 KiB of a line
 * without an end, stay for up to a second, exceed the limit, and come again once they are refused.
 * With FLOOD, so many connect and close in each turn of the loop.
 *
 * Says "ready" when all are connected and the deaf ones are blocked, with "filling" as soon as all
 * are connected, and goes on until SIGTERM. Then it tells what was done: bytes of the dribblers and
 * of the deaf, lines of the endless that were refused, connections of the flood.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peer.h"
#include "deadline.h"
#include "measure/source.h"
#include "net.h"
#include "os.h"
#include "random_numbers.h"

enum {
    AT_ONCE = 256, /* connections that wait to be accepted */
    EVENTS = 256,
    SHORT_LINE = 16,
    LINE = 64 * 1024,
    STAY = 1000,  /* milliseconds */
    BLOCKED = 500 /* milliseconds in which none of the deaf can send */
};

static const int64_t TIMEOUT = SECONDS(20);

enum role { DRIBBLER, DEAF, ENDLESS, ROLES };

struct client {
    enum role role;
    int socket;
    size_t sent;  /* of its line */
    int64_t next; /* an endless one: when to begin its line, or to exceed the limit */
};

static struct client *clients;
static size_t count;
static size_t count_of[ROLES];
static int epoll;
static uint64_t sent_by[ROLES], refused, flooded;
static struct source source;
static struct net_address server = {.bytes = {127, 0, 0, 1}};
static char line[LINE], endless_line[LINE];

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static void connect_one(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 ||
        connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0)
        peer_fail("connect");
    net_reset_on_close(client->socket); /* leaves no port in TIME-WAIT */
}

/* From now on no call waits for the client. */
static void watch(struct client *client)
{
    static const uint32_t events[] = {
        [DRIBBLER] = EPOLLIN, [DEAF] = EPOLLOUT | EPOLLET, [ENDLESS] = EPOLLIN};
    struct epoll_event event = {.events = events[client->role], .data.ptr = client};

    if (fcntl(client->socket, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, client->socket, &event) != 0)
        peer_fail("epoll_ctl");
}

/* Connects all; the answer to an empty line shows that the server has accepted them. */
static void connect_all(void)
{
    size_t role = 0, of_role = 0;

    clients = peer_allocate((count + 1) * sizeof *clients);
    for (size_t done = 0; done < count;) {
        size_t first = done;

        for (; done < count && done < first + AT_ONCE; done++, of_role++) {
            for (; of_role == count_of[role]; role++)
                of_role = 0;
            clients[done] = (struct client){.role = (enum role)role};
            connect_one(&clients[done]);
            if (send(clients[done].socket, "\n", 1, 0) != 1)
                peer_fail("send");
        }
        for (size_t i = first; i < done; i++) {
            if (recv(clients[i].socket, peer_scratch, PEER_SCRATCH, 0) <= 0)
                peer_fail("recv");
        }
    }
}

static size_t transferred(ssize_t result)
{
    if (result < 0 && errno != EAGAIN)
        peer_fail("a connection was lost");
    return result > 0 ? (size_t)result : 0;
}

static void dribble(struct client *client)
{
    size_t sent = transferred(
        send(client->socket, client->sent % SHORT_LINE == SHORT_LINE - 1 ? "\n" : "x", 1, 0));

    client->sent += sent;
    sent_by[DRIBBLER] += sent;
}

/* Sends some of `text`, which has LINE bytes. Returns whether there was room for any. */
static bool send_line(struct client *client, const char *text)
{
    size_t sent = transferred(send(client->socket, text + client->sent, LINE - client->sent, 0));

    client->sent += sent;
    sent_by[client->role] += sent;
    return sent > 0;
}

/* Until there is no room: only then does the system tell again when there is. */
static void send_lines(struct client *client)
{
    while (send_line(client, line))
        client->sent %= LINE;
}

/* What an endless one waits for besides its answer, and when it goes on. */
static void wait_for(struct client *client, uint32_t events, int64_t next)
{
    struct epoll_event event = {.events = EPOLLIN | events, .data.ptr = client};

    client->next = next;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, client->socket, &event) != 0)
        peer_fail("epoll_ctl");
}

static int64_t some_time_later(int64_t now)
{
    return now + (int64_t)random_below(STAY) * MILLISECONDS(1);
}

/* An endless one begins its line when it is due, and exceeds the limit when it is due again. */
static void go_on(struct client *client)
{
    if (client->sent < LINE) {
        wait_for(client, EPOLLOUT, 0);
    } else {
        transferred(send(client->socket, "x", 1, 0));
        client->next = 0;
    }
}

static void come_again(struct client *client, int64_t now)
{
    refused++;
    close(client->socket);
    client->sent = 0;
    client->next = some_time_later(now);
    connect_one(client);
    watch(client);
}

static void serve(struct client *client, uint32_t events, int64_t now)
{
    if ((events & EPOLLIN) != 0) {
        ssize_t got = recv(client->socket, peer_scratch, PEER_SCRATCH, 0);

        transferred(got);
        if (got == 0 && client->role == ENDLESS) {
            come_again(client, now);
            return;
        }
    }
    if ((events & EPOLLOUT) != 0 && client->role == ENDLESS) {
        send_line(client, endless_line);
        if (client->sent == LINE)
            wait_for(client, 0, some_time_later(now));
    } else if ((events & EPOLLOUT) != 0) {
        send_lines(client);
    }
}

/* Sends what is due of the dribblers and the endless. */
static void pass_time(int64_t began, int64_t now)
{
    size_t dribblers = count_of[DRIBBLER], endless = count - count_of[ENDLESS];
    uint64_t due = (uint64_t)((double)(now - began) * (double)dribblers / (double)SECONDS(1));
    static uint64_t turns;

    while (turns < due)
        dribble(&clients[turns++ % dribblers]);
    for (size_t i = endless; i < count; i++) {
        if (clients[i].next > 0 && now >= clients[i].next)
            go_on(&clients[i]);
    }
}

static void flood(size_t many)
{
    os_socket s;

    for (size_t i = 0; i < many; i++) {
        struct net_result result = source_connect(&source, &server, &s);

        if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
            peer_fail("connect");
        net_close(s);
        flooded++;
    }
}

/* Waits for at most so many milliseconds; false when nobody was ready. */
static bool step(int timeout)
{
    static struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, timeout);
    int64_t now = os_nanoseconds();

    for (int i = 0; i < ready; i++)
        serve(events[i].data.ptr, events[i].events, now);
    return ready > 0;
}

static void watch_all(bool deaf)
{
    int64_t now = os_nanoseconds();

    for (size_t i = 0; i < count; i++) {
        if ((clients[i].role == DEAF) != deaf)
            continue;
        clients[i].next = clients[i].role == ENDLESS ? some_time_later(now) : 0;
        watch(&clients[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: abusers PORT DRIBBLERS DEAF ENDLESS FLOOD [filling]\n", stderr);
        return 2;
    }
    server.port = (uint16_t)strtoul(argv[1], NULL, 10);
    for (size_t i = 0; i < ROLES; i++)
        count += count_of[i] = strtoul(argv[2 + i], NULL, 10);
    size_t floods = strtoul(argv[5], NULL, 10);

    memset(endless_line, 'x', LINE);
    memcpy(line, endless_line, LINE);
    line[LINE - 1] = '\n';
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    random_begin(2017);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connect_all();
    watch_all(true);
    for (int64_t end = os_nanoseconds() + TIMEOUT; argc == 6 && step(BLOCKED);) {
        if (os_nanoseconds() >= end) {
            fputs("abusers: the deaf are not blocked\n", stderr);
            return 1;
        }
    }
    watch_all(false);
    puts("ready");
    fflush(stdout);
    for (int64_t began = os_nanoseconds(); !stopped;) {
        step(floods > 0 ? 0 : 1);
        pass_time(began, os_nanoseconds());
        flood(floods);
    }
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sent_by[DRIBBLER], sent_by[DEAF],
           refused, flooded);
    return 0;
}
