#include "protocol_model.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "Message received - ";
static const char too_long[] = "Message too long\n";

void protocol_model_add(struct protocol_model *model, const char *bytes, size_t length)
{
    if (length > model->size - model->length)
        abort();
    if (length > 0)
        memcpy(model->bytes + model->length, bytes, length);
    model->length += length;
}

static size_t ending(const char *message, size_t length)
{
    if (length == 0 || message[length - 1] != '\n')
        return 0;
    return length > 1 && message[length - 2] == '\r' ? 2 : 1;
}

void protocol_model_message(struct protocol_model *model, const char *message, size_t length)
{
    if (length - ending(message, length) == 4 && memcmp(message, "quit", 4) == 0)
        model->end = "quit";
    else
        protocol_model_add(model, prefix, sizeof prefix - 1);
    protocol_model_add(model, message, length);
}

/* Answers the first line. Returns its length. */
static size_t answer_line(struct protocol_model *model, const char *bytes, size_t left, bool at_end,
                          size_t max_line)
{
    const char *newline = memchr(bytes, '\n', left);
    size_t line = newline != NULL ? (size_t)(newline - bytes) + 1 : left;
    size_t text = line - ending(bytes, line);
    /* Without its end, a line may still fit if its last byte can be part of the ending. */
    bool may_end = newline == NULL && !at_end && text == max_line + 1 && bytes[text - 1] == '\r';

    if (text > max_line && !may_end) {
        protocol_model_add(model, too_long, sizeof too_long - 1);
        model->end = "line too long";
    } else if (newline != NULL || at_end) {
        protocol_model_message(model, bytes, line);
    }
    return line;
}

void protocol_model_lines(struct protocol_model *model, const char *bytes, size_t length,
                          bool at_end, size_t max_line)
{
    for (size_t done = 0; done < length && model->end == NULL;)
        done += answer_line(model, bytes + done, length - done, at_end, max_line);
}
