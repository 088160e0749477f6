/*
 * Prints what only the system itself can tell, a line for each fact: what a wait takes, whether a
 * port can be bound again, whether answers are lost when the server closes first, what Ctrl-Break
 * does. Called by `make probe`; ECHO_SERVER is the server. Status 1 when an answer was lost.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "net.h"
#include "os.h"
#include "process.h"
#include "selector.h"

enum { ROUNDS = 1000, LENGTH = 16384, NAP = 20000 /* microseconds */, PATIENCE = 10 /* seconds */ };

static const int64_t SECOND = 1000000000;

void fact(const char *name, const char *format, ...)
{
    va_list arguments;

    printf("%s: ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

static void give_up(const char *what)
{
    fprintf(stderr, "probe: %s\n", what);
    exit(2);
}

/* Waits for a socket; for the time alone without one. */
static void wait_for(os_socket s, uint8_t interest, int64_t microseconds)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch watch = {.kind = 0};

    if (selector == NULL || (s != OS_NO_SOCKET && !selector_add(selector, &watch, s, interest)) ||
        !selector_wait(selector, os_nanoseconds() + microseconds * 1000))
        give_up("cannot wait");
    selector_destroy(selector);
}

static os_socket listen_on(uint16_t port, struct net_address *address)
{
    os_socket listener;

    *address = (struct net_address){.bytes = {127, 0, 0, 1}, .port = port};
    if (net_listen(address, &listener).outcome != NET_DONE ||
        net_local_address(listener, address).outcome != NET_DONE)
        give_up("cannot listen");
    return listener;
}

static os_socket connect_to(const struct net_address *address)
{
    os_socket s;
    enum net_outcome outcome = net_connect(address, NULL, &s).outcome;

    if (outcome == NET_WOULD_BLOCK) {
        wait_for(s, SELECTOR_WRITE, PATIENCE * 1000000);
        outcome = net_connect_result(s).outcome;
    }
    if (outcome != NET_DONE)
        give_up("cannot connect");
    return s;
}

static void tell_wait(const char *name)
{
    enum { TIMES = 50 };
    struct net_address address;
    os_socket quiet = listen_on(0, &address);
    int64_t longest = 0, sum = 0;

    for (int i = 0; i < TIMES; i++) {
        int64_t began = os_nanoseconds();

        wait_for(quiet, SELECTOR_READ, 1000);
        int64_t took = os_nanoseconds() - began;

        sum += took;
        longest = took > longest ? took : longest;
    }
    net_close(quiet);
    fact(name, "mean %.3f ms, max %.3f ms", (double)sum / TIMES / 1e6, (double)longest / 1e6);
}

/* Whether a port can be bound again while a connection to it is still there, or was there. */
static void tell_rebinding(bool open)
{
    struct net_address address, peer;
    os_socket listener = listen_on(0, &address);
    os_socket client = connect_to(&address);
    os_socket accepted, again;
    char words[OS_ERROR_TEXT];

    wait_for(listener, SELECTOR_READ, PATIENCE * 1000000);
    if (net_accept(listener, &accepted, &peer).outcome != NET_DONE)
        give_up("cannot accept");
    if (!open) {
        net_close(accepted); /* the side that ends first remembers */
        wait_for(client, SELECTOR_READ, PATIENCE * 1000000);
        net_close(client);
    }
    net_close(listener);
    struct net_result result = net_listen(&address, &again);

    fact(open ? "binding a port again, a connection still open"
              : "binding a port again, a connection in TIME_WAIT",
         "%s", result.outcome == NET_DONE ? "at once" : os_error_text(result.error, words));
    if (result.outcome == NET_DONE)
        net_close(again);
    if (open) {
        net_close(accepted);
        net_close(client);
    }
}

static struct process *start_server(const char *mode, struct net_address *address)
{
    const char *server = getenv("ECHO_SERVER");
    const char *const arguments[] = {server,   "--bind", "127.0.0.1", "--port", "0",
                                     "--mode", mode,     "--quiet",   NULL};
    int64_t end = os_nanoseconds() + PATIENCE * SECOND;

    if (server == NULL)
        give_up("ECHO_SERVER is not set: call it with `make probe`");
    struct process *process =
        process_start(arguments, &(struct process_options){.input = PROCESS_INPUT_NULL});

    if (process == NULL)
        give_up("cannot start the server");
    struct process_output *output = &process->output[STREAM_OUTPUT];

    while (output->length == 0 || output->bytes[output->length - 1] != '\n') {
        if (output->ended || os_nanoseconds() >= end)
            give_up("the server does not start");
        process_pump(process, NULL, 0, 100);
    }
    output->bytes[output->length - 1] = '\0';
    *address = (struct net_address){.bytes = {127, 0, 0, 1}};
    address->port = (uint16_t)strtoul(strrchr(output->bytes, ':') + 1, NULL, 10);
    return process;
}

static void end_server(struct process *process)
{
    process_kill(process);
    process_destroy(process);
}

static void send_all(os_socket s, const char *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        struct net_result result = net_send(s, bytes + sent, length - sent);

        if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
            return;
        sent += result.bytes;
        if (sent < length)
            wait_for(s, SELECTOR_WRITE, PATIENCE * 1000000);
    }
}

