/*
 * command_line: reads options with getopt_long(3). Each mistake is reported in one line on stderr
 * that says what is wrong and what would be right. After such a line the program exits with
 * COMMAND_LINE_USAGE.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum { COMMAND_LINE_USAGE = 2 };

/* What the program does after it has read its command line. */
enum command_line_verdict {
    COMMAND_LINE_RUN,   /* start */
    COMMAND_LINE_SHOWN, /* exit with status 0: --help or --version has been answered on stdout */
    COMMAND_LINE_WRONG  /* exit with COMMAND_LINE_USAGE: a line on stderr says what is wrong */
};

/*
 * Prints "PROGRAM: MESSAGE; try 'PROGRAM --help'". Always returns false.
 */
bool command_line_wrong(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Returns the next option as getopt_long() does: its character, or -1 after the last one. Returns
 * '?' after reporting an option that is unknown, abbreviated, ambiguous, lacks its value or has one
 * that it does not take. Long options must be written in full: an abbreviation of today's options
 * may be ambiguous, or mean another option, once a new one is added. `shorts` begins with ':'.
 */
int command_line_next(const char *program, int argc, char **argv, const char *shorts,
                      const struct option *longs);

/* Reads optarg of the option `name` ("--port") as a whole number. Reports a mistake and returns
 * false. */
bool command_line_number(const char *program, const char *name, uint64_t min, uint64_t max,
                         uint64_t *value);

/* Reads optarg as seconds with at most three decimals, up to a year, and converts them to
 * nanoseconds. Reports a mistake and returns false. */
bool command_line_seconds(const char *program, const char *name, int64_t *nanoseconds);

/*
 * Splits an address: HOST, HOST:PORT, or an IPv6 address in brackets with or without :PORT (RFC
 * 3986, 3.2.2), as the programs print them. More than one colon without brackets is an IPv6 address
 * without a port. Messages call the text `name`. `text` is modified; `host` and `port` point into
 * it. `port` is NULL if there is none. Either may be an empty string. Reports wrong brackets and
 * returns false.
 */
bool command_line_address(const char *program, const char *name, char *text, const char **host,
                          const char **port);

/* Writes out what --help or --version has printed. Returns whether stdout took all of it: a C
 * library may have written a part of it, and failed, before (fflush(3), ferror(3)). */
bool command_line_flush(void);

#endif
