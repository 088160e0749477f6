/* macOS refuses descriptors past FD_SETSIZE unless this says that the sets are larger. */
#define _DARWIN_UNLIMITED_SELECT /* NOLINT: the name is the system's */

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "selector_private.h"

/*
 * An fd_set is a bitmap over descriptors, and select() reads only as many of its bits as its first
 * argument says. So it may be larger than its type, as long as FD_SET and its like are not used:
 * those of glibc abort past FD_SETSIZE. Linux and FreeBSD use words of unsigned long. Others use
 * words of 32 bits, which is the same layout on a little-endian or a 32-bit machine.
 */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && __SIZEOF_LONG__ != 4 && !defined __linux__ &&     \
    !defined __FreeBSD__
#error                                                                                             \
    "the bits of an fd_set are in another order here: it has 32-bit words on a big-endian machine"
#endif
typedef unsigned long word;
enum { WORD_BITS = sizeof(word) * CHAR_BIT };
enum { SHORTAGE_DELAY = 10 /* milliseconds; the time-out of poll(2) */ };
_Static_assert(sizeof(fd_set) % sizeof(word) == 0, "an fd_set is a number of whole words");
_Static_assert(FD_SETSIZE % WORD_BITS == 0, "no word reaches past the bits of an fd_set");

struct selector_sets {
    size_t words;        /* of each bitmap */
    size_t used;         /* words[used] and those after it have no bit set in either interest */
    word *read_interest; /* owns the allocation of all four bitmaps */
    word *write_interest;
    word *read_ready; /* copied from the interest; select() clears the bits that are not ready */
    word *write_ready;
    struct selector_watch **by_descriptor; /* one for each bit; NULL: not watched */
};

struct selector_sets *selector_sets_create(void)
{
    return calloc(1, sizeof(struct selector_sets));
}

void selector_sets_destroy(struct selector_sets *sets)
{
    free(sets->read_interest);
    free(sets->by_descriptor);
    free(sets);
}

/* Makes room for a descriptor; false when memory is refused. */
static bool reserve(struct selector_sets *sets, size_t descriptor)
{
    size_t words = sets->words > 0 ? sets->words : 16;

    while (words * WORD_BITS <= descriptor)
        words *= 2;
    if (words == sets->words)
        return true;

    struct selector_watch **table =
        realloc(sets->by_descriptor, words * WORD_BITS * sizeof(struct selector_watch *));
    if (table == NULL)
        return false;
    sets->by_descriptor = table;
    word *bitmaps = calloc(4 * words, sizeof(word));
    if (bitmaps == NULL)
        return false;
    for (size_t i = sets->words * WORD_BITS; i < words * WORD_BITS; i++)
        table[i] = NULL;
    if (sets->words > 0) {
        memcpy(bitmaps, sets->read_interest, sets->words * sizeof(word));
        memcpy(bitmaps + words, sets->write_interest, sets->words * sizeof(word));
    }
    free(sets->read_interest);
    sets->words = words;
    sets->read_interest = bitmaps;
    sets->write_interest = bitmaps + words;
    sets->read_ready = bitmaps + 2 * words;
    sets->write_ready = bitmaps + 3 * words;
    return true;
}

bool selector_sets_add(struct selector_sets *sets, struct selector_watch *watch, size_t count)
{
    (void)count;
    assert(watch->socket >= 0);
    if (!reserve(sets, (size_t)watch->socket))
        return false;
    assert(sets->by_descriptor[watch->socket] == NULL); /* a socket is watched once at most */
    sets->by_descriptor[watch->socket] = watch;
    return true;
}

void selector_sets_remove(struct selector_sets *sets, const struct selector_watch *watch)
{
    assert(sets->by_descriptor[watch->socket] == watch);
    sets->by_descriptor[watch->socket] = NULL;
}

struct selector_watch *selector_sets_find(const struct selector_sets *sets, int descriptor)
{
    bool known = descriptor >= 0 && (size_t)descriptor < sets->words * WORD_BITS;

    return known ? sets->by_descriptor[descriptor] : NULL;
}

static void set_bit(word *bitmap, size_t descriptor, bool on)
{
    word bit = (word)1 << (descriptor % WORD_BITS);

    if (on)
        bitmap[descriptor / WORD_BITS] |= bit;
    else
        bitmap[descriptor / WORD_BITS] &= ~bit;
}

