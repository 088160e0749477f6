#include "key_decoder.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

enum { ESCAPE = 0x1B, SEQUENCE_MAX = KEY_DECODER_MAX - 2 /* without the leading Escapes */ };

/* A modifier is 1 plus the sum of 1 for Shift, 2 for Alt and 4 for Control. With Alt or Control the
 * arrows move by words. */
enum { ALT = 3, CONTROL = 5 };

/* The kind of a key that sends a number before '~', or in rxvt before '$' (Shift), '^' (Control) or
 * '@' (both). */
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
    case 200:
        return KEY_PASTE_BEGIN;
    case 201:
        return KEY_PASTE_END;
    default:
        return KEY_OTHER;
    }
}

/* The kind of a sequence, by its first and last byte after Escape and the numbers between them. */
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

/* The modifier is the second number. Keys without a number send it alone on older terminals. */
static int modifier_of(char introducer, char last, const int numbers[2], size_t separators)
{
    if (introducer == 'O' && last >= 'a' && last <= 'd')
        return CONTROL;
    return separators > 0 ? numbers[1] : numbers[0];
}

/*
 * ESC [ parameters final, or ESC O final; `bytes` starts at the '[' or 'O'. `alt`: a second Escape
 * came before. Returns the length, as key_decoder_next() does.
 */
static size_t next_sequence(const char *bytes, size_t length, bool alt, struct key *key)
{
    int numbers[2] = {0, 0};
    size_t separators = 0;
    bool known = true; /* only digits and separators so far */
    size_t place = 1;

    key->kind = KEY_OTHER;
    if (bytes[0] == '[' && length > 1 && bytes[1] == '[') {
        place = 2; /* function keys of the Linux console: ESC [ [ A */
        known = false;
    }
    for (; place < length && place < SEQUENCE_MAX; place++) {
        char byte = bytes[place];

        /* This is not a sequence. What came before is dropped, and this byte is a key of its
         * own. */
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
            known = false; /* occurs in replies of terminals (ESC [ ? 1 ; 2 c), not in keys */
        }
    }
    return place < SEQUENCE_MAX ? 0 : place;
}

/* Decodes two Escapes: Alt with a sequence, or else two keys. */
static size_t next_double_escape(const char *bytes, size_t length, struct key *key)
{
    if (length < 3)
        return 0;
    if (bytes[2] != '[' && bytes[2] != 'O')
        return 1;
    size_t consumed = next_sequence(bytes + 2, length - 2, true, key);

    return consumed > 0 ? 2 + consumed : 0;
}

/* Decodes Escape and a character: Alt, or the start of a control string. */
static size_t next_alt(struct key_decoder *decoder, const char *bytes, size_t length,
                       struct key *key)
{
    size_t consumed;

    key->kind = KEY_OTHER;
    if (length < 2)
        return 0;
    switch (bytes[1]) {
    case '[':
    case 'O':
        consumed = next_sequence(bytes + 1, length - 1, false, key);
        return consumed > 0 ? 1 + consumed : 0;
    case ']':
    case 'P':
    case '^':
    case '_':
    case 'X':
        decoder->control_string = true;
        return 2;
    case 'b':
    case 'B':
        key->kind = KEY_WORD_LEFT;
        return 2;
    case 'f':
    case 'F':
        key->kind = KEY_WORD_RIGHT;
        return 2;
    case 'd':
    case 'D':
        key->kind = KEY_KILL_WORD_AFTER;
        return 2;
    case '\b':
    case 0x7F:
        key->kind = KEY_KILL_WORD_BEFORE;
        return 2;
    case '<':
        key->kind = KEY_FIRST;
        return 2;
    case '>':
        key->kind = KEY_LAST;
        return 2;
    case ESCAPE:
        return next_double_escape(bytes, length, key);
    default:
        /* A control character after Escape keeps its meaning. */
        consumed = text_utf8_length(bytes + 1, length - 1);
        if (consumed == 0 && text_utf8_cut(bytes + 1, length - 1) == length - 1)
            return 0;
        return (unsigned char)bytes[1] < 0x20 || consumed == 0 ? 1 : 1 + consumed;
    }
}

