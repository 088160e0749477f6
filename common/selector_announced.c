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
 * busy: for a socket that is read often, select() costs less than a signal for each event.
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
#include <unistd.h>

enum {
    IDLE_SCANS = 2, /* a hot socket that was not ready in the scan before the last becomes cold */
    BATCH = 64      /* announcements read at once */
};

static const int64_t SCAN_TIME = MILLISECONDS(50); /* duration of a scan */

static bool signals_taken; /* by a selector of this process; a second one would read the first one's
                              announcements */
static sigset_t blocked_signals;

static void unblock_in_child(void)
{
    sigprocmask(SIG_UNBLOCK, &blocked_signals, NULL);
}

static bool is_unused(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
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

    if (!watch->owned && (fcntl(watch->socket, F_SETOWN, getpid()) != 0 ||
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

/* Whether a descriptor has announced itself. Announcements left over from an earlier selector are
 * skipped. */
static bool was_announced(const struct announcements *announcements, int descriptor)
{
    struct signalfd_siginfo event;

    while (read(announcements->watch.socket, &event, sizeof event) == (ssize_t)sizeof event) {
        if (event.ssi_fd == descriptor)
            return true;
    }
    return false;
}

/* Whether the system delivers announcements at all; some sandboxes do not. */
static bool announcements_work(const struct announcements *announcements)
{
    int pipe[2];
    bool ok;

    if (pipe2(pipe, O_NONBLOCK | O_CLOEXEC) != 0)
        return false;
    struct selector_watch watch = {.socket = pipe[0]};

    ok = arm(announcements, &watch) && write(pipe[1], "", 1) == 1 &&
         was_announced(announcements, pipe[0]);
    close(pipe[0]);
    close(pipe[1]);
    return ok;
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

void announced_ask(struct selector *selector, struct selector_watch *watch)
{
    if (watch->index >= selector->asked)
        selector_swap(selector, watch, selector->asked++);
}

/* How many scans ago a watch was last ready. */
static unsigned idle_scans(const struct selector *selector, const struct selector_watch *watch)
{
    return (uint8_t)(selector->scan - watch->seen);
}

/* Arms the hot sockets that have been idle for a full scan. The next select() includes them once
 * more, because what came before a socket was armed is not announced. */
static void demote_idle(struct selector *selector)
{
    struct announcements *announcements = &selector->announcements;

    for (size_t i = selector->hot; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (!watch->always && idle_scans(selector, watch) >= IDLE_SCANS &&
            arm(announcements, watch))
            selector_swap(selector, watch, --selector->hot);
    }
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

    /* A whole further scan passed while select() waited: nothing was ready in it, so it counts as
     * idle. */
    if (begun)
        selector->scan = (uint8_t)(selector->scan + (now < *end + SCAN_TIME ? 1 : IDLE_SCANS));
    *end = now + SCAN_TIME;
    return begun;
}

/* After a select(): armed sockets that are not ready leave, and those that stay busy become hot. */
static void update_lists(struct selector *selector)
{
    bool ended = end_scan(selector);

    for (size_t i = 0; i < selector->ready_count; i++) {
        struct selector_watch *watch = selector->ready[i];

        if (watch->armed && (idle_scans(selector, watch) == 1 || selector->count <= SELECTOR_FEW)) {
            announced_disarm(watch);
            selector_promote(selector, watch);
        }
        watch->seen = selector->scan;
    }
    for (size_t i = selector->asked; i-- > selector->hot;) {
        if (selector->watches[i]->ready == SELECTOR_NONE)
            selector_swap(selector, selector->watches[i], --selector->asked);
    }
    if (ended)
        demote_idle(selector);
}

/* Gives the sockets that have announced themselves to the next select(), or all if the queue was
 * full. */
static void take_announcements(struct selector *selector)
{
    struct signalfd_siginfo events[BATCH];
    ssize_t n = read(selector->announcements.watch.socket, events, sizeof events);
    size_t count = n > 0 ? (size_t)n / sizeof events[0] : 0;

    for (size_t i = 0; i < count; i++) {
        struct selector_watch *watch = selector_sets_find(selector->sets, events[i].ssi_fd);

        if (events[i].ssi_signo == SIGIO)
            selector->asked = selector->count;
        else if (watch != NULL)
            announced_ask(selector, watch);
    }
}

bool announced_wait(struct selector *selector, int64_t timeout)
{
    struct announcements *announcements = &selector->announcements;
    size_t to = selector->count > SELECTOR_FEW ? selector->asked : selector->count;

    /* Idle sockets that are still hot make every select() slower; a few of them are not worth
     * waking up for. */
    if (selector->hot - selector->always > SELECTOR_FEW) {
        int64_t left = announcements->scan_ends - os_nanoseconds();

        left = left > 0 ? left : 0;
        timeout = timeout >= 0 && timeout < left ? timeout : left;
    }
    bool ok = selector_sets_wait(selector, selector->hot, to, timeout);

    update_lists(selector);
    if (announcements->watch.ready != SELECTOR_NONE) {
        selector_unfound(selector, &announcements->watch);
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
