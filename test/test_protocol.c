#include "protocol.h"

#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

enum { STREAM_MAX = 400, ANSWER_MAX = 32 * STREAM_MAX };

/* All that a protocol says to a stream: what is sent, and each verdict with its text for the log.
 */
struct transcript {
    size_t sent_length;
    size_t verdicts_length;
    char sent[ANSWER_MAX];
    char verdicts[ANSWER_MAX];
};

static struct span part(const char *bytes, size_t length)
{
    return (struct span){bytes, length};
}

static void append(char *out, size_t *out_length, const char *bytes, size_t length)
{
    assert_true(*out_length + length <= ANSWER_MAX);
    if (length > 0)
        memcpy(out + *out_length, bytes, length);
    *out_length += length;
}

static void put_sent(struct transcript *t, const char *bytes, size_t length)
{
    append(t->sent, &t->sent_length, bytes, length);
}

static void put_verdict(struct transcript *t, char verdict, const char *text, size_t length)
{
    append(t->verdicts, &t->verdicts_length, &verdict, 1);
    append(t->verdicts, &t->verdicts_length, (const char *)&length, sizeof length);
    append(t->verdicts, &t->verdicts_length, text, length);
}

static void assert_same(const struct transcript *a, const struct transcript *b)
{
    assert_int_equal(a->sent_length, b->sent_length);
    assert_memory_equal(a->sent, b->sent, a->sent_length);
    assert_int_equal(a->verdicts_length, b->verdicts_length);
    assert_memory_equal(a->verdicts, b->verdicts, a->verdicts_length);
}

/* Line mode as docs/protocol.md words it, for a whole stream, without any care for speed. */
static void model_lines(const char *stream, size_t length, size_t max_line, struct transcript *t)
{
    static const char answer[] = "Message received - ", too_long[] = "Message too long\n";
    size_t next;

    memset(t, 0, sizeof *t);
    for (size_t start = 0; start < length; start = next) {
        size_t end = start;

        while (end < length && stream[end] != '\n')
            end++;
        next = end < length ? end + 1 : end;
        if (end < length && end > start && stream[end - 1] == '\r')
            end--;
        if (end - start > max_line) {
            put_sent(t, too_long, strlen(too_long));
            put_verdict(t, 'L', "", 0);
            return;
        }
        if (end - start == 4 && strncmp(stream + start, "quit", 4) == 0) {
            put_sent(t, stream + start, next - start);
            put_verdict(t, 'Q', stream + start, 4);
            return;
        }
        put_sent(t, answer, strlen(answer));
        put_sent(t, stream + start, next - start);
        put_verdict(t, 'A', stream + start, end - start);
    }
}

/* One protocol and what it has been fed and not dealt with yet, as a connection keeps it. */
struct feeder {
    struct protocol_rules rules;
    size_t searched;
    size_t length;
    bool ended;
    char bytes[STREAM_MAX];
    struct transcript transcript;
};

/* protocol_next() on memory that ends where the input does: a sanitizer sees it look further. */
static enum protocol_verdict next_message(struct feeder *f, bool at_end)
{
    struct protocol_answer answer, untouched;
    size_t searched = f->searched;
    char *input = malloc(f->length);

    assert_true(input != NULL || f->length == 0);
    if (f->length > 0)
        memcpy(input, f->bytes, f->length);
    memset(&answer, 0x5A, sizeof answer);
    memcpy(&untouched, &answer, sizeof answer);
    enum protocol_verdict verdict =
        protocol_next(&f->rules, part(input, f->length), at_end, &f->searched, &answer);

    switch (verdict) {
    case PROTOCOL_INCOMPLETE:
        assert_memory_equal(&answer, &untouched, sizeof answer);
        assert_true(f->searched >= searched);
        assert_int_equal(f->searched, f->length);
        assert_false(at_end && f->length > 0);
        free(input);
        return verdict;
    case PROTOCOL_ANSWER:
        put_verdict(&f->transcript, 'A', answer.text.bytes, answer.text.length);
        assert_int_equal(f->searched, 0);
        break;
    case PROTOCOL_QUIT:
        put_verdict(&f->transcript, 'Q', answer.text.bytes, answer.text.length);
        f->ended = true;
        break;
    case PROTOCOL_TOO_LONG:
        put_verdict(&f->transcript, 'L', "", 0);
        assert_int_equal(answer.text.length, 0);
        f->ended = true;
        break;
    }
    put_sent(&f->transcript, answer.prefix.bytes, answer.prefix.length);
    put_sent(&f->transcript, answer.body.bytes, answer.body.length);
    assert_int_in_range(answer.consumed, 1, f->length);
    f->length -= answer.consumed;
    memmove(f->bytes, f->bytes + answer.consumed, f->length);
    free(input);
    return verdict;
}