static enum key_kind kind_of_character(unsigned char first)
{
    static const enum key_kind kinds[0x20] = {
        [0x01] = KEY_HOME,
        [0x02] = KEY_LEFT,
        [0x04] = KEY_DELETE_OR_END,
        [0x05] = KEY_END,
        [0x06] = KEY_RIGHT,
        [0x07] = KEY_CANCEL,
        [0x08] = KEY_BACKSPACE,
        ['\n'] = KEY_ENTER,
        [0x0B] = KEY_KILL_TO_END,
        [0x0C] = KEY_CLEAR_SCREEN,
        ['\r'] = KEY_ENTER,
        [0x0E] = KEY_DOWN,
        [0x10] = KEY_UP,
        [0x12] = KEY_SEARCH,
        [0x14] = KEY_TRANSPOSE,
        [0x15] = KEY_KILL_TO_START,
        [0x16] = KEY_QUOTE,
        [0x17] = KEY_KILL_WORD,
        [0x19] = KEY_YANK,
        [0x1F] = KEY_UNDO,
    };

    if (first == 0x7F)
        return KEY_BACKSPACE;
    if (first >= 0x20 || first == '\t')
        return KEY_TEXT;
    return kinds[first] != KEY_TEXT ? kinds[first] : KEY_OTHER;
}

/* Decodes one character, or one malformed byte, as text. */
static size_t next_text(const char *bytes, size_t length, struct key *key)
{
    size_t character = text_utf8_length(bytes, length);

    if (character == 0 && text_utf8_cut(bytes, length) == length)
        return 0;
    key->kind = KEY_TEXT;
    key->length = character > 0 ? character : 1;
    memcpy(key->text, bytes, key->length);
    return key->length;
}

/* Decodes what follows Ctrl-V: any key, or x and two hexadecimal digits. */
static size_t next_quoted(struct key_decoder *decoder, const char *bytes, size_t length,
                          struct key *key)
{
    unsigned int byte = 0;
    size_t digits = 0;
    size_t consumed;

    for (; bytes[0] == 'x' && digits < 2 && 1 + digits < length; digits++) {
        int value = text_hexadecimal(bytes[1 + digits]);

        if (value < 0)
            break;
        byte = byte * 16 + (unsigned int)value;
    }
    if (bytes[0] == 'x' && digits < 2 && 1 + digits == length)
        return 0;
    consumed = next_text(bytes, length, key);
    if (digits == 2) {
        key->text[0] = (char)byte;
        consumed = 3;
    }
    if (consumed > 0)
        decoder->quoting = false;
    return consumed;
}

static size_t next_pasted(struct key_decoder *decoder, const char *bytes, size_t length,
                          struct key *key)
{
    static const char end[] = "\x1B[201~";
    size_t compared = length < sizeof end - 1 ? length : sizeof end - 1;

    if (memcmp(bytes, end, compared) != 0)
        return next_text(bytes, length, key);
    if (compared < sizeof end - 1)
        return 0;
    key->kind = KEY_PASTE_END;
    decoder->pasting = false;
    return compared;
}

/* Decodes one byte of a control string, or its end. Also returns 0 when an Escape ends the string
 * and starts a key. */
static size_t next_in_string(struct key_decoder *decoder, const char *bytes, size_t length,
                             struct key *key)
{
    key->kind = KEY_OTHER;
    if (bytes[0] == ESCAPE) {
        decoder->control_string = length < 2;
        return length >= 2 && bytes[1] == '\\' ? 2 : 0;
    }
    decoder->control_string = bytes[0] != '\a' && bytes[0] != '\r' && bytes[0] != '\n' &&
                              bytes[0] != 0x18 && bytes[0] != 0x1A;
    decoder->after_return = bytes[0] == '\r';
    return 1;
}

size_t key_decoder_next(struct key_decoder *decoder, const char *bytes, size_t length,
                        struct key *key)
{
    size_t consumed;

    if (decoder->pasting)
        return next_pasted(decoder, bytes, length, key);
    if (decoder->quoting)
        return next_quoted(decoder, bytes, length, key);
    if (decoder->control_string) {
        consumed = next_in_string(decoder, bytes, length, key);
        if (consumed > 0 || decoder->control_string)
            return consumed;
    }
    if (bytes[0] == ESCAPE) {
        consumed = next_alt(decoder, bytes, length, key);
        decoder->after_return = decoder->after_return && consumed == 0;
        decoder->pasting = consumed > 0 && key->kind == KEY_PASTE_BEGIN;
        return consumed;
    }
    consumed = next_text(bytes, length, key);
    if (consumed == 0)
        return 0;
    key->kind = kind_of_character((unsigned char)bytes[0]);
    if (bytes[0] == '\n' && decoder->after_return)
        key->kind = KEY_OTHER;
    decoder->after_return = bytes[0] == '\r';
    decoder->quoting = key->kind == KEY_QUOTE;
    return consumed;
}
