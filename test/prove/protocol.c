/*
 * server/protocol: each length of the input with each place of its first LF and any other content,
 * each limit of a line, and each number of bytes that were searched before.
 *
 * run: prove_protocol -eva-slevel 1000 -eva-slevel-function prove_protocol:0,input_with_newline:0
 *     -eva-min-loop-unroll 20 -eva-ilevel 256
 *     -eva-split-return-function ending_length:0:1:2,answer_message:1:2
 *     -eva-split-return-function next_line:0:1:2:3,protocol_next:0:1:2:3
 * inputs: LENGTH bytes, lines of up to LINE
 */
#include "prove.h"

#include "../../server/protocol.c"

enum { LENGTH = 10, LINE = 11 };

/* `length` bytes, the first LF of which is at `place`; there is none if that is `length`. */
static char *input_with_newline(size_t length, size_t place)
{
    char *bytes = any_bytes(length);

    for (size_t i = 0; i < place; i++)
        bytes[i] = (char)(any_between(0, 1) == 1 ? any_between(0, '\n' - 1)
                                                 : any_between('\n' + 1, UINT8_MAX));
    if (place < length)
        bytes[place] = '\n';
    return bytes;
}

static void answer(enum protocol_mode mode, struct span input, size_t max_line, size_t searched)
{
    struct protocol_rules rules = {.mode = mode, .max_line = max_line, .prefix = PROTOCOL_PREFIX};
    struct protocol_answer answer;
    enum protocol_verdict verdict =
        protocol_next(&rules, input, any_between(0, 1) == 1, &searched, &answer);

    if (verdict == PROTOCOL_INCOMPLETE) {
        //@ assert searched <= input.length && searched <= max_line + 1;
    } else {
        //@ assert 1 <= answer.consumed <= input.length;
        //@ assert \valid_read(answer.prefix.bytes + (0 .. answer.prefix.length - 1));
        //@ assert \valid_read(answer.body.bytes + (0 .. answer.body.length - 1));
        //@ assert \valid_read(answer.text.bytes + (0 .. answer.text.length - 1));
    }
}

void prove_protocol(void)
{
    ending_length((struct span){NULL, 0}); /* which protocol_next() never asks */
    for (size_t length = 0; length <= LENGTH; length++) {
        for (size_t place = 0; place <= length; place++) {
            struct span input = {input_with_newline(length, place), length};

            answer(PROTOCOL_ECHO, input, 1, 0);
            answer(PROTOCOL_CHUNK, input, 1, 0);
            answer((enum protocol_mode)(PROTOCOL_CHUNK + 1), input, 1, 0);
            for (size_t max_line = 1; max_line <= LINE; max_line++) {
                for (size_t searched = 0; searched <= place && searched <= max_line + 1; searched++)
                    answer(PROTOCOL_LINE, input, max_line, searched);
            }
            free((void *)input.bytes);
        }
    }
}
