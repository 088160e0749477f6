/* Fuzzes the PROXY protocol: what bytes say does not depend on where they are cut or what follows
 * them, and what is written is read as it was. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "proxy_protocol.h"

/* Judges bytes in memory of their own: a sanitizer sees what is read beyond them. */
static enum proxy_verdict parse(const uint8_t *bytes, size_t length, struct proxy_header *header)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    MUST(copy != NULL);
    if (length > 0)
        memcpy(copy, bytes, length);
    enum proxy_verdict verdict = proxy_protocol_parse(copy, length, header);

    free(copy);
    return verdict;
}

/* Writes a header with the addresses of another, and reads it. */
static void check_written(const struct proxy_header *header, enum proxy_version version)
{
    char bytes[PROXY_HEADER_MAX];
    struct proxy_header read = {.consumed = 0};
    size_t length = proxy_protocol_format(version, &header->source, &header->destination, bytes);

    MUST(length <= sizeof bytes);
    MUST(parse((const uint8_t *)bytes, length, &read) == PROXY_COMPLETE);
    MUST(read.consumed == length && read.skip == 0 && read.has_addresses);
    MUST(net_address_equal(&read.source, &header->source));
    MUST(net_address_equal(&read.destination, &header->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
    struct proxy_header header = {.consumed = 0}, cut_header;
    enum proxy_verdict verdict = parse(input, length, &header);
    size_t cut = 0;

    while (cut < length && parse(input, cut, &cut_header) == PROXY_INCOMPLETE)
        cut++;
    MUST(parse(input, cut, &cut_header) == verdict);
    if (verdict == PROXY_INCOMPLETE)
        MUST(cut == length && length < PROXY_HEADER_MAX);
    if (verdict != PROXY_COMPLETE)
        return 0;
    MUST(header.consumed == cut && cut_header.consumed == cut && cut_header.skip == header.skip);
    MUST(header.consumed >= 15 && header.consumed <= PROXY_HEADER_MAX && header.skip <= UINT16_MAX);
    MUST(cut_header.has_addresses == header.has_addresses);
    if (!header.has_addresses)
        return 0;
    MUST(net_address_equal(&cut_header.source, &header.source));
    MUST(net_address_equal(&cut_header.destination, &header.destination));
    /* One end may be IPv4 and the other IPv6, written as such. */
    if (header.source.ipv6 == header.destination.ipv6) {
        check_written(&header, PROXY_V1);
        check_written(&header, PROXY_V2);
    }
    return 0;
}
