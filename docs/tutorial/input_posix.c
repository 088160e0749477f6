#include "input.h"

#include <unistd.h>

socket_type input_open(void)
{
    return STDIN_FILENO;
}

int input_read(socket_type input, void *bytes, size_t size)
{
    return (int)read(input, bytes, size);
}
