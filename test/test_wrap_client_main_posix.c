/* The client's start, in processes of their own, with a name service of the test's. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_main.h"
#include "test.h"

int client_main(int argc, char **argv);

#define main client_main
#include "../client/main.c" /* NOLINT(bugprone-suspicious-include): main() is what is tested */
#undef main

static int requested; /* the signal that comes while a name is looked up; 0: none */
static int start_error;

__typeof__(net_resolve) __wrap_net_resolve, __real_net_resolve;
__typeof__(getservbyname) __wrap_getservbyname;
__typeof__(connector_connect) __wrap_connector_connect;
__typeof__(load_run) __wrap_load_run;
__typeof__(os_start) __wrap_os_start, __real_os_start;
static enum connector_outcome connected;

enum connector_outcome __wrap_connector_connect(const struct net_address *addresses, size_t count,
                                                const struct net_address *source, int64_t timeout,
                                                os_socket stop,
                                                struct connector_connection *connection,
                                                char error[CONNECTOR_ERROR])
{
    char to[NET_ADDRESS_TEXT], from[NET_ADDRESS_TEXT] = "anywhere";

    (void)timeout;
    (void)stop;
    *connection = (struct connector_connection){.socket = OS_NO_SOCKET};
    if (source != NULL)
        net_address_text(source, from);
    snprintf(error, CONNECTOR_ERROR, "%zu to %s from %s", count,
             net_address_text(&addresses[0], to), from);
    return connected;
}

/* A load of which not even the first connection could be used. */
bool __wrap_load_run(const struct load_options *options, const struct connector_connection *first,
                     os_socket stop, struct output *output, struct load_result *result)
{
    (void)first;
    (void)stop;
    (void)output;
    *result =
        (struct load_result){.counts = {.connections_failed = 1}, .failure = "it was of no use"};
    if (options->keep_going)
        *result = (struct load_result){
            .counts = {.connections_made = 1, .messages_sent = 1, .messages_answered = 1}};
    return true;
}

/* A list with one service in it. */
struct servent *__wrap_getservbyname(const char *name, const char *protocol)
{
    static struct servent service;

    (void)protocol;
    service.s_port = htons(4711);
    return strcmp(name, "odd-service") == 0 ? &service : NULL;
}

int __wrap_os_start(void)
{
    return start_error != 0 ? start_error : __real_os_start();
}

const char *__wrap_net_resolve(const char *host, enum net_family family, uint16_t port,
                               struct net_address addresses[NET_RESOLVE_MAX], size_t *count)
{
    static const struct net_address both[] = {{.bytes = {[15] = 2}, .ipv6 = true},
                                              {.bytes = {[15] = 3}, .ipv6 = true},
                                              {.bytes = {127, 0, 0, 2}}};

