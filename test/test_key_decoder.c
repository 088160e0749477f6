/* Unit tests of client/key_decoder. */
#include "terminal/key_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"
#include "text.h"

struct key_case {
    const char *bytes;
    enum key_kind kind;
};

/* A NUL is a key, too: "" stands for it. */
static size_t length_of(const char *bytes)
{
    return *bytes == '\0' ? 1 : strlen(bytes);
}

/* The first key, by a new decoder. */
static size_t first_key(const char *bytes, size_t length, struct key *key)
{
    struct key_decoder decoder = {0};

    return key_decoder_next(&decoder, bytes, length, key);
}

/* Nothing is said before the sequence is whole, then the key, whatever follows. */
static void check_key(const char *bytes, size_t length, enum key_kind kind)
{
    char followed[KEY_DECODER_MAX + 8];
    struct key key;

    for (size_t cut = 1; cut < length; cut++) {
        char *exact = malloc(cut); /* so that a sanitizer sees what is read beyond it */

        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        assert_int_equal(first_key(exact, cut, &key), 0);
        free(exact);
    }
    memcpy(followed, bytes, length);
    for (size_t more = 0; more < 3; more++) {
        memcpy(followed + length, "[Ax", more);
        assert_int_equal(first_key(followed, length + more, &key), length);
        assert_int_equal(key.kind, kind);
    }
    if (kind == KEY_TEXT) {
        assert_int_equal(key.length, length);
        assert_memory_equal(key.text, bytes, length);
    }
}

static void check_keys(const struct key_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_key(cases[i].bytes, length_of(cases[i].bytes), cases[i].kind);
}

#define CHECK_KEYS(cases) check_keys(cases, sizeof(cases) / sizeof(cases)[0])

static void control_keys(void **state)
{
    static const struct key_case cases[] = {
        {"\r", KEY_ENTER},
        {"\n", KEY_ENTER},
        {"\x7F", KEY_BACKSPACE},
        {"\b", KEY_BACKSPACE},
        {"\x01", KEY_HOME},
        {"\x05", KEY_END},
        {"\x02", KEY_LEFT},
        {"\x06", KEY_RIGHT},
        {"\x10", KEY_UP},
        {"\x0E", KEY_DOWN},
        {"\x0B", KEY_KILL_TO_END},
        {"\x15", KEY_KILL_TO_START},
        {"\x17", KEY_KILL_WORD},
        {"\x0C", KEY_CLEAR_SCREEN},
        {"\x04", KEY_DELETE_OR_END},
        {"\t", KEY_TEXT},
        {"", KEY_OTHER},
        {"\a", KEY_CANCEL},
        {"\x12", KEY_SEARCH},
        {"\x14", KEY_TRANSPOSE},
        {"\x16", KEY_QUOTE},
        {"\x19", KEY_YANK},
        {"\x03", KEY_OTHER},
        {"\x1A", KEY_OTHER},
        {"\x1C", KEY_OTHER},
        {"\x1F", KEY_UNDO},
    };

    (void)state;
    CHECK_KEYS(cases);
}

