/*
 * peer: what the servers have in common that echo-server is measured against. They echo, as fast as
 * it can be done in this way, and give up at the first thing that goes wrong.
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>

enum { PEER_SCRATCH = 256 * 1024 /* bytes of the one buffer that all connections read into */ };

extern char peer_scratch[PEER_SCRATCH];

/* A connection that is served by peer_serve(). All zero but for the socket at first. */
struct peer {
    int socket;
    char *rest; /* what could not be sent at once; NULL when there is nothing */
    size_t length, sent;
};

/* What a connection waits for. */
enum peer_wait { PEER_READ, PEER_WRITE, PEER_ENDED };

/* Listens on a free port of 127.0.0.1, says so as echo-server does, and returns the socket, which
 * does not block. Ends the program when it fails. */
int peer_listen(void);

/* Takes a waiting client; its socket does not block and has TCP_NODELAY. Returns -1 when none is
 * waiting, and ends the program when accept4() fails otherwise. */
int peer_accept(int listener);

/* One recv() and one send() of what it brought, or, while there is a rest, one send() of that.
 * After PEER_ENDED the socket is closed. */
enum peer_wait peer_serve(struct peer *peer);

/* malloc() that ends the program when memory is refused. */
void *peer_allocate(size_t size);

/* Ends the program with what errno says. */
_Noreturn void peer_fail(const char *what);

#endif
