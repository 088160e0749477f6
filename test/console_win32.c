#include "console_win32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the test program where the system refuses what no test is about. */
static void need(bool done)
{
    if (done)
        return;
    fprintf(stderr, "console: Windows error %lu\n", GetLastError());
    exit(EXIT_FAILURE);
}

int console_run(int argc, char *argv[], int (*tests)(void))
{
    STARTUPINFOA start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION created;
    char line[MAX_PATH + 16];
    DWORD status = EXIT_FAILURE;

    if (argc > 1)
        return tests();
    snprintf(line, sizeof line, "\"%s\" in-console", argv[0]);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetHandleInformation(start.hStdOutput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    need(CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &start,
                        &created));
    WaitForSingleObject(created.hProcess, INFINITE);
    GetExitCodeProcess(created.hProcess, &status);
    CloseHandle(created.hThread);
    CloseHandle(created.hProcess);
    return (int)status;
}

static HANDLE open_console(const WCHAR *name)
{
    HANDLE handle = CreateFileW(name, GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    need(handle != INVALID_HANDLE_VALUE);
    return handle;
}

HANDLE console_open_input(void)
{
    return open_console(L"CONIN$");
}

HANDLE console_open_screen(void)
{
    return open_console(L"CONOUT$");
}

bool console_resize(HANDLE screen, size_t columns)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(screen, &info))
        return false;
    bool narrower = (SHORT)columns < info.dwSize.X;

    info.dwSize.X = (SHORT)columns;
    info.srWindow.Left = 0;
    info.srWindow.Right = (SHORT)(columns - 1);
    /* The window never is wider than the buffer behind it. */
    return (!narrower || SetConsoleWindowInfo(screen, TRUE, &info.srWindow)) &&
           SetConsoleScreenBufferSize(screen, info.dwSize) &&
           (narrower || SetConsoleWindowInfo(screen, TRUE, &info.srWindow));
}

void console_text(HANDLE screen, char text[CONSOLE_TEXT])
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    char *end = text;

    need(GetConsoleScreenBufferInfo(screen, &info));
    for (COORD place = {0, 0}; place.Y <= info.dwCursorPosition.Y; place.Y++) {
        DWORD count = (DWORD)info.dwSize.X, least = 0;

        if (end + count + 2 > text + CONSOLE_TEXT)
            abort();
        need(ReadConsoleOutputCharacterA(screen, end, count, place, &count));
        if (place.Y == info.dwCursorPosition.Y) {
            least = (DWORD)info.dwCursorPosition.X;
            memmove(end + least + 1, end + least, count - least);
            end[least++] = '|';
            count++;
        }
        while (count > least && end[count - 1] == ' ')
            count--;
        end += count;
        *end++ = '\n';
    }
    end[-1] = '\0';
}