static void the_keys_of_terminals(void **state)
{
    static const struct key_case cases[] = {
        /* xterm, with cursor keys in the normal and the application mode; screen and tmux alike */
        {"\x1B[A", KEY_UP},
        {"\x1B[B", KEY_DOWN},
        {"\x1B[C", KEY_RIGHT},
        {"\x1B[D", KEY_LEFT},
        {"\x1B[H", KEY_HOME},
        {"\x1B[F", KEY_END},
        {"\x1BOA", KEY_UP},
        {"\x1BOB", KEY_DOWN},
        {"\x1BOC", KEY_RIGHT},
        {"\x1BOD", KEY_LEFT},
        {"\x1BOH", KEY_HOME},
        {"\x1BOF", KEY_END},
        {"\x1B[3~", KEY_DELETE},
        /* xterm with Control, Alt and both; Shift alone does not go by words */
        {"\x1B[1;5A", KEY_UP},
        {"\x1B[1;5B", KEY_DOWN},
        {"\x1B[1;5C", KEY_WORD_RIGHT},
        {"\x1B[1;5D", KEY_WORD_LEFT},
        {"\x1B[1;3C", KEY_WORD_RIGHT},
        {"\x1B[1;3D", KEY_WORD_LEFT},
        {"\x1B[1;7D", KEY_WORD_LEFT},
        {"\x1B[1;4C", KEY_WORD_RIGHT},
        {"\x1B[1;2C", KEY_RIGHT},
        {"\x1B[1;2D", KEY_LEFT},
        {"\x1B[1;2H", KEY_HOME},
        {"\x1B[1;5F", KEY_END},
        {"\x1B[3;5~", KEY_DELETE},
        /* the Linux console, screen and tmux */
        {"\x1B[1~", KEY_HOME},
        {"\x1B[4~", KEY_END},
        {"\x1B[[A", KEY_OTHER}, /* F1 */
        {"\x1B[[E", KEY_OTHER},
        /* rxvt */
        {"\x1B[7~", KEY_HOME},
        {"\x1B[8~", KEY_END},
        {"\x1BOc", KEY_WORD_RIGHT}, /* Control */
        {"\x1BOd", KEY_WORD_LEFT},
        {"\x1BOa", KEY_UP},
        {"\x1BOb", KEY_DOWN},
        {"\x1B[a", KEY_UP}, /* Shift */
        {"\x1B[b", KEY_DOWN},
        {"\x1B[c", KEY_RIGHT},
        {"\x1B[d", KEY_LEFT},
        {"\x1B[7$", KEY_HOME},
        {"\x1B[8$", KEY_END},
        {"\x1B[3$", KEY_DELETE},
        {"\x1B[7^", KEY_HOME}, /* Control */
        {"\x1B[8^", KEY_END},
        {"\x1B[3^", KEY_DELETE},
        {"\x1B[7@", KEY_HOME}, /* Control and Shift */
        {"\x1B[8@", KEY_END},
        {"\x1B[3@", KEY_DELETE},
        {"\x1B[5$", KEY_OTHER},
        {"\x1B[5^", KEY_OTHER},
        {"\x1B[23@", KEY_OTHER},
        /* Alt with rxvt's and PuTTY's */
        {"\x1B\x1B[A", KEY_UP},
        {"\x1B\x1B[B", KEY_DOWN},
        {"\x1B\x1B[C", KEY_WORD_RIGHT},
        {"\x1B\x1B[D", KEY_WORD_LEFT},
        {"\x1B\x1BOC", KEY_WORD_RIGHT},
        {"\x1B\x1BOD", KEY_WORD_LEFT},
        {"\x1B\x1BOc", KEY_WORD_RIGHT},
        {"\x1B\x1B[d", KEY_WORD_LEFT},
        {"\x1B\x1B[H", KEY_HOME},
        {"\x1B\x1B[7~", KEY_HOME},
        {"\x1B\x1B[8$", KEY_END},
        {"\x1B\x1B[3~", KEY_DELETE},
        {"\x1B\x1B[[A", KEY_OTHER},
        {"\x1B\x1B[5~", KEY_OTHER},
        /* old xterms and their like: the modifier as the only number */
        {"\x1B[5A", KEY_UP},
        {"\x1B[5C", KEY_WORD_RIGHT},
        {"\x1B[5D", KEY_WORD_LEFT},
        {"\x1B[2C", KEY_RIGHT},
        {"\x1B[3D", KEY_WORD_LEFT},
        {"\x1BO5C", KEY_WORD_RIGHT},
        {"\x1BO5D", KEY_WORD_LEFT},
        {"\x1BO2D", KEY_LEFT},
        {"\x1BO1;5C", KEY_WORD_RIGHT},
        {"\x1BO5H", KEY_HOME},
        /* the keypad in the application mode: Enter, and Space, 5, + */
        {"\x1BOM", KEY_ENTER},
        {"\x1BO5M", KEY_ENTER},
        {"\x1B\x1BOM", KEY_ENTER},
        {"\x1BO ", KEY_OTHER},
        {"\x1BOu", KEY_OTHER},
        {"\x1BOk", KEY_OTHER},
        /* Alt */
        {"\x1B"
         "b",
         KEY_WORD_LEFT},
        {"\x1B"
         "f",
         KEY_WORD_RIGHT},
        {"\x1B"
         "B",
         KEY_WORD_LEFT},
        {"\x1B"
         "F",
         KEY_WORD_RIGHT},
        {"\x1Bx", KEY_OTHER},
        {"\x1B"
         "d",
         KEY_KILL_WORD_AFTER},
        {"\x1B<", KEY_FIRST},
        {"\x1B>", KEY_LAST},
        {"\x1B\b", KEY_KILL_WORD_BEFORE},
        {"\x1B\x7F", KEY_KILL_WORD_BEFORE},
        {"\x1B\xC3\xA9", KEY_OTHER},
        {"\x1B\xF0\x9F\x98\x80", KEY_OTHER},
        /* Insert, Page Up, F5, F12, Shift-Tab, a paste, what the mouse and focus send */
        {"\x1B[2~", KEY_OTHER},
        {"\x1B[5~", KEY_OTHER},
        {"\x1B[15~", KEY_OTHER},
        {"\x1B[24;2~", KEY_OTHER},
        {"\x1BOP", KEY_OTHER},
        {"\x1B[Z", KEY_OTHER},
        {"\x1B[200~", KEY_PASTE_BEGIN},
        {"\x1B[201~", KEY_PASTE_END},
        {"\x1B[<0;10;20M", KEY_OTHER},
        {"\x1B[I", KEY_OTHER},
        {"\x1B[O", KEY_OTHER},
        {"\x1B[M", KEY_OTHER},
        /* numbers that are no keys', however like one their end looks */
        {"\x1B[1003~", KEY_OTHER},
        {"\x1B[4294967299~", KEY_OTHER},
        {"\x1B[27;5;3~", KEY_OTHER},
        /* what terminals answer: two device attributes, the cursor's place, two modes */
        {"\x1B[?1;2c", KEY_OTHER},
        {"\x1B[?64;1;2;6;9;15;16;17;18;21;22;28c", KEY_OTHER},
        {"\x1B[24;80R", KEY_OTHER},
        {"\x1B[?1;2$y", KEY_OTHER},
        {"\x1B[4;2$y", KEY_OTHER},
    };

    (void)state;
    CHECK_KEYS(cases);
}

