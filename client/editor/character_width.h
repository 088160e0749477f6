/*
 * character_width: pure. The width of a character in terminal columns, and the boundaries of what a
 * user sees as one character.
 */
#ifndef CHARACTER_WIDTH_H
#define CHARACTER_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Columns of a code point: 0 for characters that are drawn with the one before them, 2 for wide
 * ones, else 1. The result equals wcwidth(3) of glibc 2.36 (Unicode 14), except where that returns
 * -1: controls and line separators have width 1, since something is drawn in their place.
 */
int character_width(uint32_t code);

/*
 * The length in bytes of the first displayed character in `length` bytes, at least 1, of UTF-8.
 * Such a character includes all that joins it: marks, skin tones, what follows a zero-width joiner,
 * and the second letter of a flag. These are the extended grapheme clusters of UAX 29, simplified:
 * every zero-width character joins, and so does anything after a joiner; prepended characters and
 * leading consonants of Hangul do not join what follows. A byte that is not part of a well-formed
 * character stands alone.
 *
 * `columns` is set to the most columns that the character takes, since a row must not be longer
 * than was counted: terminals that do not join emoji show their parts side by side, and many draw a
 * character of one column in two when the emoji style selector (U+FE0F) follows.
 */
size_t character_length(const char *bytes, size_t length, size_t *columns);

/* How many code points a backward search covers at most. It is even, so that flags stay pairs. */
enum { CHARACTER_MAX_CODE_POINTS = 128 };

/*
 * The start of the character that ends at `end`, 0 < end, in the text at `bytes`. The search goes
 * back to the start of that character, or of the row of flags that it ends, but
 * CHARACTER_MAX_CODE_POINTS code points at most. Of a longer character, it returns a place within
 * it.
 */
size_t character_before(const char *bytes, size_t end);

#endif
