#include "server_options.h"

#include <stdio.h>
#include <string.h>

#include "command_line.h"
#include "deadline.h"

enum {
    OPTION_PORT,
    OPTION_BIND,
    OPTION_MODE,
    OPTION_GREETING,
    OPTION_PREFIX,
    OPTION_MAX_CLIENTS,
    OPTION_MAX_PER_ADDRESS,
    OPTION_MAX_LINE,
    OPTION_IDLE_TIMEOUT,
    OPTION_STALL_TIMEOUT,
    OPTION_KEEP_ALIVE,
    OPTION_DRAIN_TIMEOUT,
    OPTION_PROXY_PROTOCOL,
    OPTION_SELECT_ALL,
    OPTION_SELECT_POLLED,
    OPTION_NO_LOG_EMPTY,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_DELAY,
    OPTION_JITTER,
    OPTION_PIECE,
    OPTION_RATE_LIMIT,
    OPTION_ACCEPT_DELAY,
    OPTION_STALL_AFTER, /* in the order of enum impairment_fault */
    OPTION_MUTE_AFTER,
    OPTION_CLOSE_AFTER,
    OPTION_RESET_AFTER,
    OPTION_CORRUPT_AFTER,
    OPTION_DROP_AFTER,
    OPTION_DUPLICATE_AFTER,
    OPTION_SEED,
    OPTIONS
};

