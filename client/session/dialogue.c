#include "dialogue.h"

#include <stdio.h>
#include <string.h>

#include "os.h"
#include "report.h"
#include "stream.h"

enum {
    STAMP = 48,
    /* Bytes of lines per call, so that the socket gets its turn. On POSIX, keys that have been read
     * but not handled wait for further input, so this is more than one read of typed keys
     * yields. */
    READ_LIMIT = 64 * 1024
};

/* Appends a finished line to `lines`. */
static enum dialogue_verdict take_line(struct dialogue *dialogue, struct buffer *lines,
                                       const char *text, size_t length)
{
    const char *eol = dialogue->options->eol != NULL ? dialogue->options->eol : "\n";

    dialogue->line_sent = os_nanoseconds();
    if (!buffer_append(lines, text, length) || !buffer_append(lines, eol, strlen(eol)))
        return DIALOGUE_FAILED;
    return length == 4 && memcmp(text, "quit", 4) == 0 ? DIALOGUE_QUIT : DIALOGUE_CONTINUE;
}

/* Appends each line of a text that ends with a line feed. Sets `*consumed` to the length of these
 * lines with their line feeds. */
static enum dialogue_verdict take_lines(struct dialogue *dialogue, struct buffer *lines,
                                        const char *text, size_t length, size_t *consumed)
{
    enum dialogue_verdict verdict = DIALOGUE_CONTINUE;
    const char *end;

    *consumed = 0;
    while (verdict == DIALOGUE_CONTINUE && *consumed < length &&
           (end = memchr(text + *consumed, '\n', length - *consumed)) != NULL) {
        verdict = take_line(dialogue, lines, text + *consumed, (size_t)(end - text) - *consumed);
        *consumed = (size_t)(end - text) + 1;
    }
    return verdict;
}

/* Appends the finished line of the editor, and leaves it on the screen. */
static enum dialogue_verdict take_typed_line(struct dialogue *dialogue, struct buffer *lines)
{
    struct line_editor *editor = &dialogue->editor;
    size_t consumed;

    screen_finish_line(dialogue->screen, editor);
    enum dialogue_verdict verdict =
        take_lines(dialogue, lines, editor->text, editor->length, &consumed);

    /* A paste that ends with a line feed leaves no further line. */
    if (verdict == DIALOGUE_CONTINUE && (consumed == 0 || consumed < editor->length))
        verdict = take_line(dialogue, lines, editor->text + consumed, editor->length - consumed);
    line_editor_next(editor);
    return verdict;
}

/* Reads from a terminal that edits lines. Each read returns a line, or a part of one that is too
 * long or in which the end-of-input key was pressed. */
static enum dialogue_verdict read_lines(struct dialogue *dialogue, struct buffer *lines)
{
    struct buffer *partial_line = &dialogue->partial_line;
    char bytes[4096];
    size_t consumed;
    ptrdiff_t n = stream_read(bytes, sizeof bytes);

    if (n == STREAM_BROKEN)
        return DIALOGUE_HANGUP;
    if (n == STREAM_END)
        return buffer_append(lines, buffer_bytes(partial_line), buffer_length(partial_line))
                   ? DIALOGUE_ENDED
                   : DIALOGUE_FAILED;
    if (!buffer_append(partial_line, bytes, (size_t)n))
        return DIALOGUE_FAILED;
    enum dialogue_verdict verdict = take_lines(dialogue, lines, buffer_bytes(partial_line),
                                               buffer_length(partial_line), &consumed);

    buffer_consume(partial_line, consumed);
    return verdict;
}

static enum dialogue_verdict take_key(struct dialogue *dialogue, struct buffer *lines,
                                      const struct key *key)
{
    switch (line_editor_key(&dialogue->editor, key)) {
    case LINE_EDITOR_LINE:
        return take_typed_line(dialogue, lines);
    case LINE_EDITOR_END:
        return DIALOGUE_ENDED;
    case LINE_EDITOR_CLEAR_SCREEN:
        screen_clear(dialogue->screen);
        break;
    case LINE_EDITOR_CHANGED:
    case LINE_EDITOR_NOTHING:
        break;
    }
    return DIALOGUE_CONTINUE;
}

enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines)
{
    enum dialogue_verdict verdict = DIALOGUE_CONTINUE;
    struct key key;

    if (!terminal_takes_keys(dialogue->terminal))
        return read_lines(dialogue, lines);
    while (verdict == DIALOGUE_CONTINUE && buffer_length(lines) < READ_LIMIT) {
        switch (terminal_key(dialogue->terminal, &key)) {
        case TERMINAL_KEY:
            verdict = take_key(dialogue, lines, &key);
            break;
        case TERMINAL_NO_KEY:
            return verdict;
        case TERMINAL_HANGUP:
            return DIALOGUE_HANGUP;
        }
    }
    return verdict;
}

/* Writes the prefix of each displayed line: nothing, or the time and, once a line has been sent,
 * the milliseconds since then. */
static void format_stamp(const struct dialogue *dialogue, char stamp[STAMP])
{
    char clock[13];
    char since[REPORT_DURATION + 8] = "";

    stamp[0] = '\0';
    if (!dialogue->options->timestamps)
        return;
    os_local_clock(clock);
    if (dialogue->line_sent > 0)
        snprintf(since, sizeof since, "+%.3f ms ",
                 (double)(os_nanoseconds() - dialogue->line_sent) / (double)MILLISECONDS(1));
    snprintf(stamp, STAMP, "%s %s", clock, since);
}

/* Prints the text if it is complete, and clears it. */
static bool print(struct dialogue *dialogue, bool complete, struct buffer *text)
{
    bool ok = complete && screen_print(dialogue->screen, buffer_bytes(text), buffer_length(text));

    buffer_clear(text);
    return ok;
}

bool dialogue_show(struct dialogue *dialogue, const char *bytes, size_t length)
{
    struct buffer text = {NULL};
    char stamp[STAMP];

    format_stamp(dialogue, stamp);
    return print(dialogue, display_received(&dialogue->display, &text, stamp, bytes, length),
                 &text);
}

bool dialogue_show_rest(struct dialogue *dialogue)
{
    struct buffer text = {NULL};
    char stamp[STAMP];

    screen_hide_line(dialogue->screen);
    format_stamp(dialogue, stamp);
    return print(dialogue, display_end(&dialogue->display, &text, stamp), &text);
}

void dialogue_clear(struct dialogue *dialogue)
{
    line_editor_clear(&dialogue->editor);
    buffer_clear(&dialogue->partial_line);
}
