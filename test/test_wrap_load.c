/* Tests of client/load with connections that are never made, a shortage of ports, and a clock that
 * is put forward. */
#include "measure/load.h"

#include <limits.h>
#include <string.h>

#include "selector.h"
#include "support.h"
#include "test.h"

enum { MESSAGE = 64 };

static struct {
    bool acts;       /* else all calls are the system's */
    bool hangs;      /* a connection that is begun is never made */
    bool hangs_once; /* once something was sent */
    bool at_once;    /* it is made at once */
    bool no_port;    /* there is no local port for it */
    unsigned connects;
    unsigned with_source;      /* of these, from an address that was chosen for it */
    struct net_address source; /* the last one */
    bool in_vain;              /* the idle connection is ready, and there is nothing to read */
    unsigned vain_reads;
    bool resets; /* whatever is received */
    bool resets_once;
    int64_t jump;   /* of the clock in a wait, once something was sent */
    unsigned jumps; /* so many waits have one */
    int64_t offset;
    uint64_t sends;
} fake;

static os_socket full[2];  /* a connection that takes nothing */
static os_socket ready[2]; /* one with a byte to read */

__typeof__(net_connect) __wrap_net_connect, __real_net_connect;
__typeof__(net_recv) __wrap_net_recv, __real_net_recv;
__typeof__(net_send) __wrap_net_send, __real_net_send;
__typeof__(net_close) __wrap_net_close, __real_net_close;
__typeof__(selector_wait) __wrap_selector_wait, __real_selector_wait;
__typeof__(os_nanoseconds) __wrap_os_nanoseconds, __real_os_nanoseconds;

struct net_result __wrap_net_connect(const struct net_address *address,
                                     const struct net_address *source, os_socket *s)
{
    struct net_result begun = {.outcome = NET_WOULD_BLOCK};

    if (!fake.acts)
        return __real_net_connect(address, source, s);
    fake.connects++;
    fake.with_source += source != NULL;
    if (source != NULL)
        fake.source = *source;
    *s = OS_NO_SOCKET;
    if (fake.no_port)
        return (struct net_result){.outcome = NET_UNAVAILABLE};
    bool hangs_once = fake.hangs_once && fake.sends > 0;

    fake.hangs_once = fake.hangs_once && !hangs_once;
    if (fake.hangs || hangs_once)
        *s = full[0];
    else if (fake.in_vain)
        *s = ready[0];
    else
        begun = __real_net_connect(address, NULL, s);
    if (fake.at_once) {
        support_wait(*s, SELECTOR_WRITE);
        begun.outcome = NET_DONE;
    }
    return begun;
}

struct net_result __wrap_net_recv(os_socket s, void *bytes, size_t size)
{
    if (fake.acts && (fake.resets || fake.resets_once)) {
        fake.resets_once = false;
        return (struct net_result){.outcome = NET_RESET};
    }
    if (!fake.acts || s != ready[0])
        return __real_net_recv(s, bytes, size);
    fake.vain_reads++;
    return (struct net_result){.outcome = NET_WOULD_BLOCK};
}

struct net_result __wrap_net_send(os_socket s, const void *bytes, size_t length)
{
    fake.sends += fake.acts;
    return __real_net_send(s, bytes, length);
}

/* Those of the test are closed by it. */
void __wrap_net_close(os_socket s)
{
    if (!fake.acts || (s != full[0] && s != ready[0]))
        __real_net_close(s);
}

bool __wrap_selector_wait(struct selector *selector, int64_t deadline)
{
    if (fake.acts && fake.sends > 0 && fake.jumps > 0) {
        fake.offset += fake.jump;
        fake.jumps--;
    }
    return __real_selector_wait(selector, deadline);
}

int64_t __wrap_os_nanoseconds(void)
{
    return __real_os_nanoseconds() + fake.offset;
}

static struct process *server;
static struct net_address address;
static os_socket stop[2];
static struct load_result result;
static struct output output; /* that nothing is written to */

static int begin(void **state)
{
    static char bytes[65536];
    struct net_result sent;
    uint16_t port;

    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.jumps = UINT_MAX;
    server = support_start_server((const char *const[]){"-q", NULL}, NULL, &port);
    address = support_loopback(false, port);
    support_pair(stop);
    support_pair(ready);
    support_send(ready[1], "x", 1);
    support_wait(ready[0], SELECTOR_READ);
    support_pair(full);
    do
        sent = net_send(full[0], bytes, sizeof bytes);
    while (sent.outcome == NET_DONE);
    return sent.outcome != NET_WOULD_BLOCK;
}

