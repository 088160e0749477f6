/* What client/editor/line_editor does when memory is refused, and that it gives all of it back. */
#include "editor/line_editor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

static int granted = -1; /* how many more requests are granted; below 0: all */
static int owned;        /* blocks that were allocated and not freed */

__typeof__(malloc) __wrap_malloc, __real_malloc;
__typeof__(realloc) __wrap_realloc, __real_realloc;
__typeof__(free) __wrap_free, __real_free;

static bool grant(void)
{
    if (granted == 0)
        return false;
    granted -= granted > 0;
    return true;
}

void *__wrap_malloc(size_t size)
{
    if (!grant())
        return NULL;
    owned++;
    return __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (!grant())
        return NULL;
    owned += memory == NULL;
    return __real_realloc(memory, size);
}

void __wrap_free(void *memory)
{
    owned -= memory != NULL;
    __real_free(memory);
}

static enum line_editor_event press(struct line_editor *editor, enum key_kind kind)
{
    struct key key = {.kind = kind, .text = "x", .length = 1};

    return line_editor_key(editor, &key);
}

static void enter(struct line_editor *editor, size_t length)
{
    for (size_t i = 0; i < length; i++)
        press(editor, KEY_TEXT);
    press(editor, KEY_ENTER);
    line_editor_next(editor);
}

