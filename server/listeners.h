/*
 * listeners: opens the sockets that listen on the addresses of the command line, or takes those
 * that a service manager has opened (listeners_posix.c; listeners_win32.c has none).
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"
#include "selector.h"

enum { LISTENERS_MAX = 128, LISTENERS_ERROR = 512 };

struct listener {
    struct selector_watch watch; /* first member; owns its socket */
    struct net_address address;  /* with the bound port */
    int name;                    /* index of the name that it is an address of */
};

struct listeners {
    struct listener all[LISTENERS_MAX];
    size_t count;
    bool in_use; /* listeners_open() failed, but may succeed a moment later (OS_ERROR_IN_USE) */
};

/*
 * Opens a listening socket for each address of each name on each port, in the order of the ports.
 * Port 0 chooses one that is free on all addresses; each 0 chooses another. An address that this
 * machine does not have is left out, as long as another address of the same name listens on the
 * port; with `some`, of any name. A numeric address is the only one of its name. An address and
 * port that are there twice are opened once. Returns false, with no socket open, on failure; `note`
 * then tells the user why. Otherwise `note` says what was left out, or is empty. Blocks while the
 * name service is asked.
 */
bool listeners_open(struct listeners *listeners, const char *const *names, int name_count,
                    const uint16_t *ports, int port_count, bool some, char note[LISTENERS_ERROR]);

/*
 * Takes the listening sockets that a service manager, such as systemd, has opened for this process
 * (sd_listen_fds(3)): as many as LISTEN_FDS says, from descriptor 3 on, if LISTEN_PID is this
 * process. `count` is 0 if there are none, as always on Windows. Removes these two variables and
 * LISTEN_FDNAMES from the environment. Returns false, with no socket taken, when LISTEN_FDS is not
 * a number up to LISTENERS_MAX, or a descriptor no listening TCP socket; `note` then tells the
 * user, and is empty otherwise.
 */
bool listeners_inherit(struct listeners *listeners, char note[LISTENERS_ERROR]);

/* A note when only one of 0.0.0.0 and :: is listened on, or NULL: users who bind one of them mean
 * clients of both kinds. */
const char *listeners_missing_half(const struct listeners *listeners);

/* Closes all sockets. May be called twice. */
void listeners_close(struct listeners *listeners);

#endif
