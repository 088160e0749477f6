/* Tests of client/terminal where a selector takes nothing more. */
#include <unistd.h>

#include "selector_private.h"
#include "terminal/terminal.h"
#include "test.h"

static int granted = -1; /* how many more selector_add() go well; below 0: all */

__typeof__(selector_add) __wrap_selector_add, __real_selector_add;

bool __wrap_selector_add(struct selector *selector, struct selector_watch *watch, os_socket s,
                         uint8_t interest)
{
    if (granted == 0)
        return false;
    granted -= granted > 0;
    return __real_selector_add(selector, watch, s, interest);
}

/* POSIX gives a new descriptor the lowest number that is free. */
static int next_number(void)
{
    int fd = dup(STDIN_FILENO);

    close(fd);
    return fd;
}

static void it_is_opened_whole_or_not_at_all(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    int before = next_number();
    struct terminal *terminal;
    int watched = 0;

    (void)state;
    assert_non_null(selector);
    do {
        granted = watched++;
        terminal = terminal_open(selector, NULL, 0);
        if (terminal == NULL) {
            assert_int_equal(selector->count, 0);
            assert_int_equal(next_number(), before);
        }
    } while (terminal == NULL);
    assert_int_equal(watched, 1 + 2); /* stdin, and the pipe of the signal handlers */
    granted = -1;
    terminal_close(terminal);
    assert_int_equal(selector->count, 0);
    assert_int_equal(next_number(), before);
    selector_destroy(selector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_opened_whole_or_not_at_all),
    };

    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
