/*
 * key_decoder: pure. From the bytes that a POSIX terminal sends to keys (ECMA-48 control sequences
 * as xterm, the Linux console, screen, tmux and rxvt use them).
 */
#ifndef KEY_DECODER_H
#define KEY_DECODER_H

#include <stddef.h>

#include "line_editor.h"

/*
 * Takes the first key from `length` bytes, at least 1. Returns how many bytes it was; 0 when its
 * end has not come yet, which is so only for a sequence of a few bytes that has not come whole,
 * Escape itself among them: alone it means nothing, and with the next key it is Alt.
 */
size_t key_decoder_next(const char *bytes, size_t length, struct key *key);

#endif
