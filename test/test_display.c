/* Unit tests of client/display. */
#include "session/display.h"

#include <stdlib.h>
#include <string.h>

#include "editor/markup.h"
#include "random_numbers.h"
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
        text[i] = (char)(text[i] == MARKUP_DIM ? '{' : text[i] == MARKUP_NORMAL ? '}' : text[i]);
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
    check("a\xE2\x80\x8Bz", "< a{\\xe2\\x80\\x8b}z\n");
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

/* Shows pieces, each with its number before it, and then the end. */
static void check_pieces(const char *const pieces[], const char *expected)
{
    struct display display = {0};
    struct buffer out = {NULL};
    char stamp[] = "0";
    char *text;

    for (; *pieces != NULL; pieces++) {
        stamp[0]++;
        assert_true(display_received(&display, &out, stamp, *pieces, strlen(*pieces)));
    }
    assert_true(display_end(&display, &out, "end"));
    text = shown(&out);
    assert_string_equal(text, expected);
    free(text);
    buffer_clear(&out);
}

#define CHECK_PIECES(expected, ...) check_pieces((const char *const[]){__VA_ARGS__, NULL}, expected)

static void an_ending_that_comes_later_shows_nothing(void **state)
{
    (void)state;
    CHECK_PIECES("1< one\n", "one\r", "\n");
    CHECK_PIECES("1< one\n", "one", "\n");
    CHECK_PIECES("1< one\n", "one", "\r\n");
    CHECK_PIECES("1< one\n", "one", "\r", "\n");
    CHECK_PIECES("1< one\n2< two\n", "one\r", "\ntwo");
    CHECK_PIECES("1< one\n2< \n2< two\n", "one", "\n\ntwo\n");
    CHECK_PIECES("1< one\n3< \n", "one", "\n", "\n"); /* only one ending belongs to a line */
    CHECK_PIECES("1< one\n2< \n", "one\n", "\n");
    CHECK_PIECES("1< one\n3< \n", "one\r\n", "\r", "\n");
    CHECK_PIECES("1< one\n2< \xC3\xA9\n", "one\xC3", "\xA9\r", "\n");
    CHECK_PIECES("1< one\n3< \xC3\xA9\n", "one", "\xC3", "\xA9", "\n");
    CHECK_PIECES("2< \n", "\r", "\n");
}

static void a_carriage_return_that_ends_no_line_is_shown(void **state)
{
    (void)state;
    CHECK_PIECES("1< one\n2< {\\r}two\n", "one\r", "two\n");
    CHECK_PIECES("1< one\n2< {\\r}two\n", "one", "\rtwo\n");
    CHECK_PIECES("1< one\nend< {\\r}\n", "one\r");
    CHECK_PIECES("1< one{\\r}\n", "one\r\r", "\n");
    CHECK_PIECES("1< one\n2< {\\r}\n", "one\r", "\r\n");
    CHECK_PIECES("end< {\\r}\n", "\r");
}

/* The cut that shows the same, as the header has it. */
static size_t same_cut(const char *bytes, size_t cut)
{
    const char *place = bytes + cut;

    while (place > bytes && ((unsigned char)*place & 0xC0) == 0x80)
        place--;
    if (place > bytes && place[-1] == '\r')
        place--;
    if (*place == '\n' || strncmp(place, "\r\n", 2) == 0)
        place = strchr(place, '\n') + 1;
    return (size_t)(place - bytes);
}

/* What pieces show that begin and end at these places, each by itself; none but the last ends in a
 * carriage return. */
static void show_apart(const char *bytes, const size_t places[4], char *expected)
{
    *expected = '\0';
    for (size_t i = 0; i < 3; i++) {
        char *piece = show_cut(bytes + places[i], places[i + 1] - places[i], 0, 0);

        strcat(expected, piece);
        free(piece);
    }
}

