/*
 * Decompression of buffers that lie in memory as a whole and whose size is known. Of one thread;
 * what the libraries need is made once and used for all buffers.
 */
#ifndef FTL_IO_UNPACK_H
#define FTL_IO_UNPACK_H

#include "base/status.h"

typedef enum ftl_unpack_codec { FTL_UNPACK_LZ4_FRAME = 0, FTL_UNPACK_ZSTD = 1 } ftl_unpack_codec;

/* Zeroed: nothing is made yet. */
typedef struct ftl_unpacker {
    void *lz4, *zstd; /* the libraries' contexts, which they allocate for themselves */
} ftl_unpacker;

void ftl_unpacker_free(ftl_unpacker *unpacker);
/* Fills out[0..out_size); CORRUPT when the data is damaged or does not hold exactly as much,
 * UNSUPPORTED when the codec was not compiled in. */
FTL_MUST_USE ftl_status ftl_unpack(ftl_unpacker *unpacker, ftl_unpack_codec codec, const void *in,
                                   size_t in_size, void *out, size_t out_size, ftl_error *error);

#endif
