#include "listeners.h"

#include <stdio.h>
#include <string.h>

#include "support.h"
#include "system.h"
#include "test.h"

enum { ANY_ERROR = 1 }; /* some number for which the system has words */

/* How many of the next calls of net_listen() are answered with `refusal` instead. */
static int refusals[2]; /* by whether it is IPv6 */
static enum net_outcome refusal;
static int refusal_error;
static int asked;           /* calls of net_listen() */
static uint16_t first_port; /* that net_listen() was asked for */
static int open_count;      /* sockets opened and not closed again */

__typeof__(net_listen) __wrap_net_listen, __real_net_listen;
__typeof__(net_close) __wrap_net_close, __real_net_close;
__typeof__(net_resolve) __wrap_net_resolve, __real_net_resolve;

struct net_result __wrap_net_listen(const struct net_address *address, os_socket *listener)
{
    if (asked++ == 0)
        first_port = address->port;
    if (refusals[address->ipv6] > 0) {
        refusals[address->ipv6]--;
        *listener = OS_NO_SOCKET;
        return (struct net_result){.outcome = refusal, .error = refusal_error};
    }
    struct net_result result = __real_net_listen(address, listener);

    open_count += result.outcome == NET_DONE;
    return result;
}

void __wrap_net_close(os_socket s)
{
    open_count--;
    __real_net_close(s);
}

/* "twofold" has both loopback addresses. */
const char *__wrap_net_resolve(const char *host, enum net_family family, uint16_t port,
                               struct net_address addresses[NET_RESOLVE_MAX], size_t *count)
{
    if (strcmp(host, "twofold") != 0)
        return __real_net_resolve(host, family, port, addresses, count);
    for (int i = 0; i < 2; i++)
        addresses[i] = support_loopback(i == 1, port);
    *count = 2;
    return NULL;
}

static struct listeners listeners;
static char note[LISTENERS_ERROR];

static int start_closed(void **state)
{
    (void)state;
    refusals[false] = refusals[true] = asked = open_count = 0;
    refusal_error = ANY_ERROR;
    memset(&listeners, 0, sizeof listeners);
    return 0;
}

static const char *const both[] = {"127.0.0.1", "::1"};

/* As listeners_open() on one port. */
static bool open_on(const char *const *names, int name_count, uint16_t port, bool some)
{
    return listeners_open(&listeners, names, name_count, &port, 1, some, note);
}

static void assert_nothing_open(void)
{
    assert_int_equal(open_count, 0);
    listeners_close(&listeners);
    assert_int_equal(open_count, 0);
}

/* `count` sockets listen and take connections. */
static void assert_all_taking(size_t count)
{
    assert_int_equal(listeners.count, count);
    assert_int_equal(open_count, count);
    for (size_t i = 0; i < count; i++) {
        os_socket s = support_connect(&listeners.all[i].address);
        os_socket accepted = support_accept(listeners.all[i].watch.socket);

        __real_net_close(accepted);
        __real_net_close(s);
    }
    listeners_close(&listeners);
    assert_int_equal(listeners.count, 0);
    assert_nothing_open();
}

/* The same, and all on one port. */
static void assert_listening(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_not_equal(listeners.all[i].address.port, 0);
        assert_int_equal(listeners.all[i].address.port, listeners.all[0].address.port);
    }
    assert_all_taking(count);
}

static const char *cannot_listen(bool ipv6, uint16_t port)
{
    static char expected[LISTENERS_ERROR];
    struct net_address address = support_loopback(ipv6, port);
    char text[NET_ADDRESS_TEXT], words[OS_ERROR_TEXT];

    snprintf(expected, sizeof expected, "cannot listen on %s: %s", net_address_text(&address, text),
             os_error_text(ANY_ERROR, words));
    return expected;
}

static void takes_one_free_port_for_all_addresses(void **state)
{
    bool has_ipv6 = support_has_ipv6();

    (void)state;
    open_count = 0;
    assert_true(open_on(both, 2, 0, true));
    if (has_ipv6)
        assert_string_equal(note, "");
    else
        assert_memory_equal(note, "cannot listen on [::1]:", 23);
    assert_listening(has_ipv6 ? 2 : 1);
}

static void takes_the_port_that_it_is_told(void **state)
{
    struct net_address address;
    uint16_t port;

    (void)state;
    net_close(support_listen(&address));
    port = address.port;
    assert_true(open_on(both, 1, port, false));
    assert_int_equal(listeners.all[0].address.port, port);
    assert_string_equal(note, "");
    assert_listening(1);
}

