/*
 * What the proofs of `make prove` are made of. A proof calls a module with every value that these
 * functions can return, all at once; docs/security.md says what is shown that way.
 */
#ifndef PROVE_H
#define PROVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern volatile int anything;

/*@ requires min <= max;
    assigns \result \from min, max, anything;
    ensures min <= \result <= max; */
uint64_t any_between(uint64_t min, uint64_t max);

/*@ requires \is_finite(min) && \is_finite(max) && min <= max;
    assigns \result \from min, max, anything;
    ensures \is_finite(\result) && min <= \result <= max; */
double any_double(double min, double max);

/*@ requires \valid((char *)out + (0 .. length - 1));
    assigns ((char *)out)[0 .. length - 1] \from anything;
    ensures \initialized((char *)out + (0 .. length - 1)); */
void any_fill(void *out, size_t length);

/* A block of exactly `length` bytes of any content, so that a read or write past either end shows.
 */
static inline char *any_bytes(size_t length)
{
    char *bytes = malloc(length);

    any_fill(bytes, length);
    return bytes;
}

/* A string of at most `length` characters, in a block that ends with its last NUL. */
static inline char *any_string(size_t length)
{
    char *text = any_bytes(length + 1);

    text[length] = '\0';
    return text;
}

#endif
