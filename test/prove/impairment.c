/*
 * server/impairment: each function from any state. Faults come at each byte that is added, or
 * never; times are 0 to 2^61 ns, 73 years. What the buffer promises, buffer.c shows.
 *
 * run: prove_add -eva-slevel 200 -eva-slevel-function prove_add:0,prove_faults:0
 *     -eva-min-loop-unroll 8 -no-warn-unsigned-overflow
 * run: prove_send -eva-slevel 100 -eva-slevel-function prove_send:0
 *     -eva-min-loop-unroll 8 -no-warn-unsigned-overflow
 * inputs: up to LENGTH bytes that are added, and as many that wait to be sent
 * assumed: buffer_length buffer_bytes buffer_append buffer_consume buffer_clear
 */
#include "prove.h"

#include "../../server/impairment.c"

enum { LENGTH = 3, ADDED = 10 };

/* The latest time: 73 years. */
static const int64_t LATEST = (int64_t)1 << 61;
static const uint64_t HOUR = UINT64_C(3600000000000);

/* The buffer, of which only the length is kept. */
static size_t held;

size_t buffer_length(const struct buffer *buffer)
{
    (void)buffer;
    return held;
}

const char *buffer_bytes(const struct buffer *buffer)
{
    static char byte;

    (void)buffer;
    return held > 0 ? &byte : NULL;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    (void)buffer;
    //@ assert length == 0 || \initialized((const char *)bytes + (0 .. length - 1));
    (void)bytes;
    held = (size_t)any_between(length, length + ((size_t)1 << 31));
    return any_between(0, 1) == 1;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    (void)buffer;
    held = length < held ? held - length : 0;
}

void buffer_clear(struct buffer *buffer)
{
    (void)buffer;
    held = 0;
}

static int64_t any_time(void)
{
    return (int64_t)any_between(0, (uint64_t)LATEST);
}

/* Rules as the command line allows them, without faults. */
static struct impairment_rules any_rules(void)
{
    return (struct impairment_rules){.delay = (int64_t)any_between(0, HOUR),
                                     .jitter = (int64_t)any_between(0, HOUR),
                                     .piece = any_between(0, UINT32_MAX),
                                     .rate = any_between(0, UINT32_MAX),
                                     .seed = any_between(0, UINT64_MAX)};
}

/* A state that there may be before an answer is added. */
static struct impairment any_state(void)
{
    struct impairment impairment = {.added = ADDED,
                                    .sent = any_between(0, UINT64_MAX),
                                    .added_at = any_time(),
                                    .next_send = any_time(),
                                    .random = any_between(0, UINT64_MAX),
                                    .first_mark = (unsigned)any_between(0, IMPAIRMENT_MARKS - 1),
                                    .mark_count = (unsigned)any_between(0, IMPAIRMENT_MARKS - 1)};

    for (unsigned i = 0; i < IMPAIRMENT_MARKS; i++)
        impairment.marks[i] = (struct impairment_mark){any_between(0, UINT64_MAX), any_time()};
    held = (size_t)any_between(0, (size_t)1 << 31);
    return impairment;
}

static void prove_faults(const struct impairment_rules *rules)
{
    for (size_t length = 1; length <= LENGTH; length++) {
        struct impairment impairment = any_state();
        struct span part = {any_bytes(length), length};

        impairment_add(&impairment, rules, part, any_time());
    }
}

/* The byte of the answers at which a fault comes, counted from 1: never, or one of those added. */
static uint64_t at(uint64_t place)
{
    return place == 0 ? 0 : ADDED + place;
}

void prove_add(void)
{
    struct impairment_rules rules = any_rules();

    for (uint64_t mute = 0; mute <= LENGTH; mute++) {
        rules.at[IMPAIRMENT_MUTE] = at(mute);
        for (uint64_t corrupt = 0; corrupt <= LENGTH; corrupt++) {
            rules.at[IMPAIRMENT_CORRUPT] = at(corrupt);
            for (uint64_t drop = 0; drop <= LENGTH; drop++) {
                rules.at[IMPAIRMENT_DROP] = at(drop);
                for (uint64_t twice = 0; twice <= LENGTH; twice++) {
                    rules.at[IMPAIRMENT_DUPLICATE] = at(twice);
                    prove_faults(&rules);
                }
            }
        }
    }
}

void prove_send(void)
{
    struct impairment_rules rules = any_rules();
    struct impairment impairment;
    int64_t now = any_time();

    impairment_begin(&impairment, &rules, any_between(0, UINT64_MAX));
    impairment_clear(&impairment);
    for (int fault = 0; fault < IMPAIRMENT_FAULTS; fault++)
        rules.at[fault] = any_between(0, UINT64_MAX);
    impairment_is_on(&rules);
    impairment = any_state();
    impairment.mark_count = (unsigned)any_between(0, IMPAIRMENT_MARKS);
    impairment_has_come(&impairment, &rules, IMPAIRMENT_CLOSE);
    impairment_has_room(&impairment, &rules);
    for (size_t waiting = 0; waiting <= LENGTH; waiting++) {
        held = waiting;
        impairment_due(&impairment, &rules);
        struct span part = impairment_next(&impairment, &rules, now);

        //@ assert part.length <= waiting;
        impairment_sent(&impairment, &rules, part.length, now);
    }
}
