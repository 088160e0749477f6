#include "pseudo_terminal.h"

#include "console_win32.h" /* first: it includes winsock2.h */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attached_console_win32.h"
#include "system.h"

enum {
    COLUMNS = 80,
    ROWS = 300, /* of the screen; the window has fewer */
    WINDOW_ROWS = 25,
    ROW_MAX = 1024, /* columns of a row that are looked at */
    CELL = 5,       /* bytes of one column, in UTF-8 and with braces around it */
    EVENTS = 1000,  /* written at once; a console's input takes some thousands, not any number */
    MOMENT = 10     /* milliseconds */
};

struct pseudo_terminal {
    HANDLE process;
    HANDLE keyboard;
    HANDLE screen;
    HANDLE pipe; /* our end of the program's stdout; or NULL */
    char piped[PSEUDO_TERMINAL_TEXT];
    size_t piped_length;
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* A window that begins where the screen does. */
static bool set_window(HANDLE screen, int columns, int rows)
{
    SMALL_RECT window = {.Right = (SHORT)(columns - 1), .Bottom = (SHORT)(rows - 1)};

    return SetConsoleWindowInfo(screen, TRUE, &window) != 0;
}

/* Gives the screen a size. The window must never be larger than the screen, nor than what fits on
 * the machine's display, so it shrinks first and grows last. */
static bool set_size(HANDLE screen, int columns, int rows)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    COORD largest = GetLargestConsoleWindowSize(screen);
    COORD size = {(SHORT)columns, (SHORT)rows};
    int window_columns = largest.X > 0 ? least(columns, largest.X) : columns;
    int window_rows = largest.Y > 0 ? least(WINDOW_ROWS, largest.Y) : WINDOW_ROWS;

    return GetConsoleScreenBufferInfo(screen, &info) &&
           set_window(screen, least(window_columns, info.dwSize.X),
                      least(window_rows, info.dwSize.Y)) &&
           SetConsoleScreenBufferSize(screen, size) &&
           set_window(screen, window_columns, window_rows);
}

/* Opens the console that has been attached, and makes it as large as all are here. */
static bool open_console(struct pseudo_terminal *terminal)
{
    enum { REAL_COLUMNS = 120, REAL_ROWS = 9001 };

    terminal->keyboard =
        CreateFileA("CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, 0, NULL);
    terminal->screen =
        CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, 0, NULL);
    if (terminal->keyboard == INVALID_HANDLE_VALUE || terminal->screen == INVALID_HANDLE_VALUE)
        return false;
    /* As it is on Windows, whatever was asked for. */
    if (system_is_wine() && !set_size(terminal->screen, REAL_COLUMNS, REAL_ROWS))
        return false;
    return set_size(terminal->screen, COLUMNS, ROWS);
}

/* The test's arguments have nothing in them that would have to be quoted. */
static void join(const char *const arguments[], char *line, size_t size)
{
    for (size_t i = 0; arguments[i] != NULL; i++) {
        int length = snprintf(line, size, "%s ", arguments[i]);

        if (length < 0 || (size_t)length >= size)
            abort();
        line += length;
        size -= (size_t)length;
    }
}

/* Makes stdout a pipe; the other standard streams, not given, are those of the new console. */
static bool open_pipe(struct pseudo_terminal *terminal, STARTUPINFOA *start)
{
    start->dwFlags |= STARTF_USESTDHANDLES;
    return CreatePipe(&terminal->pipe, &start->hStdOutput, NULL, 0) &&
           SetHandleInformation(start->hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
}

struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[],
                                              const struct pseudo_terminal_options *options)
{
    struct pseudo_terminal *terminal = calloc(1, sizeof *terminal);
    STARTUPINFOA start = {.cb = sizeof start,
                          .dwFlags = STARTF_USECOUNTCHARS,
                          .dwXCountChars = COLUMNS,
                          .dwYCountChars = ROWS};
    PROCESS_INFORMATION created;
    char line[1024];

    if (terminal == NULL)
        abort();
    join(arguments, line, sizeof line);
    /* All this is inherited; no window is to tell of a crash, and no debugger to be started. */
    SetEnvironmentVariableA("TERM", options->term);
    SetEnvironmentVariableA("NO_COLOR", options->no_color);
    SetErrorMode(SEM_NOGPFAULTERRORBOX);
    if ((options->piped && !open_pipe(terminal, &start)) ||
        !CreateProcessA(NULL, line, NULL, NULL, options->piped, CREATE_NO_WINDOW, NULL, NULL,
                        &start, &created)) {
        fprintf(stderr, "%s: Windows error %lu\n", line, GetLastError());
        free(terminal);
        return NULL;
    }
    if (options->piped)
        CloseHandle(start.hStdOutput);
    CloseHandle(created.hThread);
    terminal->process = created.hProcess;
    if (attached_console_open(terminal->process, created.dwProcessId) && open_console(terminal))
        return terminal;
    fprintf(stderr, "%s: no console: Windows error %lu\n", line, GetLastError());
    pseudo_terminal_kill(terminal);
    pseudo_terminal_destroy(terminal);
    return NULL;
}

