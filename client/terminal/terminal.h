/*
 * terminal: the client's stdin, of any kind (terminal or console, pipe, file, none). It is also the
 * one place where a session waits, for input and for everything its selector watches.
 * terminal_win32.c and terminal_posix.c implement it; drawing is left to the screen.
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

/* The key that ends the input on an empty line: "Ctrl-D", or "Ctrl-Z" on Windows. */
extern const char terminal_end_key[];

/*
 * Opens stdin. If it is a terminal and screen_can_draw(), keys arrive one by one and without echo
 * while this process is in the foreground. This lasts until terminal_close() or the end of the
 * process, even by a crash. While the process is suspended or in the background, the terminal has
 * its old mode. `selector` watches the sockets that terminal_wait() also waits for, and must
 * outlive the terminal. `sockets` lists all of them, at most four. Returns NULL when the system
 * refuses, with os_socket_error() set. Only one terminal may be open at a time.
 */
struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count);

/* Restores the mode of the terminal and frees it. NULL is allowed. */
void terminal_close(struct terminal *terminal);

/* Whether stdin is a terminal. */
bool terminal_interactive(const struct terminal *terminal);

/* Whether stdin is a pipe for typed input. Windows programs get one from mintty, the window of
 * MSYS2, Git Bash and Cygwin, where it creates no console for them (ConPTY). Always false on
 * POSIX. */
bool terminal_lacks_console(const struct terminal *terminal);

/* Whether keys arrive one by one, and the program draws the line. Otherwise the terminal edits and
 * echoes lines by itself, and stream_read() reads them. */
bool terminal_takes_keys(const struct terminal *terminal);

/* Whether the process was in the foreground of its terminal, if it has one, at the last
 * terminal_wait(). Only then may it read the terminal and draw on it; otherwise another process
 * group has it (job control, tcgetpgrp(3)). */
bool terminal_foreground(const struct terminal *terminal);

/* Whether the last terminal_wait() found that the window has been resized or the process has been
 * stopped: draw everything again. On Windows a key reports it. */
bool terminal_resumed(const struct terminal *terminal);

/*
 * Waits until a watched socket is ready, stdin is ready and `wanted`, the window has been resized
 * or the process has been continued since the last wait, another signal arrives, or `deadline` has
 * passed. `deadline` is as in selector_wait(). Returns 1 when stdin is ready, 0 when it is not, and
 * -1 when waiting fails, with os_socket_error() set. A terminal is never ready while this process
 * is in its background.
 */
int terminal_wait(struct terminal *terminal, bool wanted, int64_t deadline);

/* The result of terminal_key(). */
enum terminal_keys {
    TERMINAL_NO_KEY, /* no key is left until terminal_wait() finds input again */
    TERMINAL_KEY,
    TERMINAL_HANGUP /* the terminal has hung up */
};

/* Returns the next key, if terminal_takes_keys(). */
enum terminal_keys terminal_key(struct terminal *terminal, struct key *key);

#endif
