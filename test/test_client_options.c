/* The client's command lines: what each of them means, and what is said about wrong ones. */
#include "client_options.h"

#include <stdio.h>
#include <string.h>

#include "support.h"
#include "test.h"

enum { ARGUMENTS_MAX = 12 };

/* Reads a command line, which begins behind the program's name and ends with a NULL. */
static struct client_options parse(const char *const arguments[])
{
    static char words[1024]; /* may be changed, as those of a program may */
    char *argv[ARGUMENTS_MAX + 1] = {(char[]){"echo-client"}}, *word = words;
    struct client_options options;
    int argc = 1;

    for (; *arguments != NULL; arguments++) {
        assert_true(argc < ARGUMENTS_MAX);
        assert_true(strlen(*arguments) < (size_t)(words + sizeof words - word));
        argv[argc++] = strcpy(word, *arguments);
        word += strlen(word) + 1;
    }
    optind = 0; /* makes getopt_long() begin anew */
    assert_int_equal(client_options_parse(argc, argv, &options), COMMAND_LINE_RUN);
    return options;
}

/* The options in words: of the job that is to be done, all that differ from the defaults. */
static const char *describe(const struct client_options *o)
{
    static char text[512];
    char *end = text + sizeof text, *c = text;
    const struct load_options *load = &o->load;
    const struct pattern *pattern = o->job == CLIENT_PING ? &o->ping.pattern : &load->pattern;
    const struct dialogue_options *dialogue = &o->session.dialogue;
    uint64_t count = o->job == CLIENT_PING ? o->ping.count : load->count;

#define ADD(differs, ...) ((differs) ? c += snprintf(c, (size_t)(end - c), __VA_ARGS__) : c)
    ADD(true, "%s:%s", o->host != NULL ? o->host : "default", o->port);
    ADD(o->family != NET_ANY_FAMILY, o->family == NET_IPV4 ? " ipv4" : " ipv6");
    ADD(o->source != NULL, " source=%s", o->source);
    ADD(o->connect_timeout != SECONDS(5), " timeout=%lld",
        (long long)(o->connect_timeout / MILLISECONDS(1)));
    ADD(o->proxy_version != PROXY_NONE, " proxy-v%d", o->proxy_version == PROXY_V1 ? 1 : 2);
    assert_int_equal(load->connect_timeout, o->connect_timeout);
    switch (o->job) {
    case CLIENT_SESSION:
        ADD(dialogue->eol != NULL, " eol=%zu", strlen(dialogue->eol));
        ADD(dialogue->hex, " hex");
        ADD(dialogue->timestamps, " timestamps");
        ADD(o->session.until_server_ends, " until-server-ends");
        ADD(o->session.quit_after != 0, " quit-after=%lld",
            (long long)(o->session.quit_after / MILLISECONDS(1)));
        return text;
    case CLIENT_PING:
        ADD(true, " ping");
        assert_true(pattern->lines);
        ADD(o->ping.connect_only, " connect-only");
        ADD(o->ping.quiet, " quiet");
        ADD(o->ping.json, " json");
        ADD(!o->ping.detect, " expect=%s", pattern->prefix.bytes != NULL ? "line" : "echo");
        ADD(o->ping.interval != SECONDS(1), " interval=%lld",
            (long long)(o->ping.interval / MILLISECONDS(1)));
        break;
    case CLIENT_LOAD:
        ADD(true, " load");
        ADD(load->connections != 1, " connections=%lu", (unsigned long)load->connections);
        ADD(load->pipeline != 1, " pipeline=%lu", (unsigned long)load->pipeline);
        ADD(load->idle != 0, " idle=%lu", (unsigned long)load->idle);
        ADD(load->duration != 0, " duration=%lld", (long long)(load->duration / MILLISECONDS(1)));
        ADD(load->rate > 0, " rate=%g", load->rate);
        ADD(load->reconnect, " reconnect");
        ADD(load->keep_going, " keep-going");
        ADD(load->report > 0, " report=%lld", (long long)(load->report / MILLISECONDS(1)));
        ADD(pattern->lines, " lines");
        ADD(pattern->prefix.bytes != NULL, " prefixed");
        ADD(pattern->greeting.bytes != NULL, " greeted");
        ADD(o->json, " json");
        break;
    }
    ADD(count != UINT64_MAX, " count=%llu", (unsigned long long)count);
    ADD(pattern->size != 64, " size=%zu", pattern->size);
    ADD(pattern->seed != 1, " seed=%llu", (unsigned long long)pattern->seed);
#undef ADD
    return text;
}