static void tells_of_an_address_in_use(void **state)
{
    struct net_address address;
    os_socket other = support_listen(&address), again;
    int in_use = __real_net_listen(&address, &again).error;
    char expected[LISTENERS_ERROR], words[OS_ERROR_TEXT];

    (void)state;
    /* Also with `some`: that the address is there, but taken, is a mistake of the user's. */
    for (int some = 0; some < 2; some++) {
        assert_false(open_on(both, 1, address.port, some));
        snprintf(expected, sizeof expected, "cannot listen on 127.0.0.1:%d: %s", address.port,
                 os_error_text(in_use, words));
        assert_string_equal(note, expected);
        assert_int_equal(open_count, 1);
    }
    net_close(other);
    assert_nothing_open();
}

static void tells_of_a_host_that_nobody_knows(void **state)
{
    /* A label of more than 63 bytes (RFC 1035): no name server needs to be asked. */
    static const char name[] = "a123456789b123456789c123456789d123456789e123456789f123456789g1234";
    const char *const names[] = {"127.0.0.1", name};
    char expected[LISTENERS_ERROR];
    int length = snprintf(expected, sizeof expected, "cannot resolve --bind '%s': ", name);

    (void)state;
    assert_false(open_on(names, 2, 0, true));
    assert_memory_equal(note, expected, (size_t)length);
    assert_true(strlen(note) > (size_t)length);
    assert_null(strpbrk(note, "\r\n"));
    assert_int_equal(asked, 0);
    assert_nothing_open();
}

static void listens_once_on_an_address_named_twice(void **state)
{
    const char *const names[] = {"127.0.0.1", "localhost", "127.0.0.1", "localhost"};

    (void)state;
    assert_true(open_on(names, 4, 0, true));
    assert_int_in_range(listeners.count, 1, 2);
    assert_int_equal(listeners.all[0].address.ipv6, false);
    if (listeners.count == 2)
        assert_int_equal(listeners.all[1].address.ipv6, true);
    assert_listening(listeners.count);
}

static void refuses_more_addresses_than_it_has_room_for(void **state)
{
    static char texts[LISTENERS_MAX + 1][32];
    const char *names[LISTENERS_MAX + 1];

    (void)state;
    for (int i = 0; i <= LISTENERS_MAX; i++) {
        snprintf(texts[i], sizeof texts[i], "127.0.0.%d", i + 1);
        names[i] = texts[i];
    }
    assert_false(open_on(names, LISTENERS_MAX + 1, 0, false));
    assert_string_equal(note, "--bind '127.0.0.129' is too many: at most 128 addresses are taken");
    assert_int_equal(asked, 0);
    assert_nothing_open();
}

/* Two ports of 127.0.0.1 that were free a moment ago. */
static void find_free_ports(uint16_t ports[2])
{
    struct net_address address[2];
    os_socket s[2];

    for (int i = 0; i < 2; i++) {
        s[i] = support_listen(&address[i]);
        ports[i] = address[i].port;
    }
    for (int i = 0; i < 2; i++)
        net_close(s[i]);
    asked = 0;
}

static void listens_on_each_address_on_each_port(void **state)
{
    size_t addresses = support_has_ipv6() ? 2 : 1;
    uint16_t ports[3];

    (void)state;
    find_free_ports(ports);
    ports[2] = ports[0]; /* once more, which changes nothing */
    assert_true(listeners_open(&listeners, both, 2, ports, 3, true, note));
    for (size_t i = 0; i < 2 * addresses; i++) {
        assert_int_equal(listeners.all[i].address.port, ports[i / addresses]);
        assert_int_equal(listeners.all[i].address.ipv6, i % addresses == 1);
    }
    assert_all_taking(2 * addresses);
}

/* Also where one of them could be the port that another is told to take. */
static void each_port_0_is_another_port(void **state)
{
    size_t addresses = support_has_ipv6() ? 2 : 1;
    uint16_t ports[3] = {0}, fixed[2];

    (void)state;
    find_free_ports(fixed);
    ports[1] = fixed[0];
    assert_true(listeners_open(&listeners, both, 2, ports, 3, true, note));
    for (size_t i = 0; i < 3 * addresses; i++) {
        uint16_t port = listeners.all[i].address.port;

        assert_int_equal(port, listeners.all[i / addresses * addresses].address.port);
        for (size_t k = 0; k < i / addresses * addresses; k++)
            assert_int_not_equal(port, listeners.all[k].address.port);
    }
    assert_int_equal(listeners.all[addresses].address.port, fixed[0]);
    /* The one that was asked for is opened first, so that no other one can take it. */
    assert_int_equal(first_port, fixed[0]);
    assert_all_taking(3 * addresses);
}

