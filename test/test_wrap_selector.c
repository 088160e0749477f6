/*
 * Unit tests of common/selector's choice of the sockets to wait for, with a fake system: which ones
 * are ready, what a poll costs, and the clock are the test's.
 */
#include "selector.h"

#include <stdlib.h>
#include <string.h>

#include "selector_private.h"
#include "support.h"
#include "test.h"

enum {
    FEW = 64, /* as the selector has it */
    MANY = 1000,
    BUSY = 10,
    COST_FIXED = 2000, /* nanoseconds of a wait that finds something, */
    COST_EACH = 1000,  /* and, at first, for each socket that it polls */
    POLL_ALL = COST_FIXED + COST_EACH * MANY,
    LOG = 8
};

/* All zero is a system in which nothing is ready. */
static struct {
    int64_t now;
    bool ready[MANY]; /* by socket */
    int64_t wakes_at; /* when `sleeper` becomes ready; 0: never */
    size_t sleeper;
    bool fails;
    int64_t cost_each;
    bool oversleeps;     /* by a thousandth of the time-out, as Linux does */
    int64_t tick;        /* of the timer, at which every wait ends; 0: it does not tick */
    bool precise;        /* the selector knows about the tick */
    int64_t delay;       /* nanoseconds by which the next wait takes longer */
    unsigned waits;      /* so far */
    unsigned full_polls; /* those that polled all */
    unsigned slices;     /* those that polled cold sockets, without waiting */
    int64_t polled_for;  /* nanoseconds spent on cold sockets, without waiting */
    size_t counts[LOG];  /* the sockets that the last waits were for, the newest first */
    int64_t timeouts[LOG];
} world;

static struct selector *selector;
static struct selector_watch watches[MANY];
static bool found[MANY];

__typeof__(os_nanoseconds) __wrap_os_nanoseconds;
__typeof__(os_tick) __wrap_os_tick;
__typeof__(selector_sets_wait) __wrap_selector_sets_wait;
__typeof__(selector_sets_add) __wrap_selector_sets_add;
__typeof__(selector_sets_remove) __wrap_selector_sets_remove;
__typeof__(selector_sets_change) __wrap_selector_sets_change;

int64_t __wrap_os_nanoseconds(void)
{
    return world.now;
}

int64_t __wrap_os_tick(void)
{
    return world.precise ? world.tick : 0;
}

bool __wrap_selector_sets_add(struct selector_sets *sets, struct selector_watch *watch,
                              size_t count)
{
    (void)sets;
    (void)watch;
    (void)count;
    return true;
}

void __wrap_selector_sets_remove(struct selector_sets *sets, const struct selector_watch *watch)
{
    (void)sets;
    (void)watch;
}

void __wrap_selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                                 uint8_t interest)
{
    (void)sets;
    (void)watch;
    (void)interest;
}

static size_t find(struct selector *waiting, size_t from, size_t to)
{
    size_t ready = 0;

    if (world.wakes_at > 0 && world.now >= world.wakes_at)
        world.ready[world.sleeper] = true;
    for (size_t i = 0; i < to; i++) {
        struct selector_watch *watch = waiting->watches[i];

        if ((i < waiting->hot || i >= from) && world.ready[watch - watches]) {
            selector_mark_ready(waiting, watch, SELECTOR_READ);
            ready++;
        }
    }
    return ready;
}

static void write_down(size_t count, size_t others, int64_t timeout)
{
    for (size_t i = LOG - 1; i > 0; i--) {
        world.counts[i] = world.counts[i - 1];
        world.timeouts[i] = world.timeouts[i - 1];
    }
    world.counts[0] = count;
    world.timeouts[0] = timeout;
    world.waits++;
    world.full_polls += count == selector->count;
    world.slices += others > 0 && timeout == 0;
}

