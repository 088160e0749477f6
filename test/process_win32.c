#include "process.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

#include "attached_console_win32.h"

enum { PIPE_SIZE = 65536 };

/*
 * Our end of a pipe to or from the program, with overlapped input and output: so that one wait
 * watches all pipes and none blocks. CreatePipe cannot do that; a named pipe is the same thing
 * otherwise.
 */
struct pipe {
    HANDLE handle; /* NULL: there is none */
    OVERLAPPED overlapped;
    bool pending;
    char buffer[PIPE_SIZE]; /* the system's while pending */
};

struct process_system {
    HANDLE handle;
    DWORD id;
    struct pipe input;     /* writes */
    struct pipe output[2]; /* reads; by enum stream */
};

/* Makes a pipe; `theirs` is set to the end that the program inherits, opened with the same rights
 * as from CreatePipe. */
static bool open_pipe(struct pipe *pipe, bool we_read, HANDLE *theirs)
{
    static unsigned count;
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    char name[64];

    snprintf(name, sizeof name, "\\\\.\\pipe\\echo-test-%lu-%u", GetCurrentProcessId(), count++);
    pipe->handle = CreateNamedPipeA(name,
                                    (we_read ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_OUTBOUND) |
                                        FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                    PIPE_TYPE_BYTE, 1, PIPE_SIZE, PIPE_SIZE, 0, NULL);
    if (pipe->handle == INVALID_HANDLE_VALUE) {
        pipe->handle = NULL;
        return false;
    }
    pipe->overlapped.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL);
    *theirs = CreateFileA(
        name, we_read ? GENERIC_WRITE | FILE_READ_ATTRIBUTES : GENERIC_READ | FILE_WRITE_ATTRIBUTES,
        0, &inherited, OPEN_EXISTING, 0, NULL);
    return pipe->overlapped.hEvent != NULL && *theirs != INVALID_HANDLE_VALUE;
}

static void close_pipe(struct pipe *pipe)
{
    DWORD count;

    if (pipe->handle == NULL)
        return;
    if (pipe->pending && CancelIo(pipe->handle))
        GetOverlappedResult(pipe->handle, &pipe->overlapped, &count, TRUE);
    CloseHandle(pipe->handle);
    CloseHandle(pipe->overlapped.hEvent);
    pipe->handle = NULL;
    pipe->pending = false;
}

/* Puts an argument behind `line` so that the program finds it whole again: the rules of
 * CommandLineToArgvW. */
static char *quote(char *line, const char *argument)
{
    *line++ = '"';
    for (;;) {
        size_t backslashes = strspn(argument, "\\");
        char next = argument[backslashes];
        /* Backslashes are doubled before a quotation mark, the closing one too, and nowhere else.
         */
        size_t written = next == '\0'  ? 2 * backslashes
                         : next == '"' ? 2 * backslashes + 1
                                       : backslashes;

        memset(line, '\\', written);
        line += written;
        if (next == '\0')
            break;
        *line++ = next;
        argument += backslashes + 1;
    }
    *line++ = '"';
    return line;
}

static char *command_line(const char *const arguments[])
{
    size_t size = 1;
    char *line, *end;

    for (size_t i = 0; arguments[i] != NULL; i++)
        size += 2 * strlen(arguments[i]) + 3;
    line = end = malloc(size);
    if (line == NULL)
        abort();
    for (size_t i = 0; arguments[i] != NULL; i++) {
        if (i > 0)
            *end++ = ' ';
        end = quote(end, arguments[i]);
    }
    *end = '\0';
    return line;
}

