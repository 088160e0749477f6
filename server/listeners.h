/* listeners: from the addresses of the command line to the sockets that listen on them. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include "selector.h"

enum { LISTENERS_MAX = 128, LISTENERS_ERROR = 512 };

struct listener {
    struct selector_watch watch; /* first; its socket is owned */
    struct net_address address;  /* with the port that was bound */
    int name;                    /* which name it is an address of, from 0 on */
};

struct listeners {
    struct listener all[LISTENERS_MAX];
    size_t count;
    bool in_use; /* nothing listens, and another try in a moment may do better (OS_ERROR_IN_USE) */
};

/*
 * Opens a listening socket for each address of each name, all on the same port; port 0 takes one
 * that is free on all. An address that this machine does not have is left out, as long as another
 * one of the same name listens; with `some`, of any name. A numeric address is the only one of its
 * name. Returns false, with no socket open, when that fails. `note` then says why, in words for the
 * user; otherwise it says what was left out, or is empty. It waits for the name context.
 */
bool listeners_open(struct listeners *listeners, const char *const *names, int name_count,
                    uint16_t port, bool some, char note[LISTENERS_ERROR]);

/* What is not listened on where only one of 0.0.0.0 and :: is, or NULL: people who bind one of them
 * mean everybody. */
const char *listeners_missing_half(const struct listeners *listeners);

/* Closes all sockets; does nothing the second time. */
void listeners_close(struct listeners *listeners);

#endif
