#include "terminal.h"

#include <winsock2.h>

#include <assert.h>
#include <stdlib.h>
#include <wchar.h>

#include "key_record.h"
#include "screen.h"

const char terminal_end_key[] = "Ctrl-Z";

enum { RECORDS = 128, SOCKETS = 4 };

enum input_kind {
    INPUT_CONSOLE,
    INPUT_PIPE, /* PeekNamedPipe tells how many bytes it has */
    INPUT_OTHER /* a file, NUL, none, or a pipe that has no other end or cannot be peeked at; it
                   always counts as readable */
};

/* How long to sleep between two polls of a pipe, in milliseconds. No wait function supports pipes.
 * The sleep gets longer while the pipe is idle. */
static const DWORD poll_intervals[] = {0, 1, 1, 1, 1, 5, 5, 5, 15};
enum { POLL_INTERVALS = sizeof poll_intervals / sizeof poll_intervals[0] };

struct terminal {
    struct selector *selector;
    os_socket sockets[SOCKETS];
    size_t socket_count;
    WSAEVENT socket_event; /* set by Winsock when something happens on one of the sockets */
    HANDLE input;
    enum input_kind input_kind;
    bool takes_keys;
    struct key_record_decoder keys;
    size_t poll_index; /* index into poll_intervals */
    /* Events that are not decoded yet: records[record_start] up to records[record_end]. */
    INPUT_RECORD records[RECORDS];
    DWORD record_start;
    DWORD record_end;
};

/* The console and its previous mode, which is restored however the process ends. */
static HANDLE console_input;
static DWORD saved_mode;

static void restore_mode(void)
{
    if (console_input != NULL)
        SetConsoleMode(console_input, saved_mode);
}

static LONG WINAPI on_crash(EXCEPTION_POINTERS *exception)
{
    (void)exception;
    restore_mode();
    return EXCEPTION_CONTINUE_SEARCH;
}

/* Sets the mode: keys arrive one by one and without echo. Ctrl-C still goes to the control handler.
 * Returns false, with nothing changed, when the console refuses. */
static bool set_mode(HANDLE input)
{
    if (!GetConsoleMode(input, &saved_mode) ||
        !SetConsoleMode(input, ENABLE_PROCESSED_INPUT | ENABLE_WINDOW_INPUT))
        return false;
    console_input = input;
    atexit(restore_mode);
    SetUnhandledExceptionFilter(on_crash);
    return true;
}

static enum input_kind classify(HANDLE input)
{
    DWORD number;

    /* A console is recognised by its mode, because the NUL device has the same file type. */
    if (GetConsoleMode(input, &number))
        return INPUT_CONSOLE;
    if (GetFileType(input) == FILE_TYPE_PIPE && PeekNamedPipe(input, NULL, 0, NULL, &number, NULL))
        return INPUT_PIPE;
    return INPUT_OTHER;
}

/* Detaches the sockets from the event and closes it. An attached socket would signal any object
 * that later gets the same handle. The sockets stay non-blocking. */
static void release_sockets(struct terminal *terminal)
{
    for (size_t i = 0; i < terminal->socket_count; i++)
        WSAEventSelect(terminal->sockets[i], NULL, 0);
    WSACloseEvent(terminal->socket_event);
}

struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);

    assert(socket_count <= SOCKETS);
    if (terminal == NULL)
        return NULL;
    terminal->selector = selector;
    terminal->socket_event = WSACreateEvent();
    for (size_t i = 0; i < socket_count; i++) {
        if (WSAEventSelect(sockets[i], terminal->socket_event, FD_READ | FD_WRITE | FD_CLOSE) !=
            0) {
            int error = WSAGetLastError();

            release_sockets(terminal);
            free(terminal);
            WSASetLastError(error);
            return NULL;
        }
        terminal->sockets[terminal->socket_count++] = sockets[i];
    }
    terminal->input = GetStdHandle(STD_INPUT_HANDLE);
    terminal->input_kind = classify(terminal->input);
    terminal->takes_keys =
        terminal->input_kind == INPUT_CONSOLE && screen_can_draw() && set_mode(terminal->input);
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    restore_mode();
    console_input = NULL;
    release_sockets(terminal);
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->input_kind == INPUT_CONSOLE;
}

/* mintty is recognised by the names that Cygwin's library, msys-2.0.dll or cygwin1.dll, gives to
 * the pipes of its pseudo-terminals: \msys-1888ae32e00d56aa-pty0-from-master. */
bool terminal_lacks_console(const struct terminal *terminal)
{
    /* FILE_NAME_INFO with room for the name and a NUL. */
    struct {
        DWORD length; /* in bytes */
        WCHAR text[MAX_PATH];
    } name;

    if (terminal->input_kind != INPUT_PIPE ||
        !GetFileInformationByHandleEx(terminal->input, FileNameInfo, &name,
                                      sizeof name - sizeof name.text[0]))
        return false;
    name.text[name.length / sizeof name.text[0]] = L'\0';
    const WCHAR *pty = wcsstr(name.text, L"-pty");

    return (wcsncmp(name.text, L"\\msys-", 6) == 0 || wcsncmp(name.text, L"\\cygwin-", 8) == 0) &&
           pty != NULL && wcsstr(pty, L"-from-master") != NULL;
}

