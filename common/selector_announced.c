/*
 * Cold sockets announce what happens to them. A socket that was idle for a full scan is armed: from
 * then on the system queues a signal with its descriptor whenever something comes, or room is made,
 * or the connection ends (fcntl(2), F_SETSIG and O_ASYNC). It is given to one more select(), which
 * shows what came before it was armed, and leaves the sets. The signals are blocked, and read from
 * a descriptor that is in the read set like any other (signalfd(2)): no handler runs, and nothing
 * is interrupted.
 *
 * Who announces itself is asked by the next select() and stays armed: when that finds nothing more,
 * it leaves again. Only one that keeps coming becomes hot and is disarmed, since what is read often
 * is found more cheaply by select() than by a signal each.
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
#include <unistd.h>

enum {
    IDLE_SCANS = 2, /* a hot socket that was not ready in the scan before the last becomes cold */
    NAMES = 64,     /* read at once */
    READS = 64      /* in one wait, at most */
};

static const int64_t SCAN = 50000000; /* nanoseconds that a scan lasts */

/* A signal serves one selector at a time, and SIGIO all of them. */
static uint64_t signals_taken;
static unsigned overflows;

/* A signal, and SIGIO, which tells of an overflow. */
static sigset_t signals_with(int signal)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGIO);
    sigaddset(&signals, signal);
    return signals;
}

static void unblock_in_child(void)
{
    sigset_t signals = signals_with(SIGIO);

    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) {
        if (signals_taken >> (signal - SIGRTMIN) & 1)
            sigaddset(&signals, signal);
    }
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

static bool is_free(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/* Takes a real-time signal that nobody uses, and blocks it for good: one that is still queued for a
 * selector that is no more must not end the process. 0: there is none. */
static int take_signal(void)
{
    static bool told;

    if (!is_free(SIGIO))
        return 0;
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) {
        uint64_t bit = (uint64_t)1 << (signal - SIGRTMIN);

        if ((signals_taken & bit) != 0 || !is_free(signal))
            continue;
        sigset_t signals = signals_with(signal);

        if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0 ||
            (!told && pthread_atfork(NULL, NULL, unblock_in_child) != 0))
            return 0;
        told = true;
        signals_taken |= bit;
        return signal;
    }
    return 0;
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

/* Whether a descriptor has announced itself. Names that an earlier selector has left are passed. */
static bool announced(const struct announcements *announcements, int descriptor)
{
    struct signalfd_siginfo name;

    while (read(announcements->watch.socket, &name, sizeof name) == (ssize_t)sizeof name) {
        if (name.ssi_signo == SIGIO)
            overflows++;
        else if (name.ssi_fd == descriptor)
            return true;
    }
    return false;
}

/* Whether the system lets a descriptor announce itself, as some sandboxes do not. */
static bool works(const struct announcements *announcements)
{
    int pipe[2];
    bool good;

    if (pipe2(pipe, O_NONBLOCK | O_CLOEXEC) != 0)
        return false;
    struct selector_watch watch = {.socket = pipe[0]};

    good = arm(announcements, &watch) && write(pipe[1], "", 1) == 1 &&
           announced(announcements, pipe[0]);
    close(pipe[0]);
    close(pipe[1]);
    return good;
}

bool announced_begin(struct announcements *announcements)
{
    announcements->signal = take_signal();
    if (announcements->signal == 0)
        return false;
    announcements->overflows = overflows;
    sigset_t signals = signals_with(announcements->signal);
    int descriptor = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);

    announcements->watch = (struct selector_watch){.socket = descriptor, .always = true};
    if (descriptor != -1 && works(announcements))
        return true;
    announced_end(announcements);
    return false;
}

