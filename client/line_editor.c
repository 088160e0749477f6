#include "line_editor.h"

#include <string.h>

/* Where the character before `end` begins. */
static size_t character_before(const struct line_editor *editor, size_t end)
{
    size_t start = end - 1;

    while (start > 0 && ((unsigned char)editor->text[start] & 0xC0) == 0x80)
        start--;
    return start;
}

enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key)
{
    switch (key->kind) {
    case KEY_TEXT:
        if (editor->length + key->length > LINE_EDITOR_MAX)
            return LINE_EDITOR_NOTHING;
        memcpy(editor->text + editor->length, key->text, key->length);
        editor->length += key->length;
        return LINE_EDITOR_CHANGED;
    case KEY_BACKSPACE:
        if (editor->length == 0)
            return LINE_EDITOR_NOTHING;
        editor->length = character_before(editor, editor->length);
        return LINE_EDITOR_CHANGED;
    case KEY_KILL_LINE:
        line_editor_clear(editor);
        return LINE_EDITOR_CHANGED;
    case KEY_ENTER:
        return LINE_EDITOR_LINE;
    case KEY_END_OF_INPUT:
        return editor->length == 0 ? LINE_EDITOR_END : LINE_EDITOR_NOTHING;
    case KEY_HANG_UP:
        return LINE_EDITOR_END;
    case KEY_OTHER:
        break;
    }
    return LINE_EDITOR_NOTHING;
}

void line_editor_clear(struct line_editor *editor)
{
    editor->length = 0;
}

/* The most columns that a character takes: two for those of East Asia, which are among those of
 * three or four bytes, and up to the next multiple of eight for a tab. */
static size_t width(const char *character, size_t length)
{
    return *character == '\t' ? 8 : length >= 3 ? 2 : 1;
}

size_t line_editor_visible(const struct line_editor *editor, size_t columns)
{
    size_t start = editor->length;

    while (start > 0) {
        size_t before = character_before(editor, start);
        size_t needed = width(editor->text + before, start - before);

        if (needed > columns)
            break;
        columns -= needed;
        start = before;
    }
    return start;
}
