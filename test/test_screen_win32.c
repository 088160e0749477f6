/* Tests of client/terminal/screen on Windows, in a console of their own: the typed line, and what a
 * new width of the console makes of it. */
#include "terminal/screen.h"

#include <stdio.h>
#include <string.h>

#include "console_win32.h"
#include "test.h"

enum { NARROW = 20 /* the system may allow no less */, WIDE = 80, ROWS = 40 };

static HANDLE console;
static struct output output = {.stream = STREAM_OUTPUT};
static struct screen *screen;
static struct line_editor editor;

/* Empties the console and makes it WIDE; opens a screen on it, with a line that stands above. */
static int set_up(void **state)
{
    DWORD written;

    (void)state;
    console = console_open_screen();
    assert_true(console_resize(console, WIDE));
    FillConsoleOutputCharacterA(console, ' ', WIDE * ROWS, (COORD){0, 0}, &written);
    SetConsoleCursorPosition(console, (COORD){0, 0});
    SetStdHandle(STD_OUTPUT_HANDLE, console);
    screen = screen_open(true, &output);
    return screen == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    screen_close(screen);
    line_editor_clear(&editor);
    CloseHandle(console);
    return 0;
}

/* Types as many letters, and goes some of them back. */
static void type(size_t letters, size_t back)
{
    struct key key = {.kind = KEY_TEXT, .length = 1};

    for (size_t i = 0; i < letters; i++) {
        key.text[0] = (char)('a' + i % 26);
        line_editor_key(&editor, &key);
    }
    key.kind = KEY_LEFT;
    while (back-- > 0)
        line_editor_key(&editor, &key);
}

static void assert_text(const char *expected)
{
    char text[CONSOLE_TEXT];

    console_text(console, text);
    assert_string_equal(text, expected);
}

/*
 * Makes the console narrower as one does that breaks rows: the text of each, in which the cursor
 * counts as a character, goes on in the next row. Wine's cuts them.
 */
static void narrow_and_break(size_t columns)
{
    static char found[ROWS * WIDE], rows[2 * ROWS * WIDE];
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD count;
    size_t end = 0; /* in `rows` */

    assert_true(GetConsoleScreenBufferInfo(console, &info));
    assert_true(ReadConsoleOutputCharacterA(console, found, sizeof found, (COORD){0, 0}, &count));
    assert_true(console_resize(console, columns));
    memset(rows, ' ', sizeof rows);
    for (SHORT row = 0; row <= info.dwCursorPosition.Y; row++) {
        bool has_cursor = row == info.dwCursorPosition.Y;
        SHORT length = WIDE;

        while (length > 0 && found[row * WIDE + length - 1] == ' ' &&
               !(has_cursor && length - 1 == info.dwCursorPosition.X))
            length--;
        memcpy(rows + end, found + row * WIDE, (size_t)length);
        size_t cursor = end + (size_t)info.dwCursorPosition.X;

        if (has_cursor)
            SetConsoleCursorPosition(console,
                                     (COORD){(SHORT)(cursor % columns), (SHORT)(cursor / columns)});
        end += length > 0 ? ((size_t)length + columns - 1) / columns * columns : columns;
    }
    assert_true(WriteConsoleOutputCharacterA(console, rows, (DWORD)(columns * ROWS), (COORD){0, 0},
                                             &count));
}

/* However narrow, wherever the cursor: the pieces of the line go, and nothing else does. */
static void a_line_that_was_broken_goes_as_a_whole(void **state)
{
    static const size_t backs[] = {0, 1, 7, 20, 38, 39, 60, 77};

    for (size_t back = 0; back < sizeof backs / sizeof backs[0]; back++) {
        for (size_t columns = NARROW; columns < WIDE; columns += 3) {
            type(77, backs[back]);
            screen_print(screen, "one\ntwo\n", 8);
            screen_show_line(screen, &editor);
            narrow_and_break(columns);
            screen_hide_line(screen);
            SetConsoleCursorPosition(console, (COORD){0, 20});
            assert_text("one\ntwo\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n|");
            tear_down(state);
            set_up(state);
        }
    }
}

/* In a console that cuts rows, as Wine's does, none of those above goes; not even where the cursor
 * is in the same column, the last one, as if the row had been broken (20 and 30). */
static void a_line_that_was_cut_goes_alone(void **state)
{
    static const char rows[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    char left[sizeof rows + 1];

    snprintf(left, sizeof left, "%s|", rows);
    for (size_t columns = NARROW; columns < WIDE; columns++) {
        type(57, 0);
        screen_print(screen, rows, sizeof rows - 1);
        screen_show_line(screen, &editor);
        assert_true(console_resize(console, columns));
        screen_hide_line(screen);
        assert_text(left);
        tear_down(state);
        set_up(state);
    }
}

/* Where the console draws the line, or there is none to draw it on. */
static void a_line_that_is_not_drawn_leaves_no_trace(void **state)
{
    (void)state;
    screen_close(screen);
    screen = screen_open(false, &output);
    assert_non_null(screen);
    type(5, 0);
    screen_print(screen, "one\n", 4);
    screen_show_line(screen, &editor);
    screen_finish_line(screen, &editor);
    screen_clear(screen);
    screen_leave(screen);
    assert_text("one\n|");
}

/* The last test: this process cannot get its console back. */
static void without_a_console_nothing_can_be_drawn(void **state)
{
    (void)state;
    assert_true(screen_can_draw());
    tear_down(state);
    FreeConsole();
    assert_false(screen_can_draw());
    screen = screen_open(true, &output);
    assert_non_null(screen);
    screen_show_line(screen, &editor);
    screen_hide_line(screen);
    screen_close(screen);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_that_was_broken_goes_as_a_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_was_cut_goes_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_is_not_drawn_leaves_no_trace, set_up,
                                        tear_down),
        cmocka_unit_test_setup(without_a_console_nothing_can_be_drawn, set_up),
    };

    return cmocka_run_group_tests_name("screen on Windows", tests, NULL, NULL);
}

int main(int argc, char *argv[])
{
    return console_run(argc, argv, run);
}
