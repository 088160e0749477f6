/*
 * What `make bench` needs of clients besides echo-client --load, all in one thread, so that nothing
 * competes for its core:
 *
 * crowd PORT hold N
 *
 * makes N connections, each of which is answered once, says "ready", and keeps them.
 *
 * crowd PORT flood N
 *
 * N connections write as fast as they can and never read, until nothing can be written for 2 s, or
 * 10 s have passed. Tells how many bytes went out.
 *
 * crowd PORT probe IDLE BUSY STREAMS SECONDS PAUSE
 *
 * One of the idle connections after the other sends a message, about every PAUSE microseconds,
 * while BUSY connections exchange messages in a closed loop and STREAMS send and take all they can.
 * Tells how long the answers took (p50, p99 and the most, in microseconds), how many messages were
 * sent, how many of them were not answered, the bytes a second that the streams got back, and the
 * messages a second of the busy ones.
 *
 * crowd PORT burst IDLE
 *
 * All idle connections send a message at once, after nothing has happened for a while. Tells how
 * long the answers took, as probe does.
 *
 * crowd PORT join IDLE BUSY SECONDS PAUSE
 *
 * The same with new clients instead of idle ones: each connects, sends a message and leaves with
 * the answer. The time to connect counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure/histogram.h"
#include "net.h"
#include "os.h"
#include "peer.h"

enum {
    NEWCOMERS = 64,
    AT_ONCE = 256,
    MESSAGE = 64,
    PIECE = 64 * 1024,
    EVENTS = 256,
    QUIET = 300, /* milliseconds */
    TIMEOUT = 10 /* seconds */
};

static const int64_t SECOND = 1000000000;

enum role { IDLE, BUSY, STREAM, FLOOD, NEW };

struct client {
    enum role role;
    int socket;   /* a new one has none until it is its turn */
    size_t owed;  /* bytes of the answer that have not come */
    int64_t sent; /* when the message was */
};

struct crowd {
    struct client *clients;
    size_t count;
    uint16_t port;
    int epoll;
    struct histogram answers;
    uint64_t turns, probes;
    uint64_t exchanged;         /* messages that the busy ones had answered */
    uint64_t streamed, flooded; /* bytes back from the streams, and into the flood */
};

static int connect_one(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval timeout = {.tv_sec = TIMEOUT};
    int on = 1;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) != 0)
        peer_fail("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    net_reset_on_close(s); /* leaves no port in TIME-WAIT */
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return s;
}

static void make_room(struct crowd *crowd, size_t count)
{
    crowd->clients = realloc(crowd->clients, (count + 1) * sizeof *crowd->clients);
    if (crowd->clients == NULL)
        peer_fail("realloc");
}

/* Makes connections; the answer shows that the server has accepted them. */
static void add(struct crowd *crowd, size_t count, enum role role)
{
    char byte = 0;
    size_t until = crowd->count + count;

    make_room(crowd, until);
    while (crowd->count < until) {
        size_t first = crowd->count;

        while (crowd->count < until && crowd->count < first + AT_ONCE) {
            int s = connect_one(crowd->port);

            if (send(s, &byte, 1, MSG_NOSIGNAL) != 1)
                peer_fail("send");
            crowd->clients[crowd->count++] = (struct client){.role = role, .socket = s};
        }
        for (size_t i = first; i < crowd->count; i++) {
            if (recv(crowd->clients[i].socket, &byte, 1, 0) != 1)
                peer_fail("recv");
        }
    }
}

/* Places for those who are going to connect. */
static void add_newcomers(struct crowd *crowd)
{
    make_room(crowd, crowd->count + NEWCOMERS);
    for (int i = 0; i < NEWCOMERS; i++)
        crowd->clients[crowd->count++] = (struct client){.role = NEW, .socket = -1};
}

static void watch(struct crowd *crowd, struct client *client)
{
    static const uint32_t events[] = {[IDLE] = EPOLLIN,
                                      [BUSY] = EPOLLIN,
                                      [STREAM] = EPOLLIN | EPOLLOUT,
                                      [FLOOD] = EPOLLOUT,
                                      [NEW] = EPOLLIN};
    struct epoll_event event = {.events = events[client->role], .data.ptr = client};

    if (fcntl(client->socket, F_SETFL, O_NONBLOCK) != 0 ||
        epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->socket, &event) != 0)
        peer_fail("epoll_ctl");
}

/* From now on no call waits but epoll_wait(). */
static void watch_all(struct crowd *crowd)
{
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->clients[i].role != NEW)
            watch(crowd, &crowd->clients[i]);
    }
}

static size_t transferred(ssize_t result)
{
    if (result > 0)
        return (size_t)result;
    if (result == 0 || errno != EAGAIN)
        peer_fail("a connection was lost");
    return 0;
}

static size_t take(const struct client *client)
{
    return transferred(recv(client->socket, peer_scratch, PIECE, 0));
}

static size_t give(const struct client *client, size_t length)
{
    return transferred(send(client->socket, peer_scratch, length, MSG_NOSIGNAL));
}

static void ask(struct client *client)
{
    client->sent = os_nanoseconds();
    client->owed = give(client, MESSAGE);
}

static void serve(struct crowd *crowd, struct client *client, uint32_t ready)
{
    if (client->role == FLOOD) {
        crowd->flooded += give(client, PIECE);
    } else if (client->role == STREAM) {
        if ((ready & EPOLLIN) != 0)
            crowd->streamed += take(client);
        if ((ready & EPOLLOUT) != 0)
            give(client, PIECE);
    } else {
        client->owed -= take(client);
        if (client->owed > 0)
            return;
        if (client->role == BUSY) {
            crowd->exchanged++;
            client->owed = give(client, MESSAGE);
        } else {
            histogram_add(&crowd->answers, os_nanoseconds() - client->sent);
            if (client->role == NEW)
                close(client->socket);
        }
    }
}

