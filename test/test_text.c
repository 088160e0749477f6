/* Unit tests of common/text. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "test.h"

static const uint64_t UNTOUCHED = 77;

struct escape_case {
    const char *bytes;
    const char *text;
};

static void check_escape(const void *bytes, size_t length, const char *expected)
{
    char out[256];
    size_t written;

    assert_int_equal(text_escape(bytes, length, out, sizeof out, &written), length);
    assert_string_equal(out, expected);
    assert_int_equal(written, strlen(expected));
}

static void check_escapes(const struct escape_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_escape(cases[i].bytes, strlen(cases[i].bytes), cases[i].text);
}

#define CHECK_ESCAPES(cases) check_escapes(cases, sizeof(cases) / sizeof(cases)[0])

static void every_single_byte(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        char expected[8];

        if (i == '\\' || i == '\t' || i == '\r' || i == '\n')
            snprintf(expected, sizeof expected, "\\%c",
                     "\\trn"[strchr("\\\t\r\n", i) - "\\\t\r\n"]);
        else if (i >= 0x20 && i < 0x7F)
            snprintf(expected, sizeof expected, "%c", i);
        else
            snprintf(expected, sizeof expected, "\\x%02x", (unsigned)i);
        check_escape(&byte, 1, expected);
    }
}

static void harmless_text_stays(void **state)
{
    /* Two to four bytes, and the neighbours of all that is escaped. */
    static const char *const texts[] = {
        "",
        "Hello, \"world\" 'n' all: ~",
        "\xC3\xA9",                               /* U+00E9 */
        "\xE6\xBC\xA2\xE5\xAD\x97",               /* two Chinese characters */
        "\xF0\x9F\x98\x80",                       /* U+1F600 */
        "\xC2\xA1 \xDF\xBF \xE0\xA0\x80",         /* U+00A1, U+07FF, U+0800 */
        "\xED\x9F\xBF \xEE\x80\x80",              /* U+D7FF, U+E000: around the surrogates */
        "\xEF\xBF\xBD \xEF\xBF\xBF",              /* U+FFFD, U+FFFF */
        "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF",      /* U+10000, U+10FFFF */
        "\xE2\x80\x90 \xE2\x80\xA7 \xE2\x80\xB0", /* U+2010, U+2027, U+2030 */
        "\xE1\x99\xBF \xE1\x9A\x81 \xE1\xBF\xBF", /* U+167F, U+1681, U+1FFF */
        "\xE2\x81\x9E \xE2\xBF\xBF \xE3\x80\x81", /* U+205E, U+2FFF, U+3001 */
        "\xE2\x82\x8E \xCD\x8E \xEF\xB8\x90",     /* U+208E, U+034E, U+FE10 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_escape(texts[i], strlen(texts[i]), texts[i]);
}

static void terminal_controls_are_escaped(void **state)
{
    static const struct escape_case cases[] = {
        {"\x1B[2J\x1B]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"},
        {"a\r\n2017-01-01 00:00:00,forged", "a\\r\\n2017-01-01 00:00:00,forged"},
        {"a\tb\\n", "a\\tb\\\\n"},
        {"\xC2\x80 \xC2\x9B \xC2\x9F", "\\xc2\\x80 \\xc2\\x9b \\xc2\\x9f"}, /* C1 */
        {"\xE2\x80\xA8\xE2\x80\xA9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},     /* separators */
        {"\xE2\x80\x8E\xE2\x80\x8F", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f"},     /* direction marks */
        {"\xE2\x80\xAA\xE2\x80\xAE", "\\xe2\\x80\\xaa\\xe2\\x80\\xae"}, /* direction overrides */
        {"\xE2\x81\xA6\xE2\x81\xA9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"}, /* direction isolates */
        /* what looks like a space: U+00A0, U+1680, U+2000, U+200A, U+202F, U+205F, U+3000 */
        {"\xC2\xA0", "\\xc2\\xa0"},
        {"\xE1\x9A\x80", "\\xe1\\x9a\\x80"},
        {"\xE2\x80\x80\xE2\x80\x8A", "\\xe2\\x80\\x80\\xe2\\x80\\x8a"},
        {"\xE2\x80\xAF", "\\xe2\\x80\\xaf"},
        {"\xE2\x81\x9F", "\\xe2\\x81\\x9f"},
        {"\xE3\x80\x80", "\\xe3\\x80\\x80"},
        /* what is invisible: soft hyphen, zero-width space and joiner, word joiner, filler, emoji
         * style, byte order mark, tag, a second variation selector */
        {"\xC2\xAD", "\\xc2\\xad"},
        {"\xCD\x8F", "\\xcd\\x8f"},
        {"\xE1\xA0\x8E", "\\xe1\\xa0\\x8e"},
        {"\xE2\x80\x8B\xE2\x80\x8D", "\\xe2\\x80\\x8b\\xe2\\x80\\x8d"},
        {"\xE2\x81\xA0", "\\xe2\\x81\\xa0"},
        {"\xE3\x85\xA4", "\\xe3\\x85\\xa4"},
        {"\xEF\xB8\x8F", "\\xef\\xb8\\x8f"},
        {"\xEF\xBB\xBF", "\\xef\\xbb\\xbf"},
        {"\xF3\xA0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
        {"\xF3\xA0\x84\x80", "\\xf3\\xa0\\x84\\x80"},
    };

    (void)state;
    CHECK_ESCAPES(cases);
    check_escape("a\0b", 3, "a\\x00b");
}

static void malformed_utf8_is_escaped(void **state)
{
    static const struct escape_case cases[] = {
        {"\x80 \xBF", "\\x80 \\xbf"}, /* nothing before them */
        {"\xC3", "\\xc3"},            /* cut short */
        {"\xE6\xBC", "\\xe6\\xbc"},
        {"\xF0\x9F\x98", "\\xf0\\x9f\\x98"},
        {"\xE6\xBCz\xC3\xA9", "\\xe6\\xbcz\xC3\xA9"}, /* what follows is read again */
        {"\xE6\xC3\xA9", "\\xe6\xC3\xA9"},
        {"\xC0\x8A \xC1\xBF", "\\xc0\\x8a \\xc1\\xbf"}, /* a line feed written too long */
        {"\xE0\x80\x8A \xE0\x9F\xBF", "\\xe0\\x80\\x8a \\xe0\\x9f\\xbf"},
        {"\xF0\x80\x80\x8A \xF0\x8F\xBF\xBF", "\\xf0\\x80\\x80\\x8a \\xf0\\x8f\\xbf\\xbf"},
        {"\xED\xA0\x80 \xED\xBF\xBF", "\\xed\\xa0\\x80 \\xed\\xbf\\xbf"}, /* surrogates */
        {"\xF4\x90\x80\x80 \xF5\x80\x80\x80", "\\xf4\\x90\\x80\\x80 \\xf5\\x80\\x80\\x80"},
        {"\xFE\xFF", "\\xfe\\xff"},
    };

    (void)state;
    CHECK_ESCAPES(cases);
}

static unsigned hexadecimal(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = strchr(digits, digit);

    assert_true(digit != '\0' && found != NULL);
    return (unsigned)(found - digits);
}

/* Reads back what text_escape() wrote; returns the length. */
static size_t unescape(const char *text, char *out)
{
    static const char names[] = "\\trn";
    static const char named[] = "\\\t\r\n";
    size_t length = 0;

    while (*text != '\0') {
        if (*text != '\\') {
            out[length++] = *text++;
        } else if (text[1] == 'x') {
            out[length++] = (char)(hexadecimal(text[2]) << 4 | hexadecimal(text[3]));
            text += 4;
        } else {
            assert_true(text[1] != '\0' && strchr(names, text[1]) != NULL);
            out[length++] = named[strchr(names, text[1]) - names];
            text += 2;
        }
    }
    return length;
}

static void check_readable(const char *bytes, size_t length)
{
    char *text = malloc(length * TEXT_ESCAPE_MAX + 1);
    char *back = malloc(length * TEXT_ESCAPE_MAX + 1);
    size_t written;

    assert_true(text != NULL && back != NULL);
    assert_int_equal(text_escape(bytes, length, text, length * TEXT_ESCAPE_MAX + 1, &written),
                     length);
    assert_int_equal(written, strlen(text));
    for (size_t i = 0; i < written; i++)
        assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7F);
    for (size_t i = 0; i < written;) {
        size_t character = text_utf8_length(text + i, written - i);

        assert_int_not_equal(character, 0);
        i += character;
    }
    assert_int_equal(unescape(text, back), length);
    assert_memory_equal(back, bytes, length);
    free(text);
    free(back);
}

static void what_is_escaped_can_be_read_back(void **state)
{
    enum { LENGTH = 1 << 16 };
    char *bytes = support_random_bytes(LENGTH, 1);
    /* Random bytes hardly ever form long characters: these do. */
    static const char likely[] =
        "\xE2\x80\xA8\xE2\x81\xA6\xF0\x9F\x98\x80\xC2\x9B\xC3\xA9\xED\xA0\\x\n";

    (void)state;
    check_readable(bytes, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = likely[(unsigned char)bytes[i] % (sizeof likely - 1)];
    check_readable(bytes, LENGTH);
    free(bytes);
}

/* For every size: a prefix, cut between two characters, and no shorter than it has to be. */
static void text_is_cut_between_characters(void **state)
{
    static const char bytes[] = "ab\n\xC3\xA9\x01\xF0\x9F\x98\x80\xFF\\\xE2\x80\xA8z";
    char whole[128], out[128], part[128];
    size_t length = sizeof bytes - 1, full, written;

    (void)state;
    text_escape(bytes, length, whole, sizeof whole, &full);
    for (size_t size = 1; size <= full + 2; size++) {
        memset(out, '#', sizeof out);
        size_t taken = text_escape(bytes, length, out, size, &written);

        assert_true(written < size);
        assert_int_equal(out[written], '\0');
        assert_int_equal(out[size], '#');
        assert_memory_equal(out, whole, written);
        if (taken == length) {
            assert_int_equal(written, full);
            continue;
        }
        /* One character more, of at most 4 bytes, would not have fitted. */
        size_t more = text_utf8_length(bytes + taken, length - taken);
        size_t next = taken + (whole[written] == '\\' ? 1 : more);
        text_escape(bytes, next, part, sizeof part, NULL);
        assert_true(strlen(part) >= size);
        text_escape(bytes, taken, part, sizeof part, NULL);
        assert_string_equal(part, out);
    }
}

static void a_name_is_escaped_and_cut_for_a_message(void **state)
{
    char long_name[1000], shown[TEXT_NAME];

    (void)state;
    assert_string_equal(text_name("localhost", shown), "localhost");
    assert_string_equal(text_name("", shown), "");
    assert_string_equal(text_name("a\nb\x1B[31m", shown), "a\\nb\\x1b[31m");
    for (size_t length = 240; length < sizeof long_name; length++) {
        memset(long_name, 'x', length);
        long_name[length] = '\0';
        assert_ptr_equal(text_name(long_name, shown), shown);
        if (length <= TEXT_NAME - 4)
            assert_string_equal(shown, long_name);
        else
            assert_string_equal(shown + TEXT_NAME - 6, "xx...");
    }
}

static void numbers_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        " 1",
        "1 ",
        "+1",
        "-1",
        "-0",
        "0x10",
        "1e3",
        "1.0",
        "1,000",
        "12a",
        "a",
        "\n1",
        "1\n",
        "--",
        "\xD9\xA1", /* an Arabic digit */
        "18446744073709551616",
        "18446744073709551620",
        "99999999999999999999999999999999",
    };
    uint64_t value = 77;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(text_number(wrong[i], 0, UINT64_MAX, &value));
        assert_int_equal(value, 77);
    }
    assert_true(text_number("0", 0, UINT64_MAX, &value));
    assert_int_equal(value, 0);
    assert_true(text_number("9901", 0, UINT64_MAX, &value));
    assert_int_equal(value, 9901);
    assert_true(text_number("007", 0, 9, &value));
    assert_int_equal(value, 7);
    assert_true(text_number("18446744073709551615", 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void numbers_have_bounds(void **state)
{
    uint64_t value = 77;

    (void)state;
    assert_false(text_number("65536", 0, 65535, &value));
    assert_false(text_number("655350", 0, 65535, &value));
    assert_false(text_number("9", 10, 20, &value));
    assert_false(text_number("21", 10, 20, &value));
    assert_false(text_number("7", 0, 5, &value));
    assert_false(text_number("1", 0, 0, &value));
    assert_int_equal(value, 77);
    assert_true(text_number("65535", 0, 65535, &value));
    assert_int_equal(value, 65535);
    assert_true(text_number("10", 10, 20, &value));
    assert_int_equal(value, 10);
    assert_true(text_number("20", 10, 20, &value));
    assert_int_equal(value, 20);
    assert_true(text_number("0", 0, 0, &value));
    assert_int_equal(value, 0);
}

static void decimals_become_thousandths(void **state)
{
    static const struct {
        const char *text;
        uint64_t thousandths;
    } right[] = {
        {"0", 0},
        {"5", 5000},
        {"0.25", 250},
        {".25", 250},
        {".5", 500},
        {"0.001", 1},
        {"0.000", 0},
        {"1.5", 1500},
        {"1.05", 1050},
        {"1.005", 1005},
        {"12.345", 12345},
        {"010", 10000},
        {"18446744073709551.615", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        uint64_t value = UNTOUCHED;

        assert_true(text_thousandths(right[i].text, 0, UINT64_MAX, &value));
        assert_true(value == right[i].thousandths);
    }
}

static void decimals_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "",
        ".",
        "1.",
        "..5",
        "-.5",
        ".1234",
        "1.2345",
        "1.0000",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 .5",
        "1. 5",
        "1,5",
        "1e3",
        "1..5",
        "1.5.5",
        "1.-5",
        "inf",
        "nan",
        "0x1",
        "18446744073709551.616",
        "18446744073709552",
        "99999999999999999999999999999",
        "9999999999999999999999999999999999999999999999999999",
    };
    uint64_t value = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_thousandths(wrong[i], 0, UINT64_MAX, &value));
    assert_false(text_thousandths("2.001", 0, 2000, &value));
    assert_false(text_thousandths("3", 0, 2000, &value));
    assert_false(text_thousandths("1.499", 1500, 2000, &value));
    assert_true(value == UNTOUCHED);
    assert_true(text_thousandths("1.5", 1500, 2000, &value));
    assert_true(value == 1500);
    assert_true(text_thousandths("2", 0, 2000, &value));
    assert_true(value == 2000);
}

