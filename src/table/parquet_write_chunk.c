#include "table/parquet_write_chunk.h"

#include "table/parquet_write_encode.h"

#include <limits.h>
#include <string.h>

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };                         /* PageType */
enum { ENCODING_PLAIN = 0, ENCODING_RLE = 3, ENCODING_INDICES = 8 }; /* Encoding */

void ftl_parquet_chunk_init(ftl_parquet_chunk *chunk, ftl_account *account, ftl_type type)
{
    *chunk = (ftl_parquet_chunk){.account = account, .type = type, .plain = type != FTL_STRING};
    ftl_parquet_range_init(&chunk->range, type);
    ftl_parquet_dictionary_init(&chunk->dictionary, account);
}

void ftl_parquet_chunk_clear(ftl_parquet_chunk *chunk)
{
    for (size_t i = 0; i < chunk->n_pages; i++)
        ftl_free(chunk->account, chunk->pages[i].bytes);
    chunk->n_pages = chunk->rows = chunk->n_valid = chunk->size = 0;
    chunk->has_nulls = false;
    chunk->totals = (ftl_parquet_totals){0};
    ftl_parquet_range_init(&chunk->range, chunk->type);
    ftl_parquet_dictionary_clear(&chunk->dictionary);
}

void ftl_parquet_chunk_free(ftl_parquet_chunk *chunk)
{
    ftl_parquet_chunk_clear(chunk);
    ftl_free(chunk->account, chunk->pages);
    ftl_free(chunk->account, chunk->validity);
    ftl_free(chunk->account, chunk->values);
    ftl_free(chunk->account, chunk->indices);
    ftl_free(chunk->account, chunk->map);
    ftl_parquet_dictionary_free(&chunk->dictionary);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static bool has_indices(const ftl_parquet_chunk *chunk)
{
    return !chunk->plain && chunk->dictionary.n > 0;
}

static void put_header(ftl_strbuf *out, const ftl_parquet_chunk *chunk, size_t unpacked,
                       size_t packed, bool dictionary)
{
    ftl_thrift_writer writer;
    ftl_thrift_begin_write(&writer, out);
    ftl_thrift_put_i32(&writer, 1, dictionary ? PAGE_DICTIONARY : PAGE_DATA);
    ftl_thrift_put_i32(&writer, 2, (int32_t)unpacked);
    ftl_thrift_put_i32(&writer, 3, (int32_t)packed);
    if (dictionary) {
        ftl_thrift_put_struct(&writer, 7);
        ftl_thrift_put_i32(&writer, 1, (int32_t)chunk->dictionary.n);
        ftl_thrift_put_i32(&writer, 2, ENCODING_PLAIN);
    } else {
        ftl_thrift_put_struct(&writer, 5);
        ftl_thrift_put_i32(&writer, 1, (int32_t)chunk->rows);
        ftl_thrift_put_i32(&writer, 2, has_indices(chunk) ? ENCODING_INDICES : ENCODING_PLAIN);
        ftl_thrift_put_i32(&writer, 3, ENCODING_RLE);
        ftl_thrift_put_i32(&writer, 4, ENCODING_RLE);
    }
    ftl_thrift_put_end(&writer);
    ftl_thrift_put_end(&writer);
}

/* Compresses tools->body, which becomes a page with its header. */
static ftl_status make_page(ftl_parquet_chunk *chunk, ftl_parquet_tools *tools, bool dictionary,
                            ftl_parquet_page *page, ftl_error *error)
{
    const void *packed;
    size_t size, unpacked = tools->body.size;
    if (tools->body.failed)
        return FTL_OOM(error);
    if (unpacked > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a page of more than 2 GiB, which Parquet cannot hold");
    FTL_TRY(ftl_parquet_pack(tools->packer, tools->body.data, unpacked, &packed, &size, error));
    if (size > INT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a page of more than 2 GiB, which Parquet cannot hold");
    ftl_strbuf_clear(&tools->header);
    put_header(&tools->header, chunk, unpacked, size, dictionary);
    if (tools->header.failed)
        return FTL_OOM(error);
    size_t header = tools->header.size;
    uint8_t *bytes = ftl_alloc(chunk->account, header + size);
    if (!bytes)
        return FTL_OOM(error);
    memcpy(bytes, tools->header.data, header);
    memcpy(bytes + header, packed, size);
    *page = (ftl_parquet_page){.bytes = bytes, .size = header + size};
    chunk->totals.unpacked += header + unpacked;
    chunk->totals.packed += header + size;
    return FTL_OK;
}

/* Completes the page that is being filled. */
static ftl_status end_page(ftl_parquet_chunk *chunk, ftl_parquet_tools *tools, ftl_error *error)
{
    if (chunk->rows == 0)
        return FTL_OK;
    FTL_TRY(ftl_grow(chunk->account, &chunk->pages, &chunk->pages_room, chunk->n_pages + 1,
                     sizeof *chunk->pages, error));
    if (chunk->type != FTL_STRING)
        ftl_parquet_range_numbers(&chunk->range, chunk->values, chunk->n_valid);
    chunk->range.nulls += chunk->rows - chunk->n_valid;
    ftl_strbuf *body = &tools->body;
    ftl_strbuf_clear(body);
    ftl_parquet_put_levels(body, chunk->has_nulls ? chunk->validity : NULL, chunk->rows);
    if (has_indices(chunk))
        ftl_parquet_put_indices(body, chunk->indices, chunk->n_valid, chunk->dictionary.n);
    else if (chunk->type == FTL_BOOL)
        ftl_parquet_put_bools(body, chunk->values, chunk->n_valid);
    else
        ftl_strbuf_append(body, (const char *)chunk->values, chunk->size);
    FTL_TRY(make_page(chunk, tools, false, &chunk->pages[chunk->n_pages], error));
    chunk->n_pages++;
    chunk->totals.rows += chunk->rows;
    if (has_indices(chunk))
        chunk->totals.indices++;
    else
        chunk->totals.plain++;
    chunk->rows = chunk->n_valid = chunk->size = 0;
    chunk->has_nulls = false;
    return FTL_OK;
}

ftl_status ftl_parquet_chunk_end(ftl_parquet_chunk *chunk, ftl_parquet_tools *tools,
                                 ftl_parquet_page *dictionary, ftl_error *error)
{
    *dictionary = (ftl_parquet_page){0};
    FTL_TRY(end_page(chunk, tools, error));
    if (chunk->totals.indices == 0)
        return FTL_OK;
    ftl_strbuf_clear(&tools->body);
    ftl_strbuf_append(&tools->body, (const char *)chunk->dictionary.bytes, chunk->dictionary.size);
    FTL_TRY(make_page(chunk, tools, true, dictionary, error));
    chunk->totals.dictionary_bytes = dictionary->size;
    chunk->totals.dictionary_pages = 1;
    return FTL_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

ftl_status ftl_parquet_chunk_begin(ftl_parquet_chunk *chunk, const ftl_parquet_cursor *cursor,
                                   ftl_error *error)
{
    size_t n = cursor->part.n_entries;
    if (!cursor->part.distinct || chunk->plain || n == 0)
        return FTL_OK;
    FTL_TRY(ftl_grow(chunk->account, &chunk->map, &chunk->map_room, n, sizeof *chunk->map, error));
    memset(chunk->map, 0xff, n * sizeof *chunk->map);
    return FTL_OK;
}

static bool is_valid(const ftl_parquet_cursor *cursor, size_t row)
{
    const uint8_t *validity = cursor->part.validity;
    return !validity || (validity[row / 8] >> row % 8 & 1);
}

/* The page has n rows more, of which so many are not null; validity is those of the piece. */
static ftl_status add_rows(ftl_parquet_chunk *chunk, ftl_parquet_cursor *cursor, size_t n,
                           size_t n_valid, ftl_error *error)
{
    if (n_valid < n || chunk->has_nulls) {
        FTL_TRY(ftl_grow(chunk->account, &chunk->validity, &chunk->validity_room,
                         FTL_PARQUET_PAGE_ROWS / 8, 1, error));
        if (!chunk->has_nulls)
            ftl_bits_fill(chunk->validity, 0, chunk->rows);
        if (cursor->part.validity)
            ftl_bits_copy(chunk->validity, chunk->rows, cursor->part.validity, cursor->row, n);
        else
            ftl_bits_fill(chunk->validity, chunk->rows, n);
        chunk->has_nulls = true;
    }
    cursor->row += n;
    cursor->n_valid += n_valid;
    chunk->rows += n;
    chunk->n_valid += n_valid;
    return FTL_OK;
}

static ftl_status add_bytes(ftl_parquet_chunk *chunk, const uint8_t *bytes, size_t size,
                            ftl_error *error)
{
    FTL_TRY(ftl_grow(chunk->account, &chunk->values, &chunk->values_room, chunk->size + size + 1, 1,
                     error));
    memcpy(chunk->values + chunk->size, bytes, size);
    chunk->size += size;
    return FTL_OK;
}

static ftl_status take_numbers(ftl_parquet_chunk *chunk, ftl_parquet_cursor *cursor, size_t n,
                               ftl_error *error)
{
    size_t width = ftl_parquet_width(chunk->type);
    const ftl_parquet_part *part = &cursor->part;
    size_t n_valid = part->validity ? ftl_bits_count(part->validity, cursor->row, n) : n;
    FTL_TRY(add_bytes(chunk, part->values + cursor->at, n_valid * width, error));
    cursor->at += n_valid * width;
    return add_rows(chunk, cursor, n, n_valid, error);
}

/* Up to n rows, until the page is full. */
static ftl_status take_plain(ftl_parquet_chunk *chunk, ftl_parquet_cursor *cursor, size_t n,
                             ftl_error *error)
{
    const uint8_t *from = cursor->part.values + cursor->at, *at = from;
    const size_t room = FTL_PARQUET_PAGE_BYTES - chunk->size;
    size_t done = 0, n_valid = 0;
    for (; done < n && (size_t)(at - from) < room; done++) {
        if (!is_valid(cursor, cursor->row + done))
            continue;
        size_t size = ftl_parquet_text_size(at);
        ftl_parquet_range_text(&chunk->range, at + FTL_PARQUET_PREFIX, size);
        at += FTL_PARQUET_PREFIX + size;
        n_valid++;
    }
    FTL_TRY(add_bytes(chunk, from, (size_t)(at - from), error));
    cursor->at += (size_t)(at - from);
    return add_rows(chunk, cursor, done, n_valid, error);
}

/* The same where the piece has indices: it was made before the dictionary was given up. */
static ftl_status take_distinct(ftl_parquet_chunk *chunk, ftl_parquet_cursor *cursor, size_t n,
                                ftl_error *error)
{
    const ftl_parquet_part *part = &cursor->part;
    size_t done = 0, n_valid = 0;
    for (; done < n && chunk->size < FTL_PARQUET_PAGE_BYTES; done++) {
        if (!is_valid(cursor, cursor->row + done))
            continue;
        const uint8_t *at = part->values + part->at[part->indices[cursor->n_valid + n_valid++]];
        size_t size = ftl_parquet_text_size(at);
        ftl_parquet_range_text(&chunk->range, at + FTL_PARQUET_PREFIX, size);
        FTL_TRY(add_bytes(chunk, at, FTL_PARQUET_PREFIX + size, error));
    }
    return add_rows(chunk, cursor, done, n_valid, error);
}

/* The dictionary's index of an entry of the piece; UINT32_MAX when the dictionary is full. */
static ftl_status look_up(ftl_parquet_chunk *chunk, const ftl_parquet_part *part, uint32_t entry,
                          uint32_t *index, ftl_error *error)
{
    *index = chunk->map[entry];
    if (*index != UINT32_MAX)
        return FTL_OK;
    const uint8_t *at = part->values + part->at[entry];
    size_t before = chunk->dictionary.n, size = ftl_parquet_text_size(at);
    FTL_TRY(ftl_parquet_dictionary_put(&chunk->dictionary, part->hashes[entry],
                                       at + FTL_PARQUET_PREFIX, size, FTL_PARQUET_DICTIONARY_BYTES,
                                       index, error));
    if (chunk->dictionary.n > before)
        ftl_parquet_range_text(&chunk->range, at + FTL_PARQUET_PREFIX, size);
    chunk->map[entry] = *index;
    return FTL_OK;
}

/* Up to n rows, until the dictionary is full. */
static ftl_status take_indices(ftl_parquet_chunk *chunk, ftl_parquet_cursor *cursor, size_t n,
                               bool *full, ftl_error *error)
{
    const ftl_parquet_part *part = &cursor->part;
    size_t done = 0, n_valid = 0;
    FTL_TRY(ftl_grow(chunk->account, &chunk->indices, &chunk->indices_room, chunk->n_valid + n,
                     sizeof *chunk->indices, error));
    for (; done < n && !*full; done++) {
        if (!is_valid(cursor, cursor->row + done))
            continue;
        uint32_t index;
        FTL_TRY(look_up(chunk, part, part->indices[cursor->n_valid + n_valid], &index, error));
        *full = index == UINT32_MAX;
        if (*full)
            break;
        chunk->indices[chunk->n_valid + n_valid++] = index;
    }
    return add_rows(chunk, cursor, done, n_valid, error);
}

static ftl_status take_texts(ftl_parquet_chunk *chunk, ftl_parquet_tools *tools,
                             ftl_parquet_cursor *cursor, size_t n, ftl_error *error)
{
    bool full = false;
    if (chunk->plain)
        return cursor->part.distinct ? take_distinct(chunk, cursor, n, error)
                                     : take_plain(chunk, cursor, n, error);
    FTL_TRY(take_indices(chunk, cursor, n, &full, error));
    if (!full)
        return FTL_OK;
    FTL_TRY(end_page(chunk, tools, error));
    chunk->plain = true;
    return FTL_OK;
}

ftl_status ftl_parquet_chunk_take(ftl_parquet_chunk *chunk, ftl_parquet_tools *tools,
                                  ftl_parquet_cursor *cursor, size_t n, ftl_error *error)
{
    for (size_t end = cursor->row + n; cursor->row < end;) {
        size_t room = FTL_PARQUET_PAGE_ROWS - chunk->rows, left = end - cursor->row;
        size_t part = left < room ? left : room;
        FTL_TRY(chunk->type == FTL_STRING ? take_texts(chunk, tools, cursor, part, error)
                                          : take_numbers(chunk, cursor, part, error));
        bool full = chunk->rows == FTL_PARQUET_PAGE_ROWS ||
                    (chunk->type == FTL_STRING && chunk->size >= FTL_PARQUET_PAGE_BYTES);
        if (full)
            FTL_TRY(end_page(chunk, tools, error));
    }
    return FTL_OK;
}
