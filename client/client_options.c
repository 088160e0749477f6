#include "client_options.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "net.h"
#include "text.h"
#include "version.h"

static const char program[] = "echo-client";

static const char help[] =
    "Usage: echo-client [OPTION]... [HOST [PORT] | HOST:PORT]\n"
    "       echo-client --ping [OPTION]... [HOST [PORT] | HOST:PORT]\n"
    "       echo-client --load [OPTION]... [HOST [PORT] | HOST:PORT]\n"
    "Connects to HOST (default 127.0.0.1) on PORT (default 9901). In HOST:PORT an IPv6 address "
    "stands "
    "in\n"
    "brackets, as in [::1]:9901. At a terminal, sends each line that is typed and shows what comes "
    "back;\n"
    "otherwise carries bytes from stdin to the server and from the server to stdout, unchanged. "
    "With\n"
    "--ping it measures the round trip of one message after another, with --load of as many as the "
    "server\n"
    "answers, and compares every byte.\n"
    "\n"
    "      --connect-timeout SECONDS  how long to try, over all addresses of the host (default 5)\n"
    "      --keep-alive SECONDS       probe a server that is silent for so long (default 0: "
    "never)\n"
    "  -h, --help                     show this and exit\n"
    "  -V, --version                  show the version and exit\n"
    "In a session:\n"
    "      --eol lf|crlf|none         what ends each line that is sent (default: lf for a line "
    "that "
    "is\n"
    "                                 typed; what a pipe or file has goes as it is)\n"
    "      --hex                      show what arrives as a dump, in hexadecimal and as text\n"
    "      --timestamps               show when it arrived, and how long after the last line was "
    "sent\n"
    "      --until-server-ends        leave when the server ends, whatever is still to be sent\n"
    "With --ping:\n"
    "      --count N                  stop after N messages (default: at Ctrl-C)\n"
    "      --interval SECONDS         from one message to the next (default 1)\n"
    "With --load:\n"
    "      --connections N            connections that exchange messages (default 1)\n"
    "      --pipeline N               messages in flight on each of them (default 1)\n"
    "      --duration SECONDS         how long to send (default 10, unless --count is given)\n"
    "      --count N                  how many messages to send, on all connections together\n"
    "      --rate N                   messages a second, on all connections together, sent when "
    "they are\n"
    "                                 due (default: as soon as there is room)\n"
    "      --idle N                   connections that are only held open, besides (default 0)\n"
    "      --reconnect                a new connection for each message\n"
    "      --json                     print the report as one JSON object\n"
    "With either:\n"
    "      --size BYTES               of a message (default 64)\n"
    "      --seed N                   what the messages are made from (default 1)\n"
    "      --expect echo|line         what the server answers: the same, or a line of mode line\n"
    "                                 (default: echo with --load; --ping finds out)\n"
    "\n"
    "At a terminal, \"quit\" ends the session, as does Ctrl-D (on Windows Ctrl-Z) on an empty "
    "line; Ctrl-C\n"
    "leaves at once.\n"
    "Exit status: 0 fine, 1 connection or transfer failed or an answer was wrong, 2 wrong usage,\n"
    "130 session interrupted; --ping and --load, when interrupted, report and end as above.\n";

enum {
    MESSAGE_MAX = 16 * 1024 * 1024,
    PIPELINE_MAX = 65536,
    CONNECTIONS_MAX = 1000000,
    RATE_MAX = 100000000
};

enum {
    OPTION_EOL = 256,
    OPTION_CONNECT_TIMEOUT,
    OPTION_KEEP_ALIVE,
    OPTION_HEX,
    OPTION_TIMESTAMPS,
    OPTION_UNTIL_SERVER_ENDS,
    OPTION_PING,
    OPTION_LOAD,
    OPTION_COUNT,
    OPTION_INTERVAL,
    OPTION_SIZE,
    OPTION_SEED,
    OPTION_CONNECTIONS,
    OPTION_PIPELINE,
    OPTION_DURATION,
    OPTION_RATE,
    OPTION_IDLE,
    OPTION_RECONNECT,
    OPTION_EXPECT,
    OPTION_JSON
};

/* The jobs that an option applies to. With another job it is a mistake, and not ignored. */
enum {
    FOR_SESSION = 1 << CLIENT_SESSION,
    FOR_PING = 1 << CLIENT_PING,
    FOR_LOAD = 1 << CLIENT_LOAD
};

