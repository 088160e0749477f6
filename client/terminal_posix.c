#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "text.h"

static const char prompt[] = "> ";

/* Inside an escape sequence that a key sends (ECMA-48, 5.4: CSI parameters end with a byte from @
 * to ~). */
enum escape_state { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CONTROL_SEQUENCE, ESCAPE_ONE_MORE };

struct terminal {
    struct selector *selector;
    struct selector_watch input;
    struct selector_watch output;
    bool interactive;
    bool ended; /* the terminal has hung up */
    bool typed; /* a read would not block: found by select(), since poll() of macOS knows no
                   terminals */
    int device; /* where the typed line is drawn: the terminal that stdin is, even if stdout is
                   something else */
    struct termios cooked;
    enum escape_state escape;
    char keys[4096]; /* bytes of keys that are read and not given out yet: those from `key_start` to
                        `key_end` */
    size_t key_start;
    size_t key_end;
};

/* Keys one by one and without echo; signals, flow control and the translation of Enter stay as they
 * were. */
static bool set_key_mode(struct terminal *terminal)
{
    struct termios mode;

    if (tcgetattr(STDIN_FILENO, &terminal->cooked) != 0)
        return false;
    mode = terminal->cooked;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    mode.c_cc[VQUIT] = _POSIX_VDISABLE; /* it would end us with the terminal in this mode */
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &mode) == 0;
}

struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);

    (void)sockets;
    (void)socket_count;
    if (terminal == NULL)
        return NULL;
    terminal->selector = selector;
    terminal->device = -1;
    if (!selector_add(selector, &terminal->input, STDIN_FILENO, SELECTOR_NONE)) {
        free(terminal);
        return NULL;
    }
    if (!selector_add(selector, &terminal->output, STDOUT_FILENO, SELECTOR_NONE)) {
        selector_remove(selector, &terminal->input);
        free(terminal);
        return NULL;
    }
    if (isatty(STDIN_FILENO)) {
        const char *name = ttyname(STDIN_FILENO);

        terminal->interactive = true;
        terminal->device = name != NULL ? open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC) : -1;
        if (terminal->device == -1 && isatty(STDOUT_FILENO))
            terminal->device = dup(STDOUT_FILENO);
        /* Where it cannot be drawn to, the terminal goes on editing and echoing lines itself. */
        if (terminal->device != -1 && !set_key_mode(terminal)) {
            close(terminal->device);
            terminal->device = -1;
        }
    }
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal->device != -1) {
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->cooked);
        close(terminal->device);
    }
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
    bool keys_left = terminal->key_start < terminal->key_end || terminal->ended;

    selector_change(terminal->selector, &terminal->input,
                    wanted & TERMINAL_INPUT ? SELECTOR_READ : SELECTOR_NONE);
    selector_change(terminal->selector, &terminal->output,
                    wanted & TERMINAL_OUTPUT ? SELECTOR_WRITE : SELECTOR_NONE);
    if (!selector_wait(terminal->selector, (wanted & TERMINAL_INPUT) && keys_left ? 0 : -1))
        return -1;
    terminal->typed = terminal->input.ready != SELECTOR_NONE;
    return (terminal->input.ready || keys_left ? wanted & TERMINAL_INPUT : 0) |
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

    if (terminal->ended || !terminal->typed)
        return;
    terminal->typed = false;
    memmove(terminal->keys, terminal->keys + terminal->key_start, left);
    terminal->key_start = 0;
    terminal->key_end = left;
    ptrdiff_t n = read(STDIN_FILENO, terminal->keys + left, sizeof terminal->keys - left);

    if (n > 0)
        terminal->key_end += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        terminal->ended = true;
}

/* Skips the rest of what a key such as an arrow sends. Returns whether the byte belongs to it. */
static bool in_escape(struct terminal *terminal, unsigned char byte)
{
    switch (terminal->escape) {
    case ESCAPE_NONE:
        terminal->escape = byte == 0x1B ? ESCAPE_BEGUN : ESCAPE_NONE;
        return byte == 0x1B;
    case ESCAPE_BEGUN:
        terminal->escape = byte == '['   ? ESCAPE_CONTROL_SEQUENCE
                           : byte == 'O' ? ESCAPE_ONE_MORE
                                         : ESCAPE_NONE;
        return byte >= 0x20;
    case ESCAPE_CONTROL_SEQUENCE:
        if (byte >= 0x40 && byte <= 0x7E)
            terminal->escape = ESCAPE_NONE;
        return true;
    case ESCAPE_ONE_MORE:
        terminal->escape = ESCAPE_NONE;
        return true;
    }
    return false;
}

static enum key_kind kind_of(unsigned char byte)
{
    switch (byte) {
    case '\n':
    case '\r':
        return KEY_ENTER;
    case 0x08:
    case 0x7F:
        return KEY_BACKSPACE;
    case 0x15:
        return KEY_KILL_LINE;
    case 0x04:
        return KEY_END_OF_INPUT;
    default:
        return byte < 0x20 && byte != '\t' ? KEY_OTHER : KEY_TEXT;
    }
}

bool terminal_key(struct terminal *terminal, struct key *key)
{
    size_t left = terminal->key_end - terminal->key_start;
    const char *next = terminal->keys + terminal->key_start;
    size_t length = left > 0 ? text_utf8_length(next, left) : 0;

    if (left == 0 || (length == 0 && left < 4)) {
        read_keys(terminal);
        left = terminal->key_end - terminal->key_start;
        next = terminal->keys + terminal->key_start;
        length = left > 0 ? text_utf8_length(next, left) : 0;
    }
    if (left == 0) {
        key->kind = KEY_HANG_UP;
        return terminal->ended;
    }
    /* The terminal says which characters it sends: what is not UTF-8 is taken byte by byte. */
    key->length = length > 0 ? length : 1;
    memcpy(key->text, next, key->length);
    terminal->key_start += key->length;
    key->kind =
        in_escape(terminal, (unsigned char)*next) ? KEY_OTHER : kind_of((unsigned char)*next);
    return true;
}

static void write_all(int fd, const char *text, size_t length)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    while (length > 0) {
        ptrdiff_t n = write(fd, text, length);

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
    (void)terminal;
    write_all(STDOUT_FILENO, text, length);
}

static size_t columns(const struct terminal *terminal)
{
    struct winsize size;

    return ioctl(terminal->device, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void terminal_show_line(struct terminal *terminal, const struct line_editor *editor)
{
    if (terminal->device == -1)
        return;
    size_t room = columns(terminal) > sizeof prompt ? columns(terminal) - sizeof prompt : 0;
    size_t start = line_editor_visible(editor, room);

    terminal_hide_line(terminal);
    write_all(terminal->device, prompt, sizeof prompt - 1);
    write_all(terminal->device, editor->text + start, editor->length - start);
}

void terminal_hide_line(struct terminal *terminal)
{
    static const char erase[] =
        "\r\x1B[K"; /* to column 1, erase to the end of the row (ECMA-48, 8.3.41) */

    if (terminal->device != -1)
        write_all(terminal->device, erase, sizeof erase - 1);
}

void terminal_finish_line(struct terminal *terminal)
{
    if (terminal->device != -1)
        write_all(terminal->device, "\n", 1);
}