void selector_sets_change(struct selector_sets *sets, struct selector_watch *watch,
                          uint8_t interest)
{
    size_t descriptor = (size_t)watch->socket;

    set_bit(sets->read_interest, descriptor, (interest & SELECTOR_READ) != 0);
    set_bit(sets->write_interest, descriptor, (interest & SELECTOR_WRITE) != 0);
    if (sets->used <= descriptor / WORD_BITS)
        sets->used = descriptor / WORD_BITS + 1;
}

/* Visits only the bits that select() has left set. */
static void collect(struct selector *selector, size_t words)
{
    const struct selector_sets *sets = selector->sets;

    for (size_t i = 0; i < words; i++) {
        word either = sets->read_ready[i] | sets->write_ready[i];

        while (either != 0) {
            unsigned place = (unsigned)__builtin_ctzl(either);
            uint8_t ready = SELECTOR_NONE;

            if (sets->read_ready[i] >> place & 1)
                ready |= SELECTOR_READ;
            if (sets->write_ready[i] >> place & 1)
                ready |= SELECTOR_WRITE;
            selector_mark_ready(selector, sets->by_descriptor[i * WORD_BITS + place], ready);
            either &= either - 1;
        }
    }
}

/* Fills the ready bitmaps with the interest of all watches; returns how many words are in use. */
static size_t fill_with_all(struct selector_sets *sets)
{
    while (sets->used > 0 && sets->read_interest[sets->used - 1] == 0 &&
           sets->write_interest[sets->used - 1] == 0)
        sets->used--;
    if (sets->used > 0) {
        memcpy(sets->read_ready, sets->read_interest, sets->used * sizeof(word));
        memcpy(sets->write_ready, sets->write_interest, sets->used * sizeof(word));
    }
    return sets->used;
}

/* Adds the interest of watches[from] up to watches[to]; returns how many words are in use now. */
static size_t add_interest(const struct selector *selector, size_t from, size_t to, size_t words)
{
    struct selector_sets *sets = selector->sets;

    for (size_t i = from; i < to; i++) {
        const struct selector_watch *watch = selector->watches[i];
        size_t descriptor = (size_t)watch->socket;

        if (watch->interest == SELECTOR_NONE)
            continue;
        if (watch->interest & SELECTOR_READ)
            set_bit(sets->read_ready, descriptor, true);
        if (watch->interest & SELECTOR_WRITE)
            set_bit(sets->write_ready, descriptor, true);
        if (words <= descriptor / WORD_BITS)
            words = descriptor / WORD_BITS + 1;
    }
    return words;
}

/* Fills the ready bitmaps with the interest of some watches; returns how many words are in use. */
static size_t fill_with_some(const struct selector *selector, size_t from, size_t to)
{
    struct selector_sets *sets = selector->sets;

    memset(sets->read_ready, 0, sets->used * sizeof(word));
    memset(sets->write_ready, 0, sets->used * sizeof(word));
    return add_interest(selector, from, to, add_interest(selector, 0, selector->hot, 0));
}

bool selector_sets_wait(struct selector *selector, size_t from, size_t to, int64_t timeout)
{
    struct selector_sets *sets = selector->sets;
    int64_t microseconds =
        (timeout + 999) / 1000; /* rounded up: waking early would mean waiting twice */
    struct timeval limit = {.tv_sec = (time_t)(microseconds / 1000000),
                            .tv_usec = (suseconds_t)(microseconds % 1000000)};
    size_t words = selector->hot + to - from == selector->count
                       ? fill_with_all(sets)
                       : fill_with_some(selector, from, to);
    int found = select((int)(words * WORD_BITS), (fd_set *)(void *)sets->read_ready,
                       (fd_set *)(void *)sets->write_ready, NULL, timeout < 0 ? NULL : &limit);

    /* A signal interrupts select() only after it has polled all and found none ready. */
    selector->completed = found >= 0 || errno == EINTR;
    if (found > 0)
        collect(selector, words);
    if (found >= 0 || errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != ENOMEM)
        return false;
    /* The kernel is short of memory: give it some time. */
    poll(NULL, 0, SHORTAGE_DELAY);
    return true;
}