/* A key is pressed and released. */
static void make_key(INPUT_RECORD events[2], WORD key, WCHAR character)
{
    events[0] = (INPUT_RECORD){.EventType = KEY_EVENT};
    events[0].Event.KeyEvent =
        (KEY_EVENT_RECORD){.bKeyDown = TRUE, .wRepeatCount = 1, .wVirtualKeyCode = key};
    events[0].Event.KeyEvent.uChar.UnicodeChar = character;
    events[1] = events[0];
    events[1].Event.KeyEvent.bKeyDown = FALSE;
}

/* Makes keys of a text; before them, something that is none happens. Returns how many events. */
static DWORD make_keys(const WCHAR *text, INPUT_RECORD *events)
{
    DWORD count = 0;

    events[count++] = (INPUT_RECORD){.EventType = FOCUS_EVENT};
    for (; *text != 0; text++, count += 2) {
        if (*text == 0x1B && text[1] == L'[' && text[2] == L'D') {
            make_key(events + count, VK_LEFT, 0);
            text += 2;
        } else if (*text == 0x7F) {
            make_key(events + count, VK_BACK, '\b');
        } else {
            make_key(events + count, *text == '\r' ? VK_RETURN : 0, *text);
        }
    }
    return count;
}

/* How many of `length` bytes of keys make no more than EVENTS events, without a cut character or
 * escape sequence. */
static size_t piece(const char *keys, size_t length)
{
    size_t end = (EVENTS - 1) / 2;

    if (length <= end)
        return length;
    while (((unsigned char)keys[end] & 0xC0) == 0x80)
        end--;
    for (size_t back = 1; back <= 2; back++) {
        if (keys[end - back] == 0x1B)
            return end - back;
    }
    return end;
}

size_t pseudo_terminal_press(struct pseudo_terminal *terminal, const char *keys, size_t length)
{
    INPUT_RECORD events[EVENTS];
    WCHAR text[EVENTS] = {0};
    DWORD count, written = 0;

    length = piece(keys, length);
    MultiByteToWideChar(CP_UTF8, 0, keys, (int)length, text, EVENTS - 1);
    count = make_keys(text, events);
    for (DWORD done = 0; done < count; done += written) {
        if (!WriteConsoleInputW(terminal->keyboard, events + done, count - done, &written)) {
            fprintf(stderr, "typing: Windows error %lu\n", GetLastError());
            written = 0;
        }
        if (written == 0 && pseudo_terminal_ended(terminal)) /* this waits a moment */
            break;
    }
    return length;
}

void pseudo_terminal_send(struct pseudo_terminal *terminal, enum pseudo_terminal_signal signal)
{
    HANDLE thread = NULL;
    bool done = true;

    switch (signal) {
    case PSEUDO_TERMINAL_INTERRUPT:
        done = attached_console_send(CTRL_C_EVENT);
        break;
    case PSEUDO_TERMINAL_FAULT:
        thread = CreateRemoteThread(terminal->process, NULL, 0, NULL, NULL, 0, NULL);
        done = thread != NULL && CloseHandle(thread);
        break;
    case PSEUDO_TERMINAL_QUIT:
    case PSEUDO_TERMINAL_TERMINATE:
    case PSEUDO_TERMINAL_ABORT:
        break;
    }
    if (!done)
        fprintf(stderr, "signal: Windows error %lu\n", GetLastError());
}

/* As terminal_print() dims: intense black. */
static bool is_dim(WORD attributes)
{
    return (attributes & 0x0F) == FOREGROUND_INTENSITY;
}

/* Appends a row without the spaces at its end, with {} around what is dimmed. */
static char *append_row(char *end, const WCHAR *row, const WORD *attributes, DWORD count)
{
    DWORD next;

    while (count > 0 && row[count - 1] == L' ')
        count--;
    for (DWORD start = 0; start < count; start = next) {
        bool dim = is_dim(attributes[start]);

        next = start + 1;
        while (next < count && is_dim(attributes[next]) == dim)
            next++;
        if (dim)
            *end++ = '{';
        end += WideCharToMultiByte(CP_UTF8, 0, row + start, (int)(next - start), end,
                                   3 * (int)(next - start), NULL, NULL);
        if (dim)
            *end++ = '}';
    }
    return end;
}