void announced_end(const struct announcements *announcements)
{
    if (announcements->watch.socket != -1)
        close(announcements->watch.socket);
    signals_taken &= ~((uint64_t)1 << (announcements->signal - SIGRTMIN));
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

/* Goes on to the scan that `now` lies in. */
static void end_scan(struct selector *selector, int64_t now)
{
    struct announcements *announcements = &selector->announcements;

    if (now < announcements->scan_ends)
        return;
    int64_t missed = (now - announcements->scan_ends) / SCAN;

    selector->scan = (uint8_t)(selector->scan + (missed < INT8_MAX ? missed + 1 : INT8_MAX));
    announcements->scan_ends = now + SCAN;
}

/* Arms the hot sockets that have been idle for a full scan. They are asked once more: what came
 * before one was armed is not announced. */
static void demote_idle(struct selector *selector)
{
    struct announcements *announcements = &selector->announcements;

    announcements->swept = selector->scan;
    for (size_t i = selector->hot; i-- > 0;) {
        struct selector_watch *watch = selector->watches[i];

        if (watch->always || idle_scans(selector, watch) < IDLE_SCANS)
            continue;
        if (arm(announcements, watch))
            selector_swap(selector, watch, --selector->hot);
        else
            watch->seen = selector->scan;
    }
    if (selector->asked > selector->hot)
        selector_change(selector, &announcements->watch, SELECTOR_READ);
}

static void take_names(struct selector *selector)
{
    struct announcements *announcements = &selector->announcements;
    struct signalfd_siginfo names[NAMES];

    for (int reads = 0; reads < READS; reads++) {
        ssize_t n = read(announcements->watch.socket, names, sizeof names);
        size_t count = n > 0 ? (size_t)n / sizeof names[0] : 0;

        for (size_t i = 0; i < count; i++) {
            struct selector_watch *watch = selector_sets_find(selector->sets, names[i].ssi_fd);

            if (names[i].ssi_signo == SIGIO)
                overflows++;
            else if (watch != NULL)
                announced_ask(selector, watch);
        }
        if (count < NAMES)
            break;
    }
}

/* Of the sockets that were asked, those that are not ready leave, and those that keep coming become
 * hot. */
static void settle(struct selector *selector)
{
    end_scan(selector, os_nanoseconds());
    for (size_t i = 0; i < selector->ready_count; i++) {
        struct selector_watch *watch = selector->ready[i];

        if (watch->armed && idle_scans(selector, watch) == 1) {
            announced_disarm(watch);
            selector_promote(selector, watch);
        }
        watch->seen = selector->scan;
    }
    for (size_t i = selector->asked; i-- > selector->hot;) {
        if (selector->watches[i]->ready == SELECTOR_NONE)
            selector_swap(selector, selector->watches[i], --selector->asked);
    }
}

/* After an overflow, which another selector may have read of, all are asked. */
static void hear_overflow(struct selector *selector)
{
    struct announcements *announcements = &selector->announcements;

    if (announcements->overflows != overflows) {
        announcements->overflows = overflows;
        selector->asked = selector->count;
    }
}

/* One select() for the hot sockets and those that are asked; whoever announces itself meanwhile is
 * asked next. */
static bool wait_once(struct selector *selector, int64_t timeout)
{
    struct announcements *announcements = &selector->announcements;
    size_t to = selector->count > SELECTOR_FEW ? selector->asked : selector->count;
    bool good = selector_sets_wait(selector, selector->hot, to, timeout);

    settle(selector);
    if (announcements->watch.ready != SELECTOR_NONE) {
        selector_unfound(selector, &announcements->watch);
        take_names(selector);
    }
    hear_overflow(selector);
    return good;
}

bool announced_wait(struct selector *selector, int64_t timeout)
{
    struct announcements *announcements = &selector->announcements;

    hear_overflow(selector);
    if (selector->count > SELECTOR_FEW && selector->hot > selector->always) {
        int64_t now = os_nanoseconds();

        end_scan(selector, now);
        if (announcements->swept != selector->scan)
            demote_idle(selector);
        int64_t left = (announcements->scan_ends - now) / 1000 + 1;

        if (selector->hot > selector->always && (timeout < 0 || left < timeout))
            timeout = left;
    }
    /* Many that have just become cold are asked without waiting, and leave before the wait. */
    if (selector->asked - selector->hot > SELECTOR_FEW) {
        if (!wait_once(selector, 0))
            return false;
        if (selector->ready_count > 0)
            return true;
    }
    if (!wait_once(selector, timeout))
        return false;
    /* Whoever has announced itself is asked at once; that nothing is ready may be told early. */
    return selector->ready_count > 0 || selector->asked == selector->hot || wait_once(selector, 0);
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
