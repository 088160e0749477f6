#include "line_history.h"

#include <stdlib.h>
#include <string.h>

#include "character_width.h"
#include "line_text.h"
#include "text.h"

bool line_history_recall(struct line_editor *editor, size_t steps)
{
    if (steps > editor->history_count)
        return false;
    if (editor->recalled == 0 && !line_text_copy(&editor->draft, editor->text, editor->length))
        return false;
    const struct line *line =
        steps > 0 ? &editor->history[editor->history_count - steps] : &editor->draft;

    line_text_set(editor, line->text, line->length);
    editor->recalled = steps;
    if (steps == 0)
        free(editor->draft.text);
    return true;
}

void line_history_remember(struct line_editor *editor)
{
    const struct line *last =
        &editor->history[editor->history_count > 0 ? editor->history_count - 1 : 0];
    struct line line;

    if (editor->length == 0)
        return;
    if (editor->history_count > 0 && last->length == editor->length &&
        memcmp(last->text, editor->text, editor->length) == 0)
        return;
    if (!line_text_copy(&line, editor->text, editor->length))
        return;
    if (editor->history_count == LINE_EDITOR_HISTORY) {
        free(editor->history[0].text);
        memmove(editor->history, editor->history + 1,
                sizeof editor->history - sizeof editor->history[0]);
        editor->history_count--;
    }
    editor->history[editor->history_count++] = line;
}

void line_history_begin_search(struct line_editor *editor)
{
    editor->searching = true;
    editor->search_failed = false;
    editor->pattern_length = 0;
    editor->found = 0;
}

/* The end of the code point, or of the malformed byte, at `place`. */
static size_t next_code_point(const struct line *line, size_t place)
{
    size_t length = text_utf8_length(line->text + place, line->length - place);

    return place + (length > 0 ? length : 1);
}

/* Searches for the pattern in the line `steps` back and in older ones. Places within a code point
 * are skipped, because the cursor cannot be there. */
static void search(struct line_editor *editor, size_t steps)
{
    for (; steps <= editor->history_count; steps++) {
        const struct line *line = &editor->history[editor->history_count - steps];

        for (size_t place = 0; place + editor->pattern_length <= line->length;
             place = next_code_point(line, place)) {
            if (memcmp(line->text + place, editor->pattern, editor->pattern_length) != 0)
                continue;
            editor->found = steps;
            editor->found_place = place;
            editor->search_failed = false;
            return;
        }
    }
    editor->search_failed = true;
}

bool line_history_extend_pattern(struct line_editor *editor, const char *text, size_t length)
{
    if (LINE_EDITOR_PATTERN - editor->pattern_length < length)
        return false;
    memcpy(editor->pattern + editor->pattern_length, text, length);
    editor->pattern_length += length;
    search(editor, editor->found > 0 ? editor->found : 1);
    return true;
}

void line_history_shorten_pattern(struct line_editor *editor)
{
    if (editor->pattern_length > 0)
        editor->pattern_length = character_before(editor->pattern, editor->pattern_length);
    editor->found = 0;
    editor->search_failed = false;
    if (editor->pattern_length > 0)
        search(editor, 1);
}

bool line_history_search_older(struct line_editor *editor)
{
    if (editor->pattern_length == 0)
        return false;
    search(editor, editor->found + 1);
    return true;
}

bool line_history_end_search(struct line_editor *editor)
{
    if (editor->found > 0) {
        if (!line_history_recall(editor, editor->found))
            return false;
        editor->cursor = editor->found_place;
    }
    editor->searching = false;
    return true;
}
