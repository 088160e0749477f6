#include <stdio.h>
#include <stdlib.h>

#include "command_line.h"
#include "deadline.h"
#include "listeners.h"
#include "os.h"
#include "selector.h"
#include "server.h"
#include "server_options.h"

/* How long a port that is in use is tried for, and how often. */
static const int64_t REBIND_FOR = SECONDS(2);
static const int64_t REBIND_INTERVAL = MILLISECONDS(100);

static int refuse(const char *what)
{
    /* Nobody may read the message: then a request to stop ends us. */
    os_stop_ends(EXIT_FAILURE);
    fprintf(stderr, "echo-server: %s\n", what);
    return EXIT_FAILURE;
}

static int refuse_start(const char *what, int error)
{
    char words[OS_ERROR_TEXT];
    char message[OS_ERROR_TEXT + 64];

    snprintf(message, sizeof message, "%s: %s", what, os_error_text(error, words));
    return refuse(message);
}

static int serve(const struct server_options *options, struct listeners *listeners, os_socket stop)
{
    enum server_status status;
    struct server *server = server_create(options, listeners, stop);

    if (server == NULL)
        return refuse("out of memory");
    do {
        status = server_step(server, DEADLINE_NEVER);
    } while (status == SERVER_RUNNING);
    server_destroy(server);
    /* Requests to stop stay ours to the end: one that comes now must not change the exit status. */
    return status == SERVER_STOPPED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Before the loop, as the name service is waited for: a request to stop ends the process. */
static void wait_a_moment(void)
{
    struct selector *nothing = selector_create(SELECTOR_ALL);

    if (nothing != NULL)
        selector_wait(nothing, os_nanoseconds() + REBIND_INTERVAL);
    selector_destroy(nothing);
}

/*
 * As listeners_open(). Sources disagree whether Windows lets a port be bound at once whose last
 * connections are not forgotten yet; so one that is in use there is tried again for a moment.
 */
static bool listen_on_all(const struct server_options *options, struct listeners *listeners,
                          char note[LISTENERS_ERROR])
{
    int64_t deadline = os_nanoseconds() + REBIND_FOR;
    bool reported = false;

    while (!listeners_open(listeners, options->binds, options->bind_count, options->port,
                           options->default_binds, note)) {
        if (!listeners->in_use || os_nanoseconds() >= deadline)
            return false;
        if (!reported)
            fprintf(stderr, "echo-server: note: %s; trying again for 2 seconds\n", note);
        reported = true;
        wait_a_moment();
    }
    return true;
}

static int run(const struct server_options *options)
{
    struct listeners listeners;
    char note[LISTENERS_ERROR];

    /* What comes before the loop may take its time, in the name service or on a terminal. */
    os_stop_ends(EXIT_SUCCESS);
    os_socket stop = os_stop_open();

    if (stop == OS_NO_SOCKET)
        return refuse_start("cannot watch for requests to stop", os_socket_error());
    if (!listen_on_all(options, &listeners, note))
        return refuse(note);
    if (note[0] != '\0')
        fprintf(stderr, "echo-server: note: %s\n", note);
    const char *half = listeners_missing_half(&listeners);

    if (half != NULL && options->log_level != LOG_FAILURES)
        fprintf(stderr, "echo-server: note: %s\n", half);
    /* Nothing waits from here on but the loop; and whoever reads where we listen may stop us. */
    os_stop_ends(OS_STOP_TOLD);
    return serve(options, &listeners, stop);
}

int main(int argc, char **argv)
{
    struct server_options options;

    switch (server_options_parse(argc, argv, &options)) {
    case COMMAND_LINE_SHOWN:
        return fflush(stdout) == 0 ? EXIT_SUCCESS : refuse("cannot write to standard output");
    case COMMAND_LINE_WRONG:
        return COMMAND_LINE_USAGE;
    case COMMAND_LINE_RUN:
        break;
    }
    int error = os_start();

    if (error != 0)
        return refuse_start("cannot start", error);
    int status = run(&options);

    os_finish();
    return status;
}
