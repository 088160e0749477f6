/*
 * pattern: pure. The messages that load and ping send, and the answers they expect. Every byte is a
 * function of the seed, the connection, the message and the offset, so answers can be compared
 * without keeping what was sent.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that the server sends besides the messages. */
struct pattern_text {
    const char *bytes; /* NULL: it sends none */
    size_t length;
};

struct pattern {
    size_t size;   /* bytes of a message, at least 1; of a line with its LF, at least 2 */
    uint64_t seed; /* the same seed makes the same bytes */
    bool lines; /* messages are lines of printable characters; else they have bytes of any value */
    struct pattern_text prefix;   /* what each answer begins with; the message follows */
    struct pattern_text greeting; /* a line that the server sends first, without its LF */
};

/* Initializes the prefix to that of echo-server in line mode. */
#define PATTERN_PREFIX                                                                             \
    {                                                                                              \
        "Message received - ", sizeof "Message received - " - 1                                    \
    }

/* A place in the stream of one connection: a byte of a message or of its answer. Both members are
 * counted from 0. */
struct pattern_place {
    uint64_t message;
    size_t offset;
};

/* The number of bytes of an answer. */
size_t pattern_answer_size(const struct pattern *pattern);

/*
 * Writes the `length` bytes that a connection sends from `place` on, and moves `place` past them. A
 * message begins with its number, least significant part first: as 8 bytes, or in a line as 8
 * hexadecimal digits. If the message is shorter, the number is cut; otherwise pseudo-random bytes
 * follow.
 */
void pattern_fill(const struct pattern *pattern, uint64_t connection, struct pattern_place *place,
                  char *out, size_t length);

/* Moves a place forward by `count` bytes, in a stream of messages or answers of `size` bytes. */
void pattern_skip(struct pattern_place *place, size_t size, size_t count);

/*
 * Compares `length` bytes that a connection has received with the answers from `place` on, and
 * moves `place` past the bytes that are right. Returns the number of right bytes. If that is less
 * than `length`, the next byte is wrong, and `expected` is set to the right one.
 */
size_t pattern_compare(const struct pattern *pattern, uint64_t connection,
                       struct pattern_place *place, const char *bytes, size_t length,
                       unsigned char *expected);

/*
 * Compares the first of `length` bytes that a connection has received with the greeting, of which
 * `*greeted` bytes, its LF included, have been received before. Adds the bytes that are right to
 * `*greeted` and returns their number. If that is less than `length`, and the greeting is not
 * complete, the next byte is wrong, and `expected` is set to the right one.
 */
size_t pattern_compare_greeting(const struct pattern *pattern, size_t *greeted, const char *bytes,
                                size_t length, unsigned char *expected);

/* Whether the greeting is complete; true if there is none. */
bool pattern_is_greeted(const struct pattern *pattern, size_t greeted);

/* The byte at `offset` in the greeting, its LF included. There must be one. */
unsigned char pattern_greeting_byte(const struct pattern *pattern, size_t offset);

/* The byte at `place` in the answers of a connection. */
unsigned char pattern_answer_byte(const struct pattern *pattern, uint64_t connection,
                                  const struct pattern_place *place);

#endif
