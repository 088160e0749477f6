/*
 * buffer: bytes that wait for something, first in, first out. It owns no memory while it is empty,
 * and then is no larger than a pointer.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty buffer. */
struct buffer {
    struct buffer_block *block; /* NULL while empty; owned */
};

/* How many bytes wait. */
size_t buffer_length(const struct buffer *buffer);

/* The waiting bytes, valid until the buffer is next changed; NULL while it is empty. */
const char *buffer_bytes(const struct buffer *buffer);

/* Copies `length` bytes behind those that wait. Returns false, with nothing changed, when memory is
 * refused. */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Takes the first `length` bytes away, at most as many as wait. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Takes all away. */
void buffer_clear(struct buffer *buffer);

#endif
