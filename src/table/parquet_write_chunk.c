#include "table/parquet_write_chunk.h"

#include "table/parquet_write_encode.h"

#include <string.h>

void ftl_parquet_chunk_init(ftl_parquet_chunk *chunk, ftl_account *account, ftl_type type)
{
    *chunk = (ftl_parquet_chunk){.account = account, .type = type, .plain = type != FTL_STRING};
    ftl_parquet_range_init(&chunk->range, type);
    ftl_parquet_dictionary_init(&chunk->dictionary, account);
}

void ftl_parquet_chunk_clear(ftl_parquet_chunk *chunk)
{
    for (ftl_parquet_page *page = chunk->first, *next; page; page = next) {
        next = page->next;
        ftl_parquet_page_free(page);
    }
    ftl_parquet_page_free(chunk->dictionary_page);
    chunk->first = chunk->last = chunk->dictionary_page = NULL;
    chunk->rows = chunk->n_valid = chunk->size = 0;
    chunk->n_indices = chunk->n_plain = 0;
    chunk->rows_ended = 0;
    chunk->has_nulls = false;
    ftl_parquet_range_init(&chunk->range, chunk->type);
    ftl_parquet_dictionary_clear(&chunk->dictionary);
}

void ftl_parquet_chunk_free(ftl_parquet_chunk *chunk)
{
    ftl_parquet_chunk_clear(chunk);
    ftl_free(chunk->account, chunk->validity);
    ftl_free(chunk->account, chunk->values);
    ftl_free(chunk->account, chunk->indices);
    ftl_free(chunk->account, chunk->map);
    ftl_parquet_dictionary_free(&chunk->dictionary);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static void put_body(const ftl_parquet_chunk *chunk, bool indices, ftl_strbuf *body)
{
    ftl_parquet_put_levels(body, chunk->has_nulls ? chunk->validity : NULL, chunk->rows);
    if (indices)
        ftl_parquet_put_indices(body, chunk->indices, chunk->n_valid, chunk->dictionary.n);
    else if (chunk->type == FTL_BOOL)
        ftl_parquet_put_bools(body, chunk->values, chunk->n_valid);
    else
        ftl_strbuf_append(body, (const char *)chunk->values, chunk->size);
}

/* Completes the page that is being filled. One without texts has no indices to a dictionary. */
static ftl_status end_page(ftl_parquet_chunk *chunk, ftl_parquet_press *press, ftl_error *error)
{
    bool indices = !chunk->plain && chunk->dictionary.n > 0;
    ftl_parquet_page *page;
    if (chunk->rows == 0)
        return FTL_OK;
    if (chunk->type != FTL_STRING)
        ftl_parquet_range_numbers(&chunk->range, chunk->values, chunk->n_valid);
    chunk->range.nulls += chunk->rows - chunk->n_valid;
    put_body(chunk, indices, &press->body);
    FTL_TRY(ftl_parquet_press_put(press, false, chunk->rows,
                                  indices ? FTL_PARQUET_INDICES : FTL_PARQUET_PLAIN, &page, error));
    if (chunk->last)
        chunk->last->next = page;
    else
        chunk->first = page;
    chunk->last = page;
    if (indices)
        chunk->n_indices++;
    else
        chunk->n_plain++;
    chunk->rows_ended += chunk->rows;
    chunk->rows = chunk->n_valid = chunk->size = 0;
    chunk->has_nulls = false;
    return FTL_OK;
}

ftl_status ftl_parquet_chunk_end(ftl_parquet_chunk *chunk, ftl_parquet_press *press,
                                 ftl_error *error)
{
    const ftl_parquet_dictionary *dictionary = &chunk->dictionary;
    FTL_TRY(end_page(chunk, press, error));
    if (chunk->n_indices == 0)
        return FTL_OK;
    ftl_strbuf_append(&press->body, (const char *)dictionary->bytes, dictionary->size);
    return ftl_parquet_press_put(press, true, dictionary->n, FTL_PARQUET_PLAIN,
                                 &chunk->dictionary_page, error);
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

void ftl_parquet_cursor_skip(ftl_parquet_cursor *cursor, ftl_type type, size_t rows)
{
    const uint8_t *validity = cursor->part.validity;
    size_t n_valid = validity ? ftl_bits_count(validity, cursor->row, rows) : rows;
    if (type != FTL_STRING)
        cursor->at += n_valid * ftl_parquet_width(type);
    for (size_t i = 0; type == FTL_STRING && !cursor->part.distinct && i < n_valid; i++)
        cursor->at += FTL_PARQUET_PREFIX + ftl_parquet_text_size(cursor->part.values + cursor->at);
    cursor->row += rows;
    cursor->n_valid += n_valid;
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

static ftl_status take_texts(ftl_parquet_chunk *chunk, ftl_parquet_press *press,
                             ftl_parquet_cursor *cursor, size_t n, ftl_error *error)
{
    bool full = false;
    if (chunk->plain)
        return cursor->part.distinct ? take_distinct(chunk, cursor, n, error)
                                     : take_plain(chunk, cursor, n, error);
    FTL_TRY(take_indices(chunk, cursor, n, &full, error));
    if (!full)
        return FTL_OK;
    FTL_TRY(end_page(chunk, press, error));
    chunk->plain = true;
    return FTL_OK;
}

ftl_status ftl_parquet_chunk_take(ftl_parquet_chunk *chunk, ftl_parquet_press *press,
                                  ftl_parquet_cursor *cursor, size_t n, ftl_error *error)
{
    for (size_t end = cursor->row + n; cursor->row < end;) {
        size_t room = FTL_PARQUET_PAGE_ROWS - chunk->rows, left = end - cursor->row;
        size_t part = left < room ? left : room;
        FTL_TRY(chunk->type == FTL_STRING ? take_texts(chunk, press, cursor, part, error)
                                          : take_numbers(chunk, cursor, part, error));
        bool full = chunk->rows == FTL_PARQUET_PAGE_ROWS ||
                    (chunk->type == FTL_STRING && chunk->size >= FTL_PARQUET_PAGE_BYTES);
        if (full)
            FTL_TRY(end_page(chunk, press, error));
    }
    return FTL_OK;
}
