#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "character_width.h"
#include "screen_system.h"

static const char prompt[] = "> ";
enum { PROMPT = sizeof prompt - 1, USUAL_COLUMNS = 80 };

struct screen {
    bool drawn;
    bool colours;
    size_t columns; /* of the window, when the line was last drawn */
    size_t width;   /* columns of the prompt and the line as drawn; 0 when it is hidden */
    size_t cursor;  /* columns before the cursor in it */
};

bool screen_can_draw(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
           strcmp(term, "unknown") != 0;
}

struct screen *screen_open(bool drawn)
{
    struct screen *screen = calloc(1, sizeof *screen);

    if (screen == NULL)
        return NULL;
    screen->drawn = drawn;
    screen->colours = screen_can_draw() && !screen_without_colours();
    return screen;
}

void screen_close(struct screen *screen)
{
    free(screen);
}

/* Whoever shares the terminal with us may have made it non-blocking. */
static void wait_for_room(void)
{
    fd_set output;

    FD_ZERO(&output);
    FD_SET(STDOUT_FILENO, &output);
    select(STDOUT_FILENO + 1, NULL, &output, NULL, NULL);
}

bool screen_write(const char *text, size_t length)
{
    while (length > 0) {
        ptrdiff_t n = write(STDOUT_FILENO, text, length);

        if (n < 0 && errno == EAGAIN)
            wait_for_room();
        else if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
    return true;
}

static void write_text(const char *text)
{
    screen_write(text, strlen(text));
}

void screen_dim(struct screen *screen, bool dim)
{
    /* Faint, and normal intensity (ECMA-48, 8.3.117). */
    if (screen->colours)
        write_text(dim ? "\x1B[2m" : "\x1B[22m");
}

static size_t window_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : USUAL_COLUMNS;
}

/* Columns of a part of the line. */
static size_t width_of(const struct line_editor *editor, size_t start, size_t end)
{
    size_t width = 0;
    size_t columns;

    while (start < end) {
        start += character_length(editor->text + start, end - start, &columns);
        width += columns;
    }
    return width;
}

/* Writes a part of the line; a tab takes one column. */
static void draw(const struct line_editor *editor, size_t start, size_t end)
{
    while (start < end) {
        size_t plain = start;

        while (plain < end && editor->text[plain] != '\t')
            plain++;
        screen_write(editor->text + start, plain - start);
        if (plain < end)
            write_text(" ");
        start = plain + 1;
    }
}

void screen_show_line(struct screen *screen, const struct line_editor *editor)
{
    if (!screen->drawn)
        return;
    screen_hide_line(screen);
    screen->columns = window_columns();
    struct line_editor_view view =
        line_editor_view(editor, screen->columns > PROMPT + 1 ? screen->columns - PROMPT - 1 : 1);

    write_text(prompt);
    draw(editor, view.start, view.end);
    /* Again up to the cursor: so it stands right even where the terminal counts other columns. */
    if (editor->cursor < view.end) {
        write_text("\r");
        write_text(prompt);
        draw(editor, view.start, editor->cursor);
    }
    screen->width = PROMPT + width_of(editor, view.start, view.end);
    screen->cursor = PROMPT + width_of(editor, view.start, editor->cursor);
}

void screen_hide_line(struct screen *screen)
{
    if (!screen->drawn || screen->width == 0)
        return;
    size_t columns = window_columns();

    /* A terminal that has become narrower has broken the row into several; the cursor went along.
     */
    if (columns < screen->columns) {
        for (size_t rows = screen->cursor / columns; rows > 0; rows--)
            write_text("\x1B[A");
    }
    /* To column 1, and erase to the end of the screen (ECMA-48, 8.3.39). */
    write_text("\r\x1B[J");
    screen->width = 0;
}

void screen_finish_line(struct screen *screen)
{
    if (screen->drawn && screen->width > 0)
        write_text("\n");
    screen->width = 0;
}

void screen_clear(struct screen *screen)
{
    if (screen->drawn)
        write_text("\x1B[H\x1B[2J");
    screen->width = 0;
}
