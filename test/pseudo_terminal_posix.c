#include "pseudo_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "os.h"
#include "screen_model.h"

enum { COLUMNS = 80, READS = 100, MOMENT = 100 /* milliseconds */ };

struct pseudo_terminal {
    pid_t id; /* of the shell, the first process of the terminal's session */
    int master;
    int pipe[2]; /* the program's stdout, our end first; or -1 */
    struct termios found;
    bool ended;
    bool stopped;
    char output[4096]; /* not on the screen yet, because it has not come whole */
    size_t length;
    struct screen_model screen;
    char piped[PSEUDO_TERMINAL_TEXT];
    size_t piped_length;
};

static void set_environment(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static bool is_linux_console(const struct pseudo_terminal_options *options)
{
    return options->term != NULL && strcmp(options->term, "linux") == 0;
}

/* By which a terminal says who it is. */
static const char *const signs[] = {"XTERM_VERSION",   "TMUX",        "KITTY_WINDOW_ID",
                                    "KONSOLE_VERSION", "WT_SESSION",  "ALACRITTY_WINDOW_ID",
                                    "WEZTERM_PANE",    "VTE_VERSION", "TERM_PROGRAM"};

/* In the shell's child process: becomes the program, in a process group of its own to which the
 * terminal's keys go. */
static void become(const char *const arguments[], const struct pseudo_terminal_options *options)
{
    signal(SIGTTOU, SIG_IGN);
    setpgid(0, 0);
    if (!options->background)
        tcsetpgrp(STDIN_FILENO, getpid());
    signal(SIGTTOU, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);
    set_environment("TERM", options->term);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        set_environment(signs[i], NULL);
    if (!options->cuts && !is_linux_console(options))
        set_environment("VTE_VERSION", "7000");
    set_environment("NO_COLOR", options->no_color);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static volatile pid_t background_program;

/* As timeout(1) and the shell's kill do: what is stopped shall notice. */
static void end_background_program(int number)
{
    kill(background_program, number);
    kill(background_program, SIGCONT);
}

/* As a shell does with a job that is running: without a signal. */
static void bring_to_foreground(int number)
{
    (void)number;
    tcsetpgrp(STDIN_FILENO, background_program);
}

/* Without a shell nobody could suspend the program: what has no parent in its session cannot be
 * stopped from the terminal. Tells of a stop by stopping as well. */
static void be_shell(pid_t program)
{
    static const char stopped[] = "\nStopped\n";
    int status = 0;
    pid_t waited;

    background_program = program;
    while ((waited = waitpid(program, &status, WUNTRACED)) == -1 ||
           (waited == program && WIFSTOPPED(status))) {
        if (waited == -1)
            continue;
        if (write(STDERR_FILENO, stopped, sizeof stopped - 1) == sizeof stopped - 1)
            raise(SIGSTOP);
        kill(-program, SIGCONT);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* In the child process: the shell, whose terminal this is, and its child, the program. */
static void be_session(const struct pseudo_terminal *terminal, const char *name,
                       const char *const arguments[], const struct pseudo_terminal_options *options)
{
    struct rlimit no_core = {0, 0};
    pid_t program;
    int slave;

    setsid();
    slave = open(name, O_RDWR);
    if (slave == -1 || ioctl(slave, TIOCSCTTY, 0) != 0)
        _exit(127);
    for (int fd = 0; fd < 3; fd++)
        dup2(slave, fd);
    if (options->piped)
        dup2(terminal->pipe[1], STDOUT_FILENO);
    if (slave > 2)
        close(slave);
    close(terminal->master);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_IGN); /* as nohup(1) does: the end of the terminal shows in the input */
    signal(SIGTERM, end_background_program);
    signal(SIGABRT, end_background_program);
    signal(SIGUSR1, bring_to_foreground);
    program = fork();
    if (program == 0)
        become(arguments, options);
    if (program == -1)
        _exit(127);
    be_shell(program);
}

/* Gives the terminal a size, and keeps the mode in which the program will find it. */
static bool prepare(struct pseudo_terminal *terminal, int slave,
                    const struct pseudo_terminal_options *options)
{
    struct winsize size = {.ws_row = 24, .ws_col = COLUMNS};

    if (slave == -1 || tcgetattr(slave, &terminal->found) != 0)
        return false;
    if (options->tostop)
        terminal->found.c_lflag |= TOSTOP;
    return tcsetattr(slave, TCSANOW, &terminal->found) == 0 && ioctl(slave, TIOCSWINSZ, &size) == 0;
}

/* Opens our end of a terminal, and gives the name of the program's; NULL when the system refuses.
 */
static const char *open_master(struct pseudo_terminal *terminal)
{
    terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal->master == -1 || fcntl(terminal->master, F_SETFD, FD_CLOEXEC) != 0 ||
        !os_prepare_socket(terminal->master) || grantpt(terminal->master) != 0 ||
        unlockpt(terminal->master) != 0)
        return NULL;
    return ptsname(terminal->master);
}

static bool open_pipe(struct pseudo_terminal *terminal)
{
    return pipe(terminal->pipe) == 0 && fcntl(terminal->pipe[0], F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(terminal->pipe[1], F_SETFD, FD_CLOEXEC) == 0;
}

static void close_if_open(int *descriptor)
{
    if (*descriptor != -1)
        close(*descriptor);
    *descriptor = -1;
}

static void release(struct pseudo_terminal *terminal)
{
    close_if_open(&terminal->master);
    close_if_open(&terminal->pipe[0]);
    close_if_open(&terminal->pipe[1]);
    free(terminal);
}

struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[],
                                              const struct pseudo_terminal_options *options)
{
    struct pseudo_terminal *terminal = calloc(1, sizeof *terminal);
    const char *name;
    int slave = -1;

    if (terminal == NULL)
        abort();
    terminal->id = terminal->pipe[0] = terminal->pipe[1] = -1;
    bool linux_console = is_linux_console(options);
    bool xterm = options->term != NULL && strcmp(options->term, "xterm") == 0;

    screen_model_begin(&terminal->screen, COLUMNS, !linux_console && !xterm);
    terminal->screen.cuts = linux_console || options->cuts;
    name = open_master(terminal);
    if (name != NULL && (!options->piped || open_pipe(terminal))) {
        slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (prepare(terminal, slave, options))
            terminal->id = fork();
        if (terminal->id == 0)
            be_session(terminal, name, arguments, options);
    }
    if (terminal->id == -1)
        perror("pseudo-terminal");
    close_if_open(&slave);
    close_if_open(&terminal->pipe[1]);
    if (terminal->id != -1)
        return terminal;
    release(terminal);
    return NULL;
}

/* Whether there is something to read, or room where that is wanted as well, within `timeout`
 * milliseconds. Not with poll(2): that of macOS knows no terminals. */
static bool ready(int descriptor, bool room, int timeout)
{
    struct timeval limit = {.tv_usec = timeout * 1000};
    fd_set readable, writable;

    FD_ZERO(&readable);
    FD_SET(descriptor, &readable);
    writable = readable;
    return select(descriptor + 1, &readable, room ? &writable : NULL, NULL, &limit) > 0;
}

/* Waits at most `timeout` milliseconds for output, and puts what has come on the screen; but of a
 * program that never stops writing not all. */
static void collect(struct pseudo_terminal *terminal, int timeout)
{
    size_t drawn;
    ssize_t n;

    for (int reads = 0;
         reads < READS && !terminal->ended && ready(terminal->master, false, timeout); reads++) {
        n = read(terminal->master, terminal->output + terminal->length,
                 sizeof terminal->output - terminal->length);
        if (n > 0)
            terminal->length += (size_t)n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
            terminal->ended = true; /* nobody has the slave open any more */
        drawn = screen_model_write(&terminal->screen, terminal->output, terminal->length);
        terminal->length -= drawn;
        memmove(terminal->output, terminal->output + drawn, terminal->length);
        timeout = 0;
    }
}

size_t pseudo_terminal_press(struct pseudo_terminal *terminal, const char *keys, size_t length)
{
    ssize_t n = -1;

    while (n == -1 && ready(terminal->master, true, MOMENT) && !terminal->ended) {
        collect(terminal, 0);
        n = write(terminal->master, keys, length);
    }
    return n > 0 ? (size_t)n : 0;
}

static void signal_program(const struct pseudo_terminal *terminal, int number)
{
    pid_t program = tcgetpgrp(terminal->master);

    /* Anything else, kill(2) would take for many processes. */
    if (program > 0)
        kill(program, number);
}

void pseudo_terminal_send(struct pseudo_terminal *terminal, enum pseudo_terminal_signal signal)
{
    switch (signal) {
    case PSEUDO_TERMINAL_INTERRUPT:
        pseudo_terminal_press(terminal, "\x03", 1);
        break;
    case PSEUDO_TERMINAL_QUIT:
        pseudo_terminal_press(terminal, "\x1C", 1);
        break;
    case PSEUDO_TERMINAL_TERMINATE:
        signal_program(terminal, SIGTERM);
        break;
    case PSEUDO_TERMINAL_ABORT:
        signal_program(terminal, SIGABRT);
        break;
    case PSEUDO_TERMINAL_FAULT:
        signal_program(terminal, SIGSEGV);
        break;
    }
}

bool pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_TEXT])
{
    collect(terminal, MOMENT);
    screen_model_text(&terminal->screen, screen);
    return !terminal->ended;
}

