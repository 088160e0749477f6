/* sooner: pure. Of two times, the one that comes first; INT64_MAX is never. */
#ifndef SOONER_H
#define SOONER_H

#include <stdint.h>

static inline int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
