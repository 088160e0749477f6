/* The server's start, in processes of their own, with a name service of the test's. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_main.h"
#include "test.h"

int server_main(int argc, char **argv);

#define main server_main
#include "../server/main.c" /* NOLINT(bugprone-suspicious-include): main() is what is tested */
#undef main

static int requested;    /* the signal that comes while a name is looked up; 0: none */
static int in_use;       /* how often the port is */
static const char *told; /* what is told of listeners that are opened */
static int start_error;

__typeof__(net_resolve) __wrap_net_resolve, __real_net_resolve;
__typeof__(listeners_open) __wrap_listeners_open, __real_listeners_open;
__typeof__(os_start) __wrap_os_start, __real_os_start;

bool __wrap_listeners_open(struct listeners *listeners, const char *const *names, int name_count,
                           const uint16_t *ports, int port_count, bool some,
                           char note[LISTENERS_ERROR])
{
    if (in_use > 0) {
        in_use--;
        *listeners = (struct listeners){.in_use = true};
        snprintf(note, LISTENERS_ERROR, "it is in use");
        return false;
    }
    bool ok = __real_listeners_open(listeners, names, name_count, ports, port_count, some, note);

    if (told != NULL)
        snprintf(note, LISTENERS_ERROR, "%s", told);
    return ok;
}

int __wrap_os_start(void)
{
    return start_error != 0 ? start_error : __real_os_start();
}

const char *__wrap_net_resolve(const char *host, enum net_family family, uint16_t port,
                               struct net_address addresses[NET_RESOLVE_MAX], size_t *count)
{
    if (requested == 0)
        return __real_net_resolve(host, family, port, addresses, count);
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

#define ARGUMENTS(...) ((const char *const[]){"echo-server", "--port", "0", __VA_ARGS__, NULL})

static int reset(void **state)
{
    (void)state;
    requested = in_use = start_error = 0;
    told = NULL;
    return 0;
}

static unsigned count_of(const char *in, const char *text)
{
    unsigned count = 0;

    for (const char *at = in; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* The last connections of a server that has just ended may hold its port for a moment. */
static void a_port_in_use_is_tried_again(void **state)
{
    (void)state;
    in_use = 3;
    struct run run =
        run_main(server_main, 5, ARGUMENTS("--bind", "127.0.0.1"), "listening on 127.0.0.1:");

    assert_int_equal(run.status, EXIT_SUCCESS);
    assert_int_equal(count_of(run.output, "echo-server: note: it is in use; trying again for "), 1);
    assert_non_null(strstr(run.output, ",Stopped: "));
}

/* What somebody may miss later is told at the start. */
static void what_is_left_out_is_told(void **state)
{
    static const char half[] = "0.0.0.0 takes IPv4 clients only";

    (void)state;
    struct run run =
        run_main(server_main, 5, ARGUMENTS("--bind", "0.0.0.0"), "listening on 0.0.0.0:");

    assert_int_equal(run.status, EXIT_SUCCESS);
    assert_int_equal(count_of(run.output, half), 1);
    run = run_main(server_main, 6, ARGUMENTS("--bind", "0.0.0.0", "-q"), "listening on 0.0.0.0:");
    assert_int_equal(count_of(run.output, half), 0);
    told = "one of two";
    run = run_main(server_main, 5, ARGUMENTS("--bind", "127.0.0.1"), "listening on 127.0.0.1:");
    assert_int_equal(run.status, EXIT_SUCCESS);
    assert_int_equal(count_of(run.output, "echo-server: note: one of two\n"), 1);
}

static void a_start_that_fails_says_why(void **state)
{
    char reason[OS_ERROR_TEXT];
    char line[OS_ERROR_TEXT + 32];

    (void)state;
    start_error = EMFILE;
    struct run run = run_main(server_main, 5, ARGUMENTS("--bind", "127.0.0.1"), NULL);

    assert_int_equal(run.status, EXIT_FAILURE);
    snprintf(line, sizeof line, "echo-server: cannot start: %s\n", os_error_text(EMFILE, reason));
    assert_string_equal(run.output, line);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(a_request_to_stop_ends_a_look_up),
        TEST(a_port_in_use_is_tried_again),
        TEST(what_is_left_out_is_told),
        TEST(a_start_that_fails_says_why),
    };

    return cmocka_run_group_tests_name("server main", tests, NULL, NULL);
}
