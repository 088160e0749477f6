/*
 * session: the connection used by a person or by a pipe: what comes from stdin goes to the server,
 * what comes from the server goes to stdout, both at once, with never more than two pieces of each
 * in memory. The two directions end each for itself.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

#include "connector.h"
#include "dialogue.h"

enum session_end {
    SESSION_FINISHED,   /* both sides have ended, after everything that was read from stdin was sent
                         */
    SESSION_FAILED,     /* a line on stderr says why, and how much was sent and received */
    SESSION_INTERRUPTED /* by a request to stop */
};

struct session_options {
    struct dialogue_options dialogue;
    bool until_server_ends; /* the end of the server's stream is the end of our input, too */
};

/*
 * Runs until both directions have ended, the connection is lost, or `stop`, the socket of
 * os_stop_open(), becomes readable. The connection's socket is owned from now on. At a terminal
 * (stdin and stdout are one) there is a dialogue, with messages of the session's own; else what
 * arrives is written as it is, unless a dump or times are wanted, and messages go to stderr.
 */
enum session_end session_run(const struct session_options *options,
                             const struct connector_connection *connection, os_socket stop);

#endif
