/*
 * Parquet's encodings as they are written (apache/parquet-format, Encodings.md), and rows of bits,
 * least significant first. Stateless; safe from any thread.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_ENCODE_H
#define FTL_TABLE_PARQUET_WRITE_ENCODE_H

#include "base/strbuf.h"

/* The ones among n bits from bit `at` on. */
size_t ftl_bits_count(const uint8_t *bits, size_t at, size_t n);
/* Copies n bits; of the last byte of `to`, bits behind them become zero. */
void ftl_bits_copy(uint8_t *to, size_t to_at, const uint8_t *from, size_t from_at, size_t n);
/* Sets n bits to ones, likewise. */
void ftl_bits_fill(uint8_t *to, size_t to_at, size_t n);

/* Definition levels of an optional column with their length in front. validity NULL: all are 1. */
void ftl_parquet_put_levels(ftl_strbuf *out, const uint8_t *validity, size_t rows);
/* Indices of a dictionary of `entries`: the width, then runs. */
void ftl_parquet_put_indices(ftl_strbuf *out, const uint32_t *indices, size_t n, size_t entries);
/* n bools of a byte each, as bits. */
void ftl_parquet_put_bools(ftl_strbuf *out, const uint8_t *bools, size_t n);

#endif
