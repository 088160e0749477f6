/* Unit tests of client/line_editor, with client/key_decoder before it where a paste is. */
#include "line_editor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "key_decoder.h"
#include "random_numbers.h"
#include "test.h"
#include "text.h"

#define ACUTE "\xCC\x81"                         /* U+0301, combining */
#define HAN "\xE6\xBC\xA2"                       /* U+6F22, two columns */
#define WOMAN "\xF0\x9F\x91\xA9"                 /* U+1F469, two columns */
#define GIRL "\xF0\x9F\x91\xA7"                  /* U+1F467, two columns */
#define JOINER "\xE2\x80\x8D"                    /* U+200D */
#define FLAG_D "\xF0\x9F\x87\xA9"                /* U+1F1E9 */
#define FLAG_E "\xF0\x9F\x87\xAA"                /* U+1F1EA */
#define FAMILY WOMAN JOINER GIRL                 /* one character, at most four columns */
#define FLAG FLAG_D FLAG_E                       /* one character, two columns */
#define THUMB "\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD" /* U+1F44D U+1F3FD: one character */

static enum line_editor_event press(struct line_editor *editor, enum key_kind kind)
{
    struct key key = {.kind = kind};

    return line_editor_key(editor, &key);
}

static void type(struct line_editor *editor, const char *text, size_t length)
{
    while (length > 0) {
        struct key key = {.kind = KEY_TEXT, .length = text_utf8_length(text, length)};

        memcpy(key.text, text, key.length);
        assert_int_equal(line_editor_key(editor, &key), LINE_EDITOR_CHANGED);
        text += key.length;
        length -= key.length;
    }
}

/* A line is written with | where the cursor stands. */
static void assert_line(const struct line_editor *editor, const char *line)
{
    char shown[200];

    assert_in_range(editor->length, 0, sizeof shown - 2);
    assert_in_range(editor->cursor, 0, editor->length);
    if (editor->length > 0) {
        memcpy(shown, editor->text, editor->cursor);
        memcpy(shown + editor->cursor + 1, editor->text + editor->cursor,
               editor->length - editor->cursor);
    }
    shown[editor->cursor] = '|';
    shown[editor->length + 1] = '\0';
    assert_string_equal(shown, line);
}

static void enter(struct line_editor *editor, const char *line)
{
    type(editor, line, strlen(line));
    assert_int_equal(press(editor, KEY_ENTER), LINE_EDITOR_LINE);
    line_editor_next(editor);
    assert_line(editor, "|");
}

