/* Fuzzes server/protocol against protocol_model: the answers to a whole stream, however it is cut.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "protocol.h"
#include "protocol_model.h"

enum { MAX = 1 << 16, ANSWER_MAX = 66 * MAX };

static char expected_bytes[ANSWER_MAX], answered_bytes[ANSWER_MAX];
static struct protocol_model expected = {.bytes = expected_bytes, .size = ANSWER_MAX};
static struct protocol_model answered = {.bytes = answered_bytes, .size = ANSWER_MAX};

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
        protocol_model_add(&answered, next.prefix.bytes, next.prefix.length);
        protocol_model_add(&answered, next.body.bytes, next.body.length);
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
                                   .max_line = 1 + input[1] % 40,
                                   .prefix = PROTOCOL_PREFIX};
    uint32_t random = input[2];
    /* In memory of its own: a sanitizer sees what is read beyond it. */
    size_t searched = 0, consumed = 0, come = 0;
    bool more = true;

    length -= 3;
    char *bytes = malloc(length > 0 ? length : 1);

    MUST(bytes != NULL);
    memcpy(bytes, input + 3, length);
    expected.length = answered.length = 0;
    expected.end = NULL;
    if (rules.mode == PROTOCOL_ECHO)
        protocol_model_add(&expected, bytes, length);
    else if (rules.mode == PROTOCOL_LINE)
        protocol_model_lines(&expected, bytes, length, true, rules.max_line);
    while (more && come < length) {
        size_t piece = 1 + random % 13;

        random = random * 1664525 + 1013904223;
        piece = piece < length - come ? piece : length - come;
        if (rules.mode == PROTOCOL_CHUNK && expected.end == NULL)
            protocol_model_message(&expected, bytes + come, piece);
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
