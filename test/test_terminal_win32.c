/* Tests of client/terminal/terminal on Windows, in a console of their own: what stdin is, the keys
 * of a console, and the sockets. */
#include "terminal/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console_win32.h"
#include "support.h"
#include "terminal/screen.h"
#include "test.h"

static struct selector *selector;
static struct terminal *terminal;
static HANDLE input; /* what stdin is; or NULL */
static bool cannot_draw;

__typeof__(screen_can_draw) __wrap_screen_can_draw, __real_screen_can_draw;

bool __wrap_screen_can_draw(void)
{
    return !cannot_draw && __real_screen_can_draw();
}

static int set_up(void **state)
{
    (void)state;
    selector = selector_create(SELECTOR_ALL);
    input = console_open_input();
    SetStdHandle(STD_INPUT_HANDLE, input);
    return selector == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    cannot_draw = false;
    terminal_close(terminal);
    terminal = NULL;
    selector_destroy(selector);
    if (input != NULL)
        CloseHandle(input);
    return 0;
}

/* Makes a handle stdin in place of the console. */
static void become_stdin(HANDLE handle)
{
    assert_ptr_not_equal(handle, INVALID_HANDLE_VALUE);
    CloseHandle(input);
    input = handle;
    SetStdHandle(STD_INPUT_HANDLE, handle);
}

static void open_terminal(void)
{
    terminal = terminal_open(selector, NULL, 0);
    assert_non_null(terminal);
}

/* terminal_wait() at most for the deadline. */
static int wait_for_input(void)
{
    return terminal_wait(terminal, true, os_nanoseconds() + MILLISECONDS(SUPPORT_DEADLINE));
}

static void press(WORD code, WCHAR unit, WORD count)
{
    INPUT_RECORD record = {.EventType = KEY_EVENT};
    DWORD written;

    record.Event.KeyEvent.bKeyDown = TRUE;
    record.Event.KeyEvent.wRepeatCount = count;
    record.Event.KeyEvent.wVirtualKeyCode = code;
    record.Event.KeyEvent.uChar.UnicodeChar = unit;
    assert_true(WriteConsoleInputW(input, &record, 1, &written));
}

static void expect_key(enum key_kind kind, const char *text)
{
    struct key key;
    enum terminal_keys found;

    while ((found = terminal_key(terminal, &key)) == TERMINAL_NO_KEY)
        assert_int_equal(wait_for_input(), 1);
    assert_int_equal(found, TERMINAL_KEY);
    assert_int_equal(key.kind, kind);
    assert_int_equal(key.length, strlen(text));
    assert_memory_equal(key.text, text, key.length);
}

static void a_key_that_is_held_comes_as_often(void **state)
{
    (void)state;
    open_terminal();
    press('A', L'a', 3);
    press(VK_LEFT, 0, 2);
    press(VK_RETURN, L'\r', 1);
    for (int i = 0; i < 3; i++)
        expect_key(KEY_TEXT, "a");
    expect_key(KEY_LEFT, "");
    expect_key(KEY_LEFT, "");
    expect_key(KEY_ENTER, "");
}

static void the_keys_of_a_line_are_known(void **state)
{
    static const struct {
        WORD code;
        WCHAR unit;
        enum key_kind kind;
    } keys[] = {
        {VK_DOWN, 0, KEY_DOWN},     {VK_HOME, 0, KEY_HOME}, {VK_END, 0, KEY_END},
        {VK_DELETE, 0, KEY_DELETE}, {'E', 0x05, KEY_END},   {'W', 0x17, KEY_KILL_WORD},
    };

    (void)state;
    open_terminal();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        press(keys[i].code, keys[i].unit, 1);
        expect_key(keys[i].kind, "");
    }
}

