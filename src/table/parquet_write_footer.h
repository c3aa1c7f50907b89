/* A Parquet file's metadata (apache/parquet-format, parquet.thrift) as it is written. Stateless. */
#ifndef FTL_TABLE_PARQUET_WRITE_FOOTER_H
#define FTL_TABLE_PARQUET_WRITE_FOOTER_H

#include "table/parquet_write_chunk.h"

/*
 * A chunk whose pages are packed, as a struct ColumnChunk. offset: where the first of them lies;
 * *unpacked: their bytes before they were.
 */
void ftl_parquet_put_chunk(ftl_thrift_writer *writer, const ftl_sink_column *column,
                           const ftl_parquet_chunk *chunk, int32_t codec, uint64_t offset,
                           uint64_t *unpacked);

/* What stands behind the rows; groups: n_groups structs RowGroup. */
void ftl_parquet_put_footer(const ftl_sink *sink, uint64_t rows, const ftl_strbuf *groups,
                            size_t n_groups, ftl_strbuf *out);

#endif
