#include "table/parquet_write_piece.h"

#include "base/column.h"
#include "base/utf8.h"

#include <string.h>

typedef struct piece_head {
    uint64_t size, rows;
} piece_head;

typedef struct part_head {
    uint64_t rows, n_valid;
    size_t size; /* of values */
    uint64_t distinct, n_entries;
} part_head;

static size_t padded(size_t size) { return (size + 7) & ~(size_t)7; }

/* Room for a part, with zeros behind it up to the next whole eight bytes. */
static void *put_part(ftl_strbuf *out, size_t size)
{
    char *at = ftl_strbuf_extend(out, padded(size));
    if (at)
        memset(at + size, 0, padded(size) - size);
    return at;
}

/* The rows of a batch that are written. */
typedef struct rows {
    const ftl_sink *sink;
    const ftl_batch *batch;
    const uint8_t *skip;
    size_t kept;
} rows;

static bool is_skipped(const rows *r, size_t row) { return r->skip && r->skip[row]; }

static bool has_text(const ftl_sink *sink)
{
    for (size_t i = 0; i < sink->n_columns; i++) {
        if (sink->columns[i].type == FTL_STRING)
            return true;
    }
    return false;
}

/* ---- Making: what all columns have ----------------------------------------------------------- */

/* Adds the sizes of a column's texts to those of each row. */
static void add_sizes(const rows *r, const ftl_column *column, uint32_t *bytes)
{
    const uint32_t *offsets = column->offsets;
    if (!r->skip && !column->validity) {
        for (size_t row = 0; row < r->batch->rows; row++)
            bytes[row] += offsets[row + 1] - offsets[row];
        return;
    }
    for (size_t row = 0, n = 0; row < r->batch->rows; row++) {
        if (is_skipped(r, row))
            continue;
        if (ftl_column_is_valid(column, row))
            bytes[n] += offsets[row + 1] - offsets[row];
        n++;
    }
}

static void put_text_bytes(const rows *r, ftl_strbuf *out)
{
    uint32_t *bytes = put_part(out, r->kept * sizeof *bytes);
    if (!bytes)
        return;
    memset(bytes, 0, r->kept * sizeof *bytes);
    for (size_t i = 0; i < r->sink->n_columns; i++) {
        if (r->sink->columns[i].type == FTL_STRING)
            add_sizes(r, &r->batch->columns[i], bytes);
    }
}

static size_t count_valid(const rows *r, const ftl_column *column)
{
    size_t n = 0;
    if (!column->validity)
        return r->kept;
    for (size_t row = 0; row < r->batch->rows; row++)
        n += !is_skipped(r, row) && ftl_column_is_valid(column, row);
    return n;
}

static void put_validity(const rows *r, const ftl_column *column, ftl_strbuf *out)
{
    size_t size = (r->kept + 7) / 8, n = 0;
    uint8_t *bits = put_part(out, size);
    if (!bits)
        return;
    memset(bits, 0, size);
    for (size_t row = 0; row < r->batch->rows; row++) {
        if (is_skipped(r, row))
            continue;
        bits[n / 8] = (uint8_t)(bits[n / 8] | (unsigned)ftl_column_is_valid(column, row) << n % 8);
        n++;
    }
}

/* ---- Making: numbers ------------------------------------------------------------------------- */

static void put_numbers(const rows *r, const ftl_column *column, size_t n_valid, ftl_strbuf *out)
{
    size_t width = ftl_parquet_width(column->type);
    bool whole = n_valid == r->batch->rows;
    uint8_t *to = put_part(out, n_valid * width);
    if (!to || n_valid == 0)
        return;
    if (whole && ftl_column_step(column, column->type) == (ptrdiff_t)width) {
        memcpy(to, column->values, n_valid * width);
        return;
    }
    for (size_t row = 0; row < r->batch->rows; row++) {
        if (is_skipped(r, row) || !ftl_column_is_valid(column, row))
            continue;
        const void *from = ftl_column_at(column, row, width);
        if (width == 8)
            memcpy(to, from, 8);
        else if (width == 4)
            memcpy(to, from, 4);
        else
            *to = *(const uint8_t *)from;
        to += width;
    }
}

/* ---- Making: texts --------------------------------------------------------------------------- */

static ftl_status check_text(const ftl_sink_column *about, const char *text, size_t size,
                             ftl_error *error)
{
    if (ftl_utf8_ascii_prefix(text, size) == size || ftl_utf8_valid(text, size))
        return FTL_OK;
    return FTL_FAIL(error, FTL_VALUE,
                    "column '%s' has a text that is not UTF-8, which Parquet cannot hold; leave "
                    "the column out or write CSV",
                    about->name);
}

