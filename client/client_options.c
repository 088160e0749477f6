#include "client_options.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "net.h"
#include "text.h"

enum {
    MESSAGE_MAX = 16 * 1024 * 1024,
    PIPELINE_MAX = 65536,
    CONNECTIONS_MAX = 1000000,
    RATE_MAX = 100000000
};

/* The jobs that an option is for. With another job it is a mistake, and not ignored. */
enum {
    FOR_SESSION = 1 << CLIENT_SESSION,
    FOR_PING = 1 << CLIENT_PING,
    FOR_LOAD = 1 << CLIENT_LOAD,
    FOR_ALL = FOR_SESSION | FOR_PING | FOR_LOAD
};

enum {
    OPTION_PING,
    OPTION_LOAD,
    OPTION_IPV4,
    OPTION_IPV6,
    OPTION_SOURCE,
    OPTION_CONNECT_TIMEOUT,
    OPTION_KEEP_ALIVE,
    OPTION_PROXY_PROTOCOL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_EOL,
    OPTION_HEX,
    OPTION_TIMESTAMPS,
    OPTION_UNTIL_SERVER_ENDS,
    OPTION_QUIT_AFTER,
    OPTION_INTERVAL,
    OPTION_CONNECT_ONLY,
    OPTION_QUIET,
    OPTION_CONNECTIONS,
    OPTION_PIPELINE,
    OPTION_DURATION,
    OPTION_RATE,
    OPTION_IDLE,
    OPTION_RECONNECT,
    OPTION_KEEP_GOING,
    OPTION_REPORT,
    OPTION_COUNT,
    OPTION_SIZE,
    OPTION_SEED,
    OPTION_EXPECT,
    OPTION_PREFIX,
    OPTION_GREETING,
    OPTION_JSON,
    OPTIONS
};

