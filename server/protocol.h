/*
 * protocol: pure. What the server answers to what it receives, in the three modes of
 * docs/protocol.md. No I/O, no clock, no memory of its own: an answer is a fixed text and a part of
 * the input, so nothing is copied here.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum protocol_mode {
    PROTOCOL_ECHO, /* RFC 862: every byte comes back */
    PROTOCOL_LINE, /* each line is a message */
    PROTOCOL_CHUNK /* each input is a message, whatever TCP made of it */
};

struct protocol_rules {
    enum protocol_mode mode;
    size_t max_line; /* line mode: bytes of a line without its ending */
};

enum protocol_verdict {
    PROTOCOL_INCOMPLETE, /* there is no whole message yet; nothing is consumed */
    PROTOCOL_ANSWER,     /* one message, to be answered */
    PROTOCOL_QUIT,       /* as PROTOCOL_ANSWER; then the connection ends */
    PROTOCOL_TOO_LONG    /* a line over max_line, to be answered; then the connection ends */
};

struct span {
    const char *bytes;
    size_t length;
};

struct protocol_answer {
    struct span prefix; /* the answer is this fixed text, */
    struct span body;   /* and this part of the input after it */
    struct span text;   /* the message without its line ending, a part of the input; for the log */
    size_t consumed;    /* bytes of the input that are dealt with */
};

/*
 * Looks at the first message of what has been received and not consumed yet, `length` bytes, and
 * says in `answer` how to answer it (not touched when it is incomplete). `at_end`: the peer will
 * send nothing more, so in line mode a rest without line ending is a message too.
 * `*searched` is how many bytes of the input are known to hold no line ending: 0 at first, then
 * kept by the caller along with the input that an incomplete message leaves, so that a line that
 * comes byte by byte is searched only once.
 */
enum protocol_verdict protocol_next(const struct protocol_rules *rules, struct span input,
                                    bool at_end, size_t *searched, struct protocol_answer *answer);

#endif
