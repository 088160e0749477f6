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
 * telling of one that is unknown, abbreviated, ambiguous, lacks its value or has one that it does
 * not take. Long options are to be written in full: what abbreviates one option today would be
 * ambiguous, or another one, as soon as there is a new option. `shorts` begins with ':'.
 */
int command_line_next(const char *program, int argc, char **argv, const char *shorts,
                      const struct option *longs);

/* Reads optarg of the option `name` ("--port") as a whole number; tells of a mistake and returns
 * false. */
bool command_line_number(const char *program, const char *name, uint64_t min, uint64_t max,
                         uint64_t *value);

/* Reads optarg as seconds with at most three decimals, up to a year; gives nanoseconds. */
bool command_line_seconds(const char *program, const char *name, int64_t *nanoseconds);

/*
 * Takes an address apart: HOST, HOST:PORT, or an IPv6 address in brackets with or without :PORT
 * (RFC 3986, 3.2.2), as the programs print them. More than one colon and no brackets: an IPv6
 * address without a port. `name` is what a message calls `text`, which is changed and lent to
 * `host` and `port`; `port` is NULL when there is none. Either may be an empty string. Tells of
 * brackets that are wrong and returns false.
 */
bool command_line_address(const char *program, const char *name, char *text, const char **host,
                          const char **port);

#endif
