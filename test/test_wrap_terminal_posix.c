/* Tests of client/terminal where a selector, or the terminal itself, takes nothing more. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "selector_private.h"
#include "stream.h"
#include "terminal/terminal.h"
#include "test.h"

static int granted = -1; /* how many more selector_add() go well; below 0: all */

__typeof__(selector_add) __wrap_selector_add, __real_selector_add;

bool __wrap_selector_add(struct selector *selector, struct selector_watch *watch, os_socket s,
                         uint8_t interest)
{
    if (granted == 0)
        return false;
    granted -= granted > 0;
    return __real_selector_add(selector, watch, s, interest);
}

static int refused; /* how many more stream_write() take nothing, whatever room there is */

__typeof__(stream_write) __wrap_stream_write, __real_stream_write;

ptrdiff_t __wrap_stream_write(enum stream stream, const void *bytes, size_t length)
{
    if (refused > 0) {
        refused--;
        return 0;
    }
    return __real_stream_write(stream, bytes, length);
}

/* POSIX gives a new descriptor the lowest number that is free. */
static int next_number(void)
{
    int fd = dup(STDIN_FILENO), number = fd;

    close(fd);
    return number;
}

static void it_is_opened_whole_or_not_at_all(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    int before = next_number();
    struct terminal *terminal;
    int watched = 0;

    (void)state;
    assert_non_null(selector);
    do {
        granted = watched++;
        terminal = terminal_open(selector, NULL, 0);
        if (terminal == NULL) {
            assert_int_equal(selector->count, 0);
            assert_int_equal(next_number(), before);
        }
    } while (terminal == NULL);
    assert_int_equal(watched, 1 + 2); /* stdin, and the pipe of the signal handlers */
    granted = -1;
    terminal_close(terminal);
    assert_int_equal(selector->count, 0);
    assert_int_equal(next_number(), before);
    selector_destroy(selector);
}

/* In a process of its own, whose terminal nobody reads: comes to its end by a signal. */
static void die_at_a_full_terminal(const char *name)
{
    static const char much[4096];
    struct rlimit no_core = {0, 0};

    setsid();
    int terminal = open(name, O_RDWR);

    if (terminal == -1 || dup2(terminal, STDIN_FILENO) == -1 ||
        dup2(terminal, STDOUT_FILENO) == -1 || setenv("TERM", "xterm", 1) != 0 ||
        setrlimit(RLIMIT_CORE, &no_core) != 0 || stream_start() != 0)
        _exit(EXIT_FAILURE);
    struct selector *selector = selector_create(SELECTOR_ALL);

    if (selector == NULL || terminal_open(selector, NULL, 0) == NULL)
        _exit(EXIT_FAILURE);
    while (stream_write(STREAM_OUTPUT, much, sizeof much) > 0)
        continue;
    /* Linux moves what was written to the master's side a moment later, which makes room again. The
     * handler is to find none in any case. */
    refused = 1;
    kill(getpid(), SIGABRT);
    _exit(EXIT_SUCCESS);
}

/* What is not shown yet is given up for it. */
static void a_terminal_that_takes_nothing_is_restored(void **state)
{
    static const char pastes_off[] = "\x1B[?2004l";
    static char shown[65536];
    struct termios found, left;
    size_t length = 0;
    ssize_t n;
    int status;

    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

    assert_int_not_equal(master, -1);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    /* It stays open, so that what was written is kept. */
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);

    assert_int_equal(tcgetattr(terminal, &found), 0);
    pid_t process = fork();

    assert_int_not_equal(process, -1);
    if (process == 0)
        die_at_a_full_terminal(ptsname(master));
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(tcgetattr(terminal, &left), 0);
    assert_int_equal(left.c_lflag, found.c_lflag);
    assert_int_equal(left.c_iflag, found.c_iflag);
    while (length < sizeof shown && (n = read(master, shown + length, sizeof shown - length)) > 0)
        length += (size_t)n;
    assert_int_in_range(length, strlen(pastes_off), sizeof shown - 1);
    assert_memory_equal(shown + length - strlen(pastes_off), pastes_off, strlen(pastes_off));
    close(terminal);
    close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminal_that_takes_nothing_is_restored),
        cmocka_unit_test(it_is_opened_whole_or_not_at_all),
    };

    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
