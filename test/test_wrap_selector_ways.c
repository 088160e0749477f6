/*
 * Tests of the selector's ways with real sockets: whatever it is that makes a cold socket known,
 * none is forgotten and none is given out for nothing. The clock may be put forward, so that
 * sockets become cold without anybody waiting.
 */
#include <stdlib.h>
#include <string.h>

#include "selector_private.h"
#include "support.h"
#include "system.h"
#include "test.h"

enum { PAIRS = 300, MANY_PAIRS = 9900 };

struct peer {
    struct selector_watch watch; /* of our end */
    os_socket theirs;
    size_t waiting; /* bytes that it has sent and that have not been read */
    bool ended;     /* it has ended, and that has not been read */
    bool watched;
    bool found;
};

static int64_t offset; /* of the clock */
static struct {
    unsigned selects;
    int64_t timeout; /* of the last one */
} seen;

static struct selector *selector;
static struct peer peers[MANY_PAIRS];
static size_t peer_count;
static size_t unread; /* bytes of all peers */

__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;
__typeof__(selector_sets_wait) __wrap_selector_sets_wait, __real_selector_sets_wait;

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + offset;
}

bool __wrap_selector_sets_wait(struct selector *waiting, size_t from, size_t to, int64_t timeout)
{
    seen.selects++;
    seen.timeout = timeout;
    return __real_selector_sets_wait(waiting, from, to, timeout);
}

static void open_peers(enum selector_way way, size_t count)
{
    struct net_address address;
    os_socket listener = support_listen(&address);

    selector = selector_create(way);
    assert_non_null(selector);
    memset(peers, 0, sizeof peers);
    for (peer_count = 0; peer_count < count; peer_count++) {
        struct peer *peer = &peers[peer_count];
        os_socket ours = support_connect(&address);

        peer->theirs = support_accept(listener);
        peer->watched = selector_add(selector, &peer->watch, ours, SELECTOR_READ);
        assert_true(peer->watched);
    }
    net_close(listener);
}

static void close_peers(void)
{
    for (size_t i = 0; i < peer_count; i++) {
        if (peers[i].watched)
            selector_remove(selector, &peers[i].watch);
        net_close(peers[i].watch.socket);
        if (peers[i].theirs != OS_NO_SOCKET)
            net_close(peers[i].theirs);
    }
    peer_count = 0;
    unread = 0;
    selector_destroy(selector);
    selector = NULL;
}

static int end(void **state)
{
    (void)state;
    if (selector != NULL)
        close_peers();
    offset = 0;
    return 0;
}

/* Sockets that nothing happens to become cold. */
static void let_time_pass(void)
{
    for (int i = 0; i < 4; i++) {
        offset += 200 * MILLISECONDS(1);
        assert_true(selector_wait(selector, 0));
    }
}

static void send_byte(struct peer *peer)
{
    support_send(peer->theirs, "x", 1);
    peer->waiting++;
    unread++;
}

/* Goes through what the last wait found: each must have something to read. Reads at most `most`
 * bytes of each, and returns how many were given out. */
static size_t serve(size_t most)
{
    struct selector_watch *watch;
    char bytes[256];
    size_t count = 0;

    assert_true(most <= sizeof bytes);
    for (; (watch = selector_next(selector)) != NULL; count++) {
        struct peer *peer = (struct peer *)watch;

        assert_true(peer->watched);
        assert_int_equal(watch->ready, SELECTOR_READ);
        assert_true(peer->waiting > 0 || peer->ended);
        peer->found = true;
        struct net_result result = net_recv(watch->socket, bytes, most);

        if (result.outcome == NET_DONE) {
            assert_true(result.bytes <= peer->waiting);
            peer->waiting -= result.bytes;
            unread -= result.bytes;
        } else {
            assert_int_equal(result.outcome, NET_END);
            assert_true(peer->ended && peer->waiting == 0);
            selector_remove(selector, watch);
            peer->watched = false;
        }
    }
    return count;
}

static bool all_served(void)
{
    for (size_t i = 0; i < peer_count; i++) {
        const struct peer *peer = &peers[i];

        if (peer->watched && peer->watch.interest == SELECTOR_READ &&
            (peer->waiting > 0 || peer->ended))
            return false;
    }
    return true;
}

