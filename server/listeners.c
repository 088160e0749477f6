#include "listeners.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* A port that is free on one address may be taken on another. This is how often to start again with
 * each port 0. */
enum { FREE_PORT_TRIES = 32 };

/* Fills in the addresses of all names; one with two names is in the list twice. Nothing listens
 * yet, and no address has its port. With `some`, all count as addresses of one name. */
static bool resolve(struct listeners *listeners, const char *const *names, int name_count,
                    bool some, char note[LISTENERS_ERROR])
{
    struct net_address addresses[NET_RESOLVE_MAX];
    char name[TEXT_NAME];
    size_t found;

    for (int i = 0; i < name_count; i++) {
        const char *error = net_resolve(names[i], NET_ANY_FAMILY, 0, addresses, &found);

        if (error != NULL) {
            snprintf(note, LISTENERS_ERROR, "cannot resolve --bind '%s': %s",
                     text_name(names[i], name), error);
            return false;
        }
        for (size_t k = 0; k < found; k++) {
            if (listeners->count == LISTENERS_MAX) {
                snprintf(note, LISTENERS_ERROR,
                         "--bind '%s' is too many: at most %d addresses are taken",
                         text_name(names[i], name), LISTENERS_MAX);
                return false;
            }
            listeners->all[listeners->count++] = (struct listener){
                .watch.socket = OS_NO_SOCKET, .address = addresses[k], .name = some ? 0 : i};
        }
    }
    return true;
}

/* Appends the addresses once more for each further port. */
static bool repeat(struct listeners *listeners, int port_count, char note[LISTENERS_ERROR])
{
    size_t addresses = listeners->count;

    if (addresses * (size_t)port_count > LISTENERS_MAX) {
        snprintf(note, LISTENERS_ERROR,
                 "%d addresses with %d ports each are too many: at most %d sockets listen",
                 (int)addresses, port_count, LISTENERS_MAX);
        return false;
    }
    for (; listeners->count < addresses * (size_t)port_count; listeners->count++)
        listeners->all[listeners->count] = listeners->all[listeners->count - addresses];
    return true;
}

/* Whether a socket listens on an address, under any name. */
static bool is_listening_on(const struct listeners *listeners, const struct net_address *address)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET &&
            net_address_equal(&listeners->all[i].address, address))
            return true;
    }
    return false;
}

/* The listeners of one port: those from `first` on, up to `end`. */
struct group {
    size_t first;
    size_t end;
};

/* Whether the listener at `place` may fail: another address of its name is listened on, or will be
 * tried. Within a group, the addresses of one name are contiguous. */
static bool is_optional(const struct listeners *listeners, struct group group, size_t place)
{
    int name = listeners->all[place].name;

    if (place + 1 < group.end && listeners->all[place + 1].name == name)
        return true;
    for (size_t i = group.first; i < place; i++) {
        if (listeners->all[i].name == name &&
            is_listening_on(listeners, &listeners->all[i].address))
            return true;
    }
    return false;
}

/* Opens one listener, and stores the port that it is bound to. */
static struct net_result open_listener(struct listener *listener)
{
    struct net_result result = net_listen(&listener->address, &listener->watch.socket);

    if (result.outcome == NET_DONE)
        result = net_local_address(listener->watch.socket, &listener->address);
    return result;
}

static bool any_listening(const struct listeners *listeners, struct group group)
{
    for (size_t i = group.first; i < group.end; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET)
            return true;
    }
    return false;
}

static void close_sockets(struct listeners *listeners, struct group group)
{
    for (size_t i = group.first; i < group.end; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET)
            net_close(listeners->all[i].watch.socket);
        listeners->all[i].watch.socket = OS_NO_SOCKET;
    }
}

void listeners_close(struct listeners *listeners)
{
    close_sockets(listeners, (struct group){0, listeners->count});
    listeners->count = 0;
}

/* Removes the addresses on which nothing listens. */
static void drop_unopened(struct listeners *listeners)
{
    size_t kept = 0;

    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->all[i].watch.socket != OS_NO_SOCKET)
            listeners->all[kept++] = listeners->all[i];
    }
    listeners->count = kept;
}

