/* Bytes with room for more, behind which decoders may read on a little. */
#ifndef FTL_TABLE_PARQUET_BUFFER_H
#define FTL_TABLE_PARQUET_BUFFER_H

#include "base/alloc.h"

typedef struct ftl_parquet_buffer {
    uint8_t *data;
    size_t size, room;
} ftl_parquet_buffer;

/*
 * Makes the buffer hold size bytes, the first `keep` of them those that it has, and the padding
 * (parquet_decode.h), which is cleared.
 */
FTL_MUST_USE ftl_status ftl_parquet_buffer_fit(ftl_parquet_buffer *buffer, ftl_account *account,
                                               size_t keep, size_t size, ftl_error *error);

#endif
