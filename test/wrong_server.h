/*
 * wrong_server: an echo server that the test itself plays while a client runs, and that makes a
 * mistake where it is told to. One step after another, without waiting for any one thing alone.
 */
#ifndef WRONG_SERVER_H
#define WRONG_SERVER_H

#include "net.h"
#include "process.h"
#include "selector.h"

/* What becomes of one byte, number `at` of what a connection sends, when it comes. */
enum wrong_server_fault {
    WRONG_SERVER_NONE,   /* it is echoed like all the others */
    WRONG_SERVER_FLIP,   /* its lowest bit is flipped */
    WRONG_SERVER_DROP,   /* it is left out */
    WRONG_SERVER_REPEAT, /* it is sent twice */
    WRONG_SERVER_END,    /* the stream ends in front of it */
    WRONG_SERVER_RESET,  /* the connection is reset in front of it */
    WRONG_SERVER_MUTE,   /* neither it nor anything behind it is answered */
    WRONG_SERVER_LATE,   /* it and what came with it is answered WRONG_SERVER_DELAY later */
    /* Two that need no byte: */
    WRONG_SERVER_APPEND, /* at the end of the stream the server sends one more byte, 'x' */
    WRONG_SERVER_CLOSE   /* the connection is closed as soon as it is made */
};

enum {
    WRONG_SERVER_DELAY = 100, /* milliseconds */
    WRONG_SERVER_CONNECTIONS = 16,
    WRONG_SERVER_HEAD = 16
};

struct wrong_connection {
    struct selector_watch watch; /* first */
    bool open;
    bool mute;
    bool ending; /* the peer has sent all */
    uint64_t received;
    char head[WRONG_SERVER_HEAD]; /* the first bytes received */
    char unsent[65536 + 1];       /* nothing is read before all of it has been sent */
    size_t sent;
    size_t length;
    int64_t held_until; /* 0: not held */
};

struct wrong_server {
    struct net_address address;
    enum wrong_server_fault fault;
    uint64_t at;
    unsigned faults;              /* connections on which it is still to be made */
    char head[WRONG_SERVER_HEAD]; /* the first bytes received on the last faulty connection */
    unsigned char byte;           /* there: the byte in question, and the one behind it if that */
    unsigned char next;           /* came together with it */
    unsigned accepted;
    uint64_t received; /* bytes, on all connections */
    struct selector *selector;
    struct selector_watch listener;
    struct wrong_connection connections[WRONG_SERVER_CONNECTIONS];
};

/* Listens on a free port of 127.0.0.1; to make a fault on the first `faults` connections that get
 * as far as byte `at`. One server is open at a time. */
struct wrong_server *wrong_server_open(enum wrong_server_fault fault, uint64_t at, unsigned faults);

/* Serves until `client` has ended its output, or `received` bytes in all have come. */
void wrong_server_run(struct wrong_server *server, struct process *client, uint64_t received);

void wrong_server_close(struct wrong_server *server);

#endif
