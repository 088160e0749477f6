/*
 * line_editor: pure. The line being typed and the history. Keys go in; finished lines and the row
 * to draw come out. It does no I/O and knows no terminal: terminals decode keys and draw what
 * line_editor_render() returns.
 */
#ifndef LINE_EDITOR_H
#define LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "key.h"

enum line_editor_event {
    LINE_EDITOR_NOTHING,      /* nothing to draw */
    LINE_EDITOR_CHANGED,      /* draw the line again */
    LINE_EDITOR_CLEAR_SCREEN, /* clear the screen and draw everything again */
    LINE_EDITOR_LINE, /* the line is finished: read it, then call line_editor_next(); it contains
                         the line feeds of a paste, or after Ctrl-V */
    LINE_EDITOR_END   /* end of input: no further line */
};

enum {
    LINE_EDITOR_HISTORY = 1000,          /* lines in the history */
    LINE_EDITOR_PATTERN = 128,           /* bytes of a search pattern */
    LINE_EDITOR_UNDO = 100,              /* changes that can be undone */
    LINE_EDITOR_UNDO_BYTES = 1024 * 1024 /* removed bytes kept for undo, but at least one change */
};

/* One line of the history. */
struct line {
    char *text; /* owned; not terminated */
    size_t length;
};

/* One change of the line: `inserted` bytes at `place` have replaced `removed`. */
struct line_change {
    size_t place;
    size_t inserted;
    struct line removed;
};

/* An editor of all zeros has an empty line and no history. */
struct line_editor {
    char *text; /* owned; not terminated; NULL at first */
    size_t length;
    size_t capacity;                          /* never shrinks, so that an undo needs no memory */
    size_t cursor;                            /* at the start or after a complete UTF-8 sequence */
    struct line history[LINE_EDITOR_HISTORY]; /* the oldest first */
    size_t history_count;
    size_t recalled;   /* steps back in the history of the line shown; 0: the line being typed */
    struct line draft; /* the line being typed, while another is shown */

    struct line killed;                           /* for KEY_YANK; text is NULL at first */
    struct line_change changes[LINE_EDITOR_UNDO]; /* the oldest first */
    size_t change_count;
    bool typing; /* the next inserted character belongs to the last change */

    /* A paste is collected, and inserted when it ends: completely, or not at all. */
    bool pasting;
    bool paste_refused; /* memory for a part of the paste was refused */
    struct buffer paste;

    /* During a search the line found is shown; the line being edited does not change. */
    bool searching;
    bool search_failed; /* no older line has the pattern */
    char pattern[LINE_EDITOR_PATTERN];
    size_t pattern_length;
    size_t found;       /* steps back in the history; 0: not found yet */
    size_t found_place; /* offset of the pattern in that line */
};

/* Frees the line and the history. */
void line_editor_clear(struct line_editor *editor);

/*
 * Handles a key. If memory is refused, nothing changes and LINE_EDITOR_NOTHING is returned; a paste
 * is then dropped completely. A key that does not belong to a search or to a paste ends it, and
 * then has its usual effect.
 */
enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key);

/*
 * Starts an empty line. The finished line is added to the history, unless it is empty or equals the
 * last one. A full history drops its oldest line.
 */
void line_editor_next(struct line_editor *editor);

/* A row to draw, as bytes for a terminal. */
struct line_editor_row {
    struct buffer text; /* all zeros at first; the caller clears it */
    size_t cursor;      /* bytes of the text before the cursor */
};

/*
 * Appends the prompt and the visible part of the line to `row->text`. The row fits into `columns`
 * columns, of which the last stays free unless it is the only one. It shows as much before the
 * cursor as fits with the character at the cursor, and then what follows. A prompt that is too
 * long, that of a search, is cut at its start. SIZE_MAX columns show the whole line. A tab is shown
 * as a space, other ASCII controls as ^X, and the rest as by text_escape(), so the text cannot
 * control the terminal. The time is proportional to the visible part and to the characters at the
 * cursor. Returns false, with `row` unchanged, when memory is refused.
 */
bool line_editor_render(const struct line_editor *editor, size_t columns,
                        struct line_editor_row *row);

/* A place in a row that the terminal has wrapped into several. */
struct line_editor_place {
    size_t row; /* 0: the first one */
    size_t column;
};

/*
 * The place of the byte `byte` of a row after the terminal has wrapped it to `columns` columns: a
 * character that does not fit begins a new row. The place after the last character is in the row of
 * that character, at column `columns` at most.
 */
struct line_editor_place line_editor_wrapped_place(const struct line_editor_row *row, size_t byte,
                                                   size_t columns);

#endif