/* Escape waits for what follows, and is dropped when that has a meaning of its own. */
static void escape_before_another_key(void **state)
{
    static const char *const followed[] = {"\x1B\x1B\x1B[C", "\x1B\x1Bx", "\x1B\x1B\r", "\x1B\r",
                                           "\x1B\x01",       "\x1B\xFF",  "\x1B\x9B"};
    struct key key;

    (void)state;
    assert_int_equal(first_key("\x1B", 1, &key), 0);
    assert_int_equal(first_key("\x1B\x1B", 2, &key), 0);
    for (size_t i = 0; i < sizeof followed / sizeof followed[0]; i++) {
        assert_int_equal(first_key(followed[i], strlen(followed[i]), &key), 1);
        assert_int_equal(key.kind, KEY_OTHER);
    }
}

/* A control character in a sequence ends it and keeps its meaning; so do bytes that are no ASCII.
 */
static void sequences_that_are_none(void **state)
{
    static const char *const broken[] = {"\x1B[1\r",         "\x1B[\x1B[A",  "\x1BO\x03",
                                         "\x1B[1;5\xC3\xA9", "\x1B[[\n",     "\x1B[7\x7F",
                                         "\x1B[?1$\n",       "\x1B\x1B[1\r", "\x1B\x1BO\n"};
    struct key key;

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        size_t escapes = strspn(broken[i], "\x1B");
        size_t length = escapes + strcspn(broken[i] + escapes, "\r\x1B\x03\xC3\n\x7F");

        assert_int_equal(first_key(broken[i], strlen(broken[i]), &key), length);
        assert_int_equal(key.kind, KEY_OTHER);
    }
}

