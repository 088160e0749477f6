/* Tests of what the screen expects of a terminal whose window has become narrower. */
#include <stdlib.h>
#include <string.h>

#include "terminal/screen.h"
#include "test.h"

static size_t columns; /* of the window */

__typeof__(stream_columns) __wrap_stream_columns;

size_t __wrap_stream_columns(enum stream stream)
{
    (void)stream;
    return columns;
}

static const char *const variables[] = {
    "TMUX",         "VTE_VERSION",         "KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION",
    "WEZTERM_PANE", "ALACRITTY_WINDOW_ID", "TERM_PROGRAM",    "TERM",       "XTERM_VERSION"};

/* Whether a row that was drawn, and is then too long for the window, is expected to have been
 * wrapped: the cursor goes up to erase it. */
static bool expects_wrapping(void)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};
    struct screen *screen = screen_open(true, &output);
    struct line_editor editor = {.length = 0};
    struct key key = {.kind = KEY_TEXT, .text = "x", .length = 1};
    static char text[512];

    assert_non_null(screen);
    for (int i = 0; i < 60; i++)
        line_editor_key(&editor, &key);
    columns = 80;
    screen_show_line(screen, &editor);
    output_drop(&output);
    columns = 20;
    screen_hide_line(screen);
    size_t length = output_length(&output);

    assert_int_in_range(length, 1, sizeof text - 1);
    memcpy(text, buffer_bytes(&output.text), length);
    text[length] = '\0';
    output_drop(&output);
    screen_close(screen);
    line_editor_clear(&editor);
    return strstr(text, "\x1B[3A") != NULL;
}

/* Erasing a row that is another program's is worse than leaving one of ours behind. */
static void only_a_terminal_that_is_known_to_wrap_rows_is_expected_to(void **state)
{
    static const struct {
        const char *set[3][2];
        bool wraps;
    } cases[] = {
        {{{NULL}}, false},
        {{{"TERM", "xterm"}}, false},
        {{{"TMUX", "1"}}, true},
        {{{"WEZTERM_PANE", "1"}, {"TERM", "xterm"}}, true},
        {{{"TERM_PROGRAM", "vscode"}}, true},
        {{{"TERM_PROGRAM", "other"}}, false},
        /* Left over from the terminal from which an xterm was started */
        {{{"XTERM_VERSION", "XTerm(379)"}, {"VTE_VERSION", "1"}, {"TERM", "xterm-256color"}},
         false},
        {{{"XTERM_VERSION", "XTerm(379)"}, {"TMUX", "1"}, {"TERM", "tmux"}}, true},
        {{{"XTERM_VERSION", "XTerm(379)"}, {"TMUX", "1"}}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < sizeof variables / sizeof variables[0]; k++)
            unsetenv(variables[k]);
        for (size_t k = 0; k < 3 && cases[i].set[k][0] != NULL; k++)
            setenv(cases[i].set[k][0], cases[i].set[k][1], 1);
        assert_int_equal(expects_wrapping(), cases[i].wraps);
    }
}

/* A terminal that edits lines shows the typed one by itself. */
static void a_line_that_is_not_drawn_is_left_to_the_terminal(void **state)
{
    struct output output = {.stream = STREAM_OUTPUT, .held = true};
    struct screen *screen = screen_open(false, &output);
    struct line_editor editor = {.length = 0};
    struct key key = {.kind = KEY_TEXT, .text = "x", .length = 1};

    (void)state;
    assert_non_null(screen);
    line_editor_key(&editor, &key);
    columns = 80;
    screen_show_line(screen, &editor);
    screen_hide_line(screen);
    screen_finish_line(screen, &editor);
    screen_clear(screen);
    assert_int_equal(output_length(&output), 0);
    screen_close(screen);
    line_editor_clear(&editor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_is_not_drawn_is_left_to_the_terminal),
        cmocka_unit_test(only_a_terminal_that_is_known_to_wrap_rows_is_expected_to),
    };

    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
