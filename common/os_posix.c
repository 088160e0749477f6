#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "deadline.h"
#include "stop_requests.h"
#include "stream.h"

/* Some systems lack these names, or use one number for two of them. An unused number stands in. */
#if EWOULDBLOCK != EAGAIN
enum { OTHER_EAGAIN = EWOULDBLOCK };
#else
enum { OTHER_EAGAIN = -1 };
#endif
#ifdef ENONET
enum { NOT_ON_NETWORK = ENONET };
#else
enum { NOT_ON_NETWORK = -2 };
#endif
#ifdef OPEN_MAX
enum { FALLBACK_LIMIT = OPEN_MAX };
#else
enum { FALLBACK_LIMIT = 1 };
#endif

/* The pipe through which a signal handler wakes select(): the self-pipe trick. */
static int stop_pipe[2] = {-1, -1};
static struct stop_requests stop_requests;
static volatile sig_atomic_t stop_status = OS_STOP_TOLD; /* os_stop_ends() */
static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { STOP_SIGNALS = sizeof stop_signals / sizeof stop_signals[0] };

int os_start(void)
{
    return stream_start();
}

void os_finish(void)
{
    stream_finish();
}

int64_t os_nanoseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return SECONDS((int64_t)t.tv_sec) + t.tv_nsec;
}

#ifdef PR_SET_TIMERSLACK
void os_wait_precisely(void)
{
    prctl(PR_SET_TIMERSLACK, 1UL); /* nanoseconds */
}
#else
void os_wait_precisely(void)
{
}
#endif

int64_t os_tick(void)
{
    return 0;
}

void os_local_time(char text[20])
{
    time_t now = time(NULL);
    struct tm local;

    if (localtime_r(&now, &local) == NULL || strftime(text, 20, "%Y-%m-%d %H:%M:%S", &local) == 0)
        memcpy(text, "0000-00-00 00:00:00", 20);
}

void os_local_clock(char text[13])
{
    struct timespec now;
    struct tm local;

    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &local) == NULL)
        memset(&local, 0, sizeof local);
    snprintf(text, 13, "%02u:%02u:%02u.%03u", (unsigned)local.tm_hour % 100,
             (unsigned)local.tm_min % 100, (unsigned)local.tm_sec % 100,
             (unsigned)(now.tv_nsec / 1000000) % 1000);
}

void os_utc_time(char text[OS_UTC_TIME])
{
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) == NULL)
        memset(&utc, 0, sizeof utc);
    snprintf(text, OS_UTC_TIME, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
             (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100, (unsigned)utc.tm_min % 100,
             (unsigned)utc.tm_sec % 100, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

int os_socket_error(void)
{
    return errno;
}

enum os_error_kind os_error_kind(int error)
{
    switch (error) {
    case EAGAIN:
    case OTHER_EAGAIN:
    case EINPROGRESS:
        return OS_ERROR_WOULD_BLOCK;
    case EINTR:
        return OS_ERROR_INTERRUPTED;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case EPROTOTYPE: /* macOS: a send while the connection is being closed */
    case ENETRESET:
    case ENOTCONN:
        return OS_ERROR_RESET;
    case EMFILE:
        return OS_ERROR_DESCRIPTORS;
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return OS_ERROR_EXHAUSTED;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return OS_ERROR_UNAVAILABLE;
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EPROTO:
    case NOT_ON_NETWORK:
    case EOPNOTSUPP:
        return OS_ERROR_NETWORK;
    default:
        return OS_ERROR_OTHER;
    }
}

const char *os_error_text(int error, char text[OS_ERROR_TEXT])
{
    snprintf(text, OS_ERROR_TEXT, "%s", strerror(error));
    return text;
}

const char *os_bind_advice(int error)
{
    (void)error;
    return "";
}

bool os_prepare_socket(os_socket s)
{
    int flags = fcntl(s, F_GETFL);

    return flags != -1 && fcntl(s, F_SETFL, flags | O_NONBLOCK) != -1 &&
           fcntl(s, F_SETFD, FD_CLOEXEC) != -1;
}

uint64_t os_raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    /* macOS may refuse "unlimited"; OPEN_MAX is accepted. */
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && soft < FALLBACK_LIMIT) {
        limit.rlim_cur = FALLBACK_LIMIT;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    /* The limit in force may be lower than the one requested. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return limit.rlim_cur;
    return sysconf(_SC_OPEN_MAX) > 0 ? (uint64_t)sysconf(_SC_OPEN_MAX) : 0;
}

static void on_stop_signal(int number)
{
    int saved = errno;

    if (stop_status != OS_STOP_TOLD)
        _exit(stop_status);
    struct stop_request request = {.time = os_nanoseconds(), .hang_up = number == SIGHUP};
    /* The write is atomic (POSIX, write(): fewer than PIPE_BUF bytes). If the pipe is full, it
     * holds thousands of unread requests: one more makes no difference. */
    ssize_t written = write(stop_pipe[1], &request, sizeof request);

    (void)written;
    errno = saved;
}

static void close_stop_pipe(void)
{
    int error = errno;

    for (int i = 0; i < 2; i++) {
        close(stop_pipe[i]);
        stop_pipe[i] = -1;
    }
    errno = error;
}

os_socket os_stop_open(void)
{
    struct sigaction action;

    if (pipe(stop_pipe) != 0)
        return OS_NO_SOCKET;
    for (int i = 0; i < 2; i++) {
        if (!os_prepare_socket(stop_pipe[i])) {
            close_stop_pipe();
            return OS_NO_SOCKET;
        }
    }
    memset(&stop_requests, 0, sizeof stop_requests);
    memset(&action, 0, sizeof action);
    /* Without SA_RESTART: a blocking call must return, and so must one that would be stopped again
     * in the background of its terminal. */
    action.sa_handler = on_stop_signal;
    for (int i = 0; i < STOP_SIGNALS; i++) {
        struct sigaction before;

        sigaction(stop_signals[i], NULL, &before);
        /* An ignored SIGHUP is intended (nohup(1)). An ignored SIGINT is not: shell scripts ignore
         * it for their background jobs. */
        if (stop_signals[i] != SIGHUP || before.sa_handler != SIG_IGN)
            sigaction(stop_signals[i], &action, NULL);
    }
    return stop_pipe[0];
}

unsigned os_stop_requests(void)
{
    struct stop_request request;

    while (read(stop_pipe[0], &request, sizeof request) == (ssize_t)sizeof request)
        stop_requests_add(&stop_requests, request);
    return stop_requests.count;
}

void os_stop_ends(int status)
{
    stop_status = status;
}
