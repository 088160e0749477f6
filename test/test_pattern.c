/* Unit tests of client/pattern. */
#include "measure/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

enum { STREAM = 20000 };

static const char prefix[] = "Message received - ";

/* The kinds of messages, in sizes around those of the number, the words and the pieces in them. */
static const size_t sizes[] = {2, 3, 7, 8, 9, 16, 17, 64, 100, 4077, 4096, 4097, 9001};

static void for_each_pattern(void (*check)(const struct pattern *pattern))
{
    random_begin(77);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int kind = 0; kind < 4; kind++) {
            struct pattern pattern = {
                .size = sizes[i],
                .seed = 42,
                .lines = (kind & 1) != 0,
            };
            if ((kind & 2) != 0)
                pattern.prefix = (struct pattern_text)PATTERN_PREFIX;

            check(&pattern);
        }
    }
    /* A byte a message. */
    check(&(struct pattern){.size = 1, .seed = 42});
}

static char *fill(const struct pattern *pattern, uint64_t connection, size_t length)
{
    struct pattern_place place = {0, 0};
    char *bytes = malloc(length);

    assert_non_null(bytes);
    pattern_fill(pattern, connection, &place, bytes, length);
    assert_int_equal(place.message, length / pattern->size);
    assert_int_equal(place.offset, length % pattern->size);
    return bytes;
}

/* What a right server answers, put together from what was sent. */
static char *answers(const struct pattern *pattern, uint64_t connection, size_t length)
{
    size_t messages = length / pattern->size + 1;
    char *sent = fill(pattern, connection, messages * pattern->size);
    char *bytes = malloc(messages * pattern_answer_size(pattern));
    size_t filled = 0;

    assert_non_null(bytes);
    assert_int_equal(pattern_answer_size(pattern),
                     pattern->size + (pattern->prefix.bytes != NULL ? strlen(prefix) : 0));
    for (size_t i = 0; i < messages; i++) {
        if (pattern->prefix.bytes != NULL) {
            memcpy(bytes + filled, prefix, strlen(prefix));
            filled += strlen(prefix);
        }
        memcpy(bytes + filled, sent + i * pattern->size, pattern->size);
        filled += pattern->size;
    }
    assert_true(filled >= length);
    free(sent);
    return bytes;
}

static size_t random_piece(size_t left)
{
    size_t piece = 1 + random_below(random_below(2) > 0 ? 20 : 6000);

    return piece < left ? piece : left;
}

static void check_fill_in_pieces(const struct pattern *pattern)
{
    char *whole = fill(pattern, 3, STREAM);
    char *pieces = malloc(STREAM);
    struct pattern_place place = {0, 0};

    assert_non_null(pieces);
    for (size_t done = 0, piece; done < STREAM; done += piece) {
        struct pattern_place skipped = {0, 0};

        piece = random_piece(STREAM - done);
        pattern_skip(&skipped, pattern->size, done);
        assert_int_equal(skipped.message, place.message);
        assert_int_equal(skipped.offset, place.offset);
        pattern_fill(pattern, 3, &place, pieces + done, piece);
    }
    assert_memory_equal(whole, pieces, STREAM);
    free(pieces);
    free(whole);
}

static void filled_in_pieces_it_is_the_same(void **state)
{
    (void)state;
    for_each_pattern(check_fill_in_pieces);
}

/* Compares a stream in pieces; returns how much of it is right, and checks what is said of it. */
static size_t compare(const struct pattern *pattern, const char *bytes, size_t length,
                      const char *right)
{
    struct pattern_place place = {0, 0};
    size_t done = 0;

    while (done < length) {
        size_t piece = random_piece(length - done);
        unsigned char expected = 0;
        size_t good = pattern_compare(pattern, 3, &place, bytes + done, piece, &expected);

        assert_int_in_range(good, 0, piece);
        done += good;
        assert_int_equal(place.message, done / pattern_answer_size(pattern));
        assert_int_equal(place.offset, done % pattern_answer_size(pattern));
        if (good == piece)
            continue;
        assert_int_equal(expected, (unsigned char)right[done]);
        assert_int_equal(pattern_answer_byte(pattern, 3, &place), expected);
        break;
    }
    return done;
}

