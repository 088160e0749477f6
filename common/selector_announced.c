/*
 * Cold sockets announce what happens to them. A socket that was idle for a full scan is armed: from
 * then on the system queues a signal with its descriptor whenever something comes, or room is made,
 * or the connection ends (fcntl(2), F_SETSIG and O_ASYNC). It is given to one more select(), which
 * shows what came before it was armed, and leaves the sets. The signals are blocked, and read from
 * a descriptor that is in the read set like any other (signalfd(2)): no handler runs, and nothing
 * is interrupted.
 *
 * A socket that announces itself is asked by the next select() and stays armed; when that finds
 * nothing more, it leaves again. Only one that keeps coming becomes hot and is disarmed: one that
 * is ready in one scan and the next, or at two select() in a row within a scan.
 *
 * An announcement may be out of date: its descriptor may have been closed, and be another socket's
 * by now. It costs one vain question. When the system's queue is full, it sends SIGIO instead,
 * without a name; then all are asked.
 */
#include "selector_private.h"

#ifdef __linux__
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IDLE_SCANS = 3,  /* a hot socket that was last ready so many scans ago becomes cold */
    ARMED_MAX = 256, /* after one select(): the others are not kept waiting for long */
    NAMES = 64,      /* read at once */
    READS = 64       /* after one select() */
};

static const int64_t SCAN = MILLISECONDS(50); /* that a scan lasts */

static bool in_use; /* by a selector; a second one would read the names of the first */
static sigset_t signals;

static void unblock_in_child(void)
{
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

/* Whether nobody handles a signal, and nobody but an earlier selector has blocked it, as those do
 * who wait for it. */
static bool is_free(int signal)
{
    struct sigaction action;
    sigset_t blocked;

    return sigaction(signal, NULL, &action) == 0 &&
           (action.sa_handler == SIG_DFL || (signal == SIGIO && action.sa_handler == SIG_IGN)) &&
           sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 &&
           (sigismember(&blocked, signal) == 0 || sigismember(&signals, signal) == 1);
}

/* Finds a real-time signal that nobody uses, and blocks it for good, with SIGIO, which tells of a
 * full queue: one that is still queued for a selector that is no more must not end the process.
 * Returns it, or 0 when there is none. */
static int take_signal(void)
{
    static bool registered;
    int signal = SIGRTMIN;

    while (signal <= SIGRTMAX && !is_free(signal))
        signal++;
    if (signal > SIGRTMAX || !is_free(SIGIO))
        return 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGIO);
    sigaddset(&signals, signal);
    if (!registered && pthread_atfork(NULL, NULL, unblock_in_child) != 0)
        return 0;
    registered = true;
    return sigprocmask(SIG_BLOCK, &signals, NULL) == 0 ? signal : 0;
}

static bool arm(const struct announcements *announcements, struct selector_watch *watch)
{
    int on = 1;

    if (!watch->owned && (fcntl(watch->socket, F_SETOWN, announcements->process) != 0 ||
                          fcntl(watch->socket, F_SETSIG, announcements->signal) != 0))
        return false;
    watch->owned = true;
    watch->armed = ioctl(watch->socket, FIOASYNC, &on) == 0;
    return watch->armed;
}

void announced_disarm(struct selector_watch *watch)
{
    int off = 0;

    ioctl(watch->socket, FIOASYNC, &off);
    watch->armed = false;
}

/* Whether each of two descriptors has announced itself. Names that an earlier selector has left are
 * passed. */
static bool both_announced(const struct announcements *announcements, const int descriptors[2])
{
    struct signalfd_siginfo name;
    bool announced[2] = {false, false};

    while (read(announcements->watch.socket, &name, sizeof name) == (ssize_t)sizeof name) {
        for (int i = 0; i < 2; i++)
            announced[i] |=
                (int)name.ssi_signo == announcements->signal && name.ssi_fd == descriptors[i];
    }
    return announced[0] && announced[1];
}

/* Whether the system lets sockets announce themselves, each by its name, as some sandboxes do not.
 */
static bool works(const struct announcements *announcements)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    struct selector_watch watches[2] = {{.socket = pair[0]}, {.socket = pair[1]}};

    both_announced(announcements, pair);
    bool good = arm(announcements, &watches[0]) && arm(announcements, &watches[1]) &&
                write(pair[0], "", 1) == 1 && write(pair[1], "", 1) == 1 &&
                both_announced(announcements, pair);

    close(pair[0]);
    close(pair[1]);
    return good;
}

bool announced_begin(struct announcements *announcements)
{
    int signal = in_use ? 0 : take_signal();

    if (signal == 0)
        return false;
    int descriptor = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);

    if (descriptor == -1)
        return false;
    announcements->signal = signal;
    announcements->process = getpid();
    announcements->watch = (struct selector_watch){.socket = descriptor, .always = true};
    in_use = true;
    if (works(announcements))
        return true;
    announced_end(announcements);
    return false;
}

void announced_end(const struct announcements *announcements)
{
    close(announcements->watch.socket);
    in_use = false;
}

