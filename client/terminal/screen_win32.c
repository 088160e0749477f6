#include <windows.h>

#include <stdlib.h>

#include "screen.h"
#include "text.h"

struct screen {
    HANDLE console; /* where the line is drawn, even if stdout is something else; NULL: it is not */
    struct output *output;
    bool shown;                 /* the line is */
    struct line_editor_row row; /* what was drawn then, */
    COORD cursor;               /* and where the cursor was left */
    bool colours;
    WORD colour; /* of what is not dimmed */
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

/* At once: the console takes everything, and the line is drawn by other calls. */
bool screen_write(struct screen *screen, const char *text, size_t length)
{
    bool good = output_append(screen->output, text, length);

    return stream_is_terminal(STREAM_OUTPUT) ? good && output_flush(screen->output) : good;
}

void screen_dim(struct screen *screen, bool dim)
{
    /* Grey on the background that there is. */
    WORD grey = (WORD)((screen->colour & 0xF0) | FOREGROUND_INTENSITY);

    if (screen->colours)
        SetConsoleTextAttribute(screen->console, dim ? grey : screen->colour);
}

/* Writes to the console, whatever stdout is. */
static void draw(const struct screen *screen, const char *text, size_t length)
{
    WCHAR wide[1024];
    DWORD written;

    while (length > 0) {
        size_t piece = 0;

        /* As many whole characters as are sure to fit. */
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

/* Where a byte of the line stands if the console has broken it. The cursor counts as a character
 * there: behind a full row it stands in the next one. */
static struct line_editor_place broken(const struct screen *screen, size_t byte, size_t columns)
{
    struct line_editor_place place = line_editor_broken(&screen->row, byte, columns);

    return place.column < columns ? place : (struct line_editor_place){place.row + 1, 0};
}

/*
 * How many rows above the cursor are the line's, because the console has become narrower and has
 * broken it. It may as well have cut it, which leaves the cursor in its row and, if that is where
 * the cut was, in the last column; nothing tells which. A row that might not be ours is left alone.
 */
static size_t rows_above(const struct screen *screen, const CONSOLE_SCREEN_BUFFER_INFO *info)
{
    size_t columns = (size_t)info->dwSize.X;
    struct line_editor_place place = broken(screen, screen->row.cursor, columns);
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
    /* Nothing stands below the line but what was broken off it. */
    size_t below = broken(screen, buffer_length(&screen->row.text), columns).row -
                   broken(screen, screen->row.cursor, columns).row;
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
    /* The window may be narrower than the buffer behind it. */
    int columns = info.srWindow.Right - info.srWindow.Left + 1;

    buffer_clear(&row->text);
    if (!line_editor_render(editor, (size_t)columns, row))
        return;
    draw(screen, buffer_bytes(&row->text), row->cursor);
    /* Where the cursor is now is where it belongs, whatever columns the console counts. */
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
    /* What has filled the last column has gone to the next row by itself. */
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
    /* What has been scrolled out of the window stays. */
    COORD home = {0, info.srWindow.Top};
    int rows = info.srWindow.Bottom - info.srWindow.Top + 1;

    FillConsoleOutputCharacterW(screen->console, L' ', (DWORD)info.dwSize.X * (DWORD)rows, home,
                                &written);
    SetConsoleCursorPosition(screen->console, home);
    screen->shown = false;
}
