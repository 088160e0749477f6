#include "faults.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <windows.h>

#include <mmsystem.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    HANDLES = 2048, /* handles checked at the end */
    HANDLE_STEP = 4,
    SUSPENDED = 3600 /* seconds by which the clock jumps */
};

/* Puts a function that returns `failure`, with the last error set, in the place of a system's
 * DLL's. The programs call such a function through the pointer __imp_NAME, which is taken from here
 * before the linker looks for it in an import library. */
#define IMPORT(function, dll, type, parameters, arguments, failure, ...)                           \
    static type WINAPI fault_##function parameters                                                 \
    {                                                                                              \
        static type(WINAPI *real) parameters;                                                      \
        if (real == NULL)                                                                          \
            real = (type(WINAPI *) parameters)(void (*)(void))GetProcAddress(LoadLibraryA(dll),    \
                                                                             #function);           \
        FAULT(function, __VA_ARGS__);                                                              \
        if (error == 0)                                                                            \
            return real arguments;                                                                 \
        SetLastError((DWORD)error);                                                                \
        return failure;                                                                            \
    }                                                                                              \
    extern type(WINAPI *__imp_##function) parameters;                                              \
    type(WINAPI *__imp_##function) parameters = fault_##function;

/* Sockets. `real` is the system's function. */
#define WINSOCK(function, type, parameters, arguments, failure, ...)                               \
    IMPORT(function, "ws2_32", type, parameters, arguments, failure, __VA_ARGS__)

WINSOCK(WSAStartup, int, (WORD version, WSADATA *data), (version, data), error, E(WSASYSNOTREADY))
WINSOCK(socket, SOCKET, (int family, int type, int protocol), (family, type, protocol),
        INVALID_SOCKET, E(WSAEMFILE), E(WSAENOBUFS), E(WSAEAFNOSUPPORT))
WINSOCK(bind, int, (SOCKET s, const struct sockaddr *address, int length), (s, address, length),
        SOCKET_ERROR, E(WSAEADDRINUSE), E(WSAEACCES), E(WSAEADDRNOTAVAIL))
WINSOCK(listen, int, (SOCKET s, int backlog), (s, backlog), SOCKET_ERROR, E(WSAENOBUFS))
WINSOCK(accept, SOCKET, (SOCKET s, struct sockaddr *address, int *length), (s, address, length),
        INVALID_SOCKET, E(WSAEWOULDBLOCK), E(WSAECONNRESET), E(WSAEMFILE), E(WSAENOBUFS),
        E(WSAENETDOWN))
WINSOCK(setsockopt, int, (SOCKET s, int level, int name, const char *value, int length),
        (s, level, name, value, length), SOCKET_ERROR, E(WSAENOPROTOOPT))
WINSOCK(getsockopt, int, (SOCKET s, int level, int name, char *value, int *length),
        (s, level, name, value, length), SOCKET_ERROR, E(WSAENETDOWN))
WINSOCK(getsockname, int, (SOCKET s, struct sockaddr *address, int *length), (s, address, length),
        SOCKET_ERROR, E(WSAENETDOWN))
WINSOCK(getpeername, int, (SOCKET s, struct sockaddr *address, int *length), (s, address, length),
        SOCKET_ERROR, E(WSAENOTCONN))
WINSOCK(ioctlsocket, int, (SOCKET s, long command, u_long *argument), (s, command, argument),
        SOCKET_ERROR, E(WSAENOBUFS))
WINSOCK(connect, int, (SOCKET s, const struct sockaddr *address, int length), (s, address, length),
        SOCKET_ERROR, E(WSAECONNREFUSED), E(WSAENETUNREACH), E(WSAETIMEDOUT), E(WSAEADDRNOTAVAIL))
WINSOCK(shutdown, int, (SOCKET s, int how), (s, how), SOCKET_ERROR, E(WSAENETDOWN))
WINSOCK(select, int,
        (int count, fd_set *readable, fd_set *writable, fd_set *failed,
         const struct timeval *timeout),
        (count, readable, writable, failed, timeout), SOCKET_ERROR, E(WSAENETDOWN))
WINSOCK(recv, int, (SOCKET s, char *bytes, int size, int flags), (s, bytes, size, flags),
        error == FAULT_SHORT ? real(s, bytes, size > 0, flags) : SOCKET_ERROR, FAULT_SHORT_OUTCOME,
        E(WSAEWOULDBLOCK), E(WSAEINTR), E(WSAECONNRESET), E(WSAETIMEDOUT), E(WSAENOBUFS))
WINSOCK(send, int, (SOCKET s, const char *bytes, int size, int flags), (s, bytes, size, flags),
        error == FAULT_SHORT ? real(s, bytes, size > 0, flags) : SOCKET_ERROR, FAULT_SHORT_OUTCOME,
        E(WSAEWOULDBLOCK), E(WSAEINTR), E(WSAECONNRESET), E(WSAEHOSTUNREACH), E(WSAENOBUFS))
WINSOCK(getaddrinfo, int,
        (const char *node, const char *service, const struct addrinfo *hints,
         struct addrinfo **found),
        (node, service, hints, found), error, E(WSATRY_AGAIN), E(WSA_NOT_ENOUGH_MEMORY))
WINSOCK(WSACreateEvent, WSAEVENT, (void), (), WSA_INVALID_EVENT, E(WSA_NOT_ENOUGH_MEMORY))
WINSOCK(WSAEventSelect, int, (SOCKET s, WSAEVENT event, long events), (s, event, events),
        SOCKET_ERROR, E(WSAENETDOWN))
WINSOCK(WSAEnumNetworkEvents, int, (SOCKET s, WSAEVENT event, WSANETWORKEVENTS *events),
        (s, event, events), SOCKET_ERROR, E(WSAENETDOWN))

/* Files, pipes and consoles. */
#define KERNEL(function, type, parameters, arguments, failure, ...)                                \
    IMPORT(function, "kernel32", type, parameters, arguments, failure, __VA_ARGS__)

KERNEL(ReadFile, BOOL, (HANDLE h, void *bytes, DWORD size, DWORD *count, OVERLAPPED *overlapped),
       (h, bytes, size, count, overlapped),
       error == FAULT_SHORT && real(h, bytes, size > 0, count, overlapped), FAULT_SHORT_OUTCOME,
       E(ERROR_IO_DEVICE))
KERNEL(WriteFile, BOOL,
       (HANDLE h, const void *bytes, DWORD size, DWORD *count, OVERLAPPED *overlapped),
       (h, bytes, size, count, overlapped),
       error == FAULT_SHORT && real(h, bytes, size > 0, count, overlapped), FAULT_SHORT_OUTCOME,
       E(ERROR_NO_DATA), E(ERROR_DISK_FULL))
KERNEL(PeekNamedPipe, BOOL,
       (HANDLE h, void *bytes, DWORD size, DWORD *count, DWORD *available, DWORD *left),
       (h, bytes, size, count, available, left), FALSE, E(ERROR_BAD_PIPE))
KERNEL(SetNamedPipeHandleState, BOOL, (HANDLE h, DWORD *mode, DWORD *count, DWORD *timeout),
       (h, mode, count, timeout), FALSE, E(ERROR_ACCESS_DENIED))
KERNEL(SetHandleInformation, BOOL, (HANDLE h, DWORD mask, DWORD flags), (h, mask, flags), FALSE,
       E(ERROR_ACCESS_DENIED))
KERNEL(SetConsoleCtrlHandler, BOOL, (PHANDLER_ROUTINE handler, BOOL add), (handler, add), FALSE,
       E(ERROR_NOT_ENOUGH_MEMORY))
KERNEL(WaitForMultipleObjects, DWORD,
       (DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds),
       (count, handles, all, milliseconds), WAIT_FAILED, E(ERROR_INVALID_HANDLE))
KERNEL(GetConsoleMode, BOOL, (HANDLE h, DWORD *mode), (h, mode), FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(SetConsoleMode, BOOL, (HANDLE h, DWORD mode), (h, mode), FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(PeekConsoleInputW, BOOL, (HANDLE h, INPUT_RECORD *records, DWORD size, DWORD *count),
       (h, records, size, count), FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(ReadConsoleInputW, BOOL, (HANDLE h, INPUT_RECORD *records, DWORD size, DWORD *count),
       (h, records, size, count), FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(WriteConsoleW, BOOL, (HANDLE h, const void *text, DWORD size, DWORD *count, void *reserved),
       (h, text, size, count, reserved), FALSE, E(ERROR_NOT_ENOUGH_MEMORY))
KERNEL(GetConsoleScreenBufferInfo, BOOL, (HANDLE h, CONSOLE_SCREEN_BUFFER_INFO *info), (h, info),
       FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(SetConsoleCursorPosition, BOOL, (HANDLE h, COORD position), (h, position), FALSE,
       E(ERROR_INVALID_PARAMETER))
KERNEL(FillConsoleOutputCharacterW, BOOL,
       (HANDLE h, WCHAR character, DWORD size, COORD position, DWORD *count),
       (h, character, size, position, count), FALSE, E(ERROR_INVALID_HANDLE))
KERNEL(SetConsoleTextAttribute, BOOL, (HANDLE h, WORD attribute), (h, attribute), FALSE,
       E(ERROR_INVALID_HANDLE))
IMPORT(timeBeginPeriod, "winmm", MMRESULT, (UINT period), (period), TIMERR_NOCANDO,
       E(TIMERR_NOCANDO))

/* The clock jumps forward, as after a suspension: by an hour, and from then on. */
static BOOL WINAPI jumping_clock(LARGE_INTEGER *now)
{
    static LARGE_INTEGER frequency;
    static LONGLONG offset; /* seconds */

    FAULT(QueryPerformanceCounter, {SUSPENDED, "jump"});
    offset += error == 0 ? 0 : SUSPENDED;
    if (frequency.QuadPart == 0)
        QueryPerformanceFrequency(&frequency);
    static BOOL(WINAPI * real)(LARGE_INTEGER *);

    if (real == NULL)
        real = (BOOL(WINAPI *)(LARGE_INTEGER *))(void (*)(void))GetProcAddress(
            LoadLibraryA("kernel32"), "QueryPerformanceCounter");
    BOOL result = real(now);

    now->QuadPart += offset * frequency.QuadPart;
    return result;
}
extern BOOL(WINAPI *__imp_QueryPerformanceCounter)(LARGE_INTEGER *);
BOOL(WINAPI *__imp_QueryPerformanceCounter)(LARGE_INTEGER *) = jumping_clock;

/* Tries all small handles, because the system has no list of sockets. */
unsigned long fault_open_count(void)
{
    unsigned long count = 0;
    int type, length = sizeof type;

    for (SOCKET s = HANDLE_STEP; s < HANDLES; s += HANDLE_STEP)
        count += fault_getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&type, &length) == 0;
    return count;
}
