#include "address_counts.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

/* FNV-1a, 32 bits (RFC 9923). */
static uint32_t hash(const struct net_address *address)
{
    uint32_t value = 2166136261U;

    for (size_t i = 0; i < sizeof address->bytes; i++)
        value = (value ^ address->bytes[i]) * 16777619U;
    return (value ^ address->scope ^ address->ipv6) * 16777619U;
}

/* The slot of an address, or the free one in which it belongs. */
static struct address_count *find_slot(const struct address_counts *counts,
                                       const struct net_address *address)
{
    size_t place = hash(address) & (counts->capacity - 1);

    while (counts->slots[place].in_use &&
           !net_address_equal(&counts->slots[place].address, address))
        place = (place + 1) & (counts->capacity - 1);
    return &counts->slots[place];
}

/* Builds the table anew without the addresses that have no connection left, and with room for more.
 * Returns false, with nothing changed, when memory is refused. */
static bool rebuild(struct address_counts *counts)
{
    struct address_counts next = {.capacity = FIRST_CAPACITY};

    for (size_t i = 0; i < counts->capacity; i++)
        next.used += counts->slots[i].connections > 0;
    while (next.capacity < 4 * next.used)
        next.capacity *= 2;
    next.slots = calloc(next.capacity, sizeof *next.slots);
    if (next.slots == NULL)
        return false;
    for (size_t i = 0; i < counts->capacity; i++) {
        if (counts->slots[i].connections > 0)
            *find_slot(&next, &counts->slots[i].address) = counts->slots[i];
    }
    free(counts->slots);
    *counts = next;
    return true;
}

uint32_t *address_counts_find(struct address_counts *counts, const struct net_address *address)
{
    struct net_address any_port = *address;

    any_port.port = 0;
    if (counts->capacity > 0) {
        struct address_count *found = find_slot(counts, &any_port);

        if (found->in_use)
            return &found->connections;
    }
    if (2 * (counts->used + 1) > counts->capacity && !rebuild(counts))
        return NULL;
    struct address_count *slot = find_slot(counts, &any_port);

    *slot = (struct address_count){.address = any_port, .in_use = true};
    counts->used++;
    return &slot->connections;
}

void address_counts_clear(struct address_counts *counts)
{
    free(counts->slots);
    *counts = (struct address_counts){.slots = NULL};
}
