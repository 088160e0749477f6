/* The floor: what a server is that was written for nothing but epoll, level-triggered, one recv()
 * and one send() a message. */
#include <stdlib.h>
#include <sys/epoll.h>

#include "peer.h"

enum { EVENTS = 1024 };

static void watch(int epoll, int operation, int socket, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    if (epoll_ctl(epoll, operation, socket, &event) != 0)
        peer_fail("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int s;

    while ((s = peer_accept(listener)) >= 0) {
        struct peer *peer = peer_allocate(sizeof *peer);

        *peer = (struct peer){.socket = s};
        watch(epoll, EPOLL_CTL_ADD, s, EPOLLIN, peer);
    }
}

static void serve(int epoll, struct peer *peer)
{
    enum peer_wait before = peer->rest != NULL ? PEER_WRITE : PEER_READ;
    enum peer_wait after = peer_serve(peer);

    if (after == PEER_ENDED)
        free(peer);
    else if (after != before)
        watch(epoll, EPOLL_CTL_MOD, peer->socket, after == PEER_WRITE ? EPOLLOUT : EPOLLIN, peer);
}

int main(void)
{
    static struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = peer_listen();

    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(epoll, listener);
            else
                serve(epoll, events[i].data.ptr);
        }
    }
}
