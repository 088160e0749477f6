#include "protocol.h"

#include <string.h>

static const struct span received = {"Message received - ", sizeof "Message received - " - 1};
static const struct span too_long = {"Message too long\n", sizeof "Message too long\n" - 1};
static const char quit[] = "quit";

/* How many bytes at the end of a message are its line ending: "\r\n", "\n" or none. */
static size_t ending_length(struct span message)
{
    if (message.length == 0 || message.bytes[message.length - 1] != '\n')
        return 0;
    return message.length > 1 && message.bytes[message.length - 2] == '\r' ? 2 : 1;
}

/* Answers a whole message of line or chunk mode. */
static enum protocol_verdict answer_message(struct span message, struct protocol_answer *answer)
{
    struct span text = {message.bytes, message.length - ending_length(message)};
    bool is_quit = text.length == sizeof quit - 1 && memcmp(text.bytes, quit, text.length) == 0;

    *answer = (struct protocol_answer){.body = message, .text = text, .consumed = message.length};
    if (is_quit)
        return PROTOCOL_QUIT;
    answer->prefix = received;
    return PROTOCOL_ANSWER;
}

static enum protocol_verdict refuse_line(size_t consumed, struct protocol_answer *answer)
{
    *answer = (struct protocol_answer){.prefix = too_long, .consumed = consumed};
    return PROTOCOL_TOO_LONG;
}

static enum protocol_verdict next_line(size_t max_line, struct span input, bool at_end,
                                       size_t *searched, struct protocol_answer *answer)
{
    /* A line that fits has its \n among these bytes, two of which may be the ending. */
    size_t reach = input.length < max_line + 2 ? input.length : max_line + 2;
    const char *newline = memchr(input.bytes + *searched, '\n', reach - *searched);
    struct span line = {input.bytes, newline != NULL ? (size_t)(newline - input.bytes) + 1 : reach};

    if (newline == NULL && !at_end) {
        /* One byte over the limit may still be the \r of an ending. */
        bool may_fit =
            reach <= max_line || (reach == max_line + 1 && input.bytes[max_line] == '\r');

        *searched = reach;
        return may_fit ? PROTOCOL_INCOMPLETE : refuse_line(reach, answer);
    }
    *searched = 0;
    if (line.length - ending_length(line) > max_line)
        return refuse_line(line.length, answer);
    return answer_message(line, answer);
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
        return next_line(rules->max_line, input, at_end, searched, answer);
    case PROTOCOL_CHUNK:
        return answer_message(input, answer);
    }
    return PROTOCOL_INCOMPLETE;
}
