/* Unit tests of common/selector, with real sockets. */
#include "selector.h"

#include <stdlib.h>

#include "net.h"
#include "support.h"
#include "test.h"

#ifdef _WIN32
#include <winsock2.h>
#else
#include <sys/select.h>
#endif

enum { PAIRS = 1000 };

/* A selector that watches one end of a connection. */
struct watched {
    struct selector *selector;
    struct selector_watch watch;
    os_socket pair[2]; /* the first is watched */
};

static int set_up(void **state)
{
    struct watched *w = calloc(1, sizeof *w);

    assert_non_null(w);
    w->selector = selector_create(SELECTOR_ALL);
    assert_non_null(w->selector);
    support_pair(w->pair);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct watched *w = *state;

    for (int i = 0; i < 2; i++)
        net_close(w->pair[i]);
    selector_destroy(w->selector);
    free(w);
    return 0;
}

static void watch(struct watched *w, uint8_t interest)
{
    assert_true(selector_add(w->selector, &w->watch, w->pair[0], interest));
}

static void assert_nothing_ready(struct selector *selector)
{
    assert_true(selector_wait(selector, 0));
    assert_null(selector_next(selector));
}

/* The next one to be ready, whenever that may be. */
static struct selector_watch *wait_for_one(struct selector *selector)
{
    struct selector_watch *found = NULL;

    for (int tries = 0; found == NULL && tries < 30; tries++) {
        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        found = selector_next(selector);
    }
    assert_non_null(found);
    return found;
}

/* Sends until the system takes no more. */
static void fill(os_socket s)
{
    char *bytes = support_random_bytes(1 << 20, 4);

    while (net_send(s, bytes, 1 << 20).outcome == NET_DONE)
        continue;
    free(bytes);
}

static void nothing_watched_is_waited_for_in_peace(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ALL);

    (void)state;
    assert_non_null(selector);
    assert_nothing_ready(selector);
    assert_true(selector_wait(selector, os_nanoseconds() + MILLISECONDS(1)));
    assert_null(selector_next(selector));
    selector_destroy(selector);
    selector_destroy(NULL);
}

static void nothing_is_given_out_before_a_wait(void **state)
{
    struct watched *w = *state;

    watch(w, SELECTOR_WRITE);
    assert_null(selector_next(w->selector));
}

static void readable_only_when_something_came(void **state)
{
    struct watched *w = *state;

    watch(w, SELECTOR_READ);
    assert_nothing_ready(w->selector);
    support_send(w->pair[1], "x", 1);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_READ);
    assert_null(selector_next(w->selector));
    /* It stays ready until it is read. */
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    support_expect_text(w->pair[0], "x");
    assert_nothing_ready(w->selector);
}

static void writable_only_when_there_is_room(void **state)
{
    struct watched *w = *state;
    char *sink = malloc(1 << 20);

    assert_non_null(sink);
    watch(w, SELECTOR_WRITE);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_WRITE);
    fill(w->pair[0]);
    /* What is under way may make room for a moment. */
    while (selector_wait(w->selector, 0) && selector_next(w->selector) != NULL)
        fill(w->pair[0]);
    assert_nothing_ready(w->selector);
    do {
        assert_int_not_equal(support_receive(w->pair[1], sink, 1 << 20), 0);
        assert_true(selector_wait(w->selector, 0));
    } while (selector_next(w->selector) == NULL);
    free(sink);
}

static void both_ways_are_one_find(void **state)
{
    struct watched *w = *state;

    watch(w, SELECTOR_READ | SELECTOR_WRITE);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_WRITE);
    support_send(w->pair[1], "x", 1);
    support_wait(w->pair[0], SELECTOR_READ);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_READ | SELECTOR_WRITE);
    assert_null(selector_next(w->selector));
}

static void interest_can_change(void **state)
{
    struct watched *w = *state;

    watch(w, SELECTOR_NONE);
    support_send(w->pair[1], "x", 1);
    support_wait(w->pair[0], SELECTOR_READ);
    assert_nothing_ready(w->selector);
    selector_change(w->selector, &w->watch, SELECTOR_READ);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_READ);
    selector_change(w->selector, &w->watch, SELECTOR_WRITE);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    assert_int_equal(w->watch.ready, SELECTOR_WRITE);
    selector_change(w->selector, &w->watch, SELECTOR_NONE);
    assert_nothing_ready(w->selector);
    selector_remove(w->selector, &w->watch);
    assert_nothing_ready(w->selector);
    watch(w, SELECTOR_READ);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
}

static void the_end_of_a_stream_is_readable(void **state)
{
    struct watched *w = *state;

    watch(w, SELECTOR_READ);
    net_end_sending(w->pair[1]);
    assert_ptr_equal(wait_for_one(w->selector), &w->watch);
    support_expect_end(w->pair[0]);
}

