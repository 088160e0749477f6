/*
 * protocol_model: pure. docs/protocol.md written down once more, apart from server/protocol: what a
 * server answers, for tests to compare with.
 */
#ifndef PROTOCOL_MODEL_H
#define PROTOCOL_MODEL_H

#include <stdbool.h>
#include <stddef.h>

struct protocol_model {
    char *bytes; /* the answers so far; the user's, with room for `size` */
    size_t size;
    size_t length;
    const char *end; /* the reason, as in the log, with which the stream ends itself; NULL: none */
};

/* Adds bytes as they are. Aborts when there is no room. */
void protocol_model_add(struct protocol_model *model, const char *bytes, size_t length);

/* Answers a message of line or chunk mode, with its line ending. */
void protocol_model_message(struct protocol_model *model, const char *message, size_t length);

/* Answers the lines at the start of a stream, up to the one that ends it. `at_end`: these are all
 * of its bytes. */
void protocol_model_lines(struct protocol_model *model, const char *bytes, size_t length,
                          bool at_end, size_t max_line);

#endif