/* Waits until everything that was sent, and may be read, is found. */
static void serve_all(size_t most)
{
    int64_t end = __real_os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * MILLISECONDS(1);

    while (!all_served()) {
        assert_true(__real_os_nanoseconds() < end);
        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        serve(most);
    }
}

/* The same where all is watched, for many. */
static void serve_unread(void)
{
    int64_t end = __real_os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * MILLISECONDS(1);

    while (unread > 0) {
        assert_true(__real_os_nanoseconds() < end);
        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        serve(256);
    }
}

static void expect_nothing_ready(void)
{
    for (int i = 0; i < 3; i++) {
        assert_true(selector_wait(selector, 0));
        assert_null(selector_next(selector));
    }
}

static uint32_t random_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Any history of sending, reading little, looking away, leaving and coming back. */
static void no_socket_is_forgotten(void **state)
{
    enum { STEPS = 20000 };

    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        uint32_t random = 1;

        open_peers((enum selector_way)way, PAIRS);
        for (int step = 0; step < STEPS; step++) {
            struct peer *peer = &peers[random_number(&random) % PAIRS];

            switch (random_number(&random) % 16) {
            case 0:
                if (peer->watched)
                    selector_change(selector, &peer->watch,
                                    peer->watch.interest == SELECTOR_READ ? SELECTOR_NONE
                                                                          : SELECTOR_READ);
                break;
            case 1:
                if (peer->watched)
                    selector_remove(selector, &peer->watch);
                else
                    assert_true(
                        selector_add(selector, &peer->watch, peer->watch.socket, SELECTOR_READ));
                peer->watched = !peer->watched;
                break;
            case 2:
                offset += (int64_t)(random_number(&random) % 120) * MILLISECONDS(1);
                break;
            case 3:
            case 4:
            case 5:
                assert_true(selector_wait(selector, 0));
                serve(1 + random_number(&random) % 3);
                break;
            default:
                send_byte(peer);
                break;
            }
            if (step % 1000 == 999) {
                serve_all(256);
                let_time_pass();
            }
        }
        serve_all(256);
        expect_nothing_ready();
        close_peers();
    }
}

/* One after the other, beside some that are busy or none. */
static void each_that_wakes_up_is_found(void **state)
{
    static const size_t busy[] = {0, 10};

    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        open_peers((enum selector_way)way, PAIRS);
        let_time_pass();
        for (size_t b = 0; b < sizeof busy / sizeof busy[0]; b++) {
            for (size_t i = busy[b]; i < PAIRS; i++) {
                for (size_t k = 0; k < busy[b]; k++)
                    send_byte(&peers[k]);
                peers[i].found = false;
                send_byte(&peers[i]);
                serve_all(256);
                assert_true(peers[i].found);
                offset += 20 * MILLISECONDS(1);
            }
        }
        close_peers();
    }
}

/* Of few sockets and of many. */
static void no_wake_up_is_lost(void **state)
{
    enum { WAKE_UPS = 50000, AT_ONCE = 8 };
    static const size_t counts[] = {10, 100, MANY_PAIRS};
    uint64_t limit = os_raise_descriptor_limit();

    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t random = 7;

        /* Under Wine select() takes a time that grows with the square of their number. */
        if (system_is_windows && counts[c] > PAIRS)
            continue;

        if (limit > 0 && limit < 2 * counts[c] + 50)
            continue;
        open_peers(SELECTOR_ANNOUNCED, counts[c]);
        let_time_pass();
        for (int i = 0; i < WAKE_UPS; i += AT_ONCE) {
            for (int k = 0; k < AT_ONCE; k++)
                send_byte(&peers[random_number(&random) % counts[c]]);
            serve_unread();
            offset += (int64_t)(random_number(&random) % 30) * MILLISECONDS(1);
        }
        close_peers();
    }
}

static bool announced(void)
{
    return selector_way(selector) == SELECTOR_ANNOUNCED;
}

/* With all cold, select() is asked to wait for as long as the caller does, and for no socket of
 * theirs. */
static void nothing_is_done_while_nothing_happens(void **state)
{
    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    if (!announced())
        skip();
    let_time_pass();
    unsigned selects = seen.selects;

    assert_true(selector_wait(selector, os_nanoseconds() + MILLISECONDS(1)));
    assert_int_equal(seen.selects, selects + 1);
    assert_int_in_range(seen.timeout, 1, MILLISECONDS(1));
    assert_int_equal(selector->poll_end, selector->always);
}

