/* Unit tests of client/display. */
#include "display.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "text.h"

/* What is escaped is written between braces in the expectations below. */
static char *shown(const struct buffer *out)
{
    size_t length = buffer_length(out);
    char *text = malloc(length + 1);

    assert_non_null(text);
    if (length > 0)
        memcpy(text, buffer_bytes(out), length);
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(text[i] == DISPLAY_DIM ? '{' : text[i] == DISPLAY_NORMAL ? '}' : text[i]);
    return text;
}

/* What bytes are shown as that come in pieces which end at the two cuts. */
static char *show_cut(const char *bytes, size_t length, size_t cut, size_t second_cut)
{
    struct display display = {0};
    struct buffer out = {NULL};
    const size_t ends[] = {cut, second_cut, length};
    size_t start = 0;
    char *text;

    for (size_t i = 0; i < 3; i++) {
        if (ends[i] == start)
            continue;
        char *exact = malloc(ends[i] - start); /* so that a sanitizer sees what is read beyond it */

        assert_non_null(exact);
        memcpy(exact, bytes + start, ends[i] - start);
        assert_true(display_received(&display, &out, "", exact, ends[i] - start));
        free(exact);
        start = ends[i];
    }
    assert_true(display_end(&display, &out, ""));
    text = shown(&out);
    buffer_clear(&out);
    return text;
}

static void check(const char *bytes, const char *expected)
{
    char *text = show_cut(bytes, strlen(bytes), 0, 0);

    assert_string_equal(text, expected);
    free(text);
}

static void a_line_for_each_line(void **state)
{
    (void)state;
    check("one\n", "< one\n");
    check("one\r\n", "< one\n");
    check("one", "< one\n");
    check("one\ntwo\r\n\n\r\nthree", "< one\n< two\n< \n< \n< three\n");
    check("\n", "< \n");
    check("a\rb\n\r\r\n", "< a{\\r}b\n< {\\r}\n");
    check("a\r", "< a{\\r}\n");
    check("caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80\n",
          "< caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80\n");
}

static void what_drives_a_terminal_is_escaped_between_the_marks(void **state)
{
    (void)state;
    check("\x1B[2Ja\a\n", "< {\\x1b}[2Ja{\\x07}\n");
    check("\x1B\x1B\n\x1B\n", "< {\\x1b\\x1b}\n< {\\x1b}\n");
    check("a\tb\\c\x7F", "< a{\\t}b{\\\\}c{\\x7f}\n");
    check("\xC2\x9B"
          "1m",
          "< {\\xc2\\x9b}1m\n");
    check("\x9B"
          "1m \xFF",
          "< {\\x9b}1m {\\xff}\n");
    check("\xE2\x80\xAE", "< {\\xe2\\x80\\xae}\n");
    check("\x0E\x0F", "< {\\x0e\\x0f}\n");
    check("\xF0\x9F\x98\nx", "< {\\xf0\\x9f\\x98}\n< x\n");
}

static void a_character_that_is_cut_waits_for_its_rest(void **state)
{
    struct display display = {0};
    struct buffer out = {NULL};
    char *text;

    (void)state;
    assert_true(display_received(&display, &out, "1 ", "a\xF0\x9F", 3));
    assert_true(display_received(&display, &out, "2 ", "\x98", 1));
    assert_true(display_received(&display, &out, "3 ",
                                 "\x80"
                                 "b\xE6\xBC",
                                 4));
    assert_true(display_received(&display, &out, "4 ", "\xE6", 1));
    assert_true(display_end(&display, &out, "5 "));
    assert_true(display_end(&display, &out, "6 "));
    text = shown(&out);
    assert_string_equal(text, "1 < a\n3 < \xF0\x9F\x98\x80"
                              "b\n4 < {\\xe6\\xbc}\n5 < {\\xe6}\n");
    free(text);
    buffer_clear(&out);
}

/* Where a character is cut, the piece before it ends before it. */
static size_t character_start(const char *bytes, size_t cut)
{
    while (cut > 0 && ((unsigned char)bytes[cut] & 0xC0) == 0x80)
        cut--;
    return cut;
}

static void cuts_change_nothing_but_lines(void **state)
{
    static const char bytes[] = "one\r\n\xC3\xA9\x1B[1m \xE6\xBC\xA2\xE5\xAD\x97\n\n"
                                "\xF0\x9F\x98\x80\xF0\x9F\x91\xA9 \xC2\x9B\\\t\xC3\xA9";
    enum { LENGTH = sizeof bytes - 1 };

    (void)state;
    for (size_t cut = 0; cut <= LENGTH; cut++) {
        for (size_t second = cut; second <= LENGTH; second++) {
            char *text = show_cut(bytes, LENGTH, cut, second);
            char expected[400] = "";
            size_t start = 0;
            const size_t ends[] = {character_start(bytes, cut), character_start(bytes, second),
                                   LENGTH};

            for (size_t i = 0; i < 3; i++) {
                char *piece = show_cut(bytes + start, ends[i] - start, 0, 0);

                strcat(expected, piece);
                free(piece);
                start = ends[i];
            }
            assert_string_equal(text, expected);
            free(text);
        }
    }
}

static uint32_t random_state;

/* 0 to `limit` - 1, by Marsaglia's xorshift32: the same numbers in each run. */
static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % limit;
}

