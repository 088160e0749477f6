/*
 * screen: the terminal that stdout is, as a person sees it: text scrolls up it, and the line that
 * is being typed stays below. All that is drawn waits in an output until the terminal takes it.
 * screen.c has what is the same everywhere; screen_win32.c and screen_posix.c implement the rest.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "editor/line_editor.h"
#include "output.h"

/* In text for the screen, what stands between these two bytes is dimmed. */
#define SCREEN_DIM '\x0E'
#define SCREEN_NORMAL '\x0F'

struct screen;

/*
 * Whether a line can be drawn, because the cursor can be moved: on POSIX stdout is a terminal and
 * TERM names one that is not dumb; on Windows there is a console, whatever stdout is.
 */
bool screen_can_draw(void);

/*
 * Makes a screen of `output`, which is stdout's and stays the caller's, to be flushed by the
 * caller. With `drawn` the line is drawn by screen_show_line(); else the functions for the line do
 * nothing, and the terminal shows what is typed by itself. Returns NULL when memory is refused.
 */
struct screen *screen_open(bool drawn, struct output *output);

/* Frees it; what is on the screen stays. NULL is allowed. */
void screen_close(struct screen *screen);

/*
 * Takes the line away and adds text, dimmed between the marks where colours are shown and wanted
 * (NO_COLOR). As output_append().
 */
bool screen_print(struct screen *screen, const char *text, size_t length);

/*
 * Draws the line that is typed in one row, with the cursor where it is in the line, unless it
 * stands there already. While other text waits to be written nothing is drawn, so that a slow
 * terminal is not sent what is out of date by the time it is shown: call it again then.
 */
void screen_show_line(struct screen *screen, const struct line_editor *editor);

/* Takes the line away. */
void screen_hide_line(struct screen *screen);

/* The window has changed, or somebody else has used the screen: all that is kept of it is old. */
void screen_resume(struct screen *screen);

/* Takes the line away for good. */
void screen_leave(struct screen *screen);

/* Writes the whole line, however many rows it takes, and goes to the next row. */
void screen_finish_line(struct screen *screen, const struct line_editor *editor);

/* Leaves the line where it stands, for good, and goes to the next row; what waits to be written, or
 * to be shown by a terminal that takes no more, is dropped. */
void screen_interrupt(struct screen *screen);

/* Empties the screen. */
void screen_clear(struct screen *screen);

/* For screen*.c alone: the system's half of screen_print(). */

/* Adds plain text; as output_append(). */
bool screen_write(struct screen *screen, const char *text, size_t length);

/* Dims what is written from now on, or does so no longer, where colours are shown. */
void screen_dim(struct screen *screen, bool dim);

/* Whether the user wants no colours: NO_COLOR is set and not empty (no-color.org). */
bool screen_without_colours(void);

#endif