static void feed(struct feeder *f, const char *bytes, size_t length, bool at_end)
{
    memcpy(f->bytes + f->length, bytes, length);
    f->length += length;
    while (!f->ended && next_message(f, at_end) != PROTOCOL_INCOMPLETE)
        continue;
}

static void start(struct feeder *f, enum protocol_mode mode, size_t max_line)
{
    memset(f, 0, sizeof *f);
    f->rules =
        (struct protocol_rules){.mode = mode, .max_line = max_line, .prefix = PROTOCOL_PREFIX};
}

/* Feeds a stream to line mode in pieces; `piece` says how long the next one is. */
static void assert_pieces(const char *stream, size_t length, size_t max_line,
                          size_t (*piece)(size_t rest))
{
    static struct feeder f;
    static struct transcript expected;

    model_lines(stream, length, max_line, &expected);
    start(&f, PROTOCOL_LINE, max_line);
    for (size_t at = 0, n; at < length && !f.ended; at += n) {
        n = piece(length - at);
        feed(&f, stream + at, n, false);
    }
    feed(&f, "", 0, true);
    assert_same(&f.transcript, &expected);
}

static size_t whole(size_t rest)
{
    return rest;
}

static size_t one_byte(size_t rest)
{
    (void)rest;
    return 1;
}

static size_t random_piece(size_t rest)
{
    size_t n = 1 + random_below(12);

    return n < rest ? n : rest;
}

static size_t first_piece;

/* Cuts the stream once, after `first_piece` bytes. */
static size_t cut_once(size_t rest)
{
    size_t n = first_piece;

    first_piece = rest - n;
    return n;
}

/* Whatever TCP makes of a stream, line mode says the same to it, and what the model says. */
static void assert_cut_anywhere(const char *stream, size_t length, size_t max_line)
{
    static struct feeder f;
    static struct transcript expected;

    assert_pieces(stream, length, max_line, whole);
    assert_pieces(stream, length, max_line, one_byte);
    assert_pieces(stream, length, max_line, random_piece);
    for (size_t i = 1; i < length; i++) {
        first_piece = i;
        assert_pieces(stream, length, max_line, cut_once);
    }
    /* The end of the stream known from the start. */
    model_lines(stream, length, max_line, &expected);
    start(&f, PROTOCOL_LINE, max_line);
    feed(&f, stream, length, true);
    assert_same(&f.transcript, &expected);
}

static void answers_lines_of_every_kind(void **state)
{
    static const struct {
        const char *stream;
        size_t length;
        const char *sent;
        size_t sent_length;
    } cases[] = {
#define CASE(stream, sent) {stream, sizeof stream - 1, sent, sizeof sent - 1}
        CASE("", ""),
        CASE("hello\n", "Message received - hello\n"),
        CASE("hello\r\n", "Message received - hello\r\n"),
        CASE("hello", "Message received - hello"),
        CASE("hello\r", "Message received - hello\r"),
        CASE("\n", "Message received - \n"),
        CASE("\r\n", "Message received - \r\n"),
        CASE("a\rb\n", "Message received - a\rb\n"),
        CASE("a\r\r\n", "Message received - a\r\r\n"),
        CASE("\0\377\n", "Message received - \0\377\n"),
        CASE("one\ntwo\nthr",
             "Message received - one\nMessage received - two\nMessage received - thr"),
        CASE("quit\n", "quit\n"),
        CASE("quit\r\n", "quit\r\n"),
        CASE("quit", "quit"),
        CASE("quit\r", "Message received - quit\r"),
        CASE("quit\r\r\n", "Message received - quit\r\r\n"),
        CASE("quit\0\n", "Message received - quit\0\n"),
        CASE("Quit\n quit\nquit \n",
             "Message received - Quit\nMessage received -  quit\nMessage received - quit \n"),
        CASE("one\nquit\ntwo\nquit\n", "Message received - one\nquit\n"),
        /* The limit is 10. */
        CASE("0123456789\n", "Message received - 0123456789\n"),
        CASE("0123456789\r\n", "Message received - 0123456789\r\n"),
        CASE("0123456789", "Message received - 0123456789"),
        CASE("0123456789\r", "Message too long\n"),
        CASE("0123456789\r\r\n", "Message too long\n"),
        CASE("0123456789\rx", "Message too long\n"),
        CASE("0123456789x\n", "Message too long\n"),
        CASE("0123456789x\r\n", "Message too long\n"),
        CASE("0123456789x", "Message too long\n"),
        CASE("one\n0123456789xyz\ntwo\n", "Message received - one\nMessage too long\n"),
#undef CASE
    };
    static struct transcript model;

    (void)state;
    random_begin(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model_lines(cases[i].stream, cases[i].length, 10, &model);
        assert_int_equal(model.sent_length, cases[i].sent_length);
        assert_memory_equal(model.sent, cases[i].sent, model.sent_length);
        assert_cut_anywhere(cases[i].stream, cases[i].length, 10);
    }
}