static void sequences_without_an_end_are_given_up(void **state)
{
    static const char *const beginnings[] = {"\x1B[", "\x1BO", "\x1B[[", "\x1B[?", "\x1B\x1B["};

    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        char bytes[2 * KEY_DECODER_MAX];
        struct key key;
        size_t length = strlen(beginnings[i]);

        memset(bytes, '1', sizeof bytes);
        memcpy(bytes, beginnings[i], length);
        while (first_key(bytes, length, &key) == 0)
            assert_int_in_range(++length, 0, KEY_DECODER_MAX);
        assert_int_equal(key.kind, KEY_OTHER);
    }
}

/* Any control sequence (ECMA-48, 5.4) is one key and leaves no text, wherever it is cut. */
static void every_sequence_is_taken_whole(void **state)
{
    (void)state;
    random_begin(17);
    for (int i = 0; i < 100000; i++) {
        char bytes[40] = "\x1B\x1B[";
        size_t length = 3;
        struct key key;

        for (size_t parameters = random_below(12); parameters > 0; parameters--)
            bytes[length++] = (char)(0x30 + random_below(16));
        for (size_t between = random_below(3); between > 0; between--)
            bytes[length++] = (char)(0x20 + random_below(16));
        bytes[length++] = (char)(0x40 + random_below(0x3F));
        /* These end before, by rxvt's and the Linux console's own rules. */
        size_t digits = strspn(bytes + 3, "0123456789");

        if (bytes[3] == '[' || (digits > 0 && bytes[3 + digits] == '$'))
            continue;
        bytes[length] = 'x';
        for (size_t escape = 0; escape < 2; escape++) {
            for (size_t cut = escape + 1; cut < length; cut++)
                assert_int_equal(first_key(bytes + escape, cut - escape, &key), 0);
            assert_int_equal(first_key(bytes + escape, length + 1 - escape, &key), length - escape);
            assert_int_not_equal(key.kind, KEY_TEXT);
        }
    }
}

/* The keys of `length` bytes that come in pieces of `piece` bytes; returns how many. */
static size_t decode(const char *bytes, size_t length, size_t piece, struct key *keys)
{
    struct key_decoder decoder = {0};
    size_t count = 0;
    size_t start = 0;

    for (size_t end = 0; end < length;) {
        size_t taken;

        end = piece < length - end ? end + piece : length;
        while (end > start &&
               (taken = key_decoder_next(&decoder, bytes + start, end - start, &keys[count])) > 0) {
            start += taken;
            count++;
        }
    }
    return count;
}

/* Whatever the pieces: the text of the keys; | stands for Enter, { and } for a paste, nothing for
 * other keys. */
static void assert_decoded(const char *bytes, size_t length, const char *text, size_t text_length)
{
    for (size_t piece = 1; piece <= length; piece++) {
        struct key keys[200];
        char all[400];
        size_t filled = 0;
        size_t count = decode(bytes, length, piece, keys);

        for (size_t i = 0; i < count; i++) {
            switch (keys[i].kind) {
            case KEY_TEXT:
                memcpy(all + filled, keys[i].text, keys[i].length);
                filled += keys[i].length;
                break;
            case KEY_ENTER:
                all[filled++] = '|';
                break;
            case KEY_PASTE_BEGIN:
                all[filled++] = '{';
                break;
            case KEY_PASTE_END:
                all[filled++] = '}';
                break;
            default:
                break;
            }
        }
        assert_int_equal(filled, text_length);
        assert_memory_equal(all, text, filled);
    }
}

