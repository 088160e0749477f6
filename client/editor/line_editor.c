#include "line_editor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "line_history.h"
#include "line_text.h"

static enum line_editor_event changed_if(bool changed)
{
    return changed ? LINE_EDITOR_CHANGED : LINE_EDITOR_NOTHING;
}

static enum line_editor_event move(struct line_editor *editor, size_t place)
{
    editor->cursor = place;
    return LINE_EDITOR_CHANGED;
}

/* Erases text and keeps it for Ctrl-Y. */
static enum line_editor_event kill(struct line_editor *editor, size_t start, size_t end)
{
    struct line killed;

    if (start == end)
        return LINE_EDITOR_CHANGED;
    if (!line_text_copy(&killed, editor->text + start, end - start))
        return LINE_EDITOR_NOTHING;
    if (!line_text_erase(editor, start, end)) {
        free(killed.text);
        return LINE_EDITOR_NOTHING;
    }
    free(editor->killed.text);
    editor->killed = killed;
    return LINE_EDITOR_CHANGED;
}

static enum line_editor_event yank(struct line_editor *editor)
{
    const struct line *killed = &editor->killed;

    return changed_if(killed->text != NULL &&
                      line_text_insert(editor, killed->text, killed->length, false));
}

/* Swaps the characters around the cursor, or the last two at the end, as Emacs does. */
static enum line_editor_event transpose(struct line_editor *editor)
{
    size_t end = line_text_right_of(editor, editor->cursor);
    size_t middle = line_text_left_of(editor, end);
    size_t start = line_text_left_of(editor, middle);

    return changed_if(start < middle && line_text_swap(editor, start, middle, end));
}

/*
 * Whether two carriage returns are one line ending. tmux turns line feeds into carriage returns, so
 * that CR LF becomes two, in every line ending of the paste. If there is only one pair, it counts
 * as an empty line, which matters more (it ends an HTTP request).
 */
static bool has_paired_returns(const char *text, size_t length)
{
    size_t groups = 0;

    for (size_t i = 0; i < length; i++) {
        size_t start = i;

        while (i < length && text[i] == '\r')
            i++;
        if ((i - start) % 2 == 1 || (i < length && text[i] == '\n'))
            return false;
        groups += i > start;
    }
    return groups > 1;
}

/* Copies text with each line ending as one line feed; returns the length of the copy. */
static size_t copy_with_line_feeds(char *copy, const char *text, size_t length)
{
    bool pairs = has_paired_returns(text, length);
    size_t copied = 0;

    for (size_t i = 0; i < length; i++) {
        char byte = text[i];

        if (byte == '\r') {
            byte = '\n';
            if (i + 1 < length && (text[i + 1] == '\n' || (pairs && text[i + 1] == '\r')))
                i++;
        }
        copy[copied++] = byte;
    }
    return copied;
}

static enum line_editor_event begin_paste(struct line_editor *editor)
{
    editor->pasting = true;
    editor->paste_refused = false;
    return LINE_EDITOR_NOTHING;
}

static enum line_editor_event collect_paste(struct line_editor *editor, const struct key *key)
{
    if (!buffer_append(&editor->paste, key->text, key->length))
        editor->paste_refused = true;
    return LINE_EDITOR_NOTHING;
}

/* Inserts the paste into the line as one change. */
static enum line_editor_event end_paste(struct line_editor *editor)
{
    size_t length = buffer_length(&editor->paste);
    char *text = length > 0 && !editor->paste_refused ? malloc(length) : NULL;
    bool inserted = false;

    if (text != NULL) {
        length = copy_with_line_feeds(text, buffer_bytes(&editor->paste), length);
        inserted = line_text_insert(editor, text, length, false);
    }
    free(text);
    buffer_clear(&editor->paste);
    editor->pasting = false;
    return changed_if(inserted);
}

/* Handles a key during a search; false if it does not belong to the search. */
static bool search_key(struct line_editor *editor, const struct key *key,
                       enum line_editor_event *event)
{
    *event = LINE_EDITOR_CHANGED;
    switch (key->kind) {
    case KEY_TEXT:
        *event = changed_if(line_history_extend_pattern(editor, key->text, key->length));
        return true;
    case KEY_BACKSPACE:
        line_history_shorten_pattern(editor);
        return true;
    case KEY_SEARCH:
        *event = changed_if(line_history_search_older(editor));
        return true;
    case KEY_CANCEL:
        editor->searching = false;
        return true;
    case KEY_CLEAR_SCREEN:
        *event = LINE_EDITOR_CLEAR_SCREEN;
        return true;
    case KEY_QUOTE:
    case KEY_OTHER:
        *event = LINE_EDITOR_NOTHING;
        return true;
    default:
        return false;
    }
}

