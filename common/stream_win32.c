#include "stream.h"

#include <windows.h>

#include <string.h>

#include "text.h"

enum { DEFAULT_COLUMNS = 80 };

/* Other programs share the pipe and expect its writes to block. */
static void restore_pipe(DWORD which)
{
    HANDLE handle = GetStdHandle(which);
    DWORD mode = PIPE_READMODE_BYTE | PIPE_WAIT;

    if (GetFileType(handle) == FILE_TYPE_PIPE)
        SetNamedPipeHandleState(handle, &mode, NULL, NULL);
}

void stream_finish(void)
{
    restore_pipe(STD_OUTPUT_HANDLE);
    restore_pipe(STD_ERROR_HANDLE);
}

bool stream_in_background(enum stream stream)
{
    (void)stream;
    return false;
}

os_socket stream_socket(enum stream stream)
{
    (void)stream;
    return OS_NO_SOCKET;
}

/* Writes UTF-8 to a console, whatever its code page. A character cut by the end of a call is kept
 * for the next one. */
static ptrdiff_t write_console(HANDLE console, enum stream stream, const char *bytes, size_t length)
{
    static struct {
        char bytes[4];
        size_t length;
    } carried[STREAM_ERROR + 1];
    enum { PIECE = 4096 };
    char text[PIECE + 4];
    WCHAR wide[PIECE + 4];
    size_t carry = carried[stream].length;
    DWORD written;

    if (length > PIECE)
        length = PIECE;
    memcpy(text, carried[stream].bytes, carry);
    memcpy(text + carry, bytes, length);
    size_t rest = text_utf8_cut(text, carry + length);
    int count =
        MultiByteToWideChar(CP_UTF8, 0, text, (int)(carry + length - rest), wide, PIECE + 4);

    memcpy(carried[stream].bytes, text + carry + length - rest, rest);
    carried[stream].length = rest;
    for (int done = 0; done < count; done += (int)written) {
        if (!WriteConsoleW(console, wide + done, (DWORD)(count - done), &written, NULL) ||
            written == 0)
            return STREAM_BROKEN;
    }
    return (ptrdiff_t)length;
}

static HANDLE handle_of(enum stream stream)
{
    static const DWORD numbers[] = {
        [STREAM_OUTPUT] = STD_OUTPUT_HANDLE,
        [STREAM_ERROR] = STD_ERROR_HANDLE,
        [STREAM_INPUT] = STD_INPUT_HANDLE,
    };

    return GetStdHandle(numbers[stream]);
}

bool stream_is_terminal(enum stream stream)
{
    return GetConsoleMode(handle_of(stream), &(DWORD){0}) != 0;
}

/*
 * A pipe with PIPE_NOWAIT takes a write completely or not at all. So data that exceeds the room
 * left is offered in smaller pieces.
 */
static ptrdiff_t write_pipe(HANDLE pipe, const void *bytes, DWORD length)
{
    DWORD mode = PIPE_READMODE_BYTE | PIPE_NOWAIT;
    DWORD written = 0;

    SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
    while (WriteFile(pipe, bytes, length, &written, NULL)) {
        if (written > 0 || length == 1)
            return (ptrdiff_t)written;
        length /= 2;
    }
    return STREAM_BROKEN;
}

size_t stream_columns(enum stream stream)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(handle_of(stream), &info))
        return DEFAULT_COLUMNS;
    int columns = info.srWindow.Right - info.srWindow.Left + 1;

    return (size_t)columns;
}

static ptrdiff_t failure(void)
{
    DWORD error = GetLastError();

    return error == ERROR_DISK_FULL || error == ERROR_HANDLE_DISK_FULL ? STREAM_FULL
                                                                       : STREAM_BROKEN;
}

ptrdiff_t stream_write(enum stream stream, const void *bytes, size_t length)
{
    HANDLE handle = handle_of(stream);
    DWORD piece = length > 65536 ? 65536 : (DWORD)length;
    DWORD written = 0;

    if (GetConsoleMode(handle, &(DWORD){0}))
        return write_console(handle, stream, bytes, length);
    if (GetFileType(handle) == FILE_TYPE_PIPE)
        return write_pipe(handle, bytes, piece);
    return WriteFile(handle, bytes, piece, &written, NULL) ? (ptrdiff_t)written : failure();
}

/* Removes the carriage returns from lines edited by a console, which end with CR LF. No other
 * carriage return can be typed there. Returns the length left. */
static size_t drop_carriage_returns(char *bytes, size_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\r')
            bytes[kept++] = bytes[i];
    }
    return kept;
}

ptrdiff_t stream_read(void *bytes, size_t size)
{
    HANDLE handle = handle_of(STREAM_INPUT);
    DWORD piece = size > 65536 ? 65536 : (DWORD)size;
    DWORD available = 0;
    DWORD count = 0;

    if (handle == NULL || handle == INVALID_HANDLE_VALUE)
        return STREAM_END;
    /* If the pipe cannot be peeked at, such as a Unix pipe under Wine, the read blocks. */
    if (GetFileType(handle) == FILE_TYPE_PIPE &&
        PeekNamedPipe(handle, NULL, 0, NULL, &available, NULL)) {
        if (available == 0)
            return 0;
        piece = available < piece ? available : piece;
    }
    if (ReadFile(handle, bytes, piece, &count, NULL)) {
        if (count == 0)
            return STREAM_END;
        return (ptrdiff_t)(stream_is_terminal(STREAM_INPUT) ? drop_carriage_returns(bytes, count)
                                                            : count);
    }
    switch (GetLastError()) {
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_HANDLE_EOF:
        return STREAM_END;
    default:
        return STREAM_BROKEN;
    }
}
