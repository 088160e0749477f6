/* Unit tests of client/key_record: what the events of a Windows console mean. */
#include "key_record.h"

#include <string.h>

#include "test.h"

enum { NONE = -1 /* does not count */ };

static INPUT_RECORD event(bool down, WORD code, WCHAR unit, DWORD state)
{
    INPUT_RECORD record;

    memset(&record, 0, sizeof record);
    record.EventType = KEY_EVENT;
    record.Event.KeyEvent.bKeyDown = down;
    record.Event.KeyEvent.wRepeatCount = 1;
    record.Event.KeyEvent.wVirtualKeyCode = code;
    record.Event.KeyEvent.uChar.UnicodeChar = unit;
    record.Event.KeyEvent.dwControlKeyState = state;
    return record;
}

/* The kind of key that a new decoder makes of an event. */
static int kind_of(INPUT_RECORD record)
{
    struct key_record_decoder decoder = {0};
    struct key key;

    if (!key_record_counts(&record))
        return NONE;
    key_record_decode(&decoder, &record, &key);
    return (int)key.kind;
}

static int pressed(WORD code, WCHAR unit, DWORD state)
{
    return kind_of(event(true, code, unit, state));
}

static void the_number_of_a_character_moves_nothing(void **state)
{
    static const WORD keypad[] = {VK_INSERT, VK_END,   VK_DOWN, VK_NEXT, VK_LEFT,
                                  VK_CLEAR,  VK_RIGHT, VK_HOME, VK_UP,   VK_PRIOR};

    (void)state;
    for (size_t i = 0; i < sizeof keypad / sizeof keypad[0]; i++) {
        WORD digit = (WORD)(VK_NUMPAD0 + i);

        assert_int_equal(pressed(keypad[i], 0, LEFT_ALT_PRESSED), NONE);
        assert_int_equal(pressed(digit, (WCHAR)(L'0' + i), LEFT_ALT_PRESSED | NUMLOCK_ON), NONE);
        assert_int_equal(pressed(digit, (WCHAR)(L'0' + i), NUMLOCK_ON), KEY_TEXT);
    }
    /* The character itself. */
    assert_int_equal(kind_of(event(false, VK_MENU, 0xEF, 0)), KEY_TEXT);
    assert_int_equal(kind_of(event(false, VK_MENU, 0, 0)), NONE);
}

static void arrows_move(void **state)
{
    (void)state;
    assert_int_equal(pressed(VK_LEFT, 0, ENHANCED_KEY), KEY_LEFT);
    assert_int_equal(pressed(VK_LEFT, 0, ENHANCED_KEY | LEFT_ALT_PRESSED), KEY_WORD_LEFT);
    assert_int_equal(pressed(VK_RIGHT, 0, ENHANCED_KEY | LEFT_CTRL_PRESSED), KEY_WORD_RIGHT);
    assert_int_equal(pressed(VK_UP, 0, ENHANCED_KEY | LEFT_ALT_PRESSED), KEY_UP);
    assert_int_equal(pressed(VK_UP, 0, 0), KEY_UP);
    assert_int_equal(kind_of(event(false, VK_UP, 0, ENHANCED_KEY)), NONE);
}

static void alt_and_a_letter_is_no_text(void **state)
{
    (void)state;
    assert_int_equal(pressed('B', L'b', LEFT_ALT_PRESSED), KEY_WORD_LEFT);
    assert_int_equal(pressed('F', L'F', RIGHT_ALT_PRESSED | SHIFT_PRESSED), KEY_WORD_RIGHT);
    assert_int_equal(pressed('X', L'x', LEFT_ALT_PRESSED), KEY_OTHER);
    assert_int_equal(pressed('1', L'1', RIGHT_ALT_PRESSED), KEY_OTHER);
    /* AltGr, and a character that was composed or pasted, are. */
    assert_int_equal(pressed('Q', L'@', RIGHT_ALT_PRESSED | LEFT_CTRL_PRESSED), KEY_TEXT);
    assert_int_equal(kind_of(event(false, VK_MENU, L'x', LEFT_ALT_PRESSED)), KEY_TEXT);
    assert_int_equal(pressed('X', L'x', 0), KEY_TEXT);
}

static void a_character_may_come_in_two_halves(void **state)
{
    struct key_record_decoder decoder = {0};
    INPUT_RECORD first = event(true, 0, 0xD83D, 0), second = event(true, 0, 0xDE00, 0);
    struct key key;

    (void)state;
    key_record_decode(&decoder, &first, &key);
    assert_int_equal(key.kind, KEY_OTHER);
    key_record_decode(&decoder, &second, &key);
    assert_int_equal(key.kind, KEY_TEXT);
    assert_int_equal(key.length, 4);
    assert_memory_equal(key.text, "\xF0\x9F\x98\x80", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_a_character_moves_nothing),
        cmocka_unit_test(arrows_move),
        cmocka_unit_test(alt_and_a_letter_is_no_text),
        cmocka_unit_test(a_character_may_come_in_two_halves),
    };

    return cmocka_run_group_tests_name("key_record", tests, NULL, NULL);
}
