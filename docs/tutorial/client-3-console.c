/* Client 3: the socket never blocks, and stdin is a socket on Windows too, even if it is the
 * console (input_win32.c). */
#include "input.h"

enum { BUFFER_SIZE = 16 * 1024 };

static char queue[BUFFER_SIZE]; /* queue[begin] up to queue[end] are still to be sent */
static size_t begin, end;
static bool input_ended;

static void read_input(socket_type input, socket_type s)
{
    int n = input_read(input, queue, BUFFER_SIZE);

    if (n < 0)
        die("stdin");
    end = (size_t)n;
    input_ended = n == 0;
    if (input_ended)
        shutdown(s, SHUT_WR); /* the server may still have answers */
}

static void send_queued(socket_type s)
{
    int n = socket_send(s, queue + begin, end - begin);

    if (n < 0 && !error_is_would_block())
        die("send");
    if (n > 0)
        begin += (size_t)n;
    if (begin == end)
        begin = end = 0;
}

/* Returns false at the end of the answers. */
static bool receive(socket_type s)
{
    static char answer[BUFFER_SIZE];
    int n = socket_recv(s, answer, BUFFER_SIZE);

    if (n < 0 && !error_is_would_block())
        die("recv");
    if (n > 0)
        stdout_write(answer, (size_t)n); /* Fault: it may fail, or wait. */
    return n != 0;
}

int main(int argc, char **argv)
{
    fd_set readable, writable;

    sockets_start();
    socket_type s = connect_to(argc > 1 ? argv[1] : NULL), input = input_open();
    int highest = (int)(s > input ? s : input);

    socket_set_non_blocking(s);
    do {
        FD_ZERO(&readable);
        FD_ZERO(&writable);
        FD_SET(s, &readable);
        if (begin < end)
            FD_SET(s, &writable);
        else if (!input_ended)
            FD_SET(input, &readable);
        if (select(highest + 1, &readable, &writable, NULL, NULL) < 0)
            die("select");
        if (FD_ISSET(input, &readable))
            read_input(input, s);
        if (FD_ISSET(s, &writable))
            send_queued(s);
    } while (!FD_ISSET(s, &readable) || receive(s));
    if (input_ended && begin == end)
        return EXIT_SUCCESS;
    fprintf(stderr, "the server has ended the connection before the end of the input\n");
    return EXIT_FAILURE;
}
