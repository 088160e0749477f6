/* End-to-end tests of the client at a terminal: the real program, with keys pressed and the screen
 * read. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pseudo_terminal.h"
#include "support.h"
#include "system.h"
#include "test.h"

/* A terminal that can be drawn on, without colours. */
static const struct pseudo_terminal_options plain = {.term = "xterm", .no_color = "1"};

/* The client that the running test has started, and the server's end of its connection. */
static struct pseudo_terminal *terminal;
static os_socket s;

static int64_t deadline(void)
{
    return os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
}

static int end_client(void **state)
{
    static char screen[PSEUDO_TERMINAL_TEXT];

    (void)state;
    if (terminal == NULL)
        return 0;
    pseudo_terminal_look(terminal, screen);
    print_error("--- the screen of the test that failed:\n%s\n---\n", screen);
    pseudo_terminal_kill(terminal);
    pseudo_terminal_destroy(terminal);
    terminal = NULL;
    net_close(s);
    return 0;
}

/* What stands between the line with which the client greets and the one with which it takes leave.
 */
static const char *session_on(char *screen)
{
    static const char greeting[] = "connected to 127.0.0.1:";
    static const char *const leaves[] = {"the server ended the connection; sent ", "quit; sent ",
                                         "end of input; sent ", "interrupted; sent "};
    char *rest = strncmp(screen, greeting, sizeof greeting - 1) == 0 ? strchr(screen, '\n') : NULL;

    rest = rest != NULL ? rest + 1 : screen;
    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        char *leave = strstr(rest, leaves[i]);

        if (leave != NULL && (leave == rest || leave[-1] == '\n'))
            *leave = '\0';
    }
    return rest;
}

/* Whether a text has a form, in which # stands for a digit and * for one or more. */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; form++) {
        if (*form != '#' && *form != '*' ? *text != *form : !isdigit((unsigned char)*text))
            return false;
        do
            text++;
        while (*form == '*' && isdigit((unsigned char)*text));
    }
    return *text == '\0';
}

/* Expects a session of this form on the screen or in the pipe, in the end. */
static void expect_text(bool piped, const char *form)
{
    static char text[PSEUDO_TERMINAL_TEXT];
    int64_t end = deadline();
    bool running;

    do {
        if (piped) {
            running = !pseudo_terminal_ended(terminal);
            strcpy(text, pseudo_terminal_piped(terminal));
        } else {
            running = pseudo_terminal_look(terminal, text);
        }
        if (has_form(session_on(text), form))
            return;
    } while (running && os_nanoseconds() < end);
    fail_msg("expected %s:\n%s\n---\n", piped ? "in the pipe" : "on the screen", form);
}

static void expect_screen(const char *form)
{
    expect_text(false, form);
}

/* Expects the cursor behind so many columns, in the end. */
static void expect_cursor(size_t columns)
{
    static char screen[PSEUDO_TERMINAL_TEXT];
    int64_t end = deadline();
    bool running = true;

    while (pseudo_terminal_cursor(terminal) != columns) {
        assert_true(running && os_nanoseconds() < end);
        running = pseudo_terminal_look(terminal, screen);
    }
}

/* Expects something of the terminal, in the end. */
static void expect(bool (*holds)(struct pseudo_terminal *))
{
    int64_t end = deadline();

    while (!holds(terminal))
        assert_true(os_nanoseconds() < end);
}

static void expect_piped(const char *form)
{
    expect_text(true, form);
}

/* Takes the client's connection, unless the client ends first. */
static os_socket accept_client(os_socket listener)
{
    int64_t end = deadline();
    struct net_address peer;
    os_socket connection;

    while (net_accept(listener, &connection, &peer).outcome != NET_DONE) {
        if (pseudo_terminal_ended(terminal) || os_nanoseconds() > end)
            fail_msg("the client has not connected");
    }
    return connection;
}

/* Starts a client with two more arguments at a terminal. */
static void start_at(const struct pseudo_terminal_options *options, const char *first,
                     const char *second)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    char port[8];

    snprintf(port, sizeof port, "%d", address.port);
    terminal = pseudo_terminal_start((const char *const[]){support_environment("ECHO_CLIENT"),
                                                           first, second, "127.0.0.1", port, NULL},
                                     options);
    assert_non_null(terminal);
    s = accept_client(listener);
    net_close(listener);
}

/* Starts a client that draws the line. */
static void start(const char *eol)
{
    start_at(&plain, "--eol", eol);
    expect_screen(">");
    assert_false(pseudo_terminal_as_found(terminal));
}

