/* Fuzzes what is typed: key decoder, line editor and its drawing on the model of a screen. The keys
 * do not depend on how their bytes came, and what is drawn fits its row. */
#include <stdbool.h>
#include <string.h>

#include "editor/line_editor.h"
#include "fuzz.h"
#include "screen_model.h"
#include "terminal/key_decoder.h"
#include "text.h"

static void check_row(const struct line_editor *editor, size_t columns)
{
    static struct screen_model screen;
    struct line_editor_row row = {.cursor = 0};

    MUST(line_editor_render(editor, columns, &row));
    const char *text = buffer_bytes(&row.text);
    size_t length = buffer_length(&row.text);

    bool ascii = true;

    MUST(row.cursor <= length);
    for (size_t i = 0; i < length; i++) {
        MUST((unsigned char)text[i] >= 0x20 && text[i] != 0x7F);
        ascii = ascii && (unsigned char)text[i] < 0x80;
    }
    /* The model knows nothing of combining characters. */
    if (ascii) {
        screen_model_begin(&screen, columns, false);
        MUST(screen_model_write(&screen, text, length) == length);
        MUST(screen.row == 0 && screen.column <= columns);
    }
    struct line_editor_place place = line_editor_wrapped_place(&row, row.cursor, 7);

    MUST(place.column <= 7);
    buffer_clear(&row.text);
}

/* Decodes all of the bytes, which come in pieces of this size, and gives the keys to an editor.
 * Returns a sum of the keys. */
static uint64_t type(const char *bytes, size_t length, size_t piece, size_t columns, bool draw)
{
    struct key_decoder decoder = {.quoting = false};
    struct line_editor *editor = calloc(1, sizeof *editor);
    uint64_t sum = 0;
    size_t start = 0, come = 0;

    MUST(editor != NULL);
    while (come < length) {
        come += piece < length - come ? piece : length - come;
        /* In memory of its own: a sanitizer sees what is read beyond it. */
        size_t waiting = come - start, done = 0, used;
        char *copy = malloc(waiting);

        MUST(copy != NULL);
        memcpy(copy, bytes + start, waiting);
        for (struct key key; done < waiting && (used = key_decoder_next(&decoder, copy + done,
                                                                        waiting - done, &key)) > 0;
             done += used) {
            MUST(used <= waiting - done);
            MUST(key.kind != KEY_TEXT || (key.length > 0 && key.length <= sizeof key.text));
            sum = (sum ^ (uint64_t)key.kind) * 1099511628211U;
            for (size_t i = 0; key.kind == KEY_TEXT && i < key.length; i++)
                sum = (sum ^ (unsigned char)key.text[i]) * 1099511628211U;
            enum line_editor_event event = line_editor_key(editor, &key);

            MUST(editor->cursor <= editor->length);
            if (event == LINE_EDITOR_LINE)
                line_editor_next(editor);
            if (draw && event == LINE_EDITOR_CHANGED)
                check_row(editor, columns);
        }
        MUST(waiting - done < KEY_DECODER_MAX || done > 0);
        start += done;
        free(copy);
    }
    line_editor_clear(editor);
    free(editor);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length < 3 || length > 4096)
        return 0;
    const char *bytes = (const char *)input + 2;
    size_t columns = 1 + input[0] % SCREEN_MODEL_COLUMNS;
    uint64_t whole = type(bytes, length - 2, length, columns, true);

    MUST(type(bytes, length - 2, 1 + input[1] % 7, columns, false) == whole);
    return 0;
}