static void cuts_change_nothing_but_lines(void **state)
{
    static const char bytes[] = "one\r\n\xC3\xA9\x1B[1m \xE6\xBC\xA2\xE5\xAD\x97\n\n"
                                "\xF0\x9F\x98\x80\xF0\x9F\x91\xA9\n\r\n \xC2\x9B\\\t\r\r\n"
                                "a\rb\r\r\n\n\r\xC3\xA9";
    enum { LENGTH = sizeof bytes - 1 };

    (void)state;
    for (size_t cut = 0; cut <= LENGTH; cut++) {
        for (size_t second = cut; second <= LENGTH; second++) {
            char *text = show_cut(bytes, LENGTH, cut, second);
            char expected[400];

            show_apart(bytes, (size_t[]){0, same_cut(bytes, cut), same_cut(bytes, second), LENGTH},
                       expected);
            assert_string_equal(text, expected);
            free(text);
        }
    }
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

/* Checks that the line at `text` is safe to print, and reads the bytes back that it shows; returns
 * what follows. */
static const char *read_line_back(const char *text, const char *end, char *bytes, size_t *length)
{
    bool dim = false;

    *length = 0;
    assert_memory_equal(text, "< ", 2);
    text += 2;
    while (*text != '\n') {
        assert_true(text < end);
        if (*text == (dim ? MARKUP_NORMAL : MARKUP_DIM)) {
            text++;
            assert_int_not_equal(*text, dim ? MARKUP_DIM : MARKUP_NORMAL); /* none for nothing */
            dim = !dim;
        } else if (dim) {
            text = unescape(text, &bytes[(*length)++]);
        } else {
            size_t character = text_utf8_length(text, (size_t)(end - text));
            unsigned char first = (unsigned char)*text;

            assert_int_not_equal(character, 0);
            assert_true(first >= 0x20 && first != 0x7F);
            assert_false(first == 0xC2 && (unsigned char)text[1] < 0xA0);
            memcpy(bytes + *length, text, character);
            *length += character;
            text += character;
        }
    }
    assert_false(dim);
    return text + 1;
}

/*
 * What was shown, joined, is each line of `bytes` without its ending. A line is joined from one
 * text or more, of which none is empty, but for an empty line, which is one.
 */
static void check_lines(const char *bytes, size_t length, const struct buffer *out)
{
    const char *text = buffer_bytes(out);
    const char *text_end = text + buffer_length(out);

    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t taken = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        size_t line = newline == NULL ? taken : taken - 1 - (taken > 1 && newline[-1] == '\r');
        size_t joined = 0;

        do {
            char back[200];
            size_t back_length;

            assert_true(text < text_end);
            text = read_line_back(text, text_end, back, &back_length);
            assert_int_in_range(back_length, line > 0, line - joined);
            assert_memory_equal(back, bytes + joined, back_length);
            joined += back_length;
        } while (joined < line);
        bytes += taken;
        length -= taken;
    }
    assert_true(text == text_end);
}

static void random_bytes_in_random_pieces_are_their_lines(void **state)
{
    static const char often[] =
        "ab\n\n\r\r\xC2\xC3\xE2\xED\xF0\xF4\x80\x9F\x98\x82\xA9\x1B\x0E\x0F\\";

    (void)state;
    random_begin(9);
    for (int i = 0; i < 10000; i++) {
        enum { LENGTH = 100 };
        char bytes[LENGTH];
        size_t longest = random_below(2) > 0 ? 4 : LENGTH;
        struct display display = {0};
        struct buffer out = {NULL};

        for (size_t k = 0; k < LENGTH; k++)
            bytes[k] = random_below(4) > 0 ? often[random_below(sizeof often - 1)]
                                           : (char)random_below(256);
        for (size_t start = 0, piece; start < LENGTH; start += piece) {
            piece = 1 + random_below(longest);
            piece = piece < LENGTH - start ? piece : LENGTH - start;
            assert_true(display_received(&display, &out, "", bytes + start, piece));
            /* No more waits than a carriage return and the beginning of a character. */
            assert_int_in_range(display.held_length, 0, 4);
        }
        assert_true(display_end(&display, &out, ""));
        check_lines(bytes, LENGTH, &out);
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
        cmocka_unit_test(an_ending_that_comes_later_shows_nothing),
        cmocka_unit_test(a_carriage_return_that_ends_no_line_is_shown),
        cmocka_unit_test(cuts_change_nothing_but_lines),
        cmocka_unit_test(random_bytes_in_random_pieces_are_their_lines),
        cmocka_unit_test(a_dump_in_rows),
        cmocka_unit_test(the_stamp_stands_before_each_line),
    };

    return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
