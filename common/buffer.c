#include "buffer.h"

#include <stdlib.h>
#include <string.h>

/* The waiting bytes are those from `start` to `end`; there is at least one. */
struct buffer_block {
    size_t start;
    size_t end;
    size_t capacity;
    char bytes[];
};

size_t buffer_length(const struct buffer *buffer)
{
    return buffer->block == NULL ? 0 : buffer->block->end - buffer->block->start;
}

const char *buffer_bytes(const struct buffer *buffer)
{
    return buffer->block == NULL ? NULL : buffer->block->bytes + buffer->block->start;
}

/* Makes a block for `length` bytes more: as large as needed at first, twice as large when it has to
 * grow. */
static struct buffer_block *larger_block(const struct buffer_block *old, size_t waiting,
                                         size_t length)
{
    size_t capacity = waiting + length;
    struct buffer_block *block;

    if (old != NULL && capacity < old->capacity * 2)
        capacity = old->capacity * 2;
    block = malloc(sizeof *block + capacity);
    if (block == NULL)
        return NULL;
    block->start = 0;
    block->end = waiting;
    block->capacity = capacity;
    if (waiting > 0)
        memcpy(block->bytes, old->bytes + old->start, waiting);
    return block;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    struct buffer_block *block = buffer->block;
    size_t waiting = buffer_length(buffer);

    if (length == 0)
        return true;
    if (block == NULL || block->capacity - waiting < length) {
        block = larger_block(buffer->block, waiting, length);
        if (block == NULL)
            return false;
        free(buffer->block);
        buffer->block = block;
    } else if (block->capacity - block->end < length) {
        memmove(block->bytes, block->bytes + block->start, waiting);
        block->start = 0;
        block->end = waiting;
    }
    memcpy(block->bytes + block->end, bytes, length);
    block->end += length;
    return true;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length >= buffer_length(buffer))
        buffer_clear(buffer);
    else
        buffer->block->start += length;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->block);
    buffer->block = NULL;
}
