/*
 * JSON rows of known columns. The first byte says whether rows are objects or arrays and what the
 * columns are. Beyond memory safety: rows that the reader of JSON files reads as well come out the
 * same, bad ones included; rows are the same the second time, when the decoder knows what stood
 * between values; and a decoder that keeps no bad row fails where there is one.
 */
#include "base/utf8.h"
#include "table/json_decoder.h"
#include "table/table.h"

#include <stdlib.h>
#include <string.h>

enum { N = 3 };

typedef struct subject {
    ftl_account account;
    ftl_json_wanted columns[N];
    bool objects;
    const char *data;
    size_t size;
} subject;

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- The same rows from both ------------------------------------------------------------------ */

static const char *text_of(const ftl_column *column, size_t row, size_t *size)
{
    *size = column->offsets[row + 1] - column->offsets[row];
    return (const char *)column->values + column->offsets[row];
}

static void compare_cells(const ftl_column *a, size_t row_a, const ftl_column *b, size_t row_b)
{
    require(a->type == b->type);
    if (a->type == FTL_F64) {
        require(memcmp((const double *)a->values + row_a, (const double *)b->values + row_b,
                       sizeof(double)) == 0);
        return;
    }
    size_t size_a, size_b;
    const char *text_a = text_of(a, row_a, &size_a), *text_b = text_of(b, row_b, &size_b);
    require((a->validity[row_a / 8] >> row_a % 8 & 1) == (b->validity[row_b / 8] >> row_b % 8 & 1));
    require(size_a == size_b && memcmp(text_a, text_b, size_a) == 0);
    require(ftl_utf8_valid(text_a, size_a));
}

/* Binds the table's columns; false: they are not those of the decoder. */
static bool bind(const subject *s, ftl_table *table)
{
    ftl_table_column_request requests[N];
    size_t n = 0;
    const ftl_table_info *info = ftl_table_get_info(table);
    if (info->has_names != s->objects || (!s->objects && info->n_columns != N))
        return false;
    for (size_t i = 0; i < N; i++) {
        size_t at = i;
        if (s->objects && ftl_table_find(table, s->columns[i].name, &at) != 1)
            return false;
        if (!s->columns[i].unused)
            requests[n++] = (ftl_table_column_request){.index = at, .type = s->columns[i].type};
    }
    return ftl_table_bind(table, requests, n, NULL) == FTL_OK;
}

/* A block's rows, the first of which is the first-th of the decoder's. */
static void compare_block(const subject *s, const ftl_json_rows *rows, const ftl_row_view *view,
                          size_t first)
{
    require(view->batch.rows <= rows->rows - first);
    for (size_t row = 0; row < view->batch.rows; row++) {
        require(view->bad[row] == rows->bad[first + row]);
        for (size_t i = 0, k = 0; i < N; i++) {
            if (!s->columns[i].unused)
                compare_cells(&rows->columns[i], first + row, &view->batch.columns[k++], row);
        }
    }
}

/* As far as the file's reader has rows. */
static void compare_with_file(const subject *s, const ftl_json_rows *rows, ftl_table *table)
{
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_status status;
    size_t first = 0;
    require(ftl_table_block_create(table, &block, NULL) == FTL_OK);
    require(ftl_row_batch_create(table, &batch, NULL) == FTL_OK);
    while ((status = ftl_table_read(table, 7, block, NULL)) == FTL_OK) {
        ftl_row_view view;
        require(ftl_table_convert(table, block, batch, NULL) == FTL_OK);
        ftl_row_batch_view(batch, &view);
        compare_block(s, rows, &view, first);
        first += view.batch.rows;
    }
    require(status == FTL_END && first == rows->rows);
    ftl_row_batch_destroy(batch);
    ftl_table_block_destroy(block);
}

