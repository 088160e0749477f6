/*
 * os: what differs between Windows and POSIX, except how connections are used: start-up, errors,
 * clocks and requests to stop. os_win32.c and os_posix.c implement it.
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

/* The socket errors that the programs tell apart. */
enum os_error_kind {
    OS_ERROR_WOULD_BLOCK, /* would block, or a connect is in progress */
    OS_ERROR_INTERRUPTED, /* interrupted by a signal; try again */
    OS_ERROR_RESET,       /* the connection is lost: reset, aborted, or closed by the peer */
    OS_ERROR_DESCRIPTORS, /* the process has reached its limit of descriptors */
    OS_ERROR_EXHAUSTED,   /* the system is out of buffers, memory or descriptors */
    OS_ERROR_UNAVAILABLE, /* this machine does not have the address or address family */
    OS_ERROR_IN_USE,      /* Windows: another program uses the port, or it will be free soon */
    OS_ERROR_NETWORK,     /* the network cannot reach the other end */
    OS_ERROR_OTHER
};

/* Size of the text of any error. */
enum { OS_ERROR_TEXT = 128 };

/*
 * Prepares the process: the standard streams (stream.h), and Winsock on Windows. Returns 0, or the
 * system's error number.
 */
int os_start(void);

/* Undoes os_start(). */
void os_finish(void);

/* The monotonic clock, in nanoseconds (clock_gettime(2) CLOCK_MONOTONIC,
 * QueryPerformanceCounter). */
int64_t os_nanoseconds(void);

/*
 * For programs that measure. From now until os_finish(), waits end as close to their deadline as
 * the system allows. Linux: the timer slack of 50 us is set to the minimum (prctl(2)
 * PR_SET_TIMERSLACK). Windows: the timer ticks every 1 ms instead of every 15.6 ms
 * (timeBeginPeriod), which costs power. Other systems need no call.
 */
void os_wait_precisely(void);

/*
 * After os_wait_precisely(): how late a wait may end because the system's timer ticks, in
 * nanoseconds. It is 1 ms on Windows, and 0 where the timer does not tick. Without
 * os_wait_precisely() it is 0: a busy loop is then not worth its time, and waits end up to 15.6 ms
 * late on Windows.
 */
int64_t os_tick(void);

/* The size of the text of os_utc_time(). */
enum { OS_UTC_TIME = 25 };

/* Writes the local time as "YYYY-MM-DD HH:MM:SS". */
void os_local_time(char text[20]);

/* Writes the local time of day as "HH:MM:SS.mmm". */
void os_local_clock(char text[13]);

/* Writes the time in UTC as "YYYY-MM-DDTHH:MM:SS.mmmZ" (RFC 3339). */
void os_utc_time(char text[OS_UTC_TIME]);

/* The error number of the calling thread's last failed socket call (errno, WSAGetLastError). */
int os_socket_error(void);

enum os_error_kind os_error_kind(int error);

/* Writes the system's message for `error` into `text`, as UTF-8, and returns it: one line, never
 * empty. */
const char *os_error_text(int error, char text[OS_ERROR_TEXT]);

/* What a user can do about a port that cannot be bound, to append to the error's text; may be
 * empty. */
const char *os_bind_advice(int error);

/*
 * Makes a socket non-blocking (fcntl(2) O_NONBLOCK, ioctlsocket FIONBIO) and not inherited by child
 * processes. Returns false on failure, with os_socket_error() set.
 */
bool os_prepare_socket(os_socket s);

/*
 * Raises the soft limit of open descriptors to the hard limit. Returns the limit now in force, or 0
 * where the system has no definite one (Windows).
 */
uint64_t os_raise_descriptor_limit(void);

/*
 * From now on a request to stop no longer ends the process (SIGINT, SIGTERM and, unless it is
 * ignored, SIGHUP; Ctrl-C, Ctrl-Break, closing the console). It makes the returned socket readable
 * instead. This stays so until the process ends, so that a late request does not change the exit
 * status. The handler only sends the kind and time of the request, or does what os_stop_ends()
 * says. On POSIX, a blocking system call is interrupted (EINTR) and not restarted. Returns
 * OS_NO_SOCKET on failure, with os_socket_error() set.
 */
os_socket os_stop_open(void);

/*
 * The number of requests to stop since os_stop_open(), as stop_requests_add() counts them. Makes
 * the socket unreadable again. SIGHUP, closing the console, logging off and shutting down are
 * hang-ups.
 */
unsigned os_stop_requests(void);

/*
 * From now on a request to stop ends the process at once, with this status and no output (_exit(2),
 * TerminateProcess). OS_STOP_TOLD switches back to reporting it through the socket. It is meant for
 * calls that cannot be interrupted otherwise: getaddrinfo() continues after a signal, and a process
 * 1 of a container is not ended by a signal without a handler.
 */
void os_stop_ends(int status);
enum { OS_STOP_TOLD = -1 };

#endif