/* Waits for at most so long, and returns whether something was ready. */
static bool step(struct crowd *crowd, int milliseconds)
{
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(crowd->epoll, events, EVENTS, milliseconds);

    for (int i = 0; i < ready; i++)
        serve(crowd, events[i].data.ptr, events[i].events);
    return ready > 0;
}

static void flood(struct crowd *crowd)
{
    int64_t end = os_nanoseconds() + TIMEOUT * SECOND;

    watch_all(crowd);
    while (step(crowd, 2000) && os_nanoseconds() < end)
        continue;
    printf("%llu\n", (unsigned long long)crowd->flooded);
}

/* Lets those who are busy go on for a while, in which the others are idle. */
static void go_on(struct crowd *crowd)
{
    int64_t until = os_nanoseconds() + QUIET * (SECOND / 1000), now;

    while ((now = os_nanoseconds()) < until)
        step(crowd, (int)((until - now) / 1000000) + 1);
}

/* A new client connects, to this machine, where that does not wait for the server, and asks. */
static void join(struct crowd *crowd, struct client *client)
{
    int64_t began = os_nanoseconds();

    client->socket = connect_one(crowd->port);
    watch(crowd, client);
    ask(client);
    client->sent = began;
}

/* The next of those who are timed; one whose answer is still to come has another turn later. */
static void probe_next(struct crowd *crowd, size_t first, size_t count)
{
    /* No neighbours one after the other: 7919 is a prime number. */
    struct client *client = &crowd->clients[first + crowd->turns++ * 7919 % count];

    if (client->owed > 0)
        return;
    if (client->role == NEW)
        join(crowd, client);
    else
        ask(client);
    crowd->probes++;
}

static void tell_times(const struct crowd *crowd)
{
    printf("%.1f %.1f %.1f", (double)histogram_percentile(&crowd->answers, 0.5) / 1e3,
           (double)histogram_percentile(&crowd->answers, 0.99) / 1e3,
           (double)crowd->answers.max / 1e3);
}

static void burst(struct crowd *crowd)
{
    watch_all(crowd);
    go_on(crowd);
    int64_t end = os_nanoseconds() + TIMEOUT * SECOND;

    for (size_t i = 0; i < crowd->count; i++)
        ask(&crowd->clients[i]);
    while (crowd->answers.count < crowd->count && os_nanoseconds() < end)
        step(crowd, 100);
    tell_times(crowd);
    printf("\n");
}

/* Times `count` clients, from `first` on. */
static void probe(struct crowd *crowd, size_t first, size_t count, int64_t duration, int64_t pause)
{
    watch_all(crowd);
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->clients[i].role == BUSY)
            ask(&crowd->clients[i]);
    }
    /* Not where nothing but those who are busy matters. */
    if (count > 1)
        go_on(crowd);
    int64_t began = os_nanoseconds(), now = began, due = began, end = began + duration;

    crowd->exchanged = crowd->streamed = 0;

    for (; now < end; now = os_nanoseconds()) {
        if (due <= now) {
            probe_next(crowd, first, count);
            /* Now sooner and now later, so as not to keep step with the server's own clock. */
            due = now + pause / 2 + (int64_t)(crowd->probes * 7919017 % (uint64_t)pause);
        }
        step(crowd, (int)((due - now) / 1000000));
    }
    while (crowd->answers.count < crowd->probes && os_nanoseconds() < end + SECOND)
        step(crowd, 100);
    double seconds = (double)(os_nanoseconds() - began) / (double)SECOND;

    tell_times(crowd);
    printf(" %llu %llu %.0f %.0f\n", (unsigned long long)crowd->probes,
           (unsigned long long)(crowd->probes - crowd->answers.count),
           (double)crowd->streamed / seconds, (double)crowd->exchanged / seconds);
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    double number[8] = {0};

    for (int i = 1; i < argc && i < 8; i++)
        number[i] = strtod(argv[i], NULL);
    size_t count = (size_t)number[3];

    crowd.port = (uint16_t)number[1];

    if (argc == 4 && count > 0 && strcmp(argv[2], "hold") == 0) {
        add(&crowd, count, IDLE);
        puts("ready");
        fflush(stdout);
        pause();
    } else if (argc == 4 && strcmp(argv[2], "flood") == 0) {
        add(&crowd, count, FLOOD);
        flood(&crowd);
    } else if (argc == 8 && count > 0 && strcmp(argv[2], "probe") == 0) {
        add(&crowd, count, IDLE);
        add(&crowd, (size_t)number[4], BUSY);
        add(&crowd, (size_t)number[5], STREAM);
        probe(&crowd, 0, count, (int64_t)(number[6] * (double)SECOND), (int64_t)(number[7] * 1000));
    } else if (argc == 4 && count > 0 && strcmp(argv[2], "burst") == 0) {
        add(&crowd, count, IDLE);
        burst(&crowd);
    } else if (argc == 7 && strcmp(argv[2], "join") == 0) {
        add(&crowd, count, IDLE);
        add(&crowd, (size_t)number[4], BUSY);
        count = crowd.count;
        add_newcomers(&crowd);
        probe(&crowd, count, NEWCOMERS, (int64_t)(number[5] * (double)SECOND),
              (int64_t)(number[6] * 1000));
    } else {
        fputs("usage: crowd PORT hold|flood|burst N | probe IDLE BUSY STREAMS SECONDS PAUSE |"
              " join IDLE BUSY SECONDS PAUSE\n",
              stderr);
        return 2;
    }
    return 0;
}
