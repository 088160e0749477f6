/*
 * faults: makes one call to the system fail, in a program that is built for it. The linker puts the
 * functions of faults_posix.c or faults_win32.c in the place of the system's. Two environment
 * variables control it:
 *
 * - TORTURE_FAULT="NAME CALL OUTCOME": the call of NAME that fails, counted from 1, and the outcome
 *   that it gets, counted from 0. Without it, no call fails.
 * - TORTURE_REPORT=FILE: lines are appended to this file.
 *
 * The lines are
 *
 * - "fault NAME CALL OUTCOME" when the call has failed, with the outcome of this name;
 * - "calls NAME CALLS OUTCOMES" at exit, for each function that was called: how often, and how many
 *   outcomes it has;
 * - "end open OPEN" at exit: the number of open descriptors or handles.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <stddef.h>

struct fault_outcome {
    int error; /* the error number, not 0; or FAULT_SHORT */
    const char *name;
};

/* A transfer of one byte, although more was asked for. */
enum { FAULT_SHORT = -1 };

/* A function of the system. */
struct fault {
    const char *name;
    const struct fault_outcome *outcomes;
    size_t outcome_count;
    unsigned long calls; /* so far */
    struct fault *next;  /* in the list of those that have been called */
};

/* Counts a call. Returns the error that it is to fail with, or 0: make the call. */
int fault_decide(struct fault *fault);

/* The number of open descriptors or handles. faults_posix.c and faults_win32.c implement it. */
unsigned long fault_open_count(void);

/* An outcome, with the name of its error. */
#define E(error)                                                                                   \
    {                                                                                              \
        error, #error                                                                              \
    }
#define FAULT_SHORT_OUTCOME                                                                        \
    {                                                                                              \
        FAULT_SHORT, "short"                                                                       \
    }

/* Begins the body of a function that can fail: declares `error`, the result of fault_decide(). The
 * arguments after the name are its outcomes. */
#define FAULT(function, ...)                                                                       \
    static const struct fault_outcome outcomes[] = {__VA_ARGS__};                                  \
    static struct fault fault = {.name = #function,                                                \
                                 .outcomes = outcomes,                                             \
                                 .outcome_count = sizeof outcomes / sizeof outcomes[0]};           \
    int error = fault_decide(&fault)

/* Puts a function that returns `failure`, with errno set, in the place of the system's, which the
 * linker does. The Makefile finds the names in lines that begin with REPLACE. */
#define REPLACE(function, type, parameters, arguments, failure, ...)                               \
    type __wrap_##function parameters;                                                             \
    type __real_##function parameters;                                                             \
    type __wrap_##function parameters                                                              \
    {                                                                                              \
        FAULT(function, __VA_ARGS__);                                                              \
        if (error == 0)                                                                            \
            return __real_##function arguments;                                                    \
        errno = error;                                                                             \
        return failure;                                                                            \
    }

#endif
