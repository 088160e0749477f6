#include "load_progress.h"

#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "load_report.h"
#include "os.h"
#include "report.h"
#include "stream.h"
#include "text.h"

static const int64_t ROW_INTERVAL = SECONDS(1);

enum {
    ROW = 100,             /* the most columns of the row */
    UNREAD_MAX = 64 * 1024 /* no line is printed while so many bytes of output are unread */
};

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

/* Shows an interval, with its rate and its 99th percentile. */
static void show_progress(const struct load_interval *interval)
{
    double seconds = interval->seconds;
    char rate[REPORT_RATE];
    char p99[REPORT_DURATION] = "-";
    char text[160];

    if (interval->round_trip->count > 0)
        report_duration(histogram_percentile(interval->round_trip, 0.99), p99);
    snprintf(text, sizeof text, "%.0f s, %llu connection%s, %s messages/s, %.2f MB/s, p99 %s",
             interval->elapsed, (unsigned long long)interval->connections_open,
             text_plural(interval->connections_open),
             report_rate((double)interval->counts.messages_answered / seconds, rate),
             (double)interval->counts.bytes_received / seconds / 1e6, p99);
    show_row(text);
}

void load_progress_begin(struct load_progress *progress, struct generator *generator)
{
    const struct load_options *options = generator->options;

    *progress = (struct load_progress){.generator = generator,
                                       .interval = options->report > 0 ? options->report
                                                   : options->progress ? ROW_INTERVAL
                                                                       : 0,
                                       .began = generator->schedule.started};
    progress->due = progress->began + progress->interval;
}

int64_t load_progress_due(const struct load_progress *progress)
{
    return progress->interval > 0 ? progress->due : DEADLINE_NEVER;
}

/* Reports the interval, which ends at `end`, and begins the next one. */
static void report_interval(struct load_progress *progress, int64_t end)
{
    struct generator *generator = progress->generator;
    const struct load_options *options = generator->options;
    const struct connections *connections = &generator->connections;
    const struct load_counts *counts = &generator->result->counts;
    const struct outages *outages = &generator->result->outages;
    struct load_interval interval = {.elapsed = report_seconds(end - generator->schedule.started),
                                     .seconds = report_seconds(end - progress->began),
                                     .connections_open = connections->open + connections->idle,
                                     .counts = load_counts_since(counts, &progress->before),
                                     .outages =
                                         outages_ended(outages) - outages_ended(&progress->outages),
                                     .outage_time = outages->total - progress->outages.total,
                                     .round_trip = &generator->recent};

    os_utc_time(interval.ended_at);
    if (options->report == 0)
        show_progress(&interval);
    else if (options->json)
        load_report_interval_json(generator->output, &interval);
    else
        load_report_interval(generator->output, &interval);
    progress->before = *counts;
    progress->outages = *outages;
    progress->began = end;
    generator->recent = (struct histogram){0};
}

void load_progress_report(struct load_progress *progress)
{
    const struct generator *generator = progress->generator;

    if (progress->interval == 0 || generator->now < progress->due)
        return;
    /* Those that were missed, while the process was stopped for example, are left out. */
    progress->due +=
        ((generator->now - progress->due) / progress->interval + 1) * progress->interval;
    if (output_length(generator->output) < UNREAD_MAX)
        report_interval(progress, generator->now);
}

void load_progress_finish(struct load_progress *progress, int64_t end)
{
    if (progress->interval == 0)
        return;
    if (progress->generator->options->report == 0)
        show_row("");
    else if (end > progress->began)
        report_interval(progress, end);
}
