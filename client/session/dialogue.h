/*
 * dialogue: a session as a person at a terminal sees it: the line that is typed, with those before
 * it, and above it what arrives.
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
    const char *eol; /* what ends each line that is sent: "\n", "\r\n" or ""; NULL: "\n" behind a
                        line that is typed, and what a pipe or file has as it is */
    bool hex;        /* what arrives is shown as a dump */
    bool timestamps; /* each answer is shown with its time */
};

/* All zero, with the first three set and display.hex as in the options, is one without a line. */
struct dialogue {
    const struct dialogue_options *options;
    struct terminal *terminal;
    struct screen *screen;
    struct display display;
    struct line_editor editor;
    struct buffer begun; /* a line without its end, where the terminal edits it */
    int64_t
        line_sent; /* nanoseconds; when a line was last finished, or input last read; 0: never */
};

enum dialogue_verdict {
    DIALOGUE_GOES_ON,
    DIALOGUE_QUIT,  /* the last line has been typed, and was quit */
    DIALOGUE_ENDED, /* nothing more will be typed: the end of input */
    DIALOGUE_GONE,  /* the terminal cannot be read any more */
    DIALOGUE_FAILED /* memory is refused; a line is lost */
};

/*
 * Takes the keys that have been pressed, and appends the lines that they finish, each with its
 * ending, to `lines`; of a line in which line feeds were pasted, each part. Where the terminal
 * edits the line, it is sent as the terminal gives it; a last one without its end, as it is.
 */
enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines);

/* Adds what has arrived to the screen; false when something could not be kept or shown. */
bool dialogue_show(struct dialogue *dialogue, const char *bytes, size_t length);

/* Takes the typed line away and adds what still waits for its rest, since nothing more arrives. As
 * dialogue_show(). */
bool dialogue_show_rest(struct dialogue *dialogue);

/* Frees the lines and the history. The terminal and the screen stay the caller's. */
void dialogue_clear(struct dialogue *dialogue);

#endif