/* Where two streams begin to differ. */
static size_t difference(const char *one, const char *other, size_t length)
{
    size_t same = 0;

    while (same < length && one[same] == other[same])
        same++;
    return same;
}

static void check_faults(const struct pattern *pattern)
{
    char *right = answers(pattern, 3, STREAM + 10);
    char *wrong = malloc(STREAM);

    assert_non_null(wrong);
    assert_int_equal(compare(pattern, right, STREAM, right), STREAM);
    for (int i = 0; i < 20; i++) {
        size_t place = random_below(STREAM - 1000);

        memcpy(wrong, right, STREAM);
        wrong[place] = (char)(wrong[place] ^ (1 << random_below(8)));
        assert_int_equal(compare(pattern, wrong, STREAM, right), place);

        /* Dropped or repeated, it shows as soon as the stream differs: within a message or two. */
        memcpy(wrong, right, place);
        memcpy(wrong + place, right + place + 1, STREAM - place);
        assert_int_equal(compare(pattern, wrong, STREAM, right), difference(wrong, right, STREAM));
        if (pattern->size > 3)
            assert_int_in_range(difference(wrong, right, STREAM), place, place + 20);

        memcpy(wrong, right, place + 1);
        memcpy(wrong + place + 1, right + place, STREAM - place - 1);
        assert_int_equal(compare(pattern, wrong, STREAM, right), difference(wrong, right, STREAM));
        if (pattern->size > 3)
            assert_int_in_range(difference(wrong, right, STREAM), place, place + 20);
    }
    free(wrong);
    free(right);
}

static void each_fault_is_found_where_it_is(void **state)
{
    (void)state;
    for_each_pattern(check_faults);
}

/* Messages in each other's place, a whole one that is missing, another connection's. */
static void right_bytes_in_the_wrong_place_are_found(void **state)
{
    struct pattern pattern = {.size = 64, .seed = 1};

    (void)state;
    for (int lines = 0; lines < 2; lines++) {
        char *right, *other, *wrong = malloc(STREAM);

        assert_non_null(wrong);
        pattern.lines = lines != 0;
        right = answers(&pattern, 3, STREAM + 64);
        other = answers(&pattern, 4, STREAM);
        memcpy(wrong, right, STREAM);
        memcpy(wrong + 640, right + 704, 64);
        memcpy(wrong + 704, right + 640, 64);
        assert_int_equal(compare(&pattern, wrong, STREAM, right), 640);
        memcpy(wrong, right, 640);
        memcpy(wrong + 640, right + 704, STREAM - 640);
        assert_int_equal(compare(&pattern, wrong, STREAM, right), 640);
        memcpy(wrong, right, STREAM);
        memcpy(wrong + 640, other + 640, 64);
        assert_int_equal(compare(&pattern, wrong, STREAM, right),
                         640 + 8 + difference(other + 648, right + 648, 56));
        free(wrong);
        free(other);
        free(right);
    }
}

static void check_lines(const struct pattern *pattern)
{
    char *bytes;

    if (!pattern->lines)
        return;
    bytes = fill(pattern, 5, STREAM);
    for (size_t i = 0; i < STREAM; i++) {
        bool last = i % pattern->size == pattern->size - 1;

        assert_int_equal(bytes[i] == '\n', last);
        assert_true(last || (bytes[i] >= 0x20 && bytes[i] < 0x7F));
    }
    if (pattern->size == 5)
        for (size_t i = 0; i + 5 <= STREAM; i += 5)
            assert_memory_not_equal(bytes + i, "quit\n", 5);
    free(bytes);
}

static void lines_end_where_messages_do(void **state)
{
    (void)state;
    for_each_pattern(check_lines);
    check_lines(&(struct pattern){.size = 5, .lines = true});
}

/* Every number that a line as long as quit can begin with. */
static void no_line_is_quit(void **state)
{
    struct pattern pattern = {.size = 5, .lines = true};
    struct pattern_place place = {0, 0};

    (void)state;
    while (place.message < 70000) {
        char line[5];

        pattern_fill(&pattern, 1, &place, line, sizeof line);
        assert_memory_not_equal(line, "quit\n", 5);
        assert_int_equal(line[4], '\n');
    }
}

