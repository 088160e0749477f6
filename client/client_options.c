#include "client_options.h"

#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "text.h"
#include "version.h"

static const char program[] = "echo-client";

static const char help[] =
    "Usage: echo-client [OPTION]... [HOST [PORT]]\n"
    "Connects to HOST (default 127.0.0.1) on PORT (default 9901). At a terminal, sends each line "
    "that is typed and shows\n"
    "what comes back; otherwise carries bytes from stdin to the server and from the server to "
    "stdout, unchanged.\n"
    "\n"
    "      --eol lf|crlf|none         what is sent after each line that is typed (default lf)\n"
    "      --connect-timeout SECONDS  how long to try, over all addresses of the host (default 5)\n"
    "  -h, --help                     show this and exit\n"
    "  -V, --version                  show the version and exit\n"
    "\n"
    "At a terminal, \"quit\" ends the session, as does Ctrl-D (on Windows Ctrl-Z) on an empty "
    "line; Ctrl-C leaves at once.\n"
    "Exit status: 0 fine, 1 connection or transfer failed, 2 wrong usage, 130 interrupted.\n";

enum { OPTION_EOL = 256, OPTION_CONNECT_TIMEOUT };

static const struct option longs[] = {
    {"eol", required_argument, NULL, OPTION_EOL},
    {"connect-timeout", required_argument, NULL, OPTION_CONNECT_TIMEOUT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool parse_eol(const char *text, const char **eol)
{
    static const char *const names[][2] = {{"lf", "\n"}, {"crlf", "\r\n"}, {"none", ""}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i][0]) == 0) {
            *eol = names[i][1];
            return true;
        }
    }
    return command_line_wrong(program, "--eol '%s' is not lf, crlf or none", text);
}

static bool parse_option(int option, struct client_options *options)
{
    switch (option) {
    case OPTION_EOL:
        return parse_eol(optarg, &options->eol);
    case OPTION_CONNECT_TIMEOUT:
        if (!command_line_seconds(program, "--connect-timeout", &options->connect_timeout))
            return false;
        return options->connect_timeout > 0 ||
               command_line_wrong(program, "--connect-timeout has to be more than 0 seconds");
    default: /* '?': told already */
        return false;
    }
}

/* Takes HOST and PORT. */
static bool parse_operands(int count, char **operands, struct client_options *options)
{
    uint64_t port;

    if (count > 2)
        return command_line_wrong(program, "'%s' is one too many: only HOST and PORT are taken",
                                  operands[2]);
    if (count > 0)
        options->host = operands[0];
    if (*options->host == '\0')
        return command_line_wrong(program,
                                  "HOST is empty; give a name or an address such as 127.0.0.1");
    if (count < 2)
        return true;
    if (!text_number(operands[1], 1, UINT16_MAX, &port))
        return command_line_wrong(program, "PORT '%s' is not a number from 1 to %d", operands[1],
                                  UINT16_MAX);
    options->port = (uint16_t)port;
    return true;
}

enum command_line_verdict client_options_parse(int argc, char **argv,
                                               struct client_options *options)
{
    int option;

    *options = (struct client_options){
        .host = "127.0.0.1", .port = 9901, .eol = "\n", .connect_timeout = 5000};
    while ((option = command_line_next(program, argc, argv, ":hV", longs)) != -1) {
        if (option == 'h' || option == 'V') {
            fputs(option == 'h' ? help : "echo-client " VERSION "\n", stdout);
            return COMMAND_LINE_SHOWN;
        }
        if (!parse_option(option, options))
            return COMMAND_LINE_WRONG;
    }
    return parse_operands(argc - optind, argv + optind, options) ? COMMAND_LINE_RUN
                                                                 : COMMAND_LINE_WRONG;
}