static const struct command_line_option table[OPTIONS] = {
    [OPTION_PING] = {.name = "ping",
                     .help = "measure the round trip of one message after another",
                     .jobs = FOR_ALL},
    [OPTION_LOAD] = {.name = "load",
                     .help = "exchange as many messages as the server answers",
                     .jobs = FOR_ALL},
    [OPTION_IPV4] = {.name = "ipv4",
                     .letter = '4',
                     .help = "use IPv4 addresses of the host only",
                     .jobs = FOR_ALL},
    [OPTION_IPV6] = {.name = "ipv6",
                     .letter = '6',
                     .help = "use IPv6 addresses of the host only",
                     .jobs = FOR_ALL},
    [OPTION_SOURCE] = {.name = "source",
                       .argument = "ADDRESS",
                       .help =
                           "local address or name to connect from (default: the system chooses)",
                       .jobs = FOR_ALL},
    [OPTION_CONNECT_TIMEOUT] = {.name = "connect-timeout",
                                .argument = "SECONDS",
                                .help = "how long to try all addresses of the host; with --load, "
                                        "also each further connection (default 5)",
                                .jobs = FOR_ALL},
    [OPTION_KEEP_ALIVE] = {.name = "keep-alive",
                           .argument = "SECONDS",
                           .help = "probe a server that is silent for so long (default 0: never)",
                           .jobs = FOR_ALL},
    [OPTION_PROXY_PROTOCOL] = {.name = "proxy-protocol",
                               .argument = "v1|v2",
                               .help = "begin each connection with a header of the PROXY protocol "
                                       "(default: none)",
                               .jobs = FOR_ALL},
    [OPTION_HELP] = {.name = "help", .letter = 'h', .help = "show this and exit", .jobs = FOR_ALL},
    [OPTION_VERSION] = {.name = "version",
                        .letter = 'V',
                        .help = "show the version and exit",
                        .jobs = FOR_ALL},
    [OPTION_EOL] = {.heading = "In a session",
                    .name = "eol",
                    .argument = "lf|crlf|none",
                    .help = "what ends each line that is sent (default: lf for a line that is "
                            "typed; what a pipe or file has goes as it is)",
                    .jobs = FOR_SESSION},
    [OPTION_HEX] = {.name = "hex",
                    .help = "show what arrives as a dump, in hexadecimal and as text",
                    .jobs = FOR_SESSION},
    [OPTION_TIMESTAMPS] = {.name = "timestamps",
                           .help = "show when bytes arrived, and how long after the last line was "
                                   "sent",
                           .jobs = FOR_SESSION},
    [OPTION_UNTIL_SERVER_ENDS] = {.name = "until-server-ends",
                                  .help = "leave when the server ends, whatever is still to be "
                                          "sent",
                                  .jobs = FOR_SESSION},
    [OPTION_QUIT_AFTER] = {.name = "quit-after",
                           .argument = "SECONDS",
                           .help = "after the end of the input, leave with status 1 when the "
                                   "server is silent for so long (default: wait for its end)",
                           .jobs = FOR_SESSION},
    [OPTION_INTERVAL] = {.heading = "With --ping",
                         .name = "interval",
                         .letter = 'i',
                         .argument = "SECONDS",
                         .help = "time from one message to the next (default 1)",
                         .jobs = FOR_PING},
    [OPTION_CONNECT_ONLY] = {.name = "connect-only",
                             .help = "connect for each message, send nothing and close again: "
                                     "measures the time to connect, to any port",
                             .jobs = FOR_PING},
    [OPTION_QUIET] = {.name = "quiet",
                      .letter = 'q',
                      .help = "print the summary alone",
                      .jobs = FOR_PING},
    [OPTION_CONNECTIONS] = {.heading = "With --load",
                            .name = "connections",
                            .argument = "N",
                            .help = "connections that exchange messages (default 1)",
                            .jobs = FOR_LOAD},
    [OPTION_PIPELINE] = {.name = "pipeline",
                         .argument = "N",
                         .help = "messages in flight on each connection (default 1)",
                         .jobs = FOR_LOAD},
    [OPTION_DURATION] = {.name = "duration",
                         .argument = "SECONDS",
                         .help = "how long to send (default 10, unless --count is given)",
                         .jobs = FOR_LOAD},
    [OPTION_RATE] = {.name = "rate",
                     .argument = "N",
                     .help = "messages a second, on all connections together, sent when they are "
                             "due (default: as soon as there is room)",
                     .jobs = FOR_LOAD},
    [OPTION_IDLE] = {.name = "idle",
                     .argument = "N",
                     .help = "further connections, which are only held open (default 0)",
                     .jobs = FOR_LOAD},
    [OPTION_RECONNECT] = {.name = "reconnect",
                          .help = "a new connection for each message",
                          .jobs = FOR_LOAD},
    [OPTION_KEEP_GOING] = {.name = "keep-going",
                           .help = "connect again after a loss or a fault, and measure each outage",
                           .jobs = FOR_LOAD},
    [OPTION_REPORT] = {.name = "report",
                       .argument = "SECONDS",
                       .help = "print a line every SECONDS",
                       .jobs = FOR_LOAD},
    [OPTION_COUNT] = {.heading = "With either",
                      .name = "count",
                      .letter = 'c',
                      .argument = "N",
                      .help = "how many messages to send, on all connections together (default: "
                              "--ping until Ctrl-C, --load for its duration)",
                      .jobs = FOR_PING | FOR_LOAD},
    [OPTION_SIZE] = {.name = "size",
                     .letter = 's',
                     .argument = "BYTES",
                     .help = "size of a message (default 64)",
                     .jobs = FOR_PING | FOR_LOAD},
    [OPTION_SEED] = {.name = "seed",
                     .argument = "N",
                     .help = "what the messages are made from (default 1)",
                     .jobs = FOR_PING | FOR_LOAD},
    [OPTION_EXPECT] = {.name = "expect",
                       .argument = "echo|line",
                       .help = "what the server answers: the same, or a line of mode line "
                               "(default: echo with --load; --ping finds out)",
                       .jobs = FOR_PING | FOR_LOAD},
    [OPTION_PREFIX] = {.name = "prefix",
                       .argument = "TEXT",
                       .help = "what a line of mode line begins with (default: \"Message received "
                               "- \"); makes --expect line the default",
                       .jobs = FOR_PING | FOR_LOAD},
    [OPTION_GREETING] = {.name = "greeting",
                         .argument = "TEXT",
                         .help = "a line that the server sends first (default: none)",
                         .jobs = FOR_PING | FOR_LOAD},
    [OPTION_JSON] = {.name = "json",
                     .help =
                         "print the report as one JSON object, and each line of --report as one",
                     .jobs = FOR_PING | FOR_LOAD},
};
_Static_assert(OPTIONS <= (int)COMMAND_LINE_OPTIONS, "command_line takes so many options");

