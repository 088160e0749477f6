/* server_options: the server's command line. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command_line.h"
#include "log.h"
#include "protocol.h"
#include "selector.h"

enum { SERVER_OPTIONS_BINDS = 64 }; /* --bind options that one command line may have */

struct server_options {
    const char *binds[SERVER_OPTIONS_BINDS]; /* as given; 127.0.0.1 and ::1 when none was */
    int bind_count;
    bool default_binds; /* then one of the two may be missing on this machine */
    uint16_t port;      /* 0: any free one */
    struct protocol_rules rules;
    uint64_t max_clients;  /* UINT64_MAX: as many as the system allows */
    int64_t idle_timeout;  /* nanoseconds; 0: none */
    int64_t drain_timeout; /* nanoseconds */
    enum selector_way way; /* SELECTOR_ANNOUNCED: where the system can */
    enum log_level log_level;
    bool no_log_empty; /* connections that never sent a byte are left out of the log */
};

enum command_line_verdict server_options_parse(int argc, char **argv,
                                               struct server_options *options);

#endif
