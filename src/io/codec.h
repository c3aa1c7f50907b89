/*
 * Codec registry: each codec looks at the first bytes and bids the number of bits it has verified;
 * the highest bid wins, its decoder is stacked, and bidding repeats until nobody bids (four layers
 * at most). Codecs that were not compiled in still bid, so that the error can say what is missing.
 */
#ifndef FTL_IO_CODEC_H
#define FTL_IO_CODEC_H

#include "io/stream.h"

typedef struct ftl_codec {
    const char *name;                             /* "gzip" */
    const char *ending;                           /* of files' names, ".gz"; NULL: none */
    const char *option;                           /* the build switch, such as "FTL_WITH_ZLIB" */
    size_t magic_size;                            /* bytes that bid() wants to see */
    int (*bid)(const uint8_t *data, size_t size); /* 0: not mine */
    /* Takes ownership of source on success. NULL when not compiled in. */
    ftl_status (*open)(ftl_account *account, ftl_stream *source, uint64_t budget, ftl_stream **out,
                       ftl_error *error);
} ftl_codec;

extern const ftl_codec ftl_codec_zlib, ftl_codec_gzip, ftl_codec_bzip2, ftl_codec_xz,
    ftl_codec_lzma, ftl_codec_lz4, ftl_codec_zstd, ftl_codec_joblib_zf;

/*
 * Replaces *stream by its decoded form; the same one when nothing bids. budget bounds the bytes
 * that come out (0: none). On failure *stream is still the caller's to close. names (may be NULL)
 * receives the codecs found, outermost first, joined by "+".
 */
FTL_MUST_USE ftl_status ftl_codec_decode(ftl_account *account, ftl_stream **stream, uint64_t budget,
                                         char *names, size_t names_size, ftl_error *error);

/* The size of what stands before a codec's ending of path[0..size); size where there is none. */
size_t ftl_codec_strip_ending(const char *path, size_t size);

/*
 * Bytes that a file of so many may decode to: max_bytes, or when that is 0 what no honest file
 * passes. Nothing that was fitted shrinks to a thousandth, unless it is small: beyond both, a file
 * is a decompression bomb. file_bytes 0: unknown.
 */
uint64_t ftl_codec_budget(uint64_t file_bytes, uint64_t max_bytes);

#endif
