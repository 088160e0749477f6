/* Unit tests of line_editor_render(). */
#include "editor/line_editor.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "text.h"

#define ACUTE "\xCC\x81"          /* U+0301, combining */
#define HAN "\xE6\xBC\xA2"        /* U+6F22, two columns */
#define FLAG_D "\xF0\x9F\x87\xA9" /* U+1F1E9 */
#define FLAG_E "\xF0\x9F\x87\xAA" /* U+1F1EA */
#define FLAG FLAG_D FLAG_E        /* one character, two columns */

static void press(struct line_editor *editor, enum key_kind kind)
{
    struct key key = {.kind = kind};

    line_editor_key(editor, &key);
}

static void type(struct line_editor *editor, const char *text, size_t length)
{
    while (length > 0) {
        struct key key = {.kind = KEY_TEXT, .length = text_utf8_length(text, length)};

        key.length += key.length == 0; /* a byte that belongs to no character */
        memcpy(key.text, text, key.length);
        line_editor_key(editor, &key);
        text += key.length;
        length -= key.length;
    }
}

/* What is drawn is written with | where the cursor stands. */
static void assert_drawn(const struct line_editor *editor, size_t columns, const char *expected)
{
    struct line_editor_row row = {{NULL}, 0};
    char drawn[200] = "";

    assert_true(line_editor_render(editor, columns, &row));
    size_t length = buffer_length(&row.text);

    assert_int_in_range(length, 0, sizeof drawn - 2);
    assert_int_in_range(row.cursor, 0, length);
    if (length > 0) {
        memcpy(drawn, buffer_bytes(&row.text), row.cursor);
        memcpy(drawn + row.cursor + 1, buffer_bytes(&row.text) + row.cursor, length - row.cursor);
    }
    drawn[row.cursor] = '|';
    assert_string_equal(drawn, expected);
    buffer_clear(&row.text);
}

