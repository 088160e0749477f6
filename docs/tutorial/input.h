/* input: stdin, as something that select() can wait for. */
#ifndef INPUT_H
#define INPUT_H

#include "portable.h"

/* What to wait for. On POSIX it is stdin itself. On Windows it is a socket, to which a thread sends
 * what it reads. Ends the program if that fails. */
socket_type input_open(void);

/* Reads what is there: returns the number of bytes, 0 at the end of the input, or -1. */
int input_read(socket_type input, void *bytes, size_t size);

#endif
