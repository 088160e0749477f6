#include <stdint.h>
#include <string.h>

#include "character_width.h"
#include "line_editor.h"
#include "text.h"

/* The line to draw: the one being typed, or the one found by a search. */
struct shown {
    const char *text;
    size_t length;
    size_t cursor;
};

static struct shown shown_line(const struct line_editor *editor)
{
    if (editor->searching && editor->found > 0) {
        const struct line *line = &editor->history[editor->history_count - editor->found];

        return (struct shown){line->text, line->length, editor->found_place};
    }
    return (struct shown){editor->text != NULL ? editor->text : "", editor->length, editor->cursor};
}

/* Writes the first code point or byte as it is shown; returns how many bytes were consumed. */
static size_t render_next(const char *bytes, size_t length, char out[TEXT_ESCAPE_MAX],
                          size_t *written, size_t *columns)
{
    unsigned char first = (unsigned char)bytes[0];
    bool escaped;
    size_t used_bytes;

    *columns = 1;
    if (first < 0x20 || first == 0x7F) {
        *written = *columns = first == '\t' ? 1 : 2;
        out[0] = first == '\t' ? ' ' : '^';
        out[1] = (char)(first ^ 0x40);
        return 1;
    }
    used_bytes = text_escape_next(bytes, length, out, written, &escaped);
    if (escaped)
        *columns = *written;
    else if (first >= 0x80)
        *columns = (size_t)character_width(text_code_point(bytes, used_bytes));
    return used_bytes;
}

static size_t columns_of(const char *bytes, size_t length)
{
    char out[TEXT_ESCAPE_MAX];
    size_t all = 0;

    while (length > 0) {
        size_t written, columns;
        size_t used_bytes = render_next(bytes, length, out, &written, &columns);

        all += columns;
        bytes += used_bytes;
        length -= used_bytes;
    }
    return all;
}

static bool append(struct buffer *text, const char *bytes, size_t length)
{
    char out[1024];
    size_t filled = 0;

    while (length > 0) {
        size_t written, columns;
        size_t used_bytes = render_next(bytes, length, out + filled, &written, &columns);

        filled += written;
        bytes += used_bytes;
        length -= used_bytes;
        if (sizeof out - filled < TEXT_ESCAPE_MAX || length == 0) {
            if (!buffer_append(text, out, filled))
                return false;
            filled = 0;
        }
    }
    return true;
}

/* The part of the line that is visible in `columns` columns: from `*start` to the returned end. */
static size_t view(const struct shown *line, size_t columns, size_t *start)
{
    const char *text = line->text;
    size_t first = line->cursor; /* the start of the character at the cursor */
    size_t end = first;          /* the end of that character */
    size_t used;
    size_t unused;

    if (line->cursor < line->length) {
        size_t code = text_utf8_length(text + first, line->length - first);

        first = character_before(text, first + (code > 0 ? code : 1));
        end = first + character_length(text + first, line->length - first, &unused);
    } else {
        columns--; /* the cursor is after the last character */
    }
    *start = first;
    /* The text before and after the cursor is drawn separately, even within one character: bytes
     * that were typed one by one may have joined there. */
    used = columns_of(text + first, line->cursor - first) +
           columns_of(text + line->cursor, end - line->cursor);
    if (used > columns) {
        *start = line->cursor;
        return line->cursor;
    }
    while (*start > 0) {
        size_t before = character_before(text, *start);
        size_t width = columns_of(text + before, *start - before);

        if (used + width > columns)
            break;
        used += width;
        *start = before;
    }
    while (end < line->length) {
        size_t length = character_length(text + end, line->length - end, &unused);
        size_t width = columns_of(text + end, length);

        if (used + width > columns)
            break;
        used += width;
        end += length;
    }
    return end;
}

/* Appends the prompt. During a search it includes the pattern. */
static bool append_prompt(const struct line_editor *editor, struct buffer *text)
{
    const char *begin = editor->search_failed ? "(failed search '" : "(search '";

    if (!editor->searching)
        return buffer_append(text, "> ", 2);
    return buffer_append(text, begin, strlen(begin)) &&
           append(text, editor->pattern, editor->pattern_length) && buffer_append(text, "'): ", 4);
}

/* Removes characters from the front until the text takes `max` columns or fewer; returns its
 * columns. */
static size_t cut_to(struct buffer *text, size_t max)
{
    const char *bytes = buffer_bytes(text);
    size_t length = buffer_length(text);
    size_t used = 0;
    size_t columns;

    for (size_t place = 0; place < length; used += columns)
        place += character_length(bytes + place, length - place, &columns);
    for (; used > max; used -= columns)
        buffer_consume(text, character_length(buffer_bytes(text), buffer_length(text), &columns));
    return used;
}

bool line_editor_render(const struct line_editor *editor, size_t columns,
                        struct line_editor_row *row)
{
    struct shown line = shown_line(editor);
    struct buffer text = {NULL};
    bool ok = append_prompt(editor, &text);
    size_t start = 0;
    size_t end = line.length;
    size_t cursor = 0;

    if (columns != SIZE_MAX) {
        /* One column is left for a character after the prompt, and one stays free. */
        size_t prompt = cut_to(&text, columns > 2 ? columns - 2 : 0);

        end = view(&line, columns > prompt + 1 ? columns - prompt - 1 : 1, &start);
    }
    ok = ok && append(&text, line.text + start, line.cursor - start);

    cursor = buffer_length(&text);
    ok = ok && append(&text, line.text + line.cursor, end - line.cursor);
    size_t before = buffer_length(&row->text);

    ok = ok && buffer_append(&row->text, buffer_bytes(&text), buffer_length(&text));
    if (ok)
        row->cursor = before + cursor;
    buffer_clear(&text);
    return ok;
}

struct line_editor_place line_editor_wrapped_place(const struct line_editor_row *row, size_t byte,
                                                   size_t columns)
{
    const char *bytes = buffer_bytes(&row->text);
    size_t length = buffer_length(&row->text);
    struct line_editor_place place = {0, 0};

    for (size_t at = 0; at < length;) {
        size_t width;
        size_t next = at + character_length(bytes + at, length - at, &width);

        if (place.column + width > columns)
            place = (struct line_editor_place){place.row + 1, 0};
        if (at >= byte)
            break;
        place.column += width;
        at = next;
    }
    return place;
}
