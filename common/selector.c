#include "selector.h"

#include <assert.h>
#include <stdlib.h>

#include "selector_private.h"

enum { EARLY_PART = 128 /* a long wait is shortened by one part in this many */ };

static const int64_t LONG_WAIT = MILLISECONDS(2); /* a shorter wait is not shortened */
static const int64_t WAIT_MAX = SECONDS(86400);   /* some systems refuse a longer time-out */

struct selector *selector_create(enum selector_way way)
{
    struct selector *selector = calloc(1, sizeof *selector);

    if (selector == NULL)
        return NULL;
    selector->sets = selector_sets_create();
    if (selector->sets == NULL) {
        free(selector);
        return NULL;
    }
    struct announcements *queue = &selector->announcements;

    selector->way = way;
    if (way == SELECTOR_ANNOUNCED && !announced_begin(queue))
        selector->way = SELECTOR_POLLED;
    if (selector->way == SELECTOR_ANNOUNCED &&
        !selector_add(selector, &queue->watch, queue->watch.socket, SELECTOR_NONE)) {
        selector_destroy(selector);
        return NULL;
    }
    return selector;
}

void selector_destroy(struct selector *selector)
{
    if (selector == NULL)
        return;
    if (selector->way == SELECTOR_ANNOUNCED)
        announced_end(&selector->announcements);
    selector_sets_destroy(selector->sets);
    free(selector->watches);
    free(selector->ready);
    free(selector);
}

enum selector_way selector_way(const struct selector *selector)
{
    return selector->way;
}

/* Grows both arrays. When memory is refused, both keep their contents and `capacity` stays as it
 * is. */
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

/* The order of watches[], as selector_private.h states it. */
static void check_order(const struct selector *selector)
{
    assert(selector->hot <= selector->poll_end && selector->poll_end <= selector->count);
    assert(selector->always <= selector->hot);
}

void selector_swap(struct selector *selector, struct selector_watch *watch, size_t place)
{
    struct selector_watch *other = selector->watches[place];

    assert(selector->watches[watch->index] == watch && other->index == place);

    selector->watches[watch->index] = other;
    other->index = watch->index;
    selector->watches[place] = watch;
    watch->index = (uint32_t)place;
}

void selector_promote(struct selector *selector, struct selector_watch *watch)
{
    watch->seen = selector->scan;
    if (watch->index >= selector->poll_end)
        selector_swap(selector, watch, selector->poll_end++);
    if (watch->index >= selector->hot)
        selector_swap(selector, watch, selector->hot++);
}

bool selector_add(struct selector *selector, struct selector_watch *watch, os_socket socket,
                  uint8_t interest)
{
    if (selector->count == selector->capacity && !grow(selector))
        return false;
    watch->socket = socket;
    if (!selector_sets_add(selector->sets, watch, selector->count + 1))
        return false;
    watch->index = (uint32_t)selector->count;
    watch->interest = SELECTOR_NONE;
    watch->ready = SELECTOR_NONE;
    watch->owned = watch->armed = watch->woken = false;
    selector->watches[selector->count++] = watch;
    selector->always += watch->always;
    selector_promote(selector, watch);
    check_order(selector);
    selector_change(selector, watch, interest);
    return true;
}

void selector_change(struct selector *selector, struct selector_watch *watch, uint8_t interest)
{
    if (watch->interest == interest)
        return;
    selector_sets_change(selector->sets, watch, interest);
    watch->interest = interest;
    if (watch->armed)
        announced_poll_next(selector, watch);
}

void selector_remove(struct selector *selector, struct selector_watch *watch)
{
    assert(!watch->always || watch->index < selector->hot);
    if (watch->armed)
        announced_disarm(watch);
    selector_change(selector, watch, SELECTOR_NONE);
    selector_sets_remove(selector->sets, watch);
    selector->always -= watch->always;
    if (watch->index < selector->hot)
        selector_swap(selector, watch, --selector->hot);
    if (watch->index < selector->poll_end)
        selector_swap(selector, watch, --selector->poll_end);
    selector_swap(selector, watch, --selector->count);
    check_order(selector);
    if (watch->ready != SELECTOR_NONE)
        selector->ready[watch->ready_index] = NULL;
}

void selector_mark_ready(struct selector *selector, struct selector_watch *watch, uint8_t ready)
{
    /* Windows reports one set after the other, so the same watch may come twice. */
    if (watch->ready == SELECTOR_NONE) {
        watch->ready_index = (uint32_t)selector->ready_count;
        selector->ready[selector->ready_count++] = watch;
    }
    watch->ready |= ready;
}

void selector_unmark_ready(struct selector *selector, struct selector_watch *watch)
{
    struct selector_watch *last = selector->ready[--selector->ready_count];

    last->ready_index = watch->ready_index;
    selector->ready[watch->ready_index] = last;
    watch->ready = SELECTOR_NONE;
}

static void clear_ready(struct selector *selector)
{
    for (size_t i = 0; i < selector->ready_count; i++) {
        if (selector->ready[i] != NULL)
            selector->ready[i]->ready = SELECTOR_NONE;
    }
    selector->ready_count = 0;
    selector->ready_next = 0;
}

/* The time-out of select() in nanoseconds; negative: none. */
static int64_t wait_timeout(int64_t deadline)
{
    if (deadline == DEADLINE_NEVER)
        return -1;
    int64_t left = deadline > 0 ? deadline - os_nanoseconds() : 0;

    if (left > LONG_WAIT)
        left -= left / EARLY_PART;
    left = left < WAIT_MAX ? left : WAIT_MAX;
    return left > os_tick() ? left - os_tick() : 0;
}

bool selector_wait(struct selector *selector, int64_t deadline)
{
    int64_t timeout = wait_timeout(deadline);

    clear_ready(selector);
    if (selector->way == SELECTOR_ANNOUNCED)
        return announced_wait(selector, timeout);
    if (selector->way == SELECTOR_POLLED && selector->count > SELECTOR_FEW)
        return polled_wait(selector, timeout);
    return selector_sets_wait(selector, selector->hot, selector->count, timeout);
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
