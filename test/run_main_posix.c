#include "run_main.h"

#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Reads until the end of the stream, or until `text` has come. */
static void read_until(int descriptor, struct run *run, const char *text)
{
    size_t length = strlen(run->output);
    ssize_t n;

    while ((text == NULL || strstr(run->output, text) == NULL) &&
           (n = read(descriptor, run->output + length, sizeof run->output - 1 - length)) > 0) {
        length += (size_t)n;
        run->output[length] = '\0';
    }
}

struct run run_main(int (*program)(int, char **), int count, const char *const arguments[],
                    const char *text)
{
    static struct run result;
    int ends[2];

    result.output[0] = '\0';
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t process = fork();

    assert_int_not_equal(process, -1);
    if (process == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        optind = 0; /* makes getopt_long() begin anew */
        int status = program(count, (char **)(uintptr_t)arguments);

        fflush(NULL);
        _exit(status);
    }
    close(ends[1]);
    if (text != NULL) {
        read_until(ends[0], &result, text);
        kill(process, SIGTERM);
    }
    read_until(ends[0], &result, NULL);
    close(ends[0]);
    assert_int_equal(waitpid(process, &result.status, 0), process);
    assert_true(WIFEXITED(result.status));
    result.status = WEXITSTATUS(result.status);
    return result;
}