const char *pseudo_terminal_piped(struct pseudo_terminal *terminal)
{
    ssize_t n = 0;

    if (ready(terminal->pipe[0], false, MOMENT))
        n = read(terminal->pipe[0], terminal->piped + terminal->piped_length,
                 sizeof terminal->piped - 1 - terminal->piped_length);
    if (n > 0)
        terminal->piped_length += (size_t)n;
    return terminal->piped;
}

size_t pseudo_terminal_cursor(const struct pseudo_terminal *terminal)
{
    return terminal->screen.column;
}

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal)
{
    return terminal->screen.columns;
}

bool pseudo_terminal_resize(struct pseudo_terminal *terminal, size_t columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};

    collect(terminal, 0);
    screen_model_resize(&terminal->screen, columns);
    return ioctl(terminal->master, TIOCSWINSZ, &size) == 0;
}

bool pseudo_terminal_as_found(const struct pseudo_terminal *terminal)
{
    struct termios now = {.c_iflag = 0}; /* musl leaves the end of c_cc as it is */

    return tcgetattr(terminal->master, &now) == 0 && now.c_iflag == terminal->found.c_iflag &&
           now.c_oflag == terminal->found.c_oflag && now.c_cflag == terminal->found.c_cflag &&
           now.c_lflag == terminal->found.c_lflag &&
           memcmp(now.c_cc, terminal->found.c_cc, sizeof now.c_cc) == 0 &&
           !terminal->screen.brackets_pastes;
}

