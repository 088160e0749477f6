/*
 * session: connects stdin and stdout to the server, for a person at a terminal or for a pipe. Both
 * directions are served at the same time, and each ends independently of the other. At most two
 * pieces of 64 KiB of each direction are kept in memory, or three with `--eol crlf`, so a slow
 * reader slows down the sender.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "connector.h"
#include "dialogue.h"

enum session_end {
    SESSION_FINISHED,   /* all input was sent, and both directions have ended */
    SESSION_FAILED,     /* a line on stderr says why, and how much was sent and received */
    SESSION_INTERRUPTED /* a request to stop ended it */
};

struct session_options {
    struct dialogue_options dialogue;
    int64_t quit_after;     /* nanoseconds that the server may be silent after the end of the input;
                               0: no limit */
    bool until_server_ends; /* the end of the server's stream also ends the input */
};

/*
 * Runs until both directions have ended, the connection is lost, or `stop`, the socket of
 * os_stop_open(), becomes readable. Takes ownership of the connection's socket. If stdin and stdout
 * are terminals, received data and the session's own messages are displayed on the screen.
 * Otherwise received data is written to stdout, unchanged unless a dump or timestamps are wanted,
 * and messages go to stderr.
 */
enum session_end session_run(const struct session_options *options,
                             const struct connector_connection *connection, os_socket stop);

#endif
