#include "impairment.h"

#include <assert.h>
#include <string.h>

#include "deadline.h"
#include "splitmix64.h"

/* From one piece to the next: the peer's recv() then finds them one by one. */
static const int64_t PIECE_INTERVAL = MILLISECONDS(1);
/* With a rate, what is sent at once: the share of a hundredth of a second. */
enum { SENDS_PER_SECOND = 100 };

/* How many bytes of the answers come before a fault; UINT64_MAX if it never comes. */
static uint64_t bytes_before(const struct impairment_rules *rules, enum impairment_fault fault)
{
    return rules->at[fault] - 1;
}

bool impairment_is_on(const struct impairment_rules *rules)
{
    bool on = rules->delay > 0 || rules->jitter > 0 || rules->piece > 0 || rules->rate > 0;

    for (int fault = 0; fault < IMPAIRMENT_FAULTS; fault++)
        on = on || rules->at[fault] > 0;
    return on;
}

void impairment_begin(struct impairment *impairment, const struct impairment_rules *rules,
                      uint64_t connection)
{
    *impairment = (struct impairment){.added_at = INT64_MIN, .random = connection};
    impairment->random = splitmix64(&impairment->random) ^ rules->seed;
}

void impairment_clear(struct impairment *impairment)
{
    buffer_clear(&impairment->waiting);
    impairment->mark_count = 0;
}

/* Appends a byte as often as the faults at this byte say. */
static bool append_faulty(struct impairment *impairment, const struct impairment_rules *rules,
                          char byte)
{
    char bytes[2];
    size_t count = 1;

    if (impairment->added == bytes_before(rules, IMPAIRMENT_CORRUPT))
        byte = (char)(byte ^ 1 << splitmix64(&impairment->random) % 8);
    if (impairment->added == bytes_before(rules, IMPAIRMENT_DUPLICATE))
        count++;
    if (impairment->added == bytes_before(rules, IMPAIRMENT_DROP))
        count--;
    memset(bytes, byte, sizeof bytes);
    impairment->added++;
    return buffer_append(&impairment->waiting, bytes, count);
}

/* How many of `length` bytes come before the next byte with a fault. */
static size_t faultless(const struct impairment *impairment, const struct impairment_rules *rules,
                        size_t length)
{
    static const enum impairment_fault faults[] = {IMPAIRMENT_MUTE, IMPAIRMENT_CORRUPT,
                                                   IMPAIRMENT_DROP, IMPAIRMENT_DUPLICATE};

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint64_t after = bytes_before(rules, faults[i]);

        if (after >= impairment->added && after - impairment->added < length)
            length = (size_t)(after - impairment->added);
    }
    return length;
}

/* Sets when the bytes at the end that have no mark may be sent: together with the others of the
 * same time of adding. Those added earlier come first in any case. */
static void mark(struct impairment *impairment, const struct impairment_rules *rules, int64_t now)
{
    uint64_t end = impairment->sent + buffer_length(&impairment->waiting);
    unsigned place = impairment->first_mark + impairment->mark_count;
    struct impairment_mark *last = &impairment->marks[(place - 1) % IMPAIRMENT_MARKS];
    int64_t due = now + rules->delay;

    if (rules->delay == 0 && rules->jitter == 0)
        return;
    if (impairment->mark_count > 0 && (now == impairment->added_at || last->end == end)) {
        last->end = end;
        return;
    }
    assert(impairment->mark_count < IMPAIRMENT_MARKS);
    if (rules->jitter > 0)
        due += (int64_t)(splitmix64(&impairment->random) % ((uint64_t)rules->jitter + 1));
    impairment->marks[place % IMPAIRMENT_MARKS] = (struct impairment_mark){end, due};
    impairment->mark_count++;
    impairment->added_at = now;
}

bool impairment_add(struct impairment *impairment, const struct impairment_rules *rules,
                    struct span part, int64_t now)
{
    size_t done = 0;

