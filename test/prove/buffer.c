/*
 * common/buffer: each function from each state that a buffer can be in, and the state it leaves:
 * what holds of one call then holds of every sequence of calls. Memory is given or refused.
 *
 * run: prove_buffer -eva-slevel 1000 -eva-slevel-function prove_buffer:0,prove_from:0
 *     -eva-min-loop-unroll 20
 * run: prove_sizes -eva-slevel 1000
 * inputs: CAPACITY bytes of room and LENGTH more; sizes up to the largest object
 */
#include <stdbool.h>

#include "prove.h"

static bool refused;

/* malloc(), which refuses memory where a proof wants that. */
static void *allocate(size_t size)
{
    return refused ? NULL : malloc(size);
}

#define malloc allocate
#include "../../common/buffer.c"

enum { CAPACITY = 4, LENGTH = 10 };

static void prove_state(const struct buffer *buffer)
{
    const struct buffer_block *block = buffer->block;

    if (block != NULL) {
        const char *bytes = buffer_bytes(buffer);
        size_t length = buffer_length(buffer);

        //@ assert block->start < block->end <= block->capacity;
        //@ assert \valid_read(bytes + (0 .. length - 1));
        //@ assert \initialized(bytes + (0 .. length - 1));
        //@ assert \valid((char *)block + (0 .. sizeof(struct buffer_block) + block->capacity - 1));
    }
}

/* A buffer that holds bytes[start] up to bytes[end]. */
static struct buffer make(size_t start, size_t end, size_t capacity)
{
    struct buffer_block *block = malloc(sizeof *block + capacity);

    block->start = start;
    block->end = end;
    block->capacity = capacity;
    any_fill(block->bytes + start, end - start);
    return (struct buffer){block};
}

static void append(struct buffer buffer, size_t length, bool refuse)
{
    char bytes[LENGTH];

    any_fill(bytes + LENGTH - length, length);
    refused = refuse;
    buffer_append(&buffer, bytes + LENGTH - length, length);
    refused = false;
    prove_state(&buffer);
    buffer_clear(&buffer);
    prove_state(&buffer);
}

static void consume(struct buffer buffer, size_t length)
{
    buffer_consume(&buffer, length);
    prove_state(&buffer);
    buffer_clear(&buffer);
}

static void prove_from(size_t start, size_t end, size_t capacity)
{
    for (size_t length = 0; length <= LENGTH; length++) {
        append(make(start, end, capacity), length, false);
        append(make(start, end, capacity), length, true);
        consume(make(start, end, capacity), length);
    }
}

void prove_buffer(void)
{
    struct buffer empty = {NULL};

    buffer_bytes(&empty);
    for (size_t length = 0; length <= LENGTH; length++) {
        append((struct buffer){NULL}, length, false);
        append((struct buffer){NULL}, length, true);
        consume((struct buffer){NULL}, length);
    }
    for (size_t capacity = 1; capacity <= CAPACITY; capacity++) {
        for (size_t end = 1; end <= capacity; end++) {
            for (size_t start = 0; start < end; start++)
                prove_from(start, end, capacity);
        }
    }
}

/* The size of a larger block does not wrap, whatever the two objects are. */
void prove_sizes(void)
{
    const size_t most = PTRDIFF_MAX;
    struct buffer_block old = {.capacity = any_between(1, most - sizeof old)};

    refused = true; /* such objects are not made here: only their size is of interest */
    larger_block(NULL, 0, any_between(1, most));
    larger_block(&old, any_between(1, most - sizeof old), any_between(1, most));
}
