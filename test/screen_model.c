#include "screen_model.h"

#include <string.h>

#include "text.h"

static const struct screen_model_cell blank = {" ", false};

static void erase_row(struct screen_model *screen, size_t row, size_t column)
{
    for (; column < SCREEN_MODEL_COLUMNS; column++)
        screen->cells[row][column] = blank;
    screen->goes_on[row] = false;
}

static void erase_all(struct screen_model *screen)
{
    for (size_t row = 0; row < SCREEN_MODEL_ROWS; row++)
        erase_row(screen, row, 0);
}

/* From the cursor on; behind a full row it stands on the last character. */
static void erase_rest(struct screen_model *screen)
{
    size_t last = screen->columns - 1;

    erase_row(screen, screen->row, screen->column < last ? screen->column : last);
    for (size_t row = screen->row + 1; row < SCREEN_MODEL_ROWS; row++)
        erase_row(screen, row, 0);
}

void screen_model_begin(struct screen_model *screen, size_t columns, bool dumb)
{
    memset(screen, 0, sizeof *screen);
    screen->columns = columns;
    screen->dumb = dumb;
    erase_all(screen);
}

/* At the lower end everything moves up. */
static void new_row(struct screen_model *screen)
{
    if (screen->row + 1 < SCREEN_MODEL_ROWS) {
        screen->row++;
        return;
    }
    memmove(screen->cells, screen->cells + 1, sizeof screen->cells - sizeof screen->cells[0]);
    memmove(screen->goes_on, screen->goes_on + 1, sizeof screen->goes_on - sizeof(bool));
    erase_row(screen, screen->row, 0);
}

/* Puts a character where the cursor stands; one of three or four bytes takes two columns, as those
 * of East Asia do. */
static void put(struct screen_model *screen, const char *character, size_t length)
{
    struct screen_model_cell none = {"", screen->dim};
    struct screen_model_cell cell = none;
    size_t width = length >= 3 ? 2 : 1;

    memcpy(cell.character, character, length);
    if (screen->column + width > screen->columns) {
        if (screen->column < screen->columns)
            screen->cells[screen->row][screen->column] = none;
        screen->goes_on[screen->row] = true;
        screen->column = 0;
        new_row(screen);
    }
    screen->cells[screen->row][screen->column++] = cell;
    if (width == 2)
        screen->cells[screen->row][screen->column++] = none;
}

/* ESC [, perhaps a number, and the letter that says what to do. */
static size_t obey_sequence(struct screen_model *screen, const char *bytes, size_t length)
{
    static const char brackets[] = "\x1B[?2004";
    size_t end = 2, number = 0;

    if (length >= sizeof brackets && memcmp(bytes, brackets, sizeof brackets - 1) == 0) {
        screen->brackets_pastes = bytes[sizeof brackets - 1] == 'h';
        return sizeof brackets;
    }
    if (length < sizeof brackets && memcmp(bytes, brackets, length) == 0)
        return 0;
    while (end < length && bytes[end] >= '0' && bytes[end] <= '9')
        number = 10 * number + (size_t)(bytes[end++] - '0');
    if (end >= length)
        return 0;
    if (bytes[1] == '[' && bytes[end] == 'A') {
        number = number > 0 ? number : 1;
        screen->row -= number < screen->row ? number : screen->row;
    } else if (bytes[1] == '[' && bytes[end] == 'H' && number == 0) {
        screen->row = screen->column = 0;
    } else if (bytes[1] == '[' && bytes[end] == 'J' && number == 0) {
        erase_rest(screen);
    } else if (bytes[1] == '[' && bytes[end] == 'J' && number == 2) {
        erase_all(screen);
    } else if (bytes[1] == '[' && bytes[end] == 'm' && (number == 2 || number == 22)) {
        screen->dim = number == 2;
    } else {
        put(screen, "?", 1);
        return 1;
    }
    return end + 1;
}

