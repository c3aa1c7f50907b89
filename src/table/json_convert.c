/* Rows to columns. Everything here reads the table and the block only. */
#include "base/cell_text.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/utf8.h"
#include "io/json.h"
#include "kernels/kernels.h"
#include "table/csv.h"
#include "table/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void ftl_json_batch_free(ftl_row_batch *batch)
{
    ftl_json_scratch *scratch = batch->state;
    if (scratch->ready)
        ftl_json_split_free(&scratch->split);
    ftl_free(batch->account, scratch->text);
}

/* The cell that a key belongs to. */
static int32_t find_cell(const void *user, const char *key, size_t size)
{
    const ftl_table *table = user;
    const ftl_json_table *json = table->state;
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), key, size) & table->name_mask;
    for (; table->name_slots[at].count; at = (at + 1) & table->name_mask) {
        uint32_t column = table->name_slots[at].column;
        const char *name = table->names[column];
        if (strlen(name) == size && memcmp(name, key, size) == 0)
            return json->wanted_of[column];
    }
    return -1;
}

ftl_status ftl_json_ready(const ftl_table *table, ftl_row_batch *batch, ftl_error *error)
{
    const ftl_json_table *json = table->state;
    ftl_json_scratch *scratch = batch->state;
    if (scratch->ready)
        return FTL_OK;
    FTL_TRY(ftl_json_split_init(&scratch->split, batch->account, json->n_wanted, error));
    scratch->ready = true;
    scratch->split.find = find_cell;
    scratch->split.user = table;
    scratch->split.values = ftl_kernels_get()->json.values;
    if (!json->objects) {
        scratch->split.columns = json->element_cells;
        scratch->split.n_columns = json->n_elements;
    }
    return FTL_OK;
}

/* ---- Cells ------------------------------------------------------------------------------------ */

/* The text between quotes, escapes resolved: in the row's bytes or in scratch. */
static ftl_status resolve(ftl_row_batch *batch, ftl_json_cell *cell, ftl_error *error)
{
    ftl_json_scratch *scratch = batch->state;
    if (cell->kind != FTL_JSON_ESCAPED)
        return FTL_OK;
    FTL_TRY(ftl_grow(batch->account, &scratch->text, &scratch->text_room, cell->size, 1, error));
    cell->size = (uint32_t)ftl_json_unescape(cell->text, cell->size, scratch->text);
    cell->text = scratch->text;
    cell->kind = FTL_JSON_PLAIN;
    return FTL_OK;
}

/* The number that a resolved cell is; false: none. */
static bool cell_number(const ftl_json_table *json, ftl_json_cell cell, double *out)
{
    *out = (double)NAN;
    switch (cell.kind) {
    case FTL_JSON_ABSENT:
    case FTL_JSON_IS_NULL:
        return true;
    case FTL_JSON_IS_TRUE:
    case FTL_JSON_IS_FALSE:
        *out = cell.kind == FTL_JSON_IS_TRUE;
        return true;
    case FTL_JSON_FINITE:
    case FTL_JSON_WORD:
        if (cell.kind == FTL_JSON_FINITE && cell.known)
            *out = cell.value;
        else if (!ftl_parse_f64(cell.text, cell.size, '.', out))
            return false;
        if (json->na.n_numbers && ftl_na_values_has_number(&json->na, *out))
            *out = (double)NAN;
        return true;
    case FTL_JSON_PLAIN:
        return ftl_text_to_f64(cell.text, cell.size, json->decimal, &json->na, out);
    default:
        return false;
    }
}

/* The text that pandas shows for what is not between quotes, as CSV has it. False: it is missing.
 */
static bool shown_text(ftl_json_cell *cell)
{
    const char *text = NULL;
    switch (cell->kind) {
    case FTL_JSON_IS_TRUE:
        text = "True";
        break;
    case FTL_JSON_IS_FALSE:
        text = "False";
        break;
    case FTL_JSON_WORD:
        text = cell->text[0] == '-' ? "-inf" : cell->text[0] == 'I' ? "inf" : NULL;
        break;
    default: /* a number or nested, as it stands */
        return cell->kind != FTL_JSON_ABSENT && cell->kind != FTL_JSON_IS_NULL;
    }
    if (text)
        *cell = (ftl_json_cell){.text = text, .size = (uint32_t)strlen(text), .kind = cell->kind};
    return text != NULL;
}

