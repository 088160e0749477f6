/*
 * text: pure. Bytes from the network made safe to show, numbers from the command line read
 * strictly, and words that are counted.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that one byte becomes when it is escaped; the room for a name in a message. */
enum { TEXT_ESCAPE_MAX = 4, TEXT_NAME = 256 };

/*
 * Writes `length` bytes of anything into `out` as one line of UTF-8 that can neither drive a
 * terminal nor end or forge a line of a log. Well-formed UTF-8 (RFC 3629) stays as it is, except:
 * backslash becomes \\, the control characters \t \r \n or \xNN, as do DEL and each byte of C1
 * controls (U+0080 to U+009F), of line and paragraph separators (U+2028, U+2029), of spaces that
 * are not the ASCII one (Zs of Unicode 15: U+00A0, U+3000 and others) and of what is invisible
 * (Default_Ignorable_Code_Point: the marks that turn the direction of writing, zero-width
 * characters, variation selectors, tags and others, within emoji too), and each byte that belongs
 * to no well-formed character. So what was received can be read back out of it. Only whole
 * characters are written, as many as `size` - 1 bytes hold, and a terminating NUL. `size` is at
 * least 1. Returns how many of the `length` bytes were taken; `written`, unless NULL, is set to the
 * length of the text.
 */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size, size_t *written);

/*
 * Writes the first character of `length` bytes, at least 1, into `out` as text_escape() does, or,
 * if it has to be escaped, its first byte. Returns how many bytes were taken; `written` is set to
 * the length of the text, `escaped` to whether it is an escape.
 */
size_t text_escape_next(const void *bytes, size_t length, char out[TEXT_ESCAPE_MAX],
                        size_t *written, bool *escaped);

/*
 * Writes a name that the user gave into `out` as text_escape() does, cut with "..." where it is too
 * long for a message; returns `out`.
 */
const char *text_name(const char *name, char out[TEXT_NAME]);

/* The value of a hexadecimal digit; -1 for any other byte. */
int text_hexadecimal(char digit);

/* The length of the well-formed UTF-8 character (RFC 3629) at `bytes`, `length` at least 1; 0 when
 * there is none. */
size_t text_utf8_length(const void *bytes, size_t length);

/* The code point of `length` bytes of well-formed UTF-8. */
uint32_t text_code_point(const void *bytes, size_t length);

/* How many bytes at the end are the beginning of a UTF-8 character whose rest has not come; 0 when
 * there is none. */
size_t text_utf8_cut(const void *bytes, size_t length);

/*
 * Reads a decimal number without sign, space or anything else around it. Returns false, with
 * `value` untouched, when it is none or not within `min` to `max`.
 */
bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/*
 * Reads a decimal number with at most three decimals ("5", "0.25", ".25") as thousandths; a point
 * has at least one behind it. Returns false, with `thousandths` untouched, when it is no such
 * number or not within `min` to `max` thousandths.
 */
bool text_thousandths(const char *text, uint64_t min, uint64_t max, uint64_t *thousandths);

/* The ending of a word that is counted: "s", but for one "". */
const char *text_plural(uint64_t count);

#endif