static void look_at_file(const subject *s, const ftl_json_rows *rows)
{
    ftl_table *table = NULL;
    ftl_stream *stream = NULL;
    ftl_account *account = (ftl_account *)&s->account;
    const ftl_table_options options = {.format = "json", .block_bytes = 256};
    require(ftl_stream_open_memory(account, s->data, rows->end, &stream, NULL) == FTL_OK);
    if (ftl_table_open(account, stream, &options, &table, NULL) != FTL_OK) {
        ftl_stream_close(stream);
        return;
    }
    if (bind(s, table))
        compare_with_file(s, rows, table);
    ftl_table_close(table);
}

/* ---- The decoder ------------------------------------------------------------------------------ */

static void compare_again(const subject *s, ftl_json_decoder *decoder, ftl_json_decoder *fresh,
                          const ftl_json_rows *rows)
{
    ftl_json_rows again;
    require(ftl_json_decode(fresh, s->data, s->size, UINT64_MAX, true, &again, NULL) == FTL_OK);
    require(ftl_json_decode(fresh, s->data, s->size, UINT64_MAX, true, &again, NULL) == FTL_OK);
    require(again.rows == rows->rows && again.end == rows->end && again.n_bad == rows->n_bad);
    for (size_t row = 0; row < rows->rows; row++) {
        require(again.bad[row] == rows->bad[row]);
        for (size_t i = 0; i < N; i++) {
            if (!s->columns[i].unused)
                compare_cells(&rows->columns[i], row, &again.columns[i], row);
        }
        ftl_error a, b;
        if (rows->bad[row]) {
            require(ftl_json_decoder_explain(decoder, row, &a) != FTL_OK && a.message[0]);
            require(ftl_json_decoder_explain(fresh, row, &b) == a.code);
            require(strcmp(a.message, b.message) == 0);
        }
    }
    if (rows->rows) {
        require(ftl_json_decode(fresh, s->data, s->size, rows->rows - 1, true, &again, NULL) ==
                FTL_OK);
        require(again.too_many);
    }
    ftl_error error;
    ftl_status status = ftl_json_decode(fresh, s->data, s->size, UINT64_MAX, false, &again, &error);
    require((status != FTL_OK) == (rows->n_bad > 0) || again.lacks_columns);
}

static void run(const subject *s)
{
    ftl_json_decoder *decoder, *fresh;
    ftl_json_rows rows;
    ftl_account *account = (ftl_account *)&s->account;
    ftl_error error;
    require(ftl_json_decoder_create(account, s->columns, N, s->objects, &decoder, NULL) == FTL_OK);
    require(ftl_json_decoder_create(account, s->columns, N, s->objects, &fresh, NULL) == FTL_OK);
    ftl_error_clear(&error);
    ftl_status status = ftl_json_decode(decoder, s->data, s->size, UINT64_MAX, true, &rows, &error);
    require((status == FTL_OK) != (error.message[0] != 0));
    if (status == FTL_OK && !rows.lacks_columns) {
        require(rows.end <= s->size);
        look_at_file(s, &rows);
        compare_again(s, decoder, fresh, &rows);
    }
    ftl_json_decoder_destroy(decoder);
    ftl_json_decoder_destroy(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[N] = {"a", "größe", "c d"};
    subject s = {.objects = size && data[0] & 1};
    if (size == 0)
        return 0;
    for (size_t i = 0; i < N; i++)
        s.columns[i] = (ftl_json_wanted){.name = names[i],
                                         .type = data[0] >> (1 + i) & 1 ? FTL_STRING : FTL_F64,
                                         .unused = data[0] >> (4 + i) & 1};
    s.data = (const char *)data + 1;
    s.size = size - 1;
    ftl_account_init(&s.account, NULL, 0);
    size_t at = 0;
    while (at < s.size && memchr(" \t\r\n", s.data[at], 4))
        at++;
    if (at < s.size && s.data[at] == '[')
        run(&s);
    require(ftl_account_used(&s.account) == 0);
    return 0;
}
