/*
 * display: pure. What arrives from the server as text for a terminal, that it cannot drive: a line
 * for each line, or a dump.
 */
#ifndef DISPLAY_H
#define DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* All zero shows lines. */
struct display {
    bool hex;
    uint64_t offset; /* in the dump */
    char held[4];    /* what came last and waits: a carriage return, 3 bytes of a character */
    size_t held_length;
    bool unended; /* the line shown last came without its ending */
};

/*
 * Appends to `out` what `length` bytes are shown as, with what is escaped between SCREEN_DIM and
 * SCREEN_NORMAL and no other control character but the line feed: for each line, `stamp`, "< ", the
 * line without its ending and a line feed. What came without a line ending is a line too, since it
 * is shown at once; when only the ending comes later, nothing more is shown for it. A character
 * that is cut waits for its rest, and a carriage return at the end for what follows, since it may
 * be half a line ending. So whatever the pieces, the texts shown since a line ending are, joined,
 * one line; a cut within a character or behind a carriage return is as one before it, and one
 * before a line ending as none. With `hex`, rows of 16 bytes. Returns false when memory is refused.
 */
bool display_received(struct display *display, struct buffer *out, const char *stamp,
                      const char *bytes, size_t length);

/* Appends what still waits for its rest, since nothing more comes. */
bool display_end(struct display *display, struct buffer *out, const char *stamp);

#endif
