/* client_options: the client's command line. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command_line.h"
#include "measure/load.h"
#include "measure/ping.h"
#include "net.h"
#include "proxy_protocol.h"
#include "session/session.h"

enum client_job { CLIENT_SESSION, CLIENT_PING, CLIENT_LOAD };

struct client_options {
    enum client_job job;
    const char *host;   /* NULL: the loopback address of the family */
    const char *port;   /* for net_port() */
    const char *source; /* local address of the connections: an address or name; NULL: any */
    enum net_family family;
    int64_t connect_timeout;          /* nanoseconds, for all addresses together */
    uint64_t keep_alive;              /* for net_keep_alive() */
    enum proxy_version proxy_version; /* for proxy_sender_use() */
    struct session_options session;
    struct ping_options ping;
    struct load_options load;
    bool json; /* the report is a JSON object */
};

/* All that the command line can say. */
extern const struct command_line_program client_program;

/* Parses the command line. Returns what the program has to do next; COMMAND_LINE_RUN: `options` is
 * filled in; its texts may point into `argv`. */
enum command_line_verdict client_options_parse(int argc, char **argv,
                                               struct client_options *options);

#endif
