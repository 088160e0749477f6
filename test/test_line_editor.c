/* Unit tests of client/line_editor, which is pure. */
#include "line_editor.h"

#include <string.h>

#include "test.h"

static struct line_editor editor;

static int begin_empty(void **state)
{
    (void)state;
    line_editor_clear(&editor);
    return 0;
}

/* Types the characters of a text in UTF-8 one by one; returns what the last one did. */
static enum line_editor_event type(const char *text)
{
    enum line_editor_event event = LINE_EDITOR_NOTHING;

    while (*text != '\0') {
        struct key key = {.kind = KEY_TEXT};

        do
            key.text[key.length++] = *text++;
        while (((unsigned char)*text & 0xC0) == 0x80);
        event = line_editor_key(&editor, &key);
    }
    return event;
}

static enum line_editor_event press(enum key_kind kind)
{
    /* What stands beside the kind means nothing, unless the key is text. */
    struct key key = {.kind = kind, .text = "xxx", .length = 3};

    return line_editor_key(&editor, &key);
}

static void expect(const char *text)
{
    assert_int_equal(editor.length, strlen(text));
    assert_memory_equal(editor.text, text, strlen(text));
}

static void text_is_put_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(type("a"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("中"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("\t"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("😀"), LINE_EDITOR_CHANGED);
    expect("a中\t😀");
}

static void enter_finishes_the_line_and_clear_begins_the_next(void **state)
{
    (void)state;
    assert_int_equal(press(KEY_ENTER), LINE_EDITOR_LINE);
    expect("");
    type("a");
    assert_int_equal(press(KEY_ENTER), LINE_EDITOR_LINE);
    expect("a");
    line_editor_clear(&editor);
    expect("");
    type("b");
    expect("b");
}

static void backspace_takes_one_character_however_long(void **state)
{
    static const char *const left[] = {"aé中", "aé", "a", ""};

    (void)state;
    type("aé中😀");
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_int_equal(press(KEY_BACKSPACE), LINE_EDITOR_CHANGED);
        expect(left[i]);
    }
    assert_int_equal(press(KEY_BACKSPACE), LINE_EDITOR_NOTHING);
    expect("");
}

/* Bytes that are no UTF-8 come one by one; none of them may lead out of the line. */
static void backspace_ends_at_the_beginning_of_the_line(void **state)
{
    (void)state;
    type("\x80");
    type("\xBF");
    assert_int_equal(press(KEY_BACKSPACE), LINE_EDITOR_CHANGED);
    expect("");
    assert_int_equal(press(KEY_BACKSPACE), LINE_EDITOR_NOTHING);
    expect("");
}

static void kill_line_takes_all(void **state)
{
    (void)state;
    type("a中");
    assert_int_equal(press(KEY_KILL_LINE), LINE_EDITOR_CHANGED);
    expect("");
}

static void end_of_input_counts_on_an_empty_line_only(void **state)
{
    (void)state;
    assert_int_equal(press(KEY_END_OF_INPUT), LINE_EDITOR_END);
    type("a");
    assert_int_equal(press(KEY_END_OF_INPUT), LINE_EDITOR_NOTHING);
    expect("a");
    press(KEY_BACKSPACE);
    assert_int_equal(press(KEY_END_OF_INPUT), LINE_EDITOR_END);
}

static void a_hang_up_ends_at_any_time(void **state)
{
    (void)state;
    assert_int_equal(press(KEY_HANG_UP), LINE_EDITOR_END);
    type("a");
    assert_int_equal(press(KEY_HANG_UP), LINE_EDITOR_END);
}

static void other_keys_do_nothing(void **state)
{
    (void)state;
    type("a");
    assert_int_equal(press(KEY_OTHER), LINE_EDITOR_NOTHING);
    expect("a");
}

static void what_exceeds_the_limit_is_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINE_EDITOR_MAX - 2; i++)
        assert_int_equal(type("a"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("中"), LINE_EDITOR_NOTHING); /* it would have to be cut */
    assert_int_equal(editor.length, LINE_EDITOR_MAX - 2);
    assert_int_equal(type("b"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("c"), LINE_EDITOR_CHANGED);
    assert_int_equal(type("d"), LINE_EDITOR_NOTHING);
    assert_int_equal(editor.length, LINE_EDITOR_MAX);
    assert_memory_equal(editor.text + LINE_EDITOR_MAX - 3, "abc", 3);
    assert_int_equal(press(KEY_BACKSPACE), LINE_EDITOR_CHANGED);
    assert_int_equal(type("d"), LINE_EDITOR_CHANGED);
    assert_memory_equal(editor.text + LINE_EDITOR_MAX - 3, "abd", 3);
    assert_int_equal(press(KEY_ENTER), LINE_EDITOR_LINE);
}

static void the_end_of_a_long_line_is_visible(void **state)
{
    (void)state;
    assert_int_equal(line_editor_visible(&editor, 10), 0);
    type("a中文b");
    assert_int_equal(line_editor_visible(&editor, 0), editor.length);
    assert_int_equal(line_editor_visible(&editor, 1), strlen("a中文"));
    /* 中 and 文 take two columns each. */
    assert_int_equal(line_editor_visible(&editor, 2), strlen("a中文"));
    assert_int_equal(line_editor_visible(&editor, 3), strlen("a中"));
    assert_int_equal(line_editor_visible(&editor, 5), strlen("a"));
    assert_int_equal(line_editor_visible(&editor, 6), 0);
    assert_int_equal(line_editor_visible(&editor, 100), 0);
    /* It begins with a whole character at any width, and more columns never show less. */
    for (size_t columns = 0, last = editor.length; columns < 10; columns++) {
        size_t start = line_editor_visible(&editor, columns);

        assert_true(start == 0 || start == 1 || start == 4 || start == 7 || start == 8);
        assert_true(start <= last);
        last = start;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(text_is_put_at_the_end, begin_empty),
        cmocka_unit_test_setup(enter_finishes_the_line_and_clear_begins_the_next, begin_empty),
        cmocka_unit_test_setup(backspace_takes_one_character_however_long, begin_empty),
        cmocka_unit_test_setup(backspace_ends_at_the_beginning_of_the_line, begin_empty),
        cmocka_unit_test_setup(kill_line_takes_all, begin_empty),
        cmocka_unit_test_setup(end_of_input_counts_on_an_empty_line_only, begin_empty),
        cmocka_unit_test_setup(a_hang_up_ends_at_any_time, begin_empty),
        cmocka_unit_test_setup(other_keys_do_nothing, begin_empty),
        cmocka_unit_test_setup(what_exceeds_the_limit_is_ignored, begin_empty),
        cmocka_unit_test_setup(the_end_of_a_long_line_is_visible, begin_empty),
    };

    return cmocka_run_group_tests_name("line_editor", tests, NULL, NULL);
}
