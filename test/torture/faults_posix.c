#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    DESCRIPTORS_CHECKED = 256,
    SUSPENDED = 3600, /* seconds by which the clock jumps */
    OWN_PIPES = 8
};

static int own_pipes[OWN_PIPES]; /* both ends of pipes that the program has opened */
static size_t own_pipe_count;

/* As REPLACE, for a function that returns an error number. */
#define REPLACE_STATUS(function, parameters, arguments, ...)                                       \
    int __wrap_##function parameters;                                                              \
    int __real_##function parameters;                                                              \
    int __wrap_##function parameters                                                               \
    {                                                                                              \
        FAULT(function, __VA_ARGS__);                                                              \
        return error == 0 ? __real_##function arguments : error;                                   \
    }

/* A pipe that the program has opened to wake itself up. It is never full, and what is written to it
 * and read from it is small enough to be moved as a whole (pipe(7)): such calls do not fail. */
static bool is_own_pipe(int fd)
{
    for (size_t i = 0; i < own_pipe_count; i++) {
        if (own_pipes[i] == fd)
            return true;
    }
    return false;
}

/* The same for a transfer, which may also move fewer bytes than it was asked to. The first
 * parameter is `s`. */
#define REPLACE_TRANSFER(function, parameters, arguments, short_arguments, ...)                    \
    ssize_t __wrap_##function parameters;                                                          \
    ssize_t __real_##function parameters;                                                          \
    ssize_t __wrap_##function parameters                                                           \
    {                                                                                              \
        if (is_own_pipe(s))                                                                        \
            return __real_##function arguments;                                                    \
        FAULT(function, FAULT_SHORT_OUTCOME, __VA_ARGS__);                                         \
        if (error == 0)                                                                            \
            return __real_##function arguments;                                                    \
        if (error == FAULT_SHORT)                                                                  \
            return __real_##function short_arguments;                                              \
        errno = error;                                                                             \
        return -1;                                                                                 \
    }

/* The same for a function that takes effect even if it is interrupted. */
#define REPLACE_INTERRUPTED(function, parameters, arguments, ...)                                  \
    int __wrap_##function parameters;                                                              \
    int __real_##function parameters;                                                              \
    int __wrap_##function parameters                                                               \
    {                                                                                              \
        FAULT(function, E(EINTR), __VA_ARGS__);                                                    \
        int result = error == 0 || error == EINTR ? __real_##function arguments : -1;              \
        errno = error != 0 ? error : errno;                                                        \
        return error != 0 ? -1 : result;                                                           \
    }

static int remember_pipe(const int ends[2])
{
    for (int i = 0; i < 2 && own_pipe_count < OWN_PIPES; i++)
        own_pipes[own_pipe_count++] = ends[i];
    return 0;
}

/* Sockets. */
REPLACE(socket, int, (int family, int type, int protocol), (family, type, protocol), -1, E(EMFILE),
        E(ENOBUFS), E(EAFNOSUPPORT))
REPLACE(bind, int, (int s, const struct sockaddr *address, socklen_t length), (s, address, length),
        -1, E(EADDRINUSE), E(EACCES), E(EADDRNOTAVAIL))
REPLACE(listen, int, (int s, int backlog), (s, backlog), -1, E(EADDRINUSE))
REPLACE(accept4, int, (int s, struct sockaddr *address, socklen_t *length, int flags),
        (s, address, length, flags), -1, E(EAGAIN), E(EINTR), E(ECONNABORTED), E(EMFILE), E(ENFILE),
        E(ENOMEM), E(ENETDOWN), E(EPERM))
REPLACE(setsockopt, int, (int s, int level, int name, const void *value, socklen_t length),
        (s, level, name, value, length), -1, E(ENOPROTOOPT))
REPLACE(getsockopt, int, (int s, int level, int name, void *value, socklen_t *length),
        (s, level, name, value, length), -1, E(ENOBUFS))
REPLACE(getsockname, int, (int s, struct sockaddr *address, socklen_t *length),
        (s, address, length), -1, E(ENOBUFS))
REPLACE(getpeername, int, (int s, struct sockaddr *address, socklen_t *length),
        (s, address, length), -1, E(ENOTCONN))
REPLACE(shutdown, int, (int s, int how), (s, how), -1, E(ENOBUFS))
REPLACE(select, int,
        (int count, fd_set *readable, fd_set *writable, fd_set *failed, struct timeval *timeout),
        (count, readable, writable, failed, timeout), -1, E(EINTR), E(ENOMEM), E(EBADF))
REPLACE_TRANSFER(recv, (int s, void *bytes, size_t size, int flags), (s, bytes, size, flags),
                 (s, bytes, size > 0, flags), E(EAGAIN), E(EINTR), E(ECONNRESET), E(ETIMEDOUT),
                 E(ENOMEM))
REPLACE_TRANSFER(send, (int s, const void *bytes, size_t size, int flags), (s, bytes, size, flags),
                 (s, bytes, size > 0, flags), E(EAGAIN), E(EINTR), E(ECONNRESET), E(EPIPE),
                 E(EHOSTUNREACH), E(ENOBUFS))
REPLACE_STATUS(getaddrinfo,
               (const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found),
               (node, service, hints, found), E(EAI_AGAIN), E(EAI_MEMORY), E(EAI_SYSTEM))

