/* Tests of client/dialogue at a terminal that edits lines itself, while memory is refused. */
#include "session/dialogue.h"

#include <string.h>

#include "test.h"

static int granted;       /* how many more buffer_append() go well; below 0: all */
static const char *typed; /* what the next stream_read() returns; NULL: the end of the input */

__typeof__(terminal_takes_keys) __wrap_terminal_takes_keys;
__typeof__(stream_read) __wrap_stream_read;
__typeof__(buffer_append) __wrap_buffer_append, __real_buffer_append;

bool __wrap_terminal_takes_keys(const struct terminal *terminal)
{
    (void)terminal;
    return false;
}

ptrdiff_t __wrap_stream_read(void *bytes, size_t size)
{
    if (typed == NULL)
        return STREAM_END;
    size_t length = strlen(typed);

    assert_true(length <= size);
    memcpy(bytes, typed, length);
    typed = NULL;
    return (ptrdiff_t)length;
}

bool __wrap_buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (granted == 0)
        return false;
    granted -= granted > 0;
    return __real_buffer_append(buffer, bytes, length);
}

/* A line that is lost is a failure, at whichever point of its way. */
static void a_line_that_finds_no_memory_is_a_failure(void **state)
{
    static const struct dialogue_options options = {.eol = "\r\n"};

    (void)state;
    for (int i = 0; i <= 5; i++) {
        struct dialogue dialogue = {.options = &options};
        struct buffer lines = {NULL};

        granted = i;
        typed = "hello\nwor";
        enum dialogue_verdict verdict = dialogue_read(&dialogue, &lines);

        if (i >= 3) {
            assert_int_equal(verdict, DIALOGUE_CONTINUE);
            assert_int_equal(buffer_length(&lines), 7);
            assert_memory_equal(buffer_bytes(&lines), "hello\r\n", 7);
            verdict = dialogue_read(&dialogue, &lines);
        }
        assert_int_equal(verdict, i > 3 ? DIALOGUE_ENDED : DIALOGUE_FAILED);
        if (i > 3)
            assert_memory_equal(buffer_bytes(&lines), "hello\r\nwor", 10);
        buffer_clear(&lines);
        dialogue_clear(&dialogue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_finds_no_memory_is_a_failure),
    };

    return cmocka_run_group_tests_name("dialogue", tests, NULL, NULL);
}
