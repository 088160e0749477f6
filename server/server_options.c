#include "server_options.h"

#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "deadline.h"
#include "version.h"

static const char program[] = "echo-server";

static const char help[] =
    "Usage: echo-server [OPTION]...\n"
    "Answers every TCP client with what it sends (RFC 862), or line by line.\n"
    "\n"
    "  -p, --port N                 port to listen on; 0 takes a free one (default 9901)\n"
    "  -b, --bind ADDRESS           address or name to listen on, may be repeated\n"
    "                               (default 127.0.0.1 and ::1; 0.0.0.0 and :: for everyone)\n"
    "  -m, --mode echo|line|chunk   what is answered (default echo):\n"
    "                               echo   the same bytes\n"
    "                               line   each line with \"Message received - \" before it;\n"
    "                                      quit ends the connection\n"
    "                               chunk  the same for what one recv() returns\n"
    "      --max-clients N          serve at most N clients at once (default: what the system "
    "allows)\n"
    "      --max-per-address N      serve at most N clients of one address at once (default: no "
    "limit)\n"
    "      --max-line BYTES         longest line in line mode (default 65536)\n"
    "      --idle-timeout SECONDS   close connections on which nothing moves (default 0: never)\n"
    "      --stall-timeout SECONDS  close connections whose peer takes nothing (default 0: never)\n"
    "      --keep-alive SECONDS     probe clients that are silent for so long (default 0: never)\n"
    "      --drain-timeout SECONDS  after a request to stop, wait for clients (default 5)\n"
    "      --select-all             give all sockets to each select(), however many are idle\n"
    "      --select-polled          poll idle sockets, also where they can announce themselves\n"
    "      --no-log-empty           do not log connections that never sent a byte\n"
    "  -q, --quiet                  log failures only\n"
    "  -v, --verbose                log also what is received in mode echo\n"
    "  -h, --help                   show this and exit\n"
    "  -V, --version                show the version and exit\n"
    "\n"
    "Once it listens, stdout has a line \"listening on ADDRESS:PORT\" for each address; the log\n"
    "goes to stderr. Ctrl-C or SIGTERM stops it after what is queued has been sent; a second one,\n"
    "a second later or more, stops it at once.\n"
    "Exit status: 0 stopped, 1 the system refused something, 2 wrong usage.\n";

enum {
    OPTION_MAX_CLIENTS = 256,
    OPTION_MAX_PER_ADDRESS,
    OPTION_MAX_LINE,
    OPTION_IDLE_TIMEOUT,
    OPTION_STALL_TIMEOUT,
    OPTION_KEEP_ALIVE,
    OPTION_DRAIN_TIMEOUT,
    OPTION_SELECT_ALL,
    OPTION_SELECT_POLLED,
    OPTION_NO_LOG_EMPTY
};

static const struct option longs[] = {
    {"port", required_argument, NULL, 'p'},
    {"bind", required_argument, NULL, 'b'},
    {"mode", required_argument, NULL, 'm'},
    {"max-clients", required_argument, NULL, OPTION_MAX_CLIENTS},
    {"max-per-address", required_argument, NULL, OPTION_MAX_PER_ADDRESS},
    {"max-line", required_argument, NULL, OPTION_MAX_LINE},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"stall-timeout", required_argument, NULL, OPTION_STALL_TIMEOUT},
    {"keep-alive", required_argument, NULL, OPTION_KEEP_ALIVE},
    {"drain-timeout", required_argument, NULL, OPTION_DRAIN_TIMEOUT},
    {"select-all", no_argument, NULL, OPTION_SELECT_ALL},
    {"select-polled", no_argument, NULL, OPTION_SELECT_POLLED},
    {"no-log-empty", no_argument, NULL, OPTION_NO_LOG_EMPTY},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool parse_mode(const char *text, enum protocol_mode *mode)
{
    static const char *const names[] = {
        [PROTOCOL_ECHO] = "echo", [PROTOCOL_LINE] = "line", [PROTOCOL_CHUNK] = "chunk"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *mode = (enum protocol_mode)i;
            return true;
        }
    }
    return command_line_wrong(program, "--mode '%s' is not echo, line or chunk", text);
}

