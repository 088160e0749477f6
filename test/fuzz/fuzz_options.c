/* Fuzzes both command lines: each is taken, or refused in one line that can drive no terminal. */
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "client_options.h"
#include "fuzz.h"
#include "server_options.h"

enum { ARGUMENTS = 16 };

/* Whether it is one line "PROGRAM: ...". */
static bool is_one_line(const char *text, size_t length, const char *program)
{
    return length > strlen(program) && strncmp(text, program, strlen(program)) == 0 &&
           memchr(text, '\n', length) == text + length - 1 && memchr(text, '\x1B', length) == NULL;
}

/* Parses the words that end with a NUL each. */
static void parse(char *words, size_t length, bool server)
{
    char *arguments[ARGUMENTS + 2] = {server ? "echo-server" : "echo-client"};
    char *text = NULL, *told = NULL;
    size_t text_length = 0, told_length = 0;
    int count = 1;
    struct server_options server_options;
    struct client_options client_options;

    for (size_t i = 0; i < length && count <= ARGUMENTS; i += strlen(words + i) + 1)
        arguments[count++] = words + i;
    FILE *out = stdout, *err = stderr;

    stdout = open_memstream(&text, &text_length);
    stderr = open_memstream(&told, &told_length);
    MUST(stdout != NULL && stderr != NULL);
    optind = 0;
    enum command_line_verdict verdict =
        server ? server_options_parse(count, arguments, &server_options)
               : client_options_parse(count, arguments, &client_options);

    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    switch (verdict) {
    case COMMAND_LINE_RUN:
        MUST(text_length == 0 && told_length == 0);
        if (server)
            MUST(server_options.bind_count > 0 && server_options.rules.max_line > 0);
        else
            MUST(client_options.port != NULL && client_options.load.connections > 0);
        break;
    case COMMAND_LINE_SHOWN:
        MUST(text_length > 0 && told_length == 0);
        break;
    case COMMAND_LINE_WRONG:
        MUST(text_length == 0 && is_one_line(told, told_length, arguments[0]));
        break;
    }
    free(text);
    free(told);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    if (length > 1024)
        return 0;
    for (int server = 0; server < 2; server++) {
        char *words = malloc(length + 1);

        MUST(words != NULL);
        memcpy(words, input, length);
        words[length] = '\0';
        parse(words, length, server == 1);
        free(words);
    }
    return 0;
}
