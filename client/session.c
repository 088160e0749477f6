#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "selector.h"
#include "send_queue.h"
#include "terminal.h"

/* The most that is read at once, and that may wait before nothing more is read. */
enum { PIECE = 64 * 1024 };

/* Milliseconds in which a server that is to end may do nothing before the user is told. */
enum { PATIENCE = 1000 };

struct session {
    struct selector_watch socket;
    struct selector_watch stop;
    struct selector *selector;
    struct terminal *terminal;
    const struct net_address *peer;
    bool interactive;         /* stdin is a terminal */
    struct dialogue dialogue; /* what is on the screen, then */
    const char *reason;       /* why it is over, when it is and did not fail */
    struct send_queue to_server;
    struct buffer to_output;
    int64_t began;                  /* nanoseconds */
    struct net_result send_failure; /* NET_DONE as long as there was none */
    bool input_ended;
    int64_t
        waiting_since;  /* nanoseconds: when the input ended, and only the server is waited for */
    bool told;          /* that it is */
    bool sending_ended; /* our side of the connection is shut down */
    bool server_ended;
    bool over; /* with `end` */
    enum session_end end;
    uint64_t sent;
    uint64_t received;
    char scratch[PIECE];
};

static void finish(struct session *session, enum session_end end)
{
    if (!session->over)
        session->end = end;
    session->over = true;
}

/* Ends the session with a line on stderr that says how far it came; the first failure does. */
__attribute__((format(printf, 2, 3))) static void fail(struct session *session, const char *format,
                                                       ...)
{
    char message[256];
    va_list arguments;

    if (session->over)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    dialogue_show_rest(&session->dialogue); /* above the line that follows */
    fprintf(stderr, "echo-client: %s (sent %llu bytes, received %llu bytes, %.1f seconds)\n",
            message, (unsigned long long)session->sent, (unsigned long long)session->received,
            (double)(os_nanoseconds() - session->began) / 1e9);
    finish(session, SESSION_FAILED);
}

static void fail_connection(struct session *session, struct net_result result)
{
    char address[NET_ADDRESS_TEXT];
    char words[OS_ERROR_TEXT];

    fail(session, "connection to %s lost: %s", net_address_text(session->peer, address),
         net_result_text(result, words));
}

/*
 * Takes the result of a send into account, and ends our side when there is nothing more to send.
 * After a failure there may still be something to read: an answer that came before the connection
 * was lost.
 */
static void sent(struct session *session, struct net_result result)
{
    session->sent += result.bytes;
    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK) {
        session->send_failure = result;
        session->input_ended = session->sending_ended = true;
        send_queue_clear(&session->to_server);
        net_end_sending(session->socket.socket);
        return;
    }
    if (session->input_ended && !session->sending_ended &&
        send_queue_length(&session->to_server) == 0) {
        net_end_sending(session->socket.socket);
        session->sending_ended = true;
    }
}

static void send_bytes(struct session *session, const char *bytes, size_t length)
{
    if (length > 0 && !session->sending_ended)
        sent(session, send_queue_send(&session->to_server, session->socket.socket, bytes, length));
}

static void flush_to_server(struct session *session)
{
    if (!session->sending_ended)
        sent(session, send_queue_flush(&session->to_server, session->socket.socket));
}

static void end_input(struct session *session)
{
    session->input_ended = true;
    session->waiting_since = os_nanoseconds();
    flush_to_server(session);
}

static void read_input(struct session *session)
{
    char error[OS_ERROR_TEXT];
    ptrdiff_t n = terminal_read(session->terminal, session->scratch, PIECE, error);

    if (n > 0)
        send_bytes(session, session->scratch, (size_t)n);
    else if (n == TERMINAL_END)
        end_input(session);
    else if (n == TERMINAL_BROKEN)
        fail(session, "cannot read standard input: %s", error);
}

