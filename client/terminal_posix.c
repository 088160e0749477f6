#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "character_width.h"
#include "display.h"
#include "key_decoder.h"

const char terminal_end_key[] = "Ctrl-D";

static const char prompt[] = "> ";
enum { PROMPT = sizeof prompt - 1 };

struct terminal {
    struct selector *selector;
    struct selector_watch input;
    struct selector_watch output;
    bool interactive;
    bool drawn; /* keys come one by one and the line is drawn; else the terminal edits and echoes */
    bool colours;
    bool ended;      /* the terminal has hung up */
    size_t columns;  /* of the window, when the line was last drawn */
    size_t width;    /* columns of the prompt and the line as drawn; 0 when it is hidden */
    size_t cursor;   /* columns before the cursor in it */
    char keys[4096]; /* bytes of keys not given out yet: those from `key_start` to `key_end` */
    size_t key_start;
    size_t key_end;
};

/*
 * What a signal handler needs to give the terminal back: the mode it had, and the one that it has
 * while it is ours. Changed only while `mode_is_ours` is 0.
 */
static struct termios own_mode;
static struct termios key_mode;
static volatile sig_atomic_t mode_is_ours;

/* Signals that end the process unless it has other plans, and leave the terminal as it is. */
static const int deadly[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
enum { DEADLY = sizeof deadly / sizeof deadly[0] };

/* tcsetattr(), like all that the handlers call, is safe in one (POSIX.1-2017, 2.4.3). */
static void on_deadly_signal(int number)
{
    if (mode_is_ours)
        tcsetattr(STDIN_FILENO, TCSANOW, &own_mode);
    /* Its default action is in force again (SA_RESETHAND) and takes place on return. */
    raise(number);
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(number, &action, NULL);
}

/* Ctrl-Z: the shell gets its terminal back, and when it lets us go on, we take it again. */
static void on_suspend(int number)
{
    int saved = errno;
    sigset_t mask;

    tcsetattr(STDIN_FILENO, TCSANOW, &own_mode);
    handle(number, SIG_DFL, 0);
    raise(number);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    /* Here we are again. */
    handle(number, on_suspend, 0);
    if (mode_is_ours)
        tcsetattr(STDIN_FILENO, TCSANOW, &key_mode);
    errno = saved;
}

/* A new size of the window interrupts the wait, and the line is drawn again. */
static void on_resize(int number)
{
    (void)number;
}

/* Keys one by one and without echo; signals, flow control and the translation of Enter stay. */
static bool take_mode(void)
{
    if (tcgetattr(STDIN_FILENO, &own_mode) != 0)
        return false;
    key_mode = own_mode;
    key_mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    key_mode.c_cc[VMIN] = 1;
    key_mode.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &key_mode) != 0)
        return false;
    mode_is_ours = 1;
    for (int i = 0; i < DEADLY; i++)
        handle(deadly[i], on_deadly_signal, (int)SA_RESETHAND);
    handle(SIGTSTP, on_suspend, 0);
    handle(SIGWINCH, on_resize, 0);
    return true;
}

static void give_mode_back(void)
{
    handle(SIGWINCH, SIG_DFL, 0);
    handle(SIGTSTP, SIG_DFL, 0);
    for (int i = 0; i < DEADLY; i++)
        handle(deadly[i], SIG_DFL, 0);
    mode_is_ours = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &own_mode);
}

/* Whether the cursor can be moved: TERM names a terminal, and not one without. */
static bool can_be_drawn_on(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
           strcmp(term, "unknown") != 0;
}

struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);
    const char *no_color = getenv("NO_COLOR");

    (void)sockets;
    (void)socket_count;
    if (terminal == NULL)
        return NULL;
    terminal->selector = selector;
    if (!selector_add(selector, &terminal->input, STDIN_FILENO, SELECTOR_NONE)) {
        free(terminal);
        return NULL;
    }
    if (!selector_add(selector, &terminal->output, STDOUT_FILENO, SELECTOR_NONE)) {
        selector_remove(selector, &terminal->input);
        free(terminal);
        return NULL;
    }
    terminal->interactive = isatty(STDIN_FILENO) != 0;
    terminal->drawn = terminal->interactive && can_be_drawn_on() && take_mode();
    terminal->colours = can_be_drawn_on() && (no_color == NULL || *no_color == '\0');
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal->drawn)
        give_mode_back();
    selector_remove(terminal->selector, &terminal->input);
    selector_remove(terminal->selector, &terminal->output);
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->interactive;
}

int terminal_wait(struct terminal *terminal, int wanted)
{
    struct selector *selector = terminal->selector;
    bool hung_up = (wanted & TERMINAL_INPUT) && terminal->ended;

    selector_change(selector, &terminal->input,
                    wanted & TERMINAL_INPUT ? SELECTOR_READ : SELECTOR_NONE);
    selector_change(selector, &terminal->output,
                    wanted & TERMINAL_OUTPUT ? SELECTOR_WRITE : SELECTOR_NONE);
    if (!selector_wait(selector, hung_up ? 0 : -1))
        return -1;
    return (terminal->input.ready || hung_up ? wanted & TERMINAL_INPUT : 0) |
           (terminal->output.ready ? wanted & TERMINAL_OUTPUT : 0);
}

bool terminal_input_ready(struct terminal *terminal)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    (void)terminal;
    return poll(&input, 1, 0) > 0;
}