static void text_that_finds_no_memory_is_not_inserted(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = 0;
    assert_int_equal(press(&editor, KEY_TEXT), LINE_EDITOR_NOTHING);
    assert_int_equal(editor.length, 0);
    granted = 1;
    while (press(&editor, KEY_TEXT) == LINE_EDITOR_CHANGED)
        ;
    size_t length = editor.length;

    assert_int_not_equal(length, 0);
    press(&editor, KEY_LEFT);
    assert_int_equal(press(&editor, KEY_TEXT), LINE_EDITOR_NOTHING);
    assert_int_equal(editor.length, length);
    assert_int_equal(editor.cursor, length - 1);
    granted = -1;
    assert_int_equal(press(&editor, KEY_TEXT), LINE_EDITOR_CHANGED);
    assert_int_equal(editor.length, length + 1);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

static void a_line_that_finds_no_memory_is_not_remembered(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = -1;
    enter(&editor, 1);
    enter(&editor, 2);
    for (int i = 0; i < 3; i++)
        press(&editor, KEY_TEXT);
    granted = 0;
    line_editor_next(&editor);
    assert_int_equal(editor.length, 0);
    granted = -1;
    press(&editor, KEY_UP);
    assert_int_equal(editor.length, 2);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

/* Presses a key while one more request is granted each time, until it works; how often it did not.
 */
static int refusals(struct line_editor *editor, enum key_kind kind)
{
    size_t length = editor->length;
    size_t cursor = editor->cursor;

    for (int grants = 0;; grants++) {
        granted = grants;
        if (press(editor, kind) == LINE_EDITOR_CHANGED) {
            granted = -1;
            return grants;
        }
        assert_int_equal(editor->length, length);
        assert_int_equal(editor->cursor, cursor);
    }
}

static void type(struct line_editor *editor, size_t length)
{
    while (editor->length < length)
        press(editor, KEY_TEXT);
    press(editor, KEY_LEFT);
}

static void a_step_in_the_history_that_finds_no_memory_is_not_taken(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = -1;
    enter(&editor, 450);
    type(&editor, 300);
    /* Only the line that is being typed is copied: there is room for any line there has been. */
    assert_int_equal(refusals(&editor, KEY_UP), 1);
    assert_int_equal(editor.length, 450);
    assert_int_equal(editor.cursor, 450);
    type(&editor, editor.capacity - 10);
    assert_int_equal(refusals(&editor, KEY_DOWN), 0);
    assert_int_equal(editor.length, 300);
    assert_int_equal(editor.cursor, 300);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

/* Fills the line up to where it has to grow for the next byte. */
static void fill(struct line_editor *editor)
{
    press(editor, KEY_END);
    while (editor->length < editor->capacity)
        press(editor, KEY_TEXT);
}

static void changes_that_find_no_memory_are_not_made(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = -1;
    type(&editor, 10);
    press(&editor, KEY_END);
    assert_int_equal(refusals(&editor, KEY_BACKSPACE), 1); /* what can be undone is copied */
    press(&editor, KEY_HOME);
    assert_int_equal(refusals(&editor, KEY_DELETE_OR_END), 1);
    press(&editor, KEY_RIGHT);
    assert_int_equal(refusals(&editor, KEY_TRANSPOSE), 1);
    assert_int_equal(refusals(&editor, KEY_KILL_WORD), 2); /* and what is killed */
    assert_int_equal(editor.length, 6);
    assert_int_equal(refusals(&editor, KEY_UNDO), 0);
    assert_int_equal(editor.length, 8);
    fill(&editor);
    assert_int_equal(refusals(&editor, KEY_YANK), 1);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

static void a_paste_that_finds_no_memory_is_dropped_whole(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = -1;
    type(&editor, 10);
    fill(&editor);
    size_t length = editor.length;

    press(&editor, KEY_PASTE_BEGIN);
    press(&editor, KEY_TEXT);
    granted = 0;
    for (int i = 0; i < 100; i++)
        press(&editor, KEY_TEXT);
    granted = -1;
    for (int i = 0; i < 100; i++)
        press(&editor, KEY_TEXT);
    assert_int_equal(press(&editor, KEY_PASTE_END), LINE_EDITOR_NOTHING);
    assert_int_equal(editor.length, length);
    for (int grants = 0; grants < 3; grants++) {
        press(&editor, KEY_PASTE_BEGIN);
        press(&editor, KEY_TEXT);
        press(&editor, KEY_TEXT);
        granted = grants; /* for the copy with its line endings, and for the line */
        assert_int_equal(press(&editor, KEY_PASTE_END),
                         grants < 2 ? LINE_EDITOR_NOTHING : LINE_EDITOR_CHANGED);
        assert_int_equal(editor.length, grants < 2 ? length : length + 2);
        granted = -1;
    }
    press(&editor, KEY_PASTE_BEGIN);
    press(&editor, KEY_TEXT);
    line_editor_clear(&editor); /* a paste that never ends is given back, too */
    assert_int_equal(owned, 0);
}

static void a_search_that_finds_no_memory_goes_on(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    owned = 0;
    granted = -1;
    enter(&editor, 20);
    type(&editor, 3);
    press(&editor, KEY_SEARCH);
    press(&editor, KEY_TEXT);
    granted = 0;
    assert_int_equal(press(&editor, KEY_ENTER), LINE_EDITOR_NOTHING);
    assert_int_equal(editor.length, 3);
    assert_true(editor.searching);
    granted = -1;
    assert_int_equal(press(&editor, KEY_ENTER), LINE_EDITOR_LINE);
    assert_int_equal(editor.length, 20);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

static void a_row_that_finds_no_memory_is_as_before(void **state)
{
    struct line_editor editor = {0};
    struct line_editor_row row = {{NULL}, 7};
    bool good = false;
    int refused = 0;

    (void)state;
    owned = 0;
    granted = -1;
    type(&editor, 50);
    for (; !good; refused += !good) {
        granted = refused;
        good = line_editor_render(&editor, 80, &row);
        assert_int_equal(buffer_length(&row.text), good ? 52 : 0);
        assert_int_equal(row.cursor, good ? 51 : 7);
    }
    granted = -1;
    assert_int_not_equal(refused, 0);
    buffer_clear(&row.text);
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

static void memory_that_comes_and_goes(void **state)
{
    struct line_editor editor = {0};
    static char text[100000];

    (void)state;
    owned = 0;
    random_begin(3);
    for (int i = 0; i < 50000; i++) {
        enum key_kind kind = (enum key_kind)random_below(KEY_OTHER + 1);
        size_t length = editor.length;
        size_t cursor = editor.cursor;
        size_t recalled = editor.recalled;
        bool ends = editor.searching || editor.pasting; /* with a key that finishes the line, too */
        enum line_editor_event event;

        kind = random_below(4) > 0 ? KEY_TEXT : kind;
        assert_int_in_range(length, 0, sizeof text);
        if (length > 0)
            memcpy(text, editor.text, length);
        granted = (int)random_below(4) - 1;
        event = press(&editor, kind);
        if (event == LINE_EDITOR_NOTHING || (event != LINE_EDITOR_CHANGED && !ends)) {
            assert_int_equal(editor.length, length);
            assert_int_equal(editor.cursor, cursor);
            assert_int_equal(editor.recalled, recalled);
            if (length > 0)
                assert_memory_equal(editor.text, text, length);
        }
        if (event == LINE_EDITOR_LINE)
            line_editor_next(&editor);
    }
    granted = -1;
    line_editor_clear(&editor);
    assert_int_equal(owned, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_finds_no_memory_is_not_inserted),
        cmocka_unit_test(a_line_that_finds_no_memory_is_not_remembered),
        cmocka_unit_test(a_step_in_the_history_that_finds_no_memory_is_not_taken),
        cmocka_unit_test(changes_that_find_no_memory_are_not_made),
        cmocka_unit_test(a_paste_that_finds_no_memory_is_dropped_whole),
        cmocka_unit_test(a_search_that_finds_no_memory_goes_on),
        cmocka_unit_test(a_row_that_finds_no_memory_is_as_before),
        cmocka_unit_test(memory_that_comes_and_goes),
    };

    return cmocka_run_group_tests_name("line_editor without memory", tests, NULL, NULL);
}
