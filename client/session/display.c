#include "display.h"

#include <stdio.h>
#include <string.h>

#include "editor/markup.h"
#include "text.h"

enum { ROW = 16 };

/* The length of the incomplete end, which is held back: a carriage return, a cut character, or
 * both. */
static size_t held_back(const char *bytes, size_t length)
{
    size_t cut = text_utf8_cut(bytes, length);

    return cut + (cut < length && bytes[length - cut - 1] == '\r' ? 1 : 0);
}

/* The length of a line ending at the start; 0 if there is none. */
static size_t line_ending(const char *bytes, size_t length)
{
    if (bytes[0] == '\n')
        return 1;
    return length > 1 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
}

static const char dimmed = MARKUP_DIM;
static const char normal = MARKUP_NORMAL;

static bool append_line(struct buffer *out, const char *stamp, const char *bytes, size_t length)
{
    bool ok = buffer_append(out, stamp, strlen(stamp)) && buffer_append(out, "< ", 2);
    bool dim = false;

    while (ok && length > 0) {
        char shown[TEXT_ESCAPE_MAX];
        size_t shown_length;
        bool escaped;
        size_t consumed = text_escape_next(bytes, length, shown, &shown_length, &escaped);

        if (escaped != dim)
            ok = buffer_append(out, escaped ? &dimmed : &normal, 1);
        dim = escaped;
        ok = ok && buffer_append(out, shown, shown_length);
        bytes += consumed;
        length -= consumed;
    }
    if (dim)
        ok = ok && buffer_append(out, &normal, 1);
    return ok && buffer_append(out, "\n", 1);
}

static bool append_lines(struct buffer *out, const char *stamp, const char *bytes, size_t length)
{
    bool ok = true;

    while (ok && length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        size_t ending = newline == NULL ? 0 : line > 1 && newline[-1] == '\r' ? 2 : 1;

        ok = append_line(out, stamp, bytes, line - ending);
        bytes += line;
        length -= line;
    }
    return ok;
}

/* "00000010  68 65 6c 6c 6f 0a                                 |hello.|" */
static bool append_row(struct display *display, struct buffer *out, const char *stamp,
                       const char *bytes, size_t length)
{
    char row[16 + 3 * ROW + ROW + 8];
    char text[ROW + 1];
    size_t filled =
        (size_t)snprintf(row, sizeof row, "%08llx ", (unsigned long long)display->offset);

    for (size_t i = 0; i < ROW; i++) {
        unsigned char byte = i < length ? (unsigned char)bytes[i] : ' ';

        filled += (size_t)snprintf(row + filled, sizeof row - filled, i == ROW / 2 ? "  " : " ");
        filled +=
            (size_t)snprintf(row + filled, sizeof row - filled, i < length ? "%02x" : "  ", byte);
        text[i] = (char)(byte >= 0x20 && byte < 0x7F ? byte : '.');
    }
    text[length] = '\0';
    snprintf(row + filled, sizeof row - filled, "  |%s|\n", text);
    display->offset += length;
    return buffer_append(out, stamp, strlen(stamp)) && buffer_append(out, "< ", 2) &&
           buffer_append(out, row, strlen(row));
}

static bool append_dump(struct display *display, struct buffer *out, const char *stamp,
                        const char *bytes, size_t length)
{
    bool ok = true;

    while (ok && length > 0) {
        size_t row = length < ROW ? length : ROW;

        ok = append_row(display, out, stamp, bytes, row);
        bytes += row;
        length -= row;
    }
    return ok;
}

/* Shows everything except the incomplete end, which is held back. */
static bool append_complete(struct display *display, struct buffer *out, const char *stamp,
                            const char *bytes, size_t length)
{
    size_t held = held_back(bytes, length);
    size_t ending = 0;

    memcpy(display->held, bytes + length - held, held);
    display->held_length = held;
    length -= held;
    if (length == 0)
        return true;
    if (display->unended)
        ending = line_ending(bytes, length);
    display->unended = bytes[length - 1] != '\n';
    return append_lines(out, stamp, bytes + ending, length - ending);
}

bool display_received(struct display *display, struct buffer *out, const char *stamp,
                      const char *bytes, size_t length)
{
    struct buffer joined = {NULL};

    if (display->hex)
        return append_dump(display, out, stamp, bytes, length);
    if (display->held_length == 0)
        return append_complete(display, out, stamp, bytes, length);
    /* The bytes held back come first. */
    bool ok = buffer_append(&joined, display->held, display->held_length) &&
              buffer_append(&joined, bytes, length) &&
              append_complete(display, out, stamp, buffer_bytes(&joined), buffer_length(&joined));

    buffer_clear(&joined);
    return ok;
}

bool display_end(struct display *display, struct buffer *out, const char *stamp)
{
    size_t length = display->held_length;

    display->held_length = 0;
    return length == 0 || append_lines(out, stamp, display->held, length);
}
