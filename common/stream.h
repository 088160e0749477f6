/*
 * stream: the standard streams, none of which is ever waited for here. A program waits for them
 * where it waits for everything else, with stream_socket(). stream_win32.c and stream_posix.c
 * implement it.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "deadline.h"
#include "os.h"

enum stream { STREAM_OUTPUT, STREAM_ERROR, STREAM_INPUT };

/* What stream_write() and stream_read() return when nothing was written or read, besides 0. */
enum {
    STREAM_BROKEN = -1, /* no reader, closed, the terminal is gone; os_socket_error() says why */
    STREAM_FULL = -2, /* the disk, the quota or the file's largest size; there may be room later */
    STREAM_END = -3   /* the end of input */
};

/*
 * Prepares the streams, for os_start() on POSIX. Those that are closed are opened, so that no
 * socket takes their place, and each terminal and pipe is opened once more for ourselves where the
 * system lets us: O_NONBLOCK on the inherited open file would be seen by everybody who shares it.
 * SIGPIPE, SIGXFSZ, SIGTTIN and SIGTTOU are ignored: the calls that cause them fail instead.
 * Returns 0, or the system's error number.
 */
int stream_start(void);

/* Gives back what stream_write() has changed of a pipe on Windows. */
void stream_finish(void);

/* Whether a stream is a terminal or a console. */
bool stream_is_terminal(enum stream stream);

/*
 * Whether a stream is our controlling terminal, and another process group is in its foreground
 * (tcgetpgrp(3)). To read it or to change its mode would stop the process. False on Windows.
 */
bool stream_in_background(enum stream stream);

/* The columns of the terminal that an output stream is; 80 where they cannot be told. */
size_t stream_columns(enum stream stream);

/*
 * What select() can wait for to learn that a stream is ready: on POSIX its descriptor. OS_NO_SOCKET
 * on Windows, where nothing waits for room: there, it is tried again after STREAM_RETRY.
 */
os_socket stream_socket(enum stream stream);
static const int64_t STREAM_RETRY = MILLISECONDS(1);

/*
 * Writes at most `length` bytes, at least 1, of UTF-8 text or plain bytes, without waiting for a
 * slow reader. Returns how many were written; 0 when the stream takes nothing now, or a signal came
 * first; or STREAM_BROKEN or STREAM_FULL. A terminal in whose background we are, and that stops
 * background output (stty tostop), takes nothing. What can still wait: a file on a slow disk, a
 * Windows console while the user selects text in it, and a terminal or pipe that could not be
 * opened once more and that another program fills between poll(2) and write(2); a signal ends that.
 */
ptrdiff_t stream_write(enum stream stream, const void *bytes, size_t length);

/* Drops what a terminal has taken and not shown yet (tcflush(3)), which makes room. On POSIX: a
 * Windows console shows what it takes. */
void stream_discard(enum stream stream);

/*
 * Reads at most `size` bytes of stdin. Returns how many; 0 when there are none now, a signal came
 * first, or we are in the background of the terminal; or STREAM_END or STREAM_BROKEN. What can wait
 * once stream_socket() has been readable: a pipe or terminal that could not be opened once more and
 * that another program has emptied meanwhile; a signal ends that. On Windows, all that is neither
 * pipe nor file. The lines of a terminal or console that edits them end with LF.
 */
ptrdiff_t stream_read(void *bytes, size_t size);

#endif
