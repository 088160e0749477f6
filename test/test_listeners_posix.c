/* Tests of the sockets that a service manager passes to the server, in processes of their own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "listeners.h"
#include "run_main.h"
#include "support.h"
#include "test.h"

enum { FIRST = 3, ABOVE = 10 };

static os_socket passed[2]; /* as descriptors 3 and 4 */

/* A program that is given LISTEN_PID, or "own" for the right one, and LISTEN_FDS; an empty one is
 * not set. It prints what it has taken. */
static int inherit(int count, char **arguments)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};
    struct listeners listeners;
    char note[LISTENERS_ERROR] = "", text[NET_ADDRESS_TEXT], own[24];

    for (int i = 0; i < 2; i++)
        dup2(passed[i], FIRST + i);
    snprintf(own, sizeof own, "%ld", (long)getpid());
    for (int i = 0; i < count; i++) {
        if (arguments[i][0] != '\0')
            setenv(variables[i], strcmp(arguments[i], "own") == 0 ? own : arguments[i], 1);
    }
    setenv("LISTEN_FDNAMES", "names", 1);
    printf("%s", listeners_inherit(&listeners, note) ? "taken:" : "wrong:");
    for (size_t i = 0; i < listeners.count; i++) {
        int fd = listeners.all[i].watch.socket;

        printf(" %d %s%s%s", fd, net_address_text(&listeners.all[i].address, text),
               (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? "" : " that may block",
               (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? "" : " that is inherited");
    }
    printf(" %s", note);
    for (int i = 0; i < 3; i++) {
        if (getenv(variables[i]) != NULL)
            printf("%s is still there", variables[i]);
    }
    return 0;
}

static void expect(const char *process, const char *number, const char *expected)
{
    const char *const arguments[] = {process, number, NULL};

    assert_string_equal(run_main(inherit, 2, arguments, NULL).output, expected);
}

/* A socket that is no standard stream and none of those that are passed. */
static os_socket above(os_socket s)
{
    os_socket copy = fcntl(s, F_DUPFD_CLOEXEC, ABOVE);

    assert_int_not_equal(copy, -1);
    net_close(s);
    fcntl(copy, F_SETFL, 0);
    return copy;
}

static struct net_address addresses[2];

static int pass_two(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        passed[i] = above(support_listen(&addresses[i]));
    return 0;
}

static int close_two(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        net_close(passed[i]);
    return support_end_programs(state);
}

static void takes_what_is_passed(void **state)
{
    char text[2][NET_ADDRESS_TEXT], expected[256];

    (void)state;
    for (int i = 0; i < 2; i++)
        net_address_text(&addresses[i], text[i]);
    snprintf(expected, sizeof expected, "taken: 3 %s 4 %s ", text[0], text[1]);
    expect("own", "2", expected);
    snprintf(expected, sizeof expected, "taken: 3 %s ", text[0]);
    expect("own", "1", expected);
}

static void takes_nothing_that_is_meant_for_another_process(void **state)
{
    (void)state;
    expect("", "", "taken: ");
    expect("own", "", "taken: ");
    expect("", "2", "taken: ");
    expect("1", "2", "taken: ");
    expect("x", "2", "taken: ");
    expect("1", "x", "taken: ");
}

static void a_wrong_number_is_told(void **state)
{
    static const char *const numbers[] = {"0", "129", "-1", "x", "1 "};
    char expected[256];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(expected, sizeof expected, "wrong: LISTEN_FDS '%s' is not a number from 1 to 128",
                 numbers[i]);
        expect("own", numbers[i], expected);
    }
    expect("own", "3", "wrong: cannot listen on descriptor 5 of LISTEN_FDS: Bad file descriptor");
}

/* Listens at a name of its own, which nobody else sees. */
static os_socket listen_locally(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    os_socket s = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/selecho.%ld", (long)getpid());
    assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(s, 1), 0);
    unlink(address.sun_path);
    return s;
}

static void only_listening_tcp_sockets_will_do(void **state)
{
    os_socket connected[2];

    (void)state;
    support_pair(connected);
    net_close(connected[1]);
    os_socket others[] = {connected[0], socket(AF_INET, SOCK_STREAM, 0),
                          socket(AF_INET, SOCK_DGRAM, 0), listen_locally()};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        net_close(passed[1]);
        passed[1] = above(others[i]);
        expect("own", "2",
               "wrong: cannot listen on descriptor 4 of LISTEN_FDS: it is not a listening TCP "
               "socket");
    }
}