static void names_the_port_that_is_in_use(void **state)
{
    struct net_address address;
    uint16_t ports[3];
    char expected[LISTENERS_ERROR];

    (void)state;
    find_free_ports(ports);
    os_socket other = support_listen(&address);

    ports[2] = address.port;
    open_count = 0;
    for (int i = 0; i < 2; i++) {
        assert_false(listeners_open(&listeners, both, 1, ports, 3, true, note));
        snprintf(expected, sizeof expected, "cannot listen on 127.0.0.1:%d: ", address.port);
        assert_memory_equal(note, expected, strlen(expected));
        assert_nothing_open();
        ports[0] = 0; /* of which another one would change nothing */
    }
    __real_net_close(other);
}

static void refuses_more_sockets_than_it_has_room_for(void **state)
{
    uint16_t ports[LISTENERS_MAX / 2 + 1];

    (void)state;
    for (int i = 0; i <= LISTENERS_MAX / 2; i++)
        ports[i] = (uint16_t)(1 + i);
    assert_false(listeners_open(&listeners, both, 2, ports, LISTENERS_MAX / 2 + 1, true, note));
    assert_string_equal(note, "2 addresses with 65 ports each are too many: at most 128 sockets "
                              "listen");
    assert_int_equal(asked, 0);
    assert_nothing_open();
}

static void what_is_left_out_is_told_of_each_port(void **state)
{
    uint16_t ports[3] = {0};

    (void)state;
    find_free_ports(ports);
    ports[1] = ports[2] = 0;
    refusal = NET_UNAVAILABLE;
    refusals[true] = 3;
    assert_true(listeners_open(&listeners, both, 2, ports, 3, true, note));
    for (int i = 0; i < 3; i++) {
        char expected[LISTENERS_ERROR];

        snprintf(expected, sizeof expected,
                 "cannot listen on [::1]:%d: ", listeners.all[i].address.port);
        assert_non_null(strstr(note, expected));
    }
    assert_all_taking(3);
}

static void leaves_out_what_this_machine_does_not_have(void **state)
{
    (void)state;
    refusal = NET_UNAVAILABLE;
    refusals[true] = 1;
    assert_true(open_on(both, 2, 0, true));
    assert_memory_equal(note, "cannot listen on [::1]:", 23);
    assert_int_equal(listeners.all[0].address.ipv6, false);
    assert_listening(1);

    if (support_has_ipv6()) {
        open_count = 0;
        refusals[false] = 1;
        assert_true(open_on(both, 2, 0, true));
        assert_string_equal(note, cannot_listen(false, 0));
        assert_int_equal(listeners.all[0].address.ipv6, true);
        assert_listening(1);
    }
}

static void needs_every_address_that_it_is_given(void **state)
{
    struct net_address free_address;

    (void)state;
    net_close(support_listen(&free_address));
    open_count = asked = 0;
    refusal = NET_UNAVAILABLE;
    refusals[true] = 1;
    assert_false(open_on(both, 2, free_address.port, false));
    assert_string_equal(note, cannot_listen(true, free_address.port));
    assert_int_equal(asked, 2);
    assert_nothing_open();

    /* With `some` at least one. */
    refusals[false] = refusals[true] = 1;
    assert_false(open_on(both, 2, free_address.port, true));
    assert_string_equal(note, cannot_listen(true, free_address.port));
    assert_nothing_open();
}

static void one_address_of_a_name_is_enough(void **state)
{
    static const char *const name[] = {"twofold", "127.0.0.1"};

    (void)state;
    refusal = NET_UNAVAILABLE;
    for (int count = 1; count <= 2; count++) {
        refusals[true] = 1;
        assert_true(open_on(name, count, 0, false));
        assert_memory_equal(note, "cannot listen on [::1]:", 23);
        assert_int_equal(listeners.all[0].address.ipv6, false);
        assert_listening(1);
    }

    refusals[false] = refusals[true] = 1;
    assert_false(open_on(name, 1, 9901, false));
    assert_string_equal(note, cannot_listen(true, 9901));
    assert_nothing_open();
}