static void a_failed_connect_is_ready(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch connecting;
    struct net_address address;
    os_socket listener = support_listen(&address), s;

    (void)state;
    assert_non_null(selector);
    net_close(listener);
    if (net_connect(&address, NULL, &s).outcome != NET_WOULD_BLOCK) {
        /* It has failed at once: nothing is left to be waited for. */
        selector_destroy(selector);
        skip();
    }
    assert_true(selector_add(selector, &connecting, s, SELECTOR_WRITE));
    assert_ptr_equal(wait_for_one(selector), &connecting);
    assert_true(connecting.ready & SELECTOR_WRITE);
    assert_int_equal(net_connect_result(s).outcome, NET_FAILED);
    selector_remove(selector, &connecting);
    net_close(s);
    selector_destroy(selector);
}

static void a_closed_socket_makes_the_wait_fail(void **state)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch closed;
    struct net_address address;
    os_socket listener = support_listen(&address);

    (void)state;
    assert_non_null(selector);
    assert_true(selector_add(selector, &closed, listener, SELECTOR_READ));
    net_close(listener);
    assert_false(selector_wait(selector, 0));
    assert_null(selector_next(selector));
    selector_remove(selector, &closed);
    assert_nothing_ready(selector);
    selector_destroy(selector);
}

/* Two connections whose watches are memory of their own, so that a sanitizer sees it when a freed
 * one is used. */
struct crowd {
    struct selector *selector;
    struct selector_watch *watches[2];
    os_socket pairs[2][2];
};

static void crowd_open(struct crowd *crowd)
{
    crowd->selector = selector_create(SELECTOR_ALL);
    assert_non_null(crowd->selector);
    for (int i = 0; i < 2; i++) {
        support_pair(crowd->pairs[i]);
        crowd->watches[i] = calloc(1, sizeof *crowd->watches[i]);
        assert_non_null(crowd->watches[i]);
        assert_true(
            selector_add(crowd->selector, crowd->watches[i], crowd->pairs[i][0], SELECTOR_READ));
        support_send(crowd->pairs[i][1], "x", 1);
        support_wait(crowd->pairs[i][0], SELECTOR_READ);
    }
}

static void crowd_close(struct crowd *crowd)
{
    selector_destroy(crowd->selector);
    for (int i = 0; i < 2; i++) {
        free(crowd->watches[i]);
        for (int k = 0; k < 2; k++)
            net_close(crowd->pairs[i][k]);
    }
}

static void crowd_remove(struct crowd *crowd, int i)
{
    selector_remove(crowd->selector, crowd->watches[i]);
    free(crowd->watches[i]);
    crowd->watches[i] = NULL;
}

static void a_watch_that_is_removed_meanwhile_is_not_given_out(void **state)
{
    struct crowd crowd;
    struct selector_watch *first;
    int other;

    (void)state;
    crowd_open(&crowd);
    first = wait_for_one(crowd.selector);
    other = first == crowd.watches[0] ? 1 : 0;
    crowd_remove(&crowd, other);
    assert_null(selector_next(crowd.selector));
    assert_ptr_equal(wait_for_one(crowd.selector), first);
    crowd_close(&crowd);
}

static void a_watch_can_be_removed_when_it_is_given_out(void **state)
{
    struct crowd crowd;
    struct selector_watch *first;
    int found;

    (void)state;
    crowd_open(&crowd);
    first = wait_for_one(crowd.selector);
    found = first == crowd.watches[0] ? 0 : 1;
    crowd_remove(&crowd, found);
    assert_ptr_equal(selector_next(crowd.selector), crowd.watches[!found]);
    assert_null(selector_next(crowd.selector));
    crowd_remove(&crowd, !found);
    assert_nothing_ready(crowd.selector);
    crowd_close(&crowd);
}

static void a_watch_that_is_added_meanwhile_waits_its_turn(void **state)
{
    struct crowd crowd;
    struct selector_watch *first, added;
    int found;

    (void)state;
    crowd_open(&crowd);
    first = wait_for_one(crowd.selector);
    found = first == crowd.watches[0] ? 0 : 1;
    assert_true(selector_add(crowd.selector, &added, crowd.pairs[0][1], SELECTOR_WRITE));
    assert_ptr_equal(selector_next(crowd.selector), crowd.watches[!found]);
    assert_null(selector_next(crowd.selector));
    for (int i = 0; i < 2; i++)
        crowd_remove(&crowd, i);
    assert_ptr_equal(wait_for_one(crowd.selector), &added);
    crowd_close(&crowd);
}

/* 2,000 sockets, every one of them watched. */
struct many {
    struct selector *selector;
    struct selector_watch watches[2 * PAIRS];
    bool found[2 * PAIRS];
    os_socket sockets[2 * PAIRS]; /* each even one is connected with the one after it */
};

static struct many *open_many(void)
{
    struct many *many = calloc(1, sizeof *many);

    assert_non_null(many);
    many->selector = selector_create(SELECTOR_ALL);
    assert_non_null(many->selector);
    for (size_t i = 0; i < 2 * PAIRS; i += 2)
        support_pair(&many->sockets[i]);
    /* The first waits for both, to see whether that outlasts the growth of the sets. */
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        uint8_t interest = i == 0 ? SELECTOR_READ | SELECTOR_WRITE : SELECTOR_READ;

