/* Unit tests of client/editor/line_editor, with client/terminal/key_decoder before it where a paste
 * is. */
#include "editor/line_editor.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "terminal/key_decoder.h"
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

        key.length += key.length == 0; /* a byte that belongs to no character */
        memcpy(key.text, text, key.length);
        assert_int_equal(line_editor_key(editor, &key), LINE_EDITOR_CHANGED);
        text += key.length;
        length -= key.length;
    }
}

static void type_into_paste(struct line_editor *editor, const char *text)
{
    for (; *text != '\0'; text++) {
        struct key key = {.kind = KEY_TEXT, .text = {*text}, .length = 1};

        assert_int_equal(line_editor_key(editor, &key), LINE_EDITOR_NOTHING);
    }
}

/* A line is written with | where the cursor stands. */
static void assert_line(const struct line_editor *editor, const char *line)
{
    char shown[200];

    assert_int_in_range(editor->length, 0, sizeof shown - 2);
    assert_int_in_range(editor->cursor, 0, editor->length);
    if (editor->length > 0) {
        memcpy(shown, editor->text, editor->cursor);
        memcpy(shown + editor->cursor + 1, editor->text + editor->cursor,
               editor->length - editor->cursor);
    }
    shown[editor->cursor] = '|';
    shown[editor->length + 1] = '\0';
    assert_string_equal(shown, line);
}

/* Makes a line of which | is the cursor, of an empty one. */
static void set_line(struct line_editor *editor, const char *line)
{
    const char *cursor = strchr(line, '|');

    type(editor, cursor + 1, strlen(cursor + 1));
    press(editor, KEY_HOME);
    type(editor, line, (size_t)(cursor - line));
    assert_line(editor, line);
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
        {"one\ntwo|", KEY_KILL_WORD, "one\n|"},
        {"ab|cd", KEY_DELETE_OR_END, "ab|d"},
        {"ab|", KEY_DELETE_OR_END, "ab|"},
        {"/usr/lib|x", KEY_KILL_WORD_BEFORE, "/usr/|x"},
        {"/usr/lib/|x", KEY_KILL_WORD_BEFORE, "/usr/|x"},
        {"a " HAN "b2|", KEY_KILL_WORD_BEFORE, "a |"},
        {"./|", KEY_KILL_WORD_BEFORE, "|"},
        {"|x", KEY_KILL_WORD_BEFORE, "|x"},
        {"x|/usr/lib", KEY_KILL_WORD_AFTER, "x|/lib"},
        {"|Z9" HAN "-a", KEY_KILL_WORD_AFTER, "|-a"},
        {"x|./", KEY_KILL_WORD_AFTER, "x|"},
        {"x|", KEY_KILL_WORD_AFTER, "x|"},
        {"ab|cd", KEY_TRANSPOSE, "acb|d"},
        {"abc|", KEY_TRANSPOSE, "acb|"},
        {"a|" FAMILY "b", KEY_TRANSPOSE, FAMILY "a|b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor *editor = calloc(1, sizeof *editor);

        assert_non_null(editor);
        set_line(editor, cases[i].before);
        assert_int_equal(press(editor, cases[i].kind), LINE_EDITOR_CHANGED);
        assert_line(editor, cases[i].after);
        line_editor_clear(editor);
        free(editor);
    }
}

static void keys_that_change_no_line(void **state)
{
    static const enum key_kind without_use[] = {KEY_YANK, KEY_TRANSPOSE, KEY_UNDO,  KEY_FIRST,
                                                KEY_LAST, KEY_CANCEL,    KEY_QUOTE, KEY_PASTE_END};
    struct line_editor editor = {0};

    (void)state;
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_END_OF_INPUT), LINE_EDITOR_END);
    assert_int_equal(press(&editor, KEY_DELETE_OR_END), LINE_EDITOR_END);
    for (size_t i = 0; i < sizeof without_use / sizeof without_use[0]; i++)
        assert_int_equal(press(&editor, without_use[i]), LINE_EDITOR_NOTHING);
    type(&editor, "a\tb", 3);
    press(&editor, KEY_HOME);
    assert_int_equal(press(&editor, KEY_TRANSPOSE), LINE_EDITOR_NOTHING);
    press(&editor, KEY_END);
    press(&editor, KEY_LEFT);
    assert_line(&editor, "a\t|b");
    assert_int_equal(press(&editor, KEY_END_OF_INPUT), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_OTHER), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_CANCEL), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_CLEAR_SCREEN), LINE_EDITOR_CLEAR_SCREEN);
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_NOTHING);
    assert_line(&editor, "a\t|b");
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
    press(&editor, KEY_HOME);
    assert_int_equal(press(&editor, KEY_FIRST), LINE_EDITOR_CHANGED);
    assert_line(&editor, "one|");
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_NOTHING);
    press(&editor, KEY_DOWN);
    assert_line(&editor, "two|");
    assert_int_equal(press(&editor, KEY_LAST), LINE_EDITOR_CHANGED);
    assert_line(&editor, "draft|");
    assert_int_equal(press(&editor, KEY_LAST), LINE_EDITOR_NOTHING);

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

