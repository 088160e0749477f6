#include "selector.h"

#include <stdlib.h>

#include "selector_sets.h"

enum {
    FEW = 64,       /* so many sockets are always waited for together */
    THRIFT = 10,    /* of the time, one part is spent on looking at all */
    COST_MIN = 1000 /* nanoseconds */
};

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

/* Waits for all. While somebody is busy this is not really a wait, and shows what it costs. */
static bool wait_for_all(struct selector *selector, int64_t timeout, bool busy, int64_t now)
{
    bool good = true;

    cool(selector);
    if (busy) {
        good = selector_sets_wait(selector, selector->count, 0);
        int64_t cost = os_nanoseconds() - now;

        /* It grows slowly: a look during which the system ran something else says nothing. */
        if (cost > 2 * selector->look_cost)
            cost = 2 * selector->look_cost;
        selector->look_cost = cost > COST_MIN ? cost : COST_MIN;
    }
    if (good && selector->ready_count == 0 && (timeout != 0 || !busy))
        good = selector_sets_wait(selector, selector->count, timeout);
    selector->look_due = os_nanoseconds() + THRIFT * selector->look_cost;
    return good;
}

static bool wait_among_many(struct selector *selector, int64_t timeout, bool busy)
{
    int64_t now = os_nanoseconds();
    int64_t left = (selector->look_due - now) / 1000;

    if (left <= 0 || selector->recent == 0)
        return wait_for_all(selector, timeout, busy, now);
    /* Where most are recent, there is nothing to be saved. */
    if (selector->recent * 2 > selector->count)
        return selector_sets_wait(selector, selector->count, timeout);
    return selector_sets_wait(selector, selector->recent,
                              timeout >= 0 && timeout < left ? timeout : left);
}

bool selector_wait(struct selector *selector, int64_t timeout)
{
    bool busy = selector->ready_count > 0;

    forget_ready(selector);
    if (selector->count <= FEW)
        return selector_sets_wait(selector, selector->count, timeout);
    bool good = wait_among_many(selector, timeout, busy);

    for (size_t i = 0; i < selector->ready_count; i++)
        warm(selector, selector->ready[i]);
    return good;
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
