#include "command_line.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "text.h"
#include "version.h"

enum {
    HELP_COLUMNS = 80,
    LONG_ONLY = 256 /* what getopt_long() returns for an option without a letter */
};

static const uint64_t YEAR = (uint64_t)365 * 24 * 60 * 60; /* in seconds */
static const uint64_t HOUR = (uint64_t)60 * 60 * 1000;     /* in milliseconds */

bool command_line_wrong(const struct command_line_program *program, const char *format, ...)
{
    char message[2048];
    char shown[sizeof message];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    text_escape(message, strlen(message), shown, sizeof shown, NULL);
    fprintf(stderr, "%s: %s; try '%s --help'\n", program->name, shown, program->name);
    return false;
}

/* Reports a long option, "--NAME" or "--NAME=VALUE", that is abbreviated. Returns false when it is
 * written in full or unknown. */
static bool report_abbreviated(const struct command_line_program *program, const char *written)
{
    const char *name = written + 2;
    size_t length = strcspn(name, "=");
    char candidates[512] = "";
    unsigned count = 0;

    for (int i = 0; i < program->count && length > 0; i++) {
        const char *full = program->options[i].name;

        if (strncmp(full, name, length) != 0)
            continue;
        if (full[length] == '\0')
            return false;
        count++;
        strncat(candidates, count > 1 ? ", --" : "--", sizeof candidates - strlen(candidates) - 1);
        strncat(candidates, full, sizeof candidates - strlen(candidates) - 1);
    }
    if (count > 0)
        command_line_wrong(program, "option '--%.*s' is %s %s", (int)length, name,
                           count > 1 ? "ambiguous; write one of" : "abbreviated; write",
                           candidates);
    return count > 0;
}

/* Calls getopt_long() with the options of the program. Sets `matched` to the number of a long
 * option, or leaves it. */
static int next_option(const struct command_line_program *program, int argc, char **argv,
                       int *matched)
{
    struct option longs[COMMAND_LINE_OPTIONS + 1] = {{NULL, 0, NULL, 0}};
    char letters[2 * COMMAND_LINE_OPTIONS + 2] =
        ":"; /* tells a missing value from an unknown one */
    size_t length = 1;

    assert(program->count <= COMMAND_LINE_OPTIONS);
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];
        bool has_value = option->argument != NULL;

        longs[i].name = option->name;
        longs[i].has_arg = has_value ? required_argument : no_argument;
        longs[i].val = option->letter != '\0' ? option->letter : LONG_ONLY;
        if (option->letter == '\0')
            continue;
        letters[length++] = option->letter;
        if (has_value)
            letters[length++] = ':';
    }
    opterr = 0;
    return getopt_long(argc, argv, letters, longs, matched);
}

/* The number of the option with this letter. */
static int find_letter(const struct command_line_program *program, int letter)
{
    int i = 0;

    while (program->options[i].letter != letter)
        i++;
    return i;
}

int command_line_next(const struct command_line_program *program, int argc, char **argv)
{
    int word = optind, matched = -1;
    int option = next_option(program, argc, argv, &matched);
    bool is_error = option == ':' || option == '?';

    if (option == -1)
        return COMMAND_LINE_END;
    if (!is_error && matched == -1)
        return find_letter(program, option);
    /* optind is past the option and its value. After an error inside a word of short options
     * ("-qx") it has not moved. */
    bool has_separate_value = !is_error && optarg == argv[optind - 1];
    /* If the value of a short option is missing, musl sets optind past argc. */
    int next_word = optind < argc ? optind : argc;
    const char *last = argv[next_word - (has_separate_value ? 2 : 1)];
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_long = matched != -1 || (optind != word && strncmp(last, "--", 2) == 0);
    const char *written = is_long ? last : letter;

    if (is_long && report_abbreviated(program, written))
        return COMMAND_LINE_MISTAKE;
    if (!is_error)
        return matched;
    if (is_long && optopt != 0 && strchr(written, '=') != NULL)
        command_line_wrong(program, "option '%.*s' takes no value", (int)strcspn(written, "="),
                           written);
    else if (option == ':')
        command_line_wrong(program, "option '%s' needs a value", written);
    else
        command_line_wrong(program, "unknown option '%s'", written);
    return COMMAND_LINE_MISTAKE;
}

/* Prints a text and ends the line. Lines are broken at spaces before HELP_COLUMNS, and all but the
 * first are indented. */
