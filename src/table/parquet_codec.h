/*
 * The compression of Parquet's pages: each is compressed by itself, and its size is known. Of one
 * thread; what the libraries need is made once and used for all pages.
 */
#ifndef FTL_TABLE_PARQUET_CODEC_H
#define FTL_TABLE_PARQUET_CODEC_H

#include "io/unpack.h"

/* As the format numbers them. */
enum {
    FTL_PARQUET_UNCOMPRESSED = 0,
    FTL_PARQUET_SNAPPY = 1,
    FTL_PARQUET_GZIP = 2,
    FTL_PARQUET_LZO = 3,
    FTL_PARQUET_BROTLI = 4,
    FTL_PARQUET_LZ4_HADOOP = 5,
    FTL_PARQUET_ZSTD = 6,
    FTL_PARQUET_LZ4_RAW = 7
};

/* UNSUPPORTED with the codec's name when it was not compiled in or is none that is read. */
FTL_MUST_USE ftl_status ftl_parquet_codec_check(int codec, ftl_error *error);
/* Fills out[0..out_size); CORRUPT when the data is damaged or does not hold exactly as much. */
FTL_MUST_USE ftl_status ftl_parquet_decompress(ftl_unpacker *unpacker, int codec, const uint8_t *in,
                                               size_t in_size, uint8_t *out, size_t out_size,
                                               ftl_error *error);
/* The checksum of a page, where zlib was compiled in; false: it cannot be told. */
bool ftl_parquet_crc_matches(uint32_t crc, const uint8_t *data, size_t size);

#endif
