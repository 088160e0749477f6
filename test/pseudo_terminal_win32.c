#include "pseudo_terminal.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_MAX = 1024, MOMENT = 10 /* milliseconds */, STARTING = 30000 };

struct pseudo_terminal {
    HANDLE process;
    HANDLE keyboard;
    HANDLE screen;
};

/* Ctrl-C reaches every process of the console, this one as well. */
static BOOL WINAPI ignore_control(DWORD event)
{
    return event == CTRL_C_EVENT;
}

/* Makes the program's console the one of this process. It has none until it has got up. */
static bool attach(struct pseudo_terminal *terminal, DWORD id)
{
    SetConsoleCtrlHandler(ignore_control, TRUE);
    FreeConsole();
    for (int waited = 0; !AttachConsole(id); waited += MOMENT) {
        if (waited > STARTING || WaitForSingleObject(terminal->process, MOMENT) == WAIT_OBJECT_0)
            return false;
    }
    terminal->keyboard =
        CreateFileA("CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, 0, NULL);
    terminal->screen =
        CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                    NULL, OPEN_EXISTING, 0, NULL);
    return terminal->keyboard != INVALID_HANDLE_VALUE && terminal->screen != INVALID_HANDLE_VALUE;
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

struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[])
{
    struct pseudo_terminal *terminal = calloc(1, sizeof *terminal);
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION created;
    char line[1024];

    if (terminal == NULL)
        abort();
    join(arguments, line, sizeof line);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &start,
                        &created)) {
        fprintf(stderr, "%s: Windows error %lu\n", line, GetLastError());
        free(terminal);
        return NULL;
    }
    CloseHandle(created.hThread);
    terminal->process = created.hProcess;
    if (attach(terminal, created.dwProcessId))
        return terminal;
    fprintf(stderr, "%s: no console: Windows error %lu\n", line, GetLastError());
    pseudo_terminal_kill(terminal);
    pseudo_terminal_destroy(terminal);
    return NULL;
}

/* Presses and releases a key; before it, something that is none happens. */
static void press(const struct pseudo_terminal *terminal, WORD key, WCHAR character)
{
    INPUT_RECORD events[] = {
        {.EventType = FOCUS_EVENT}, {.EventType = KEY_EVENT}, {.EventType = KEY_EVENT}};
    DWORD written;

    events[1].Event.KeyEvent =
        (KEY_EVENT_RECORD){.bKeyDown = TRUE, .wRepeatCount = 1, .wVirtualKeyCode = key};
    events[1].Event.KeyEvent.uChar.UnicodeChar = character;
    events[2] = events[1];
    events[2].Event.KeyEvent.bKeyDown = FALSE;
    if (!WriteConsoleInputW(terminal->keyboard, events, 3, &written))
        fprintf(stderr, "typing: Windows error %lu\n", GetLastError());
}

void pseudo_terminal_type(struct pseudo_terminal *terminal, const char *keys)
{
    WCHAR wide[1024];
    int count = MultiByteToWideChar(CP_UTF8, 0, keys, -1, wide, sizeof wide / sizeof wide[0]);

    for (int i = 0; i < count - 1; i++) {
        if (wide[i] == 0x1B && i + 2 < count) {
            press(terminal, VK_LEFT, 0);
            i += 2;
        } else if (wide[i] == 0x7F) {
            press(terminal, VK_BACK, '\b');
        } else {
            press(terminal, wide[i] == '\r' ? VK_RETURN : 0, wide[i]);
        }
    }
}

void pseudo_terminal_interrupt(struct pseudo_terminal *terminal)
{
    (void)terminal;
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        fprintf(stderr, "Ctrl-C: Windows error %lu\n", GetLastError());
}

void pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_SCREEN])
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    char *end = screen;

    WaitForSingleObject(terminal->process, MOMENT); /* nothing waits for a change of the screen */
    if (!GetConsoleScreenBufferInfo(terminal->screen, &info))
        memset(&info, 0, sizeof info);
    for (SHORT row = 0; row <= info.dwCursorPosition.Y; row++) {
        WCHAR wide[ROW_MAX];
        DWORD count = info.dwSize.X < ROW_MAX ? (DWORD)info.dwSize.X : ROW_MAX;

        if (end + 3 * count + 1 > screen + PSEUDO_TERMINAL_SCREEN ||
            !ReadConsoleOutputCharacterW(terminal->screen, wide, count, (COORD){.Y = row}, &count))
            break;
        end += WideCharToMultiByte(CP_UTF8, 0, wide, (int)count, end, 3 * (int)count, NULL, NULL);
        while (end > screen && end[-1] == ' ')
            end--;
        *end++ = '\n';
    }
    *(end > screen ? end - 1 : end) = '\0';
}

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    return GetConsoleScreenBufferInfo(terminal->screen, &info) ? (size_t)info.dwSize.X : 0;
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
    FreeConsole();
    AttachConsole(ATTACH_PARENT_PROCESS);
    free(terminal);
    return (int)status;
}
