#include "report_json.h"

#include "report.h"
#include "version.h"

const struct report_percentile report_percentiles[REPORT_PERCENTILES] = {
    {"p50", "p50_us", 0.5},
    {"p90", "p90_us", 0.9},
    {"p99", "p99_us", 0.99},
    {"p99.9", "p99_9_us", 0.999},
};

void report_json_times(struct output *output, const char *key, const struct histogram *times)
{
    output_print(output,
                 ",\"%s\":{\"count\":%llu,\"min_us\":%.3f,\"mean_us\":%.3f,\"stddev_us\":%.3f", key,
                 (unsigned long long)times->count, (double)times->min / 1e3, times->mean / 1e3,
                 histogram_deviation(times) / 1e3);
    for (int i = 0; i < REPORT_PERCENTILES; i++)
        output_print(output, ",\"%s\":%.3f", report_percentiles[i].key,
                     (double)histogram_percentile(times, report_percentiles[i].fraction) / 1e3);
    output_print(output, ",\"max_us\":%.3f}", (double)times->max / 1e3);
}

void report_json_text(struct output *output, const char *key, const char *text)
{
    if (text == NULL) {
        output_print(output, ",\"%s\":null", key);
        return;
    }
    output_print(output, ",\"%s\":\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            output_print(output, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            output_print(output, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            output_print(output, "%c", *text);
    }
    output_print(output, "\"");
}

/* Prints a byte, or null if there is none. */
static void print_byte(struct output *output, const char *key, int byte)
{
    if (byte < 0)
        output_print(output, ",\"%s\":null", key);
    else
        output_print(output, ",\"%s\":%d", key, byte);
}

void report_json_fault(struct output *output, const struct load_fault *fault)
{
    if (!fault->found) {
        output_print(output, "%s", ",\"fault\":null");
        return;
    }
    output_print(
        output,
        ",\"fault\":{\"kind\":\"%s\",\"connection\":%llu,\"message\":%llu,\"offset_bytes\":%llu",
        fault->what, (unsigned long long)fault->connection,
        (unsigned long long)fault->place.message, (unsigned long long)fault->place.offset);
    print_byte(output, "expected", fault->expected);
    print_byte(output, "got", fault->got);
    output_print(output, "%s", "}");
}

void report_json_outages(struct output *output, const struct outages *outages)
{
    output_print(output, ",\"outages\":{\"count\":%llu,\"seconds\":%.3f,\"longest_seconds\":%.3f}",
                 (unsigned long long)outages->count, report_seconds(outages->total),
                 report_seconds(outages->longest));
}

void report_json_run(struct output *output, const char *server, const char started_at[OS_UTC_TIME])
{
    report_json_text(output, "version", VERSION);
    report_json_text(output, "server", server);
    report_json_text(output, "started_at", started_at);
}