#define ASSERT_DECODED(bytes, text) assert_decoded(bytes, sizeof(bytes) - 1, text, sizeof(text) - 1)

static void a_line_feed_after_a_return_is_no_second_enter(void **state)
{
    (void)state;
    ASSERT_DECODED("a\r\nb\n\n\r\r\r\nc\r\x01\n", "a|b|||||c||");
}

static void after_control_v_a_key_is_text(void **state)
{
    (void)state;
    ASSERT_DECODED("\x16\x1B[A\x16\x01\x16\x7F\x16\r\r", "\x1B[A\x01\x7F\r|");
    ASSERT_DECODED("\x16x03\x16x00\x16xFfz\x16\0.", "\x03\0\xFFz\0.");
    ASSERT_DECODED("\x16xg\x16x1g\x16\x16.", "xgx1g\x16.");
}

static void a_paste_is_text_until_its_end(void **state)
{
    (void)state;
    ASSERT_DECODED("\x1B[200~a\r\n\x03\x16\x04\x1B[A\x1B]0;\a\x1B[201\x1B[201~\r",
                   "{a\r\n\x03\x16\x04\x1B[A\x1B]0;\a\x1B[201}|");
    ASSERT_DECODED("\x1B\x1B[200~\r\x1B[201~\r", "{\r}|");
}

static void what_is_no_utf8_is_text(void **state)
{
    (void)state;
    ASSERT_DECODED("caf\xE9 \xE2\x82\r\xFF.", "caf\xE9 \xE2\x82|\xFF.");
}

static void replies_of_the_terminal_are_no_text(void **state)
{
    char longer[180];

    (void)state;
    ASSERT_DECODED("\x1B]11;rgb:0000/0000/0000\aa", "a");
    ASSERT_DECODED("\x1B]11;rgb:\xC3\xA9/0000\x1B\\a", "a");
    ASSERT_DECODED("\x1BP>|XTerm(370)\x1B\\a\x1B_G\x1B\\b\x1B^p\x1B\\c\x1BXs\x1B\\d", "abcd");
    /* What never ends is ended by Enter, which is none then, and by the next sequence. */
    ASSERT_DECODED("\x1B]lost\r\na\r", "a|");
    ASSERT_DECODED("\x1B]lost\x1B[Aa\r", "a|");
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "\x1B]", 2);
    memcpy(longer + sizeof longer - 2, "\aa", 2);
    assert_decoded(longer, sizeof longer, "a", 1);
}

/* Keys, broken sequences and text in any order are the same keys however they come. */
static void pieces_change_nothing(void **state)
{
    static const char *const parts[] = {
        "\x1B[A",       "\x1BOc",   "\x1B[7$",   "\x1B\x1B[C", "\x1B[1;5D", "\x1B[2~", "\x1B[[A",
        "\x1B",         "\x1B[",    "\x1B\x1BO", "\x1B[?",     "a",         "7",       "\r",
        "\xE6\xBC\xA2", "\xF0\x9F", "$",         ";5C",        "\x1BO5",    "\xFF",    "\033b",
    };

    (void)state;
    random_begin(19);
    for (int i = 0; i < 10000; i++) {
        char bytes[200];
        size_t length = 0;
        struct key whole[200];
        struct key cut[200];

        while (length < sizeof bytes - 8) {
            const char *part = parts[random_below(sizeof parts / sizeof parts[0])];

            memcpy(bytes + length, part, strlen(part));
            length += strlen(part);
        }
        bytes[length++] = '.'; /* ends what waits, and a line feed might be no Enter */
        bytes[length++] = '\r';
        size_t count = decode(bytes, length, length, whole);

        assert_int_equal(whole[count - 1].kind, KEY_ENTER);
        for (size_t piece = 1; piece < 8; piece++) {
            assert_int_equal(decode(bytes, length, piece, cut), count);
            for (size_t k = 0; k < count; k++) {
                assert_int_equal(cut[k].kind, whole[k].kind);
                if (whole[k].kind == KEY_TEXT)
                    assert_memory_equal(cut[k].text, whole[k].text, whole[k].length);
            }
        }
    }
}

