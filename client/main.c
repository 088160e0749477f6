#include <stdio.h>
#include <stdlib.h>

#include "client_options.h"
#include "connector.h"
#include "os.h"
#include "session.h"

enum { EXIT_INTERRUPTED = 130 }; /* as shells say of a program that SIGINT ended */

static int session(const struct client_options *options, os_socket s,
                   const struct net_address *peer, os_socket stop)
{
    switch (session_run(s, peer, options->eol, stop)) {
    case SESSION_FINISHED:
        return EXIT_SUCCESS;
    case SESSION_FAILED:
        return EXIT_FAILURE;
    case SESSION_INTERRUPTED:
        return EXIT_INTERRUPTED;
    }
    return EXIT_FAILURE;
}

static int connect_and_run(const struct client_options *options,
                           const struct net_address *addresses, size_t count, os_socket stop)
{
    struct net_address peer;
    char error[CONNECTOR_ERROR];
    os_socket s;
    int status;

    switch (connector_connect(addresses, count, options->connect_timeout, stop, &s, &peer, error)) {
    case CONNECTOR_CONNECTED:
        status = session(options, s, &peer, stop);
        net_close(s);
        return status;
    case CONNECTOR_FAILED:
        fprintf(stderr, "echo-client: cannot connect to '%s': %s\n", options->host, error);
        return EXIT_FAILURE;
    case CONNECTOR_STOPPED:
        return EXIT_INTERRUPTED;
    }
    return EXIT_FAILURE;
}

static int run(const struct client_options *options)
{
    struct net_address addresses[NET_RESOLVE_MAX];
    char words[OS_ERROR_TEXT];
    size_t count;
    const char *error = net_resolve(options->host, options->port, addresses, &count);

    if (error != NULL) {
        fprintf(stderr, "echo-client: cannot resolve '%s': %s\n", options->host, error);
        return EXIT_FAILURE;
    }
    /* Only now: the name service is waited for, and Ctrl-C has to end that at once. */
    os_socket stop = os_stop_open();

    if (stop == OS_NO_SOCKET) {
        fprintf(stderr, "echo-client: cannot watch for Ctrl-C: %s\n",
                os_error_text(os_socket_error(), words));
        return EXIT_FAILURE;
    }
    int status = connect_and_run(options, addresses, count, stop);

    os_stop_close();
    return status;
}

int main(int argc, char **argv)
{
    struct client_options options;
    char words[OS_ERROR_TEXT];

    switch (client_options_parse(argc, argv, &options)) {
    case COMMAND_LINE_SHOWN:
        if (fflush(stdout) == 0)
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
        fprintf(stderr, "echo-client: cannot start: %s\n", os_error_text(error, words));
        return EXIT_FAILURE;
    }
    int status = run(&options);

    os_finish();
    return status;
}