/* Opens the program's three streams, in `theirs` by descriptor; NULL: closed. */
static bool open_streams(struct process_system *system, const struct process_options *options,
                         HANDLE theirs[3])
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    const char *file = options->input == PROCESS_INPUT_NULL ? "NUL" : options->input_file;

    if (!open_pipe(&system->output[STREAM_OUTPUT], true, &theirs[1]) ||
        !open_pipe(&system->output[STREAM_ERROR], true, &theirs[2]))
        return false;
    switch (options->input) {
    case PROCESS_INPUT_CLOSED:
        return true;
    case PROCESS_INPUT_PIPE:
        return open_pipe(&system->input, false, &theirs[0]);
    case PROCESS_INPUT_NULL:
    case PROCESS_INPUT_FILE:
        theirs[0] =
            CreateFileA(file, GENERIC_READ, FILE_SHARE_READ, &inherited, OPEN_EXISTING, 0, NULL);
        return theirs[0] != INVALID_HANDLE_VALUE;
    }
    return false;
}

/* Under Wine a start fails now and then before the program runs: it is tried again. */
static bool create_process(char *line, DWORD flags, STARTUPINFOA *start,
                           PROCESS_INFORMATION *created)
{
    enum { TRIES = 3 };
    bool ok = false;

    for (int tries = 0; !ok && tries < TRIES; tries++) {
        ok = CreateProcessA(NULL, line, NULL, NULL, TRUE, flags, NULL, NULL, start, created);
        if (!ok && GetLastError() != ERROR_INTERNAL_ERROR)
            break;
    }
    return ok;
}

/*
 * Starts the program with the three streams and no other handle, in a console of its own that has
 * no window; without stdin in no console, since the input of one takes the place of a missing
 * stdin.
 */
static bool create(struct process_system *system, char *line, HANDLE theirs[3])
{
    STARTUPINFOEXA start = {.StartupInfo = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES}};
    PROCESS_INFORMATION created;
    HANDLE inherited[3];
    SIZE_T count = 0, size = 0;
    DWORD console = theirs[0] != NULL ? CREATE_NO_WINDOW : DETACHED_PROCESS;
    bool ok;

    for (int i = 0; i < 3; i++) {
        if (theirs[i] != NULL)
            inherited[count++] = theirs[i];
    }
    start.StartupInfo.hStdInput = theirs[0];
    start.StartupInfo.hStdOutput = theirs[1];
    start.StartupInfo.hStdError = theirs[2];
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.lpAttributeList = malloc(size);
    if (start.lpAttributeList == NULL)
        abort();
    ok = InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size);
    if (ok) {
        ok = UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                       inherited, count * sizeof inherited[0], NULL, NULL) &&
             create_process(line, console | EXTENDED_STARTUPINFO_PRESENT, &start.StartupInfo,
                            &created);
        DeleteProcThreadAttributeList(start.lpAttributeList);
    }
    free(start.lpAttributeList);
    if (ok) {
        CloseHandle(created.hThread);
        system->handle = created.hProcess;
        system->id = created.dwProcessId;
    }
    return ok;
}

static void release(struct process *process)
{
    close_pipe(&process->system->input);
    for (int i = STREAM_OUTPUT; i <= STREAM_ERROR; i++) {
        close_pipe(&process->system->output[i]);
        free(process->output[i].bytes);
    }
    free(process->system);
    free(process);
}

struct process *process_start(const char *const arguments[], const struct process_options *options)
{
    struct process *process = calloc(1, sizeof *process);
    struct process_system *system = calloc(1, sizeof *system);
    HANDLE theirs[3] = {NULL, NULL, NULL};
    char *line = command_line(arguments);

    if (process == NULL || system == NULL)
        abort();
    process->system = system;
    if (!open_streams(system, options, theirs) || !create(system, line, theirs)) {
        fprintf(stderr, "%s: Windows error %lu\n", line, GetLastError());
        release(process);
        process = NULL;
    }
    for (int i = 0; i < 3; i++) {
        if (theirs[i] != NULL && theirs[i] != INVALID_HANDLE_VALUE)
            CloseHandle(theirs[i]);
    }
    free(line);
    return process;
}

/* Keeps one read under way on an output that has not ended. */
static void begin_read(struct process_output *output, struct pipe *pipe)
{
    if (output->ended || pipe->pending)
        return;
    pipe->pending = ReadFile(pipe->handle, pipe->buffer, PIPE_SIZE, NULL, &pipe->overlapped) ||
                    GetLastError() == ERROR_IO_PENDING;
    output->ended = !pipe->pending;
}

