#include <winsock2.h>

#include <stdlib.h>

#include "selector_private.h"

/*
 * On Windows an fd_set is a count and an array of sockets, not a bitmap. A longer array works as
 * well: Winsock reads fd_count, not FD_SETSIZE. The array is filled directly, because FD_SET
 * searches the whole array for each socket it adds, and silently drops those past FD_SETSIZE.
 */
struct socket_set {
    u_int count;
    SOCKET sockets[];
};

/* The sets are filled for each wait from the selector's watches, so no interest is kept here. */
struct selector_sets {
    size_t capacity;         /* of each set */
    struct socket_set *read; /* owns the allocation of all three sets */
    struct socket_set *write;
    struct socket_set *failed; /* exceptfds: a failed connect shows only here */
};

struct selector_sets *selector_sets_create(void)
{
    return calloc(1, sizeof(struct selector_sets));
}

void selector_sets_destroy(struct selector_sets *sets)
{
    free(sets->read);
    free(sets);
}

bool selector_sets_add(struct selector_sets *sets, struct selector_watch *watch, size_t count)
{
    size_t capacity = sets->capacity > 0 ? sets->capacity : 16;

    (void)watch;
    while (capacity < count)
        capacity *= 2;
    if (capacity == sets->capacity)
        return true;
    size_t size = sizeof(struct socket_set) + capacity * sizeof(SOCKET);
    char *memory = malloc(3 * size);
    if (memory == NULL)
        return false;
    free(sets->read);
    sets->capacity = capacity;
    sets->read = (struct socket_set *)(void *)memory;
    sets->write = (struct socket_set *)(void *)(memory + size);
    sets->failed = (struct socket_set *)(void *)(memory + 2 * size);
    return true;
}

void selector_sets_remove(struct selector_sets *sets, const struct selector_watch *watch)
{
    (void)sets;
    (void)watch;
}

void selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                          uint8_t interest)
{
    (void)sets;
    (void)watch;
    (void)interest;
}

/* Adds the interest of watches[from] up to watches[to]. */
static void add_interest(struct selector *selector, size_t from, size_t to)
{
    struct selector_sets *sets = selector->sets;

    for (size_t i = from; i < to; i++) {
        const struct selector_watch *watch = selector->watches[i];

        if (watch->interest & SELECTOR_READ)
            sets->read->sockets[sets->read->count++] = watch->socket;
        if (watch->interest & SELECTOR_WRITE) {
            sets->write->sockets[sets->write->count++] = watch->socket;
            sets->failed->sockets[sets->failed->count++] = watch->socket;
        }
    }
}

/*
 * Finds the watches of the sockets that select() has left in a set: hot ones, or watches[from] up
 * to watches[to]. Both are in the same order in practice, so one pass finds all of them. That order
 * is not documented, so the search wraps around and gives up only after a full turn.
 */
static void collect(struct selector *selector, size_t from, size_t to, const struct socket_set *set,
                    uint8_t ready)
{
    size_t count = selector->hot + to - from;
    size_t place = 0;

    for (u_int i = 0; i < set->count; i++) {
        for (size_t tried = 0; tried < count; tried++) {
            struct selector_watch *watch =
                selector->watches[place < selector->hot ? place : place - selector->hot + from];

            place = place + 1 < count ? place + 1 : 0;
            if (watch->socket == set->sockets[i]) {
                selector_mark_ready(selector, watch, ready & watch->interest);
                break;
            }
        }
    }
}

/* Winsock requires that a set has a socket in it (select()); an empty one is left out. */
static fd_set *set_or_null(struct socket_set *set)
{
    return set->count > 0 ? (fd_set *)(void *)set : NULL;
}

bool selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout)
{
    struct selector_sets *sets = selector->sets;
    int64_t microseconds =
        (timeout + 999) / 1000; /* rounded up: waking early would mean waiting twice */
    struct timeval limit = {.tv_sec = (long)(microseconds / 1000000),
                            .tv_usec = (long)(microseconds % 1000000)};
    bool none = selector->count == 0; /* then there are no sets either */

    selector->completed = true;
    if (!none) {
        sets->read->count = sets->write->count = sets->failed->count = 0;
        add_interest(selector, 0, selector->hot);
        add_interest(selector, from, to);
        none = sets->read->count == 0 && sets->write->count == 0;
    }
    /* Without any socket, select() fails (WSAEINVAL) where it should wait. */
    if (none) {
        Sleep(timeout < 0 ? INFINITE : (DWORD)((timeout + MILLISECONDS(1) - 1) / MILLISECONDS(1)));
        return true;
    }
    int found = select(0, set_or_null(sets->read), set_or_null(sets->write),
                       set_or_null(sets->failed), timeout < 0 ? NULL : &limit);

    if (found > 0) {
        collect(selector, from, to, sets->read, SELECTOR_READ);
        collect(selector, from, to, sets->write, SELECTOR_WRITE);
        collect(selector, from, to, sets->failed, SELECTOR_READ | SELECTOR_WRITE);
    }
    return found >= 0;
}
