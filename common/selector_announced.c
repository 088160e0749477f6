/*
 * Cold sockets announce their events. A socket that was idle for a full scan is armed: from then on
 * the system queues a signal with its descriptor whenever data arrives, room is made or the
 * connection ends (fcntl(2), F_SETSIG and O_ASYNC). An armed socket is given to one more select(),
 * which shows what came before it was armed, and then leaves the sets. The signals are blocked and
 * are read from a descriptor that is in the read set like any other (signalfd(2)): no handler runs,
 * and no system call is interrupted.
 *
 * A socket that announces itself is given to the next select() and stays armed. It leaves again
 * when that select() does not find it ready. It becomes hot, and is disarmed, only if it stays
 * busy, which is to be ready in one scan and the next, or at two select() in a row within a scan:
 * for a socket that is read often, select() costs less than a signal for each event.
 *
 * An announcement may be out of date: its descriptor may have been closed and be another socket's
 * by now. That costs one needless poll. When the system's signal queue is full, the system sends
 * SIGIO instead, without a descriptor; then all sockets are polled.
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
    IDLE_SCANS = 3,  /* a hot socket that was last ready this many scans ago becomes cold */
    ARMED_MAX = 256, /* sockets that are armed after one select() */
    BATCH = 64,      /* announcements read at once, */
    READS = 64       /* and so often after one select() */
};

static const int64_t SCAN_TIME = MILLISECONDS(50); /* duration of a scan */

static bool signals_taken; /* by a selector of this process; a second one would read the first one's
                              announcements */
static sigset_t blocked_signals;

static void unblock_in_child(void)
{
    sigprocmask(SIG_UNBLOCK, &blocked_signals, NULL);
}

/* Whether a signal has no handler, and is not blocked by a part of the program that waits for it.
 * An earlier selector's block does not count. */
static bool is_unused(int signal)
{
    struct sigaction action;
    sigset_t blocked;

    return sigaction(signal, NULL, &action) == 0 &&
           (action.sa_handler == SIG_DFL || (signal == SIGIO && action.sa_handler == SIG_IGN)) &&
           sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 &&
           (sigismember(&blocked, signal) == 0 || sigismember(&blocked_signals, signal) == 1);
}

/* Finds an unused real-time signal. Blocks it for good, together with SIGIO, which reports a full
 * queue: a signal still queued for a destroyed selector must not end the process. Returns the
 * signal, or 0 when there is none. */
static int take_signal(void)
{
    static bool registered;
    int signal = SIGRTMIN;

    while (signal <= SIGRTMAX && !is_unused(signal))
        signal++;
    if (signal > SIGRTMAX || !is_unused(SIGIO))
        return 0;
    sigemptyset(&blocked_signals);
    sigaddset(&blocked_signals, SIGIO);
    sigaddset(&blocked_signals, signal);
    if (!registered && pthread_atfork(NULL, NULL, unblock_in_child) != 0)
        return 0;
    registered = true;
    return sigprocmask(SIG_BLOCK, &blocked_signals, NULL) == 0 ? signal : 0;
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

/* Whether both descriptors have announced themselves. Announcements left over from an earlier
 * selector are skipped. */
static bool both_announced(const struct announcements *announcements, const int descriptors[2])
{
    struct signalfd_siginfo event;
    bool announced[2] = {false, false};

    while (read(announcements->watch.socket, &event, sizeof event) == (ssize_t)sizeof event) {
        for (int i = 0; i < 2; i++)
            announced[i] |=
                (int)event.ssi_signo == announcements->signal && event.ssi_fd == descriptors[i];
    }
    return announced[0] && announced[1];
}

/* Whether the system delivers announcements that name their sockets; some sandboxes do not. */
static bool announcements_work(const struct announcements *announcements)
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
    int signal = signals_taken ? 0 : take_signal();

    if (signal == 0)
        return false;
    int descriptor = signalfd(-1, &blocked_signals, SFD_NONBLOCK | SFD_CLOEXEC);

    if (descriptor == -1)
        return false;
    announcements->signal = signal;
    announcements->process = getpid();
    announcements->watch = (struct selector_watch){.socket = descriptor, .always = true};
    signals_taken = true;
    if (announcements_work(announcements))
        return true;
    announced_end(announcements);
    return false;
}

