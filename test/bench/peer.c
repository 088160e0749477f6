#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char peer_scratch[PEER_SCRATCH];

void peer_fail(const char *what)
{
    perror(what);
    exit(1);
}

void *peer_allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        peer_fail("malloc");
    return memory;
}

int peer_listen(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        peer_fail("listen");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int peer_accept(int listener)
{
    int on = 1;
    int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (s >= 0)
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    else if (errno != EAGAIN && errno != ECONNABORTED)
        peer_fail("accept4");
    return s;
}

static enum peer_wait ended(struct peer *peer)
{
    free(peer->rest);
    peer->rest = NULL;
    close(peer->socket);
    return PEER_ENDED;
}

/* Sends bytes, and says in `sent` how many the system took; false when the connection is lost. */
static bool send_some(int s, const char *bytes, size_t length, size_t *sent)
{
    ssize_t result = send(s, bytes, length, MSG_NOSIGNAL);

    *sent = result < 0 ? 0 : (size_t)result;
    return result >= 0 || errno == EAGAIN || errno == EINTR;
}

static enum peer_wait send_rest(struct peer *peer)
{
    size_t sent;

    if (!send_some(peer->socket, peer->rest + peer->sent, peer->length - peer->sent, &sent))
        return ended(peer);
    peer->sent += sent;
    if (peer->sent < peer->length)
        return PEER_WRITE;
    free(peer->rest);
    peer->rest = NULL;
    return PEER_READ;
}

enum peer_wait peer_serve(struct peer *peer)
{
    size_t sent;

    if (peer->rest != NULL)
        return send_rest(peer);
    ssize_t got = recv(peer->socket, peer_scratch, sizeof peer_scratch, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return PEER_READ;
    if (got <= 0 || !send_some(peer->socket, peer_scratch, (size_t)got, &sent))
        return ended(peer);
    if (sent == (size_t)got)
        return PEER_READ;
    peer->length = (size_t)got - sent;
    peer->sent = 0;
    peer->rest = peer_allocate(peer->length);
    memcpy(peer->rest, peer_scratch + sent, peer->length);
    return PEER_WRITE;
}
