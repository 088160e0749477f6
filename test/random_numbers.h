/* random_numbers: numbers that look random and are the same in each run. */
#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* The next of the numbers that follow from `*state`, which is not 0 (Marsaglia's xorshift32). */
uint32_t random_next(uint32_t *state);

/* Begins one sequence for the whole program. */
void random_begin(uint32_t seed);

/* The next number of that sequence, 0 to `limit` - 1; before random_begin() it is 0. */
size_t random_below(size_t limit);

#endif
