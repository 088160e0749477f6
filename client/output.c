#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t GRACE = 1000000000; /* nanoseconds for a reader, after a request to stop */
enum { PAUSE = 10 };                     /* milliseconds, of these */

/* Waits for room; false once the reader has been waited for long enough. */
static bool wait_for_room(struct output *output)
{
    if (os_wait_for_room(OS_STDOUT, output->stop, -1))
        return true;
    if (output->deadline == 0)
        output->deadline = os_nanoseconds() + GRACE;
    if (os_nanoseconds() >= output->deadline) {
        output->given_up = true;
        return false;
    }
    os_wait_for_room(OS_STDOUT, OS_NO_SOCKET, PAUSE);
    return true;
}

bool output_write(struct output *output, const char *text, size_t length)
{
    while (length > 0 && !output->given_up) {
        ptrdiff_t n = os_write(OS_STDOUT, text, length);

        if (n < 0)
            output->broken = true;
        if (n < 0 || (n == 0 && !wait_for_room(output)))
            break;
        text += n;
        length -= (size_t)n;
    }
    return !output->broken;
}

void output_print(struct output *output, const char *format, ...)
{
    char text[OUTPUT_PIECE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!buffer_append(&output->text, text, strlen(text)))
        output->broken = true;
}

bool output_flush(struct output *output)
{
    bool good = output_write(output, buffer_bytes(&output->text), buffer_length(&output->text));

    buffer_clear(&output->text);
    return good;
}

bool output_finish(struct output *output)
{
    output_flush(output);
    if (!output->broken && !output->given_up)
        return true;
    fprintf(stderr, "echo-client: cannot write to standard output\n");
    return false;
}