/* Reads one byte back that was escaped; returns what follows. */
static const char *unescape(const char *text, char *byte)
{
    static const char names[] = "\\trn";

    assert_int_equal(*text, '\\');
    if (text[1] == 'x') {
        char digits[3] = {text[2], text[3], '\0'};

        *byte = (char)strtol(digits, NULL, 16);
        return text + 4;
    }
    assert_non_null(strchr(names, text[1]));
    *byte = "\\\t\r\n"[strchr(names, text[1]) - names];
    return text + 2;
}

/* Checks that lines are safe to print, and reads the bytes back that they show, without any line
 * endings. */
static size_t read_back(const struct buffer *out, char *bytes)
{
    const char *text = buffer_bytes(out);
    const char *end = text + buffer_length(out);
    size_t count = 0;

    while (text < end) {
        bool dim = false;

        assert_memory_equal(text, "< ", 2);
        text += 2;
        while (*text != '\n') {
            assert_true(text < end);
            if (*text == (dim ? DISPLAY_NORMAL : DISPLAY_DIM)) {
                text++;
                assert_int_not_equal(*text,
                                     dim ? DISPLAY_DIM : DISPLAY_NORMAL); /* none for nothing */
                dim = !dim;
            } else if (dim) {
                text = unescape(text, &bytes[count++]);
            } else {
                size_t length = text_utf8_length(text, (size_t)(end - text));
                unsigned char first = (unsigned char)*text;

                assert_int_not_equal(length, 0);
                assert_true(first >= 0x20 && first != 0x7F);
                assert_false(first == 0xC2 && (unsigned char)text[1] < 0xA0);
                memcpy(bytes + count, text, length);
                count += length;
                text += length;
            }
        }
        assert_false(dim);
        text++;
    }
    return count;
}

/* Carriage returns before line feeds are left out of these, since a cut there shows. */
static void random_bytes_can_be_read_back(void **state)
{
    static const char often[] = "ab\n\xC2\xC3\xE2\xED\xF0\xF4\x80\x9F\x98\x82\xA9\x1B\x0E\x0F\\";

    (void)state;
    random_state = 9;
    for (int i = 0; i < 5000; i++) {
        enum { LENGTH = 100 };
        char bytes[LENGTH], back[LENGTH];
        size_t count = 0;
        struct display display = {0};
        struct buffer out = {NULL};

        for (size_t k = 0; k < LENGTH; k++) {
            bytes[k] = random_below(2) > 0 ? often[random_below(sizeof often - 1)]
                                           : (char)random_below(256);
            if (bytes[k] == '\n' && k > 0 && bytes[k - 1] == '\r')
                bytes[k] = '\r';
        }
        for (size_t start = 0, piece; start < LENGTH; start += piece) {
            piece = 1 + random_below(random_below(2) > 0 ? 4 : LENGTH);
            piece = piece < LENGTH - start ? piece : LENGTH - start;
            assert_true(display_received(&display, &out, "", bytes + start, piece));
            /* No more waits than may be the beginning of a character. */
            assert_in_range(display.held_length, 0, 3);
        }
        assert_true(display_end(&display, &out, ""));
        for (size_t k = 0; k < LENGTH; k++) {
            if (bytes[k] != '\n')
                bytes[count++] = bytes[k];
        }
        assert_int_equal(read_back(&out, back), count);
        assert_memory_equal(back, bytes, count);
        buffer_clear(&out);
    }
}

static void a_dump_in_rows(void **state)
{
    struct display display = {.hex = true};
    struct buffer out = {NULL};
    char bytes[33];
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 8);
    assert_true(display_received(&display, &out, "", bytes, sizeof bytes));
    assert_true(display_received(&display, &out, "now ", "hello \x7E\x7F\n", 9));
    assert_true(display_end(&display, &out, ""));
    display.offset = 0xFEDCBA9876543210;
    assert_true(display_received(&display, &out, "", "0123456789abcdef", 16));
    text = shown(&out);
    assert_string_equal(
        text, "< 00000000  00 08 10 18 20 28 30 38  40 48 50 58 60 68 70 78  |.... (08@HPX`hpx|\n"
              "< 00000010  80 88 90 98 a0 a8 b0 b8  c0 c8 d0 d8 e0 e8 f0 f8  |................|\n"
              "< 00000020  00                                                |.|\n"
              "now < 00000021  68 65 6c 6c 6f 20 7e 7f  0a                       |hello ~..|\n"
              "< fedcba9876543210  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  "
              "|0123456789abcdef|\n");
    free(text);
    buffer_clear(&out);
}

static void the_stamp_stands_before_each_line(void **state)
{
    struct display display = {0};
    struct buffer out = {NULL};
    char *text;

    (void)state;
    assert_true(display_received(&display, &out, "12:00:00.123 ", "a\n\nb", 4));
    assert_true(display_received(&display, &out, "12:00:01.000 ", "c", 1));
    text = shown(&out);
    assert_string_equal(text,
                        "12:00:00.123 < a\n12:00:00.123 < \n12:00:00.123 < b\n12:00:01.000 < c\n");
    free(text);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_each_line),
        cmocka_unit_test(what_drives_a_terminal_is_escaped_between_the_marks),
        cmocka_unit_test(a_character_that_is_cut_waits_for_its_rest),
        cmocka_unit_test(cuts_change_nothing_but_lines),
        cmocka_unit_test(random_bytes_can_be_read_back),
        cmocka_unit_test(a_dump_in_rows),
        cmocka_unit_test(the_stamp_stands_before_each_line),
    };

    return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
