#include "terminal.h"

#include <winsock2.h>

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char prompt[] = "> ";

enum input_kind {
    INPUT_NONE, /* stdin is closed: at its end from the start */
    INPUT_CONSOLE,
    INPUT_PIPE, /* can be asked with PeekNamedPipe how much there is */
    INPUT_OTHER /* file, NUL, or what cannot be asked: a read is taken to be possible at any time */
};

/* How long to sleep between two looks at a pipe, which nothing can wait for: longer the longer
 * nothing has happened. */
static const DWORD naps[] = {0, 1, 1, 1, 1, 5, 5, 5, 15};
enum { NAPS = sizeof naps / sizeof naps[0] };

enum { SOCKETS_MAX = 4 };

struct terminal {
    struct selector *selector;
    os_socket sockets[SOCKETS_MAX];
    size_t socket_count;
    WSAEVENT
    socket_event; /* set by Winsock whenever something has happened on one of the sockets */
    HANDLE input;
    enum input_kind input_kind;
    HANDLE screen; /* where the typed line is drawn, even if stdout is something else; NULL when not
                      interactive */
    DWORD mode;    /* of the console before */
    WCHAR surrogate;     /* the first half of a character beyond U+FFFF, until the second one comes;
                            else 0 */
    struct key repeated; /* the last key, which is to be given out `repeats` times more */
    WORD repeats;
    size_t nap; /* index into naps */
};

static enum input_kind classify(HANDLE input)
{
    DWORD number;

    if (input == NULL || input == INVALID_HANDLE_VALUE)
        return INPUT_NONE;
    /* In this order: the NUL device calls itself a character device as consoles do, but has no
     * console mode. */
    if (GetConsoleMode(input, &number))
        return INPUT_CONSOLE;
    if (GetFileType(input) == FILE_TYPE_PIPE &&
        (PeekNamedPipe(input, NULL, 0, NULL, &number, NULL) ||
         GetLastError() == ERROR_BROKEN_PIPE || GetLastError() == ERROR_PIPE_NOT_CONNECTED))
        return INPUT_PIPE;
    return INPUT_OTHER;
}

struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);

    if (terminal == NULL)
        return NULL;
    terminal->selector = selector;
    terminal->socket_count = socket_count;
    memcpy(terminal->sockets, sockets, socket_count * sizeof *sockets);
    terminal->socket_event = WSACreateEvent();
    for (size_t i = 0; i < socket_count; i++) {
        if (WSAEventSelect(sockets[i], terminal->socket_event, FD_READ | FD_WRITE | FD_CLOSE) !=
            0) {
            WSACloseEvent(terminal->socket_event);
            free(terminal);
            return NULL;
        }
    }
    terminal->input = GetStdHandle(STD_INPUT_HANDLE);
    terminal->input_kind = classify(terminal->input);
    if (terminal->input_kind == INPUT_CONSOLE) {
        GetConsoleMode(terminal->input, &terminal->mode);
        /* Keys one by one and without echo; Ctrl-C goes on coming through the control handler. */
        SetConsoleMode(terminal->input, ENABLE_PROCESSED_INPUT);
        terminal->screen =
            CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
        if (terminal->screen == INVALID_HANDLE_VALUE)
            terminal->screen = NULL;
    }
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal->input_kind == INPUT_CONSOLE)
        SetConsoleMode(terminal->input, terminal->mode);
    if (terminal->screen != NULL)
        CloseHandle(terminal->screen);
    WSACloseEvent(terminal->socket_event);
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->input_kind == INPUT_CONSOLE;
}

/* Whether an event of the console is a key that was pressed, or pasted text: Alt released with a
 * character. */
static bool is_key(const INPUT_RECORD *record)
{
    const KEY_EVENT_RECORD *key = &record->Event.KeyEvent;

    if (record->EventType != KEY_EVENT)
        return false;
    return key->bKeyDown || (key->wVirtualKeyCode == VK_MENU && key->uChar.UnicodeChar != 0);
}

