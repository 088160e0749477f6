/*
 * proxy_sender: lets the client play a proxy (--proxy-protocol). Each connection begins with a
 * header that names its own two ends.
 */
#ifndef PROXY_SENDER_H
#define PROXY_SENDER_H

#include "net.h"
#include "proxy_protocol.h"

/* Chooses the header of all connections that are made from now on. PROXY_NONE, as at the start:
 * there is none. */
void proxy_sender_use(enum proxy_version version);

/*
 * As net_connect_result(), and sends the header on a connection that is made. The system takes all
 * of it, because nothing waits there to be sent yet (proxy-protocol.txt, 2). If it does not, the
 * connection counts as failed, so that nothing can follow half a header.
 */
struct net_result proxy_sender_connect_result(os_socket s);

#endif
