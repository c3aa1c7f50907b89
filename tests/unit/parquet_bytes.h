/* Bytes of made-up Parquet files, and numbers that are the same in every run. */
#ifndef FTL_TESTS_PARQUET_BYTES_H
#define FTL_TESTS_PARQUET_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t next(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u; }

typedef struct bytes {
    uint8_t data[1 << 16];
    size_t size;
} bytes;

static inline void put_varint(bytes *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        out->data[out->size++] = (uint8_t)(value | 0x80);
    out->data[out->size++] = (uint8_t)value;
}

static inline void put_zigzag(bytes *out, int64_t value)
{
    put_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

#endif