static const struct {
    int option;
    int jobs;
    const char *name;
} restricted[] = {
    {OPTION_EOL, FOR_SESSION, "--eol"},
    {OPTION_HEX, FOR_SESSION, "--hex"},
    {OPTION_TIMESTAMPS, FOR_SESSION, "--timestamps"},
    {OPTION_UNTIL_SERVER_ENDS, FOR_SESSION, "--until-server-ends"},
    {OPTION_INTERVAL, FOR_PING, "--interval"},
    {OPTION_COUNT, FOR_PING | FOR_LOAD, "--count"},
    {OPTION_SIZE, FOR_PING | FOR_LOAD, "--size"},
    {OPTION_SEED, FOR_PING | FOR_LOAD, "--seed"},
    {OPTION_CONNECTIONS, FOR_LOAD, "--connections"},
    {OPTION_PIPELINE, FOR_LOAD, "--pipeline"},
    {OPTION_DURATION, FOR_LOAD, "--duration"},
    {OPTION_RATE, FOR_LOAD, "--rate"},
    {OPTION_IDLE, FOR_LOAD, "--idle"},
    {OPTION_RECONNECT, FOR_LOAD, "--reconnect"},
    {OPTION_EXPECT, FOR_PING | FOR_LOAD, "--expect"},
    {OPTION_JSON, FOR_LOAD, "--json"},
};
enum { RESTRICTED = sizeof restricted / sizeof restricted[0] };

static const struct option longs[] = {
    {"eol", required_argument, NULL, OPTION_EOL},
    {"connect-timeout", required_argument, NULL, OPTION_CONNECT_TIMEOUT},
    {"keep-alive", required_argument, NULL, OPTION_KEEP_ALIVE},
    {"hex", no_argument, NULL, OPTION_HEX},
    {"timestamps", no_argument, NULL, OPTION_TIMESTAMPS},
    {"until-server-ends", no_argument, NULL, OPTION_UNTIL_SERVER_ENDS},
    {"ping", no_argument, NULL, OPTION_PING},
    {"load", no_argument, NULL, OPTION_LOAD},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"pipeline", required_argument, NULL, OPTION_PIPELINE},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"reconnect", no_argument, NULL, OPTION_RECONNECT},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"json", no_argument, NULL, OPTION_JSON},
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

static bool parse_expect(const char *text, struct pattern *pattern)
{
    pattern->lines = pattern->prefixed = strcmp(text, "line") == 0;
    if (pattern->lines || strcmp(text, "echo") == 0)
        return true;
    return command_line_wrong(program, "--expect '%s' is not echo or line", text);
}

static bool parse_job(enum client_job job, struct client_options *options)
{
    if (options->job != CLIENT_SESSION && options->job != job)
        return command_line_wrong(program, "--ping and --load are two jobs; give one of them");
    options->job = job;
    return true;
}

static bool parse_number32(const char *name, uint64_t min, uint64_t max, uint32_t *value)
{
    uint64_t number = 0;
    bool ok = command_line_number(program, name, min, max, &number);

    *value = (uint32_t)number;
    return ok;
}

static bool parse_rate(double *rate)
{
    uint64_t thousandths;

    if (!text_thousandths(optarg, 1, RATE_MAX * (uint64_t)1000, &thousandths))
        return command_line_wrong(
            program,
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
        return command_line_number(program, "--count", 1, UINT64_MAX - 1, &load->count);
    case OPTION_SIZE:
        ok = command_line_number(program, "--size", 1, MESSAGE_MAX, &number);
        load->pattern.size = (size_t)number;
        return ok;
    case OPTION_SEED:
        return command_line_number(program, "--seed", 0, UINT64_MAX, &load->pattern.seed);
    case OPTION_CONNECTIONS:
        return parse_number32("--connections", 1, CONNECTIONS_MAX, &load->connections);
    case OPTION_PIPELINE:
        return parse_number32("--pipeline", 1, PIPELINE_MAX, &load->pipeline);
    case OPTION_IDLE:
        return parse_number32("--idle", 0, CONNECTIONS_MAX, &load->idle);
    case OPTION_DURATION:
        if (!command_line_seconds(program, "--duration", &load->duration))
            return false;
        return load->duration > 0 ||
               command_line_wrong(program, "--duration has to be more than 0 seconds");
    case OPTION_RATE:
        return parse_rate(&load->rate);
    case OPTION_RECONNECT:
        load->reconnect = true;
        return true;
    case OPTION_EXPECT:
        return parse_expect(optarg, &load->pattern);
    case OPTION_JSON:
        options->json = true;
        return true;
    default: /* '?': command_line_next() has reported it */
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
    case OPTION_CONNECT_TIMEOUT:
        if (!command_line_seconds(program, "--connect-timeout", &options->connect_timeout))
            return false;
        return options->connect_timeout > 0 ||
               command_line_wrong(program, "--connect-timeout has to be more than 0 seconds");
    case OPTION_KEEP_ALIVE:
        return command_line_number(program, "--keep-alive", 0, NET_KEEP_ALIVE_MAX,
                                   &options->keep_alive);
    case OPTION_PING:
        return parse_job(CLIENT_PING, options);
    case OPTION_LOAD:
        return parse_job(CLIENT_LOAD, options);
    case OPTION_INTERVAL:
        return command_line_seconds(program, "--interval", &options->ping.interval);
    default:
        return parse_load_option(option, options);
    }
}

