#include "key_record.h"

#include <string.h>

#include "text.h"

/*
 * Whether a digit of the numeric keypad is pressed with the left Alt held, to enter a character
 * code: the character arrives when Alt is released. Keys outside of the keypad share the codes of
 * its keys without Num Lock, but are marked as enhanced.
 */
static bool is_alt_code_digit(const KEY_EVENT_RECORD *key)
{
    WORD code = key->wVirtualKeyCode;

    return (key->dwControlKeyState & LEFT_ALT_PRESSED) &&
           !(key->dwControlKeyState & ENHANCED_KEY) &&
           ((code >= VK_PRIOR && code <= VK_DOWN) || code == VK_INSERT || code == VK_CLEAR ||
            (code >= VK_NUMPAD0 && code <= VK_NUMPAD9));
}

bool key_record_counts(const INPUT_RECORD *record)
{
    const KEY_EVENT_RECORD *key = &record->Event.KeyEvent;

    if (record->EventType == WINDOW_BUFFER_SIZE_EVENT)
        return true;
    if (record->EventType != KEY_EVENT)
        return false;
    return (key->bKeyDown && !is_alt_code_digit(key)) ||
           (key->wVirtualKeyCode == VK_MENU && key->uChar.UnicodeChar != 0);
}

/* Appends the character of a UTF-16 unit to the text of a key. The first half of a pair is kept
 * until the second arrives. Returns whether a character was appended. */
static bool append_unit(struct key_record_decoder *decoder, WCHAR unit, struct key *key)
{
    WCHAR units[2] = {decoder->surrogate, unit};
    bool second = IS_LOW_SURROGATE(unit) && decoder->surrogate != 0;

    decoder->surrogate = IS_HIGH_SURROGATE(unit) ? unit : 0;
    if (decoder->surrogate != 0)
        return false;
    key->kind = KEY_TEXT;
    key->length += (size_t)WideCharToMultiByte(CP_UTF8, 0, second ? units : units + 1,
                                               second ? 2 : 1, key->text + key->length,
                                               (int)(sizeof key->text - key->length), NULL, NULL);
    return true;
}

/* The kind of a key that has no character. */
static enum key_kind kind_of_virtual_key(const KEY_EVENT_RECORD *event)
{
    bool by_words = (event->dwControlKeyState & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED |
                                                 LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED)) != 0;

    switch (event->wVirtualKeyCode) {
    case VK_LEFT:
        return by_words ? KEY_WORD_LEFT : KEY_LEFT;
    case VK_RIGHT:
        return by_words ? KEY_WORD_RIGHT : KEY_RIGHT;
    case VK_UP:
        return KEY_UP;
    case VK_DOWN:
        return KEY_DOWN;
    case VK_HOME:
        return KEY_HOME;
    case VK_END:
        return KEY_END;
    case VK_DELETE:
        return KEY_DELETE;
    default:
        return KEY_OTHER;
    }
}

static enum key_kind kind_of_control(WCHAR unit)
{
    switch (unit) {
    case L'\r':
    case L'\n':
        return KEY_ENTER;
    case 0x08:
    case 0x7F:
        return KEY_BACKSPACE;
    case 0x01:
        return KEY_HOME;
    case 0x02:
        return KEY_LEFT;
    case 0x04:
        return KEY_DELETE;
    case 0x05:
        return KEY_END;
    case 0x06:
        return KEY_RIGHT;
    case 0x07:
        return KEY_CANCEL;
    case 0x0B:
        return KEY_KILL_TO_END;
    case 0x0C:
        return KEY_CLEAR_SCREEN;
    case 0x0E:
        return KEY_DOWN;
    case 0x10:
        return KEY_UP;
    case 0x12:
        return KEY_SEARCH;
    case 0x14:
        return KEY_TRANSPOSE;
    case 0x15:
        return KEY_KILL_TO_START;
    case 0x16:
        return KEY_QUOTE;
    case 0x17:
        return KEY_KILL_WORD;
    case 0x19:
        return KEY_YANK;
    case 0x1A:
        return KEY_END_OF_INPUT;
    case 0x1F:
        return KEY_UNDO;
    default:
        return KEY_OTHER;
    }
}

/* Whether Alt is held with a key. AltGr, which is Alt and Control, types characters. */
static bool has_alt(const KEY_EVENT_RECORD *event)
{
    bool control = (event->dwControlKeyState & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED)) != 0;
    bool alt = (event->dwControlKeyState & (LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED)) != 0;

    return alt && !control && event->bKeyDown;
}

/* The kind of a key that is pressed with Alt, by its character. */
static enum key_kind kind_of_alt(WCHAR unit)
{
    switch (unit) {
    case L'b':
    case L'B':
        return KEY_WORD_LEFT;
    case L'f':
    case L'F':
        return KEY_WORD_RIGHT;
    case L'd':
    case L'D':
        return KEY_KILL_WORD_AFTER;
    case L'<':
        return KEY_FIRST;
    case L'>':
        return KEY_LAST;
    case 0x08:
    case 0x7F:
        return KEY_KILL_WORD_BEFORE;
    default:
        return KEY_OTHER;
    }
}

/* Whether a UTF-16 unit is not a control character. */
static bool is_text(WCHAR unit)
{
    return unit == L'\t' || (unit >= 0x20 && unit < 0x7F) || unit >= 0xA0;
}

/* Decodes a unit after Ctrl-V. The character of any key is text; x and two hexadecimal digits are a
 * byte. */
static void quoted_key(struct key_record_decoder *decoder, WCHAR unit, struct key *key)
{
    int value = unit < 0x80 ? text_hexadecimal((char)unit) : -1;
    size_t held = decoder->quoted_length;

    if (held == 0 ? unit == L'x' : held == 1 && value >= 0) {
        decoder->quoted[decoder->quoted_length++] = (char)unit;
        return;
    }
    if (held == 2 && value >= 0) {
        key->kind = KEY_TEXT;
        key->text[0] = (char)(text_hexadecimal(decoder->quoted[1]) * 16 + value);
        key->length = 1;
    } else {
        /* This is not the number of a byte, so the x and the digit are text, too. */
        memcpy(key->text, decoder->quoted, held);
        key->length = held;
        if (!append_unit(decoder, unit, key))
            return;
    }
    decoder->quoting = false;
    decoder->quoted_length = 0;
}

void key_record_decode(struct key_record_decoder *decoder, const INPUT_RECORD *record,
                       struct key *key)
{
    const KEY_EVENT_RECORD *event = &record->Event.KeyEvent;

    key->kind = KEY_OTHER;
    key->length = 0;
    if (record->EventType != KEY_EVENT)
        return;
    WCHAR unit = event->uChar.UnicodeChar;
    bool after_return = decoder->after_return;

    if (decoder->quoting && unit != 0) {
        quoted_key(decoder, unit, key);
        return;
    }
    if (unit != 0)
        decoder->after_return = unit == L'\r';
    if (unit == L'\n' && after_return)
        return;
    if (unit == 0)
        key->kind = kind_of_virtual_key(event);
    else if ((unit >= 0x20 || unit == 0x08) && has_alt(event))
        key->kind = kind_of_alt(unit);
    else
        key->kind = kind_of_control(unit);
    if (key->kind == KEY_OTHER && is_text(unit) && !has_alt(event))
        append_unit(decoder, unit, key);
    decoder->quoting = decoder->quoting || key->kind == KEY_QUOTE;
}