static void takes_good_command_lines(void **state)
{
#define DEFAULT "default:9901"
    static const struct {
        const char *arguments[8];
        const char *described;
    } cases[] = {
        {{NULL}, DEFAULT},
        {{"a.example"}, "a.example:9901"},
        {{"::1", "1"}, "::1:1"},
        {{"::1", "65535"}, "::1:65535"},
        {{"::1"}, "::1:9901"},
        {{"a.example:80"}, "a.example:80"},
        {{"127.0.0.1:1"}, "127.0.0.1:1"},
        {{"[::1]"}, "::1:9901"},
        {{"[::1]", "80"}, "::1:80"},
        {{"[::1]:65535"}, "::1:65535"},
        {{"[fe80::1%2]:9901"}, "fe80::1%2:9901"},
        {{"::ffff:127.0.0.1"}, "::ffff:127.0.0.1:9901"},
        {{"--ping", "[::1]:80"}, "::1:80 ping"},
        {{"a.example", "http"}, "a.example:http"},
        {{"[::1]:x11-1"}, "::1:x11-1"},
        {{"--", "-h"}, "-h:9901"},
        {{"-4"}, DEFAULT " ipv4"},
        {{"--ipv4", "--load", "--count=5"}, DEFAULT " ipv4 load count=5"},
        {{"-6"}, DEFAULT " ipv6"},
        {{"-4", "--ipv6", "a.example"}, "a.example:9901 ipv6"},
        {{"--source", "127.0.0.2"}, DEFAULT " source=127.0.0.2"},
        {{"--source=[::1]", "--ping"}, DEFAULT " source=::1 ping"},
        {{"--load", "--source", "a.example", "--count=5"},
         DEFAULT " source=a.example load count=5"},
        {{"--quit-after", "2"}, DEFAULT " quit-after=2000"},
        {{"--quit-after=0.001", "--until-server-ends"}, DEFAULT " until-server-ends quit-after=1"},
        {{"--eol", "lf", "--until-server-ends"}, DEFAULT " eol=1 until-server-ends"},
        {{"--eol=crlf"}, DEFAULT " eol=2"},
        {{"--eol", "none", "--hex", "--timestamps"}, DEFAULT " eol=0 hex timestamps"},
        {{"--connect-timeout", "0.25"}, DEFAULT " timeout=250"},
        {{"--connect-timeout", ".1"}, DEFAULT " timeout=100"},
        {{"--proxy-protocol", "v1"}, DEFAULT " proxy-v1"},
        {{"--proxy-protocol=v2", "--ping"}, DEFAULT " proxy-v2 ping"},
        {{"--load", "--proxy-protocol=v2"}, DEFAULT " proxy-v2 load duration=10000"},
        {{"h", "--ping", "7"}, "h:7 ping"},
        {{"--ping", "--ping"}, DEFAULT " ping"},
        {{"--count", "3", "--ping"}, DEFAULT " ping count=3"},
        {{"--ping", "--interval", "0.001"}, DEFAULT " ping interval=1"},
        {{"--ping", "--interval=0"}, DEFAULT " ping interval=0"},
        {{"--ping", "-c3", "-i", ".5", "-s", "9"}, DEFAULT " ping interval=500 count=3 size=9"},
        {{"--ping", "-q"}, DEFAULT " ping quiet"},
        {{"--ping", "--quiet", "--json"}, DEFAULT " ping quiet json"},
        {{"--ping", "--connect-only", "-c", "2"}, DEFAULT " ping connect-only count=2"},
        {{"--load", "-c5", "-s1K"}, DEFAULT " load count=5 size=1024"},
        {{"--ping", "--size=2", "--seed=0"}, DEFAULT " ping size=2 seed=0"},
        {{"--ping", "--expect", "line"}, DEFAULT " ping expect=line"},
        {{"--ping", "--expect=echo"}, DEFAULT " ping expect=echo"},
        {{"--ping", "--connect-timeout=1"}, DEFAULT " timeout=1000 ping"},
        {{"--load"}, DEFAULT " load duration=10000"},
        {{"--load", "--duration", "0.5"}, DEFAULT " load duration=500"},
        {{"--load", "--count", "1"}, DEFAULT " load count=1"},
        {{"--load", "--count", "18446744073709551614"}, DEFAULT " load count=18446744073709551614"},
        {{"--load", "--count=5", "--duration=2"}, DEFAULT " load duration=2000 count=5"},
        {{"--load", "--count=5", "--connections", "1000000"},
         DEFAULT " load connections=1000000 count=5"},
        {{"--load", "--count=5", "--pipeline", "65536"}, DEFAULT " load pipeline=65536 count=5"},
        {{"--load", "--count=5", "--idle", "1000000"}, DEFAULT " load idle=1000000 count=5"},
        {{"--load", "--count=5", "--idle", "0"}, DEFAULT " load count=5"},
        {{"--load", "--count=5", "--rate", "1"}, DEFAULT " load rate=1 count=5"},
        {{"--load", "--count=5", "--rate", "0.001"}, DEFAULT " load rate=0.001 count=5"},
        {{"--load", "--count=5", "--rate", "2.5"}, DEFAULT " load rate=2.5 count=5"},
        {{"--load", "--count=5", "--rate", ".5"}, DEFAULT " load rate=0.5 count=5"},
        {{"--load", "--count=5", "--rate=100000000"}, DEFAULT " load rate=1e+08 count=5"},
        {{"--load", "--count=5", "--size", "1"}, DEFAULT " load count=5 size=1"},
        {{"--load", "--count=5", "--size=16777216"}, DEFAULT " load count=5 size=16777216"},
        {{"--load", "--count=5", "--size=16M"}, DEFAULT " load count=5 size=16777216"},
        {{"--ping", "--size=2K"}, DEFAULT " ping size=2048"},
        {{"--load", "--count=5", "--seed=18446744073709551615"},
         DEFAULT " load count=5 seed=18446744073709551615"},
        {{"--load", "--count=5", "--reconnect", "--pipeline=1"}, DEFAULT " load reconnect count=5"},
        {{"--load", "--count=5", "--expect", "echo"}, DEFAULT " load count=5"},
        {{"--load", "--count=5", "--expect=line", "--size=2"},
         DEFAULT " load lines prefixed count=5 size=2"},
        {{"--load", "--count=5", "--expect=line", "--expect=echo", "--size=1"},
         DEFAULT " load count=5 size=1"},
        {{"--load", "--count=5", "--prefix="}, DEFAULT " load lines prefixed count=5"},
        {{"--load", "--count=5", "--prefix=a", "--expect=line"},
         DEFAULT " load lines prefixed count=5"},
        {{"--load", "--count=5", "--greeting=a"}, DEFAULT " load greeted count=5"},
        {{"--ping", "--count=5", "--prefix=a"}, DEFAULT " ping expect=line count=5"},
        {{"--load", "--json", "--count=5", "--count=6"}, DEFAULT " load json count=6"},
        {{"--load", "--keep-going", "--count=5"}, DEFAULT " load keep-going count=5"},
        {{"--load", "--report=.5", "--count=5"}, DEFAULT " load report=500 count=5"},
    };
#undef DEFAULT

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client_options options = parse(cases[i].arguments);

        assert_string_equal(describe(&options), cases[i].described);
    }
}

