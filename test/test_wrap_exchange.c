/* Unit tests of client/measure/exchange, with a system that takes what the test says. */
#include "measure/exchange.h"

#include <string.h>

#include "test.h"

enum {
    SOCKET = 7, /* of no meaning: nothing here asks the system */
    SIZE = 300 * 1024,
    MESSAGES = 3
};

static const struct pattern pattern = {.size = SIZE, .seed = 1};

/* How much the system takes at once, and what it has taken. */
static size_t room;
static char taken[MESSAGES * SIZE];
static size_t taken_length;
static int sends;

__typeof__(net_send) __wrap_net_send;

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    assert_int_equal(s, SOCKET);
    assert_true(length > 0);
    sends++;
    if (room == 0)
        return (struct net_result){.outcome = NET_WOULD_BLOCK};
    length = length < room ? length : room;
    assert_true(length <= sizeof taken - taken_length);
    memcpy(taken + taken_length, bytes, length);
    taken_length += length;
    return (struct net_result){.outcome = NET_DONE, .bytes = length};
}

/* So that a loop comes to look at everything else, however much the server takes. */
static void sends_once_a_turn(void **state)
{
    static const size_t rooms[] = {SIZE_MAX, 100000, 1};
    static char expected[sizeof taken];
    struct pattern_place start = {0};

    (void)state;
    pattern_fill(&pattern, 5, &start, expected, sizeof expected);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        int64_t timed_from[MESSAGES];
        struct exchange exchange = {.watch = {.socket = SOCKET},
                                    .pattern = &pattern,
                                    .connection = 5,
                                    .timed_from = timed_from,
                                    .pipeline = MESSAGES};
        int turns = 0;

        taken_length = 0;
        sends = 0;
        assert_int_equal(exchange_send(&exchange).outcome, NET_DONE);
        assert_int_equal(sends, 0);
        for (int message = 0; message < MESSAGES; message++)
            exchange_begin(&exchange, message);
        room = 0;
        assert_int_equal(exchange_send(&exchange).outcome, NET_WOULD_BLOCK);
        assert_true(exchange_is_full(&exchange));
        for (; exchange_interest(&exchange) & SELECTOR_WRITE; turns++) {
            size_t before = taken_length;

            /* Little at once goes slowly: the last part of it is enough. */
            room = turns < 3 ? rooms[i] : SIZE_MAX;
            struct net_result result = exchange_send(&exchange);

            assert_int_equal(result.outcome, NET_DONE);
            assert_int_equal(result.bytes, taken_length - before);
            assert_int_equal(sends, turns + 2);
        }
        assert_false(exchange_is_full(&exchange));
        assert_int_equal(taken_length, sizeof taken);
        assert_memory_equal(taken, expected, sizeof taken);
        assert_int_equal(exchange_in_flight(&exchange), MESSAGES);
    }
}

/* The greeting comes first, with its LF, and then the answers. */
static void knows_what_comes_next(void **state)
{
    static const struct pattern greeted = {.size = 2, .seed = 1, .greeting = {"hi", 2}};
    static const unsigned char hi[] = {'h', 'i', '\n'};
    struct exchange exchange = {.pattern = &greeted, .connection = 5};
    char message[2];

    (void)state;
    for (size_t i = 0; i < sizeof hi; i++, exchange.greeted++) {
        assert_int_equal(exchange_place(&exchange).message, 0);
        assert_int_equal(exchange_place(&exchange).offset, i);
        assert_int_equal(exchange_expected(&exchange), hi[i]);
    }
    pattern_fill(&greeted, 5, &(struct pattern_place){1, 0}, message, sizeof message);
    exchange.receiving = (struct pattern_place){1, 1};
    assert_int_equal(exchange_place(&exchange).message, 1);
    assert_int_equal(exchange_place(&exchange).offset, 1);
    assert_int_equal(exchange_expected(&exchange), (unsigned char)message[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_once_a_turn),
        cmocka_unit_test(knows_what_comes_next),
    };

    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
