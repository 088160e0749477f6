/* Unit tests of client/character_width. */
#include "editor/character_width.h"

#include <stdbool.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"
#include "text.h"

static void widths_of_code_points(void **state)
{
    static const struct {
        uint32_t code;
        int columns;
    } cases[] = {
        {'a', 1},      {'~', 1},     {0xA0, 1},    {0xE9, 1},    {0x3B1, 1},   {0x416, 1},
        {0xAD, 1}, /* soft hyphen */
        {0x300, 0},    {0x301, 0},   {0x36F, 0},   {0x370, 1},   {0x5B0, 0},   {0x64B, 0},
        {0x94D, 0}, /* virama */
        {0xE31, 0}, /* Thai vowel above */
        {0x10FF, 1},   {0x1100, 2},  {0x115F, 2},  {0x1160, 0},  {0x11A8, 0},  {0x11FF, 0},
        {0x1200, 1},   {0x200B, 0},  {0x200D, 0},  {0x2010, 1},  {0x2060, 0},  {0x20E3, 0},
        {0xFEFF, 0},   {0x20AC, 1},  {0x2122, 1},  {0x231A, 2},  {0x2500, 1},  {0x2705, 2},
        {0x2764, 1},   {0x3000, 2},  {0x3042, 2},  {0x30A2, 2},  {0x302A, 0},  {0x3099, 0},
        {0x4E00, 2},   {0x9FFF, 2},  {0x6F22, 2},  {0xABFF, 1},  {0xAC00, 2},  {0xD7A3, 2},
        {0xFE0E, 0},   {0xFE0F, 0},  {0xFF01, 2},  {0xFF21, 2},  {0xFF61, 1},  {0xFF71, 1},
        {0xFFE5, 2},   {0xFFFD, 1},  {0x1F1E6, 1}, {0x1F1FF, 1}, {0x1F200, 2}, {0x1F3FB, 2},
        {0x1F600, 2},  {0x1F680, 2}, {0x1F9D1, 2}, {0x1D400, 1}, {0x20000, 2}, {0x2A6DF, 2},
        {0x3FFFD, 2},  {0x3FFFE, 1}, {0xE0001, 0}, {0xE007F, 0}, {0xE0100, 0}, {0xE01EF, 0},
        {0x10FFFF, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (character_width(cases[i].code) != cases[i].columns)
            fail_msg("U+%04X: %d columns", (unsigned)cases[i].code, character_width(cases[i].code));
    }
}

/* Where tables of widths differ. */
static void widths_of_ranges(void **state)
{
    static const struct {
        uint32_t first;
        uint32_t last;
        int columns;
    } cases[] = {
        {0x93E, 0x940, 1}, /* spacing marks, and others beside them */
        {0x941, 0x948, 0},     {0x949, 0x94C, 1},   {0x1D165, 0x1D166, 1},
        {0x302A, 0x302D, 0},                      /* wide ones */
        {0x302E, 0x302F, 2},   {0x5FF, 0x606, 1}, /* format controls that are drawn, and others that
                                                     are not */
        {0x610, 0x61A, 0},     {0x6D6, 0x6DC, 0},   {0x6DD, 0x6DE, 1},
        {0x70F, 0x70F, 1},     {0x890, 0x891, 1},   {0x8CA, 0x8E1, 0},
        {0x8E2, 0x8E2, 1},     {0x8E3, 0x902, 0},   {0x110BD, 0x110BD, 1},
        {0x110CD, 0x110CD, 1}, {0x2060, 0x2064, 0}, {0x1D173, 0x1D17A, 0},
        {0x1160, 0x11FF, 0}, /* vowels and final consonants of Hangul */
        {0xD7A4, 0xD7AF, 1},   {0xD7B0, 0xD7C6, 0}, {0xD7CB, 0xD7FB, 0},
        {0xD7FC, 0xD7FF, 1},   {0x3220, 0xA48C, 2}, /* numbers on black squares and hexagrams among
                                                       them */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t code = cases[i].first; code <= cases[i].last; code++) {
            if (character_width(code) != cases[i].columns)
                fail_msg("U+%04X: %d columns", (unsigned)code, character_width(code));
        }
    }
}

