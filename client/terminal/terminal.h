/*
 * terminal: the client's stdin, whatever it is (terminal or console, pipe, file, nothing), and the
 * one place where a session waits: for input and for all that its selector watches at once.
 * terminal_win32.c and terminal_posix.c implement it; what a person sees is the screen's matter.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "editor/key.h"
#include "os.h"
#include "selector.h"

struct terminal;

/* How to end the input at an empty line: "Ctrl-D", or "Ctrl-Z" on Windows. */
extern const char terminal_end_key[];

/*
 * Takes stdin. When it is a terminal and screen_can_draw(), keys come one by one and are not echoed
 * while we are in its foreground, until terminal_close(), or whatever else ends the process,
 * crashes among it; a process that is suspended or in the background leaves the terminal as it was.
 * `selector` watches the sockets that terminal_wait() is to wait for too, all of which, at most
 * four, are named in `sockets`; it must live longer than the terminal. Returns NULL when the system
 * refuses, with os_socket_error() set. There is one at a time.
 */
struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count);

/* Gives the terminal back as it was. NULL is allowed. */
void terminal_close(struct terminal *terminal);

/* Whether stdin is a terminal. */
bool terminal_interactive(const struct terminal *terminal);

/* Whether stdin is a pipe into which a person types: Windows programs get one from mintty, the
 * window of MSYS2, Git Bash and Cygwin, where it makes no console for them (ConPTY). False on
 * POSIX. */
bool terminal_lacks_console(const struct terminal *terminal);

/* Whether keys come one by one, and it is for us to draw the line; else a terminal edits and echoes
 * lines by itself, and stream_read() gives them. */
bool terminal_takes_keys(const struct terminal *terminal);

/* Whether the terminal, if it is one, was ours at the last terminal_wait(): to be read, and to be
 * drawn on. Another process group may have it (job control, tcgetpgrp(3)). */
bool terminal_foreground(const struct terminal *terminal);

/* Whether the window has changed its size or the process was stopped, as the last terminal_wait()
 * found: what is drawn is to be drawn again. On Windows a key says so. */
bool terminal_resumed(const struct terminal *terminal);

/*
 * Waits until a watched socket is ready (their watches say so), or stdin is, if it is `wanted`, or
 * the window has changed its size or the process goes on after it was stopped, since the last wait,
 * or another signal comes; at most until `deadline`, as selector_wait() takes it. Returns 1 when
 * stdin is ready, 0 when it is not, -1 when waiting is impossible, with os_socket_error() set. A
 * terminal in whose background we are is never ready.
 */
int terminal_wait(struct terminal *terminal, bool wanted, int64_t deadline);

/* What terminal_key() found. */
enum terminal_keys {
    TERMINAL_NO_KEY, /* there is none, after a terminal_wait() that has found input, before the next
                        one */
    TERMINAL_KEY,
    TERMINAL_GONE /* the terminal has hung up */
};

/* Gives the next key that was pressed, where keys are taken. */
enum terminal_keys terminal_key(struct terminal *terminal, struct key *key);

#endif