static bool is_missing_text(const ftl_json_table *json, const ftl_json_cell *cell)
{
    if (cell->size == 0)
        return json->empty_is_missing;
    return json->na_given && ftl_na_values_has(&json->na, cell->text, cell->size);
}

/* The cell as it stands in the row, on one line. */
static ftl_status copy_json(ftl_row_batch *batch, size_t i, size_t row, const ftl_json_cell *cell,
                            ftl_error *error)
{
    bool valid = cell->kind != FTL_JSON_ABSENT && cell->kind != FTL_JSON_IS_NULL;
    bool quoted = cell->kind == FTL_JSON_PLAIN || cell->kind == FTL_JSON_ESCAPED;
    const char *text = valid ? cell->text - quoted : "";
    size_t size = valid ? cell->size + 2 * (size_t)quoted : 0;
    if (cell->kind == FTL_JSON_WORD) { /* which RFC 8259 does not know */
        valid = text[0] != 'N';
        text = text[0] == '-' ? "-1e999" : "1e999";
        size = strlen(text);
    }
    FTL_TRY(ftl_row_batch_set_string(batch, i, row, text, size, valid, error));
    if (cell->kind != FTL_JSON_NESTED)
        return FTL_OK;
    ftl_column_buffer *buffer = &batch->buffers[i];
    for (char *c = (char *)buffer->values + buffer->offsets[row]; size; c++, size--) {
        if (*c == '\n' || *c == '\r') /* white space between values: texts have none of it */
            *c = ' ';
    }
    return FTL_OK;
}

/* Sets one value of one column; *good turns false for what the column cannot take. */
static ftl_status convert_cell(const ftl_json_table *json, ftl_row_batch *batch, size_t i,
                               size_t row, ftl_json_cell cell, bool *good, ftl_error *error)
{
    const ftl_table_column_request *request = &batch->requests[i];
    if (request->raw && json->give_json)
        return copy_json(batch, i, row, &cell, error);
    FTL_TRY(resolve(batch, &cell, error));
    if (request->type == FTL_STRING) {
        if (cell.kind == FTL_JSON_NESTED && !request->raw)
            *good = false;
        bool valid = shown_text(&cell);
        if (valid && !request->raw)
            valid = !is_missing_text(json, &cell);
        bool text = cell.kind > FTL_JSON_IS_NULL && (valid || cell.kind == FTL_JSON_PLAIN);
        return ftl_row_batch_set_string(batch, i, row, text ? cell.text : "", text ? cell.size : 0,
                                        valid, error);
    }
    double value;
    if (!cell_number(json, cell, &value)) {
        value = (double)NAN;
        *good = false;
    }
    if (request->type == FTL_F64)
        ((double *)batch->buffers[i].values)[row] = value;
    else
        ((float *)batch->buffers[i].values)[row] = (float)value;
    return FTL_OK;
}

/* Splits a row of size bytes; *utf8 false: it was not looked into. */
static ftl_status split_row(const char *text, size_t size, size_t room, bool checked,
                            ftl_row_batch *batch, bool *utf8, ftl_json_fault *fault,
                            ftl_error *error)
{
    ftl_json_split *split = &((ftl_json_scratch *)batch->state)->split;
    *utf8 = checked || ftl_utf8_valid(text, size);
    FTL_TRY(ftl_json_split_row(split, text, *utf8 ? size : 0, room, fault, error));
    if (*fault == FTL_JSON_BROKEN)
        ftl_json_empty_row(batch);
    return FTL_OK;
}

void ftl_json_empty_row(ftl_row_batch *batch)
{
    ftl_json_split *split = &((ftl_json_scratch *)batch->state)->split;
    for (size_t i = 0; i < split->n_cells; i++)
        split->cells[i].kind = FTL_JSON_ABSENT;
}

