/* A Parquet file's metadata (apache/parquet-format, parquet.thrift) as it is written. Stateless. */
#ifndef FTL_TABLE_PARQUET_WRITE_FOOTER_H
#define FTL_TABLE_PARQUET_WRITE_FOOTER_H

#include "table/parquet_write_chunk.h"

/* Where a chunk lies, and as what: one struct ColumnChunk. offset: of its first page. */
void ftl_parquet_put_chunk(ftl_thrift_writer *writer, const ftl_sink_column *column,
                           const ftl_parquet_chunk *chunk, int32_t codec, uint64_t offset);

/* What stands behind the rows; groups: n_groups structs RowGroup. */
void ftl_parquet_put_footer(const ftl_sink *sink, uint64_t rows, const ftl_strbuf *groups,
                            size_t n_groups, ftl_strbuf *out);

#endif
