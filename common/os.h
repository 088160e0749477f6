/*
 * os: what differs between Windows and POSIX and has nothing to do with how connections are used:
 * start-up, errors, clocks and the request to stop. os_win32.c and os_posix.c implement it.
 */
#ifndef OS_H
#define OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A socket: a SOCKET on Windows, a file descriptor on POSIX. */
#ifdef _WIN32
typedef uintptr_t os_socket;
#define OS_NO_SOCKET (~(os_socket)0)
#else
typedef int os_socket;
#define OS_NO_SOCKET (-1)
#endif

/* The socket errors that our code tells apart. */
enum os_error_kind {
    OS_ERROR_WOULD_BLOCK, /* nothing to be had now; a connect is under way */
    OS_ERROR_INTERRUPTED, /* a signal came; ask again */
    OS_ERROR_RESET,       /* the connection is no more: reset, aborted, or its other end is gone */
    OS_ERROR_DESCRIPTORS, /* the process may open no more descriptors */
    OS_ERROR_EXHAUSTED,   /* no buffer, memory or, in the whole system, descriptor left */
    OS_ERROR_UNAVAILABLE, /* this machine has no such address or address family */
    OS_ERROR_IN_USE,      /* Windows: a port is another program's, or will be free in a moment */
    OS_ERROR_NETWORK,     /* the network does not reach the other end */
    OS_ERROR_OTHER
};

/* Room for the text of any error. */
enum { OS_ERROR_TEXT = 128 };

/*
 * Prepares the process: the standard streams (stream.h), and Winsock on Windows. Returns 0, or the
 * system's error number.
 */
int os_start(void);

/* Undoes os_start(). */
void os_finish(void);

/* Nanoseconds on a clock that never goes back (clock_gettime(2) CLOCK_MONOTONIC,
 * QueryPerformanceCounter). */
int64_t os_nanoseconds(void);

/*
 * For those who measure: waits end as soon after their time as the system can make them, until
 * os_finish(). Linux: the timer slack, 50 us, becomes the least there is (prctl(2)
 * PR_SET_TIMERSLACK). Windows: the timer ticks once a millisecond, not every 15.6 ms
 * (timeBeginPeriod), which costs power. Elsewhere nothing has to be done.
 */
void os_wait_precisely(void);

/*
 * Nanoseconds by which a wait of a process that waits precisely may come late, because the system's
 * timer ticks: 1 ms on Windows. 0 where it does not tick, and for those who do not measure: they
 * are not worth the time of a loop that asks instead of sleeping. Their waits end up to 15.6 ms
 * late on Windows.
 */
int64_t os_tick(void);

/* Writes the local time as "YYYY-MM-DD HH:MM:SS". */
void os_local_time(char text[20]);

/* Writes the local time of day as "HH:MM:SS.mmm". */
void os_local_clock(char text[13]);

/* The error number of the calling thread's last failed socket call (errno, WSAGetLastError). */
int os_socket_error(void);

enum os_error_kind os_error_kind(int error);

/* Puts the system's words for `error` into `text`, as UTF-8, and returns it: one line, never empty.
 */
const char *os_error_text(int error, char text[OS_ERROR_TEXT]);

/* What a user can do about a port that cannot be bound, to be put behind the error's text; empty
 * where there is nothing to say. */
const char *os_bind_advice(int error);

/*
 * Makes a socket non-blocking (fcntl(2) O_NONBLOCK, ioctlsocket FIONBIO), and one that no child
 * process inherits. Returns false on failure, with os_socket_error() set.
 */
bool os_prepare_socket(os_socket s);

/*
 * Raises the soft limit of open descriptors to the hard one and returns the limit then in force; 0
 * where the system has none that could be named (Windows).
 */
uint64_t os_raise_descriptor_limit(void);

/*
 * From now on a request to stop (SIGINT, SIGTERM and, unless it is ignored, SIGHUP; Ctrl-C,
 * Ctrl-Break, closing the console) no longer ends the process: it makes the returned socket
 * readable, until the process ends, so that none changes its exit status. The handler itself does
 * nothing but send what came, and when, or what os_stop_ends() says. On POSIX a system call that
 * waits is interrupted (EINTR), not taken up again. Returns OS_NO_SOCKET on failure, with
 * os_socket_error() set.
 */
os_socket os_stop_open(void);

/*
 * How many requests to stop have come since os_stop_open(), as stop_requests_add() counts them;
 * makes its socket unreadable again. SIGHUP, closing the console, logging off and shutting down are
 * hang-ups.
 */
unsigned os_stop_requests(void);

/*
 * From now on a request to stop ends the process at once, with this status and nothing written
 * (_exit(2), TerminateProcess); with OS_STOP_TOLD it is told through the socket again, as it is at
 * first. For what cannot be interrupted otherwise: getaddrinfo() goes on after a signal, and as
 * process 1, of a container, there is nothing that would end us without a handler.
 */
void os_stop_ends(int status);
enum { OS_STOP_TOLD = -1 };

#endif
