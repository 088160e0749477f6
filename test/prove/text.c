/*
 * common/text: bytes of any content.
 *
 * run: prove_characters -eva-slevel 1000
 * run: prove_next -eva-use-spec is_printable -eva-slevel 1000 -eva-partition-history 2
 *     -eva-interprocedural-history -eva-domains equality,symbolic-locations
 *     -eva-split-return-function text_utf8_length:0:1:2:3:4,escape_byte:2:4
 * run: prove_escape -eva-use-spec text_escape_next -eva-slevel 100000
 * run: prove_name -eva-use-spec text_escape -eva-slevel 1000
 * run: prove_numbers -eva-min-loop-unroll 40 -no-warn-unsigned-overflow -variadic-no-translation
 * inputs: characters at CHARACTERS bytes, ESCAPED bytes escaped, names of NAME, numbers of NUMBER
 * assumed: snprintf; of text_escape(), for names, what is shown for the sizes here
 * not shown: that text_number() does not wrap: Eva does not relate the two sums in its loop
 */
#include "../../common/text.c"

#include "prove.h"

/* Writes a string that fits into `size` bytes (C11, 7.21.6.5). */
int snprintf(char *out, size_t size, const char *format, ...)
{
    any_fill(out, size);
    out[size - 1] = '\0';
    return (int)any_between(0, INT32_MAX);
}

enum { CHARACTERS = 16, ESCAPED = 6, NAME = 300, NUMBER = 24 };

void prove_characters(void)
{
    for (size_t length = 0; length <= CHARACTERS; length++) {
        char *bytes = any_bytes(length);
        size_t cut = text_utf8_cut(bytes, length);

        //@ assert cut <= length && cut <= 3;
        if (length > 0) {
            size_t character = text_utf8_length(bytes, length);

            //@ assert character <= length && character <= 4;
            if (character > 0)
                is_printable((unsigned char *)bytes, character);
        }
        free(bytes);
    }
}

/* Which prove_characters() calls. */
/*@ assigns \result \from b[0 .. length - 1];
    ensures \result == 0 || \result == 1; */
static bool is_printable(const unsigned char *b, size_t length);

/* What may become of a character, which prove_next() shows. */
/*@ requires \valid(out + (0 .. TEXT_ESCAPE_MAX - 1));
    assigns \result, *written, *escaped, out[0 .. TEXT_ESCAPE_MAX - 1]
        \from ((char *)bytes)[0 .. length - 1], length;
    ensures \initialized(written) && \initialized(out + (0 .. *written - 1));
    ensures 1 <= \result <= length;
    ensures (\result == 1 && *written == 1) || (\result == 1 && *written == 2) ||
            (\result == 1 && *written == 4) || (\result == 2 && *written == 2) ||
            (\result == 3 && *written == 3) || (\result == 4 && *written == 4); */
size_t text_escape_next(const void *bytes, size_t length, char out[TEXT_ESCAPE_MAX],
                        size_t *written, bool *escaped);

void prove_next(void)
{
    for (size_t length = 1; length <= CHARACTERS; length++) {
        char *bytes = any_bytes(length);
        char out[TEXT_ESCAPE_MAX];
        size_t written;
        bool escaped;

        text_escape_next(bytes, length, out, &written, &escaped);
        free(bytes);
    }
}

static void escape(size_t length, size_t size)
{
    char *bytes = any_bytes(length);
    char *out = malloc(size);
    size_t written;
    size_t taken = text_escape(bytes, length, out, size, &written);

    //@ assert taken <= length && written < size;
    free(out);
    free(bytes);
}

void prove_escape(void)
{
    for (size_t length = 0; length <= ESCAPED; length++) {
        for (size_t size = 1; size <= TEXT_ESCAPE_MAX * length + 2; size++)
            escape(length, size);
    }
}

/* What prove_escape() shows of it, for the sizes that it tries. */
/*@ assigns \result, out[0 .. size - 1], *written \from ((char *)bytes)[0 .. length - 1], size;
    ensures \result <= length && \initialized(written) && *written < size; */
size_t text_escape(const void *bytes, size_t length, char *out, size_t size, size_t *written);

void prove_name(void)
{
    for (size_t length = 0; length <= NAME; length++) {
        char *name = any_string(length);
        char out[TEXT_NAME];

        text_name(name, out);
        free(name);
    }
}

void prove_numbers(void)
{
    for (size_t length = 0; length <= NUMBER; length++) {
        char *text = any_string(length);
        uint64_t min = any_between(0, UINT64_MAX);
        uint64_t max = any_between(0, UINT64_MAX);
        uint64_t value = 0;

        text_number(text, min, max, &value);
        text_thousandths(text, min, max, &value);
        text_size(text, min, max, &value);
        free(text);
    }
    text_hexadecimal((char)any_between(0, UINT8_MAX));
    text_plural(any_between(0, UINT64_MAX));
}
