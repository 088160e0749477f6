#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "character_width.h"
#include "output.h"
#include "screen_system.h"

enum {
    MOST_COLUMNS = 1024, /* of a row that is drawn, in a window that is wider */
    COLLECTED = 4096     /* bytes; several rows of text */
};

struct screen {
    bool drawn;
    bool colours;
    bool cuts_rows;
    struct output output;
    char collected[COLLECTED];          /* not written yet */
    size_t collected_length;            /* of it */
    bool shown;                         /* the line is */
    size_t columns;                     /* of the window, when it was last drawn */
    unsigned char widths[MOST_COLUMNS]; /* columns of each character of it, the prompt first */
    size_t count;                       /* characters drawn */
    size_t cursor;                      /* characters before the cursor */
};

bool screen_can_draw(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
           strcmp(term, "unknown") != 0;
}

/*
 * Whether a row that has become too long for the window is cut. Most terminals break it into
 * several, among them tmux, VTE and those of macOS and Windows; xterm, which sets XTERM_VERSION,
 * and the Linux console do not, and none of them can be asked.
 */
static bool terminal_cuts_rows(void)
{
    const char *term = getenv("TERM");

    return term != NULL && (strcmp(term, "linux") == 0 ||
                            (strncmp(term, "xterm", 5) == 0 && getenv("XTERM_VERSION") != NULL));
}

struct screen *screen_open(bool drawn, os_socket stop)
{
    struct screen *screen = calloc(1, sizeof *screen);

    if (screen == NULL)
        return NULL;
    screen->drawn = drawn;
    screen->output.stop = stop;
    screen->colours = screen_can_draw() && !screen_without_colours();
    screen->cuts_rows = terminal_cuts_rows();
    return screen;
}

void screen_close(struct screen *screen)
{
    free(screen);
}

bool screen_flush(struct screen *screen)
{
    size_t length = screen->collected_length;

    screen->collected_length = 0;
    return output_write(&screen->output, screen->collected, length);
}

bool screen_write(struct screen *screen, const char *text, size_t length)
{
    bool good = true;

    while (good && length > 0) {
        size_t room = COLLECTED - screen->collected_length;
        size_t piece = length < room ? length : room;

        memcpy(screen->collected + screen->collected_length, text, piece);
        screen->collected_length += piece;
        text += piece;
        length -= piece;
        if (screen->collected_length == COLLECTED)
            good = screen_flush(screen);
    }
    return good;
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
    size_t columns = os_columns(OS_STDOUT);

    return columns < MOST_COLUMNS ? columns : MOST_COLUMNS;
}

/* Keeps what screen_erase_line() needs to know about what is drawn. */
static void remember(struct screen *screen, const char *text, size_t length, size_t cursor)
{
    size_t columns;

    screen->count = screen->cursor = 0;
    for (size_t place = 0; place < length && screen->count < MOST_COLUMNS;) {
        place += character_length(text + place, length - place, &columns);
        screen->widths[screen->count++] =
            (unsigned char)(columns < UCHAR_MAX ? columns : UCHAR_MAX);
        if (place <= cursor)
            screen->cursor = screen->count;
    }
    screen->shown = true;
}

void screen_show_line(struct screen *screen, const struct line_editor *editor)
{
    struct line_editor_row row = {{NULL}, 0};

    if (!screen->drawn)
        return;
    screen_erase_line(screen);
    screen->columns = window_columns();
    if (line_editor_render(editor, screen->columns, &row)) {
        const char *text = buffer_bytes(&row.text);
        size_t length = buffer_length(&row.text);

        screen_write(screen, text, length);
        /* Again up to the cursor: so it stands right even where the terminal counts other columns.
         */
        if (row.cursor < length) {
            write_text(screen, "\r");
            screen_write(screen, text, row.cursor);
        }
        remember(screen, text, length, row.cursor);
    }
    buffer_clear(&row.text);
    screen_flush(screen);
}

/*
 * How many rows below its first one the cursor stands in what was drawn as one row, now that the
 * window has so many columns: a character that does not fit any more begins a new row, and the
 * cursor stays with its character, or behind the last one.
 */
static size_t rows_to_cursor(const struct screen *screen, size_t columns)
{
    size_t rows = 0;
    size_t column = 0;

    for (size_t i = 0; i < screen->count && i <= screen->cursor; i++) {
        if (column + screen->widths[i] > columns) {
            rows++;
            column = 0;
        }
        column += screen->widths[i];
    }
    return rows;
}

void screen_erase_line(struct screen *screen)
{
    char up[32];

    if (!screen->shown)
        return;
    size_t columns = window_columns();
    bool broken = columns < screen->columns && !screen->cuts_rows;
    size_t rows = broken ? rows_to_cursor(screen, columns) : 0;

    if (rows > 0) {
        snprintf(up, sizeof up, "\x1B[%luA", (unsigned long)rows);
        write_text(screen, up);
    }
    /* To column 1, and erase to the end of the screen (ECMA-48, 8.3.39). */
    write_text(screen, "\r\x1B[J");
    screen->shown = false;
}

void screen_finish_line(struct screen *screen)
{
    if (screen->shown)
        write_text(screen, "\n");
    screen->shown = false;
    screen_flush(screen);
}

void screen_clear(struct screen *screen)
{
    if (screen->drawn)
        write_text(screen, "\x1B[H\x1B[2J");
    screen->shown = false;
    screen_flush(screen);
}
