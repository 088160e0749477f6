#include <stdio.h>
#include <stdlib.h>

#include "command_line.h"
#include "deadline.h"
#include "listeners.h"
#include "net.h"
#include "os.h"
#include "selector.h"
#include "server.h"
#include "server_options.h"
#include "text.h"

/* For how long, and how often, to try a port that is in use. */
static const int64_t REBIND_TIMEOUT = SECONDS(2);
static const int64_t REBIND_INTERVAL = MILLISECONDS(100);

static int report_failure(const char *what)
{
    /* If stderr is not read, the message blocks: then a request to stop ends the process. */
    os_stop_ends(EXIT_FAILURE);
    fprintf(stderr, "echo-server: %s\n", what);
    return EXIT_FAILURE;
}

static int report_start_failure(const char *what, int error)
{
    char words[OS_ERROR_TEXT];
    char message[OS_ERROR_TEXT + 64];

    snprintf(message, sizeof message, "%s: %s", what, os_error_text(error, words));
    return report_failure(message);
}

static int serve(const struct server_options *options, struct listeners *listeners, os_socket stop)
{
    enum server_status status;
    struct server *server = server_create(options, listeners, stop);

    if (server == NULL)
        return report_failure("out of memory");
    do {
        status = server_step(server, DEADLINE_NEVER);
    } while (status == SERVER_RUNNING);
    server_destroy(server);
    /* Requests to stop are still handled: one that arrives now must not change the exit status. */
    return status == SERVER_STOPPED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Still before the loop: a request to stop ends the process, as it does during name resolution. */
static void wait_rebind_interval(void)
{
    struct selector *empty = selector_create(SELECTOR_ALL);

    if (empty != NULL)
        selector_wait(empty, os_nanoseconds() + REBIND_INTERVAL);
    selector_destroy(empty);
}

/* Looks up the ports whose services are named. */
static bool find_ports(const struct server_options *options, uint16_t ports[SERVER_OPTIONS_PORTS],
                       char note[LISTENERS_ERROR])
{
    char name[TEXT_NAME];

    for (int i = 0; i < options->port_count; i++) {
        if (net_port(options->ports[i], &ports[i]))
            continue;
        snprintf(note, LISTENERS_ERROR,
                 "--port '%s' is no known service; give the number of its port",
                 text_name(options->ports[i], name));
        return false;
    }
    return true;
}

/*
 * As listeners_open(). Sources disagree on whether Windows lets a program bind a port while its
 * last connections are still remembered. So a port that is in use there is tried again for a while.
 */
static bool listen_on_all(const struct server_options *options, struct listeners *listeners,
                          char note[LISTENERS_ERROR])
{
    int64_t deadline = os_nanoseconds() + REBIND_TIMEOUT;
    uint16_t ports[SERVER_OPTIONS_PORTS];
    bool reported = false;

    if (!find_ports(options, ports, note))
        return false;
    while (!listeners_open(listeners, options->binds, options->bind_count, ports,
                           options->port_count, options->default_binds, note)) {
        if (!listeners->in_use || os_nanoseconds() >= deadline)
            return false;
        if (!reported)
            fprintf(stderr, "echo-server: note: %s; trying again for 2 seconds\n", note);
        reported = true;
        wait_rebind_interval();
    }
    return true;
}

/* Opens what the command line asks for, and tells the user what is missing. */
static bool open_listeners(const struct server_options *options, struct listeners *listeners)
{
    char note[LISTENERS_ERROR];

    if (!listen_on_all(options, listeners, note)) {
        report_failure(note);
        return false;
    }
    if (note[0] != '\0')
        fprintf(stderr, "echo-server: note: %s\n", note);
    const char *half = listeners_missing_half(listeners);

    if (half != NULL && options->log_level != LOG_FAILURES)
        fprintf(stderr, "echo-server: note: %s\n", half);
    return true;
}

static int run(const struct server_options *options)
{
    struct listeners listeners;
    char note[LISTENERS_ERROR];

    net_keep_alive(options->keep_alive);
    /* What comes before the loop may block, in the name service or on a terminal. */
    os_stop_ends(EXIT_SUCCESS);
    /* Before anything is opened, which might take the number of a socket that was not passed. */
    if (!listeners_inherit(&listeners, note)) {
        report_failure(note);
        return COMMAND_LINE_USAGE;
    }
    os_socket stop = os_stop_open();

    if (stop == OS_NO_SOCKET)
        return report_start_failure("cannot watch for requests to stop", os_socket_error());
    if (listeners.count > 0 && !(options->default_binds && options->default_ports)) {
        report_failure("--port and --bind do not go with the sockets that LISTEN_FDS passes");
        return COMMAND_LINE_USAGE;
    }
    if (listeners.count == 0 && !open_listeners(options, &listeners))
        return EXIT_FAILURE;
    /* From here on only the loop waits. A program that reads the listening addresses may stop the
     * server. */
    os_stop_ends(OS_STOP_TOLD);
    return serve(options, &listeners, stop);
}

int main(int argc, char **argv)
{
    struct server_options options;

    switch (server_options_parse(argc, argv, &options)) {
    case COMMAND_LINE_SHOWN:
        return command_line_flush() ? EXIT_SUCCESS
                                    : report_failure("cannot write to standard output");
    case COMMAND_LINE_WRONG:
        return COMMAND_LINE_USAGE;
    case COMMAND_LINE_RUN:
        break;
    }
    int error = os_start();

    if (error != 0)
        return report_start_failure("cannot start", error);
    int status = run(&options);

    os_finish();
    return status;
}