/* Appends some of what a line may consist of, at most STREAM_MAX / 4 bytes. Returns how many. */
static size_t random_words(char *out, size_t max_line)
{
    static const struct span words[] = {
        {"\n", 1},       {"\r\n", 2},   {"\r", 1},   {"\n\n", 2}, {"\r\r\n", 3}, {"quit\n", 5},
        {"quit\r\n", 6}, {"quit\r", 5}, {"quit", 4}, {"\0", 1},   {"\xFF", 1},   {"a", 1},
    };
    size_t kind = random_below(24);

    if (kind < sizeof words / sizeof words[0]) {
        memcpy(out, words[kind].bytes, words[kind].length);
        return words[kind].length;
    }
    /* Text, mostly about as long as the limit, and mostly with an ending. */
    size_t length =
        kind < 18 ? random_below(6) : max_line + random_below(4) - (max_line > 0 ? 1 : 0);

    memset(out, 'a' + (int)kind, length);
    if (random_below(3) > 0)
        out[length++] = '\r';
    if (random_below(4) > 0)
        out[length++] = '\n';
    return length;
}

static void answers_random_streams_however_they_are_cut(void **state)
{
    char stream[STREAM_MAX];

    (void)state;
    random_begin(42);
    for (int i = 0; i < 4000; i++) {
        size_t max_line = 1 + random_below(20);
        size_t wanted = 1 + random_below(i % 100 == 0 ? STREAM_MAX / 2 : 50);
        size_t length = 0;

        while (length < wanted)
            length += random_words(stream + length, max_line);
        assert_cut_anywhere(stream, length, max_line);
    }
}

/* What is known to hold no line ending is not looked at again, not even when there is one. */
static void searches_an_incomplete_line_once(void **state)
{
    enum { MAX_LINE = 300 };
    const struct protocol_rules rules = {.mode = PROTOCOL_LINE, .max_line = MAX_LINE};
    struct protocol_answer answer;
    char line[MAX_LINE + 1];
    size_t searched = 0;

    (void)state;
    for (size_t length = 1; length <= MAX_LINE; length++) {
        /* The last of them may be the \r of an ending: it may be looked at again. */
        size_t known = searched > 0 ? searched - 1 : 0;

        memset(line, '\n', known);
        memset(line + known, 'x', sizeof line - known);
        assert_int_equal(protocol_next(&rules, part(line, length), false, &searched, &answer),
                         PROTOCOL_INCOMPLETE);
        assert_int_equal(searched, length);
    }
    memset(line, 'x', sizeof line);
    line[MAX_LINE] = '\n';
    assert_int_equal(protocol_next(&rules, part(line, MAX_LINE + 1), false, &searched, &answer),
                     PROTOCOL_ANSWER);
    assert_int_equal(searched, 0);
    assert_int_equal(answer.consumed, MAX_LINE + 1);
}

/* As soon as nothing that follows could make the line fit. */
static void refuses_a_long_line_before_its_end(void **state)
{
    const struct protocol_rules rules = {.mode = PROTOCOL_LINE, .max_line = 3};
    static const struct {
        const char *input;
        enum protocol_verdict verdict;
    } cases[] = {
        {"abc", PROTOCOL_INCOMPLETE},  {"abc\r", PROTOCOL_INCOMPLETE},
        {"abcd", PROTOCOL_TOO_LONG},   {"abc\r\r", PROTOCOL_TOO_LONG},
        {"abcd\r", PROTOCOL_TOO_LONG}, {"abcdefghij", PROTOCOL_TOO_LONG},
    };
    struct protocol_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t searched = 0;

        assert_int_equal(protocol_next(&rules, part(cases[i].input, strlen(cases[i].input)), false,
                                       &searched, &answer),
                         cases[i].verdict);
    }
}

/* The longest limit that the command line takes does not wrap around. */
static void has_room_for_the_largest_limit(void **state)
{
    const struct protocol_rules rules = {.mode = PROTOCOL_LINE, .max_line = (size_t)1 << 30};
    struct protocol_answer answer;
    size_t searched = 0;

    (void)state;
    assert_int_equal(protocol_next(&rules, part("abc", 3), false, &searched, &answer),
                     PROTOCOL_INCOMPLETE);
    assert_int_equal(protocol_next(&rules, part("abc\n", 4), false, &searched, &answer),
                     PROTOCOL_ANSWER);
}