static void a_cut_character_is_told_from_what_is_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t cut;
    } cases[] = {
        {"", 0},
        {"a", 0},
        {"aé", 0},
        {"a\xC3", 1},
        {"\xE4", 1},
        {"\xE4\xB8", 2},
        {"中", 0},
        {"a\xF0\x9F\x98", 3},
        {"😀", 0},
        {"\xF0\x9F\x98\x80\x80", 0},
        {"\xC3z", 0},
        {"\x80\x80\x80\x80", 0},
        /* What begins no character: C0 and C1 would be too long, F5 and above too large. */
        {"\xC0", 0},
        {"\xC1", 0},
        {"\xF5", 0},
        {"\xFF\x80", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(text_utf8_cut(cases[i].bytes, strlen(cases[i].bytes)), cases[i].cut);
}

static void sizes_have_binary_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } right[] = {
        {"0", 0},
        {"65536", 65536},
        {"0K", 0},
        {"1K", 1024},
        {"010K", 10240},
        {"64K", 65536},
        {"16M", 16777216},
        {"3G", UINT64_C(3221225472)},
        {"18446744073709551615", UINT64_MAX},
        {"17179869183G", UINT64_C(18446744072635809792)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        uint64_t value = UNTOUCHED;

        assert_true(text_size(right[i].text, 0, UINT64_MAX, &value));
        assert_true(value == right[i].bytes);
    }
}

