/*
 * selector: the select() multiplexer. It watches any number of sockets, past FD_SETSIZE, and gives
 * out only those that are ready:
 *
 *     selector_wait(selector, timeout);
 *     while ((watch = selector_next(selector)) != NULL)
 *         ... look at watch->kind and watch->ready ...
 *
 * All that is ready is collected before the first watch is given out, and a watch that is removed
 * meanwhile is not given out any more. So watches may be added, changed and removed, and their
 * memory freed, while going through them.
 *
 * select() looks at every socket it is given, however few are ever ready. So where there are many,
 * those that were ready lately, and those that are `always` waited for, are waited for alone, the
 * others looked at in turn, and all waited for when none of the recent ones is ready: a socket that
 * wakes up while others are busy is given out later by no more than about twenty times what one
 * look at all sockets costs, or 2 ms.
 */
#ifndef SELECTOR_H
#define SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os.h"

enum { SELECTOR_NONE = 0, SELECTOR_READ = 1, SELECTOR_WRITE = 2 };

/*
 * One watched socket; on POSIX any descriptor. It is embedded in what it watches, as the first
 * member, so that no look-up leads from one to the other. `kind` is the owner's, to tell what that
 * is, and `always` is set before selector_add(), for the few that must not be kept waiting because
 * others are busy: a listener, a request to stop. The rest is the selector's, to be read but not
 * written.
 */
struct selector_watch {
    os_socket socket;
    uint32_t index;       /* its place among all, those of late first */
    uint32_t ready_index; /* its place among the ready ones, when `ready` is not SELECTOR_NONE */
    uint8_t interest;     /* what is waited for */
    uint8_t ready; /* what the last wait found; a failed connection is ready for all it is watched
                      for */
    uint8_t kind;
    bool always : 1; /* is one of the recent ones, whenever it was ready */
    bool recent : 1; /* has been ready since the recent ones were last gone through */
};

struct selector;

/* Returns an empty selector, or NULL when memory is refused. It never owns sockets or watches. */
struct selector *selector_create(void);

void selector_destroy(struct selector *selector);

/*
 * Begins to watch `socket` for `interest`. The watch must stay where it is until it is removed.
 * Returns false, with nothing changed, when memory is refused. A socket is watched once at most.
 */
bool selector_add(struct selector *selector, struct selector_watch *watch, os_socket socket,
                  uint8_t interest);

/* Changes what is waited for; costs nothing when it is the same. With SELECTOR_NONE the watch is
 * kept but never ready. */
void selector_change(struct selector *selector, struct selector_watch *watch, uint8_t interest);

/* Ends the watching; to be called before the socket is closed. */
void selector_remove(struct selector *selector, struct selector_watch *watch);

/*
 * Waits until a watched socket is ready, at most `timeout` microseconds, for ever if it is
 * negative. May return early with nothing ready, as it does when a signal comes. Returns false when
 * select() fails for a reason that waiting again would not mend, with os_socket_error() set.
 */
bool selector_wait(struct selector *selector, int64_t timeout);

/*
 * The same until `until`, at the time `now`, both of os_nanoseconds(). What is asked of the system
 * is less than that, since select() may come late by a part of what it is asked for, on Linux by a
 * thousandth, by a 200th at a low priority; only the last 2 ms are asked for in full. So a wait
 * that is repeated until its time has come, as every caller's is, ends when it
 * should, as near as the system's timer goes, after at most four early returns.
 */
bool selector_wait_until(struct selector *selector, int64_t until, int64_t now);

/* Gives out the next ready watch of the last wait, or NULL when there is none left. */
struct selector_watch *selector_next(struct selector *selector);

#endif
