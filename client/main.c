#include <stdio.h>
#include <stdlib.h>

#include "client_options.h"
#include "connector.h"
#include "measure/load.h"
#include "measure/load_report.h"
#include "measure/ping.h"
#include "measure/ping_report.h"
#include "net.h"
#include "os.h"
#include "output.h"
#include "proxy_sender.h"
#include "session/session.h"
#include "text.h"

enum {
    EXIT_INTERRUPTED = 130, /* the status that shells report for a program ended by SIGINT */
    FAILURE =
        CONNECTOR_ERROR + 2 * TEXT_NAME + 128 /* size of the reason for having no connection */
};

/* Where to connect to, and from. */
struct target {
    const char *host; /* as the command line names it, or the default */
    struct net_address addresses[NET_RESOLVE_MAX];
    size_t count;
    struct net_address source;
    bool has_source;
};

static const struct net_address *source_of(const struct target *target)
{
    return target->has_source ? &target->source : NULL;
}

static int run_session(const struct client_options *options,
                       const struct connector_connection *connection, os_socket stop)
{
    switch (session_run(&options->session, connection, stop)) {
    case SESSION_FINISHED:
        return EXIT_SUCCESS;
    case SESSION_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case SESSION_FAILED:
        break;
    }
    return EXIT_FAILURE;
}

