/*
 * Cold sockets are polled. While hot sockets are busy, one slice of the cold ones is polled
 * after the other; while none is busy, one select() waits for all. The cost of a poll is measured,
 * and the interval between polls follows from it: a seventeenth of the time goes into polling
 * cold sockets.
 */
#include "selector_private.h"

enum {
    SLICE_MIN = 256,     /* cold sockets are polled together, at least */
    INTERVAL_POLLS = 16, /* the poll interval, in polls of all sockets */
    COST_SOCKETS = 1024, /* `cost` is that of a poll of this many sockets */
    MEASURE_EVERY = 16,  /* one wait for all in this many is measured */
    IMMEDIATE_POLLS = 3 /* a wait for all that takes no longer than this many polls did not block */
};

static const int64_t INTERVAL_MIN = MILLISECONDS(1) / 2; /* the shortest poll interval */

/* Ends a scan: a hot socket that was not ready during it becomes cold. */
static void end_scan(struct selector *selector)
{
    for (size_t i = selector->hot; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->seen != selector->scan && !watch->always)
            selector_swap(selector, watch, --selector->hot);
    }
    selector->scan++;
    selector->poll_end = selector->hot;
}

/* The cost of a poll of all sockets, in nanoseconds; 0 until it has been measured. */
static int64_t poll_cost(const struct selector *selector)
{
    return selector->polling.cost * (int64_t)selector->count / COST_SOCKETS;
}

/* How long a cold socket waits for its poll while hot ones are busy, in nanoseconds. */
static int64_t poll_interval(const struct selector *selector)
{
    int64_t interval = INTERVAL_POLLS * poll_cost(selector);

    return interval > INTERVAL_MIN ? interval : INTERVAL_MIN;
}

/*
 * Polls the hot sockets and watches[from] up to watches[to], and measures the cost. The estimate at
 * most doubles at a time: the system may have run something else during the poll.
 */
static bool poll_sockets(struct selector *selector, size_t from, size_t to, int64_t now)
{
    struct polling *polling = &selector->polling;
    int64_t count = (int64_t)(selector->hot + to - from);
    bool ok = selector_sets_wait(selector, from, to, 0);

    polling->polled_at = os_nanoseconds();
    if (count > 0) {
        int64_t cost = (polling->polled_at - now) * COST_SOCKETS / count;
        bool jumped = polling->cost > 0 && cost > 2 * polling->cost;

        polling->cost = jumped ? 2 * polling->cost : cost;
    }
    return ok;
}

/* How many cold sockets the next slice has, at least. */
static size_t slice_size(const struct selector *selector)
{
    size_t left = selector->count - selector->poll_end;

    return left < SLICE_MIN ? left : SLICE_MIN;
}

/* When the next slice is due. */
static int64_t slice_due(const struct selector *selector)
{
    return selector->polling.polled_at +
           poll_interval(selector) * (int64_t)slice_size(selector) / (int64_t)selector->count;
}

/* Polls the cold sockets that have become due since the last slice, or all of them once a whole
 * poll interval has passed. */
static bool poll_slice(struct selector *selector, int64_t now)
{
    int64_t waited = now - selector->polling.polled_at;
    size_t size = slice_size(selector);

    if (waited >= poll_interval(selector)) {
        selector->poll_end = selector->hot;
        size = selector->count - selector->poll_end;
    } else {
        size_t left = selector->count - selector->poll_end;
        size_t due = (size_t)((int64_t)selector->count * waited / poll_interval(selector));

        size = due <= size ? size : due < left ? due : left;
    }
    bool ok = poll_sockets(selector, selector->poll_end, selector->poll_end + size, now);

    selector->poll_end += size;
    if (selector->poll_end == selector->count)
        end_scan(selector);
    return ok;
}

/* Whether a socket that was hot before the wait is ready. */
static bool hot_ready(const struct selector *selector)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i]->index < selector->hot)
            return true;
    }
    return false;
}

/* No hot socket is busy: waits for all sockets until the time-out, and finds out whether one has
 * become busy. */
static bool wait_for_all(struct selector *selector, int64_t timeout)
{
    struct polling *polling = &selector->polling;
    int64_t now = os_nanoseconds();
    bool ok = true;

    end_scan(selector);
    polling->quiet = 0;
    if (polling->waits++ % MEASURE_EVERY == 0)
        ok = poll_sockets(selector, selector->poll_end, selector->poll_end + slice_size(selector),
                          now);
    if (ok && selector->ready_count == 0) {
        now = os_nanoseconds();
        ok = selector_sets_wait(selector, selector->hot, selector->count, timeout);
        polling->polled_at = os_nanoseconds();
    }
    polling->busy =
        hot_ready(selector) && polling->polled_at - now <= IMMEDIATE_POLLS * poll_cost(selector);
    return ok;
}

/* Waits for the hot sockets until the next slice is due, or for as long as a poll of all would
 * take. If none becomes ready in that time, the hot sockets are no longer busy. */
static bool wait_for_hot(struct selector *selector, int64_t timeout, int64_t now)
{
    struct polling *polling = &selector->polling;
    int64_t left = slice_due(selector) - now;
    int64_t limit = poll_cost(selector) - polling->quiet;

    limit = left < limit ? left : limit;
    limit = limit > 0 ? limit : 0; /* the estimate may have shrunk */
    limit = timeout >= 0 && timeout < limit ? timeout : limit;
    bool ok = selector_sets_wait(selector, selector->hot, selector->hot, limit);

    /* The time is measured: with a timer that ticks rarely, as on Windows, a short wait becomes
     * long. */
    polling->quiet = selector->ready_count > 0 ? 0 : polling->quiet + os_nanoseconds() - now;
    polling->busy = polling->quiet < poll_cost(selector);
    return ok;
}

/* Most sockets are hot, so there is nothing to save: waits for all. */
static bool wait_mostly_hot(struct selector *selector, int64_t timeout, int64_t now)
{
    if (now - selector->polling.polled_at >= poll_interval(selector)) {
        end_scan(selector);
        selector->polling.polled_at = now;
    }
    return selector_sets_wait(selector, selector->hot, selector->count, timeout);
}

static bool wait_among_many(struct selector *selector, int64_t timeout)
{
    bool ok = true;

    if (!selector->polling.busy)
        return wait_for_all(selector, timeout);
    int64_t now = os_nanoseconds();

    if (selector->hot * 2 > selector->count)
        return wait_mostly_hot(selector, timeout, now);
    if (now >= slice_due(selector)) {
        ok = poll_slice(selector, now);
        now = selector->polling.polled_at;
    }
    if (ok && selector->ready_count == 0)
        ok = wait_for_hot(selector, timeout, now);
    return ok;
}

bool polled_wait(struct selector *selector, int64_t timeout)
{
    bool ok = wait_among_many(selector, timeout);

    for (size_t i = 0; i < selector->ready_count; i++)
        selector_promote(selector, selector->ready[i]);
    return ok;
}
