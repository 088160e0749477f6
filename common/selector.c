#include "selector.h"

#include <stdlib.h>

#include "selector_sets.h"

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
    struct selector_watch *last = selector->watches[--selector->count];

    selector_change(selector, watch, SELECTOR_NONE);
    selector->watches[watch->index] = last;
    last->index = watch->index;
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

bool selector_wait(struct selector *selector, int64_t timeout)
{
    forget_ready(selector);
    return selector_sets_wait(selector, timeout);
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
