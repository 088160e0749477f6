/*
 * selector: the select() multiplexer. It watches any number of sockets, past FD_SETSIZE, and
 * returns only those that are ready:
 *
 *     selector_wait(selector, deadline);
 *     while ((watch = selector_next(selector)) != NULL)
 *         ... handle watch->kind and watch->ready ...
 *
 * Everything that is ready is collected before the first watch is returned. A watch that is removed
 * in between is not returned any more. So watches may be added, changed, removed and freed inside
 * this loop.
 *
 * select() scans every socket it is given, even if only few are ready. Up to SELECTOR_FEW sockets
 * are all given to it. Beyond that, only hot sockets are: those that were ready lately, and those
 * that are `always` hot. A socket that stays idle for a while becomes cold. enum selector_way says
 * how the selector learns that a cold socket is ready. Every socket it returns has been found ready
 * by select().
 */
#ifndef SELECTOR_H
#define SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "os.h"

enum { SELECTOR_NONE = 0, SELECTOR_READ = 1, SELECTOR_WRITE = 2 };

/* SELECTOR_FEW: up to this many sockets are given to each select(), whatever the way.
 * SELECTOR_KINDS: `kind` has 4 bits. */
enum { SELECTOR_FEW = 64, SELECTOR_KINDS = 16 };

enum selector_way {
    SELECTOR_ALL,      /* there are no cold sockets: all are given to each select() */
    SELECTOR_POLLED,   /* cold sockets are polled, some at a time. While others are busy, one that
                          becomes ready waits at most 17 times as long as a select() over all sockets
                          takes */
    SELECTOR_ANNOUNCED /* a cold socket announces an event through a signal queue, and is given to
                          the next select() (Linux: signalfd(2), and F_SETSIG in fcntl(2)) */
};

/*
 * One watched TCP socket, or on POSIX any descriptor that is `always` hot. The watch is the first
 * member of the structure that owns the socket, so a cast leads from one to the other without
 * a look-up. The owner sets `kind`, which tells its structures apart, and `always` before
 * selector_add(). `always` is for the few watches that must not wait while others are busy, such as
 * a listener or the stop request, and for descriptors that are not sockets. The selector sets the
 * other members; the owner only reads them.
 */
struct selector_watch {
    os_socket socket;
    uint32_t index;       /* position in the list of all watches */
    uint32_t ready_index; /* position in the ready list, unless `ready` is SELECTOR_NONE */
    uint8_t interest;     /* the events to wait for */
    uint8_t ready; /* the events that the last wait found; a failed connection is ready for all of
                      `interest` */
    uint8_t seen;  /* the scan in which it was last ready, modulo 256 */
    uint8_t kind : 4;   /* less than SELECTOR_KINDS */
    uint8_t always : 1; /* never becomes cold */
    uint8_t owned : 1;  /* its signals go to this process */
    uint8_t armed : 1;  /* it announces its events */
    uint8_t woken : 1;  /* and was ready at the last select() */
};

_Static_assert(SELECTOR_KINDS <= 1 << 4, "every kind fits into the 4 bits of `kind`");

struct selector;

/*
 * Returns an empty selector, or NULL when memory is refused. It never owns sockets or watches.
 * SELECTOR_ANNOUNCED becomes SELECTOR_POLLED where the system does not support it, and while
 * another selector of this process uses it.
 */
struct selector *selector_create(enum selector_way way);

/* The way in use. */
enum selector_way selector_way(const struct selector *selector);

void selector_destroy(struct selector *selector);

/*
 * Starts watching `socket` for `interest`. The watch must not move in memory until it is removed. A
 * socket is watched once at most. Returns false, with nothing changed, when memory is refused.
 */
bool selector_add(struct selector *selector, struct selector_watch *watch, os_socket socket,
                  uint8_t interest);

/* Changes the interest; costs nothing when it stays the same. With SELECTOR_NONE the watch is kept
 * but never becomes ready. */
void selector_change(struct selector *selector, struct selector_watch *watch, uint8_t interest);

/* Stops watching. Call this before the socket is closed. */
void selector_remove(struct selector *selector, struct selector_watch *watch);

/*
 * Waits until a watched socket is ready, or until `deadline`. DEADLINE_NEVER waits for ever; 0, or
 * any time in the past, does not wait at all. May return early with nothing ready, for example
 * after a signal. Returns false, with os_socket_error() set, when select() fails and waiting again
 * would not help.
 *
 * select() may be late by a fraction of its time-out: on Linux by a thousandth, or by a 200th at a
 * low priority. So a long wait asks for a little less time than is left, and only the last 2 ms are
 * waited for in full. A caller that repeats the wait until its deadline is woken early four times
 * at most, and ends as close to the deadline as the system's timer allows. Where the timer ticks
 * (os_tick()), the last tick is not slept through: sockets are polled until the deadline.
 */
bool selector_wait(struct selector *selector, int64_t deadline);

/* Returns the next ready watch of the last wait, or NULL when there is none left. */
struct selector_watch *selector_next(struct selector *selector);

#endif
