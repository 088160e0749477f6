#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "deadline.h"
#include "output.h"
#include "report.h"
#include "selector.h"
#include "send_queue.h"
#include "terminal/terminal.h"
#include "text.h"

enum {
    PIECE = 64 * 1024,        /* bytes per read; input is not read while as many wait to be sent */
    SHOWN_PIECE = 4096,       /* bytes per read at a terminal, where the typed line is drawn again
                                 after each piece */
    UNDRAWN_MAX = 128 * 1024, /* keys are not read while this many bytes wait for the screen */
    TOTALS = 128
};

/* How long the server may be silent after the end of the input before the user is told that only
 * the server has to act. */
static const int64_t REPORT_AFTER = SECONDS(1);
/* How often to ask whether all data is acknowledged, which no event reports. */
static const int64_t POLL_INTERVAL = MILLISECONDS(10);
/* How long to keep writing pending output after a request to stop: to a pipe, to a terminal. */
static const int64_t DRAIN_PIPE = SECONDS(1);
static const int64_t DRAIN_TERMINAL = MILLISECONDS(50);

struct session {
    const struct connector_connection *connection; /* its socket is owned */
    struct selector_watch socket;
    struct selector_watch stop;
    struct selector *selector;
    struct terminal *terminal;
    const struct session_options *options;
    bool from_terminal;       /* stdin is a terminal */
    bool interactive;         /* stdin and stdout are terminals */
    const char *reason;       /* why the input ended, for the summary */
    struct dialogue dialogue; /* displays received data, and edits lines if stdin is a terminal */
    struct output output;     /* to stdout */
    struct output messages;   /* to stderr; held back while `output` has text to write */
    struct send_queue to_server;
    struct net_result send_failure; /* the failed send; NET_DONE if none has failed */
    bool after_return;              /* the last byte sent by send_lines() was a carriage return */
    bool input_ended;
    bool sending_ended; /* our sending side is shut down */
    bool server_ended;
    bool reported_waiting; /* the user has been told that only the server has to act */
    bool over;             /* `end` is set; pending output is still written, until `leave_at` */
    enum session_end end;
    int64_t now;
    int64_t began;
    int64_t waiting_since; /* when the input ended, or since then a byte was last sent, received or
                              written to stdout: from now on only the server has to act */
    int64_t leave_at;
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

/* Writes "sent 5 bytes, received 1 byte, 2.5 seconds" into `text` and returns it. */
static const char *format_totals(const struct session *session, char text[TOTALS])
{
    snprintf(text, TOTALS, "sent %llu byte%s, received %llu byte%s, %.1f seconds",
             (unsigned long long)session->sent, text_plural(session->sent),
             (unsigned long long)session->received, text_plural(session->received),
             report_seconds(session->now - session->began));
    return text;
}

/* Prints a line with the totals of the session to stderr. */
static void print_diagnostic(struct session *session, const char *message)
{
    char totals[TOTALS];
    char line[400];

    snprintf(line, sizeof line, "echo-client: %s (%s)\n", message, format_totals(session, totals));
    /* If memory was refused, the line is written now, even if it cannot be written in full. */
    if (!output_append(&session->messages, line, strlen(line)))
        stream_write(STREAM_ERROR, line, strlen(line));
}

/* Ends the session with a diagnostic on stderr. Only the first failure is reported. */
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
    dialogue_show_rest(&session->dialogue); /* so that it is above the diagnostic */
    print_diagnostic(session, message);
    finish(session, SESSION_FAILED);
}

static void fail_connection(struct session *session, struct net_result result)
{
    char address[NET_ADDRESS_TEXT];
    char reason[OS_ERROR_TEXT];

    if (session->server_ended)
        fail(session, "the server ended the connection before the end of the input");
    else
        fail(session, "connection to %s lost: %s",
             net_address_text(&session->connection->peer, address), report_failure(result, reason));
}

/* Prints a line of the client's own: on the screen if the session is interactive, else to
 * stderr. */
