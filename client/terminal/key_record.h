/*
 * key_record: pure. From the events of the Windows console to keys (INPUT_RECORD,
 * KEY_EVENT_RECORD). Windows only: it is to the console what key_decoder is to a POSIX terminal.
 */
#ifndef KEY_RECORD_H
#define KEY_RECORD_H

#include <winsock2.h> /* before windows.h, always */

#include <stdbool.h>

#include "editor/key.h"

/* All zero at first. */
struct key_record_decoder {
    WCHAR surrogate;   /* the first half of a character beyond U+FFFF, until the second comes */
    bool after_return; /* Enter came: a line feed (of pasted CR LF) is no second one */
    bool quoting;      /* Ctrl-V came: the next key with a character is text */
    char quoted[2];    /* x and a digit that came behind Ctrl-V */
    size_t quoted_length;
};

/*
 * Whether an event counts: a key that was pressed, pasted text (Alt released with a character), or
 * a new size of the window, after which the line is drawn again. Others (releases, mouse, focus) do
 * not, nor do the digits of Alt and the numeric keypad.
 */
bool key_record_counts(const INPUT_RECORD *record);

/* Makes a key of an event that counts; KEY_OTHER of what does nothing, of the first half of a
 * character, and of an x and a digit behind Ctrl-V: with a second digit they are that byte, else
 * text with the character that follows. */
void key_record_decode(struct key_record_decoder *decoder, const INPUT_RECORD *record,
                       struct key *key);

#endif