static void end_read(struct process_output *output, struct pipe *pipe)
{
    DWORD count;

    if (!pipe->pending)
        return;
    if (GetOverlappedResult(pipe->handle, &pipe->overlapped, &count, FALSE)) {
        memcpy(process_output_room(output, count), pipe->buffer, count);
        output->length += count;
        pipe->pending = false;
    } else if (GetLastError() != ERROR_IO_INCOMPLETE) {
        output->ended = true;
        pipe->pending = false;
    }
}

/* Begins to write, unless the last write is still under way. As process_pump(). */
static ptrdiff_t begin_write(struct pipe *pipe, const void *bytes, size_t length)
{
    DWORD count = length < PIPE_SIZE ? (DWORD)length : PIPE_SIZE;

    if (pipe->pending || length == 0)
        return 0;
    memcpy(pipe->buffer, bytes, count);
    pipe->pending = WriteFile(pipe->handle, pipe->buffer, count, NULL, &pipe->overlapped) ||
                    GetLastError() == ERROR_IO_PENDING;
    return pipe->pending ? (ptrdiff_t)count : -1;
}

/* Returns false when the program does not read any more. */
static bool end_write(struct pipe *pipe)
{
    DWORD count;

    if (!pipe->pending)
        return true;
    if (GetOverlappedResult(pipe->handle, &pipe->overlapped, &count, FALSE))
        pipe->pending = false;
    else if (GetLastError() != ERROR_IO_INCOMPLETE)
        return pipe->pending = false;
    return true;
}

ptrdiff_t process_pump(struct process *process, const void *bytes, size_t length, int timeout)
{
    struct process_system *system = process->system;
    struct pipe *pipes[3] = {&system->output[STREAM_OUTPUT], &system->input,
                             &system->output[STREAM_ERROR]};
    HANDLE events[3];
    DWORD count = 0;
    int last = process->log_unread ? STREAM_OUTPUT : STREAM_ERROR;
    ptrdiff_t written = begin_write(&system->input, bytes, length);

    for (int i = STREAM_OUTPUT; i <= last; i++)
        begin_read(&process->output[i], &system->output[i]);
    for (int i = 0; i < (process->log_unread ? 2 : 3); i++) {
        if (pipes[i]->pending)
            events[count++] = pipes[i]->overlapped.hEvent;
    }
    if (count > 0)
        WaitForMultipleObjects(count, events, FALSE, written != 0 ? 0 : (DWORD)timeout);
    for (int i = STREAM_OUTPUT; i <= last; i++)
        end_read(&process->output[i], &system->output[i]);
    return end_write(&system->input) ? written : -1;
}

void process_close_input(struct process *process)
{
    struct pipe *input = &process->system->input;

    /* Not for ever: the program may have stopped reading. */
    for (int tries = 30; input->pending && tries > 0; tries--)
        process_pump(process, NULL, 0, 1000);
    close_pipe(input);
}

void process_stop(struct process *process, enum process_stop how)
{
    DWORD event = how == PROCESS_STOP_BREAK ? CTRL_BREAK_EVENT : CTRL_C_EVENT;

    if (!attached_console_open(process->system->handle, process->system->id) ||
        !attached_console_send(event))
        fprintf(stderr, "control event %lu: Windows error %lu\n", event, GetLastError());
    attached_console_close();
}

void process_close_output(struct process *process, enum stream stream)
{
    close_pipe(&process->system->output[stream]);
    process->output[stream].ended = true;
}

void process_kill(struct process *process)
{
    TerminateProcess(process->system->handle, 137);
}

int process_destroy(struct process *process)
{
    DWORD status = 0;

    close_pipe(&process->system->input);
    WaitForSingleObject(process->system->handle, INFINITE);
    GetExitCodeProcess(process->system->handle, &status);
    CloseHandle(process->system->handle);
    release(process);
    return (int)status;
}