#define ACUTE "\xCC\x81"
#define HAN "\xE6\xBC\xA2"
#define JOINER "\xE2\x80\x8D"
#define EMOJI_STYLE "\xEF\xB8\x8F"
#define MAN "\xF0\x9F\x91\xA8"
#define WOMAN "\xF0\x9F\x91\xA9"
#define GIRL "\xF0\x9F\x91\xA7"
#define BOY "\xF0\x9F\x91\xA6"
#define TONE "\xF0\x9F\x8F\xBD"
#define FLAG_D "\xF0\x9F\x87\xA9"
#define FLAG_E "\xF0\x9F\x87\xAA"
#define FLAG_F "\xF0\x9F\x87\xAB"

/* Characters as people see them, each whole here, with the columns they take at most. */
static const struct {
    const char *bytes;
    size_t columns;
} characters[] = {
    {"a", 1},
    {"\t", 1},
    {"\xC3\xA9", 1},
    {"e" ACUTE, 1},
    {"e" ACUTE "\xCC\xA3", 1}, /* two marks */
    {HAN, 2},
    {HAN "\xF3\xA0\x84\x80", 2},     /* with an ideographic variation selector */
    {"\xE3\x81\x8B\xE3\x82\x99", 2}, /* ka and a voicing mark */
    {"\xED\x95\x9C", 2},             /* one syllable of Hangul, then the same in parts */
    {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2},
    {"\xF0\x9F\x98\x80", 2}, /* U+1F600 */
    {"\xE2\x9D\xA4", 1},     /* heart */
    {"\xE2\x9D\xA4" EMOJI_STYLE, 2},
    {"1" EMOJI_STYLE "\xE2\x83\xA3", 2}, /* a keycap */
    {"e" ACUTE EMOJI_STYLE, 2},
    {MAN EMOJI_STYLE, 2},
    {"\xE2\x9D\xA4" EMOJI_STYLE EMOJI_STYLE, 2},
    {WOMAN JOINER "\xE2\x9D\xA4" EMOJI_STYLE JOINER MAN, 6},
    {"\xE0\xA4\x95\xE0\xA4\xBF", 2},             /* ki of Devanagari: a spacing mark */
    {"\xE0\xA4\x95\xE0\xA4\xBE\xE0\xA4\x82", 2}, /* kam: and one above it */
    {"\xE0\xB8\x99\xE0\xB8\xB3", 2},             /* nam of Thai */
    {"\xEF\xBD\xB6\xEF\xBE\x9E", 2},             /* ga of halfwidth katakana */
    {"\xE1\x84\x92\xED\x9E\xB0\xED\x9F\x8B", 2}, /* Hangul with a vowel and a consonant of old */
    {"\xD8\x80", 1},                             /* the Arabic number sign */
    {"\xF0\x9F\x91\x8D" TONE, 4},
    {MAN JOINER WOMAN JOINER GIRL JOINER BOY, 8},
    {WOMAN TONE JOINER "\xF0\x9F\x9A\x80", 6}, /* astronaut */
    {FLAG_D FLAG_E, 2},
    {"\xF0\x9F\x8F\xB4\xF3\xA0\x81\xA7\xF3\xA0\x81\xA2\xF3\xA0\x81\xB3\xF3\xA0\x81\xA3\xF3\xA0\x81"
     "\xB4"
     "\xF3\xA0\x81\xBF",
     2}, /* the flag of Scotland */
    {"\xC2\xAD", 1},
};

static void where_characters_end(void **state)
{
    (void)state;
    /* Alone, before each other, and behind each other. */
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        size_t length = strlen(characters[i].bytes);
        char text[100];
        size_t columns = 99;

        assert_int_equal(character_length(characters[i].bytes, length, &columns), length);
        assert_int_equal(columns, characters[i].columns);
        for (size_t k = 0; k < sizeof characters / sizeof characters[0]; k++) {
            size_t whole = length + strlen(characters[k].bytes);

            memcpy(text, characters[i].bytes, length);
            memcpy(text + length, characters[k].bytes, whole - length);
            assert_int_equal(character_length(text, whole, &columns), length);
            assert_int_equal(columns, characters[i].columns);
            assert_int_equal(character_before(text, whole), length);
            assert_int_equal(character_before(text, length), 0);
        }
    }
}