/* Appends to the note. */
static void add_note(char note[LISTENERS_ERROR], const char *text)
{
    size_t length = strlen(note);

    snprintf(note + length, LISTENERS_ERROR - length, "%s%s", length > 0 ? "; " : "", text);
}

static void note_failure(const struct net_address *address, struct net_result result,
                         char note[LISTENERS_ERROR])
{
    char text[NET_ADDRESS_TEXT];
    char words[OS_ERROR_TEXT];
    char failure[LISTENERS_ERROR];

    snprintf(failure, sizeof failure, "cannot listen on %s: %s%s", net_address_text(address, text),
             os_error_text(result.error, words), os_bind_advice(result.error));
    add_note(note, failure);
}

/* Tries once to open the listeners of a group. On failure the sockets opened so far stay open. */
static bool open_once(struct listeners *listeners, struct group group, uint16_t port,
                      char note[LISTENERS_ERROR])
{
    for (size_t i = group.first; i < group.end; i++) {
        struct listener *listener = &listeners->all[i];

        listener->address.port = port;
        if (is_listening_on(listeners, &listener->address))
            continue;
        struct net_result result = open_listener(listener);

        if (result.outcome == NET_DONE) {
            port = listener->address.port;
            continue;
        }
        bool optional = result.outcome == NET_UNAVAILABLE && is_optional(listeners, group, i);

        if (!optional)
            note[0] = '\0';
        note_failure(&listener->address, result, note);
        if (!optional) {
            listeners->in_use = os_error_kind(result.error) == OS_ERROR_IN_USE;
            return false;
        }
    }
    return true;
}

/* Opens the listeners of a group on their port. */
static bool open_group(struct listeners *listeners, struct group group, uint16_t port,
                       char note[LISTENERS_ERROR])
{
    char before[LISTENERS_ERROR];

    memcpy(before, note, sizeof before);
    for (int tries = FREE_PORT_TRIES; !open_once(listeners, group, port, note);) {
        /* Another try can help only if the system chose a port for an earlier address. */
        bool port_was_chosen = port == 0 && any_listening(listeners, group);

        if (!port_was_chosen || --tries == 0)
            return false;
        close_sockets(listeners, group);
        memcpy(note, before, sizeof before);
    }
    return true;
}

/* Those that take any free port come last, so that none of them takes one that was asked for. */
static bool open_all(struct listeners *listeners, const uint16_t *ports, int port_count,
                     char note[LISTENERS_ERROR])
{
    size_t addresses = listeners->count / (size_t)port_count;

    for (int any = 0; any < 2; any++) {
        for (size_t i = 0; i < (size_t)port_count; i++) {
            struct group group = {i * addresses, (i + 1) * addresses};

            if ((ports[i] == 0) == (any == 1) && !open_group(listeners, group, ports[i], note))
                return false;
        }
    }
    return true;
}

const char *listeners_missing_half(const struct listeners *listeners)
{
    static const struct net_address nothing;
    bool wildcard[2] = {false, false}; /* index: whether it is IPv6 */

    for (size_t i = 0; i < listeners->count; i++) {
        const struct net_address *address = &listeners->all[i].address;

        if (memcmp(address->bytes, nothing.bytes, sizeof nothing.bytes) == 0)
            wildcard[address->ipv6] = true;
    }
    if (wildcard[true] && !wildcard[false])
        return ":: takes IPv6 clients only; --bind 0.0.0.0 takes those of IPv4";
    if (wildcard[false] && !wildcard[true])
        return "0.0.0.0 takes IPv4 clients only; --bind :: takes those of IPv6";
    return NULL;
}

bool listeners_open(struct listeners *listeners, const char *const *names, int name_count,
                    const uint16_t *ports, int port_count, bool some, char note[LISTENERS_ERROR])
{
    listeners->count = 0;
    listeners->in_use = false;
    memset(note, 0, LISTENERS_ERROR);
    if (!resolve(listeners, names, name_count, some, note) ||
        !repeat(listeners, port_count, note) || !open_all(listeners, ports, port_count, note)) {
        listeners_close(listeners);
        return false;
    }
    drop_unopened(listeners);
    return true;
}
