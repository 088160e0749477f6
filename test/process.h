/*
 * process: starts a program under test and holds the other ends of its standard streams. Nothing
 * here waits for one stream alone: whatever the program writes meanwhile is collected, so that it
 * never stands still because a pipe is full. process_posix.c and process_win32.c implement it;
 * support.h has what makes it convenient in a test.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "stream.h"

enum process_input {
    PROCESS_INPUT_PIPE,   /* for process_pump() to write to */
    PROCESS_INPUT_CLOSED, /* on Windows the program has no console then: nothing can stop it */
    PROCESS_INPUT_NULL,   /* /dev/null, NUL */
    PROCESS_INPUT_FILE
};

enum process_stop {
    PROCESS_STOP_INTERRUPT, /* SIGINT; Ctrl-C in the program's console */
    PROCESS_STOP_TERMINATE, /* SIGTERM; on Windows, which has no such thing, Ctrl-C as well */
    PROCESS_STOP_HANG_UP,   /* SIGHUP; the same */
    PROCESS_STOP_BREAK      /* Ctrl-Break, which Wine refuses to send; SIGTERM elsewhere */
};

/* All zero is what most tests want. */
struct process_options {
    enum process_input input;
    const char *input_file;    /* PROCESS_INPUT_FILE: its name */
    unsigned descriptor_limit; /* on POSIX the most descriptors that the program may have open; 0:
                                  as the test program */
    const os_socket *sockets;  /* on POSIX, sockets to pass as sd_listen_fds(3) describes */
    size_t socket_count;
};

/* What a program wrote to one stream: the bytes from `taken` to `length` have not been looked at
 * yet. */
struct process_output {
    char *bytes; /* owned */
    size_t taken;
    size_t length;
    size_t capacity;
    bool ended; /* nothing will follow */
};

/* Room for `size` more bytes behind those that are there. */
static inline char *process_output_room(struct process_output *output, size_t size)
{
    if (output->taken == output->length)
        output->taken = output->length = 0;
    if (output->capacity - output->length < size) {
        output->capacity = 2 * output->capacity + size;
        output->bytes = realloc(output->bytes, output->capacity);
        if (output->bytes == NULL)
            abort();
    }
    return output->bytes + output->length;
}

struct process {
    struct process *next;            /* the user's */
    bool log_unread;                 /* the user's: while it is set, stderr is left alone */
    struct process_output output[2]; /* by enum stream */
    struct process_system *system;   /* what the system needs; owned */
};

/*
 * Starts the program `arguments[0]` with the arguments up to a NULL. Of what the test program has
 * open, it inherits its three standard streams and the sockets of the options, and nothing else.
 * Returns NULL with the reason printed when it cannot be started; on POSIX a program that is not
 * there shows as status 127 instead.
 */
struct process *process_start(const char *const arguments[], const struct process_options *options);

/*
 * Waits at most `timeout` milliseconds until there is output, an end of output, or room in the
 * program's stdin for some of the `length` bytes. Collects the output; writes what stdin takes and
 * returns how much that was, -1 when the program does not read it any more. With `length` 0 it only
 * collects.
 */
ptrdiff_t process_pump(struct process *process, const void *bytes, size_t length, int timeout);

/* Ends the program's input, after all that process_pump() has taken. */
void process_close_input(struct process *process);

/* Stops reading an output for good, as head(1) does. */
void process_close_output(struct process *process, enum stream stream);

/*
 * Asks the program to stop, as its user would. On Windows the test program gives its own console up
 * for that, and what it prints has to go to a file or a pipe.
 */
void process_stop(struct process *process, enum process_stop how);

void process_kill(struct process *process);

/*
 * Waits for the program's end, once its output has ended, and frees everything. Returns its exit
 * status, or 128 plus the number of the signal that ended it.
 */
int process_destroy(struct process *process);

#endif
