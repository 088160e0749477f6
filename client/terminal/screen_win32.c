#include <windows.h>

#include <stdlib.h>

#include "screen.h"
#include "text.h"

struct screen {
    HANDLE console; /* where the line is drawn, even if stdout is redirected; NULL: not drawn */
    struct output *output;
    bool shown;                 /* the line is on the screen */
    struct line_editor_row row; /* the row as drawn */
    COORD cursor;               /* where the cursor was left */
    bool colours;
    WORD colour; /* of text that is not dimmed */
};

static HANDLE open_console(void)
{
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    if (console == INVALID_HANDLE_VALUE)
        return NULL;
    return console;
}

bool screen_can_draw(void)
{
    HANDLE console = open_console();

    if (console != NULL)
        CloseHandle(console);
    return console != NULL;
}

struct screen *screen_open(bool drawn, struct output *output)
{
    struct screen *screen = calloc(1, sizeof *screen);
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (screen == NULL)
        return NULL;
    screen->output = output;
    if (drawn)
        screen->console = open_console();
    if (screen->console != NULL && stream_is_terminal(STREAM_OUTPUT) && !screen_without_colours() &&
        GetConsoleScreenBufferInfo(screen->console, &info)) {
        screen->colours = true;
        screen->colour = info.wAttributes;
    }
    return screen;
}

void screen_close(struct screen *screen)
{
    if (screen == NULL)
        return;
    if (screen->console != NULL)
        CloseHandle(screen->console);
    buffer_clear(&screen->row.text);
    free(screen);
}

/* Flushes a console at once: it takes everything, and the line is drawn past the output. */
bool screen_write(struct screen *screen, const char *text, size_t length)
{
    bool ok = output_append(screen->output, text, length);

    return stream_is_terminal(STREAM_OUTPUT) ? ok && output_flush(screen->output) : ok;
}

void screen_dim(struct screen *screen, bool dim)
{
    /* Grey on the current background. */
    WORD grey = (WORD)((screen->colour & 0xF0) | FOREGROUND_INTENSITY);

    if (screen->colours)
        SetConsoleTextAttribute(screen->console, dim ? grey : screen->colour);
}

/* Writes to the console, even if stdout is redirected. */
static void draw(const struct screen *screen, const char *text, size_t length)
{
    WCHAR wide[1024];
    DWORD written;

    while (length > 0) {
        size_t piece = 0;

        /* As many whole characters as certainly fit. */
        while (piece < length && piece < sizeof wide / sizeof wide[0] - 4) {
            size_t character = text_utf8_length(text + piece, length - piece);

            piece += character > 0 ? character : 1;
        }
        int count =
            MultiByteToWideChar(CP_UTF8, 0, text, (int)piece, wide, sizeof wide / sizeof wide[0]);

        WriteConsoleW(screen->console, wide, (DWORD)count, &written, NULL);
        text += piece;
        length -= piece;
    }
}

/* The place of a byte of the line after the console has wrapped it. The cursor counts as a
 * character: after a full row it is in the next row. */
static struct line_editor_place wrapped(const struct screen *screen, size_t byte, size_t columns)
{
    struct line_editor_place place = line_editor_wrapped_place(&screen->row, byte, columns);

    return place.column < columns ? place : (struct line_editor_place){place.row + 1, 0};
}

/*
 * How many rows above the cursor belong to the line, if the console has become narrower and has
 * wrapped it. It may have cut the line instead: then the cursor stays in its row and, if it was cut
 * off, is in the last column. The console does not say which. A row that may belong to another
 * program is not touched.
 */
static size_t rows_above(const struct screen *screen, const CONSOLE_SCREEN_BUFFER_INFO *info)
{
    size_t columns = (size_t)info->dwSize.X;
    struct line_editor_place place = wrapped(screen, screen->row.cursor, columns);
    COORD cursor = info->dwCursorPosition;
    bool cut = cursor.Y == screen->cursor.Y && (size_t)cursor.X == columns - 1;

    return !cut && place.column == (size_t)cursor.X && place.row <= (size_t)cursor.Y ? place.row
                                                                                     : 0;
}

void screen_hide_line(struct screen *screen)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD written;

    if (!screen->shown || !GetConsoleScreenBufferInfo(screen->console, &info))
        return;
    size_t columns = (size_t)info.dwSize.X;
    size_t above = rows_above(screen, &info);
    /* The rows below the cursor are only wrapped rows of the line. */
    size_t below = wrapped(screen, buffer_length(&screen->row.text), columns).row -
                   wrapped(screen, screen->row.cursor, columns).row;
    COORD start = {0, (SHORT)(info.dwCursorPosition.Y - (SHORT)above)};

    FillConsoleOutputCharacterW(screen->console, L' ', (DWORD)((above + 1 + below) * columns),
                                start, &written);
    SetConsoleCursorPosition(screen->console, start);
    screen->shown = false;
}

void screen_resume(struct screen *screen)
{
    screen_hide_line(screen);
}

void screen_leave(struct screen *screen)
{
    screen_hide_line(screen);
}

void screen_show_line(struct screen *screen, const struct line_editor *editor)
{
    struct line_editor_row *row = &screen->row;
    CONSOLE_SCREEN_BUFFER_INFO info;

    screen_hide_line(screen);
    if (screen->console == NULL || !GetConsoleScreenBufferInfo(screen->console, &info))
        return;
    /* The window may be narrower than its buffer. */
    int columns = info.srWindow.Right - info.srWindow.Left + 1;

    buffer_clear(&row->text);
    if (!line_editor_render(editor, (size_t)columns, row))
        return;
    draw(screen, buffer_bytes(&row->text), row->cursor);
    /* The cursor is now at the right place, however the console counts columns. */
    GetConsoleScreenBufferInfo(screen->console, &info);
    draw(screen, buffer_bytes(&row->text) + row->cursor, buffer_length(&row->text) - row->cursor);
    SetConsoleCursorPosition(screen->console, info.dwCursorPosition);
    screen->cursor = info.dwCursorPosition;
    screen->shown = true;
}

void screen_finish_line(struct screen *screen, const struct line_editor *editor)
{
    struct line_editor_row row = {.cursor = 0};
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (screen->console == NULL)
        return;
    screen_hide_line(screen);
    if (line_editor_render(editor, SIZE_MAX, &row))
        draw(screen, buffer_bytes(&row.text), buffer_length(&row.text));
    /* A row that fills the last column has moved the cursor to the next row already. */
    if (!GetConsoleScreenBufferInfo(screen->console, &info) || info.dwCursorPosition.X > 0)
        draw(screen, "\r\n", 2);
    buffer_clear(&row.text);
}

void screen_interrupt(struct screen *screen)
{
    output_drop(screen->output);
    if (screen->shown)
        draw(screen, "\r\n", 2);
    screen->shown = false;
}

void screen_clear(struct screen *screen)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD written;

    if (screen->console == NULL || !GetConsoleScreenBufferInfo(screen->console, &info))
        return;
    /* The scrollback stays. */
    COORD home = {0, info.srWindow.Top};
    int rows = info.srWindow.Bottom - info.srWindow.Top + 1;

    FillConsoleOutputCharacterW(screen->console, L' ', (DWORD)info.dwSize.X * (DWORD)rows, home,
                                &written);
    SetConsoleCursorPosition(screen->console, home);
    screen->shown = false;
}