static int end(void **state)
{
    os_socket *const pairs[] = {stop, ready, full};

    (void)state;
    fake.acts = false;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        net_close(pairs[i][0]);
        net_close(pairs[i][1]);
    }
    process_stop(server, PROCESS_STOP_INTERRUPT);
    return support_finish(server);
}

/* A load that makes its connections, besides the first one, as it is told above. */
static void load_with(struct load_options options, os_socket s, const struct net_address *peer)
{
    struct connector_connection first = {.socket = s, .peer = *peer, .took = 1};

    options.pattern = (struct pattern){.size = MESSAGE, .seed = 1};
    options.pipeline = 1;
    options.connect_timeout = options.connect_timeout > 0 ? options.connect_timeout : SECONDS(30);
    fake.acts = true;
    assert_true(load_run(&options, &first, stop[0], &output, &result));
    fake.acts = false;
}

/* One whose first connection is made. */
static void load(struct load_options options, const struct net_address *peer)
{
    load_with(options, support_connect(&address), peer);
}

static void connections_that_are_not_made_in_time_have_failed(void **state)
{
    (void)state;
    fake.hangs = true;
    load((struct load_options){.connections = 2, .count = 3, .connect_timeout = MILLISECONDS(50)},
         &address);
    assert_int_equal(result.counts.connections_made, 1);
    assert_int_equal(result.counts.connections_failed, 1);
    assert_int_equal(result.counts.messages_answered, 3);
    assert_non_null(strstr(result.failure, "cannot connect to 127.0.0.1:"));
    assert_non_null(strstr(result.failure, "no answer in time"));
    assert_false(load_result_passed(&result));
}

/* So do those that are made while messages are sent. */
static void reconnecting_has_its_time_too(void **state)
{
    (void)state;
    fake.hangs = true;
    load(
        (struct load_options){
            .connections = 1, .count = 3, .reconnect = true, .connect_timeout = MILLISECONDS(50)},
        &address);
    assert_int_equal(result.counts.connections_failed, 1);
    assert_int_equal(result.counts.messages_answered, 1);
    assert_non_null(strstr(result.failure, "no answer in time"));
}

/* Each has its own time, whatever becomes of the others. */
static void one_that_hangs_fails_while_others_are_made(void **state)
{
    (void)state;
    fake.hangs_once = true;
    fake.jump = MILLISECONDS(100);
    load(
        (struct load_options){
            .connections = 2, .count = UINT64_MAX, .duration = SECONDS(40), .reconnect = true},
        &address);
    assert_int_equal(result.counts.connections_failed, 1);
    assert_true(result.counts.connections_made > 1);
    assert_non_null(strstr(result.failure, "no answer in time"));
}

static void a_connection_may_be_made_at_once(void **state)
{
    (void)state;
    fake.at_once = true;
    load((struct load_options){.connections = 2, .count = 4}, &address);
    assert_int_equal(result.counts.connections_made, 2);
    assert_true(load_result_passed(&result));
}

/* On 127.0.0.1 there are other addresses to connect from, each with ports of its own. */
static void where_no_port_is_left_other_addresses_are_tried(void **state)
{
    static const struct net_address elsewhere = {.bytes = {192, 0, 2, 1}, .port = 7};

    (void)state;
    fake.no_port = true;
    load((struct load_options){.connections = 2, .count = 1}, &address);
    assert_int_equal(fake.connects, 8);
    assert_int_equal(fake.with_source, 7);
    assert_int_equal(result.counts.connections_failed, 1);
    fake.connects = fake.with_source = 0;
    load((struct load_options){.connections = 2, .count = 1}, &elsewhere);
    assert_int_equal(fake.connects, 1);
    assert_int_equal(fake.with_source, 0);
    assert_non_null(strstr(result.failure, "; no local port is left: "));
}

/* An address that is given is not given up for another one. */
static void a_source_that_is_given_is_used_for_all_connections(void **state)
{
    static const struct net_address source = {.bytes = {127, 0, 0, 9}};

    (void)state;
    fake.no_port = true;
    load((struct load_options){.connections = 3, .count = 1, .source = &source}, &address);
    assert_int_equal(fake.connects, 2);
    assert_int_equal(fake.with_source, 2);
    assert_true(net_address_equal(&fake.source, &source));
    assert_int_equal(result.counts.connections_failed, 2);
}

/* select() may say so of a connection on which nothing has come (select(2), BUGS). */
static void an_idle_connection_that_is_ready_in_vain_is_kept(void **state)
{
    (void)state;
    fake.in_vain = true;
    load((struct load_options){.connections = 1, .idle = 1, .count = 100}, &address);
    assert_true(fake.vain_reads > 0);
    assert_int_equal(result.counts.connections_lost, 0);
    assert_int_equal(result.counts.messages_answered, 100);
    assert_true(load_result_passed(&result));
}

