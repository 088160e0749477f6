/* Fuzzes the comparison of answers: the first byte that differs is found, however the bytes come,
 * and no other. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "measure/pattern.h"

enum { LENGTH = 700 };

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    char answers[LENGTH];
    struct pattern_place place = {.message = 0}, end = {.message = 0};

    if (length < 8)
        return 0;
    struct pattern pattern = {
        .size = 2 + input[0] % 90,
        .seed = input[1],
        .lines = (input[2] & 1) != 0,
    };

    if ((input[2] & 2) != 0)
        pattern.prefix = (struct pattern_text)PATTERN_PREFIX;
    uint64_t connection = input[3];
    size_t wrong = ((size_t)input[4] << 8 | input[5]) % (2 * (size_t)LENGTH);
    unsigned char change = input[6], expected = 0;

    for (size_t i = 0; i < LENGTH; i++) {
        answers[i] = (char)pattern_answer_byte(&pattern, connection, &end);
        pattern_skip(&end, pattern_answer_size(&pattern), 1);
    }
    if (wrong < LENGTH)
        answers[wrong] = (char)(answers[wrong] ^ change);
    bool right = wrong >= LENGTH || change == 0;
    size_t first = right ? LENGTH : wrong;

    for (size_t done = 0, i = 7; done < LENGTH; i++) {
        size_t piece = 1 + input[7 + i % (length - 7)] % 64;

        piece = piece < LENGTH - done ? piece : LENGTH - done;
        size_t same =
            pattern_compare(&pattern, connection, &place, answers + done, piece, &expected);

        MUST(same <= piece);
        done += same;
        if (same == piece)
            continue;
        MUST(done == first);
        MUST(expected == (unsigned char)(answers[done] ^ change));
        return 0;
    }
    MUST(right);
    MUST(place.message == end.message && place.offset == end.offset);
    return 0;
}
