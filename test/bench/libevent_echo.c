/* The same with libevent's bufferevents, which send when the socket is writable; what is read moves
 * to the output without being copied, and no more is read while much waits there. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "peer.h"

static void on_read(struct bufferevent *connection, void *unused)
{
    (void)unused;
    bufferevent_write_buffer(connection, bufferevent_get_input(connection));
    if (evbuffer_get_length(bufferevent_get_output(connection)) >= PEER_SCRATCH)
        bufferevent_disable(connection, EV_READ);
}

/* All has been sent. */
static void on_sent(struct bufferevent *connection, void *unused)
{
    (void)unused;
    if ((bufferevent_get_enabled(connection) & EV_READ) == 0)
        bufferevent_enable(connection, EV_READ);
}

static void on_all_sent(struct bufferevent *connection, void *unused)
{
    (void)unused;
    bufferevent_free(connection);
}

static void on_end(struct bufferevent *connection, short events, void *unused)
{
    (void)unused;
    if ((events & BEV_EVENT_EOF) != 0 &&
        evbuffer_get_length(bufferevent_get_output(connection)) > 0)
        bufferevent_setcb(connection, NULL, on_all_sent, on_end, NULL);
    else
        bufferevent_free(connection);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t s,
                          struct sockaddr *address, int length, void *unused)
{
    struct event_base *base = evconnlistener_get_base(listener);
    struct bufferevent *connection = bufferevent_socket_new(base, s, BEV_OPT_CLOSE_ON_FREE);
    int on = 1;

    (void)address, (void)length, (void)unused;
    if (connection == NULL)
        peer_fail("bufferevent_socket_new");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bufferevent_set_max_single_read(connection, PEER_SCRATCH);
    bufferevent_set_max_single_write(connection, PEER_SCRATCH);
    bufferevent_setcb(connection, on_read, on_sent, on_end, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(void)
{
    struct event_base *base = event_base_new();

    if (base == NULL)
        peer_fail("event_base_new");
    if (evconnlistener_new(base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE, 0, peer_listen()) ==
        NULL)
        peer_fail("evconnlistener_new");
    return event_base_dispatch(base);
}
