#include "outages.h"

void outages_begin(struct outages *outages, int64_t since)
{
    if (since < outages->ended)
        since = outages->ended;
    outages->count += outages->began == 0;
    if (outages->began == 0 || since < outages->began)
        outages->began = since;
}

void outages_end(struct outages *outages, int64_t now)
{
    int64_t length = now - outages->began;

    if (outages->began == 0)
        return;
    outages->began = 0;
    outages->ended = now;
    outages->total += length;
    outages->longest = length > outages->longest ? length : outages->longest;
}

uint64_t outages_ended(const struct outages *outages)
{
    return outages->count - (outages->began != 0);
}