/* Handles the arguments HOST and PORT, or HOST:PORT. */
static bool parse_operands(int count, char **operands, struct client_options *options)
{
    const char *port = NULL;
    uint64_t number;

    if (count > 2)
        return command_line_wrong(program, "unexpected argument '%s': only HOST and PORT are taken",
                                  operands[2]);
    if (count > 0 && !command_line_address(program, "HOST", operands[0], &options->host, &port))
        return false;
    if (*options->host == '\0')
        return command_line_wrong(program,
                                  "HOST is empty; give a name or an address such as 127.0.0.1");
    if (count == 2 && port != NULL)
        return command_line_wrong(
            program, "the port is given twice, as '%s' and '%s'; leave one out", port, operands[1]);
    if (count == 2)
        port = operands[1];
    if (port == NULL)
        return true;
    if (!text_number(port, 1, UINT16_MAX, &number))
        return command_line_wrong(program, "PORT '%s' is not a number from 1 to %d", port,
                                  UINT16_MAX);
    options->port = (uint16_t)number;
    return true;
}

/* The bit of an option in the set of given options; 0 if it applies to all jobs. */
static uint32_t option_bit(int option)
{
    for (int i = 0; i < RESTRICTED; i++) {
        if (restricted[i].option == option)
            return (uint32_t)1 << i;
    }
    return 0;
}

/* Checks that the given options, with a bit for each entry of `restricted`, fit the job and each
 * other. Completes the options that depend on others. */
static bool check(uint32_t given, struct client_options *options)
{
    static const char *const needs[] = {
        [FOR_SESSION] = "is for a session, not for --ping or --load",
        [FOR_PING] = "goes with --ping",
        [FOR_LOAD] = "goes with --load",
        [FOR_PING | FOR_LOAD] = "goes with --ping or --load",
    };
    struct load_options *load = &options->load;

    for (int i = 0; i < RESTRICTED; i++) {
        if ((given >> i & 1) != 0 && (restricted[i].jobs >> options->job & 1) == 0)
            return command_line_wrong(program, "%s %s", restricted[i].name,
                                      needs[restricted[i].jobs]);
    }
    if (options->job == CLIENT_PING)
        load->pattern.lines = true;
    if (load->pattern.lines && load->pattern.size < 2)
        return command_line_wrong(program,
                                  "--size 1 is too small for a line, which takes 2 bytes or more");
    if (load->duration == 0 && load->count == UINT64_MAX)
        load->duration = SECONDS(10);
    if (load->reconnect && load->pipeline > 1)
        return command_line_wrong(program,
                                  "--reconnect is one message a connection; leave --pipeline out");
    options->ping.pattern = load->pattern;
    options->ping.count = load->count;
    options->ping.detect = (given & option_bit(OPTION_EXPECT)) == 0;
    return true;
}

enum command_line_verdict client_options_parse(int argc, char **argv,
                                               struct client_options *options)
{
    uint32_t given = 0;
    int option;

    *options = (struct client_options){
        .host = "127.0.0.1",
        .port = 9901,
        .connect_timeout = SECONDS(5),
        .ping = {.interval = SECONDS(1)},
        .load = {.pattern = {.size = 64, .seed = 1},
                 .connections = 1,
                 .pipeline = 1,
                 .count = UINT64_MAX},
    };
    while ((option = command_line_next(program, argc, argv, ":hV", longs)) != -1) {
        if (option == 'h' || option == 'V') {
            fputs(option == 'h' ? help : "echo-client " VERSION "\n", stdout);
            return COMMAND_LINE_SHOWN;
        }
        if (!parse_option(option, options))
            return COMMAND_LINE_WRONG;
        given |= option_bit(option);
    }
    if (!parse_operands(argc - optind, argv + optind, options) || !check(given, options))
        return COMMAND_LINE_WRONG;
    options->load.connect_timeout = options->ping.connect_timeout = options->connect_timeout;
    return COMMAND_LINE_RUN;
}
