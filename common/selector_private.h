/*
 * selector_private: what the parts of the selector share; only selector*.c include it. selector.c
 * keeps the watches, hot ones first. selector_polled.c and selector_announced.c each know one way
 * to learn that a cold socket is ready. selector_posix.c and selector_win32.c know what an fd_set
 * is: a bitmap over descriptors, or an array of sockets.
 */
#ifndef SELECTOR_PRIVATE_H
#define SELECTOR_PRIVATE_H

#include "selector.h"

struct selector_sets;

/* What SELECTOR_POLLED remembers. Times are in nanoseconds. */
struct polling {
    bool busy;      /* a hot socket is likely to be ready soon */
    uint32_t waits; /* for all, when none was busy */
    int64_t cost;   /* of a poll of 1,024 sockets; 0: not known yet */
    int64_t polled; /* when cold ones were last polled */
    int64_t quiet;  /* for how long hot ones have been waited for in vain */
};

/* And SELECTOR_ANNOUNCED. */
struct announcements {
    struct selector_watch watch; /* of the descriptor that the signals are read from */
    int signal;
    int process;       /* that the announcements are sent to */
    int64_t scan_ends; /* 0: no scan is under way */
    bool demoting;     /* not all sockets that were idle in the last scan are armed yet */
};

/*
 * watches[i]->index == i. The hot ones come first, then those that are cold but asked: by the next
 * select() (SELECTOR_ANNOUNCED), or already in this scan (SELECTOR_POLLED); then the rest.
 * hot <= asked <= count.
 */
struct selector {
    struct selector_watch **watches;
    struct selector_watch *
        *ready; /* found by the last wait; NULL where one was removed meanwhile */
    size_t hot;
    size_t asked;
    size_t count;
    size_t capacity; /* of both arrays */
    size_t ready_count;
    size_t ready_next; /* the first that has not been given out */
    size_t always;     /* how many of the hot ones stay hot */
    uint8_t scan;      /* the number of the scan under way */
    bool polled;       /* the last select() has polled its sockets: it did not fail before that */
    enum selector_way way;
    struct polling polling;
    struct announcements announcements;
    struct selector_sets *sets;
};

/* Swaps a watch with the one at `place`. */
void selector_swap(struct selector *selector, struct selector_watch *watch, size_t place);

/* A watch becomes hot; so is a new one, since it was made to be used. */
void selector_promote(struct selector *selector, struct selector_watch *watch);

/* Puts a watch on the ready list, with what it is ready for. */
void selector_found(struct selector *selector, struct selector_watch *watch, uint8_t ready);

/* Takes one off that list again; only before the first is given out. */
void selector_unfound(struct selector *selector, struct selector_watch *watch);

/* The waits among more than SELECTOR_FEW sockets, for `timeout` nanoseconds at most, for ever if
 * that is negative; else as selector_wait(). */
bool polled_wait(struct selector *selector, int64_t timeout);
bool announced_wait(struct selector *selector, int64_t timeout);

/* Begins to take announcements, whose watch is for selector_create() to add. Returns false, with
 * nothing to be ended, where the system refuses. */
bool announced_begin(struct announcements *announcements);
void announced_end(const struct announcements *announcements);

/* Gives a cold watch to the next select(): what it is ready for now may not be announced. */
void announced_ask(struct selector *selector, struct selector_watch *watch);

/* An armed watch announces nothing more. */
void announced_disarm(struct selector_watch *watch);

struct selector_sets *selector_sets_create(void);
void selector_sets_destroy(struct selector_sets *sets);

/* Takes a watch in, without interest yet; false when memory is refused. `count`: how many there
 * will be. */
bool selector_sets_add(struct selector_sets *sets, struct selector_watch *watch, size_t count);

/* A watch without interest leaves. */
void selector_sets_remove(struct selector_sets *sets, const struct selector_watch *watch);

/* The watch of a descriptor, or NULL; only where sockets are descriptors. */
struct selector_watch *selector_sets_find(const struct selector_sets *sets, int descriptor);

/* Tells the sets that a watch's interest has changed. */
void selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                          uint8_t interest);

/*
 * Calls select() for the hot watches and those from `from` up to, but without, `to`, none of which
 * is hot, and selector_found() for each that is ready. Sets `polled`. `timeout` is rounded up to
 * what the system can tell apart; else as polled_wait().
 */
bool selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout);

#endif
