/*
 * Unit tests of common/selector's choice of whom to wait for, with a system of the test's own: who
 * is ready, what a look at so many sockets costs, and the clock are all its.
 */
#include "selector.h"

#include <stdlib.h>
#include <string.h>

#include "selector_sets.h"
#include "support.h"
#include "test.h"

enum {
    FEW = 64, /* as the selector has it */
    MANY = 1000,
    BUSY = 10,
    COST_FIXED = 2000, /* nanoseconds of a wait that finds something, */
    COST_EACH = 100,   /* and for each socket that it looks at */
    LOOK = COST_FIXED + COST_EACH * MANY,
    LOG = 8
};

static const int64_t SECOND = 1000000000;

/* All zero is a system in which nothing is ready. */
static struct {
    int64_t now;
    bool ready[MANY]; /* by socket */
    int64_t wakes_at; /* when `sleeper` becomes ready; 0: never */
    size_t sleeper;
    bool fails;
    int64_t delay;      /* nanoseconds that the next wait takes longer */
    unsigned waits;     /* so far */
    unsigned looks;     /* those that looked at all */
    int64_t looked_for; /* nanoseconds spent on these without waiting */
    size_t counts[LOG]; /* what the last waits were for, the newest first */
    int64_t timeouts[LOG];
} world;

static struct selector *selector;
static struct selector_watch watches[MANY];
static bool found[MANY];

int64_t __wrap_os_nanoseconds(void);
bool __wrap_selector_sets_wait(struct selector *waiting, size_t count, int64_t timeout);
bool __wrap_selector_sets_reserve(struct selector_sets *sets, os_socket socket, size_t count);
void __wrap_selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                                 uint8_t interest);

int64_t __wrap_os_nanoseconds(void)
{
    return world.now;
}

bool __wrap_selector_sets_reserve(struct selector_sets *sets, os_socket socket, size_t count)
{
    (void)sets;
    (void)socket;
    (void)count;
    return true;
}

void __wrap_selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                                 uint8_t interest)
{
    (void)sets;
    (void)watch;
    (void)interest;
}

static size_t find(struct selector *waiting, size_t count)
{
    size_t ready = 0;

    if (world.wakes_at > 0 && world.now >= world.wakes_at)
        world.ready[world.sleeper] = true;
    for (size_t i = 0; i < count; i++) {
        struct selector_watch *watch = waiting->watches[i];

        if (world.ready[watch - watches]) {
            selector_found(waiting, watch, SELECTOR_READ);
            ready++;
        }
    }
    return ready;
}

static void write_down(size_t count, int64_t timeout)
{
    for (size_t i = LOG - 1; i > 0; i--) {
        world.counts[i] = world.counts[i - 1];
        world.timeouts[i] = world.timeouts[i - 1];
    }
    world.counts[0] = count;
    world.timeouts[0] = timeout;
    world.waits++;
    world.looks += count == selector->count;
}

bool __wrap_selector_sets_wait(struct selector *waiting, size_t count, int64_t timeout)
{
    int64_t cost = COST_FIXED + COST_EACH * (int64_t)count + world.delay;

    write_down(count, timeout);
    world.delay = 0;
    world.now += cost;
    world.looked_for += count == waiting->count ? cost : 0;
    if (world.fails)
        return false;
    if (find(waiting, count) > 0)
        return true;
    /* Nothing: time goes by until the sleeper wakes up, or it is over. */
    int64_t over = timeout < 0 ? INT64_MAX : world.now + timeout * 1000;

    assert_true(timeout >= 0 || world.wakes_at > 0);
    if (world.wakes_at > world.now && world.wakes_at < over) {
        world.now = world.wakes_at;
        find(waiting, count);
    } else if (over != INT64_MAX) {
        world.now = over;
    }
    return true;
}