static void echoes_every_byte(void **state)
{
    static struct feeder f;
    char stream[256 + 5];

    (void)state;
    for (int i = 0; i < 256; i++)
        stream[i] = (char)i;
    memcpy(stream + 256, "quit\n", 5);
    random_begin(7);
    start(&f, PROTOCOL_ECHO, 1);
    feed(&f, "", 0, false);
    assert_int_equal(f.transcript.verdicts_length, 0);
    for (size_t at = 0, n; at < sizeof stream; at += n) {
        n = random_piece(sizeof stream - at);
        feed(&f, stream + at, n, false);
        assert_int_equal(f.length, 0);
    }
    feed(&f, "", 0, true);
    assert_false(f.ended);
    assert_int_equal(f.transcript.sent_length, sizeof stream);
    assert_memory_equal(f.transcript.sent, stream, sizeof stream);
}

static void answers_each_chunk(void **state)
{
    static const struct {
        const char *chunk;
        const char *sent;
        enum protocol_verdict verdict;
        size_t text_length;
    } cases[] = {
        {"hello", "Message received - hello", PROTOCOL_ANSWER, 5},
        {"hello\n", "Message received - hello\n", PROTOCOL_ANSWER, 5},
        {"hello\r\n", "Message received - hello\r\n", PROTOCOL_ANSWER, 5},
        {"a\nb\n", "Message received - a\nb\n", PROTOCOL_ANSWER, 3},
        {"\n", "Message received - \n", PROTOCOL_ANSWER, 0},
        {"quit", "quit", PROTOCOL_QUIT, 4},
        {"quit\n", "quit\n", PROTOCOL_QUIT, 4},
        {"quit\r\n", "quit\r\n", PROTOCOL_QUIT, 4},
        {"quit\r", "Message received - quit\r", PROTOCOL_ANSWER, 5},
        {"quit\n\n", "Message received - quit\n\n", PROTOCOL_ANSWER, 5},
        {"quitx", "Message received - quitx", PROTOCOL_ANSWER, 5},
        {"qui", "Message received - qui", PROTOCOL_ANSWER, 3},
        {"QUIT", "Message received - QUIT", PROTOCOL_ANSWER, 4},
    };
    static struct feeder f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(&f, PROTOCOL_CHUNK, 1);
        feed(&f, cases[i].chunk, strlen(cases[i].chunk), i % 2 == 0);
        assert_int_equal(f.length, 0);
        assert_int_equal(f.ended, cases[i].verdict == PROTOCOL_QUIT);
        assert_int_equal(f.transcript.sent_length, strlen(cases[i].sent));
        assert_memory_equal(f.transcript.sent, cases[i].sent, f.transcript.sent_length);
        assert_int_equal(f.transcript.verdicts_length, 1 + sizeof(size_t) + cases[i].text_length);
    }
    start(&f, PROTOCOL_CHUNK, 1);
    feed(&f, "", 0, true);
    assert_int_equal(f.transcript.verdicts_length, 0);
}

/* Any text may stand before the answers, or none; quit has no answer, and an error no prefix. */
static void answers_have_the_prefix_that_is_asked_for(void **state)
{
    static const char *const prefixes[] = {"", "hello ", "a longer text than the usual one: "};

    (void)state;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct protocol_rules rules = {
            .mode = PROTOCOL_LINE, .max_line = 5, .prefix = {prefixes[i], strlen(prefixes[i])}};
        struct protocol_answer answer;
        size_t searched = 0;

        for (; rules.mode <= PROTOCOL_CHUNK; rules.mode++) {
            assert_int_equal(
                protocol_next(&rules, (struct span){"one\n", 4}, false, &searched, &answer),
                PROTOCOL_ANSWER);
            assert_int_equal(answer.prefix.length, strlen(prefixes[i]));
            assert_memory_equal(answer.prefix.bytes, prefixes[i], answer.prefix.length);
            assert_int_equal(answer.body.length, 4);
            assert_int_equal(
                protocol_next(&rules, (struct span){"quit\n", 5}, false, &searched, &answer),
                PROTOCOL_QUIT);
            assert_int_equal(answer.prefix.length, 0);
        }
        rules.mode = PROTOCOL_LINE;
        assert_int_equal(
            protocol_next(&rules, (struct span){"123456\n", 7}, false, &searched, &answer),
            PROTOCOL_TOO_LONG);
        assert_memory_equal(answer.prefix.bytes, "Message too long\n", answer.prefix.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_have_the_prefix_that_is_asked_for),
        cmocka_unit_test(answers_lines_of_every_kind),
        cmocka_unit_test(answers_random_streams_however_they_are_cut),
        cmocka_unit_test(searches_an_incomplete_line_once),
        cmocka_unit_test(refuses_a_long_line_before_its_end),
        cmocka_unit_test(has_room_for_the_largest_limit),
        cmocka_unit_test(echoes_every_byte),
        cmocka_unit_test(answers_each_chunk),
    };

    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
