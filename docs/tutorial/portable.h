/*
 * portable: what differs between Winsock and POSIX sockets, so that each step of the tutorial is
 * one source for both. portable_win32.c and portable_posix.c implement it, and
 * portable.c what is the same on both.
 */
#ifndef PORTABLE_H
#define PORTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET socket_type;
#define SHUT_WR SD_SEND
#define LISTENER_OPTION SO_EXCLUSIVEADDRUSE /* no other program takes the port */
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
typedef int socket_type;
#define INVALID_SOCKET (-1)
#define LISTENER_OPTION SO_REUSEADDR /* the port can be bound again at once */
#endif

/* Windows: WSAStartup(), and stdin and stdout carry bytes, not text. POSIX: SIGPIPE is ignored, so
 * that send() on a lost connection fails instead of ending the program. Ends the program if that
 * fails. */
void sockets_start(void);

/* WSACleanup(); nothing on POSIX. */
void sockets_finish(void);

/* closesocket() or close(). */
void socket_close(socket_type s);

/* ioctlsocket(FIONBIO) or fcntl(O_NONBLOCK). Ends the program if that fails. */
void socket_set_non_blocking(socket_type s);

/* Whether FD_SET has a place for socket `s` beside `count` others: on POSIX its number counts, on
 * Windows how many there are. */
bool set_has_room(socket_type s, unsigned count);

/* recv() and send(), with the types of neither system: they return the number of bytes, 0 at the
 * end of the stream, or -1. */
int socket_recv(socket_type s, void *bytes, size_t size);
int socket_send(socket_type s, const void *bytes, size_t length);

/* Why the last call failed: there is nothing to do now; a signal came first; or the process or the
 * system has no socket left. WSAGetLastError() or errno. */
bool error_is_would_block(void);
bool error_is_interrupted(void);
bool error_is_shortage(void);

/* Prints why the last call failed, as perror() does. */
void print_error(const char *what);

/* The same, and ends the program with status 1. */
_Noreturn void die(const char *what);

/* 127.0.0.1 with a port: decimal, "0" for a free one, NULL for 9901. */
struct sockaddr_in loopback(const char *port);

/* A socket that listens on 127.0.0.1, on a port as above. Says on stdout where it listens. Ends the
 * program if that fails. */
socket_type listen_on(const char *port);

/* A connection to 127.0.0.1, on a port as above. Ends the program if that fails. */
socket_type connect_to(const char *port);

/* read() of stdin, as socket_recv(); and write() of all to stdout, which returns whether that went
 * well. Both may wait. */
int stdin_read(void *bytes, size_t size);
bool stdout_write(const void *bytes, size_t length);

/* Runs `function` in a thread of its own. Ends the program if that fails. */
void start_thread(void (*function)(void *argument), void *argument);

/* Sleep(). */
void sleep_milliseconds(unsigned milliseconds);

/* A socket that becomes readable once Ctrl-C, SIGTERM or Ctrl-Break has asked the program to stop,
 * for select() to wait for. Ends the program if that fails. */
socket_type open_stop_socket(void);

#endif
