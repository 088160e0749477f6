/*
 * output: text on stdout, all of it, however slow its reader is; but once the process is asked to
 * stop, a reader that takes nothing is not waited for any more.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "os.h"

/* All zero but for `stop`, the socket of os_stop_open(), is one to which nothing was written. */
struct output {
    os_socket stop;
    int64_t patience;   /* how long a reader that takes nothing is waited for; 0: for ever */
    struct buffer text; /* gathered to be written at once */
    bool broken; /* something could not be written, or, for want of memory, not be gathered */
};

/*
 * Writes all of `length` bytes, but for what stdout does not take within a second after `stop` is
 * found readable. Returns false once stdout is broken.
 */
bool output_write(struct output *output, const char *text, size_t length);

enum { OUTPUT_PIECE = 4096 }; /* bytes that output_print() makes at most, with its NUL */

/* Adds text, formatted as by printf(3). */
__attribute__((format(printf, 2, 3))) void output_print(struct output *output, const char *format,
                                                        ...);

/* Writes what was added, and frees it; as output_write(). */
bool output_flush(struct output *output);

#endif
