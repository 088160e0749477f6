/*
 * display: pure. Converts received data to text that cannot control a terminal: line by line, or a
 * dump.
 */
#ifndef DISPLAY_H
#define DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* A display of all zeros shows lines. */
struct display {
    bool hex;
    uint64_t offset; /* in the dump */
    char held[4];    /* held back: at most a carriage return and 3 bytes of a character */
    size_t held_length;
    bool unended; /* the last line shown had no line ending yet */
};

/*
 * Appends the text for `length` received bytes to `out`. Each line becomes `stamp`, "< ", the line
 * without its ending, and a line feed. Escapes stand between MARKUP_DIM and MARKUP_NORMAL
 * (editor/markup.h); the only other control character is the line feed. With `hex`, rows of 16
 * bytes. Returns false when memory is refused.
 *
 * Data without a line ending is shown at once, as a line; if only its ending arrives later, nothing
 * more is shown for it. A cut character is held back until its rest arrives, and so is a final
 * carriage return, which may be half a line ending. So the texts shown since a line ending, joined,
 * are one line, however the data was split. A split within a character or after a carriage return
 * counts as one before it, and a split before a line ending as none.
 */
bool display_received(struct display *display, struct buffer *out, const char *stamp,
                      const char *bytes, size_t length);

/* Appends the data that is held back. Call it when nothing more arrives. */
bool display_end(struct display *display, struct buffer *out, const char *stamp);

#endif
