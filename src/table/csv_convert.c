/* Records to columns. Everything here reads the table and the block only. */
#include "base/cell_text.h"
#include "base/number.h"
#include "base/utf8.h"
#include "table/csv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct cell {
    const char *text;
    size_t size;
    /* "" in quotes beside other cells */
    bool empty_quotes;
} cell;

/* A cell as it stands in the file. */
static const uint8_t *raw_cell(const ftl_csv_block *block, size_t row, size_t column, size_t *size)
{
    const ftl_csv_row *r = &block->rows[row];
    const uint32_t *end = block->index.ends + r->first + column;
    size_t begin = column ? end[-1] + (size_t)1 : r->start;
    *size = *end - begin;
    return ftl_csv_text(block) + begin;
}

/* The text of a cell; in the file's bytes, or in scratch when it had quotes. */
static ftl_status cell_text(const ftl_csv_block *block, size_t row, ftl_row_batch *batch,
                            size_t column, cell *out, ftl_error *error)
{
    ftl_csv_scratch *scratch = batch->state;
    size_t size;
    const uint8_t *data = raw_cell(block, row, column, &size);
    *out = (cell){(const char *)data, size, false};
    if (size == 0 || data[0] != '"')
        return FTL_OK;
    if (size > 2 && data[size - 1] == '"' && !memchr(data + 1, '"', size - 2)) {
        *out = (cell){(const char *)data + 1, size - 2, false};
        return FTL_OK;
    }
    FTL_TRY(ftl_grow(batch->account, &scratch->text, &scratch->text_room, size, 1, error));
    out->text = scratch->text;
    out->size = ftl_csv_unquote(data, size, scratch->text);
    /*
     * A writer must quote the only cell of a record even when it is missing, lest the line be
     * blank.
     */
    out->empty_quotes = out->size == 0 && block->rows[row].cells > 1;
    return FTL_OK;
}

