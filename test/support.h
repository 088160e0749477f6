/*
 * support: what tests with real programs and real sockets need. Every function here fails the
 * running test when the thing it is for does not happen. Waits end as soon as what they wait for is
 * there; their deadline only keeps a broken program from holding the tests up for ever. While a
 * test waits for a socket, the output of its programs is collected, so that none of them stands
 * still because nobody reads its log.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "net.h"
#include "process.h"

/* Milliseconds after which a wait fails the test. */
enum { SUPPORT_DEADLINE = 30000 };

/* For cmocka's groups: os_start() and as many descriptors as there may be; os_finish(). */
int support_setup(void **state);
int support_teardown(void **state);

/* For cmocka's tests: kills the programs that a failed test has left, and shows what they wrote to
 * stderr, and their exit status. */
int support_end_programs(void **state);

/* Starts a program: process_start(). `options` may be NULL. */
struct process *support_start(const char *const arguments[], const struct process_options *options);

/*
 * Starts the server under test, whose path stands in the environment variable ECHO_SERVER, on a
 * free port of 127.0.0.1, with these options besides, up to a NULL. Gives the port once the server
 * listens.
 */
struct process *support_start_server(const char *const more[],
                                     const struct process_options *options, uint16_t *port);

/* The value of an environment variable; the test fails when there is none. */
const char *support_environment(const char *name);

/*
 * The next line of a program's output, without its ending; NULL at the end of the output. A last
 * line without an ending is one, too. It is valid until the next call with this program.
 */
const char *support_line(struct process *process, enum stream stream);

/*
 * The next line that contains `text`. Lines before it fail the test on stdout; on stderr, if they
 * are none of the log lines that any run of the server may write.
 */
const char *support_expect_line(struct process *process, enum stream stream, const char *text);

/* Reads 1 to `size` bytes of a program's output; returns how many, 0 at its end. */
size_t support_read(struct process *process, enum stream stream, void *bytes, size_t size);

/* Writes to a program's stdin. */
void support_write(struct process *process, const void *bytes, size_t length);

/*
 * Waits for a program's end and returns its exit status. Fails the test if there is a line in the
 * rest of its stderr that is none of the usual log lines (so do a sanitizer's), or anything in the
 * rest of its stdout.
 */
int support_finish(struct process *process);

/* The loopback address with a port. */
struct net_address support_loopback(bool ipv6, uint16_t port);

/* Whether this machine has the IPv6 loopback address. */
bool support_has_ipv6(void);

/* Listens on a free port of the loopback address. */
os_socket support_listen(struct net_address *address);

/* Connections in the queue of a listener that nobody takes. */
struct support_queue {
    os_socket fillers[8]; /* more than the shortest queue takes */
    size_t count;
};

/*
 * Makes the queue of a listener, which is at `address`, as short as can be and fills it, so that
 * further requests to connect are not answered. Returns false, and holds nothing, where the system
 * does answer them, as Windows does with a refusal.
 */
bool support_fill_queue(struct support_queue *queue, os_socket listener,
                        const struct net_address *address);
void support_empty_queue(const struct support_queue *queue);

/* Connects, and waits until it is done. */
os_socket support_connect(const struct net_address *address);

/* Takes a connection, and waits until there is one. */
os_socket support_accept(os_socket listener);

/* Two sockets connected with each other. */
void support_pair(os_socket pair[2]);

/* Waits until a socket is ready for `interest`. */
void support_wait(os_socket s, uint8_t interest);

/* Sends all of it. */
void support_send(os_socket s, const void *bytes, size_t length);

/* Receives 1 to `size` bytes; 0 at the end of the stream. A reset fails the test. */
size_t support_receive(os_socket s, void *bytes, size_t size);

/* Receives `size` bytes, whatever they are. */
void support_receive_all(os_socket s, void *bytes, size_t size);

/* Receives a message of `size` bytes and sends it back, as an echo server does. */
void support_echo(os_socket s, size_t size);

/* Receives exactly these bytes. */
void support_expect(os_socket s, const void *bytes, size_t length);
void support_expect_text(os_socket s, const char *text);

/* Receives the end of the stream and nothing before it. */
void support_expect_end(os_socket s);

/* Receives until the connection is no more, by its end or a reset. */
void support_expect_closed(os_socket s);

/* Sends `length` bytes and receives the same bytes meanwhile, as an echo client has to. */
void support_expect_echo(os_socket s, const void *bytes, size_t length);

/* Closes a socket so that its peer finds the connection reset. */
void support_reset(os_socket s);

/* The same bytes in each run for the same `seed`; all values are among them. The caller frees them.
 */
char *support_random_bytes(size_t length, uint32_t seed);

#endif
