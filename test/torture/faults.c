#include "faults.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fault *called; /* the functions that have been called */
static bool begun;
static bool started; /* the C library has started the program */

/* The call that is to fail; 0: none. */
static char wanted_name[64];
static unsigned long wanted_call;
static unsigned long wanted_outcome;

static void report(const char *what, const char *name, unsigned long number, const char *rest)
{
    const char *path = getenv("TORTURE_REPORT");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;

    if (file == NULL)
        return;
    fprintf(file, "%s %s %lu %s\n", what, name, number, rest);
    fclose(file);
}

static void report_end(void)
{
    unsigned long open = fault_open_count();
    char outcomes[24];

    for (const struct fault *fault = called; fault != NULL; fault = fault->next) {
        snprintf(outcomes, sizeof outcomes, "%zu", fault->outcome_count);
        report("calls", fault->name, fault->calls, outcomes);
    }
    report("end", "open", open, "");
}

/* Before main(). The C library's own start may call functions, too; those do not count. */
__attribute__((constructor)) static void start(void)
{
    started = true;
}

static void begin(void)
{
    const char *wanted = getenv("TORTURE_FAULT");

    begun = true;
    if (wanted == NULL ||
        sscanf(wanted, "%63s %lu %lu", wanted_name, &wanted_call, &wanted_outcome) != 3)
        wanted_call = 0;
    atexit(report_end);
}

int fault_decide(struct fault *fault)
{
    int saved = errno;
    int error = 0;

    if (!started)
        return 0;
    if (!begun)
        begin();
    if (fault->calls++ == 0) {
        fault->next = called;
        called = fault;
    }
    if (fault->calls == wanted_call && wanted_outcome < fault->outcome_count &&
        strcmp(fault->name, wanted_name) == 0) {
        report("fault", fault->name, fault->calls, fault->outcomes[wanted_outcome].name);
        error = fault->outcomes[wanted_outcome].error;
    }
    errno = saved;
    return error;
}

/* Memory. */
REPLACE(malloc, void *, (size_t size), (size), NULL, E(ENOMEM))
REPLACE(calloc, void *, (size_t count, size_t size), (count, size), NULL, E(ENOMEM))
REPLACE(realloc, void *, (void *memory, size_t size), (memory, size), NULL, E(ENOMEM))