static void type(const char *keys)
{
    size_t length = strlen(keys);

    for (size_t pressed = 0; pressed < length;)
        pressed += pseudo_terminal_press(terminal, keys + pressed, length - pressed);
}

/* Types what shall reach a server that sends it back; neither waits for the other. */
static void type_to_echo(const char *keys, const char *received, size_t length)
{
    static char bytes[65536];
    int64_t end = deadline();
    size_t key_length = strlen(keys);
    size_t pressed = 0, arrived = 0, answered = 0;

    while (answered < length) {
        if (pressed < key_length)
            pressed += pseudo_terminal_press(terminal, keys + pressed, key_length - pressed);
        else
            assert_false(pseudo_terminal_ended(terminal)); /* this waits a moment */
        struct net_result receiving = net_recv(s, bytes, sizeof bytes);

        if (receiving.outcome == NET_DONE) {
            assert_int_in_range(receiving.bytes, 1, length - arrived);
            assert_memory_equal(bytes, received + arrived, receiving.bytes);
            arrived += receiving.bytes;
            end = deadline();
        }
        answered += net_send(s, received + answered, arrived - answered).bytes;
        assert_true(os_nanoseconds() < end);
    }
}

static void say(const char *text)
{
    support_send(s, text, strlen(text));
}

/* Expects the client to end, and to leave the terminal as it was. */
static void expect_status(int status)
{
    struct pseudo_terminal *ended = terminal;

    expect(pseudo_terminal_ended);
    assert_true(pseudo_terminal_as_found(terminal));
    terminal = NULL;
    assert_int_equal(pseudo_terminal_destroy(ended), status);
}

/* Expects the client to end with a line that says why, and how many bytes were sent and received.
 */
static void expect_leave(const char *reason, size_t sent, size_t received)
{
    static char screen[PSEUDO_TERMINAL_TEXT], before[PSEUDO_TERMINAL_TEXT];
    char last[128];

    expect(pseudo_terminal_ended);
    snprintf(last, sizeof last, "\n%s; sent %zu bytes, received %zu bytes, ", reason, sent,
             received);
    /* A long screen comes in several pieces. */
    pseudo_terminal_look(terminal, screen);
    do {
        strcpy(before, screen);
        pseudo_terminal_look(terminal, screen);
    } while (strstr(screen, last) == NULL && strcmp(screen, before) != 0);
    assert_non_null(strstr(screen, last));
}

/* Expects the client to end its side, ends the other one, and expects the client to be content. */
static void leave(const char *screen)
{
    support_expect_end(s);
    net_close(s);
    expect_screen(screen);
    expect_status(0);
}

