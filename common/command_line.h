/*
 * command_line: options read with getopt_long(3), every mistake told in one line on stderr that
 * says what is wrong and what would be right. After such a line a program ends with
 * COMMAND_LINE_USAGE.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum { COMMAND_LINE_USAGE = 2 };

/* What becomes of a program after its command line has been read. */
enum command_line_verdict {
    COMMAND_LINE_RUN,   /* it starts */
    COMMAND_LINE_SHOWN, /* --help or --version has been answered on stdout: it ends with status 0 */
    COMMAND_LINE_WRONG  /* a line on stderr says what is wrong: it ends with COMMAND_LINE_USAGE */
};

/*
 * Prints "PROGRAM: MESSAGE; try 'PROGRAM --help'". Always returns false.
 */
bool command_line_wrong(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Gives the next option as getopt_long() does: its character, -1 after the last one, '?' after
 * telling of one that is unknown, ambiguous, lacks its value or has one that it does not take.
 * `shorts` begins with ':'.
 */
int command_line_next(const char *program, int argc, char **argv, const char *shorts,
                      const struct option *longs);

/* Reads optarg of the option `name` ("--port") as a whole number; tells of a mistake and returns
 * false. */
bool command_line_number(const char *program, const char *name, uint64_t least, uint64_t most,
                         uint64_t *value);

/* Reads optarg as seconds with at most three decimals, up to a year; gives milliseconds. */
bool command_line_seconds(const char *program, const char *name, int64_t *milliseconds);

#endif
