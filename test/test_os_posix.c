/* Unit tests of common/os on POSIX, in processes of their own. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"
#include "test.h"

enum { STATUS = 7, TOLD = 9, SURVIVED = 11 };

/* The status of a process that lets a signal come, once `prepare` has been called. */
static int status_after(int number, void (*prepare)(void))
{
    int status;
    pid_t process = fork();

    assert_int_not_equal(process, -1);
    if (process == 0) {
        prepare();
        raise(number);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_told_or_ends_the_process_as_was_asked_for),
    };

    return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
