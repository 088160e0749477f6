#include "protocol.h"

#include <string.h>

static const struct span too_long = {"Message too long\n", sizeof "Message too long\n" - 1};
static const char quit[] = "quit";

/* The length of a message's line ending: 2 for "\r\n", 1 for "\n", 0 for none. */
static size_t ending_length(struct span message)
{
    if (message.length == 0 || message.bytes[message.length - 1] != '\n')
        return 0;
    return message.length > 1 && message.bytes[message.length - 2] == '\r' ? 2 : 1;
}

/* Answers a complete message of line or chunk mode. */
static enum protocol_verdict answer_message(const struct protocol_rules *rules, struct span message,
                                            struct protocol_answer *answer)
{
    struct span text = {message.bytes, message.length - ending_length(message)};
    bool is_quit = text.length == sizeof quit - 1 && memcmp(text.bytes, quit, text.length) == 0;

    *answer = (struct protocol_answer){.body = message, .text = text, .consumed = message.length};
    if (is_quit)
        return PROTOCOL_QUIT;
    answer->prefix = rules->prefix;
    return PROTOCOL_ANSWER;
}

static enum protocol_verdict reject_line(size_t consumed, struct protocol_answer *answer)
{
    *answer = (struct protocol_answer){.prefix = too_long, .consumed = consumed};
    return PROTOCOL_TOO_LONG;
}

static enum protocol_verdict next_line(const struct protocol_rules *rules, struct span input,
                                       bool at_end, size_t *searched,
                                       struct protocol_answer *answer)
{
    size_t max_line = rules->max_line;
    /* A line within the limit has its \n in these bytes, two of which may be the ending. */
    size_t limit = input.length < max_line + 2 ? input.length : max_line + 2;
    const char *newline = memchr(input.bytes + *searched, '\n', limit - *searched);
    struct span line = {input.bytes, newline != NULL ? (size_t)(newline - input.bytes) + 1 : limit};

    if (newline == NULL && !at_end) {
        /* The first byte over the limit may be the \r of an ending. */
        bool may_fit =
            limit <= max_line || (limit == max_line + 1 && input.bytes[max_line] == '\r');

        *searched = limit;
        return may_fit ? PROTOCOL_INCOMPLETE : reject_line(limit, answer);
    }
    *searched = 0;
    if (line.length - ending_length(line) > max_line)
        return reject_line(line.length, answer);
    return answer_message(rules, line, answer);
}

enum protocol_verdict protocol_next(const struct protocol_rules *rules, struct span input,
                                    bool at_end, size_t *searched, struct protocol_answer *answer)
{
    if (input.length == 0)
        return PROTOCOL_INCOMPLETE;
    switch (rules->mode) {
    case PROTOCOL_ECHO:
        *answer = (struct protocol_answer){.body = input, .text = input, .consumed = input.length};
        return PROTOCOL_ANSWER;
    case PROTOCOL_LINE:
        return next_line(rules, input, at_end, searched, answer);
    case PROTOCOL_CHUNK:
        break;
    }
    return answer_message(rules, input, answer);
}