ptrdiff_t terminal_read(struct terminal *terminal, void *bytes, size_t size,
                        char error[OS_ERROR_TEXT])
{
    ptrdiff_t n;

    (void)terminal;
    n = read(STDIN_FILENO, bytes, size);
    if (n > 0)
        return n;
    if (n == 0)
        return TERMINAL_END;
    /* EAGAIN: whoever shares the pipe with us has made it non-blocking and was faster. */
    if (errno == EINTR || errno == EAGAIN)
        return 0;
    os_error_text(errno, error);
    return TERMINAL_BROKEN;
}

/* Reads what has been typed, without waiting, behind what is left of it. */
static void read_keys(struct terminal *terminal)
{
    size_t left = terminal->key_end - terminal->key_start;

    if (terminal->ended || !terminal_input_ready(terminal))
        return;
    memmove(terminal->keys, terminal->keys + terminal->key_start, left);
    terminal->key_start = 0;
    terminal->key_end = left;
    ptrdiff_t n = read(STDIN_FILENO, terminal->keys + left, sizeof terminal->keys - left);

    if (n > 0)
        terminal->key_end += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        terminal->ended = true;
}

/* The next key of those that are read; false when none is whole. */
static bool take_key(struct terminal *terminal, struct key *key)
{
    size_t left = terminal->key_end - terminal->key_start;
    size_t taken = 0;

    if (left > 0)
        taken = key_decoder_next(terminal->keys + terminal->key_start, left, key);
    terminal->key_start += taken;
    return taken > 0;
}

bool terminal_key(struct terminal *terminal, struct key *key)
{
    if (take_key(terminal, key))
        return true;
    read_keys(terminal);
    if (take_key(terminal, key))
        return true;
    key->kind = KEY_HANG_UP;
    return terminal->ended;
}

static void write_all(const char *text, size_t length)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (length > 0) {
        ptrdiff_t n = write(STDOUT_FILENO, text, length);

        if (n < 0 && errno == EAGAIN)
            poll(&room, 1, -1);
        else if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
}

void terminal_print(struct terminal *terminal, const char *text, size_t length)
{
    static const char dim[] = "\x1B[2m"; /* faint, and normal intensity (ECMA-48, 8.3.117) */
    static const char normal[] = "\x1B[22m";

    while (length > 0) {
        size_t plain = 0;

        while (plain < length && text[plain] != DISPLAY_DIM && text[plain] != DISPLAY_NORMAL)
            plain++;
        write_all(text, plain);
        if (plain < length && terminal->colours && text[plain] == DISPLAY_DIM)
            write_all(dim, sizeof dim - 1);
        else if (plain < length && terminal->colours)
            write_all(normal, sizeof normal - 1);
        plain += plain < length;
        text += plain;
        length -= plain;
    }
}

static size_t window_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Columns of a part of the line. */
static size_t width_of(const struct line_editor *editor, size_t start, size_t end)
{
    size_t width = 0;
    size_t columns;

    while (start < end) {
        start += character_length(editor->text + start, end - start, &columns);
        width += columns;
    }
    return width;
}

/* Writes a part of the line; a tab takes one column. */
static void draw(const struct line_editor *editor, size_t start, size_t end)
{
    while (start < end) {
        size_t plain = start;

        while (plain < end && editor->text[plain] != '\t')
            plain++;
        write_all(editor->text + start, plain - start);
        if (plain < end)
            write_all(" ", 1);
        start = plain + 1;
    }
}

void terminal_show_line(struct terminal *terminal, const struct line_editor *editor)
{
    if (!terminal->drawn)
        return;
    terminal_hide_line(terminal);
    terminal->columns = window_columns();
    struct line_editor_view view = line_editor_view(
        editor, terminal->columns > PROMPT + 1 ? terminal->columns - PROMPT - 1 : 1);

    write_all(prompt, PROMPT);
    draw(editor, view.start, view.end);
    /* Again up to the cursor: so it stands right even where the terminal counts other columns. */
    if (editor->cursor < view.end) {
        write_all("\r", 1);
        write_all(prompt, PROMPT);
        draw(editor, view.start, editor->cursor);
    }
    terminal->width = PROMPT + width_of(editor, view.start, view.end);
    terminal->cursor = PROMPT + width_of(editor, view.start, editor->cursor);
}

void terminal_hide_line(struct terminal *terminal)
{
    static const char erase[] =
        "\r\x1B[J"; /* to column 1, erase to the end of the screen (ECMA-48, 8.3.39) */
    static const char up[] = "\x1B[A";
    size_t columns = terminal->width > 0 ? window_columns() : 0;

    if (!terminal->drawn || terminal->width == 0)
        return;
    /* A terminal that has become narrower has broken the row into several; the cursor went along.
     */
    if (columns < terminal->columns) {
        for (size_t rows = terminal->cursor / columns; rows > 0; rows--)
            write_all(up, sizeof up - 1);
    }
    write_all(erase, sizeof erase - 1);
    terminal->width = 0;
}

void terminal_finish_line(struct terminal *terminal)
{
    if (terminal->drawn && terminal->width > 0)
        write_all("\n", 1);
    terminal->width = 0;
}

void terminal_clear_screen(struct terminal *terminal)
{
    static const char clear[] = "\x1B[H\x1B[2J";

    if (terminal->drawn)
        write_all(clear, sizeof clear - 1);
    terminal->width = 0;
}
