/*
 * selector_private: what the parts of the selector share; only selector*.c include it. selector.c
 * keeps the watches, hot ones first. selector_polled.c and selector_announced.c implement one way
 * each to learn that a cold socket is ready. selector_posix.c and selector_win32.c know the layout
 * of an fd_set: a bitmap over descriptors, or an array of sockets.
 */
#ifndef SELECTOR_PRIVATE_H
#define SELECTOR_PRIVATE_H

#include "selector.h"

struct selector_sets;

/* State of SELECTOR_POLLED. Times are in nanoseconds. */
struct polling {
    bool busy;         /* a hot socket is likely to be ready soon */
    uint32_t waits;    /* waits for all sockets, while no hot socket was busy */
    int64_t cost;      /* of a poll of 1,024 sockets; 0: not measured yet */
    int64_t polled_at; /* when cold sockets were last polled */
    int64_t quiet;     /* how long no hot socket has been ready */
};

/* State of SELECTOR_ANNOUNCED. */
struct announcements {
    struct selector_watch watch; /* of the signalfd(2) descriptor */
    int signal;
    int process;       /* that the announcements are sent to */
    int64_t scan_ends; /* 0: no scan is under way */
    bool demoting;     /* not all sockets that were idle in the last scan are armed yet */
};

/*
 * Invariants: watches[i]->index == i, and hot <= poll_end <= count. watches[] holds the hot watches
 * first, then the cold ones. Those from `hot` up to, but not including, `poll_end` are polled by
 * the next select() (SELECTOR_ANNOUNCED), or have been polled in this scan (SELECTOR_POLLED). A
 * watch with `always` set is hot.
 */
struct selector {
    struct selector_watch **watches;
    struct selector_watch **ready; /* found by the last wait; NULL: removed since then */
    size_t hot;
    size_t poll_end;
    size_t count;
    size_t capacity; /* of both arrays */
    size_t ready_count;
    size_t ready_next; /* the first one not returned yet */
    size_t always;     /* number of watches with `always` set */
    uint8_t scan;      /* number of the current scan */
    bool completed;    /* the last select() polled its sockets: it did not fail before that */
    enum selector_way way;
    struct polling polling;
    struct announcements announcements;
    struct selector_sets *sets;
};

/* Swaps a watch with the one at `place`. */
void selector_swap(struct selector *selector, struct selector_watch *watch, size_t place);

/* Makes a watch hot. A new watch is hot, because it was made to be used. */
void selector_promote(struct selector *selector, struct selector_watch *watch);

/* Puts a watch on the ready list, with the events it is ready for. */
void selector_mark_ready(struct selector *selector, struct selector_watch *watch, uint8_t ready);

/* Takes a watch off the ready list; only before the first one is returned. */
void selector_unmark_ready(struct selector *selector, struct selector_watch *watch);

/* Wait among more than SELECTOR_FEW sockets, for at most `timeout` nanoseconds, or for ever if it
 * is negative. They return as selector_wait() does. */
bool polled_wait(struct selector *selector, int64_t timeout);
bool announced_wait(struct selector *selector, int64_t timeout);

/* Sets up the signal queue; selector_create() then adds its watch. Returns false, with nothing to
 * undo, where the system does not support it. */
bool announced_begin(struct announcements *announcements);
void announced_end(const struct announcements *announcements);

/* Adds a cold watch to the next poll. What it is already ready for may not be announced. */
void announced_poll_next(struct selector *selector, struct selector_watch *watch);

/* Makes an armed watch stop announcing its events. */
void announced_disarm(struct selector_watch *watch);

struct selector_sets *selector_sets_create(void);
void selector_sets_destroy(struct selector_sets *sets);

/* Adds a watch, without interest yet; false when memory is refused. `count`: the number of watches
 * including this one. */
bool selector_sets_add(struct selector_sets *sets, struct selector_watch *watch, size_t count);

/* Removes a watch, which has no interest left. */
void selector_sets_remove(struct selector_sets *sets, const struct selector_watch *watch);

/* The watch of a descriptor, or NULL; only where sockets are descriptors. */
struct selector_watch *selector_sets_find(const struct selector_sets *sets, int descriptor);

/* Updates the sets to a watch's new interest. Called before watch->interest is set. */
void selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                          uint8_t interest);

/*
 * Calls select() for the hot watches and for watches[from] up to, but not including, watches[to],
 * none of which is hot. Calls selector_mark_ready() for each one that is ready, and sets
 * `completed`. `timeout` is rounded up to the unit of the system; else as polled_wait().
 */
bool selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout);

#endif
