#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "selector.h"
#include "system.h"
#include "test.h"

#ifdef _WIN32
#include <winsock2.h>
#else
#include <sys/socket.h>
#endif

/* The programs that run now: the newest first. */
static struct process *programs;

int support_setup(void **state)
{
    (void)state;
    system_end_children_with_me();
    os_raise_descriptor_limit();
    return os_start();
}

int support_teardown(void **state)
{
    (void)state;
    os_finish();
    return 0;
}

static int64_t deadline(void)
{
    return os_nanoseconds() + (int64_t)SUPPORT_DEADLINE * 1000000;
}

static void pump_programs(void)
{
    for (struct process *process = programs; process != NULL; process = process->next)
        process_pump(process, NULL, 0, 0);
}

/* Whether there were programs, and all have ended their output, as they do when they end. */
static bool programs_have_ended(void)
{
    const struct process *process = programs;

    while (process != NULL && process->output[STREAM_OUTPUT].ended &&
           process->output[STREAM_ERROR].ended)
        process = process->next;
    return process == NULL && programs != NULL;
}

static int end_program(struct process *process)
{
    struct process **place = &programs;

    while (*place != process)
        place = &(*place)->next;
    *place = process->next;
    return process_destroy(process);
}

int support_end_programs(void **state)
{
    (void)state;
    while (programs != NULL) {
        const struct process_output *log = &programs->output[STREAM_ERROR];

        process_pump(programs, NULL, 0, 0);
        print_error("--- a program's stderr, as far as nobody has read it:\n%.*s---\n",
                    (int)(log->length - log->taken),
                    log->length > 0 ? log->bytes + log->taken : "");
        process_kill(programs); /* which changes nothing where it has ended by itself */
        print_error("--- its status was %d\n", end_program(programs));
    }
    return 0;
}

struct process *support_start(const char *const arguments[], const struct process_options *options)
{
    static const struct process_options none;
    struct process *process = process_start(arguments, options != NULL ? options : &none);

    assert_non_null(process);
    process->next = programs;
    programs = process;
    return process;
}

const char *support_environment(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        fail_msg("the environment variable %s is not set; `make test` sets it", name);
    return value;
}

struct process *support_start_server(const char *const more[],
                                     const struct process_options *options, uint16_t *port)
{
    enum { MOST = 32 };
    static const char listening[] = "listening on 127.0.0.1:";
    const char *arguments[MOST + 1] = {support_environment("ECHO_SERVER"), "--port", "0", "--bind",
                                       "127.0.0.1"};
    size_t count = 5;

    for (; more != NULL && *more != NULL; more++) {
        assert_true(count < MOST);
        arguments[count++] = *more;
    }
    struct process *server = support_start(arguments, options);
    const char *line = support_expect_line(server, STREAM_OUTPUT, listening);
    int number = atoi(line + strlen(listening));

    assert_int_in_range(number, 1, UINT16_MAX);
    *port = (uint16_t)number;
    return server;
}

const char *support_line(struct process *process, enum stream stream)
{
    struct process_output *output = &process->output[stream];
    int64_t end = deadline();
    char *line, *line_end = NULL;

    while (output->length == 0 || (line_end = memchr(output->bytes + output->taken, '\n',
                                                     output->length - output->taken)) == NULL) {
        if (output->ended && output->taken == output->length)
            return NULL;
        if (output->ended) {
            line_end = process_output_room(output, 1);
            break;
        }
        if (os_nanoseconds() > end)
            fail_msg("no line came on %s", stream == STREAM_OUTPUT ? "stdout" : "stderr");
        process_pump(process, NULL, 0, 1000);
    }
    line = output->bytes + output->taken;
    output->taken = (size_t)(line_end - output->bytes);
    if (output->taken < output->length)
        output->taken++;
    *line_end = '\0';
    /* What is printed there gets "\r\n" for "\n". */
    if (system_is_windows && line_end > line && line_end[-1] == '\r')
        line_end[-1] = '\0';
    return line;
}

/* Whether `line` begins with a log line's "YYYY-MM-DD HH:MM:SS," */
static bool has_time(const char *line)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd,";

    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
            return false;
    }
    return true;
}

/* Whether any run of the server may write this to its log. What is worth a note is not among it. */
static bool usual_log_line(const char *line)
{
    static const char *const usual[] = {"Started: ",         "Connection opened[",
                                        "Recv From Client[", "Connection closed[",
                                        "Stopping: ",        "Stopped: "};
    enum { TIME_LENGTH = 20 };

    for (const char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return false;
    }
    /* Windows may want a port to rest. */
    if (system_is_windows && strstr(line, "; trying again for 2 seconds") != NULL)
        return true;
    if (!has_time(line))
        return false;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (strncmp(line + TIME_LENGTH, usual[i], strlen(usual[i])) == 0)
            return true;
    }
    return false;
}

const char *support_expect_line(struct process *process, enum stream stream, const char *text)
{
    for (;;) {
        const char *line = support_line(process, stream);

        if (line == NULL)
            fail_msg("the output ended without: %s", text);
        if (strstr(line, text) != NULL)
            return line;
        if (stream == STREAM_OUTPUT || !usual_log_line(line))
            fail_msg("expected: %s, but found: %s", text, line);
    }
}

