/* End-to-end tests of `echo-client --proxy-protocol`, each of whose connections has to begin with a
 * header. */
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

enum { CONNECTIONS = 3, IDLE = 2, SIZE = 64 };

static struct process *start(const char *const options[], const struct net_address *server)
{
    enum { MOST = 12 };
    const char *arguments[MOST + 4] = {support_environment("ECHO_CLIENT")};
    static char host[] = "127.0.0.1", port[8];
    size_t count = 1;

    while (*options != NULL && count < MOST)
        arguments[count++] = *options++;
    assert_null(*options);
    snprintf(port, sizeof port, "%u", server->port);
    arguments[count++] = host;
    arguments[count] = port;
    return support_start(arguments, NULL);
}
#define START(server, ...) start((const char *const[]){__VA_ARGS__, NULL}, server)

/* Takes a connection and the header of it, which is written here in words of its own. */
static os_socket accept_header(os_socket listener, bool binary)
{
    os_socket s = support_accept(listener);
    struct net_address client, server;
    char line[64];

    assert_int_equal(net_peer_address(s, &client).outcome, NET_DONE);
    assert_int_equal(net_local_address(s, &server).outcome, NET_DONE);
    if (binary) {
        const unsigned char ports[] = {
            (unsigned char)(client.port >> 8), (unsigned char)client.port,
            (unsigned char)(server.port >> 8), (unsigned char)server.port};

        support_expect(s, SIGNATURE "\x21\x11\0\x0C\x7F\0\0\x01\x7F\0\0\x01", 24);
        support_expect(s, ports, sizeof ports);
    } else {
        snprintf(line, sizeof line, "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\n", client.port,
                 server.port);
        support_expect_text(s, line);
    }
    return s;
}

static void a_session_begins_with_a_header(void **state)
{
    struct net_address server;
    os_socket listener = support_listen(&server);
    struct process *client = START(&server, "--proxy-protocol", "v1");
    os_socket s = accept_header(listener, false);

    (void)state;
    support_write(client, "hello", 5);
    support_expect_text(s, "hello");
    support_send(s, "answer", 6);
    process_close_input(client);
    support_expect_end(s);
    net_close(s);
    assert_string_equal(support_line(client, STREAM_OUTPUT), "answer");
    assert_int_equal(support_finish(client), 0);
    net_close(listener);
}

static void each_connection_of_a_ping_begins_with_a_header(void **state)
{
    struct net_address server;
    os_socket listener = support_listen(&server);
    struct process *client = START(&server, "--ping", "--interval", "0.001", "--expect", "echo",
                                   "--proxy-protocol", "v2");
    os_socket s = accept_header(listener, true);

    (void)state;
    support_echo(s, SIZE);
    support_reset(s);
    s = accept_header(listener, true);
    support_echo(s, SIZE);
    process_stop(client, PROCESS_STOP_INTERRUPT);
    support_expect_closed(s);
    net_close(s);
    while (support_line(client, STREAM_OUTPUT) != NULL)
        continue;
    support_finish(client);
    net_close(listener);
}

static void each_connection_of_a_load_begins_with_a_header(void **state)
{
    struct net_address server;
    os_socket listener = support_listen(&server);
    struct process *client = START(&server, "--load", "--connections", "3", "--idle", "2",
                                   "--count", "3", "--json", "--proxy-protocol", "v1");
    os_socket sockets[CONNECTIONS + IDLE];

    (void)state;
    for (int i = 0; i < CONNECTIONS + IDLE; i++)
        sockets[i] = accept_header(listener, false);
    for (int i = 0; i < CONNECTIONS; i++)
        support_echo(sockets[i], SIZE);
    for (int i = 0; i < CONNECTIONS + IDLE; i++) {
        support_expect_closed(sockets[i]);
        net_close(sockets[i]);
    }
    const char *report = support_line(client, STREAM_OUTPUT);

    assert_non_null(strstr(report, "\"passed\":true"));
    /* The headers do not count as sent. */
    assert_non_null(strstr(report, "\"bytes_sent\":192"));
    while (support_line(client, STREAM_OUTPUT) != NULL)
        continue;
    assert_int_equal(support_finish(client), 0);
    net_close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, support_end_programs)
    const struct CMUnitTest tests[] = {
        TEST(a_session_begins_with_a_header),
        TEST(each_connection_of_a_ping_begins_with_a_header),
        TEST(each_connection_of_a_load_begins_with_a_header),
    };

    return cmocka_run_group_tests_name("proxy_program", tests, support_setup, support_teardown);
}
