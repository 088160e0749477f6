#include "listeners.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* A port that is free on one address may be taken on another: how often to begin again with port 0.
 */
enum { FREE_PORT_TRIES = 32 };

static bool known(const struct listeners *listeners, const struct net_address *address)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (net_address_equal(&listeners->all[i].address, address))
            return true;
    }
    return false;
}

/* Adds an address to listen on, unless it is there already; false when there is no room for it. */
static bool add(struct listeners *listeners, const struct net_address *address)
{
    if (known(listeners, address))
        return true;
    if (listeners->count == LISTENERS_MAX)
        return false;
    listeners->all[listeners->count++] =
        (struct listener){.watch.socket = OS_NO_SOCKET, .address = *address};
    return true;
}

/* Fills in the addresses of all names; nothing listens yet. */
static bool resolve(struct listeners *listeners, const char *const *names, int name_count,
                    uint16_t port, char note[LISTENERS_ERROR])
{
    struct net_address addresses[NET_RESOLVE_MAX];
    char name[TEXT_NAME];
    size_t found;

    for (int i = 0; i < name_count; i++) {
        const char *error = net_resolve(names[i], port, addresses, &found);

        if (error != NULL) {
            snprintf(note, LISTENERS_ERROR, "cannot resolve --bind '%s': %s",
                     text_name(names[i], name), error);
            return false;
        }
        for (size_t k = 0; k < found; k++) {
            if (!add(listeners, &addresses[k])) {
                snprintf(note, LISTENERS_ERROR,
                         "--bind '%s' is too many: at most %d addresses are taken",
                         text_name(names[i], name), LISTENERS_MAX);
                return false;
            }
        }
    }
    return true;
}

/* Opens one, on the port of the one before it if there is any. */
static struct net_result open_listener(struct listener *listener, uint16_t port)
{
    listener->address.port = port;
    struct net_result result = net_listen(&listener->address, &listener->watch.socket);

    if (result.outcome == NET_DONE)
        result = net_local_address(listener->watch.socket, &listener->address);
    return result;
}

static void close_sockets(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET)
            net_close(listeners->all[i].watch.socket);
        listeners->all[i].watch.socket = OS_NO_SOCKET;
    }
}

void listeners_close(struct listeners *listeners)
{
    close_sockets(listeners);
    listeners->count = 0;
}

/* Forgets the addresses on which nothing listens. */
static void drop_missing(struct listeners *listeners)
{
    size_t kept = 0;

    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET)
            listeners->all[kept++] = listeners->all[i];
    }
    listeners->count = kept;
}

static void note_failure(const struct net_address *address, struct net_result result,
                         char note[LISTENERS_ERROR])
{
    char text[NET_ADDRESS_TEXT];
    char words[OS_ERROR_TEXT];

    snprintf(note, LISTENERS_ERROR, "cannot listen on %s: %s", net_address_text(address, text),
             os_error_text(result.error, words));
}

/* One try at opening them all. On failure the sockets opened so far stay open. */
static bool open_all(struct listeners *listeners, uint16_t port, bool some,
                     char note[LISTENERS_ERROR])
{
    bool any = false;

    note[0] = '\0';
    for (size_t i = 0; i < listeners->count; i++) {
        struct net_result result = open_listener(&listeners->all[i], port);

        if (result.outcome == NET_DONE) {
            port = listeners->all[i].address.port;
            any = true;
            continue;
        }
        note_failure(&listeners->all[i].address, result, note);
        if (result.outcome != NET_UNAVAILABLE || !some)
            return false;
    }
    return any;
}

bool listeners_open(struct listeners *listeners, const char *const *names, int name_count,
                    uint16_t port, bool some, char note[LISTENERS_ERROR])
{
    int tries = FREE_PORT_TRIES;

    listeners->count = 0;
    if (!resolve(listeners, names, name_count, port, note))
        return false;
    while (!open_all(listeners, port, some, note)) {
        /* Only where the system chose a port for the first address may another one do better. */
        bool chosen = port == 0 && listeners->all[0].watch.socket != OS_NO_SOCKET;

        close_sockets(listeners);
        if (!chosen || --tries == 0) {
            listeners->count = 0;
            return false;
        }
    }
    drop_missing(listeners);
    return true;
}
