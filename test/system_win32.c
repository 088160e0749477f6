#include "system.h"

#include <winsock2.h> /* before windows.h, always */

#include <windows.h>

#include <stdio.h>

const bool system_is_windows = true;

bool system_is_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL;
}

/* This process is in the job as well, so that all that it starts are, from their first moment on.
 * The handle is never closed: the system does that when the process ends, however it does. */
void system_end_children_with_me(void)
{
    static HANDLE job;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

    if (job != NULL)
        return;
    job = CreateJobObjectA(NULL, NULL);
    if (job == NULL ||
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits) ||
        !AssignProcessToJobObject(job, GetCurrentProcess()))
        fprintf(stderr, "no job: Windows error %lu; a crash would leave children\n",
                GetLastError());
}

void system_set_environment(const char *name, const char *value)
{
    SetEnvironmentVariableA(name, value);
}

bool system_vanish(os_socket s)
{
    (void)s;
    return false;
}

bool system_send_urgent(os_socket s)
{
    return send(s, "!", 1, MSG_OOB) == 1;
}
