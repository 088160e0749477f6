#include "exchange.h"

#include <stdlib.h>

/* Shared by all exchanges, since only one at a time uses it. It is aligned to a cache line, because
 * some processors copy received bytes into unaligned memory at half the speed. */
enum { SCRATCH = 256 * 1024, CACHE_LINE = 64 };
static _Alignas(CACHE_LINE) char scratch[SCRATCH];

const char *exchange_fault_name(enum exchange_fault fault)
{
    static const char *const names[] = {[EXCHANGE_UNGREETED] = "wrong greeting",
                                        [EXCHANGE_WRONG] = "wrong",
                                        [EXCHANGE_EXTRA] = "extra"};

    return names[fault];
}

bool exchange_open(struct exchange *exchange, const struct pattern *pattern, uint64_t connection,
                   uint32_t pipeline, os_socket s, struct selector *selector, uint8_t interest)
{
    *exchange =
        (struct exchange){.pattern = pattern, .connection = connection, .pipeline = pipeline};
    exchange->timed_from = malloc(pipeline * sizeof *exchange->timed_from);
    if (exchange->timed_from != NULL && selector_add(selector, &exchange->watch, s, interest))
        return true;
    free(exchange->timed_from);
    net_close(s);
    return false;
}

void exchange_close(struct exchange *exchange, struct selector *selector)
{
    selector_remove(selector, &exchange->watch);
    net_close(exchange->watch.socket);
    free(exchange->timed_from);
    exchange->timed_from = NULL;
}

uint64_t exchange_in_flight(const struct exchange *exchange)
{
    return exchange->begun - exchange->receiving.message;
}

void exchange_begin(struct exchange *exchange, int64_t timed_from)
{
    exchange->timed_from[exchange->begun % exchange->pipeline] = timed_from;
    exchange->begun++;
}

struct pattern_place exchange_place(const struct exchange *exchange)
{
    return pattern_is_greeted(exchange->pattern, exchange->greeted)
               ? exchange->receiving
               : (struct pattern_place){.offset = exchange->greeted};
}

unsigned char exchange_expected(const struct exchange *exchange)
{
    const struct pattern *pattern = exchange->pattern;

    return pattern_is_greeted(pattern, exchange->greeted)
               ? pattern_answer_byte(pattern, exchange->connection, &exchange->receiving)
               : pattern_greeting_byte(pattern, exchange->greeted);
}

int64_t exchange_timed_from(const struct exchange *exchange, uint64_t message)
{
    return exchange->timed_from[message % exchange->pipeline];
}

/* The number of bytes from a place to the end of the begun messages, at most `max`. */
static size_t bytes_left(const struct pattern_place *place, size_t size, uint64_t begun, size_t max)
{
    uint64_t messages = begun - place->message;

    if (messages > max / size + 1)
        return max;
    uint64_t left = messages * size - place->offset;

    return left < max ? (size_t)left : max;
}

static bool has_unsent(const struct exchange *exchange)
{
    return exchange->sending.message < exchange->begun;
}

bool exchange_is_full(const struct exchange *exchange)
{
    return bytes_left(&exchange->sending, exchange->pattern->size, exchange->begun, SCRATCH) ==
           SCRATCH;
}

uint8_t exchange_interest(const struct exchange *exchange)
{
    return has_unsent(exchange) ? SELECTOR_READ | SELECTOR_WRITE : SELECTOR_READ;
}

struct net_result exchange_send(struct exchange *exchange)
{
    const struct pattern *pattern = exchange->pattern;
    struct pattern_place end = exchange->sending;
    size_t length = bytes_left(&end, pattern->size, exchange->begun, SCRATCH);

    if (length == 0)
        return (struct net_result){.outcome = NET_DONE};
    pattern_fill(pattern, exchange->connection, &end, scratch, length);
    struct net_result result = net_send(exchange->watch.socket, scratch, length);

    if (result.outcome == NET_DONE)
        pattern_skip(&exchange->sending, pattern->size, result.bytes);
    return result;
}

void exchange_compare(struct exchange *exchange, const char *bytes, size_t length,
                      struct exchange_received *received)
{
    const struct pattern *pattern = exchange->pattern;
    uint64_t before = exchange->receiving.message;
    size_t greeted =
        pattern_compare_greeting(pattern, &exchange->greeted, bytes, length, &received->expected);
    size_t expected_length = 0;
    size_t matched = greeted;

    if (pattern_is_greeted(pattern, exchange->greeted)) {
        expected_length = greeted + bytes_left(&exchange->receiving, pattern_answer_size(pattern),
                                               exchange->begun, length - greeted);
        matched += pattern_compare(pattern, exchange->connection, &exchange->receiving,
                                   bytes + greeted, expected_length - greeted, &received->expected);
    }
    received->answered = exchange->receiving.message - before;
    received->fault = matched == length                                 ? EXCHANGE_RIGHT
                      : !pattern_is_greeted(pattern, exchange->greeted) ? EXCHANGE_UNGREETED
                      : matched < expected_length                       ? EXCHANGE_WRONG
                                                                        : EXCHANGE_EXTRA;
    if (matched < length)
        received->got = (unsigned char)bytes[matched];
}

struct exchange_received exchange_receive(struct exchange *exchange)
{
    struct exchange_received received = {.bytes = scratch, .fault = EXCHANGE_RIGHT};

    received.result = net_recv(exchange->watch.socket, scratch, SCRATCH);
    if (received.result.outcome == NET_DONE)
        exchange_compare(exchange, scratch, received.result.bytes, &received);
    return received;
}
