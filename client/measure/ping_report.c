#include "ping_report.h"

#include "report.h"
#include "text.h"

bool ping_result_passed(const struct ping_result *result)
{
    return result->answered > 0 && result->lost == 0 && !result->fault.found && !result->broken;
}

static unsigned long long in_flight(const struct ping_result *result)
{
    return result->sent - result->answered - result->lost;
}

/* How often a connection was made, besides the first one. */
static unsigned long long reconnects(const struct ping_options *options,
                                     const struct ping_result *result)
{
    uint64_t made = result->connect_time.count;

    return options->connect_only || made == 0 ? 0 : made - 1;
}

static void print_times(struct output *output, const char *name, const struct histogram *times)
{
    char text[REPORT_PERCENTILES][REPORT_DURATION];

    if (times->count == 0)
        return;
    output_print(output, "%s min/mean/max/stddev = %s", name, report_duration(times->min, text[0]));
    output_print(output, "/%s/%s", report_duration((int64_t)times->mean, text[0]),
                 report_duration(times->max, text[1]));
    output_print(output, "/%s, p50/p90/p99/p99.9 = ",
                 report_duration((int64_t)histogram_deviation(times), text[0]));
    for (int i = 0; i < REPORT_PERCENTILES; i++)
        report_duration(histogram_percentile(times, report_percentiles[i].fraction), text[i]);
    output_print(output, "%s/%s/%s/%s\n", text[0], text[1], text[2], text[3]);
}

static void print_outages(struct output *output, const struct outages *outages)
{
    char total[REPORT_DURATION], longest[REPORT_DURATION];

    if (outages->count > 0)
        output_print(output, "%llu outage%s, %s in all, the longest %s\n",
                     (unsigned long long)outages->count, text_plural(outages->count),
                     report_duration(outages->total, total),
                     report_duration(outages->longest, longest));
}

void ping_report_summary(struct output *output, const struct ping_options *options,
                         const struct ping_result *result)
{
    unsigned long long waiting = in_flight(result);
    unsigned long long again = reconnects(options, result);
    char percent[REPORT_PERCENT];
    char text[HISTOGRAM_TEXT];

    output_print(output, "--- %s ---\n", result->server);
    output_print(output, "%llu sent, %llu answered, %llu lost (%s %%)",
                 (unsigned long long)result->sent, (unsigned long long)result->answered,
                 (unsigned long long)result->lost,
                 report_percent(result->lost, result->sent, percent));
    if (!options->connect_only)
        output_print(output, ", %llu reconnect%s", again, text_plural(again));
    if (waiting > 0)
        output_print(output, ", %llu still in flight", waiting);
    output_print(output, "\n");
    print_outages(output, &result->outages);
    /* Otherwise it has a line of its own. */
    if (options->quiet && result->failure[0] != '\0')
        output_print(output, "first failure: %s\n", result->failure);
    print_times(output, "connect   ", &result->connect_time);
    print_times(output, "round trip", &result->round_trip);
    output_print(
        output, "%s",
        histogram_draw(options->connect_only ? &result->connect_time : &result->round_trip, text));
}

void ping_report_json(struct output *output, const struct ping_options *options,
                      const struct ping_result *result)
{
    output_print(output, "{\"type\":\"total\",\"passed\":%s,\"interrupted\":%s",
                 ping_result_passed(result) ? "true" : "false",
                 result->interrupted ? "true" : "false");
    report_json_run(output, result->server[0] != '\0' ? result->server : NULL, result->started_at);
    output_print(output, ",\"connect_only\":%s,\"message_size_bytes\":%llu,\"seed\":%llu",
                 options->connect_only ? "true" : "false",
                 (unsigned long long)(options->connect_only ? 0 : options->pattern.size),
                 (unsigned long long)options->pattern.seed);
    output_print(output,
                 ",\"interval_seconds\":%.3f,\"messages_sent\":%llu,\"messages_answered\":%llu",
                 report_seconds(options->interval), (unsigned long long)result->sent,
                 (unsigned long long)result->answered);
    output_print(output,
                 ",\"messages_lost\":%llu,\"messages_in_flight\":%llu,\"loss_percent\":%.9g",
                 (unsigned long long)result->lost, in_flight(result),
                 result->sent > 0 ? 100 * (double)result->lost / (double)result->sent : 0);
    output_print(output, ",\"reconnects\":%llu", reconnects(options, result));
    report_json_outages(output, &result->outages);
    report_json_times(output, "connect_time", &result->connect_time);
    report_json_times(output, "round_trip", &result->round_trip);
    report_json_text(output, "failure", result->failure[0] != '\0' ? result->failure : NULL);
    report_json_fault(output, &result->fault);
    output_print(output, "}\n");
}
