#include "load_report.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "report_json.h"
#include "text.h"

static double per_second(uint64_t amount, double seconds)
{
    return seconds > 0 ? (double)amount / seconds : 0;
}

static void print_duration(struct output *output, const char *name, double nanoseconds)
{
    char text[REPORT_DURATION];

    output_print(output, "  %-6s %9s\n", name, report_duration((int64_t)nanoseconds, text));
}

static void print_fault(struct output *output, const struct load_fault *fault)
{
    char expected[16] = "nothing";
    char got[16] = "nothing";

    if (!fault->found)
        return;
    if (fault->expected >= 0)
        snprintf(expected, sizeof expected, "0x%02x", (unsigned)fault->expected);
    if (fault->got >= 0)
        snprintf(got, sizeof got, "0x%02x", (unsigned)fault->got);
    output_print(
        output,
        "FAULT: a%s %s byte: connection %llu, message %llu, offset %llu: expected %s, got %s\n",
        strcmp(fault->what, "extra") == 0 ? "n" : "", fault->what,
        (unsigned long long)fault->connection, (unsigned long long)fault->place.message,
        (unsigned long long)fault->place.offset, expected, got);
}

void load_report_interval(struct output *output, const struct load_interval *interval)
{
    const struct load_counts *counts = &interval->counts;
    const struct histogram *times = interval->round_trip;
    char text[REPORT_RATE];

    output_print(output, "%s  %s messages/s, %.2f MB/s, ", interval->ended_at,
                 report_rate(per_second(counts->messages_answered, interval->seconds), text),
                 per_second(counts->bytes_received, interval->seconds) / 1e6);
    for (int i = 0; i < REPORT_PERCENTILES && times->count > 0; i++)
        output_print(
            output, "%s %s, ", report_percentiles[i].name,
            report_duration(histogram_percentile(times, report_percentiles[i].fraction), text));
    if (times->count > 0)
        output_print(output, "max %s; ", report_duration(times->max, text));
    else
        output_print(output, "nothing answered; ");
    output_print(output, "%llu open, %llu made, %llu failed, %llu lost, %llu fault%s",
                 (unsigned long long)interval->connections_open,
                 (unsigned long long)counts->connections_made,
                 (unsigned long long)counts->connections_failed,
                 (unsigned long long)counts->connections_lost, (unsigned long long)counts->faults,
                 text_plural(counts->faults));
    if (interval->outages > 0)
        output_print(output, "; %llu outage%s ended, %s in all",
                     (unsigned long long)interval->outages, text_plural(interval->outages),
                     report_duration(interval->outage_time, text));
    output_print(output, "\n");
}

void load_report_table(struct output *output, const struct load_options *options,
                       const struct load_result *result)
{
    const struct histogram *connect = &result->connect_time;
    const struct histogram *times = &result->round_trip;
    const struct histogram *late = &result->send_lateness;
    unsigned long long unanswered = result->counts.messages_sent - result->counts.messages_answered;
    unsigned long long in_flight = result->messages_in_flight;
    char text[HISTOGRAM_TEXT];

    output_print(output, "connections  %llu made, %llu failed, %llu lost",
                 (unsigned long long)result->counts.connections_made,
                 (unsigned long long)result->counts.connections_failed,
                 (unsigned long long)result->counts.connections_lost);
    if (connect->count > 0) {
        output_print(output, "; time to connect p50 %s,",
                     report_duration(histogram_percentile(connect, 0.5), text));
        output_print(output, " max %s", report_duration(connect->max, text));
    }
    output_print(output, "\n");
    if (result->outages.count > 0) {
        output_print(output, "outages      %llu, %s in all,",
                     (unsigned long long)result->outages.count,
                     report_duration(result->outages.total, text));
        output_print(output, " the longest %s\n", report_duration(result->outages.longest, text));
    }
    output_print(output, "messages     %llu sent, %llu answered, %llu not answered, in %.3f s\n",
                 (unsigned long long)result->counts.messages_sent,
                 (unsigned long long)result->counts.messages_answered, unanswered, result->seconds);
    output_print(output, "throughput   %s messages/s, %.2f MB/s sent, %.2f MB/s received\n",
                 report_rate(per_second(result->counts.messages_answered, result->seconds), text),
                 per_second(result->counts.bytes_sent, result->seconds) / 1e6,
                 per_second(result->counts.bytes_received, result->seconds) / 1e6);
    if (late->count > 0) {
        output_print(output, "lateness     p50 %s,",
                     report_duration(histogram_percentile(late, 0.5), text));
        output_print(output, " p99 %s,", report_duration(histogram_percentile(late, 0.99), text));
        output_print(output, " max %s, from when a message was due to when it was sent\n",
                     report_duration(late->max, text));
    }
    if (times->count > 0) {
        output_print(output, "round trip   %s\n",
                     options->rate > 0 && options->reconnect
                         ? "open loop: from when a message was due, connecting included, to the "
                           "end of its answer"
                     : options->rate > 0
                         ? "open loop: from when a message was due to the end of its answer"
                         : "closed loop: from when a message was sent to the end of its answer");
        print_duration(output, "min", (double)times->min);
        print_duration(output, "mean", times->mean);
        for (int i = 0; i < REPORT_PERCENTILES; i++)
            print_duration(output, report_percentiles[i].name,
                           (double)histogram_percentile(times, report_percentiles[i].fraction));
        print_duration(output, "max", (double)times->max);
        output_print(output, "%s", histogram_draw(times, text));
    }
    if (in_flight > 0)
        output_print(output, "interrupted; %llu message%s on the way, not counted as lost\n",
                     in_flight, text_plural(in_flight));
    if (result->messages_not_sent > 0)
        output_print(output,
                     "BEHIND: messages that were due and could not be sent: %llu, because the "
                     "server was too slow or a connection was closed; the times above do not "
                     "include them\n",
                     (unsigned long long)result->messages_not_sent);
    if (result->failure[0] != '\0')
        output_print(output, "FAILURE: %s\n", result->failure);
    print_fault(output, &result->fault);
    output_print(output, "%s\n",
                 !load_result_passed(result) ? "FAILED"
                 : result->interrupted       ? "every byte that came was right"
                                             : "every byte was right");
}