static size_t encode(uint32_t code, char bytes[4])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    bytes[0] = (char)(marks[length] | code);
    return length;
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t code = 0x20; code <= 0x10FFFF; code++) {
        char bytes[4];
        size_t length = encode(code, bytes);
        struct key key;

        if (code == 0x7F || (code >= 0xD800 && code <= 0xDFFF))
            continue;
        for (size_t cut = 1; cut < length; cut++)
            assert_int_equal(first_key(bytes, cut, &key), 0);
        assert_int_equal(first_key(bytes, length, &key), length);
        assert_int_equal(key.kind, KEY_TEXT);
        assert_int_equal(key.length, length);
        assert_memory_equal(key.text, bytes, length);
    }
}

static void bytes_that_are_no_characters(void **state)
{
    static const char *const bytes[] = {
        "\x80",
        "\x9B[A",
        "\xBF",
        "\xC0\xAF",
        "\xC1\xBF",
        "\xC3"
        "A",
        "\xC3\xC3\xA9",
        "\xE0\x80\xAF",
        "\xED\xA0\x80",
        "\xE2\x82"
        "A",
        "\xE2"
        "A",
        "\xF0\x80\x80\xAF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF0\x9F\x98"
        "A",
        "\xFE",
        "\xFF",
        "\xC2\x1B[A",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        struct key key;

        assert_int_equal(first_key(bytes[i], strlen(bytes[i]), &key), 1);
        assert_int_equal(key.kind, KEY_TEXT);
        assert_int_equal(key.length, 1);
        assert_memory_equal(key.text, bytes[i], 1);
    }
}

/* Whatever comes, and in whatever pieces: it goes on, and what is text is text. */
static void random_bytes(void **state)
{
    static const char often[] = "\x1B\x1B\x1B[[O;15~ABCDH\xC3\xE2\xF0\x9F\x82\xA9\r";
    enum { LENGTH = 200000 };
    char *bytes = malloc(LENGTH);
    size_t start = 0;
    size_t texts = 0;

    (void)state;
    assert_non_null(bytes);
    random_begin(11);
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] =
            random_below(3) > 0 ? often[random_below(sizeof often - 1)] : (char)random_below(256);
    while (start < LENGTH) {
        size_t length = 0;
        size_t taken = 0;
        struct key key;

        while (taken == 0 && start + length < LENGTH) {
            length++;
            assert_int_in_range(length, 1, KEY_DECODER_MAX);
            taken = first_key(bytes + start, length, &key);
        }
        if (taken == 0)
            break;
        assert_int_in_range(taken, 1, length);
        if (key.kind == KEY_TEXT) {
            texts++;
            assert_int_equal(key.length, taken);
            assert_memory_equal(key.text, bytes + start, taken);
        }
        start += taken;
    }
    assert_int_in_range(texts, LENGTH / 20, LENGTH);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_keys),
        cmocka_unit_test(the_keys_of_terminals),
        cmocka_unit_test(escape_before_another_key),
        cmocka_unit_test(sequences_that_are_none),
        cmocka_unit_test(sequences_without_an_end_are_given_up),
        cmocka_unit_test(every_sequence_is_taken_whole),
        cmocka_unit_test(pieces_change_nothing),
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(a_line_feed_after_a_return_is_no_second_enter),
        cmocka_unit_test(after_control_v_a_key_is_text),
        cmocka_unit_test(a_paste_is_text_until_its_end),
        cmocka_unit_test(what_is_no_utf8_is_text),
        cmocka_unit_test(replies_of_the_terminal_are_no_text),
        cmocka_unit_test(bytes_that_are_no_characters),
        cmocka_unit_test(random_bytes),
    };

    return cmocka_run_group_tests_name("key_decoder", tests, NULL, NULL);
}
