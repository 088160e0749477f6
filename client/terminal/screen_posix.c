#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

enum { COLUMNS_MAX = 1024 }; /* of a drawn row, even in a wider window */

struct screen {
    bool drawn;
    bool colours;
    bool reflows;
    struct output *output;
    bool pastes_marked;         /* bracketed paste is on */
    bool shown;                 /* the line is on the screen */
    size_t columns;             /* of the window when the line was drawn */
    struct line_editor_row row; /* the row as drawn */
};

bool screen_can_draw(void)
{
    const char *term = getenv("TERM");

    return stream_is_terminal(STREAM_OUTPUT) && term != NULL && *term != '\0' &&
           strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0;
}

/*
 * Whether the terminal is known to wrap a row that has become too long for the window, rather than
 * to cut it. It cannot be asked, so only terminals that can be recognised count. On others, such as
 * xterm over ssh, a stale row is left behind, rather than erasing a row of another program.
 */
static bool terminal_reflows(void)
{
    static const char *const signs[] = {"TMUX",        "VTE_VERSION",     "KITTY_WINDOW_ID",
                                        "WT_SESSION",  "KONSOLE_VERSION", "ALACRITTY_WINDOW_ID",
                                        "WEZTERM_PANE"};
    static const char *const programs[] = {"Apple_Terminal", "iTerm.app", "vscode", "ghostty"};
    const char *program = getenv("TERM_PROGRAM");
    const char *term = getenv("TERM");

    /* A program in xterm inherits the variables of the terminal from which xterm was started. */
    if (getenv("XTERM_VERSION") != NULL && term != NULL && strncmp(term, "xterm", 5) == 0)
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (getenv(signs[i]) != NULL)
            return true;
    }
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (program != NULL && strcmp(program, programs[i]) == 0)
            return true;
    }
    return false;
}

/*
 * While this is on (xterm, "bracketed paste mode"), pasted text arrives between two sequences and
 * is not taken for typed text. Terminals that do not know it ignore it.
 */
static const char pastes_on[] = "\x1B[?2004h";
const char screen_pastes_off[] = "\x1B[?2004l";

struct screen *screen_open(bool drawn, struct output *output)
{
    struct screen *screen = calloc(1, sizeof *screen);

    if (screen == NULL)
        return NULL;
    screen->drawn = drawn;
    screen->output = output;
    screen->colours = screen_can_draw() && !screen_without_colours();
    screen->reflows = terminal_reflows();
    return screen;
}

void screen_close(struct screen *screen)
{
    if (screen == NULL)
        return;
    /* What was to be written may be lost. The terminal must not keep a mode that is the client's.
     */
    if (screen->drawn &&
        (screen->output->broken || screen->output->refused || output_length(screen->output) > 0))
        stream_write(STREAM_OUTPUT, screen_pastes_off, strlen(screen_pastes_off));
    buffer_clear(&screen->row.text);
    free(screen);
}

bool screen_write(struct screen *screen, const char *text, size_t length)
{
    return output_append(screen->output, text, length);
}

static void write_text(struct screen *screen, const char *text)
{
    screen_write(screen, text, strlen(text));
}

void screen_dim(struct screen *screen, bool dim)
{
    /* Faint, and normal intensity (ECMA-48, 8.3.117). */
    if (screen->colours)
        write_text(screen, dim ? "\x1B[2m" : "\x1B[22m");
}

static size_t window_columns(void)
{
    size_t columns = stream_columns(STREAM_OUTPUT);

    return columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
}

static void mark_pastes(struct screen *screen, bool on)
{
    if (screen->pastes_marked != on)
        write_text(screen, on ? pastes_on : screen_pastes_off);
    screen->pastes_marked = on;
}

/* Whether a row is already on the screen. */
static bool is_drawn(const struct screen *screen, const struct line_editor_row *row, size_t columns)
{
    size_t length = buffer_length(&row->text);

    return screen->shown && columns == screen->columns && row->cursor == screen->row.cursor &&
           length == buffer_length(&screen->row.text) &&
           memcmp(buffer_bytes(&row->text), buffer_bytes(&screen->row.text), length) == 0;
}

static void draw(struct screen *screen, const struct line_editor_row *row)
{
    size_t length = buffer_length(&row->text);

    screen_write(screen, buffer_bytes(&row->text), length);
    /* The row is written again up to the cursor, so that the cursor is right even if the terminal
     * counts columns differently. */
    if (row->cursor < length) {
        write_text(screen, "\r");
        screen_write(screen, buffer_bytes(&row->text), row->cursor);
    }
}

void screen_show_line(struct screen *screen, const struct line_editor *editor)
{
    struct line_editor_row row = {.cursor = 0};
    size_t columns = window_columns();

    if (!screen->drawn || output_length(screen->output) > 0)
        return;
    if (!line_editor_render(editor, columns, &row) || is_drawn(screen, &row, columns)) {
        buffer_clear(&row.text);
        return;
    }
    screen_hide_line(screen);
    mark_pastes(screen, true);
    draw(screen, &row);
    buffer_clear(&screen->row.text);
    screen->row = row;
    screen->columns = columns;
    screen->shown = true;
}

void screen_hide_line(struct screen *screen)
{
    char up[32];
    size_t columns = window_columns();

    if (!screen->shown)
        return;
    bool wrapped = columns < screen->columns && screen->reflows;
    size_t rows =
        wrapped ? line_editor_wrapped_place(&screen->row, screen->row.cursor, columns).row : 0;

    if (rows > 0) {
        snprintf(up, sizeof up, "\x1B[%luA", (unsigned long)rows);
        write_text(screen, up);
    }
    /* Go to column 1 and erase to the end of the screen (ECMA-48, 8.3.39). */
    write_text(screen, "\r\x1B[J");
    screen->shown = false;
}

void screen_resume(struct screen *screen)
{
    screen_hide_line(screen);
    screen->pastes_marked = false;
}

void screen_leave(struct screen *screen)
{
    screen_hide_line(screen);
    mark_pastes(screen, false);
}

void screen_finish_line(struct screen *screen, const struct line_editor *editor)
{
    struct line_editor_row row = {.cursor = 0};

    if (!screen->drawn)
        return;
    screen_hide_line(screen);
    if (line_editor_render(editor, SIZE_MAX, &row))
        screen_write(screen, buffer_bytes(&row.text), buffer_length(&row.text));
    buffer_clear(&row.text);
    write_text(screen, "\n");
}

void screen_interrupt(struct screen *screen)
{
    /* Escape ends a partly written sequence (ECMA-48 parsers start again). */
    if (output_length(screen->output) > 0) {
        stream_discard(STREAM_OUTPUT);
        output_drop(screen->output);
        write_text(screen, screen->colours ? "\x1B[22m\n" : "\n");
    } else if (screen->shown || !screen->drawn) {
        write_text(screen, "\n"); /* a terminal that edits lines has shown ^C after the line */
    }
    screen->shown = false;
    mark_pastes(screen, false);
}

void screen_clear(struct screen *screen)
{
    if (screen->drawn)
        write_text(screen, "\x1B[H\x1B[2J");
    screen->shown = false;
}