/* Sends the lines that have been typed. */
static void read_dialogue(struct session *session)
{
    struct buffer lines = {NULL};
    enum dialogue_verdict verdict = dialogue_read(&session->dialogue, &lines);

    send_bytes(session, buffer_bytes(&lines), buffer_length(&lines));
    buffer_clear(&lines);
    switch (verdict) {
    case DIALOGUE_GOES_ON:
        return;
    case DIALOGUE_QUIT:
        session->reason = "quit";
        end_input(session);
        return;
    case DIALOGUE_ENDED:
        session->reason = "end of input";
        end_input(session);
        return;
    case DIALOGUE_FAILED:
        fail(session, "out of memory");
        return;
    }
}

static void write_output(struct session *session)
{
    while (buffer_length(&session->to_output) > 0) {
        ptrdiff_t n = os_write(OS_STDOUT, buffer_bytes(&session->to_output),
                               buffer_length(&session->to_output));

        if (n == 0)
            return;
        if (n < 0) {
            fail(session, "cannot write to standard output");
            return;
        }
        buffer_consume(&session->to_output, (size_t)n);
    }
}

static void read_socket(struct session *session)
{
    struct net_result result = net_recv(session->socket.socket, session->scratch, PIECE);

    switch (result.outcome) {
    case NET_DONE:
        session->received += result.bytes;
        if (session->interactive) {
            if (!dialogue_show(&session->dialogue, session->scratch, result.bytes))
                fail(session, "cannot write to standard output");
        } else if (!buffer_append(&session->to_output, session->scratch, result.bytes)) {
            fail(session, "out of memory");
        } else {
            write_output(session);
        }
        return;
    case NET_END:
        session->server_ended = true;
        return;
    case NET_WOULD_BLOCK:
        return;
    case NET_RESET:
    case NET_EXHAUSTED:
    case NET_UNAVAILABLE:
    case NET_FAILED:
        fail_connection(session, result);
        return;
    }
}

/*
 * The server has ended and its last byte is written: what was not sent by now never will be. An
 * input that has more to give is cut short as well; one that is silent, or at its end, is not.
 */
static void end_with_server(struct session *session)
{
    size_t unsent = send_queue_length(&session->to_server);
    char error[OS_ERROR_TEXT];

    if (unsent == 0 && !session->input_ended && !session->interactive &&
        terminal_input_ready(session->terminal))
        unsent = terminal_read(session->terminal, session->scratch, 1, error) > 0;
    if (session->send_failure.outcome != NET_DONE)
        fail_connection(session, session->send_failure);
    else if (unsent == 0)
        finish(session, SESSION_FINISHED);
    else
        fail(session, "the server ended the connection before the end of the input");
}

/* What each side is watched for: nothing is read while the piece before it still waits to be
 * written. */
static int wanted(struct session *session)
{
    bool output_waits = buffer_length(&session->to_output) > 0;
    bool input = !session->input_ended && send_queue_length(&session->to_server) < PIECE;
    unsigned interest = output_waits || session->server_ended ? SELECTOR_NONE : SELECTOR_READ;

    if (send_queue_length(&session->to_server) > 0)
        interest |= SELECTOR_WRITE;
    selector_change(session->selector, &session->socket, (uint8_t)interest);
    return (input ? TERMINAL_INPUT : 0) | (output_waits ? TERMINAL_OUTPUT : 0);
}

/* A line of ours among those of the server. */
__attribute__((format(printf, 2, 3))) static void say(struct session *session, const char *format,
                                                      ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    screen_print(session->dialogue.screen, text, strlen(text));
}

/* One round: waits, and moves what can be moved. The socket comes first: a read of stdin may block
 * under Wine. */
