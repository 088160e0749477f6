#include "dialogue.h"

#include <stdio.h>
#include <string.h>

#include "os.h"
#include "report.h"
#include "stream.h"

enum {
    STAMP = 48,
    READ_LIMIT = 64 * 1024 /* bytes of lines per call, so that the socket gets its turn; more than
                              one read of keys yields on POSIX */
};

/* Appends a finished line to `lines`. */
static enum dialogue_verdict take_line(struct dialogue *dialogue, struct buffer *lines,
                                       const char *text, size_t length)
{
    const char *eol = dialogue->options->eol != NULL ? dialogue->options->eol : "\n";

    dialogue->line_sent = os_nanoseconds();
    if (!buffer_append(lines, text, length) || !buffer_append(lines, eol, strlen(eol)))
        return DIALOGUE_FAILED;
    return length == 4 && memcmp(text, "quit", 4) == 0 ? DIALOGUE_QUIT : DIALOGUE_GOES_ON;
}

/* The same for each line of a text, except what follows the last line feed. `*taken` is set to the
 * length of those lines. */
static enum dialogue_verdict take_lines(struct dialogue *dialogue, struct buffer *lines,
                                        const char *text, size_t length, size_t *taken)
{
    enum dialogue_verdict verdict = DIALOGUE_GOES_ON;
    const char *end;

    *taken = 0;
    while (verdict == DIALOGUE_GOES_ON && *taken < length &&
           (end = memchr(text + *taken, '\n', length - *taken)) != NULL) {
        verdict = take_line(dialogue, lines, text + *taken, (size_t)(end - text) - *taken);
        *taken = (size_t)(end - text) + 1;
    }
    return verdict;
}

/* Takes the finished line of the editor, which stays on the screen. */
static enum dialogue_verdict take_typed_line(struct dialogue *dialogue, struct buffer *lines)
{
    struct line_editor *editor = &dialogue->editor;
    size_t taken;

    screen_finish_line(dialogue->screen, editor);
    enum dialogue_verdict verdict =
        take_lines(dialogue, lines, editor->text, editor->length, &taken);

    /* A paste that ended with a line feed is complete. */
    if (verdict == DIALOGUE_GOES_ON && (taken == 0 || taken < editor->length))
        verdict = take_line(dialogue, lines, editor->text + taken, editor->length - taken);
    line_editor_next(editor);
    return verdict;
}

/* If the terminal edits lines, each read returns one, or a part of one that was too long or in
 * which the end-of-input key was pressed. */
static enum dialogue_verdict read_lines(struct dialogue *dialogue, struct buffer *lines)
{
    struct buffer *begun = &dialogue->begun;
    char bytes[4096];
    size_t taken;
    ptrdiff_t n = stream_read(bytes, sizeof bytes);

    if (n == STREAM_BROKEN)
        return DIALOGUE_GONE;
    if (n == STREAM_END)
        return buffer_append(lines, buffer_bytes(begun), buffer_length(begun)) ? DIALOGUE_ENDED
                                                                               : DIALOGUE_FAILED;
    if (!buffer_append(begun, bytes, (size_t)n))
        return DIALOGUE_FAILED;
    enum dialogue_verdict verdict =
        take_lines(dialogue, lines, buffer_bytes(begun), buffer_length(begun), &taken);

    buffer_consume(begun, taken);
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
    return DIALOGUE_GOES_ON;
}

enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines)
{
    enum dialogue_verdict verdict = DIALOGUE_GOES_ON;
    struct key key;

    if (!terminal_takes_keys(dialogue->terminal))
        return read_lines(dialogue, lines);
    while (verdict == DIALOGUE_GOES_ON && buffer_length(lines) < READ_LIMIT) {
        switch (terminal_key(dialogue->terminal, &key)) {
        case TERMINAL_KEY:
            verdict = take_key(dialogue, lines, &key);
            break;
        case TERMINAL_NO_KEY:
            return verdict;
        case TERMINAL_GONE:
            return DIALOGUE_GONE;
        }
    }
    return verdict;
}

/* The prefix of each line of an answer: nothing, or the time and, once a line has been sent, the
 * milliseconds since the last one. */
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
                 (double)(os_nanoseconds() - dialogue->line_sent) / 1e6);
    snprintf(stamp, STAMP, "%s %s", clock, since);
}

static bool print(struct dialogue *dialogue, bool made, struct buffer *text)
{
    bool ok = made && screen_print(dialogue->screen, buffer_bytes(text), buffer_length(text));

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
    buffer_clear(&dialogue->begun);
}
