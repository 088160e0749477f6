/* Tests of common/os on Windows, with system calls of the test's. */
#include <winsock2.h>
#include <ws2tcpip.h>

#include <mmsystem.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "test.h"

static const WCHAR *system_words; /* what the system says of an error; NULL: as it is */
static bool refused;              /* bind() is */
static int ended;                 /* the status with which the process ended; -1: it has not */

static DWORD WINAPI format_message(DWORD flags, const void *source, DWORD error, DWORD language,
                                   WCHAR *out, DWORD size, va_list *arguments)
{
    if (system_words == NULL)
        return FormatMessageW(flags, source, error, language, out, size, arguments);
    wcsncpy(out, system_words, size);
    return (DWORD)wcslen(system_words);
}

static int WINAPI bind_unless_refused(SOCKET s, const struct sockaddr *address, int length)
{
    if (!refused)
        return bind(s, address, length);
    WSASetLastError(WSAEACCES);
    return SOCKET_ERROR;
}

static int WINAPI close_and_forget(SOCKET s)
{
    int result = closesocket(s);

    WSASetLastError(0);
    return result;
}

static BOOL WINAPI end_process(HANDLE process, UINT status)
{
    assert_ptr_equal(process, GetCurrentProcess());
    ended = (int)status;
    return TRUE;
}

#define FormatMessageW format_message
#define closesocket close_and_forget
#define bind bind_unless_refused
#define TerminateProcess end_process
#include "../common/os_win32.c" /* NOLINT(bugprone-suspicious-include): its handler is tested */
#undef FormatMessageW
#undef bind
#undef closesocket
#undef TerminateProcess

static int set_up(void **state)
{
    (void)state;
    ended = -1;
    return os_start();
}

static int tear_down(void **state)
{
    (void)state;
    os_finish();
    return 0;
}

static void every_error_has_one_line_of_words(void **state)
{
    char text[OS_ERROR_TEXT];

    (void)state;
    for (int error = 0; error < 16000; error++) {
        assert_string_equal(os_error_text(error, text), text);
        size_t length = strlen(text);

        assert_int_in_range(length, 1, OS_ERROR_TEXT - 1);
        assert_null(strpbrk(text, "\r\n"));
        assert_null(strchr(" .", text[length - 1]));
        for (size_t i = 0; i < length;) {
            size_t character = text_utf8_length(text + i, length - i);

            assert_int_not_equal(character, 0);
            i += character;
        }
    }
    assert_string_equal(os_error_text(WSAECONNREFUSED, text), "Connection refused");
}

static void an_error_without_words_has_its_number(void **state)
{
    char text[OS_ERROR_TEXT];

    (void)state;
    system_words = L"";
    assert_string_equal(os_error_text(-7, text), "Windows error -7");
    system_words = NULL;
}

/* As much of the words as there is room for, and whole characters. */
static void long_words_are_cut(void **state)
{
    WCHAR many[OS_ERROR_TEXT] = L"";
    char text[OS_ERROR_TEXT];

    (void)state;
    system_words = L"Zu viele Ger\xE4te. \r\n";
    assert_string_equal(os_error_text(1, text), "Zu viele Ger\xC3\xA4te");
    system_words = many;
    for (size_t letters = 0; letters < 4; letters++) {
        wmemset(many, L'x', letters);
        for (size_t i = letters; i + 1 < OS_ERROR_TEXT - 1; i += 2)
            wmemcpy(many + i, L"\xD83D\xDE00", 3);
        os_error_text(1, text);
        size_t length = letters + (OS_ERROR_TEXT - 1 - letters) / 4 * 4;

        assert_int_equal(strlen(text), length);
        assert_memory_equal(text + length - 4, "\xF0\x9F\x98\x80", 4);
    }
    system_words = NULL;
}

static void errors_have_kinds(void **state)
{
    static const struct {
        int error;
        enum os_error_kind kind;
    } cases[] = {
        {WSAEWOULDBLOCK, OS_ERROR_WOULD_BLOCK},   {WSAEINPROGRESS, OS_ERROR_WOULD_BLOCK},
        {WSAEINTR, OS_ERROR_INTERRUPTED},         {WSAECONNRESET, OS_ERROR_RESET},
        {WSAECONNABORTED, OS_ERROR_RESET},        {WSAENETRESET, OS_ERROR_RESET},
        {WSAESHUTDOWN, OS_ERROR_RESET},           {WSAEMFILE, OS_ERROR_EXHAUSTED},
        {WSAENOBUFS, OS_ERROR_EXHAUSTED},         {WSA_NOT_ENOUGH_MEMORY, OS_ERROR_EXHAUSTED},
        {WSAEADDRNOTAVAIL, OS_ERROR_UNAVAILABLE}, {WSAEAFNOSUPPORT, OS_ERROR_UNAVAILABLE},
        {WSAENETDOWN, OS_ERROR_NETWORK},          {WSAENETUNREACH, OS_ERROR_NETWORK},
        {WSAEHOSTUNREACH, OS_ERROR_NETWORK},      {WSAECONNREFUSED, OS_ERROR_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(os_error_kind(cases[i].error), cases[i].kind);
}

static void a_refused_stop_socket_is_told(void **state)
{
    (void)state;
    refused = true;
    assert_true(os_stop_open() == OS_NO_SOCKET);
    assert_int_equal(os_socket_error(), WSAEACCES);
    refused = false;
}

/* Waits until a request has come; returns how many have. */
static unsigned requests(os_socket stop)
{
    fd_set set = {.fd_count = 1, .fd_array = {stop}};

    assert_int_equal(select(0, &set, NULL, NULL, &(struct timeval){.tv_sec = 30}), 1);
    return os_stop_requests();
}

static void control_c_is_told(void **state)
{
    os_socket stop = os_stop_open();

    (void)state;
    assert_true(on_console_control(CTRL_C_EVENT));
    assert_int_equal(requests(stop), 1);
    assert_int_equal(ended, -1);
    closesocket(stop);
}

static void a_request_may_end_the_process(void **state)
{
    os_socket stop = os_stop_open();

    (void)state;
    os_stop_ends(7);
    on_console_control(CTRL_BREAK_EVENT);
    assert_int_equal(ended, 7);
    os_stop_ends(OS_STOP_TOLD);
    closesocket(stop);
}

static DWORD WINAPI control(void *event)
{
    return (DWORD)on_console_control((DWORD)(uintptr_t)event);
}

/* The system ends the process when the handler returns: it stays there while the server drains. */
static void closing_the_console_is_told_and_waited_for(void **state)
{
    static const DWORD events[] = {CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT};

    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        os_socket stop = os_stop_open();
        HANDLE thread = CreateThread(NULL, 0, control, (void *)(uintptr_t)events[i], 0, NULL);

        assert_non_null(thread);
        assert_int_equal(requests(stop), 1);
        assert_int_equal(WaitForSingleObject(thread, 100), WAIT_TIMEOUT);
        CloseHandle(thread);
        closesocket(stop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_one_line_of_words),
        cmocka_unit_test(an_error_without_words_has_its_number),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(errors_have_kinds),
        cmocka_unit_test_setup_teardown(a_refused_stop_socket_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(control_c_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_may_end_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_the_console_is_told_and_waited_for, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("os on Windows", tests, NULL, NULL);
}