static void step(struct session *session)
{
    char words[OS_ERROR_TEXT];
    bool untold = session->interactive && session->input_ended && !session->told;
    int ready = terminal_wait(session->terminal, wanted(session), untold ? PATIENCE : -1);

    if (ready == -1) {
        fail(session, "cannot wait: %s", os_error_text(os_socket_error(), words));
        return;
    }
    if (session->stop.ready) {
        finish(session, SESSION_INTERRUPTED);
        return;
    }
    /* Not when it is something else that has ended the wait. */
    if (untold && ready == 0 && session->socket.ready == SELECTOR_NONE &&
        os_nanoseconds() - session->waiting_since >= PATIENCE * (int64_t)1000000) {
        say(session, "waiting for the server to end; Ctrl-C leaves\n");
        session->told = true;
    }
    if (session->socket.ready & SELECTOR_READ)
        read_socket(session);
    if (session->socket.ready & SELECTOR_WRITE)
        flush_to_server(session);
    if (ready & TERMINAL_OUTPUT)
        write_output(session);
    if (ready & TERMINAL_INPUT && session->interactive)
        read_dialogue(session);
    else if (ready & TERMINAL_INPUT)
        read_input(session);
    if (session->server_ended && buffer_length(&session->to_output) == 0)
        end_with_server(session);
    else if (session->input_ended || session->over)
        dialogue_hide_line(&session->dialogue);
    else
        dialogue_show_line(&session->dialogue);
}

/* The last thing that a person sees: why it is over. A failure has said so already. */
static void take_leave(struct session *session)
{
    if (session->end == SESSION_INTERRUPTED && terminal_takes_keys(session->terminal))
        screen_finish_line(session->dialogue.screen);
    else if (session->end == SESSION_INTERRUPTED)
        say(session, "\n"); /* the terminal has shown ^C behind what was typed */
    dialogue_show_rest(&session->dialogue);
    if (session->end != SESSION_FAILED)
        say(session, "%s; sent %llu bytes, received %llu bytes, %.1f seconds\n",
            session->end == SESSION_INTERRUPTED ? "interrupted" : session->reason,
            (unsigned long long)session->sent, (unsigned long long)session->received,
            (double)(os_nanoseconds() - session->began) / 1e9);
}

static bool set_up(struct session *session, os_socket s, os_socket stop)
{
    const os_socket sockets[] = {s, stop};

    session->selector = selector_create();
    if (session->selector == NULL ||
        !selector_add(session->selector, &session->socket, s, SELECTOR_READ) ||
        !selector_add(session->selector, &session->stop, stop, SELECTOR_READ))
        return false;
    session->terminal = session->dialogue.terminal = terminal_open(session->selector, sockets, 2);
    if (session->terminal == NULL)
        return false;
    session->interactive = terminal_interactive(session->terminal);
    session->dialogue.screen = screen_open(terminal_takes_keys(session->terminal), stop);
    return session->dialogue.screen != NULL;
}

static void run(struct session *session)
{
    char address[NET_ADDRESS_TEXT];

    session->began = os_nanoseconds();
    if (session->interactive)
        say(session, "connected to %s; quit or %s ends\n", net_address_text(session->peer, address),
            terminal_end_key);
    dialogue_show_line(&session->dialogue);
    while (!session->over)
        step(session);
    if (session->interactive)
        take_leave(session);
}

static void destroy(struct session *session)
{
    screen_close(session->dialogue.screen);
    terminal_close(session->terminal);
    send_queue_clear(&session->to_server);
    buffer_clear(&session->to_output);
    dialogue_clear(&session->dialogue);
    selector_destroy(session->selector);
    free(session);
}

enum session_end session_run(os_socket s, const struct net_address *peer,
                             const struct dialogue_options *options, os_socket stop)
{
    struct session *session = calloc(1, sizeof *session);
    enum session_end end = SESSION_FAILED;

    if (session == NULL) {
        fprintf(stderr, "echo-client: out of memory\n");
        return end;
    }
    session->peer = peer;
    session->reason = "the server ended the connection";
    session->dialogue.options = options;
    session->dialogue.display.hex = options->hex;
    if (set_up(session, s, stop)) {
        run(session);
        end = session->end;
    } else {
        fprintf(stderr, "echo-client: cannot begin the session: out of memory or handles\n");
    }
    destroy(session);
    return end;
}
