#include "random_numbers.h"

static uint32_t random_state;

uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void random_begin(uint32_t seed)
{
    random_state = seed;
}

size_t random_below(size_t limit)
{
    return random_next(&random_state) % limit;
}