bool __wrap_selector_sets_wait(struct selector *waiting, size_t from, size_t to, int64_t timeout)
{
    size_t count = waiting->hot + to - from;
    int64_t cost = COST_FIXED + world.cost_each * (int64_t)count + world.delay;

    assert_true(waiting->hot <= from && from <= to && to <= waiting->count);
    write_down(count, to - from, timeout);
    world.delay = 0;
    world.now += cost;
    world.polled_for += to > from ? COST_FIXED + world.cost_each * (int64_t)(to - from) : 0;
    if (world.fails)
        return false;
    if (find(waiting, from, to) > 0)
        return true;
    /* Nothing: time goes by until the sleeper wakes up, or it is over. */
    int64_t over = timeout < 0 ? INT64_MAX : world.now + timeout;

    if (world.oversleeps && timeout > 0)
        over += timeout / 1000;
    if (world.tick > 0 && timeout > 0)
        over += world.tick - over % world.tick;

    assert_true(timeout >= 0 || (world.wakes_at > 0 && count == waiting->count));
    if (world.wakes_at > world.now && world.wakes_at < over) {
        world.now = world.wakes_at;
        find(waiting, from, to);
    } else if (over != INT64_MAX) {
        world.now = over;
    }
    return true;
}

/* Waits once, for at most `timeout` nanoseconds, or for ever if it is negative. Marks the watches
 * that are returned in found[], and returns their number. */
static size_t wait_once(int64_t timeout)
{
    struct selector_watch *watch;
    size_t count = 0;

    for (size_t i = 0; i < MANY; i++)
        found[i] = false;
    int64_t deadline = timeout < 0 ? DEADLINE_NEVER : timeout == 0 ? 0 : world.now + timeout;

    assert_true(selector_wait(selector, deadline));
    for (; (watch = selector_next(selector)) != NULL; count++)
        found[watch - watches] = true;
    assert_true(selector->hot <= selector->count);
    for (size_t i = 0; i < selector->count; i++)
        assert_int_equal(selector->watches[i]->index, i);
    return count;
}

/* Watches so many in all. */
static void watch_all(size_t count)
{
    for (size_t i = selector->count; i < count; i++)
        assert_true(selector_add(selector, &watches[i], (os_socket)i, SELECTOR_READ));
}

/* Waits until select() is given the busy sockets alone, but for polls of the others. */
static void become_steady(void)
{
    bool alone = false;

    for (int i = 0; i < 1000; i++)
        wait_once(-1);
    for (int i = 0; i < LOG; i++)
        alone |= world.counts[i] == BUSY;
    assert_true(alone);
}

static void make_busy(size_t count)
{
    for (size_t i = 0; i < count; i++)
        world.ready[i * (MANY / count)] = true;
}

/* Watches many sockets, of which a few are busy and the others cold. */
static void watch_busy_and_idle(void)
{
    watch_all(MANY);
    make_busy(BUSY);
    become_steady();
}

static int begin(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.now = SECONDS(1);
    world.cost_each = COST_EACH;
    memset(watches, 0, sizeof watches);
    selector = selector_create(SELECTOR_POLLED);
    return selector == NULL;
}

static int end(void **state)
{
    (void)state;
    selector_destroy(selector);
    return 0;
}

static void a_few_are_always_waited_for_together(void **state)
{
    (void)state;
    watch_all(FEW);
    for (int i = 0; i < 100; i++) {
        world.ready[7] = i % 2 == 0;
        assert_int_equal(wait_once(1234000), world.ready[7]);
        assert_int_equal(world.counts[0], FEW);
        assert_int_equal(world.timeouts[0], 1234000);
    }
    assert_int_equal(world.waits, 100);
}

/* However long it takes, and though select() comes late in proportion. */
static void a_wait_until_a_time_ends_on_time(void **state)
{
    static const int64_t times[] = {
        1000,       10000,       MILLISECONDS(1), MILLISECONDS(2), MILLISECONDS(10),
        SECONDS(1), SECONDS(10), SECONDS(600),    SECONDS(86400)};

    (void)state;
    watch_all(1);
    world.oversleeps = true;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t until = world.now + times[i];
        unsigned waits = world.waits;

        while (world.now < until)
            assert_true(selector_wait(selector, until));
        assert_true(world.now - until < 10000);
        assert_int_in_range(world.waits - waits, 1, 5);
    }
}

/* Where the timer ticks, the last tick is not slept through. */
static void a_tick_is_not_slept_through(void **state)
{
    static const int64_t times[] = {1000, 10000, 999000, 1001000, MILLISECONDS(5), SECONDS(1)};

    (void)state;
    watch_all(1);
    world.tick = MILLISECONDS(1);
    world.precise = true;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t until = world.now + times[i];

        while (world.now < until)
            assert_true(selector_wait(selector, until));
        assert_true(world.now - until < 10000);
    }
}

