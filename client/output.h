/*
 * output: text for stdout or stderr, whose reader may be slow. Text that the stream does not take
 * now is kept. The selector of the owner waits until the stream has room for it.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "selector.h"
#include "stream.h"

/* An output of all zeros, except `stream`, is empty. */
struct output {
    enum stream stream;
    struct buffer text; /* not written yet */
    bool held;          /* set by the owner: nothing is to be written for now */
    bool broken;        /* writing has failed with `error`; text that is added is dropped */
    int error;          /* for os_error_text() */
    bool blocked; /* the stream is a terminal in whose background this process is: select() says
                     that there is room, but the terminal takes nothing */
    bool refused; /* memory was refused; pending and added text is dropped, so that a report is
                     written completely or not at all */
    struct selector *selector; /* waits for room; NULL if detached, or select() cannot wait */
    struct selector_watch watch;
};

/*
 * Makes a selector wait for room whenever text is pending. If select() cannot wait for the stream,
 * output_next_retry() says when to try again. Returns false when memory is refused.
 */
bool output_attach(struct output *output, struct selector *selector);
void output_detach(struct output *output);

/* When to call output_flush() again, if no wait reports room: a short pause from now. The clock is
 * read in this call, so time that has passed since the last wait does not shorten the pause.
 * DEADLINE_NEVER if the selector reports room, or nothing is to be written. */
int64_t output_next_retry(const struct output *output);

/* Adds bytes. Returns false, and drops them, once the stream is broken or memory was refused. */
bool output_append(struct output *output, const void *bytes, size_t length);

enum { OUTPUT_PIECE = 4096 }; /* size of the text of one output_print(), including its NUL */

/* Adds text that is formatted as by printf(3). */
__attribute__((format(printf, 2, 3))) void output_print(struct output *output, const char *format,
                                                        ...);

/* Writes as much pending text as the stream takes now. Returns false once the stream is broken. */
bool output_flush(struct output *output);

/* Drops the pending text. */
void output_drop(struct output *output);

/* The number of pending bytes. */
size_t output_length(const struct output *output);

/*
 * Detaches the output, waits until all text is written, and frees its memory. Once `stop`, the
 * socket of os_stop_open(), is readable, it waits for 1 s at most. OS_NO_SOCKET is allowed. Returns
 * false, after a line on stderr that says why, if any text was lost, now or earlier.
 */
bool output_finish(struct output *output, os_socket stop);

/* Writes "echo-client: MESSAGE" and a line feed to stderr. Waits as output_finish() does, but
 * reports no failure. */
__attribute__((format(printf, 2, 3))) void output_error(os_socket stop, const char *format, ...);

#endif
