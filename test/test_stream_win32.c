/* Tests of common/stream on Windows, in a console of their own. stderr stands for the streams that
 * are written, since cmocka writes to stdout. */
#include "stream.h"

#include <stdio.h>
#include <string.h>

#include "console_win32.h"
#include "test.h"

static HANDLE found[2]; /* what stdin and stderr were */

static int set_up(void **state)
{
    (void)state;
    found[0] = GetStdHandle(STD_INPUT_HANDLE);
    found[1] = GetStdHandle(STD_ERROR_HANDLE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    SetStdHandle(STD_INPUT_HANDLE, found[0]);
    SetStdHandle(STD_ERROR_HANDLE, found[1]);
    return 0;
}

static HANDLE become(DWORD stream, HANDLE handle)
{
    assert_ptr_not_equal(handle, INVALID_HANDLE_VALUE);
    SetStdHandle(stream, handle);
    return handle;
}

/* A file that is gone once it is closed. */
static HANDLE open_file(DWORD access)
{
    WCHAR folder[MAX_PATH], name[MAX_PATH];

    assert_true(GetTempPathW(MAX_PATH, folder) > 0);
    assert_true(GetTempFileNameW(folder, L"str", 0, name) > 0);
    return CreateFileW(name, access, FILE_SHARE_DELETE, NULL, CREATE_ALWAYS,
                       FILE_FLAG_DELETE_ON_CLOSE, NULL);
}

static void a_file_takes_what_is_written(void **state)
{
    static const char text[] = "one\ntwo, with \xC3\xA9\n";
    HANDLE file = become(STD_ERROR_HANDLE, open_file(GENERIC_READ | GENERIC_WRITE));
    char bytes[sizeof text];
    DWORD count;

    (void)state;
    assert_false(stream_is_terminal(STREAM_ERROR));
    assert_int_equal(stream_columns(STREAM_ERROR), 80);
    for (size_t i = 0; i < sizeof text - 1; i++)
        assert_int_equal(stream_write(STREAM_ERROR, text + i, 1), 1);
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    assert_true(ReadFile(file, bytes, sizeof bytes, &count, NULL));
    assert_int_equal(count, sizeof text - 1);
    assert_memory_equal(bytes, text, count);
    CloseHandle(file);
}

static void what_cannot_be_written_is_broken(void **state)
{
    HANDLE file = become(STD_ERROR_HANDLE, open_file(GENERIC_READ));

    (void)state;
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
    assert_int_equal(os_socket_error(), ERROR_ACCESS_DENIED);
    CloseHandle(file);
    /* A console that may only be read. */
    HANDLE console =
        become(STD_ERROR_HANDLE, CreateFileW(L"CONOUT$", GENERIC_READ, FILE_SHARE_WRITE, NULL,
                                             OPEN_EXISTING, 0, NULL));

    assert_true(stream_is_terminal(STREAM_ERROR));
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
    CloseHandle(console);
    become(STD_ERROR_HANDLE, NULL);
    SetLastError(0);
    assert_int_equal(stream_write(STREAM_ERROR, "x", 1), STREAM_BROKEN);
    assert_int_equal(os_socket_error(), ERROR_INVALID_HANDLE);
}

/* In whatever pieces. */
static void a_console_shows_characters(void **state)
{
    static const char text[] = "a\xC3\xA9\xE4\xB8\xAD.";
    HANDLE screen = become(STD_ERROR_HANDLE, console_open_screen());
    WCHAR shown[4];
    DWORD count;

    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++)
        assert_int_equal(stream_write(STREAM_ERROR, text + i, 1), 1);
    assert_true(ReadConsoleOutputCharacterW(screen, shown, 4, (COORD){0, 0}, &count));
    assert_memory_equal(shown, L"a\xE9\x4E2D.", sizeof shown);
    CloseHandle(screen);
}

static void a_console_has_the_columns_of_its_window(void **state)
{
    HANDLE screen = become(STD_ERROR_HANDLE, console_open_screen());
    SMALL_RECT window = {.Right = 49, .Bottom = 9};

    (void)state;
    assert_true(console_resize(screen, 60));
    assert_int_equal(stream_columns(STREAM_ERROR), 60);
    assert_true(SetConsoleWindowInfo(screen, TRUE, &window));
    assert_int_equal(stream_columns(STREAM_ERROR), 50);
    CloseHandle(screen);
}

/* Presses a key for each character. */
static void type(HANDLE input, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        INPUT_RECORD record = {.EventType = KEY_EVENT};
        DWORD written;

        record.Event.KeyEvent.bKeyDown = TRUE;
        record.Event.KeyEvent.wRepeatCount = 1;
        record.Event.KeyEvent.wVirtualKeyCode = *keys == '\r' ? VK_RETURN : 0;
        record.Event.KeyEvent.uChar.UnicodeChar = (WCHAR)*keys;
        assert_true(WriteConsoleInputW(input, &record, 1, &written));
    }
}

/* Reads until something comes. */
static ptrdiff_t read_some(char *bytes, size_t size)
{
    ptrdiff_t n;

    do
        n = stream_read(bytes, size);
    while (n == 0);
    return n;
}

/* Where the console edits the line it ends it with CR LF. */
static void a_line_that_the_console_edits_ends_with_a_line_feed(void **state)
{
    HANDLE input = become(STD_INPUT_HANDLE, console_open_input());
    char bytes[16];

    (void)state;
    type(input, "quit\r\rabc\r");
    assert_int_equal(read_some(bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "quit\n", 5);
    assert_int_equal(read_some(bytes, sizeof bytes), 1);
    assert_memory_equal(bytes, "\n", 1);
    /* What is read may end between the two. */
    assert_int_equal(read_some(bytes, 4), 3);
    assert_int_equal(read_some(bytes, 1), 1);
    assert_memory_equal(bytes, "\n", 1);
    CloseHandle(input);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_takes_what_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_console_shows_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_console_has_the_columns_of_its_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_the_console_edits_ends_with_a_line_feed, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("stream on Windows", tests, NULL, NULL);
}

int main(int argc, char *argv[])
{
    return console_run(argc, argv, run);
}
