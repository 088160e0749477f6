/* Fuzzes server/protocol against docs/protocol.md, which a second program tells here: the answers
 * to a whole stream, however it is cut. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "protocol.h"

static const char prefix[] = "Message received - ";

enum { MAX = 1 << 16 };

/* Bytes that have been answered. */
struct stream {
    char bytes[2 * MAX + 64 * MAX];
    size_t length;
};

static struct stream expected, answered;

static void add(struct stream *stream, const char *bytes, size_t length)
{
    MUST(length <= sizeof stream->bytes - stream->length);
    if (length > 0)
        memcpy(stream->bytes + stream->length, bytes, length);
    stream->length += length;
}

/* The answer to one message with its ending; returns whether the connection goes on. */
static bool answer(const char *message, size_t length)
{
    size_t text = length;

    if (text > 0 && message[text - 1] == '\n')
        text -= text > 1 && message[text - 2] == '\r' ? 2 : 1;
    bool quit = text == 4 && memcmp(message, "quit", 4) == 0;

    if (!quit)
        add(&expected, prefix, sizeof prefix - 1);
    add(&expected, message, length);
    return !quit;
}

/* All lines of a stream that ends after `length` bytes. */
static void answer_lines(const char *bytes, size_t length, size_t max_line)
{
    bool more = true;

    while (more && length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        size_t ending = newline == NULL ? 0 : line > 1 && newline[-1] == '\r' ? 2 : 1;

        if (line - ending > max_line) {
            add(&expected, "Message too long\n", 17);
            return;
        }
        more = answer(bytes, line);
        bytes += line;
        length -= line;
    }
}

/* Hands over what has come and is not consumed. Returns whether the connection goes on. */
static bool feed(const struct protocol_rules *rules, const char *bytes, size_t length, bool at_end,
                 size_t *searched, size_t *consumed)
{
    struct protocol_answer next;

    for (;;) {
        struct span rest = {bytes + *consumed, length - *consumed};
        enum protocol_verdict verdict = protocol_next(rules, rest, at_end, searched, &next);

        if (verdict == PROTOCOL_INCOMPLETE) {
            MUST(*searched <= rest.length);
            return true;
        }
        MUST(next.consumed > 0 && next.consumed <= rest.length);
        MUST(*searched == 0 || verdict == PROTOCOL_TOO_LONG);
        add(&answered, next.prefix.bytes, next.prefix.length);
        add(&answered, next.body.bytes, next.body.length);
        *consumed += next.consumed;
        if (verdict != PROTOCOL_ANSWER)
            return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length < 3 || length > MAX)
        return 0;
    struct protocol_rules rules = {.mode = (enum protocol_mode)(input[0] % 3),
                                   .max_line = 1 + input[1] % 40};
    uint32_t random = input[2];
    /* In memory of its own: a sanitizer sees what is read beyond it. */
    size_t searched = 0, consumed = 0, come = 0;
    bool more = true;

    length -= 3;
    char *bytes = malloc(length > 0 ? length : 1);

    MUST(bytes != NULL);
    memcpy(bytes, input + 3, length);
    expected.length = answered.length = 0;
    if (rules.mode == PROTOCOL_ECHO)
        add(&expected, bytes, length);
    else if (rules.mode == PROTOCOL_LINE)
        answer_lines(bytes, length, rules.max_line);
    for (bool goes_on = true; more && come < length;) {
        size_t piece = 1 + random % 13;

        random = random * 1664525 + 1013904223;
        piece = piece < length - come ? piece : length - come;
        if (rules.mode == PROTOCOL_CHUNK && goes_on)
            goes_on = answer(bytes + come, piece);
        come += piece;
        more = feed(&rules, bytes, come, false, &searched, &consumed);
    }
    if (more)
        feed(&rules, bytes, come, true, &searched, &consumed);
    MUST(answered.length == expected.length);
    MUST(memcmp(answered.bytes, expected.bytes, answered.length) == 0);
    free(bytes);
    return 0;
}