size_t support_read(struct process *process, enum stream stream, void *bytes, size_t size)
{
    struct process_output *output = &process->output[stream];
    int64_t end = deadline();

    while (output->taken == output->length) {
        if (output->ended)
            return 0;
        if (os_nanoseconds() > end)
            fail_msg("nothing came on %s", stream == STREAM_OUTPUT ? "stdout" : "stderr");
        process_pump(process, NULL, 0, 1000);
    }
    if (size > output->length - output->taken)
        size = output->length - output->taken;
    memcpy(bytes, output->bytes + output->taken, size);
    output->taken += size;
    return size;
}

void support_write(struct process *process, const void *bytes, size_t length)
{
    int64_t end = deadline();

    for (size_t done = 0; done < length;) {
        ptrdiff_t written = process_pump(process, (const char *)bytes + done, length - done, 1000);

        if (written == -1)
            fail_msg("the program has ended its stdin after %lu of %lu bytes", (unsigned long)done,
                     (unsigned long)length);
        if (os_nanoseconds() > end)
            fail_msg("the program has read %lu of %lu bytes from its stdin", (unsigned long)done,
                     (unsigned long)length);
        done += (size_t)written;
    }
}

int support_finish(struct process *process)
{
    const char *line;

    while ((line = support_line(process, STREAM_ERROR)) != NULL) {
        if (!usual_log_line(line))
            fail_msg("not expected on stderr: %s", line);
    }
    line = support_line(process, STREAM_OUTPUT);
    if (line != NULL)
        fail_msg("not expected on stdout: %s", line);
    return end_program(process);
}

struct net_address support_loopback(bool ipv6, uint16_t port)
{
    struct net_address address = {.port = port, .ipv6 = ipv6};

    if (ipv6)
        address.bytes[15] = 1;
    else
        memcpy(address.bytes, (const uint8_t[]){127, 0, 0, 1}, 4);
    return address;
}

bool support_has_ipv6(void)
{
    struct net_address address = support_loopback(true, 0);
    os_socket listener;

    if (net_listen(&address, &listener).outcome != NET_DONE)
        return false;
    net_close(listener);
    return true;
}

os_socket support_listen(struct net_address *address)
{
    os_socket listener;

    *address = support_loopback(false, 0);
    assert_int_equal(net_listen(address, &listener).outcome, NET_DONE);
    assert_int_equal(net_local_address(listener, address).outcome, NET_DONE);
    return listener;
}

void support_wait(os_socket s, uint8_t interest)
{
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch watch;
    int64_t end = deadline();
    bool over = false;

    assert_non_null(selector);
    assert_true(selector_add(selector, &watch, s, interest));
    do {
        if (over || os_nanoseconds() > end)
            fail_msg("the socket has not become ready to %s%s",
                     interest & SELECTOR_READ ? "read" : "write",
                     over ? ", and every program has ended" : "");
        pump_programs();
        over = programs_have_ended();
        /* Short while programs run: on Windows nothing waits for sockets and pipes alike. What they
         * did to their sockets at their end shows within the second. */
        assert_true(selector_wait(selector,
                                  os_nanoseconds() +
                                      (programs != NULL && !over ? MILLISECONDS(10) : SECONDS(1))));
    } while (selector_next(selector) == NULL);
    selector_destroy(selector);
}

os_socket support_connect(const struct net_address *address)
{
    os_socket s;
    struct net_result result = net_connect(address, NULL, &s);
    char text[OS_ERROR_TEXT];

    pump_programs();
    if (result.outcome == NET_WOULD_BLOCK) {
        support_wait(s, SELECTOR_WRITE);
        result = net_connect_result(s);
    }
    if (result.outcome != NET_DONE)
        fail_msg("cannot connect: %s", os_error_text(result.error, text));
    return s;
}

/* Whether a connect that is under way gets an answer; where the queue is full, it gets none. */
static bool connects(os_socket s)
{
    static const int64_t timeout = MILLISECONDS(300);
    struct selector *selector = selector_create(SELECTOR_ALL);
    struct selector_watch watch;
    bool ready;

    assert_non_null(selector);
    assert_true(selector_add(selector, &watch, s, SELECTOR_WRITE));
    assert_true(selector_wait(selector, os_nanoseconds() + timeout));
    ready = selector_next(selector) != NULL;
    selector_destroy(selector);
    return ready;
}

bool support_fill_queue(struct support_queue *queue, os_socket listener,
                        const struct net_address *address)
{
    queue->count = 0;
    listen(listener, 0);
    while (queue->count < sizeof queue->fillers / sizeof queue->fillers[0]) {
        os_socket *s = &queue->fillers[queue->count];
        struct net_result result = net_connect(address, NULL, s);

        if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK)
            break;
        queue->count++;
        if (result.outcome == NET_WOULD_BLOCK && !connects(*s))
            return true;
    }
    support_empty_queue(queue);
    return false;
}