const struct command_line_program client_program = {
    .name = "echo-client",
    .options = table,
    .count = OPTIONS,
    .usage = "Usage: echo-client [OPTION]... [HOST [PORT] | HOST:PORT]\n"
             "       echo-client --ping [OPTION]... [HOST [PORT] | HOST:PORT]\n"
             "       echo-client --load [OPTION]... [HOST [PORT] | HOST:PORT]\n"
             "Connects to HOST (default 127.0.0.1, for IPv6 ::1) on PORT (default 9901). In "
             "HOST:PORT an IPv6 "
             "address stands in brackets, as in [::1]:9901. At a terminal, sends each line that is "
             "typed and shows what comes back; otherwise carries bytes from stdin to the server "
             "and from the server to stdout, unchanged. With --ping and --load it measures, and "
             "compares every byte.",
    .notes = "At a terminal, \"quit\" ends the session, as does Ctrl-D (on Windows Ctrl-Z) on an "
             "empty line; Ctrl-C leaves at once.\n"
             "Exit status: 0 fine, 1 connection or transfer failed or an answer was wrong, 2 wrong "
             "usage, 130 session interrupted; --ping and --load, when interrupted, report and end "
             "as above.",
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
    return command_line_wrong(&client_program, "--eol '%s' is not lf, crlf or none", text);
}

static bool parse_proxy_protocol(const char *text, enum proxy_version *version)
{
    *version = strcmp(text, "v1") == 0 ? PROXY_V1 : strcmp(text, "v2") == 0 ? PROXY_V2 : PROXY_NONE;
    return *version != PROXY_NONE ||
           command_line_wrong(&client_program, "--proxy-protocol '%s' is not v1 or v2", text);
}

static bool parse_expect(const char *text, struct pattern *pattern)
{
    pattern->lines = strcmp(text, "line") == 0;
    if (pattern->lines || strcmp(text, "echo") == 0)
        return true;
    return command_line_wrong(&client_program, "--expect '%s' is not echo or line", text);
}

static bool parse_job(enum client_job job, struct client_options *options)
{
    if (options->job != CLIENT_SESSION && options->job != job)
        return command_line_wrong(&client_program,
                                  "--ping and --load are two jobs; give one of them");
    options->job = job;
    return true;
}

static bool parse_number32(int option, uint64_t min, uint64_t max, uint32_t *value)
{
    uint64_t number = 0;
    bool ok = command_line_number(&client_program, option, min, max, &number);

    *value = (uint32_t)number;
    return ok;
}

/* Reads a time that 0 would make pointless. */
static bool parse_timeout(int option, int64_t *nanoseconds)
{
    if (!command_line_seconds(&client_program, option, nanoseconds))
        return false;
    return *nanoseconds > 0 ||
           command_line_wrong(&client_program, "--%s has to be more than 0 seconds",
                              table[option].name);
}

static bool parse_source(char *text, const char **source)
{
    const char *port;

    if (!command_line_address(&client_program, "--source", text, source, &port))
        return false;
    if (port != NULL)
        return command_line_wrong(&client_program,
                                  "--source takes an address alone, without the port '%s'", port);
    return **source != '\0' ||
           command_line_wrong(&client_program,
                              "--source needs an address, such as 192.0.2.1, ::1 or localhost");
}

static bool parse_rate(double *rate)
{
    uint64_t thousandths;

    if (!text_thousandths(optarg, 1, RATE_MAX * (uint64_t)1000, &thousandths))
        return command_line_wrong(
            &client_program,
            "--rate '%s' is not a number from 0.001 to %d with at most three decimals, such as 2.5",
            optarg, RATE_MAX);
    *rate = (double)thousandths / 1000;
    return true;
}

