/*
 * session: the connection used by a person or by a pipe: what comes from stdin goes to the server,
 * what comes from the server goes to stdout, both at once, with never more than two pieces of each
 * in memory.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>

#include "dialogue.h"
#include "net.h"

enum session_end {
    SESSION_FINISHED, /* the server has ended after everything that was read from stdin was sent */
    SESSION_FAILED,   /* a line on stderr says why */
    SESSION_INTERRUPTED /* by a request to stop */
};

/*
 * Runs until the server ends, the connection is lost, or `stop`, the socket of os_stop_open(),
 * becomes readable. `s` is connected to `peer` and stays the caller's. The options concern a person
 * at a terminal; what comes from a pipe or a file is sent, and what arrives is written, as it is.
 */
enum session_end session_run(os_socket s, const struct net_address *peer,
                             const struct dialogue_options *options, os_socket stop);

#endif
