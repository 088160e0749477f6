#include "pattern.h"

#include <string.h>

#include "splitmix64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
static const char digits[] = "0123456789abcdef";

enum { NUMBER = 8, PIECE = 4096 };

/* The first number of the sequence that begins at `z`: a number for each number. */
static uint64_t mix(uint64_t z)
{
    return splitmix64(&z);
}

/* The 8 bytes of a message from offset 8 * `place` on. Only as much of the finalizer is used as is
 * needed for every byte to vary, because each byte is generated twice: to send and to compare. */
static uint64_t word_at(uint64_t key, uint64_t place)
{
    uint64_t z = (key + place) * 0xBF58476D1CE4E5B9;

    z ^= z >> 29;
    return z ^ (z << 23);
}

size_t pattern_answer_size(const struct pattern *pattern)
{
    return pattern->prefix.length + pattern->size;
}

/* Writes whole words of a binary message. A load spends most of its time here, apart from system
 * calls. */
static size_t fill_words(uint64_t key, uint64_t first, char *out, size_t length)
{
    size_t words = length / 8;

    for (size_t i = 0; i < words; i++) {
        uint64_t word = word_at(key, first + i);

        memcpy(out + 8 * i, &word, 8);
    }
    return 8 * words;
}

/* Writes `length` bytes of one message, from `offset` on. They do not go past its end. */
static void fill_message(const struct pattern *pattern, uint64_t connection, uint64_t message,
                         size_t offset, char *out, size_t length)
{
    uint64_t key = mix(pattern->seed ^ mix(connection)) ^ mix(message);
    size_t done = 0;

    for (; done < length && offset + done < NUMBER; done++) {
        unsigned place = (unsigned)(offset + done);

        out[done] = (char)(pattern->lines ? digits[message >> (4 * place) & 15]
                                          : (int)(message >> (8 * place) & 255));
    }
    while (done < length) {
        size_t within = (offset + done) % 8;
        size_t count = 8 - within < length - done ? 8 - within : length - done;

        if (count == 8 && !pattern->lines) {
            done += fill_words(key, (offset + done) / 8, out + done, length - done);
            continue;
        }
        uint64_t word = word_at(key, (offset + done) / 8);
        unsigned char bytes[8];

        memcpy(bytes, &word, 8);
        for (size_t i = 0; i < 8 && pattern->lines; i++)
            bytes[i] = (unsigned char)letters[bytes[i] & 63];
        memcpy(out + done, bytes + within, count);
        done += count;
    }
    if (pattern->lines && offset + length == pattern->size)
        out[length - 1] = '\n';
}

void pattern_skip(struct pattern_place *place, size_t size, size_t count)
{
    size_t offset = place->offset + count;

    place->message += offset / size;
    place->offset = offset % size;
}

void pattern_fill(const struct pattern *pattern, uint64_t connection, struct pattern_place *place,
                  char *out, size_t length)
{
    while (length > 0) {
        size_t left = pattern->size - place->offset;
        size_t count = left < length ? left : length;

        fill_message(pattern, connection, place->message, place->offset, out, count);
        pattern_skip(place, pattern->size, count);
        out += count;
        length -= count;
    }
}

/* Writes the next bytes of an answer, at most `room`, and returns how many there are. */
static size_t fill_answer(const struct pattern *pattern, uint64_t connection,
                          const struct pattern_place *place, char *out, size_t room)
{
    size_t before = pattern->prefix.length;
    size_t left = before + pattern->size - place->offset;
    size_t count = left < room ? left : room;
    size_t of_prefix = place->offset < before ? before - place->offset : 0;

    of_prefix = of_prefix < count ? of_prefix : count;
    if (of_prefix > 0)
        memcpy(out, pattern->prefix.bytes + place->offset, of_prefix);
    if (count > of_prefix)
        fill_message(pattern, connection, place->message, place->offset + of_prefix - before,
                     out + of_prefix, count - of_prefix);
    return count;
}

size_t pattern_compare(const struct pattern *pattern, uint64_t connection,
                       struct pattern_place *place, const char *bytes, size_t length,
                       unsigned char *expected)
{
    char answer[PIECE];
    size_t matched = 0;

    while (matched < length) {
        size_t count = fill_answer(pattern, connection, place, answer,
                                   length - matched < PIECE ? length - matched : PIECE);

        if (memcmp(answer, bytes + matched, count) != 0) {
            size_t same = 0;

            while (answer[same] == bytes[matched + same])
                same++;
            place->offset += same;
            *expected = (unsigned char)answer[same];
            return matched + same;
        }
        pattern_skip(place, pattern_answer_size(pattern), count);
        matched += count;
    }
    return matched;
}

bool pattern_is_greeted(const struct pattern *pattern, size_t greeted)
{
    return pattern->greeting.bytes == NULL || greeted == pattern->greeting.length + 1;
}

unsigned char pattern_greeting_byte(const struct pattern *pattern, size_t offset)
{
    const struct pattern_text *greeting = &pattern->greeting;

    return offset < greeting->length ? (unsigned char)greeting->bytes[offset] : '\n';
}

size_t pattern_compare_greeting(const struct pattern *pattern, size_t *greeted, const char *bytes,
                                size_t length, unsigned char *expected)
{
    size_t matched = 0;

    for (; matched < length && !pattern_is_greeted(pattern, *greeted); matched++, ++*greeted) {
        *expected = pattern_greeting_byte(pattern, *greeted);
        if ((unsigned char)bytes[matched] != *expected)
            break;
    }
    return matched;
}

unsigned char pattern_answer_byte(const struct pattern *pattern, uint64_t connection,
                                  const struct pattern_place *place)
{
    char byte = 0;

    fill_answer(pattern, connection, place, &byte, 1);
    return (unsigned char)byte;
}
