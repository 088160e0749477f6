/* The same with libuv: as its guide does it, with memory for each read and uv_write(); or, as
 * `libuv_echo tuned`, with one buffer for all reads and uv_try_write(), so that only a rest takes
 * memory and a uv_write(). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "peer.h"

/* What is being sent; frees `bytes` at its end. */
struct answer {
    uv_write_t request;
    char *bytes;
};

static bool tuned;

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void end(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    *buffer = uv_buf_init(peer_allocate(suggested), (unsigned)suggested);
}

static void on_room_tuned(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(peer_scratch, sizeof peer_scratch);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);
static void on_read_tuned(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void start(uv_stream_t *stream)
{
    if (tuned)
        uv_read_start(stream, on_room_tuned, on_read_tuned);
    else
        uv_read_start(stream, on_room, on_read);
}

static void on_written(uv_write_t *request, int status)
{
    struct answer *answer = (struct answer *)request;
    uv_stream_t *stream = request->handle;

    free(answer->bytes);
    free(answer);
    if (status < 0)
        end(stream);
    else if (!uv_is_active((uv_handle_t *)stream) && !uv_is_closing((uv_handle_t *)stream))
        start(stream);
}

/* Sends bytes and frees them; reads no more until they are gone, if the system takes no more. */
static void send_all(uv_stream_t *stream, char *bytes, size_t length)
{
    struct answer *answer = peer_allocate(sizeof *answer);
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)length);

    answer->bytes = bytes;
    if (uv_write(&answer->request, stream, &buffer, 1, on_written) != 0)
        exit(1);
    if (uv_stream_get_write_queue_size(stream) > 0)
        uv_read_stop(stream);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    if (got > 0) {
        send_all(stream, buffer->base, (size_t)got);
        return;
    }
    free(buffer->base);
    if (got < 0)
        end(stream);
}

static void on_read_tuned(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    uv_buf_t answer = uv_buf_init(buffer->base, got > 0 ? (unsigned)got : 0);
    int sent = got > 0 ? uv_try_write(stream, &answer, 1) : 0;

    if (sent == UV_EAGAIN)
        sent = 0;
    if (got < 0 || sent < 0) {
        end(stream);
    } else if (sent < got) {
        size_t length = (size_t)(got - sent);

        send_all(stream, memcpy(peer_allocate(length), answer.base + sent, length), length);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *connection = peer_allocate(sizeof *connection);

    if (status < 0 || uv_tcp_init(listener->loop, connection) != 0)
        exit(1);
    if (uv_accept(listener, (uv_stream_t *)connection) != 0)
        exit(1);
    uv_tcp_nodelay(connection, 1);
    start((uv_stream_t *)connection);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;

    tuned = argc == 2 && strcmp(argv[1], "tuned") == 0;
    if (loop == NULL || uv_tcp_init(loop, &listener) != 0 ||
        uv_tcp_open(&listener, peer_listen()) != 0 ||
        uv_listen((uv_stream_t *)&listener, 4096, on_connection) != 0)
        return 1;
    return uv_run(loop, UV_RUN_DEFAULT);
}