static void every_key(void **state)
{
    static const struct {
        const char *before;
        enum key_kind kind;
        const char *after;
    } cases[] = {
        {"ab|cd", KEY_BACKSPACE, "a|cd"},
        {"|cd", KEY_BACKSPACE, "|cd"},
        {"e" ACUTE "|x", KEY_BACKSPACE, "|x"},
        {"a" FAMILY "|x", KEY_BACKSPACE, "a|x"},
        {FLAG FLAG "|x", KEY_BACKSPACE, FLAG "|x"},
        {"a" THUMB "|", KEY_BACKSPACE, "a|"},
        {"ab|cd", KEY_DELETE, "ab|d"},
        {"ab|", KEY_DELETE, "ab|"},
        {"a|e" ACUTE "x", KEY_DELETE, "a|x"},
        {"a|" FAMILY "x", KEY_DELETE, "a|x"},
        {"|" FLAG FLAG, KEY_DELETE, "|" FLAG},
        {"ab|cd", KEY_LEFT, "a|bcd"},
        {"|ab", KEY_LEFT, "|ab"},
        {"a" HAN "|b", KEY_LEFT, "a|" HAN "b"},
        {"a" FAMILY "|b", KEY_LEFT, "a|" FAMILY "b"},
        {"ab|cd", KEY_RIGHT, "abc|d"},
        {"ab|", KEY_RIGHT, "ab|"},
        {"a|" FAMILY "b", KEY_RIGHT, "a" FAMILY "|b"},
        {"|" FLAG FLAG, KEY_RIGHT, FLAG "|" FLAG},
        {"one two|", KEY_WORD_LEFT, "one |two"},
        {"one two  |", KEY_WORD_LEFT, "one |two  "},
        {"one\tt|wo", KEY_WORD_LEFT, "one\t|two"},
        {"one |two", KEY_WORD_LEFT, "|one two"},
        {"  |", KEY_WORD_LEFT, "|  "},
        {"|one", KEY_WORD_LEFT, "|one"},
        {HAN " " FAMILY "|", KEY_WORD_LEFT, HAN " |" FAMILY},
        {"|one two", KEY_WORD_RIGHT, "one| two"},
        {"one| \ttwo three", KEY_WORD_RIGHT, "one \ttwo| three"},
        {"one|  ", KEY_WORD_RIGHT, "one  |"},
        {"one|", KEY_WORD_RIGHT, "one|"},
        {"one|two", KEY_HOME, "|onetwo"},
        {"one|two", KEY_END, "onetwo|"},
        {"|", KEY_END, "|"},
        {"one|two", KEY_KILL_TO_END, "one|"},
        {"one|", KEY_KILL_TO_END, "one|"},
        {"one|two", KEY_KILL_TO_START, "|two"},
        {"|two", KEY_KILL_TO_START, "|two"},
        {"one two|x", KEY_KILL_WORD, "one |x"},
        {"one two  |x", KEY_KILL_WORD, "one |x"},
        {"one|", KEY_KILL_WORD, "|"},
        {"|one", KEY_KILL_WORD, "|one"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor *editor = calloc(1, sizeof *editor);
        const char *cursor = strchr(cases[i].before, '|');

        assert_non_null(editor);
        type(editor, cursor + 1, strlen(cursor + 1));
        press(editor, KEY_HOME);
        type(editor, cases[i].before, (size_t)(cursor - cases[i].before));
        assert_line(editor, cases[i].before);
        assert_int_equal(press(editor, cases[i].kind), LINE_EDITOR_CHANGED);
        assert_line(editor, cases[i].after);
        line_editor_clear(editor);
        free(editor);
    }
}

static void keys_that_change_no_line(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_END_OF_INPUT), LINE_EDITOR_END);
    assert_int_equal(press(&editor, KEY_HANG_UP), LINE_EDITOR_END);
    type(&editor, "a\tb", 3);
    press(&editor, KEY_LEFT);
    assert_line(&editor, "a\t|b");
    assert_int_equal(press(&editor, KEY_END_OF_INPUT), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_OTHER), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_CLEAR_SCREEN), LINE_EDITOR_CLEAR_SCREEN);
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);
    assert_line(&editor, "a\t|b");
    assert_int_equal(press(&editor, KEY_HANG_UP), LINE_EDITOR_END);
    /* The line is whole wherever the cursor stands. */
    assert_int_equal(press(&editor, KEY_ENTER), LINE_EDITOR_LINE);
    assert_line(&editor, "a\t|b");
    line_editor_clear(&editor);
    assert_line(&editor, "|");
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
}

static void the_history_recalls_lines_and_the_draft(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    enter(&editor, "one");
    enter(&editor, "two");
    enter(&editor, "two"); /* the same in a row, and an empty line, are not remembered */
    enter(&editor, "");
    enter(&editor, "one"); /* the same, but not in a row */
    type(&editor, "draft", 5);
    press(&editor, KEY_LEFT);
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_CHANGED);
    assert_line(&editor, "one|");
    press(&editor, KEY_UP);
    assert_line(&editor, "two|");
    press(&editor, KEY_UP);
    assert_line(&editor, "one|");
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    assert_line(&editor, "one|");
    press(&editor, KEY_DOWN);
    press(&editor, KEY_DOWN);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_CHANGED);
    assert_line(&editor, "draft|");
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);

    /* A recalled line that is edited is a new line; the old one stays as it was. */
    press(&editor, KEY_UP);
    press(&editor, KEY_UP);
    type(&editor, "!", 1);
    assert_line(&editor, "two!|");
    enter(&editor, "");
    press(&editor, KEY_UP);
    assert_line(&editor, "two!|");
    press(&editor, KEY_UP);
    press(&editor, KEY_UP);
    assert_line(&editor, "two|");

    /* A recalled line that is entered again is the last one again; the draft is gone. */
    enter(&editor, "");
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);
    press(&editor, KEY_UP);
    assert_line(&editor, "two|");
    press(&editor, KEY_UP);
    assert_line(&editor, "two!|");
    line_editor_clear(&editor);
}