/* Prints the report of a load. Returns the exit status. */
static int report_load(const struct client_options *options, const struct load_result *result,
                       struct output *output, os_socket stop)
{
    if (options->json)
        load_report_json(output, &options->load, result);
    else
        load_report_table(output, &options->load, result);
    return output_finish(output, stop) && load_result_passed(result) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Runs a load. With --keep-going, `connection` may have no socket, for the reason `failure`; then
 * the addresses are tried. */
static int run_load(const struct client_options *options, const struct target *target,
                    const struct connector_connection *connection, const char *failure,
                    os_socket stop)
{
    static struct load_result result;
    struct load_options load = options->load;
    struct output output = {.stream = STREAM_OUTPUT};

    /* An address that has answered is kept. Without one, all are tried in turn. */
    if (connection->socket == OS_NO_SOCKET) {
        load.addresses = target->addresses;
        load.address_count = target->count;
    }
    load.source = source_of(target);
    load.json = options->json;
    load.progress = load.report == 0 && stream_is_terminal(STREAM_ERROR);
    if (!load_run(&load, connection, stop, &output, &result)) {
        output_error(stop, "out of memory");
        return EXIT_FAILURE;
    }
    /* A load that could not connect at first fails, even if nothing fails after that. */
    if (result.failure[0] == '\0')
        snprintf(result.failure, sizeof result.failure, "%s", failure);
    /* Without a connection there is nothing else to report. */
    if (result.counts.connections_made == 0 && result.failure[0] != '\0' && !load.keep_going) {
        output_error(stop, "%s", result.failure);
        if (!options->json)
            return EXIT_FAILURE;
    }
    return report_load(options, &result, &output, stop);
}

/* Prints the report of a ping that has not come to its first attempt to connect. Returns the exit
 * status. */
static int report_no_ping(const struct client_options *options, const char *failure, os_socket stop)
{
    static struct ping_result result;
    struct output output = {.stream = STREAM_OUTPUT};

    snprintf(result.failure, sizeof result.failure, "%s", failure);
    os_utc_time(result.started_at);
    ping_report_json(&output, &options->ping, &result);
    output_finish(&output, stop);
    return EXIT_FAILURE;
}

/* Prints in one line why there is no connection. With --json the report is printed as well, because
 * a program that reads it expects an object in any case. Returns the exit status. */
static int report_unconnected(const struct client_options *options, const char *failure,
                              bool interrupted, os_socket stop)
{
    static struct load_result result;
    struct output output = {.stream = STREAM_OUTPUT};

    output_error(stop, "%s", failure);
    if (!options->json)
        return EXIT_FAILURE;
    if (options->job == CLIENT_PING)
        return report_no_ping(options, failure, stop);
    snprintf(result.failure, sizeof result.failure, "%s", failure);
    result.counts.connections_failed = (uint64_t)options->load.connections + options->load.idle;
    result.interrupted = interrupted;
    os_utc_time(result.started_at);
    return report_load(options, &result, &output, stop);
}

static int run_ping(const struct client_options *options, const struct target *target,
                    os_socket stop)
{
    struct ping_options ping = options->ping;

    ping.source = source_of(target);
    return ping_run(&ping, target->addresses, target->count, stop) == PING_ALL_ANSWERED
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

/* Connects, and does the job of a session or a load. Returns the exit status. */
static int connect_and_run(const struct client_options *options, const struct target *target,
                           os_socket stop)
{
    struct connector_connection connection;
    char error[CONNECTOR_ERROR];
    char host[TEXT_NAME], source[TEXT_NAME];
    char failure[FAILURE];
    enum connector_outcome outcome =
        connector_connect(target->addresses, target->count, source_of(target),
                          options->connect_timeout, stop, &connection, error);

    if (outcome == CONNECTOR_CONNECTED)
        return options->job == CLIENT_SESSION ? run_session(options, &connection, stop)
                                              : run_load(options, target, &connection, "", stop);
    if (outcome == CONNECTOR_STOPPED && options->job == CLIENT_SESSION)
        return EXIT_INTERRUPTED;
    snprintf(failure, sizeof failure, "cannot connect to '%s'%s%s%s: %s",
             text_name(target->host, host), target->has_source ? " from '" : "",
             target->has_source ? text_name(options->source, source) : "",
             target->has_source ? "'" : "", outcome == CONNECTOR_STOPPED ? "interrupted" : error);
    if (outcome == CONNECTOR_FAILED && options->load.keep_going) {
        connection = (struct connector_connection){OS_NO_SOCKET, target->addresses[0], 0, false};
        return run_load(options, target, &connection, failure, stop);
    }
    return report_unconnected(options, failure, outcome == CONNECTOR_STOPPED, stop);
}

/* As net_resolve(). On failure writes why and returns false. `why` is the reason for the family. */
static bool resolve(const char *name, enum net_family family, const char *why, uint16_t port,
                    struct net_address addresses[NET_RESOLVE_MAX], size_t *count,
                    char failure[FAILURE])
{
    static const char *const kinds[] = {[NET_ANY_FAMILY] = "",
                                        [NET_IPV4] = " to an IPv4 address",
                                        [NET_IPV6] = " to an IPv6 address"};
    char shown[TEXT_NAME];
    const char *error = net_resolve(name, family, port, addresses, count);

    if (error != NULL)
        snprintf(failure, FAILURE, "cannot resolve '%s'%s%s: %s", text_name(name, shown),
                 kinds[family], why, error);
    return error == NULL;
}

/* Looks up the host, or the default one of the family. On failure writes why and returns false. */
static bool find_host(const struct client_options *options, enum net_family family, const char *why,
                      uint16_t port, struct target *target, char failure[FAILURE])
{
    target->host = options->host != NULL ? options->host : family == NET_IPV6 ? "::1" : "127.0.0.1";
    return resolve(target->host, family, why, port, target->addresses, &target->count, failure);
}

/* Looks up what the command line names. Of the source, the first address is taken for whose family
 * the host has an address. On failure writes why and returns false. */
static bool find_target(const struct client_options *options, struct target *target,
                        char failure[FAILURE])
{
    struct net_address sources[NET_RESOLVE_MAX];
    char shown[TEXT_NAME];
    size_t count;
    uint16_t port;

    if (!net_port(options->port, &port)) {
        snprintf(failure, FAILURE, "unknown service '%s'; give the number of its port",
                 text_name(options->port, shown));
        return false;
    }
    target->has_source = options->source != NULL;
    if (!target->has_source)
        return find_host(options, options->family, "", port, target, failure);
    if (!resolve(options->source, options->family, "", 0, sources, &count, failure))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_of_another_family = i == 0 || sources[i].ipv6 != sources[i - 1].ipv6;

        target->source = sources[i];
        if (is_of_another_family && find_host(options, sources[i].ipv6 ? NET_IPV6 : NET_IPV4,
                                              ", the family of --source", port, target, failure))
            return true;
    }
    return false;
}

static int run(const struct client_options *options)
{
    struct target target;
    char reason[OS_ERROR_TEXT];
    char failure[FAILURE];

    net_keep_alive(options->keep_alive);
    proxy_sender_use(options->proxy_version);
    /* A look-up can take long, and nothing else can interrupt it. */
    os_stop_ends(options->job == CLIENT_SESSION ? EXIT_INTERRUPTED : EXIT_FAILURE);
    os_socket stop = os_stop_open();

    if (stop == OS_NO_SOCKET) {
        output_error(OS_NO_SOCKET, "cannot watch for Ctrl-C: %s",
                     os_error_text(os_socket_error(), reason));
        return EXIT_FAILURE;
    }
    bool found = find_target(options, &target, failure);

    os_stop_ends(OS_STOP_TOLD);
    if (!found)
        return report_unconnected(options, failure, false, stop);
    if (options->job == CLIENT_PING)
        return run_ping(options, &target, stop);
    if (options->job == CLIENT_LOAD)
        os_raise_descriptor_limit();
    return connect_and_run(options, &target, stop);
}

int main(int argc, char **argv)
{
    struct client_options options;
    char reason[OS_ERROR_TEXT];

    switch (client_options_parse(argc, argv, &options)) {
    case COMMAND_LINE_SHOWN:
        if (command_line_flush())
            return EXIT_SUCCESS;
        fprintf(stderr, "echo-client: cannot write to standard output\n");
        return EXIT_FAILURE;
    case COMMAND_LINE_WRONG:
        return COMMAND_LINE_USAGE;
    case COMMAND_LINE_RUN:
        break;
    }
    int error = os_start();

    if (error != 0) {
        fprintf(stderr, "echo-client: cannot start: %s\n", os_error_text(error, reason));
        return EXIT_FAILURE;
    }
    int status = run(&options);

    os_finish();
    return status;
}
