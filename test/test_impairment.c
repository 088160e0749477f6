/* Unit tests of server/impairment: any rules, any times of adding and taking. */
#include "impairment.h"

#include <string.h>

#include "deadline.h"
#include "random_numbers.h"
#include "test.h"

enum { STREAM = 20000, ROUNDS = 2000 };

static const struct impairment_rules none = {.seed = 1};

/* What was added to one impairment, and what came out. */
struct history {
    struct impairment_rules rules;
    struct impairment impairment;
    char in[STREAM];
    size_t in_length;
    int64_t in_at[STREAM];
    char out[2 * STREAM];
    int64_t out_at[2 * STREAM];
    size_t out_length;
    int64_t now;
    int64_t last_send;
};
static struct history history;

static void begin(const struct impairment_rules *rules, uint64_t connection)
{
    memset(&history, 0, sizeof history);
    history.rules = *rules;
    history.now = SECONDS(1000);
    impairment_begin(&history.impairment, rules, connection);
}

static void add(size_t length)
{
    size_t done = history.in_length;

    assert_true(done + length <= STREAM);
    for (size_t i = done; i < done + length; i++) {
        history.in[i] = (char)('a' + i % 23);
        history.in_at[i] = history.now;
    }
    history.in_length += length;
    assert_true(impairment_add(&history.impairment, &history.rules,
                               (struct span){history.in + done, length}, history.now));
}

/* Sends what may be sent now; returns how much that was. */
static size_t take(void)
{
    const struct impairment_rules *rules = &history.rules;
    size_t before = history.out_length;
    struct span part;

    for (;;) {
        int64_t due = impairment_due(&history.impairment, rules);

        part = impairment_next(&history.impairment, rules, history.now);
        /* The caller can wait for the next bytes: they are there when they are due, and only then.
         */
        assert_int_equal(part.length > 0, due <= history.now);
        if (part.length == 0)
            return history.out_length - before;
        if (rules->piece > 0) {
            assert_true(part.length <= rules->piece);
            assert_true(history.last_send == 0 ||
                        history.now - history.last_send >= MILLISECONDS(1));
        }
        assert_true(history.out_length + part.length <= sizeof history.out);
        for (size_t i = 0; i < part.length; i++)
            history.out_at[history.out_length + i] = history.now;
        memcpy(history.out + history.out_length, part.bytes, part.length);
        history.out_length += part.length;
        history.last_send = history.now;
        impairment_sent(&history.impairment, rules, part.length, history.now);
    }
}

/* Takes until nothing more will come. */
static void take_all(void)
{
    while (impairment_due(&history.impairment, &history.rules) != DEADLINE_NEVER) {
        int64_t due = impairment_due(&history.impairment, &history.rules);

        history.now = due > history.now ? due : history.now;
        assert_true(take() > 0);
    }
}

/* The rules of a random history: most are off in each. */
static struct impairment_rules random_rules(void)
{
    struct impairment_rules rules = none;

    if (random_below(3) == 0)
        rules.delay = MILLISECONDS((int64_t)random_below(50));
    if (random_below(3) == 0)
        rules.jitter = MILLISECONDS((int64_t)random_below(50));
    if (random_below(3) == 0)
        rules.piece = 1 + random_below(100);
    if (random_below(3) == 0)
        rules.rate = 1 + random_below(200000);
    for (int fault = 0; fault < IMPAIRMENT_FAULTS; fault++) {
        if (random_below(8) == 0)
            rules.at[fault] = 1 + random_below(random_below(2) == 0 ? 3000 : 30);
    }
    rules.seed = random_below(1000);
    return rules;
}

/* Which byte of what was added has to come out in which place. Returns how many come out. */
static size_t expected(size_t *origin)
{
    uint64_t after[IMPAIRMENT_FAULTS];
    size_t length = 0;

    for (int fault = 0; fault < IMPAIRMENT_FAULTS; fault++)
        after[fault] = history.rules.at[fault] > 0 ? history.rules.at[fault] - 1 : UINT64_MAX;
    for (size_t i = 0; i < history.in_length && i < after[IMPAIRMENT_MUTE]; i++) {
        int copies = 1 + (i == after[IMPAIRMENT_DUPLICATE]) - (i == after[IMPAIRMENT_DROP]);

        for (; copies > 0; copies--)
            origin[length++] = i;
    }
    for (int fault = IMPAIRMENT_STALL; fault <= IMPAIRMENT_RESET; fault++) {
        if (fault != IMPAIRMENT_MUTE && after[fault] < length)
            length = (size_t)after[fault];
    }
    return length;
}