static bool parse_bind(char *text, struct server_options *options)
{
    const char *address, *port;

    if (!command_line_address(program, "--bind", text, &address, &port))
        return false;
    if (port != NULL)
        return command_line_wrong(
            program, "--bind takes an address alone; the port, '%s', is given as --port N", port);
    if (*address == '\0')
        return command_line_wrong(program,
                                  "--bind needs an address, such as 127.0.0.1, ::1 or localhost");
    if (options->bind_count == SERVER_OPTIONS_BINDS)
        return command_line_wrong(program, "--bind '%s': at most %d addresses are taken", address,
                                  SERVER_OPTIONS_BINDS);
    options->binds[options->bind_count++] = address;
    return true;
}

/* Parses one option other than --help and --version. */
static bool parse_option(int option, struct server_options *options)
{
    uint64_t number = 0;
    bool ok = true;

    switch (option) {
    case 'p':
        ok = command_line_number(program, "--port", 0, UINT16_MAX, &number);
        options->port = (uint16_t)number;
        return ok;
    case 'b':
        return parse_bind(optarg, options);
    case 'm':
        return parse_mode(optarg, &options->rules.mode);
    case OPTION_MAX_CLIENTS:
        return command_line_number(program, "--max-clients", 1, UINT32_MAX, &options->max_clients);
    case OPTION_MAX_PER_ADDRESS:
        return command_line_number(program, "--max-per-address", 1, UINT32_MAX,
                                   &options->max_per_address);
    case OPTION_MAX_LINE:
        ok = command_line_number(program, "--max-line", 1, (uint64_t)1 << 30, &number);
        options->rules.max_line = (size_t)number;
        return ok;
    case OPTION_IDLE_TIMEOUT:
        return command_line_seconds(program, "--idle-timeout", &options->idle_timeout);
    case OPTION_STALL_TIMEOUT:
        return command_line_seconds(program, "--stall-timeout", &options->stall_timeout);
    case OPTION_KEEP_ALIVE:
        return command_line_number(program, "--keep-alive", 0, NET_KEEP_ALIVE_MAX,
                                   &options->keep_alive);
    case OPTION_DRAIN_TIMEOUT:
        return command_line_seconds(program, "--drain-timeout", &options->drain_timeout);
    case OPTION_SELECT_ALL:
        options->way = SELECTOR_ALL;
        return true;
    case OPTION_SELECT_POLLED:
        options->way = SELECTOR_POLLED;
        return true;
    case OPTION_NO_LOG_EMPTY:
        options->no_log_empty = true;
        return true;
    case 'q':
        options->log_level = LOG_FAILURES;
        return true;
    case 'v':
        options->log_level = LOG_ALL;
        return true;
    default: /* '?': already reported */
        return false;
    }
}

enum command_line_verdict server_options_parse(int argc, char **argv,
                                               struct server_options *options)
{
    int option;

    *options = (struct server_options){
        .port = 9901,
        .rules = {.mode = PROTOCOL_ECHO, .max_line = 65536},
        .max_clients = UINT64_MAX,
        .drain_timeout = SECONDS(5),
        .way = SELECTOR_ANNOUNCED,
        .log_level = LOG_EVENTS,
    };
    while ((option = command_line_next(program, argc, argv, ":p:b:m:qvhV", longs)) != -1) {
        if (option == 'h' || option == 'V') {
            fputs(option == 'h' ? help : "echo-server " VERSION "\n", stdout);
            return COMMAND_LINE_SHOWN;
        }
        if (!parse_option(option, options))
            return COMMAND_LINE_WRONG;
    }
    if (optind < argc) {
        command_line_wrong(program, "'%s' is not an option; the port is given as --port N",
                           argv[optind]);
        return COMMAND_LINE_WRONG;
    }
    if (options->bind_count == 0) {
        options->default_binds = true;
        options->binds[options->bind_count++] = "127.0.0.1";
        options->binds[options->bind_count++] = "::1";
    }
    return COMMAND_LINE_RUN;
}
