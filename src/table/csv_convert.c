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

/* Splits a record into scratch->cells. Returns the number of cells, which may be another than the
 * table's. */
static size_t split_record(const ftl_csv *csv, const ftl_table *table, const ftl_csv_block *block,
                           size_t row, ftl_csv_scratch *scratch)
{
    const ftl_record *record = &block->records[row];
    return ftl_csv_split(block->bytes.data + record->start, record->size, csv->delimiter,
                         scratch->cells, table->info.n_columns);
}

/* The text of a cell of the record that was split last; in the file's bytes, or in scratch when it
 * had quotes. */
static cell cell_text(const ftl_csv_block *block, size_t row, const ftl_csv_scratch *scratch,
                      size_t column)
{
    const uint8_t *data = block->bytes.data + block->records[row].start;
    size_t begin = column ? scratch->cells[column - 1] + (size_t)1 : 0;
    size_t size = scratch->cells[column] - begin;
    if (size == 0 || data[begin] != '"')
        return (cell){(const char *)data + begin, size, false};
    size_t unquoted = ftl_csv_unquote(data + begin, size, scratch->text);
    /*
     * A writer must quote the only cell of a record even when it is missing, lest the line be
     * blank.
     */
    bool lone = column == 0 && scratch->cells[0] == block->records[row].size;
    return (cell){scratch->text, unquoted, unquoted == 0 && !lone};
}

static bool cell_number(const ftl_csv *csv, cell c, double *out)
{
    return ftl_text_to_f64(c.text, c.size, csv->decimal, &csv->na, out);
}

/* Sets one value of one column; *good turns false for text in a number column, and for bytes that
 * are no text. */
static ftl_status convert_cell(const ftl_csv *csv, ftl_row_batch *batch, size_t i, size_t row,
                               cell c, bool *good, ftl_error *error)
{
    const ftl_table_column_request *request = &batch->requests[i];
    if (request->type == FTL_STRING) {
        bool empty_text = csv->empty_is_text && c.empty_quotes;
        bool valid = request->raw || empty_text || !ftl_na_values_has(&csv->na, c.text, c.size);
        if (FTL_UNLIKELY(!ftl_utf8_valid(c.text, c.size))) {
            *good = false; /* and nothing of it is copied: outputs are UTF-8 */
            c.size = 0;
        }
        return ftl_row_batch_set_string(batch, i, row, c.text, c.size, valid, error);
    }
    double value = (double)NAN;
    if (!cell_number(csv, c, &value))
        *good = false;
    if (request->type == FTL_F64)
        ((double *)batch->buffers[i].values)[row] = value;
    else
        ((float *)batch->buffers[i].values)[row] = (float)value;
    return FTL_OK;
}

static ftl_status convert_record(const ftl_table *table, const ftl_csv_block *block, size_t row,
                                 ftl_row_batch *batch, ftl_error *error)
{
    const ftl_csv *csv = table->state;
    size_t cells = split_record(csv, table, block, row, batch->state);
    bool good = cells == table->info.n_columns;
    for (size_t i = 0; i < batch->n_columns; i++) {
        size_t column = batch->requests[i].index;
        /* A short row's last cells count as empty: the row is bad, yet its raw columns are kept. */
        cell c = column < cells ? cell_text(block, row, batch->state, column)
                                : (cell){"", 0, false};
        FTL_TRY(convert_cell(csv, batch, i, row, c, &good, error));
    }
    if (FTL_LIKELY(good))
        return FTL_OK;
    ftl_row_batch_blank(batch, row);
    return ftl_row_batch_mark_bad(batch, row, error);
}

ftl_status ftl_csv_convert(const ftl_table *table, const ftl_table_block *block,
                           ftl_row_batch *batch, ftl_error *error)
{
    const ftl_csv_block *from = (const ftl_csv_block *)block;
    ftl_csv_scratch *scratch = batch->state;
    size_t longest = 0;
    for (size_t row = 0; row < block->rows; row++)
        longest = from->records[row].size > longest ? from->records[row].size : longest;
    FTL_TRY(ftl_grow(batch->account, &scratch->text, &scratch->text_room, longest, 1, error));
    FTL_TRY(ftl_grow(batch->account, &scratch->cells, &scratch->cells_room, table->info.n_columns,
                     sizeof(uint32_t), error));
    for (size_t row = 0; row < block->rows; row++)
        FTL_TRY(convert_record(table, from, row, batch, error));
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
    int64_t line = from->records[row].line;
    size_t cells = split_record(csv, table, from, row, batch->state);
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
        cell c = cell_text(from, row, batch->state, column);
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
