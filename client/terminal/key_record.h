/*
 * key_record: pure. Decodes the events of the Windows console into keys (INPUT_RECORD,
 * KEY_EVENT_RECORD). Windows only: the counterpart of key_decoder for POSIX terminals.
 */
#ifndef KEY_RECORD_H
#define KEY_RECORD_H

#include <winsock2.h> /* must come before windows.h */

#include <stdbool.h>

#include "editor/key.h"

/* All zeros at first. */
struct key_record_decoder {
    WCHAR surrogate;   /* first half of a character above U+FFFF, until the second arrives */
    bool after_return; /* after Enter: a line feed (of pasted CR LF) is not a second Enter */
    bool quoting;      /* after Ctrl-V: the next key with a character is text */
    char quoted[2];    /* x and a digit after Ctrl-V */
    size_t quoted_length;
};

/*
 * Whether an event counts: a key press, pasted text (a release of Alt with a character), or a new
 * window size, after which the line is drawn again. Releases, mouse and focus events do not count,
 * nor do digits of the numeric keypad with Alt held.
 */
bool key_record_counts(const INPUT_RECORD *record);

/*
 * Decodes an event that counts. The key is KEY_OTHER if it has no effect, is the first half of a
 * character, or is the x or the first digit after Ctrl-V. A second digit then completes a byte; any
 * other character becomes text together with the x and the digit.
 */
void key_record_decode(struct key_record_decoder *decoder, const INPUT_RECORD *record,
                       struct key *key);

#endif
