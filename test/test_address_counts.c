/* Unit tests of server/address_counts, against a plain array of counts. */
#include "address_counts.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "test.h"

enum { ADDRESSES = 500 };

/* IPv4 and IPv6 by turns; the port differs from call to call and must not matter. */
static struct net_address address_of(size_t number)
{
    static uint16_t port;
    struct net_address address = {.ipv6 = number % 2 == 1, .port = port};

    port++;
    address.bytes[address.ipv6 ? 15 : 3] = (uint8_t)number;
    address.bytes[2] = (uint8_t)(number >> 8);
    address.scope = address.ipv6 && number % 5 == 0 ? 7 : 0;
    return address;
}

static void counts_are_those_of_an_array(void **state)
{
    enum { STEPS = 200000 };
    struct address_counts counts = {.slots = NULL};
    uint32_t expected[ADDRESSES] = {0};
    char *random = support_random_bytes(2 * (size_t)STEPS, 1);

    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        uint16_t number;

        memcpy(&number, random + 2 * i, sizeof number);
        size_t which = number % ADDRESSES;
        struct net_address address = address_of(which);
        uint32_t *count = address_counts_find(&counts, &address);

        assert_non_null(count);
        assert_int_equal(*count, expected[which]);
        if (number >= UINT16_MAX / 2 || *count == 0) {
            ++*count;
            expected[which]++;
        } else {
            --*count;
            expected[which]--;
        }
    }
    for (size_t i = 0; i < ADDRESSES; i++) {
        struct net_address address = address_of(i);

        assert_int_equal(*address_counts_find(&counts, &address), expected[i]);
    }
    address_counts_clear(&counts);
    free(random);
}

/* However many addresses come and go, memory is kept for those that are there. */
static void addresses_that_have_left_take_no_memory(void **state)
{
    struct address_counts counts = {.slots = NULL};

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        struct net_address address = {.ipv6 = false};

        memcpy(address.bytes, &i, sizeof i);
        uint32_t *count = address_counts_find(&counts, &address);

        assert_non_null(count);
        assert_int_equal(*count, 0);
    }
    assert_true(counts.capacity <= 64);
    address_counts_clear(&counts);
    assert_null(counts.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_an_array),
        cmocka_unit_test(addresses_that_have_left_take_no_memory),
    };

    return cmocka_run_group_tests_name("address_counts", tests, NULL, NULL);
}
