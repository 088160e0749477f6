/* Fuzzes the escaping of text: nothing that is shown drives a terminal or forges a line, and what
 * was received can be had back from it. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"

/* The byte that an escape stands for; moves `text` behind it. */
static int unescape(const char **text)
{
    const char *escape = *text + 1;

    *text += 2;
    switch (*escape) {
    case '\\':
        return '\\';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    default:
        MUST(*escape == 'x');
        MUST(text_hexadecimal(escape[1]) >= 0 && text_hexadecimal(escape[2]) >= 0);
        *text += 2;
        return text_hexadecimal(escape[1]) * 16 + text_hexadecimal(escape[2]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length < 1)
        return 0;
    size_t size = 1 + input[0] % 97;
    const uint8_t *bytes = ++input;
    char *text = malloc(size);
    size_t written, place = 0;
    uint64_t number;

    length--;
    MUST(text != NULL);
    size_t taken = text_escape(bytes, length, text, size, &written);

    MUST(taken <= length && written < size && text[written] == '\0' && strlen(text) == written);
    for (const char *c = text; c < text + written;) {
        size_t character = text_utf8_length(c, (size_t)(text + written - c));

        MUST(character > 0);
        if (*c == '\\') {
            MUST(place < taken && unescape(&c) == bytes[place]);
            place++;
            continue;
        }
        uint32_t point = text_code_point(c, character);

        MUST(point >= 0x20 && point != 0x7F && (point < 0x80 || point > 0xA0));
        MUST(place + character <= taken && memcmp(c, bytes + place, character) == 0);
        place += character;
        c += character;
    }
    MUST(place == taken);
    /* Nothing is left that would still have fitted. */
    if (taken < length) {
        char next[TEXT_ESCAPE_MAX];
        size_t next_length;
        bool escaped;

        text_escape_next(bytes + taken, length - taken, next, &next_length, &escaped);
        MUST(written + next_length >= size);
    }
    free(text);
    if (length > 0)
        MUST(text_utf8_cut(bytes, length) <= 3 && text_utf8_cut(bytes, length) <= length);

    char *number_text = malloc(length + 1);

    MUST(number_text != NULL);
    memcpy(number_text, bytes, length);
    number_text[length] = '\0';
    if (text_number(number_text, 3, 70000, &number)) {
        MUST(number >= 3 && number <= 70000);
        MUST(strspn(number_text, "0123456789") == strlen(number_text));
        MUST(strtoull(number_text, NULL, 10) == number);
    }
    if (text_thousandths(number_text, 0, 1000000, &number))
        MUST(number <= 1000000 && strspn(number_text, "0123456789.") == strlen(number_text));
    free(number_text);
    return 0;
}
