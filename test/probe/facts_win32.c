#include "facts.h"

#include <windows.h>

#include "os.h"
#include "system.h"

static void tell_sleep(const char *name)
{
    int64_t longest = 0, sum = 0;
    enum { TIMES = 50 };

    for (int i = 0; i < TIMES; i++) {
        int64_t began = os_nanoseconds();

        Sleep(1);
        int64_t took = os_nanoseconds() - began;

        sum += took;
        longest = took > longest ? took : longest;
    }
    fact(name, "mean %.3f ms, max %.3f ms", (double)sum / TIMES / 1e6, (double)longest / 1e6);
}

static void tell_console(void)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    HANDLE screen = CreateFileA("CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    if (screen == INVALID_HANDLE_VALUE || !GetConsoleScreenBufferInfo(screen, &info)) {
        fact("console", "none");
    } else {
        COORD largest = GetLargestConsoleWindowSize(screen);

        fact("console", "%d x %d, window %d x %d, largest window %d x %d", info.dwSize.X,
             info.dwSize.Y, info.srWindow.Right - info.srWindow.Left + 1,
             info.srWindow.Bottom - info.srWindow.Top + 1, largest.X, largest.Y);
    }
    if (screen != INVALID_HANDLE_VALUE)
        CloseHandle(screen);
}

void facts_of_system(void)
{
    typedef LONG WINAPI get_version(OSVERSIONINFOW *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    /* GetVersionEx() tells the version that a program was made for. */
    get_version *ask = (get_version *)(void (*)(void))GetProcAddress(GetModuleHandleA("ntdll.dll"),
                                                                     "RtlGetVersion");

    if (ask != NULL && ask(&version) == 0)
        fact("system", "Windows %lu.%lu.%lu%s", version.dwMajorVersion, version.dwMinorVersion,
             version.dwBuildNumber, system_is_wine() ? " (Wine)" : "");
    tell_console();
    tell_sleep("Sleep(1)");
    os_wait_precisely();
    tell_sleep("Sleep(1), fine timer");
}
