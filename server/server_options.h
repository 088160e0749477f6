/* server_options: the server's command line. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command_line.h"
#include "impairment.h"
#include "log.h"
#include "net.h"
#include "protocol.h"
#include "selector.h"

enum {
    SERVER_OPTIONS_BINDS = 64, /* --bind options of one command line, at most */
    SERVER_OPTIONS_PORTS = 64, /* ports, at most */
    SERVER_OPTIONS_TEXT = 1024 /* bytes of a greeting or prefix, at most */
};

struct server_options {
    const char *binds[SERVER_OPTIONS_BINDS]; /* as given; default: 127.0.0.1 and ::1 */
    int bind_count;
    bool default_binds; /* the default is used: one of the two may be missing on this machine */
    const char *ports[SERVER_OPTIONS_PORTS]; /* for net_port(); 0: any free port; default: 9901 */
    int port_count;
    bool default_ports;          /* the default is used */
    struct protocol_rules rules; /* the prefix may point into `argv` */
    struct span greeting;        /* of each client, into `argv`; no bytes: none */
    uint64_t max_clients;        /* UINT64_MAX: no limit */
    uint64_t max_per_address;    /* 0: no limit */
    int64_t idle_timeout;        /* nanoseconds; 0: none */
    int64_t stall_timeout;       /* nanoseconds; 0: none */
    uint64_t keep_alive;         /* for net_keep_alive() */
    int64_t drain_timeout;       /* nanoseconds */
    enum selector_way way;       /* SELECTOR_ANNOUNCED: where the system supports it */
    struct impairment_rules impairments;
    int64_t accept_delay; /* nanoseconds; 0: none */
    enum log_level log_level;
    bool proxy_protocol; /* each connection begins with a header of the PROXY protocol */
    bool no_log_empty;   /* do not log connections that never sent a byte */
};

/* All that the command line can say. */
extern const struct command_line_program server_program;

enum command_line_verdict server_options_parse(int argc, char **argv,
                                               struct server_options *options);

#endif
