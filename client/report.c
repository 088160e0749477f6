#include "report.h"

#include <stdio.h>

#include "deadline.h"

const char *report_rate(double rate, char text[REPORT_RATE])
{
    snprintf(text, REPORT_RATE, rate < 99.5 ? "%.3g" : "%.0f", rate);
    return text;
}

const char *report_percent(uint64_t part, uint64_t whole, char text[REPORT_PERCENT])
{
    double percent = whole > 0 ? 100 * (double)part / (double)whole : 0;

    if (part > 0 && percent < 0.1)
        percent = 0.1;
    if (part < whole && percent > 99.9)
        percent = 99.9;
    snprintf(text, REPORT_PERCENT, "%.3g", percent);
    return text;
}

double report_seconds(int64_t nanoseconds)
{
    return (double)nanoseconds / (double)SECONDS(1);
}

const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION])
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{(double)SECONDS(1), "s"}, {(double)MILLISECONDS(1), "ms"}, {1000, "us"}};
    double value = (double)nanoseconds;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        double scaled = value / units[i].size;

        /* A value that would be rounded to 1000 of a unit is shown as 1 of the next larger unit. */
        if (scaled >= 0.9995) {
            snprintf(text, REPORT_DURATION, "%.*f %s",
                     scaled < 9.995   ? 2
                     : scaled < 99.95 ? 1
                                      : 0,
                     scaled, units[i].name);
            return text;
        }
    }
    snprintf(text, REPORT_DURATION, "%d ns", (int)nanoseconds);
    return text;
}

const char *report_failure(struct net_result result, char text[OS_ERROR_TEXT])
{
    if (result.error != 0)
        return os_error_text(result.error, text);
    snprintf(text, OS_ERROR_TEXT, "%s",
             result.outcome == NET_END           ? "closed by the server"
             : result.outcome == NET_WOULD_BLOCK ? "no answer in time"
                                                 : "out of memory");
    return text;
}
