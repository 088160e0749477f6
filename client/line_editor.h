/*
 * line_editor: pure. The line that is being typed, and those before it: keys in, a line out, and
 * what of it is to be drawn. It knows no terminal and does no I/O; terminals decode keys and draw
 * line_editor_view().
 */
#ifndef LINE_EDITOR_H
#define LINE_EDITOR_H

#include <stddef.h>

enum key_kind {
    KEY_TEXT, /* one character, or a tab, in `text` */
    KEY_ENTER,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_UP,
    KEY_DOWN,
    KEY_KILL_TO_END,   /* Ctrl-K */
    KEY_KILL_TO_START, /* Ctrl-U */
    KEY_KILL_WORD,     /* Ctrl-W: the word before the cursor */
    KEY_CLEAR_SCREEN,  /* Ctrl-L */
    KEY_END_OF_INPUT,  /* Ctrl-D on POSIX, Ctrl-Z on Windows */
    KEY_HANG_UP,       /* not a key: the terminal is gone */
    KEY_OTHER          /* does nothing */
};

struct key {
    enum key_kind kind;
    char text[4]; /* UTF-8, not terminated */
    size_t length;
};

enum line_editor_event {
    LINE_EDITOR_NOTHING,      /* what is drawn stays as it is */
    LINE_EDITOR_CHANGED,      /* the line is to be drawn again */
    LINE_EDITOR_CLEAR_SCREEN, /* so is everything, on an empty screen */
    LINE_EDITOR_LINE,         /* the line is finished: take it, then call line_editor_next() */
    LINE_EDITOR_END           /* there will be no further line */
};

enum { LINE_EDITOR_HISTORY = 1000 }; /* lines that are remembered */

/* One line of the history. */
struct line {
    char *text; /* owned; not terminated */
    size_t length;
};

/* All zero is an editor with an empty line and no history. */
struct line_editor {
    char *text; /* owned; not terminated; NULL at first */
    size_t length;
    size_t capacity;
    size_t cursor;                            /* behind a whole UTF-8 sequence */
    struct line history[LINE_EDITOR_HISTORY]; /* the oldest first */
    size_t history_count;
    size_t recalled;   /* steps back in the history that the line shown is; 0: it is the one being
                          typed */
    struct line draft; /* the line being typed, while another is shown */
};

/* Frees the line and the history. */
void line_editor_clear(struct line_editor *editor);

/* Takes a key. Where memory is refused, nothing changes: LINE_EDITOR_NOTHING. */
enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key);

/*
 * Begins an empty line. The finished one goes into the history, unless it is empty or the same as
 * the last one; the oldest makes room for it.
 */
void line_editor_next(struct line_editor *editor);

/* What is to be drawn: the bytes of editor->text from `start` to `end`, with the cursor at
 * `cursor`. */
struct line_editor_view {
    size_t start;
    size_t end;
};

/*
 * The part of the line that is visible in `columns` columns: all of it, or as much before the
 * cursor as fits with the character under the cursor, and what follows.
 */
struct line_editor_view line_editor_view(const struct line_editor *editor, size_t columns);

#endif
