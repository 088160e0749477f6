#include "load.h"

#include <string.h>

#include "deadline.h"
#include "generator.h"
#include "load_progress.h"
#include "os.h"
#include "report.h"

/* How long to wait for a silent server at the end. */
static const int64_t DRAIN_TIMEOUT = SECONDS(5);

/* Makes all connections that can be made. With keep_going, only until one fails: the missing ones
 * are made while messages are sent. If the first one could not be made, that is an outage from the
 * beginning. Returns false as generator_step() does. */
static bool connect_all(struct generator *generator, bool first_is_made)
{
    bool go_on = true;

    generator_connect_more(generator);
    if (!first_is_made) {
        outages_begin(&generator->result->outages, generator->now);
        return true;
    }
    while (go_on && generator->connections.connecting.length > 0 &&
           !(generator->options->keep_going && generator->result->counts.connections_failed > 0))
        go_on = generator_step(generator, DEADLINE_NEVER);
    return go_on;
}

/* Whether answers are missing, and no byte has been sent or received for DRAIN_TIMEOUT. */
static bool is_stalled(const struct generator *generator)
{
    return generator->in_flight > 0 && generator->now - generator->last_byte_at >= DRAIN_TIMEOUT;
}

/*
 * Sends until the duration is over, `count` messages are sent, or a request to stop arrives. With a
 * rate, messages that were due within the duration are sent even if they are late, for up to
 * DRAIN_TIMEOUT: otherwise a server that stalls at the end would hide its worst times from the
 * report. Returns false as generator_step() does.
 */
static bool send_all(struct generator *generator, struct load_progress *progress)
{
    const struct load_options *options = generator->options;
    /* A load without a duration does not wait any longer for a server that is silent. */
    bool bounded = options->duration == 0 && !options->keep_going;
    bool go_on = true;

    os_utc_time(generator->result->started_at);
    generator_start(generator);
    load_progress_begin(progress, generator);
    int64_t end =
        options->duration > 0 ? generator->schedule.started + options->duration : DEADLINE_NEVER;
    /* With keep_going, when a connection may have been silent for too long. */
    int64_t silent_at =
        options->keep_going ? generator->schedule.started + DRAIN_TIMEOUT : DEADLINE_NEVER;

    if (options->duration > 0 && options->rate > 0)
        end += DRAIN_TIMEOUT;
    while (go_on && generator->now < end && generator_has_more(generator) &&
           !(bounded && is_stalled(generator))) {
        load_progress_report(progress);
        int64_t deadline = deadline_earlier(end, load_progress_due(progress));

        deadline = deadline_earlier(deadline, silent_at);
        if (bounded && generator->in_flight > 0)
            deadline = deadline_earlier(deadline, generator->last_byte_at + DRAIN_TIMEOUT);
        go_on = generator_step(generator, deadline);
        if (generator->now >= silent_at)
            silent_at =
                generator_record_missing(generator, generator->now - DRAIN_TIMEOUT) + DRAIN_TIMEOUT;
    }
    generator->sending = false;
    if (options->rate > 0)
        generator->result->messages_not_sent =
            generator->schedule.released - generator->result->counts.messages_sent;
    return go_on;
}

/* Waits for the outstanding answers until the server is silent, and records those that are missing.
 * Returns false as generator_step() does. */
static bool finish(struct generator *generator)
{
    bool go_on = true;

    while (go_on && generator->in_flight > 0 && !is_stalled(generator))
        go_on = generator_step(generator, generator->last_byte_at + DRAIN_TIMEOUT);
    if (go_on)
        generator_record_missing(generator, generator->now);
    return go_on;
}

/* Ends the sending side of all connections, and waits for the server to end its own. A byte
 * received meanwhile is an extra one. */
static void end_all(struct generator *generator)
{
    int64_t deadline = generator->now + DRAIN_TIMEOUT;
    bool go_on = true;

    generator_end_sending(generator);
    while (go_on && generator->connections.open > 0 && generator->now < deadline)
        go_on = generator_step(generator, deadline);
}

/*
 * The time over which rates are reported: from the first message to the last answer, but at least
 * the time in which load was offered. With a rate, this is n / rate for n messages that were due.
 * Without one it lasts until sending ended, so that a server that stalls at the end is not taken
 * for a fast one.
 */
static double measured_seconds(const struct generator *generator, int64_t sent_until)
{
    const struct schedule *schedule = &generator->schedule;
    double answered = report_seconds(generator->last_answer_at - schedule->started);
    double offered = schedule->rate > 0 ? (double)schedule->released / schedule->rate
                                        : report_seconds(sent_until - schedule->started);

    return answered > offered ? answered : offered;
}

bool load_run(const struct load_options *options, const struct connector_connection *first,
              os_socket stop, struct output *output, struct load_result *result)
{
    struct generator generator;
    struct load_progress progress = {.interval = 0};

    memset(result, 0, sizeof *result);
    os_utc_time(result->started_at);
    os_wait_precisely();
    bool ok = generator_create(&generator, options, first, stop, output, result);

    if (ok) {
        bool go_on = connect_all(&generator, first->socket != OS_NO_SOCKET) &&
                     send_all(&generator, &progress);
        int64_t sent_until = generator.now;

        connections_give_up(&generator.connections);
        go_on = go_on && finish(&generator);
        result->interrupted = generator.stop.ready != SELECTOR_NONE;
        if (is_stalled(&generator))
            generator_record_missing(&generator, generator.now);
        result->messages_in_flight = generator.in_flight;
        if (result->interrupted && result->counts.messages_answered == 0)
            load_result_record_interruption(result);
        outages_end(&result->outages, os_nanoseconds());
        if (generator.last_answer_at > 0)
            result->seconds = measured_seconds(&generator, sent_until);
        /* The time in which load was offered may end after the last answer. */
        int64_t end = generator.schedule.started + (int64_t)(result->seconds * 1e9);

        load_progress_finish(&progress, generator.now > end ? generator.now : end);
        if (go_on)
            end_all(&generator);
        net_address_text(&generator.connections.first.peer, result->server);
    }
    generator_destroy(&generator);
    return ok;
}
