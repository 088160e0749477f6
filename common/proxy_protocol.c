#include "proxy_protocol.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* Version 2: the signature, then version and command, family and transport protocol, and the length
 * of all that follows. */
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    COMMAND_AT = sizeof signature - 1, /* without the NUL */
    FAMILY_AT,
    LENGTH_AT,
    BINARY_SIZE = LENGTH_AT + 2
};
enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { FAMILY_UNIX = 3, TRANSPORT_DATAGRAM = 2 }; /* the last ones that are known */
enum { TCP4 = 0x11, TCP6 = 0x21 };
enum { TCP4_BLOCK = 2 * 4 + 2 * 2, TCP6_BLOCK = 2 * 16 + 2 * 2 }; /* addresses, then ports */

/* As much of a line of version 1 as has come, how far it has been read, and why no further. */
struct line {
    const char *bytes;
    size_t length;
    size_t read;
    enum proxy_verdict verdict;
};

/* Says why the line cannot be read further; false, for the caller to return. */
static bool stop(struct line *line, enum proxy_verdict verdict)
{
    line->verdict = verdict;
    return false;
}

static bool read_literal(struct line *line, const char *literal)
{
    size_t read = line->read;

    for (; *literal != '\0'; literal++, read++) {
        if (read == line->length)
            return stop(line, PROXY_INCOMPLETE);
        if (line->bytes[read] != *literal)
            return stop(line, PROXY_MALFORMED);
    }
    line->read = read;
    return true;
}

/* Reads 1 to `size` - 1 bytes, all of which are `allowed`, into `text`, and the `end` behind them.
 */
static bool read_field(struct line *line, const char *allowed, char end, char *text, size_t size)
{
    const char *field = line->bytes + line->read;
    size_t rest = line->length - line->read, length = 0;

    while (length < rest && length < size - 1 &&
           memchr(allowed, field[length], strlen(allowed)) != NULL)
        length++;
    if (length == rest)
        return stop(line, PROXY_INCOMPLETE);
    if (length == 0 || field[length] != end)
        return stop(line, PROXY_MALFORMED);
    memcpy(text, field, length);
    text[length] = '\0';
    line->read += length + 1;
    return true;
}

static bool read_address(struct line *line, bool ipv6, struct net_address *address)
{
    char text[NET_HOST_TEXT];

    if (!read_field(line, ipv6 ? "0123456789ABCDEFabcdef:." : "0123456789.", ' ', text,
                    sizeof text))
        return false;
    if (!net_address_parse(text, ipv6, address))
        return stop(line, PROXY_MALFORMED);
    return true;
}

static bool read_port(struct line *line, char end, uint16_t *port)
{
    char text[sizeof "65535"];
    uint64_t number;

    if (!read_field(line, "0123456789", end, text, sizeof text))
        return false;
    if ((text[0] == '0' && text[1] != '\0') || !text_number(text, 0, UINT16_MAX, &number))
        return stop(line, PROXY_MALFORMED);
    *port = (uint16_t)number;
    return true;
}

static bool read_addresses(struct line *line, struct proxy_header *header)
{
    char family[sizeof "4"];

    if (!read_field(line, "46", ' ', family, sizeof family))
        return false;
    bool ipv6 = family[0] == '6';

    header->has_addresses = true;
    return read_address(line, ipv6, &header->source) &&
           read_address(line, ipv6, &header->destination) &&
           read_port(line, ' ', &header->source.port) &&
           read_port(line, '\r', &header->destination.port) && read_literal(line, "\n");
}

/* Reads the rest of a line, whatever it is; its first byte has to show that a word is at its end.
 */
static bool read_rest(struct line *line)
{
    const char *rest = line->bytes + line->read;
    size_t length = line->length - line->read;

    if (length > 0 && rest[0] != ' ' && rest[0] != '\r')
        return stop(line, PROXY_MALFORMED);
    for (size_t i = 1; i < length; i++) {
        if (rest[i - 1] == '\r' && rest[i] == '\n') {
            line->read += i + 1;
            return true;
        }
    }
    return stop(line, PROXY_INCOMPLETE);
}

static enum proxy_verdict parse_line(const char *bytes, size_t length, struct proxy_header *header)
{
    struct line line = {.bytes = bytes, .length = length};
    bool complete = read_literal(&line, "PROXY TCP")
                        ? read_addresses(&line, header)
                        : line.verdict == PROXY_MALFORMED && read_literal(&line, "PROXY UNKNOWN") &&
                              read_rest(&line);

