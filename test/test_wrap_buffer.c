#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

enum { MODEL_MAX = 20000, BLOCK_HEADER_MAX = 64 };

static bool refuse_memory;
static int allocations; /* asked for since this was last set to 0 */
static size_t last_size;
static int owned; /* blocks that were allocated and not freed since this was last set to 0 */

__typeof__(malloc) __wrap_malloc, __real_malloc;
__typeof__(free) __wrap_free, __real_free;

void *__wrap_malloc(size_t size)
{
    allocations++;
    last_size = size;
    if (refuse_memory)
        return NULL;
    owned++;
    return __real_malloc(size);
}

void __wrap_free(void *memory)
{
    if (memory != NULL)
        owned--;
    __real_free(memory);
}

/* What the buffer should hold. */
static char model[MODEL_MAX];
static size_t model_length;

static void assert_as_model(const struct buffer *buffer)
{
    assert_int_equal(buffer_length(buffer), model_length);
    assert_int_equal(owned, model_length > 0);
    if (model_length > 0)
        assert_memory_equal(buffer_bytes(buffer), model, model_length);
    else
        assert_null(buffer_bytes(buffer));
}

static void append(struct buffer *buffer, size_t length)
{
    static unsigned char next;

    for (size_t i = 0; i < length; i++)
        model[model_length + i] = (char)next++;
    assert_true(buffer_append(buffer, model + model_length, length));
    model_length += length;
    assert_as_model(buffer);
}

static void consume(struct buffer *buffer, size_t length)
{
    buffer_consume(buffer, length);
    if (length > model_length)
        length = model_length;
    model_length -= length;
    memmove(model, model + length, model_length);
    assert_as_model(buffer);
}

/* To be called by each test itself: cmocka may allocate before it. */
static void start_empty(void)
{
    refuse_memory = false;
    model_length = 0;
    owned = 0;
}

static void owns_nothing_while_empty(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    start_empty();
    assert_as_model(&buffer);
    assert_int_equal(sizeof buffer, sizeof(void *));
    append(&buffer, 0);
    append(&buffer, 1);
    consume(&buffer, 1);
    append(&buffer, 5000);
    consume(&buffer, 4999);
    consume(&buffer, 2);
    append(&buffer, 7);
    buffer_clear(&buffer);
    model_length = 0;
    assert_as_model(&buffer);
    buffer_clear(&buffer);
    consume(&buffer, 3);
}

static void is_first_in_first_out(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    start_empty();
    random_begin(42);
    for (int i = 0; i < 20000; i++) {
        size_t length = random_below(random_below(20) == 0 ? 3000 : 100);

        /* A while in which more comes than goes, then one in which it is the other way round. */
        if (random_below(10) < (i / 200 % 2 == 0 ? 7U : 3U) && model_length + length <= MODEL_MAX)
            append(&buffer, length);
        else
            consume(&buffer, length);
    }
    buffer_clear(&buffer);
}

/* The bound on the memory of a connection rests on these. */
static void takes_no_more_memory_than_it_should(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    start_empty();
    append(&buffer, 1000);
    assert_int_in_range(last_size, 1000, 1000 + BLOCK_HEADER_MAX);
    append(&buffer, 1);
    assert_int_in_range(last_size, 1001, 2000 + BLOCK_HEADER_MAX);
    append(&buffer, 10000);
    assert_int_in_range(last_size, 11001, 11001 + BLOCK_HEADER_MAX);

    /* Byte by byte it grows by doubling: no more than 12 times from 1 byte to 4,000. */
    consume(&buffer, model_length);
    allocations = 0;
    while (model_length < 4000)
        append(&buffer, 1);
    assert_int_in_range(allocations, 1, 13);

    /* What was consumed at the front is used again before it grows. */
    consume(&buffer, 10);
    while (allocations < 14)
        append(&buffer, 1);
    consume(&buffer, 2000);
    allocations = 0;
    for (int i = 0; i < 10000; i++) {
        consume(&buffer, 50);
        append(&buffer, 50);
    }
    assert_int_equal(allocations, 0);
    buffer_clear(&buffer);
}

static void refused_memory_changes_nothing(void **state)
{
    struct buffer buffer = {0};
    char bytes[100] = "";

    (void)state;
    start_empty();
    refuse_memory = true;
    assert_false(buffer_append(&buffer, bytes, 1));
    assert_as_model(&buffer);
    assert_true(buffer_append(&buffer, bytes, 0));

    refuse_memory = false;
    append(&buffer, 50);
    consume(&buffer, 10);
    refuse_memory = true;
    assert_false(buffer_append(&buffer, bytes, 11));
    assert_as_model(&buffer);
    /* There is room for ten without asking. */
    append(&buffer, 10);

    refuse_memory = false;
    append(&buffer, 100);
    buffer_clear(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owns_nothing_while_empty),
        cmocka_unit_test(is_first_in_first_out),
        cmocka_unit_test(takes_no_more_memory_than_it_should),
        cmocka_unit_test(refused_memory_changes_nothing),
    };

    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
