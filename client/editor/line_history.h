/*
 * line_history: pure. The history of a line editor and the search in it. For line_editor only.
 */
#ifndef LINE_HISTORY_H
#define LINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"

/* Adds the line to the history, unless it is empty, equals the last one, or memory is refused. */
void line_history_remember(struct line_editor *editor);

/* Makes the line `steps` back in the history the text; 0 is the line being typed. Returns false,
 * with nothing changed, if there is none or memory is refused. */
bool line_history_recall(struct line_editor *editor, size_t steps);

void line_history_begin_search(struct line_editor *editor);

/* Appends to the pattern, and searches for it from the line found on. Returns false if the pattern
 * would be too long. */
bool line_history_extend_pattern(struct line_editor *editor, const char *text, size_t length);

/* Removes the last character of the pattern, and searches for the rest from the newest line on. */
void line_history_shorten_pattern(struct line_editor *editor);

/* Searches for the pattern in older lines. Returns false if the pattern is empty. */
bool line_history_search_older(struct line_editor *editor);

/* Ends the search and makes the line found, if any, the text. Returns false, still searching, when
 * memory is refused. */
bool line_history_end_search(struct line_editor *editor);

#endif
