#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "key_decoder.h"
#include "screen.h"
#include "stream.h"

const char terminal_end_key[] = "Ctrl-D";

/* How often a background process checks for the foreground: a shell sends no signal when it brings
 * a running job there. */
static const int64_t POLL_INTERVAL = MILLISECONDS(100);

struct terminal {
    struct selector *selector;
    struct selector_watch input;
    struct selector_watch wake;
    bool interactive;
    bool takes_keys; /* keys arrive one by one; else the terminal edits and echoes lines itself */
    bool foreground; /* the process was in the foreground at the last wait */
    bool resumed;    /* at the last wait, everything had to be drawn again */
    bool readable;   /* the last wait found input, which has not been read yet */
    bool ended;      /* the terminal has hung up */
    struct key_decoder decoder;
    char keys[4096]; /* bytes not decoded yet: keys[key_start] up to keys[key_end] */
    size_t key_start;
    size_t key_end;
    bool more_keys; /* the caller took a key and may have left others */
};

/*
 * Used by the signal handlers: the mode of the terminal before the client changed it, once it is
 * known; the client's mode; and the pipe through which the handlers wake terminal_wait().
 * `saved_mode` does not change once `mode_known` is set. All functions called by the handlers are
 * async-signal-safe (POSIX.1-2017, 2.4.3).
 */
static struct termios saved_mode;
static struct termios key_mode;
static int wake_pipe[2] = {-1, -1};
static volatile sig_atomic_t mode_known;
static volatile sig_atomic_t mode_due; /* set the mode once in the foreground */

/* Restores the mode of the terminal, unless this process is in its background. There, the mode is
 * that of the shell, and must not be changed. */
static void restore_mode(void)
{
    if (mode_known && !stream_in_background(STREAM_INPUT))
        tcsetattr(stream_socket(STREAM_INPUT), TCSANOW, &saved_mode);
}

/* Restores the terminal in a signal handler: its mode, and bracketed paste (screen_posix.c). If the
 * terminal takes nothing, output that it has not shown yet is dropped first. */
static void restore_all(void)
{
    const size_t length = strlen(screen_pastes_off);

    if (!mode_known || stream_in_background(STREAM_INPUT))
        return;
    if (stream_write(STREAM_OUTPUT, screen_pastes_off, length) != (ptrdiff_t)length) {
        stream_discard(STREAM_OUTPUT);
        stream_write(STREAM_OUTPUT, screen_pastes_off, length);
    }
    restore_mode();
}

/*
 * Sets the mode: keys arrive one by one and without echo, and Enter differs from a pasted line
 * feed. Signals and flow control stay on. This is done only in the foreground; in the background
 * the mode is that of the shell. If the input could not be opened a second time, VMIN 0 keeps a
 * read from blocking. TCSADRAIN would block while nobody reads the output, so TCSANOW is used.
 */
static void set_mode(void)
{
    int input = stream_socket(STREAM_INPUT);
    bool blocking = (fcntl(input, F_GETFL) & O_NONBLOCK) == 0;

    mode_due = 1; /* tried again at the next wait, if it fails now */
    if (!mode_known && tcgetattr(input, &saved_mode) != 0)
        return;
    key_mode = saved_mode;
    key_mode.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR);
    key_mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    key_mode.c_cc[VMIN] = blocking ? 0 : 1;
    key_mode.c_cc[VTIME] = 0;
    mode_known = 1;
    mode_due = tcsetattr(input, TCSANOW, &key_mode) != 0;
}

static void on_deadly_signal(int number)
{
    restore_all();
    /* The default action is set again (SA_RESETHAND) and takes place on return. */
    raise(number);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = handler == on_deadly_signal ? (int)SA_RESETHAND : 0;
    sigaction(number, &action, NULL);
}

/* Wakes terminal_wait(). If the pipe is full, it wakes anyway. */
static void wake(void)
{
    int saved = errno;
    ssize_t written = write(wake_pipe[1], "", 1);

    (void)written;
    errno = saved;
}

/* Handles Ctrl-Z: restores the terminal for the shell and stops the process. */
static void on_suspend(int number)
{
    int saved = errno;
    sigset_t mask;

    restore_all();
    handle(number, SIG_DFL);
    raise(number);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    /* The process has been continued, or was not stopped: in an orphaned process group there is no
     * stop and no SIGCONT (POSIX.1-2017, 2.4.3). */
    handle(number, on_suspend);
    mode_due = 1;
    wake();
    errno = saved;
}

/* Handles SIGCONT after a stop of any kind: the process may be in the foreground or, after "bg", in
 * the background. */
static void on_continue(int number)
{
    (void)number;
    mode_due = 1;
    wake();
}

/* Handles a resized window: the line is drawn again. */
static void on_resize(int number)
{
    (void)number;
    wake();
}

/* The signals that are handled while stdin is a terminal: those that would end the process with the
 * terminal in the wrong mode, and those after which its mode has to be set or the line drawn
 * again. */
static const struct {
    int number;
    void (*handler)(int);
} handled[] = {
    {SIGQUIT, on_deadly_signal}, {SIGILL, on_deadly_signal},  {SIGTRAP, on_deadly_signal},
    {SIGABRT, on_deadly_signal}, {SIGBUS, on_deadly_signal},  {SIGFPE, on_deadly_signal},
    {SIGSEGV, on_deadly_signal}, {SIGSYS, on_deadly_signal},  {SIGUSR1, on_deadly_signal},
    {SIGUSR2, on_deadly_signal}, {SIGALRM, on_deadly_signal}, {SIGVTALRM, on_deadly_signal},
    {SIGPROF, on_deadly_signal}, {SIGXCPU, on_deadly_signal}, {SIGTSTP, on_suspend},
    {SIGCONT, on_continue},      {SIGWINCH, on_resize},
};
enum { HANDLED = sizeof handled / sizeof handled[0] };
static struct sigaction previous[HANDLED]; /* the actions before install_handlers() */

