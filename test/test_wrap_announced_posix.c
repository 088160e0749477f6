/* Tests of announced sockets against what the system does with signals, and may refuse. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include "selector_private.h"
#include "support.h"
#include "test.h"

#ifdef __linux__
#include <sys/signalfd.h>

enum { PAIRS = 200 };

static struct selector *selector;
static struct selector_watch watches[PAIRS];
static os_socket pairs[PAIRS][2];
static int64_t offset; /* of the clock */
static bool refused;   /* signalfd() is */
static bool unarmed;   /* so is to arm a socket */
static bool shortage;  /* of the kernel's memory, at the next select() */

__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;
__typeof__(signalfd) __wrap_signalfd, __real_signalfd;
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request; /* as POSIX has it, and musl */
#endif
__typeof__(ioctl) __wrap_ioctl, __real_ioctl;
__typeof__(select) __wrap_select, __real_select;

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + offset;
}

int __wrap_signalfd(int descriptor, const sigset_t *signals, int flags)
{
    if (!refused)
        return __real_signalfd(descriptor, signals, flags);
    errno = ENOSYS;
    return -1;
}

int __wrap_ioctl(int descriptor, ioctl_request request, ...)
{
    va_list arguments;

    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!unarmed || request != FIOASYNC)
        return __real_ioctl(descriptor, request, argument);
    errno = ENOMEM;
    return -1;
}

int __wrap_select(int count, fd_set *reading, fd_set *writing, fd_set *failed,
                  struct timeval *timeout)
{
    if (!shortage)
        return __real_select(count, reading, writing, failed, timeout);
    shortage = false;
    errno = ENOMEM;
    return -1;
}

static void open_pairs(void)
{
    selector = selector_create(SELECTOR_ANNOUNCED);
    assert_non_null(selector);
    for (int i = 0; i < PAIRS; i++) {
        support_pair(pairs[i]);
        watches[i] = (struct selector_watch){.kind = 0};
        assert_true(selector_add(selector, &watches[i], pairs[i][0], SELECTOR_READ));
    }
}

static void close_pairs(void)
{
    for (int i = 0; i < PAIRS; i++) {
        selector_remove(selector, &watches[i]);
        net_close(pairs[i][0]);
        net_close(pairs[i][1]);
    }
    selector_destroy(selector);
}

static void let_time_pass(void)
{
    for (int i = 0; i < 4; i++) {
        offset += 200000000;
        assert_true(selector_wait(selector, 0));
    }
}

/* Sends to each `step`th, and expects it to be found, and no other. */
static void send_and_find(int step)
{
    int64_t end = __real_os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
    int missing = 0;

    for (int i = 0; i < PAIRS; i += step, missing++)
        support_send(pairs[i][1], "x", 1);
    while (missing > 0) {
        struct selector_watch *watch;

        assert_true(__real_os_nanoseconds() < end);
        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        while ((watch = selector_next(selector)) != NULL) {
            assert_int_equal((watch - watches) % step, 0);
            support_expect_text(watch->socket, "x");
            missing--;
        }
    }
}

/* Whatever the most is that may be queued: then a signal without a name comes. */
static void a_full_queue_hides_nobody(void **state)
{
    struct rlimit before, few;

    (void)state;
    getrlimit(RLIMIT_SIGPENDING, &before);
    open_pairs();
    for (rlim_t limit = 0; limit <= 10; limit += 5) {
        few = (struct rlimit){limit, before.rlim_max};
        setrlimit(RLIMIT_SIGPENDING, &few);
        for (int step = 1; step <= PAIRS; step *= 3) {
            let_time_pass();
            send_and_find(step);
        }
    }
    setrlimit(RLIMIT_SIGPENDING, &before);
    let_time_pass();
    send_and_find(7);
    close_pairs();
}

