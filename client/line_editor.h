/*
 * line_editor: pure. The line that is being typed: key events in, a line out. It knows no terminal
 * and does no I/O; the terminal decodes keys and draws what line_editor_text() gives.
 */
#ifndef LINE_EDITOR_H
#define LINE_EDITOR_H

#include <stddef.h>

enum key_kind {
    KEY_TEXT, /* one character, in `text` */
    KEY_ENTER,
    KEY_BACKSPACE,
    KEY_KILL_LINE,    /* Ctrl-U */
    KEY_END_OF_INPUT, /* Ctrl-D on POSIX, Ctrl-Z on Windows */
    KEY_HANG_UP,      /* not a key: the terminal is gone */
    KEY_OTHER         /* any other key: does nothing */
};

struct key {
    enum key_kind kind;
    char text[4]; /* UTF-8, not terminated */
    size_t length;
};

enum line_editor_event {
    LINE_EDITOR_NOTHING, /* the key changed nothing that is shown */
    LINE_EDITOR_CHANGED, /* the line is to be drawn again */
    LINE_EDITOR_LINE,    /* the line is finished: take it, then call line_editor_clear() */
    LINE_EDITOR_END      /* there will be no further line */
};

/* The longest line that can be typed, in bytes; what is typed beyond it is ignored. */
enum { LINE_EDITOR_MAX = 65536 };

/* With length 0, an empty line. */
struct line_editor {
    size_t length;
    char text[LINE_EDITOR_MAX];
};

enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key);

void line_editor_clear(struct line_editor *editor);

/*
 * The part of the line that fits into `columns` columns, as wide as a terminal may draw it: all of
 * it, or its end. Returns where it begins in editor->text; it goes on to editor->length.
 */
size_t line_editor_visible(const struct line_editor *editor, size_t columns);

#endif
