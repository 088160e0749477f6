/* Tests of how the selector calls Winsock's select(), which is not there: what it is given is
 * looked at, and an answer is made up. */
#include <winsock2.h>

#include <stdlib.h>
#include <string.h>

#include "test.h"

static int fake_select(int count, fd_set *read, fd_set *write, fd_set *failed,
                       const struct timeval *limit);

#define select fake_select
#include "../common/selector_win32.c" /* NOLINT(bugprone-suspicious-include): it is tested */
#undef select

static struct {
    bool given[3]; /* the sets for reading, for writing and for failures */
    bool empty;    /* one of them was */
} seen;

static int fake_select(int count, fd_set *read, fd_set *write, fd_set *failed,
                       const struct timeval *limit)
{
    fd_set *sets[3] = {read, write, failed};

    (void)count;
    (void)limit;
    seen.empty = false;
    for (int i = 0; i < 3; i++) {
        seen.given[i] = sets[i] != NULL;
        seen.empty = seen.empty || (sets[i] != NULL && sets[i]->fd_count == 0);
    }
    return 1;
}

/* A set without a socket is not given: the documentation forbids it. */
static void no_empty_set_is_given(void **state)
{
    static const struct {
        uint8_t interest[2];
        bool given[3];
    } cases[] = {
        {{SELECTOR_READ, SELECTOR_NONE}, {true, false, false}},
        {{SELECTOR_NONE, SELECTOR_WRITE}, {false, true, true}},
        {{SELECTOR_READ, SELECTOR_WRITE}, {true, true, true}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct selector *selector = selector_create(SELECTOR_ALL);
        struct selector_watch watches[2] = {{.kind = 0}};

        for (int k = 0; k < 2; k++)
            assert_true(
                selector_add(selector, &watches[k], (os_socket)(k + 1), cases[i].interest[k]));
        assert_true(selector_wait(selector, 0));
        assert_memory_equal(seen.given, cases[i].given, sizeof seen.given);
        assert_false(seen.empty);
        /* What select() has left in a set is ready; a set that was not given is not looked at. */
        size_t ready = 0;

        while (selector_next(selector) != NULL)
            ready++;
        assert_int_equal(ready, (cases[i].interest[0] != 0) + (cases[i].interest[1] != 0));
        selector_destroy(selector);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_empty_set_is_given),
    };

    return cmocka_run_group_tests_name("selector on Windows", tests, NULL, NULL);
}
