/* Decimals of Parquet: integers in two's complement over a power of ten. */
#ifndef FTL_TABLE_PARQUET_DECIMAL_H
#define FTL_TABLE_PARQUET_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FTL_PARQUET_DECIMAL_BYTES = 64 };

/*
 * The double nearest to the integer in bytes[0..size) over 10**scale; size at most
 * FTL_PARQUET_DECIMAL_BYTES, 0 bytes are zero. Bytes stand most significant first, or, little,
 * last. scale at most 1000.
 */
double ftl_parquet_decimal(const uint8_t *bytes, size_t size, bool little, uint32_t scale);

#endif