    header->consumed = line.read;
    return complete ? PROXY_COMPLETE : line.verdict;
}

static uint16_t get_16(const unsigned char *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static enum proxy_verdict parse_binary(const unsigned char *bytes, size_t length,
                                       struct proxy_header *header)
{
    if (memcmp(bytes, signature, length < COMMAND_AT ? length : COMMAND_AT) != 0)
        return PROXY_MALFORMED;
    if (length <= COMMAND_AT)
        return PROXY_INCOMPLETE;
    bool local = bytes[COMMAND_AT] == COMMAND_LOCAL;

    if (!local && bytes[COMMAND_AT] != COMMAND_PROXY)
        return PROXY_MALFORMED;
    if (length <= FAMILY_AT)
        return PROXY_INCOMPLETE;
    unsigned family = bytes[FAMILY_AT];

    /* LOCAL: whatever family is named is ignored. */
    if (!local && (family >> 4 > FAMILY_UNIX || (family & 15) > TRANSPORT_DATAGRAM))
        return PROXY_MALFORMED;
    if (length < BINARY_SIZE)
        return PROXY_INCOMPLETE;
    size_t block = 0, follows = get_16(bytes + LENGTH_AT);

    if (!local && (family == TCP4 || family == TCP6))
        block = family == TCP4 ? TCP4_BLOCK : TCP6_BLOCK;
    if (follows < block)
        return PROXY_MALFORMED;
    if (length < BINARY_SIZE + block)
        return PROXY_INCOMPLETE;
    if (block > 0) {
        const unsigned char *source = bytes + BINARY_SIZE;
        size_t size = family == TCP4 ? 4 : 16;
        const unsigned char *ports = source + 2 * size;

        header->has_addresses = true;
        header->source = net_address_make(source, family == TCP6, get_16(ports));
        header->destination = net_address_make(source + size, family == TCP6, get_16(ports + 2));
    }
    header->consumed = BINARY_SIZE + block;
    header->skip = follows - block;
    return PROXY_COMPLETE;
}

enum proxy_verdict proxy_protocol_parse(const void *bytes, size_t length,
                                        struct proxy_header *header)
{
    struct proxy_header found = {.consumed = 0};
    enum proxy_verdict verdict = PROXY_INCOMPLETE;

    if (length > PROXY_HEADER_MAX)
        length = PROXY_HEADER_MAX;
    if (length > 0)
        verdict = *(const char *)bytes == signature[0] ? parse_binary(bytes, length, &found)
                                                       : parse_line(bytes, length, &found);
    if (verdict == PROXY_COMPLETE)
        *header = found;
    return verdict == PROXY_INCOMPLETE && length == PROXY_HEADER_MAX ? PROXY_MALFORMED : verdict;
}

static char *put_16(char *out, unsigned value)
{
    *out++ = (char)(value >> 8);
    *out++ = (char)value;
    return out;
}

static size_t format_binary(const struct net_address *source, const struct net_address *destination,
                            char out[PROXY_HEADER_MAX])
{
    size_t size = source->ipv6 ? 16 : 4;

    memcpy(out, signature, COMMAND_AT);
    out[COMMAND_AT] = COMMAND_PROXY;
    out[FAMILY_AT] = source->ipv6 ? TCP6 : TCP4;
    char *end = put_16(out + LENGTH_AT, source->ipv6 ? TCP6_BLOCK : TCP4_BLOCK);

    memcpy(end, source->bytes, size);
    memcpy(end + size, destination->bytes, size);
    end = put_16(end + 2 * size, source->port);
    end = put_16(end, destination->port);
    return (size_t)(end - out);
}

size_t proxy_protocol_format(enum proxy_version version, const struct net_address *source,
                             const struct net_address *destination, char out[PROXY_HEADER_MAX])
{
    char from[NET_HOST_TEXT], to[NET_HOST_TEXT];

    if (version == PROXY_V2)
        return format_binary(source, destination, out);
    return (size_t)snprintf(out, PROXY_HEADER_MAX, "PROXY TCP%d %s %s %d %d\r\n",
                            source->ipv6 ? 6 : 4, net_address_host(source, from),
                            net_address_host(destination, to), source->port, destination->port);
}
