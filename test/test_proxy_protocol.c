#include "proxy_protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_numbers.h"
#include "test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define LONGEST "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

/* The bytes of a literal, which may have NULs. */
#define BYTES(literal) (literal), sizeof(literal) - 1

struct valid {
    const char *bytes;
    size_t length;
    size_t skip;
    const char *source; /* NULL: no addresses */
    const char *destination;
};

static const struct valid valids[] = {
    /* The example of the specification, and its longest lines. */
    {BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), 0, "192.168.0.1:56324",
     "192.168.0.11:443"},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), 0,
     "255.255.255.255:65535", "255.255.255.255:65535"},
    {BYTES("PROXY TCP6 " LONGEST " " LONGEST " 65535 65535\r\n"), 0, "[" LONGEST "]:65535",
     "[" LONGEST "]:65535"},
    {BYTES("PROXY UNKNOWN\r\n"), 0, NULL, NULL},
    {BYTES("PROXY UNKNOWN " LONGEST " " LONGEST " 65535 65535\r\n"), 0, NULL, NULL},
    {BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), 0, "0.0.0.0:0", "0.0.0.0:0"},
    {BYTES("PROXY TCP6 2001:DB8::1 ::1 1 9\r\n"), 0, "[2001:db8::1]:1", "[::1]:9"},
    {BYTES("PROXY TCP6 2001:0db8:0:0:0:0:0:1 :: 10 99\r\n"), 0, "[2001:db8::1]:10", "[::]:99"},
    {BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 1 2\r\n"), 0, "192.0.2.1:1", "192.0.2.2:2"},
    {BYTES("PROXY UNKNOWN \r\n"), 0, NULL, NULL},
    {BYTES("PROXY UNKNOWN a\rb\nc\r\r\n"), 0, NULL, NULL},

    {BYTES(SIGNATURE "\x21\x11\0\x0C\xC0\0\x02\x01\xC0\0\x02\x02\xDC\x04\x01\xBB"), 0,
     "192.0.2.1:56324", "192.0.2.2:443"},
    {BYTES(SIGNATURE "\x21\x21\0\x24"
                     "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"
                     "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02\xFF\xFF\0\x01"),
     0, "[2001:db8::1]:65535", "[2001:db8::2]:1"},
    {BYTES(SIGNATURE "\x21\x21\0\x24"
                     "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\x02\x01"
                     "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x01"),
     0, "192.0.2.1:0", "[2001:db8::2]:1"},
    /* What follows the addresses: a value of no type that is known, and as much as can be. */
    {BYTES(SIGNATURE "\x21\x11\0\x11\xC0\0\x02\x01\xC0\0\x02\x02\xDC\x04\x01\xBB"), 5,
     "192.0.2.1:56324", "192.0.2.2:443"},
    {BYTES(SIGNATURE "\x21\x11\xFF\xFF\x7F\0\0\x01\x7F\0\0\x01\0\x01\0\x02"), 65523, "127.0.0.1:1",
     "127.0.0.1:2"},
    /* LOCAL, whatever family it names. */
    {BYTES(SIGNATURE "\x20\0\0\0"), 0, NULL, NULL},
    {BYTES(SIGNATURE "\x20\x11\0\x0C"), 12, NULL, NULL},
    {BYTES(SIGNATURE "\x20\x11\0\0"), 0, NULL, NULL},
    {BYTES(SIGNATURE "\x20\xFF\xFF\xFF"), 65535, NULL, NULL},
    /* Families and transport protocols that this stream cannot have, in all that are known. */
    {BYTES(SIGNATURE "\x21\0\0\0"), 0, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x01\0\0"), 0, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x02\0\x07"), 7, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x10\0\x0C"), 12, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x12\0\x0C"), 12, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x20\0\x24"), 36, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x22\0\x24"), 36, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x30\0\xD8"), 216, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x31\0\xD8"), 216, NULL, NULL},
    {BYTES(SIGNATURE "\x21\x32\0\xD8"), 216, NULL, NULL},
};
enum { VALIDS = sizeof valids / sizeof valids[0] };

/* proxy_protocol_parse() on memory that ends where the input does: a sanitizer sees it look
 * further. A header that is not complete stays as it was. */
static enum proxy_verdict parse(const char *bytes, size_t length, struct proxy_header *header)
{
    char *copy = malloc(length > 0 ? length : 1);
    struct proxy_header untouched;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    memset(header, 0x5A, sizeof *header);
    memcpy(&untouched, header, sizeof untouched);
    enum proxy_verdict verdict = proxy_protocol_parse(copy, length, header);