static void a_line_is_sent_with_its_ending(void **state)
{
    static const char *const endings[][2] = {{"lf", "\n"}, {"crlf", "\r\n"}, {"none", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        start(endings[i][0]);
        type("hello\r");
        support_expect_text(s, "hello");
        support_expect_text(s, endings[i][1]);
        type("\rthere\r");
        support_expect_text(s, endings[i][1]);
        support_expect_text(s, "there");
        support_expect_text(s, endings[i][1]);
        expect_screen("> hello\n>\n> there\n>");
        type(PSEUDO_TERMINAL_END);
        leave("> hello\n>\n> there\n");
    }
}

static void an_answer_is_shown_behind_a_mark(void **state)
{
    (void)state;
    start("lf");
    type("hello\r");
    support_expect_text(s, "hello\n");
    say("hello to you\r\n");
    expect_screen("> hello\n< hello to you\n>");
    say("\n中文\n");
    expect_screen("> hello\n< hello to you\n<\n< 中文\n>");
    type(PSEUDO_TERMINAL_END);
    leave("> hello\n< hello to you\n<\n< 中文\n");
}

static void what_could_drive_the_terminal_is_escaped(void **state)
{
    (void)state;
    start("lf");
    say("\x1B[2J\x1B]0;x\x07\b\r\t\xFF\xC2\x9B\x7F\\\n");
    expect_screen("< \\x1b[2J\\x1b]0;x\\x07\\x08\\r\\t\\xff\\xc2\\x9b\\x7f\\\\\n>");
    type(PSEUDO_TERMINAL_END);
    leave("< \\x1b[2J\\x1b]0;x\\x07\\x08\\r\\t\\xff\\xc2\\x9b\\x7f\\\\\n");
}

static void what_arrives_leaves_the_typed_line_alone(void **state)
{
    (void)state;
    start("lf");
    type("hal");
    expect_screen("> hal");
    say("news\n");
    expect_screen("< news\n> hal");
    type("f ty");
    expect_screen("< news\n> half ty");
    say("more news\nand more\n");
    expect_screen("< news\n< more news\n< and more\n> half ty");
    type("ped\r");
    support_expect_text(s, "half typed\n");
    expect_screen("< news\n< more news\n< and more\n> half typed\n>");
    type(PSEUDO_TERMINAL_END);
    leave("< news\n< more news\n< and more\n> half typed\n");
}

static void a_dump_may_be_shown(void **state)
{
    static const char rows[] =
        "< 00000000  68 65 6c 6c 6f 2c 20 77  6f 6e 64 65 72 66 75 6c  |hello, wonderful|\n"
        "< 00000010  1b 5b 4a 0a                                       |.[J.|\n";
    char screen[sizeof rows + 1];

    (void)state;
    start_at(&plain, "--hex", "--eol=lf");
    say("hello, wonderful\x1B[J\n");
    snprintf(screen, sizeof screen, "%s>", rows);
    expect_screen(screen);
    type(PSEUDO_TERMINAL_END);
    leave(rows);
}

static void the_time_may_stand_before_an_answer(void **state)
{
    (void)state;
    start_at(&plain, "--timestamps", "--eol=lf");
    say("welcome\n");
    expect_screen("##:##:##.### < welcome\n>");
    type("hello\r");
    support_expect_text(s, "hello\n");
    say("hello\n");
    expect_screen("##:##:##.### < welcome\n> hello\n##:##:##.### +*.### ms < hello\n>");
    type(PSEUDO_TERMINAL_END);
    leave("##:##:##.### < welcome\n> hello\n##:##:##.### +*.### ms < hello\n");
}

/* NO_COLOR counts unless it is empty (no-color.org). */
static void what_is_escaped_is_dimmed(void **state)
{
    static const struct pseudo_terminal_options options[] = {
        {.term = "xterm"}, {.term = "xterm", .no_color = ""}, {.term = "xterm", .no_color = "1"}};
    static const char *const screens[] = {"< a{\\x1b}[2mb\n", "< a{\\x1b}[2mb\n", "< a\\x1b[2mb\n"};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        start_at(&options[i], "--eol", "lf");
        expect_screen(">");
        say("a\x1B[2mb\n");
        type(PSEUDO_TERMINAL_END);
        leave(screens[i]);
    }
}

/* Where it cannot be drawn on, the terminal edits and echoes the line itself. */
static void nothing_is_drawn_on_a_dumb_terminal(void **state)
{
    static const char *const terms[] = {"dumb", "unknown", "", NULL};

    (void)state;
    if (system_is_windows)
        skip();
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        const struct pseudo_terminal_options options = {.term = terms[i]};

        start_at(&options, "--eol", "lf");
        expect_screen("");
        assert_true(pseudo_terminal_as_found(terminal));
        type("helol\x7F\x7Flo\r");
        support_expect_text(s, "hello\n");
        expect_screen("helol? ?? ?lo\n");
        say("hello \x1B[J\n");
        expect_screen("helol? ?? ?lo\n< hello \\x1b[J\n");
        type(PSEUDO_TERMINAL_END);
        leave("helol? ?? ?lo\n< hello \\x1b[J\n");
    }
}

/* What it echoes is what is sent, though it would be a key elsewhere. */
static void a_dumb_terminal_edits_the_line(void **state)
{
    static const struct pseudo_terminal_options options = {.term = "dumb"};

    (void)state;
    if (system_is_windows)
        skip();
    start_at(&options, "--eol", "crlf");
    type("hello\r");
    support_expect_text(s, "hello\r\n");
    type("\x1B[A\r\x01x\x1B[Dy\r");
    support_expect_text(s, "\x1B[A\r\n\x01x\x1B[Dy\r\n");
    type("not" PSEUDO_TERMINAL_END " quit" PSEUDO_TERMINAL_END "\rno end" PSEUDO_TERMINAL_END);
    support_expect_text(s, "not quit\r\n");
    type(PSEUDO_TERMINAL_END);
    support_expect_text(s, "no end");
    support_expect_end(s);
    net_close(s);
    expect_status(0);
    start_at(&options, "--eol", "lf");
    type("quit\r");
    support_expect_text(s, "quit\n");
    support_expect_end(s);
    net_close(s);
    expect_status(0);
}

/* What arrives goes into the pipe. The line is drawn on the console in spite of that, and is left
 * to the terminal elsewhere. */