/* Does what the first bytes say; returns how many that were, 0 when more has to come. */
static size_t obey(struct screen_model *screen, const char *bytes, size_t length)
{
    size_t character = text_utf8_length(bytes, length);

    if (*bytes == '\x1B' && !screen->dumb)
        return obey_sequence(screen, bytes, length);
    if (character == 0 && length < 4)
        return 0;
    if (*bytes == '\r')
        screen->column = 0;
    else if (*bytes == '\n')
        new_row(screen);
    else if (character == 0 || (unsigned char)*bytes < 0x20 || *bytes == 0x7F)
        put(screen, "?", 1);
    else
        put(screen, bytes, character);
    return character > 0 ? character : 1;
}

size_t screen_model_write(struct screen_model *screen, const char *bytes, size_t length)
{
    size_t done = 0, taken = 1;

    while (done < length && taken > 0) {
        taken = obey(screen, bytes + done, length - done);
        done += taken;
    }
    return done;
}

/* Columns of a row up to the last that is not blank. */
static size_t used(const struct screen_model *screen, size_t row)
{
    size_t columns = screen->columns;

    while (columns > 0 && strcmp(screen->cells[row][columns - 1].character, " ") == 0)
        columns--;
    return columns;
}

static size_t last_row(const struct screen_model *screen)
{
    size_t row = SCREEN_MODEL_ROWS - 1;

    while (row > screen->row && used(screen, row) == 0)
        row--;
    return row;
}

/* Puts a row of `old` behind what is there, and the cursor where it was in it. */
static void put_row(struct screen_model *screen, const struct screen_model *old, size_t row,
                    size_t *cursor_row, size_t *cursor_column)
{
    size_t cursor = row == old->row ? old->column : 0;
    size_t filled = old->goes_on[row] ? old->columns : used(old, row);
    size_t end = filled > cursor ? filled : cursor;

    for (size_t column = 0; column < end; column++) {
        const struct screen_model_cell *cell = &old->cells[row][column];
        size_t before = screen->column;

        screen->dim = cell->dim;
        if (*cell->character != '\0')
            put(screen, cell->character, strlen(cell->character));
        if (row == old->row && column == cursor) {
            *cursor_row = screen->row;
            *cursor_column = screen->column > before ? before : 0;
        }
    }
    if (row == old->row && cursor == end) {
        *cursor_row = screen->row;
        *cursor_column = screen->column;
    }
}

static void cut(struct screen_model *screen, size_t columns)
{
    for (size_t row = 0; row < SCREEN_MODEL_ROWS; row++) {
        for (size_t column = columns; column < SCREEN_MODEL_COLUMNS; column++)
            screen->cells[row][column] = blank;
    }
    screen->columns = columns;
    if (screen->column >= columns)
        screen->column = columns - 1;
}

void screen_model_resize(struct screen_model *screen, size_t columns)
{
    static struct screen_model old;
    size_t cursor_row = 0, cursor_column = 0;

    if (screen->cuts) {
        cut(screen, columns);
        return;
    }
    old = *screen;
    screen_model_begin(screen, columns, old.dumb);
    for (size_t row = 0; row <= last_row(&old); row++) {
        put_row(screen, &old, row, &cursor_row, &cursor_column);
        if (!old.goes_on[row] && row < last_row(&old)) {
            new_row(screen);
            screen->column = 0;
        }
    }
    screen->row = cursor_row;
    screen->column = cursor_column;
    screen->dim = old.dim;
}

void screen_model_text(const struct screen_model *screen, char text[SCREEN_MODEL_TEXT])
{
    bool dim = false;

    for (size_t row = 0; row <= last_row(screen); row++) {
        for (size_t column = 0; column < used(screen, row); column++) {
            const struct screen_model_cell *cell = &screen->cells[row][column];

            if (cell->dim != dim)
                *text++ = cell->dim ? '{' : '}';
            dim = cell->dim;
            strcpy(text, cell->character);
            text += strlen(text);
        }
        if (dim)
            *text++ = '}';
        dim = false;
        *text++ = '\n';
    }
    text[-1] = '\0';
}