/* What the server has had its time for is lost, whoever ends the load. */
static void an_interrupt_of_a_stalled_load_finds_what_is_missing(void **state)
{
    (void)state;
    fake.jump = SECONDS(60);
    support_send(stop[1], "x", 1);
    support_wait(stop[0], SELECTOR_READ);
    /* The server is one that does not answer. */
    os_socket silent[2];

    support_pair(silent);
    load_with((struct load_options){.connections = 1, .count = 5, .duration = SECONDS(3600)},
              silent[0], &address);
    assert_true(result.interrupted);
    assert_true(result.fault.found);
    assert_string_equal(result.fault.what, "missing");
    assert_int_equal(result.counts.connections_lost, 1);
    assert_non_null(strstr(result.failure, "never answered: 1; "));
    net_close(silent[1]);
}

/* --keep-going */

static struct net_address nobody(void)
{
    struct net_address peer;

    net_close(support_listen(&peer));
    return peer;
}

/* Nor does a load wait for it before it begins, because that has been done already. */
static void a_host_that_does_not_answer_is_an_outage(void **state)
{
    (void)state;
    fake.hangs = true;
    load_with((struct load_options){.connections = 2,
                                    .count = UINT64_MAX,
                                    .duration = MILLISECONDS(50),
                                    .connect_timeout = SECONDS(3600),
                                    .keep_going = true},
              OS_NO_SOCKET, &address);
    assert_int_equal(result.counts.connections_made, 0);
    assert_int_equal(result.outages.count, 1);
    assert_true(result.outages.total >= MILLISECONDS(50));
}

/* However many connections are lost. With both --rate and --reconnect, the rate bounds the tries.
 */
static void a_dead_server_is_not_kept_busy(void **state)
{
    struct net_address peer = nobody();

    (void)state;
    for (int reconnect = 0; reconnect < 2; reconnect++) {
        fake.connects = 0;
        load_with((struct load_options){.connections = 100,
                                        .count = UINT64_MAX,
                                        .duration = MILLISECONDS(250),
                                        .rate = reconnect ? 40 : 0,
                                        .reconnect = reconnect != 0,
                                        .keep_going = true},
                  OS_NO_SOCKET, &peer);
        assert_int_in_range(fake.connects, 1, reconnect ? 10 : 3);
        assert_int_equal(result.counts.connections_failed, fake.connects);
        assert_int_equal(result.outages.count, 1);
        assert_true(result.outages.total > 0);
        assert_false(load_result_passed(&result));
    }
}

/* Otherwise the report would lack those that are due while the server is in trouble. */
static void a_lost_message_does_not_hold_up_the_others(void **state)
{
    (void)state;
    fake.resets_once = true;
    load(
        (struct load_options){
            .connections = 100, .count = 200, .rate = 1000, .reconnect = true, .keep_going = true},
        &address);
    assert_int_equal(result.counts.connections_lost, 1);
    assert_int_equal(result.counts.messages_answered, 199);
    assert_int_equal(result.messages_not_sent, 0);
}

/* Such as a proxy whose server is down: it takes connections, and closes them. */
static void nor_is_one_that_takes_connections_and_answers_nothing(void **state)
{
    (void)state;
    fake.resets = true;
    load((struct load_options){.connections = 50,
                               .count = UINT64_MAX,
                               .duration = MILLISECONDS(250),
                               .keep_going = true},
         &address);
    assert_int_equal(result.counts.messages_answered, 0);
    assert_int_equal(result.outages.count, 1);
    assert_int_in_range(fake.connects, 49, 49 + 3);
}

static void the_addresses_of_a_name_are_tried_in_turn(void **state)
{
    struct net_address addresses[] = {nobody(), address};
    char text[NET_ADDRESS_TEXT];

    (void)state;
    load_with((struct load_options){.connections = 2,
                                    .count = 20,
                                    .keep_going = true,
                                    .addresses = addresses,
                                    .address_count = 2},
              OS_NO_SOCKET, &addresses[0]);
    assert_int_equal(result.counts.connections_failed, 1);
    assert_int_equal(result.counts.messages_answered, 20);
    assert_string_equal(result.server, net_address_text(&address, text));
    assert_false(load_result_passed(&result));
}