/* One wait; notes who was given out, and returns how many. */
static size_t wait_once(int64_t timeout)
{
    struct selector_watch *watch;
    size_t count = 0;

    for (size_t i = 0; i < MANY; i++)
        found[i] = false;
    assert_true(selector_wait(selector, timeout));
    for (; (watch = selector_next(selector)) != NULL; count++)
        found[watch - watches] = true;
    assert_true(selector->recent <= selector->count);
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

/* Waits until it is a settled matter which ones are busy. */
static void settle(void)
{
    for (int i = 0; i < 1000; i++)
        wait_once(-1);
    assert_int_equal(selector->recent, BUSY);
}

static void make_busy(size_t count)
{
    for (size_t i = 0; i < count; i++)
        world.ready[i * (MANY / count)] = true;
}

static int begin(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.now = SECOND;
    memset(watches, 0, sizeof watches);
    selector = selector_create();
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
        assert_int_equal(wait_once(1234), world.ready[7]);
        assert_int_equal(world.counts[0], FEW);
        assert_int_equal(world.timeouts[0], 1234);
    }
    assert_int_equal(world.waits, 100);
}

static void the_busy_are_waited_for_alone(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(BUSY);
    settle();
    world.looked_for = 0;
    int64_t began = world.now;

    for (int i = 0; i < 10000; i++)
        assert_int_equal(wait_once(-1), BUSY);
    /* A twentieth of the time besides it, since the looks find nobody else. */
    assert_true(world.looked_for > 0);
    assert_true(world.looked_for * 20 <= world.now - began);
}

static void where_most_are_busy_nobody_is_left_out(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(MANY - 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wait_once(-1), MANY - 1);
    assert_int_equal(world.looks, world.waits);
    assert_int_equal(world.waits, 1000);
}

/* It need not wait for more than the twenty looks that the others are alone for; and where others
 * wake up again and again, for four. */
static void one_that_wakes_up_is_found_beside_the_busy(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(BUSY);
    settle();
    assert_true(selector->look_due - world.now <= 20 * (int64_t)LOOK);
    for (size_t i = 1; i <= 50; i++) {
        world.sleeper = i;
        world.wakes_at = world.now + 1;
        while (wait_once(-1), !found[i])
            assert_true(found[0]);
        assert_true(world.now - world.wakes_at <= (i > 5 ? 6 : 22) * LOOK);
        world.ready[i] = false;
        world.wakes_at = 0;
    }
}

/* One that answers faster than all can be looked at is busy, even if it is alone. */
static void one_in_a_conversation_is_waited_for_alone(void **state)
{
    enum { ANSWERS_IN = LOOK / 2, SOME = 10, MESSAGES = 1000 };
    unsigned looks = 0;

    (void)state;
    watch_all(FEW + 1);
    wait_once(0);
    /* What a look costs has changed since it was measured, but it is measured again. */
    watch_all(MANY);
    world.sleeper = 123;
    for (int i = 0; i < MESSAGES; i++) {
        world.ready[world.sleeper] = false;
        if (i == MESSAGES / 2) {
            assert_in_range(world.looks, 1, MESSAGES / 2 / 5);
            /* After a pause it is known at once. */
            world.now += SECOND;
            world.wakes_at = 0;
            assert_int_equal(wait_once(1), 0);
            looks = world.looks;
        }
        if (i == MESSAGES / 2 + SOME)
            assert_in_range(world.looks - looks, 1, SOME / 2);
        world.wakes_at = world.now + ANSWERS_IN;
        while (wait_once(-1) == 0)
            ;
        assert_true(found[world.sleeper]);
    }
    assert_in_range(world.looks - looks, 1, MESSAGES / 2 / 10);
}

