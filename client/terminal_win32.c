#include "terminal.h"

#include <winsock2.h>

#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "text.h"

const char terminal_end_key[] = "Ctrl-Z";

static const char prompt[] = "> ";
enum { PROMPT = sizeof prompt - 1, RECORDS = 128, SOCKETS = 4 };

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

struct terminal {
    struct selector *selector;
    os_socket sockets[SOCKETS];
    size_t socket_count;
    WSAEVENT socket_event; /* set by Winsock whenever something has happened on one of them */
    HANDLE input;
    enum input_kind input_kind;
    HANDLE screen; /* where the typed line is drawn, even if stdout is something else; or NULL */
    WCHAR
    surrogate;  /* the first half of a character beyond U+FFFF, until the second comes; else 0 */
    size_t nap; /* index into naps */
    bool shown; /* the line is */
    bool colours;
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
    terminal->socket_event = WSACreateEvent();
    for (size_t i = 0; i < socket_count && i < SOCKETS; i++) {
        terminal->sockets[terminal->socket_count++] = sockets[i];
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
        const char *no_color = getenv("NO_COLOR");

        take_mode(terminal->input);
        terminal->screen =
            CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
        if (terminal->screen == INVALID_HANDLE_VALUE)
            terminal->screen = NULL;
        terminal->colours = os_is_terminal(OS_STDOUT) && (no_color == NULL || *no_color == '\0');
    }
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    give_mode_back();
    console_input = NULL;
    if (terminal->screen != NULL)
        CloseHandle(terminal->screen);
    WSACloseEvent(terminal->socket_event);
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->input_kind == INPUT_CONSOLE;
}

/*
 * Whether an event of the console counts: a key that was pressed, pasted text (Alt released with a
 * character), or a new size of the window, after which the line is drawn again. Others (releases,
 * mouse, focus) only wake us.
 */
static bool counts(const INPUT_RECORD *record)
{
    const KEY_EVENT_RECORD *key = &record->Event.KeyEvent;

    if (record->EventType == WINDOW_BUFFER_SIZE_EVENT)
        return true;
    if (record->EventType != KEY_EVENT)
        return false;
    return key->bKeyDown || (key->wVirtualKeyCode == VK_MENU && key->uChar.UnicodeChar != 0);
}

/* Goes on to the next event that counts, reading what there is without waiting; false when there is
 * none. */
