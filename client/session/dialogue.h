/*
 * dialogue: the user interface of a session at a terminal. It has the line being typed, its
 * history, and the received text above it.
 */
#ifndef DIALOGUE_H
#define DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "display.h"
#include "editor/line_editor.h"
#include "terminal/screen.h"
#include "terminal/terminal.h"

struct dialogue_options {
    const char *eol; /* appended to each line that is sent: "\n", "\r\n" or "". NULL: "\n" after a
                        typed line, while input from a pipe or file is sent unchanged */
    bool hex;        /* show received data as a dump */
    bool timestamps; /* show each answer with its time */
};

/* The owner sets the first three members, and display.hex as in the options. All others are zeros
 * at first: an empty line. */
struct dialogue {
    const struct dialogue_options *options;
    struct terminal *terminal;
    struct screen *screen;
    struct display display;
    struct line_editor editor;
    struct buffer partial_line; /* read from a terminal that edits lines; not finished yet */
    int64_t line_sent;          /* when a line was last finished, or input last read; 0: never */
};

enum dialogue_verdict {
    DIALOGUE_CONTINUE, /* more input may follow */
    DIALOGUE_QUIT,     /* the last line was "quit" */
    DIALOGUE_ENDED,    /* end of input */
    DIALOGUE_HANGUP,   /* the terminal can no longer be read */
    DIALOGUE_FAILED    /* memory was refused; a line is lost */
};

/*
 * Handles the keys pressed so far, and appends each finished line with its ending to `lines`. A
 * line with pasted line feeds becomes several lines. If the terminal edits lines by itself, they
 * are sent as it returns them, and an incomplete last line is sent as it is.
 */
enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines);

/* Shows received data on the screen. Returns false if memory was refused or the output is broken;
 * some of the data is lost then. */
bool dialogue_show(struct dialogue *dialogue, const char *bytes, size_t length);

/* Hides the typed line and shows received data that was held back as incomplete. Call it when
 * nothing more arrives. Returns as dialogue_show(). */
bool dialogue_show_rest(struct dialogue *dialogue);

/* Frees the lines and the history. The terminal and the screen stay the caller's. */
void dialogue_clear(struct dialogue *dialogue);

#endif
