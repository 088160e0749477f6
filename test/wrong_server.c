#include "wrong_server.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "test.h"

static const int64_t MILLISECOND = 1000000;

/* The one that is open; a failed test leaves it to the next one that opens one. */
static struct wrong_server *current;

static void close_connection(struct wrong_server *server, struct wrong_connection *c, bool reset)
{
    selector_remove(server->selector, &c->watch);
    if (reset)
        support_reset(c->watch.socket);
    else
        net_close(c->watch.socket);
    c->open = false;
}

static void take_connections(struct wrong_server *server)
{
    struct net_address peer;
    os_socket s;

    while (net_accept(server->listener.socket, &s, &peer).outcome == NET_DONE) {
        struct wrong_connection *c = server->connections;

        server->accepted++;
        if (server->fault == WRONG_SERVER_CLOSE) {
            net_close(s);
            continue;
        }
        while (c < server->connections + WRONG_SERVER_CONNECTIONS && c->open)
            c++;
        assert_true(c < server->connections + WRONG_SERVER_CONNECTIONS);
        memset(c, 0, sizeof *c);
        c->open = true;
        assert_true(selector_add(server->selector, &c->watch, s, SELECTOR_READ));
    }
}

/* What is done with the byte at c->unsent[i]; returns false when the connection is no more. */
static bool make_fault(struct wrong_server *server, struct wrong_connection *c, size_t i)
{
    char *byte = c->unsent + i;

    server->faults--;
    memcpy(server->head, c->head, sizeof c->head);
    server->byte = (unsigned char)byte[0];
    server->next = (unsigned char)byte[1];
    switch (server->fault) {
    case WRONG_SERVER_NONE:
    case WRONG_SERVER_APPEND:
    case WRONG_SERVER_CLOSE:
        break;
    case WRONG_SERVER_FLIP:
        *byte ^= 1;
        break;
    case WRONG_SERVER_DROP:
        memmove(byte, byte + 1, --c->length - i);
        break;
    case WRONG_SERVER_REPEAT:
        memmove(byte + 1, byte, c->length++ - i);
        break;
    case WRONG_SERVER_RESET:
        close_connection(server, c, true);
        return false;
    case WRONG_SERVER_END:
    case WRONG_SERVER_MUTE:
        c->length = i;
        c->mute = true;
        break;
    case WRONG_SERVER_LATE:
        c->held_until = os_nanoseconds() + WRONG_SERVER_DELAY * MILLISECOND;
        break;
    }
    return true;
}

/* Reads once; returns false when the connection is no more. */
static bool receive(struct wrong_server *server, struct wrong_connection *c)
{
    struct net_result result = net_recv(c->watch.socket, c->unsent, sizeof c->unsent - 1);
    uint64_t before = c->received;

    if (result.outcome == NET_WOULD_BLOCK)
        return true;
    if (result.outcome == NET_END && server->fault == WRONG_SERVER_APPEND && before > 0 &&
        !c->ending) {
        c->ending = true;
        c->unsent[c->length++] = 'x';
        return true;
    }
    if (result.outcome != NET_DONE) {
        close_connection(server, c, false);
        return false;
    }
    c->received += result.bytes;
    server->received += result.bytes;
    for (size_t i = 0; i < result.bytes && before + i < WRONG_SERVER_HEAD; i++)
        c->head[before + i] = c->unsent[i];
    if (c->mute)
        return true;
    c->length = result.bytes;
    c->unsent[c->length] = '\0';
    if (server->faults > 0 && server->at >= before && server->at < c->received)
        return make_fault(server, c, (size_t)(server->at - before));
    return true;
}

static void serve(struct wrong_server *server, struct wrong_connection *c)
{
    if (c->held_until > os_nanoseconds())
        return;
    c->held_until = 0;
    if (c->sent == c->length && !receive(server, c))
        return;
    if (c->held_until == 0 && c->sent < c->length) {
        struct net_result result =
            net_send(c->watch.socket, c->unsent + c->sent, c->length - c->sent);

        if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK) {
            close_connection(server, c, false);
            return;
        }
        c->sent += result.bytes;
    }
    if (c->sent == c->length) {
        c->sent = c->length = 0;
        if (c->mute && server->fault == WRONG_SERVER_END)
            net_end_sending(c->watch.socket);
    }
    selector_change(server->selector, &c->watch,
                    c->held_until > 0 ? SELECTOR_NONE
                    : c->length > 0   ? SELECTOR_WRITE
                                      : SELECTOR_READ);
}

static void step(struct wrong_server *server)
{
    struct selector_watch *watch;

    /* Not for long: nothing waits for sockets and the client's output alike. */
    assert_true(selector_wait(server->selector, os_nanoseconds() + MILLISECONDS(5)));
    while ((watch = selector_next(server->selector)) != NULL) {
        if (watch == &server->listener)
            take_connections(server);
        else
            serve(server, (struct wrong_connection *)watch);
    }
    for (size_t i = 0; i < WRONG_SERVER_CONNECTIONS; i++) {
        if (server->connections[i].open && server->connections[i].held_until > 0)
            serve(server, &server->connections[i]);
    }
}

struct wrong_server *wrong_server_open(enum wrong_server_fault fault, uint64_t at, unsigned faults)
{
    if (current != NULL)
        wrong_server_close(current);
    struct wrong_server *server = current = calloc(1, sizeof *server);

    assert_non_null(server);
    server->fault = fault;
    server->at = at;
    server->faults = faults;
    server->selector = selector_create(SELECTOR_ALL);
    assert_non_null(server->selector);
    assert_true(selector_add(server->selector, &server->listener, support_listen(&server->address),
                             SELECTOR_READ));
    return server;
}

void wrong_server_run(struct wrong_server *server, struct process *client, uint64_t received)
{
    int64_t end = os_nanoseconds() + SUPPORT_DEADLINE * MILLISECOND;

    while (server->received < received &&
           !(client->output[STREAM_OUTPUT].ended && client->output[STREAM_ERROR].ended)) {
        step(server);
        process_pump(client, NULL, 0, 0);
        if (os_nanoseconds() > end)
            fail_msg("the client has not ended");
    }
}

void wrong_server_close(struct wrong_server *server)
{
    for (size_t i = 0; i < WRONG_SERVER_CONNECTIONS; i++) {
        if (server->connections[i].open)
            close_connection(server, &server->connections[i], false);
    }
    net_close(server->listener.socket);
    selector_destroy(server->selector);
    free(server);
    current = NULL;
}
