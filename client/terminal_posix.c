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
    struct selector_watch wake;
    bool interactive;
    bool takes_keys; /* one by one; else the terminal edits and echoes a line by itself */
    bool readable;   /* by the last wait, and nothing has been read since */
    bool ended;      /* the terminal has hung up */
    char keys[4096]; /* bytes of keys not given out yet: those from `key_start` to `key_end` */
    size_t key_start;
    size_t key_end;
    struct key_decoder decoder;
};

/*
 * What the signal handlers need: the mode that the terminal had, the one that it has while it is
 * ours, and the pipe through which they wake terminal_wait(). Changed only while `mode_is_ours` is
 * 0. All that the handlers call is safe in one (POSIX.1-2017, 2.4.3).
 */
static struct termios own_mode;
static struct termios key_mode;
static int wake_pipe[2] = {-1, -1};
static volatile sig_atomic_t mode_is_ours;

/*
 * Changes the mode, unless somebody else has the terminal now: there it would stop the process
 * (SIGTTOU), or spoil the mode of the shell. A terminal that is not the one of the session has no
 * foreground.
 */
static void set_mode(const struct termios *mode)
{
    pid_t foreground = tcgetpgrp(STDIN_FILENO);

    if (foreground <= 0 || foreground == getpgrp())
        tcsetattr(STDIN_FILENO, TCSANOW, mode);
}

static void on_deadly_signal(int number)
{
    if (mode_is_ours)
        set_mode(&own_mode);
    /* Its default action is in force again (SA_RESETHAND) and takes place on return. */
    raise(number);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = handler == on_deadly_signal ? (int)SA_RESETHAND : SA_RESTART;
    sigaction(number, &action, NULL);
}

/* A full pipe wakes as well as one with one byte more. */
static void wake(void)
{
    int saved = errno;

    if (write(wake_pipe[1], "", 1) != 1)
        errno = saved;
}

/* Ctrl-Z: the shell gets its terminal back. */
static void on_suspend(int number)
{
    int saved = errno;
    sigset_t mask;

    if (mode_is_ours)
        set_mode(&own_mode);
    handle(number, SIG_DFL);
    raise(number);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    /* Here we are again; perhaps at once, where there is no shell that could let us go on (an
     * orphaned process group, POSIX.1-2017, 2.4.3), and then SIGCONT has not come. */
    handle(number, on_suspend);
    if (mode_is_ours)
        set_mode(&key_mode);
    wake();
    errno = saved;
}

/* The shell lets us go on, whatever has stopped us: with the terminal, or without it ("bg"). */
static void on_continue(int number)
{
    int saved = errno;

    (void)number;
    if (mode_is_ours)
        set_mode(&key_mode);
    wake();
    errno = saved;
}

/* The window has a new size: the line is drawn again. */
static void on_resize(int number)
{
    (void)number;
    wake();
}

/* What is handled while the mode is ours: the signals that end the process and would leave the
 * terminal as it is, and those after which something is to be done for it. */
static const struct {
    int number;
    void (*handler)(int);
} handled[] = {
    {SIGQUIT, on_deadly_signal}, {SIGILL, on_deadly_signal},  {SIGTRAP, on_deadly_signal},
    {SIGABRT, on_deadly_signal}, {SIGBUS, on_deadly_signal},  {SIGFPE, on_deadly_signal},
    {SIGSEGV, on_deadly_signal}, {SIGSYS, on_deadly_signal},  {SIGUSR1, on_deadly_signal},
    {SIGUSR2, on_deadly_signal}, {SIGALRM, on_deadly_signal}, {SIGVTALRM, on_deadly_signal},
    {SIGPROF, on_deadly_signal}, {SIGXCPU, on_deadly_signal}, {SIGXFSZ, on_deadly_signal},
    {SIGTSTP, on_suspend},       {SIGCONT, on_continue},      {SIGWINCH, on_resize},
};
enum { HANDLED = sizeof handled / sizeof handled[0] };
static struct sigaction found[HANDLED]; /* what the signals did before */

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
    for (int i = 0; i < HANDLED; i++) {
        sigaction(handled[i].number, NULL, &found[i]);
        /* What is ignored on purpose stays so. */
        if (found[i].sa_handler != SIG_IGN)
            handle(handled[i].number, handled[i].handler);
    }
    return true;
}

/* Not TCSADRAIN: output that nobody takes would hold the end up. */
static void give_mode_back(void)
{
    for (int i = 0; i < HANDLED; i++)
        sigaction(handled[i].number, &found[i], NULL);
    mode_is_ours = 0;
    set_mode(&own_mode);
}

/* The self-pipe trick: a signal that comes before select() does is not missed. */
static bool open_wake_pipe(void)
{
    return pipe(wake_pipe) == 0 && os_prepare_socket(wake_pipe[0]) &&
           os_prepare_socket(wake_pipe[1]);
}

static void close_wake_pipe(void)
{
    for (int i = 0; i < 2; i++) {
        if (wake_pipe[i] != -1)
            close(wake_pipe[i]);
        wake_pipe[i] = -1;
    }
}

static void empty_wake_pipe(void)
{
    char bytes[16];

    while (read(wake_pipe[0], bytes, sizeof bytes) > 0)
        continue;
}

static bool watch(struct terminal *terminal)
{
    struct selector *selector = terminal->selector;

    if (!open_wake_pipe() || !selector_add(selector, &terminal->input, STDIN_FILENO, SELECTOR_NONE))
        return false;
    if (!selector_add(selector, &terminal->output, STDOUT_FILENO, SELECTOR_NONE)) {
        selector_remove(selector, &terminal->input);
        return false;
    }
    if (!selector_add(selector, &terminal->wake, wake_pipe[0], SELECTOR_READ)) {
        selector_remove(selector, &terminal->input);
        selector_remove(selector, &terminal->output);
        return false;
    }
    return true;
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
    if (!watch(terminal)) {
        int error = errno;

        close_wake_pipe();
        free(terminal);
        errno = error;
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
    selector_remove(terminal->selector, &terminal->wake);
    close_wake_pipe();
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

int terminal_wait(struct terminal *terminal, int wanted, int timeout)
{
    struct selector *selector = terminal->selector;
    bool hung_up = (wanted & TERMINAL_INPUT) && terminal->ended;

    selector_change(selector, &terminal->input,
                    wanted & TERMINAL_INPUT ? SELECTOR_READ : SELECTOR_NONE);
    selector_change(selector, &terminal->output,
                    wanted & TERMINAL_OUTPUT ? SELECTOR_WRITE : SELECTOR_NONE);
    if (!selector_wait(selector, hung_up ? 0 : timeout < 0 ? -1 : (int64_t)timeout * 1000))
        return -1;
    /* Also when select() was interrupted and tells nothing: one wake-up is enough. */
    if (terminal->takes_keys)
        empty_wake_pipe();
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
        taken =
            key_decoder_next(&terminal->decoder, terminal->keys + terminal->key_start, left, key);
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