bool terminal_takes_keys(const struct terminal *terminal)
{
    return terminal->takes_keys;
}

/* Finds the next event that counts, without waiting; false if there is none. */
static bool find_event(struct terminal *terminal)
{
    DWORD count = 0;

    for (;;) {
        while (terminal->record_start < terminal->record_end) {
            if (key_record_counts(&terminal->records[terminal->record_start]))
                return true;
            terminal->record_start++;
        }
        if (!PeekConsoleInputW(terminal->input, terminal->records, 1, &count) || count == 0 ||
            !ReadConsoleInputW(terminal->input, terminal->records, RECORDS, &count))
            return false;
        terminal->record_start = 0;
        terminal->record_end = count;
    }
}

/* Whether a key is pending that begins a line, if the console edits lines by itself. The key is
 * left for the console, and other events are removed. */
static bool line_begun(const struct terminal *terminal)
{
    INPUT_RECORD record;
    DWORD count = 0;

    while (PeekConsoleInputW(terminal->input, &record, 1, &count) && count > 0) {
        if (key_record_counts(&record))
            return true;
        ReadConsoleInputW(terminal->input, &record, 1, &count);
    }
    return false;
}

/* Whether input can be read without waiting. If the console edits lines, this is whether one has
 * begun; reading it waits for its end. */
static bool input_ready(struct terminal *terminal)
{
    DWORD available = 0;

    switch (terminal->input_kind) {
    case INPUT_CONSOLE:
        return terminal->takes_keys ? find_event(terminal) : line_begun(terminal);
    case INPUT_PIPE:
        /* A failure means end of input, which can be read at once. */
        return !PeekNamedPipe(terminal->input, NULL, 0, NULL, &available, NULL) || available > 0;
    case INPUT_OTHER:
        break;
    }
    return true;
}

/* Whether select() finds a watched socket ready now. */
static bool sockets_ready(struct terminal *terminal, bool *failed)
{
    bool ready = false;

    *failed = !selector_wait(terminal->selector, 0);
    while (!*failed && selector_next(terminal->selector) != NULL)
        ready = true;
    return ready;
}

/* Resets the event object, and Winsock's record of the events of each socket. */
static void clear_socket_event(struct terminal *terminal)
{
    WSANETWORKEVENTS events;

    for (size_t i = 0; i < terminal->socket_count; i++)
        WSAEnumNetworkEvents(terminal->sockets[i], terminal->socket_event, &events);
}

bool terminal_foreground(const struct terminal *terminal)
{
    (void)terminal;
    return true;
}

bool terminal_resumed(const struct terminal *terminal)
{
    (void)terminal;
    return false;
}

/* How long to wait for the handles before everything is checked again, in milliseconds. */
static DWORD limit(struct terminal *terminal, bool wanted, int64_t left)
{
    DWORD limit = INFINITE;

    /* A pipe can only be polled. */
    if (wanted && terminal->input_kind == INPUT_PIPE) {
        limit = poll_intervals[terminal->poll_index];
        terminal->poll_index = terminal->poll_index + 1 < POLL_INTERVALS ? terminal->poll_index + 1
                                                                         : terminal->poll_index;
    }
    /* Rounded up: waking a millisecond early would mean waiting twice. */
    return left / MILLISECONDS(1) < limit ? (DWORD)(left / MILLISECONDS(1)) + 1 : limit;
}

int terminal_wait(struct terminal *terminal, bool wanted, int64_t deadline)
{
    HANDLE handles[2] = {terminal->socket_event, terminal->input};
    DWORD count = wanted && terminal->input_kind == INPUT_CONSOLE ? 2 : 1;

    for (;;) {
        bool failed;
        /* The event is reset before the checks, so that whatever happens after them sets it
         * again. */
        clear_socket_event(terminal);
        bool sockets = sockets_ready(terminal, &failed);
        bool input = wanted && input_ready(terminal);

        if (failed)
            return -1;
        if (sockets || input) {
            terminal->poll_index = 0;
            return input;
        }
        int64_t left = deadline - os_nanoseconds();

        if (left <= 0)
            return 0;
        if (WaitForMultipleObjects(count, handles, FALSE, limit(terminal, wanted, left)) ==
            WAIT_FAILED)
            return -1;
    }
}

enum terminal_keys terminal_key(struct terminal *terminal, struct key *key)
{
    if (!find_event(terminal))
        return TERMINAL_NO_KEY;
    INPUT_RECORD *record = &terminal->records[terminal->record_start];

    /* A key that is held down may arrive as one event with a repeat count. */
    if (record->EventType == KEY_EVENT && record->Event.KeyEvent.wRepeatCount > 1)
        record->Event.KeyEvent.wRepeatCount--;
    else
        terminal->record_start++;
    key_record_decode(&terminal->keys, record, key);
    return TERMINAL_KEY;
}
