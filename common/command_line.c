#include "command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "text.h"

static const uint64_t YEAR = (uint64_t)365 * 24 * 60 * 60 * 1000; /* in thousandths of a second */

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

/* Reports a long option, "--NAME" or "--NAME=VALUE", that is abbreviated. Returns false when it is
 * written in full or unknown. */
static bool report_abbreviated(const char *program, const char *written, const struct option *longs)
{
    const char *name = written + 2;
    size_t length = strcspn(name, "=");
    char candidates[512] = "";
    unsigned count = 0;

    for (const struct option *o = longs; o->name != NULL && length > 0; o++) {
        if (strncmp(o->name, name, length) != 0)
            continue;
        if (o->name[length] == '\0')
            return false;
        count++;
        strncat(candidates, count > 1 ? ", --" : "--", sizeof candidates - strlen(candidates) - 1);
        strncat(candidates, o->name, sizeof candidates - strlen(candidates) - 1);
    }
    if (count > 0)
        command_line_wrong(program, "option '--%.*s' is %s %s", (int)length, name,
                           count > 1 ? "ambiguous; write one of" : "abbreviated; write",
                           candidates);
    return count > 0;
}

int command_line_next(const char *program, int argc, char **argv, const char *shorts,
                      const struct option *longs)
{
    int word = optind, matched = -1;

    opterr = 0;
    int option = getopt_long(argc, argv, shorts, longs, &matched);
    bool is_error = option == ':' || option == '?';

    if (option == -1 || (!is_error && matched == -1))
        return option; /* the last one, or a short option */
    /* optind is past the option and its value. After an error inside a word of short options
     * ("-qx") it has not moved. */
    bool has_separate_value = !is_error && optarg == argv[optind - 1];
    /* If the value of a short option is missing, musl sets optind past argc. */
    int next_word = optind < argc ? optind : argc;
    const char *last = argv[next_word - (has_separate_value ? 2 : 1)];
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_long = matched != -1 || (optind != word && strncmp(last, "--", 2) == 0);
    const char *written = is_long ? last : letter;

    if (is_long && report_abbreviated(program, written, longs))
        return '?';
    if (!is_error)
        return option;
    if (is_long && optopt != 0 && strchr(written, '=') != NULL)
        command_line_wrong(program, "option '%.*s' takes no value", (int)strcspn(written, "="),
                           written);
    else if (option == ':')
        command_line_wrong(program, "option '%s' needs a value", written);
    else
        command_line_wrong(program, "unknown option '%s'", written);
    return '?';
}

bool command_line_number(const char *program, const char *name, uint64_t min, uint64_t max,
                         uint64_t *value)
{
    if (text_number(optarg, min, max, value))
        return true;
    return command_line_wrong(program, "%s '%s' is not a number from %llu to %llu", name, optarg,
                              (unsigned long long)min, (unsigned long long)max);
}

bool command_line_seconds(const char *program, const char *name, int64_t *nanoseconds)
{
    uint64_t value;

    if (text_thousandths(optarg, 0, YEAR, &value)) {
        *nanoseconds = MILLISECONDS((int64_t)value);
        return true;
    }
    return command_line_wrong(
        program,
        "%s '%s' is not a number of seconds from 0 to 31536000 with at most three "
        "decimals, such as 0.25",
        name, optarg);
}

bool command_line_address(const char *program, const char *name, char *text, const char **host,
                          const char **port)
{
    char *colon = strchr(text, ':');

    *host = text;
    *port = NULL;
    if (*text == '[') {
        char *end = strchr(text, ']');

        if (end == NULL || colon == NULL || colon > end || (end[1] != '\0' && end[1] != ':'))
            return command_line_wrong(
                program, "%s '%s' is not an IPv6 address in brackets, such as [::1]", name, text);
        *host = text + 1;
        *end = '\0';
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
        colon = NULL;
    }
    if (colon != NULL) {
        *colon = '\0';
        *port = colon + 1;
    }
    return true;
}

bool command_line_flush(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}
