#include "key_decoder.h"

#include <string.h>

#include "text.h"

enum { ESCAPE = 0x1B, SEQUENCE_MAX = 32 /* longer ones are no keys */ };

/* A key by the last byte of its sequence; for '~' by the number before it. */
static enum key_kind kind_of_sequence(char last, int number, int modifier)
{
    /* Modifiers are 1 + a sum of 1 Shift, 2 Alt, 4 Control; with the last two the arrows go by
     * words. */
    int by_words = modifier > 2;

    switch (last) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return by_words ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D':
        return by_words ? KEY_WORD_LEFT : KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case 'a': /* rxvt: Control with an arrow */
    case 'b':
        return KEY_OTHER;
    case 'c':
        return KEY_WORD_RIGHT;
    case 'd':
        return KEY_WORD_LEFT;
    case '~':
        switch (number) {
        case 1:
        case 7:
            return KEY_HOME;
        case 4:
        case 8:
            return KEY_END;
        case 3:
            return KEY_DELETE;
        default:
            return KEY_OTHER;
        }
    default:
        return KEY_OTHER;
    }
}

/* ESC [ parameters final, or ESC O final. */
static size_t next_sequence(const char *bytes, size_t length, struct key *key)
{
    int numbers[2] = {0, 0};
    size_t which = 0;
    size_t place = 2;

    if (bytes[1] == '[' && length > 2 &&
        bytes[2] == '[') /* the Linux console's function keys: ESC [ [ A */
        place = 3;
    for (; place < length && place < SEQUENCE_MAX; place++) {
        unsigned char byte = (unsigned char)bytes[place];

        if (byte >= '0' && byte <= '9') {
            if (which < 2)
                numbers[which] = (numbers[which] * 10 + (byte - '0')) % 1000;
        } else if (byte == ';') {
            which++;
        } else if (byte >= 0x40 && byte <= 0x7E) {
            key->kind =
                bytes[2] == '[' ? KEY_OTHER : kind_of_sequence((char)byte, numbers[0], numbers[1]);
            return place + 1;
        } else if (byte < 0x20 || byte > 0x7E) {
            /* No sequence after all: what has come of it is dropped, this byte is a key of its own.
             */
            key->kind = KEY_OTHER;
            return place;
        }
    }
    key->kind = KEY_OTHER;
    return place < SEQUENCE_MAX ? 0 : place;
}

/* Whether `length` bytes may be the beginning of a well-formed character whose rest has not come
 * yet. */
static int may_grow(const char *bytes, size_t length)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t whole = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;

    for (size_t i = 1; i < length && i < whole; i++) {
        if (((unsigned char)bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    return first < 0xF5 && length < whole;
}

/* Escape and a character: Alt. */
static size_t next_alt(const char *bytes, size_t length, struct key *key)
{
    size_t character;

    key->kind = KEY_OTHER;
    if (length < 2)
        return 0;
    switch (bytes[1]) {
    case '[':
    case 'O':
        return next_sequence(bytes, length, key);
    case 'b':
    case 'B':
        key->kind = KEY_WORD_LEFT;
        return 2;
    case 'f':
    case 'F':
        key->kind = KEY_WORD_RIGHT;
        return 2;
    case ESCAPE:
        return 1;
    default:
        /* A control character after Escape keeps its own meaning. */
        character = text_utf8_length(bytes + 1, length - 1);
        if (character == 0 && may_grow(bytes + 1, length - 1))
            return 0;
        return (unsigned char)bytes[1] < 0x20 || character == 0 ? 1 : 1 + character;
    }
}

static enum key_kind kind_of_character(unsigned char first, size_t length)
{
    switch (first) {
    case 0x01:
        return KEY_HOME;
    case 0x02:
        return KEY_LEFT;
    case 0x04:
        return KEY_END_OF_INPUT;
    case 0x05:
        return KEY_END;
    case 0x06:
        return KEY_RIGHT;
    case 0x08:
    case 0x7F:
        return KEY_BACKSPACE;
    case '\n':
    case '\r':
        return KEY_ENTER;
    case 0x0B:
        return KEY_KILL_TO_END;
    case 0x0C:
        return KEY_CLEAR_SCREEN;
    case 0x0E:
        return KEY_DOWN;
    case 0x10:
        return KEY_UP;
    case 0x15:
        return KEY_KILL_TO_START;
    case 0x17:
        return KEY_KILL_WORD;
    case '\t':
        return KEY_TEXT;
    default:
        /* Neither other controls nor bytes that are no UTF-8 are text. */
        return first < 0x20 || (length == 1 && first >= 0x7F) ? KEY_OTHER : KEY_TEXT;
    }
}

size_t key_decoder_next(const char *bytes, size_t length, struct key *key)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t character = text_utf8_length(bytes, length);

    if (first == ESCAPE)
        return next_alt(bytes, length, key);
    if (character == 0 && may_grow(bytes, length))
        return 0;
    key->length = character > 0 ? character : 1;
    key->kind = first == 0xC2 && (unsigned char)bytes[1] < 0xA0
                    ? KEY_OTHER /* C1 controls */
                    : kind_of_character(first, key->length);
    memcpy(key->text, bytes, key->length);
    return key->length;
}