void support_empty_queue(const struct support_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        net_close(queue->fillers[i]);
}

os_socket support_accept(os_socket listener)
{
    struct net_address peer;
    os_socket s;

    support_wait(listener, SELECTOR_READ);
    assert_int_equal(net_accept(listener, &s, &peer).outcome, NET_DONE);
    return s;
}

void support_pair(os_socket pair[2])
{
    struct net_address address;
    os_socket listener = support_listen(&address);

    pair[0] = support_connect(&address);
    pair[1] = support_accept(listener);
    net_close(listener);
}

/* Fails the test unless a transfer was done or has to wait. */
static bool transferred(struct net_result result)
{
    char text[OS_ERROR_TEXT];

    if (result.outcome != NET_DONE && result.outcome != NET_WOULD_BLOCK &&
        result.outcome != NET_END)
        fail_msg("the connection has failed: %s", os_error_text(result.error, text));
    return result.outcome != NET_WOULD_BLOCK;
}

void support_send(os_socket s, const void *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        struct net_result result = net_send(s, (const char *)bytes + sent, length - sent);

        if (transferred(result))
            sent += result.bytes;
        else
            support_wait(s, SELECTOR_WRITE);
    }
}

size_t support_receive(os_socket s, void *bytes, size_t size)
{
    for (;;) {
        struct net_result result = net_recv(s, bytes, size);

        if (transferred(result))
            return result.bytes;
        support_wait(s, SELECTOR_READ);
    }
}

/* Fails the test at the first wrong byte. */
static void compare(const char *found, const char *expected, size_t length, size_t offset)
{
    if (memcmp(found, expected, length) == 0)
        return;
    for (size_t i = 0; i < length; i++) {
        if (found[i] != expected[i])
            fail_msg("byte %lu is 0x%02x and should be 0x%02x", (unsigned long)(offset + i),
                     (unsigned char)found[i], (unsigned char)expected[i]);
    }
}

void support_expect(os_socket s, const void *bytes, size_t length)
{
    static char buffer[65536];

    for (size_t received = 0; received < length;) {
        size_t rest = length - received;
        size_t n = support_receive(s, buffer, rest < sizeof buffer ? rest : sizeof buffer);

        if (n == 0)
            fail_msg("the stream ended after %lu of %lu bytes", (unsigned long)received,
                     (unsigned long)length);
        compare(buffer, (const char *)bytes + received, n, received);
        received += n;
    }
}

void support_receive_all(os_socket s, void *bytes, size_t size)
{
    for (size_t received = 0; received < size;) {
        size_t n = support_receive(s, (char *)bytes + received, size - received);

        if (n == 0)
            fail_msg("the stream ended after %lu of %lu bytes", (unsigned long)received,
                     (unsigned long)size);
        received += n;
    }
}

void support_echo(os_socket s, size_t size)
{
    char *message = malloc(size);

    assert_non_null(message);
    support_receive_all(s, message, size);
    support_send(s, message, size);
    free(message);
}

void support_expect_text(os_socket s, const char *text)
{
    support_expect(s, text, strlen(text));
}

void support_expect_end(os_socket s)
{
    char byte;

    if (support_receive(s, &byte, 1) != 0)
        fail_msg("a byte 0x%02x came where the stream should end", (unsigned char)byte);
}

void support_expect_closed(os_socket s)
{
    static char buffer[65536];
    struct net_result result;

    do {
        support_wait(s, SELECTOR_READ);
        result = net_recv(s, buffer, sizeof buffer);
    } while (result.outcome == NET_DONE || result.outcome == NET_WOULD_BLOCK);
}

void support_expect_echo(os_socket s, const void *bytes, size_t length)
{
    static char buffer[65536];
    size_t sent = 0, received = 0;

    while (received < length) {
        struct net_result sending = {.outcome = NET_WOULD_BLOCK};
        struct net_result receiving = net_recv(s, buffer, sizeof buffer);

        if (transferred(receiving)) {
            if (receiving.outcome == NET_END)
                fail_msg("the stream ended after %lu of %lu bytes", (unsigned long)received,
                         (unsigned long)length);
            if (receiving.bytes > sent - received)
                fail_msg("%lu bytes came back that were never sent",
                         (unsigned long)(received + receiving.bytes - sent));
            compare(buffer, (const char *)bytes + received, receiving.bytes, received);
            received += receiving.bytes;
        }
        if (sent < length) {
            sending = net_send(s, (const char *)bytes + sent, length - sent);
            if (transferred(sending))
                sent += sending.bytes;
        }
        if (receiving.outcome == NET_WOULD_BLOCK && sending.outcome == NET_WOULD_BLOCK)
            support_wait(s, sent < length ? SELECTOR_READ | SELECTOR_WRITE : SELECTOR_READ);
    }
}

void support_reset(os_socket s)
{
    net_reset_on_close(s);
    net_close(s);
}

char *support_random_bytes(size_t length, uint32_t seed)
{
    char *bytes = malloc(length);
    uint32_t state = seed * 2654435761U + 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(random_next(&state) >> 24);
    return bytes;
}