/* Whether exactly these bytes come, and then the end. */
static bool receives(os_socket s, const char *expected, size_t length)
{
    static char bytes[2 * LENGTH];
    size_t received = 0;
    struct net_result result;

    do {
        wait_for(s, SELECTOR_READ, PATIENCE * 1000000);
        result = net_recv(s, bytes + received, sizeof bytes - received);
        received += result.bytes;
    } while (result.outcome == NET_DONE && received < sizeof bytes);
    return result.outcome == NET_END && received == length && memcmp(bytes, expected, length) == 0;
}

/*
 * Sends and ends, and reads only a moment later, when the server has long answered and ended, too;
 * in line mode it ends first. Returns how many times something was missing.
 */
static int lost(const char *mode)
{
    static const char prefix[] = "Message received - ";
    static char sent[LENGTH], expected[LENGTH + sizeof prefix];
    struct net_address address;
    struct process *server = start_server(mode, &address);
    bool line = strcmp(mode, "line") == 0;
    size_t answer = LENGTH;
    int count = 0;

    memset(sent, 'x', LENGTH);
    memcpy(expected, sent, LENGTH);
    if (line) {
        memcpy(sent + LENGTH - 6, "\nquit\n", 6);
        answer =
            (size_t)snprintf(expected, sizeof expected, "%s%.*s\nquit\n", prefix, LENGTH - 6, sent);
    }
    for (int i = 0; i < ROUNDS; i++) {
        os_socket s = connect_to(&address);

        send_all(s, sent, LENGTH);
        if (!line)
            net_end_sending(s);
        wait_for(OS_NO_SOCKET, SELECTOR_NONE, NAP);
        count += !receives(s, expected, answer);
        net_close(s);
    }
    end_server(server);
    return count;
}

static bool tell_loss(const char *mode)
{
    char name[64];
    int count = lost(mode);

    snprintf(name, sizeof name, "answers of %d bytes lost, mode %s", LENGTH, mode);
    fact(name, "%d of %d", count, ROUNDS);
    return count == 0;
}

static void tell_break(void)
{
    struct net_address address;
    struct process *server = start_server("echo", &address);
    int64_t end = os_nanoseconds() + PATIENCE * SECOND;

    process_stop(server, PROCESS_STOP_BREAK);
    while (!server->output[STREAM_OUTPUT].ended && os_nanoseconds() < end)
        process_pump(server, NULL, 0, 100);
    if (server->output[STREAM_OUTPUT].ended) {
        fact("Ctrl-Break", "status %d", process_destroy(server));
    } else {
        fact("Ctrl-Break", "nothing within %d s", PATIENCE);
        end_server(server);
    }
}

int main(void)
{
    if (os_start() != 0)
        give_up("cannot start");
    tell_wait("select() with 1 ms");
    facts_of_system();
    os_wait_precisely();
    tell_wait("select() with 1 ms, fine timer");
    tell_rebinding(false);
    tell_rebinding(true);
    bool echo = tell_loss("echo"), line = tell_loss("line");

    tell_break(); /* the last: it leaves this program's console */
    os_finish();
    return echo && line ? EXIT_SUCCESS : EXIT_FAILURE;
}
