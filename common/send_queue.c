#include "send_queue.h"

/* Sends until everything is gone or the system takes no more: only then does Windows signal room
 * again (FD_WRITE). */
static struct net_result send_all(os_socket s, const char *bytes, size_t length)
{
    struct net_result result = {.outcome = NET_DONE};
    size_t sent = 0;

    while (sent < length && result.outcome == NET_DONE) {
        result = net_send(s, bytes + sent, length - sent);
        if (result.outcome == NET_DONE)
            sent += result.bytes;
    }
    result.bytes = sent;
    return result;
}

struct net_result send_queue_send(struct send_queue *queue, os_socket s, const void *bytes,
                                  size_t length)
{
    struct net_result result = {.outcome = NET_WOULD_BLOCK};

    if (send_queue_length(queue) == 0)
        result = send_all(s, bytes, length);
    if (result.outcome == NET_WOULD_BLOCK &&
        !buffer_append(&queue->rest, (const char *)bytes + result.bytes, length - result.bytes))
        result.outcome = NET_EXHAUSTED;
    return result;
}

struct net_result send_queue_flush(struct send_queue *queue, os_socket s)
{
    struct net_result result = send_all(s, buffer_bytes(&queue->rest), send_queue_length(queue));

    buffer_consume(&queue->rest, result.bytes);
    return result;
}

size_t send_queue_length(const struct send_queue *queue)
{
    return buffer_length(&queue->rest);
}

void send_queue_clear(struct send_queue *queue)
{
    buffer_clear(&queue->rest);
}