static void check_stream(void)
{
    static size_t origin[STREAM + 1];
    size_t length = expected(origin);

    assert_int_equal(history.out_length, length);
    for (size_t i = 0; i < length; i++) {
        unsigned changed = (unsigned char)(history.out[i] ^ history.in[origin[i]]);

        if (origin[i] + 1 == history.rules.at[IMPAIRMENT_CORRUPT])
            assert_true(changed != 0 && (changed & (changed - 1)) == 0); /* one bit */
        else
            assert_int_equal(changed, 0);
        assert_true(history.out_at[i] >= history.in_at[origin[i]] + history.rules.delay);
    }
    for (int fault = IMPAIRMENT_STALL; fault <= IMPAIRMENT_RESET; fault++) {
        if (fault != IMPAIRMENT_MUTE)
            assert_int_equal(impairment_has_come(&history.impairment, &history.rules,
                                                 (enum impairment_fault)fault),
                             history.rules.at[fault] > 0 &&
                                 history.out_length + 1 >= history.rules.at[fault]);
    }
}

/* Whatever the rules, the bytes are right up to the fault that ends them, none is early, and no
 * memory is kept for what was sent. */
static void any_history_comes_out_right(void **state)
{
    (void)state;
    random_begin(14);
    for (int round = 0; round < ROUNDS; round++) {
        struct impairment_rules rules = random_rules();

        begin(&rules, random_below(100));
        for (int i = 0; i < 40; i++) {
            if (random_below(2) == 0)
                history.now += (int64_t)random_below((uint32_t)MILLISECONDS(20));
            if (random_below(2) == 0 && impairment_has_room(&history.impairment, &rules))
                add(1 + random_below(random_below(2) == 0 ? 400 : 1));
            if (random_below(2) == 0)
                take();
        }
        take_all();
        check_stream();
        impairment_clear(&history.impairment);
        assert_int_equal(impairment_due(&history.impairment, &rules), DEADLINE_NEVER);
    }
}

/* An answer is sent between its delay and its delay and jitter later; answers stay in order. */
static void delays_are_kept(void **state)
{
    struct impairment_rules rules = none;
    int64_t shortest = INT64_MAX, longest = 0;

    (void)state;
    rules.delay = MILLISECONDS(30);
    rules.jitter = MILLISECONDS(20);
    begin(&rules, 3);
    for (int i = 0; i < 500; i++) {
        int64_t began = history.now;

        add(10);
        assert_int_equal(take(), 0);
        history.now = impairment_due(&history.impairment, &rules);
        assert_int_equal(take(), 10);
        shortest = history.now - began < shortest ? history.now - began : shortest;
        longest = history.now - began > longest ? history.now - began : longest;
    }
    assert_true(shortest >= MILLISECONDS(30) && shortest < MILLISECONDS(31));
    assert_true(longest <= MILLISECONDS(50) && longest > MILLISECONDS(49));
    impairment_clear(&history.impairment);

    /* Without jitter all answers of one time come together. */
    rules.jitter = 0;
    begin(&rules, 3);
    add(5);
    add(6);
    history.now += MILLISECONDS(1);
    add(7);
    history.now += MILLISECONDS(29) - 1;
    assert_int_equal(take(), 0);
    history.now++;
    assert_int_equal(take(), 11);
    history.now += MILLISECONDS(1) - 1;
    assert_int_equal(take(), 0);
    history.now++;
    assert_int_equal(take(), 7);
    impairment_clear(&history.impairment);
}

/* An answer of which nothing is left does not hold up those that follow. */
static void dropped_answers_leave_nothing(void **state)
{
    struct impairment_rules rules = none;

    (void)state;
    rules.delay = MILLISECONDS(1);
    rules.at[IMPAIRMENT_DROP] = 4;
    begin(&rules, 0);
    for (int i = 0; i < 3; i++) {
        history.now++;
        add(i == 1 ? 1 : 3);
    }
    take_all();
    check_stream();
    assert_int_equal(history.out_length, 6);
    impairment_clear(&history.impairment);
}

