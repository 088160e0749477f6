#include "text.h"

#include <stdio.h>
#include <string.h>

size_t text_utf8_length(const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    size_t need = b[0] < 0x80   ? 1
                  : b[0] < 0xC2 ? 0
                  : b[0] < 0xE0 ? 2
                  : b[0] < 0xF0 ? 3
                  : b[0] < 0xF5 ? 4
                                : 0;

    if (need == 0 || need > length)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates, and code points above U+10FFFF show in the second byte. */
    if ((b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F) ||
        (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F))
        return 0;
    return need;
}

uint32_t text_code_point(const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    uint32_t code = length == 1 ? b[0] : b[0] & (0x7FU >> length);

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (b[i] & 0x3FU);
    return code;
}

size_t text_utf8_cut(const void *bytes, size_t length)
{
    const unsigned char *end = (const unsigned char *)bytes + length;

    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char first = *(end - back);
        size_t whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

        if (first >= 0xC2 && first <= 0xF4)
            return whole > back ? back : 0;
        if (first < 0x80 || first > 0xBF)
            return 0;
    }
    return 0;
}

/* Controls, separators, spaces (Zs), and invisible characters (Default_Ignorable_Code_Point, and
 * the annotation marks U+FFF9 to U+FFFB). */
static const struct {
    uint32_t first;
    uint32_t last;
} unsafe[] = {
    {0x00, 0x1F},       {'\\', '\\'},       {0x7F, 0xA0},     {0xAD, 0xAD},     {0x34F, 0x34F},
    {0x61C, 0x61C},     {0x115F, 0x1160},   {0x1680, 0x1680}, {0x17B4, 0x17B5}, {0x180B, 0x180F},
    {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F}, {0x3000, 0x3000}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

/* Whether a well-formed character of `length` bytes is shown without an escape. */
static bool is_printable(const unsigned char *b, size_t length)
{
    uint32_t code = text_code_point(b, length);

    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0] && unsafe[i].first <= code; i++) {
        if (code <= unsafe[i].last)
            return false;
    }
    return true;
}

int text_hexadecimal(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *place = digit != '\0' ? strchr(digits, digit) : NULL;

    return place != NULL ? (int)((place - digits) % 16) : -1;
}

static size_t escape_byte(unsigned char byte, char out[TEXT_ESCAPE_MAX])
{
    static const char digits[] = "0123456789abcdef";
    static const char named[] = "\\\t\r\n";
    static const char names[] = "\\trn";
    const char *name = byte != '\0' ? strchr(named, byte) : NULL;

    out[0] = '\\';
    if (name != NULL) {
        out[1] = names[name - named];
        return 2;
    }
    out[1] = 'x';
    out[2] = digits[byte >> 4];
    out[3] = digits[byte & 15];
    return 4;
}

size_t text_escape_next(const void *bytes, size_t length, char out[TEXT_ESCAPE_MAX],
                        size_t *written, bool *escaped)
{
    const unsigned char *b = bytes;
    size_t character = text_utf8_length(b, length);

    *escaped = character == 0 || !is_printable(b, character);
    if (*escaped) {
        *written = escape_byte(*b, out);
        return 1;
    }
    memcpy(out, b, character);
    *written = character;
    return character;
}

size_t text_escape(const void *bytes, size_t length, char *out, size_t size, size_t *written)
{
    size_t taken = 0;
    size_t filled = 0;

    while (taken < length) {
        char piece[TEXT_ESCAPE_MAX];
        size_t piece_length;
        bool escaped;
        size_t next = text_escape_next((const char *)bytes + taken, length - taken, piece,
                                       &piece_length, &escaped);

        if (filled + piece_length >= size)
            break;
        memcpy(out + filled, piece, piece_length);
        filled += piece_length;
        taken += next;
    }
    out[filled] = '\0';
    if (written != NULL)
        *written = filled;
    return taken;
}

const char *text_name(const char *name, char out[TEXT_NAME])
{
    static const char cut[] = "...";
    size_t length = strlen(name);
    size_t written;

    if (text_escape(name, length, out, TEXT_NAME - (sizeof cut - 1), &written) < length)
        memcpy(out + written, cut, sizeof cut);
    return out;
}

bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number < min)
        return false;
    *value = number;
    return true;
}

bool text_thousandths(const char *text, uint64_t min, uint64_t max, uint64_t *thousandths)
{
    const char *point = strchr(text, '.');
    const char *decimals = point != NULL ? point + 1 : "";
    int whole_length = (int)(point != NULL ? (size_t)(point - text) : strlen(text));
    char digits[32];

    if (*text == '\0' || whole_length > 20 || strlen(decimals) > 3 ||
        (point != NULL && *decimals == '\0'))
        return false;
    /* "1.5" is read as "1500": the digits before the point, those after it, and zeros up to three
     * decimals. */
    snprintf(digits, sizeof digits, "%.*s%s%s", whole_length, text, decimals,
             &"000"[strlen(decimals)]);
    return text_number(digits, min, max, thousandths);
}

bool text_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes)
{
    static const char units[] = "KMG";
    size_t length = strlen(text);
    const char *unit = length > 0 ? strchr(units, text[length - 1]) : NULL;
    int shift = unit != NULL ? 10 * (int)(unit - units + 1) : 0;
    char digits[24];
    uint64_t number = 0;

    if (length >= sizeof digits)
        return false;
    snprintf(digits, sizeof digits, "%.*s", (int)length - (unit != NULL), text);
    if (!text_number(digits, 0, max >> shift, &number) || number << shift < min)
        return false;
    *bytes = number << shift;
    return true;
}

const char *text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}
