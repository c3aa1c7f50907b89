#include "table/json_decoder.h"

#include "base/utf8.h"
#include "table/json.h"

#include <stdio.h>
#include <string.h>

/* Where a bad row stands in data. */
typedef struct bad_span {
    size_t row, start, size;
} bad_span;

struct ftl_json_decoder {
    ftl_account *account;
    ftl_table *table; /* without a stream: columns and what is wanted of them */
    ftl_row_batch *batch;
    ftl_column *columns; /* [n_columns] */
    /* of the call: */
    const char *data;
    bad_span *spans; /* of the batch's bad rows */
    size_t spans_room;
    uint8_t *seen; /* [cells] some row had it */
    size_t n_unseen;
    bool checks_bytes; /* that they are UTF-8, row by row */
    bool unclear;      /* the columns are no keys that tell them apart */
};

/* ---- Making one ------------------------------------------------------------------------------ */

/* As an open table of JSON, but that nothing is read from it. */
static ftl_status set_columns(ftl_json_decoder *decoder, const ftl_json_wanted *columns, size_t n,
                              bool objects, ftl_error *error)
{
    ftl_table *table = decoder->table;
    ftl_json_table *json = FTL_ARENA_NEW(&table->arena, ftl_json_table);
    bool named = true;
    for (size_t i = 0; i < n; i++)
        named &= columns[i].name != NULL;
    decoder->unclear = objects && !named;
    if (!json)
        return FTL_OOM(error);
    table->state = json;
    json->layout = FTL_JSON_ELEMENTS;
    json->objects = objects;
    json->decimal = '.';
    table->info.n_columns = n;
    FTL_TRY(ftl_na_values_init(&json->na, &table->arena, NULL, 0, json->decimal, error));
    if (!named)
        return FTL_OK;
    table->names = ftl_arena_zero_array(&table->arena, n, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        table->names[i] = ftl_arena_string(&table->arena, columns[i].name, strlen(columns[i].name));
        if (!table->names[i])
            return FTL_OOM(error);
    }
    FTL_TRY(ftl_table_index_names(table, error));
    for (size_t i = 0, first; i < n && objects; i++)
        decoder->unclear |= ftl_table_find(table, table->names[i], &first) > 1;
    return FTL_OK;
}

static ftl_status bind_columns(ftl_json_decoder *decoder, const ftl_json_wanted *columns, size_t n,
                               ftl_error *error)
{
    size_t n_requests = 0;
    ftl_table_column_request *requests = ftl_alloc_zero(decoder->account, n + 1, sizeof *requests);
    if (!requests)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        if (!columns[i].unused)
            requests[n_requests++] = (ftl_table_column_request){.index = i,
                                                                .type = columns[i].type};
    }
    ftl_status status = ftl_table_bind(decoder->table, requests, n_requests, error);
    ftl_free(decoder->account, requests);
    return status;
}

static ftl_status set_up(ftl_json_decoder *decoder, const ftl_json_wanted *columns, size_t n,
                         bool objects, ftl_error *error)
{
    decoder->table = ftl_table_new(decoder->account, &ftl_table_json);
    decoder->columns = ftl_alloc_zero(decoder->account, n + 1, sizeof *decoder->columns);
    decoder->seen = ftl_alloc_zero(decoder->account, n + 1, 1);
    if (!decoder->table || !decoder->columns || !decoder->seen)
        return FTL_OOM(error);
    FTL_TRY(set_columns(decoder, columns, n, objects, error));
    FTL_TRY(bind_columns(decoder, columns, n, error));
    FTL_TRY(ftl_row_batch_create(decoder->table, &decoder->batch, error));
    return ftl_json_ready(decoder->table, decoder->batch, error);
}

ftl_status ftl_json_decoder_create(ftl_account *account, const ftl_json_wanted *columns, size_t n,
                                   bool objects, ftl_json_decoder **out, ftl_error *error)
{
    ftl_json_decoder *decoder = ftl_alloc_zero(account, 1, sizeof *decoder);
    if (!decoder)
        return FTL_OOM(error);
    decoder->account = account;
    ftl_status status = set_up(decoder, columns, n, objects, error);
    if (status != FTL_OK) {
        ftl_json_decoder_destroy(decoder);
        return status;
    }
    *out = decoder;
    return FTL_OK;
}

