/* Client 1: that of the tutorial of 2017, retold with its faults. It sends lines and shows answers.
 */
#include "portable.h"

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    char text[1024];

    sockets_start();
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)strtoul(argc > 1 ? argv[1] : "9901", NULL, 10));
    address.sin_addr.s_addr = inet_addr("127.0.0.1");
    socket_type s = socket(AF_INET, SOCK_STREAM, 0);

    /* Fault: where nobody listens, this goes on for ever, and without a word. It also uses a socket
     * again whose connect() has failed, which POSIX leaves undefined. */
    while (connect(s, (struct sockaddr *)&address, sizeof address) != 0)
        sleep_milliseconds(10);
    socket_set_non_blocking(s);
    /* Fault: while it waits for a line, nobody looks at the socket. */
    while (fgets(text, sizeof text, stdin) != NULL) {
        socket_send(s, text, strlen(text)); /* Fault: send() may take only a part. */
        sleep_milliseconds(100);            /* Fault: as if the answer took exactly that long. */
        /* Fault: as if it came in one piece, and fitted. */
        int n = socket_recv(s, text, sizeof text);

        if (n > 0) /* Fault: the end of the connection, and its loss, pass unseen. */
            fwrite(text, 1, (size_t)n, stdout);
    }
    socket_close(s);
    sockets_finish();
    return EXIT_SUCCESS;
}