static void the_busy_are_waited_for_alone(void **state)
{
    (void)state;
    watch_busy_and_idle();
    world.polled_for = 0;
    int64_t began = world.now;

    for (int i = 0; i < 10000; i++)
        assert_int_equal(wait_once(-1), BUSY);
    /* About a sixteenth of the time goes into polls of the others, a part of them at once. */
    assert_int_in_range(world.polled_for, (world.now - began) / 32, (world.now - began) / 14);
    assert_int_in_range(world.full_polls, 0, 20);
}

static void where_most_are_busy_nobody_is_left_out(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(MANY - 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wait_once(-1), MANY - 1);
    assert_int_equal(world.full_polls, world.waits);
    assert_int_equal(world.waits, 1000);
}

static void when_most_fall_silent_the_rest_are_waited_for_alone(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(MANY);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wait_once(-1), MANY);
    memset(world.ready, 0, sizeof world.ready);
    make_busy(BUSY);
    become_steady();
}

/* Sockets that were busy, then idle, and are busy again may pause for as long as a poll of all
 * takes without losing their precedence. */
static void a_short_pause_is_not_the_end(void **state)
{
    (void)state;
    watch_busy_and_idle();
    memset(world.ready, 0, sizeof world.ready);
    world.sleeper = 0;
    world.wakes_at = world.now + SECONDS(1);
    while (wait_once(-1) == 0)
        continue;
    for (int i = 0; i < 100; i++)
        assert_int_equal(wait_once(-1), 1);
    memset(world.ready, 0, sizeof world.ready);
    world.wakes_at = world.now + POLL_ALL / 2;
    unsigned full_polls = world.full_polls;

    while (wait_once(-1) == 0)
        continue;
    assert_int_equal(world.full_polls, full_polls);
}

/* It waits for at most as long as twenty polls of all take. */
static void one_that_wakes_up_is_found_beside_the_busy(void **state)
{
    (void)state;
    watch_busy_and_idle();
    for (size_t i = 1; i <= 50; i++) {
        world.sleeper = i;
        world.wakes_at = world.now + 1;
        while (wait_once(-1), !found[i])
            assert_true(found[0]);
        assert_true(world.now - world.wakes_at <= 20 * (int64_t)POLL_ALL);
        world.ready[i] = false;
        world.wakes_at = 0;
    }
}

/* A listener is served at once while others are busy, however long it has been idle. */
static void one_that_is_always_waited_for_is_found_at_once(void **state)
{
    enum { ALWAYS = 1 };

    (void)state;
    watches[ALWAYS].always = true;
    watch_all(MANY);
    make_busy(BUSY);
    for (int i = 0; i < 1000; i++)
        wait_once(-1);
    for (int i = 0; i < 100; i++) {
        for (int quiet = 0; quiet < 100; quiet++)
            assert_int_equal(wait_once(-1), BUSY);
        world.ready[ALWAYS] = true;
        wait_once(-1);
        assert_true(found[ALWAYS]);
        world.ready[ALWAYS] = false;
    }
}

/* A socket that wakes up while none is busy is found by the first select() for all. */
static void with_nobody_busy_each_is_found_at_once(void **state)
{
    (void)state;
    watch_all(MANY);
    for (int i = 0; i < 10; i++) /* a new socket is hot */
        assert_int_equal(wait_once(0), 0);
    unsigned before = world.waits;

    for (size_t i = 0; i < MANY; i++) {
        world.ready[world.sleeper] = false;
        world.sleeper = i * 7 % MANY;
        world.wakes_at = world.now + POLL_ALL / 2;
        unsigned waits = world.waits;

        assert_int_equal(wait_once(-1), 1);
        assert_true(found[world.sleeper]);
        assert_int_equal(world.counts[0], MANY);
        assert_int_in_range(world.waits - waits, 1, 2);
    }
    assert_int_in_range(world.waits - before, MANY, MANY + MANY / 16 + 1); /* those that measure */
}