static const struct command_line_option table[OPTIONS] = {
    [OPTION_PORT] = {.name = "port",
                     .letter = 'p',
                     .argument = "N",
                     .help = "port to listen on, or the name of its service; 0 takes a free one "
                             "(default 9901); several as "
                             "N,N,... or with the option repeated"},
    [OPTION_BIND] = {.name = "bind",
                     .letter = 'b',
                     .argument = "ADDRESS",
                     .help = "address or name to listen on, may be repeated (default 127.0.0.1 and "
                             "::1; 0.0.0.0 and :: for everyone)"},
    [OPTION_MODE] = {.name = "mode",
                     .letter = 'm',
                     .argument = "echo|line|chunk",
                     .help = "what is answered (default echo):\n"
                             "echo   the same bytes\n"
                             "line   each line, behind the prefix; the\n"
                             "       line quit ends the connection\n"
                             "chunk  the same for what one recv() returns"},
    [OPTION_GREETING] = {.name = "greeting",
                         .argument = "TEXT",
                         .help = "send this line to each client first (default: nothing)"},
    [OPTION_PREFIX] = {.name = "prefix",
                       .argument = "TEXT",
                       .help = "in line and chunk mode, what stands before each answer, in place "
                               "of \"Message received - \""},
    [OPTION_MAX_CLIENTS] = {.name = "max-clients",
                            .argument = "N",
                            .help = "serve at most N clients at once (default: what the system "
                                    "allows)"},
    [OPTION_MAX_PER_ADDRESS] = {.name = "max-per-address",
                                .argument = "N",
                                .help = "serve at most N clients of one address at once (default: "
                                        "no limit)"},
    [OPTION_MAX_LINE] = {.name = "max-line",
                         .argument = "BYTES",
                         .help = "longest line in line mode (default 65536)"},
    [OPTION_IDLE_TIMEOUT] = {.name = "idle-timeout",
                             .argument = "SECONDS",
                             .help = "close connections on which nothing moves (default 0: never)"},
    [OPTION_STALL_TIMEOUT] = {.name = "stall-timeout",
                              .argument = "SECONDS",
                              .help = "close connections whose peer takes nothing (default 0: "
                                      "never)"},
    [OPTION_KEEP_ALIVE] = {.name = "keep-alive",
                           .argument = "SECONDS",
                           .help = "probe clients that are silent for so long (default 0: never)"},
    [OPTION_DRAIN_TIMEOUT] = {.name = "drain-timeout",
                              .argument = "SECONDS",
                              .help = "after a request to stop, wait for clients (default 5)"},
    [OPTION_PROXY_PROTOCOL] = {.name = "proxy-protocol",
                               .help = "require a header of the PROXY protocol, version 1 or 2, at "
                                       "the start of each connection"},
    [OPTION_SELECT_ALL] = {.name = "select-all",
                           .help = "give all sockets to each select(), however many are idle"},
    [OPTION_SELECT_POLLED] = {.name = "select-polled",
                              .help = "poll idle sockets, also where they can announce themselves"},
    [OPTION_NO_LOG_EMPTY] = {.name = "no-log-empty",
                             .help = "do not log connections that never sent a byte"},
    [OPTION_QUIET] = {.name = "quiet", .letter = 'q', .help = "log failures only"},
    [OPTION_VERBOSE] = {.name = "verbose",
                        .letter = 'v',
                        .help = "log also what is received in mode echo"},
    [OPTION_HELP] = {.name = "help", .letter = 'h', .help = "show this and exit"},
    [OPTION_VERSION] = {.name = "version", .letter = 'V', .help = "show the version and exit"},
    [OPTION_DELAY] = {.heading = "To be an awkward peer, on purpose",
                      .name = "delay",
                      .argument = "MS",
                      .help = "send each answer so many milliseconds late"},
    [OPTION_JITTER] =
        {.name = "jitter",
         .argument = "MS",
         .help = "send each answer up to so many milliseconds later, at random; the order stays"},
    [OPTION_PIECE] = {.name = "piece",
                      .argument = "BYTES",
                      .help = "send at most so many bytes at once, a millisecond apart"},
    [OPTION_RATE_LIMIT] = {.name = "rate-limit",
                           .argument = "BYTES/S",
                           .help = "send at most so many bytes a second on each connection"},
    [OPTION_ACCEPT_DELAY] = {.name = "accept-delay",
                             .argument = "MS",
                             .help = "leave new connections in the backlog for so long"},
    [OPTION_STALL_AFTER] = {.name = "stall-after",
                            .argument = "BYTES",
                            .help = "after so many bytes of answers, neither send nor read"},
    [OPTION_MUTE_AFTER] = {.name = "mute-after",
                           .argument = "BYTES",
                           .help = "after so many bytes of answers, send no more, but read on"},
    [OPTION_CLOSE_AFTER] = {.name = "close-after",
                            .argument = "BYTES",
                            .help = "after so many bytes of answers, end the stream, and close"},
    [OPTION_RESET_AFTER] = {.name = "reset-after",
                            .argument = "BYTES",
                            .help = "after so many bytes of answers, reset the connection"},
    [OPTION_CORRUPT_AFTER] = {.name = "corrupt-after",
                              .argument = "BYTES",
                              .help = "after so many bytes of answers, change one bit of the next"},
    [OPTION_DROP_AFTER] = {.name = "drop-after",
                           .argument = "BYTES",
                           .help = "after so many bytes of answers, leave out the next"},
    [OPTION_DUPLICATE_AFTER] = {.name = "duplicate-after",
                                .argument = "BYTES",
                                .help = "after so many bytes of answers, send the next one twice"},
    [OPTION_SEED] = {.name = "seed",
                     .argument = "N",
                     .help = "what chance is drawn from: the same for each connection of the same "
                             "number (default 1)"},
};
_Static_assert(OPTION_DUPLICATE_AFTER - OPTION_STALL_AFTER == (int)IMPAIRMENT_DUPLICATE &&
                   OPTION_RESET_AFTER - OPTION_STALL_AFTER == (int)IMPAIRMENT_RESET,
               "the options of the faults stand in their order");
_Static_assert(OPTIONS <= (int)COMMAND_LINE_OPTIONS, "command_line takes so many options");

const struct command_line_program server_program = {
    .name = "echo-server",
    .options = table,
    .count = OPTIONS,
    .usage = "Usage: echo-server [OPTION]...\n"
             "Answers every TCP client with what it sends (RFC 862), or line by line.",
    .notes = "Once it listens, stdout has a line \"listening on ADDRESS:PORT\" for each address; "
             "the log goes to stderr. Ctrl-C or SIGTERM stops it after what is queued has been "
             "sent; a second one, a second later or more, stops it at once.\n"
             "Exit status: 0 stopped, 1 the system refused something, 2 wrong usage.",
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
    return command_line_wrong(&server_program, "--mode '%s' is not echo, line or chunk", text);
}