    if (verdict != PROXY_COMPLETE)
        assert_memory_equal(header, &untouched, sizeof untouched);
    free(copy);
    return verdict;
}

static void check_address(const struct net_address *address, const char *expected)
{
    char text[NET_ADDRESS_TEXT];

    assert_string_equal(net_address_text(address, text), expected);
}

static void check_valid(const struct valid *valid, const char *bytes, size_t length)
{
    struct proxy_header header;

    assert_int_equal(parse(bytes, length, &header), PROXY_COMPLETE);
    assert_int_equal(header.consumed, valid->length);
    assert_int_equal(header.skip, valid->skip);
    assert_int_equal(header.has_addresses, valid->source != NULL);
    if (header.has_addresses) {
        check_address(&header.source, valid->source);
        check_address(&header.destination, valid->destination);
    }
}

static void headers_are_read_however_they_are_cut(void **state)
{
    struct proxy_header header;
    char more[PROXY_HEADER_MAX + 200];

    (void)state;
    for (size_t i = 0; i < VALIDS; i++) {
        const struct valid *valid = &valids[i];

        assert_int_in_range(valid->length, 15, PROXY_HEADER_MAX);
        for (size_t cut = 0; cut < valid->length; cut++)
            assert_int_equal(parse(valid->bytes, cut, &header), PROXY_INCOMPLETE);
        check_valid(valid, valid->bytes, valid->length);
        /* Neither does what comes after it matter, nor how much. */
        memset(more, '\n', sizeof more);
        memcpy(more, valid->bytes, valid->length);
        check_valid(valid, more, valid->length + 1);
        check_valid(valid, more, sizeof more);
    }
}

static void a_header_of_greatest_length_is_the_longest(void **state)
{
    static const char start[] = "PROXY UNKNOWN ";
    struct proxy_header header;
    char line[PROXY_HEADER_MAX + 1];

    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, start, sizeof start - 1);
    memcpy(line + PROXY_HEADER_MAX - 2, "\r\n", 2);
    assert_int_equal(parse(line, PROXY_HEADER_MAX - 1, &header), PROXY_INCOMPLETE);
    assert_int_equal(parse(line, PROXY_HEADER_MAX, &header), PROXY_COMPLETE);
    assert_int_equal(header.consumed, PROXY_HEADER_MAX);
    memcpy(line + PROXY_HEADER_MAX - 2, "x\r\n", 3);
    assert_int_equal(parse(line, PROXY_HEADER_MAX - 1, &header), PROXY_INCOMPLETE);
    assert_int_equal(parse(line, PROXY_HEADER_MAX, &header), PROXY_MALFORMED);
    assert_int_equal(parse(line, sizeof line, &header), PROXY_MALFORMED);
    /* Addresses that are longer than they have to be can make a line too long, too. */
    static const char too_long[] = "PROXY TCP6 1111:1111:1111:1111:1111:1111:255.255.255.255 "
                                   "1111:1111:1111:1111:1111:1111:255.255.255.255 65535 65535\r\n";

    assert_true(sizeof too_long - 1 > PROXY_HEADER_MAX);
    assert_int_equal(parse(too_long, PROXY_HEADER_MAX - 1, &header), PROXY_INCOMPLETE);
    assert_int_equal(parse(too_long, PROXY_HEADER_MAX, &header), PROXY_MALFORMED);
}

/* Malformed with this many bytes, and with one less it may still become a header. */
struct malformed {
    const char *bytes;
    size_t length;
};

