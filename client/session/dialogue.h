/*
 * dialogue: the user interface of a session at a terminal: the line being typed, the history, and
 * the received text above it.
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
    const char *eol; /* appended to each line that is sent: "\n", "\r\n" or ""; NULL: "\n" after a
                        typed line; input from a pipe or file is sent unchanged */
    bool hex;        /* show received data as a dump */
    bool timestamps; /* show each answer with its time */
};

/* A struct of all zeros, except for the first three members and display.hex as in the options, has
 * an empty line. */
struct dialogue {
    const struct dialogue_options *options;
    struct terminal *terminal;
    struct screen *screen;
    struct display display;
    struct line_editor editor;
    struct buffer begun; /* an incomplete line, where the terminal edits it */
    int64_t line_sent;   /* when a line was last finished, or input last read; 0: never */
};

enum dialogue_verdict {
    DIALOGUE_GOES_ON,
    DIALOGUE_QUIT,  /* the last line was quit */
    DIALOGUE_ENDED, /* end of input */
    DIALOGUE_GONE,  /* the terminal can no longer be read */
    DIALOGUE_FAILED /* memory was refused; a line is lost */
};

/*
 * Handles the keys pressed so far, and appends each finished line with its ending to `lines`. A
 * line with pasted line feeds becomes several lines. If the terminal edits lines by itself, they
 * are sent as it returns them, and an incomplete last line is sent as it is.
 */
enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines);

/* Shows received data on the screen; false when some of it could not be kept or shown. */
bool dialogue_show(struct dialogue *dialogue, const char *bytes, size_t length);

/* Hides the typed line and shows incomplete received data, since nothing more arrives. Returns as
 * dialogue_show(). */
bool dialogue_show_rest(struct dialogue *dialogue);

/* Frees the lines and the history. The terminal and the screen stay the caller's. */
void dialogue_clear(struct dialogue *dialogue);

#endif
