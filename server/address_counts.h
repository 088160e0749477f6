/*
 * address_counts: pure. How many connections each address has: a hash table with open addressing,
 * for --max-per-address.
 */
#ifndef ADDRESS_COUNTS_H
#define ADDRESS_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "net.h"

struct address_count {
    struct net_address address; /* its port is 0 */
    uint32_t connections;
    bool in_use; /* stays set when the count drops to 0, until the table is built anew */
};

/*
 * All zeros: no address has a connection. Invariants: `capacity` is 0 or a power of 2, at most half
 * of the slots are in use, and each address is in one slot at most.
 */
struct address_counts {
    struct address_count *slots; /* owned */
    size_t capacity;
    size_t used;
};

/*
 * The count of an address, whatever its port, for the caller to change; 0 for a new address. Valid
 * until the next call. Returns NULL, with nothing changed, when memory is refused. The memory is in
 * proportion to the addresses that have connections.
 */
uint32_t *address_counts_find(struct address_counts *counts, const struct net_address *address);

/* Frees the memory. */
void address_counts_clear(struct address_counts *counts);

#endif
