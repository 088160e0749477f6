#include "sets.h"

/* An fd_set is a count and an array of sockets. select() reads as many as the count says, so a
 * longer array will do. FD_SET cannot be used: it drops sockets beyond FD_SETSIZE, and without a
 * word. It also searches the array for each socket that it adds. */
struct set {
    u_int count;
    SOCKET sockets[];
};

static struct set *readable, *writable;
static unsigned capacity; /* of each of them */

static struct set *widen(struct set *set, unsigned needed)
{
    struct set *wider = realloc(set, sizeof *set + needed * sizeof(SOCKET));

    if (wider != NULL && set == NULL)
        wider->count = 0;
    return wider;
}

bool sets_reserve(socket_type s, unsigned count)
{
    unsigned needed = 2 * (count + 1);
    struct set *wider;

    (void)s;
    if (count < capacity)
        return true;
    wider = widen(readable, needed);
    if (wider == NULL)
        return false;
    readable = wider;
    wider = widen(writable, needed);
    if (wider == NULL)
        return false;
    writable = wider;
    capacity = needed;
    return true;
}

void sets_clear(void)
{
    readable->count = writable->count = 0;
}

void sets_add(socket_type s, bool read, bool write)
{
    if (read)
        readable->sockets[readable->count++] = s;
    if (write)
        writable->sockets[writable->count++] = s;
}

/* An empty set is a NULL here. If both are empty, select() fails with WSAEINVAL. */
static fd_set *not_empty(struct set *set)
{
    return set->count > 0 ? (fd_set *)(void *)set : NULL;
}

int sets_wait(struct timeval *timeout)
{
    int ready = select(0, not_empty(readable), not_empty(writable), NULL, timeout);

    if (ready <= 0)
        sets_clear();
    return ready;
}

/* Only those that are ready are left in a set. When many are, this search costs what FD_SET would.
 */
static bool has(const struct set *set, SOCKET s)
{
    for (u_int i = 0; i < set->count; i++)
        if (set->sockets[i] == s)
            return true;
    return false;
}

bool sets_readable(socket_type s)
{
    return has(readable, s);
}

bool sets_writable(socket_type s)
{
    return has(writable, s);
}
