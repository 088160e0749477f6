/*
 * splitmix64: pure. Numbers that look random and are the same for the same seed (Steele, Lea,
 * Flood: Fast Splittable Pseudorandom Number Generators, 2014). Not for secrets.
 */
#ifndef SPLITMIX64_H
#define SPLITMIX64_H

#include <stdint.h>

/* Returns the next number of the sequence that `state`, which may begin as any number, stands for.
 */
static inline uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

#endif