/* Takes away what is no key (releases, mouse, focus, size), since it keeps the handle signaled. */
static bool key_waits(const struct terminal *terminal)
{
    INPUT_RECORD record;
    DWORD count;

    if (terminal->repeats > 0)
        return true;
    while (PeekConsoleInputW(terminal->input, &record, 1, &count) && count > 0) {
        if (is_key(&record))
            return true;
        ReadConsoleInputW(terminal->input, &record, 1, &count);
    }
    return false;
}

bool terminal_input_ready(struct terminal *terminal)
{
    DWORD available = 0;

    switch (terminal->input_kind) {
    case INPUT_CONSOLE:
        return key_waits(terminal);
    case INPUT_PIPE:
        /* A failure is the end of the input, which can be read at once. */
        return !PeekNamedPipe(terminal->input, NULL, 0, NULL, &available, NULL) || available > 0;
    case INPUT_NONE:
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

/* Takes note of all that has happened on the sockets. Resetting the event alone would leave their
 * records as they are, and Wine would set it again at once. */
static void clear_events(const struct terminal *terminal)
{
    WSANETWORKEVENTS events;

    for (size_t i = 0; i < terminal->socket_count; i++)
        WSAEnumNetworkEvents(terminal->sockets[i], terminal->socket_event, &events);
}

int terminal_wait(struct terminal *terminal, int wanted)
{
    HANDLE handles[2] = {terminal->socket_event, terminal->input};
    bool console = terminal->input_kind == INPUT_CONSOLE && (wanted & TERMINAL_INPUT);
    /* Nothing waits for a pipe, neither for input nor for room. */
    bool nap = ((wanted & TERMINAL_INPUT) && terminal->input_kind == INPUT_PIPE) ||
               (wanted & TERMINAL_OUTPUT);

    for (;;) {
        bool failed;
        /* The event is cleared before anything is looked at: what happens after the look sets it
         * again. */
        clear_events(terminal);
        bool sockets = sockets_ready(terminal, &failed);
        bool input = (wanted & TERMINAL_INPUT) && terminal_input_ready(terminal);

        if (failed)
            return -1;
        if (sockets || input) {
            terminal->nap = 0;
            return (input ? TERMINAL_INPUT : 0) | (wanted & TERMINAL_OUTPUT);
        }
        DWORD timeout = nap ? naps[terminal->nap] : INFINITE;

        terminal->nap = terminal->nap + 1 < NAPS ? terminal->nap + 1 : terminal->nap;
        WaitForMultipleObjects(console ? 2 : 1, handles, FALSE, timeout);
        /* Whether there is room in the output only a try can tell. */
        if (wanted & TERMINAL_OUTPUT) {
            sockets_ready(terminal, &failed);
            return failed ? -1 : TERMINAL_OUTPUT;
        }
    }
}

ptrdiff_t terminal_read(struct terminal *terminal, void *bytes, size_t size,
                        char error[OS_ERROR_TEXT])
{
    DWORD available = 0;
    DWORD count = 0;

    if (terminal->input_kind == INPUT_NONE)
        return TERMINAL_END;
    if (terminal->input_kind == INPUT_PIPE) {
        if (!PeekNamedPipe(terminal->input, NULL, 0, NULL, &available, NULL))
            return TERMINAL_END;
        if (available == 0)
            return 0;
        size = available < size ? available : size;
    }
    if (ReadFile(terminal->input, bytes, (DWORD)size, &count, NULL))
        return count > 0 ? (ptrdiff_t)count : TERMINAL_END;
    if (GetLastError() == ERROR_BROKEN_PIPE || GetLastError() == ERROR_HANDLE_EOF)
        return TERMINAL_END;
    os_error_text((int)GetLastError(), error);
    return TERMINAL_BROKEN;
}

/* Makes a key of a UTF-16 unit; of the first half of a pair it makes KEY_OTHER and waits for the
 * second. */
static void key_of_unit(struct terminal *terminal, WCHAR unit, struct key *key)
{
    WCHAR units[2] = {terminal->surrogate, unit};
    bool second = IS_LOW_SURROGATE(unit) && terminal->surrogate != 0;

    key->kind = KEY_OTHER;
    terminal->surrogate = IS_HIGH_SURROGATE(unit) ? unit : 0;
    if (terminal->surrogate != 0 || unit == 0)
        return;
    int length = WideCharToMultiByte(CP_UTF8, 0, second ? units : units + 1, second ? 2 : 1,
                                     key->text, sizeof key->text, NULL, NULL);

    if (length <= 0)
        return;
    key->kind = KEY_TEXT;
    key->length = (size_t)length;
}

bool terminal_key(struct terminal *terminal, struct key *key)
{
    INPUT_RECORD record;
    DWORD count;

    if (terminal->repeats > 0) {
        terminal->repeats--;
        *key = terminal->repeated;
        return true;
    }
    if (!key_waits(terminal) || !ReadConsoleInputW(terminal->input, &record, 1, &count) ||
        count == 0)
        return false;
    WCHAR unit = record.Event.KeyEvent.uChar.UnicodeChar;

    switch (unit) {
    case L'\r':
    case L'\n':
        key->kind = KEY_ENTER;
        break;
    case 0x08:
    case 0x7F:
        key->kind = KEY_BACKSPACE;
        break;
    case 0x15:
        key->kind = KEY_KILL_LINE;
        break;
    case 0x1A:
        key->kind = KEY_END_OF_INPUT;
        break;
    default:
        key_of_unit(terminal, unit < 0x20 && unit != L'\t' ? 0 : unit, key);
        break;
    }
    /* The console puts the presses of a key that is held down together when we are slow. */
    if (record.Event.KeyEvent.wRepeatCount > 1) {
        terminal->repeats = record.Event.KeyEvent.wRepeatCount - 1;
        terminal->repeated = *key;
    }
    return true;
}

void terminal_print(struct terminal *terminal, const char *text, size_t length)
{
    (void)terminal;
    while (length > 0) {
        ptrdiff_t n = os_write(OS_STDOUT, text, length);

        if (n < 0)
            return;
        if (n == 0)
            Sleep(1);
        text += n;
        length -= (size_t)n;
    }
}

/* Writes to the console, whatever stdout is. */
static void draw(const struct terminal *terminal, const char *text, size_t length)
{
    WCHAR wide[1024];
    DWORD written;

    while (length > 0) {
        size_t piece = 0;

        /* As many whole characters as are sure to fit. */
        while (piece < length && piece < sizeof wide / sizeof wide[0] - 4) {
            size_t character = text_utf8_length(text + piece, length - piece);

            piece += character > 0 ? character : 1;
        }
        int count =
            MultiByteToWideChar(CP_UTF8, 0, text, (int)piece, wide, sizeof wide / sizeof wide[0]);

        WriteConsoleW(terminal->screen, wide, (DWORD)count, &written, NULL);
        text += piece;
        length -= piece;
    }
}

void terminal_hide_line(struct terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD written;

    if (terminal->screen == NULL || !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return;
    info.dwCursorPosition.X = 0;
    FillConsoleOutputCharacterW(terminal->screen, L' ', (DWORD)info.dwSize.X, info.dwCursorPosition,
                                &written);
    SetConsoleCursorPosition(terminal->screen, info.dwCursorPosition);
}

void terminal_show_line(struct terminal *terminal, const struct line_editor *editor)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (terminal->screen == NULL || !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return;
    size_t columns =
        info.dwSize.X > (SHORT)sizeof prompt ? (size_t)info.dwSize.X - sizeof prompt : 0;
    size_t start = line_editor_visible(editor, columns);

    terminal_hide_line(terminal);
    draw(terminal, prompt, sizeof prompt - 1);
    draw(terminal, editor->text + start, editor->length - start);
}

void terminal_finish_line(struct terminal *terminal)
{
    if (terminal->screen != NULL)
        draw(terminal, "\n", 1);
}
