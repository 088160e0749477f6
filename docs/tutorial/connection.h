/* connection: what step 7 has found out about one connection, for the steps after it. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "portable.h"

enum { BUFFER_SIZE = 16 * 1024 };

struct connection {
    struct connection *next;
    socket_type socket;
    bool ended;        /* no further input is answered */
    bool lingering;    /* all has been sent, and the end of it; input is discarded */
    size_t begin, end; /* bytes[begin] up to bytes[end] are still to be sent */
    char bytes[BUFFER_SIZE];
};

/* What select() is to wait for. */
bool connection_reads(const struct connection *connection);
bool connection_writes(const struct connection *connection);

/* Receives and sends what select() has found possible. Returns false at the connection's end. */
bool connection_serve(struct connection *connection, bool readable, bool writable);

/* Ends our side once what was read is answered; the connection lingers then. */
void connection_end(struct connection *connection);

#endif
