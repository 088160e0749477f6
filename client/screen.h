/*
 * screen: the terminal that stdout is, as a person sees it: text scrolls up it, and the line that
 * is being typed stays below. screen.c has what is the same everywhere; screen_win32.c and
 * screen_posix.c implement the rest.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"
#include "os.h"

struct screen;

/*
 * Whether a line can be drawn, because the cursor can be moved: on POSIX stdout is a terminal and
 * TERM names one that is not dumb; on Windows there is a console, whatever stdout is.
 */
bool screen_can_draw(void);

/*
 * Takes stdout. With `drawn` the line is drawn by screen_show_line(); else the functions for the
 * line do nothing, and the terminal shows what is typed by itself. `stop` as for output_write().
 * Returns NULL when memory is refused.
 */
struct screen *screen_open(bool drawn, os_socket stop);

/* Frees it; what is on the screen stays. NULL is allowed. */
void screen_close(struct screen *screen);

/*
 * Takes the line away and writes text to stdout, and waits until all of it is written. What stands
 * between DISPLAY_DIM and DISPLAY_NORMAL is dimmed where colours are shown and wanted (NO_COLOR).
 * Returns false when stdout is broken.
 */
bool screen_print(struct screen *screen, const char *text, size_t length);

/*
 * Draws the line that is typed in one row, behind a prompt, with the cursor where it is in the
 * line; or takes it away. The row is the one the cursor is in.
 */
void screen_show_line(struct screen *screen, const struct line_editor *editor);
void screen_hide_line(struct screen *screen);

/* Leaves the line that is typed where it stands and goes to the next row. */
void screen_finish_line(struct screen *screen);

/* Empties the screen. */
void screen_clear(struct screen *screen);

#endif
