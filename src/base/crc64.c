/*
 * Eight bytes at a time: table k holds the checksums of a byte with k zeros behind it. The tables
 * are made for each call of some size, which costs less than 200 kB of checksum; small calls go
 * byte by byte with the first table alone.
 */
#include "base/crc64.h"

#include <string.h>

static const uint64_t polynomial = 0xc96c5795d7870f42; /* reflected */

enum { slices = 8, worthwhile = 1 << 14 };

static uint64_t one_byte(uint64_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (polynomial & -(crc & 1));
    return crc;
}

static uint64_t by_bytes(uint64_t crc, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        crc = one_byte((crc ^ data[i]) & 0xff) ^ crc >> 8;
    return crc;
}

static void make_tables(uint64_t tables[slices][256])
{
    for (uint64_t i = 0; i < 256; i++)
        tables[0][i] = one_byte(i);
    for (int k = 1; k < slices; k++) {
        for (size_t i = 0; i < 256; i++)
            tables[k][i] = tables[0][tables[k - 1][i] & 0xff] ^ tables[k - 1][i] >> 8;
    }
}

static uint64_t by_slices(uint64_t crc, const unsigned char *data, size_t n)
{
    uint64_t tables[slices][256];
    make_tables(tables);
    for (size_t i = 0; i < n; i++, data += slices) {
        uint64_t low = 0, next = 0;
        for (int b = slices; b-- > 0;)
            low = low << 8 | data[b];
        low ^= crc;
        for (int b = 0; b < slices; b++)
            next ^= tables[slices - 1 - b][low >> 8 * b & 0xff];
        crc = next;
    }
    return crc;
}

uint64_t ftl_crc64(uint64_t crc, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t whole = size < worthwhile ? 0 : size / slices;
    crc = ~crc;
    if (whole)
        crc = by_slices(crc, bytes, whole);
    return ~by_bytes(crc, bytes + whole * slices, size - whole * slices);
}