static void the_history_holds_a_thousand_lines(void **state)
{
    enum { LINES = LINE_EDITOR_HISTORY + 234 };
    struct line_editor editor = {0};
    char line[8] = "";

    (void)state;
    assert_int_equal(LINE_EDITOR_HISTORY, 1000);
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "%d", i);
        enter(&editor, line);
    }
    for (int i = LINES - 1; i >= LINES - LINE_EDITOR_HISTORY; i--) {
        assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_CHANGED);
        snprintf(line, sizeof line, "%d|", i);
        assert_line(&editor, line);
    }
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    for (int i = 0; i < LINE_EDITOR_HISTORY; i++)
        assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_CHANGED);
    assert_line(&editor, "|");
    line_editor_clear(&editor);
}

/* What is typed arrives in pieces that end anywhere; the lines taken are compared with it. */
static void paste(struct line_editor *editor, const char *text, size_t length)
{
    const char *line = text;
    size_t start = 0;
    size_t end = 0;

    while (start < length) {
        struct key key;
        size_t taken = end > start ? key_decoder_next(text + start, end - start, &key) : 0;

        if (taken == 0) {
            assert_in_range(end, 0, length - 1);
            end += 1 + random_below(end + 5000 < length ? 5000 : length - end);
            continue;
        }
        start += taken;
        if (line_editor_key(editor, &key) != LINE_EDITOR_LINE)
            continue;
        assert_int_equal(editor->length, text + start - taken - line);
        if (editor->length > 0)
            assert_memory_equal(editor->text, line, editor->length);
        line_editor_next(editor);
        line = text + start;
    }
    assert_ptr_equal(line, text + length);
}

static void a_paste_arrives_whole(void **state)
{
    enum { LENGTH = 100 * 1024 };
    static const char *const pieces[] = {"a", " ", "\t", "\\", HAN, FAMILY, "\xC3\xA9", FLAG};
    struct line_editor editor = {0};
    char *text = malloc(LENGTH);

    (void)state;
    assert_non_null(text);
    random_begin(7);
    /* Many short lines, then one line. */
    for (size_t line_end = 60; line_end <= 2 * LENGTH; line_end += 2 * LENGTH - 60) {
        size_t length = 0;

        while (length < LENGTH - 32) {
            const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];

            if (random_below(line_end) == 0 && line_end < LENGTH)
                piece = random_below(2) == 0 ? "\r" : "\n";
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
        text[length++] = '\r';
        paste(&editor, text, length);
    }
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_CHANGED);
    assert_in_range(editor.length, LENGTH - 40, LENGTH);
    line_editor_clear(&editor);
    free(text);
}

/*
 * The model: code points, and of each pair of neighbours whether it belongs together, by UAX 29 as
 * character_width.h has it.
 */
enum { LINE_MAX = 48 };

