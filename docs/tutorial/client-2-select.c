/* Client 2: one loop around select() waits for stdin and for the socket. */
#include "portable.h"

int main(int argc, char **argv)
{
    static char input[64 * 1024], answer[4 * 1024];
    bool input_ended = false;

    sockets_start();
    socket_type s = connect_to(argc > 1 ? argv[1] : NULL);

    for (;;) {
        fd_set readable;
        int n;

        FD_ZERO(&readable);
        FD_SET(s, &readable);
        if (!input_ended)
            FD_SET(0, &readable); /* Fault: on Windows, stdin is no socket. */
        if (select((int)s + 1, &readable, NULL, NULL, NULL) < 0)
            die("select");
        if (FD_ISSET(0, &readable)) {
            n = stdin_read(input, sizeof input);
            input_ended = n <= 0;
            if (input_ended)
                shutdown(s, SHUT_WR);
            else
                socket_send(s, input, (size_t)n); /* Fault: a second place to wait. */
        }
        if (FD_ISSET(s, &readable)) {
            n = socket_recv(s, answer, sizeof answer);
            if (n < 0)
                die("recv");
            if (n == 0)
                return EXIT_SUCCESS;
            stdout_write(answer, (size_t)n);
        }
    }
}
