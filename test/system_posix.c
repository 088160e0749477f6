#include "system.h"

#include <stdlib.h>
#include <sys/socket.h>

const bool system_is_windows = false;

bool system_is_wine(void)
{
    return false;
}

void system_end_children_with_me(void)
{
}

void system_set_environment(const char *name, const char *value)
{
    setenv(name, value, 1);
}

bool system_send_urgent(os_socket s)
{
    return send(s, "!", 1, MSG_OOB) == 1;
}
