/*
 * screen_system: the system's half of the screen, for screen.c alone.
 */
#ifndef SCREEN_SYSTEM_H
#define SCREEN_SYSTEM_H

#include "screen.h"

/* Adds plain text; as output_append(). */
bool screen_write(struct screen *screen, const char *text, size_t length);

/* Dims what is written from now on, or does so no longer, where colours are shown. */
void screen_dim(struct screen *screen, bool dim);

/* Whether the user wants no colours: NO_COLOR is set and not empty (no-color.org). */
bool screen_without_colours(void);

#endif