static void what_joins_and_what_does_not(void **state)
{
    static const struct {
        const char *bytes;
        size_t first; /* the length of the first character */
        size_t columns;
    } cases[] = {
        {FLAG_D FLAG_E FLAG_F, 8, 2}, /* letters of flags go in pairs */
        {FLAG_D "a", 4, 1},
        {FLAG_D ACUTE FLAG_E, 6, 1}, /* that stand side by side (GB12) */
        {ACUTE "a", 2, 0},           /* a mark with nothing before it */
        {ACUTE ACUTE, 4, 0},
        {EMOJI_STYLE "a", 3, 0},
        {"\xFF" EMOJI_STYLE, 1, 1},
        {"\xE0\xA4\xBE" HAN, 3, 1}, /* a spacing mark with nothing before it */
        {"\xD8\x80" HAN, 2, 1},     /* what is prepended */
        {"a\xD8\x80", 1, 1},
        {"a" TONE, 5, 3},
        {WOMAN JOINER, 7, 2},
        {"ab", 1, 1},
        {"a\xCC", 1, 1}, /* a mark that is cut */
        {"a\x81", 1, 1},
        {"\xCC", 1, 1},
        {"\x81" ACUTE, 1, 1}, /* nothing joins what is no character */
        {"\xF0\x9F\x91", 1, 1},
        {"\xED\xA0\x80", 1, 1},
        {"\xE1\x84\x92\xE1\x84\x92", 3, 2}, /* two first parts of syllables of Hangul */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t columns = 99;

        if (character_length(cases[i].bytes, strlen(cases[i].bytes), &columns) != cases[i].first ||
            columns != cases[i].columns)
            fail_msg("case %u", (unsigned)i);
    }
}

static size_t random_text(char *text, size_t size)
{
    static const char *const pieces[] = {"a",         " ",        ACUTE,  HAN,    JOINER,
                                         EMOJI_STYLE, MAN,        TONE,   FLAG_D, FLAG_E,
                                         "\x80",      "\xF0\x9F", "\xFF", "\xCC", "\xE1\x85\xA1"};
    size_t length = 0;

    while (length < size - 4) {
        const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];

        memcpy(text + length, piece, strlen(piece));
        length += strlen(piece);
    }
    return length;
}

static void forwards_and_backwards_are_the_same(void **state)
{
    (void)state;
    random_begin(5);
    for (int i = 0; i < 3000; i++) {
        char text[60];
        size_t length = random_text(text, sizeof text);
        size_t start = 0;
        size_t all_columns = 0;

        while (start < length) {
            size_t columns;
            size_t taken = character_length(text + start, length - start, &columns);

            assert_int_in_range(taken, 1, length - start);
            assert_int_equal(character_before(text, start + taken), start);
            /* From within a character as well. */
            for (size_t end = start + 1; end < start + taken; end++)
                assert_int_in_range(character_before(text, end), start, end - 1);
            all_columns += columns;
            start += taken;
        }
        assert_int_equal(start, length);

        /* The columns are those of the code points; a byte that is in none takes one, and so does
         * the emoji style behind what takes one. */
        size_t last = 0;

        for (start = 0; start < length;) {
            size_t taken = text_utf8_length(text + start, length - start);
            size_t columns = 1;
            bool style = taken == 3 && memcmp(text + start, EMOJI_STYLE, 3) == 0;

            if (taken > 0)
                character_length(text + start, taken, &columns);
            if (style && last == 1)
                columns = 1;
            if (columns > 0 || taken == 0)
                last = taken == 0 ? 0 : style ? 2 : columns;
            all_columns -= columns;
            start += taken > 0 ? taken : 1;
        }
        assert_int_equal(all_columns, 0);
    }
}

/* However long a run is, a step back looks at a part of it only. */
static void long_runs(void **state)
{
    enum { RUN = 10 * CHARACTER_MAX_CODE_POINTS };
    static char text[1 + 4 * RUN];
    size_t end = 0;

    (void)state;
    for (int i = 0; i < RUN; i++, end += 4)
        memcpy(text + end, FLAG_D, 4);
    for (; end > 0; end -= 8)
        assert_int_equal(character_before(text, end), end - 8);

    text[end++] = 'a';
    for (int i = 0; i < RUN; i++, end += 2)
        memcpy(text + end, ACUTE, 2);
    assert_int_equal(character_before(text, 1 + 2 * (CHARACTER_MAX_CODE_POINTS - 1)), 0);
    assert_int_equal(character_before(text, end), end - 2 * CHARACTER_MAX_CODE_POINTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_of_code_points),
        cmocka_unit_test(widths_of_ranges),
        cmocka_unit_test(where_characters_end),
        cmocka_unit_test(what_joins_and_what_does_not),
        cmocka_unit_test(long_runs),
        cmocka_unit_test(forwards_and_backwards_are_the_same),
    };

    return cmocka_run_group_tests_name("character_width", tests, NULL, NULL);
}
