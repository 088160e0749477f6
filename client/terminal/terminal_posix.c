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

/* Nanoseconds after which one in the background looks again: a shell that brings a running job to
 * the foreground sends it nothing. */
static const int64_t POLL_INTERVAL = 100000000;

struct terminal {
    struct selector *selector;
    struct selector_watch input;
    struct selector_watch wake;
    bool interactive;
    bool takes_keys; /* one by one; else the terminal edits and echoes a line by itself */
    bool foreground; /* as the last wait found */
    bool resumed;    /* likewise */
    bool readable;   /* by the last wait, and nothing has been read since */
    bool ended;      /* the terminal has hung up */
    struct key_decoder decoder;
    char keys[4096]; /* bytes of keys not given out yet: those from `key_start` to `key_end` */
    size_t key_start;
    size_t key_end;
};

/*
 * What the signal handlers need: the mode that the terminal had before it was ours, once that is
 * known; the one that it has while it is ours; and the pipe through which they wake
 * terminal_wait(). `own_mode` does not change any more once `mode_known` is set. All that the
 * handlers call is safe in one (POSIX.1-2017, 2.4.3).
 */
static struct termios own_mode;
static struct termios key_mode;
static int wake_pipe[2] = {-1, -1};
static volatile sig_atomic_t mode_known;
static volatile sig_atomic_t mode_due; /* it is to be set, as soon as we are in the foreground */

/* Gives the terminal back as it was, unless somebody else has it now: there it would spoil the mode
 * of the shell. */
static void restore_mode(void)
{
    if (mode_known && !stream_in_background(STREAM_INPUT))
        tcsetattr(stream_socket(STREAM_INPUT), TCSANOW, &own_mode);
}

/* The same in a signal handler, and pastes come as any keys again (screen_posix.c). A terminal that
 * takes nothing forgets what it has not shown yet. */
static void restore_all(void)
{
    static const char plain_pastes[] = "\x1B[?2004l";
    const ptrdiff_t length = sizeof plain_pastes - 1;

    if (!mode_known || stream_in_background(STREAM_INPUT))
        return;
    if (stream_write(STREAM_OUTPUT, plain_pastes, (size_t)length) != length) {
        stream_discard(STREAM_OUTPUT);
        stream_write(STREAM_OUTPUT, plain_pastes, (size_t)length);
    }
    restore_mode();
}

/*
 * Keys one by one and without echo, Enter told from a pasted line feed; signals and flow control
 * stay. Only in the foreground: there the mode is the user's, in the background it is the shell's.
 * Where the input could not be opened once more for ourselves, a read must not wait either (VMIN).
 * Not TCSADRAIN: output that nobody takes would hold us up.
 */
static void take_mode(void)
{
    int input = stream_socket(STREAM_INPUT);
    bool waits = (fcntl(input, F_GETFL) & O_NONBLOCK) == 0;

    mode_due = 0;
    if (!mode_known && tcgetattr(input, &own_mode) != 0)
        return;
    key_mode = own_mode;
    key_mode.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR);
    key_mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    key_mode.c_cc[VMIN] = waits ? 0 : 1;
    key_mode.c_cc[VTIME] = 0;
    mode_known = 1;
    if (tcsetattr(input, TCSANOW, &key_mode) != 0)
        mode_due = 1;
}

static void on_deadly_signal(int number)
{
    restore_all();
    /* Its default action is in force again (SA_RESETHAND) and takes place on return. */
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

    restore_all();
    handle(number, SIG_DFL);
    raise(number);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    /* Here we are again; perhaps at once, where there is no shell that could let us go on (an
     * orphaned process group, POSIX.1-2017, 2.4.3), and then SIGCONT has not come. */
    handle(number, on_suspend);
    mode_due = 1;
    wake();
    errno = saved;
}

/* The shell lets us go on, whatever has stopped us: with the terminal, or without it ("bg"). */
static void on_continue(int number)
{
    (void)number;
    mode_due = 1;
    wake();
}

/* The window has a new size: the line is drawn again. */
static void on_resize(int number)
{
    (void)number;
    wake();
}

/* What is handled while stdin is a terminal: the signals that end the process and would leave the
 * terminal as it is, and those after which something is to be done for it. */
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
static struct sigaction found[HANDLED]; /* what the signals did before */

static void take_signals(void)
{
    for (int i = 0; i < HANDLED; i++) {
        sigaction(handled[i].number, NULL, &found[i]);
        /* What is ignored on purpose stays so. */
        if (found[i].sa_handler != SIG_IGN)
            handle(handled[i].number, handled[i].handler);
    }
}

static void give_signals_back(void)
{
    for (int i = 0; i < HANDLED; i++)
        sigaction(handled[i].number, &found[i], NULL);
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

/* Returns whether there was anything in it. */
static bool empty_wake_pipe(void)
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

/* Whoever has the terminal now, it has the mode that is right for it. When it has become ours,
 * somebody else may have changed all. */
static void poll_foreground(struct terminal *terminal)
{
    bool foreground = !terminal->interactive || !stream_in_background(STREAM_INPUT);

    if (foreground && !terminal->foreground) {
        mode_due = 1;
        terminal->resumed = true;
    }
    terminal->foreground = foreground;
    if (mode_due && terminal->takes_keys && foreground)
        take_mode();
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
        take_signals();
    poll_foreground(terminal);
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    restore_mode();
    if (terminal->interactive)
        give_signals_back();
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
    wanted = wanted && terminal->foreground;
    selector_change(terminal->selector, &terminal->input, wanted ? SELECTOR_READ : SELECTOR_NONE);
    if (!terminal->foreground)
        deadline = deadline_earlier(deadline, os_nanoseconds() + POLL_INTERVAL);
    if (!selector_wait(terminal->selector, wanted && terminal->ended ? 0 : deadline))
        return -1;
    /* Also when select() was interrupted and tells nothing: one wake-up is enough. */
    terminal->resumed = empty_wake_pipe();
    /* Not what was so before the wait: we may have been stopped in it. */
    poll_foreground(terminal);
    terminal->readable = terminal->input.ready != SELECTOR_NONE && terminal->foreground;
    return terminal->readable || (wanted && terminal->ended);
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
    ptrdiff_t n = stream_read(terminal->keys + left, sizeof terminal->keys - left);

    if (n > 0)
        terminal->key_end += (size_t)n;
    else if (n == STREAM_BROKEN)
        terminal->ended = true; /* STREAM_END is only what VMIN 0 says when there is nothing */
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

enum terminal_keys terminal_key(struct terminal *terminal, struct key *key)
{
    if (take_key(terminal, key))
        return TERMINAL_KEY;
    read_keys(terminal);
    if (take_key(terminal, key))
        return TERMINAL_KEY;
    return terminal->ended ? TERMINAL_GONE : TERMINAL_NO_KEY;
}