ftl_status ftl_json_convert_row(const ftl_json_table *json, ftl_row_batch *batch, size_t row,
                                bool good, ftl_error *error)
{
    const ftl_json_cell *cells = ((ftl_json_scratch *)batch->state)->split.cells;
    bool plain = json->na.n_numbers == 0; /* no number stands for a missing one */
    for (size_t i = 0; i < batch->n_columns; i++) {
        const ftl_json_cell *cell = &cells[json->cell_of[i]];
        if (cell->kind == FTL_JSON_FINITE && plain && cell->known &&
            batch->requests[i].type == FTL_F64)
            ((double *)batch->buffers[i].values)[row] = cell->value;
        else
            FTL_TRY(convert_cell(json, batch, i, row, *cell, &good, error));
    }
    if (FTL_LIKELY(good))
        return FTL_OK;
    ftl_row_batch_blank(batch, row);
    return ftl_row_batch_mark_bad(batch, row, error);
}

ftl_status ftl_json_convert(const ftl_table *table, const ftl_table_block *block,
                            ftl_row_batch *batch, ftl_error *error)
{
    const ftl_json_block *from = (const ftl_json_block *)block;
    FTL_TRY(ftl_json_ready(table, batch, error));
    bool checked = ftl_utf8_valid((const char *)from->bytes.data, from->bytes.size);
    for (size_t row = 0; row < block->rows; row++) {
        bool utf8;
        ftl_json_fault fault;
        const ftl_json_record *record = &from->records[row];
        FTL_TRY(split_row((const char *)from->bytes.data + record->start, record->size,
                          from->bytes.size - record->start, checked, batch, &utf8, &fault, error));
        FTL_TRY(ftl_json_convert_row(table->state, batch, row, fault == FTL_JSON_SOUND, error));
    }
    return FTL_OK;
}

/* ---- Why a row is bad ------------------------------------------------------------------------- */

enum { PLACE = 48 };

/* "line 3", or "row 3" of a document that has columns in the place of rows. */
static void name_place(const ftl_json_block *block, size_t row, char place[PLACE])
{
    int64_t line = block->records[row].line;
    if (line >= 0)
        snprintf(place, PLACE, "line %lld", (long long)line);
    else
        snprintf(place, PLACE, "row %llu", (unsigned long long)block->block.first_row + row + 1);
}

static void name_column(const ftl_table *table, size_t column, char out[FTL_CSV_SHOWN + 16])
{
    char name[FTL_CSV_SHOWN];
    if (!table->names) {
        snprintf(out, FTL_CSV_SHOWN + 16, "value %zu", column + 1);
        return;
    }
    ftl_csv_show(table->names[column], strlen(table->names[column]), name);
    snprintf(out, FTL_CSV_SHOWN + 16, "column '%s'", name);
}

static void explain_broken(const char *text, size_t size, const char *place, ftl_error *error)
{
    ftl_json json;
    ftl_json_token token = FTL_JSON_NULL;
    ftl_error why;
    ftl_error_clear(&why);
    ftl_json_init(&json, text, size, FTL_JSON_NONFINITE);
    while (ftl_json_next(&json, &token, &why) == FTL_OK && token != FTL_JSON_DONE)
        ;
    ftl_error_set(error, FTL_VALUE, "%s, byte %zu of the row: %s", place, json.at + 1,
                  why.message[0] ? why.message : "the JSON is damaged");
    ftl_error_because(error, FTL_REASON_BAD_CELL, NULL);
}

static void explain_bytes(const char *text, size_t size, const char *place, ftl_error *error)
{
    enum { BEFORE = 20 };
    size_t at = 0, length;
    char shown[FTL_CSV_SHOWN];
    while (at < size && (length = ftl_utf8_length(text + at, size - at)) != 0)
        at += length;
    size_t from = at > BEFORE ? at - BEFORE : 0;
    while (from < at && ((unsigned char)text[from] & 0xc0) == 0x80)
        from++;
    ftl_csv_show(text + from, size - from, shown);
    ftl_error_set(error, FTL_VALUE,
                  "%s: '%s' is not UTF-8; give the encoding of the file with options.encoding, "
                  "such as 'latin-1' or 'cp1252'",
                  place, shown);
    ftl_error_because(error, FTL_REASON_BAD_CELL, "encoding");
}

