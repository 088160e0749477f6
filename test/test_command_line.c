#include "command_line.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#define pipe(ends) _pipe(ends, 65536, _O_BINARY)
#else
#include <unistd.h>
#endif

#include "client_options.h"
#include "server_options.h"
#include "test.h"

enum { ARGUMENTS_MAX = 80, CAPTURE_MAX = 8192 };

/* One of the program's own streams while it goes into a pipe. */
struct capture {
    FILE *stream;
    int original;
    int read_end;
};

static void capture_begin(struct capture *capture, FILE *stream)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    fflush(stream);
    capture->stream = stream;
    capture->original = dup(fileno(stream));
    capture->read_end = ends[0];
    dup2(ends[1], fileno(stream));
    close(ends[1]);
}

/* Gives the stream back and returns what has been written to it meanwhile. */
static const char *capture_end(struct capture *capture, char text[CAPTURE_MAX])
{
    size_t length = 0;
    ptrdiff_t n;

    fflush(capture->stream);
    dup2(capture->original, fileno(capture->stream));
    close(capture->original);
    while ((n = read(capture->read_end, text + length, (unsigned)(CAPTURE_MAX - 1 - length))) > 0)
        length += (size_t)n;
    close(capture->read_end);
    text[length] = '\0';
    return text;
}

/* What came of a command line. */
struct outcome {
    enum command_line_verdict verdict;
    struct server_options options;
    char out[CAPTURE_MAX];
    char err[CAPTURE_MAX];
};

/* Reads a command line, which begins behind the program's name and ends with a NULL. */
static const struct outcome *parse(const char *const *arguments)
{
    static struct outcome outcome;
    struct capture out, err;
    static char words[4096]; /* may be changed, as those of a program may */
    char *argv[ARGUMENTS_MAX + 1] = {(char[]){"echo-server"}}, *word = words;
    int argc = 1;

    for (; *arguments != NULL; arguments++) {
        assert_true(argc < ARGUMENTS_MAX);
        assert_true(strlen(*arguments) < (size_t)(words + sizeof words - word));
        argv[argc++] = strcpy(word, *arguments);
        word += strlen(word) + 1;
    }
    optind = 0; /* makes getopt_long() begin anew */
    capture_begin(&out, stdout);
    capture_begin(&err, stderr);
    outcome.verdict = server_options_parse(argc, argv, &outcome.options);
    capture_end(&err, outcome.err);
    capture_end(&out, outcome.out);
    return &outcome;
}

/* The options in words, so that all of them can be compared at once. */
static const char *describe(const struct server_options *o)
{
    static const char *const modes[] = {"echo", "line", "chunk"};
    static const char *const levels[] = {"failures", "events", "all"};
    static const char *const ways[] = {[SELECTOR_ALL] = " select-all",
                                       [SELECTOR_POLLED] = " select-polled",
                                       [SELECTOR_ANNOUNCED] = ""};
    static char text[512];
    int length = snprintf(text, sizeof text, "%s", o->default_binds ? "default" : "on");

    for (int i = 0; i < o->bind_count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, " %s", o->binds[i]);
    for (int i = 0; i < o->port_count; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", i > 0 ? "," : ":",
                           o->ports[i]);
    snprintf(text + length, sizeof text - (size_t)length,
             "%s %s clients=%lld line=%lld idle=%lld drain=%lld log=%s%s%s",
             o->default_ports ? "" : " given", modes[o->rules.mode], (long long)o->max_clients,
             (long long)o->rules.max_line, (long long)(o->idle_timeout / MILLISECONDS(1)),
             (long long)(o->drain_timeout / MILLISECONDS(1)), levels[o->log_level],
             o->no_log_empty ? " no-log-empty" : "", ways[o->way]);
    return text;
}

