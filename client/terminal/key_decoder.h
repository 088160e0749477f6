/*
 * key_decoder: pure. Decodes the bytes of a POSIX terminal into keys (ECMA-48 control sequences as
 * xterm, the Linux console, screen, tmux, rxvt and PuTTY use them).
 */
#ifndef KEY_DECODER_H
#define KEY_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "editor/key.h"

/* The longest sequence of a key. A longer one is dropped, and its rest is decoded as other keys. */
enum { KEY_DECODER_MAX = 64 };

/* State kept between keys. All zeros at first. */
struct key_decoder {
    bool quoting;        /* after Ctrl-V: the next key is text */
    bool pasting;        /* in a paste: everything up to its end is text */
    bool after_return;   /* after a carriage return: a line feed is not a second Enter */
    bool control_string; /* in a reply of the terminal, until its end */
};

/*
 * Decodes the first key of `length` bytes, at least 1. Returns how many bytes it has, or 0 when it
 * is incomplete: the start of a sequence or of a character, always shorter than KEY_DECODER_MAX.
 * The keys do not depend on how the bytes are split into calls.
 *
 * Escape alone does nothing; with the next key it is Alt. An unknown sequence is one KEY_OTHER. A
 * byte that is not part of well-formed UTF-8 is text. After Ctrl-V the next key is text, whatever
 * it is; `x` and two hexadecimal digits are the byte with that value. In a paste (xterm's bracketed
 * paste) only its end, ESC [ 201 ~, is a key.
 *
 * A control string (OSC, DCS, APC, PM, SOS; ECMA-48, 5.6) is a reply of the terminal. Each of its
 * bytes is KEY_OTHER, however long it is, up to BEL, ESC \ or a byte that cannot be in one: Escape,
 * CAN, SUB and Enter. So Alt with ], P, ^, _ or X swallows the keys up to the next Enter.
 */
size_t key_decoder_next(struct key_decoder *decoder, const char *bytes, size_t length,
                        struct key *key);

#endif
