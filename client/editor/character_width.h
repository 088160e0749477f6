/*
 * character_width: pure. How many columns of a terminal a character takes, and where what the user
 * takes for one character begins and ends.
 */
#ifndef CHARACTER_WIDTH_H
#define CHARACTER_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Columns of a code point: 0 for characters that are drawn with the one before them, 2 for wide
 * ones, else 1. It is what wcwidth(3) of glibc 2.36 says of every character of its Unicode 14, but
 * for those it has no width for: controls and line separators are 1, since something is drawn in
 * their place.
 */
int character_width(uint32_t code);

/*
 * The length in bytes of what is shown as one character at the beginning of `length` bytes, at
 * least 1, of UTF-8: a character with all that joins it, such as marks, skin tones, what a
 * zero-width joiner ties to it, and the second letter of a flag. These are the extended grapheme
 * clusters of UAX 29, simplified: all that takes no column joins, and so does anything behind a
 * joiner; what is prepended and leading consonants of Hangul do not join what follows. A byte that
 * belongs to no well-formed character stands alone. `columns` is set to what it takes at most,
 * since a row that is drawn must not be longer than was counted: terminals that do not join emoji
 * show their parts side by side, and many draw a character of one column in two when the selector
 * of the emoji style (U+FE0F) follows.
 */
size_t character_length(const char *bytes, size_t length, size_t *columns);

/* So many code points are looked back; even, so that flags stay pairs. */
enum { CHARACTER_MOST = 128 };

/*
 * Where the character that ends at `end` begins: 0 < end; the text is that from `bytes` on. Looks
 * no further back than that character, or the flags in a row that it ends, and than CHARACTER_MOST
 * code points: of a longer character that is the end of it.
 */
size_t character_before(const char *bytes, size_t end);

#endif
