/*
 * line_editor: pure. The line that is being typed, and those before it: keys in, a line out, and
 * what of it is to be drawn. It knows no terminal and does no I/O; terminals decode keys and draw
 * what line_editor_render() makes.
 */
#ifndef LINE_EDITOR_H
#define LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "key.h"

enum line_editor_event {
    LINE_EDITOR_NOTHING,      /* what is drawn stays as it is */
    LINE_EDITOR_CHANGED,      /* the line is to be drawn again */
    LINE_EDITOR_CLEAR_SCREEN, /* so is everything, on an empty screen */
    LINE_EDITOR_LINE,         /* the line is finished: take it, then call line_editor_next(); line
                                 feeds of a paste, or behind Ctrl-V, are in it */
    LINE_EDITOR_END           /* there will be no further line */
};

enum {
    LINE_EDITOR_HISTORY = 1000,          /* lines that are remembered */
    LINE_EDITOR_PATTERN = 128,           /* bytes that are searched for */
    LINE_EDITOR_UNDO = 100,              /* changes that can be undone */
    LINE_EDITOR_UNDO_BYTES = 1024 * 1024 /* that these removed; the last one always can be undone */
};

/* One line of the history. */
struct line {
    char *text; /* owned; not terminated */
    size_t length;
};

/* One change of the line: `removed` stood where `inserted` bytes are now. */
struct line_change {
    size_t place;
    size_t inserted;
    struct line removed;
};

/* All zero is an editor with an empty line and no history. */
struct line_editor {
    char *text; /* owned; not terminated; NULL at first */
    size_t length;
    size_t capacity; /* never less than it was: what the text has been, it can be again */
    size_t cursor;   /* behind a whole UTF-8 sequence */
    struct line history[LINE_EDITOR_HISTORY]; /* the oldest first */
    size_t history_count;
    size_t recalled;   /* steps back in the history that the line shown is; 0: it is the one being
                          typed */
    struct line draft; /* the line being typed, while another is shown */

    struct line killed;                           /* for KEY_YANK; text is NULL at first */
    struct line_change changes[LINE_EDITOR_UNDO]; /* the oldest first */
    size_t change_count;
    bool typing; /* the next character that is inserted belongs to the last change */

    /* A paste is gathered, and put into the line when it ends: whole, or not at all. */
    bool pasting;
    bool paste_refused; /* memory for a part of it */
    struct buffer paste;

    /* While the history is searched, the line found is shown and the line itself is as before. */
    bool searching;
    bool search_failed; /* nothing older has the pattern */
    char pattern[LINE_EDITOR_PATTERN];
    size_t pattern_length;
    size_t found;       /* steps back in the history; 0: nothing yet */
    size_t found_place; /* of the pattern in that line */
};

/* Frees the line and the history. */
void line_editor_clear(struct line_editor *editor);

/*
 * Takes a key. Where memory is refused, nothing changes: LINE_EDITOR_NOTHING; a paste that cannot
 * be held is dropped as a whole. A key that does not belong to a search or to a paste ends it, and
 * then does what it does.
 */
enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key);

/*
 * Begins an empty line. The finished one goes into the history, unless it is empty or the same as
 * the last one; the oldest makes room for it.
 */
void line_editor_next(struct line_editor *editor);

/* What is to be drawn, as bytes for a terminal. */
struct line_editor_row {
    struct buffer text; /* all zero at first; the caller clears it */
    size_t cursor;      /* bytes of the text before the cursor */
};

/*
 * Appends to `row->text` the prompt and the part of the line that is visible in `columns` columns,
 * the last of which stays free unless it is the only one: as much before the cursor as fits with
 * the character under it, and what follows. Of a prompt that is too long, that of a search, the end
 * is shown. SIZE_MAX columns are room for the whole line. A tab is shown as a space, other ASCII
 * controls as ^X, and the rest as text_escape() does, so nothing drives the terminal. The work is
 * in proportion to what is visible and to the characters at the cursor. Returns false, with `row`
 * as it was, when memory is refused.
 */
bool line_editor_render(const struct line_editor *editor, size_t columns,
                        struct line_editor_row *row);

/* A place in a row that was broken into several. */
struct line_editor_place {
    size_t row; /* 0: the first of them */
    size_t column;
};

/*
 * Where the byte `byte` of a row stands once the terminal has broken it to fit `columns` columns: a
 * character that does not fit any more begins a new row. Behind the last character it is that
 * one's row, and column `columns` at most.
 */
struct line_editor_place line_editor_broken(const struct line_editor_row *row, size_t byte,
                                            size_t columns);

#endif