static void a_socket_that_is_bound_begins_to_listen(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    os_socket s = socket(AF_INET, SOCK_STREAM, 0);
    struct net_address bound;
    char text[NET_ADDRESS_TEXT], expected[256];

    (void)state;
    assert_int_equal(bind(s, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(net_local_address(s, &bound).outcome, NET_DONE);
    net_close(passed[0]);
    passed[0] = above(s);
    snprintf(expected, sizeof expected, "taken: 3 %s ", net_address_text(&bound, text));
    expect("own", "1", expected);
    net_close(support_connect(&bound));
}

/* The real program */

static struct process *start(const char *const arguments[])
{
    const struct process_options options = {.sockets = passed, .socket_count = 2};

    return support_start(arguments, &options);
}

#define SERVER(...)                                                                                \
    ((const char *const[]){support_environment("ECHO_SERVER"), "--mode", "line", __VA_ARGS__})

static void serves_on_what_is_passed(void **state)
{
    struct process *server = start(SERVER(NULL));
    char text[NET_ADDRESS_TEXT], expected[NET_ADDRESS_TEXT + 16];

    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(expected, sizeof expected, "listening on %s",
                 net_address_text(&addresses[i], text));
        assert_string_equal(support_expect_line(server, STREAM_OUTPUT, "listening on "), expected);
    }
    for (int i = 0; i < 2; i++) {
        os_socket s = support_connect(&addresses[i]);

        support_send(s, "hello\n", 6);
        support_expect_text(s, "Message received - hello\n");
        net_end_sending(s);
        support_expect_end(s);
        net_close(s);
    }
    process_stop(server, PROCESS_STOP_TERMINATE);
    support_expect_line(server, STREAM_ERROR, ",Stopped: 2 connections served");
    assert_int_equal(support_finish(server), 0);

    /* The sockets are still the service manager's: who connects waits for the next server. */
    os_socket s = support_connect(&addresses[1]);

    server = start(SERVER(NULL));
    support_expect_line(server, STREAM_OUTPUT, "listening on ");
    support_expect_line(server, STREAM_OUTPUT, "listening on ");
    support_send(s, "hello\n", 6);
    support_expect_text(s, "Message received - hello\n");
    net_close(s);
    process_stop(server, PROCESS_STOP_TERMINATE);
    assert_int_equal(support_finish(server), 0);
}

static void other_addresses_do_not_go_with_what_is_passed(void **state)
{
    static const char *const options[][2] = {{"--port", "0"}, {"--bind", "127.0.0.1"}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct process *server = start(SERVER(options[i][0], options[i][1], NULL));

        assert_string_equal(support_line(server, STREAM_ERROR),
                            "echo-server: --port and --bind do not go with the sockets that "
                            "LISTEN_FDS passes");
        assert_int_equal(support_finish(server), 2);
    }
}

static void what_is_passed_has_to_be_right(void **state)
{
    (void)state;
    net_close(passed[0]);
    passed[0] = above(socket(AF_INET, SOCK_DGRAM, 0));
    struct process *server = start(SERVER(NULL));

    assert_string_equal(support_line(server, STREAM_ERROR),
                        "echo-server: cannot listen on descriptor 3 of LISTEN_FDS: it is not a "
                        "listening TCP socket");
    assert_int_equal(support_finish(server), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pass_two, close_two)
    const struct CMUnitTest tests[] = {
        TEST(takes_what_is_passed),
        TEST(takes_nothing_that_is_meant_for_another_process),
        TEST(a_wrong_number_is_told),
        TEST(only_listening_tcp_sockets_will_do),
        TEST(a_socket_that_is_bound_begins_to_listen),
        TEST(serves_on_what_is_passed),
        TEST(other_addresses_do_not_go_with_what_is_passed),
        TEST(what_is_passed_has_to_be_right),
    };

    return cmocka_run_group_tests_name("sockets that are passed", tests, support_setup,
                                       support_teardown);
}
