/* Bytes in, a gzip file (RFC 1952) out, in pieces. One thread at a time. */
#ifndef FTL_TABLE_GZIP_WRITER_H
#define FTL_TABLE_GZIP_WRITER_H

#include "base/alloc.h"

typedef struct ftl_gzip_writer ftl_gzip_writer;

/* Takes what was packed. */
typedef ftl_status (*ftl_gzip_emit_fn)(void *user, const void *data, size_t size, ftl_error *error);

/* Memory is the account's. UNSUPPORTED when this build has no zlib. */
FTL_MUST_USE ftl_status ftl_gzip_writer_create(ftl_account *account, ftl_gzip_writer **out,
                                               ftl_error *error);
/* last: nothing follows, and the file is complete. */
FTL_MUST_USE ftl_status ftl_gzip_writer_write(ftl_gzip_writer *writer, const void *data,
                                              size_t size, bool last, ftl_gzip_emit_fn emit,
                                              void *user, ftl_error *error);
void ftl_gzip_writer_destroy(ftl_gzip_writer *writer); /* NULL is allowed */

#endif
