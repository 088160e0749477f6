/*
 * buffer: a first-in, first-out queue of bytes. An empty buffer owns no memory and is the size of
 * one pointer.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* A buffer of all zeros is empty. */
struct buffer {
    struct buffer_block *block; /* NULL while empty; owned */
};

/* The number of bytes in the buffer. */
size_t buffer_length(const struct buffer *buffer);

/* The bytes, valid until the buffer is next changed; NULL while it is empty. */
const char *buffer_bytes(const struct buffer *buffer);

/* Appends a copy of `length` bytes, which are not the buffer's own. Returns false, with nothing
 * changed, when memory is refused. */
/*@ requires \valid_read((const char *)bytes + (0 .. length - 1)); */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Removes the first `length` bytes, or all of them if there are fewer. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Removes all bytes and frees the memory. */
void buffer_clear(struct buffer *buffer);

#endif
