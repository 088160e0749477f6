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

/* Room for all that stands on the screen, and for what the program writes to a pipe. */
enum { PSEUDO_TERMINAL_TEXT = 65536 };

/* The key that ends the input: Ctrl-Z on Windows, Ctrl-D elsewhere. */
#ifdef _WIN32
#define PSEUDO_TERMINAL_END "\x1A"
#define PSEUDO_TERMINAL_END_NAME "Ctrl-Z"
#else
#define PSEUDO_TERMINAL_END "\x04"
#define PSEUDO_TERMINAL_END_NAME "Ctrl-D"
#endif

struct pseudo_terminal_options {
    /* The environment's TERM; NULL: none. A screen that is neither "xterm" nor "linux" shows escape
     * sequences instead of obeying them, and "linux" cuts rows that have become too long instead of
     * breaking them; but on Windows this means nothing. */
    const char *term;
    const char *no_color; /* the environment's NO_COLOR; NULL: none */
    bool piped;           /* stdout is a pipe */
    bool background;      /* the program is started in the background; not on Windows */
    bool tostop;          /* the terminal stops those who write in the background, as `stty tostop`
                             asks for; not on Windows */
    bool cuts;            /* rows that have become too long are cut, and nothing in the environment
                             says which terminal it is; not on Windows */
};

/* What a program can be sent; on Windows only the first and the last. */
enum pseudo_terminal_signal {
    PSEUDO_TERMINAL_INTERRUPT, /* Ctrl-C is pressed */
    PSEUDO_TERMINAL_QUIT,      /* Ctrl-\ is pressed */
    PSEUDO_TERMINAL_TERMINATE, /* SIGTERM */
    PSEUDO_TERMINAL_ABORT,     /* SIGABRT */
    PSEUDO_TERMINAL_FAULT      /* SIGSEGV; on Windows a thread of the program jumps to NULL */
};

/* Starts a program in a new terminal, which is its three standard streams. NULL when the system
 * refuses. */
struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[],
                                              const struct pseudo_terminal_options *options);

/*
 * Presses the keys of a text in UTF-8: \r is Enter, \x7F Backspace, other control characters Ctrl
 * with a letter, and \x1B[D the arrow to the left. Returns how many of the `length` bytes the
 * terminal has taken: none after a moment in which it took none.
 */
size_t pseudo_terminal_press(struct pseudo_terminal *terminal, const char *keys, size_t length);

void pseudo_terminal_send(struct pseudo_terminal *terminal, enum pseudo_terminal_signal signal);

/*
 * Waits a moment for the screen to change, and gives its rows from the first at least to the one in
 * which the cursor stands, each without the spaces at its end, with a line feed between two. What
 * is dimmed stands in {}. Returns whether the program still runs: after false, nothing will change.
 */
bool pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_TEXT]);

/* Waits a moment, and gives all that the program has written to the pipe. */
const char *pseudo_terminal_piped(struct pseudo_terminal *terminal);

/* Columns left of the cursor. */
size_t pseudo_terminal_cursor(const struct pseudo_terminal *terminal);

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal);

/* Makes the window as wide as this. False when the system refuses. */
bool pseudo_terminal_resize(struct pseudo_terminal *terminal, size_t columns);

/* Whether the terminal is in the mode in which the program found it, and pastes are as any keys. */
bool pseudo_terminal_as_found(const struct pseudo_terminal *terminal);

/* Whether the program has ended. */
bool pseudo_terminal_ended(struct pseudo_terminal *terminal);

/*
 * Whether the program is stopped, as Ctrl-Z does on POSIX. When that happens, a line "Stopped" is
 * written to the terminal, as a shell would. pseudo_terminal_continue() lets the program go on.
 */
bool pseudo_terminal_stopped(struct pseudo_terminal *terminal);
void pseudo_terminal_continue(struct pseudo_terminal *terminal);

/* Gives the terminal to a program that was started in the background; not on Windows. */
void pseudo_terminal_foreground(struct pseudo_terminal *terminal);

void pseudo_terminal_kill(struct pseudo_terminal *terminal);

/* Takes the terminal away from under the program. False where that is not possible. */
bool pseudo_terminal_hang_up(struct pseudo_terminal *terminal);

/* Waits for the program's end, frees everything, and returns the exit status, or 128 plus the
 * number of the signal that ended it. */
int pseudo_terminal_destroy(struct pseudo_terminal *terminal);

#endif