static bool parse_bind(char *text, struct server_options *options)
{
    const char *address, *port;

    if (!command_line_address(&server_program, "--bind", text, &address, &port))
        return false;
    if (port != NULL)
        return command_line_wrong(
            &server_program, "--bind takes an address alone; the port, '%s', is given as --port N",
            port);
    if (*address == '\0')
        return command_line_wrong(&server_program,
                                  "--bind needs an address, such as 127.0.0.1, ::1 or localhost");
    if (options->bind_count == SERVER_OPTIONS_BINDS)
        return command_line_wrong(&server_program, "--bind '%s': at most %d addresses are taken",
                                  address, SERVER_OPTIONS_BINDS);
    options->binds[options->bind_count++] = address;
    return true;
}

static bool parse_text(int option, struct span *text)
{
    size_t length = strlen(optarg);

    if (length > SERVER_OPTIONS_TEXT)
        return command_line_wrong(&server_program, "--%s has %llu bytes; at most %d are taken",
                                  table[option].name, (unsigned long long)length,
                                  SERVER_OPTIONS_TEXT);
    *text = (struct span){optarg, length};
    return true;
}

/* One port or several, with commas between them. */
static bool parse_ports(char *list, struct server_options *options)
{
    size_t length = strlen(list);

    if (list[0] == ',' || strstr(list, ",,") != NULL || (length > 0 && list[length - 1] == ','))
        return command_line_wrong(&server_program,
                                  "--port '%s' has an empty port; leave out a comma", list);
    for (char *text = list, *comma; text != NULL; text = comma) {
        comma = strchr(text, ',');
        if (comma != NULL)
            *comma++ = '\0';
        if (options->port_count == SERVER_OPTIONS_PORTS)
            return command_line_wrong(&server_program, "--port '%s': at most %d ports are taken",
                                      text, SERVER_OPTIONS_PORTS);
        if (!command_line_port(&server_program, "--port", text, 0))
            return false;
        options->ports[options->port_count++] = text;
    }
    return true;
}