/* Not only as one of a name's: then there has to be one. */
static void an_address_that_is_given_itself_is_needed(void **state)
{
    static const char *const orders[][2] = {{"twofold", "::1"}, {"::1", "twofold"}};

    (void)state;
    refusal = NET_UNAVAILABLE;
    for (size_t i = 0; i < 2; i++) {
        refusals[true] = 1000; /* whichever port is tried */
        assert_false(open_on(orders[i], 2, 0, false));
        assert_memory_equal(note, "cannot listen on [::1]:", 23);
        assert_nothing_open();
    }
}

static void says_which_half_of_everybody_is_left_out(void **state)
{
    static const struct {
        const char *names[2];
        int count;
        const char *half;
    } cases[] = {
        {{"0.0.0.0"}, 1, "0.0.0.0 takes IPv4 clients only; --bind :: takes those of IPv6"},
        {{"::"}, 1, ":: takes IPv6 clients only; --bind 0.0.0.0 takes those of IPv4"},
        {{"::", "0.0.0.0"}, 2, NULL},
        {{"127.0.0.1"}, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].names[0][0] == ':' && !support_has_ipv6())
            continue;
        assert_true(open_on(cases[i].names, cases[i].count, 0, false));
        assert_string_equal(note, "");
        const char *half = listeners_missing_half(&listeners);

        if (cases[i].half != NULL)
            assert_string_equal(half, cases[i].half);
        else
            assert_null(half);
        listeners_close(&listeners);
        open_count = 0;
    }
}

/* There a port may be bound again a moment later, or never, since Windows keeps it for itself. */
static void windows_has_reasons_of_its_own(void **state)
{
    enum { ACCESS_DENIED = 10013, IN_USE = 10048 }; /* WSAEACCES, WSAEADDRINUSE */

    (void)state;
    if (!system_is_windows)
        skip();
    refusal = NET_FAILED;
    refusals[false] = 2;
    refusal_error = IN_USE;
    assert_false(open_on(both, 1, 9901, false));
    assert_true(listeners.in_use);
    refusal_error = ACCESS_DENIED;
    assert_false(open_on(both, 1, 9901, false));
    assert_false(listeners.in_use);
    assert_non_null(strstr(note, "excludedportrange"));
    assert_nothing_open();
}

static void begins_again_when_a_free_port_is_not_free_on_all(void **state)
{
    (void)state;
    if (!support_has_ipv6())
        skip();
    open_count = asked = 0;
    refusal = NET_FAILED;
    refusals[true] = 3;
    assert_true(open_on(both, 2, 0, true));
    assert_string_equal(note, "");
    assert_int_equal(asked, 2 * 4);
    assert_listening(2);

    /* It does not do so for ever. */
    refusals[true] = 1000;
    assert_false(open_on(both, 2, 0, true));
    assert_int_in_range(refusals[true], 900, 999);
    assert_nothing_open();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(takes_one_free_port_for_all_addresses, start_closed),
        cmocka_unit_test_setup(takes_the_port_that_it_is_told, start_closed),
        cmocka_unit_test_setup(tells_of_an_address_in_use, start_closed),
        cmocka_unit_test_setup(tells_of_a_host_that_nobody_knows, start_closed),
        cmocka_unit_test_setup(listens_once_on_an_address_named_twice, start_closed),
        cmocka_unit_test_setup(refuses_more_addresses_than_it_has_room_for, start_closed),
        cmocka_unit_test_setup(listens_on_each_address_on_each_port, start_closed),
        cmocka_unit_test_setup(each_port_0_is_another_port, start_closed),
        cmocka_unit_test_setup(names_the_port_that_is_in_use, start_closed),
        cmocka_unit_test_setup(refuses_more_sockets_than_it_has_room_for, start_closed),
        cmocka_unit_test_setup(what_is_left_out_is_told_of_each_port, start_closed),
        cmocka_unit_test_setup(leaves_out_what_this_machine_does_not_have, start_closed),
        cmocka_unit_test_setup(needs_every_address_that_it_is_given, start_closed),
        cmocka_unit_test_setup(one_address_of_a_name_is_enough, start_closed),
        cmocka_unit_test_setup(an_address_that_is_given_itself_is_needed, start_closed),
        cmocka_unit_test_setup(says_which_half_of_everybody_is_left_out, start_closed),
        cmocka_unit_test_setup(windows_has_reasons_of_its_own, start_closed),
        cmocka_unit_test_setup(begins_again_when_a_free_port_is_not_free_on_all, start_closed),
    };

    return cmocka_run_group_tests_name("listeners", tests, support_setup, support_teardown);
}