/* Where the line cannot be drawn, the console edits it: its keys are not taken away. */
static void the_keys_of_a_line_that_the_console_edits_stay(void **state)
{
    INPUT_RECORD record = {.EventType = FOCUS_EVENT};
    DWORD count;

    (void)state;
    cannot_draw = true;
    open_terminal();
    assert_false(terminal_takes_keys(terminal));
    assert_true(WriteConsoleInputW(input, &record, 1, &count));
    press('A', L'a', 1);
    assert_int_equal(wait_for_input(), 1);
    assert_true(PeekConsoleInputW(input, &record, 1, &count));
    assert_int_equal(count, 1);
    assert_int_equal(record.EventType, KEY_EVENT);
    assert_int_equal(record.Event.KeyEvent.uChar.UnicodeChar, L'a');
    FlushConsoleInputBuffer(input);
}

/* A socket that sets no event any more may be made blocking again; one that does may not. */
static void the_sockets_are_given_back(void **state)
{
    os_socket pair[2];
    u_long off = 0;

    (void)state;
    support_pair(pair);
    terminal = terminal_open(selector, pair, 2);
    assert_non_null(terminal);
    assert_int_not_equal(ioctlsocket(pair[0], (long)FIONBIO, &off), 0);
    terminal_close(terminal);
    terminal = NULL;
    assert_int_equal(ioctlsocket(pair[0], (long)FIONBIO, &off), 0);
    assert_int_equal(ioctlsocket(pair[1], (long)FIONBIO, &off), 0);
    assert_null(terminal_open(selector, (const os_socket[]){pair[0], OS_NO_SOCKET}, 2));
    assert_int_equal(os_socket_error(), WSAENOTSOCK);
    assert_int_equal(ioctlsocket(pair[0], (long)FIONBIO, &off), 0);
    net_close(pair[0]);
    net_close(pair[1]);
}

static void a_closed_stdin_is_at_its_end(void **state)
{
    char byte;

    (void)state;
    become_stdin(NULL);
    open_terminal();
    assert_false(terminal_interactive(terminal));
    assert_int_equal(wait_for_input(), 1);
    assert_int_equal(stream_read(&byte, 1), STREAM_END);
}

static void a_pipe_is_read_when_something_is_in_it(void **state)
{
    HANDLE ends[2];
    char bytes[8];
    DWORD written;

    (void)state;
    assert_true(CreatePipe(&ends[0], &ends[1], NULL, 0));
    become_stdin(ends[0]);
    open_terminal();
    assert_int_equal(terminal_wait(terminal, true, 0), 0);
    assert_int_equal(stream_read(bytes, sizeof bytes), 0);
    assert_true(WriteFile(ends[1], "ab", 2, &written, NULL));
    assert_int_equal(wait_for_input(), 1);
    assert_int_equal(stream_read(bytes, sizeof bytes), 2);
    CloseHandle(ends[1]);
    assert_int_equal(wait_for_input(), 1);
    assert_int_equal(stream_read(bytes, sizeof bytes), STREAM_END);
    /* As it would have been from the start. */
    terminal_close(terminal);
    open_terminal();
    assert_int_equal(wait_for_input(), 1);
    assert_int_equal(stream_read(bytes, sizeof bytes), STREAM_END);
}

/* Makes one end of a pipe of this name stdin; the other one is returned. */
static HANDLE become_pipe(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "\\\\.\\pipe\\%s", name);
    HANDLE other =
        CreateNamedPipeA(path, PIPE_ACCESS_OUTBOUND, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);

    assert_ptr_not_equal(other, INVALID_HANDLE_VALUE);
    become_stdin(CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL));
    return other;
}

