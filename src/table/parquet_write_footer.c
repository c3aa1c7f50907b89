#include "table/parquet_write_footer.h"

#include <string.h>

/* enum Type */
enum { TYPE_BOOLEAN = 0, TYPE_INT64 = 2, TYPE_FLOAT = 4, TYPE_DOUBLE = 5, TYPE_BYTE_ARRAY = 6 };
enum { OPTIONAL = 1 };                               /* FieldRepetitionType */
enum { CONVERTED_UTF8 = 0, CONVERTED_UINT_64 = 14 }; /* ConvertedType */
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };         /* PageType */

static int32_t physical_type(ftl_type type)
{
    switch (type) {
    case FTL_F64:
        return TYPE_DOUBLE;
    case FTL_F32:
        return TYPE_FLOAT;
    case FTL_BOOL:
        return TYPE_BOOLEAN;
    case FTL_STRING:
        return TYPE_BYTE_ARRAY;
    default:
        return TYPE_INT64;
    }
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

static void put_encoding_stats(ftl_thrift_writer *writer, int32_t page, int32_t encoding,
                               int32_t count)
{
    if (count == 0)
        return;
    ftl_thrift_put_item(writer);
    ftl_thrift_put_i32(writer, 1, page);
    ftl_thrift_put_i32(writer, 2, encoding);
    ftl_thrift_put_i32(writer, 3, count);
    ftl_thrift_put_end(writer);
}

/* What a chunk's pages take, headers included. */
typedef struct totals {
    uint64_t unpacked, packed;
} totals;

static void add_page(totals *sum, const ftl_parquet_page *page)
{
    sum->unpacked += page->header + page->unpacked;
    sum->packed += page->size;
}

static totals totals_of(const ftl_parquet_chunk *chunk)
{
    totals sum = {0};
    if (chunk->dictionary_page)
        add_page(&sum, chunk->dictionary_page);
    for (const ftl_parquet_page *page = chunk->first; page; page = page->next)
        add_page(&sum, page);
    return sum;
}

static void put_metadata(ftl_thrift_writer *writer, const ftl_sink_column *column,
                         const ftl_parquet_chunk *chunk, int32_t codec, uint64_t offset,
                         const totals *sum)
{
    static const int32_t encodings[] = {FTL_PARQUET_PLAIN, FTL_PARQUET_RLE, FTL_PARQUET_INDICES};
    const ftl_parquet_page *dictionary = chunk->dictionary_page;
    const int32_t n_dictionaries = dictionary ? 1 : 0;
    const int32_t kinds = n_dictionaries + (chunk->n_indices > 0) + (chunk->n_plain > 0);
    ftl_thrift_put_i32(writer, 1, physical_type(column->type));
    ftl_thrift_put_i32s(writer, 2, encodings, chunk->n_indices ? 3 : 2);
    ftl_thrift_put_lone_text(writer, 3, column->name, strlen(column->name));
    ftl_thrift_put_i32(writer, 4, codec);
    ftl_thrift_put_i64(writer, 5, (int64_t)chunk->rows_ended);
    ftl_thrift_put_i64(writer, 6, (int64_t)sum->unpacked);
    ftl_thrift_put_i64(writer, 7, (int64_t)sum->packed);
    ftl_thrift_put_i64(writer, 9, (int64_t)(offset + (dictionary ? dictionary->size : 0)));
    if (dictionary)
        ftl_thrift_put_i64(writer, 11, (int64_t)offset);
    ftl_parquet_range_write(&chunk->range, writer, 12);
    ftl_thrift_put_structs(writer, 13, (size_t)kinds);
    put_encoding_stats(writer, PAGE_DICTIONARY, FTL_PARQUET_PLAIN, n_dictionaries);
    put_encoding_stats(writer, PAGE_DATA, FTL_PARQUET_INDICES, chunk->n_indices);
    put_encoding_stats(writer, PAGE_DATA, FTL_PARQUET_PLAIN, chunk->n_plain);
}

void ftl_parquet_put_chunk(ftl_thrift_writer *writer, const ftl_sink_column *column,
                           const ftl_parquet_chunk *chunk, int32_t codec, uint64_t offset,
                           uint64_t *unpacked)
{
    const totals sum = totals_of(chunk);
    *unpacked = sum.unpacked;
    ftl_thrift_put_item(writer);
    ftl_thrift_put_i64(writer, 2, 0); /* no metadata elsewhere */
    ftl_thrift_put_struct(writer, 3);
    put_metadata(writer, column, chunk, codec, offset, &sum);
    ftl_thrift_put_end(writer);
    ftl_thrift_put_end(writer);
}

/* ---- The footer ------------------------------------------------------------------------------ */

static void put_column(ftl_thrift_writer *writer, const ftl_sink_column *column)
{
    ftl_thrift_put_item(writer);
    ftl_thrift_put_i32(writer, 1, physical_type(column->type));
    ftl_thrift_put_i32(writer, 3, OPTIONAL);
    ftl_thrift_put_text(writer, 4, column->name, strlen(column->name));
    if (column->type == FTL_STRING) {
        ftl_thrift_put_i32(writer, 6, CONVERTED_UTF8);
        ftl_thrift_put_struct(writer, 10);
        ftl_thrift_put_struct(writer, 1); /* STRING */
        ftl_thrift_put_end(writer);
        ftl_thrift_put_end(writer);
    } else if (column->type == FTL_U64) {
        ftl_thrift_put_i32(writer, 6, CONVERTED_UINT_64);
        ftl_thrift_put_struct(writer, 10);
        ftl_thrift_put_struct(writer, 10); /* INTEGER */
        ftl_thrift_put_i8(writer, 1, 64);
        ftl_thrift_put_bool(writer, 2, false);
        ftl_thrift_put_end(writer);
        ftl_thrift_put_end(writer);
    }
    ftl_thrift_put_end(writer);
}

static void put_schema(ftl_thrift_writer *writer, const ftl_sink *sink)
{
    static const char root[] = "schema";
    ftl_thrift_put_structs(writer, 2, sink->n_columns + 1);
    ftl_thrift_put_item(writer);
    ftl_thrift_put_text(writer, 4, root, sizeof root - 1);
    ftl_thrift_put_i32(writer, 5, (int32_t)sink->n_columns);
    ftl_thrift_put_end(writer);
    for (size_t i = 0; i < sink->n_columns; i++)
        put_column(writer, &sink->columns[i]);
}

void ftl_parquet_put_footer(const ftl_sink *sink, uint64_t rows, const ftl_strbuf *groups,
                            size_t n_groups, ftl_strbuf *out)
{
    static const char created_by[] = "foretell version " FTL_VERSION_STRING;
    ftl_thrift_writer writer;
    ftl_thrift_begin_write(&writer, out);
    ftl_thrift_put_i32(&writer, 1, 1); /* the version that all readers take */
    put_schema(&writer, sink);
    ftl_thrift_put_i64(&writer, 3, (int64_t)rows);
    ftl_thrift_put_structs(&writer, 4, n_groups);
    ftl_strbuf_append(out, groups->data, groups->size);
    ftl_thrift_put_text(&writer, 6, created_by, sizeof created_by - 1);
    ftl_thrift_put_structs(&writer, 7, sink->n_columns);
    for (size_t i = 0; i < sink->n_columns; i++) {
        ftl_thrift_put_item(&writer);
        ftl_thrift_put_struct(&writer, 1); /* the type's own order */
        ftl_thrift_put_end(&writer);
        ftl_thrift_put_end(&writer);
    }
    ftl_thrift_put_end(&writer);
}
