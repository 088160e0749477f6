#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

/* Each of these returns the place behind what it has read, or NULL where there is no such thing. */
static const char *read_value(const char *c, int depth);

static const char *skip_space(const char *c)
{
    return c + strspn(c, " \t\r\n");
}

static const char *read_text(const char *c, const char *text)
{
    return strncmp(c, text, strlen(text)) == 0 ? c + strlen(text) : NULL;
}

static const char *read_digits(const char *c)
{
    size_t count = strspn(c, "0123456789");

    return count > 0 ? c + count : NULL;
}

static const char *read_number(const char *c)
{
    c += *c == '-';
    c = *c == '0' ? c + 1 : read_digits(c);
    if (c != NULL && *c == '.')
        c = read_digits(c + 1);
    if (c != NULL && (*c == 'e' || *c == 'E')) {
        c++;
        c = read_digits(c + (*c == '+' || *c == '-'));
    }
    return c;
}

static const char *read_string(const char *c)
{
    if (*c++ != '"')
        return NULL;
    for (; *c != '"'; c++) {
        if ((unsigned char)*c < 0x20)
            return NULL;
        if (*c != '\\')
            continue;
        c++;
        if (*c == 'u' && strspn(c + 1, "0123456789abcdefABCDEF") >= 4)
            c += 4;
        else if (*c == '\0' || strchr("\"\\/bfnrt", *c) == NULL)
            return NULL;
    }
    return c + 1;
}

/* The rest of an array or of an object, whose members have keys. */
static const char *read_members(const char *c, int depth, bool keys, char end)
{
    c = skip_space(c + 1);
    if (*c == end)
        return c + 1;
    for (;; c = skip_space(c + 1)) {
        if (keys) {
            if ((c = read_string(c)) == NULL || *(c = skip_space(c)) != ':')
                return NULL;
            c = skip_space(c + 1);
        }
        if ((c = read_value(c, depth + 1)) == NULL)
            return NULL;
        c = skip_space(c);
        if (*c == end)
            return c + 1;
        if (*c != ',')
            return NULL;
    }
}

static const char *read_value(const char *c, int depth)
{
    if (depth > DEPTH_MAX)
        return NULL;
    switch (*c) {
    case '{':
        return read_members(c, depth, true, '}');
    case '[':
        return read_members(c, depth, false, ']');
    case '"':
        return read_string(c);
    case 't':
        return read_text(c, "true");
    case 'f':
        return read_text(c, "false");
    case 'n':
        return read_text(c, "null");
    default:
        return read_number(c);
    }
}

bool json_valid(const char *text)
{
    const char *end = read_value(skip_space(text), 0);

    return end != NULL && *skip_space(end) == '\0';
}

/*
 * Goes to the first key of an object, or from a value in it to the next key; NULL behind the last.
 */
static const char *next_key(const char *c)
{
    c = skip_space(c);
    return *c == '{' || *c == ',' ? read_text(skip_space(c + 1), "\"") : NULL;
}

static const char *value_of(const char *key)
{
    return skip_space(skip_space(read_string(key - 1)) + 1);
}

const char *json_find(const char *json, const char *path)
{
    const char *value = skip_space(json);

    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        const char *key = *value == '{' ? next_key(value) : NULL;

        while (key != NULL && (strncmp(key, path, length) != 0 || key[length] != '"'))
            key = next_key(read_value(value_of(key), 0));
        if (key == NULL)
            return NULL;
        value = value_of(key);
        path += length + (path[length] == '.');
    }
    return value;
}

double json_number(const char *json, const char *path)
{
    const char *value = json_find(json, path);

    return value != NULL && read_number(value) != NULL ? strtod(value, NULL) : NAN;
}

bool json_is(const char *json, const char *path, const char *value)
{
    const char *found = json_find(json, path);

    return found != NULL && read_text(found, value) == read_value(found, 0);
}

const char *json_keys(const char *json, const char *path, char *keys, size_t size)
{
    const char *value = json_find(json, path);
    const char *key = value != NULL && *value == '{' ? next_key(value) : NULL;
    size_t length = 0;

    for (; key != NULL; key = next_key(read_value(value_of(key), 0))) {
        size_t count = strcspn(key, "\"");

        if (length + count + 2 > size)
            abort();
        memcpy(keys + length, key, count);
        length += count;
        keys[length++] = ' ';
    }
    keys[length] = '\0';
    return keys;
}
