/* The client's start, in processes of their own, with a name service of the test's. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

int client_main(int argc, char **argv);

#define main client_main
#include "../client/main.c" /* NOLINT(bugprone-suspicious-include): main() is what is tested */
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
    /* A status that no request gives. */
    _exit(99);
}

/* As it is for process 1, for which the system does nothing about a signal without a handler. */
static void a_request_to_stop_ends_a_look_up(void **state)
{
    static char program[] = "echo-client", ping[] = "--ping", load[] = "--load", name[] = "name:7";
    static const struct {
        char *arguments[4];
        int count;
        int status;
    } jobs[] = {
        {{program, name}, 2, 130}, {{program, ping, name}, 3, 1}, {{program, load, name}, 3, 1}};
    static const int requests[] = {SIGINT, SIGTERM, SIGHUP};

    (void)state;
    signal(SIGHUP, SIG_DFL); /* nohup(1) would be obeyed */
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        for (size_t job = 0; job < sizeof jobs / sizeof jobs[0]; job++) {
            int status;

            requested = requests[i];
            pid_t process = fork();

            assert_int_not_equal(process, -1);
            if (process == 0)
                _exit(client_main(jobs[job].count, (char **)(uintptr_t)jobs[job].arguments));
            assert_int_equal(waitpid(process, &status, 0), process);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), jobs[job].status);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_to_stop_ends_a_look_up),
    };

    return cmocka_run_group_tests_name("client main", tests, NULL, NULL);
}
