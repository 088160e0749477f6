#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "key_decoder.h"
#include "screen.h"

const char terminal_end_key[] = "Ctrl-D";

struct terminal {
    struct selector *selector;
    struct selector_watch input;
    struct selector_watch output;
    bool interactive;
    bool takes_keys; /* one by one; else the terminal edits and echoes a line by itself */
    bool readable;   /* by the last wait, and nothing has been read since */
    bool ended;      /* the terminal has hung up */
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

struct terminal *terminal_open(struct selector *selector, const os_socket *sockets,
                               size_t socket_count)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);

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
    terminal->takes_keys = terminal->interactive && screen_can_draw() && take_mode();
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    if (terminal->takes_keys)
        give_mode_back();
    selector_remove(terminal->selector, &terminal->input);
    selector_remove(terminal->selector, &terminal->output);
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->interactive;
}

bool terminal_takes_keys(const struct terminal *terminal)
{
    return terminal->takes_keys;
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
    terminal->readable = terminal->input.ready != SELECTOR_NONE;
    return (terminal->readable || hung_up ? wanted & TERMINAL_INPUT : 0) |
           (terminal->output.ready ? wanted & TERMINAL_OUTPUT : 0);
}

/* Not with poll(2), which some systems do not have for all kinds of files. */
bool terminal_input_ready(struct terminal *terminal)
{
    struct timeval now = {0, 0};
    fd_set input;

    (void)terminal;
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return select(STDIN_FILENO + 1, &input, NULL, NULL, &now) > 0;
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

/* Reads what the last wait has found typed, behind what is left of it. */
static void read_keys(struct terminal *terminal)
{
    size_t left = terminal->key_end - terminal->key_start;

    if (terminal->ended || !terminal->readable)
        return;
    terminal->readable = false;
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