static void print_wrapped(const char *text, int indent)
{
    size_t column = (size_t)indent;
    bool first = true; /* nothing stands in the line yet */

    for (;;) {
        size_t length = strcspn(text, " \n");

        if (!first && column + 1 + length > HELP_COLUMNS) {
            printf("\n%*s", indent, "");
            column = (size_t)indent;
            first = true;
        }
        printf("%s%.*s", first ? "" : " ", (int)length, text);
        column += length + !first;
        first = text[length] == '\n';
        if (text[length] == '\0')
            break;
        if (first) {
            printf("\n%*s", indent, "");
            column = (size_t)indent;
        }
        text += length + 1;
    }
    printf("\n");
}

/* Writes "  -x, --name VALUE" and returns its length. */
static int describe(const struct command_line_option *option, char *text, size_t size)
{
    char letter[] = {'-', option->letter, ',', '\0'};

    return snprintf(text, size, "  %-3s --%s%s%s", option->letter != '\0' ? letter : "",
                    option->name, option->argument != NULL ? " " : "",
                    option->argument != NULL ? option->argument : "");
}

static void print_help(const struct command_line_program *program)
{
    char text[HELP_COLUMNS];
    int indent = 0;

    for (int i = 0; i < program->count; i++) {
        int length = describe(&program->options[i], text, sizeof text) + 2;

        indent = length > indent ? length : indent;
    }
    print_wrapped(program->usage, 0);
    printf("\n");
    for (int i = 0; i < program->count; i++) {
        const struct command_line_option *option = &program->options[i];

        if (option->heading != NULL)
            printf("%s:\n", option->heading);
        describe(option, text, sizeof text);
        printf("%-*s", indent, text);
        print_wrapped(option->help, indent);
    }
    printf("\n");
    print_wrapped(program->notes, 0);
}

void command_line_show(const struct command_line_program *program, bool version)
{
    if (version)
        printf("%s " VERSION "\n", program->name);
    else
        print_help(program);
}

bool command_line_number(const struct command_line_program *program, int option, uint64_t min,
                         uint64_t max, uint64_t *value)
{
    if (text_number(optarg, min, max, value))
        return true;
    return command_line_wrong(program, "--%s '%s' is not a number from %llu to %llu",
                              program->options[option].name, optarg, (unsigned long long)min,
                              (unsigned long long)max);
}

bool command_line_size(const struct command_line_program *program, int option, uint64_t min,
                       uint64_t max, uint64_t *bytes)
{
    if (text_size(optarg, min, max, bytes))
        return true;
    return command_line_wrong(
        program, "--%s '%s' is not a number of bytes from %llu to %llu, such as 4096 or 4K",
        program->options[option].name, optarg, (unsigned long long)min, (unsigned long long)max);
}

bool command_line_port(const struct command_line_program *program, const char *name,
                       const char *text, uint16_t min)
{
    bool is_name = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
    uint64_t number;

    if (is_name || text_number(text, min, UINT16_MAX, &number))
        return true;
    return command_line_wrong(
        program, "%s '%s' is not a number from %d to %d, nor the name of a service such as http",
        name, text, min, UINT16_MAX);
}

/* Reads optarg as a time of up to `max` units of `size` nanoseconds, with at most three decimals.
 */
static bool parse_time(const struct command_line_program *program, int option, uint64_t max,
                       const char *unit, int64_t size, int64_t *nanoseconds)
{
    uint64_t thousandths;

    if (text_thousandths(optarg, 0, max * 1000, &thousandths)) {
        *nanoseconds = (int64_t)thousandths * (size / 1000);
        return true;
    }
    return command_line_wrong(
        program,
        "--%s '%s' is not a number of %s from 0 to %llu with at most three decimals, such as 0.25",
        program->options[option].name, optarg, unit, (unsigned long long)max);
}

bool command_line_seconds(const struct command_line_program *program, int option,
                          int64_t *nanoseconds)
{
    return parse_time(program, option, YEAR, "seconds", SECONDS(1), nanoseconds);
}

bool command_line_milliseconds(const struct command_line_program *program, int option,
                               int64_t *nanoseconds)
{
    return parse_time(program, option, HOUR, "milliseconds", MILLISECONDS(1), nanoseconds);
}

bool command_line_address(const struct command_line_program *program, const char *name, char *text,
                          const char **host, const char **port)
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