/* Presses the keys that a terminal sends as these bytes; returns the last event. */
static enum line_editor_event send_key_bytes(struct line_editor *editor, const char *bytes,
                                             size_t length)
{
    struct key_decoder decoder = {0};
    enum line_editor_event event = LINE_EDITOR_NOTHING;

    while (length > 0) {
        struct key key;
        size_t taken = key_decoder_next(&decoder, bytes, length, &key);

        assert_int_not_equal(taken, 0);
        event = line_editor_key(editor, &key);
        bytes += taken;
        length -= taken;
    }
    return event;
}

static enum line_editor_event send_keys(struct line_editor *editor, const char *bytes)
{
    return send_key_bytes(editor, bytes, strlen(bytes));
}

static void what_is_killed_can_be_put_in_again(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    set_line(&editor, "one two| three");
    press(&editor, KEY_KILL_WORD);
    assert_line(&editor, "one | three");
    assert_int_equal(press(&editor, KEY_YANK), LINE_EDITOR_CHANGED);
    press(&editor, KEY_YANK);
    assert_line(&editor, "one twotwo| three");
    press(&editor, KEY_KILL_TO_END);
    press(&editor, KEY_KILL_TO_END); /* nothing is there: what was killed stays */
    press(&editor, KEY_BACKSPACE);
    press(&editor, KEY_HOME);
    press(&editor, KEY_YANK);
    assert_line(&editor, " three|one twotw");
    press(&editor, KEY_ENTER);
    line_editor_next(&editor);
    press(&editor, KEY_YANK); /* in the next line as well */
    assert_line(&editor, " three|");
    line_editor_clear(&editor);
}

static void changes_are_undone_one_by_one(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    type(&editor, "one ", 4);
    press(&editor, KEY_LEFT);
    press(&editor, KEY_END);
    type(&editor, "two", 3); /* what is typed in one go is one change */
    press(&editor, KEY_TRANSPOSE);
    assert_line(&editor, "one tow|");
    press(&editor, KEY_KILL_TO_START);
    press(&editor, KEY_YANK);
    press(&editor, KEY_HOME);
    press(&editor, KEY_DELETE);
    assert_line(&editor, "|ne tow");
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_CHANGED);
    assert_line(&editor, "o|ne tow");
    press(&editor, KEY_UNDO);
    assert_line(&editor, "|");
    press(&editor, KEY_UNDO);
    assert_line(&editor, "one tow|");
    press(&editor, KEY_UNDO);
    assert_line(&editor, "one two|");
    press(&editor, KEY_UNDO);
    assert_line(&editor, "one |");
    press(&editor, KEY_UNDO);
    assert_line(&editor, "|");
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);

    /* A line that is recalled, and the next one, begin without changes. */
    enter(&editor, "old");
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);
    type(&editor, "x", 1);
    press(&editor, KEY_UP);
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);
    type(&editor, "er", 2);
    press(&editor, KEY_UNDO);
    assert_line(&editor, "old|");
    line_editor_clear(&editor);
}

static void as_many_changes_are_undone_as_the_limit_says(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    for (int i = 0; i < LINE_EDITOR_UNDO + 5; i++) {
        type(&editor, "x", 1);
        press(&editor, KEY_END); /* not in one go */
    }
    for (int i = 0; i < LINE_EDITOR_UNDO; i++)
        assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_CHANGED);
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);
    assert_line(&editor, "xxxxx|");
    line_editor_clear(&editor);
}