        assert_true(selector_add(many->selector, &many->watches[i], many->sockets[i], interest));
    }
    assert_ptr_equal(wait_for_one(many->selector), &many->watches[0]);
    assert_int_equal(many->watches[0].ready, SELECTOR_WRITE);
    assert_null(selector_next(many->selector));
    selector_change(many->selector, &many->watches[0], SELECTOR_READ);
    return many;
}

static void close_many(struct many *many)
{
    for (size_t i = 0; i < 2 * PAIRS; i++)
        net_close(many->sockets[i]);
    selector_destroy(many->selector);
    free(many);
}

/* Sends to every socket whose place divided by `step` leaves `rest`, and waits until these are
 * found, and no other. */
static void send_and_find(struct many *many, size_t step, size_t rest)
{
    size_t missing = 0;
    struct selector_watch *found;

    for (size_t i = rest; i < 2 * PAIRS; i += step) {
        support_send(many->sockets[i ^ 1], "x", 1);
        many->found[i] = false;
        missing++;
    }
    for (int tries = 0; missing > 0; tries++) {
        assert_true(tries < 1000);
        assert_true(selector_wait(many->selector, os_nanoseconds() + SECONDS(1)));
        while ((found = selector_next(many->selector)) != NULL) {
            size_t place = (size_t)(found - many->watches);

            assert_int_equal(place % step, rest);
            assert_int_equal(found->ready, SELECTOR_READ);
            if (!many->found[place])
                missing--;
            many->found[place] = true;
        }
    }
    for (size_t i = rest; i < 2 * PAIRS; i += step)
        support_expect_text(many->sockets[i], "x");
    assert_nothing_ready(many->selector);
}

static void of_2000_only_the_ready_ones_are_given_out(void **state)
{
    uint64_t limit = os_raise_descriptor_limit();
    struct many *many;

    (void)state;
    if (limit > 0 && limit < 2 * PAIRS + 50)
        skip();
    many = open_many();
    /* Past what the sets' own types hold: 64 sockets on Windows, descriptor 1,023 elsewhere. */
    assert_true(many->sockets[2 * PAIRS - 1] > FD_SETSIZE);
    assert_nothing_ready(many->selector);
    send_and_find(many, 2 * PAIRS, 0);
    send_and_find(many, 2 * PAIRS, 2 * PAIRS - 1);
    send_and_find(many, 7, 3);
    send_and_find(many, 1, 0);
    close_many(many);
}

static void of_2000_half_can_go_while_they_are_given_out(void **state)
{
    uint64_t limit = os_raise_descriptor_limit();
    struct many *many;
    struct selector_watch *found;
    size_t left = 0;

    (void)state;
    if (limit > 0 && limit < 2 * PAIRS + 50)
        skip();
    many = open_many();
    for (size_t i = 0; i < 2 * PAIRS; i++) {
        support_send(many->sockets[i ^ 1], "x", 1);
        support_wait(many->sockets[i], SELECTOR_READ);
    }
    assert_true(selector_wait(many->selector, os_nanoseconds() + SECONDS(1)));
    /* Each one that is given out takes the other end of its connection with it. */
    while ((found = selector_next(many->selector)) != NULL) {
        size_t place = (size_t)(found - many->watches);

        assert_false(many->found[place ^ 1]);
        many->found[place] = true;
        selector_remove(many->selector, &many->watches[place ^ 1]);
        left++;
    }
    assert_int_equal(left, PAIRS);
    assert_true(selector_wait(many->selector, os_nanoseconds() + SECONDS(1)));
    for (left = 0; (found = selector_next(many->selector)) != NULL; left++)
        assert_true(many->found[found - many->watches]);
    assert_int_equal(left, PAIRS);
    close_many(many);
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_watched_is_waited_for_in_peace),
        WATCHED(nothing_is_given_out_before_a_wait),
        WATCHED(readable_only_when_something_came),
        WATCHED(writable_only_when_there_is_room),
        WATCHED(both_ways_are_one_find),
        WATCHED(interest_can_change),
        WATCHED(the_end_of_a_stream_is_readable),
        cmocka_unit_test(a_failed_connect_is_ready),
        cmocka_unit_test(a_closed_socket_makes_the_wait_fail),
        cmocka_unit_test(a_watch_that_is_removed_meanwhile_is_not_given_out),
        cmocka_unit_test(a_watch_can_be_removed_when_it_is_given_out),
        cmocka_unit_test(a_watch_that_is_added_meanwhile_waits_its_turn),
        cmocka_unit_test(of_2000_only_the_ready_ones_are_given_out),
        cmocka_unit_test(of_2000_half_can_go_while_they_are_given_out),
    };

    return cmocka_run_group_tests_name("selector", tests, support_setup, support_teardown);
}