static void what_is_malformed_is_known_early(void **state)
{
    static const struct malformed cases[] = {
        /* What is no header at all: other protocols, and each place of the two beginnings. */
        {BYTES("G")},
        {BYTES("\n")},
        {BYTES("\0")},
        {BYTES("\x16")},
        {BYTES("p")},
        {BYTES("PR ")},
        {BYTES("PRI")},
        {BYTES("PROXy")},
        {BYTES("PROXY\t")},
        {BYTES("PROXY  ")},
        {BYTES("\r\r")},
        {BYTES("\r\n\r\n\r")},
        {BYTES("\r\n\r\n\0\r\nQUIT\r")},
        /* Families. */
        {BYTES("PROXY UD")},
        {BYTES("PROXY t")},
        {BYTES("PROXY TCP ")},
        {BYTES("PROXY TCP5")},
        {BYTES("PROXY TCP44")},
        {BYTES("PROXY TCP4\r")},
        {BYTES("PROXY TCP4  ")},
        {BYTES("PROXY UNKNOWNS")},
        {BYTES("PROXY UNKNOWN\n")},
        {BYTES("PROXY UNKNOWN\t")},
        /* Addresses. */
        {BYTES("PROXY TCP4 1.2.3 ")},
        {BYTES("PROXY TCP4 1.2.3.4. ")},
        {BYTES("PROXY TCP4 1.2.3.256 ")},
        {BYTES("PROXY TCP4 1.2.3.04 ")},
        {BYTES("PROXY TCP4 1.2.3.4\r")},
        {BYTES("PROXY TCP4 1.2.3.4. ")},
        {BYTES("PROXY TCP4 1.2.3.4\0")},
        {BYTES("PROXY TCP4 0x")},
        {BYTES("PROXY TCP4 :")},
        {BYTES("PROXY TCP4 ... ")},
        {BYTES("PROXY TCP6 1.2.3.4 ")},
        {BYTES("PROXY TCP6 :: 1.2.3.4 ")},
        {BYTES("PROXY TCP6 ::1::1 ")},
        {BYTES("PROXY TCP6 1:2:3:4:5:6:7 ")},
        {BYTES("PROXY TCP6 1:2:3:4:5:6:7:8:9 ")},
        {BYTES("PROXY TCP6 12345::1 ")},
        {BYTES("PROXY TCP6 fe80::1%")},
        {BYTES("PROXY TCP6 [")},
        {BYTES("PROXY TCP6 g")},
        {BYTES("PROXY TCP6 :: ::  ")},
        /* Ports. */
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 -")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 +")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8  ")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 01 ")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 00 ")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 65536 ")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 100000")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1\r")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 \r")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r")},
        {BYTES("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r ")},
        /* Binary: version, command, family and transport protocol, length. */
        {BYTES(SIGNATURE "\x11")},
        {BYTES(SIGNATURE "\x31")},
        {BYTES(SIGNATURE "\x22")},
        {BYTES(SIGNATURE "\x2F")},
        {BYTES(SIGNATURE "\x21\x41")},
        {BYTES(SIGNATURE "\x21\x13")},
        {BYTES(SIGNATURE "\x21\x03")},
        {BYTES(SIGNATURE "\x21\xFF")},
        {BYTES(SIGNATURE "\x21\x11\0\x0B")},
        {BYTES(SIGNATURE "\x21\x11\0\0")},
        {BYTES(SIGNATURE "\x21\x21\0\x23")},
        {BYTES(SIGNATURE "\x21\x21\0\x0C")},
    };
    struct proxy_header header;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t cut = 0; cut < cases[i].length; cut++)
            assert_int_equal(parse(cases[i].bytes, cut, &header), PROXY_INCOMPLETE);
        assert_int_equal(parse(cases[i].bytes, cases[i].length, &header), PROXY_MALFORMED);
    }
}

/* What binary version and command, family and length have to be (2.2 of the specification), in
 * words of its own. */
static bool is_binary_header(const unsigned char *bytes, size_t *length, size_t *skip)
{
    unsigned follows = bytes[14] * 256U + bytes[15];
    unsigned needed = bytes[13] == 0x11 ? 12 : bytes[13] == 0x21 ? 36 : 0;

    if (memcmp(bytes, SIGNATURE, 12) != 0 || (bytes[12] != 0x20 && bytes[12] != 0x21))
        return false;
    if (bytes[12] == 0x20)
        needed = 0;
    else if (bytes[13] / 16 > 3 || bytes[13] % 16 > 2 || follows < needed)
        return false;
    *length = 16 + needed;
    *skip = follows - needed;
    return true;
}

static void check_changed(const char *bytes, size_t length, size_t place, bool has_addresses)
{
    struct proxy_header header;
    enum proxy_verdict verdict = parse(bytes, length, &header);

    assert_int_not_equal(verdict, PROXY_INCOMPLETE);
    if (bytes[0] == '\r') {
        size_t consumed = 0, skip = 0;
        bool expected = is_binary_header((const unsigned char *)bytes, &consumed, &skip);

        assert_int_equal(verdict, expected ? PROXY_COMPLETE : PROXY_MALFORMED);
        if (expected) {
            assert_int_equal(header.consumed, consumed);
            assert_int_equal(header.skip, skip);
            assert_int_equal(header.has_addresses, consumed > 16);
        }
    } else if (verdict == PROXY_COMPLETE) {
        assert_memory_equal(bytes + header.consumed - 2, "\r\n", 2);
        assert_int_equal(header.has_addresses, has_addresses);
        assert_true(place >= (has_addresses ? strlen("PROXY TCP4 ") : strlen("PROXY UNKNOWN")));
    }
}

