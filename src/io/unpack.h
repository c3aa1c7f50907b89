/*
 * Decompression of buffers that lie in memory as a whole and whose size is known: those of Arrow,
 * the pages of Parquet. Of one thread; what the libraries need is made once and used for all
 * buffers.
 */
#ifndef FTL_IO_UNPACK_H
#define FTL_IO_UNPACK_H

#include "base/alloc.h"

typedef enum ftl_unpack_codec {
    FTL_UNPACK_LZ4_FRAME = 0,
    FTL_UNPACK_ZSTD = 1,
    FTL_UNPACK_LZ4_BLOCK,
    FTL_UNPACK_LZ4_HADOOP, /* blocks behind their sizes, or one plain block */
    FTL_UNPACK_GZIP,       /* or zlib's head; members may follow each other */
    FTL_UNPACK_BROTLI,
    FTL_UNPACK_SNAPPY
} ftl_unpack_codec;

/* Zeroed but for the account: nothing is made yet. */
typedef struct ftl_unpacker {
    ftl_account *account; /* for gzip, else not looked at */
    void *lz4, *zstd;     /* the libraries' contexts, which they allocate for themselves */
    void *inflate;
} ftl_unpacker;

const char *ftl_unpack_name(ftl_unpack_codec codec);
/* The build switch without which this build lacks the codec; NULL: it has it. */
const char *ftl_unpack_lacks(ftl_unpack_codec codec);

void ftl_unpacker_free(ftl_unpacker *unpacker);
/* Fills out[0..out_size); CORRUPT when the data is damaged or does not hold exactly as much,
 * UNSUPPORTED when the codec was not compiled in. */
FTL_MUST_USE ftl_status ftl_unpack(ftl_unpacker *unpacker, ftl_unpack_codec codec, const void *in,
                                   size_t in_size, void *out, size_t out_size, ftl_error *error);

#endif
