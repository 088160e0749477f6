/*
 * screen_model: pure. The screen of a terminal, as the bytes that programs write to it make it
 * look: as much of ECMA-48 as the programs under test use, and what narrowing and widening the
 * window does.
 */
#ifndef SCREEN_MODEL_H
#define SCREEN_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum { SCREEN_MODEL_ROWS = 100, SCREEN_MODEL_COLUMNS = 160, SCREEN_MODEL_TEXT = 65536 };

struct screen_model_cell {
    char character[5]; /* "" where there is none, as right of one that takes two columns */
    bool dim;
};

struct screen_model {
    struct screen_model_cell cells[SCREEN_MODEL_ROWS][SCREEN_MODEL_COLUMNS];
    bool goes_on[SCREEN_MODEL_ROWS]; /* the row was too short: the text goes on in the next one */
    size_t columns;                  /* of the window */
    size_t row;                      /* the cursor's */
    size_t column;        /* the cursor's; `columns` behind a full row, until more comes */
    bool dim;             /* what comes now */
    bool dumb;            /* knows no escape sequence */
    bool brackets_pastes; /* as the program has asked for (xterm, bracketed paste mode) */
    bool cuts;            /* cuts what is too long for a narrower window */
};

/* An empty screen, at most SCREEN_MODEL_COLUMNS wide. */
void screen_model_begin(struct screen_model *screen, size_t columns, bool dumb);

/*
 * Does what the bytes say, and returns how many that were: a character or an escape sequence that
 * has not come whole is left. An escape sequence that it does not know shows, with "?" for Escape.
 */
size_t screen_model_write(struct screen_model *screen, const char *bytes, size_t length);

/*
 * Makes the window as wide as this, as most terminals do: rows that are now too long are broken,
 * those that were broken are joined again, and the cursor stays with its character. One that cuts
 * leaves the rows alone but for what is right of the window.
 */
void screen_model_resize(struct screen_model *screen, size_t columns);

/*
 * The rows from the first to the last one with something in it or the one in which the cursor
 * stands, each without the spaces at its end, with a line feed between two, and with {} around what
 * is dimmed.
 */
void screen_model_text(const struct screen_model *screen, char text[SCREEN_MODEL_TEXT]);

#endif