static void nothing_is_drawn_in_a_pipe(void **state)
{
    static const struct pseudo_terminal_options options = {.term = "xterm", .piped = true};
    const char *screen = system_is_windows ? "> hello\n>" : "hello\n";

    (void)state;
    start_at(&options, "--eol", "lf");
    type("hello\r");
    support_expect_text(s, "hello\n");
    expect_screen(screen);
    say("hello \x1B[J\r\n");
    expect_piped("hello \x1B[J\r\n");
    expect_screen(screen);
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    net_close(s);
    expect_piped("hello \x1B[J\r\n");
    expect_status(0);
}

static void quit_is_sent_and_ends(void **state)
{
    (void)state;
    start("crlf");
    type("quit\r");
    support_expect_text(s, "quit\r\n");
    support_expect_end(s);
    say("quit\r\n");
    net_close(s);
    expect_screen("> quit\n< quit\n");
    expect_leave("quit", 6, 6);
    expect_status(0);
}

/* A server that does not end after the user has is not waited for in silence. */
static void it_is_told_that_the_server_does_not_end(void **state)
{
    (void)state;
    start("lf");
    type("quit\r");
    support_expect_text(s, "quit\n");
    support_expect_end(s);
    expect_screen("> quit\nwaiting for the server to end; Ctrl-C leaves\n");
    say("bye\n");
    net_close(s);
    expect_screen("> quit\nwaiting for the server to end; Ctrl-C leaves\n< bye\n");
    expect_status(0);
}

static void no_other_line_ends(void **state)
{
    (void)state;
    start("lf");
    type("quit \rQuit\rqui\rquitt\r");
    support_expect_text(s, "quit \nQuit\nqui\nquitt\n");
    expect_screen("> quit\n> Quit\n> qui\n> quitt\n>");
    type("quit\r");
    support_expect_text(s, "quit\n");
    leave("> quit\n> Quit\n> qui\n> quitt\n> quit\n");
}

static void the_end_of_input_counts_on_an_empty_line(void **state)
{
    (void)state;
    start("lf");
    type("ab" PSEUDO_TERMINAL_END "c\r");
    support_expect_text(s, "abc\n");
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    say("late\n");
    net_close(s);
    expect_screen("> abc\n< late\n");
    expect_leave("end of input", 4, 5);
    expect_status(0);
}

static void the_line_can_be_corrected(void **state)
{
    (void)state;
    start("lf");
    type("中文\x7F\x7F\x7F"
         "aé\x7F😀\x7F b");
    expect_screen("> a b");
    type("中\x1B[D国\r");
    support_expect_text(s, "a b国中\n");
    type("wrong\x15right\r");
    support_expect_text(s, "right\n");
    expect_screen("> a b国中\n> right\n>");
    type(PSEUDO_TERMINAL_END);
    leave("> a b国中\n> right\n");
}

static void the_key_after_control_v_is_text(void **state)
{
    (void)state;
    start("lf");
    type("a\x16\r\x16\x01\x16\x1B"
         "b\r");
    support_expect_text(s, "a\r\x01\x1B"
                           "b\n");
    expect_screen("> a^M^A^[b\n>");
    type(PSEUDO_TERMINAL_END);
    leave("> a^M^A^[b\n");
}

static void lines_may_come_all_at_once(void **state)
{
    (void)state;
    start("lf");
    type("one\rtwo\rthr");
    support_expect_text(s, "one\ntwo\n");
    expect_screen("> one\n> two\n> thr");
    type("ee\r");
    support_expect_text(s, "three\n");
    expect_screen("> one\n> two\n> three\n>");
    type(PSEUDO_TERMINAL_END);
    leave("> one\n> two\n> three\n");
}

/* A paste of several thousand lines, to a server that sends them back. */
static void a_paste_arrives_whole(void **state)
{
    enum { LINES = 3000, LENGTH = 36 /* bytes */ };
    static char keys[LINES * LENGTH + 1], lines[sizeof keys];

    (void)state;
    for (size_t i = 0; i < LINES; i++)
        snprintf(keys + i * LENGTH, LENGTH + 1, "line %04lu, 中文 with é in it now\r",
                 (unsigned long)i);
    strcpy(lines, keys);
    for (char *end = lines; (end = strchr(end, '\r')) != NULL;)
        *end = '\n';
    start("lf");
    type_to_echo(keys, lines, LINES * LENGTH);
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    net_close(s);
    expect_leave("end of input", LINES * LENGTH, LINES * LENGTH);
    expect_status(0);
}

/* Looks until the screen ends like this; false when it stands still before. */
static bool comes_to_end_with(const char *rows)
{
    static char screen[PSEUDO_TERMINAL_TEXT], before[PSEUDO_TERMINAL_TEXT];
    size_t length;

    pseudo_terminal_look(terminal, screen);
    do {
        length = strlen(screen);
        if (length >= strlen(rows) && strcmp(screen + length - strlen(rows), rows) == 0)
            return true;
        strcpy(before, screen);
        pseudo_terminal_look(terminal, screen);
    } while (strcmp(screen, before) != 0);
    return false;
}

