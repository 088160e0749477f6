#include "report.h"

#include <stdio.h>

enum { BAR = 40 };

const char *report_rate(double rate, char text[REPORT_RATE])
{
    snprintf(text, REPORT_RATE, rate < 99.5 ? "%.3g" : "%.0f", rate);
    return text;
}

const char *report_duration(int64_t nanoseconds, char text[REPORT_DURATION])
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    double value = (double)nanoseconds;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        double scaled = value / units[i].size;

        /* What would be rounded to 1000 of a unit is shown as 1 of the next larger one. */
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

/* Where the last doubling begins, which counts all that is longer, too. */
static const int64_t LONGEST = (int64_t)1 << 42;

/* The values from `first`, or for the first doubling from 0, up to, but without, twice that. */
static uint64_t count_doubling(const struct histogram *histogram, int64_t first)
{
    return (first < LONGEST ? histogram_count_below(histogram, 2 * first) : histogram->count) -
           (first > 1 ? histogram_count_below(histogram, first) : 0);
}

const char *report_histogram(const struct histogram *histogram, char text[REPORT_HISTOGRAM])
{
    uint64_t most = 0;
    size_t filled = 0;

    text[0] = '\0';
    for (int64_t first = 1; first <= LONGEST && (first == 1 || first <= histogram->most);
         first *= 2) {
        uint64_t count = count_doubling(histogram, first);

        most = count > most ? count : most;
    }
    for (int64_t first = 1; first <= LONGEST && (first == 1 || first <= histogram->most);
         first *= 2) {
        uint64_t count = count_doubling(histogram, first);
        char from[REPORT_DURATION];
        char to[REPORT_DURATION];
        char bar[BAR + 1] = "";

        if (most == 0 || (first < LONGEST && 2 * first <= histogram->least))
            continue;
        /* A bar for every count, however small. */
        size_t length = (size_t)((count * BAR + most - 1) / most);

        for (size_t i = 0; i < BAR; i++)
            bar[i] = i < length ? '#' : ' ';
        filled +=
            (size_t)snprintf(text + filled, REPORT_HISTOGRAM - filled, "  %8s to %8s |%s| %llu\n",
                             report_duration(first > 1 ? first : 0, from),
                             report_duration(2 * first, to), bar, (unsigned long long)count);
    }
    return text;
}