bool pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_TEXT])
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    char *end = screen;
    bool running = !pseudo_terminal_ended(terminal); /* this waits a moment */

    if (!GetConsoleScreenBufferInfo(terminal->screen, &info))
        memset(&info, 0, sizeof info);
    for (SHORT row = 0; row <= info.dwCursorPosition.Y; row++) {
        WCHAR wide[ROW_MAX];
        WORD attributes[ROW_MAX];
        char text[CELL * ROW_MAX];
        DWORD count = info.dwSize.X < ROW_MAX ? (DWORD)info.dwSize.X : ROW_MAX;
        COORD place = {.Y = row};

        if (!ReadConsoleOutputCharacterW(terminal->screen, wide, count, place, &count) ||
            !ReadConsoleOutputAttribute(terminal->screen, attributes, count, place, &count))
            break;
        size_t length = (size_t)(append_row(text, wide, attributes, count) - text);

        if (length + 2 > (size_t)(screen + PSEUDO_TERMINAL_TEXT - end))
            break;
        memcpy(end, text, length);
        end += length;
        *end++ = '\n';
    }
    *(end > screen ? end - 1 : end) = '\0';
    return running;
}

const char *pseudo_terminal_piped(struct pseudo_terminal *terminal)
{
    DWORD available = 0, room = (DWORD)(sizeof terminal->piped - 1 - terminal->piped_length);

    WaitForSingleObject(terminal->process, MOMENT); /* nor for a pipe */
    if (PeekNamedPipe(terminal->pipe, NULL, 0, NULL, &available, NULL) && available > 0 &&
        ReadFile(terminal->pipe, terminal->piped + terminal->piped_length,
                 available < room ? available : room, &available, NULL))
        terminal->piped_length += available;
    return terminal->piped;
}

size_t pseudo_terminal_cursor(const struct pseudo_terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    return GetConsoleScreenBufferInfo(terminal->screen, &info) ? (size_t)info.dwCursorPosition.X
                                                               : 0;
}

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    return GetConsoleScreenBufferInfo(terminal->screen, &info) ? (size_t)info.dwSize.X : 0;
}

/* The new size of the buffer makes an event; a user changes the window at once with it, so there is
 * one more when both are done. */
bool pseudo_terminal_resize(struct pseudo_terminal *terminal, size_t columns)
{
    INPUT_RECORD event = {.EventType = WINDOW_BUFFER_SIZE_EVENT};
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD written;

    if (!console_resize(terminal->screen, columns) ||
        !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return false;
    event.Event.WindowBufferSizeEvent.dwSize = info.dwSize;
    return WriteConsoleInputW(terminal->keyboard, &event, 1, &written) != 0;
}

/* A new console is in a mode in which lines are edited and echoed, and no other console is new. */
bool pseudo_terminal_as_found(const struct pseudo_terminal *terminal)
{
    DWORD mode = 0, new = ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT;

    return GetConsoleMode(terminal->keyboard, &mode) && (mode & new) == new;
}

bool pseudo_terminal_ended(struct pseudo_terminal *terminal)
{
    return WaitForSingleObject(terminal->process, MOMENT) == WAIT_OBJECT_0;
}

bool pseudo_terminal_stopped(struct pseudo_terminal *terminal)
{
    (void)terminal;
    return false;
}

void pseudo_terminal_continue(struct pseudo_terminal *terminal)
{
    (void)terminal;
}

void pseudo_terminal_foreground(struct pseudo_terminal *terminal)
{
    (void)terminal;
}

void pseudo_terminal_kill(struct pseudo_terminal *terminal)
{
    TerminateProcess(terminal->process, 137);
}

bool pseudo_terminal_hang_up(struct pseudo_terminal *terminal)
{
    (void)terminal;
    return false;
}

int pseudo_terminal_destroy(struct pseudo_terminal *terminal)
{
    DWORD status = 0;

    WaitForSingleObject(terminal->process, INFINITE);
    GetExitCodeProcess(terminal->process, &status);
    CloseHandle(terminal->process);
    if (terminal->keyboard != NULL)
        CloseHandle(terminal->keyboard);
    if (terminal->screen != NULL)
        CloseHandle(terminal->screen);
    if (terminal->pipe != NULL)
        CloseHandle(terminal->pipe);
    attached_console_close();
    free(terminal);
    return (int)status;
}
