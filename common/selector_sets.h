/*
 * selector_sets: the system's half of the selector, the fd_sets. Windows has arrays of sockets in
 * them, POSIX bitmaps over descriptors; selector_win32.c and selector_posix.c each implement all of
 * it. Only selector*.c include this.
 */
#ifndef SELECTOR_SETS_H
#define SELECTOR_SETS_H

#include "selector.h"

struct selector_sets;

struct selector {
    /* All: the recent ones, then those that have been looked at in this turn, then those that have
     * not; watches[i]->index == i. */
    struct selector_watch **watches;
    struct selector_watch *
        *ready; /* found by the last wait; NULL where one was removed meanwhile */
    size_t count;
    size_t recent;   /* how many of them have been ready lately, or are always waited for */
    size_t next;     /* the first that has not been looked at in this turn */
    size_t capacity; /* of both arrays */
    size_t ready_count;
    size_t ready_next; /* the first that has not been given out */
    bool busy;         /* somebody recent is likely to be ready soon */
    uint32_t waits;    /* for all, when nobody was busy */
    bool woken;        /* one that was not recent has been found in this turn */
    bool woken_before; /* the same in the last turn */
    int64_t cost;      /* nanoseconds that a look at 1,024 sockets takes; 0: not known yet */
    int64_t looked;    /* when others than recent ones were last looked at */
    int64_t quiet;     /* nanoseconds that recent ones have been waited for in vain */
    struct selector_sets *sets;
};

/* Puts a watch on the ready list, with what it is ready for. */
void selector_found(struct selector *selector, struct selector_watch *watch, uint8_t ready);

struct selector_sets *selector_sets_create(void);
void selector_sets_destroy(struct selector_sets *sets);

/* Makes room for a socket with no interest yet; false when memory is refused. `count`: how many
 * there will be. */
bool selector_sets_reserve(struct selector_sets *sets, os_socket socket, size_t count);

/* Tells the sets that a watch's interest has changed, or that it is being removed (interest
 * SELECTOR_NONE). */
void selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                          uint8_t interest);

/*
 * Calls select() for the recent watches and those from `from` up to, but without, `to`, none of
 * which is recent, and selector_found() for each that is ready; else as selector_wait().
 */
bool selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout);

#endif
