#include "proxy_sender.h"

static enum proxy_version chosen;

void proxy_sender_use(enum proxy_version version)
{
    chosen = version;
}

struct net_result proxy_sender_connect_result(os_socket s)
{
    struct net_result result = net_connect_result(s);
    struct net_address local, peer;
    char header[PROXY_HEADER_MAX];
    size_t length = 0;

    if (chosen == PROXY_NONE || result.outcome != NET_DONE)
        return result;
    result = net_local_address(s, &local);
    if (result.outcome == NET_DONE)
        result = net_peer_address(s, &peer);
    if (result.outcome == NET_DONE)
        length = proxy_protocol_format(chosen, &local, &peer, header);
    for (size_t sent = 0; sent < length && result.outcome == NET_DONE; sent += result.bytes)
        result = net_send(s, header + sent, length - sent);
    return result;
}
