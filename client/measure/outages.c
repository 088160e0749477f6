#include "outages.h"

void outages_begin(struct outages *outages, int64_t now)
{
    if (outages->began != 0)
        return;
    outages->began = now;
    outages->count++;
}

void outages_end(struct outages *outages, int64_t now)
{
    int64_t length = now - outages->began;

    if (outages->began == 0)
        return;
    outages->began = 0;
    outages->total += length;
    outages->longest = length > outages->longest ? length : outages->longest;
}