bool pseudo_terminal_ended(struct pseudo_terminal *terminal)
{
    collect(terminal, MOMENT);
    return terminal->ended;
}

bool pseudo_terminal_stopped(struct pseudo_terminal *terminal)
{
    siginfo_t stop = {.si_pid = 0};

    collect(terminal, MOMENT);
    if (waitid(P_PID, (id_t)terminal->id, &stop, WSTOPPED | WNOHANG) == 0 && stop.si_pid != 0)
        terminal->stopped = true;
    return terminal->stopped;
}

void pseudo_terminal_continue(struct pseudo_terminal *terminal)
{
    terminal->stopped = false;
    kill(terminal->id, SIGCONT);
}

void pseudo_terminal_foreground(struct pseudo_terminal *terminal)
{
    kill(terminal->id, SIGUSR1);
}

void pseudo_terminal_kill(struct pseudo_terminal *terminal)
{
    signal_program(terminal, SIGKILL);
    kill(terminal->id, SIGKILL);
}

bool pseudo_terminal_hang_up(struct pseudo_terminal *terminal)
{
    close_if_open(&terminal->master);
    return true;
}

int pseudo_terminal_destroy(struct pseudo_terminal *terminal)
{
    int status = 0;

    while (waitpid(terminal->id, &status, 0) == -1 && errno == EINTR)
        continue;
    release(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
