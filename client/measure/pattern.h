/*
 * pattern: pure. The messages that load and ping send, and the answers they expect. Every byte is a
 * function of the seed, the connection, the message and the place, so that nothing that was sent
 * has to be kept in order to compare what comes back.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern {
    size_t size;   /* bytes of a message, at least 1; of a line, with its LF, at least 2 */
    uint64_t seed; /* the same seed, the same bytes */
    bool lines;    /* messages are lines of printable characters; else bytes of all values */
    bool prefixed; /* answers are "Message received - " and the message; else the message */
};

/* Where in the stream of one connection: the `offset`th byte of the `message`th message, or of its
 * answer. */
struct pattern_place {
    uint64_t message;
    size_t offset;
};

/* The bytes of an answer. */
size_t pattern_answer_size(const struct pattern *pattern);

/*
 * Writes the next `length` bytes of what a connection sends, from `place` on, and moves `place`
 * behind them. A message begins with its number, the least significant first, in 8 bytes, or in a
 * line in 8 hexadecimal digits, as far as there is room; pseudo-random bytes follow.
 */
void pattern_fill(const struct pattern *pattern, uint64_t connection, struct pattern_place *place,
                  char *out, size_t length);

/* Moves a place on by `count` bytes, in a stream of messages or answers of `size` bytes each. */
void pattern_skip(struct pattern_place *place, size_t size, size_t count);

/*
 * Compares `length` bytes of what a connection has received with the answers from `place` on, and
 * moves `place` behind those that are right. Returns how many are right: `length`, or the place of
 * the first wrong one, and then `expected` is what should stand there.
 */
size_t pattern_compare(const struct pattern *pattern, uint64_t connection,
                       struct pattern_place *place, const char *bytes, size_t length,
                       unsigned char *expected);

/* The byte that stands at `place` in the answers to a connection. */
unsigned char pattern_answer_byte(const struct pattern *pattern, uint64_t connection,
                                  const struct pattern_place *place);

#endif