/* Twenty lines with numbers from `first` on, each with this ending. */
static const char *twenty_lines(size_t first, char ending)
{
    enum { LENGTH = 150 };
    static char lines[20 * LENGTH + 1];

    for (size_t i = 0; i < 20; i++)
        snprintf(lines + i * LENGTH, LENGTH + 1, "%0*lu%c", LENGTH - 1, (unsigned long)(first + i),
                 ending);
    return lines;
}

/* The server reads nothing until the client takes no more keys, then everything. */
static void a_paste_waits_for_a_slow_server(void **state)
{
    size_t typed = 0;
    char rows[32];

    (void)state;
    if (system_is_windows)
        skip(); /* takes minutes */
    start("lf");
    do {
        type(twenty_lines(typed, '\r'));
        typed += 20;
        assert_int_in_range(typed, 0, 1000000);
        snprintf(rows, sizeof rows, "%020lu\n>", (unsigned long)typed - 1);
    } while (comes_to_end_with(rows));
    for (size_t i = 0; i < typed; i += 20)
        support_expect_text(s, twenty_lines(i, '\n'));
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    net_close(s);
    expect_status(0);
}

/* A line of one character, or some, again and again: of letters, or of wide characters. */
struct long_line {
    const char *characters;
    size_t size;  /* bytes of a character */
    size_t width; /* columns of it */
    char text[601];
};

static struct long_line long_lines[] = {{"abcdefghijklmnopqrstuvwxyz", 1, 1, ""},
                                        {"中文", 3, 2, ""}};

enum cursor_place { AT_START, AT_END };

static const char *fill(struct long_line *line)
{
    size_t length = strlen(line->characters);

    for (size_t i = 0; i + 1 < sizeof line->text; i++)
        line->text[i] = line->characters[i % length];
    return line->text;
}

/* Expects as much of one end of the line as fits into its row, with the cursor there. */
static void expect_row(const char *before, const struct long_line *line, enum cursor_place place)
{
    char screen[sizeof line->text + 64];
    /* Two for the prompt, one that stays free, and behind the end one in which the cursor stands.
     */
    size_t room = pseudo_terminal_columns(terminal) - (place == AT_END ? 4 : 3);
    size_t length = room / line->width * line->size;

    assert_int_in_range(length, 1, sizeof line->text - 2);
    snprintf(screen, sizeof screen, "%s> %.*s", before, (int)length,
             place == AT_END ? line->text + sizeof line->text - 1 - length : line->text);
    expect_screen(screen);
    /* Wine's console gives all characters one column. */
    if (line->width == 1 || !system_is_wine())
        expect_cursor(2 + (place == AT_END ? room / line->width * line->width : 0));
}

/* As much of its end is shown as fits into one row, and all of it is sent. */
static void a_line_may_be_longer_than_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof long_lines / sizeof long_lines[0]; i++) {
        start("lf");
        type(fill(&long_lines[i]));
        expect_row("", &long_lines[i], AT_END);
        say("news\n");
        expect_row("< news\n", &long_lines[i], AT_END);
        type("\x01");
        expect_row("< news\n", &long_lines[i], AT_START);
        type("\r");
        support_expect_text(s, long_lines[i].text);
        support_expect_text(s, "\n");
        type("\x0C" PSEUDO_TERMINAL_END);
        leave("");
    }
}

static void resize(const struct pseudo_terminal_options *options)
{
    static const size_t widths[] = {60, 100, 49, 101, 25, 80};

    for (size_t i = 0; i < 2 * sizeof long_lines / sizeof long_lines[0]; i++) {
        struct long_line *line = &long_lines[i / 2];
        enum cursor_place place = i % 2 == 0 ? AT_END : AT_START;

        start_at(options, "--eol", "lf");
        expect_screen(">");
        type("\x0C"); /* the greeting would be broken as well */
        expect_screen(">");
        say("news\n");
        type(fill(line));
        if (place == AT_START)
            type("\x01");
        expect_row("< news\n", line, place);
        for (size_t j = 0; j < sizeof widths / sizeof widths[0]; j++) {
            assert_true(pseudo_terminal_resize(terminal, widths[j]));
            expect_row("< news\n", line, place);
        }
        type("\x0B\x15" PSEUDO_TERMINAL_END);
        leave("< news\n");
    }
}

