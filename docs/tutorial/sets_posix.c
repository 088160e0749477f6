/* macOS takes descriptors past FD_SETSIZE only with this. */
#define _DARWIN_UNLIMITED_SELECT /* NOLINT: the name is the system's */

#include "sets.h"

#include <limits.h>

/* An fd_set is a bitmap: descriptor 70 is bit 6 of word 1, where a word has 64 bits. select() reads
 * as many bits as it is told to. FD_SET cannot be used beyond FD_SETSIZE: glibc ends the program.
 */
typedef unsigned long word;
enum { WORD_BITS = sizeof(word) * CHAR_BIT };

static word *readable, *writable;
static size_t words; /* of each of them */
static int highest;

bool sets_reserve(socket_type s, unsigned count)
{
    size_t needed = (size_t)s / WORD_BITS + 1;

    (void)count;
    if (needed <= words)
        return true;
    needed *= 2;
    word *wider = realloc(readable, needed * sizeof(word));

    if (wider == NULL)
        return false;
    readable = wider;
    wider = realloc(writable, needed * sizeof(word));
    if (wider == NULL)
        return false;
    writable = wider;
    memset(readable + words, 0, (needed - words) * sizeof(word));
    memset(writable + words, 0, (needed - words) * sizeof(word));
    words = needed;
    return true;
}

void sets_clear(void)
{
    memset(readable, 0, words * sizeof(word));
    memset(writable, 0, words * sizeof(word));
    highest = -1;
}

static word bit(socket_type s)
{
    return (word)1 << ((size_t)s % WORD_BITS);
}

void sets_add(socket_type s, bool read, bool write)
{
    if (read)
        readable[(size_t)s / WORD_BITS] |= bit(s);
    if (write)
        writable[(size_t)s / WORD_BITS] |= bit(s);
    highest = s > highest ? s : highest;
}

int sets_wait(struct timeval *timeout)
{
    int ready =
        select(highest + 1, (fd_set *)(void *)readable, (fd_set *)(void *)writable, NULL, timeout);

    if (ready <= 0)
        sets_clear();
    return ready;
}

bool sets_readable(socket_type s)
{
    return readable[(size_t)s / WORD_BITS] & bit(s);
}

bool sets_writable(socket_type s)
{
    return writable[(size_t)s / WORD_BITS] & bit(s);
}
