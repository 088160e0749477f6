/*
 * terminal: the client's stdin, whatever it is (terminal or console, pipe, file, nothing), and the
 * one place where a session waits: for input, for room in stdout, and for its sockets at once.
 * terminal_win32.c and terminal_posix.c implement it; what a person sees is the screen's matter.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"
#include "os.h"
#include "selector.h"

struct terminal;

/* What terminal_wait() waited for and found. */
enum { TERMINAL_INPUT = 1, TERMINAL_OUTPUT = 2 };

/* How to end the input at an empty line: "Ctrl-D", or "Ctrl-Z" on Windows. */
extern const char terminal_end_key[];

/*
 * Takes stdin. When it is a terminal and screen_can_draw(), it is put into a mode in which keys
 * come one by one and are not echoed, until terminal_close(), or whatever else ends the process,
 * crashes among it; while the process is suspended or in the background it has its own mode.
 * `selector` watches the sockets that terminal_wait() is to wait for too, all of which are named in
 * `sockets`; it must live longer than the terminal. Returns NULL when the system refuses, with
 * os_socket_error() set. There is one at a time.
 */
struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count);

/* Gives the terminal back as it was. NULL is allowed. */
void terminal_close(struct terminal *terminal);

/* Whether stdin is a terminal. */
bool terminal_interactive(const struct terminal *terminal);

/* Whether keys come one by one, and it is for us to draw the line; else a terminal edits and echoes
 * lines by itself, and gives them as bytes. */
bool terminal_takes_keys(const struct terminal *terminal);

/*
 * Waits until a watched socket is ready (their watches say so), or something named in `wanted` is,
 * or the window has changed its size or the process goes on after it was stopped, since the last
 * wait, or another signal comes; at most `timeout` milliseconds unless that is negative. Returns
 * what of `wanted` is ready, or -1 when waiting is impossible, with os_socket_error() set.
 */
int terminal_wait(struct terminal *terminal, int wanted, int timeout);

/*
 * Reads bytes of an input that is ready and does not take keys. Returns how many, 0 when there are
 * none now after all, TERMINAL_END at the end of input, TERMINAL_BROKEN with the system's words in
 * `error`.
 */
enum { TERMINAL_END = -1, TERMINAL_BROKEN = -2 };
ptrdiff_t terminal_read(struct terminal *terminal, void *bytes, size_t size,
                        char error[OS_ERROR_TEXT]);

/* Whether terminal_read() would not wait. */
bool terminal_input_ready(struct terminal *terminal);

/* Gives the next key that was pressed, where keys are taken; false when there is none, after a
 * terminal_wait() that has found input, before the next one. */
bool terminal_key(struct terminal *terminal, struct key *key);

#endif
