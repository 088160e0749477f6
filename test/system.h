/*
 * system: what a test has to know of the system it runs on. system_posix.c and system_win32.c
 * implement it. What Windows does otherwise is told from what only Wine does, so that the tests are
 * strict on Windows.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>

extern const bool system_is_windows;

/* Whether this is Wine. */
bool system_is_wine(void);

/* What this program starts from now on ends with it, even if it crashes (Windows: a job object).
 * Elsewhere test/run.sh ends the whole process group. */
void system_end_children_with_me(void);

#endif
