/*
 * Snappy's raw format (github.com/google/snappy, format_description.txt): the length of the data,
 * then literals and copies of earlier bytes. Stateless; safe from any thread.
 */
#ifndef FTL_IO_SNAPPY_H
#define FTL_IO_SNAPPY_H

#include "base/status.h"

/*
 * Fills out[0..out_size) and nothing beyond. CORRUPT when the data is damaged or does not hold
 * exactly out_size bytes.
 */
FTL_MUST_USE ftl_status ftl_snappy_decompress(const uint8_t *in, size_t in_size, uint8_t *out,
                                              size_t out_size, ftl_error *error);

/* The most bytes that compressing size bytes makes; 0 when size is above what the format holds
 * (4 GiB). */
size_t ftl_snappy_bound(size_t size);

enum { FTL_SNAPPY_TABLE = 1 << 14 };

/*
 * Compresses in[0..in_size), in_size < 4 GiB, into out, which has room for ftl_snappy_bound bytes;
 * the number of bytes made. table: the caller's scratch, of any content. The same bytes give the
 * same result.
 */
size_t ftl_snappy_compress(const uint8_t *in, size_t in_size, uint8_t *out,
                           uint16_t table[FTL_SNAPPY_TABLE]);

#endif