static void what_is_kept_for_undo_is_bounded(void **state)
{
    enum { KILLED = LINE_EDITOR_UNDO_BYTES / 2 + 1 };
    struct line_editor editor = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        press(&editor, KEY_PASTE_BEGIN);
        for (int j = 0; j < KILLED; j++)
            type_into_paste(&editor, "x");
        press(&editor, KEY_PASTE_END);
        press(&editor, KEY_KILL_TO_START);
    }
    press(&editor, KEY_UNDO);
    assert_int_equal(editor.length, KILLED);
    press(&editor, KEY_UNDO);
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);

    /* The last change can be undone, however much it removed. */
    for (int i = 0; i < 3; i++)
        press(&editor, KEY_YANK);
    press(&editor, KEY_KILL_TO_START);
    assert_int_equal(editor.length, 0);
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_CHANGED);
    assert_int_equal(editor.length, 3 * KILLED);
    assert_int_equal(press(&editor, KEY_UNDO), LINE_EDITOR_NOTHING);
    line_editor_clear(&editor);
}

static void the_history_is_searched(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    enter(&editor, "GET / HTTP/1.1");
    enter(&editor, "HELO me");
    enter(&editor, "GET /index HTTP/1.0");
    type(&editor, "draft", 5);

    /* The newest line that has it; Ctrl-R: an older one; where none is, the last one stays. */
    assert_int_equal(send_keys(&editor, "\x12"), LINE_EDITOR_CHANGED);
    assert_int_equal(send_keys(&editor, "\x12"), LINE_EDITOR_NOTHING);
    assert_int_equal(send_keys(&editor, "HTTP"), LINE_EDITOR_CHANGED);
    assert_line(&editor, "draft|"); /* not before the search ends */
    assert_true(editor.searching && !editor.search_failed);
    assert_int_equal(editor.found, 1);
    send_keys(&editor, "\x12");
    assert_int_equal(editor.found, 3);
    send_keys(&editor, "/1"); /* looked for from there on */
    assert_int_equal(editor.found, 3);
    assert_int_equal(send_keys(&editor, "\x12"), LINE_EDITOR_CHANGED);
    assert_true(editor.search_failed);
    assert_int_equal(editor.found, 3);

    /* Any key that is not the search's ends it, and does what it does. */
    assert_int_equal(press(&editor, KEY_RIGHT), LINE_EDITOR_CHANGED);
    assert_false(editor.searching);
    assert_line(&editor, "GET / H|TTP/1.1");
    press(&editor, KEY_UP);
    assert_line(&editor, "GET / H|TTP/1.1"); /* it is the oldest one */
    press(&editor, KEY_LAST);
    assert_line(&editor, "draft|");

    /* Ctrl-G leaves the line as it was; a key that does nothing of itself ends the search, too. */
    send_keys(&editor, "\x02\x12me");
    assert_int_equal(editor.found, 2);
    assert_false(editor.search_failed);
    assert_int_equal(send_keys(&editor, "\x07"), LINE_EDITOR_CHANGED);
    assert_line(&editor, "draf|t");
    assert_int_equal(send_keys(&editor, "\x12zzz"), LINE_EDITOR_CHANGED);
    assert_true(editor.search_failed);
    assert_int_equal(press(&editor, KEY_DOWN), LINE_EDITOR_CHANGED);
    assert_line(&editor, "draf|t");

    /* Backspace looks for less, from the newest line on. */
    send_keys(&editor, "\x12/ \x12");
    assert_true(editor.search_failed);
    send_keys(&editor, "\x7F");
    assert_false(editor.search_failed);
    assert_int_equal(editor.found, 1);
    send_keys(&editor, "\x7F\x7F");
    assert_int_equal(editor.found, 0);
    assert_int_equal(press(&editor, KEY_CLEAR_SCREEN), LINE_EDITOR_CLEAR_SCREEN);
    assert_true(editor.searching);

    /* Enter takes the line found. */
    assert_int_equal(send_keys(&editor, "HE\r"), LINE_EDITOR_LINE);
    assert_line(&editor, "|HELO me");
    line_editor_next(&editor);
    press(&editor, KEY_UP);
    press(&editor, KEY_UP);
    assert_line(&editor, "GET /index HTTP/1.0|");

    /* A byte alone is not found within a character, nor does the cursor come to stand there. */
    press(&editor, KEY_LAST);
    enter(&editor, "\x82 \xE2\x82\xAC");
    enter(&editor, "\xE2\x82\xAC");
    send_keys(&editor, "\x12\x16x82\x06");
    assert_line(&editor, "\x82| \xE2\x82\xAC");
    press(&editor, KEY_LAST);

    /* The pattern has an end. */
    send_keys(&editor, "\x12");
    for (int i = 0; i < LINE_EDITOR_PATTERN; i++)
        assert_int_equal(send_keys(&editor, "x"), LINE_EDITOR_CHANGED);
    assert_int_equal(send_keys(&editor, "x"), LINE_EDITOR_NOTHING);
    line_editor_clear(&editor);
}

