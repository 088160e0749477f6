/* Steps 9 and 10 of the tutorial stop as it says, on Windows too, where a shell cannot ask them. */
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "support.h"
#include "test.h"

static void check_stops(const char *variable, enum process_stop how)
{
    static const char listening[] = "listening on 127.0.0.1:";
    const char *arguments[] = {support_environment(variable), "0", NULL};
    struct process *server = support_start(arguments, NULL);
    const char *line = support_expect_line(server, STREAM_OUTPUT, listening);
    struct net_address address = support_loopback(false, (uint16_t)atoi(line + strlen(listening)));
    os_socket client = support_connect(&address), silent = support_connect(&address);

    support_send(client, "hello\n", 6);
    support_expect_text(client, "hello\n");
    process_stop(server, how);
    /* Both were accepted or waited to be, and have an end of the stream, not a reset. */
    support_expect_end(client);
    support_expect_end(silent);
    net_close(client);
    net_close(silent);
    support_expect_line(server, STREAM_OUTPUT, "stopped, with 0 connections left");
    assert_int_equal(support_finish(server), 0);
}

static void step_9_drains(void **state)
{
    (void)state;
    check_stops("STEP_9", PROCESS_STOP_INTERRUPT);
    check_stops("STEP_9", PROCESS_STOP_TERMINATE);
}

static void step_10_drains(void **state)
{
    (void)state;
    check_stops("STEP_10", PROCESS_STOP_INTERRUPT);
    check_stops("STEP_10", PROCESS_STOP_TERMINATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(step_9_drains, support_end_programs),
        cmocka_unit_test_teardown(step_10_drains, support_end_programs),
    };

    return cmocka_run_group_tests_name("tutorial", tests, support_setup, support_teardown);
}