/* Handles the options of --load, including those that --ping has as well. */
static bool parse_load_option(int option, struct client_options *options)
{
    struct load_options *load = &options->load;
    uint64_t number = 0;
    bool ok;

    switch (option) {
    case OPTION_COUNT:
        return command_line_number(&client_program, option, 1, UINT64_MAX - 1, &load->count);
    case OPTION_SIZE:
        ok = command_line_size(&client_program, option, 1, MESSAGE_MAX, &number);
        load->pattern.size = (size_t)number;
        return ok;
    case OPTION_SEED:
        return command_line_number(&client_program, option, 0, UINT64_MAX, &load->pattern.seed);
    case OPTION_CONNECTIONS:
        return parse_number32(option, 1, CONNECTIONS_MAX, &load->connections);
    case OPTION_PIPELINE:
        return parse_number32(option, 1, PIPELINE_MAX, &load->pipeline);
    case OPTION_IDLE:
        return parse_number32(option, 0, CONNECTIONS_MAX, &load->idle);
    case OPTION_DURATION:
        return parse_timeout(option, &load->duration);
    case OPTION_RATE:
        return parse_rate(&load->rate);
    case OPTION_RECONNECT:
        load->reconnect = true;
        return true;
    case OPTION_KEEP_GOING:
        load->keep_going = true;
        return true;
    case OPTION_REPORT:
        return parse_timeout(option, &load->report);
    case OPTION_EXPECT:
        return parse_expect(optarg, &load->pattern);
    case OPTION_PREFIX:
        load->pattern.prefix = (struct pattern_text){optarg, strlen(optarg)};
        return true;
    case OPTION_GREETING:
        load->pattern.greeting = (struct pattern_text){optarg, strlen(optarg)};
        return true;
    case OPTION_JSON:
        options->json = options->ping.json = true;
        return true;
    default: /* COMMAND_LINE_MISTAKE, which has been reported */
        return false;
    }
}

static bool parse_option(int option, struct client_options *options)
{
    switch (option) {
    case OPTION_EOL:
        return parse_eol(optarg, &options->session.dialogue.eol);
    case OPTION_HEX:
        options->session.dialogue.hex = true;
        return true;
    case OPTION_TIMESTAMPS:
        options->session.dialogue.timestamps = true;
        return true;
    case OPTION_UNTIL_SERVER_ENDS:
        options->session.until_server_ends = true;
        return true;
    case OPTION_QUIT_AFTER:
        return parse_timeout(option, &options->session.quit_after);
    case OPTION_IPV4:
        options->family = NET_IPV4;
        return true;
    case OPTION_IPV6:
        options->family = NET_IPV6;
        return true;
    case OPTION_SOURCE:
        return parse_source(optarg, &options->source);
    case OPTION_CONNECT_TIMEOUT:
        return parse_timeout(option, &options->connect_timeout);
    case OPTION_KEEP_ALIVE:
        return command_line_number(&client_program, option, 0, NET_KEEP_ALIVE_MAX,
                                   &options->keep_alive);
    case OPTION_PROXY_PROTOCOL:
        return parse_proxy_protocol(optarg, &options->proxy_version);
    case OPTION_PING:
        return parse_job(CLIENT_PING, options);
    case OPTION_LOAD:
        return parse_job(CLIENT_LOAD, options);
    case OPTION_INTERVAL:
        return command_line_seconds(&client_program, option, &options->ping.interval);
    case OPTION_CONNECT_ONLY:
        options->ping.connect_only = true;
        return true;
    case OPTION_QUIET:
        options->ping.quiet = true;
        return true;
    default:
        return parse_load_option(option, options);
    }
}

/* Handles the arguments HOST and PORT, or HOST:PORT. */
static bool parse_operands(int count, char **operands, struct client_options *options)
{
    const char *port = NULL;

    if (count > 2)
        return command_line_wrong(
            &client_program, "unexpected argument '%s': only HOST and PORT are taken", operands[2]);
    if (count > 0 &&
        !command_line_address(&client_program, "HOST", operands[0], &options->host, &port))
        return false;
    if (count > 0 && *options->host == '\0')
        return command_line_wrong(&client_program,
                                  "HOST is empty; give a name or an address such as 127.0.0.1");
    if (count == 2 && port != NULL)
        return command_line_wrong(&client_program,
                                  "the port is given twice, as '%s' and '%s'; leave one out", port,
                                  operands[1]);
    if (count == 2)
        port = operands[1];
    if (port == NULL)
        return true;
    options->port = port;
    return command_line_port(&client_program, "PORT", port, 1);
}

