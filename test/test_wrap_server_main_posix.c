/* The server's start, in processes of their own, with a name service of the test's. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

int server_main(int argc, char **argv);

#define main server_main
#include "../server/main.c" /* NOLINT(bugprone-suspicious-include): main() is what is tested */
#undef main

static int requested; /* the signal that comes while a name is looked up */

__typeof__(net_resolve) __wrap_net_resolve;

const char *__wrap_net_resolve(const char *host, uint16_t port,
                               struct net_address addresses[NET_RESOLVE_MAX], size_t *count)
{
    (void)host;
    (void)port;
    (void)addresses;
    *count = 0;
    kill(getpid(), requested);
    /* Nobody reads what is said after it. */
    close(STDERR_FILENO);
    return "it was not interrupted";
}

/* As it is for process 1, for which the system does nothing about a signal without a handler. */
static void a_request_to_stop_ends_a_look_up(void **state)
{
    static char program[] = "echo-server", option[] = "--bind", name[] = "name";
    char *arguments[] = {program, option, name, NULL};
    static const int requests[] = {SIGINT, SIGTERM, SIGHUP};

    (void)state;
    signal(SIGHUP, SIG_DFL); /* nohup(1) would be obeyed */
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        int status;

        requested = requests[i];
        pid_t process = fork();

        assert_int_not_equal(process, -1);
        if (process == 0)
            _exit(server_main(3, arguments));
        assert_int_equal(waitpid(process, &status, 0), process);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_to_stop_ends_a_look_up),
    };

    return cmocka_run_group_tests_name("server main", tests, NULL, NULL);
}