/* Handles a key outside of a search and a paste. */
static enum line_editor_event edit_key(struct line_editor *editor, const struct key *key)
{
    size_t cursor = editor->cursor;
    bool typing = editor->typing;

    editor->typing = key->kind == KEY_TEXT || (typing && key->kind == KEY_QUOTE);
    switch (key->kind) {
    case KEY_TEXT:
        if (line_text_insert(editor, key->text, key->length, typing))
            return LINE_EDITOR_CHANGED;
        editor->typing = typing;
        return LINE_EDITOR_NOTHING;
    case KEY_ENTER:
        return LINE_EDITOR_LINE;
    case KEY_BACKSPACE:
        return changed_if(line_text_erase(editor, line_text_left_of(editor, cursor), cursor));
    case KEY_DELETE_OR_END:
        if (editor->length == 0)
            return LINE_EDITOR_END;
        return changed_if(line_text_erase(editor, cursor, line_text_right_of(editor, cursor)));
    case KEY_DELETE:
        return changed_if(line_text_erase(editor, cursor, line_text_right_of(editor, cursor)));
    case KEY_LEFT:
        return move(editor, line_text_left_of(editor, cursor));
    case KEY_RIGHT:
        return move(editor, line_text_right_of(editor, cursor));
    case KEY_WORD_LEFT:
        return move(editor, line_text_word_left_of(editor, cursor));
    case KEY_WORD_RIGHT:
        return move(editor, line_text_word_right_of(editor, cursor));
    case KEY_HOME:
        return move(editor, 0);
    case KEY_END:
        return move(editor, editor->length);
    case KEY_UP:
        return changed_if(line_history_recall(editor, editor->recalled + 1));
    case KEY_DOWN:
        return changed_if(editor->recalled > 0 &&
                          line_history_recall(editor, editor->recalled - 1));
    case KEY_FIRST:
        return changed_if(editor->history_count > 0 &&
                          line_history_recall(editor, editor->history_count));
    case KEY_LAST:
        return changed_if(editor->recalled > 0 && line_history_recall(editor, 0));
    case KEY_SEARCH:
        line_history_begin_search(editor);
        return LINE_EDITOR_CHANGED;
    case KEY_KILL_TO_END:
        return kill(editor, cursor, editor->length);
    case KEY_KILL_TO_START:
        return kill(editor, 0, cursor);
    case KEY_KILL_WORD:
        return kill(editor, line_text_word_left_of(editor, cursor), cursor);
    case KEY_KILL_WORD_BEFORE:
        return kill(editor, line_text_letters_left_of(editor, cursor), cursor);
    case KEY_KILL_WORD_AFTER:
        return kill(editor, cursor, line_text_letters_right_of(editor, cursor));
    case KEY_YANK:
        return yank(editor);
    case KEY_TRANSPOSE:
        return transpose(editor);
    case KEY_UNDO:
        return changed_if(line_text_undo(editor));
    case KEY_PASTE_BEGIN:
        return begin_paste(editor);
    case KEY_PASTE_END:
        return LINE_EDITOR_NOTHING;
    case KEY_CLEAR_SCREEN:
        return LINE_EDITOR_CLEAR_SCREEN;
    case KEY_END_OF_INPUT:
        return editor->length == 0 ? LINE_EDITOR_END : LINE_EDITOR_NOTHING;
    case KEY_CANCEL:
    case KEY_QUOTE:
    case KEY_OTHER:
        break;
    }
    return LINE_EDITOR_NOTHING;
}

enum line_editor_event line_editor_key(struct line_editor *editor, const struct key *key)
{
    /* The event of a search or paste that the key ends. */
    enum line_editor_event before = LINE_EDITOR_NOTHING;
    enum line_editor_event event;

    if (editor->searching) {
        if (search_key(editor, key, &event))
            return event;
        if (!line_history_end_search(editor))
            return LINE_EDITOR_NOTHING;
        before = LINE_EDITOR_CHANGED; /* at least the prompt has changed */
    } else if (editor->pasting) {
        if (key->kind == KEY_TEXT)
            return collect_paste(editor, key);
        before = end_paste(editor);
    }
    event = edit_key(editor, key);
    return event != LINE_EDITOR_NOTHING ? event : before;
}

void line_editor_next(struct line_editor *editor)
{
    line_history_remember(editor);
    if (editor->recalled > 0)
        free(editor->draft.text);
    editor->recalled = 0;
    line_text_set(editor, NULL, 0);
}

void line_editor_clear(struct line_editor *editor)
{
    for (size_t i = 0; i < editor->history_count; i++)
        free(editor->history[i].text);
    if (editor->recalled > 0)
        free(editor->draft.text);
    line_text_set(editor, NULL, 0);
    buffer_clear(&editor->paste);
    free(editor->killed.text);
    free(editor->text);
    memset(editor, 0, sizeof *editor);
}
