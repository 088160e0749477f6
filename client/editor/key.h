/*
 * key: a key press, as a command to the line editor. Terminals decode keys; the editor handles
 * them.
 */
#ifndef KEY_H
#define KEY_H

#include <stddef.h>

enum key_kind {
    KEY_TEXT, /* one character, or one byte of any kind, in `text` */
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
    KEY_FIRST,            /* Alt-<: the oldest line of the history */
    KEY_LAST,             /* Alt->: the line being typed */
    KEY_SEARCH,           /* Ctrl-R */
    KEY_CANCEL,           /* Ctrl-G */
    KEY_KILL_TO_END,      /* Ctrl-K */
    KEY_KILL_TO_START,    /* Ctrl-U */
    KEY_KILL_WORD,        /* Ctrl-W: the word before the cursor, up to a space */
    KEY_KILL_WORD_BEFORE, /* Alt-Backspace: letters and digits before the cursor */
    KEY_KILL_WORD_AFTER,  /* Alt-D: letters and digits after the cursor */
    KEY_YANK,             /* Ctrl-Y: what was killed last */
    KEY_TRANSPOSE,        /* Ctrl-T */
    KEY_UNDO,             /* Ctrl-_ */
    KEY_QUOTE,            /* Ctrl-V: the next key is inserted as text */
    KEY_PASTE_BEGIN,      /* text up to KEY_PASTE_END is inserted into the line at once */
    KEY_PASTE_END,        /* each line ending of the paste (LF, CR LF, CR) becomes a line feed */
    KEY_CLEAR_SCREEN,     /* Ctrl-L */
    KEY_DELETE_OR_END,    /* Ctrl-D on POSIX: end of input on an empty line, else as Delete */
    KEY_END_OF_INPUT,     /* Ctrl-Z on Windows */
    KEY_OTHER             /* does nothing */
};

struct key {
    enum key_kind kind;
    char text[6]; /* UTF-8 or any byte, after an x and a digit at most; not terminated */
    size_t length;
};

#endif
