/*
 * line_text: pure. The text of a line editor: its places, and its changes, which can be undone. For
 * line_editor and line_history only.
 */
#ifndef LINE_TEXT_H
#define LINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"

/* Makes a copy that the caller frees. Returns false when memory is refused. */
bool line_text_copy(struct line *copy, const char *text, size_t length);

/* Where the character before `place` begins, and where the one at it ends. The cursor may stand
 * within a character, behind a part of it that was typed. */
size_t line_text_left_of(const struct line_editor *editor, size_t place);
size_t line_text_right_of(const struct line_editor *editor, size_t place);

/* Words are what stands between spaces, tabs and line feeds. */
size_t line_text_word_left_of(const struct line_editor *editor, size_t place);
size_t line_text_word_right_of(const struct line_editor *editor, size_t place);

/* The same with letters and digits, which all that is not ASCII belongs to. */
size_t line_text_letters_left_of(const struct line_editor *editor, size_t place);
size_t line_text_letters_right_of(const struct line_editor *editor, size_t place);

/*
 * Changes; the cursor goes behind what is new. They return false, with nothing changed, when memory
 * is refused, the undo when there is nothing to undo.
 */

/* Puts text in at the cursor; while `typing`, as a part of the last change. */
bool line_text_insert(struct line_editor *editor, const char *text, size_t length, bool typing);

/* Takes the bytes from `start` to `end` out. */
bool line_text_erase(struct line_editor *editor, size_t start, size_t end);

/* Swaps what is before `middle` with what is behind it. */
bool line_text_swap(struct line_editor *editor, size_t start, size_t middle, size_t end);

/* Undoes the last change. */
bool line_text_undo(struct line_editor *editor);

/* Makes a line that there has been the text, without changes to undo. */
void line_text_set(struct line_editor *editor, const char *text, size_t length);

#endif
