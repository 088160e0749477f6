#include "selector.h"

#include <stdlib.h>

#include "selector_sets.h"

enum {
    FEW = 64,          /* so many sockets are always waited for together */
    PATIENCE_MIN = 4,  /* looks at all that those not recent may be kept waiting, */
    PATIENCE_MAX = 20, /* and as many where looks find nobody */
    MEASURE = 16,      /* of so many waits for all, one is measured even if nobody is busy */
    AT_ONCE = 3        /* looks: what a wait for all that has not really waited takes at most */
};

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
    if (watch->index >= selector->recent)
        swap(selector, watch, selector->recent++);
}

/* Goes through the recent ones: those that have not been ready since the last time are not any
 * more. */
static void cool(struct selector *selector)
{
    for (size_t i = selector->recent; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (!watch->recent)
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

/* Whether somebody is ready who was not among the recent ones. */
static bool found_others(const struct selector *selector)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i]->index >= selector->recent)
            return true;
    }
    return false;
}

/*
 * Looks at all without waiting, and measures what that costs. The estimate grows slowly: a look
 * during which the system ran something else says nothing. Looks that find nobody new become rarer.
 */
static bool look_at_all(struct selector *selector, int64_t now)
{
    bool good = selector_sets_wait(selector, selector->count, 0);
    int64_t cost = os_nanoseconds() - now;
    bool grown = selector->look_cost > 0 && cost > 2 * selector->look_cost;

    selector->look_cost = grown ? 2 * selector->look_cost : cost;
    selector->patience = found_others(selector) ? selector->patience / 2 : selector->patience * 2;
    if (selector->patience < PATIENCE_MIN)
        selector->patience = PATIENCE_MIN;
    if (selector->patience > PATIENCE_MAX)
        selector->patience = PATIENCE_MAX;
    selector->busy = selector->ready_count > 0;
    return good;
}

static bool wait_for_all(struct selector *selector, int64_t timeout, int64_t now)
{
    bool measure = selector->busy || selector->waits++ % MEASURE == 0;
    bool good = true;

    cool(selector);
    if (measure)
        good = look_at_all(selector, now);
    if (good && selector->ready_count == 0 && (timeout != 0 || !measure)) {
        now = os_nanoseconds();
        good = selector_sets_wait(selector, selector->count, timeout);
        selector->busy =
            selector->ready_count > 0 && os_nanoseconds() - now <= AT_ONCE * selector->look_cost;
    }
    selector->look_due = os_nanoseconds() + selector->patience * selector->look_cost;
    return good;
}

/* Waits for the recent ones, until all are due to be looked at; or no longer than a look would
 * take, and when nobody was ready in that time, nobody is busy any more. */
static bool wait_for_recent(struct selector *selector, int64_t timeout, int64_t left)
{
    int64_t limit = (left < selector->look_cost ? left : selector->look_cost) / 1000 + 1;
    bool good = selector_sets_wait(selector, selector->recent,
                                   timeout >= 0 && timeout < limit ? timeout : limit);

    selector->busy = selector->ready_count > 0;
    return good;
}

static bool wait_among_many(struct selector *selector, int64_t timeout)
{
    int64_t now = os_nanoseconds();

    if (!selector->busy || now >= selector->look_due)
        return wait_for_all(selector, timeout, now);
    /* Where most are recent, there is nothing to be saved. */
    if (selector->recent * 2 > selector->count)
        return selector_sets_wait(selector, selector->count, timeout);
    return wait_for_recent(selector, timeout, selector->look_due - now);
}

bool selector_wait(struct selector *selector, int64_t timeout)
{
    forget_ready(selector);
    /* Not every system takes a longer one; and to return early is allowed. */
    timeout = timeout < DAY ? timeout : DAY;
    if (selector->count <= FEW)
        return selector_sets_wait(selector, selector->count, timeout);
    bool good = wait_among_many(selector, timeout);

    for (size_t i = 0; i < selector->ready_count; i++)
        warm(selector, selector->ready[i]);
    return good;
}

bool selector_wait_until(struct selector *selector, int64_t until, int64_t now)
{
    /* Rounded up: to wake a microsecond early is to wait twice. */
    return selector_wait(selector, until > now ? (until - now) / 1000 + 1 : 0);
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