void announced_ask(struct selector *selector, struct selector_watch *watch)
{
    if (watch->index >= selector->asked)
        selector_swap(selector, watch, selector->asked++);
}

/* How many scans ago a watch was ready. */
static unsigned idle_scans(const struct selector *selector, const struct selector_watch *watch)
{
    return (uint8_t)(selector->scan - watch->seen);
}

/* Arms the hot sockets that have been idle. The next select() is given them once more: what came
 * before one was armed is not announced. One that cannot be armed stays hot for good. */
static void demote_idle(struct selector *selector)
{
    struct announcements *announcements = &selector->announcements;
    size_t armed = 0;

    for (size_t i = selector->hot; i-- > 0 && armed < ARMED_MAX;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->always || idle_scans(selector, watch) < IDLE_SCANS)
            continue;
        if (arm(announcements, watch)) {
            selector_swap(selector, watch, --selector->hot);
            armed++;
        } else {
            watch->always = true;
            selector->always++;
        }
    }
    announcements->demoting = armed == ARMED_MAX;
    selector_change(selector, &announcements->watch, SELECTOR_READ);
}

/* Whether a scan has ended, and goes on to the next. There is none while few are watched. */
static bool end_scan(struct selector *selector)
{
    int64_t *end = &selector->announcements.scan_ends;

    if (selector->count <= SELECTOR_FEW) {
        *end = 0;
        return false;
    }
    int64_t now = os_nanoseconds();

    if (now < *end)
        return false;
    bool begun = *end > 0;
    int64_t scans = 1 + (now - *end) / SCAN; /* some may have passed in one round */

    if (begun)
        selector->scan = (uint8_t)(selector->scan + (scans < IDLE_SCANS ? scans : IDLE_SCANS));
    *end = now + SCAN;
    return begun;
}

/* Whether a socket that announces itself keeps coming, so that select() finds it more cheaply. */
static bool keeps_coming(const struct selector *selector, const struct selector_watch *watch)
{
    unsigned idle = idle_scans(selector, watch);

    return idle == 1 || (idle == 0 && watch->woken) || selector->count <= SELECTOR_FEW;
}

/* After a select(): of the sockets that announced themselves, those that are not ready leave, and
 * those that keep coming become hot. */
static void update_lists(struct selector *selector)
{
    bool ended = end_scan(selector);

    for (size_t i = 0; i < selector->ready_count; i++) {
        struct selector_watch *watch = selector->ready[i];

        if (watch->armed && keeps_coming(selector, watch)) {
            announced_disarm(watch);
            selector_promote(selector, watch);
        }
        watch->woken = watch->armed;
        watch->seen = selector->scan;
    }
    for (size_t i = selector->asked; i-- > selector->hot;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->ready != SELECTOR_NONE)
            continue;
        watch->woken = false;
        selector_swap(selector, watch, --selector->asked);
    }
    if (ended || selector->announcements.demoting)
        demote_idle(selector);
}

/* Whoever has announced itself is asked by the next select(); when the queue was full, all are. */
static void take_names(struct selector *selector)
{
    struct signalfd_siginfo names[NAMES];
    size_t count = NAMES;

    for (int reads = 0; reads < READS && count == NAMES; reads++) {
        ssize_t n = read(selector->announcements.watch.socket, names, sizeof names);

        count = n > 0 ? (size_t)n / sizeof names[0] : 0;
        for (size_t i = 0; i < count; i++) {
            struct selector_watch *watch = selector_sets_find(selector->sets, names[i].ssi_fd);

            if (names[i].ssi_signo == SIGIO)
                selector->asked = selector->count;
            else if (watch != NULL)
                announced_ask(selector, watch);
        }
    }
}

bool announced_wait(struct selector *selector, int64_t timeout)
{
    struct announcements *announcements = &selector->announcements;
    size_t to = selector->count > SELECTOR_FEW ? selector->asked : selector->count;

    /* Idle sockets that are still hot cost every select(); few of them are not worth a wake-up. */
    if (selector->hot - selector->always > SELECTOR_FEW || announcements->demoting) {
        int64_t left = announcements->demoting ? 0 : announcements->scan_ends - os_nanoseconds();

        left = left > 0 ? left : 0;
        timeout = timeout >= 0 && timeout < left ? timeout : left;
    }
    bool good = selector_sets_wait(selector, selector->hot, to, timeout);

    /* What has not been polled is asked again: it does not announce itself a second time. */
    if (!selector->polled)
        return good;
    update_lists(selector);
    if (announcements->watch.ready != SELECTOR_NONE) {
        selector_unfound(selector, &announcements->watch);
        take_names(selector);
    }
    return good;
}
#else
bool announced_begin(struct announcements *announcements)
{
    (void)announcements;
    return false;
}

void announced_end(const struct announcements *announcements)
{
    (void)announcements;
}

bool announced_wait(struct selector *selector, int64_t timeout)
{
    return polled_wait(selector, timeout);
}

void announced_ask(struct selector *selector, struct selector_watch *watch)
{
    (void)selector;
    (void)watch;
}

void announced_disarm(struct selector_watch *watch)
{
    (void)watch;
}
#endif