/* An interrupted connect() continues in the background. */
REPLACE_INTERRUPTED(connect, (int s, const struct sockaddr *address, socklen_t length),
                    (s, address, length), E(ECONNREFUSED), E(ENETUNREACH), E(ETIMEDOUT),
                    E(EADDRNOTAVAIL))

/* Files, pipes and terminals. */
REPLACE_TRANSFER(read, (int s, void *bytes, size_t size), (s, bytes, size), (s, bytes, size > 0),
                 E(EAGAIN), E(EINTR), E(EIO))
REPLACE_TRANSFER(write, (int s, const void *bytes, size_t size), (s, bytes, size),
                 (s, bytes, size > 0), E(EAGAIN), E(EINTR), E(EPIPE), E(ENOSPC), E(EIO))
REPLACE(close, int, (int fd), (fd), (__real_close(fd), -1), E(EINTR))
REPLACE(pipe, int, (int ends[2]), (ends) == 0 ? remember_pipe(ends) : -1, -1, E(EMFILE))
REPLACE(poll, int, (struct pollfd * waiting, nfds_t count, int timeout), (waiting, count, timeout),
        -1, E(EINTR), E(ENOMEM))
REPLACE(isatty, int, (int fd), (fd), 0, E(ENOTTY))
REPLACE(fstat64, int, (int fd, struct stat *about), (fd, about), -1, E(EIO))
REPLACE(ttyname, char *, (int fd), (fd), NULL, E(ENODEV))
REPLACE(tcgetsid, pid_t, (int fd), (fd), -1, E(ENOTTY))
REPLACE(tcgetpgrp, pid_t, (int fd), (fd), -1, E(ENOTTY))
REPLACE(tcgetattr, int, (int fd, struct termios *mode), (fd, mode), -1, E(EIO))
REPLACE(tcsetattr, int, (int fd, int when, const struct termios *mode), (fd, when, mode), -1,
        E(EINTR), E(EIO))
REPLACE(access, int, (const char *path, int mode), (path, mode), -1, E(EACCES))

/* The process and its signals. */
REPLACE(signalfd, int, (int fd, const sigset_t *mask, int flags), (fd, mask, flags), -1, E(EMFILE),
        E(EINVAL))
REPLACE(socketpair, int, (int family, int type, int protocol, int ends[2]),
        (family, type, protocol, ends), -1, E(EMFILE))
REPLACE_STATUS(pthread_atfork, (void (*prepare)(void), void (*parent)(void), void (*child)(void)),
               (prepare, parent, child), E(ENOMEM))
REPLACE(sigprocmask, int, (int how, const sigset_t *set, sigset_t *before), (how, set, before), -1,
        E(EINVAL))
REPLACE(getrlimit64, int, (int resource, struct rlimit *limit), (resource, limit), -1, E(EPERM))
REPLACE(setrlimit64, int, (int resource, const struct rlimit *limit), (resource, limit), -1,
        E(EPERM))
REPLACE(localtime_r, struct tm *, (const time_t *time, struct tm *local), (time, local), NULL,
        E(EOVERFLOW))
REPLACE(gmtime_r, struct tm *, (const time_t *time, struct tm *utc), (time, utc), NULL,
        E(EOVERFLOW))

/* Variadic functions, whose last argument is an int or a pointer. */
#define REPLACE_VARIADIC(function, type, parameter, ...)                                           \
    int __wrap_##function(type parameter, int request, ...);                                       \
    int __real_##function(type parameter, int request, ...);                                       \
    int __wrap_##function(type parameter, int request, ...)                                        \
    {                                                                                              \
        va_list arguments;                                                                         \
        FAULT(function, __VA_ARGS__);                                                              \
        va_start(arguments, request);                                                              \
        void *argument = va_arg(arguments, void *);                                                \
        va_end(arguments);                                                                         \
        if (error == 0)                                                                            \
            return __real_##function(parameter, request, argument);                                \
        errno = error;                                                                             \
        return -1;                                                                                 \
    }
REPLACE_VARIADIC(fcntl64, int, fd, E(EMFILE))
REPLACE_VARIADIC(open64, const char *, path, E(EMFILE), E(EACCES), E(ENXIO))

REPLACE(ioctl, int, (int fd, unsigned long request, void *argument), (fd, request, argument), -1,
        E(EIO))

/* The clock jumps forward, as after a suspension: by an hour, and from then on. */
#define REPLACE_CLOCK(function)                                                                    \
    int __wrap_##function(clockid_t clock, struct timespec *now);                                  \
    int __real_##function(clockid_t clock, struct timespec *now);                                  \
    int __wrap_##function(clockid_t clock, struct timespec *now)                                   \
    {                                                                                              \
        static time_t offset;                                                                      \
        FAULT(function, {SUSPENDED, "jump"});                                                      \
        offset += error == 0 ? 0 : SUSPENDED;                                                      \
        int result = __real_##function(clock, now);                                                \
        now->tv_sec += offset;                                                                     \
        return result;                                                                             \
    }
REPLACE_CLOCK(clock_gettime)

unsigned long fault_open_count(void)
{
    unsigned long count = 0;

    for (int fd = 0; fd < DESCRIPTORS_CHECKED; fd++)
        count += __real_fcntl64(fd, F_GETFD) != -1;
    return count;
}