static bool cell_number(const ftl_csv *csv, cell c, double *out)
{
    return ftl_text_to_f64(c.text, c.size, csv->decimal, &csv->na, out);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/*
 * Rows are converted some at a time, so that their text, their index and their values are still in
 * the nearest cache when the next column comes.
 */
enum { TILE = 64 };

/* Rows from .. from + n of the block, at most TILE. bad: those that cannot be read. */
typedef struct tile {
    const ftl_csv *csv;
    const ftl_csv_block *block;
    ftl_row_batch *batch;
    size_t from, n;
    bool bad[TILE];
    bool any_bad;
} tile;

static void set_bad(tile *t, size_t i)
{
    t->bad[i] = true;
    t->any_bad = true;
}

/* What the kernel leaves: texts that stand for numbers or for missing cells, and others. */
static ftl_status odd_number(tile *t, size_t i, size_t column, double *out, ftl_error *error)
{
    cell c;
    FTL_TRY(cell_text(t->block, t->from + i, t->batch, column, &c, error));
    *out = (double)NAN;
    if (!cell_number(t->csv, c, out))
        set_bad(t, i);
    return FTL_OK;
}

/* Rows begin .. end of the tile, all of which have the table's cells. */
static ftl_status convert_numbers(tile *t, size_t begin, size_t end, size_t column, double *out,
                                  ftl_error *error)
{
    uint32_t left[TILE];
    const ftl_csv_cells cells = {.data = ftl_csv_text(t->block),
                                 .ends = t->block->index.ends,
                                 .rows = t->block->rows + t->from + begin,
                                 .n_rows = end - begin};
    size_t n = t->csv->kernels->numbers(&cells, column, t->csv->decimal, out + begin, left);
    for (size_t k = 0; k < n; k++)
        FTL_TRY(odd_number(t, begin + left[k], column, &out[begin + left[k]], error));
    for (size_t i = begin; t->csv->na.n_numbers && i < end; i++) {
        if (ftl_na_values_has_number(&t->csv->na, out[i]))
            out[i] = (double)NAN;
    }
    return FTL_OK;
}

/* A column of numbers. Ragged rows stay what they are: they are bad, and blanked in the end. */
static ftl_status convert_column(tile *t, size_t request, size_t n_cells, ftl_error *error)
{
    const ftl_csv_row *rows = t->block->rows + t->from;
    size_t column = t->batch->requests[request].index;
    bool narrow = t->batch->requests[request].type == FTL_F32;
    double room[TILE], *out = room;
    if (!narrow)
        out = (double *)t->batch->buffers[request].values + t->from;
    if (!t->block->ragged) {
        FTL_TRY(convert_numbers(t, 0, t->n, column, out, error));
    } else {
        for (size_t i = 0; i < t->n; i++) {
            out[i] = (double)NAN;
            if (rows[i].cells == n_cells)
                FTL_TRY(convert_numbers(t, i, i + 1, column, out, error));
        }
    }
    for (size_t i = 0; narrow && i < t->n; i++)
        ((float *)t->batch->buffers[request].values)[t->from + i] = (float)out[i];
    return FTL_OK;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static ftl_status convert_text(tile *t, size_t i, size_t request, ftl_error *error)
{
    const ftl_table_column_request *r = &t->batch->requests[request];
    /* A short row's last cells count as empty: the row is bad, yet its raw columns are kept. */
    cell c = {"", 0, false};
    if (r->index < t->block->rows[t->from + i].cells)
        FTL_TRY(cell_text(t->block, t->from + i, t->batch, r->index, &c, error));
    bool empty_text = t->csv->empty_is_text && c.empty_quotes;
    bool valid = r->raw || empty_text || !ftl_na_values_has(&t->csv->na, c.text, c.size);
    if (FTL_UNLIKELY(!ftl_utf8_valid(c.text, c.size))) {
        set_bad(t, i); /* and nothing of it is copied: outputs are UTF-8 */
        c.size = 0;
    }
    return ftl_row_batch_set_string(t->batch, request, t->from + i, c.text, c.size, valid, error);
}

static ftl_status convert_texts(tile *t, size_t request, ftl_error *error)
{
    for (size_t i = 0; i < t->n; i++)
        FTL_TRY(convert_text(t, i, request, error));
    return FTL_OK;
}

/* Takes back the texts of the tile's rows. */
static void drop_texts(tile *t, size_t request)
{
    ftl_column_buffer *buffer = &t->batch->buffers[request];
    buffer->used = buffer->offsets[t->from];
    memset(buffer->validity + t->from / 8, 0, (t->n + 7) / 8);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/*
 * Some rows are bad. Which ones is known when all columns were looked at; the texts are then set
 * again, row by row, for a row's are blanked while they are the last of their columns.
 */
static ftl_status blank_bad(tile *t, ftl_error *error)
{
    const ftl_row_batch *batch = t->batch;
    for (size_t k = 0; k < batch->n_columns; k++) {
        if (batch->requests[k].type == FTL_STRING)
            drop_texts(t, k);
    }
    for (size_t i = 0; i < t->n; i++) {
        for (size_t k = 0; k < batch->n_columns; k++) {
            if (batch->requests[k].type == FTL_STRING)
                FTL_TRY(convert_text(t, i, k, error));
        }
        if (!t->bad[i])
            continue;
        ftl_row_batch_blank(t->batch, t->from + i);
        FTL_TRY(ftl_row_batch_mark_bad(t->batch, t->from + i, error));
    }
    return FTL_OK;
}

static ftl_status convert_tile(const ftl_table *table, tile *t, ftl_error *error)
{
    for (size_t i = 0; t->block->ragged && i < t->n; i++) {
        if (t->block->rows[t->from + i].cells != table->info.n_columns)
            set_bad(t, i);
    }
    for (size_t k = 0; k < t->batch->n_columns; k++)
        FTL_TRY(t->batch->requests[k].type == FTL_STRING
                    ? convert_texts(t, k, error)
                    : convert_column(t, k, table->info.n_columns, error));
    return FTL_UNLIKELY(t->any_bad) ? blank_bad(t, error) : FTL_OK;
}

ftl_status ftl_csv_convert(const ftl_table *table, const ftl_table_block *block,
                           ftl_row_batch *batch, ftl_error *error)
{
    for (size_t from = 0; from < block->rows; from += TILE) {
        size_t n = block->rows - from < TILE ? block->rows - from : TILE;
        tile t = {.csv = table->state,
                  .block = (const ftl_csv_block *)block,
                  .batch = batch,
                  .from = from,
                  .n = n};
        FTL_TRY(convert_tile(table, &t, error));
    }
    return FTL_OK;
}

/* ---- Why a row is bad ------------------------------------------------------------------------ */

enum { EXCERPT = 40 };

void ftl_csv_show(const char *text, size_t size, char out[FTL_CSV_SHOWN])
{
    size_t n = 0, i = 0;
    while (i < size && i < EXCERPT) {
        size_t length = ftl_utf8_length(text + i, size - i);
        if (length && i + length > EXCERPT)
            break;
        if (length) {
            memcpy(out + n, text + i, length);
            n += length;
        } else {
            n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned char)text[i]);
        }
        i += length ? length : 1;
    }
    memcpy(out + n, i < size ? "..." : "", i < size ? 4 : 1);
}

/* "column 'age'", or "cell 3" of a table without names. */
static void name_column(const ftl_table *table, size_t column, char *out, size_t size)
{
    char name[FTL_CSV_SHOWN];
    if (!table->names) {
        snprintf(out, size, "cell %zu", column + 1);
        return;
    }
    ftl_csv_show(table->names[column], strlen(table->names[column]), name);
    snprintf(out, size, "column '%s'", name);
}

static void explain_number(const ftl_csv *csv, int64_t line, const char *place, cell c,
                           ftl_error *error)
{
    char shown[FTL_CSV_SHOWN];
    double value;
    cell plain = c;
    ftl_text_trim(&plain.text, &plain.size);
    char other = csv->decimal == '.' ? ',' : '.';
    const char *hint = "";
    if (ftl_parse_f64(plain.text, plain.size, other, &value))
        hint = other == ',' ? "; for a decimal comma give options.decimal ','"
                            : "; the decimal mark is set to ','";
    ftl_csv_show(c.text, c.size, shown);
    ftl_error_set(error, FTL_VALUE, "line %lld, %s: '%s' is not a number%s", (long long)line, place,
                  shown, hint);
    ftl_error_because(error, FTL_REASON_BAD_CELL, hint[0] ? "decimal" : NULL);
}

static void explain_bytes(int64_t line, const char *place, cell c, ftl_error *error)
{
    char shown[FTL_CSV_SHOWN];
    size_t at = 0, length;
    while (at < c.size && (length = ftl_utf8_length(c.text + at, c.size - at)) != 0)
        at += length;
    size_t from = at > EXCERPT / 2 ? at - EXCERPT / 2 : 0;
    while (from < at && ((unsigned char)c.text[from] & 0xc0) == 0x80)
        from++;
    ftl_csv_show(c.text + from, c.size - from, shown);
    ftl_error_set(error, FTL_VALUE,
                  "line %lld, %s: '%s' is not UTF-8; give the encoding of the file with "
                  "options.encoding, such as 'latin-1' or 'cp1252'",
                  (long long)line, place, shown);
    ftl_error_because(error, FTL_REASON_BAD_CELL, "encoding");
}

void ftl_csv_explain(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                     size_t row, ftl_error *error)
{
    const ftl_csv *csv = table->state;
    const ftl_csv_block *from = (const ftl_csv_block *)block;
    int64_t line = from->line + from->rows[row].line;
    size_t cells = from->rows[row].cells;
    if (cells != table->info.n_columns) {
        ftl_error_set(error, FTL_SHAPE, "line %lld: %zu cell%s where the %s %zu", (long long)line,
                      cells, cells == 1 ? "" : "s",
                      table->names ? "header has" : "first record has", table->info.n_columns);
        ftl_error_because(error, FTL_REASON_RAGGED_ROW, NULL);
        return;
    }
    for (size_t i = 0; i < batch->n_columns; i++) {
        char place[FTL_CSV_SHOWN + 16];
        double value;
        size_t column = batch->requests[i].index;
        bool text = batch->requests[i].type == FTL_STRING;
        cell c;
        ftl_status status = cell_text(from, row, batch, column, &c, error);
        if (status != FTL_OK)
            return; /* memory: the error says so */
        if (text ? ftl_utf8_valid(c.text, c.size) : cell_number(csv, c, &value))
            continue;
        name_column(table, column, place, sizeof place);
        if (text)
            explain_bytes(line, place, c, error);
        else
            explain_number(csv, line, place, c, error);
        error->column = (int64_t)column;
        return;
    }
}
