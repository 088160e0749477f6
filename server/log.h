/*
 * log: the server's lines on stderr, "YYYY-MM-DD HH:MM:SS,TEXT" in local time. Lines are collected
 * in memory and written once per round of the loop. If the reader is too slow, or the disk is full,
 * whole lines are dropped and counted, and the server goes on.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "net.h"

enum log_level {
    LOG_FAILURES, /* --quiet */
    LOG_EVENTS,   /* and connections, and messages in line and chunk mode */
    LOG_ALL       /* --verbose: and what echo mode receives */
};

enum {
    LOG_BUFFER = 64 * 1024,
    LOG_TEXT_MAX = 1024 /* bytes of a message's escaped text, at most */
};

/* A struct of all zeros, except for the level, is an empty log. */
struct log {
    enum log_level level;
    size_t length;         /* bytes of the lines that are not written yet */
    unsigned long dropped; /* lines dropped since the last one that was kept */
    char lines[LOG_BUFFER];
};

/* Adds a line, formatted as by printf(3), if the log's level is `level` or higher. The caller
 * escapes text from outside. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds "Recv From Client[ADDRESS]:TEXT" for a message of `length` bytes, unless the level is
 * LOG_FAILURES. TEXT is escaped as by text_escape(). If it is longer than LOG_TEXT_MAX, it is cut
 * and ends with "... (LENGTH bytes)".
 */
void log_message(struct log *log, const struct net_address *peer, const void *message,
                 size_t length);

/* Writes as much as the reader takes now. Returns whether everything is written. */
bool log_flush(struct log *log);

#endif
