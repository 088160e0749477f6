/*
 * sets: what select() is to wait for, with room for any number of sockets. An fd_set is only the
 * first FD_SETSIZE of what select() can take: more bits on Linux, the BSDs and macOS (sets_posix.c;
 * POSIX itself does not promise it), more elements on Windows (sets_win32.c).
 */
#ifndef SETS_H
#define SETS_H

#include "portable.h"

/* Makes room for socket `s` beside `count` others. Returns false, with all as it was, if memory is
 * refused. */
bool sets_reserve(socket_type s, unsigned count);

/* Begins a new wait, for nothing yet. */
void sets_clear(void);

/* Waits for a socket, for which there must be room, to be ready. */
void sets_add(socket_type s, bool read, bool write);

/* select(): returns the number of sockets that are ready, 0 after `timeout`, or -1. */
int sets_wait(struct timeval *timeout);

/* What the last wait has found; nothing, unless it returned more than 0. */
bool sets_readable(socket_type s);
bool sets_writable(socket_type s);

#endif