/* With nobody busy the wait is for all, once, and as long as it takes. */
static void nothing_is_looked_at_over_and_over(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(BUSY);
    settle();
    memset(world.ready, 0, sizeof world.ready);
    world.sleeper = 555;
    world.wakes_at = world.now + 3600 * SECOND;
    unsigned before = world.waits;
    int64_t began = world.now;

    /* For as long as a look would take, the busy ones may have only paused. */
    assert_int_equal(wait_once(-1), 0);
    assert_int_equal(world.counts[0], BUSY);
    assert_true(world.now - began <= 2 * (int64_t)LOOK);
    while (wait_once(-1) == 0)
        ;
    assert_true(found[555]);
    assert_true(world.waits - before <= 4);
    assert_int_equal(world.counts[0], MANY);
    assert_int_equal(world.timeouts[0], -1);
    assert_true(world.now >= world.wakes_at && world.now < world.wakes_at + SECOND);
    /* One message now and then costs one look at all, not two; but now and then it is measured. */
    unsigned looks = world.looks;

    for (int i = 0; i < 32; i++) {
        world.ready[555] = false;
        world.wakes_at = world.now + SECOND;
        assert_int_equal(wait_once(-1), 1);
    }
    assert_in_range(world.looks - looks, 32, 32 + 3);
}

static void a_time_limit_is_kept(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(BUSY);
    settle();
    memset(world.ready, 0, sizeof world.ready);
    assert_int_equal(wait_once(7), 0);
    assert_int_equal(world.timeouts[0], 7);
    for (int i = 0; i < 100; i++) {
        int64_t limit = i * 10;
        int64_t began = world.now;

        assert_int_equal(wait_once(limit), 0);
        /* The looks themselves come on top. */
        assert_true(world.now - began <=
                    limit * 1000 + 2 * (COST_FIXED + COST_EACH * (int64_t)MANY));
    }
    assert_int_equal(wait_once(0), 0);
    assert_int_equal(world.timeouts[0], 0);
    /* Nobody is recent any more: there is nobody to wait for alone. */
    assert_int_equal(wait_once(1), 0);
    assert_int_equal(world.counts[0], MANY);
}

/* A look during which the system ran something else for a second does not keep the others waiting
 * ten seconds. */
static void one_slow_look_is_not_believed(void **state)
{
    (void)state;
    watch_all(MANY);
    make_busy(BUSY);
    settle();
    int64_t cost = selector->look_cost;
    unsigned looks = world.looks;

    while (world.looks == looks) {
        world.delay = SECOND;
        wait_once(-1);
    }
    world.delay = 0;
    assert_true(selector->look_cost <= 2 * cost);
    assert_true(selector->look_due <= world.now + 40 * cost);
    for (int i = 0; i < 5000; i++)
        wait_once(-1);
    assert_int_equal(selector->look_cost, cost);
}

static void a_failure_is_told(void **state)
{
    (void)state;
    watch_all(MANY);
    world.fails = true;
    assert_false(selector_wait(selector, -1));
    world.fails = false;
    make_busy(BUSY);
    settle();
    world.fails = true;
    assert_false(selector_wait(selector, -1));
}

/* Whoever comes and goes, each is given out as long as it is there, and nobody after that. */
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
            assert_true(selector->recent <= selector->count);
            continue;
        }
        wait_once(0);
        for (size_t k = 0; k < MANY; k++)
            assert_true(!found[k] || (there[k] && world.ready[k]));
    }
    free(random);
    world.now += SECOND;
    wait_once(0);
    for (size_t k = 0; k < MANY; k++)
        assert_int_equal(found[k], there[k] && world.ready[k]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_few_are_always_waited_for_together),
        TEST(the_busy_are_waited_for_alone),
        TEST(where_most_are_busy_nobody_is_left_out),
        TEST(one_that_wakes_up_is_found_beside_the_busy),
        TEST(one_in_a_conversation_is_waited_for_alone),
        TEST(nothing_is_looked_at_over_and_over),
        TEST(a_time_limit_is_kept),
        TEST(one_slow_look_is_not_believed),
        TEST(a_failure_is_told),
        TEST(watches_come_and_go),
    };

    return cmocka_run_group_tests_name("selector, among many", tests, NULL, NULL);
}
