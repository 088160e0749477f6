/* Unit tests of client/terminal/key_record: what the events of a Windows console mean. */
#include "terminal/key_record.h"

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

static void keys_without_a_character_move(void **state)
{
    (void)state;
    assert_int_equal(pressed(VK_LEFT, 0, ENHANCED_KEY), KEY_LEFT);
    assert_int_equal(pressed(VK_LEFT, 0, ENHANCED_KEY | LEFT_ALT_PRESSED), KEY_WORD_LEFT);
    assert_int_equal(pressed(VK_RIGHT, 0, ENHANCED_KEY | LEFT_CTRL_PRESSED), KEY_WORD_RIGHT);
    assert_int_equal(pressed(VK_UP, 0, ENHANCED_KEY | LEFT_ALT_PRESSED), KEY_UP);
    assert_int_equal(pressed(VK_UP, 0, 0), KEY_UP);
    assert_int_equal(pressed(VK_DOWN, 0, ENHANCED_KEY), KEY_DOWN);
    assert_int_equal(pressed(VK_HOME, 0, ENHANCED_KEY), KEY_HOME);
    assert_int_equal(pressed(VK_END, 0, ENHANCED_KEY | SHIFT_PRESSED), KEY_END);
    assert_int_equal(pressed(VK_DELETE, 0, ENHANCED_KEY), KEY_DELETE);
    assert_int_equal(pressed(VK_F1, 0, 0), KEY_OTHER);
    assert_int_equal(kind_of(event(false, VK_UP, 0, ENHANCED_KEY)), NONE);
}

static void control_and_a_letter_is_a_key(void **state)
{
    static const struct {
        WCHAR unit;
        int kind;
    } cases[] = {
        {0x01, KEY_HOME},         {0x02, KEY_LEFT},        {0x04, KEY_DELETE},
        {0x05, KEY_END},          {0x06, KEY_RIGHT},       {0x07, KEY_CANCEL},
        {0x08, KEY_BACKSPACE},    {0x0B, KEY_KILL_TO_END}, {0x0C, KEY_CLEAR_SCREEN},
        {0x0D, KEY_ENTER},        {0x0E, KEY_DOWN},        {0x10, KEY_UP},
        {0x12, KEY_SEARCH},       {0x14, KEY_TRANSPOSE},   {0x15, KEY_KILL_TO_START},
        {0x16, KEY_QUOTE},        {0x17, KEY_KILL_WORD},   {0x19, KEY_YANK},
        {0x1A, KEY_END_OF_INPUT}, {0x1F, KEY_UNDO},        {0x1B, KEY_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        WORD code = (WORD)(cases[i].unit + 0x40);

        assert_int_equal(pressed(code, cases[i].unit, LEFT_CTRL_PRESSED), cases[i].kind);
    }
}

static void alt_and_a_letter_is_no_text(void **state)
{
    (void)state;
    assert_int_equal(pressed('B', L'b', LEFT_ALT_PRESSED), KEY_WORD_LEFT);
    assert_int_equal(pressed('F', L'F', RIGHT_ALT_PRESSED | SHIFT_PRESSED), KEY_WORD_RIGHT);
    assert_int_equal(pressed('D', L'd', LEFT_ALT_PRESSED), KEY_KILL_WORD_AFTER);
    assert_int_equal(pressed(VK_OEM_COMMA, L'<', LEFT_ALT_PRESSED | SHIFT_PRESSED), KEY_FIRST);
    assert_int_equal(pressed(VK_OEM_PERIOD, L'>', LEFT_ALT_PRESSED | SHIFT_PRESSED), KEY_LAST);
    assert_int_equal(pressed(VK_BACK, 0x08, LEFT_ALT_PRESSED), KEY_KILL_WORD_BEFORE);
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
    /* Of a second half alone the system makes U+FFFD. */
    key_record_decode(&decoder, &second, &key);
    assert_int_equal(key.kind, KEY_TEXT);
    assert_int_equal(key.length, 3);
    assert_memory_equal(key.text, "\xEF\xBF\xBD", 3);
}

/* The keys with the characters of `units`; | stands for Enter, ? for what does nothing. */
static void assert_keys(const WCHAR *units, const char *keys)
{
    struct key_record_decoder decoder = {0};
    char all[64] = "";
    size_t length = 0;

    for (; *units != 0; units++) {
        INPUT_RECORD record = event(true, 0, *units, 0);
        struct key key;

        key_record_decode(&decoder, &record, &key);
        if (key.kind == KEY_TEXT) {
            memcpy(all + length, key.text, key.length);
            length += key.length;
        } else {
            all[length++] = key.kind == KEY_ENTER ? '|' : '?';
        }
    }
    all[length] = '\0';
    assert_string_equal(all, keys);
}

static void a_pasted_line_ending_is_one_enter(void **state)
{
    (void)state;
    assert_keys(L"a\r\nb\n\n\r\r\n", "a|?b|||"
                                     "|?");
}

static void after_control_v_a_key_is_text(void **state)
{
    (void)state;
    assert_keys(L"\x16\x01"
                L"a",
                "?\x01"
                "a");
    assert_keys(L"\x16\x1B\x16\r\r", "?\x1B?\r|");
    assert_keys(L"\x16x1Bz", "???\x1Bz");
    assert_keys(L"\x16xz\x16x1z", "??xz???x1z");
    /* Whatever follows x and a digit, none is lost; a character in two halves is one. */
    assert_keys(L"\x16x\x20AC|\x16x1\x20AC\x16", "??x\xE2\x82\xAC|???x1\xE2\x82\xAC?");
    assert_keys(L"\x16\xD83D\xDE00\x01", "??\xF0\x9F\x98\x80?");
    assert_keys(L"\x16x1\xD83D\xDE00\x01\x16x", "????x1\xF0\x9F\x98\x80???");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_a_character_moves_nothing),
        cmocka_unit_test(keys_without_a_character_move),
        cmocka_unit_test(control_and_a_letter_is_a_key),
        cmocka_unit_test(alt_and_a_letter_is_no_text),
        cmocka_unit_test(a_character_may_come_in_two_halves),
        cmocka_unit_test(a_pasted_line_ending_is_one_enter),
        cmocka_unit_test(after_control_v_a_key_is_text),
    };

    return cmocka_run_group_tests_name("key_record", tests, NULL, NULL);
}
