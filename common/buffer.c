#include "buffer.h"

#include <stdlib.h>
#include <string.h>

/* The bytes in use are bytes[start] up to bytes[end]. start < end <= capacity: an empty buffer has
 * no block. */
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

/* Allocates a block with room for `length` more bytes: just as much as needed at first, and at
 * least twice the old capacity after that. */
static struct buffer_block *larger_block(const struct buffer_block *old, size_t used, size_t length)
{
    size_t capacity = used + length;
    struct buffer_block *block;

    if (old != NULL && capacity < old->capacity * 2)
        capacity = old->capacity * 2;
    block = malloc(sizeof *block + capacity);
    if (block == NULL)
        return NULL;
    block->start = 0;
    block->end = used;
    block->capacity = capacity;
    if (used > 0)
        memcpy(block->bytes, old->bytes + old->start, used);
    return block;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    struct buffer_block *block = buffer->block;
    size_t used = buffer_length(buffer);

    if (length == 0)
        return true;
    if (block == NULL || block->capacity - used < length) {
        block = larger_block(buffer->block, used, length);
        if (block == NULL)
            return false;
        free(buffer->block);
        buffer->block = block;
    } else if (block->capacity - block->end < length) {
        memmove(block->bytes, block->bytes + block->start, used);
        block->start = 0;
        block->end = used;
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
