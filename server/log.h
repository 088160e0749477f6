/*
 * log: the server's lines on stderr, "YYYY-MM-DD HH:MM:SS,TEXT" in local time. Lines are collected
 * in memory and written once a round of the loop. When the reader is too slow, or the disk is full,
 * whole lines are dropped and counted, but the server never stops.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "net.h"

enum log_level {
    LOG_FAILURES, /* --quiet */
    LOG_EVENTS,   /* also connections, and messages in line and chunk mode */
    LOG_ALL       /* --verbose: also what echo mode receives */
};

enum {
    LOG_BUFFER = 64 * 1024,
    LOG_TEXT_MAX = 1024 /* bytes of a message's escaped text that are shown */
};

/* All zero, with a level, is a log without lines. */
struct log {
    enum log_level level;
    size_t length;         /* of the lines that are not written yet */
    unsigned long dropped; /* lines for which there was no room since the last one that had some */
    char lines[LOG_BUFFER];
};

/* Adds a line, formatted as by printf(3), if the log's level is `level` or above. What comes from
 * outside has to be escaped by the caller. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds, unless the level is LOG_FAILURES, "Recv From Client[ADDRESS]:TEXT" for a message of
 * `length` bytes: escaped as text_escape() does, and cut where the text would be longer than
 * LOG_TEXT_MAX, with "... (LENGTH bytes)".
 */
void log_message(struct log *log, const struct net_address *peer, const void *message,
                 size_t length);

/* Writes what the reader takes now. Returns whether everything is written. */
bool log_flush(struct log *log);

#endif
