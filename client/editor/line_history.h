/*
 * line_history: pure. The lines that a line editor remembers, and the search through them. For
 * line_editor only.
 */
#ifndef LINE_HISTORY_H
#define LINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"

/* Puts the line into the history, unless it is empty, the same as the last one, or memory is
 * refused. */
void line_history_remember(struct line_editor *editor);

/* Makes the line that is so many steps back the text; 0 is the one being typed. Returns false, with
 * nothing changed, when there is none or memory is refused. */
bool line_history_recall(struct line_editor *editor, size_t steps);

void line_history_begin_search(struct line_editor *editor);

/* Adds to the pattern, and looks for it from the line found on. Returns false when it would be too
 * long. */
bool line_history_search_for(struct line_editor *editor, const char *text, size_t length);

/* Takes the last character of the pattern away, and looks for what is left from the newest line on.
 */
void line_history_search_for_less(struct line_editor *editor);

/* Looks for the pattern in older lines. Returns false when it is empty. */
bool line_history_search_on(struct line_editor *editor);

/* Makes the line found, if any, the text. Returns false, still searching, when memory is refused.
 */
bool line_history_end_search(struct line_editor *editor);

#endif
