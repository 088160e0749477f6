#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { DEFAULT_COLUMNS = 80 };

enum kind {
    KIND_FILE, /* and others that are always ready */
    KIND_TERMINAL,
    KIND_PIPE,
    KIND_SOCKET
};

/* The descriptor in use: the standard one or, with `own`, that of a second, non-blocking open
 * file. */
static struct {
    int descriptor;
    enum kind kind;
    bool own;
} streams[] = {
    [STREAM_INPUT] = {.descriptor = STDIN_FILENO},
    [STREAM_OUTPUT] = {.descriptor = STDOUT_FILENO},
    [STREAM_ERROR] = {.descriptor = STDERR_FILENO},
};

static enum kind kind_of(int descriptor)
{
    struct stat about;

    if (isatty(descriptor))
        return KIND_TERMINAL;
    if (fstat(descriptor, &about) != 0)
        return KIND_FILE;
    return S_ISFIFO(about.st_mode) ? KIND_PIPE : S_ISSOCK(about.st_mode) ? KIND_SOCKET : KIND_FILE;
}

/*
 * Opens a terminal or a pipe a second time; -1 where that is refused. A terminal of another user
 * (su, sudo) cannot be opened by its name, but as /dev/tty if it is the controlling terminal. Where
 * /dev/fd duplicates the descriptor instead of opening the file, as on macOS, the flags do not
 * change and the duplicate is closed.
 */
static int reopen(int descriptor, enum kind kind, int direction)
{
    int flags = direction | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const char *terminal = kind == KIND_TERMINAL ? ttyname(descriptor) : NULL;
    char name[32];
    int fd = -1;

    snprintf(name, sizeof name, "/dev/fd/%d", descriptor);
    if (kind == KIND_PIPE)
        fd = open(name, flags);
    if (terminal != NULL)
        fd = open(terminal, flags);
    if (kind == KIND_TERMINAL && fd == -1 && tcgetsid(descriptor) == getsid(0))
        fd = open("/dev/tty", flags);
    if (fd != -1 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void prepare(enum stream stream, int descriptor, int direction)
{
    enum kind kind = kind_of(descriptor);
    int fd = reopen(descriptor, kind, direction);

    streams[stream].kind = kind;
    streams[stream].own = fd != -1;
    streams[stream].descriptor = fd != -1 ? fd : descriptor;
}

int stream_start(void)
{
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU};
    /* Without a null device, as in a chroot(2), the root directory stands in: it cannot be read
     * either. */
    const char *empty = access("/dev/null", R_OK) == 0 ? "/dev/null" : "/";

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        if (signal(ignored[i], SIG_IGN) == SIG_ERR)
            return errno;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* Read-only even for the outputs: a write to a stream that was closed has to fail, not to
         * vanish. */
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open(empty, O_RDONLY) == -1)
            return errno;
    }
    prepare(STREAM_INPUT, STDIN_FILENO, O_RDONLY);
    prepare(STREAM_OUTPUT, STDOUT_FILENO, O_WRONLY);
    prepare(STREAM_ERROR, STDERR_FILENO, O_WRONLY);
    return 0;
}

void stream_finish(void)
{
}

bool stream_is_terminal(enum stream stream)
{
    return streams[stream].kind == KIND_TERMINAL;
}

bool stream_in_background(enum stream stream)
{
    /* For a terminal that is not the controlling one, tcgetpgrp() returns -1 with ENOTTY. */
    pid_t foreground =
        streams[stream].kind == KIND_TERMINAL ? tcgetpgrp(streams[stream].descriptor) : -1;

    return foreground != -1 && foreground != getpgrp();
}

size_t stream_columns(enum stream stream)
{
    struct winsize size;

    return ioctl(streams[stream].descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
               ? size.ws_col
               : DEFAULT_COLUMNS;
}

os_socket stream_socket(enum stream stream)
{
    return streams[stream].descriptor;
}

/* Whether a write would raise SIGTTOU, or fail because that is ignored. */
static bool stopped_in_background(enum stream stream)
{
    struct termios mode;

    return stream_in_background(stream) && tcgetattr(streams[stream].descriptor, &mode) == 0 &&
           (mode.c_lflag & TOSTOP) != 0;
}

/*
 * How many of `length` bytes can be written without blocking. poll(2) promises room for PIPE_BUF
 * bytes in a pipe and for one in a terminal. Errors are left to write(2).
 */
static size_t writable_length(enum stream stream, size_t length)
{
    struct pollfd waiting = {.fd = streams[stream].descriptor, .events = POLLOUT};

    if (streams[stream].kind == KIND_TERMINAL && stopped_in_background(stream))
        return 0;
    if (streams[stream].own || streams[stream].kind == KIND_FILE ||
        streams[stream].kind == KIND_SOCKET)
        return length;
    if (poll(&waiting, 1, 0) != 1)
        return 0;
    size_t max = streams[stream].kind == KIND_PIPE ? PIPE_BUF : 1;

    return length < max ? length : max;
}

ptrdiff_t stream_write(enum stream stream, const void *bytes, size_t length)
{
    int descriptor = streams[stream].descriptor;
    ptrdiff_t n;

    length = writable_length(stream, length);
    if (length == 0)
        return 0;
    n = streams[stream].kind == KIND_SOCKET ? send(descriptor, bytes, length, MSG_DONTWAIT)
                                            : write(descriptor, bytes, length);
    if (n >= 0)
        return n;
    if (errno == EINTR || os_error_kind(errno) == OS_ERROR_WOULD_BLOCK)
        return 0;
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? STREAM_FULL : STREAM_BROKEN;
}

void stream_discard(enum stream stream)
{
    if (streams[stream].kind == KIND_TERMINAL && !stream_in_background(stream))
        tcflush(streams[stream].descriptor, TCOFLUSH);
}

ptrdiff_t stream_read(void *bytes, size_t size)
{
    int descriptor = streams[STREAM_INPUT].descriptor;
    ptrdiff_t n = streams[STREAM_INPUT].kind == KIND_SOCKET
                      ? recv(descriptor, bytes, size, MSG_DONTWAIT)
                      : read(descriptor, bytes, size);

    struct termios mode;

    if (n > 0)
        return n;
    /* A terminal that has hung up also returns 0, but it has no mode any more. */
    if (n == 0)
        return streams[STREAM_INPUT].kind == KIND_TERMINAL && tcgetattr(descriptor, &mode) != 0
                   ? STREAM_BROKEN
                   : STREAM_END;
    if (errno == EINTR || os_error_kind(errno) == OS_ERROR_WOULD_BLOCK)
        return 0;
    /* The root directory stands in for a closed stdin where there is no null device. */
    if (errno == EISDIR)
        return STREAM_END;
    /* The result in the background of a terminal, with SIGTTIN ignored. */
    if (errno == EIO && stream_in_background(STREAM_INPUT))
        return 0;
    return STREAM_BROKEN;
}