static const struct letter {
    uint32_t code;
    const char *bytes;
    size_t columns;
    enum { ALONE, JOINS, TIES, PAIRS } how;
} letters[] = {
    {'a', "a", 1, ALONE},
    {'b', "b", 1, ALONE},
    {' ', " ", 1, ALONE},
    {'\t', "\t", 1, ALONE},
    {0xAD, "\xC2\xAD", 1, ALONE},
    {0xE9, "\xC3\xA9", 1, ALONE},
    {0x6F22, HAN, 2, ALONE},
    {0x1100, "\xE1\x84\x80", 2, ALONE}, /* Hangul: the first part of a syllable, then others */
    {0x1161, "\xE1\x85\xA1", 0, JOINS},
    {0x11A8, "\xE1\x86\xA8", 0, JOINS},
    {0x301, ACUTE, 0, JOINS},
    {0xFE0F, "\xEF\xB8\x8F", 0, JOINS},
    {0x1F3FD, "\xF0\x9F\x8F\xBD", 2, JOINS},
    {0x200D, JOINER, 0, TIES},
    {0x1F469, WOMAN, 2, ALONE},
    {0x1F467, GIRL, 2, ALONE},
    {0x1F1E9, FLAG_D, 1, PAIRS},
    {0x1F1EA, FLAG_E, 1, PAIRS},
};

struct model_line {
    const struct letter *text[LINE_MAX];
    size_t length;
};

static struct model {
    struct model_line line;
    size_t cursor;
    struct model_line history[LINE_EDITOR_HISTORY];
    size_t history_count;
    size_t recalled;
    struct model_line draft;
} model;

static bool is_boundary(const struct model_line *line, size_t place)
{
    size_t flags = 0;

    if (place == 0 || place == line->length)
        return true;
    if (line->text[place]->how == JOINS || line->text[place]->how == TIES ||
        line->text[place - 1]->how == TIES)
        return false;
    while (flags < place && line->text[place - 1 - flags]->how == PAIRS)
        flags++;
    return line->text[place]->how != PAIRS || flags % 2 == 0;
}

static size_t boundary_before(const struct model_line *line, size_t place)
{
    while (place > 0 && !is_boundary(line, --place))
        ;
    return place;
}

static size_t boundary_behind(const struct model_line *line, size_t place)
{
    while (place < line->length && !is_boundary(line, ++place))
        ;
    return place;
}

static size_t columns_of(const struct model_line *line, size_t start, size_t end)
{
    size_t columns = 0;
    size_t last = 0;

    for (; start < end; start++) {
        size_t width = line->text[start]->columns;

        /* The emoji style takes a column behind what has one only. */
        if (line->text[start]->code == 0xFE0F && last == 1)
            width = 1;
        if (width > 0)
            last = line->text[start]->code == 0xFE0F ? 2 : width;
        columns += width;
    }
    return columns;
}

static size_t bytes_of(const struct model_line *line, size_t end)
{
    size_t bytes = 0;

    for (size_t i = 0; i < end; i++)
        bytes += strlen(line->text[i]->bytes);
    return bytes;
}

static bool space_at(size_t place)
{
    return model.line.text[place]->code == ' ' || model.line.text[place]->code == '\t';
}

static size_t model_word_left(void)
{
    size_t place = model.cursor;

    while (place > 0 && space_at(place - 1))
        place--;
    while (place > 0 && !space_at(place - 1))
        place--;
    return place;
}

static size_t model_word_right(void)
{
    size_t place = model.cursor;

    while (place < model.line.length && space_at(place))
        place++;
    while (place < model.line.length && !space_at(place))
        place++;
    return place;
}

static void model_erase(size_t start, size_t end)
{
    memmove(model.line.text + start, model.line.text + end,
            (model.line.length - end) * sizeof model.line.text[0]);
    model.line.length -= end - start;
    model.cursor = start;
}

static bool model_recall(size_t recalled)
{
    if (recalled > model.history_count)
        return false;
    if (model.recalled == 0)
        model.draft = model.line;
    model.line = recalled > 0 ? model.history[model.history_count - recalled] : model.draft;
    model.cursor = model.line.length;
    model.recalled = recalled;
    return true;
}

static void model_next(void)
{
    const struct model_line *last =
        &model.history[model.history_count > 0 ? model.history_count - 1 : 0];

    if (model.line.length > 0 &&
        (model.history_count == 0 || last->length != model.line.length ||
         memcmp(last->text, model.line.text, model.line.length * sizeof last->text[0]) != 0)) {
        if (model.history_count == LINE_EDITOR_HISTORY)
            memmove(model.history, model.history + 1,
                    --model.history_count * sizeof model.history[0]);
        model.history[model.history_count++] = model.line;
    }
    model.recalled = 0;
    model.line.length = 0;
    model.cursor = 0;
}

