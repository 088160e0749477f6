#include "selector.h"

#include <stdlib.h>

#include "selector_sets.h"

enum {
    FEW = 64,           /* so many sockets are always waited for together */
    SLICE = 256,        /* of the others are looked at at once, at least */
    PATIENCE = 16,      /* looks at all that the others may be kept waiting; */
    PATIENCE_SHORT = 8, /* and as many where one of them has woken up of late */
    COST_OF = 1024,     /* sockets: what their costs are measured for */
    MEASURE = 16,       /* of so many waits for all, one is measured */
    AT_ONCE = 3,  /* looks at all: what a wait for all that has not really waited takes at most */
    EXACT = 2000, /* microseconds that a wait until a time asks for in full; */
    MARGIN = 128  /* of more, one part in so many is left for the next wait */
};

static const int64_t PATIENCE_LEAST = 500000; /* nanoseconds that they may be kept waiting anyway */
static const int64_t DAY = (int64_t)24 * 60 * 60 * 1000000; /* microseconds */

struct selector *selector_create(void)
{
    struct selector *selector = calloc(1, sizeof *selector);

    if (selector == NULL)
        return NULL;
    selector->sets = selector_sets_create();
    if (selector->sets == NULL) {
        free(selector);
        return NULL;
    }
    return selector;
}

void selector_destroy(struct selector *selector)
{
    if (selector == NULL)
        return;
    selector_sets_destroy(selector->sets);
    free(selector->watches);
    free(selector->ready);
    free(selector);
}

/* Grows both arrays; each keeps its old memory when the system refuses more. */
static bool grow(struct selector *selector)
{
    size_t capacity = selector->capacity > 0 ? selector->capacity * 2 : 16;
    struct selector_watch **watches =
        realloc(selector->watches, capacity * sizeof(struct selector_watch *));

    if (watches == NULL)
        return false;
    selector->watches = watches;
    struct selector_watch **ready =
        realloc(selector->ready, capacity * sizeof(struct selector_watch *));

    if (ready == NULL)
        return false;
    selector->ready = ready;
    selector->capacity = capacity;
    return true;
}

static void swap(struct selector *selector, struct selector_watch *watch, size_t place)
{
    struct selector_watch *other = selector->watches[place];

    selector->watches[watch->index] = other;
    other->index = watch->index;
    selector->watches[place] = watch;
    watch->index = (uint32_t)place;
}

/* Puts a watch with the recent ones. A new one belongs there as well: it was made to be used. */
static void warm(struct selector *selector, struct selector_watch *watch)
{
    watch->recent = true;
    if (watch->index >= selector->next)
        swap(selector, watch, selector->next++);
    if (watch->index >= selector->recent)
        swap(selector, watch, selector->recent++);
}

/* Goes through the recent ones: those that have not been ready since the last time are not any
 * more, but for those that always are. */
static void cool(struct selector *selector)
{
    for (size_t i = selector->recent; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (!watch->recent && !watch->always)
            swap(selector, watch, --selector->recent);
        watch->recent = false;
    }
}

bool selector_add(struct selector *selector, struct selector_watch *watch, os_socket socket,
                  uint8_t interest)
{
    if (selector->count == selector->capacity && !grow(selector))
        return false;
    if (!selector_sets_reserve(selector->sets, socket, selector->count + 1))
        return false;
    watch->socket = socket;
    watch->index = (uint32_t)selector->count;
    watch->interest = SELECTOR_NONE;
    watch->ready = SELECTOR_NONE;
    selector->watches[selector->count++] = watch;
    warm(selector, watch);
    selector_change(selector, watch, interest);
    return true;
}

void selector_change(struct selector *selector, struct selector_watch *watch, uint8_t interest)
{
    if (watch->interest == interest)
        return;
    selector_sets_change(selector->sets, watch, interest);
    watch->interest = interest;
}

void selector_remove(struct selector *selector, struct selector_watch *watch)
{
    selector_change(selector, watch, SELECTOR_NONE);
    if (watch->index < selector->recent)
        swap(selector, watch, --selector->recent);
    if (watch->index < selector->next)
        swap(selector, watch, --selector->next);
    swap(selector, watch, --selector->count);
    if (watch->ready != SELECTOR_NONE)
        selector->ready[watch->ready_index] = NULL;
}

void selector_found(struct selector *selector, struct selector_watch *watch, uint8_t ready)
{
    /* Windows reports the sets one after the other: the same watch may come twice. */
    if (watch->ready == SELECTOR_NONE) {
        watch->ready_index = (uint32_t)selector->ready_count;
        selector->ready[selector->ready_count++] = watch;
    }
    watch->ready |= ready;
}

static void forget_ready(struct selector *selector)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i] != NULL)
            selector->ready[i]->ready = SELECTOR_NONE;
    }
    selector->ready_count = 0;
    selector->ready_next = 0;
}

/* Whether somebody is ready who is among those from `from` to `to`. */
static bool found_at(const struct selector *selector, size_t from, size_t to)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i]->index >= from && selector->ready[i]->index < to)
            return true;
    }
    return false;
}

/* What one look at all would cost, in nanoseconds; 0 as long as that is not known. */
static int64_t look_cost(const struct selector *selector)
{
    return selector->cost * (int64_t)selector->count / COST_OF;
}

/* How long the others are kept waiting while somebody is busy, in nanoseconds. */
static int64_t patience(const struct selector *selector)
{
    bool woken = selector->woken || selector->woken_before;
    int64_t looks = (woken ? PATIENCE_SHORT : PATIENCE) * look_cost(selector);

    return looks > PATIENCE_LEAST ? looks : PATIENCE_LEAST;
}

