#include "attached_console_win32.h"

enum { MOMENT = 10, STARTING = 30000, ARRIVAL = 10000 /* milliseconds */ };

static HANDLE arrived; /* set when a control event has */

static BOOL WINAPI take_event(DWORD event)
{
    bool ours = event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;

    if (ours)
        SetEvent(arrived);
    return ours;
}

/* Windows 8 and later forget a process's handlers when it leaves its console or is attached to
 * another one, Wine does not. They are forgotten on both, so that Wine shows what Windows does. */
static void forget_handlers(void)
{
    while (SetConsoleCtrlHandler(take_event, FALSE))
        continue;
}

bool attached_console_open(HANDLE process, DWORD id)
{
    if (arrived == NULL)
        arrived = CreateEventA(NULL, FALSE, FALSE, NULL);
    FreeConsole();
    forget_handlers();
    for (int waited = 0; !AttachConsole(id); waited += MOMENT) {
        if (waited > STARTING || WaitForSingleObject(process, MOMENT) == WAIT_OBJECT_0)
            return false;
    }
    forget_handlers();
    /* Ctrl-C must not be ignored instead of handled: programs that are started would inherit that.
     */
    return arrived != NULL && SetConsoleCtrlHandler(NULL, FALSE) &&
           SetConsoleCtrlHandler(take_event, TRUE);
}

bool attached_console_send(DWORD event)
{
    ResetEvent(arrived);
    return GenerateConsoleCtrlEvent(event, 0) &&
           WaitForSingleObject(arrived, ARRIVAL) == WAIT_OBJECT_0;
}

void attached_console_close(void)
{
    FreeConsole();
    forget_handlers();
    AttachConsole(ATTACH_PARENT_PROCESS);
    forget_handlers();
}
