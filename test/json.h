/*
 * json: pure. A strict reader of JSON (RFC 8259), for tests to look at what a program prints.
 * Values are found in the text itself; nothing is owned.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` is one JSON value with nothing but white space around it. */
bool json_valid(const char *text);

/*
 * The value at a path of keys through objects ("round_trip.p50_us"; "" is the text's own), or NULL
 * when there is none. It begins here and ends where the value does, not the text. `json` is valid.
 */
const char *json_find(const char *json, const char *path);

/* The number there; not a number (NaN) when there is none. */
double json_number(const char *json, const char *path);

/* Whether exactly this stands there: "true", "null", "\"open\"". */
bool json_is(const char *json, const char *path, const char *value);

/* Writes the keys of the object there into `keys`, in order, a space behind each; "" when it is no
 * object. */
const char *json_keys(const char *json, const char *path, char *keys, size_t size);

#endif
