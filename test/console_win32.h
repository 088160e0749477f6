/*
 * console_win32: a console of its own, without a window, for a test program that calls the client's
 * Windows half itself. Windows only.
 */
#ifndef CONSOLE_WIN32_H
#define CONSOLE_WIN32_H

#include <winsock2.h> /* before windows.h, always */

#include <stdbool.h>
#include <stddef.h>

/* For main(): runs `tests` in a process that has such a console besides this one's stdout and
 * stderr, and returns what they return. */
int console_run(int argc, char *argv[], int (*tests)(void));

/* The console's input and screen, opened anew; the caller closes them. */
HANDLE console_open_input(void);
HANDLE console_open_screen(void);

/* Makes the screen and its window as wide as this. The console may break its rows, or cut them.
 * False, with GetLastError() set, when the system refuses. */
bool console_resize(HANDLE screen, size_t columns);

enum { CONSOLE_TEXT = 16384 };

/* The rows up to that of the cursor, each without the spaces at its end, with a line feed between
 * two and | where the cursor stands. */
void console_text(HANDLE screen, char text[CONSOLE_TEXT]);

#endif
