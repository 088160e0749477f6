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
    int64_t deadline; /* until when a reader that takes nothing is waited for; 0: for ever */
    bool
        given_up; /* it has not come back by then: something was dropped, and all is from then on */
    struct buffer text; /* gathered to be written at once */
    bool broken; /* something could not be written, or, for want of memory, not be gathered */
};

/*
 * Writes all of `length` bytes; but a reader that does not take them is given up a second after
 * `stop` is found readable, and what it has not taken is dropped, with `given_up` set. Returns
 * false once stdout is broken.
 */
bool output_write(struct output *output, const char *text, size_t length);

enum { OUTPUT_PIECE = 4096 }; /* bytes that output_print() makes at most, with its NUL */

/* Adds text, formatted as by printf(3). */
__attribute__((format(printf, 2, 3))) void output_print(struct output *output, const char *format,
                                                        ...);

/* Writes what was added, and frees it; as output_write(). */
bool output_flush(struct output *output);

/* The last output_flush(): when something was lost, now or before, says so on stderr and returns
 * false. */
bool output_finish(struct output *output);

#endif
