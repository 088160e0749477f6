/*
 * attached_console: the console of a program under test, which the test program makes its own for a
 * while. Only the processes of a console can be sent Ctrl-C, and only they can type into it and
 * read its screen. One at a time.
 */
#ifndef ATTACHED_CONSOLE_H
#define ATTACHED_CONSOLE_H

#include <windows.h>

#include <stdbool.h>

/*
 * Gives up this process's console and attaches it to that of a program, which has none until it has
 * got up: waits for it, for 30 s at most. On failure, with GetLastError() set,
 * attached_console_close() is to be called all the same.
 */
bool attached_console_open(HANDLE process, DWORD id);

/* Sends CTRL_C_EVENT or CTRL_BREAK_EVENT to all processes of the console, and waits until it has
 * arrived in this one, which is one of them and goes on. */
bool attached_console_send(DWORD event);

/* Goes back to the console of this process's parent, if that has one. */
void attached_console_close(void);

#endif