static void install_handlers(void)
{
    for (int i = 0; i < HANDLED; i++) {
        sigaction(handled[i].number, NULL, &previous[i]);
        /* A signal that is ignored on purpose stays ignored. */
        if (previous[i].sa_handler != SIG_IGN)
            handle(handled[i].number, handled[i].handler);
    }
}

static void restore_handlers(void)
{
    for (int i = 0; i < HANDLED; i++)
        sigaction(handled[i].number, &previous[i], NULL);
}

/* The self-pipe trick: a signal that arrives before select() starts is not lost. */
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

/* Empties the pipe. Returns whether anything was in it. */
static bool drain_wake_pipe(void)
{
    char bytes[16];
    bool any = false;

    while (read(wake_pipe[0], bytes, sizeof bytes) > 0)
        any = true;
    return any;
}

static bool watch(struct terminal *terminal)
{
    struct selector *selector = terminal->selector;

    if (!open_wake_pipe() ||
        !selector_add(selector, &terminal->input, stream_socket(STREAM_INPUT), SELECTOR_NONE))
        return false;
    if (!selector_add(selector, &terminal->wake, wake_pipe[0], SELECTOR_READ)) {
        selector_remove(selector, &terminal->input);
        return false;
    }
    return true;
}

/* Checks whether the process is in the foreground. When it gets there, it sets the mode and draws
 * everything again, because another process may have changed both. */
static void poll_foreground(struct terminal *terminal)
{
    bool foreground = !terminal->interactive || !stream_in_background(STREAM_INPUT);

    if (foreground && !terminal->foreground) {
        mode_due = 1;
        terminal->resumed = true;
    }
    terminal->foreground = foreground;
    if (mode_due && terminal->takes_keys && foreground)
        set_mode();
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
    terminal->interactive = stream_is_terminal(STREAM_INPUT);
    terminal->takes_keys = terminal->interactive && screen_can_draw();
    mode_known = 0;
    mode_due = terminal->takes_keys;
    if (terminal->interactive)
        install_handlers();
    poll_foreground(terminal);
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    restore_mode();
    if (terminal->interactive)
        restore_handlers();
    mode_known = 0;
    selector_remove(terminal->selector, &terminal->input);
    selector_remove(terminal->selector, &terminal->wake);
    close_wake_pipe();
    free(terminal);
}

bool terminal_interactive(const struct terminal *terminal)
{
    return terminal->interactive;
}

bool terminal_lacks_console(const struct terminal *terminal)
{
    (void)terminal;
    return false;
}

bool terminal_takes_keys(const struct terminal *terminal)
{
    return terminal->takes_keys;
}

bool terminal_foreground(const struct terminal *terminal)
{
    return terminal->foreground;
}

bool terminal_resumed(const struct terminal *terminal)
{
    return terminal->resumed;
}

int terminal_wait(struct terminal *terminal, bool wanted, int64_t deadline)
{
    terminal->resumed = false;
    wanted = wanted && terminal->foreground;
    bool pending = wanted && (terminal->ended || terminal->more_keys);

    selector_change(terminal->selector, &terminal->input, wanted ? SELECTOR_READ : SELECTOR_NONE);
    if (!terminal->foreground)
        deadline = deadline_earlier(deadline, os_nanoseconds() + POLL_INTERVAL);
    if (!selector_wait(terminal->selector, pending ? 0 : deadline))
        return -1;
    /* The pipe is drained even after an interrupted select(), which reports nothing: one wake-up is
     * enough. */
    terminal->resumed = drain_wake_pipe();
    /* Checked after the wait, because the process may have been stopped in it. */
    poll_foreground(terminal);
    terminal->readable = terminal->input.ready != SELECTOR_NONE && terminal->foreground;
    return terminal->readable || pending;
}

/* Reads the input found by the last wait, after the bytes that are left. */
static void read_keys(struct terminal *terminal)
{
    size_t left = terminal->key_end - terminal->key_start;

    if (terminal->ended || !terminal->readable)
        return;
    terminal->readable = false;
    memmove(terminal->keys, terminal->keys + terminal->key_start, left);
    terminal->key_start = 0;
    terminal->key_end = left;
    ptrdiff_t n = stream_read(terminal->keys + left, sizeof terminal->keys - left);

    if (n > 0)
        terminal->key_end += (size_t)n;
    else if (n == STREAM_BROKEN)
        terminal->ended = true; /* with VMIN 0, STREAM_END only means no input */
}

/* Decodes the next key that has been read; false if none is complete. */
static bool take_key(struct terminal *terminal, struct key *key)
{
    size_t left = terminal->key_end - terminal->key_start;
    const char *bytes = terminal->keys + terminal->key_start;
    size_t consumed = left > 0 ? key_decoder_next(&terminal->decoder, bytes, left, key) : 0;

    terminal->key_start += consumed;
    return consumed > 0;
}

enum terminal_keys terminal_key(struct terminal *terminal, struct key *key)
{
    terminal->more_keys = take_key(terminal, key);
    if (!terminal->more_keys) {
        read_keys(terminal);
        terminal->more_keys = take_key(terminal, key);
    }
    if (terminal->more_keys)
        return TERMINAL_KEY;
    return terminal->ended ? TERMINAL_HANGUP : TERMINAL_NO_KEY;
}