__attribute__((format(printf, 2, 3))) static void print_notice(struct session *session,
                                                               const char *format, ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (session->interactive)
        screen_print(session->dialogue.screen, text, strlen(text));
    else
        output_append(&session->messages, text, strlen(text));
}

/*
 * Records the result of a send, and ends the sending side once all input has been sent. A failed
 * send does not end the session yet: an answer that arrived before the connection was lost can
 * still be read.
 */
static void handle_send_result(struct session *session, struct net_result result)
{
    session->sent += result.bytes;
    if (result.bytes > 0)
        session->waiting_since = session->now;
    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK) {
        session->send_failure = result;
        session->waiting_since = session->now;
        session->input_ended = session->sending_ended = true;
        send_queue_clear(&session->to_server);
        net_end_sending(session->socket.socket);
        return;
    }
    if (session->input_ended && !session->sending_ended &&
        send_queue_length(&session->to_server) == 0) {
        struct net_result end = net_end_sending(session->socket.socket);

        session->sending_ended = true;
        /* Otherwise the server would wait for more, and we for its end. */
        if (end.outcome != NET_DONE && end.outcome != NET_RESET)
            fail_connection(session, end);
    }
}

static void send_bytes(struct session *session, const char *bytes, size_t length)
{
    if (length > 0 && !session->sending_ended)
        handle_send_result(
            session, send_queue_send(&session->to_server, session->socket.socket, bytes, length));
}

static void flush_to_server(struct session *session)
{
    if (!session->sending_ended)
        handle_send_result(session, send_queue_flush(&session->to_server, session->socket.socket));
}

static void end_input(struct session *session, const char *reason)
{
    session->input_ended = true;
    session->reason = reason;
    session->waiting_since = session->now;
    flush_to_server(session);
}

/* Sends input from a pipe or file with each line feed replaced by the ending of --eol. If that is
 * CR LF, a line feed after a carriage return stays as it is. */
static void send_lines(struct session *session, const char *bytes, size_t length)
{
    const char *eol = session->options->dialogue.eol;
    struct buffer lines = {NULL};
    bool ok = true;

    while (ok && length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline != NULL ? (size_t)(newline - bytes) : length;
        bool after_return = line > 0 ? bytes[line - 1] == '\r' : session->after_return;

        ok = buffer_append(&lines, bytes, line);
        if (newline != NULL)
            ok = ok && (strcmp(eol, "\r\n") == 0 && after_return
                            ? buffer_append(&lines, "\n", 1)
                            : buffer_append(&lines, eol, strlen(eol)));
        session->after_return = newline == NULL && after_return;
        line += newline != NULL;
        bytes += line;
        length -= line;
    }
    if (ok)
        send_bytes(session, buffer_bytes(&lines), buffer_length(&lines));
    else
        fail(session, "out of memory");
    buffer_clear(&lines);
}

static void read_input(struct session *session)
{
    char reason[OS_ERROR_TEXT];
    ptrdiff_t n = stream_read(session->scratch, PIECE);

    if (n > 0) {
        session->dialogue.line_sent = session->now;
        if (session->options->dialogue.eol != NULL)
            send_lines(session, session->scratch, (size_t)n);
        else
            send_bytes(session, session->scratch, (size_t)n);
    } else if (n == STREAM_END) {
        end_input(session, "end of input");
    } else if (n != 0) {
        fail(session, "cannot read standard input: %s", os_error_text(os_socket_error(), reason));
    }
}

/* Handles the keys pressed so far, and sends the finished lines. */
static void read_dialogue(struct session *session)
{
    struct buffer lines = {NULL};
    enum dialogue_verdict verdict = dialogue_read(&session->dialogue, &lines);

    send_bytes(session, buffer_bytes(&lines), buffer_length(&lines));
    buffer_clear(&lines);
    switch (verdict) {
    case DIALOGUE_CONTINUE:
        return;
    case DIALOGUE_QUIT:
        end_input(session, "quit");
        return;
    case DIALOGUE_ENDED:
        end_input(session, "end of input");
        return;
    case DIALOGUE_HANGUP:
        fail(session, "cannot read standard input: the terminal is gone");
        return;
    case DIALOGUE_FAILED:
        fail(session, "out of memory");
        return;
    }
}