    while (done < part.length && impairment->added < bytes_before(rules, IMPAIRMENT_MUTE)) {
        size_t count = faultless(impairment, rules, part.length - done);

        if (!buffer_append(&impairment->waiting, part.bytes + done, count))
            return false;
        impairment->added += count;
        done += count;
        if (done < part.length && impairment->added < bytes_before(rules, IMPAIRMENT_MUTE) &&
            !append_faulty(impairment, rules, part.bytes[done++]))
            return false;
    }
    if (buffer_length(&impairment->waiting) > 0)
        mark(impairment, rules, now);
    return true;
}

bool impairment_has_room(const struct impairment *impairment, const struct impairment_rules *rules)
{
    return buffer_length(&impairment->waiting) < IMPAIRMENT_QUEUE &&
           impairment->mark_count < IMPAIRMENT_MARKS &&
           !impairment_has_come(impairment, rules, IMPAIRMENT_STALL);
}

/* How many bytes may be sent before the next fault that ends or stops the stream. */
static uint64_t sendable(const struct impairment *impairment, const struct impairment_rules *rules)
{
    uint64_t end = UINT64_MAX;

    for (int fault = IMPAIRMENT_STALL; fault <= IMPAIRMENT_RESET; fault++) {
        uint64_t before = bytes_before(rules, (enum impairment_fault)fault);

        if (fault != IMPAIRMENT_MUTE && before < end)
            end = before;
    }
    return end > impairment->sent ? end - impairment->sent : 0;
}

int64_t impairment_due(const struct impairment *impairment, const struct impairment_rules *rules)
{
    int64_t due = impairment->next_send;

    if (buffer_length(&impairment->waiting) == 0 || sendable(impairment, rules) == 0)
        return DEADLINE_NEVER;
    if (impairment->mark_count > 0 && impairment->marks[impairment->first_mark].due > due)
        due = impairment->marks[impairment->first_mark].due;
    return due;
}

struct span impairment_next(const struct impairment *impairment,
                            const struct impairment_rules *rules, int64_t now)
{
    struct span part = {buffer_bytes(&impairment->waiting), buffer_length(&impairment->waiting)};
    uint64_t limits[] = {sendable(impairment, rules), part.length, part.length, part.length};

    if (impairment_due(impairment, rules) > now)
        return (struct span){NULL, 0};
    if (impairment->mark_count > 0)
        limits[1] = impairment->marks[impairment->first_mark].end - impairment->sent;
    if (rules->piece > 0)
        limits[2] = rules->piece;
    if (rules->rate > 0)
        limits[3] = rules->rate > SENDS_PER_SECOND ? rules->rate / SENDS_PER_SECOND : 1;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i] < part.length)
            part.length = (size_t)limits[i];
    }
    return part;
}

void impairment_sent(struct impairment *impairment, const struct impairment_rules *rules,
                     size_t length, int64_t now)
{
    double share = rules->rate > 0 ? (double)length / (double)rules->rate : 0;

    assert(length <= buffer_length(&impairment->waiting));
    buffer_consume(&impairment->waiting, length);
    impairment->sent += length;
    if (impairment->mark_count > 0 &&
        impairment->marks[impairment->first_mark].end == impairment->sent) {
        impairment->first_mark = (impairment->first_mark + 1) % IMPAIRMENT_MARKS;
        impairment->mark_count--;
    }
    /* A send that came late is made up for, so that the rate is kept; a time of silence is not. */
    if (now - impairment->next_send > MILLISECONDS(100))
        impairment->next_send = now;
    impairment->next_send += (int64_t)(share * (double)SECONDS(1));
    if (rules->piece > 0 && impairment->next_send < now + PIECE_INTERVAL)
        impairment->next_send = now + PIECE_INTERVAL;
}

bool impairment_has_come(const struct impairment *impairment, const struct impairment_rules *rules,
                         enum impairment_fault fault)
{
    return impairment->sent >= bytes_before(rules, fault);
}
