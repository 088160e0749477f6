/*
 * command_line: options, as a table from which parsing, --help and the completions of shells are
 * made. getopt_long(3) reads them. Each mistake is reported in one line on stderr that says what is
 * wrong and what would be right. After such a line the program exits with COMMAND_LINE_USAGE.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMAND_LINE_USAGE = 2 };

/* One option of a program. Its index in the table is its number. */
struct command_line_option {
    const char *name;     /* of the long option, without the dashes */
    const char *argument; /* what --help calls its value, as "SECONDS"; "a|b|c" are all the values
                             there are; NULL: it takes none */
    const char *help;     /* --help breaks it at spaces; '\n' begins another line */
    const char *heading;  /* of the group of options that begins here, or NULL */
    unsigned jobs;        /* a bit for each job that the option is for; for the program's own use */
    char letter;          /* the short option, or '\0' */
};

enum { COMMAND_LINE_OPTIONS = 64 }; /* of a program, at most */

struct command_line_program {
    const char *name;
    const struct command_line_option *options;
    int count;
    const char *usage; /* what --help begins and ends with, formatted as an option's help */
    const char *notes;
};

/* What the program does after it has read its command line. */
enum command_line_verdict {
    COMMAND_LINE_RUN,   /* start */
    COMMAND_LINE_SHOWN, /* exit with status 0: --help or --version has been answered on stdout */
    COMMAND_LINE_WRONG  /* exit with COMMAND_LINE_USAGE: a line on stderr says what is wrong */
};

/*
 * Prints "PROGRAM: MESSAGE; try 'PROGRAM --help'". Always returns false.
 */
bool command_line_wrong(const struct command_line_program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Returns the number of the next option, whose value is in optarg, or COMMAND_LINE_END after the
 * last one. Returns COMMAND_LINE_MISTAKE after reporting an option that is unknown, abbreviated,
 * ambiguous, lacks its value or has one that it does not take. Long options must be written in
 * full: an abbreviation of today's options may be ambiguous, or mean another option, once a new one
 * is added.
 */
int command_line_next(const struct command_line_program *program, int argc, char **argv);
enum { COMMAND_LINE_END = -1, COMMAND_LINE_MISTAKE = -2 };

/* Prints what --version or --help shows, the latter in lines of at most 80 columns. */
void command_line_show(const struct command_line_program *program, bool version);

/* Reads optarg, the value of an option, as a whole number. Reports a mistake and returns false. */
bool command_line_number(const struct command_line_program *program, int option, uint64_t min,
                         uint64_t max, uint64_t *value);

/* Reads optarg as a number of bytes, also with K, M or G behind it, as text_size() does. Reports a
 * mistake and returns false. */
bool command_line_size(const struct command_line_program *program, int option, uint64_t min,
                       uint64_t max, uint64_t *bytes);

/* Checks a port, for net_port(): a number of at least `min`, or the name of a service, which begins
 * with a letter. Messages call the text `name`. Reports a mistake and returns false. */
bool command_line_port(const struct command_line_program *program, const char *name,
                       const char *text, uint16_t min);

/* Reads optarg as seconds with at most three decimals, up to a year, and converts them to
 * nanoseconds. Reports a mistake and returns false. */
bool command_line_seconds(const struct command_line_program *program, int option,
                          int64_t *nanoseconds);

/* The same for milliseconds, up to an hour. */
bool command_line_milliseconds(const struct command_line_program *program, int option,
                               int64_t *nanoseconds);

/*
 * Splits an address: HOST, HOST:PORT, or an IPv6 address in brackets with or without :PORT (RFC
 * 3986, 3.2.2), as the programs print them. More than one colon without brackets is an IPv6 address
 * without a port. Messages call the text `name`. `text` is modified; `host` and `port` point into
 * it. `port` is NULL if there is none. Either may be an empty string. Reports wrong brackets and
 * returns false.
 */
bool command_line_address(const struct command_line_program *program, const char *name, char *text,
                          const char **host, const char **port);

/* Writes out what --help or --version has printed. Returns whether stdout took all of it: a C
 * library may have written a part of it, and failed, before (fflush(3), ferror(3)). */
bool command_line_flush(void);

#endif