/* Nor with some that are still hot: they leave when something else happens. */
static void a_few_idle_sockets_are_not_worth_a_wake_up(void **state)
{
    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    if (!announced())
        skip();
    assert_true(selector_wait(selector, 0));
    send_byte(&peers[0]);
    assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
    assert_true(seen.timeout < SECONDS(1) / 2);
    serve(1);
    let_time_pass();
    for (size_t i = 0; i < SELECTOR_FEW; i++) {
        selector_remove(selector, &peers[i].watch);
        assert_true(selector_add(selector, &peers[i].watch, peers[i].watch.socket, SELECTOR_READ));
    }
    assert_true(selector_wait(selector, os_nanoseconds() + MILLISECONDS(1)));
    assert_int_in_range(seen.timeout, 1, MILLISECONDS(1));
    assert_int_equal(selector->hot, selector->always + SELECTOR_FEW);
    let_time_pass();
    assert_int_equal(selector->hot, selector->always);
}

/* One that sends now and then costs no system call but select(), and one that keeps coming becomes
 * hot. */
static void one_that_keeps_coming_becomes_hot(void **state)
{
    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    if (!announced())
        skip();
    let_time_pass();
    for (int i = 0; i < 10; i++) {
        send_byte(&peers[7]);
        serve_unread();
        assert_true(peers[7].watch.armed);
        offset += 1000 * MILLISECONDS(1);
    }
    for (int i = 0; i < 3; i++) {
        send_byte(&peers[7]);
        serve_unread();
        offset += 50 * MILLISECONDS(1);
    }
    assert_false(peers[7].watch.armed);
    assert_true(peers[7].watch.index < selector->hot);
    let_time_pass();
    assert_true(peers[7].watch.armed);
    assert_true(peers[7].watch.index >= selector->poll_end);
}

/* Whatever its rhythm, a socket is not armed and disarmed for each message. */
static void no_rhythm_arms_a_socket_again_and_again(void **state)
{
    static const int periods[] = {10, 40, 80, 95, 110, 130, 170, 300}; /* milliseconds */

    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    if (!announced())
        skip();
    for (size_t p = 0; p < sizeof periods / sizeof periods[0]; p++) {
        int changes = 0;

        let_time_pass();
        bool armed = peers[7].watch.armed;

        for (int ms = 0; ms < 40 * periods[p]; ms += 5) {
            /* Another one is busy, so that scans go by. */
            send_byte(&peers[3]);
            if (ms % periods[p] == 0)
                send_byte(&peers[7]);
            serve_unread();
            changes += armed != peers[7].watch.armed;
            armed = peers[7].watch.armed;
            offset += MILLISECONDS(5);
        }
        assert_int_in_range(changes, 0, 2);
    }
}

/* However many become idle at once, few are armed before the next select(). */
static void work_between_two_selects_is_bounded(void **state)
{
    enum { AT_ONCE = 256 };

    (void)state;
    open_peers(SELECTOR_ANNOUNCED, 4 * AT_ONCE);
    if (!announced())
        skip();
    assert_true(selector_wait(selector, 0));
    offset += SECONDS(1);
    for (size_t armed = 0, before = 0; armed < peer_count; before = armed) {
        assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        armed = 0;
        for (size_t i = 0; i < peer_count; i++)
            armed += peers[i].watch.armed;
        assert_int_in_range(armed - before, 1, AT_ONCE);
    }
}

/* It costs no system call before it first becomes cold. */
static void a_new_socket_is_hot(void **state)
{
    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    for (size_t i = 0; i < PAIRS; i++) {
        assert_true(peers[i].watch.index < selector->hot);
        assert_false(peers[i].watch.owned);
    }
}

static void the_end_of_a_cold_connection_is_found(void **state)
{
    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        open_peers((enum selector_way)way, PAIRS);
        let_time_pass();
        for (size_t i = 0; i < PAIRS; i++) {
            peers[i].ended = true;
            net_end_sending(peers[i].theirs);
        }
        serve_all(1);
        close_peers();
    }
}

