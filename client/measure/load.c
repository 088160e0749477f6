#include "load.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "generator.h"
#include "os.h"
#include "report.h"
#include "stream.h"
#include "text.h"

/* How long to wait for a silent server at the end. */
static const int64_t DRAIN_TIMEOUT = SECONDS(5);
static const int64_t PROGRESS_INTERVAL = SECONDS(1);

enum { ROW = 100 }; /* the most columns of the progress line */

/* Overwrites the row of the cursor with a text. If the terminal takes nothing now, the text is
 * dropped, because the load must not wait for it. */
static void show_row(const char *text)
{
    size_t columns = stream_columns(STREAM_ERROR);
    int width = (int)(columns < ROW ? columns : ROW) - 1;
    char row[ROW + 3];

    snprintf(row, sizeof row, "\r%-*.*s\r", width, width, text);
    stream_write(STREAM_ERROR, row, strlen(row));
}

/* Shows the rate and the 99th percentile since `*last_shown`, and sets that to now. */
static void show_progress(struct generator *generator, int64_t *last_shown)
{
    double seconds = report_seconds(generator->now - *last_shown);
    double rate = (double)generator->recent.count / seconds;
    size_t open = generator->connections.open;
    char messages[REPORT_RATE];
    char p99[REPORT_DURATION] = "-";
    char text[160];

    if (generator->recent.count > 0)
        report_duration(histogram_percentile(&generator->recent, 0.99), p99);
    snprintf(text, sizeof text, "%.0f s, %llu connection%s, %s messages/s, %.2f MB/s, p99 %s",
             report_seconds(generator->now - generator->schedule.started), (unsigned long long)open,
             text_plural(open), report_rate(rate, messages),
             rate * (double)pattern_answer_size(&generator->options->pattern) / 1e6, p99);
    show_row(text);
    generator->recent = (struct histogram){0};
    *last_shown = generator->now;
}

/* Makes all connections that can be made. Returns false as generator_step() does. */
static bool connect_all(struct generator *generator)
{
    bool go_on = true;

    generator_connect_more(generator);
    while (go_on && generator->connections.connecting.length > 0) {
        go_on = generator_step(generator, DEADLINE_NEVER);
        generator_connect_more(generator);
    }
    if (!go_on)
        connections_give_up(&generator->connections);
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
static bool send_all(struct generator *generator)
{
    const struct load_options *options = generator->options;
    bool go_on = true;

    generator_start(generator);
    int64_t last_shown = generator->schedule.started;
    int64_t end =
        options->duration > 0 ? generator->schedule.started + options->duration : DEADLINE_NEVER;

    if (options->duration > 0 && options->rate > 0)
        end += DRAIN_TIMEOUT;
    while (go_on && generator->now < end && generator_has_more(generator) &&
           (options->duration > 0 || !is_stalled(generator))) {
        int64_t deadline = end;

        if (options->duration == 0 && generator->in_flight > 0)
            deadline = deadline_earlier(deadline, generator->last_byte_at + DRAIN_TIMEOUT);
        if (options->progress)
            deadline = deadline_earlier(deadline, last_shown + PROGRESS_INTERVAL);
        go_on = generator_step(generator, deadline);
        if (options->progress && generator->now >= last_shown + PROGRESS_INTERVAL)
            show_progress(generator, &last_shown);
    }
    generator->sending = false;
    if (options->rate > 0)
        generator->result->messages_not_sent =
            generator->schedule.released - generator->result->messages_sent;
    if (options->progress)
        show_row("");
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
        generator_record_missing(generator);
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
              os_socket stop, struct load_result *result)
{
    struct generator generator;

    memset(result, 0, sizeof *result);
    os_wait_precisely();
    bool ok = generator_create(&generator, options, first, stop, result);

    if (ok) {
        bool go_on = connect_all(&generator) && send_all(&generator);
        int64_t sent_until = generator.now;

        go_on = go_on && finish(&generator);
        result->interrupted = generator.stop.ready != SELECTOR_NONE;
        if (is_stalled(&generator))
            generator_record_missing(&generator);
        result->messages_in_flight = generator.in_flight;
        if (result->interrupted && result->messages_answered == 0)
            load_result_record_interruption(result);
        if (generator.last_answer_at > 0)
            result->seconds = measured_seconds(&generator, sent_until);
        if (go_on)
            end_all(&generator);
    }
    generator_destroy(&generator);
    return ok;
}
