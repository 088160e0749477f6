#include "source.h"

enum {
    CONNECTIONS = 16384, /* connections from one address before the next one is used */
    ADDRESSES = 250 * 250,
    TRIES = 8 /* addresses to try for one connection */
};

bool source_is_free(const struct net_address *server)
{
    return !server->ipv6 && server->bytes[0] == 127;
}

struct net_result source_connect(struct source *source, const struct net_address *server,
                                 os_socket *s)
{
    uint64_t turn = source->count++ / CONNECTIONS;
    struct net_result result;
    int tries = 0;

    if (source->fixed != NULL || !source_is_free(server))
        return net_connect(server, source->fixed, s);
    do {
        uint64_t which = (turn + source->full) % ADDRESSES;
        struct net_address address = {
            .bytes = {127, 0, (uint8_t)(which / 250), (uint8_t)(which % 250 + 1)}};

        /* The first is 127.0.0.1, which the system chooses by itself. */
        result = net_connect(server, which > 0 ? &address : NULL, s);
        source->full += result.outcome == NET_UNAVAILABLE;
    } while (result.outcome == NET_UNAVAILABLE && ++tries < TRIES);
    return result;
}
