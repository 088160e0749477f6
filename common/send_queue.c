#include "send_queue.h"

/* As net_send(), but the outcome is NET_WOULD_BLOCK when bytes are left. */
static struct net_result send_some(os_socket s, const char *bytes, size_t length)
{
    struct net_result result = net_send(s, bytes, length);

    if (result.outcome == NET_DONE && result.bytes < length)
        result.outcome = NET_WOULD_BLOCK;
    return result;
}

struct net_result send_queue_send(struct send_queue *queue, os_socket s, const void *bytes,
                                  size_t length)
{
    struct net_result result = {.outcome = NET_WOULD_BLOCK};

    if (send_queue_length(queue) == 0)
        result = send_some(s, bytes, length);
    if (result.outcome == NET_WOULD_BLOCK &&
        !buffer_append(&queue->rest, (const char *)bytes + result.bytes, length - result.bytes))
        result = (struct net_result){.outcome = NET_EXHAUSTED, .bytes = result.bytes};
    return result;
}

struct net_result send_queue_flush(struct send_queue *queue, os_socket s)
{
    struct net_result result = {.outcome = NET_DONE};

    if (send_queue_length(queue) > 0)
        result = send_some(s, buffer_bytes(&queue->rest), send_queue_length(queue));
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
