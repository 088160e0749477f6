/*
 * protocol: pure. The server's answers to its input in the three modes of docs/protocol.md. No I/O,
 * no clock, no memory: an answer is a fixed text and a part of the input, so nothing is copied
 * here.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum protocol_mode {
    PROTOCOL_ECHO, /* RFC 862: every byte comes back */
    PROTOCOL_LINE, /* each line is a message */
    PROTOCOL_CHUNK /* each recv() is a message, wherever TCP has split the stream */
};

struct span {
    const char *bytes;
    size_t length;
};

struct protocol_rules {
    enum protocol_mode mode;
    size_t max_line;    /* line mode: bytes of a line without its ending; at most 2^30 */
    struct span prefix; /* line and chunk mode: what stands before each message in its answer */
};

/* Initializes the prefix, unless another one is asked for. */
#define PROTOCOL_PREFIX                                                                            \
    {                                                                                              \
        "Message received - ", sizeof "Message received - " - 1                                    \
    }

enum protocol_verdict {
    PROTOCOL_INCOMPLETE, /* no complete message yet; nothing is consumed */
    PROTOCOL_ANSWER,     /* one message to answer */
    PROTOCOL_QUIT,       /* as PROTOCOL_ANSWER; then the connection ends */
    PROTOCOL_TOO_LONG    /* a line longer than max_line, to answer; then the connection ends */
};

struct protocol_answer {
    struct span prefix; /* the answer is this fixed text ... */
    struct span body;   /* ... and this part of the input */
    struct span text;   /* the message without its line ending, a part of the input; for the log */
    size_t consumed;    /* bytes of the input that are done with */
};

/*
 * Finds the first message in `input`, which has been received and not consumed yet. Fills in
 * `answer`, unless the message is incomplete. `at_end`: the peer sends nothing more, so in line
 * mode a rest without line ending is a message, too.
 *
 * `*searched` is the number of bytes of the input that are known to have no line ending, 0 at
 * first. The caller keeps it together with the input that an incomplete message leaves, so that a
 * line that arrives byte by byte is searched only once.
 */
/*@ requires \valid_read(input.bytes + (0 .. input.length - 1));
    requires rules->max_line <= 1 << 30;
    requires *searched <= input.length && *searched <= rules->max_line + 1; */
enum protocol_verdict protocol_next(const struct protocol_rules *rules, struct span input,
                                    bool at_end, size_t *searched, struct protocol_answer *answer);

#endif