/* A row that is now too long is broken by the terminal, and the cursor goes along; or it is cut,
 * and the cursor stays in its row. */
static void a_new_width_keeps_the_line_right(void **state)
{
    (void)state;
    resize(&(struct pseudo_terminal_options){.term = "xterm", .no_color = "1"});
    resize(&(struct pseudo_terminal_options){.term = "linux", .no_color = "1"});
    /* Where it is not known what the terminal does, no row above is erased. */
    resize(&(struct pseudo_terminal_options){.term = "xterm", .no_color = "1", .cuts = true});
}

/* Whatever the client is about when the window becomes wider. */
static void no_new_width_is_missed(void **state)
{
    (void)state;
    start("lf");
    type("\x0C");
    expect_screen(">");
    assert_true(pseudo_terminal_resize(terminal, 20));
    type(fill(&long_lines[0]));
    for (size_t columns = 20; columns < 150; columns++) {
        expect_row("", &long_lines[0], AT_END);
        assert_true(pseudo_terminal_resize(terminal, columns + 1));
    }
    type("\x15" PSEUDO_TERMINAL_END);
    leave("");
}

static void a_server_may_end_while_a_line_is_typed(void **state)
{
    (void)state;
    start("lf");
    type("hal");
    expect_screen("> hal");
    say("bye\n");
    net_end_sending(s);
    expect_screen("< bye\nthe server has ended; the next line may find the connection "
                  "gone; " PSEUDO_TERMINAL_END_NAME " ends\n> hal");
    type("f\r");
    support_expect_text(s, "half\n");
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    net_close(s);
    expect_leave("end of input", 5, 4);
    expect_status(0);
}

/* What waits for its rest is shown, below the line that was typed. */
static void what_waits_is_shown_on_ctrl_c(void **state)
{
    (void)state;
    start("lf");
    type("hal");
    say("x\xE4\xB8");
    expect_screen("< x\n> hal");
    pseudo_terminal_send(terminal, PSEUDO_TERMINAL_INTERRUPT);
    support_expect_closed(s);
    net_close(s);
    expect_screen("< x\n> hal\n< \\xe4\\xb8\n");
    expect_status(130);
}

/* Above the line that says why. */
static void what_waits_is_shown_before_a_failure(void **state)
{
    static const char lost[] = "< x\n< \\xe4\\xb8\necho-client: connection to ";
    static char screen[PSEUDO_TERMINAL_TEXT];

    (void)state;
    if (system_is_wine())
        skip(); /* this reset shows as an end there */
    start("lf");
    type("hal");
    say("x\xE4\xB8");
    expect_screen("< x\n> hal");
    support_reset(s);
    expect(pseudo_terminal_ended);
    pseudo_terminal_look(terminal, screen);
    assert_memory_equal(session_on(screen), lost, sizeof lost - 1);
    expect_status(1);
}

/* Ctrl-S, or a terminal whose other side hangs. */
static void it_can_be_ended_while_nobody_reads_its_output(void **state)
{
    static const char much[65536];

    (void)state;
    if (system_is_windows)
        skip(); /* a console always takes what is written */
    start("lf");
    support_send(s, much, sizeof much);
    pseudo_terminal_send(terminal, PSEUDO_TERMINAL_TERMINATE);
    support_expect_closed(s);
    net_close(s);
    expect_status(130);
}

