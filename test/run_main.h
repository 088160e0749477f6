/*
 * run_main: runs a program's main() in a process of its own, for tests that put functions of their
 * own in the place of those that it calls. POSIX only.
 */
#ifndef RUN_MAIN_H
#define RUN_MAIN_H

/* What the process left behind. */
struct run {
    int status;
    char output[4096]; /* stdout and stderr */
};

/* Runs `program`. Once its output has `text`, unless that is NULL, it is asked to stop. */
struct run run_main(int (*program)(int, char **), int count, const char *const arguments[],
                    const char *text);

#endif