static bool find_event(struct terminal *terminal)
{
    DWORD count = 0;

    for (;;) {
        while (terminal->record_start < terminal->record_end) {
            if (counts(&terminal->records[terminal->record_start]))
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

bool terminal_input_ready(struct terminal *terminal)
{
    DWORD available = 0;

    switch (terminal->input_kind) {
    case INPUT_CONSOLE:
        return find_event(terminal);
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

/* Asking each socket for what has happened clears the event and Winsock's record of it. */
static void clear_socket_event(struct terminal *terminal)
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
        clear_socket_event(terminal);
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
        if (WaitForMultipleObjects(console ? 2 : 1, handles, FALSE, timeout) == WAIT_FAILED)
            return -1;
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
    if (terminal->surrogate != 0 || (unit < 0x20 && unit != L'\t') || (unit >= 0x7F && unit < 0xA0))
        return;
    int length = WideCharToMultiByte(CP_UTF8, 0, second ? units : units + 1, second ? 2 : 1,
                                     key->text, sizeof key->text, NULL, NULL);

    if (length <= 0)
        return;
    key->kind = KEY_TEXT;
    key->length = (size_t)length;
}

/* A key without a character, or whose character does not matter. */
static enum key_kind kind_of_virtual_key(const KEY_EVENT_RECORD *event)
{
    bool by_words = (event->dwControlKeyState & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED |
                                                 LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED)) != 0;

    switch (event->wVirtualKeyCode) {
    case VK_LEFT:
        return by_words ? KEY_WORD_LEFT : KEY_LEFT;
    case VK_RIGHT:
        return by_words ? KEY_WORD_RIGHT : KEY_RIGHT;
    case VK_UP:
        return KEY_UP;
    case VK_DOWN:
        return KEY_DOWN;
    case VK_HOME:
        return KEY_HOME;
    case VK_END:
        return KEY_END;
    case VK_DELETE:
        return KEY_DELETE;
    default:
        return KEY_OTHER;
    }
}

static enum key_kind kind_of_control(WCHAR unit)
{
    switch (unit) {
    case L'\r':
    case L'\n':
        return KEY_ENTER;
    case 0x08:
    case 0x7F:
        return KEY_BACKSPACE;
    case 0x01:
        return KEY_HOME;
    case 0x05:
        return KEY_END;
    case 0x0B:
        return KEY_KILL_TO_END;
    case 0x0C:
        return KEY_CLEAR_SCREEN;
    case 0x15:
        return KEY_KILL_TO_START;
    case 0x17:
        return KEY_KILL_WORD;
    case 0x1A:
        return KEY_END_OF_INPUT;
    default:
        return KEY_OTHER;
    }
}

bool terminal_key(struct terminal *terminal, struct key *key)
{
    if (!find_event(terminal))
        return false;
    INPUT_RECORD *record = &terminal->records[terminal->record_start];

    /* A key that is held down may come as one event with a count. */
    if (record->EventType != KEY_EVENT || record->Event.KeyEvent.wRepeatCount <= 1 ||
        --record->Event.KeyEvent.wRepeatCount == 0)
        terminal->record_start++;
    const KEY_EVENT_RECORD *event = &record->Event.KeyEvent;
    WCHAR unit = record->EventType == KEY_EVENT ? event->uChar.UnicodeChar : 0;
    DWORD modifiers = record->EventType == KEY_EVENT ? event->dwControlKeyState : 0;
    /* AltGr is both, and makes characters. */
    bool alt = (modifiers & (LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED)) != 0 &&
               (modifiers & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED)) == 0 && event->bKeyDown;

    key->kind = record->EventType == KEY_EVENT && unit == 0 ? kind_of_virtual_key(event)
                                                            : kind_of_control(unit);
    if (alt && (unit == L'b' || unit == L'B'))
        key->kind = KEY_WORD_LEFT;
    else if (alt && (unit == L'f' || unit == L'F'))
        key->kind = KEY_WORD_RIGHT;
    else if (key->kind == KEY_OTHER && unit != 0)
        key_of_unit(terminal, unit, key);
    return true;
}

static void print_plain(const char *text, size_t length)
{
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

void terminal_print(struct terminal *terminal, const char *text, size_t length)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    bool colours = terminal->colours && terminal->screen != NULL &&
                   GetConsoleScreenBufferInfo(terminal->screen, &info);

    while (length > 0) {
        size_t plain = 0;

        while (plain < length && text[plain] != DISPLAY_DIM && text[plain] != DISPLAY_NORMAL)
            plain++;
        print_plain(text, plain);
        if (plain < length && colours) {
            /* Grey on the background that there is. */
            WORD dim = (WORD)((info.wAttributes & 0xF0) | FOREGROUND_INTENSITY);

            SetConsoleTextAttribute(terminal->screen,
                                    text[plain] == DISPLAY_DIM ? dim : info.wAttributes);
        }
        plain += plain < length;
        text += plain;
        length -= plain;
    }
}

/* Writes to the console, whatever stdout is; a tab takes one column. */
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

        for (int i = 0; i < count; i++)
            wide[i] = wide[i] == L'\t' ? L' ' : wide[i];
        WriteConsoleW(terminal->screen, wide, (DWORD)count, &written, NULL);
        text += piece;
        length -= piece;
    }
}

void terminal_hide_line(struct terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD written;

    if (!terminal->shown || !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return;
    info.dwCursorPosition.X = 0;
    FillConsoleOutputCharacterW(terminal->screen, L' ', (DWORD)info.dwSize.X, info.dwCursorPosition,
                                &written);
    SetConsoleCursorPosition(terminal->screen, info.dwCursorPosition);
    terminal->shown = false;
}

void terminal_show_line(struct terminal *terminal, const struct line_editor *editor)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    terminal_hide_line(terminal);
    if (terminal->screen == NULL || !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return;
    /* The window may be narrower than the buffer behind it. */
    int columns = info.srWindow.Right - info.srWindow.Left + 1;
    struct line_editor_view view =
        line_editor_view(editor, columns > PROMPT + 1 ? (size_t)columns - PROMPT - 1 : 1);

    draw(terminal, prompt, PROMPT);
    draw(terminal, editor->text + view.start, editor->cursor - view.start);
    /* Where the cursor is now is where it belongs, whatever columns the console counts. */
    GetConsoleScreenBufferInfo(terminal->screen, &info);
    draw(terminal, editor->text + editor->cursor, view.end - editor->cursor);
    SetConsoleCursorPosition(terminal->screen, info.dwCursorPosition);
    terminal->shown = true;
}

void terminal_finish_line(struct terminal *terminal)
{
    if (terminal->shown)
        draw(terminal, "\r\n", 2);
    terminal->shown = false;
}

void terminal_clear_screen(struct terminal *terminal)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    COORD home = {0, 0};
    DWORD written;

    if (terminal->screen == NULL || !GetConsoleScreenBufferInfo(terminal->screen, &info))
        return;
    FillConsoleOutputCharacterW(terminal->screen, L' ', (DWORD)info.dwSize.X * (DWORD)info.dwSize.Y,
                                home, &written);
    SetConsoleCursorPosition(terminal->screen, home);
    terminal->shown = false;
}
