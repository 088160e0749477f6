#include "load_report.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

static const struct {
    const char *name; /* in the table */
    const char *key;  /* in JSON */
    double fraction;
} percentiles[] = {{"p50", "p50_us", 0.5},
                   {"p90", "p90_us", 0.9},
                   {"p99", "p99_us", 0.99},
                   {"p99.9", "p99_9_us", 0.999}};
enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

static double a_second(double amount, const struct load_result *result)
{
    return result->seconds > 0 ? amount / result->seconds : 0;
}

static void print_duration(const char *name, double nanoseconds)
{
    char text[REPORT_DURATION];

    printf("  %-6s %9s\n", name, report_duration((int64_t)nanoseconds, text));
}

static void print_fault(const struct load_fault *fault)
{
    char expected[16] = "nothing";
    char got[16] = "nothing";

    if (!fault->found)
        return;
    if (fault->expected >= 0)
        snprintf(expected, sizeof expected, "0x%02x", (unsigned)fault->expected);
    if (fault->got >= 0)
        snprintf(got, sizeof got, "0x%02x", (unsigned)fault->got);
    printf("FAULT: a%s %s byte: connection %llu, message %llu, offset %zu: expected %s, got %s\n",
           strcmp(fault->what, "extra") == 0 ? "n" : "", fault->what,
           (unsigned long long)fault->connection, (unsigned long long)fault->place.message,
           fault->place.offset, expected, got);
}

void load_report_table(const struct load_options *options, const struct load_result *result)
{
    const struct histogram *times = &result->round_trip;
    char text[REPORT_HISTOGRAM];

    printf("connections  %llu made, %llu failed, %llu lost; time to connect p50 %s,",
           (unsigned long long)result->connections_made,
           (unsigned long long)result->connections_failed,
           (unsigned long long)result->connections_lost,
           report_duration(histogram_percentile(&result->connect_time, 0.5), text));
    printf(" max %s\n", report_duration(result->connect_time.most, text));
    printf("messages     %llu sent, %llu answered, %llu not answered, in %.3f s\n",
           (unsigned long long)result->messages_sent, (unsigned long long)result->messages_answered,
           (unsigned long long)(result->messages_sent - result->messages_answered),
           result->seconds);
    printf("throughput   %.0f messages/s, %.2f MB/s sent, %.2f MB/s received\n",
           a_second((double)result->messages_answered, result),
           a_second((double)result->bytes_sent, result) / 1e6,
           a_second((double)result->bytes_received, result) / 1e6);
    if (times->count > 0) {
        printf("round trip   %s\n",
               options->rate > 0
                   ? "open loop: from when a message was due to the end of its answer"
                   : "closed loop: from when a message was sent to the end of its answer");
        print_duration("min", (double)times->least);
        print_duration("mean", times->mean);
        for (int i = 0; i < PERCENTILES; i++)
            print_duration(percentiles[i].name,
                           (double)histogram_percentile(times, percentiles[i].fraction));
        print_duration("max", (double)times->most);
        fputs(report_histogram(times, text), stdout);
    }
    if (result->interrupted)
        printf("interrupted; the %llu messages on the way are not counted as lost\n",
               (unsigned long long)(result->messages_sent - result->messages_answered));
    if (result->messages_not_sent > 0)
        printf(
            "BEHIND: %llu messages were due but could not be sent before the end; their waiting is "
            "not in the times above\n",
            (unsigned long long)result->messages_not_sent);
    if (result->failure[0] != '\0')
        printf("FAILURE: %s\n", result->failure);
    print_fault(&result->fault);
    printf("%s\n", !load_result_passed(result)      ? "FAILED"
                   : result->messages_answered == 0 ? "nothing was sent"
                   : result->interrupted            ? "every byte that came was right"
                                                    : "every byte was right");
}

static void print_times_json(const char *key, const struct histogram *times)
{
    printf("\"%s\":{\"count\":%llu,\"min_us\":%.3f,\"mean_us\":%.3f,\"stddev_us\":%.3f", key,
           (unsigned long long)times->count, (double)times->least / 1e3, times->mean / 1e3,
           histogram_deviation(times) / 1e3);
    for (int i = 0; i < PERCENTILES; i++)
        printf(",\"%s\":%.3f", percentiles[i].key,
               (double)histogram_percentile(times, percentiles[i].fraction) / 1e3);
    printf(",\"max_us\":%.3f}", (double)times->most / 1e3);
}

/* A byte, or null where there is none. */
static void print_byte_json(const char *key, int byte)
{
    if (byte < 0)
        printf(",\"%s\":null", key);
    else
        printf(",\"%s\":%d", key, byte);
}

static void print_fault_json(const struct load_fault *fault)
{
    if (!fault->found) {
        fputs(",\"fault\":null", stdout);
        return;
    }
    printf(",\"fault\":{\"kind\":\"%s\",\"connection\":%llu,\"message\":%llu,\"offset_bytes\":%zu",
           fault->what, (unsigned long long)fault->connection,
           (unsigned long long)fault->place.message, fault->place.offset);
    print_byte_json("expected", fault->expected);
    print_byte_json("got", fault->got);
    fputs("}", stdout);
}

/* A text of the program's or the system's as a JSON string. */
static void print_text_json(const char *key, const char *text)
{
    printf(",\"%s\":\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)(unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

void load_report_json(const struct load_options *options, const struct load_result *result)
{
    printf("{\"passed\":%s,\"interrupted\":%s,\"loop\":\"%s\"",
           load_result_passed(result) ? "true" : "false", result->interrupted ? "true" : "false",
           options->rate > 0 ? "open" : "closed");
    printf(
        ",\"message_size_bytes\":%zu,\"connections\":%lu,\"pipeline\":%lu,\"idle_connections\":%lu",
        options->pattern.size, (unsigned long)options->connections,
        (unsigned long)options->pipeline, (unsigned long)options->idle);
    printf(",\"target_rate_per_second\":%.3f,\"seed\":%llu,\"reconnect\":%s", options->rate,
           (unsigned long long)options->pattern.seed, options->reconnect ? "true" : "false");
    printf(",\"duration_seconds\":%.6f,\"connections_made\":%llu,\"connections_failed\":%llu,"
           "\"connections_lost\":%llu",
           result->seconds, (unsigned long long)result->connections_made,
           (unsigned long long)result->connections_failed,
           (unsigned long long)result->connections_lost);
    printf(",\"messages_sent\":%llu,\"messages_answered\":%llu,\"messages_per_second\":%.3f",
           (unsigned long long)result->messages_sent, (unsigned long long)result->messages_answered,
           a_second((double)result->messages_answered, result));
    printf(",\"messages_not_sent\":%llu", (unsigned long long)result->messages_not_sent);
    printf(",\"bytes_sent\":%llu,\"bytes_received\":%llu,\"sent_bytes_per_second\":%.3f,\"received_"
           "bytes_per_second\":%.3f,",
           (unsigned long long)result->bytes_sent, (unsigned long long)result->bytes_received,
           a_second((double)result->bytes_sent, result),
           a_second((double)result->bytes_received, result));
    print_times_json("connect_time", &result->connect_time);
    putchar(',');
    print_times_json("round_trip", &result->round_trip);
    if (result->failure[0] != '\0')
        print_text_json("failure", result->failure);
    else
        fputs(",\"failure\":null", stdout);
    print_fault_json(&result->fault);
    fputs("}\n", stdout);
}