void announced_end(const struct announcements *announcements)
{
    close(announcements->watch.socket);
    signals_taken = false;
}

void announced_poll_next(struct selector *selector, struct selector_watch *watch)
{
    if (watch->index >= selector->poll_end)
        selector_swap(selector, watch, selector->poll_end++);
}

/* How many scans ago a watch was last ready. */
static unsigned idle_scans(const struct selector *selector, const struct selector_watch *watch)
{
    return (uint8_t)(selector->scan - watch->seen);
}

/* Arms the hot sockets that have been idle, ARMED_MAX at most: the rest follows after the next
 * select(), so that ready sockets are not held up. That select() includes the armed ones once more,
 * because what came before a socket was armed is not announced. A socket that cannot be armed stays
 * hot for good. */
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

/* Whether a scan has ended; if so, the next one begins. No scan runs while few sockets are watched.
 */
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
    int64_t scans = 1 + (now - *end) / SCAN_TIME; /* some may have passed in one round */

    if (begun)
        selector->scan = (uint8_t)(selector->scan + (scans < IDLE_SCANS ? scans : IDLE_SCANS));
    *end = now + SCAN_TIME;
    return begun;
}

/* Whether a socket that announced itself stays busy. */
static bool stays_busy(const struct selector *selector, const struct selector_watch *watch)
{
    unsigned idle = idle_scans(selector, watch);

    return idle == 1 || (idle == 0 && watch->woken) || selector->count <= SELECTOR_FEW;
}

/* After a select(): armed sockets that are not ready leave, and those that stay busy become hot. */
static void update_lists(struct selector *selector)
{
    bool ended = end_scan(selector);

    for (size_t i = 0; i < selector->ready_count; i++) {
        struct selector_watch *watch = selector->ready[i];

        if (watch->armed && stays_busy(selector, watch)) {
            announced_disarm(watch);
            selector_promote(selector, watch);
        }
        watch->woken = watch->armed;
        watch->seen = selector->scan;
    }
    for (size_t i = selector->poll_end; i-- > selector->hot;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->ready != SELECTOR_NONE)
            continue;
        watch->woken = false;
        selector_swap(selector, watch, --selector->poll_end);
    }
    if (ended || selector->announcements.demoting)
        demote_idle(selector);
}

/* Gives the sockets that have announced themselves to the next select(), or all if the queue was
 * full. */
static void take_announcements(struct selector *selector)
{
    struct signalfd_siginfo events[BATCH];
    size_t count = BATCH;

    for (int reads = 0; reads < READS && count == BATCH; reads++) {
        ssize_t n = read(selector->announcements.watch.socket, events, sizeof events);

        count = n > 0 ? (size_t)n / sizeof events[0] : 0;
        for (size_t i = 0; i < count; i++) {
            struct selector_watch *watch = selector_sets_find(selector->sets, events[i].ssi_fd);

            if (events[i].ssi_signo == SIGIO)
                selector->poll_end = selector->count;
            else if (watch != NULL)
                announced_poll_next(selector, watch);
        }
    }
}

bool announced_wait(struct selector *selector, int64_t timeout)
{
    struct announcements *announcements = &selector->announcements;
    size_t to = selector->count > SELECTOR_FEW ? selector->poll_end : selector->count;

    /* Idle sockets that are still hot make every select() slower; a few of them are not worth
     * waking up for. */
    if (selector->hot - selector->always > SELECTOR_FEW || announcements->demoting) {
        int64_t left = announcements->demoting ? 0 : announcements->scan_ends - os_nanoseconds();

        left = left > 0 ? left : 0;
        timeout = timeout >= 0 && timeout < left ? timeout : left;
    }
    bool ok = selector_sets_wait(selector, selector->hot, to, timeout);

    /* What has not been polled is asked again: it does not announce itself a second time. */
    if (!selector->completed)
        return ok;
    update_lists(selector);
    if (announcements->watch.ready != SELECTOR_NONE) {
        selector_unmark_ready(selector, &announcements->watch);
        take_announcements(selector);
    }
    return ok;
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

void announced_poll_next(struct selector *selector, struct selector_watch *watch)
{
    (void)selector;
    (void)watch;
}

void announced_disarm(struct selector_watch *watch)
{
    (void)watch;
}
#endif