static void a_message_begins_with_its_number(void **state)
{
    struct pattern pattern = {.size = 32};
    struct pattern_place place = {0x0123456789ABCDEF, 0};
    char message[32];

    (void)state;
    pattern_fill(&pattern, 1, &place, message, sizeof message);
    assert_memory_equal(message, "\xEF\xCD\xAB\x89\x67\x45\x23\x01", 8);
    place = (struct pattern_place){0x89ABCDEF, 0};
    pattern.lines = true;
    pattern_fill(&pattern, 1, &place, message, sizeof message);
    assert_memory_equal(message, "fedcba98", 8);
}

static size_t equal_bytes(const char *one, const char *other, size_t length)
{
    size_t equal = 0;

    for (size_t i = 0; i < length; i++)
        equal += one[i] == other[i];
    return equal;
}

static void other_seeds_connections_and_messages_are_other_bytes(void **state)
{
    enum { SIZE = 8 + 4096 };
    struct pattern pattern = {.size = SIZE, .seed = 1};
    struct pattern other_seed = {.size = SIZE, .seed = 2};
    char *one = fill(&pattern, 0, 3 * SIZE);
    char *same = fill(&pattern, 0, 3 * SIZE);
    char *connection = fill(&pattern, 1, 3 * SIZE);
    char *seed = fill(&other_seed, 0, 3 * SIZE);
    size_t counts[256] = {0};

    (void)state;
    assert_memory_equal(one, same, 3 * SIZE);
    /* Of 4,096 bytes 16 are the same by chance. */
    assert_int_in_range(equal_bytes(one + 8, connection + 8, 4096), 0, 50);
    assert_int_in_range(equal_bytes(one + 8, seed + 8, 4096), 0, 50);
    assert_int_in_range(equal_bytes(seed + 8, connection + 8, 4096), 0, 50);
    assert_int_in_range(equal_bytes(one + 8, one + SIZE + 8, 4096), 0, 50);
    assert_int_in_range(equal_bytes(one + SIZE + 8, one + 2 * SIZE + 8, 4096), 0, 50);
    assert_int_in_range(equal_bytes(one + 8, one + 16, 4096 - 8), 0, 50);
    /* Bytes of all values. */
    for (size_t i = 8; i < SIZE; i++)
        counts[(unsigned char)one[i]]++;
    for (size_t i = 0; i < 256; i++)
        assert_int_in_range(counts[i], 1, 50);
    free(seed);
    free(connection);
    free(same);
    free(one);
}

/* A greeting is compared however it is cut, and what follows it is left. */
static void greetings_are_compared(void **state)
{
    static const char came[] = "hello\nanswers";
    const struct pattern pattern = {.size = 1, .greeting = {"hello", 5}};
    const struct pattern silent = {.size = 1};
    unsigned char expected = 0;

    (void)state;
    for (size_t cut = 0; cut <= 6; cut++) {
        size_t greeted = 0;

        assert_int_equal(pattern_compare_greeting(&pattern, &greeted, came, cut, &expected), cut);
        assert_int_equal(pattern_is_greeted(&pattern, greeted), cut == 6);
        assert_int_equal(
            pattern_compare_greeting(&pattern, &greeted, came + cut, 13 - cut, &expected), 6 - cut);
        assert_true(pattern_is_greeted(&pattern, greeted));
    }
    for (size_t wrong = 0; wrong < 6; wrong++) {
        char bytes[] = "hello\n";
        size_t greeted = 0;

        bytes[wrong] ^= 1;
        assert_int_equal(pattern_compare_greeting(&pattern, &greeted, bytes, 6, &expected), wrong);
        assert_int_equal(expected, came[wrong]);
        assert_int_equal(greeted, wrong);
    }
    size_t greeted = 0;

    assert_true(pattern_is_greeted(&silent, greeted));
    assert_int_equal(pattern_compare_greeting(&silent, &greeted, came, 13, &expected), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greetings_are_compared),
        cmocka_unit_test(filled_in_pieces_it_is_the_same),
        cmocka_unit_test(each_fault_is_found_where_it_is),
        cmocka_unit_test(right_bytes_in_the_wrong_place_are_found),
        cmocka_unit_test(lines_end_where_messages_do),
        cmocka_unit_test(no_line_is_quit),
        cmocka_unit_test(a_message_begins_with_its_number),
        cmocka_unit_test(other_seeds_connections_and_messages_are_other_bytes),
    };

    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
