/*
 * send_queue: what is to be sent on one connection. It sends at once and keeps only what the system
 * does not take, so that it owns no memory while nothing waits.
 */
#ifndef SEND_QUEUE_H
#define SEND_QUEUE_H

#include <stddef.h>

#include "buffer.h"
#include "net.h"

/* All zero is an empty queue. */
struct send_queue {
    struct buffer rest;
};

/*
 * Sends `length` bytes after all that waits, and keeps a copy of what the system does not take now.
 * `bytes` of the result is how many were sent by this call, whatever the outcome: NET_DONE: nothing
 * waits; NET_WOULD_BLOCK: something waits, call send_queue_flush() when the socket is ready to
 * send. NET_EXHAUSTED: memory was refused and bytes are lost; with it, NET_RESET or NET_FAILED the
 * connection has to be closed.
 */
struct net_result send_queue_send(struct send_queue *queue, os_socket s, const void *bytes,
                                  size_t length);

/* Sends of what waits as much as the system takes. Outcomes as for send_queue_send(). */
struct net_result send_queue_flush(struct send_queue *queue, os_socket s);

/* How many bytes wait. */
size_t send_queue_length(const struct send_queue *queue);

/* Forgets what waits and frees its memory. */
void send_queue_clear(struct send_queue *queue);

#endif
