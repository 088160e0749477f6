/*
 * pseudo_terminal: a terminal, with a program under test in it, whose keys the test presses and
 * whose screen it reads: a pseudo-terminal on POSIX, a console without a window on Windows.
 * pseudo_terminal_posix.c and pseudo_terminal_win32.c implement it. On Windows there can be one at
 * a time.
 */
#ifndef PSEUDO_TERMINAL_H
#define PSEUDO_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct pseudo_terminal;

/* Room for all that stands on the screen. */
enum { PSEUDO_TERMINAL_SCREEN = 65536 };

/* The key that ends the input: Ctrl-Z on Windows, Ctrl-D elsewhere. */
#ifdef _WIN32
#define PSEUDO_TERMINAL_END "\x1A"
#else
#define PSEUDO_TERMINAL_END "\x04"
#endif

/* Starts a program in a new terminal, which is its three standard streams. NULL when the system
 * refuses. */
struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[]);

/*
 * Presses the keys of a text in UTF-8: \r is Enter, \x7F Backspace, other control characters Ctrl
 * with a letter, and \x1B[D the arrow to the left. Ctrl-C is pressed by
 * pseudo_terminal_interrupt().
 */
void pseudo_terminal_type(struct pseudo_terminal *terminal, const char *keys);
void pseudo_terminal_interrupt(struct pseudo_terminal *terminal);

/*
 * Waits a moment for the screen to change, and gives its rows from the first to the one in which
 * the cursor stands, each without the spaces at its end, with a line feed between two.
 */
void pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_SCREEN]);

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal);

/* Whether the terminal is in the mode in which the program found it. */
bool pseudo_terminal_as_found(const struct pseudo_terminal *terminal);

/* Whether the program has ended. */
bool pseudo_terminal_ended(struct pseudo_terminal *terminal);

void pseudo_terminal_kill(struct pseudo_terminal *terminal);

/* Takes the terminal away from under the program. False where that is not possible. */
bool pseudo_terminal_hang_up(struct pseudo_terminal *terminal);

/* Waits for the program's end, frees everything, and returns the exit status, or 128 plus the
 * number of the signal that ended it. */
int pseudo_terminal_destroy(struct pseudo_terminal *terminal);

#endif