static void sizes_are_read_strictly(void **state)
{
    static const char *const wrong[] = {"",
                                        "K",
                                        "-1K",
                                        "1KK",
                                        "1KB",
                                        "1Ki",
                                        "1k",
                                        "1 K",
                                        " 1",
                                        "1.5",
                                        ".5K",
                                        "1T",
                                        "0x1K",
                                        "17179869184G",
                                        "18446744073709551616",
                                        "00000000000000000000000000000001"};
    uint64_t value = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_size(wrong[i], 0, UINT64_MAX, &value));
    assert_false(text_size("2K", 0, 2047, &value));
    assert_false(text_size("2K", 2049, 4096, &value));
    assert_false(text_size("2049", 0, 2048, &value));
    assert_true(value == UNTOUCHED);
    assert_true(text_size("2K", 2048, 2048, &value));
    assert_true(value == 2048);
}

static void what_is_counted_ends_in_s_unless_it_is_one(void **state)
{
    (void)state;
    assert_string_equal(text_plural(0), "s");
    assert_string_equal(text_plural(1), "");
    assert_string_equal(text_plural(2), "s");
    assert_string_equal(text_plural(UINT64_MAX), "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_byte),
        cmocka_unit_test(harmless_text_stays),
        cmocka_unit_test(terminal_controls_are_escaped),
        cmocka_unit_test(malformed_utf8_is_escaped),
        cmocka_unit_test(what_is_escaped_can_be_read_back),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(a_name_is_escaped_and_cut_for_a_message),
        cmocka_unit_test(a_cut_character_is_told_from_what_is_none),
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(decimals_become_thousandths),
        cmocka_unit_test(decimals_are_read_strictly),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(sizes_are_read_strictly),
        cmocka_unit_test(what_is_counted_ends_in_s_unless_it_is_one),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
