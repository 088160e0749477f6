/*
 * selector: the select() multiplexer. It watches any number of sockets, past FD_SETSIZE, and gives
 * out only those that are ready:
 *
 *     selector_wait(selector, deadline);
 *     while ((watch = selector_next(selector)) != NULL)
 *         ... look at watch->kind and watch->ready ...
 *
 * All that is ready is collected before the first watch is given out, and a watch that is removed
 * meanwhile is not given out any more. So watches may be added, changed and removed, and their
 * memory freed, while going through them.
 *
 * select() looks at every socket it is given, however few are ever ready. Up to SELECTOR_FEW
 * sockets are all given to it. Of more, only the hot ones are: those that were ready lately, and
 * those that are `always` hot. A socket that has been idle for a while becomes cold; how the
 * selector learns that a cold one is ready is its way (enum selector_way). No socket is ever given
 * out that select() has not found ready.
 */
#ifndef SELECTOR_H
#define SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "os.h"

enum { SELECTOR_NONE = 0, SELECTOR_READ = 1, SELECTOR_WRITE = 2 };

/* So many sockets are given to select() together, whatever the way. */
enum { SELECTOR_FEW = 64, SELECTOR_KINDS = 16 };

enum selector_way {
    SELECTOR_ALL,      /* it does not: all sockets are given to each select() */
    SELECTOR_POLLED,   /* cold sockets are polled, some at a time. One that becomes ready while
                          others are busy is given out after at most about twenty times what a
                          select() over all of them costs */
    SELECTOR_ANNOUNCED /* a cold socket announces that something has happened to it, through a
                          signal queue, and is given to the next select() (Linux: signalfd(2), and
                          F_SETSIG in fcntl(2)) */
};

/*
 * One watched TCP socket, or on POSIX any descriptor that is `always` hot. It is embedded in what
 * it watches, as the first member, so that no look-up leads from one to the other. `kind` is the
 * owner's, to tell what that is, and `always` is set before selector_add(): for the few that must
 * not be kept waiting because others are busy, as a listener or a request to stop, and for what is
 * not a socket. The rest is the selector's, to be read but not written.
 */
struct selector_watch {
    os_socket socket;
    uint32_t index;       /* its place among all */
    uint32_t ready_index; /* its place among the ready ones, when `ready` is not SELECTOR_NONE */
    uint8_t interest;     /* what is waited for */
    uint8_t ready; /* what the last wait found; a failed connection is ready for all it is watched
                      for */
    uint8_t seen;  /* in which scan it was last ready; scans are counted modulo 256 */
    uint8_t kind : 4;   /* less than SELECTOR_KINDS */
    uint8_t always : 1; /* is hot, whenever it was ready */
    uint8_t owned : 1;  /* its announcements come to this process */
    uint8_t armed : 1;  /* it announces what happens to it */
    uint8_t woken : 1;  /* and was ready at the last select() */
};

struct selector;

/*
 * Returns an empty selector, or NULL when memory is refused. It never owns sockets or watches.
 * Where the system does not let sockets announce themselves, SELECTOR_ANNOUNCED becomes
 * SELECTOR_POLLED, and where another selector of the process is SELECTOR_ANNOUNCED already.
 */
struct selector *selector_create(enum selector_way way);

/* The way that is in force. */
enum selector_way selector_way(const struct selector *selector);

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
 * Waits until a watched socket is ready, or until `deadline`; DEADLINE_NEVER waits for ever, and 0,
 * or any moment that has passed, not at all. May return early with nothing ready, as it does when a
 * signal comes. Returns false when select() fails for a reason that waiting again would not mend,
 * with os_socket_error() set.
 *
 * select() may come late by a part of what it is asked for: on Linux by a thousandth, or by a 200th
 * at a low priority. So of a long wait a little less is asked for, and only of the last 2 ms all. A
 * wait that is repeated until its deadline, as every caller's is, returns early four times at most
 * and ends as near to the deadline as the system's timer goes. Where the timer ticks (os_tick()),
 * the last tick is not slept through: sockets are polled until the deadline.
 */
bool selector_wait(struct selector *selector, int64_t deadline);

/* Gives out the next ready watch of the last wait, or NULL when there is none left. */
struct selector_watch *selector_next(struct selector *selector);

#endif
