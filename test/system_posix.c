#include "system.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

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

#ifdef TCP_REPAIR
bool system_vanish(os_socket s)
{
    int on = 1;

    return setsockopt(s, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0 && close(s) == 0;
}
#else
bool system_vanish(os_socket s)
{
    (void)s;
    return false;
}
#endif

bool system_send_urgent(os_socket s)
{
    return send(s, "!", 1, MSG_OOB) == 1;
}
