#include "stop_requests.h"

void stop_requests_add(struct stop_requests *requests, struct stop_request request)
{
    if (requests->count > 0 &&
        (request.hang_up || request.time - requests->time < STOP_REQUESTS_APART))
        return;
    requests->count++;
    requests->time = request.time;
}
