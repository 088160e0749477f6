#include "load.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "generator.h"
#include "os.h"
#include "report.h"
#include "stream.h"
#include "text.h"

static const int64_t DRAIN_TIMEOUT = SECONDS(5); /* for what the server still owes at the end */
static const int64_t PROGRESS_INTERVAL = SECONDS(1);

enum { ROW = 100 }; /* the most columns of the line of progress */

/* Writes a text over the row in which the cursor is. A terminal that takes nothing now shows
 * nothing: the load does not wait for it. */
static void show_row(const char *text)
{
    size_t columns = stream_columns(STREAM_ERROR);
    int width = (int)(columns < ROW ? columns : ROW) - 1;
    char row[ROW + 3];

    snprintf(row, sizeof row, "\r%-*.*s\r", width, width, text);
    stream_write(STREAM_ERROR, row, strlen(row));
}

/* Shows the rate and the percentile of the time since `shown`. */
static void show_progress(struct generator *generator, int64_t *shown)
{
    double seconds = (double)(generator->now - *shown) / (double)SECONDS(1);
    double rate = (double)generator->interval.count / seconds;
    char messages[REPORT_RATE];
    char p99[REPORT_DURATION] = "-";
    char text[160];

    if (generator->interval.count > 0)
        report_duration(histogram_percentile(&generator->interval, 0.99), p99);
    snprintf(text, sizeof text, "%.0f s, %llu connection%s, %s messages/s, %.2f MB/s, p99 %s",
             (double)(generator->now - generator->schedule.started) / (double)SECONDS(1),
             (unsigned long long)generator->alive, text_plural(generator->alive),
             report_rate(rate, messages),
             rate * (double)pattern_answer_size(&generator->options->pattern) / 1e6, p99);
    show_row(text);
    generator->interval = (struct histogram){0};
    *shown = generator->now;
}

/* The connections that are not made yet have failed. */
static void give_up_connecting(struct generator *generator)
{
    struct load_result *result = generator->result;
    size_t given_up = generator_give_up_connecting(generator);

    result->connections_failed += given_up;
    if (given_up > 0)
        load_result_record_failure(result, "cannot connect to", &generator->first.peer,
                                   (struct net_result){.outcome = NET_WOULD_BLOCK});
}

/* Makes all connections. One that gets no answer in time has failed. Returns false when the load
 * has to stop. */
static bool connect_all(struct generator *generator)
{
    int64_t timeout = generator->options->connect_timeout;
    bool go_on = true;

    generator->last_connect_at = generator->now;
    generator_connect_more(generator);
    while (go_on && generator->connecting > 0 &&
           generator->now < generator->last_connect_at + timeout) {
        go_on = generator_step(generator, generator->last_connect_at + timeout);
        generator_connect_more(generator);
    }
    if (go_on)
        give_up_connecting(generator);
    else
        generator_give_up_connecting(generator);
    return go_on;
}

/* Whether answers are missing, and no byte has moved for DRAIN_TIMEOUT. */
static bool silent(const struct generator *generator)
{
    return generator->in_flight > 0 && generator->now - generator->last_byte_at >= DRAIN_TIMEOUT;
}

/*
 * Sends until time, count or the user says that it is enough. What was due by the end of the time
 * and is late is sent as well, DRAIN_TIMEOUT after the end at the latest: else a server that stalls
 * then would keep its worst out of the report.
 */
static bool send_all(struct generator *generator)
{
    const struct load_options *options = generator->options;
    bool go_on = true;

    generator_start(generator);
    int64_t shown = generator->schedule.started;
    int64_t end =
        options->duration > 0 ? generator->schedule.started + options->duration : DEADLINE_NEVER;

    if (options->duration > 0 && options->rate > 0)
        end += DRAIN_TIMEOUT;
    while (go_on && generator->now < end && generator_has_more(generator) &&
           (options->duration > 0 || !silent(generator))) {
        int64_t deadline = end;

        if (options->duration == 0 && generator->in_flight > 0)
            deadline = deadline_earlier(deadline, generator->last_byte_at + DRAIN_TIMEOUT);
        if (generator->connecting > 0)
            deadline =
                deadline_earlier(deadline, generator->last_connect_at + options->connect_timeout);
        if (options->progress)
            deadline = deadline_earlier(deadline, shown + PROGRESS_INTERVAL);
        go_on = generator_step(generator, deadline);
        if (generator->connecting > 0 &&
            generator->now >= generator->last_connect_at + options->connect_timeout)
            give_up_connecting(generator);
        if (options->progress && generator->now >= shown + PROGRESS_INTERVAL)
            show_progress(generator, &shown);
    }
    generator->sending = false;
    if (options->rate > 0)
        generator->result->messages_not_sent =
            generator->schedule.released - generator->result->messages_sent;
    if (options->progress)
        show_row("");
    return go_on;
}

/* Waits for the outstanding answers as long as bytes move. Those that do not come are missing. */
static bool finish(struct generator *generator)
{
    bool go_on = true;

    while (go_on && generator->in_flight > 0 && !silent(generator))
        go_on = generator_step(generator, generator->last_byte_at + DRAIN_TIMEOUT);
    if (go_on)
        generator_record_missing(generator);
    return go_on;
}

/* Ends our side, and waits for the server to end its own. A byte that comes now answers nothing. */
static void end_all(struct generator *generator)
{
    int64_t deadline = generator->now + DRAIN_TIMEOUT;
    bool go_on = true;

    generator_end_sending(generator);
    while (go_on && generator->alive > 0 && generator->now < deadline)
        go_on = generator_step(generator, deadline);
}

/*
 * The time that the load is reported over: from the first message to the last answer, but at least
 * that in which load was offered. With a rate it is that in which so many messages are due, n /
 * rate, which is the end of the last one's turn. Without one it ends when sending does, so that a
 * server that stalls then is not taken for a fast one.
 */
static double reported_seconds(const struct generator *generator, int64_t sent_until)
{
    const struct schedule *schedule = &generator->schedule;
    double answered = (double)(generator->last_answer_at - schedule->started) / (double)SECONDS(1);
    double offered = schedule->rate > 0
                         ? (double)schedule->released / schedule->rate
                         : (double)(sent_until - schedule->started) / (double)SECONDS(1);

    return answered > offered ? answered : offered;
}

bool load_run(const struct load_options *options, const struct connector_connection *first,
              os_socket stop, struct load_result *result)
{
    struct generator generator;

    memset(result, 0, sizeof *result);
    os_wait_precisely();
    bool good = generator_create(&generator, options, first, stop, result);

    if (good) {
        bool go_on = connect_all(&generator) && send_all(&generator);
        int64_t sent_until = generator.now;

        go_on = go_on && finish(&generator);
        result->interrupted = generator.stop.ready != SELECTOR_NONE;
        if (silent(&generator))
            generator_record_missing(&generator);
        result->messages_in_flight = generator.in_flight;
        if (result->interrupted && result->messages_answered == 0)
            load_result_record_interruption(result);
        if (generator.last_answer_at > 0)
            result->seconds = reported_seconds(&generator, sent_until);
        if (go_on)
            end_all(&generator);
    }
    generator_destroy(&generator);
    return good;
}
