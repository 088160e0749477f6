#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "listeners.h"
#include "text.h"

enum { FIRST_DESCRIPTOR = 3 }; /* SD_LISTEN_FDS_START of sd_listen_fds(3) */

/* Takes as many sockets as `number` says. */
static bool take(struct listeners *listeners, const char *number, char note[LISTENERS_ERROR])
{
    char name[TEXT_NAME];
    uint64_t count;

    if (!text_number(number, 1, LISTENERS_MAX, &count)) {
        snprintf(note, LISTENERS_ERROR, "LISTEN_FDS '%s' is not a number from 1 to %d",
                 text_name(number, name), LISTENERS_MAX);
        return false;
    }
    for (int i = 0; i < (int)count; i++) {
        struct listener listener = {.watch.socket = FIRST_DESCRIPTOR + i};
        const char *error = net_adopt_listener(listener.watch.socket, &listener.address);

        if (error != NULL) {
            snprintf(note, LISTENERS_ERROR, "cannot listen on descriptor %d of LISTEN_FDS: %s",
                     listener.watch.socket, error);
            listeners_close(listeners);
            return false;
        }
        listeners->all[listeners->count++] = listener;
    }
    return true;
}

bool listeners_inherit(struct listeners *listeners, char note[LISTENERS_ERROR])
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};
    const char *process = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
    uint64_t id;
    bool ok = true;

    note[0] = '\0';
    listeners->count = 0;
    /* A process may have inherited variables that were meant for its parent. */
    if (process != NULL && number != NULL && text_number(process, 1, INT64_MAX, &id) &&
        id == (uint64_t)getpid())
        ok = take(listeners, number, note);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    return ok;
}