static void the_reset_of_a_cold_connection_is_found(void **state)
{
    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        open_peers((enum selector_way)way, PAIRS);
        let_time_pass();
        for (size_t i = 0; i < PAIRS; i++) {
            struct selector_watch *watch;

            support_reset(peers[i].theirs);
            peers[i].theirs = OS_NO_SOCKET;
            do
                assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
            while ((watch = selector_next(selector)) == NULL);
            assert_ptr_equal(watch, &peers[i].watch);
            assert_null(selector_next(selector));
            selector_remove(selector, watch);
            peers[i].watched = false;
        }
        close_peers();
    }
}

/* It stands in the stream, where it was sent (SO_OOBINLINE). */
static void urgent_data_wakes_a_cold_connection(void **state)
{
    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        open_peers((enum selector_way)way, PAIRS);
        let_time_pass();
        for (size_t i = 0; i < PAIRS; i += 7) {
            assert_true(system_send_urgent(peers[i].theirs));
            peers[i].waiting++;
            unread++;
            serve_all(1);
        }
        close_peers();
    }
}

/* A peer that takes nothing for a while: when it does, that is found, too. */
static void room_in_a_cold_connection_is_found(void **state)
{
    static char bytes[65536];

    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        open_peers((enum selector_way)way, PAIRS);
        struct peer *stalled = &peers[PAIRS / 2];
        struct net_result result;
        struct selector_watch *watch;

        do
            result = net_send(stalled->watch.socket, bytes, sizeof bytes);
        while (result.outcome == NET_DONE);
        selector_change(selector, &stalled->watch, SELECTOR_WRITE);
        let_time_pass();
        expect_nothing_ready();
        do {
            net_recv(stalled->theirs, bytes, sizeof bytes);
            assert_true(selector_wait(selector, 0));
            watch = selector_next(selector);
        } while (watch == NULL);
        assert_ptr_equal(watch, &stalled->watch);
        assert_int_equal(watch->ready, SELECTOR_WRITE);
        close_peers();
    }
}

/* What a cold socket is ready for already is not announced when it becomes of interest. */
static void a_change_of_interest_is_asked_about(void **state)
{
    (void)state;
    for (int way = SELECTOR_ALL; way <= SELECTOR_ANNOUNCED; way++) {
        struct selector_watch *watch;

        open_peers((enum selector_way)way, PAIRS);
        let_time_pass();
        selector_change(selector, &peers[9].watch, SELECTOR_WRITE);
        do
            assert_true(selector_wait(selector, os_nanoseconds() + SECONDS(1)));
        while ((watch = selector_next(selector)) == NULL);
        assert_ptr_equal(watch, &peers[9].watch);
        close_peers();
    }
}

/* The name of a connection that is gone is another one's by the time it is read. */
static void an_announcement_of_a_closed_socket_harms_nobody(void **state)
{
    (void)state;
    open_peers(SELECTOR_ANNOUNCED, PAIRS);
    let_time_pass();
    for (size_t i = 0; i < PAIRS; i++) {
        os_socket pair[2];

        send_byte(&peers[i]);
        unread--;
        peers[i].waiting = 0;
        selector_remove(selector, &peers[i].watch);
        net_close(peers[i].watch.socket);
        net_close(peers[i].theirs);
        support_pair(pair);
        peers[i].theirs = pair[1];
        assert_true(selector_add(selector, &peers[i].watch, pair[0], SELECTOR_READ));
    }
    expect_nothing_ready();
    for (size_t i = 0; i < PAIRS; i++)
        send_byte(&peers[i]);
    serve_all(256);
    expect_nothing_ready();
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_socket_is_forgotten),
        TEST(each_that_wakes_up_is_found),
        TEST(no_wake_up_is_lost),
        TEST(nothing_is_done_while_nothing_happens),
        TEST(a_few_idle_sockets_are_not_worth_a_wake_up),
        TEST(one_that_keeps_coming_becomes_hot),
        TEST(no_rhythm_arms_a_socket_again_and_again),
        TEST(work_between_two_selects_is_bounded),
        TEST(a_new_socket_is_hot),
        TEST(the_end_of_a_cold_connection_is_found),
        TEST(the_reset_of_a_cold_connection_is_found),
        TEST(urgent_data_wakes_a_cold_connection),
        TEST(room_in_a_cold_connection_is_found),
        TEST(a_change_of_interest_is_asked_about),
        TEST(an_announcement_of_a_closed_socket_harms_nobody),
    };

    return cmocka_run_group_tests_name("selector ways", tests, support_setup, support_teardown);
}
