#include "command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const uint64_t YEAR = (uint64_t)365 * 24 * 60 * 60 * 1000;

bool command_line_wrong(const char *program, const char *format, ...)
{
    char message[2048];
    char shown[sizeof message];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    text_escape(message, strlen(message), shown, sizeof shown, NULL);
    fprintf(stderr, "%s: %s; try '%s --help'\n", program, shown, program);
    return false;
}

int command_line_next(const char *program, int argc, char **argv, const char *shorts,
                      const struct option *longs)
{
    int word = optind;

    opterr = 0;
    int option = getopt_long(argc, argv, shorts, longs, NULL);

    if (option != ':' && option != '?')
        return option;
    /* After a refusal inside a word of short ones ("-qx"), optind is where it was; else behind the
     * word. */
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_long = optind != word && strncmp(argv[optind - 1], "--", 2) == 0;
    const char *written = is_long ? argv[optind - 1] : letter;

    if (is_long && optopt != 0 && strchr(written, '=') != NULL)
        command_line_wrong(program, "option '%.*s' takes no value", (int)strcspn(written, "="),
                           written);
    else if (option == ':')
        command_line_wrong(program, "option '%s' needs a value", written);
    else
        command_line_wrong(program, "unknown option '%s'", written);
    return '?';
}

bool command_line_number(const char *program, const char *name, uint64_t least, uint64_t most,
                         uint64_t *value)
{
    if (text_number(optarg, least, most, value))
        return true;
    return command_line_wrong(program, "%s '%s' is not a number from %llu to %llu", name, optarg,
                              (unsigned long long)least, (unsigned long long)most);
}

bool command_line_seconds(const char *program, const char *name, int64_t *milliseconds)
{
    uint64_t value;

    if (text_thousandths(optarg, 0, YEAR, &value)) {
        *milliseconds = (int64_t)value;
        return true;
    }
    return command_line_wrong(
        program,
        "%s '%s' is not a number of seconds from 0 to 31536000 with at most three "
        "decimals, such as 0.25",
        name, optarg);
}
