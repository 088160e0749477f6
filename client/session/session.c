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
    PIECE = 64 * 1024,       /* the most that is read at once, and that may wait for the server */
    SHOWN_PIECE = 4096,      /* and of what is shown at a terminal: between two of them the typed
                                line is drawn */
    UNDRAWN_MAX = 128 * 1024 /* bytes for the screen that may wait before no more keys are read */
};

/* A server that is to end may do nothing for so long before the user reads what is waited for. */
static const int64_t REPORT_AFTER = SECONDS(1);
/* How often to ask whether what was sent is acknowledged: nothing reports it. */
static const int64_t POLL_INTERVAL = MILLISECONDS(10);
/* For what waits to be written after a request to stop: to a slow reader, and to a terminal. */
static const int64_t DRAIN_PIPE = SECONDS(1);
static const int64_t DRAIN_TERMINAL = MILLISECONDS(50);

struct session {
    const struct connector_connection *connection; /* its socket is owned */
    struct selector_watch socket;
    struct selector_watch stop;
    struct selector *selector;
    struct terminal *terminal;
    const struct session_options *options;
    bool typed;               /* stdin is a terminal */
    bool talks;               /* and so is stdout */
    const char *reason;       /* why it is over, when it is and did not fail */
    struct dialogue dialogue; /* what is typed, and what is shown */
    struct output output;     /* to stdout */
    struct output messages;   /* to stderr, behind what waits for stdout */
    struct send_queue to_server;
    struct net_result send_failure; /* NET_DONE as long as there was none */
    bool after_return;              /* what was sent last ended with a carriage return */
    bool input_ended;
    bool sending_ended; /* our side of the connection is shut down */
    bool server_ended;
    bool reported_waiting; /* the user has read that only the server is waited for */
    bool over;             /* with `end`; what waits is still written, until `leave_at` */
    enum session_end end;
    int64_t now;
    int64_t began;
    int64_t waiting_since; /* when the input ended */
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

/* Adds a line to what goes to stderr, that says how far the session came. */
static void complain(struct session *session, const char *message)
{
    char line[400];

    snprintf(line, sizeof line,
             "echo-client: %s (sent %llu byte%s, received %llu byte%s, %.1f seconds)\n", message,
             (unsigned long long)session->sent, text_plural(session->sent),
             (unsigned long long)session->received, text_plural(session->received),
             (double)(session->now - session->began) / 1e9);
    /* Where there is no memory, at least a try. */
    if (!output_append(&session->messages, line, strlen(line)))
        stream_write(STREAM_ERROR, line, strlen(line));
}

/* Ends the session with a line on stderr; the first failure does. */
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
    complain(session, message);
    finish(session, SESSION_FAILED);
}

static void fail_connection(struct session *session, struct net_result result)
{
    char address[NET_ADDRESS_TEXT];
    char words[OS_ERROR_TEXT];

    if (session->server_ended)
        fail(session, "the server ended the connection before the end of the input");
    else
        fail(session, "connection to %s lost: %s",
             net_address_text(&session->connection->peer, address), report_failure(result, words));
}

/* A line of ours: for a person among those of the server, else on stderr. */
__attribute__((format(printf, 2, 3))) static void say(struct session *session, const char *format,
                                                      ...)
{
    char text[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (session->talks)
        screen_print(session->dialogue.screen, text, strlen(text));
    else
        output_append(&session->messages, text, strlen(text));
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
        sent(session, send_queue_send(&session->to_server, session->socket.socket, bytes, length));
}

static void flush_to_server(struct session *session)
{
    if (!session->sending_ended)
        sent(session, send_queue_flush(&session->to_server, session->socket.socket));
}

static void end_input(struct session *session, const char *reason)
{
    session->input_ended = true;
    session->reason = reason;
    session->waiting_since = session->now;
    flush_to_server(session);
}

/* Sends what a pipe or a file has, with --eol in place of each line feed; a carriage return that
 * stands before it is not doubled. */
static void send_lines(struct session *session, const char *bytes, size_t length)
{
    const char *eol = session->options->dialogue.eol;
    struct buffer lines = {NULL};
    bool kept = true;

    while (kept && length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline != NULL ? (size_t)(newline - bytes) : length;
        bool returned = line > 0 ? bytes[line - 1] == '\r' : session->after_return;

        kept = buffer_append(&lines, bytes, line);
        if (newline != NULL)
            kept = kept &&
                   (strcmp(eol, "\r\n") == 0 && returned ? buffer_append(&lines, "\n", 1)
                                                         : buffer_append(&lines, eol, strlen(eol)));
        session->after_return = newline == NULL && returned;
        line += newline != NULL;
        bytes += line;
        length -= line;
    }
    if (kept)
        send_bytes(session, buffer_bytes(&lines), buffer_length(&lines));
    else
        fail(session, "out of memory");
    buffer_clear(&lines);
}

static void read_input(struct session *session)
{
    char words[OS_ERROR_TEXT];
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
        fail(session, "cannot read standard input: %s", os_error_text(os_socket_error(), words));
    }
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
        end_input(session, "quit");
        return;
    case DIALOGUE_ENDED:
        end_input(session, "end of input");
        return;
    case DIALOGUE_GONE:
        fail(session, "cannot read standard input: the terminal is gone");
        return;
    case DIALOGUE_FAILED:
        fail(session, "out of memory");
        return;
    }
}

/* Whether what arrives is shown to a person, and not written as it is. */
static bool shows(const struct session *session)
{
    return session->talks || session->options->dialogue.hex ||
           session->options->dialogue.timestamps;
}

