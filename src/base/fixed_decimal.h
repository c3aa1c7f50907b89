/* Decimals of Parquet and Arrow: integers in two's complement over a power of ten. Stateless. */
#ifndef FTL_BASE_FIXED_DECIMAL_H
#define FTL_BASE_FIXED_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FTL_FIXED_DECIMAL_BYTES = 64, FTL_FIXED_DECIMAL_SCALE = 1000 };

/*
 * The double nearest to the integer in bytes[0..size) over 10**scale; size at most
 * FTL_FIXED_DECIMAL_BYTES, 0 bytes are zero. Bytes stand most significant first, or, little,
 * last. A scale below zero multiplies; it is within FTL_FIXED_DECIMAL_SCALE.
 */
double ftl_fixed_decimal(const uint8_t *bytes, size_t size, bool little, int32_t scale);

#endif
