/* Unit tests of common/send_queue, over a real connection on the loopback address. */
#include "send_queue.h"

#include <stdlib.h>

#include "selector.h"
#include "support.h"
#include "test.h"

enum { PIECE = 1 << 20, MOST_PIECES = 32, MORE_PIECES = 16 };

/*
 * Queues random bytes, a MiB at a time, until some of them wait; returns how many those were in
 * all. Windows may take a single send whole, however long it is.
 */
static size_t fill(struct send_queue *queue, os_socket s, const char *bytes)
{
    struct net_result result = {.outcome = NET_DONE};
    size_t length = 0, sent = 0;

    for (int i = 0; result.outcome == NET_DONE; i++) {
        assert_true(i < MOST_PIECES);
        result = send_queue_send(queue, s, bytes + length, PIECE);
        length += PIECE;
        sent += result.bytes;
        assert_int_equal(sent + send_queue_length(queue), length);
    }
    assert_int_equal(result.outcome, NET_WOULD_BLOCK);
    assert_int_not_equal(send_queue_length(queue), 0);
    return length;
}

static char *many_bytes(void)
{
    return support_random_bytes((size_t)PIECE * (MOST_PIECES + MORE_PIECES), 3);
}

static bool owns_memory(const struct send_queue *queue)
{
    return queue->rest.block != NULL;
}

static void what_fits_is_sent_at_once(void **state)
{
    struct send_queue queue = {0};
    os_socket pair[2];
    struct net_result result;

    (void)state;
    support_pair(pair);
    result = send_queue_send(&queue, pair[0], "hello", 5);
    assert_int_equal(result.outcome, NET_DONE);
    assert_int_equal(result.bytes, 5);
    assert_int_equal(send_queue_length(&queue), 0);
    assert_false(owns_memory(&queue));
    support_expect_text(pair[1], "hello");
    result = send_queue_flush(&queue, pair[0]);
    assert_int_equal(result.outcome, NET_DONE);
    assert_int_equal(result.bytes, 0);
    net_close(pair[0]);
    support_expect_end(pair[1]);
    net_close(pair[1]);
}

static void the_rest_waits_and_keeps_its_order(void **state)
{
    struct send_queue queue = {0};
    char *bytes = many_bytes();
    os_socket pair[2];
    size_t length, received = 0, partial = 0;

    (void)state;
    support_pair(pair);
    length = fill(&queue, pair[0], bytes);
    /* Behind what waits, nothing may be sent first, even once there is room. */
    support_wait(pair[1], SELECTOR_READ);
    support_expect(pair[1], bytes, PIECE / 2);
    received = PIECE / 2;
    for (int i = 0; i < MORE_PIECES; i++) {
        size_t waiting = send_queue_length(&queue);
        struct net_result result = send_queue_send(&queue, pair[0], bytes + length, PIECE);

        assert_int_equal(result.outcome, NET_WOULD_BLOCK);
        assert_int_equal(result.bytes, 0);
        assert_int_equal(send_queue_length(&queue), waiting + PIECE);
        length += PIECE;
    }
    while (send_queue_length(&queue) > 0) {
        size_t waiting = send_queue_length(&queue);
        struct net_result result = send_queue_flush(&queue, pair[0]);

        assert_int_equal(send_queue_length(&queue), waiting - result.bytes);
        assert_int_equal(result.outcome,
                         send_queue_length(&queue) > 0 ? NET_WOULD_BLOCK : NET_DONE);
        if (send_queue_length(&queue) > 0) {
            support_expect(pair[1], bytes + received, PIECE / 4);
            received += PIECE / 4;
            partial += result.bytes > 0;
        }
    }
    assert_int_not_equal(partial, 0);
    assert_false(owns_memory(&queue));
    net_end_sending(pair[0]);
    support_expect(pair[1], bytes + received, length - received);
    support_expect_end(pair[1]);
    net_close(pair[0]);
    net_close(pair[1]);
    free(bytes);
}

static void flush_sends_only_what_there_is_room_for(void **state)
{
    struct send_queue queue = {0};
    char *bytes = many_bytes();
    os_socket pair[2];
    struct net_result result;

    (void)state;
    support_pair(pair);
    fill(&queue, pair[0], bytes);
    do {
        result = send_queue_flush(&queue, pair[0]);
        assert_int_equal(result.outcome, NET_WOULD_BLOCK);
    } while (result.bytes > 0);
    send_queue_clear(&queue);
    assert_int_equal(send_queue_length(&queue), 0);
    assert_false(owns_memory(&queue));
    net_close(pair[0]);
    net_close(pair[1]);
    free(bytes);
}

static void a_reset_is_told_and_memory_is_freed(void **state)
{
    struct send_queue queue = {0};
    char *bytes = many_bytes();
    os_socket pair[2];
    struct net_result result;

    (void)state;
    support_pair(pair);
    fill(&queue, pair[0], bytes);
    support_reset(pair[1]);
    do {
        support_wait(pair[0], SELECTOR_WRITE);
        result = send_queue_flush(&queue, pair[0]);
    } while (result.outcome == NET_WOULD_BLOCK);
    assert_int_equal(result.outcome, NET_RESET);
    assert_int_not_equal(send_queue_length(&queue), 0);
    send_queue_clear(&queue);
    send_queue_clear(&queue);
    assert_false(owns_memory(&queue));
    net_close(pair[0]);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_sent_at_once),
        cmocka_unit_test(the_rest_waits_and_keeps_its_order),
        cmocka_unit_test(flush_sends_only_what_there_is_room_for),
        cmocka_unit_test(a_reset_is_told_and_memory_is_freed),
    };

    return cmocka_run_group_tests_name("send_queue", tests, support_setup, support_teardown);
}
