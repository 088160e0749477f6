/*
 * key_decoder: pure. From the bytes that a POSIX terminal sends to keys (ECMA-48 control sequences
 * as xterm, the Linux console, screen, tmux, rxvt and PuTTY use them).
 */
#ifndef KEY_DECODER_H
#define KEY_DECODER_H

#include <stddef.h>

#include "line_editor.h"

/* The most bytes of a key; what is longer is given up, and its rest is read for itself. */
enum { KEY_DECODER_MAX = 64 };

/*
 * Takes the first key from `length` bytes, at least 1. Returns how many bytes it was; 0 when its
 * end has not come yet, which is so only for fewer than KEY_DECODER_MAX bytes: the beginning of a
 * sequence or of a character. Escape itself is one: alone it means nothing, and with the next key
 * it is Alt. A sequence that is no key known here is KEY_OTHER as a whole. Control strings (OSC,
 * DCS) are not among them: their beginning is Alt with a character, and terminals send them only
 * as answers.
 */
size_t key_decoder_next(const char *bytes, size_t length, struct key *key);

#endif