static void explain_fault(const ftl_table *table, const char *text, size_t size,
                          const ftl_json_split *split, ftl_json_fault fault, const char *place,
                          ftl_error *error)
{
    const ftl_json_table *json = table->state;
    char shown[FTL_CSV_SHOWN], column[FTL_CSV_SHOWN + 16];
    if (fault == FTL_JSON_TWICE) {
        size_t i = 0;
        while (json->wanted_of[i] != split->fault_at)
            i++;
        name_column(table, i, column);
        ftl_error_set(error, FTL_VALUE, "%s, %s: the row has it twice", place, column);
        ftl_error_because(error, FTL_REASON_BAD_CELL, NULL);
        error->column = (int64_t)i;
    } else if (fault == FTL_JSON_COUNT) {
        ftl_error_set(error, FTL_SHAPE, "%s: %zu value%s where there are %zu columns", place,
                      split->n_elements, split->n_elements == 1 ? "" : "s", split->n_columns);
        ftl_error_because(error, FTL_REASON_RAGGED_ROW, NULL);
    } else {
        ftl_csv_show(text, size, shown);
        ftl_error_set(error, FTL_VALUE, "%s: '%s' is no %s, which the rows are", place, shown,
                      json->objects ? "object" : "array");
        ftl_error_because(error, FTL_REASON_BAD_CELL, NULL);
    }
}

static void explain_cell(const ftl_json_table *json, const char *place, const char *column,
                         ftl_json_cell cell, bool text, ftl_error *error)
{
    char shown[FTL_CSV_SHOWN];
    const char *hint = "";
    double value;
    ftl_csv_show(cell.text, cell.size, shown);
    if (cell.kind == FTL_JSON_NESTED) {
        ftl_error_set(error, FTL_VALUE, "%s, %s: '%s' is no single value; the model takes %s",
                      place, column, shown, text ? "a text" : "a number");
        ftl_error_because(error, FTL_REASON_BAD_CELL, NULL);
        return;
    }
    size_t size = cell.size;
    ftl_text_trim(&cell.text, &size);
    if (ftl_parse_f64(cell.text, size, json->decimal == '.' ? ',' : '.', &value))
        hint = json->decimal == '.' ? "; for a decimal comma give options.decimal ','"
                                    : "; the decimal mark is set to ','";
    ftl_error_set(error, FTL_VALUE, "%s, %s: '%s' is not a number%s", place, column, shown, hint);
    ftl_error_because(error, FTL_REASON_BAD_CELL, hint[0] ? "decimal" : NULL);
}

void ftl_json_explain_row(const ftl_table *table, ftl_row_batch *batch, const char *text,
                          size_t size, const char *place, ftl_error *error)
{
    const ftl_json_table *json = table->state;
    const ftl_json_split *split = &((ftl_json_scratch *)batch->state)->split;
    bool utf8;
    ftl_json_fault fault;
    if (split_row(text, size, size, false, batch, &utf8, &fault, NULL) != FTL_OK)
        return;
    if (!utf8) {
        explain_bytes(text, size, place, error);
    } else if (fault == FTL_JSON_BROKEN) {
        explain_broken(text, size, place, error);
    } else if (fault != FTL_JSON_SOUND) {
        explain_fault(table, text, size, split, fault, place, error);
    }
    for (size_t i = 0; utf8 && fault == FTL_JSON_SOUND && i < batch->n_columns; i++) {
        const ftl_table_column_request *request = &batch->requests[i];
        ftl_json_cell cell = split->cells[json->cell_of[i]];
        double value;
        char column[FTL_CSV_SHOWN + 16];
        bool is_text = request->type == FTL_STRING;
        if (resolve(batch, &cell, NULL) != FTL_OK)
            return;
        if (is_text ? request->raw || cell.kind != FTL_JSON_NESTED
                    : cell_number(json, cell, &value))
            continue;
        name_column(table, request->index, column);
        explain_cell(json, place, column, cell, is_text, error);
        error->column = (int64_t)request->index;
        return;
    }
}

void ftl_json_explain(const ftl_table *table, const ftl_table_block *block, ftl_row_batch *batch,
                      size_t row, ftl_error *error)
{
    const ftl_json_block *from = (const ftl_json_block *)block;
    char place[PLACE];
    name_place(from, row, place);
    ftl_json_explain_row(table, batch, (const char *)from->bytes.data + from->records[row].start,
                         from->records[row].size, place, error);
}
