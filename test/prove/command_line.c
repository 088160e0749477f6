/*
 * common/command_line: the address of a server and numbers, whose text may come from elsewhere.
 *
 * run: prove_address -eva-slevel 1000 -eva-min-loop-unroll 40
 * run: prove_numbers -eva-slevel 1000 -eva-split-return auto
 * inputs: texts of up to LENGTH characters
 * assumed: vsnprintf text_escape text_number text_thousandths text_size
 * left out: report_abbreviated next_option find_letter command_line_next (of getopt_long(3)
 *     there is no model) print_wrapped describe print_help command_line_show (their input is the
 *     program's own) command_line_flush (two calls of the C library)
 */
#include "prove.h"

#include "../../common/command_line.c"

enum { LENGTH = 32 };

static const struct command_line_option option = {.name = "name"};
static const struct command_line_program program = {"program", &option, 1, "", ""};

/* Writes a string that fits into `size` bytes (C11, 7.21.6.12). */
int vsnprintf(char *out, size_t size, const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
    any_fill(out, size);
    out[size - 1] = '\0';
    return (int)any_between(0, INT32_MAX);
}

/* As text.h promises; test/prove/text.c shows what concerns memory. */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size, size_t *written)
{
    (void)bytes;
    (void)written;
    any_fill(out, size);
    out[size - 1] = '\0';
    return any_between(0, length);
}

bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t number = any_between(0, UINT64_MAX);

    (void)text;
    if (number < min || number > max)
        return false;
    *value = number;
    return true;
}

bool text_thousandths(const char *text, uint64_t min, uint64_t max, uint64_t *thousandths)
{
    return text_number(text, min, max, thousandths);
}

bool text_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes)
{
    return text_number(text, min, max, bytes);
}

void prove_address(void)
{
    for (size_t length = 0; length <= LENGTH; length++) {
        char *text = any_string(length);
        const char *host, *port;

        if (command_line_address(&program, "", text, &host, &port)) {
            //@ assert valid_read_string(host);
            //@ assert port == \null || valid_read_string(port);
        }
        free(text);
    }
}

void prove_numbers(void)
{
    uint64_t number = 0;
    int64_t nanoseconds = 0;

    optarg = any_string(LENGTH);
    command_line_number(&program, 0, any_between(0, UINT64_MAX), any_between(0, UINT64_MAX),
                        &number);
    command_line_size(&program, 0, any_between(0, UINT64_MAX), any_between(0, UINT64_MAX), &number);
    command_line_port(&program, "", optarg, (uint16_t)any_between(0, UINT16_MAX));
    command_line_seconds(&program, 0, &nanoseconds);
    //@ assert 0 <= nanoseconds <= 365LL * 24 * 60 * 60 * 1000000000;
    command_line_milliseconds(&program, 0, &nanoseconds);
    //@ assert 0 <= nanoseconds <= 365LL * 24 * 60 * 60 * 1000000000;
}