/* Parses one option other than --help and --version. */
static bool parse_option(int option, struct server_options *options)
{
    uint64_t number = 0;
    bool ok = true;

    switch (option) {
    case OPTION_PORT:
        return parse_ports(optarg, options);
    case OPTION_BIND:
        return parse_bind(optarg, options);
    case OPTION_MODE:
        return parse_mode(optarg, &options->rules.mode);
    case OPTION_GREETING:
        return parse_text(option, &options->greeting);
    case OPTION_PREFIX:
        return parse_text(option, &options->rules.prefix);
    case OPTION_MAX_CLIENTS:
        return command_line_number(&server_program, option, 1, UINT32_MAX, &options->max_clients);
    case OPTION_MAX_PER_ADDRESS:
        return command_line_number(&server_program, option, 1, UINT32_MAX,
                                   &options->max_per_address);
    case OPTION_MAX_LINE:
        ok = command_line_size(&server_program, option, 1, (uint64_t)1 << 30, &number);
        options->rules.max_line = (size_t)number;
        return ok;
    case OPTION_IDLE_TIMEOUT:
        return command_line_seconds(&server_program, option, &options->idle_timeout);
    case OPTION_STALL_TIMEOUT:
        return command_line_seconds(&server_program, option, &options->stall_timeout);
    case OPTION_KEEP_ALIVE:
        return command_line_number(&server_program, option, 0, NET_KEEP_ALIVE_MAX,
                                   &options->keep_alive);
    case OPTION_DRAIN_TIMEOUT:
        return command_line_seconds(&server_program, option, &options->drain_timeout);
    case OPTION_PROXY_PROTOCOL:
        options->proxy_protocol = true;
        return true;
    case OPTION_DELAY:
        return command_line_milliseconds(&server_program, option, &options->impairments.delay);
    case OPTION_JITTER:
        return command_line_milliseconds(&server_program, option, &options->impairments.jitter);
    case OPTION_PIECE:
        return command_line_size(&server_program, option, 1, UINT32_MAX,
                                 &options->impairments.piece);
    case OPTION_RATE_LIMIT:
        return command_line_size(&server_program, option, 1, UINT32_MAX,
                                 &options->impairments.rate);
    case OPTION_ACCEPT_DELAY:
        return command_line_milliseconds(&server_program, option, &options->accept_delay);
    case OPTION_STALL_AFTER:
    case OPTION_MUTE_AFTER:
    case OPTION_CLOSE_AFTER:
    case OPTION_RESET_AFTER:
    case OPTION_CORRUPT_AFTER:
    case OPTION_DROP_AFTER:
    case OPTION_DUPLICATE_AFTER:
        ok = command_line_size(&server_program, option, 0, UINT64_MAX - 1, &number);
        options->impairments.at[option - OPTION_STALL_AFTER] = number + 1;
        return ok;
    case OPTION_SEED:
        return command_line_number(&server_program, option, 0, UINT64_MAX,
                                   &options->impairments.seed);
    case OPTION_SELECT_ALL:
        options->way = SELECTOR_ALL;
        return true;
    case OPTION_SELECT_POLLED:
        options->way = SELECTOR_POLLED;
        return true;
    case OPTION_NO_LOG_EMPTY:
        options->no_log_empty = true;
        return true;
    case OPTION_QUIET:
        options->log_level = LOG_FAILURES;
        return true;
    case OPTION_VERBOSE:
        options->log_level = LOG_ALL;
        return true;
    default: /* COMMAND_LINE_MISTAKE, which has been reported */
        return false;
    }
}

enum command_line_verdict server_options_parse(int argc, char **argv,
                                               struct server_options *options)
{
    static const struct span standard = PROTOCOL_PREFIX;
    int option;

    *options = (struct server_options){
        .rules = {.mode = PROTOCOL_ECHO, .max_line = 65536, .prefix = standard},
        .max_clients = UINT64_MAX,
        .drain_timeout = SECONDS(5),
        .impairments = {.seed = 1},
        .way = SELECTOR_ANNOUNCED,
        .log_level = LOG_EVENTS,
    };
    while ((option = command_line_next(&server_program, argc, argv)) != COMMAND_LINE_END) {
        if (option == OPTION_HELP || option == OPTION_VERSION) {
            command_line_show(&server_program, option == OPTION_VERSION);
            return COMMAND_LINE_SHOWN;
        }
        if (!parse_option(option, options))
            return COMMAND_LINE_WRONG;
    }
    if (optind < argc) {
        command_line_wrong(&server_program, "'%s' is not an option; the port is given as --port N",
                           argv[optind]);
        return COMMAND_LINE_WRONG;
    }
    if (options->impairments.at[IMPAIRMENT_DROP] > 0 &&
        options->impairments.at[IMPAIRMENT_DROP] == options->impairments.at[IMPAIRMENT_DUPLICATE]) {
        command_line_wrong(&server_program, "--drop-after and --duplicate-after name the same "
                                            "byte; one of them has to name another");
        return COMMAND_LINE_WRONG;
    }
    if (options->rules.mode == PROTOCOL_ECHO && options->rules.prefix.bytes != standard.bytes) {
        command_line_wrong(&server_program, "--prefix goes with --mode line or chunk");
        return COMMAND_LINE_WRONG;
    }
    if (options->port_count == 0) {
        options->default_ports = true;
        options->ports[options->port_count++] = "9901";
    }
    if (options->bind_count == 0) {
        options->default_binds = true;
        options->binds[options->bind_count++] = "127.0.0.1";
        options->binds[options->bind_count++] = "::1";
    }
    return COMMAND_LINE_RUN;
}