/*
 * Whether all texts of a batch are UTF-8: their bytes in one go, and none begins inside of a
 * character. False: they have to be looked at one by one.
 */
static bool are_utf8(const ftl_column *column, size_t n_rows)
{
    size_t from = column->offsets[0], size = column->offsets[n_rows] - from;
    const char *texts = column->values;
    if (size == 0 || ftl_utf8_ascii_prefix(texts + from, size) == size)
        return true;
    if (!ftl_utf8_valid(texts + from, size))
        return false;
    for (size_t row = 1; row < n_rows; row++) {
        if (column->offsets[row] < from + size && (texts[column->offsets[row]] & 0xc0) == 0x80)
            return false;
    }
    return true;
}

static size_t count_bytes(const rows *r, const ftl_column *column)
{
    size_t bytes = 0;
    for (size_t row = 0; row < r->batch->rows; row++) {
        if (!is_skipped(r, row) && ftl_column_is_valid(column, row))
            bytes += column->offsets[row + 1] - column->offsets[row];
    }
    return bytes;
}

/*
 * Copies a text of up to 16 bytes, mostly, as 16 bytes where so many can be read; behind `to` is
 * room for so many.
 */
static void copy_text(char *to, const char *text, size_t size, const char *end)
{
    enum { USUAL = 16 };
    if (FTL_LIKELY(size <= USUAL && end - text >= USUAL))
        memcpy(to, text, USUAL);
    else if (size)
        memcpy(to, text, size);
}

static ftl_status put_plain(const rows *r, const ftl_column *column, const ftl_sink_column *about,
                            size_t n_valid, size_t *bytes, ftl_strbuf *out, ftl_error *error)
{
    enum { SLACK = 16 };
    *bytes = 0;
    if (n_valid == 0)
        return FTL_OK;
    const char *texts = column->values ? column->values : "";
    const char *end = texts + column->offsets[r->batch->rows];
    bool checked = are_utf8(column, r->batch->rows);
    *bytes = count_bytes(r, column) + n_valid * FTL_PARQUET_PREFIX;
    char *to = ftl_strbuf_extend(out, padded(*bytes) + SLACK);
    if (!to)
        return FTL_OOM(error);
    out->size -= SLACK;
    for (size_t row = 0; row < r->batch->rows; row++) {
        if (is_skipped(r, row) || !ftl_column_is_valid(column, row))
            continue;
        const char *text = texts + column->offsets[row];
        uint32_t size = column->offsets[row + 1] - column->offsets[row];
        if (!checked)
            FTL_TRY(check_text(about, text, size, error));
        memcpy(to, &size, sizeof size);
        copy_text(to + FTL_PARQUET_PREFIX, text, size, end);
        to += FTL_PARQUET_PREFIX + size;
    }
    memset(to, 0, padded(*bytes) - *bytes);
    return FTL_OK;
}

/* Fills the indices, whose place is in out, and the dictionary. */
static ftl_status tell_apart(const rows *r, const ftl_column *column, const ftl_sink_column *about,
                             ftl_parquet_dictionary *dictionary, uint32_t *indices,
                             ftl_error *error)
{
    uint64_t seed = ftl_hash_seed();
    for (size_t row = 0; row < r->batch->rows; row++) {
        if (is_skipped(r, row) || !ftl_column_is_valid(column, row))
            continue;
        uint32_t size = column->offsets[row + 1] - column->offsets[row];
        const char *text = size ? (const char *)column->values + column->offsets[row] : "";
        size_t before = dictionary->n;
        FTL_TRY(ftl_parquet_dictionary_put(dictionary, ftl_hash_bytes(seed, text, size), text, size,
                                           SIZE_MAX, indices, error));
        if (dictionary->n > before)
            FTL_TRY(check_text(about, text, size, error));
        indices++;
    }
    return FTL_OK;
}

static ftl_status put_distinct(const rows *r, const ftl_column *column,
                               const ftl_sink_column *about, size_t n_valid,
                               ftl_parquet_dictionary *dictionary, ftl_strbuf *out,
                               ftl_error *error)
{
    ftl_parquet_dictionary_clear(dictionary);
    uint32_t *indices = put_part(out, n_valid * sizeof *indices);
    if (!indices)
        return FTL_OOM(error);
    FTL_TRY(tell_apart(r, column, about, dictionary, indices, error));
    uint64_t *hashes = put_part(out, dictionary->n * sizeof *hashes);
    for (size_t i = 0; hashes && i < dictionary->n; i++)
        hashes[i] = dictionary->entries[i].hash;
    uint32_t *at = put_part(out, dictionary->n * sizeof *at);
    for (size_t i = 0; at && i < dictionary->n; i++)
        at[i] = (uint32_t)dictionary->entries[i].at;
    uint8_t *bytes = put_part(out, dictionary->size);
    if (!bytes)
        return FTL_OOM(error);
    if (dictionary->size)
        memcpy(bytes, dictionary->bytes, dictionary->size);
    return FTL_OK;
}

