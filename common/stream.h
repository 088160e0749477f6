/*
 * stream: the standard streams. None of these functions waits for one; a program waits for
 * stream_socket() together with its other sockets. stream_win32.c and stream_posix.c implement it.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "deadline.h"
#include "os.h"

enum stream { STREAM_OUTPUT, STREAM_ERROR, STREAM_INPUT };

/* Results of stream_write() and stream_read() when nothing was written or read, besides 0. */
enum {
    STREAM_BROKEN = -1, /* no reader, closed, or the terminal is gone; see os_socket_error() */
    STREAM_FULL = -2,   /* the disk, quota or file size limit is reached; there may be room later */
    STREAM_END = -3     /* end of input */
};

/*
 * Prepares the streams; os_start() calls it on POSIX. Closed streams are opened, so that no socket
 * gets their number. Each terminal and pipe is opened a second time where the system allows it,
 * because O_NONBLOCK on the inherited open file would affect all processes that share it. SIGPIPE,
 * SIGXFSZ, SIGTTIN and SIGTTOU are ignored: the calls that cause them fail instead. Returns 0, or
 * the system's error number.
 */
int stream_start(void);

/* Restores the mode of pipes that stream_write() has changed on Windows. */
void stream_finish(void);

/* Whether a stream is a terminal or a console. */
bool stream_is_terminal(enum stream stream);

/*
 * Whether a stream is the controlling terminal of this process and another process group is in its
 * foreground (tcgetpgrp(3)). Reading it or changing its mode would stop the process. Always false
 * on Windows.
 */
bool stream_in_background(enum stream stream);

/* The width of the terminal behind an output stream, in columns; 80 where it is unknown. */
size_t stream_columns(enum stream stream);

/*
 * The socket that select() waits for until a stream is ready: on POSIX its descriptor. OS_NO_SOCKET
 * on Windows, which cannot wait for a stream: try again after STREAM_RETRY.
 */
os_socket stream_socket(enum stream stream);
static const int64_t STREAM_RETRY = MILLISECONDS(1);

/*
 * Writes at most `length` bytes, at least 1, of UTF-8 text or plain bytes, without waiting for a
 * slow reader. Returns how many bytes were written; 0 when the stream takes none now or a signal
 * arrived first; or STREAM_BROKEN or STREAM_FULL. A terminal takes nothing while this process is in
 * its background and it stops background output (stty tostop).
 *
 * These can still block: a file on a slow disk, a Windows console while the user selects text, and
 * a terminal or pipe that could not be opened a second time and that another program fills between
 * poll(2) and write(2). A signal ends such a wait.
 */
ptrdiff_t stream_write(enum stream stream, const void *bytes, size_t length);

/* Drops what a terminal has taken but not shown yet (tcflush(3)), which makes room. POSIX only: a
 * Windows console shows all it takes. */
void stream_discard(enum stream stream);

/*
 * Reads at most `size` bytes of stdin. Returns how many bytes were read; 0 when there are none now,
 * a signal arrived first, or this process is in the background of the terminal; or STREAM_END or
 * STREAM_BROKEN. Lines of a terminal or console that edits them end with LF.
 *
 * After stream_socket() has been readable, one case can still block: a pipe or terminal that could
 * not be opened a second time and that another program has emptied since; a signal ends that wait.
 * On Windows, everything but pipes and files can block.
 */
ptrdiff_t stream_read(void *bytes, size_t size);

#endif
