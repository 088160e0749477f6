#include "pseudo_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "text.h"

enum { ROWS = 100, COLUMNS = 80, MOMENT = 100 /* milliseconds */ };

struct pseudo_terminal {
    pid_t id;
    int master;
    struct termios found;
    bool ended;
    char output[PSEUDO_TERMINAL_SCREEN]; /* all that the program has written */
    size_t length;
};

/* What stands in each column: a character, or "" right of one that takes two columns. */
struct screen {
    char cells[ROWS][COLUMNS][5];
    size_t row;
    size_t column;
};

/* In the child process: becomes the program, the first in a session whose terminal this is. */
static void become(const char *const arguments[], const char *name)
{
    int slave;

    setsid();
    slave = open(name, O_RDWR);
    if (slave != -1 && ioctl(slave, TIOCSCTTY, 0) == 0) {
        for (int fd = 0; fd < 3; fd++)
            dup2(slave, fd);
        if (slave > 2)
            close(slave);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        signal(SIGHUP, SIG_IGN); /* as nohup(1) does: the end of the terminal shows in the input */
        setenv("TERM", "xterm", 1);
        setenv("NO_COLOR", "1", 1);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
    }
    _exit(127);
}

/* Gives the terminal a size, and keeps the mode in which the program will find it. */
static bool prepare(struct pseudo_terminal *terminal, int slave)
{
    struct winsize size = {.ws_row = 24, .ws_col = COLUMNS};

    return slave != -1 && tcgetattr(slave, &terminal->found) == 0 &&
           ioctl(slave, TIOCSWINSZ, &size) == 0;
}

struct pseudo_terminal *pseudo_terminal_start(const char *const arguments[])
{
    struct pseudo_terminal *terminal = calloc(1, sizeof *terminal);
    const char *name;
    int slave = -1;

    if (terminal == NULL)
        abort();
    terminal->id = -1;
    terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal->master != -1 && fcntl(terminal->master, F_SETFD, FD_CLOEXEC) == 0 &&
        grantpt(terminal->master) == 0 && unlockpt(terminal->master) == 0 &&
        (name = ptsname(terminal->master)) != NULL) {
        slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (prepare(terminal, slave))
            terminal->id = fork();
        if (terminal->id == 0)
            become(arguments, name);
    }
    if (terminal->id == -1)
        perror("pseudo-terminal");
    if (slave != -1)
        close(slave);
    if (terminal->id != -1)
        return terminal;
    if (terminal->master != -1)
        close(terminal->master);
    free(terminal);
    return NULL;
}

void pseudo_terminal_type(struct pseudo_terminal *terminal, const char *keys)
{
    size_t length = strlen(keys);

    if (write(terminal->master, keys, length) != (ssize_t)length)
        perror("typing");
}

void pseudo_terminal_interrupt(struct pseudo_terminal *terminal)
{
    pseudo_terminal_type(terminal, "\x03");
}

/* Not with poll(2): that of macOS knows no terminals. */
static bool readable(int descriptor, int timeout)
{
    struct timeval limit = {.tv_usec = timeout * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(descriptor, &set);
    return select(descriptor + 1, &set, NULL, NULL, &limit) > 0;
}

static void collect(struct pseudo_terminal *terminal, int timeout)
{
    ssize_t n;

    while (!terminal->ended && terminal->length < sizeof terminal->output &&
           readable(terminal->master, timeout)) {
        n = read(terminal->master, terminal->output + terminal->length,
                 sizeof terminal->output - terminal->length);
        if (n > 0)
            terminal->length += (size_t)n;
        else if (n == 0 || errno != EINTR)
            terminal->ended = true; /* nobody has the slave open any more */
        timeout = 0;
    }
}

static void new_row(struct screen *screen)
{
    if (screen->row + 1 < ROWS)
        screen->row++;
}

/* Puts a character where the cursor stands; one of three or four bytes takes two columns, as those
 * of East Asia do. */
static void put(struct screen *screen, const char *character, size_t length)
{
    size_t width = length >= 3 ? 2 : 1;

    if (screen->column + width > COLUMNS) {
        screen->column = 0;
        new_row(screen);
    }
    memset(screen->cells[screen->row][screen->column], 0, width * sizeof screen->cells[0][0]);
    memcpy(screen->cells[screen->row][screen->column], character, length);
    screen->column += width;
}

static void erase_to_end(struct screen *screen)
{
    for (size_t column = screen->column; column < COLUMNS; column++)
        strcpy(screen->cells[screen->row][column], " ");
}

/* Does what the first characters of an output say, as a terminal would, and returns how many bytes
 * that took. Of escape sequences it knows one only; any other shows, and so fails the test. */
static size_t obey(struct screen *screen, const char *bytes, size_t length)
{
    size_t character = text_utf8_length(bytes, length);

    if (length >= 3 && memcmp(bytes, "\x1B[J", 3) == 0) {
        erase_to_end(screen);
        return 3;
    }
    if (*bytes == '\r')
        screen->column = 0;
    else if (*bytes == '\n')
        new_row(screen);
    else if ((unsigned char)*bytes < 0x20 || character == 0)
        put(screen, "?", 1);
    else
        put(screen, bytes, character);
    return character > 0 ? character : 1;
}

void pseudo_terminal_look(struct pseudo_terminal *terminal, char screen[PSEUDO_TERMINAL_SCREEN])
{
    static struct screen drawn;
    char *end = screen;

    collect(terminal, MOMENT);
    for (drawn.row = 0; drawn.row < ROWS; drawn.row++) {
        drawn.column = 0;
        erase_to_end(&drawn);
    }
    drawn.row = 0;
    for (size_t done = 0; done < terminal->length;)
        done += obey(&drawn, terminal->output + done, terminal->length - done);
    for (size_t row = 0; row <= drawn.row; row++) {
        for (size_t column = 0; column < COLUMNS; column++)
            end = stpcpy(end, drawn.cells[row][column]);
        while (end > screen && end[-1] == ' ')
            end--;
        *end++ = '\n';
    }
    end[-1] = '\0';
}

size_t pseudo_terminal_columns(const struct pseudo_terminal *terminal)
{
    (void)terminal;
    return COLUMNS;
}

bool pseudo_terminal_as_found(const struct pseudo_terminal *terminal)
{
    struct termios now;

    return tcgetattr(terminal->master, &now) == 0 && now.c_iflag == terminal->found.c_iflag &&
           now.c_oflag == terminal->found.c_oflag && now.c_cflag == terminal->found.c_cflag &&
           now.c_lflag == terminal->found.c_lflag &&
           memcmp(now.c_cc, terminal->found.c_cc, sizeof now.c_cc) == 0;
}

bool pseudo_terminal_ended(struct pseudo_terminal *terminal)
{
    collect(terminal, MOMENT);
    return terminal->ended;
}

void pseudo_terminal_kill(struct pseudo_terminal *terminal)
{
    kill(terminal->id, SIGKILL);
}

bool pseudo_terminal_hang_up(struct pseudo_terminal *terminal)
{
    close(terminal->master);
    terminal->master = -1;
    return true;
}

int pseudo_terminal_destroy(struct pseudo_terminal *terminal)
{
    int status = 0;

    while (waitpid(terminal->id, &status, 0) == -1 && errno == EINTR)
        continue;
    if (terminal->master != -1)
        close(terminal->master);
    free(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
