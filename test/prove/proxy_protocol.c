/*
 * common/proxy_protocol: any bytes, as a line and as a binary header; the parts of a line at each
 * place of it.
 *
 * run: prove_parts -eva-slevel 100000 -eva-min-loop-unroll 120
 *     -eva-split-return-function read_field:0:1
 * run: prove_line -eva-slevel 100000 -eva-min-loop-unroll 120
 *     -inline-calls read_literal,read_field,read_address,read_port,read_addresses,read_rest,stop
 *     -eva-split-return-function parse_line:0:1:2,proxy_protocol_parse:0:1:2
 * run: prove_binary -eva-slevel 1000 -eva-min-loop-unroll 120
 *     -eva-split-return-function parse_binary:0:1:2,proxy_protocol_parse:0:1:2
 * run: prove_ways -eva-slevel 1000 -eva-min-loop-unroll 120
 * run: prove_format -eva-slevel 1000
 * inputs: lines of LINE bytes, binary headers of BINARY bytes, parts of lines of PARTS bytes,
 *     addresses of any content
 * assumed: net_address_parse net_address_make net_address_host text_number snprintf
 */
#include "prove.h"

#include "../../common/proxy_protocol.c"

enum { LINE = 22, BINARY = 60, PARTS = 16 };

/* As net.h and text.h promise. */
struct net_address net_address_make(const void *bytes, bool ipv6, uint16_t port)
{
    struct net_address address = {.port = port, .ipv6 = ipv6};

    //@ assert \initialized((const char *)bytes + (0 .. (ipv6 != 0 ? 15 : 3)));
    (void)bytes;
    any_fill(address.bytes, sizeof address.bytes);
    return address;
}

bool net_address_parse(const char *text, bool ipv6, struct net_address *address)
{
    //@ assert valid_read_string(text);
    (void)text;
    (void)ipv6;
    any_fill(address, sizeof *address);
    return any_between(0, 1) == 1;
}

const char *net_address_host(const struct net_address *address, char text[NET_HOST_TEXT])
{
    (void)address;
    any_fill(text, NET_HOST_TEXT);
    text[NET_HOST_TEXT - 1] = '\0';
    return text;
}

bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    //@ assert valid_read_string(text);
    (void)text;
    *value = any_between(min, max);
    return any_between(0, 1) == 1;
}

/* Writes a string that fits into `size` bytes (C11, 7.21.6.5). */
int snprintf(char *out, size_t size, const char *format, ...)
{
    (void)format;
    any_fill(out, size);
    out[size - 1] = '\0';
    return (int)any_between(0, size - 1);
}

static void part(const char *bytes, size_t length, size_t read)
{
    struct line line = {.bytes = bytes, .length = length, .read = read};
    struct net_address address;
    uint16_t port;

    read_literal(&line, "PROXY UNKNOWN");
    //@ assert line.read <= length;
    line.read = read;
    read_address(&line, any_between(0, 1) == 1, &address);
    //@ assert line.read <= length;
    line.read = read;
    read_port(&line, ' ', &port);
    //@ assert line.read <= length;
    line.read = read;
    read_rest(&line);
    //@ assert line.read <= length;
}

void prove_parts(void)
{
    for (size_t length = 1; length <= PARTS; length++) {
        char *bytes = any_bytes(length);

        for (size_t read = 0; read <= length; read++)
            part(bytes, length, read);
        free(bytes);
    }
}

static void parse(char *bytes, size_t length)
{
    struct proxy_header header;

    if (proxy_protocol_parse(bytes, length, &header) == PROXY_COMPLETE) {
        //@ assert header.consumed <= length && header.skip <= UINT16_MAX;
    }
    free(bytes);
}

void prove_line(void)
{
    for (size_t length = 1; length <= LINE; length++) {
        char *bytes = any_bytes(length);

        bytes[0] = 'P';
        parse(bytes, length);
    }
}

void prove_binary(void)
{
    for (size_t length = 1; length <= BINARY; length++) {
        char *bytes = any_bytes(length);

        bytes[0] = '\r';
        parse(bytes, length);
    }
}

/* Each way through a line, and a line that is too long. */
void prove_ways(void)
{
    static const char *const lines[] = {"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n",
                                        "PROXY TCP6 ::1 ::2 9 10\r\n",
                                        "PROXY TCP5",
                                        "\r",
                                        "PROXY UNKNOWN\r\n",
                                        "PROXY UNKNOWNS",
                                        "PROXY UNKNOWN "
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"
                                        "1234567890"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        for (size_t length = 0; length <= strlen(lines[i]); length++) {
            struct proxy_header header;

            proxy_protocol_parse(lines[i], length, &header);
        }
    }
}

static struct net_address any_address(bool ipv6)
{
    struct net_address address;

    any_fill(&address, sizeof address);
    address.ipv6 = ipv6;
    return address;
}

void prove_format(void)
{
    for (int ipv6 = 0; ipv6 <= 1; ipv6++) {
        struct net_address source = any_address(ipv6 == 1), destination = any_address(ipv6 == 1);
        char *out = malloc(PROXY_HEADER_MAX);

        proxy_protocol_format(PROXY_V1, &source, &destination, out);
        size_t length = proxy_protocol_format(PROXY_V2, &source, &destination, out);

        //@ assert \initialized(out + (0 .. length - 1));
        free(out);
    }
}
