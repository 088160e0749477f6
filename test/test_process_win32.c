/* Tests of the test programs' own means to stop a program on Windows: they use what they test on
 * the real programs, and must come out of it alive. */
#include <stdio.h>
#include <string.h>

#include "pseudo_terminal.h"
#include "support.h"
#include "system.h"
#include "test.h"

#include <windows.h>

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void stop_server(struct process *server)
{
    process_stop(server, PROCESS_STOP_INTERRUPT);
    support_expect_line(server, STREAM_ERROR, ",Stopped: ");
    assert_int_equal(support_finish(server), 0);
}

/* One that is stopped, and one after it, while others run. */
static void a_stop_ends_the_program_that_is_meant(void **state)
{
    struct process *servers[3];
    uint16_t port;

    (void)state;
    for (int i = 0; i < 3; i++)
        servers[i] = support_start_server(NULL, NULL, &port);
    for (int i = 2; i >= 0; i--)
        stop_server(servers[i]);
    stop_server(support_start_server(NULL, NULL, &port));
}

/* A console is left for another one and taken up again; none of the handlers of before is left. */
static void a_stop_works_after_a_terminal_was_used(void **state)
{
    static const struct pseudo_terminal_options options = {.term = "xterm"};
    static char screen[PSEUDO_TERMINAL_TEXT];
    uint16_t port;
    char number[8];
    struct process *server = support_start_server(NULL, NULL, &port);

    (void)state;
    snprintf(number, sizeof number, "%u", port);
    for (int i = 0; i < 2; i++) {
        struct pseudo_terminal *terminal = pseudo_terminal_start(
            OPTIONS(support_environment("ECHO_CLIENT"), "127.0.0.1", number), &options);

        assert_non_null(terminal);
        do
            assert_true(pseudo_terminal_look(terminal, screen));
        while (strstr(screen, "connected to ") == NULL);
        pseudo_terminal_send(terminal, PSEUDO_TERMINAL_INTERRUPT);
        assert_int_equal(pseudo_terminal_destroy(terminal), 130);
    }
    stop_server(server);
}

/* What a program that ends without a word has started ends with it. */
static void children_end_with_their_parent(void **state)
{
    char path[MAX_PATH];
    struct process *parent;
    unsigned long id;

    (void)state;
    GetModuleFileNameA(NULL, path, sizeof path);
    parent = support_start(OPTIONS(path, "crash"), NULL);
    id = strtoul(support_line(parent, STREAM_OUTPUT), NULL, 10);
    HANDLE child = OpenProcess(SYNCHRONIZE, FALSE, id);

    process_close_input(parent); /* now it ends */
    while (support_line(parent, STREAM_OUTPUT) != NULL)
        continue;
    assert_int_equal(support_finish(parent), 3);
    assert_non_null(child);
    assert_int_equal(WaitForSingleObject(child, SUPPORT_DEADLINE), WAIT_OBJECT_0);
    CloseHandle(child);
}

/* The program that children_end_with_their_parent() starts: starts a server, says which, and ends
 * as a crash does once its input has ended. */
static int crash(void)
{
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION created;
    char line[MAX_PATH + 16];

    system_end_children_with_me();
    snprintf(line, sizeof line, "%s --port 0", support_environment("ECHO_SERVER"));
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &start,
                        &created))
        return 1;
    printf("%lu\n", created.dwProcessId);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    TerminateProcess(GetCurrentProcess(), 3);
    return 2;
}

#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stop_ends_the_program_that_is_meant),
        TEST(a_stop_works_after_a_terminal_was_used),
        TEST(children_end_with_their_parent),
    };

    if (argc == 2 && strcmp(argv[1], "crash") == 0)
        return crash();
    return cmocka_run_group_tests_name("process", tests, support_setup, support_teardown);
}
