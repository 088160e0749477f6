/*
 * line_text: pure. The text of a line editor: movement in it, and changes with undo. For
 * line_editor and line_history only.
 */
#ifndef LINE_TEXT_H
#define LINE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "line_editor.h"

/* Makes a copy, owned by the caller. Returns false when memory is refused. */
bool line_text_copy(struct line *copy, const char *text, size_t length);

/* The start of the character before `place`, and the end of the character at `place`. The cursor
 * may be within a character, after a part of it that was typed. */
size_t line_text_left_of(const struct line_editor *editor, size_t place);
size_t line_text_right_of(const struct line_editor *editor, size_t place);

/* The same for words, which are separated by spaces, tabs and line feeds. */
size_t line_text_word_left_of(const struct line_editor *editor, size_t place);
size_t line_text_word_right_of(const struct line_editor *editor, size_t place);

/* The same for words of letters and digits, which include all non-ASCII characters. */
size_t line_text_letters_left_of(const struct line_editor *editor, size_t place);
size_t line_text_letters_right_of(const struct line_editor *editor, size_t place);

/*
 * Changes. They move the cursor after the new text. They return false, with nothing changed, when
 * memory is refused; line_text_undo() when there is nothing to undo.
 */

/* Inserts text at the cursor; with `typing`, as a part of the last change. */
bool line_text_insert(struct line_editor *editor, const char *text, size_t length, bool typing);

/* Removes the bytes from `start` to `end`. */
bool line_text_erase(struct line_editor *editor, size_t start, size_t end);

/* Swaps the text from `start` to `middle` with the text from `middle` to `end`. */
bool line_text_swap(struct line_editor *editor, size_t start, size_t middle, size_t end);

/* Undoes the last change. */
bool line_text_undo(struct line_editor *editor);

/* Replaces the text, with no changes to undo. The new text must not be longer than an earlier
 * one. */
void line_text_set(struct line_editor *editor, const char *text, size_t length);

#endif
