#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "display.h"
#include "line_editor.h"
#include "report.h"
#include "selector.h"
#include "send_queue.h"
#include "terminal.h"

/* The most that is read at once, in either direction; also the most that may wait before nothing
 * more is read. */
enum { PIECE = 64 * 1024, STAMP = 48 };

struct session {
    struct selector_watch socket;
    struct selector_watch stop;
    struct selector *selector;
    struct terminal *terminal;
    const struct net_address *peer;
    const struct session_options *options;
    struct send_queue to_server;
    struct buffer to_output;
    struct line_editor editor;
    struct display display;
    int64_t began;                  /* nanoseconds, as is the next */
    int64_t line_sent;              /* when the last line was sent; 0: none */
    struct net_result send_failure; /* NET_DONE as long as there was none */
    bool input_ended;
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

static void fail(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the session with a line on stderr that says how far it came. */
static void fail(struct session *session, const char *format, ...)
{
    char message[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    terminal_hide_line(session->terminal);
    fprintf(stderr, "echo-client: %s (sent %llu bytes, received %llu bytes, %.1f seconds)\n",
            message, (unsigned long long)session->sent, (unsigned long long)session->received,
            (double)(os_nanoseconds() - session->began) / 1e9);
    finish(session, SESSION_FAILED);
}

static void fail_connection(struct session *session, struct net_result result)
{
    char address[NET_ADDRESS_TEXT];
    char words[OS_ERROR_TEXT] = "out of memory";

    if (result.error != 0)
        os_error_text(result.error, words);
    fail(session, "connection to %s lost: %s", net_address_text(session->peer, address), words);
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

static void send_line(struct session *session)
{
    struct line_editor *editor = &session->editor;
    bool quit = editor->length == 4 && memcmp(editor->text, "quit", 4) == 0;

    terminal_show_line(session->terminal, editor);
    terminal_finish_line(session->terminal);
    send_bytes(session, editor->text, editor->length);
    send_bytes(session, session->options->eol, strlen(session->options->eol));
    line_editor_next(editor);
    session->line_sent = os_nanoseconds();
    if (quit)
        end_input(session);
}

/* Takes the keys that have been pressed, as long as the server takes the lines, and then draws the
 * line once. */
static void read_keys(struct session *session)
{
    struct key key;

    while (!session->over && !session->input_ended &&
           send_queue_length(&session->to_server) < PIECE &&
           terminal_key(session->terminal, &key)) {
        switch (line_editor_key(&session->editor, &key)) {
        case LINE_EDITOR_LINE:
            send_line(session);
            break;
        case LINE_EDITOR_END:
            end_input(session);
            break;
        case LINE_EDITOR_CLEAR_SCREEN:
            terminal_clear_screen(session->terminal);
            break;
        case LINE_EDITOR_CHANGED:
        case LINE_EDITOR_NOTHING:
            break;
        }
    }
}

/* What stands before each line of an answer: nothing, or the time and the time since the last line
 * was sent. */
static void write_stamp(const struct session *session, char stamp[STAMP])
{
    char clock[13];
    char since[REPORT_DURATION] = "-";

    stamp[0] = '\0';
    if (!session->options->timestamps)
        return;
    os_local_clock(clock);
    if (session->line_sent > 0)
        snprintf(since, sizeof since, "%.3f",
                 (double)(os_nanoseconds() - session->line_sent) / 1e6);
    snprintf(stamp, STAMP, "%s +%s ms ", clock, since);
}

/* Shows what has arrived, or, with length 0, what still waits to be shown. */
static void show_received(struct session *session, const char *bytes, size_t length)
{
    struct buffer text = {NULL};
    char stamp[STAMP];

    write_stamp(session, stamp);
    bool good = length > 0 ? display_received(&session->display, &text, stamp, bytes, length)
                           : display_end(&session->display, &text, stamp);

    if (good)
        terminal_print(session->terminal, buffer_bytes(&text), buffer_length(&text));
    else
        fail(session, "out of memory");
    buffer_clear(&text);
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
        if (terminal_interactive(session->terminal))
            show_received(session, session->scratch, result.bytes);
        else if (!buffer_append(&session->to_output, session->scratch, result.bytes))
            fail(session, "out of memory");
        else
            write_output(session);
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

    if (unsent == 0 && !session->input_ended && !terminal_interactive(session->terminal) &&
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

/* One round: waits, and moves what can be moved. The socket comes first: a read of stdin may block
 * under Wine. */
static void step(struct session *session)
{
    char words[OS_ERROR_TEXT];
    int ready = terminal_wait(session->terminal, wanted(session));

    if (ready == -1) {
        fail(session, "cannot wait: %s", os_error_text(os_socket_error(), words));
        return;
    }
    if (session->stop.ready) {
        finish(session, SESSION_INTERRUPTED);
        return;
    }
    terminal_hide_line(session->terminal);
    if (session->socket.ready & SELECTOR_READ)
        read_socket(session);
    if (session->socket.ready & SELECTOR_WRITE)
        flush_to_server(session);
    if (ready & TERMINAL_OUTPUT)
        write_output(session);
    if (ready & TERMINAL_INPUT && terminal_interactive(session->terminal))
        read_keys(session);
    else if (ready & TERMINAL_INPUT)
        read_input(session);
    if (session->server_ended && buffer_length(&session->to_output) == 0)
        end_with_server(session);
    else if (!session->input_ended)
        terminal_show_line(session->terminal, &session->editor);
}

/* The first thing that a person sees: where the line goes, and how to leave. */
static void greet(struct session *session)
{
    char text[NET_ADDRESS_TEXT + 64];
    char address[NET_ADDRESS_TEXT];

    if (!terminal_interactive(session->terminal))
        return;
    int length = snprintf(text, sizeof text, "connected to %s; quit or %s ends\n",
                          net_address_text(session->peer, address), terminal_end_key);
    terminal_print(session->terminal, text, (size_t)length);
}

/* The last thing that a person sees: why it is over. A failure has said so already. */
static void take_leave(struct session *session)
{
    char text[160];

    if (!terminal_interactive(session->terminal))
        return;
    show_received(session, NULL, 0);
    if (session->end == SESSION_INTERRUPTED)
        terminal_finish_line(session->terminal);
    if (session->end == SESSION_FAILED)
        return;
    int length = snprintf(
        text, sizeof text, "%s; sent %llu bytes, received %llu bytes, %.1f seconds\n",
        session->end == SESSION_INTERRUPTED ? "interrupted" : "the server ended the connection",
        (unsigned long long)session->sent, (unsigned long long)session->received,
        (double)(os_nanoseconds() - session->began) / 1e9);
    terminal_print(session->terminal, text, (size_t)length);
}

static bool set_up(struct session *session, os_socket s, os_socket stop)
{
    const os_socket sockets[] = {s, stop};

    session->selector = selector_create();
    if (session->selector == NULL ||
        !selector_add(session->selector, &session->socket, s, SELECTOR_READ) ||
        !selector_add(session->selector, &session->stop, stop, SELECTOR_READ))
        return false;
    session->terminal = terminal_open(session->selector, sockets, 2);
    return session->terminal != NULL;
}

enum session_end session_run(os_socket s, const struct net_address *peer,
                             const struct session_options *options, os_socket stop)
{
    struct session *session = calloc(1, sizeof *session);
    enum session_end end = SESSION_FAILED;

    if (session == NULL || !set_up(session, s, stop)) {
        fprintf(stderr, "echo-client: out of memory\n");
    } else {
        session->peer = peer;
        session->options = options;
        session->display.hex = options->hex;
        session->began = os_nanoseconds();
        greet(session);
        terminal_show_line(session->terminal, &session->editor);
        while (!session->over)
            step(session);
        take_leave(session);
        terminal_close(session->terminal);
        end = session->end;
    }
    if (session != NULL) {
        send_queue_clear(&session->to_server);
        buffer_clear(&session->to_output);
        line_editor_clear(&session->editor);
        selector_destroy(session->selector);
    }
    free(session);
    return end;
}
