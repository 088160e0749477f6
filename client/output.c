#include "output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"

/* How long to wait for a slow reader after a request to stop. */
static const int64_t DRAIN_TIMEOUT = SECONDS(1);

/* How often to try a terminal in whose background this process is. */
static const int64_t BACKGROUND_RETRY = MILLISECONDS(100);

static void update_watch(struct output *output)
{
    bool wanted = output_length(output) > 0 && !output->held && !output->blocked;

    if (output->selector != NULL)
        selector_change(output->selector, &output->watch, wanted ? SELECTOR_WRITE : SELECTOR_NONE);
}

bool output_attach(struct output *output, struct selector *selector)
{
    os_socket s = stream_socket(output->stream);

    if (s == OS_NO_SOCKET)
        return true;
    if (!selector_add(selector, &output->watch, s, SELECTOR_NONE))
        return false;
    output->selector = selector;
    update_watch(output);
    return true;
}

void output_detach(struct output *output)
{
    if (output->selector != NULL)
        selector_remove(output->selector, &output->watch);
    output->selector = NULL;
}

int64_t output_next_retry(const struct output *output)
{
    if (output_length(output) == 0 || output->held)
        return DEADLINE_NEVER;
    if (output->blocked)
        return os_nanoseconds() + BACKGROUND_RETRY;
    return output->selector == NULL ? os_nanoseconds() + STREAM_RETRY : DEADLINE_NEVER;
}

bool output_append(struct output *output, const void *bytes, size_t length)
{
    if (output->broken || output->refused)
        return false;
    if (!buffer_append(&output->text, bytes, length)) {
        output->refused = true;
        buffer_clear(&output->text);
    }
    update_watch(output);
    return !output->refused;
}

void output_print(struct output *output, const char *format, ...)
{
    char text[OUTPUT_PIECE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_append(output, text, strlen(text));
}

bool output_flush(struct output *output)
{
    output->blocked = false;
    while (output_length(output) > 0 && !output->held) {
        ptrdiff_t n =
            stream_write(output->stream, buffer_bytes(&output->text), output_length(output));

        if (n == 0) {
            output->blocked = stream_in_background(output->stream);
            break;
        }
        if (n < 0) {
            output->error = os_socket_error();
            output->broken = true;
            buffer_clear(&output->text);
        } else {
            buffer_consume(&output->text, (size_t)n);
        }
    }
    update_watch(output);
    return !output->broken;
}

void output_drop(struct output *output)
{
    buffer_clear(&output->text);
    update_watch(output);
}

size_t output_length(const struct output *output)
{
    return buffer_length(&output->text);
}

/* Waits until all text is written, or DRAIN_TIMEOUT has passed since a request to stop. */
static void drain(struct output *output, os_socket stop)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch stop_watch = {.interest = SELECTOR_NONE};
    int64_t deadline = DEADLINE_NEVER;
    int64_t now = os_nanoseconds();

    if (selector == NULL || !output_attach(output, selector) ||
        (stop != OS_NO_SOCKET && !selector_add(selector, &stop_watch, stop, SELECTOR_READ))) {
        output->refused = true;
        buffer_clear(&output->text);
    }
    while (output_flush(output) && output_length(output) > 0 && now < deadline) {
        if (!selector_wait(selector, deadline_earlier(deadline, output_next_retry(output)))) {
            output->broken = true;
            output->error = os_socket_error();
            break;
        }
        now = os_nanoseconds();
        if (stop_watch.ready != SELECTOR_NONE && deadline == DEADLINE_NEVER) {
            deadline = now + DRAIN_TIMEOUT;
            selector_change(selector, &stop_watch, SELECTOR_NONE);
        }
    }
    output_detach(output);
    selector_destroy(selector);
}

/* Writes all text, or drops what drain() could not write. Returns why some was lost, perhaps in
 * `text`, or NULL if none was. */
static const char *write_all(struct output *output, os_socket stop, char text[OS_ERROR_TEXT])
{
    output_detach(output);
    output->held = false;
    output_flush(output);
    if (output_length(output) > 0)
        drain(output, stop);
    bool written = output_length(output) == 0;

    buffer_clear(&output->text);
    return output->refused  ? "out of memory"
           : output->broken ? os_error_text(output->error, text)
           : !written       ? "its reader takes nothing"
                            : NULL;
}

bool output_finish(struct output *output, os_socket stop)
{
    char text[OS_ERROR_TEXT];
    const char *reason = write_all(output, stop, text);

    if (reason != NULL)
        output_error(stop, "cannot write to standard output: %s", reason);
    return reason == NULL;
}

void output_error(os_socket stop, const char *format, ...)
{
    struct output output = {.stream = STREAM_ERROR};
    char message[OUTPUT_PIECE];
    char line[OUTPUT_PIECE + 16];
    char text[OS_ERROR_TEXT];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "echo-client: %s\n", message);
    /* Written directly, because memory may be exhausted. */
    ptrdiff_t n = stream_write(STREAM_ERROR, line, strlen(line));

    if (n >= 0 && output_append(&output, line + n, strlen(line + n)))
        write_all(&output, stop, text);
}
