#include "line_editor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "character_width.h"

/* Puts text in at the cursor, which goes behind it. Returns false, with nothing changed, when
 * memory is refused. */
static bool insert(struct line_editor *editor, const char *text, size_t length)
{
    if (editor->capacity - editor->length < length) {
        size_t capacity = 2 * editor->capacity + length + 64;
        char *larger = realloc(editor->text, capacity);

        if (larger == NULL)
            return false;
        editor->text = larger;
        editor->capacity = capacity;
    }
    memmove(editor->text + editor->cursor + length, editor->text + editor->cursor,
            editor->length - editor->cursor);
    memcpy(editor->text + editor->cursor, text, length);
    editor->length += length;
    editor->cursor += length;
    return true;
}

/* Takes the bytes from `start` to `end` out; the cursor goes to where they were. */
static void erase(struct line_editor *editor, size_t start, size_t end)
{
    if (end > start)
        memmove(editor->text + start, editor->text + end, editor->length - end);
    editor->length -= end - start;
    editor->cursor = start;
}

static size_t left_of(const struct line_editor *editor, size_t place)
{
    return place > 0 ? character_before(editor->text, place) : 0;
}

/* The cursor may stand within a character, behind a part of it that was typed: so from the front.
 */
static size_t right_of(const struct line_editor *editor, size_t place)
{
    size_t end = 0;
    size_t columns;

    while (end <= place && end < editor->length)
        end += character_length(editor->text + end, editor->length - end, &columns);
    return end;
}

/* Words are what stands between spaces and tabs. */
static bool is_space(const struct line_editor *editor, size_t place)
{
    return editor->text[place] == ' ' || editor->text[place] == '\t';
}

static size_t word_left_of(const struct line_editor *editor, size_t place)
{
    while (place > 0 && is_space(editor, place - 1))
        place--;
    while (place > 0 && !is_space(editor, place - 1))
        place--;
    return place;
}

static size_t word_right_of(const struct line_editor *editor, size_t place)
{
    while (place < editor->length && is_space(editor, place))
        place++;
    while (place < editor->length && !is_space(editor, place))
        place++;
    return place;
}

/* Makes `line` the text, with the cursor at its end. */
static bool show(struct line_editor *editor, const struct line *line)
{
    size_t length = editor->length;
    size_t cursor = editor->cursor;

    /* Behind the old text first, which then goes: a refusal of memory leaves it as it was. */
    editor->cursor = length;
    if (line->length > 0 && !insert(editor, line->text, line->length)) {
        editor->cursor = cursor;
        return false;
    }
    erase(editor, 0, length);
    editor->cursor = editor->length;
    return true;
}

static bool copy_line(struct line *copy, const char *text, size_t length)
{
    copy->text = malloc(length > 0 ? length : 1);
    copy->length = length;
    if (copy->text != NULL && length > 0)
        memcpy(copy->text, text, length);
    return copy->text != NULL;
}

/* Shows the line that is `recalled` steps back. */
static enum line_editor_event recall(struct line_editor *editor, size_t recalled)
{
    bool from_draft = editor->recalled == 0;

    if (recalled > editor->history_count)
        return LINE_EDITOR_NOTHING;
    if (from_draft && !copy_line(&editor->draft, editor->text, editor->length))
        return LINE_EDITOR_NOTHING;
    if (!show(editor,
              recalled > 0 ? &editor->history[editor->history_count - recalled] : &editor->draft)) {
        if (from_draft)
            free(editor->draft.text);
        return LINE_EDITOR_NOTHING;
    }
    editor->recalled = recalled;
    if (recalled == 0)
        free(editor->draft.text);
    return LINE_EDITOR_CHANGED;
}

static enum line_editor_event move(struct line_editor *editor, size_t place)
{
    editor->cursor = place;
    return LINE_EDITOR_CHANGED;
}

static enum line_editor_event kill(struct line_editor *editor, size_t start, size_t end)
{
    erase(editor, start, end);
    return LINE_EDITOR_CHANGED;
}

enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key)
{
    size_t cursor = editor->cursor;

    switch (key->kind) {
    case KEY_TEXT:
        return insert(editor, key->text, key->length) ? LINE_EDITOR_CHANGED : LINE_EDITOR_NOTHING;
    case KEY_ENTER:
        return LINE_EDITOR_LINE;
    case KEY_BACKSPACE:
        return kill(editor, left_of(editor, cursor), cursor);
    case KEY_DELETE:
        return kill(editor, cursor, right_of(editor, cursor));
    case KEY_LEFT:
        return move(editor, left_of(editor, cursor));
    case KEY_RIGHT:
        return move(editor, right_of(editor, cursor));
    case KEY_WORD_LEFT:
        return move(editor, word_left_of(editor, cursor));
    case KEY_WORD_RIGHT:
        return move(editor, word_right_of(editor, cursor));
    case KEY_HOME:
        return move(editor, 0);
    case KEY_END:
        return move(editor, editor->length);
    case KEY_UP:
        return recall(editor, editor->recalled + 1);
    case KEY_DOWN:
        return editor->recalled > 0 ? recall(editor, editor->recalled - 1) : LINE_EDITOR_NOTHING;
    case KEY_KILL_TO_END:
        return kill(editor, cursor, editor->length);
    case KEY_KILL_TO_START:
        return kill(editor, 0, cursor);
    case KEY_KILL_WORD:
        return kill(editor, word_left_of(editor, cursor), cursor);
    case KEY_CLEAR_SCREEN:
        return LINE_EDITOR_CLEAR_SCREEN;
    case KEY_END_OF_INPUT:
        return editor->length == 0 ? LINE_EDITOR_END : LINE_EDITOR_NOTHING;
    case KEY_HANG_UP:
        return LINE_EDITOR_END;
    case KEY_OTHER:
        break;
    }
    return LINE_EDITOR_NOTHING;
}

/* Puts the line into the history; where memory is refused, it is not remembered. */
static void remember(struct line_editor *editor)
{
    const struct line *last =
        &editor->history[editor->history_count > 0 ? editor->history_count - 1 : 0];
    struct line line;

    if (editor->length == 0)
        return;
    if (editor->history_count > 0 && last->length == editor->length &&
        memcmp(last->text, editor->text, editor->length) == 0)
        return;
    if (!copy_line(&line, editor->text, editor->length))
        return;
    if (editor->history_count == LINE_EDITOR_HISTORY) {
        free(editor->history[0].text);
        memmove(editor->history, editor->history + 1,
                sizeof editor->history - sizeof editor->history[0]);
        editor->history_count--;
    }
    editor->history[editor->history_count++] = line;
}

void line_editor_next(struct line_editor *editor)
{
    remember(editor);
    if (editor->recalled > 0)
        free(editor->draft.text);
    editor->recalled = 0;
    editor->length = 0;
    editor->cursor = 0;
}

void line_editor_clear(struct line_editor *editor)
{
    for (size_t i = 0; i < editor->history_count; i++)
        free(editor->history[i].text);
    if (editor->recalled > 0)
        free(editor->draft.text);
    free(editor->text);
    memset(editor, 0, sizeof *editor);
}

struct line_editor_view line_editor_view(const struct line_editor *editor, size_t columns)
{
    size_t behind = right_of(editor, editor->cursor);
    size_t width;
    size_t used = 0;
    struct line_editor_view view = {0, 0};

    /* The cursor stands on a character, or behind the last one. */
    if (editor->cursor == editor->length)
        columns = columns > 0 ? columns - 1 : 0;

    /* From the front as far as it fits; what does not fit before the cursor's character pushes the
     * start along. */
    for (size_t next = 0; next < editor->length;) {
        next += character_length(editor->text + next, editor->length - next, &width);
        if (next > behind && used + width > columns)
            break;
        used += width;
        view.end = next;
        while (used > columns) {
            size_t start = view.start + character_length(editor->text + view.start,
                                                         editor->length - view.start, &width);

            /* The cursor's character is wider than all columns. */
            if (start > editor->cursor)
                return (struct line_editor_view){editor->cursor, editor->cursor};
            view.start = start;
            used -= width;
        }
    }
    return view;
}
