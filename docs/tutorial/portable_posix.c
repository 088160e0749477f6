#include "portable.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static int stop_sockets[2];

void sockets_start(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void sockets_finish(void)
{
}

void socket_close(socket_type s)
{
    close(s);
}

void socket_set_non_blocking(socket_type s)
{
    if (fcntl(s, F_SETFL, fcntl(s, F_GETFL) | O_NONBLOCK) != 0)
        die("fcntl");
}

bool set_has_room(socket_type s, unsigned count)
{
    (void)count;
    return s < FD_SETSIZE;
}

int socket_recv(socket_type s, void *bytes, size_t size)
{
    return (int)recv(s, bytes, size, 0);
}

int socket_send(socket_type s, const void *bytes, size_t length)
{
    return (int)send(s, bytes, length, 0);
}

bool error_is_would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

bool error_is_interrupted(void)
{
    return errno == EINTR;
}

bool error_is_shortage(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

void print_error(const char *what)
{
    perror(what);
}

int stdin_read(void *bytes, size_t size)
{
    return (int)read(STDIN_FILENO, bytes, size);
}

bool stdout_write(const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, from, length);

        if (n < 0)
            return false;
        from += n;
        length -= (size_t)n;
    }
    return true;
}

/* A thread of its own: POSIX wants a function that returns a pointer. */
struct start {
    void (*function)(void *argument);
    void *argument;
};

static void *run(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    start.function(start.argument);
    return NULL;
}

void start_thread(void (*function)(void *argument), void *argument)
{
    struct start *start = malloc(sizeof *start);
    pthread_t thread;

    if (start == NULL)
        die("malloc");
    *start = (struct start){function, argument};
    errno = pthread_create(&thread, NULL, run, start);
    if (errno != 0)
        die("pthread_create");
    pthread_detach(thread);
}

void sleep_milliseconds(unsigned milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};

    nanosleep(&time, NULL);
}

/* A signal handler may call send() (signal-safety(7)). It must leave errno as it was. */
static void on_signal(int number)
{
    int error = errno;

    (void)number;
    send(stop_sockets[1], "", 1, MSG_DONTWAIT);
    errno = error;
}

socket_type open_stop_socket(void)
{
    struct sigaction action;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, stop_sockets) != 0)
        die("socketpair");
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        die("sigaction");
    return stop_sockets[0];
}