/* However late the loop comes, the rate is kept over a second and never exceeded by much. */
static void rates_are_kept(void **state)
{
    struct impairment_rules rules = none;

    (void)state;
    random_begin(15);
    rules.rate = 10000;
    begin(&rules, 0);
    int64_t began = history.now;

    add(15000);
    while (history.now < began + SECONDS(1)) {
        take();
        double allowed = (double)(history.now - began) / (double)SECONDS(1) * 10000;
        assert_true((double)history.out_length <= allowed + 101);
        history.now += (int64_t)random_below((uint32_t)MILLISECONDS(30));
    }
    assert_true(history.out_length >= 9600);
    impairment_clear(&history.impairment);
}

/* The byte that comes out instead of 'd'. */
static char corrupt_byte(uint64_t seed, uint64_t connection)
{
    struct impairment_rules rules = none;

    rules.at[IMPAIRMENT_CORRUPT] = 4;
    rules.seed = seed;
    begin(&rules, connection);
    add(8);
    take_all();
    impairment_clear(&history.impairment);
    return history.out[3];
}

/* The same seed and number give the same faults, and others give others. */
static void chance_comes_from_seed_and_connection(void **state)
{
    int by_seed = 0, by_connection = 0;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(corrupt_byte(1, i), corrupt_byte(1, i));
        by_seed += corrupt_byte(1, i) != corrupt_byte(2, i);
        by_connection += corrupt_byte(1, i) != corrupt_byte(1, i + 1);
    }
    assert_true(by_seed > 5);
    assert_true(by_connection > 5);
}

/* Input waits when too much waits to be sent, in bytes or in times of adding, and after a stall. */
static void room_is_bounded(void **state)
{
    struct impairment_rules rules = none;
    int times = 0;

    (void)state;
    rules.delay = SECONDS(1);
    begin(&rules, 0);
    for (; impairment_has_room(&history.impairment, &rules); times++) {
        history.now++;
        add(1);
    }
    assert_int_equal(times, IMPAIRMENT_MARKS);
    take_all();
    assert_true(impairment_has_room(&history.impairment, &rules));
    for (int i = 0; i < 6; i++)
        assert_true(impairment_add(&history.impairment, &rules, (struct span){history.out, 10923},
                                   history.now));
    assert_false(impairment_has_room(&history.impairment, &rules));
    impairment_clear(&history.impairment);

    rules = none;
    rules.at[IMPAIRMENT_STALL] = 6;
    begin(&rules, 0);
    add(9);
    assert_true(impairment_has_room(&history.impairment, &rules));
    assert_int_equal(take(), 5);
    assert_false(impairment_has_room(&history.impairment, &rules));
    assert_int_equal(impairment_due(&history.impairment, &rules), DEADLINE_NEVER);
    impairment_clear(&history.impairment);
}

static void rules_are_on_or_off(void **state)
{
    struct impairment_rules rules = none;

    (void)state;
    assert_false(impairment_is_on(&rules));
    for (int fault = 0; fault < IMPAIRMENT_FAULTS; fault++) {
        rules.at[fault] = 1;
        assert_true(impairment_is_on(&rules));
        rules.at[fault] = 0;
    }
    assert_true(impairment_is_on(&(struct impairment_rules){.delay = 1}));
    rules.jitter = 1;
    assert_true(impairment_is_on(&rules));
    rules.jitter = 0;
    rules.piece = 1;
    assert_true(impairment_is_on(&rules));
    rules.piece = 0;
    rules.rate = 1;
    assert_true(impairment_is_on(&rules));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_history_comes_out_right),
        cmocka_unit_test(delays_are_kept),
        cmocka_unit_test(dropped_answers_leave_nothing),
        cmocka_unit_test(rates_are_kept),
        cmocka_unit_test(chance_comes_from_seed_and_connection),
        cmocka_unit_test(room_is_bounded),
        cmocka_unit_test(rules_are_on_or_off),
    };

    return cmocka_run_group_tests_name("impairment", tests, NULL, NULL);
}