/* Whether received data is displayed as text. Otherwise it is written to stdout unchanged. */
static bool is_displayed(const struct session *session)
{
    return session->interactive || session->options->dialogue.hex ||
           session->options->dialogue.timestamps;
}

/* Handles the end of the server's stream. The session may go on sending. */
static void end_receiving(struct session *session)
{
    if (session->send_failure.outcome != NET_DONE)
        fail_connection(session, session->send_failure);
    session->server_ended = true;
    dialogue_show_rest(&session->dialogue);
    if (session->options->until_server_ends && !session->input_ended) {
        end_input(session, "the server ended the connection");
        if (!session->sending_ended)
            fail_connection(session, (struct net_result){.outcome = NET_END});
    } else if (!session->input_ended && session->from_terminal) {
        print_notice(session,
                     "the server has ended; the next line may find the connection gone; %s ends\n",
                     terminal_end_key);
    }
}

static void read_socket(struct session *session)
{
    size_t size = session->interactive ? SHOWN_PIECE : PIECE;
    struct net_result result = net_recv(session->socket.socket, session->scratch, size);
    bool ok;

    switch (result.outcome) {
    case NET_DONE:
        session->received += result.bytes;
        session->waiting_since = session->now;
        ok = is_displayed(session)
                 ? dialogue_show(&session->dialogue, session->scratch, result.bytes)
                 : output_append(&session->output, session->scratch, result.bytes);
        if (!ok && !session->output.broken)
            fail(session, "out of memory");
        return;
    case NET_END:
        end_receiving(session);
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

/* Whether both directions have ended, and all received data has been written. */
static bool both_ended(const struct session *session)
{
    return session->server_ended && session->sending_ended && output_length(&session->output) == 0;
}

/* Ends the session once both directions have ended and the server's system has acknowledged all
 * data. Data sent after the server's end may still be refused, which only shows a round trip
 * later. */
static void check_ends(struct session *session)
{
    if (!session->server_ended)
        return;
    bool delivered = both_ended(session) && net_unacknowledged(session->socket.socket) == 0;

    if (session->send_failure.outcome == NET_DONE)
        session->send_failure = net_check(session->socket.socket);
    if (session->send_failure.outcome != NET_DONE)
        fail_connection(session, session->send_failure);
    else if (delivered)
        finish(session, SESSION_FINISHED);
}

/* Updates the interest in the socket. Nothing is received until the last piece has been written to
 * stdout, so that a slow reader slows down the server. */
static void watch_socket(struct session *session)
{
    unsigned interest = SELECTOR_NONE;

    if (!session->over && !session->server_ended && output_length(&session->output) == 0)
        interest |= SELECTOR_READ;
    if (!session->over && send_queue_length(&session->to_server) > 0)
        interest |= SELECTOR_WRITE;
    selector_change(session->selector, &session->socket, (uint8_t)interest);
}

static bool wants_input(const struct session *session)
{
    return !session->over && !session->input_ended &&
           send_queue_length(&session->to_server) < PIECE &&
           output_length(&session->output) < UNDRAWN_MAX;
}

/* When to tell the user that only the server has to act. */
static int64_t report_due_at(const struct session *session)
{
    return session->interactive && session->input_ended && !session->reported_waiting
               ? session->waiting_since + REPORT_AFTER
               : DEADLINE_NEVER;
}

/* When to leave although the server has not ended. Not while what came from it waits for the reader
 * of stdout. */
static int64_t quit_due_at(const struct session *session)
{
    return session->options->quit_after > 0 && session->input_ended &&
                   output_length(&session->output) == 0
               ? session->waiting_since + session->options->quit_after
               : DEADLINE_NEVER;
}

static int64_t next_deadline(const struct session *session)
{
    int64_t deadline = session->over
                           ? session->leave_at
                           : deadline_earlier(report_due_at(session), quit_due_at(session));

    if (!session->over && both_ended(session))
        deadline = deadline_earlier(deadline, session->now + POLL_INTERVAL);
    deadline = deadline_earlier(deadline, output_next_retry(&session->output));
    return deadline_earlier(deadline, output_next_retry(&session->messages));
}

/* Leaves because the server was silent for too long. What it has sent may not be all. */
static void quit(struct session *session)
{
    char time[REPORT_DURATION];

    if (session->send_failure.outcome != NET_DONE)
        fail_connection(session, session->send_failure);
    else
        fail(session, "the server was silent for %s after the end of the input, and has not %s",
             report_duration(session->options->quit_after, time),
             session->sending_ended && !session->server_ended ? "ended" : "taken all of it");
}

/* Prints why the session ended, and its totals. A failed session has printed a diagnostic
 * instead. */
static void print_summary(struct session *session, const char *reason)
{
    char totals[TOTALS];

    dialogue_show_rest(&session->dialogue);
    print_notice(session, "%s; %s\n", reason, format_totals(session, totals));
}

/* Handles a request to stop. At a terminal, output that is not shown yet is dropped. */
static void interrupt(struct session *session)
{
    selector_change(session->selector, &session->stop, SELECTOR_NONE);
    session->leave_at = session->now + (session->interactive ? DRAIN_TERMINAL : DRAIN_PIPE);
    if (session->over)
        return;
    if (session->interactive)
        screen_interrupt(session->dialogue.screen);
    finish(session, SESSION_INTERRUPTED);
    if (session->from_terminal)
        print_summary(session, "interrupted");
    else
        print_diagnostic(session, "interrupted");
}

/* Handles what is ready. The socket comes first, because under Wine a read of stdin may block. */
static void serve(struct session *session, bool input)
{
    if (session->socket.ready & SELECTOR_READ)
        read_socket(session);
    if (session->socket.ready & SELECTOR_WRITE)
        flush_to_server(session);
    if (input && session->from_terminal)
        read_dialogue(session);
    else if (input)
        read_input(session);
    /* Only if nothing is ready: otherwise the server has just acted. */
    if (session->socket.ready == SELECTOR_NONE && session->now >= report_due_at(session)) {
        print_notice(session, "waiting for the server to %s; Ctrl-C leaves\n",
                     session->server_ended ? "take what was sent" : "end");
        session->reported_waiting = true;
    }
    check_ends(session);
    if (!session->over && session->now >= quit_due_at(session))
        quit(session);
    if (session->over && session->end == SESSION_FINISHED && session->from_terminal)
        print_summary(session, session->reason);
}

/*
 * Writes as much pending output as the streams take, and draws the typed line below it. Nothing is
 * written to a terminal in whose background this process is. Messages wait until `output` is empty,
 * so that they follow the data they are about; after `leave_at` they no longer wait, because nobody
 * reads the data.
 */
static void write_outputs(struct session *session)
{
    bool late = session->over && session->now >= session->leave_at;
    char reason[OS_ERROR_TEXT];

    if (output_length(&session->output) > 0)
        session->waiting_since = session->now;
    session->output.held = session->interactive && !terminal_foreground(session->terminal);
    output_flush(&session->output);
    session->messages.held = output_length(&session->output) > 0 && !late;
    bool has_messages = output_length(&session->messages) > 0 && !session->messages.held;
    bool ended = session->input_ended || session->over;

    if (terminal_resumed(session->terminal))
        screen_resume(session->dialogue.screen);
    if (ended)
        screen_leave(session->dialogue.screen);
    else if (has_messages)
        screen_hide_line(session->dialogue.screen);
    output_flush(&session->output);
    output_flush(&session->messages);
    if (!ended && !session->output.held)
        screen_show_line(session->dialogue.screen, &session->dialogue.editor);
    /* After the last write: the session must not count as finished in the next round. */
    if (!output_flush(&session->output))
        fail(session, "cannot write to standard output: %s",
             os_error_text(session->output.error, reason));
}

/* Waits once, and handles what is ready. Returns false once the session is over and its output is
 * written. */
static bool step(struct session *session)
{
    char reason[OS_ERROR_TEXT];

    watch_socket(session);
    int ready = terminal_wait(session->terminal, wants_input(session), next_deadline(session));

    session->now = os_nanoseconds();
    if (ready == -1) {
        fail(session, "select() failed: %s", os_error_text(os_socket_error(), reason));
        session->leave_at = session->now;
    } else if (session->stop.ready != SELECTOR_NONE) {
        interrupt(session);
    } else if (!session->over) {
        serve(session, ready > 0);
    }
    write_outputs(session);
    return !session->over ||
           ((output_length(&session->output) > 0 || output_length(&session->messages) > 0) &&
            session->now < session->leave_at);
}

static bool set_up(struct session *session, os_socket stop)
{
    os_socket s = session->connection->socket;
    const os_socket sockets[] = {s, stop};

    session->selector = selector_create(SELECTOR_ALL);
    if (session->selector == NULL ||
        !selector_add(session->selector, &session->socket, s, SELECTOR_READ) ||
        !selector_add(session->selector, &session->stop, stop, SELECTOR_READ) ||
        !output_attach(&session->output, session->selector) ||
        !output_attach(&session->messages, session->selector))
        return false;
    session->terminal = session->dialogue.terminal = terminal_open(session->selector, sockets, 2);
    if (session->terminal == NULL)
        return false;
    session->from_terminal = terminal_interactive(session->terminal);
    session->interactive = session->from_terminal && stream_is_terminal(STREAM_OUTPUT);
    session->dialogue.screen =
        screen_open(terminal_takes_keys(session->terminal), &session->output);
    return session->dialogue.screen != NULL;
}

static void run(struct session *session)
{
    static const char no_console[] =
        "echo-client: this terminal gives programs a pipe, not a console, so lines are sent as "
        "from a file and Ctrl-C ends; winpty, MSYS=enable_pcon or Windows Terminal make a "
        "console\n";
    char address[NET_ADDRESS_TEXT];

    session->began = session->now = os_nanoseconds();
    session->leave_at = DEADLINE_NEVER;
    if (session->from_terminal)
        print_notice(session, "connected to %s; quit or %s ends\n",
                     net_address_text(&session->connection->peer, address), terminal_end_key);
    if (terminal_lacks_console(session->terminal))
        output_append(&session->messages, no_console, sizeof no_console - 1);
    write_outputs(session);
    while (step(session))
        continue;
}

static void destroy(struct session *session)
{
    screen_close(session->dialogue.screen);
    terminal_close(session->terminal);
    send_queue_clear(&session->to_server);
    output_drop(&session->output);
    output_drop(&session->messages);
    dialogue_clear(&session->dialogue);
    selector_destroy(session->selector);
    net_close(session->connection->socket);
    free(session);
}

enum session_end session_run(const struct session_options *options,
                             const struct connector_connection *connection, os_socket stop)
{
    struct session *session = calloc(1, sizeof *session);
    enum session_end end = SESSION_FAILED;

    if (session == NULL) {
        net_close(connection->socket);
        output_error(stop, "out of memory");
        return end;
    }
    session->connection = connection;
    session->options = options;
    session->output.stream = STREAM_OUTPUT;
    session->messages.stream = STREAM_ERROR;
    session->dialogue.options = &options->dialogue;
    session->dialogue.display.hex = options->dialogue.hex;
    if (set_up(session, stop)) {
        run(session);
        end = session->end;
    } else {
        output_error(stop, "cannot begin the session: out of memory or handles");
    }
    destroy(session);
    return end;
}