/* What a key other than text does to the model, and what the editor should say. */
static enum line_editor_event model_key(enum key_kind kind)
{
    size_t cursor = model.cursor;
    size_t length = model.line.length;

    switch (kind) {
    case KEY_ENTER:
        return LINE_EDITOR_LINE;
    case KEY_BACKSPACE:
        model_erase(boundary_before(&model.line, cursor), cursor);
        break;
    case KEY_DELETE:
        model_erase(cursor, boundary_behind(&model.line, cursor));
        break;
    case KEY_LEFT:
        model.cursor = boundary_before(&model.line, cursor);
        break;
    case KEY_RIGHT:
        model.cursor = boundary_behind(&model.line, cursor);
        break;
    case KEY_WORD_LEFT:
        model.cursor = model_word_left();
        break;
    case KEY_WORD_RIGHT:
        model.cursor = model_word_right();
        break;
    case KEY_HOME:
        model.cursor = 0;
        break;
    case KEY_END:
        model.cursor = length;
        break;
    case KEY_UP:
        return model_recall(model.recalled + 1) ? LINE_EDITOR_CHANGED : LINE_EDITOR_NOTHING;
    case KEY_DOWN:
        return model.recalled > 0 && model_recall(model.recalled - 1) ? LINE_EDITOR_CHANGED
                                                                      : LINE_EDITOR_NOTHING;
    case KEY_KILL_TO_END:
        model_erase(cursor, length);
        break;
    case KEY_KILL_TO_START:
        model_erase(0, cursor);
        break;
    case KEY_KILL_WORD:
        model_erase(model_word_left(), cursor);
        break;
    case KEY_CLEAR_SCREEN:
        return LINE_EDITOR_CLEAR_SCREEN;
    case KEY_END_OF_INPUT:
        return length == 0 ? LINE_EDITOR_END : LINE_EDITOR_NOTHING;
    case KEY_HANG_UP:
        return LINE_EDITOR_END;
    case KEY_TEXT:
    case KEY_OTHER:
        return LINE_EDITOR_NOTHING;
    }
    return LINE_EDITOR_CHANGED;
}

static void assert_as_model(const struct line_editor *editor)
{
    size_t place = 0;

    assert_int_equal(editor->length, bytes_of(&model.line, model.line.length));
    assert_int_equal(editor->cursor, bytes_of(&model.line, model.cursor));
    for (size_t i = 0; i < model.line.length; i++) {
        const char *bytes = model.line.text[i]->bytes;

        assert_memory_equal(editor->text + place, bytes, strlen(bytes));
        place += strlen(bytes);
    }
}

/*
 * Draws the view on a row of a screen: the character with the cursor, or one free column behind the
 * end, is on it; as much before it as fits; then as much behind it. Where the row is too narrow for
 * that one character, nothing is.
 */
static void assert_drawn_as_model(const struct line_editor *editor, size_t columns)
{
    const struct model_line *line = &model.line;
    struct line_editor_view view = line_editor_view(editor, columns);
    size_t end = boundary_behind(line, model.cursor);
    size_t at_end = model.cursor == line->length; /* the column of the cursor itself */
    size_t start =
        is_boundary(line, model.cursor) ? model.cursor : boundary_before(line, model.cursor);

    assert_in_range(view.start, 0, editor->cursor);
    assert_in_range(view.end, editor->cursor, editor->length);
    if (columns_of(line, start, end) + at_end > columns) {
        assert_int_equal(view.start, view.end);
        return;
    }
    for (size_t before; start > 0; start = before) {
        before = boundary_before(line, start);
        if (columns_of(line, before, end) + at_end > columns)
            break;
    }
    for (size_t behind; end < line->length; end = behind) {
        behind = boundary_behind(line, end);
        if (columns_of(line, start, behind) > columns)
            break;
    }
    assert_int_equal(view.start, bytes_of(line, start));
    assert_int_equal(view.end, bytes_of(line, end));
    assert_in_range(columns_of(line, start, end), 0, columns - at_end);
}

