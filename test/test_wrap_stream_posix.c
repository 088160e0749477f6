/* Tests of the standard streams: no write waits, whatever a stream is and whatever interrupts it.
 * stderr stands for all, since cmocka writes to stdout. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"
#include "test.h"

static struct {
    int found;             /* what stderr was */
    int found_input;       /* and stdin */
    bool cannot_open;      /* nothing can be opened once more */
    bool poll_interrupted; /* a signal comes during each poll(2) */
    bool duplicates;       /* what is opened in /dev/fd is a duplicate, as on macOS */
    bool refuses_signals;  /* no action of a signal can be changed */
    int read_error;        /* why each read(2) fails; 0: none does */
    pid_t foreground;      /* the process group that has the terminal; 0: the one that has it */
    unsigned writes;
} fake;

__typeof__(open) __wrap_open, __real_open;
__typeof__(open64) __wrap_open64, __real_open64;
int __wrap___open64_2(const char *name, int flags);
__typeof__(signal) __wrap_signal, __real_signal;
__typeof__(read) __wrap_read, __real_read;
__typeof__(tcgetpgrp) __wrap_tcgetpgrp, __real_tcgetpgrp;
__typeof__(poll) __wrap_poll, __real_poll;
__typeof__(write) __wrap_write, __real_write;

int __wrap_open(const char *name, int flags, ...)
{
    if (fake.duplicates && strncmp(name, "/dev/fd/", 8) == 0)
        return dup(atoi(name + 8));
    errno = EACCES;
    return fake.cannot_open ? -1 : __real_open(name, flags, 0);
}

int __wrap_open64(const char *name, int flags, ...)
{
    if (fake.duplicates && strncmp(name, "/dev/fd/", 8) == 0)
        return dup(atoi(name + 8));
    errno = EACCES;
    return fake.cannot_open ? -1 : __real_open64(name, flags, 0);
}

/* What FORTIFY_SOURCE makes of open64() in glibc. */
int __wrap___open64_2(const char *name, int flags)
{
    return __wrap_open64(name, flags);
}

int __wrap_poll(struct pollfd *descriptors, nfds_t count, int timeout)
{
    errno = EINTR;
    return fake.poll_interrupted ? -1 : __real_poll(descriptors, count, timeout);
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t length)
{
    fake.writes++;
    return __real_write(descriptor, bytes, length);
}

void (*__wrap_signal(int number, void (*handler)(int)))(int)
{
    errno = EINVAL;
    return fake.refuses_signals ? SIG_ERR : __real_signal(number, handler);
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    errno = fake.read_error;
    return fake.read_error != 0 ? -1 : __real_read(descriptor, bytes, size);
}

pid_t __wrap_tcgetpgrp(int terminal)
{
    return fake.foreground != 0 ? fake.foreground : __real_tcgetpgrp(terminal);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.found = dup(STDERR_FILENO);
    fake.found_input = dup(STDIN_FILENO);
    return fake.found == -1 || fake.found_input == -1;
}

static int tear_down(void **state)
{
    (void)state;
    memset(&fake.cannot_open, 0, sizeof fake - offsetof(__typeof__(fake), cannot_open));
    dup2(fake.found, STDERR_FILENO);
    close(fake.found);
    dup2(fake.found_input, STDIN_FILENO);
    close(fake.found_input);
    return 0;
}

/* Makes a descriptor one of the standard streams, and begins anew. */
static void become(int descriptor, int standard)
{
    assert_int_not_equal(descriptor, -1);
    assert_int_equal(dup2(descriptor, standard), standard);
    close(descriptor);
    assert_int_equal(stream_start(), 0);
    fake.writes = 0;
}

static void become_stderr(int descriptor)
{
    become(descriptor, STDERR_FILENO);
}

/* Writes until nothing more is taken; returns how much was. */
static size_t fill(void)
{
    static const char bytes[65536];
    size_t written = 0;
    ptrdiff_t n;

    while ((n = stream_write(STREAM_ERROR, bytes, sizeof bytes)) > 0)
        written += (size_t)n;
    assert_int_equal(n, 0);
    return written;
}

static void a_full_pipe_takes_nothing(void **state)
{
    (void)state;
    for (int opens = 0; opens < 3; opens++) {
        static char bytes[4096];
        int ends[2];

        fake.cannot_open = opens == 0;
        fake.duplicates = opens == 1;
        assert_int_equal(pipe(ends), 0);
        become_stderr(ends[1]);
        assert_true(fill() >= 4096);
        assert_int_equal(read(ends[0], bytes, sizeof bytes), sizeof bytes);
        assert_true(fill() > 0);
        /* Nobody who shares the pipe with us is surprised by O_NONBLOCK. */
        assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
        close(ends[0]);
        assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
    }
}

static void a_full_socket_takes_nothing(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    become_stderr(ends[1]);
    assert_true(fill() > 0);
    close(ends[0]);
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
}

