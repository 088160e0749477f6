#include <stdio.h>
#include <stdlib.h>

#include "client_options.h"
#include "connector.h"
#include "measure/load.h"
#include "measure/load_report.h"
#include "measure/ping.h"
#include "net.h"
#include "os.h"
#include "output.h"
#include "proxy_sender.h"
#include "session/session.h"
#include "text.h"

enum { EXIT_INTERRUPTED = 130 }; /* the status that shells report for a program ended by SIGINT */

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

/* Runs a load. With --keep-going, `connection` may have no socket; then the addresses are tried. */
static int run_load(const struct client_options *options,
                    const struct connector_connection *connection,
                    const struct net_address *addresses, size_t count, os_socket stop)
{
    static struct load_result result;
    struct load_options load = options->load;
    struct output output = {.stream = STREAM_OUTPUT};

    load.addresses = addresses;
    load.address_count = count;
    load.json = options->json;
    load.progress = load.report == 0 && stream_is_terminal(STREAM_ERROR);
    if (!load_run(&load, connection, stop, &output, &result)) {
        output_error(stop, "out of memory");
        return EXIT_FAILURE;
    }
    /* Without a connection there is nothing else to report. */
    if (result.counts.connections_made == 0 && result.failure[0] != '\0' && !load.keep_going) {
        output_error(stop, "%s", result.failure);
        if (!options->json)
            return EXIT_FAILURE;
    }
    return report_load(options, &result, &output, stop);
}

/* Prints in one line why there is no connection. With --json, also prints the report, because a
 * program that reads it expects an object in any case. Returns the exit status. */
static int report_unconnected(const struct client_options *options, const char *what,
                              const char *error, bool interrupted, os_socket stop)
{
    static struct load_result result;
    struct output output = {.stream = STREAM_OUTPUT};
    char name[TEXT_NAME];

    snprintf(result.failure, sizeof result.failure, "cannot %s '%s': %s", what,
             text_name(options->host, name), error);
    output_error(stop, "%s", result.failure);
    if (options->job != CLIENT_LOAD || !options->json)
        return EXIT_FAILURE;
    result.counts.connections_failed = (uint64_t)options->load.connections + options->load.idle;
    result.interrupted = interrupted;
    os_utc_time(result.started_at);
    return report_load(options, &result, &output, stop);
}

/* Does the job on a connection. Returns the exit status. */
static int run_connected(const struct client_options *options,
                         const struct connector_connection *connection, os_socket stop)
{
    switch (options->job) {
    case CLIENT_SESSION:
        return run_session(options, connection, stop);
    case CLIENT_PING:
        return ping_run(&options->ping, connection, stop) == PING_ALL_ANSWERED ? EXIT_SUCCESS
                                                                               : EXIT_FAILURE;
    case CLIENT_LOAD:
        break;
    }
    return run_load(options, connection, NULL, 0, stop);
}

static int connect_and_run(const struct client_options *options,
                           const struct net_address *addresses, size_t count, os_socket stop)
{
    struct connector_connection connection;
    char error[CONNECTOR_ERROR];

    switch (
        connector_connect(addresses, count, options->connect_timeout, stop, &connection, error)) {
    case CONNECTOR_CONNECTED:
        return run_connected(options, &connection, stop);
    case CONNECTOR_STOPPED:
        if (options->job == CLIENT_SESSION)
            return EXIT_INTERRUPTED;
        return report_unconnected(options, "connect to", "interrupted", true, stop);
    case CONNECTOR_FAILED:
        if (options->load.keep_going)
            return run_load(options, &(struct connector_connection){OS_NO_SOCKET, addresses[0], 0},
                            addresses, count, stop);
        break;
    }
    return report_unconnected(options, "connect to", error, false, stop);
}

static int run(const struct client_options *options)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    char reason[OS_ERROR_TEXT];
    size_t count;

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
    const char *error =
        net_resolve(options->host, NET_ANY_FAMILY, options->port, addresses, &count);

    os_stop_ends(OS_STOP_TOLD);
    if (error != NULL)
        return report_unconnected(options, "resolve", error, false, stop);
    if (options->job == CLIENT_LOAD)
        os_raise_descriptor_limit();
    return connect_and_run(options, addresses, count, stop);
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