void ftl_json_decoder_destroy(ftl_json_decoder *decoder)
{
    if (!decoder)
        return;
    ftl_row_batch_destroy(decoder->batch);
    ftl_table_close(decoder->table);
    ftl_free(decoder->account, decoder->columns);
    ftl_free(decoder->account, decoder->seen);
    ftl_free(decoder->account, decoder->spans);
    ftl_free(decoder->account, decoder);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static ftl_status damaged(const ftl_json_decoder *decoder, const char *at, size_t row,
                          const char *what, ftl_error *error)
{
    size_t offset = (size_t)(at - decoder->data);
    ftl_error_set(error, FTL_CORRUPT, "row %zu, byte %zu: the JSON is damaged: %s", row, offset,
                  what);
    ftl_error_at(error, (int64_t)offset);
    if (error)
        error->row = (int64_t)row;
    return FTL_CORRUPT;
}

/* Which columns the row has that none before had. */
static void note_seen(ftl_json_decoder *decoder, const ftl_json_split *split)
{
    for (size_t i = 0; i < split->n_cells; i++) {
        if (!decoder->seen[i] && split->cells[i].kind != FTL_JSON_ABSENT) {
            decoder->seen[i] = 1;
            decoder->n_unseen--;
        }
    }
}

static ftl_status note_bad(ftl_json_decoder *decoder, size_t row, const char *at, const char *next,
                           ftl_error *error)
{
    size_t n = decoder->batch->n_bad;
    FTL_TRY(ftl_grow(decoder->account, &decoder->spans, &decoder->spans_room, n,
                     sizeof *decoder->spans, error));
    decoder->spans[n - 1] = (bad_span){row, (size_t)(at - decoder->data), (size_t)(next - at)};
    return FTL_OK;
}

/* The row at `at`, which ends where it ends: *next. */
static ftl_status decode_row(ftl_json_decoder *decoder, size_t row, const char *at, const char *end,
                             const char **next, ftl_error *error)
{
    ftl_json_split *split = &((ftl_json_scratch *)decoder->batch->state)->split;
    ftl_json_fault fault;
    FTL_TRY(ftl_json_split_at(split, at, end, next, &fault, error));
    if (fault == FTL_JSON_BROKEN) { /* it ends where its brackets do */
        ftl_json_scan scan = {0};
        if (at < end && memchr(",]}:", *at, 4))
            return damaged(decoder, at, row, "a row is missing", error);
        if (!ftl_json_scan_value(&scan, (const uint8_t *)at, (size_t)(end - at), false))
            return damaged(decoder, end, row, "it ends too early", error);
        *next = at + scan.at;
    }
    if (decoder->checks_bytes && !ftl_utf8_valid(at, (size_t)(*next - at)))
        fault = FTL_JSON_BROKEN;
    if (fault == FTL_JSON_BROKEN)
        ftl_json_empty_row(decoder->batch);
    else if (decoder->n_unseen)
        note_seen(decoder, split);
    FTL_TRY(ftl_json_convert_row(decoder->table->state, decoder->batch, row,
                                 fault == FTL_JSON_SOUND, error));
    return FTL_UNLIKELY(decoder->batch->bad[row]) ? note_bad(decoder, row, at, *next, error)
                                                  : FTL_OK;
}

/* Behind a row: *more, and then at the next one; else behind the bracket. */
static ftl_status pass_separator(const ftl_json_decoder *decoder, size_t row, const char **at,
                                 const char *end, bool *more, ftl_error *error)
{
    const char *here = skip_space(*at, end);
    if (here < end && *here != ',' && *here != ']')
        return damaged(decoder, here, row, "a comma is missing behind it", error);
    *more = here < end && *here == ',';
    *at = *more ? skip_space(here + 1, end) : here + 1;
    return here == end || (*more && *at == end)
               ? damaged(decoder, end, row, "it ends too early", error)
               : FTL_OK;
}

/* Room for the row: twice as many as before, from 16 on. */
static ftl_status extend(ftl_json_decoder *decoder, size_t row, size_t *ready, ftl_error *error)
{
    enum { first_rows = 16 };
    if (FTL_LIKELY(row < *ready))
        return FTL_OK;
    size_t rows = *ready ? 2 * *ready : first_rows;
    FTL_TRY(ftl_row_batch_extend(decoder->batch, *ready, rows, error));
    *ready = rows;
    return FTL_OK;
}

/* All rows from `at` on; *at moves behind the array. Stops at a bad row unless keep_bad. */
static ftl_status decode_rows(ftl_json_decoder *decoder, const char **at, const char *end,
                              uint64_t max_rows, bool keep_bad, ftl_json_rows *out,
                              ftl_error *error)
{
    size_t ready = 0;
    if (*at == end)
        return damaged(decoder, end, 0, "it ends too early", error);
    bool more = **at != ']';
    *at += !more;
    FTL_TRY(extend(decoder, 0, &ready, error));
    for (out->rows = 0; more; out->rows++) {
        if (out->rows == max_rows) {
            out->too_many = true;
            return FTL_OK;
        }
        FTL_TRY(extend(decoder, out->rows, &ready, error));
        FTL_TRY(decode_row(decoder, out->rows, *at, end, at, error));
        if (FTL_UNLIKELY(decoder->batch->n_bad && !keep_bad)) {
            out->rows++;
            return FTL_OK;
        }
        FTL_TRY(pass_separator(decoder, out->rows, at, end, &more, error));
    }
    return FTL_OK;
}

static void begin(ftl_json_decoder *decoder, const char *data, bool checks_bytes)
{
    const ftl_json_table *json = decoder->table->state;
    decoder->data = data;
    decoder->checks_bytes = checks_bytes;
    decoder->n_unseen = json->objects ? json->n_wanted : 0;
    if (decoder->n_unseen)
        memset(decoder->seen, 0, json->n_wanted);
}

/* The columns of the caller, some of which nobody looks at. */
static void show(ftl_json_decoder *decoder, ftl_json_rows *out)
{
    ftl_row_batch *batch = decoder->batch;
    for (size_t i = 0; i < batch->n_columns; i++) {
        ftl_column *column = &decoder->columns[batch->requests[i].index];
        column->type = batch->requests[i].type;
        column->flags = FTL_COLUMN_NULL_TEXT;
        column->values = batch->buffers[i].values;
        column->offsets = batch->buffers[i].offsets;
        column->validity = batch->buffers[i].validity;
    }
    out->columns = decoder->columns;
    out->bad = batch->bad;
    out->n_bad = batch->n_bad;
}

ftl_status ftl_json_decode(ftl_json_decoder *decoder, const char *data, size_t size,
                           uint64_t max_rows, bool keep_bad, ftl_json_rows *out, ftl_error *error)
{
    const char *end = data + size, *first = skip_space(data, end), *at;
    if (size > FTL_BLOCK_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "the text of %zu bytes is too long; 1 GiB are the most",
                        size);
    if (decoder->unclear) {
        *out = (ftl_json_rows){.lacks_columns = true};
        return FTL_OK;
    }
    first = first < end ? skip_space(first + 1, end) : first;
    for (int checks = 0;; checks++) {
        ftl_json_rows rows = {0};
        at = first;
        begin(decoder, data, checks);
        FTL_TRY(decode_rows(decoder, &at, end, max_rows, keep_bad, &rows, error));
        if (FTL_UNLIKELY(!checks && !ftl_utf8_valid(data, (size_t)(at - data))))
            continue; /* which rows are to blame */
        rows.end = (size_t)(at - data);
        rows.lacks_columns = decoder->n_unseen && rows.rows && !rows.too_many;
        show(decoder, &rows);
        *out = rows;
        break;
    }
    bool usable = !out->too_many && !out->lacks_columns;
    return out->n_bad && !keep_bad && usable
               ? ftl_json_decoder_explain(decoder, decoder->spans[0].row, error)
               : FTL_OK;
}

ftl_status ftl_json_decoder_explain(ftl_json_decoder *decoder, size_t row, ftl_error *error)
{
    size_t from = 0, to = decoder->batch->n_bad;
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        *(decoder->spans[middle].row <= row ? &from : &to) = middle;
    }
    const bad_span *span = &decoder->spans[from];
    ftl_error why;
    char place[32];
    ftl_error_set(&why, FTL_NOMEM, "out of memory");
    snprintf(place, sizeof place, "row %zu", row);
    ftl_json_explain_row(decoder->table, decoder->batch, decoder->data + span->start, span->size,
                         place, &why);
    why.row = (int64_t)row;
    if (error)
        *error = why;
    return why.code;
}
