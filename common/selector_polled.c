/*
 * Cold sockets are polled: one part of them after the other while hot ones are busy, and all with
 * the hot ones in one select() when none is. What a poll costs is measured, and cold sockets are
 * polled so often that a sixteenth of the time goes into it.
 */
#include "selector_private.h"

enum {
    SLICE = 256,    /* cold sockets are polled together, at least */
    INTERVAL = 16,  /* polls of all: how long cold sockets may be kept waiting; */
    COST_OF = 1024, /* sockets: what costs are measured for */
    MEASURE = 16,   /* of so many waits for all, one is measured */
    AT_ONCE = 3     /* polls of all: what a wait for all that has not really waited takes at most */
};

static const int64_t INTERVAL_MIN = MILLISECONDS(1) / 2; /* that they may be kept waiting anyway */

/* A scan is over: a hot socket that was not ready during it becomes cold. */
static void end_scan(struct selector *selector)
{
    for (size_t i = selector->hot; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->seen != selector->scan && !watch->always)
            selector_swap(selector, watch, --selector->hot);
    }
    selector->scan++;
    selector->asked = selector->hot;
}

/* What a poll of all sockets would cost, in nanoseconds; 0 as long as that is not known. */
static int64_t poll_cost(const struct selector *selector)
{
    return selector->polling.cost * (int64_t)selector->count / COST_OF;
}

/* How long cold sockets are kept waiting while hot ones are busy, in nanoseconds. */
static int64_t poll_interval(const struct selector *selector)
{
    int64_t interval = INTERVAL * poll_cost(selector);

    return interval > INTERVAL_MIN ? interval : INTERVAL_MIN;
}

/*
 * Polls the hot sockets and those from `from` to `to`, and measures what that costs. The estimate
 * grows slowly: a poll during which the system ran something else says nothing.
 */
static bool poll_sockets(struct selector *selector, size_t from, size_t to, int64_t now)
{
    struct polling *polling = &selector->polling;
    int64_t count = (int64_t)(selector->hot + to - from);
    bool good = selector_sets_wait(selector, from, to, 0);

    polling->polled = os_nanoseconds();
    if (count > 0) {
        int64_t cost = (polling->polled - now) * COST_OF / count;
        bool grown = polling->cost > 0 && cost > 2 * polling->cost;

        polling->cost = grown ? 2 * polling->cost : cost;
    }
    return good;
}

/* How many cold sockets are polled next. */
static size_t slice(const struct selector *selector)
{
    size_t left = selector->count - selector->asked;

    return left < SLICE ? left : SLICE;
}

/* When the next cold sockets are due to be polled. */
static int64_t slice_due(const struct selector *selector)
{
    return selector->polling.polled +
           poll_interval(selector) * (int64_t)slice(selector) / (int64_t)selector->count;
}

/* Polls the next cold sockets, as many as have become due since the last ones were, or all. */
static bool poll_slice(struct selector *selector, int64_t now)
{
    int64_t waited = now - selector->polling.polled;
    size_t size = slice(selector);

    if (waited >= poll_interval(selector)) {
        selector->asked = selector->hot;
        size = selector->count - selector->asked;
    } else {
        size_t left = selector->count - selector->asked;
        size_t due = (size_t)((int64_t)selector->count * waited / poll_interval(selector));

        size = due <= size ? size : due < left ? due : left;
    }
    bool good = poll_sockets(selector, selector->asked, selector->asked + size, now);

    selector->asked += size;
    if (selector->asked == selector->count)
        end_scan(selector);
    return good;
}

/* Whether one of the sockets that were hot before the wait is ready. */
static bool found_hot(const struct selector *selector)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i]->index < selector->hot)
            return true;
    }
    return false;
}

/* No socket is busy: waits for all, as long as it takes, and finds out whether one is. */
static bool wait_for_all(struct selector *selector, int64_t timeout)
{
    struct polling *polling = &selector->polling;
    int64_t now = os_nanoseconds();
    bool good = true;

    end_scan(selector);
    polling->quiet = 0;
    if (polling->waits++ % MEASURE == 0)
        good = poll_sockets(selector, selector->asked, selector->asked + slice(selector), now);
    if (good && selector->ready_count == 0) {
        now = os_nanoseconds();
        good = selector_sets_wait(selector, selector->hot, selector->count, timeout);
        polling->polled = os_nanoseconds();
    }
    polling->busy = found_hot(selector) && polling->polled - now <= AT_ONCE * poll_cost(selector);
    return good;
}

/* Waits for the hot sockets, until the next cold ones are due; or no longer than a poll of all
 * would take, and when none was ready in that time, none is busy any more. */
static bool wait_for_hot(struct selector *selector, int64_t timeout, int64_t now)
{
    struct polling *polling = &selector->polling;
    int64_t left = slice_due(selector) - now;
    int64_t limit = poll_cost(selector) - polling->quiet;

    limit = left < limit ? left : limit;
    limit = limit > 0 ? limit : 0; /* the estimate may have shrunk */
    limit = timeout >= 0 && timeout < limit ? timeout : limit;
    bool good = selector_sets_wait(selector, selector->hot, selector->hot, limit);

    /* Measured: a timer that ticks rarely, as that of Windows, makes a short wait a long one. */
    polling->quiet = selector->ready_count > 0 ? 0 : polling->quiet + os_nanoseconds() - now;
    polling->busy = polling->quiet < poll_cost(selector);
    return good;
}

/* Waits for all, of which most are hot: there is nothing to be saved. */
static bool wait_for_most(struct selector *selector, int64_t timeout, int64_t now)
{
    if (now - selector->polling.polled >= poll_interval(selector)) {
        end_scan(selector);
        selector->polling.polled = now;
    }
    return selector_sets_wait(selector, selector->hot, selector->count, timeout);
}

static bool wait_among_many(struct selector *selector, int64_t timeout)
{
    bool good = true;

    if (!selector->polling.busy)
        return wait_for_all(selector, timeout);
    int64_t now = os_nanoseconds();

    if (selector->hot * 2 > selector->count)
        return wait_for_most(selector, timeout, now);
    if (now >= slice_due(selector)) {
        good = poll_slice(selector, now);
        now = selector->polling.polled;
    }
    if (good && selector->ready_count == 0)
        good = wait_for_hot(selector, timeout, now);
    return good;
}

bool polled_wait(struct selector *selector, int64_t timeout)
{
    bool good = wait_among_many(selector, timeout);

    for (size_t i = 0; i < selector->ready_count; i++)
        selector_promote(selector, selector->ready[i]);
    return good;
}
