/*
 * system: what a test has to know of the system it runs on. system_posix.c and system_win32.c
 * implement it. What Windows does otherwise is told from what only Wine does, so that the tests are
 * strict on Windows.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>

#include "os.h"

extern const bool system_is_windows;

/* Whether this is Wine. */
bool system_is_wine(void);

/* What this program starts from now on ends with it, even if it crashes (Windows: a job object).
 * Elsewhere test/run.sh ends the whole process group. */
void system_end_children_with_me(void);

/* Sets an environment variable of this process and of the programs that it starts. */
void system_set_environment(const char *name, const char *value);

/* Closes a connected socket as if its machine had vanished: the peer is told nothing. Returns false
 * where the system does not permit it (Linux: TCP_REPAIR and CAP_NET_ADMIN). */
bool system_vanish(os_socket s);

/* Sends one byte of urgent data (MSG_OOB in send(2)); false when it cannot be sent. */
bool system_send_urgent(os_socket s);

#endif