    if (strcmp(host, "both") == 0) {
        *count = sizeof both / sizeof both[0];
        memcpy(addresses, both, sizeof both);
        return NULL;
    }
    if (requested == 0)
        return __real_net_resolve(host, family, port, addresses, count);
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

#define ARGUMENTS(...) ((const char *const[]){"echo-client", __VA_ARGS__, NULL})

static int reset(void **state)
{
    (void)state;
    requested = start_error = 0;
    return 0;
}

/* The status says what ended it, and a report comes in any case. */
static void a_request_to_stop_ends_connecting(void **state)
{
    (void)state;
    connected = CONNECTOR_STOPPED;
    struct run run = run_main(client_main, 3, ARGUMENTS("127.0.0.1", "7"), NULL);

    assert_int_equal(run.status, 130);
    assert_string_equal(run.output, "");
    run = run_main(client_main, 4, ARGUMENTS("--ping", "127.0.0.1", "7"), NULL);
    assert_int_equal(run.status, EXIT_FAILURE);
    assert_non_null(strstr(run.output, "\n--- 127.0.0.1:7 ---\n"
                                       "1 sent, 0 answered, 0 lost (0 %), 0 reconnects, 1 still in "
                                       "flight\n1 outage, "));
    run = run_main(client_main, 5, ARGUMENTS("--load", "--json", "127.0.0.1", "7"), NULL);
    assert_int_equal(run.status, EXIT_FAILURE);
    assert_non_null(strstr(run.output, "\"passed\":false,\"interrupted\":true,"));
}

/* What the command line says is what is connected to, and from. */
static void names_and_families_are_looked_up(void **state)
{
    (void)state;
    connected = CONNECTOR_FAILED;
    struct run run = run_main(client_main, 3, ARGUMENTS("127.0.0.1", "odd-service"), NULL);

    assert_int_equal(run.status, EXIT_FAILURE);
    assert_string_equal(run.output, "echo-client: cannot connect to '127.0.0.1': 1 to "
                                    "127.0.0.1:4711 from anywhere\n");
    run = run_main(client_main, 2, ARGUMENTS("-6"), NULL);
    assert_string_equal(run.output,
                        "echo-client: cannot connect to '::1': 1 to [::1]:9901 from anywhere\n");
    run = run_main(client_main, 2, ARGUMENTS("--source=::2"), NULL);
    assert_string_equal(run.output, "echo-client: cannot connect to '::1' from '::2': 1 to "
                                    "[::1]:9901 from [::2]:0\n");
    run = run_main(client_main, 2, ARGUMENTS("--source=127.0.0.2"), NULL);
    assert_string_equal(run.output,
                        "echo-client: cannot connect to '127.0.0.1' from '127.0.0.2': 1 "
                        "to 127.0.0.1:9901 from 127.0.0.2:0\n");
    run = run_main(client_main, 5, ARGUMENTS("-6", "--source=::2", "::3", "odd-service"), NULL);
    assert_string_equal(run.output, "echo-client: cannot connect to '::3' from '::2': 1 to "
                                    "[::3]:4711 from [::2]:0\n");
    /* Of a source, it is the address that goes with the host. */
    run = run_main(client_main, 3, ARGUMENTS("--source=both", "127.0.0.1"), NULL);
    assert_string_equal(run.output, "echo-client: cannot connect to '127.0.0.1' from 'both': 1 to "
                                    "127.0.0.1:9901 from 127.0.0.2:0\n");
    run = run_main(client_main, 2, ARGUMENTS("--source=both"), NULL);
    assert_string_equal(run.output, "echo-client: cannot connect to '::1' from 'both': 1 to "
                                    "[::1]:9901 from [::2]:0\n");
    run = run_main(client_main, 5, ARGUMENTS("--load", "--json", "h", "even-service"), NULL);
    assert_int_equal(run.status, EXIT_FAILURE);
    assert_non_null(strstr(run.output, "unknown service 'even-service'; give the number of its "
                                       "port\n"));
    assert_non_null(strstr(run.output, "\"failure\":\"unknown service 'even-service'; "));
}

/* A table of nothing would only hide why. */
static void a_load_without_a_connection_is_one_line(void **state)
{
    (void)state;
    connected = CONNECTOR_CONNECTED;
    struct run run = run_main(client_main, 4, ARGUMENTS("--load", "127.0.0.1", "7"), NULL);

    assert_int_equal(run.status, EXIT_FAILURE);
    assert_string_equal(run.output, "echo-client: it was of no use\n");
    run = run_main(client_main, 5, ARGUMENTS("--load", "--json", "127.0.0.1", "7"), NULL);
    assert_int_equal(run.status, EXIT_FAILURE);
    assert_non_null(strstr(run.output, "echo-client: it was of no use\n"));
    assert_non_null(strstr(run.output, "\"failure\":\"it was of no use\""));
}

/* What goes well later does not make up for it. */
static void a_load_that_goes_on_tells_that_it_could_not_connect(void **state)
{
    (void)state;
    connected = CONNECTOR_FAILED;
    struct run run =
        run_main(client_main, 5, ARGUMENTS("--load", "--keep-going", "::1", "7"), NULL);

    assert_int_equal(run.status, EXIT_FAILURE);
    assert_non_null(strstr(run.output, "\nFAILURE: cannot connect to '::1': 1 to [::1]:7 from "));
}

static void a_start_that_fails_says_why(void **state)
{
    char reason[OS_ERROR_TEXT];
    char line[OS_ERROR_TEXT + 32];

    (void)state;
    start_error = EMFILE;
    struct run run = run_main(client_main, 3, ARGUMENTS("127.0.0.1", "7"), NULL);

    assert_int_equal(run.status, EXIT_FAILURE);
    snprintf(line, sizeof line, "echo-client: cannot start: %s\n", os_error_text(EMFILE, reason));
    assert_string_equal(run.output, line);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, reset)
    const struct CMUnitTest tests[] = {
        TEST(a_request_to_stop_ends_a_look_up),
        TEST(a_request_to_stop_ends_connecting),
        TEST(names_and_families_are_looked_up),
        TEST(a_load_without_a_connection_is_one_line),
        TEST(a_load_that_goes_on_tells_that_it_could_not_connect),
        TEST(a_start_that_fails_says_why),
    };

    return cmocka_run_group_tests_name("client main", tests, NULL, NULL);
}
