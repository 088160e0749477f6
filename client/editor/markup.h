/* markup: the two bytes by which text for the screen says which part of it is dimmed. */
#ifndef MARKUP_H
#define MARKUP_H

/* Text between MARKUP_DIM and MARKUP_NORMAL is dimmed; the bytes themselves are not shown. */
#define MARKUP_DIM '\x0E'
#define MARKUP_NORMAL '\x0F'

#endif
