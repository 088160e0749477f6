#include "line_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "character_width.h"
#include "text.h"

bool line_text_copy(struct line *copy, const char *text, size_t length)
{
    copy->text = malloc(length > 0 ? length : 1);
    copy->length = length;
    if (copy->text != NULL && length > 0)
        memcpy(copy->text, text, length);
    return copy->text != NULL;
}

/* Reserves memory for `length` more bytes. Returns false, with nothing changed, when it is
 * refused. */
static bool reserve(struct line_editor *editor, size_t length)
{
    if (editor->capacity - editor->length >= length)
        return true;
    size_t capacity = 2 * editor->capacity + length + 64;
    char *larger = realloc(editor->text, capacity);

    if (larger == NULL)
        return false;
    editor->text = larger;
    editor->capacity = capacity;
    return true;
}

/* Replaces `removed` bytes at `place` with `length` bytes, for which there is room. */
static void replace(struct line_editor *editor, size_t place, size_t removed, const char *text,
                    size_t length)
{
    size_t tail = place + removed;

    if (editor->text == NULL)
        return;
    assert(editor->length - removed + length <= editor->capacity);
    memmove(editor->text + place + length, editor->text + tail, editor->length - tail);
    if (length > 0)
        memcpy(editor->text + place, text, length);
    editor->length = editor->length - removed + length;
    editor->cursor = place + length;
}

/* Drops the oldest `count` changes. */
static void drop_changes(struct line_editor *editor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(editor->changes[i].removed.text);
    editor->change_count -= count;
    memmove(editor->changes, editor->changes + count,
            editor->change_count * sizeof editor->changes[0]);
}

/* Drops the oldest changes if all of them together hold too many bytes. */
static void limit_changes(struct line_editor *editor)
{
    size_t bytes = 0;

    for (size_t i = editor->change_count; i-- > 0;) {
        bytes += editor->changes[i].removed.length;
        if (bytes > LINE_EDITOR_UNDO_BYTES && i + 1 < editor->change_count) {
            drop_changes(editor, i + 1);
            return;
        }
    }
}

/* Records a change before it is made: `inserted` bytes will replace `removed` ones. Returns false,
 * with nothing changed, when memory is refused. */
static bool record_change(struct line_editor *editor, size_t place, size_t removed, size_t inserted)
{
    struct line_change change = {.place = place, .inserted = inserted};

    if (removed > 0 && !line_text_copy(&change.removed, editor->text + place, removed))
        return false;
    if (editor->change_count == LINE_EDITOR_UNDO)
        drop_changes(editor, 1);
    editor->changes[editor->change_count++] = change;
    limit_changes(editor);
    return true;
}

size_t line_text_left_of(const struct line_editor *editor, size_t place)
{
    return place > 0 ? character_before(editor->text, place) : 0;
}

size_t line_text_right_of(const struct line_editor *editor, size_t place)
{
    const char *text = editor->text;
    size_t columns;

    if (place == editor->length)
        return place;
    size_t part = text_utf8_length(text + place, editor->length - place);
    size_t start = character_before(text, place + (part > 0 ? part : 1));

    return start + character_length(text + start, editor->length - start, &columns);
}

static bool is_space(const struct line_editor *editor, size_t place)
{
    char byte = editor->text[place];

    return byte == ' ' || byte == '\t' || byte == '\n';
}

size_t line_text_word_left_of(const struct line_editor *editor, size_t place)
{
    while (place > 0 && is_space(editor, place - 1))
        place--;
    while (place > 0 && !is_space(editor, place - 1))
        place--;
    return place;
}

size_t line_text_word_right_of(const struct line_editor *editor, size_t place)
{
    while (place < editor->length && is_space(editor, place))
        place++;
    while (place < editor->length && !is_space(editor, place))
        place++;
    return place;
}

static bool is_letter(const struct line_editor *editor, size_t place)
{
    unsigned char byte = (unsigned char)editor->text[place];

    return byte >= 0x80 || (byte >= '0' && byte <= '9') ||
           ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

size_t line_text_letters_left_of(const struct line_editor *editor, size_t place)
{
    while (place > 0 && !is_letter(editor, place - 1))
        place--;
    while (place > 0 && is_letter(editor, place - 1))
        place--;
    return place;
}

size_t line_text_letters_right_of(const struct line_editor *editor, size_t place)
{
    while (place < editor->length && !is_letter(editor, place))
        place++;
    while (place < editor->length && is_letter(editor, place))
        place++;
    return place;
}

bool line_text_insert(struct line_editor *editor, const char *text, size_t length, bool typing)
{
    if (!reserve(editor, length))
        return false;
    if (typing && editor->change_count > 0)
        editor->changes[editor->change_count - 1].inserted += length;
    else
        record_change(editor, editor->cursor, 0, length); /* without a copy, so without memory */
    replace(editor, editor->cursor, 0, text, length);
    return true;
}

bool line_text_erase(struct line_editor *editor, size_t start, size_t end)
{
    if (end > start && !record_change(editor, start, end - start, 0))
        return false;
    replace(editor, start, end - start, NULL, 0);
    return true;
}

bool line_text_swap(struct line_editor *editor, size_t start, size_t middle, size_t end)
{
    if (!record_change(editor, start, end - start, end - start))
        return false;
    const char *old = editor->changes[editor->change_count - 1].removed.text;

    memcpy(editor->text + start, old + (middle - start), end - middle);
    memcpy(editor->text + start + (end - middle), old, middle - start);
    editor->cursor = end;
    return true;
}

bool line_text_undo(struct line_editor *editor)
{
    if (editor->change_count == 0)
        return false;
    struct line_change *last = &editor->changes[editor->change_count - 1];

    replace(editor, last->place, last->inserted, last->removed.text, last->removed.length);
    free(last->removed.text);
    editor->change_count--;
    return true;
}

void line_text_set(struct line_editor *editor, const char *text, size_t length)
{
    replace(editor, 0, editor->length, text, length);
    drop_changes(editor, editor->change_count);
}
