/*
 * terminal: the client's stdin and stdout, whatever they are (terminal or console, pipe, file,
 * nothing), and the one place where a session waits: for input, for room in the output, and for its
 * sockets at once. terminal_win32.c and terminal_posix.c implement it.
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
 * Takes stdin and stdout. When both are a terminal that can be drawn on, it is put into a mode in
 * which keys come one by one and are not echoed, until terminal_close(), or whatever else ends the
 * process, crashes among it; while the process is suspended it has its own mode. `selector` watches
 * the sockets that terminal_wait() is to wait for too, all of which are named in `sockets`; it must
 * live longer than the terminal. Returns NULL when the system refuses. There is one at a time.
 */
struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count);

/* Gives the terminal back as it was. */
void terminal_close(struct terminal *terminal);

/* Whether stdin is a terminal: then keys are read. */
bool terminal_interactive(const struct terminal *terminal);

/*
 * Waits until a watched socket is ready (their watches say so), or something named in `wanted` is,
 * or the window has changed its size, or a signal comes. Returns what of `wanted` is ready, or -1
 * when waiting is impossible, with os_socket_error() set.
 */
int terminal_wait(struct terminal *terminal, int wanted);

/*
 * Reads bytes of an input that is no terminal and is ready. Returns how many, 0 when there are none
 * now after all, TERMINAL_END at the end of input, TERMINAL_BROKEN with the system's words in
 * `error`.
 */
enum { TERMINAL_END = -1, TERMINAL_BROKEN = -2 };
ptrdiff_t terminal_read(struct terminal *terminal, void *bytes, size_t size,
                        char error[OS_ERROR_TEXT]);

/* Whether terminal_read() would not wait. */
bool terminal_input_ready(struct terminal *terminal);

/* Reads the next key that was pressed; false when there is none now. */
bool terminal_key(struct terminal *terminal, struct key *key);

/*
 * Writes text to stdout, and waits until all of it is written or stdout is broken. What stands
 * between DISPLAY_DIM and DISPLAY_NORMAL is dimmed where colours are shown and wanted (NO_COLOR).
 */
void terminal_print(struct terminal *terminal, const char *text, size_t length);

/*
 * Draws the line that is typed in one row, behind a prompt, with the cursor where it is in the
 * line; or takes it away. The row is the one the cursor is in. Both do nothing where nothing is
 * drawn.
 */
void terminal_show_line(struct terminal *terminal, const struct line_editor *editor);
void terminal_hide_line(struct terminal *terminal);

/* Leaves the line that is typed where it stands and goes to the next row. */
void terminal_finish_line(struct terminal *terminal);

/* Empties the screen. */
void terminal_clear_screen(struct terminal *terminal);

#endif
