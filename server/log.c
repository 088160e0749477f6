#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os.h"
#include "stream.h"
#include "text.h"

enum {
    TIME_LENGTH = 20, /* including its comma */
    LINE_MAX_LENGTH = TIME_LENGTH + LOG_TEXT_MAX + 256
};
_Static_assert(LINE_MAX_LENGTH <= (int)LOG_BUFFER, "an empty buffer has room for any line");

/* Adds one line with its time to the buffer, if there is room. */
static bool append(struct log *log, const char *text, size_t length)
{
    char *line = log->lines + log->length;

    if (LOG_BUFFER - log->length < TIME_LENGTH + length + 1)
        return false;
    os_local_time(line);
    line[TIME_LENGTH - 1] = ',';
    memcpy(line + TIME_LENGTH, text, length);
    line[TIME_LENGTH + length] = '\n';
    log->length += TIME_LENGTH + length + 1;
    return true;
}

/* Reports how many lines were dropped, if there is room. */
static void append_dropped(struct log *log)
{
    char line[96];

    int length = snprintf(line, sizeof line,
                          "%lu log line%s dropped: stderr is read too slowly, or its disk is full",
                          log->dropped, text_plural(log->dropped));

    if (append(log, line, (size_t)length))
        log->dropped = 0;
}

/* Writes as many of the lines as the reader, or the disk, takes. */
static void write_lines(struct log *log)
{
    size_t written = 0;

    while (written < log->length) {
        ptrdiff_t n = stream_write(STREAM_ERROR, log->lines + written, log->length - written);

        /* On a full disk, too, the rest of a line must come before anything else. */
        if (n == 0 || n == STREAM_FULL)
            break;
        /* Without a reader there is no use in keeping the lines. */
        written = n == STREAM_BROKEN ? log->length : written + (size_t)n;
    }
    log->length -= written;
    if (written > 0)
        memmove(log->lines, log->lines + written, log->length);
}

bool log_flush(struct log *log)
{
    write_lines(log);
    /* Only once there is room for other lines, too: otherwise these reports would fill the
     * buffer. */
    if (log->dropped > 0 && LOG_BUFFER - log->length >= LINE_MAX_LENGTH) {
        append_dropped(log);
        write_lines(log);
    }
    return log->length == 0;
}

static void add_line(struct log *log, const char *text, size_t length)
{
    /* While lines are being dropped, only the end of a round tries to write again. */
    if (log->dropped == 0 && LOG_BUFFER - log->length < LINE_MAX_LENGTH)
        log_flush(log);
    if (log->dropped > 0 || !append(log, text, length))
        log->dropped++;
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (log->level < level)
        return;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_line(log, text, length < (int)sizeof text ? (size_t)length : sizeof text - 1);
}

void log_message(struct log *log, const struct net_address *peer, const void *message,
                 size_t length)
{
    char address[NET_ADDRESS_TEXT];
    char line[LINE_MAX_LENGTH - TIME_LENGTH];
    size_t written;

    if (log->level == LOG_FAILURES)
        return;
    size_t filled = (size_t)snprintf(line, sizeof line,
                                     "Recv From Client[%s]:", net_address_text(peer, address));
    size_t shown = text_escape(message, length, line + filled, LOG_TEXT_MAX + 1, &written);

    filled += written;
    if (shown < length)
        filled += (size_t)snprintf(line + filled, sizeof line - filled, "... (%zu bytes)", length);
    add_line(log, line, filled);
}
