/* What pages of a Parquet file are compressed with. Not thread-safe. */
#ifndef FTL_TABLE_PARQUET_WRITE_PACK_H
#define FTL_TABLE_PARQUET_WRITE_PACK_H

#include "base/alloc.h"

/* Names of the codecs that are compiled in, ended by NULL; the first one is usual. */
extern const char *const ftl_parquet_codecs[];

typedef struct ftl_parquet_packer ftl_parquet_packer;

/* name: one of ftl_parquet_codecs. */
FTL_MUST_USE ftl_status ftl_parquet_packer_create(ftl_account *account, const char *name,
                                                  ftl_parquet_packer **out, ftl_error *error);
void ftl_parquet_packer_destroy(ftl_parquet_packer *packer); /* NULL is allowed */
/* The number in the file of a codec of that name. */
int32_t ftl_parquet_codec(const char *name);
/* Compresses a page; *out is the packer's (or data itself) until the next call. */
FTL_MUST_USE ftl_status ftl_parquet_pack(ftl_parquet_packer *packer, const void *data, size_t size,
                                         const void **out, size_t *out_size, ftl_error *error);

#endif