/* Each byte of each header becomes each other byte. A binary one is then judged as the
 * specification says. A line keeps its words, and ends where a line does. */
static void no_byte_can_be_another_unnoticed(void **state)
{
    char bytes[PROXY_HEADER_MAX + 100];

    (void)state;
    for (size_t i = 0; i < VALIDS; i++) {
        const struct valid *valid = &valids[i];

        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, valid->bytes, valid->length);
        for (size_t place = 0; place < valid->length; place++) {
            for (int change = 1; change < 256; change++) {
                bytes[place] = (char)(valid->bytes[place] ^ change);
                check_changed(bytes, sizeof bytes, place, valid->source != NULL);
            }
            bytes[place] = valid->bytes[place];
        }
    }
}

static struct net_address address(bool ipv6, const char *host, uint16_t port)
{
    struct net_address parsed;

    assert_true(net_address_parse(host, ipv6, &parsed));
    parsed.port = port;
    return parsed;
}

static void check_format(enum proxy_version version, const struct net_address *source,
                         const struct net_address *destination, const char *expected,
                         size_t expected_length)
{
    char bytes[PROXY_HEADER_MAX];
    size_t length = proxy_protocol_format(version, source, destination, bytes);

    assert_int_equal(length, expected_length);
    assert_memory_equal(bytes, expected, length);
}

static void headers_are_written_as_the_specification_has_them(void **state)
{
    struct net_address source = address(false, "192.168.0.1", 56324);
    struct net_address destination = address(false, "192.168.0.11", 443);

    (void)state;
    check_format(PROXY_V1, &source, &destination,
                 BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"));
    check_format(PROXY_V2, &source, &destination,
                 BYTES(SIGNATURE "\x21\x11\0\x0C\xC0\xA8\0\x01\xC0\xA8\0\x0B\xDC\x04\x01\xBB"));
    source = address(true, "2001:db8::1", 65535);
    destination = address(true, "fe80::2", 0);
    destination.scope = 3; /* which has no place in a header */
    check_format(PROXY_V1, &source, &destination,
                 BYTES("PROXY TCP6 2001:db8::1 fe80::2 65535 0\r\n"));
    check_format(PROXY_V2, &source, &destination,
                 BYTES(SIGNATURE "\x21\x21\0\x24"
                                 "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                 "\xFE\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xFF\xFF\0\0"));
    source = destination = address(true, LONGEST, 65535);
    check_format(PROXY_V1, &source, &destination,
                 BYTES("PROXY TCP6 " LONGEST " " LONGEST " 65535 65535\r\n"));
}

static void what_is_written_is_read_as_it_was(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        uint8_t bytes[36];
        char out[PROXY_HEADER_MAX];
        struct proxy_header header;
        bool ipv6 = i % 2 == 1;

        /* Many zeros, as addresses have. */
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = random_next(&random) % 3 == 0 ? (uint8_t)(random_next(&random) >> 8) : 0;
        struct net_address source =
            net_address_make(bytes, ipv6, (uint16_t)(bytes[32] << 8 | bytes[33]));
        struct net_address destination =
            net_address_make(bytes + 16, ipv6, (uint16_t)(bytes[34] << 8 | bytes[35]));

        for (enum proxy_version version = PROXY_V1; version <= PROXY_V2; version++) {
            size_t length = proxy_protocol_format(version, &source, &destination, out);

            assert_int_equal(parse(out, length, &header), PROXY_COMPLETE);
            assert_int_equal(header.consumed, length);
            assert_int_equal(header.skip, 0);
            assert_true(header.has_addresses);
            assert_true(net_address_equal(&header.source, &source));
            assert_true(net_address_equal(&header.destination, &destination));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_read_however_they_are_cut),
        cmocka_unit_test(a_header_of_greatest_length_is_the_longest),
        cmocka_unit_test(what_is_malformed_is_known_early),
        cmocka_unit_test(no_byte_can_be_another_unnoticed),
        cmocka_unit_test(headers_are_written_as_the_specification_has_them),
        cmocka_unit_test(what_is_written_is_read_as_it_was),
    };

    return cmocka_run_group_tests_name("proxy_protocol", tests, NULL, NULL);
}
