/*
 * send_queue: the bytes to send on one connection. Bytes are sent at once where possible, and only
 * those that the system does not take are kept. The queue owns no memory while it is empty.
 */
#ifndef SEND_QUEUE_H
#define SEND_QUEUE_H

#include <stddef.h>

#include "buffer.h"
#include "net.h"

/* A queue of all zeros is empty. */
struct send_queue {
    struct buffer rest;
};

/*
 * Sends `length` bytes, at least 1, after those already queued, and keeps a copy of what the system
 * does not take now. `bytes` of the result is how many bytes this call has sent, whatever the
 * outcome. NET_DONE: the queue is empty. NET_WOULD_BLOCK: bytes are queued; call send_queue_flush()
 * when the socket is ready to send. NET_EXHAUSTED: memory was refused and bytes are lost. After
 * NET_EXHAUSTED, NET_RESET or NET_FAILED the connection has to be closed.
 */
/*@ requires length >= 1 && \valid_read((const char *)bytes + (0 .. length - 1)); */
struct net_result send_queue_send(struct send_queue *queue, os_socket s, const void *bytes,
                                  size_t length);

/* Sends as many of the queued bytes as the system takes. Outcomes as for send_queue_send(). */
struct net_result send_queue_flush(struct send_queue *queue, os_socket s);

/* The number of queued bytes. */
size_t send_queue_length(const struct send_queue *queue);

/* Drops the queued bytes and frees their memory. */
void send_queue_clear(struct send_queue *queue);

#endif
