/*
 * text: pure. Makes bytes from the network safe to show, reads numbers from the command line
 * strictly, and adds plural endings.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TEXT_ESCAPE_MAX: the longest escape of one byte. TEXT_NAME: the size of a name in a message. */
enum { TEXT_ESCAPE_MAX = 4, TEXT_NAME = 256 };

/*
 * Writes `length` bytes of any content into `out` as one line of UTF-8 that can neither control a
 * terminal nor end or forge a line of a log. Well-formed UTF-8 (RFC 3629) stays as it is, with
 * these exceptions. Backslash becomes \\. Control characters become \t \r \n or \xNN. So does each
 * byte of DEL, of C1 controls (U+0080 to U+009F), of line and paragraph separators (U+2028,
 * U+2029), of spaces other than the ASCII one (Zs of Unicode 15: U+00A0, U+3000 and others), of
 * invisible characters (Default_Ignorable_Code_Point: direction marks, zero-width characters,
 * variation selectors, tags and others, within emoji too), and each byte that is not part of a
 * well-formed character. So the received bytes can be recovered from the text.
 *
 * Only whole characters are written, up to `size` - 1 bytes, and a terminating NUL. `size` is at
 * least 1. Returns how many of the `length` bytes were consumed. `written`, unless NULL, is set to
 * the length of the text.
 */
/*@ requires \valid_read((const char *)bytes + (0 .. length - 1));
    requires size >= 1 && \valid(out + (0 .. size - 1)); */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size, size_t *written);

/*
 * Writes the first character of `length` bytes, at least 1, into `out` as text_escape() does; if it
 * has to be escaped, only its first byte. Returns how many bytes were consumed. Sets `written` to
 * the length of the text, and `escaped` to whether it is an escape.
 */
/*@ requires length >= 1 && \valid_read((const char *)bytes + (0 .. length - 1)); */
size_t text_escape_next(const void *bytes, size_t length, char out[TEXT_ESCAPE_MAX],
                        size_t *written, bool *escaped);

/*
 * Writes a name from the user into `out` as text_escape() does. A name too long for a message is
 * cut and ends with "...". Returns `out`.
 */
/*@ requires \valid(out + (0 .. TEXT_NAME - 1)); */
const char *text_name(const char *name, char out[TEXT_NAME]);

/* The value of a hexadecimal digit; -1 for any other byte. */
int text_hexadecimal(char digit);

/* The length of the well-formed UTF-8 character (RFC 3629) at `bytes`, of which there are `length`,
 * at least 1. 0 if there is none. */
/*@ requires length >= 1 && \valid_read((const char *)bytes + (0 .. length - 1)); */
size_t text_utf8_length(const void *bytes, size_t length);

/* The code point of one well-formed UTF-8 character of `length` bytes. */
/*@ requires 1 <= length <= 4 && \valid_read((const char *)bytes + (0 .. length - 1)); */
uint32_t text_code_point(const void *bytes, size_t length);

/* How many bytes at the end are the start of an incomplete UTF-8 character; 0 if there is none. */
/*@ requires \valid_read((const char *)bytes + (0 .. length - 1)); */
size_t text_utf8_cut(const void *bytes, size_t length);

/*
 * Reads a decimal number without a sign, spaces or other characters. Returns false, with `value`
 * unchanged, if the text is not such a number or is not within `min` to `max`.
 */
bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/*
 * Reads a decimal number with at most three decimals ("5", "0.25", ".25") as thousandths. A point
 * is followed by at least one digit. Returns false, with `thousandths` unchanged, if the text is
 * not such a number or is not within `min` to `max` thousandths.
 */
bool text_thousandths(const char *text, uint64_t min, uint64_t max, uint64_t *thousandths);

/*
 * Reads a decimal number of bytes, of kibibytes with K behind it ("64K": 65536), of mebibytes with
 * M or of gibibytes with G. Returns false, with `bytes` unchanged, if the text is not such a number
 * or is not within `min` to `max` bytes.
 */
bool text_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes);

/* The plural ending of an English noun: "" for 1, else "s". */
const char *text_plural(uint64_t count);

#endif
