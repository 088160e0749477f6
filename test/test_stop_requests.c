/* Unit tests of common/stop_requests. */
#include "stop_requests.h"

#include "test.h"

static const int64_t START = SECONDS(5);

/* One more request, at a time after the start; returns how many have been counted. */
static unsigned ask(struct stop_requests *requests, int64_t time)
{
    stop_requests_add(requests, (struct stop_request){.time = START + time});
    return requests->count;
}

static unsigned hang_up(struct stop_requests *requests, int64_t time)
{
    stop_requests_add(requests, (struct stop_request){.time = START + time, .hang_up = 1});
    return requests->count;
}

static void one_wish_that_arrives_often_is_one(void **state)
{
    struct stop_requests requests = {0};

    (void)state;
    assert_int_equal(ask(&requests, 0), 1);
    assert_int_equal(ask(&requests, 0), 1);
    assert_int_equal(ask(&requests, 5), 1);
    assert_int_equal(hang_up(&requests, 10), 1);
    assert_int_equal(ask(&requests, STOP_REQUESTS_APART - 1), 1);
}

static void one_that_comes_clearly_later_is_another(void **state)
{
    struct stop_requests requests = {0};

    (void)state;
    assert_int_equal(ask(&requests, 0), 1);
    assert_int_equal(ask(&requests, STOP_REQUESTS_APART), 2);
    assert_int_equal(ask(&requests, STOP_REQUESTS_APART + 5), 2);
    assert_int_equal(ask(&requests, 2 * STOP_REQUESTS_APART), 3);
}

/* Asking without a pause helps, too: what was not counted puts nothing off. */
static void asking_again_and_again_is_heard(void **state)
{
    struct stop_requests requests = {0};
    int64_t time = 0;

    (void)state;
    while (ask(&requests, time) < 2 && time < 10 * STOP_REQUESTS_APART)
        time += STOP_REQUESTS_APART / 10;
    assert_int_equal(time, STOP_REQUESTS_APART);
}

static void a_hang_up_is_never_the_second(void **state)
{
    struct stop_requests requests = {0};

    (void)state;
    assert_int_equal(hang_up(&requests, 0), 1);
    assert_int_equal(hang_up(&requests, 5), 1);
    assert_int_equal(hang_up(&requests, 3600 * 1000), 1);
    /* Whoever asks after it is one who asks. */
    assert_int_equal(ask(&requests, 5), 1);
    assert_int_equal(ask(&requests, STOP_REQUESTS_APART), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_wish_that_arrives_often_is_one),
        cmocka_unit_test(one_that_comes_clearly_later_is_another),
        cmocka_unit_test(asking_again_and_again_is_heard),
        cmocka_unit_test(a_hang_up_is_never_the_second),
    };

    return cmocka_run_group_tests_name("stop_requests", tests, NULL, NULL);
}