static void takes_good_command_lines(void **state)
{
#define BINDS "default 127.0.0.1 ::1"
#define REST "clients=-1 line=65536 idle=0 drain=5000 log=events"
    static const struct {
        const char *arguments[8];
        const char *described;
    } cases[] = {
        {{NULL}, BINDS ":9901 echo " REST},
        {{"-p", "0"}, BINDS ":0 given echo " REST},
        {{"--select-all"}, BINDS ":9901 echo " REST " select-all"},
        {{"--select-all", "--select-polled"}, BINDS ":9901 echo " REST " select-polled"},
        {{"--no-log-empty"}, BINDS ":9901 echo " REST " no-log-empty"},
        {{"-p", "echo,0"}, BINDS ":echo,0 given echo " REST},
        {{"-p65535"}, BINDS ":65535 given echo " REST},
        {{"--port", "80"}, BINDS ":80 given echo " REST},
        {{"--port=80", "-p81"}, BINDS ":80,81 given echo " REST},
        {{"--port", "80,0,65535", "-p0"}, BINDS ":80,0,65535,0 given echo " REST},
        {{"-b", "0.0.0.0"}, "on 0.0.0.0:9901 echo " REST},
        {{"-b", "::", "--bind=localhost", "--bind", "a.example"},
         "on :: localhost a.example:9901 echo " REST},
        {{"-b", "[::1]", "--bind=[fe80::1%2]", "-b[::]"}, "on ::1 fe80::1%2 :::9901 echo " REST},
        {{"-m", "echo"}, BINDS ":9901 echo " REST},
        {{"-m", "line"}, BINDS ":9901 line " REST},
        {{"--mode=chunk"}, BINDS ":9901 chunk " REST},
        {{"--max-clients", "1"},
         BINDS ":9901 echo clients=1 line=65536 idle=0 drain=5000 log=events"},
        {{"--max-clients=4294967295"},
         BINDS ":9901 echo clients=4294967295 line=65536 idle=0 drain=5000 log=events"},
        {{"--max-line", "1"}, BINDS ":9901 echo clients=-1 line=1 idle=0 drain=5000 log=events"},
        {{"--max-line", "1073741824"},
         BINDS ":9901 echo clients=-1 line=1073741824 idle=0 drain=5000 log=events"},
        {{"--max-line", "64K"}, BINDS ":9901 echo " REST},
        {{"--max-line", "1G"},
         BINDS ":9901 echo clients=-1 line=1073741824 idle=0 drain=5000 log=events"},
        {{"--idle-timeout", "0.25"},
         BINDS ":9901 echo clients=-1 line=65536 idle=250 drain=5000 log=events"},
        {{"--idle-timeout", ".5"},
         BINDS ":9901 echo clients=-1 line=65536 idle=500 drain=5000 log=events"},
        {{"--idle-timeout=60"},
         BINDS ":9901 echo clients=-1 line=65536 idle=60000 drain=5000 log=events"},
        {{"--drain-timeout", "0"},
         BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=0 log=events"},
        {{"--drain-timeout=31536000"},
         BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=31536000000 log=events"},
        {{"-q"}, BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=5000 log=failures"},
        {{"--verbose"}, BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=5000 log=all"},
        {{"-qv"}, BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=5000 log=all"},
        {{"--verbose", "--quiet"},
         BINDS ":9901 echo clients=-1 line=65536 idle=0 drain=5000 log=failures"},
        {{"-qp1", "--"},
         BINDS ":1 given echo clients=-1 line=65536 idle=0 drain=5000 log=failures"},
    };
#undef BINDS
#undef REST

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct outcome *outcome = parse(cases[i].arguments);

        assert_string_equal(outcome->err, "");
        assert_string_equal(outcome->out, "");
        assert_int_equal(outcome->verdict, COMMAND_LINE_RUN);
        assert_string_equal(describe(&outcome->options), cases[i].described);
    }
}

static void tells_what_is_wrong_in_one_line(void **state)
{
    static const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        {{"--port", "65536"},
         "--port '65536' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"-p", "-1"},
         "--port '-1' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"-p", "80x"},
         "--port '80x' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"-p", " 80"},
         "--port ' 80' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"--port="},
         "--port '' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"-p", "80,81;82"},
         "--port '81;82' is not a number from 0 to 65535, nor the name of a service such as http"},
        {{"-p", "18446744073709551617"},
         "--port '18446744073709551617' is not a number from 0 to 65535, nor the name of a service "
         "such as http"},
        {{"-p"}, "option '-p' needs a value"},
        {{"-qp"}, "option '-p' needs a value"},
        {{"--port"}, "option '--port' needs a value"},
        {{"--mode", "lines"}, "--mode 'lines' is not echo, line or chunk"},
        {{"-m", ""}, "--mode '' is not echo, line or chunk"},
        {{"--bind", ""}, "--bind needs an address, such as 127.0.0.1, ::1 or localhost"},
        {{"--max-clients", "0"}, "--max-clients '0' is not a number from 1 to 4294967295"},
        {{"--max-clients", "4294967296"},
         "--max-clients '4294967296' is not a number from 1 to 4294967295"},
        {{"--max-per-address", "0"}, "--max-per-address '0' is not a number from 1 to 4294967295"},
        {{"--keep-alive", "32768"}, "--keep-alive '32768' is not a number from 0 to 32767"},
        {{"--stall-timeout", "x"},
         "--stall-timeout 'x' is not a number of seconds from 0 to 31536000 with at most three "
         "decimals, such as 0.25"},
        {{"--max-line", "0"},
         "--max-line '0' is not a number of bytes from 1 to 1073741824, such as 4096 or 4K"},
        {{"--max-line", "1073741825"},
         "--max-line '1073741825' is not a number of bytes from 1 to 1073741824, such as 4096 or "
         "4K"},
        {{"--max-line", "2G"},
         "--max-line '2G' is not a number of bytes from 1 to 1073741824, such as 4096 or 4K"},
        {{"--idle-timeout", "-1"},
         "--idle-timeout '-1' is not a number of seconds from 0 to 31536000 with at most three "
         "decimals, such as 0.25"},
        {{"--idle-timeout", "0.0001"},
         "--idle-timeout '0.0001' is not a number of seconds from 0 to 31536000 with at most three "
         "decimals, such as 0.25"},
        {{"--idle-timeout", "1."},
         "--idle-timeout '1.' is not a number of seconds from 0 to 31536000 with at most three "
         "decimals, such as 0.25"},
        {{"--drain-timeout", "5s"},
         "--drain-timeout '5s' is not a number of seconds from 0 to 31536000 with at most three "
         "decimals, such as 0.25"},
        {{"--drain-timeout", "31536000.001"},
         "--drain-timeout '31536000.001' is not a number of seconds from 0 to 31536000 with at "
         "most three decimals, such as 0.25"},
        {{"--foo"}, "unknown option '--foo'"},
        {{"--foo=1"}, "unknown option '--foo=1'"},
        {{"-x"}, "unknown option '-x'"},
        {{"-qx"}, "unknown option '-x'"},
        {{"-xq"}, "unknown option '-x'"},
        {{"--quiet", "-xq"}, "unknown option '-x'"},
        {{"--port=5", "-xq"}, "unknown option '-x'"},
        {{"--quiet=1"}, "option '--quiet' takes no value"},
        {{"--max"},
         "option '--max' is ambiguous; write one of --max-clients, --max-per-address, --max-line"},
        {{"--max=5"},
         "option '--max' is ambiguous; write one of --max-clients, --max-per-address, --max-line"},
        {{"--v"}, "option '--v' is ambiguous; write one of --verbose, --version"},
        {{"--max-c", "5"}, "option '--max-c' is abbreviated; write --max-clients"},
        {{"--max-c=5"}, "option '--max-c' is abbreviated; write --max-clients"},
        {{"--max-c"}, "option '--max-c' is abbreviated; write --max-clients"},
        {{"--verb"}, "option '--verb' is abbreviated; write --verbose"},
        {{"--verb=1"}, "option '--verb' is abbreviated; write --verbose"},
        {{"-q", "--hel"}, "option '--hel' is abbreviated; write --help"},
        {{"--quietly"}, "unknown option '--quietly'"},
        {{"--=1"}, "unknown option '--=1'"},
        {{"--bind", "127.0.0.1:80"},
         "--bind takes an address alone; the port, '80', is given as --port N"},
        {{"--bind", "[::1]:80"},
         "--bind takes an address alone; the port, '80', is given as --port N"},
        {{"--bind", "[::1"}, "--bind '[::1' is not an IPv6 address in brackets, such as [::1]"},
        {{"--\033[2J"}, "unknown option '--\\x1b[2J'"},
        {{"--port", "9000,,9001"}, "--port '9000,,9001' has an empty port; leave out a comma"},
        {{"--port", ",1"}, "--port ',1' has an empty port; leave out a comma"},
        {{"--port", "1,"}, "--port '1,' has an empty port; leave out a comma"},
        {{"--drop-after=2", "--duplicate-after=2"},
         "--drop-after and --duplicate-after name the same byte; one of them has to name another"},
        {{"--prefix", "a"}, "--prefix goes with --mode line or chunk"},
        {{"9901"}, "'9901' is not an option; the port is given as --port N"},
        {{"-q", "--", "-v"}, "'-v' is not an option; the port is given as --port N"},
        {{"-"}, "'-' is not an option; the port is given as --port N"},
    };
    char line[512];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct outcome *outcome = parse(cases[i].arguments);

        snprintf(line, sizeof line, "echo-server: %s; try 'echo-server --help'\n",
                 cases[i].message);
        assert_string_equal(outcome->err, line);
        assert_string_equal(outcome->out, "");
        assert_int_equal(outcome->verdict, COMMAND_LINE_WRONG);
    }
}

/* The first mistake counts, and --help counts only as far as there is none before it. */
static void shows_help_and_version_on_stdout(void **state)
{
    static const char *const help[][3] = {
        {"-h"}, {"--help"}, {"-q", "--help"}, {"--help", "--foo"}};
    static const char *const version[][3] = {{"-V"}, {"--version"}, {"-p0", "-V"}};

    (void)state;
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++) {
        const struct outcome *outcome = parse(help[i]);

        assert_int_equal(outcome->verdict, COMMAND_LINE_SHOWN);
        assert_string_equal(outcome->err, "");
        assert_memory_equal(outcome->out, "Usage: echo-server ", 19);
    }
    for (size_t i = 0; i < sizeof version / sizeof version[0]; i++) {
        const struct outcome *outcome = parse(version[i]);

        assert_int_equal(outcome->verdict, COMMAND_LINE_SHOWN);
        assert_string_equal(outcome->err, "");
        assert_memory_equal(outcome->out, "echo-server ", 12);
        assert_int_equal(strchr(outcome->out, '\n') - outcome->out, strlen(outcome->out) - 1);
    }
    assert_int_equal(parse((const char *const[]){"--foo", "--help", NULL})->verdict,
                     COMMAND_LINE_WRONG);
}

/* Each option stands in a line of its own, and no line is too long for a terminal of 80 columns.
 */
static void help_shows_every_option(void **state)
{
    static const struct command_line_program *const programs[] = {&server_program, &client_program};
    char text[CAPTURE_MAX], name[64];

    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        struct capture out;

        capture_begin(&out, stdout);
        command_line_show(programs[i], false);
        capture_end(&out, text);
        for (int k = 0; k < programs[i]->count; k++) {
            const struct command_line_option *option = &programs[i]->options[k];
            char letter[] = {'-', option->letter, ',', '\0'};

            snprintf(name, sizeof name, "\n  %-3s --%s%s%s  ", option->letter != '\0' ? letter : "",
                     option->name, option->argument != NULL ? " " : "",
                     option->argument != NULL ? option->argument : "");
            if (strstr(text, name) == NULL)
                fail_msg("no line of --help begins with:%s", name);
        }
        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 80);
    }
}

