/* client_options: the client's command line. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdint.h>

#include "command_line.h"

struct client_options {
    const char *host;
    uint16_t port;
    const char *eol;         /* what ends a line that was typed: "\n", "\r\n" or "" */
    int64_t connect_timeout; /* milliseconds, for all addresses together */
};

enum command_line_verdict client_options_parse(int argc, char **argv,
                                               struct client_options *options);

#endif
