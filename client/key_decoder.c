#include "key_decoder.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

enum { ESCAPE = 0x1B, SEQUENCE_MAX = KEY_DECODER_MAX - 2 /* without the Escapes before it */ };

/* Modifiers are 1 + a sum of 1 Shift, 2 Alt, 4 Control; with the last two the arrows go by words.
 */
enum { ALT = 3, CONTROL = 5 };

/* The keys that send a number before '~', in rxvt also before '$' (Shift), '^' (Control), '@'. */
static enum key_kind kind_of_number(int number)
{
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
}

/* A key by the first and the last byte after Escape, and the numbers between them. */
static enum key_kind kind_of_sequence(char introducer, char last, int number, int modifier)
{
    switch (last) {
    case 'A':
    case 'a': /* rxvt's arrows: ESC [ with Shift, ESC O with Control */
        return KEY_UP;
    case 'B':
    case 'b':
        return KEY_DOWN;
    case 'C':
    case 'c':
        return modifier >= ALT ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D':
    case 'd':
        return modifier >= ALT ? KEY_WORD_LEFT : KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case 'M':
        return introducer == 'O' ? KEY_ENTER /* of the keypad */ : KEY_OTHER;
    case '~':
    case '$':
    case '^':
    case '@':
        return kind_of_number(number);
    default:
        return KEY_OTHER;
    }
}

/* The modifier is the second number; older terminals send it alone, for keys without a number. */
static int modifier_of(char introducer, char last, const int numbers[2], size_t separators)
{
    if (introducer == 'O' && last >= 'a' && last <= 'd')
        return CONTROL;
    return separators > 0 ? numbers[1] : numbers[0];
}

/*
 * ESC [ parameters final, or ESC O final, from that '[' or 'O' on; `alt`: another Escape stood
 * before. Returns the length of that, as key_decoder_next() does.
 */
static size_t next_sequence(const char *bytes, size_t length, bool alt, struct key *key)
{
    int numbers[2] = {0, 0};
    size_t separators = 0;
    bool known = true; /* digits and separators only so far */
    size_t place = 1;

    key->kind = KEY_OTHER;
    if (bytes[0] == '[' && length > 1 && bytes[1] == '[') {
        place = 2; /* the Linux console's function keys: ESC [ [ A */
        known = false;
    }
    for (; place < length && place < SEQUENCE_MAX; place++) {
        char byte = bytes[place];

        /* No sequence after all: what has come of it is dropped, this byte is a key of its own. */
        if (byte < 0x20 || byte > 0x7E)
            return place;
        if (byte >= '0' && byte <= '9') {
            if (separators < 2 && numbers[separators] < 1000)
                numbers[separators] = numbers[separators] * 10 + (byte - '0');
        } else if (byte == ';') {
            separators++;
        } else if (byte >= 0x40 || bytes[0] == 'O' ||
                   (byte == '$' && known && separators == 0 && place > 1)) {
            int modifier = alt ? ALT : modifier_of(bytes[0], byte, numbers, separators);

            if (known)
                key->kind = kind_of_sequence(bytes[0], byte, numbers[0], modifier);
            return place + 1;
        } else {
            known = false; /* no key has them, but terminals' answers do: ESC [ ? 1 ; 2 c */
        }
    }
    return place < SEQUENCE_MAX ? 0 : place;
}

/* Escape and another Escape: Alt with a sequence, else each is a key of its own. */
static size_t next_double_escape(const char *bytes, size_t length, struct key *key)
{
    if (length < 3)
        return 0;
    if (bytes[2] != '[' && bytes[2] != 'O')
        return 1;
    size_t taken = next_sequence(bytes + 2, length - 2, true, key);

    return taken > 0 ? 2 + taken : 0;
}

/* Escape and a character: Alt. */
static size_t next_alt(const char *bytes, size_t length, struct key *key)
{
    size_t taken;

    key->kind = KEY_OTHER;
    if (length < 2)
        return 0;
    switch (bytes[1]) {
    case '[':
    case 'O':
        taken = next_sequence(bytes + 1, length - 1, false, key);
        return taken > 0 ? 1 + taken : 0;
    case 'b':
    case 'B':
        key->kind = KEY_WORD_LEFT;
        return 2;
    case 'f':
    case 'F':
        key->kind = KEY_WORD_RIGHT;
        return 2;
    case ESCAPE:
        return next_double_escape(bytes, length, key);
    default:
        /* A control character after Escape keeps its own meaning. */
        taken = text_utf8_length(bytes + 1, length - 1);
        if (taken == 0 && text_utf8_cut(bytes + 1, length - 1) == length - 1)
            return 0;
        return (unsigned char)bytes[1] < 0x20 || taken == 0 ? 1 : 1 + taken;
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
    if (character == 0 && text_utf8_cut(bytes, length) == length)
        return 0;
    key->length = character > 0 ? character : 1;
    key->kind = first == 0xC2 && (unsigned char)bytes[1] < 0xA0
                    ? KEY_OTHER /* C1 controls */
                    : kind_of_character(first, key->length);
    memcpy(key->text, bytes, key->length);
    return key->length;
}
