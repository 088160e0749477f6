#include "character_width.h"

#include <stdbool.h>

#include "text.h"

struct character_range {
    uint32_t first;
    uint32_t last;
};

#include "character_width_table.h"

enum { ZERO_WIDTH_JOINER = 0x200D, EMOJI_STYLE = 0xFE0F /* variation selector 16 */ };

static bool contains(const struct character_range *ranges, size_t count, uint32_t code)
{
    while (count > 0) {
        size_t middle = count / 2;

        if (code < ranges[middle].first) {
            count = middle;
        } else if (code > ranges[middle].last) {
            ranges += middle + 1;
            count -= middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

int character_width(uint32_t code)
{
    if (code < 0x300) /* includes controls: each is drawn as one character */
        return 1;
    if (contains(no_column, sizeof no_column / sizeof no_column[0], code))
        return 0;
    return contains(two_columns, sizeof two_columns / sizeof two_columns[0], code) ? 2 : 1;
}

static bool is_flag_letter(uint32_t code)
{
    return code >= 0x1F1E6 && code <= 0x1F1FF;
}

static bool is_mark(uint32_t code)
{
    return character_width(code) == 0 ||
           contains(spacing_marks, sizeof spacing_marks / sizeof spacing_marks[0], code);
}

/*
 * The columns that a code point adds to a character. `*last` is the width of the last part with
 * any. After U+FE0F, which makes an emoji of a character, tmux and kitty, among others, draw two
 * columns; xterm does not.
 */
static size_t added_columns(uint32_t code, size_t *last)
{
    size_t width = (size_t)character_width(code);

    if (code == EMOJI_STYLE && *last == 1) {
        *last = 2;
        return 1;
    }
    if (width > 0)
        *last = width;
    return width;
}

size_t character_length(const char *bytes, size_t length, size_t *columns)
{
    size_t used = text_utf8_length(bytes, length);
    size_t last = 0;
    uint32_t code;
    uint32_t before;

    *columns = 1;
    if (used == 0)
        return 1;
    before = text_code_point(bytes, used);
    *columns = added_columns(before, &last);
    bool flag = is_flag_letter(before); /* the last flag letter has no partner yet */

    while (used < length) {
        size_t next = text_utf8_length(bytes + used, length - used);

        if (next == 0)
            break;
        code = text_code_point(bytes + used, next);
        bool joins = is_mark(code) || before == ZERO_WIDTH_JOINER || (flag && is_flag_letter(code));

        if (!joins)
            break;
        *columns += added_columns(code, &last);
        flag = is_flag_letter(code) && !flag;
        before = code;
        used += next;
    }
    return used;
}

/* The length of the code point, or of the malformed byte, that ends at `end`. */
static size_t length_before(const char *bytes, size_t end)
{
    for (size_t length = 2; length <= 4 && length <= end; length++) {
        if (text_utf8_length(bytes + end - length, length) == length)
            return length;
    }
    return 1;
}

/* Whether its two neighbours alone show that a character begins at `place`. */
static bool is_boundary(const char *bytes, size_t place, size_t end)
{
    size_t next = text_utf8_length(bytes + place, end - place);
    size_t length = length_before(bytes, place);

    if (next == 0 || text_utf8_length(bytes + place - length, length) == 0)
        return true;
    uint32_t code = text_code_point(bytes + place, next);
    uint32_t before = text_code_point(bytes + place - length, length);

    return !is_mark(code) && before != ZERO_WIDTH_JOINER &&
           !(is_flag_letter(code) && is_flag_letter(before));
}

size_t character_before(const char *bytes, size_t end)
{
    size_t start = end;
    size_t code_points = 0;
    size_t next;
    size_t columns;

    /* Go back to a place that is certainly a boundary, then forward character by character. */
    do
        start -= length_before(bytes, start);
    while (start > 0 && ++code_points < CHARACTER_MAX_CODE_POINTS &&
           !is_boundary(bytes, start, end));
    while ((next = start + character_length(bytes + start, end - start, &columns)) < end)
        start = next;
    return start;
}