/*
 * Looks, without waiting, at the recent ones and those from `from` to `to`, and measures what that
 * costs. The estimate grows slowly: a look during which the system ran something else says nothing.
 */
static bool look(struct selector *selector, size_t from, size_t to, int64_t now)
{
    int64_t looked_at = (int64_t)(selector->recent + to - from);
    bool good = selector_sets_wait(selector, from, to, 0);

    selector->looked = os_nanoseconds();
    if (looked_at > 0) {
        int64_t cost = (selector->looked - now) * COST_OF / looked_at;
        bool grown = selector->cost > 0 && cost > 2 * selector->cost;

        selector->cost = grown ? 2 * selector->cost : cost;
    }
    return good;
}

/* How many of the others are looked at next. */
static size_t slice(const struct selector *selector)
{
    size_t left = selector->count - selector->next;

    return left < SLICE ? left : SLICE;
}

/* When the next of the others are due to be looked at. */
static int64_t slice_due(const struct selector *selector)
{
    return selector->looked +
           patience(selector) * (int64_t)slice(selector) / (int64_t)selector->count;
}

/* Looks at the next of the others, as many as have become due since the last ones were, or at all
 * of them; behind the last one, who has not been ready in this turn is recent no more. */
static bool look_at_slice(struct selector *selector, int64_t now)
{
    int64_t waited = now - selector->looked;
    size_t size = slice(selector);

    if (waited >= patience(selector)) {
        selector->next = selector->recent;
        size = selector->count - selector->next;
    } else {
        size_t left = selector->count - selector->next;
        size_t due = (size_t)((int64_t)selector->count * waited / patience(selector));

        size = due <= size ? size : due < left ? due : left;
    }
    bool good = look(selector, selector->next, selector->next + size, now);

    if (found_at(selector, selector->recent, selector->count))
        selector->woken = true;
    selector->next += size;
    if (selector->next == selector->count) {
        selector->woken_before = selector->woken;
        selector->woken = false;
        cool(selector);
        selector->next = selector->recent;
    }
    return good;
}

/* Nobody is busy: waits for all, as long as it takes, and finds out whether somebody is. */
static bool wait_for_all(struct selector *selector, int64_t timeout)
{
    int64_t now = os_nanoseconds();
    bool good = true;

    cool(selector);
    selector->next = selector->recent;
    selector->quiet = 0;
    if (selector->waits++ % MEASURE == 0)
        good = look(selector, selector->next, selector->next + slice(selector), now);
    if (good && selector->ready_count == 0) {
        now = os_nanoseconds();
        good = selector_sets_wait(selector, selector->recent, selector->count, timeout);
        selector->looked = os_nanoseconds();
    }
    selector->busy = found_at(selector, 0, selector->recent) &&
                     selector->looked - now <= AT_ONCE * look_cost(selector);
    return good;
}

/* Waits for the recent ones, until the next of the others are due; or no longer than a look at all
 * would take, and when nobody was ready in that time, nobody is busy any more. */
static bool wait_for_recent(struct selector *selector, int64_t timeout, int64_t now)
{
    int64_t left = slice_due(selector) - now;
    int64_t limit = look_cost(selector) - selector->quiet;

    limit = left < limit ? left : limit;
    limit = limit > 0 ? limit / 1000 + 1 : 0; /* in microseconds; the estimate may have shrunk */
    limit = timeout >= 0 && timeout < limit ? timeout : limit;
    bool good = selector_sets_wait(selector, selector->recent, selector->recent, limit);

    selector->quiet = selector->ready_count > 0 ? 0 : selector->quiet + limit * 1000;
    selector->busy = selector->quiet < look_cost(selector);
    return good;
}

/* Waits for all, of whom most are recent: there is nothing to be saved. */
static bool wait_for_most(struct selector *selector, int64_t timeout, int64_t now)
{
    if (now - selector->looked >= patience(selector)) {
        cool(selector);
        selector->looked = now;
    }
    return selector_sets_wait(selector, selector->recent, selector->count, timeout);
}

static bool wait_among_many(struct selector *selector, int64_t timeout)
{
    bool good = true;

    if (!selector->busy)
        return wait_for_all(selector, timeout);
    int64_t now = os_nanoseconds();

    if (selector->recent * 2 > selector->count)
        return wait_for_most(selector, timeout, now);
    if (now >= slice_due(selector)) {
        good = look_at_slice(selector, now);
        now = selector->looked;
    }
    if (good && selector->ready_count == 0)
        good = wait_for_recent(selector, timeout, now);
    return good;
}

bool selector_wait(struct selector *selector, int64_t timeout)
{
    forget_ready(selector);
    /* Not every system takes a longer one; and to return early is allowed. */
    timeout = timeout < DAY ? timeout : DAY;
    if (selector->count <= FEW)
        return selector_sets_wait(selector, selector->recent, selector->count, timeout);
    bool good = wait_among_many(selector, timeout);

    for (size_t i = 0; i < selector->ready_count; i++)
        warm(selector, selector->ready[i]);
    return good;
}

bool selector_wait_until(struct selector *selector, int64_t until, int64_t now)
{
    /* Rounded up: to wake a microsecond early is to wait twice. */
    int64_t timeout = until > now ? (until - now) / 1000 + 1 : 0;

    return selector_wait(selector, timeout > EXACT ? timeout - timeout / MARGIN : timeout);
}

struct selector_watch *selector_next(struct selector *selector)
{
    while (selector->ready_next < selector->ready_count) {
        struct selector_watch *watch = selector->ready[selector->ready_next++];

        if (watch != NULL)
            return watch;
    }
    return NULL;
}
