/*
 * output: text on its way to stdout or stderr, whose reader may be slow. What the stream does not
 * take now is kept here, and its room is waited for in a selector, along with everything else.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "selector.h"
#include "stream.h"

/* All zero but for `stream` is one to which nothing has been written. */
struct output {
    enum stream stream;
    struct buffer text; /* not written yet */
    bool held;          /* nothing is to be written for now; the owner's to set */
    bool broken;        /* the stream is, for the reason `error`, and what is added is dropped */
    int error;          /* for os_error_text() */
    bool blocked;       /* select() says that there is room, but we are in the background of the
                           terminal: it is tried again after a while */
    bool refused;       /* memory was: what waited then and all that is added is dropped, so that a
                           report is written whole or not at all */
    struct selector *selector; /* in which its room is waited for; NULL: in none */
    struct selector_watch watch;
};

/*
 * Lets a selector wait for room whenever text waits to be written. Where select() cannot wait for
 * the stream, output_retry() says when to try again. Returns false when memory is refused.
 */
bool output_attach(struct output *output, struct selector *selector);
void output_detach(struct output *output);

/* When it has to be tried whether there is room, since nothing else tells: a moment from `now` on,
 * or DEADLINE_NEVER. */
int64_t output_next_retry(const struct output *output, int64_t now);

/* Adds bytes; false once something could not be kept. */
bool output_append(struct output *output, const void *bytes, size_t length);

enum { OUTPUT_PIECE = 4096 }; /* bytes that output_print() makes at most, with its NUL */

/* Adds text, formatted as by printf(3). */
__attribute__((format(printf, 2, 3))) void output_print(struct output *output, const char *format,
                                                        ...);

/* Writes what the stream takes now of what waits. Returns false once it is broken. */
bool output_flush(struct output *output);

/* Drops what waits. */
void output_drop(struct output *output);

/* How many bytes wait. */
size_t output_length(const struct output *output);

/*
 * Detaches it and waits until all is written, at most 1 s after `stop`, the socket of
 * os_stop_open(), is readable; OS_NO_SOCKET is allowed. Frees what is left. Returns false, after a
 * line on stderr that says why, when something was lost, now or before.
 */
bool output_finish(struct output *output, os_socket stop);

/* Writes "echo-client: MESSAGE" and a line feed to stderr, as output_finish() does, but says
 * nothing if that fails. */
__attribute__((format(printf, 2, 3))) void output_error(os_socket stop, const char *format, ...);

#endif
