/*
 * Tests of what the other tests stand on: a test that waits for a program that has died fails, with
 * words that say so. The program that dies, and the test that has to fail, are this one, started
 * with an argument.
 */
#include <string.h>

#include "support.h"
#include "test.h"

enum { STATUS = 3 };

static const char *self;

/* Starts a program that ends at once. */
static struct process *start_mortal(void)
{
    return support_start((const char *const[]){self, "die", NULL}, NULL);
}

static void waits_for_a_connection(void **state)
{
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    start_mortal();
    support_accept(listener);
}

static void waits_for_a_line(void **state)
{
    (void)state;
    support_expect_line(start_mortal(), STREAM_OUTPUT, "listening on ");
}

static int run_tests_that_fail(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(waits_for_a_connection, support_end_programs),
        cmocka_unit_test_teardown(waits_for_a_line, support_end_programs),
    };

    return cmocka_run_group_tests(tests, support_setup, support_teardown);
}

static void a_wait_ends_with_the_program(void **state)
{
    static const char *const told[] = {
        "the socket has not become ready to read, and every program has ended",
        "the output ended without: listening on ", "its status was 3"};
    unsigned found[3] = {0};
    struct process *tests = support_start((const char *const[]){self, "fail", NULL}, NULL);

    (void)state;
    /* Where cmocka writes its messages is the environment's choice. */
    for (int stream = STREAM_OUTPUT; stream <= STREAM_ERROR; stream++) {
        const char *line;

        while ((line = support_line(tests, (enum stream)stream)) != NULL) {
            for (size_t i = 0; i < 3; i++)
                found[i] += strstr(line, told[i]) != NULL;
        }
    }
    assert_int_not_equal(support_finish(tests), 0); /* under sanitizers it is that of the leaks */
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], 1);
    assert_int_equal(found[2], 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_wait_ends_with_the_program, support_end_programs),
    };

    self = argv[0];
    if (argc > 1)
        return strcmp(argv[1], "fail") == 0 ? run_tests_that_fail() : STATUS;
    return cmocka_run_group_tests(tests, support_setup, support_teardown);
}