/* Spaces and line ends of a text are kept, and words that do not fit go to the next line. */
static void help_is_wrapped_at_spaces(void **state)
{
    static const struct command_line_option options[] = {
        {.heading = "Some",
         .name = "one",
         .letter = 'o',
         .argument = "N",
         .help = "first\nsecond  line 1234567890 1234567890 1234567890 123456789012345 123 next"},
        {.name = "other", .help = ""},
    };
    static const struct command_line_program program = {"program", options, 2, "Usage", "Notes"};
    struct capture out;
    char text[CAPTURE_MAX];

    (void)state;
    capture_begin(&out, stdout);
    command_line_show(&program, false);
    assert_string_equal(
        capture_end(&out, text),
        "Usage\n"
        "\n"
        "Some:\n"
        "  -o, --one N  first\n"
        "               second  line 1234567890 1234567890 1234567890 123456789012345 123\n"
        "               next\n"
        "      --other  \n"
        "\n"
        "Notes\n");
}

/* Any text is taken as it is, up to a length. */
static void takes_texts_up_to_a_length(void **state)
{
    static const char *const names[] = {"--greeting", "--prefix"};
    char text[SERVER_OPTIONS_TEXT + 2], line[128];

    (void)state;
    memset(text, '%', sizeof text);
    text[SERVER_OPTIONS_TEXT + 1] = '\0';
    for (size_t i = 0; i < 2; i++) {
        const struct outcome *outcome =
            parse((const char *const[]){"-mline", names[i], text + 1, NULL});
        const struct span *taken =
            i == 0 ? &outcome->options.greeting : &outcome->options.rules.prefix;

        assert_int_equal(outcome->verdict, COMMAND_LINE_RUN);
        assert_int_equal(taken->length, SERVER_OPTIONS_TEXT);
        assert_memory_equal(taken->bytes, text + 1, SERVER_OPTIONS_TEXT);
        outcome = parse((const char *const[]){"-mline", names[i], text, NULL});
        assert_int_equal(outcome->verdict, COMMAND_LINE_WRONG);
        snprintf(line, sizeof line,
                 "echo-server: %s has 1025 bytes; at most 1024 are taken; try 'echo-server "
                 "--help'\n",
                 names[i]);
        assert_string_equal(outcome->err, line);
    }
}