/* ---- Making: all of it ----------------------------------------------------------------------- */

static ftl_status put_column(const rows *r, size_t i, bool plain,
                             ftl_parquet_dictionary *dictionary, ftl_strbuf *out, ftl_error *error)
{
    const ftl_column *column = &r->batch->columns[i];
    const ftl_sink_column *about = &r->sink->columns[i];
    part_head head = {.rows = r->kept, .n_valid = count_valid(r, column)};
    size_t place = out->size;
    if (!ftl_strbuf_extend(out, sizeof head))
        return FTL_OOM(error);
    if (head.n_valid < head.rows)
        put_validity(r, column, out);
    if (column->type != FTL_STRING) {
        put_numbers(r, column, head.n_valid, out);
        head.size = head.n_valid * ftl_parquet_width(column->type);
    } else if (plain) {
        FTL_TRY(put_plain(r, column, about, head.n_valid, &head.size, out, error));
    } else {
        FTL_TRY(put_distinct(r, column, about, head.n_valid, dictionary, out, error));
        head.distinct = 1;
        head.n_entries = dictionary->n;
        head.size = dictionary->size;
    }
    if (out->failed)
        return FTL_OOM(error);
    memcpy(out->data + place, &head, sizeof head);
    return FTL_OK;
}

ftl_status ftl_parquet_put_piece(const ftl_sink *sink, const ftl_batch *batch, const uint8_t *skip,
                                 const atomic_bool *plain, ftl_strbuf *out, ftl_error *error)
{
    rows r = {.sink = sink, .batch = batch, .skip = skip, .kept = batch->rows};
    for (size_t row = 0; skip && row < batch->rows; row++)
        r.kept -= skip[row] != 0;
    size_t place = out->size;
    if (!ftl_strbuf_extend(out, sizeof(piece_head)))
        return FTL_OOM(error);
    if (has_text(sink))
        put_text_bytes(&r, out);
    ftl_parquet_dictionary dictionary;
    ftl_parquet_dictionary_init(&dictionary, sink->account);
    ftl_status status = FTL_OK;
    for (size_t i = 0; status == FTL_OK && i < sink->n_columns; i++)
        status = put_column(&r, i, atomic_load_explicit(&plain[i], memory_order_relaxed),
                            &dictionary, out, error);
    ftl_parquet_dictionary_free(&dictionary);
    FTL_TRY(status);
    const piece_head head = {.size = out->size - place, .rows = r.kept};
    memcpy(out->data + place, &head, sizeof head);
    return FTL_OK;
}

/* ---- Taking apart ---------------------------------------------------------------------------- */

static const void *get_part(ftl_parquet_piece *piece, size_t size)
{
    const void *at = piece->next;
    piece->next += padded(size);
    return at;
}

size_t ftl_parquet_get_piece(const ftl_sink *sink, const void *data, ftl_parquet_piece *piece)
{
    piece_head head;
    memcpy(&head, data, sizeof head);
    *piece = (ftl_parquet_piece){.rows = head.rows, .next = (const uint8_t *)data + sizeof head};
    if (has_text(sink))
        piece->text_bytes = get_part(piece, piece->rows * sizeof *piece->text_bytes);
    return head.size;
}

void ftl_parquet_get_part(ftl_parquet_piece *piece, ftl_parquet_part *part)
{
    part_head head;
    memcpy(&head, get_part(piece, sizeof head), sizeof head);
    *part = (ftl_parquet_part){.rows = head.rows,
                               .n_valid = head.n_valid,
                               .distinct = head.distinct,
                               .size = head.size,
                               .n_entries = head.n_entries};
    if (head.n_valid < head.rows)
        part->validity = get_part(piece, (head.rows + 7) / 8);
    if (part->distinct) {
        part->indices = get_part(piece, part->n_valid * sizeof *part->indices);
        part->hashes = get_part(piece, part->n_entries * sizeof *part->hashes);
        part->at = get_part(piece, part->n_entries * sizeof *part->at);
    }
    part->values = get_part(piece, part->size);
}