/* The answers of a server that is silent are not waited for as long as the load lasts. */
static void connections_to_a_silent_server_are_replaced(void **state)
{
    os_socket silent[2];

    (void)state;
    support_pair(silent);
    fake.jump = SECONDS(6);
    fake.jumps = 1;
    load_with(
        (struct load_options){
            .connections = 1, .count = 20, .duration = SECONDS(3600), .keep_going = true},
        silent[0], &address);
    assert_string_equal(result.fault.what, "missing");
    assert_int_equal(result.counts.connections_lost, 1);
    assert_int_equal(result.counts.messages_answered, 19);
    /* It began with the last byte, and not when it was noticed. */
    assert_true(result.outages.total >= fake.jump);
    net_close(silent[1]);
}

/* One alone is replaced, too, while the others are busy. */
static void a_silent_connection_is_found_among_others(void **state)
{
    os_socket silent[2];

    (void)state;
    support_pair(silent);
    fake.jump = SECONDS(2); /* less than the time that an answer may take */
    fake.jumps = 3;
    load_with(
        (struct load_options){
            .connections = 2, .count = 20, .duration = SECONDS(3600), .keep_going = true},
        silent[0], &address);
    assert_int_equal(result.counts.connections_lost, 1);
    assert_int_equal(result.counts.messages_answered, 19);
    assert_int_equal(result.outages.count, 1);
    assert_true(result.outages.total >= 3 * fake.jump);
    assert_non_null(strstr(result.failure, "never answered: 1; "));
    net_close(silent[1]);
}

/* It is noticed when the load is already over. */
static void an_outage_at_the_end_has_its_length(void **state)
{
    os_socket silent[2];

    (void)state;
    support_pair(silent);
    fake.jump = SECONDS(7);
    fake.jumps = 1;
    load_with((struct load_options){.connections = 1,
                                    .count = UINT64_MAX,
                                    .duration = SECONDS(2),
                                    .rate = 10,
                                    .keep_going = true},
              silent[0], &address);
    assert_int_equal(result.counts.connections_lost, 1);
    assert_int_equal(result.outages.count, 1);
    assert_true(result.outages.total >= fake.jump);
    assert_true(result.outages.longest == result.outages.total);
    net_close(silent[1]);
}

/* --report */

static unsigned count_lines(size_t from)
{
    const char *bytes = buffer_bytes(&output.text);
    unsigned lines = 0;

    for (size_t i = from; i < output_length(&output); i++)
        lines += bytes[i] == '\n';
    return lines;
}

/* So that memory is bounded, and nothing is lost: the last line is about all of it. */
static void lines_that_nobody_reads_become_one(void **state)
{
    static const char unread[64 * 1024];

    (void)state;
    output.held = true;
    output_append(&output, unread, sizeof unread);
    load((struct load_options){.connections = 1,
                               .count = UINT64_MAX,
                               .duration = MILLISECONDS(50),
                               .report = MILLISECONDS(1)},
         &address);
    assert_int_equal(count_lines(sizeof unread), 1);
    output_drop(&output);
    output.held = false;
}

/* As when the process was stopped, or the machine asleep. */
static void lines_that_were_missed_become_one(void **state)
{
    (void)state;
    output.held = true;
    fake.jump = SECONDS(60);
    fake.jumps = 1;
    load(
        (struct load_options){
            .connections = 1, .count = 10, .duration = SECONDS(3600), .report = SECONDS(1)},
        &address);
    assert_int_equal(result.counts.messages_answered, 10);
    assert_int_equal(count_lines(0), 2);
    output_drop(&output);
    output.held = false;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(connections_that_are_not_made_in_time_have_failed),
        TEST(reconnecting_has_its_time_too),
        TEST(one_that_hangs_fails_while_others_are_made),
        TEST(a_connection_may_be_made_at_once),
        TEST(where_no_port_is_left_other_addresses_are_tried),
        TEST(a_source_that_is_given_is_used_for_all_connections),
        TEST(an_idle_connection_that_is_ready_in_vain_is_kept),
        TEST(an_interrupt_of_a_stalled_load_finds_what_is_missing),
        TEST(a_host_that_does_not_answer_is_an_outage),
        TEST(a_dead_server_is_not_kept_busy),
        TEST(a_lost_message_does_not_hold_up_the_others),
        TEST(nor_is_one_that_takes_connections_and_answers_nothing),
        TEST(the_addresses_of_a_name_are_tried_in_turn),
        TEST(connections_to_a_silent_server_are_replaced),
        TEST(a_silent_connection_is_found_among_others),
        TEST(an_outage_at_the_end_has_its_length),
        TEST(lines_that_nobody_reads_become_one),
        TEST(lines_that_were_missed_become_one),
    };

    return cmocka_run_group_tests_name("load", tests, support_setup, support_teardown);
}