/* After a pause all cold sockets are due, even those that were polled just before it. */
static void after_a_pause_all_are_polled(void **state)
{
    (void)state;
    watch_busy_and_idle();
    for (size_t i = 1; i < MANY; i++) {
        if (world.ready[i])
            continue; /* a busy one */
        wait_once(-1);
        world.ready[i] = true;
        world.now += SECONDS(1);
        wait_once(-1);
        assert_true(found[i]);
        world.ready[i] = false;
    }
}

/* The cost of a poll of all may fall below the time for which the hot sockets have been idle. */
static void a_poll_may_become_cheaper(void **state)
{
    (void)state;
    watch_busy_and_idle();
    memset(world.ready, 0, sizeof world.ready);
    world.sleeper = 555;
    world.wakes_at = world.now + SECONDS(1);
    int64_t began = world.now;

    while (world.now - began < POLL_ALL / 2)
        assert_int_equal(wait_once(100000), 0);
    world.cost_each = COST_EACH / 100;
    world.now += POLL_ALL * 8; /* some are due */
    while (wait_once(-1) == 0)
        continue;
    assert_true(found[555]);
    assert_true(world.now < world.wakes_at + POLL_ALL);
}

/* A socket that is ready again before all could be polled is busy, even if it is the only one. */
static void one_in_a_conversation_is_waited_for_alone(void **state)
{
    enum { ANSWERS_IN = POLL_ALL / 2, SOME = 10, MESSAGES = 1000 };
    unsigned full_polls = 0, slices = 0;

    (void)state;
    watch_all(FEW + 1);
    wait_once(0);
    /* The cost of a poll of all has changed since it was measured, but it is measured again. */
    watch_all(MANY);
    world.sleeper = 123;
    for (int i = 0; i < MESSAGES; i++) {
        world.ready[world.sleeper] = false;
        if (i == MESSAGES / 2) {
            assert_int_in_range(world.full_polls, 1, MESSAGES / 2 / 5);
            /* After a pause it is known at once. */
            world.now += SECONDS(1);
            world.wakes_at = 0;
            assert_int_equal(wait_once(1000), 0);
            full_polls = world.full_polls;
            slices = world.slices;
        }
        if (i == MESSAGES / 2 + SOME)
            assert_int_in_range(world.full_polls - full_polls, 0, SOME / 2);
        world.wakes_at = world.now + ANSWERS_IN;
        while (wait_once(-1) == 0)
            ;
        assert_true(found[world.sleeper]);
    }
    assert_int_in_range(world.full_polls - full_polls, 0, MESSAGES / 2 / 10);
    assert_int_in_range(world.slices - slices, MESSAGES / 2 / 20, MESSAGES / 2 / 2);
}

/* While no socket is busy, one select() waits for all, for as long as it takes. */
static void nothing_is_polled_over_and_over(void **state)
{
    (void)state;
    watch_busy_and_idle();
    memset(world.ready, 0, sizeof world.ready);
    world.sleeper = 555;
    world.wakes_at = world.now + SECONDS(3600);
    unsigned before = world.waits;
    int64_t began = world.now;

    /* For as long as a poll of all would take, the busy ones may have only paused. */
    assert_int_equal(wait_once(-1), 0);
    assert_int_equal(world.counts[0], BUSY);
    assert_true(world.now - began <= 2 * (int64_t)POLL_ALL);
    while (wait_once(-1) == 0)
        ;
    assert_true(found[555]);
    assert_true(world.waits - before <= 4);
    assert_int_equal(world.counts[0], MANY);
    assert_int_equal(world.timeouts[0], -1);
    assert_true(world.now >= world.wakes_at && world.now < world.wakes_at + SECONDS(1));
    /* One message now and then costs one poll of all, not two; but now and then it is measured. */
    unsigned full_polls = world.full_polls;

    for (int i = 0; i < 32; i++) {
        world.ready[555] = false;
        world.wakes_at = world.now + SECONDS(1);
        assert_int_equal(wait_once(-1), 1);
    }
    assert_int_in_range(world.full_polls - full_polls, 32, 32 + 3);
}