static void the_pipe_of_a_terminal_is_known_by_its_name(void **state)
{
    static const struct {
        const char *name;
        bool known;
    } pipes[] = {
        {"msys-1888ae32e00d56aa-pty0-from-master", true},
        {"cygwin-e022582115c10879-pty13-from-master", true},
        {"cygwin-e022582115c10879-pty13-from-master-nat", true},
        {"msys-1888ae32e00d56aa-pty0-to-master", false},
        {"msys-1888ae32e00d56aa-4242-pipe-0x1", false},
        {"other-1888ae32e00d56aa-pty0-from-master", false},
        {"x-msys-1888ae32e00d56aa-pty0-from-master", false},
        {"msys-1888ae32e00d56aa-from-master-pty0", false},
        {"echo-test", false},
    };

    (void)state;
    open_terminal();
    assert_false(terminal_lacks_console(terminal));
    for (size_t i = 0; i < sizeof pipes / sizeof pipes[0]; i++) {
        terminal_close(terminal);
        HANDLE other = become_pipe(pipes[i].name);

        open_terminal();
        assert_int_equal(terminal_lacks_console(terminal), pipes[i].known);
        CloseHandle(other);
    }
}

/* Whoever types into such a pipe is told in one line; nobody else is. */
static void a_terminal_without_a_console_is_told(void **state)
{
    static const char *const names[] = {"msys-1888ae32e00d56aa-pty0-from-master", "echo-test"};
    static const char told[] = "echo-client: this terminal gives programs a pipe, not a console, "
                               "so lines are sent as from a file and Ctrl-C ends; winpty, "
                               "MSYS=enable_pcon or Windows Terminal make a console\n";

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        STARTUPINFOA start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
        PROCESS_INFORMATION client;
        struct net_address address;
        os_socket listener = support_listen(&address);
        HANDLE keyboard = become_pipe(names[i]), errors;
        char line[1024], said[1024];
        DWORD length = 0, count, status;

        snprintf(line, sizeof line, "%s 127.0.0.1 %d", support_environment("ECHO_CLIENT"),
                 address.port);
        assert_true(CreatePipe(&errors, &start.hStdError, NULL, 0));
        start.hStdInput = input;
        SetHandleInformation(start.hStdInput, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        SetHandleInformation(start.hStdError, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        assert_true(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &client));
        CloseHandle(start.hStdError);
        CloseHandle(client.hThread);
        os_socket s = support_accept(listener);

        assert_true(WriteFile(keyboard, "x", 1, &count, NULL));
        support_expect_text(s, "x");
        CloseHandle(keyboard);
        support_expect_end(s);
        net_close(s);
        net_close(listener);
        while (ReadFile(errors, said + length, (DWORD)sizeof said - 1 - length, &count, NULL))
            length += count;
        said[length] = '\0';
        assert_string_equal(said, i == 0 ? told : "");
        WaitForSingleObject(client.hProcess, INFINITE);
        assert_true(GetExitCodeProcess(client.hProcess, &status));
        assert_int_equal(status, EXIT_SUCCESS);
        CloseHandle(client.hProcess);
        CloseHandle(errors);
    }
}

/* NUL, opened to be written to. */
static void a_stdin_that_cannot_be_read_is_broken(void **state)
{
    char byte;

    (void)state;
    become_stdin(CreateFileW(L"NUL", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL));
    open_terminal();
    assert_int_equal(wait_for_input(), 1);
    assert_int_equal(stream_read(&byte, 1), STREAM_BROKEN);
    assert_int_equal(os_socket_error(), ERROR_ACCESS_DENIED);
}

static void a_console_that_is_gone_cannot_be_waited_for(void **state)
{
    (void)state;
    open_terminal();
    assert_true(terminal_interactive(terminal));
    CloseHandle(input);
    assert_int_equal(wait_for_input(), -1);
    assert_int_equal(os_socket_error(), ERROR_INVALID_HANDLE);
    input = NULL;
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_that_is_held_comes_as_often, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_keys_of_a_line_are_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_keys_of_a_line_that_the_console_edits_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_sockets_are_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_stdin_is_at_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_is_read_when_something_is_in_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pipe_of_a_terminal_is_known_by_its_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_terminal_without_a_console_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stdin_that_cannot_be_read_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_console_that_is_gone_cannot_be_waited_for, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("terminal on Windows", tests, support_setup,
                                       support_teardown);
}

int main(int argc, char *argv[])
{
    return console_run(argc, argv, run);
}