static bool is_given(uint64_t given, int option)
{
    return (given >> option & 1) != 0;
}

/* Checks that the given options, with a bit for each, fit the job and each other. Completes the
 * options that depend on others. */
static bool check(uint64_t given, struct client_options *options)
{
    static const char *const needs[] = {
        [FOR_SESSION] = "is for a session, not for --ping or --load",
        [FOR_PING] = "goes with --ping",
        [FOR_LOAD] = "goes with --load",
        [FOR_PING | FOR_LOAD] = "goes with --ping or --load",
    };
    static const int of_what_is_sent[] = {OPTION_PROXY_PROTOCOL, OPTION_SIZE,   OPTION_SEED,
                                          OPTION_EXPECT,         OPTION_PREFIX, OPTION_GREETING};
    struct load_options *load = &options->load;

    for (int i = 0; i < OPTIONS; i++) {
        if (is_given(given, i) && (table[i].jobs >> options->job & 1) == 0)
            return command_line_wrong(&client_program, "--%s %s", table[i].name,
                                      needs[table[i].jobs]);
    }
    for (size_t i = 0; i < sizeof of_what_is_sent / sizeof of_what_is_sent[0]; i++) {
        if (options->ping.connect_only && is_given(given, of_what_is_sent[i]))
            return command_line_wrong(&client_program,
                                      "--connect-only sends nothing; leave --%s out",
                                      table[of_what_is_sent[i]].name);
    }
    if (is_given(given, OPTION_PREFIX)) {
        if (is_given(given, OPTION_EXPECT) && !load->pattern.lines)
            return command_line_wrong(&client_program, "--prefix goes with --expect line");
        load->pattern.lines = true;
    } else if (load->pattern.lines) {
        load->pattern.prefix = (struct pattern_text)PATTERN_PREFIX;
    }
    if (options->job == CLIENT_PING)
        load->pattern.lines = true;
    if (load->pattern.lines && load->pattern.size < 2)
        return command_line_wrong(&client_program,
                                  "--size 1 is too small for a line, which takes 2 bytes or more");
    if (load->duration == 0 && load->count == UINT64_MAX)
        load->duration = SECONDS(10);
    if (load->reconnect && load->pipeline > 1)
        return command_line_wrong(&client_program,
                                  "--reconnect is one message a connection; leave --pipeline out");
    options->ping.pattern = load->pattern;
    options->ping.count = load->count;
    options->ping.detect = !is_given(given, OPTION_EXPECT) && !is_given(given, OPTION_PREFIX);
    return true;
}

enum command_line_verdict client_options_parse(int argc, char **argv,
                                               struct client_options *options)
{
    uint64_t given = 0;
    int option;

    *options = (struct client_options){
        .port = "9901",
        .connect_timeout = SECONDS(5),
        .ping = {.interval = SECONDS(1)},
        .load = {.pattern = {.size = 64, .seed = 1},
                 .connections = 1,
                 .pipeline = 1,
                 .count = UINT64_MAX},
    };
    while ((option = command_line_next(&client_program, argc, argv)) != COMMAND_LINE_END) {
        if (option == OPTION_HELP || option == OPTION_VERSION) {
            command_line_show(&client_program, option == OPTION_VERSION);
            return COMMAND_LINE_SHOWN;
        }
        if (!parse_option(option, options))
            return COMMAND_LINE_WRONG;
        given |= (uint64_t)1 << option;
    }
    if (!parse_operands(argc - optind, argv + optind, options) || !check(given, options))
        return COMMAND_LINE_WRONG;
    options->load.connect_timeout = options->ping.connect_timeout = options->connect_timeout;
    return COMMAND_LINE_RUN;
}