/* -1: the system has no such thing. */
static void the_terminal_is_restored_on_each_way_out(void **state)
{
    static const struct {
        enum pseudo_terminal_signal signal;
        int statuses[2]; /* on POSIX, on Windows */
    } ways[] = {
        {PSEUDO_TERMINAL_INTERRUPT, {130, 130}},         {PSEUDO_TERMINAL_QUIT, {131, -1}},
        {PSEUDO_TERMINAL_TERMINATE, {130, -1}},          {PSEUDO_TERMINAL_ABORT, {134, -1}},
        {PSEUDO_TERMINAL_FAULT, {139, (int)0xC0000005}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int status = ways[i].statuses[system_is_windows];

        if (status == -1)
            continue;
        start("lf");
        type("hal");
        expect_screen("> hal");
        pseudo_terminal_send(terminal, ways[i].signal);
        support_expect_closed(s);
        expect_screen(status == 130 ? "> hal\n" : "> hal");
        expect_status(status);
        net_close(s);
    }
}

static void it_can_be_suspended(void **state)
{
    (void)state;
    if (system_is_windows)
        skip();
    start("lf");
    type("hal");
    expect_screen("> hal");
    type("\x1A");
    expect(pseudo_terminal_stopped);
    assert_true(pseudo_terminal_as_found(terminal));
    say("news\n");
    expect_screen("> hal\nStopped\n");
    pseudo_terminal_continue(terminal);
    expect_screen("> hal\nStopped\n< news\n> hal");
    assert_false(pseudo_terminal_as_found(terminal));
    type("f");
    expect_screen("> hal\nStopped\n< news\n> half");
    type("\r" PSEUDO_TERMINAL_END);
    support_expect_text(s, "half\n");
    leave("> hal\nStopped\n< news\n> half\n");
}

/* A line longer than the window stands whole in the transcript. */
static void a_long_line_that_is_sent_stays_whole(void **state)
{
    char line[102], screen[128];

    (void)state;
    memset(line, 'a', 100);
    strcpy(line + 100, "\r");
    start("lf");
    type(line);
    line[100] = '\n';
    support_expect_text(s, line);
    snprintf(screen, sizeof screen, "> %.78s\n%.22s\n>", line, line);
    expect_screen(screen);
    type(PSEUDO_TERMINAL_END);
    screen[strlen(screen) - 1] = '\0';
    leave(screen);
}

/* What is pasted is looked at first, and sent line by line when Enter is pressed. */
static void a_bracketed_paste_waits_for_enter(void **state)
{
    (void)state;
    if (system_is_windows)
        skip(); /* consoles have no such thing */
    start("crlf");
    type("\x1B[200~one\rtwo\r\nthree\x1B[201~");
    expect_screen("> one^Jtwo^Jthree");
    type("!\r");
    support_expect_text(s, "one\r\ntwo\r\nthree!\r\n");
    type(PSEUDO_TERMINAL_END);
    leave("> one^Jtwo^Jthree!\n");
}

/* More than is handled at once: a paste, and in the same read the keys after it. */
static void keys_behind_a_large_paste_need_no_further_key(void **state)
{
    enum { PASTE = 70000 };
    static const char begin[] = "\x1B[200~", end[] = "\x1B[201~\rhello\r";
    static char keys[PASTE + sizeof begin + sizeof end], lines[PASTE + 8];

    (void)state;
    if (system_is_windows)
        skip(); /* consoles have no such thing */
    memset(lines, 'p', PASTE);
    snprintf(keys, sizeof keys, "%s%.*s%s", begin, PASTE, lines, end);
    memcpy(lines + PASTE, "\nhello\n", 7);
    start("lf");
    type_to_echo(keys, lines, PASTE + 7);
    type(PSEUDO_TERMINAL_END);
    support_expect_end(s);
    net_close(s);
    expect_leave("end of input", PASTE + 7, PASTE + 7);
    expect_status(0);
}

/* However the terminal and the server are, there is one place to wait. */
static void a_flood_does_not_keep_ctrl_c_away(void **state)
{
    static char flood[65536];

    (void)state;
    memset(flood, 'f', sizeof flood);
    for (int trial = 0; trial < 5; trial++) {
        struct net_result result;

        start("lf");
        do
            result = net_send(s, flood, sizeof flood);
        while (result.outcome == NET_DONE);
        assert_int_equal(result.outcome, NET_WOULD_BLOCK);
        type("x");
        pseudo_terminal_send(terminal, PSEUDO_TERMINAL_INTERRUPT);
        expect_status(130);
        net_close(s);
    }
}

/* There it neither reads, nor draws, nor changes the mode, nor is it stopped for trying. */
static void in_the_background_it_leaves_the_terminal_alone(void **state)
{
    static const struct pseudo_terminal_options options[] = {
        {.term = "xterm", .background = true},
        {.term = "dumb", .background = true},
        {.term = "xterm", .background = true, .tostop = true},
        {.term = "dumb", .background = true, .tostop = true}};
    static char screen[PSEUDO_TERMINAL_TEXT];

    (void)state;
    if (system_is_windows)
        skip();
    for (size_t i = 0; i < 2 * sizeof options / sizeof options[0]; i++) {
        bool aborted = i % 2 != 0;

        start_at(&options[i / 2], "--eol", "lf");
        say("news\n");
        type("typed for the shell\r");
        expect_screen("typed for the shell\n");
        assert_true(pseudo_terminal_as_found(terminal));
        pseudo_terminal_send(terminal, aborted ? PSEUDO_TERMINAL_ABORT : PSEUDO_TERMINAL_TERMINATE);
        expect(pseudo_terminal_ended);
        pseudo_terminal_look(terminal, screen);
        assert_string_equal(screen, "typed for the shell\n");
        expect_status(aborted ? 134 : 130);
        net_close(s);
    }
}

/* A terminal that stops those who write in its background neither stops a measurement nor keeps a
 * request to stop away. */
static void a_ping_goes_on_in_the_background(void **state)
{
    static char screen[PSEUDO_TERMINAL_TEXT];

    (void)state;
    if (system_is_windows)
        skip();
    start_at(&(struct pseudo_terminal_options){.term = "xterm", .background = true, .tostop = true},
             "--ping", "--interval=0.001");
    for (int i = 0; i < 10; i++)
        support_echo(s, 64);
    pseudo_terminal_send(terminal, PSEUDO_TERMINAL_TERMINATE);
    expect(pseudo_terminal_ended);
    pseudo_terminal_look(terminal, screen);
    assert_string_equal(screen, "");
    expect_status(1); /* its report could not be written */
    net_close(s);
}

static void in_the_foreground_it_takes_the_terminal(void **state)
{
    (void)state;
    if (system_is_windows)
        skip();
    start_at(&(struct pseudo_terminal_options){.term = "xterm", .background = true}, "--eol", "lf");
    say("news\n");
    assert_true(pseudo_terminal_as_found(terminal));
    pseudo_terminal_foreground(terminal);
    expect_screen("< news\n>");
    assert_false(pseudo_terminal_as_found(terminal));
    type("hello\r");
    support_expect_text(s, "hello\n");
    type(PSEUDO_TERMINAL_END);
    leave("< news\n> hello\n");
}

static void a_dumb_terminal_that_is_gone_is_a_failure(void **state)
{
    struct pseudo_terminal *gone;

    (void)state;
    if (system_is_windows)
        skip();
    start_at(&(struct pseudo_terminal_options){.term = "dumb"}, "--eol", "lf");
    assert_true(pseudo_terminal_hang_up(terminal));
    support_expect_end(s);
    net_close(s);
    gone = terminal;
    terminal = NULL;
    assert_int_equal(pseudo_terminal_destroy(gone), 1);
}

static void it_ends_with_its_terminal(void **state)
{
    struct pseudo_terminal *gone;

    (void)state;
    start("lf");
    if (!pseudo_terminal_hang_up(terminal)) {
        type(PSEUDO_TERMINAL_END);
        leave("");
        print_message("a console cannot be closed from here\n");
        skip();
    }
    support_expect_end(s);
    net_close(s);
    gone = terminal;
    terminal = NULL;
    assert_int_equal(pseudo_terminal_destroy(gone), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, end_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_sent_with_its_ending),
        TEST(an_answer_is_shown_behind_a_mark),
        TEST(what_could_drive_the_terminal_is_escaped),
        TEST(what_arrives_leaves_the_typed_line_alone),
        TEST(a_dump_may_be_shown),
        TEST(the_time_may_stand_before_an_answer),
        TEST(what_is_escaped_is_dimmed),
        TEST(nothing_is_drawn_on_a_dumb_terminal),
        TEST(a_dumb_terminal_edits_the_line),
        TEST(nothing_is_drawn_in_a_pipe),
        TEST(quit_is_sent_and_ends),
        TEST(it_is_told_that_the_server_does_not_end),
        TEST(no_other_line_ends),
        TEST(the_end_of_input_counts_on_an_empty_line),
        TEST(the_line_can_be_corrected),
        TEST(the_key_after_control_v_is_text),
        TEST(lines_may_come_all_at_once),
        TEST(a_paste_arrives_whole),
        TEST(a_paste_waits_for_a_slow_server),
        TEST(a_line_may_be_longer_than_its_row),
        TEST(a_new_width_keeps_the_line_right),
        TEST(no_new_width_is_missed),
        TEST(a_server_may_end_while_a_line_is_typed),
        TEST(what_waits_is_shown_on_ctrl_c),
        TEST(what_waits_is_shown_before_a_failure),
        TEST(it_can_be_ended_while_nobody_reads_its_output),
        TEST(the_terminal_is_restored_on_each_way_out),
        TEST(it_can_be_suspended),
        TEST(a_long_line_that_is_sent_stays_whole),
        TEST(a_bracketed_paste_waits_for_enter),
        TEST(keys_behind_a_large_paste_need_no_further_key),
        TEST(a_flood_does_not_keep_ctrl_c_away),
        TEST(in_the_background_it_leaves_the_terminal_alone),
        TEST(a_ping_goes_on_in_the_background),
        TEST(in_the_foreground_it_takes_the_terminal),
        TEST(a_dumb_terminal_that_is_gone_is_a_failure),
        TEST(it_ends_with_its_terminal),
    };

    return cmocka_run_group_tests_name("client_terminal", tests, support_setup, support_teardown);
}