static void wrong_usage_is_told_in_one_line(void **state)
{
    static const struct {
        const char *arguments[6];
        const char *told;
    } cases[] = {
        {{"--foo"}, "unknown option '--foo'"},
        {{"-x"}, "unknown option '-x'"},
        {{"--co"},
         "option '--co' is ambiguous; write one of --connect-timeout, --connect-only, "
         "--connections, --count"},
        {{"--co", "1"}, "option '--co' is ambiguous; write one of --connect-timeout, --connect-"},
        {{"--pi", "h"}, "option '--pi' is ambiguous; write one of --ping, --pipeline;"},
        {{"--ping", "--cou", "1"}, "option '--cou' is abbreviated; write --count;"},
        {{"--load", "--dur=1"}, "option '--dur' is abbreviated; write --duration;"},
        {{"--size"}, "option '--size' needs a value"},
        {{"--load=1"}, "option '--load' takes no value"},
        {{"--json=yes"}, "option '--json' takes no value"},
        {{""}, "HOST is empty"},
        {{"h", "0"}, "PORT '0' is not a number from 1 to 65535"},
        {{"h", "65536"}, "PORT '65536' is not a number from 1 to 65535"},
        {{"h", "80x"}, "PORT '80x' is not a number from 1 to 65535, nor the name of a service"},
        {{"h", "-"}, "PORT '-' is not a number"},
        {{"h", "1", "2"}, "unexpected argument '2'"},
        {{"h:1", "1"}, "the port is given twice, as '1' and '1'; leave one out"},
        {{"[::1]:1", "2"}, "the port is given twice, as '1' and '2'; leave one out"},
        {{"h:"}, "PORT '' is not a number from 1 to 65535"},
        {{"h:_http"}, "PORT '_http' is not a number from 1 to 65535"},
        {{"[::1]:0"}, "PORT '0' is not a number from 1 to 65535"},
        {{":1"}, "HOST is empty"},
        {{"[::1"}, "HOST '[::1' is not an IPv6 address in brackets"},
        {{"[::1]1"}, "HOST '[::1]1' is not an IPv6 address in brackets"},
        {{"[]"}, "HOST '[]' is not an IPv6 address in brackets"},
        {{"[h]:1"}, "HOST '[h]:1' is not an IPv6 address in brackets"},
        {{"--connect-timeout", "soon"}, "--connect-timeout 'soon' is not a number of seconds"},
        {{"--eol", "cr"}, "--eol 'cr' is not lf, crlf or none"},
        {{"--proxy-protocol", "2"}, "--proxy-protocol '2' is not v1 or v2"},
        /* Two jobs, and options of another job */
        {{"--ping", "--load"}, "--ping and --load are two jobs"},
        {{"--load", "--ping"}, "--ping and --load are two jobs"},
        {{"--load", "--prefix=a", "--expect=echo"}, "--prefix goes with --expect line"},
        {{"--greeting=a"}, "--greeting goes with --ping or --load"},
        {{"--ping", "--eol", "lf"}, "--eol is for a session"},
        {{"--load", "--hex"}, "--hex is for a session"},
        {{"--load", "--timestamps"}, "--timestamps is for a session"},
        {{"--interval", "1"}, "--interval goes with --ping"},
        {{"--load", "--interval", "1"}, "--interval goes with --ping"},
        {{"--count", "1"}, "--count goes with --ping or --load"},
        {{"--size", "8"}, "--size goes with --ping or --load"},
        {{"--seed", "8"}, "--seed goes with --ping or --load"},
        {{"--connections", "1"}, "--connections goes with --load"},
        {{"--ping", "--connections", "1"}, "--connections goes with --load"},
        {{"--ping", "--pipeline", "1"}, "--pipeline goes with --load"},
        {{"--ping", "--duration", "1"}, "--duration goes with --load"},
        {{"--ping", "--rate", "1"}, "--rate goes with --load"},
        {{"--ping", "--idle", "1"}, "--idle goes with --load"},
        {{"--ping", "--reconnect"}, "--reconnect goes with --load"},
        {{"--ping", "--keep-going"}, "--keep-going goes with --load"},
        {{"--report=1"}, "--report goes with --load"},
        {{"--load", "--report=0"}, "--report has to be more than 0 seconds"},
        {{"--load", "--report=x"}, "--report 'x' is not"},
        {{"--expect", "line"}, "--expect goes with --ping or --load"},
        {{"--json"}, "--json goes with --ping or --load"},
        {{"-c", "1"}, "--count goes with --ping or --load"},
        {{"-q"}, "--quiet goes with --ping"},
        {{"--load", "-q"}, "--quiet goes with --ping"},
        {{"--load", "--connect-only"}, "--connect-only goes with --ping"},
        {{"--ping", "--quit-after", "1"}, "--quit-after is for a session"},
        /* Ranges */
        {{"--ping", "--count", "0"}, "--count '0' is not a number from 1 to "},
        {{"--load", "--count", "18446744073709551615"}, "--count '18446744073709551615' is not"},
        {{"--load", "--count", "1e6"}, "--count '1e6' is not a number"},
        {{"--load", "--size", "0"},
         "--size '0' is not a number of bytes from 1 to 16777216, such "},
        {{"--load", "--size", "16777217"}, "--size '16777217' is not a number of bytes"},
        {{"--load", "--size", "17M"}, "--size '17M' is not a number of bytes"},
        {{"--load", "--size", "64k"}, "--size '64k' is not a number of bytes"},
        {{"--load", "--seed", "-1"}, "--seed '-1' is not a number from 0 to "},
        {{"--load", "--connections", "0"}, "--connections '0' is not a number from 1 to 1000000"},
        {{"--load", "--connections", "1000001"}, "--connections '1000001' is not"},
        {{"--load", "--pipeline", "0"}, "--pipeline '0' is not a number from 1 to 65536"},
        {{"--load", "--pipeline", "65537"}, "--pipeline '65537' is not"},
        {{"--load", "--idle", "1000001"}, "--idle '1000001' is not a number from 0 to 1000000"},
        {{"--load", "--rate", "0"}, "--rate '0' is not a number from 0.001 to 100000000"},
        {{"--load", "--rate", "0.0005"}, "--rate '0.0005' is not"},
        {{"--load", "--rate", "100000000.001"}, "--rate '100000000.001' is not"},
        {{"--load", "--duration", "1.0001"}, "--duration '1.0001' is not a number of seconds"},
        {{"--ping", "--interval", "-1"}, "--interval '-1' is not a number of seconds"},
        {{"--load", "--expect", "chunk"}, "--expect 'chunk' is not echo or line"},
        {{"--load", "--duration", "0"}, "--duration has to be more than 0 seconds"},
        {{"--connect-timeout", "0"}, "--connect-timeout has to be more than 0 seconds"},
        {{"--quit-after", "0"}, "--quit-after has to be more than 0 seconds"},
        {{"--quit-after", "now"}, "--quit-after 'now' is not a number of seconds"},
        {{"--source", ""}, "--source needs an address"},
        {{"--source", "127.0.0.1:80"}, "--source takes an address alone, without the port '80'"},
        {{"--source", "[::1"}, "--source '[::1' is not an IPv6 address in brackets"},
        /* What does not go together */
        {{"--ping", "--connect-only", "--proxy-protocol=v1"},
         "--connect-only sends nothing; leave --proxy-protocol out"},
        {{"--ping", "--connect-only", "--size", "8"}, "sends nothing; leave --size out"},
        {{"--ping", "--seed=2", "--connect-only"}, "sends nothing; leave --seed out"},
        {{"--ping", "--connect-only", "--expect=echo"}, "sends nothing; leave --expect out"},
        {{"--ping", "--connect-only", "--prefix=a"}, "sends nothing; leave --prefix out"},
        {{"--ping", "--connect-only", "--greeting=a"}, "sends nothing; leave --greeting out"},
        {{"--ping", "--size", "1"}, "--size 1 is too small for a line"},
        {{"--load", "--size", "1", "--expect", "line"}, "--size 1 is too small for a line"},
        {{"--load", "--reconnect", "--pipeline", "2"}, "leave --pipeline out"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *arguments[8] = {support_environment("ECHO_CLIENT")};

        memcpy(arguments + 1, cases[i].arguments, sizeof cases[i].arguments);
        struct process *client = support_start(arguments, NULL);
        const char *line = support_line(client, STREAM_ERROR);

        assert_non_null(line);
        if (strncmp(line, "echo-client: ", 13) != 0 || strstr(line, cases[i].told) == NULL ||
            strstr(line, "; try 'echo-client --help'") == NULL)
            fail_msg("expected: %s, but found: %s", cases[i].told, line);
        assert_int_equal(support_finish(client), COMMAND_LINE_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_command_lines),
        cmocka_unit_test_teardown(wrong_usage_is_told_in_one_line, support_end_programs),
    };

    return cmocka_run_group_tests(tests, support_setup, support_teardown);
}