static void random_keys_do_what_they_do_to_a_model(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    random_begin(42);
    memset(&model, 0, sizeof model);
    for (int i = 0; i < 100000; i++) {
        struct key key = {.kind = (enum key_kind)random_below(KEY_OTHER + 1)};
        enum line_editor_event expected;

        if (random_below(3) > 0 || key.kind == KEY_TEXT) {
            const struct letter *letter = &letters[random_below(sizeof letters / sizeof *letters)];

            if (model.line.length == LINE_MAX)
                continue;
            key.kind = KEY_TEXT;
            key.length = strlen(letter->bytes);
            memcpy(key.text, letter->bytes, key.length);
            memmove(model.line.text + model.cursor + 1, model.line.text + model.cursor,
                    (model.line.length - model.cursor) * sizeof model.line.text[0]);
            model.line.text[model.cursor++] = letter;
            model.line.length++;
            expected = LINE_EDITOR_CHANGED;
        } else {
            expected = model_key(key.kind);
        }
        assert_int_equal(line_editor_key(&editor, &key), expected);
        assert_as_model(&editor);
        assert_drawn_as_model(&editor, 1 + random_below(12));
        assert_drawn_as_model(&editor, 1 + random_below(100));
        if (expected == LINE_EDITOR_LINE) {
            line_editor_next(&editor);
            model_next();
            assert_as_model(&editor);
        }
    }
    assert_int_equal(model.history_count, LINE_EDITOR_HISTORY);
    line_editor_clear(&editor);
}

static void what_is_drawn_of_a_line(void **state)
{
    static const struct {
        const char *line; /* | is the cursor */
        size_t columns;
        const char *drawn;
    } cases[] = {
        {"|", 1, ""},
        {"abc|", 4, "abc"},
        {"abc|", 3, "bc"},
        {"abc|", 1, ""},
        {"ab|c", 3, "abc"},
        {"ab|c", 2, "bc"},
        {"|abc", 2, "ab"},
        {"a|bcdef", 3, "abc"},
        {"ab|cdef", 3, "abc"},
        {"abc|def", 3, "bcd"},
        {HAN HAN "|", 5, HAN HAN},
        {HAN HAN "|", 4, HAN},
        {"a" HAN "|" HAN, 4, HAN HAN},
        {"|a" HAN, 2, "a"},
        {"e" ACUTE "e" ACUTE "|", 2, "e" ACUTE},
        {"ab|" FAMILY, 5, "b" FAMILY},
        {"|" FLAG FLAG, 3, FLAG},
        {"|" HAN, 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor editor = {0};
        const char *cursor = strchr(cases[i].line, '|');
        struct line_editor_view view;

        type(&editor, cursor + 1, strlen(cursor + 1));
        press(&editor, KEY_HOME);
        type(&editor, cases[i].line, (size_t)(cursor - cases[i].line));
        view = line_editor_view(&editor, cases[i].columns);
        assert_int_equal(view.end - view.start, strlen(cases[i].drawn));
        if (view.end > view.start)
            assert_memory_equal(editor.text + view.start, cases[i].drawn, view.end - view.start);
        line_editor_clear(&editor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),
        cmocka_unit_test(keys_that_change_no_line),
        cmocka_unit_test(the_history_recalls_lines_and_the_draft),
        cmocka_unit_test(the_history_holds_a_thousand_lines),
        cmocka_unit_test(a_paste_arrives_whole),
        cmocka_unit_test(what_is_drawn_of_a_line),
        cmocka_unit_test(random_keys_do_what_they_do_to_a_model),
    };

    return cmocka_run_group_tests_name("line_editor", tests, NULL, NULL);
}
