#include "key_record.h"

/*
 * Whether a digit of the numeric keypad is pressed for the number of a character, with the left Alt
 * held: the character comes when Alt is released. The keys that are not of the keypad have the same
 * codes as its own without Num Lock, but are marked as enhanced.
 */
static bool composes(const KEY_EVENT_RECORD *key)
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
    return (key->bKeyDown && !composes(key)) ||
           (key->wVirtualKeyCode == VK_MENU && key->uChar.UnicodeChar != 0);
}

/* Makes a key of a UTF-16 unit; of the first half of a pair it makes KEY_OTHER and waits for the
 * second. */
static void key_of_unit(struct key_record_decoder *decoder, WCHAR unit, struct key *key)
{
    WCHAR units[2] = {decoder->surrogate, unit};
    bool second = IS_LOW_SURROGATE(unit) && decoder->surrogate != 0;

    key->kind = KEY_OTHER;
    decoder->surrogate = IS_HIGH_SURROGATE(unit) ? unit : 0;
    if (decoder->surrogate != 0 || (unit < 0x20 && unit != L'\t') || (unit >= 0x7F && unit < 0xA0))
        return;
    int length = WideCharToMultiByte(CP_UTF8, 0, second ? units : units + 1, second ? 2 : 1,
                                     key->text, sizeof key->text, NULL, NULL);

    if (length <= 0)
        return;
    key->kind = KEY_TEXT;
    key->length = (size_t)length;
}

/* A key without a character, or whose character does not matter. */
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
    case 0x05:
        return KEY_END;
    case 0x0B:
        return KEY_KILL_TO_END;
    case 0x0C:
        return KEY_CLEAR_SCREEN;
    case 0x15:
        return KEY_KILL_TO_START;
    case 0x17:
        return KEY_KILL_WORD;
    case 0x1A:
        return KEY_END_OF_INPUT;
    default:
        return KEY_OTHER;
    }
}

/* Whether Alt is held with a key; AltGr, which is Alt and Control, makes characters. */
static bool with_alt(const KEY_EVENT_RECORD *event)
{
    bool control = (event->dwControlKeyState & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED)) != 0;
    bool alt = (event->dwControlKeyState & (LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED)) != 0;

    return alt && !control && event->bKeyDown;
}

/* Alt and a character that could be text. */
static enum key_kind kind_of_alt(WCHAR unit)
{
    switch (unit) {
    case L'b':
    case L'B':
        return KEY_WORD_LEFT;
    case L'f':
    case L'F':
        return KEY_WORD_RIGHT;
    default:
        return KEY_OTHER;
    }
}

void key_record_decode(struct key_record_decoder *decoder, const INPUT_RECORD *record,
                       struct key *key)
{
    const KEY_EVENT_RECORD *event = &record->Event.KeyEvent;

    key->kind = KEY_OTHER;
    if (record->EventType != KEY_EVENT)
        return;
    WCHAR unit = event->uChar.UnicodeChar;

    if (unit == 0)
        key->kind = kind_of_virtual_key(event);
    else if (unit >= 0x20 && unit != 0x7F && with_alt(event))
        key->kind = kind_of_alt(unit);
    else
        key->kind = kind_of_control(unit);
    if (key->kind == KEY_OTHER && unit != 0 && !with_alt(event))
        key_of_unit(decoder, unit, key);
}
