/*
 * character_width: pure. How many columns of a terminal a character takes, and where what the user
 * takes for one character begins and ends.
 */
#ifndef CHARACTER_WIDTH_H
#define CHARACTER_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/* Columns of a code point: 0 for marks and other characters that join the one before them, 2 for
 * wide ones, else 1. */
int character_width(uint32_t code);

/*
 * The length in bytes of what is shown as one character at the beginning of `length` bytes, at
 * least 1, of UTF-8: a character with all that joins it, such as combining marks, variation
 * selectors, skin tones, what a zero-width joiner ties to it, and the second letter of a flag (UAX
 * 29, without the rules for Indic conjuncts). A byte that belongs to no well-formed character
 * stands alone. `columns` is set to what it takes at most: terminals that do not join emoji show
 * their parts side by side.
 */
size_t character_length(const char *bytes, size_t length, size_t *columns);

/* Where the character that ends at `end` begins: 0 < end; the text is that from `bytes` on. */
size_t character_before(const char *bytes, size_t end);

#endif
