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

/* Replaces the text with the line `steps` back in the history; 0 is the line being typed. Returns
 * false, with nothing changed, if there is no such line or memory is refused. */
bool line_history_recall(struct line_editor *editor, size_t steps);

void line_history_begin_search(struct line_editor *editor);

/* Appends text to the pattern, and searches for it from the line found last towards older ones.
 * Returns false if the pattern would be too long. */
bool line_history_extend_pattern(struct line_editor *editor, const char *text, size_t length);

/* Removes the last character of the pattern, and searches again from the newest line on. */
void line_history_shorten_pattern(struct line_editor *editor);

/* Searches for the pattern in lines older than the one found. Returns false if it is empty. */
bool line_history_search_older(struct line_editor *editor);

/* Ends the search, and replaces the text with the line found, if any. Returns false, with the
 * search still under way, when memory is refused. */
bool line_history_end_search(struct line_editor *editor);

#endif
