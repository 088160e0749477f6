/* End-to-end tests of the client at a terminal: the real program, with keys pressed and the screen
 * read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pseudo_terminal.h"
#include "support.h"
#include "test.h"

/* The client that the running test has started, and the server's end of its connection. */
static struct pseudo_terminal *terminal;
static os_socket s;

static int end_client(void **state)
{
    static char screen[PSEUDO_TERMINAL_SCREEN];

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
    static const char *const leaves[] = {"the server ended the connection; sent ",
                                         "interrupted; sent "};
    char *rest = strchr(screen, '\n');

    if (strncmp(screen, greeting, sizeof greeting - 1) != 0 || rest == NULL)
        return screen;
    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        char *leave = strstr(rest, leaves[i]);

        if (leave != NULL && leave[-1] == '\n')
            *leave = '\0';
    }
    return rest + 1;
}

static void expect_screen(const char *expected)
{
    static char screen[PSEUDO_TERMINAL_SCREEN];
    int64_t end = os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;

    do {
        pseudo_terminal_look(terminal, screen);
        if (strcmp(session_on(screen), expected) == 0)
            return;
    } while (os_nanoseconds() < end);
    fail_msg("expected on the screen:\n%s\n---", expected);
}

/* Starts a client at a terminal. */
static void start(const char *eol)
{
    struct net_address address;
    os_socket listener = support_listen(&address);
    char port[8];

    snprintf(port, sizeof port, "%d", address.port);
    terminal = pseudo_terminal_start((const char *const[]){support_environment("ECHO_CLIENT"),
                                                           "--eol", eol, "127.0.0.1", port, NULL});
    assert_non_null(terminal);
    s = support_accept(listener);
    net_close(listener);
    expect_screen(">");
    assert_false(pseudo_terminal_as_found(terminal));
}

static void type(const char *keys)
{
    pseudo_terminal_type(terminal, keys);
}

static void say(const char *text)
{
    support_send(s, text, strlen(text));
}

/* Expects the client to end, and to leave the terminal as it was. */
static void expect_status(int status)
{
    struct pseudo_terminal *ended = terminal;
    int64_t end = os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;

    while (!pseudo_terminal_ended(terminal))
        assert_true(os_nanoseconds() < end);
    assert_true(pseudo_terminal_as_found(terminal));
    terminal = NULL;
    assert_int_equal(pseudo_terminal_destroy(ended), status);
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

/* As much of its end is shown as fits into one row, and all of it is sent. */
static void a_line_may_be_longer_than_a_row(void **state)
{
    char line[501], screen[512] = "> ";
    size_t columns, shown;

    (void)state;
    for (size_t i = 0; i < sizeof line - 1; i++)
        line[i] = (char)('a' + i % 26);
    line[sizeof line - 1] = '\0';
    start("lf");
    columns = pseudo_terminal_columns(terminal);
    assert_in_range(columns, 10, sizeof line - 1);
    /* Two for the prompt, one in which the cursor stands, and one that stays free. */
    shown = columns - 4;
    strcat(screen, line + sizeof line - 1 - shown);
    type(line);
    expect_screen(screen);
    say("news\n");
    memmove(screen + strlen("< news\n"), screen, strlen(screen) + 1);
    memcpy(screen, "< news\n", strlen("< news\n"));
    expect_screen(screen);
    type("\r");
    support_expect_text(s, line);
    support_expect_text(s, "\n");
    strcat(screen, "\n");
    type(PSEUDO_TERMINAL_END);
    leave(screen);
}

/* Characters that take two columns never make the line flow over its row. */
static void a_line_of_wide_characters_keeps_to_its_row(void **state)
{
    enum { CHARACTERS = 200, SIZE = 3 };
    char line[CHARACTERS * SIZE + 1], screen[CHARACTERS * SIZE + 16] = "> ";
    size_t columns;

    (void)state;
    for (size_t i = 0; i < CHARACTERS; i++)
        memcpy(line + i * SIZE, "中", SIZE);
    line[CHARACTERS * SIZE] = '\0';
    start("lf");
    columns = pseudo_terminal_columns(terminal);
    assert_in_range(columns, 10, 2 * CHARACTERS);
    strcat(screen, line + (CHARACTERS - (columns - 3) / 2) * SIZE);
    type(line);
    expect_screen(screen);
    type("\x15");
    expect_screen(">");
    type(PSEUDO_TERMINAL_END);
    leave("");
}

static void a_server_may_end_while_a_line_is_typed(void **state)
{
    (void)state;
    start("lf");
    type("hal");
    expect_screen("> hal");
    say("bye\n");
    net_close(s);
    expect_screen("< bye\n");
    expect_status(0);
}

static void ctrl_c_interrupts_it(void **state)
{
    (void)state;
    start("lf");
    type("hal");
    expect_screen("> hal");
    pseudo_terminal_interrupt(terminal);
    support_expect_end(s);
    expect_screen("> hal\n");
    expect_status(130);
    net_close(s);
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
    assert_int_equal(pseudo_terminal_destroy(gone), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, end_client)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_sent_with_its_ending),
        TEST(an_answer_is_shown_behind_a_mark),
        TEST(what_could_drive_the_terminal_is_escaped),
        TEST(what_arrives_leaves_the_typed_line_alone),
        TEST(quit_is_sent_and_ends),
        TEST(no_other_line_ends),
        TEST(the_end_of_input_counts_on_an_empty_line),
        TEST(the_line_can_be_corrected),
        TEST(lines_may_come_all_at_once),
        TEST(a_line_may_be_longer_than_a_row),
        TEST(a_line_of_wide_characters_keeps_to_its_row),
        TEST(a_server_may_end_while_a_line_is_typed),
        TEST(ctrl_c_interrupts_it),
        TEST(it_ends_with_its_terminal),
    };

    return cmocka_run_group_tests_name("client_terminal", tests, support_setup, support_teardown);
}
