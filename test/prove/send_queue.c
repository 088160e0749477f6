/*
 * common/send_queue: each number of bytes that wait, that are sent, and that the system takes of
 * them; any other outcome; memory that may be refused. What the buffer promises, buffer.c shows.
 *
 * run: prove_send_queue -eva-slevel 1000 -eva-slevel-function prove_send_queue:0
 *     -eva-min-loop-unroll 40
 * inputs: LENGTH bytes, after as many that wait
 * assumed: net_send buffer_length buffer_bytes buffer_append buffer_consume buffer_clear
 */
#include "prove.h"

#include "../../common/send_queue.c"

enum { LENGTH = 32 };

/* The buffer, of which only the length is kept, and how many bytes the system will take. */
static size_t held, taken;

size_t buffer_length(const struct buffer *buffer)
{
    (void)buffer;
    return held;
}

const char *buffer_bytes(const struct buffer *buffer)
{
    static char bytes[LENGTH];

    (void)buffer;
    return held > 0 ? bytes + LENGTH - held : NULL;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    (void)buffer;
    //@ assert length > 0 && \initialized((const char *)bytes + (0 .. length - 1));
    (void)bytes;
    (void)length;
    return any_between(0, 1) == 1;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    (void)buffer;
    //@ assert length <= held;
    (void)length;
}

void buffer_clear(struct buffer *buffer)
{
    (void)buffer;
}

/* As net.h promises. */
struct net_result net_send(os_socket s, const void *bytes, size_t length)
{
    enum net_outcome other = (enum net_outcome)any_between(NET_END, NET_FAILED);

    (void)s;
    (void)bytes;
    //@ assert length > 0 && \initialized((const char *)bytes + (0 .. length - 1));
    return (struct net_result){.outcome = taken > 0 ? NET_DONE : other,
                               .bytes = taken < length ? taken : length};
}

void prove_send_queue(void)
{
    struct send_queue queue = {{NULL}};

    for (size_t length = 1; length <= LENGTH; length++) {
        char *bytes = any_bytes(length);

        for (taken = 0; taken <= length; taken++) {
            held = 0;
            send_queue_send(&queue, 0, bytes, length);
            send_queue_flush(&queue, 0);
            held = length;
            send_queue_flush(&queue, 0);
            send_queue_send(&queue, 0, bytes, length);
        }
        free(bytes);
    }
    send_queue_clear(&queue);
}
