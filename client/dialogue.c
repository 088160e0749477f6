#include "dialogue.h"

#include <stdio.h>
#include <string.h>

#include "os.h"
#include "report.h"

enum {
    STAMP = 48,
    ENOUGH = 64 * 1024 /* bytes of lines after which the socket has its turn; more than one read of
                          keys on POSIX makes */
};

/* A line is finished: it goes to `lines`. */
static enum dialogue_verdict take_line(struct dialogue *dialogue, struct buffer *lines,
                                       const char *text, size_t length)
{
    const char *eol = dialogue->options->eol;

    dialogue->line_sent = os_nanoseconds();
    if (!buffer_append(lines, text, length) || !buffer_append(lines, eol, strlen(eol)))
        return DIALOGUE_FAILED;
    return length == 4 && memcmp(text, "quit", 4) == 0 ? DIALOGUE_QUIT : DIALOGUE_GOES_ON;
}

/* The line of the editor is finished, and stays on the screen as it is. */
static enum dialogue_verdict take_typed_line(struct dialogue *dialogue, struct buffer *lines)
{
    struct line_editor *editor = &dialogue->editor;

    screen_show_line(dialogue->screen, editor);
    screen_finish_line(dialogue->screen);
    enum dialogue_verdict verdict = take_line(dialogue, lines, editor->text, editor->length);

    line_editor_next(editor);
    return verdict;
}

/* Where the terminal edits the line, each read gives one, or a part of one that was too long or
 * behind which the key for the end of input was pressed. */
static enum dialogue_verdict read_lines(struct dialogue *dialogue, struct buffer *lines)
{
    struct buffer *begun = &dialogue->begun;
    char bytes[4096], error[OS_ERROR_TEXT];
    enum dialogue_verdict verdict = DIALOGUE_GOES_ON;
    ptrdiff_t n = terminal_read(dialogue->terminal, bytes, sizeof bytes, error);
    const char *end;

    if (n < 0)
        return buffer_append(lines, buffer_bytes(begun), buffer_length(begun)) ? DIALOGUE_ENDED
                                                                               : DIALOGUE_FAILED;
    if (!buffer_append(begun, bytes, (size_t)n))
        return DIALOGUE_FAILED;
    while (verdict == DIALOGUE_GOES_ON && buffer_length(begun) > 0 &&
           (end = memchr(buffer_bytes(begun), '\n', buffer_length(begun))) != NULL) {
        size_t length = (size_t)(end - buffer_bytes(begun));

        verdict = take_line(dialogue, lines, buffer_bytes(begun), length);
        buffer_consume(begun, length + 1);
    }
    return verdict;
}

enum dialogue_verdict dialogue_read(struct dialogue *dialogue, struct buffer *lines)
{
    enum dialogue_verdict verdict = DIALOGUE_GOES_ON;
    struct key key;

    if (!terminal_takes_keys(dialogue->terminal))
        return read_lines(dialogue, lines);
    while (verdict == DIALOGUE_GOES_ON && buffer_length(lines) < ENOUGH &&
           terminal_key(dialogue->terminal, &key)) {
        switch (line_editor_key(&dialogue->editor, &key)) {
        case LINE_EDITOR_LINE:
            verdict = take_typed_line(dialogue, lines);
            break;
        case LINE_EDITOR_END:
            verdict = DIALOGUE_ENDED;
            break;
        case LINE_EDITOR_CLEAR_SCREEN:
            screen_clear(dialogue->screen);
            break;
        case LINE_EDITOR_CHANGED:
        case LINE_EDITOR_NOTHING:
            break;
        }
    }
    return verdict;
}

/* What stands before each line of an answer: nothing, or the time and, once a line has been sent,
 * the milliseconds since the last one was. */
static void write_stamp(const struct dialogue *dialogue, char stamp[STAMP])
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
    bool good = made && screen_print(dialogue->screen, buffer_bytes(text), buffer_length(text));

    buffer_clear(text);
    return good;
}

bool dialogue_show(struct dialogue *dialogue, const char *bytes, size_t length)
{
    struct buffer text = {NULL};
    char stamp[STAMP];

    write_stamp(dialogue, stamp);
    return print(dialogue, display_received(&dialogue->display, &text, stamp, bytes, length),
                 &text);
}

bool dialogue_show_rest(struct dialogue *dialogue)
{
    struct buffer text = {NULL};
    char stamp[STAMP];

    screen_hide_line(dialogue->screen);
    write_stamp(dialogue, stamp);
    return print(dialogue, display_end(&dialogue->display, &text, stamp), &text);
}

void dialogue_hide_line(struct dialogue *dialogue)
{
    screen_hide_line(dialogue->screen);
}

void dialogue_show_line(struct dialogue *dialogue)
{
    screen_show_line(dialogue->screen, &dialogue->editor);
}

void dialogue_clear(struct dialogue *dialogue)
{
    line_editor_clear(&dialogue->editor);
    buffer_clear(&dialogue->begun);
}
