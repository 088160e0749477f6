/* Unit tests of common/os on POSIX, in processes of their own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"
#include "stream.h"
#include "test.h"

enum { STATUS = 7, TOLD = 9, SURVIVED = 11, NOT_ALLOWED = 13, REFUSED = 15 };

/* The status of a process that lets a signal come, once `prepare` has been called. */
static int status_after(int number, void (*prepare)(void))
{
    int status;
    pid_t process = fork();

    assert_int_not_equal(process, -1);
    if (process == 0) {
        prepare();
        kill(getpid(), number);
        _exit(os_stop_requests() == 1 ? TOLD : SURVIVED);
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void open_stop(void)
{
    if (os_stop_open() == OS_NO_SOCKET)
        _exit(EXIT_FAILURE);
}

static void end_at_a_stop(void)
{
    os_stop_ends(STATUS);
    open_stop();
}

static void tell_again(void)
{
    end_at_a_stop();
    os_stop_ends(OS_STOP_TOLD);
}

static void a_request_is_told_or_ends_the_process_as_was_asked_for(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    (void)state;
    signal(SIGHUP, SIG_DFL); /* nohup(1) would be obeyed */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(status_after(numbers[i], open_stop), TOLD);
        assert_int_equal(status_after(numbers[i], end_at_a_stop), STATUS);
        assert_int_equal(status_after(numbers[i], tell_again), TOLD);
    }
}

/* In a root directory without /dev/null, and with the standard streams closed: what os_start() then
 * makes of it, as an exit status. */
static int start_without_null_device(const char *root)
{
    char byte;

    if (chroot(root) != 0)
        return NOT_ALLOWED;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    if (os_start() != 0)
        return REFUSED;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 || write(fd, "x", 1) != -1)
            return REFUSED;
    }
    return stream_read(&byte, 1) == STREAM_END ? EXIT_SUCCESS : REFUSED;
}

static void closed_streams_need_no_null_device(void **state)
{
    char root[] = "/tmp/selecho.XXXXXX";
    int status;

    (void)state;
    assert_non_null(mkdtemp(root));
    pid_t process = fork();

    assert_int_not_equal(process, -1);
    if (process == 0)
        _exit(start_without_null_device(root));
    assert_int_equal(waitpid(process, &status, 0), process);
    rmdir(root);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        skip(); /* chroot(2) is the superuser's */
    assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

/* What the programs do about an error depends on this alone. */
static void an_error_has_its_kind(void **state)
{
    static const struct {
        int error;
        enum os_error_kind kind;
    } cases[] = {
        {EAGAIN, OS_ERROR_WOULD_BLOCK},
        {EWOULDBLOCK, OS_ERROR_WOULD_BLOCK},
        {EINPROGRESS, OS_ERROR_WOULD_BLOCK},
        {EINTR, OS_ERROR_INTERRUPTED},
        {ECONNRESET, OS_ERROR_RESET},
        {ECONNABORTED, OS_ERROR_RESET},
        {EPIPE, OS_ERROR_RESET},
        {EPROTOTYPE, OS_ERROR_RESET},
        {ENETRESET, OS_ERROR_RESET},
        {ENOTCONN, OS_ERROR_RESET},
        {EMFILE, OS_ERROR_DESCRIPTORS},
        {ENFILE, OS_ERROR_EXHAUSTED},
        {ENOBUFS, OS_ERROR_EXHAUSTED},
        {ENOMEM, OS_ERROR_EXHAUSTED},
        {EADDRNOTAVAIL, OS_ERROR_UNAVAILABLE},
        {EAFNOSUPPORT, OS_ERROR_UNAVAILABLE},
        /* Those that accept(2) gives of a new connection */
        {ENETDOWN, OS_ERROR_NETWORK},
        {EPROTO, OS_ERROR_NETWORK},
        {ENOPROTOOPT, OS_ERROR_NETWORK},
        {EHOSTDOWN, OS_ERROR_NETWORK},
        {EHOSTUNREACH, OS_ERROR_NETWORK},
        {EOPNOTSUPP, OS_ERROR_NETWORK},
        {ENETUNREACH, OS_ERROR_NETWORK},
#ifdef ENONET
        {ENONET, OS_ERROR_NETWORK},
#endif
        {EINVAL, OS_ERROR_OTHER},
        {0, OS_ERROR_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(os_error_kind(cases[i].error), cases[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_streams_need_no_null_device),
        cmocka_unit_test(an_error_has_its_kind),
        cmocka_unit_test(a_request_is_told_or_ends_the_process_as_was_asked_for),
    };

    return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