/* The server sends no more; what we send is another matter. */
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
    } else if (!session->input_ended && session->typed) {
        say(session, "the server has ended; the next line may find the connection gone; %s ends\n",
            terminal_end_key);
    }
}

static void read_socket(struct session *session)
{
    size_t size = session->talks ? SHOWN_PIECE : PIECE;
    struct net_result result = net_recv(session->socket.socket, session->scratch, size);
    bool kept = true;

    switch (result.outcome) {
    case NET_DONE:
        session->received += result.bytes;
        kept = shows(session) ? dialogue_show(&session->dialogue, session->scratch, result.bytes)
                              : output_append(&session->output, session->scratch, result.bytes);
        if (!kept && !session->output.broken)
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

/* Whether both directions have ended, and the last byte that was received is written. */
static bool both_ended(const struct session *session)
{
    return session->server_ended && session->sending_ended && output_length(&session->output) == 0;
}

/* Once both directions have ended, it is over; but what was sent after the server had ended may be
 * refused a round trip later, so its acknowledgement is waited for. */
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

/* What the socket is watched for: nothing is read while the piece before it still waits to be
 * written. */
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

static int64_t next_deadline(const struct session *session)
{
    int64_t deadline = session->over ? session->leave_at : DEADLINE_NEVER;

    if (!session->over && session->talks && session->input_ended && !session->reported_waiting)
        deadline = deadline_earlier(deadline, session->waiting_since + REPORT_AFTER);
    if (!session->over && both_ended(session))
        deadline = deadline_earlier(deadline, session->now + POLL_INTERVAL);
    deadline = deadline_earlier(deadline, output_next_retry(&session->output, session->now));
    return deadline_earlier(deadline, output_next_retry(&session->messages, session->now));
}

/* The last thing that a person sees: why it is over. A failure has said so already. */
static void take_leave(struct session *session, const char *reason)
{
    dialogue_show_rest(&session->dialogue);
    say(session, "%s; sent %llu byte%s, received %llu byte%s, %.1f seconds\n", reason,
        (unsigned long long)session->sent, text_plural(session->sent),
        (unsigned long long)session->received, text_plural(session->received),
        (double)(session->now - session->began) / 1e9);
}

/* A request to stop: what is not shown yet never will be. */
static void interrupt(struct session *session)
{
    selector_change(session->selector, &session->stop, SELECTOR_NONE);
    session->leave_at = session->now + (session->talks ? DRAIN_TERMINAL : DRAIN_PIPE);
    if (session->over)
        return;
    if (session->talks)
        screen_interrupt(session->dialogue.screen);
    finish(session, SESSION_INTERRUPTED);
    if (session->typed)
        take_leave(session, "interrupted");
    else
        complain(session, "interrupted");
}

/* Moves what can be moved. The socket comes first: a read of stdin may wait under Wine. */
static void serve(struct session *session, bool input)
{
    if (session->socket.ready & SELECTOR_READ)
        read_socket(session);
    if (session->socket.ready & SELECTOR_WRITE)
        flush_to_server(session);
    if (input && session->typed)
        read_dialogue(session);
    else if (input)
        read_input(session);
    /* Not when it is something else that has ended the wait. */
    if (session->talks && session->input_ended && !session->reported_waiting && !input &&
        session->socket.ready == SELECTOR_NONE &&
        session->now - session->waiting_since >= REPORT_AFTER) {
        say(session, "waiting for the server to %s; Ctrl-C leaves\n",
            session->server_ended ? "take what was sent" : "end");
        session->reported_waiting = true;
    }
    check_ends(session);
    if (session->over && session->end == SESSION_FINISHED && session->typed)
        take_leave(session, session->reason);
}

/* Writes what there is room for: a terminal in whose background we are is left alone; a message
 * comes behind what it speaks of, unless that is not read. */
static void write_outputs(struct session *session)
{
    bool late = session->over && session->now >= session->leave_at;
    char words[OS_ERROR_TEXT];

    session->output.held = session->talks && !terminal_foreground(session->terminal);
    output_flush(&session->output);
    session->messages.held = output_length(&session->output) > 0 && !late;
    bool speaks = output_length(&session->messages) > 0 && !session->messages.held;
    bool ended = session->input_ended || session->over;

    if (terminal_resumed(session->terminal))
        screen_resume(session->dialogue.screen);
    if (ended)
        screen_leave(session->dialogue.screen);
    else if (speaks)
        screen_hide_line(session->dialogue.screen);
    output_flush(&session->output);
    output_flush(&session->messages);
    if (!ended && !session->output.held)
        screen_show_line(session->dialogue.screen, &session->dialogue.editor);
    /* After the last write: the session must not count as finished in the next round. */
    if (!output_flush(&session->output))
        fail(session, "cannot write to standard output: %s",
             os_error_text(session->output.error, words));
}

/* One round: waits, and does what there is to do. Returns false once all is done. */
static bool step(struct session *session)
{
    char words[OS_ERROR_TEXT];

    watch_socket(session);
    int ready = terminal_wait(session->terminal, wants_input(session), next_deadline(session));

    session->now = os_nanoseconds();
    if (ready == -1) {
        fail(session, "select() failed: %s", os_error_text(os_socket_error(), words));
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
    session->typed = terminal_interactive(session->terminal);
    session->talks = session->typed && stream_is_terminal(STREAM_OUTPUT);
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
    if (session->typed)
        say(session, "connected to %s; quit or %s ends\n",
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
        output_complain(stop, "out of memory");
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
        output_complain(stop, "cannot begin the session: out of memory or handles");
    }
    destroy(session);
    return end;
}
