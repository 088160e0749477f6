#include "stop_requests.h"

void stop_requests_add(struct stop_requests *requests, struct stop_request request)
{
    const int64_t apart = (int64_t)STOP_REQUESTS_APART * 1000000;

    if (requests->count > 0 && (request.hang_up || request.time - requests->time < apart))
        return;
    requests->count++;
    requests->time = request.time;
}
