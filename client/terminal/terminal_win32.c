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
    INPUT_PIPE, /* can be asked with PeekNamedPipe how much there is */
    INPUT_OTHER /* file, NUL, nothing, a pipe without another end, or what cannot be asked: a read
                   is taken to be possible at any time */
};

/* How long to sleep between two looks at a pipe, which nothing can wait for: longer the longer
 * nothing has happened. */
static const DWORD naps[] = {0, 1, 1, 1, 1, 5, 5, 5, 15};
enum { NAPS = sizeof naps / sizeof naps[0] };

struct terminal {
    struct selector *selector;
    os_socket sockets[SOCKETS];
    size_t socket_count;
    WSAEVENT socket_event; /* set by Winsock whenever something has happened on one of them */
    HANDLE input;
    enum input_kind input_kind;
    bool takes_keys;
    struct key_record_decoder keys;
    size_t nap; /* index into naps */
    INPUT_RECORD
    records[RECORDS]; /* not given out yet: those from `record_start` to `record_end` */
    DWORD record_start;
    DWORD record_end;
};

/* What the console was set to, and by whom it has to be set back, however the process ends. */
static HANDLE console_input;
static DWORD own_mode;

static void give_mode_back(void)
{
    if (console_input != NULL)
        SetConsoleMode(console_input, own_mode);
}

static LONG WINAPI on_crash(EXCEPTION_POINTERS *exception)
{
    (void)exception;
    give_mode_back();
    return EXCEPTION_CONTINUE_SEARCH;
}

/* Keys one by one and without echo; Ctrl-C goes on coming through the control handler. */
static void take_mode(HANDLE input)
{
    GetConsoleMode(input, &own_mode);
    console_input = input;
    atexit(give_mode_back);
    SetUnhandledExceptionFilter(on_crash);
    SetConsoleMode(input, ENABLE_PROCESSED_INPUT | ENABLE_WINDOW_INPUT);
}

static enum input_kind classify(HANDLE input)
{
    DWORD number;

    /* In this order: the NUL device calls itself a character device as consoles do, but has no
     * console mode. */
    if (GetConsoleMode(input, &number))
        return INPUT_CONSOLE;
    if (GetFileType(input) == FILE_TYPE_PIPE && PeekNamedPipe(input, NULL, 0, NULL, &number, NULL))
        return INPUT_PIPE;
    return INPUT_OTHER;
}

/* A socket that went on setting an event that is closed would set whatever has its handle then. It
 * stays non-blocking, as it was. */
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
    terminal->takes_keys = terminal->input_kind == INPUT_CONSOLE && screen_can_draw();
    if (terminal->takes_keys)
        take_mode(terminal->input);
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    give_mode_back();
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
    /* As FILE_NAME_INFO, with room for the name and a NUL. */
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

/* Goes on to the next event that counts, reading what there is without waiting; false when there is
 * none. */
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

/* Whether a key waits that begins a line, where the console edits lines by itself: it stays there,
 * for the console. Other events go. */
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

/* Whether input can be had without waiting; of a line that the console edits, whether it is begun:
 * reading waits for its end. */
static bool input_ready(struct terminal *terminal)
{
    DWORD available = 0;

    switch (terminal->input_kind) {
    case INPUT_CONSOLE:
        return terminal->takes_keys ? find_event(terminal) : line_begun(terminal);
    case INPUT_PIPE:
        /* A failure is the end of the input, which can be read at once. */
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

/* Asking each socket for what has happened clears the event and Winsock's record of it. */
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

/* How long to wait for the handles at most, in milliseconds, before all is looked at again. */
static DWORD limit(struct terminal *terminal, bool wanted, int64_t left)
{
    DWORD limit = INFINITE;

    /* Nothing waits for a pipe. */
    if (wanted && terminal->input_kind == INPUT_PIPE) {
        limit = naps[terminal->nap];
        terminal->nap = terminal->nap + 1 < NAPS ? terminal->nap + 1 : terminal->nap;
    }
    /* Rounded up: to wake a millisecond early is to wait twice. */
    return left / MILLISECONDS(1) < limit ? (DWORD)(left / MILLISECONDS(1)) + 1 : limit;
}

int terminal_wait(struct terminal *terminal, bool wanted, int64_t deadline)
{
    HANDLE handles[2] = {terminal->socket_event, terminal->input};
    DWORD count = wanted && terminal->input_kind == INPUT_CONSOLE ? 2 : 1;

    for (;;) {
        bool failed;
        /* The event is cleared before anything is looked at: what happens after the look sets it
         * again. */
        clear_socket_event(terminal);
        bool sockets = sockets_ready(terminal, &failed);
        bool input = wanted && input_ready(terminal);

        if (failed)
            return -1;
        if (sockets || input) {
            terminal->nap = 0;
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

    /* A key that is held down may come as one event with a count. */
    if (record->EventType == KEY_EVENT && record->Event.KeyEvent.wRepeatCount > 1)
        record->Event.KeyEvent.wRepeatCount--;
    else
        terminal->record_start++;
    key_record_decode(&terminal->keys, record, key);
    return TERMINAL_KEY;
}
