/*
 * screen: the terminal on stdout. Text scrolls up, and the line being typed stays below it. All
 * that is drawn is kept in an output until the terminal takes it. screen.c has the common part;
 * screen_win32.c and screen_posix.c implement the rest.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "editor/line_editor.h"
#include "output.h"

struct screen;

/*
 * Whether a line can be drawn, because the cursor can be moved. POSIX: stdout is a terminal and
 * TERM names one that is not dumb. Windows: there is a console, whatever stdout is.
 */
bool screen_can_draw(void);

/*
 * Creates a screen that writes to `output`, the output of stdout. The caller keeps ownership of the
 * output and flushes it. With `drawn`, screen_show_line() draws the line. Otherwise the functions
 * for the line do nothing, and the terminal shows typed text by itself. Returns NULL when memory is
 * refused.
 */
struct screen *screen_open(bool drawn, struct output *output);

/* Frees the screen; its content stays on the terminal. NULL is allowed. */
void screen_close(struct screen *screen);

/*
 * Hides the line and adds text. The marks in the text (editor/markup.h) dim a part of it, unless
 * colours are not shown or not wanted (NO_COLOR). Returns as output_append().
 */
bool screen_print(struct screen *screen, const char *text, size_t length);

/*
 * Draws the line being typed in one row, with the cursor at its place, unless it is drawn already.
 * While other text waits to be written nothing is drawn, so that a slow terminal is not sent
 * outdated lines: call it again after that.
 */
void screen_show_line(struct screen *screen, const struct line_editor *editor);

/* Hides the line. */
void screen_hide_line(struct screen *screen);

/* The window has changed, or another program has used the screen: forgets what was drawn. */
void screen_resume(struct screen *screen);

/* Hides the line for good. */
void screen_leave(struct screen *screen);

/* Writes the whole line, in as many rows as it takes, and goes to the next row. */
void screen_finish_line(struct screen *screen, const struct line_editor *editor);

/* Leaves the line on the terminal for good, and goes to the next row. Drops text that waits to be
 * written, or that a blocked terminal has not shown yet. */
void screen_interrupt(struct screen *screen);

/* Clears the screen. */
void screen_clear(struct screen *screen);

/* For screen*.c only: the system's part of screen_print(). */

/* Adds plain text. Returns as output_append(). */
bool screen_write(struct screen *screen, const char *text, size_t length);

/* Switches dimming on or off for the text that follows, where colours are shown. */
void screen_dim(struct screen *screen, bool dim);

/* POSIX only, for terminal_posix.c too: what ends bracketed paste mode. */
extern const char screen_pastes_off[];

/* Whether the user does not want colours: NO_COLOR is set and not empty (no-color.org). */
bool screen_without_colours(void);

#endif