/* Prints what is counted in all and of each interval. */
static void print_counts_json(struct output *output, const struct load_counts *counts,
                              double seconds)
{
    output_print(output,
                 ",\"connections_made\":%llu,\"connections_failed\":%llu,\"connections_lost\":%llu",
                 (unsigned long long)counts->connections_made,
                 (unsigned long long)counts->connections_failed,
                 (unsigned long long)counts->connections_lost);
    output_print(
        output, ",\"messages_sent\":%llu,\"messages_answered\":%llu,\"messages_per_second\":%.3f",
        (unsigned long long)counts->messages_sent, (unsigned long long)counts->messages_answered,
        per_second(counts->messages_answered, seconds));
    output_print(output, ",\"bytes_sent\":%llu,\"bytes_received\":%llu",
                 (unsigned long long)counts->bytes_sent,
                 (unsigned long long)counts->bytes_received);
    output_print(
        output,
        ",\"sent_bytes_per_second\":%.3f,\"received_bytes_per_second\":%.3f,\"faults\":%llu",
        per_second(counts->bytes_sent, seconds), per_second(counts->bytes_received, seconds),
        (unsigned long long)counts->faults);
}

void load_report_interval_json(struct output *output, const struct load_interval *interval)
{
    output_print(output, "{\"type\":\"interval\"");
    report_json_text(output, "ended_at", interval->ended_at);
    output_print(
        output, ",\"elapsed_seconds\":%.6f,\"interval_seconds\":%.6f,\"connections_open\":%llu",
        interval->elapsed, interval->seconds, (unsigned long long)interval->connections_open);
    print_counts_json(output, &interval->counts, interval->seconds);
    output_print(output, ",\"outages_ended\":%llu,\"outage_seconds\":%.3f",
                 (unsigned long long)interval->outages, report_seconds(interval->outage_time));
    report_json_times(output, "round_trip", interval->round_trip);
    output_print(output, "}\n");
}

void load_report_json(struct output *output, const struct load_options *options,
                      const struct load_result *result)
{
    output_print(output, "{\"type\":\"total\",\"passed\":%s,\"interrupted\":%s",
                 load_result_passed(result) ? "true" : "false",
                 result->interrupted ? "true" : "false");
    report_json_run(output, result->server[0] != '\0' ? result->server : NULL, result->started_at);
    output_print(
        output, ",\"loop\":\"%s\",\"message_size_bytes\":%llu,\"connections\":%lu,\"pipeline\":%lu",
        options->rate > 0 ? "open" : "closed", (unsigned long long)options->pattern.size,
        (unsigned long)options->connections, (unsigned long)options->pipeline);
    output_print(output, ",\"idle_connections\":%lu,\"target_rate_per_second\":%.3f,\"seed\":%llu",
                 (unsigned long)options->idle, options->rate,
                 (unsigned long long)options->pattern.seed);
    output_print(output, ",\"reconnect\":%s,\"keep_going\":%s,\"duration_seconds\":%.6f",
                 options->reconnect ? "true" : "false", options->keep_going ? "true" : "false",
                 result->seconds);
    print_counts_json(output, &result->counts, result->seconds);
    output_print(output, ",\"messages_in_flight\":%llu,\"messages_not_sent\":%llu",
                 (unsigned long long)result->messages_in_flight,
                 (unsigned long long)result->messages_not_sent);
    report_json_outages(output, &result->outages);
    report_json_times(output, "connect_time", &result->connect_time);
    report_json_times(output, "round_trip", &result->round_trip);
    report_json_times(output, "send_lateness", &result->send_lateness);
    report_json_text(output, "failure", result->failure[0] != '\0' ? result->failure : NULL);
    report_json_fault(output, &result->fault);
    output_print(output, "%s", "}\n");
}
