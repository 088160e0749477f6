#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

struct process_system {
    pid_t id;
    int input;     /* our end of its stdin, -1 when there is none */
    int output[2]; /* our ends of its stdout and stderr, by enum stream */
};

/* What the program gets as its standard streams, and what belongs to us; by descriptor. -1: closed.
 */
struct streams {
    int theirs[3];
    int ours[3];
};

static bool open_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
            return false;
    }
    return true;
}

static bool open_streams(struct streams *streams, const struct process_options *options)
{
    int ends[2];

    *streams = (struct streams){{-1, -1, -1}, {-1, -1, -1}};
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (!open_pipe(ends))
            return false;
        streams->ours[fd] = ends[0];
        streams->theirs[fd] = ends[1];
    }
    switch (options->input) {
    case PROCESS_INPUT_CLOSED:
        return true;
    case PROCESS_INPUT_PIPE:
        if (!open_pipe(ends))
            return false;
        streams->theirs[STDIN_FILENO] = ends[0];
        streams->ours[STDIN_FILENO] = ends[1];
        return true;
    case PROCESS_INPUT_NULL:
        streams->theirs[STDIN_FILENO] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return streams->theirs[STDIN_FILENO] != -1;
    case PROCESS_INPUT_FILE:
        streams->theirs[STDIN_FILENO] = open(options->input_file, O_RDONLY | O_CLOEXEC);
        return streams->theirs[STDIN_FILENO] != -1;
    }
    return false;
}

static void close_all(const int descriptors[3])
{
    for (int i = 0; i < 3; i++) {
        if (descriptors[i] != -1)
            close(descriptors[i]);
    }
}

/* In the child process: passes sockets to the program. */
static void pass_sockets(const os_socket *sockets, size_t count)
{
    enum { FIRST = 3, MOST = 8 };
    int above[MOST]; /* copies that no descriptor of the program's is put in the place of */
    char number[24];

    for (size_t i = 0; i < count && i < MOST; i++)
        above[i] = fcntl(sockets[i], F_DUPFD_CLOEXEC, FIRST + MOST);
    for (size_t i = 0; i < count && i < MOST; i++)
        dup2(above[i], FIRST + (int)i);
    snprintf(number, sizeof number, "%ld", (long)getpid());
    setenv("LISTEN_PID", number, 1);
    snprintf(number, sizeof number, "%d", (int)count);
    setenv("LISTEN_FDS", number, 1);
}

/* In the child process: becomes the program. What the test program ignores or has open is no
 * concern of it. */
static void become(const char *const arguments[], const struct process_options *options,
                   const int theirs[3])
{
    struct rlimit limit = {.rlim_cur = options->descriptor_limit,
                           .rlim_max = options->descriptor_limit};

    for (int fd = 0; fd < 3; fd++) {
        if (theirs[fd] == -1)
            close(fd);
        else
            dup2(theirs[fd], fd);
    }
    if (options->socket_count > 0)
        pass_sockets(options->sockets, options->socket_count);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    if (options->descriptor_limit == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0)
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    fflush(stderr);
    _exit(127);
}

struct process *process_start(const char *const arguments[], const struct process_options *options)
{
    struct process *process = calloc(1, sizeof *process);
    struct process_system *system = calloc(1, sizeof *system);
    struct streams streams;

    if (process == NULL || system == NULL)
        abort();
    process->system = system;
    if (!open_streams(&streams, options) || (system->id = fork()) == -1) {
        fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
        close_all(streams.theirs);
        close_all(streams.ours);
        free(system);
        free(process);
        return NULL;
    }
    if (system->id == 0)
        become(arguments, options, streams.theirs);
    close_all(streams.theirs);
    for (int fd = 0; fd < 3; fd++) {
        if (streams.ours[fd] != -1)
            os_prepare_socket(streams.ours[fd]);
    }
    system->input = streams.ours[STDIN_FILENO];
    system->output[STREAM_OUTPUT] = streams.ours[STDOUT_FILENO];
    system->output[STREAM_ERROR] = streams.ours[STDERR_FILENO];
    return process;
}

static void collect(struct process_output *output, int descriptor)
{
    ssize_t n = read(descriptor, process_output_room(output, READ_SIZE), READ_SIZE);

    if (n > 0)
        output->length += (size_t)n;
    else
        output->ended = n == 0 || (errno != EAGAIN && errno != EINTR);
}

ptrdiff_t process_pump(struct process *process, const void *bytes, size_t length, int timeout)
{
    const struct process_system *system = process->system;
    struct pollfd waiting[3] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
    int last = process->log_unread ? STREAM_OUTPUT : STREAM_ERROR;
    ptrdiff_t written = 0;

    for (int i = STREAM_OUTPUT; i <= last; i++) {
        if (!process->output[i].ended)
            waiting[i] = (struct pollfd){.fd = system->output[i], .events = POLLIN};
    }
    if (length > 0)
        waiting[2] = (struct pollfd){.fd = system->input, .events = POLLOUT};
    poll(waiting, 3, timeout);
    for (int i = STREAM_OUTPUT; i <= last; i++) {
        if (waiting[i].revents != 0)
            collect(&process->output[i], system->output[i]);
    }
    if (waiting[2].revents != 0) {
        written = write(system->input, bytes, length);
        if (written == -1 && (errno == EAGAIN || errno == EINTR))
            written = 0;
    }
    return written;
}

void process_close_input(struct process *process)
{
    close(process->system->input);
    process->system->input = -1;
}

void process_close_output(struct process *process, enum stream stream)
{
    close(process->system->output[stream]);
    process->system->output[stream] = -1;
    process->output[stream].ended = true;
}

void process_stop(struct process *process, enum process_stop how)
{
    static const int signals[] = {[PROCESS_STOP_INTERRUPT] = SIGINT,
                                  [PROCESS_STOP_TERMINATE] = SIGTERM,
                                  [PROCESS_STOP_HANG_UP] = SIGHUP,
                                  [PROCESS_STOP_BREAK] = SIGTERM};

    kill(process->system->id, signals[how]);
}

void process_kill(struct process *process)
{
    kill(process->system->id, SIGKILL);
}

int process_destroy(struct process *process)
{
    struct process_system *system = process->system;
    int status = 0;

    if (system->input != -1)
        close(system->input);
    while (waitpid(system->id, &status, 0) == -1 && errno == EINTR)
        continue;
    for (int i = STREAM_OUTPUT; i <= STREAM_ERROR; i++) {
        if (system->output[i] != -1)
            close(system->output[i]);
        free(process->output[i].bytes);
    }
    free(system);
    free(process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