static void takes_so_many_binds_and_ports_and_no_more(void **state)
{
    static const struct {
        const char *good, *bad, *message;
    } cases[] = {
        {"-b::1", "-bone", "--bind 'one': at most 64 addresses are taken"},
        {"-p1", "-p2", "--port '2': at most 64 ports are taken"},
    };
    enum { MOST = 64 };
    const char *arguments[MOST + 2] = {NULL};
    char expected[CAPTURE_MAX];

    (void)state;
    assert_int_equal(SERVER_OPTIONS_BINDS, MOST);
    assert_int_equal(SERVER_OPTIONS_PORTS, MOST);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        for (int i = 0; i < MOST; i++)
            arguments[i] = cases[k].good;
        arguments[MOST] = NULL;
        assert_int_equal(parse(arguments)->verdict, COMMAND_LINE_RUN);

        arguments[MOST] = cases[k].bad;
        const struct outcome *outcome = parse(arguments);

        assert_int_equal(outcome->verdict, COMMAND_LINE_WRONG);
        snprintf(expected, sizeof expected, "echo-server: %s; try 'echo-server --help'\n",
                 cases[k].message);
        assert_string_equal(outcome->err, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_command_lines),
        cmocka_unit_test(tells_what_is_wrong_in_one_line),
        cmocka_unit_test(shows_help_and_version_on_stdout),
        cmocka_unit_test(help_shows_every_option),
        cmocka_unit_test(help_is_wrapped_at_spaces),
        cmocka_unit_test(takes_texts_up_to_a_length),
        cmocka_unit_test(takes_so_many_binds_and_ports_and_no_more),
    };

    return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