static void a_key_behind_control_v_is_text(void **state)
{
    static const char keys[] = "a\x16\x03\x16\r\x16\n\x16\x1B\x16\x16\x16\0\x16x00\x16xfFb";
    static const char line[] = "a\x03\r\n\x1B\x16\0\0\xFF"
                               "b";
    struct line_editor editor = {0};

    (void)state;
    send_key_bytes(&editor, keys, sizeof keys - 1);
    assert_int_equal(editor.length, sizeof line - 1);
    assert_memory_equal(editor.text, line, sizeof line - 1);
    press(&editor, KEY_UNDO); /* typed in one go */
    assert_line(&editor, "|");
    line_editor_clear(&editor);
}

#define PASTE(text) "\x1B[200~" text "\x1B[201~"

static void a_paste_is_put_into_the_line(void **state)
{
    static const struct {
        const char *pasted;
        const char *line;
    } cases[] = {
        {PASTE(""), "a|b"},
        {PASTE("one"), "aone|b"},
        {PASTE("one\rtwo"), "aone\ntwo|b"},
        {PASTE("one\ntwo\n"), "aone\ntwo\n|b"},
        {PASTE("one\r\ntwo\r\n"), "aone\ntwo\n|b"},
        {PASTE("one\r\rtwo\r\r"), "aone\ntwo\n|b"},                   /* tmux, of CR LF */
        {PASTE("one\r\r\r\rtwo\r\r"), "aone\n\ntwo\n|b"},             /* of CR LF CR LF */
        {PASTE("one\r\rtwo"), "aone\n\ntwo|b"},                       /* an empty line between */
        {PASTE("one\r\rtwo\nthree\r\r"), "aone\n\ntwo\nthree\n\n|b"}, /* not tmux */
        {PASTE("GET /\rHost: a\r\r"), "aGET /\nHost: a\n\n|b"},
        {PASTE("\x03\x12\x1B[A\x1B\t"), "a\x03\x12\x1B[A\x1B\t|b"},
        {PASTE("one") PASTE("two"), "aonetwo|b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line_editor editor = {0};

        set_line(&editor, "a|b");
        enum line_editor_event event = send_keys(&editor, cases[i].pasted);

        assert_int_equal(event, i == 0 ? LINE_EDITOR_NOTHING : LINE_EDITOR_CHANGED);
        assert_line(&editor, cases[i].line);
        line_editor_clear(&editor);
    }
}

static void a_paste_is_one_change_at_its_end(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    enter(&editor, "old");
    set_line(&editor, "a|b");
    press(&editor, KEY_PASTE_BEGIN);
    type_into_paste(&editor, "one\r");
    assert_line(&editor, "a|b"); /* the line stays whole while the paste comes */
    assert_int_equal(press(&editor, KEY_PASTE_END), LINE_EDITOR_CHANGED);
    type(&editor, "x", 1);
    assert_line(&editor, "aone\nx|b");
    press(&editor, KEY_UNDO);
    press(&editor, KEY_UNDO);
    assert_line(&editor, "a|b");

    /* A key that ends it otherwise puts it in, too. */
    press(&editor, KEY_PASTE_BEGIN);
    type_into_paste(&editor, "two");
    assert_int_equal(press(&editor, KEY_LEFT), LINE_EDITOR_CHANGED);
    assert_line(&editor, "atw|ob");
    press(&editor, KEY_PASTE_BEGIN);
    type_into_paste(&editor, "!");
    assert_int_equal(press(&editor, KEY_ENTER), LINE_EDITOR_LINE);
    assert_line(&editor, "atw!|ob");
    line_editor_next(&editor);

    /* It ends a search. */
    send_keys(&editor, "\x12ld" PASTE("!"));
    assert_false(editor.searching);
    assert_line(&editor, "o!|ld");
    line_editor_clear(&editor);
}

/* What is typed arrives in pieces that end anywhere; the lines taken are compared with it. */
static void press_all(struct line_editor *editor, const char *text, size_t length)
{
    struct key_decoder decoder = {0};
    const char *line = text;
    size_t start = 0;
    size_t end = 0;

    while (start < length) {
        struct key key;
        size_t taken =
            end > start ? key_decoder_next(&decoder, text + start, end - start, &key) : 0;

        if (taken == 0) {
            assert_int_in_range(end, 0, length - 1);
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

static void what_is_typed_arrives_whole(void **state)
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

            /* No line feed behind a return: it is no second Enter. */
            if (random_below(line_end) == 0 && line_end < LENGTH)
                piece =
                    random_below(2) == 0 || (length > 0 && text[length - 1] == '\r') ? "\r" : "\n";
            memcpy(text + length, piece, strlen(piece));
            length += strlen(piece);
        }
        text[length++] = '\r';
        press_all(&editor, text, length);
    }
    assert_int_equal(press(&editor, KEY_UP), LINE_EDITOR_CHANGED);
    assert_int_in_range(editor.length, LENGTH - 40, LENGTH);
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
    const char *shown;
    size_t columns; /* that this takes */
    enum { ALONE, JOINS, TIES, PAIRS, BROKEN } how;
} letters[] = {
    {'a', "a", "a", 1, ALONE},
    {'b', "b", "b", 1, ALONE},
    {'-', "-", "-", 1, ALONE},
    {' ', " ", " ", 1, ALONE},
    {'\t', "\t", " ", 1, ALONE},
    {0x01, "\x01", "^A", 2, ALONE},
    {0x7F, "\x7F", "^?", 2, ALONE},
    {'\\', "\\", "\\\\", 2, ALONE},
    {0xFF, "\xFF", "\\xff", 4, BROKEN}, /* a byte that belongs to no character */
    {0xAD, "\xC2\xAD", "\\xc2\\xad", 8, ALONE},
    {0xE9, "\xC3\xA9", "\xC3\xA9", 1, ALONE},
    {0x6F22, HAN, HAN, 2, ALONE},
    /* Hangul: the first part of a syllable, then others */
    {0x1100, "\xE1\x84\x80", "\xE1\x84\x80", 2, ALONE},
    {0x1161, "\xE1\x85\xA1", "\xE1\x85\xA1", 0, JOINS},
    {0x11A8, "\xE1\x86\xA8", "\xE1\x86\xA8", 0, JOINS},
    {0x301, ACUTE, ACUTE, 0, JOINS},
    {0xFE0F, "\xEF\xB8\x8F", "\\xef\\xb8\\x8f", 12, JOINS},
    {0x1F3FD, "\xF0\x9F\x8F\xBD", "\xF0\x9F\x8F\xBD", 2, JOINS},
    {0x200D, JOINER, "\\xe2\\x80\\x8d", 12, TIES},
    {0x1F469, WOMAN, WOMAN, 2, ALONE},
    {0x1F467, GIRL, GIRL, 2, ALONE},
    {0x1F1E9, FLAG_D, FLAG_D, 1, PAIRS},
    {0x1F1EA, FLAG_E, FLAG_E, 1, PAIRS},
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
    struct model_line killed;
    struct model_change {
        struct model_line line; /* before the change */
        size_t cursor;          /* after it is undone */
    } changes[LINE_EDITOR_UNDO];
    size_t change_count;
    bool typing;
} model;

static bool is_boundary(const struct model_line *line, size_t place)
{
    size_t flags = 0;

    if (place == 0 || place == line->length)
        return true;
    if (line->text[place]->how == BROKEN || line->text[place - 1]->how == BROKEN)
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

    for (; start < end; start++)
        columns += line->text[start]->columns;
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

static bool letter_at(size_t place)
{
    return model.line.text[place]->code >= 0x80 || isalnum((int)model.line.text[place]->code);
}

static size_t model_letters_left(void)
{
    size_t place = model.cursor;

    while (place > 0 && !letter_at(place - 1))
        place--;
    while (place > 0 && letter_at(place - 1))
        place--;
    return place;
}

static size_t model_letters_right(void)
{
    size_t place = model.cursor;

    while (place < model.line.length && !letter_at(place))
        place++;
    while (place < model.line.length && letter_at(place))
        place++;
    return place;
}

/* Keeps the line as it is before a change. */
static void model_change(size_t cursor_after_undo)
{
    if (model.change_count == LINE_EDITOR_UNDO)
        memmove(model.changes, model.changes + 1, --model.change_count * sizeof model.changes[0]);
    model.changes[model.change_count++] = (struct model_change){model.line, cursor_after_undo};
}

static void model_insert(const struct letter *const *text, size_t length)
{
    memmove(model.line.text + model.cursor + length, model.line.text + model.cursor,
            (model.line.length - model.cursor) * sizeof model.line.text[0]);
    memcpy(model.line.text + model.cursor, text, length * sizeof text[0]);
    model.cursor += length;
    model.line.length += length;
}

static void model_erase(size_t start, size_t end)
{
    if (start < end)
        model_change(end);
    memmove(model.line.text + start, model.line.text + end,
            (model.line.length - end) * sizeof model.line.text[0]);
    model.line.length -= end - start;
    model.cursor = start;
}

static void model_kill(size_t start, size_t end)
{
    if (start < end) {
        memcpy(model.killed.text, model.line.text + start, (end - start) * sizeof(void *));
        model.killed.length = end - start;
    }
    model_erase(start, end);
}

static bool model_transpose(void)
{
    size_t end = boundary_behind(&model.line, model.cursor);
    size_t middle = boundary_before(&model.line, end);
    size_t start = boundary_before(&model.line, middle);
    struct model_line old = model.line;

    if (start == middle)
        return false;
    model_change(end);
    memcpy(model.line.text + start, old.text + middle, (end - middle) * sizeof(void *));
    memcpy(model.line.text + start + (end - middle), old.text + start,
           (middle - start) * sizeof(void *));
    model.cursor = end;
    return true;
}

static bool model_undo(void)
{
    if (model.change_count == 0)
        return false;
    model.line = model.changes[--model.change_count].line;
    model.cursor = model.changes[model.change_count].cursor;
    return true;
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
    model.change_count = 0;
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
    model.change_count = 0;
    model.typing = false;
    model.line.length = 0;
    model.cursor = 0;
}

static enum line_editor_event changed_if(bool changed)
{
    return changed ? LINE_EDITOR_CHANGED : LINE_EDITOR_NOTHING;
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
    case KEY_DELETE_OR_END:
        if (length == 0)
            return LINE_EDITOR_END;
        model_erase(cursor, boundary_behind(&model.line, cursor));
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
        return changed_if(model_recall(model.recalled + 1));
    case KEY_DOWN:
        return changed_if(model.recalled > 0 && model_recall(model.recalled - 1));
    case KEY_FIRST:
        return changed_if(model.history_count > 0 && model_recall(model.history_count));
    case KEY_LAST:
        return changed_if(model.recalled > 0 && model_recall(0));
    case KEY_KILL_TO_END:
        model_kill(cursor, length);
        break;
    case KEY_KILL_TO_START:
        model_kill(0, cursor);
        break;
    case KEY_KILL_WORD:
        model_kill(model_word_left(), cursor);
        break;
    case KEY_KILL_WORD_BEFORE:
        model_kill(model_letters_left(), cursor);
        break;
    case KEY_KILL_WORD_AFTER:
        model_kill(cursor, model_letters_right());
        break;
    case KEY_YANK:
        if (model.killed.length == 0)
            return LINE_EDITOR_NOTHING;
        model_change(cursor);
        model_insert(model.killed.text, model.killed.length);
        break;
    case KEY_TRANSPOSE:
        return changed_if(model_transpose());
    case KEY_UNDO:
        return changed_if(model_undo());
    case KEY_CLEAR_SCREEN:
        return LINE_EDITOR_CLEAR_SCREEN;
    case KEY_END_OF_INPUT:
        return length == 0 ? LINE_EDITOR_END : LINE_EDITOR_NOTHING;
    case KEY_TEXT:
    case KEY_CANCEL:
    case KEY_QUOTE:
    case KEY_SEARCH:
    case KEY_PASTE_BEGIN:
    case KEY_PASTE_END:
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
 * What is drawn: the character with the cursor, or one free column behind the end; as much before
 * it as fits; then as much behind it. Where the row is too narrow for that one character, nothing
 * of the line is.
 */
static void assert_drawn_as_model(const struct line_editor *editor, size_t columns)
{
    const struct model_line *line = &model.line;
    size_t prompt = columns > 4 ? 2 : columns > 2 ? columns - 2 : 0;
    size_t room = columns > prompt + 1 ? columns - prompt - 1 : 1;
    size_t end = boundary_behind(line, model.cursor);
    size_t at_end = model.cursor == line->length; /* the column of the cursor itself */
    size_t start =
        is_boundary(line, model.cursor) ? model.cursor : boundary_before(line, model.cursor);
    char drawn[2 + 12 * LINE_MAX + 1] = "";
    size_t cursor = 0;
    struct line_editor_row row = {{NULL}, 0};

    if (columns == SIZE_MAX) {
        start = 0;
        end = line->length;
    } else if (columns_of(line, start, end) + at_end > room) {
        start = end = model.cursor;
    } else {
        for (size_t before; start > 0; start = before) {
            before = boundary_before(line, start);
            if (columns_of(line, before, end) + at_end > room)
                break;
        }
        for (size_t behind; end < line->length; end = behind) {
            behind = boundary_behind(line, end);
            if (columns_of(line, start, behind) > room)
                break;
        }
        assert_int_in_range(prompt + columns_of(line, start, end), 0, columns - (columns > 1));
    }
    strcpy(drawn, &"> "[2 - prompt]);
    for (size_t i = start; i <= end; i++) {
        if (i == model.cursor)
            cursor = strlen(drawn);
        if (i < end)
            strcat(drawn, line->text[i]->shown);
    }
    assert_true(line_editor_render(editor, columns, &row));
    assert_int_equal(buffer_length(&row.text), strlen(drawn));
    if (*drawn != '\0')
        assert_memory_equal(buffer_bytes(&row.text), drawn, strlen(drawn));
    assert_int_equal(row.cursor, cursor);
    buffer_clear(&row.text);
}

static void random_keys_do_what_they_do_to_a_model(void **state)
{
    struct line_editor editor = {0};

    (void)state;
    random_begin(42);
    memset(&model, 0, sizeof model);
    for (int i = 0; i < 110000; i++) {
        struct key key = {.kind = (enum key_kind)random_below(KEY_OTHER + 1)};
        enum line_editor_event expected;

        /* Searches and pastes have tests of their own. */
        if (key.kind == KEY_SEARCH || key.kind == KEY_PASTE_BEGIN ||
            (key.kind == KEY_YANK && model.line.length + model.killed.length > LINE_MAX))
            continue;
        if (random_below(3) > 0 || key.kind == KEY_TEXT) {
            const struct letter *letter = &letters[random_below(sizeof letters / sizeof *letters)];

            if (model.line.length == LINE_MAX)
                continue;
            key.kind = KEY_TEXT;
            key.length = strlen(letter->bytes);
            memcpy(key.text, letter->bytes, key.length);
            if (!model.typing || model.change_count == 0)
                model_change(model.cursor);
            model_insert(&letter, 1);
            expected = LINE_EDITOR_CHANGED;
        } else {
            expected = model_key(key.kind);
        }
        model.typing = key.kind == KEY_TEXT || (model.typing && key.kind == KEY_QUOTE);
        assert_int_equal(line_editor_key(&editor, &key), expected);
        assert_as_model(&editor);
        assert_drawn_as_model(&editor, 1 + random_below(12));
        assert_drawn_as_model(&editor, 1 + random_below(100));
        assert_drawn_as_model(&editor, SIZE_MAX);
        if (expected == LINE_EDITOR_LINE) {
            line_editor_next(&editor);
            model_next();
            assert_as_model(&editor);
        }
    }
    assert_int_equal(model.history_count, LINE_EDITOR_HISTORY);
    line_editor_clear(&editor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key),
        cmocka_unit_test(keys_that_change_no_line),
        cmocka_unit_test(the_history_recalls_lines_and_the_draft),
        cmocka_unit_test(the_history_holds_a_thousand_lines),
        cmocka_unit_test(what_is_killed_can_be_put_in_again),
        cmocka_unit_test(changes_are_undone_one_by_one),
        cmocka_unit_test(as_many_changes_are_undone_as_the_limit_says),
        cmocka_unit_test(what_is_kept_for_undo_is_bounded),
        cmocka_unit_test(the_history_is_searched),
        cmocka_unit_test(a_key_behind_control_v_is_text),
        cmocka_unit_test(a_paste_is_put_into_the_line),
        cmocka_unit_test(a_paste_is_one_change_at_its_end),
        cmocka_unit_test(what_is_typed_arrives_whole),
        cmocka_unit_test(random_keys_do_what_they_do_to_a_model),
    };

    return cmocka_run_group_tests_name("line_editor", tests, NULL, NULL);
}
