/* Plain select(): all sockets in every call, the sets as large as the highest of them needs, and
 * only what is ready looked at. */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "peer.h"

typedef unsigned long word;
enum { WORD_BITS = sizeof(word) * CHAR_BIT };

/* By socket; an entry of `peers` counts while the socket is in one of the sets. */
static struct peer *peers;
static word *interest[2], *ready[2]; /* to read, to write */
static size_t words;                 /* in use */

static void put(enum peer_wait set, int s, bool in)
{
    word bit = (word)1 << ((unsigned)s % WORD_BITS);
    word *place = &interest[set][(unsigned)s / WORD_BITS];

    *place = in ? *place | bit : *place & ~bit;
}

static void wait_for(int s, enum peer_wait wait)
{
    put(PEER_READ, s, wait == PEER_READ);
    put(PEER_WRITE, s, wait == PEER_WRITE);
    if (words <= (size_t)s / WORD_BITS)
        words = (size_t)s / WORD_BITS + 1;
}

static void serve(int listener, int ready_socket)
{
    int s;

    if (ready_socket != listener) {
        wait_for(ready_socket, peer_serve(&peers[ready_socket]));
        return;
    }
    while ((s = peer_accept(listener)) >= 0) {
        peers[s] = (struct peer){.socket = s};
        wait_for(s, PEER_READ);
    }
}

static void set_up(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        peer_fail("getrlimit");
    size_t most = limit.rlim_cur < 1 << 20 ? limit.rlim_cur : 1 << 20;

    peers = peer_allocate(most * sizeof *peers);
    for (int i = 0; i < 2; i++) {
        interest[i] = calloc(most / WORD_BITS + 1, sizeof(word));
        ready[i] = calloc(most / WORD_BITS + 1, sizeof(word));
        if (interest[i] == NULL || ready[i] == NULL)
            peer_fail("calloc");
    }
}

int main(void)
{
    int listener = peer_listen();

    set_up();
    wait_for(listener, PEER_READ);
    for (;;) {
        size_t used = words;

        for (int i = 0; i < 2; i++)
            memcpy(ready[i], interest[i], used * sizeof(word));
        if (select((int)(used * WORD_BITS), (fd_set *)(void *)ready[0], (fd_set *)(void *)ready[1],
                   NULL, NULL) < 0)
            peer_fail("select");
        for (size_t i = 0; i < used; i++) {
            for (word either = ready[0][i] | ready[1][i]; either != 0; either &= either - 1)
                serve(listener, (int)(i * WORD_BITS) + __builtin_ctzl(either));
        }
    }
}