static void a_time_limit_is_kept(void **state)
{
    (void)state;
    watch_busy_and_idle();
    memset(world.ready, 0, sizeof world.ready);
    assert_int_equal(wait_once(7000), 0);
    assert_int_equal(world.timeouts[0], 7000);
    for (int i = 0; i < 100; i++) {
        int64_t limit = i * 10000;
        int64_t began = world.now;

        assert_int_equal(wait_once(limit), 0);
        /* The polls themselves come on top. */
        assert_true(world.now - began <= limit + 2 * (COST_FIXED + COST_EACH * (int64_t)MANY));
    }
    assert_int_equal(wait_once(0), 0);
    assert_int_equal(world.timeouts[0], 0);
    /* No socket is hot any more: all are waited for together. */
    assert_int_equal(wait_once(1000), 0);
    assert_int_equal(world.counts[0], MANY);
}

/* How long a sleeper beside busy sockets waits until it is found, in nanoseconds. */
static int64_t time_to_find(size_t sleeper)
{
    int64_t woke = world.now;

    world.ready[sleeper] = true;
    do
        wait_once(-1);
    while (!found[sleeper]);
    world.ready[sleeper] = false;
    return world.now - woke;
}

/* A poll that is slow once, because the system ran something else for a second, does not keep the
 * others waiting for sixteen seconds. */
static void one_slow_poll_is_not_believed(void **state)
{
    (void)state;
    watch_busy_and_idle();
    unsigned slices = world.slices;

    while (world.slices == slices) {
        world.delay = SECONDS(1);
        wait_once(-1);
    }
    world.delay = 0;
    /* The estimate doubles at most, and is right again after the next polls. */
    assert_true(time_to_find(1) <= 40 * (int64_t)POLL_ALL);
    for (int i = 0; i < 5000; i++)
        wait_once(-1);
    assert_true(time_to_find(2) <= 20 * (int64_t)POLL_ALL);
}

static void a_failure_is_reported(void **state)
{
    (void)state;
    watch_all(MANY);
    world.fails = true;
    assert_false(selector_wait(selector, DEADLINE_NEVER));
    world.fails = false;
    make_busy(BUSY);
    become_steady();
    world.fails = true;
    assert_false(selector_wait(selector, DEADLINE_NEVER));
}

/* Watches are added and removed at random: each is returned while it is watched, and never after.
 */
static void watches_come_and_go(void **state)
{
    enum { ROUNDS = 20000 };
    uint16_t numbers[2];
    char *random = support_random_bytes(ROUNDS * sizeof numbers, 1);
    bool there[MANY] = {false};

    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        memcpy(numbers, random + round * sizeof numbers, sizeof numbers);
        size_t i = numbers[0] % MANY;

        if (there[i])
            selector_remove(selector, &watches[i]);
        else
            assert_true(selector_add(selector, &watches[i], (os_socket)i, SELECTOR_READ));
        there[i] = !there[i];
        world.ready[numbers[1] % MANY] ^= true;
        if (round % 10 != 0) {
            assert_true(selector->hot <= selector->count);
            continue;
        }
        wait_once(0);
        for (size_t k = 0; k < MANY; k++)
            assert_true(!found[k] || (there[k] && world.ready[k]));
    }
    free(random);
    world.now += SECONDS(1);
    wait_once(0);
    for (size_t k = 0; k < MANY; k++)
        assert_int_equal(found[k], there[k] && world.ready[k]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_few_are_always_waited_for_together),
        TEST(a_wait_until_a_time_ends_on_time),
        TEST(a_tick_is_not_slept_through),
        TEST(the_busy_are_waited_for_alone),
        TEST(where_most_are_busy_nobody_is_left_out),
        TEST(when_most_fall_silent_the_rest_are_waited_for_alone),
        TEST(a_short_pause_is_not_the_end),
        TEST(one_that_wakes_up_is_found_beside_the_busy),
        TEST(one_that_is_always_waited_for_is_found_at_once),
        TEST(with_nobody_busy_each_is_found_at_once),
        TEST(after_a_pause_all_are_polled),
        TEST(a_poll_may_become_cheaper),
        TEST(one_in_a_conversation_is_waited_for_alone),
        TEST(nothing_is_polled_over_and_over),
        TEST(a_time_limit_is_kept),
        TEST(one_slow_poll_is_not_believed),
        TEST(a_failure_is_reported),
        TEST(watches_come_and_go),
    };

    return cmocka_run_group_tests_name("selector, among many", tests, NULL, NULL);
}