static void the_part_of_a_line_that_fits(void **state)
{
    static const struct {
        const char *line; /* | is the cursor */
        size_t columns;
        const char *drawn;
    } cases[] = {
        {"|", SIZE_MAX, "> |"},
        {"|", 80, "> |"},
        {"|", 4, "> |"},
        {"|", 3, " |"},
        {"|", 2, "|"},
        {"|", 1, "|"},
        {"a|bc", 1, "|b"},
        {"a|bc", 2, "|b"},
        {"a|bc", 3, " |b"},
        {"a|bc", 4, "> |b"},
        {"abc|", 7, "> abc|"},
        {"abc|", 6, "> bc|"},
        {"abc|", 4, "> |"},
        {"ab|c", 6, "> ab|c"},
        {"ab|c", 5, "> b|c"},
        {"|abc", 5, "> |ab"},
        {"a|bcdef", 6, "> a|bc"},
        {"abc|def", 6, "> bc|d"},
        {"abc|def", SIZE_MAX, "> abc|def"},
        {HAN HAN "|", 8, "> " HAN HAN "|"},
        {HAN HAN "|", 7, "> " HAN "|"},
        {"a" HAN "|" HAN, 7, "> " HAN "|" HAN},
        {"|a" HAN, 5, "> |a"},
        {"e" ACUTE "e" ACUTE "|", 5, "> e" ACUTE "|"},
        {"|" FLAG FLAG, 6, "> |" FLAG},
        {"|" HAN, 4, "> |"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor editor = {0};
        const char *cursor = strchr(cases[i].line, '|');

        type(&editor, cursor + 1, strlen(cursor + 1));
        press(&editor, KEY_HOME);
        type(&editor, cases[i].line, (size_t)(cursor - cases[i].line));
        assert_drawn(&editor, cases[i].columns, cases[i].drawn);
        line_editor_clear(&editor);
    }
}

/* Nothing of the line drives the terminal, and what differs looks different. */
static void what_cannot_be_shown_is_escaped(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *drawn;
    } cases[] = {
        {"\t", 1, " "},
        {"\0", 1, "^@"},
        {"\n", 1, "^J"},
        {"\x1B", 1, "^["},
        {"\x1F", 1, "^_"},
        {"\x7F", 1, "^?"},
        {"\\", 1, "\\\\"},
        {"\xFF", 1, "\\xff"},
        {"\xE9", 1, "\\xe9"},
        {"\xC2\x9B", 2, "\\xc2\\x9b"},          /* C1: CSI */
        {"\xC2\xAD", 2, "\\xc2\\xad"},          /* soft hyphen */
        {"\xE2\x80\x8B", 3, "\\xe2\\x80\\x8b"}, /* zero width space */
        {"\xEF\xBB\xBF", 3, "\\xef\\xbb\\xbf"}, /* byte order mark */
        {"\xE2\x80\xAE", 3, "\\xe2\\x80\\xae"}, /* right-to-left override */
        {"\xC3\xA9", 2, "\xC3\xA9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor editor = {0};
        size_t columns =
            cases[i].length == 2 && cases[i].drawn[0] != '\\' ? 1 : strlen(cases[i].drawn);
        char expected[40];

        type(&editor, cases[i].bytes, cases[i].length);
        snprintf(expected, sizeof expected, "> %s|", cases[i].drawn);
        assert_drawn(&editor, 80, expected);
        assert_drawn(&editor, SIZE_MAX, expected);
        assert_drawn(&editor, 2 + columns + 2, expected);
        assert_drawn(&editor, 2 + columns + 1, "> |");
        press(&editor, KEY_HOME);
        snprintf(expected, sizeof expected, "> |%s", cases[i].drawn);
        assert_drawn(&editor, 2 + columns + 1, expected);
        line_editor_clear(&editor);
    }
}

static void what_is_searched_for_is_shown(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    type(&editor, "GET /index", 10);
    press(&editor, KEY_ENTER);
    line_editor_next(&editor);
    type(&editor, "dr", 2);
    press(&editor, KEY_SEARCH);
    assert_drawn(&editor, 80, "(search ''): dr|");
    type(&editor, "in", 2);
    assert_drawn(&editor, 80, "(search 'in'): GET /|index");
    type(&editor, "\x01\xFF", 2);
    assert_drawn(&editor, 80, "(failed search 'in^A\\xff'): GET /|index");
    assert_drawn(&editor, SIZE_MAX, "(failed search 'in^A\\xff'): GET /|index");
    press(&editor, KEY_CANCEL);
    assert_drawn(&editor, 80, "> dr|");

    /* However narrow the window, the row is not wider, and the last column stays free. */
    press(&editor, KEY_SEARCH);
    type(&editor, "ind", 3);
    assert_drawn(&editor, 18, "(search 'ind'): |i");
    assert_drawn(&editor, 17, "search 'ind'): |i");
    assert_drawn(&editor, 10, "'ind'): |i");
    assert_drawn(&editor, 2, "|i");
    assert_drawn(&editor, 1, "|i");
    press(&editor, KEY_CANCEL);
    press(&editor, KEY_SEARCH);
    type(&editor, HAN HAN, 6);
    assert_drawn(&editor, 8, HAN "'): |");
    assert_drawn(&editor, 7, "'): r|"); /* a character is not halved */
    line_editor_clear(&editor);
}

static void rows_are_appended(void **state)
{
    struct line_editor editor = {0};
    struct line_editor_row row = {{NULL}, 0};

    (void)state;
    type(&editor, "ab", 2);
    press(&editor, KEY_LEFT);
    assert_true(buffer_append(&row.text, "\r", 1));
    assert_true(line_editor_render(&editor, 80, &row));
    assert_int_equal(buffer_length(&row.text), 5);
    assert_memory_equal(buffer_bytes(&row.text), "\r> ab", 5);
    assert_int_equal(row.cursor, 4);
    buffer_clear(&row.text);
    line_editor_clear(&editor);
}

static void a_row_may_be_broken(void **state)
{
    static const struct {
        const char *row; /* | is the byte that is looked for */
        size_t columns;
        size_t place[2]; /* row, column */
    } cases[] = {
        {"|", 3, {0, 0}},
        {"> a|", 3, {0, 3}},
        {"> ab|", 3, {1, 1}},
        {"> abcdefg|", 3, {2, 3}},
        {"> abcd|efg", 3, {2, 0}},
        {"> a|bcdefg", 3, {1, 0}},
        {"|> abcdefg", 3, {0, 0}},
        {"> abcdefg|", 80, {0, 9}},
        /* A wide character that would be cut begins a new row. */
        {"> " HAN HAN HAN "|", 5, {1, 4}},
        {"> " HAN HAN HAN "|" HAN, 5, {2, 0}},
        {"> " HAN "|" HAN, 5, {1, 0}},
        {"> a" ACUTE "|" FLAG, 4, {1, 0}},
        {"> a" ACUTE "b|", 4, {0, 4}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *cursor = strchr(cases[i].row, '|');
        struct line_editor_row row = {{NULL}, 0};

        row.cursor = (size_t)(cursor - cases[i].row);
        assert_true(buffer_append(&row.text, cases[i].row, row.cursor));
        assert_true(buffer_append(&row.text, cursor + 1, strlen(cursor + 1)));
        struct line_editor_place place =
            line_editor_wrapped_place(&row, row.cursor, cases[i].columns);

        assert_int_equal(place.row, cases[i].place[0]);
        assert_int_equal(place.column, cases[i].place[1]);
        buffer_clear(&row.text);
    }
}

/* Found by fuzzing: a line that was too wide for its row. */
static void bytes_that_come_together_at_the_cursor_fit(void **state)
{
    struct line_editor editor = {.text = NULL};

    (void)state;
    type(&editor, "\xD8x\xBB", 3);
    press(&editor, KEY_LEFT);
    press(&editor, KEY_BACKSPACE);
    assert_drawn(&editor, 20, "> \\xd8|\\xbb");
    assert_drawn(&editor, 10, "> |");
    line_editor_clear(&editor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_part_of_a_line_that_fits),
        cmocka_unit_test(what_cannot_be_shown_is_escaped),
        cmocka_unit_test(what_is_searched_for_is_shown),
        cmocka_unit_test(rows_are_appended),
        cmocka_unit_test(a_row_may_be_broken),
        cmocka_unit_test(bytes_that_come_together_at_the_cursor_fit),
    };

    return cmocka_run_group_tests_name("line_render", tests, NULL, NULL);
}