/* A signal is blocked for the announcements, but not for a program that this one starts. */
static void a_child_gets_its_signals(void **state)
{
    sigset_t blocked;
    int status;

    (void)state;
    selector = selector_create(SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(selector), SELECTOR_ANNOUNCED);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    assert_true(sigismember(&blocked, selector->announcements.signal));
    assert_true(sigismember(&blocked, SIGIO));
    pid_t child = fork();

    if (child == 0) {
        sigprocmask(SIG_BLOCK, NULL, &blocked);
        bool any = sigismember(&blocked, selector->announcements.signal) == 1 ||
                   sigismember(&blocked, SIGIO) == 1;

        _exit(any ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    selector_destroy(selector);
}

static void taken(int number)
{
    (void)number;
}

static void a_signal_that_is_in_use_is_left_alone(void **state)
{
    (void)state;
    signal(SIGRTMIN, taken);
    signal(SIGRTMIN + 1, SIG_IGN);
    selector = selector_create(SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(selector), SELECTOR_ANNOUNCED);
    assert_int_equal(selector->announcements.signal, SIGRTMIN + 2);
    selector_destroy(selector);
    signal(SIGRTMIN, SIG_DFL);
    signal(SIGRTMIN + 1, SIG_DFL);
}

/* The system queues announcements for the process, so they are for one selector at a time. */
static void a_second_selector_polls(void **state)
{
    struct selector *second;

    (void)state;
    open_pairs();
    second = selector_create(SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(selector), SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(second), SELECTOR_POLLED);
    selector_destroy(second);
    let_time_pass();
    send_and_find(7);
    close_pairs();
    second = selector_create(SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(second), SELECTOR_ANNOUNCED);
    selector_destroy(second);
}

static void names_that_a_selector_has_left_do_not_mislead_the_next(void **state)
{
    (void)state;
    open_pairs();
    let_time_pass();
    send_and_find(7);
    let_time_pass();
    support_send(pairs[3][1], "x", 1);
    close_pairs();
    selector = selector_create(SELECTOR_ANNOUNCED);
    assert_int_equal(selector_way(selector), SELECTOR_ANNOUNCED);
    selector_destroy(selector);
}

/* What was announced is announced once: a select() that fails before it polls must not lose it. */
static void a_shortage_of_memory_loses_no_announcement(void **state)
{
    (void)state;
    open_pairs();
    let_time_pass();
    support_send(pairs[3][1], "x", 1);
    assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
    assert_null(selector_next(selector));
    shortage = true;
    assert_true(selector_wait(selector, 0));
    assert_null(selector_next(selector));
    assert_true(selector_wait(selector, 0));
    assert_ptr_equal(selector_next(selector), &watches[3]);
    close_pairs();
}

/* Each arrival is announced, though one name would do: they must not hold up the last one. */
static void many_announcements_hold_up_no_socket(void **state)
{
    enum { EACH = 20, LAST = PAIRS - 1 };
    int waits = 0;

    (void)state;
    open_pairs();
    let_time_pass();
    for (int i = 0; i < EACH * LAST; i++)
        support_send(pairs[i % LAST][1], "x", 1);
    support_send(pairs[LAST][1], "x", 1);
    for (bool found = false; !found; waits++) {
        struct selector_watch *watch;

        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        while ((watch = selector_next(selector)) != NULL)
            found |= watch == &watches[LAST];
    }
    assert_int_in_range(waits, 1, 4);
    close_pairs();
}

/* Where it cannot be armed, a socket stays hot, and costs nothing while nothing happens. */
static void a_socket_that_cannot_be_armed_stays_hot(void **state)
{
    int64_t deadline;

    (void)state;
    open_pairs();
    unarmed = true;
    let_time_pass();
    unarmed = false;
    assert_int_equal(selector->hot, selector->count);
    deadline = os_nanoseconds() + MILLISECONDS(200);
    assert_true(selector_wait(selector, deadline));
    assert_true(os_nanoseconds() >= deadline - MILLISECONDS(10));
    send_and_find(7);
    close_pairs();
}

/* As in some sandboxes, and where no signal is left. */
static void where_the_system_refuses_cold_sockets_are_polled(void **state)
{
    (void)state;
    refused = true;
    open_pairs();
    refused = false;
    assert_int_equal(selector_way(selector), SELECTOR_POLLED);
    let_time_pass();
    send_and_find(7);
    close_pairs();
    signal(SIGIO, taken);
    open_pairs();
    assert_int_equal(selector_way(selector), SELECTOR_POLLED);
    close_pairs();
    signal(SIGIO, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_hides_nobody),
        cmocka_unit_test(a_child_gets_its_signals),
        cmocka_unit_test(a_signal_that_is_in_use_is_left_alone),
        cmocka_unit_test(a_second_selector_polls),
        cmocka_unit_test(names_that_a_selector_has_left_do_not_mislead_the_next),
        cmocka_unit_test(a_shortage_of_memory_loses_no_announcement),
        cmocka_unit_test(many_announcements_hold_up_no_socket),
        cmocka_unit_test(a_socket_that_cannot_be_armed_stays_hot),
        cmocka_unit_test(where_the_system_refuses_cold_sockets_are_polled),
    };

    return cmocka_run_group_tests_name("announced", tests, support_setup, support_teardown);
}
#else
static void elsewhere_cold_sockets_are_polled(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ANNOUNCED);

    (void)state;
    assert_int_equal(selector_way(selector), SELECTOR_POLLED);
    selector_destroy(selector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elsewhere_cold_sockets_are_polled),
    };

    return cmocka_run_group_tests_name("announced", tests, support_setup, support_teardown);
}
#endif
