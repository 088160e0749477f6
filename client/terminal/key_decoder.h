/*
 * key_decoder: pure. From the bytes that a POSIX terminal sends to keys (ECMA-48 control sequences
 * as xterm, the Linux console, screen, tmux, rxvt and PuTTY use them).
 */
#ifndef KEY_DECODER_H
#define KEY_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "editor/key.h"

/* The most bytes of a key; what is longer is given up, and its rest is read for itself. */
enum { KEY_DECODER_MAX = 64 };

/* What the keys so far mean for those that follow. All zero at first. */
struct key_decoder {
    bool quoting;        /* Ctrl-V came: the next key is text */
    bool pasting;        /* until the end of the paste all is text */
    bool after_return;   /* a carriage return came: a line feed is no second Enter */
    bool control_string; /* what comes is a reply of the terminal, until its end */
};

/*
 * Takes the first key from `length` bytes, at least 1. Returns how many bytes it was; 0 when its
 * end has not come yet, which is so only for fewer than KEY_DECODER_MAX bytes: the beginning of a
 * sequence or of a character. The keys are the same in whatever pieces the bytes come.
 *
 * Escape alone means nothing, and with the next key it is Alt. A sequence that is no key known here
 * is KEY_OTHER as a whole. A byte that belongs to no well-formed UTF-8 is text. After Ctrl-V the
 * next key is text whatever it is, and so are `x` and two hexadecimal digits, as that byte. Within
 * a paste (xterm's bracketed paste) only its end, ESC [ 201 ~, is a key.
 *
 * A control string (OSC, DCS, APC, PM, SOS; ECMA-48, 5.6) is a reply of the terminal: each of its
 * bytes is KEY_OTHER, however long it is, up to BEL, ESC \ or whatever cannot be in one: Escape,
 * CAN, SUB and Enter. So Alt with ], P, ^, _ or X takes the keys up to the next Enter along.
 */
size_t key_decoder_next(struct key_decoder *decoder, const char *bytes, size_t length,
                        struct key *key);

#endif