/* poll(2) that is interrupted has not said that there is room. */
static void an_interrupted_poll_is_no_promise(void **state)
{
    int ends[2];

    (void)state;
    fake.cannot_open = true;
    assert_int_equal(pipe(ends), 0);
    become_stderr(ends[1]);
    fake.poll_interrupted = true;
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), 0);
    assert_int_equal(fake.writes, 0);
    fake.poll_interrupted = false;
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), 1);
    close(ends[0]);
}

/* The two ends of a pseudo-terminal; returns the terminal. */
static int open_terminal(int *master)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_int_not_equal(*master, -1);
    assert_int_equal(grantpt(*master), 0);
    assert_int_equal(unlockpt(*master), 0);
    return open(ptsname(*master), O_RDWR | O_NOCTTY);
}

/* A terminal that cannot be opened by its name (sudo, su) promises room for one byte. */
static void a_terminal_of_another_user_never_makes_us_wait(void **state)
{
    int master;
    int slave = open_terminal(&master);

    (void)state;

    fake.cannot_open = true;
    become_stderr(slave);
    assert_true(stream_is_terminal(STREAM_ERROR));
    assert_true(fill() >= 4096);
    close(master);
}

static void a_full_disk_is_told_from_a_broken_stream(void **state)
{
    (void)state;
    become_stderr(open("/dev/full", O_WRONLY));
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_FULL);
}

/* SIGXFSZ would end the program. */
static void a_file_at_its_largest_size_is_a_full_disk(void **state)
{
    struct rlimit limit, found;
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &found), 0);
    limit = found;
    limit.rlim_cur = 8;
    become_stderr(dup(fileno(file)));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ptrdiff_t first = stream_write(STREAM_ERROR, "0123456789", 10);
    ptrdiff_t second = stream_write(STREAM_ERROR, "x", 1);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &found), 0);
    assert_int_equal(first, 8);
    assert_int_equal(second, STREAM_FULL);
    fclose(file);
}

/* What a program is not given to write to, it is not to write to what it opens first instead. */
static void a_closed_stream_is_broken(void **state)
{
    (void)state;
    close(STDERR_FILENO);
    assert_int_equal(stream_start(), 0);
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
}

static void what_keeps_it_from_starting_is_told(void **state)
{
    (void)state;
    fake.refuses_signals = true;
    assert_int_equal(stream_start(), EINVAL);
    fake.refuses_signals = false;
    close(STDERR_FILENO);
    fake.cannot_open = true;
    int error = stream_start();

    fake.cannot_open = false;
    assert_int_equal(error, EACCES);
}

static void a_socket_is_read_without_waiting(void **state)
{
    char bytes[8];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    become(ends[1], STDIN_FILENO);
    assert_int_equal(stream_read(bytes, sizeof bytes), 0);
    assert_int_equal(write(ends[0], "abc", 3), 3);
    assert_int_equal(stream_read(bytes, sizeof bytes), 3);
    close(ends[0]);
    assert_int_equal(stream_read(bytes, sizeof bytes), STREAM_END);
}

/* A background process is refused with the error of a broken disk (POSIX, 11.1.4). */
static void a_terminal_is_not_broken_because_another_has_it(void **state)
{
    int master;
    char byte;

    (void)state;
    become(open_terminal(&master), STDIN_FILENO);
    fake.read_error = EIO;
    fake.foreground = getpgrp() + 1;
    ptrdiff_t in_background = stream_read(&byte, 1);

    fake.foreground = getpgrp();
    ptrdiff_t in_foreground = stream_read(&byte, 1);

    fake.read_error = EINTR;
    ptrdiff_t interrupted = stream_read(&byte, 1);

    fake.read_error = 0;
    assert_int_equal(in_background, 0);
    assert_int_equal(in_foreground, STREAM_BROKEN);
    assert_int_equal(interrupted, 0);
    close(master);
}

/* What another has on its screen is not to be lost. */
static void only_what_is_ours_on_a_terminal_is_discarded(void **state)
{
    char bytes[8];
    int master;

    (void)state;
    become_stderr(open_terminal(&master));
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    fake.foreground = getpgrp() + 1;
    assert_int_equal(stream_write(STREAM_ERROR, "a", 1), 1);
    stream_discard(STREAM_ERROR);
    assert_int_equal(read(master, bytes, sizeof bytes), 1);
    /* Whoever has no width has the usual one. */
    assert_int_equal(stream_columns(STREAM_ERROR), 80);
    close(master);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_pipe_takes_nothing),
        TEST(a_full_socket_takes_nothing),
        TEST(an_interrupted_poll_is_no_promise),
        TEST(a_terminal_of_another_user_never_makes_us_wait),
        TEST(a_full_disk_is_told_from_a_broken_stream),
        TEST(a_file_at_its_largest_size_is_a_full_disk),
        TEST(a_closed_stream_is_broken),
        TEST(what_keeps_it_from_starting_is_told),
        TEST(a_socket_is_read_without_waiting),
        TEST(a_terminal_is_not_broken_because_another_has_it),
        TEST(only_what_is_ours_on_a_terminal_is_discarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
