/* Step 1: a thread for each client, which polls with Sleep(). This is the server of the tutorial of
 * 2017, retold with its faults. */
#include "portable.h"

struct client {
    socket_type socket;
    char text[1024];
    char name[64]; /* stands behind `text` in memory */
};

static void serve(void *argument)
{
    struct client *client = argument;

    for (;;) {
        /* Fault: one byte more than there is room for. */
        int n = socket_recv(client->socket, client->text, sizeof client->text + 1);

        if (n == 0)
            break;
        if (n < 0) {
            /* Fault: "nothing yet" and "this connection is lost" are the same here. The thread of a
             * connection that was reset tries again. That it ends is luck: on Linux, the next
             * recv() returns 0. */
            sleep_milliseconds(10);
            continue;
        }
        /* Fault: bytes are taken for a string. A 0 among them ends it; without one, the string goes
         * on with whatever follows in memory. */
        size_t length = strlen(client->text);

        /* Fault: send() may take only a part. The rest is lost. */
        socket_send(client->socket, client->text, length);
        if (strncmp(client->text, "quit", 4) == 0)
            break;
        memset(client->text, 0, sizeof client->text);
    }
    socket_close(client->socket);
    free(client);
    /* Fault: on Windows this ends the sockets of all other threads as well. */
    sockets_finish();
}

int main(int argc, char **argv)
{
    sockets_start();
    socket_type listener = listen_on(argc > 1 ? argv[1] : NULL);

    for (;;) {
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof address;
        socket_type s = accept(listener, (struct sockaddr *)&address, &length);

        /* Fault: whatever goes wrong with one connection ends the loop, and with it the program. */
        if (s == INVALID_SOCKET)
            break;
        struct client *client = calloc(1, sizeof *client);

        if (client == NULL)
            die("calloc");
        client->socket = s;
        /* Fault: the port is in network byte order. */
        snprintf(client->name, sizeof client->name, "%s:%d", inet_ntoa(address.sin_addr),
                 address.sin_port);
        printf("%s has connected\n", client->name);
        fflush(stdout);
        socket_set_non_blocking(client->socket);
        start_thread(serve, client); /* Fault: a stack for each client, however idle it is. */
    }
    sockets_finish();
    return EXIT_FAILURE;
}
