/*
 * CSV tables. The first byte chooses the dialect, the second the sizes of blocks and batches.
 * Beyond memory safety: the same cells must come out however the file is cut into pieces, and what
 * the CSV sink writes must read back as the same text.
 */
#include "fuzz_table.h"

#include "../tests/unit/csv_rows.h"

enum { MOST_COLUMNS = 16 };

/* What a run saw, in a form that does not depend on how it was cut. */
typedef struct outcome {
    ftl_status status;
    uint64_t rows, bad, hash;
    int64_t line;
} outcome;

static void mix(outcome *o, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        o->hash = (o->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void mix_batch(outcome *o, const ftl_table *table, const ftl_table_block *block,
                      ftl_row_batch *batch, ftl_strbuf *rejected)
{
    ftl_row_view view;
    ftl_row_batch_view(batch, &view);
    size_t problem = 0;
    for (size_t row = 0; row < view.batch.rows; row++) {
        for (size_t i = 0; i < view.batch.n_columns; i++) {
            const ftl_column *c = &view.batch.columns[i];
            if (c->type == FTL_F64) {
                double value = ((const double *)c->values)[row];
                if (value != value)
                    value = 0;
                mix(o, &value, sizeof value);
                continue;
            }
            mix(o, (const char *)c->values + c->offsets[row],
                c->offsets[row + 1] - c->offsets[row]);
            mix(o, (c->validity[row / 8] >> row % 8 & 1) ? "v" : "m", 1);
        }
        ftl_strbuf_clear(rejected);
        if (ftl_table_block_reject(table, block, row, "why", rejected, NULL) != FTL_OK)
            abort();
        mix(o, rejected->data, rejected->size);
        if (view.bad[row]) {
            ftl_error error;
            size_t bad_row;
            ftl_row_batch_problem(table, block, batch, problem++, &bad_row, &error);
            if (bad_row != row)
                abort();
            mix(o, error.message, strlen(error.message));
        }
    }
    o->rows += view.batch.rows;
    o->bad += view.n_bad;
    if (view.batch.rows)
        o->line = ftl_table_block_line(block, view.batch.rows - 1);
}

/* A missing cell keeps its text ("NA") in the batch and is written as an empty one. */
static bool same_cell(const ftl_column *got, const ftl_column *sent, size_t row)
{
    bool there = sent->validity[row / 8] >> row % 8 & 1;
    size_t size = there ? sent->offsets[row + 1] - sent->offsets[row] : 0;
    return got->offsets[row + 1] - got->offsets[row] == size &&
           memcmp((const char *)got->values + got->offsets[row],
                  (const char *)sent->values + sent->offsets[row], size) == 0;
}

/* Writes the batch's text columns as CSV, reads them back and compares. */
static void check_round_trip(ftl_account *account, const ftl_row_view *view)
{
    ftl_column text[MOST_COLUMNS];
    size_t n = 0;
    for (size_t i = 0; i < view->batch.n_columns; i++) {
        if (view->batch.columns[i].type == FTL_STRING)
            text[n++] = view->batch.columns[i];
    }
    if (n == 0 || view->n_bad || view->batch.rows == 0)
        return;
    ftl_strbuf out;
    ftl_strbuf_init(&out, account, 0);
    for (size_t i = 0; i < n; i++)
        ftl_strbuf_puts(&out, i ? ",h" : "h");
    ftl_strbuf_putc(&out, '\n');
    const ftl_batch batch = {.rows = view->batch.rows, .n_columns = n, .columns = text};
    if (csv_rows(account, &batch, NULL, &out, NULL) != FTL_OK)
        abort();
    ftl_table_column_request requests[MOST_COLUMNS];
    for (size_t i = 0; i < n; i++)
        requests[i] = (ftl_table_column_request){.index = i, .type = FTL_STRING, .raw = true};
    static const ftl_table_options options = {.format = "csv", .delimiter = ','};
    ftl_stream *stream;
    ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *again;
    ftl_row_view got;
    if (ftl_stream_open_memory(account, out.data, out.size, &stream, NULL) != FTL_OK ||
        ftl_table_open(account, stream, &options, &table, NULL) != FTL_OK ||
        ftl_table_bind(table, requests, n, NULL) != FTL_OK ||
        ftl_table_block_create(table, &block, NULL) != FTL_OK ||
        ftl_row_batch_create(table, &again, NULL) != FTL_OK ||
        ftl_table_read(table, batch.rows + 1, block, NULL) != FTL_OK ||
        ftl_table_convert(table, block, again, NULL) != FTL_OK)
        abort();
    ftl_row_batch_view(again, &got);
    if (got.batch.rows != batch.rows || got.n_bad)
        abort();
    for (size_t i = 0; i < n; i++) {
        for (size_t row = 0; row < batch.rows; row++) {
            if (!same_cell(&got.batch.columns[i], &text[i], row))
                abort();
        }
    }
    ftl_row_batch_destroy(again);
    ftl_table_block_destroy(block);
    ftl_table_close(table);
    ftl_strbuf_free(&out);
}

/* What visits of a run's batches need. */
typedef struct visitor {
    outcome *outcome;
    ftl_account *account;
    bool round_trip;
    ftl_strbuf rejected;
} visitor;

static void visit(void *user, const ftl_table *table, const ftl_table_block *block,
                  ftl_row_batch *batch)
{
    visitor *v = user;
    mix_batch(v->outcome, table, block, batch, &v->rejected);
    ftl_row_view view;
    ftl_row_batch_view(batch, &view);
    if (v->round_trip)
        check_round_trip(v->account, &view);
}

/* piece 0: the bytes are seen as a whole. */
static outcome run(const uint8_t *data, size_t size, ftl_table_options options, uint8_t types,
                   size_t piece, size_t max_rows, bool round_trip)
{
    outcome o = {.hash = UINT64_C(0xcbf29ce484222325), .line = -1};
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    fuzz_pieces pieces = {.data = data, .size = size, .piece = piece};
    ftl_table *table;
    o.status = fuzz_table_open(&account, &pieces, &options, &table);
    if (o.status != FTL_OK)
        return o;
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t n = fuzz_cell_requests(table, types, MOST_COLUMNS, requests);
    if (ftl_table_bind(table, requests, n, NULL) != FTL_OK)
        abort();
    visitor v = {.outcome = &o, .account = &account, .round_trip = round_trip};
    ftl_strbuf_init(&v.rejected, &account, 0);
    const fuzz_reading how = {.max_rows = max_rows, .visit = visit, .user = &v};
    o.status = fuzz_table_read(table, &how);
    ftl_strbuf_free(&v.rejected);
    fuzz_table_end(&account, table);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    static const char delimiters[] = {0, ',', ';', '\t', '|', ' ', 0, ','};
    static const char *const na[] = {"-1", "?", ""};
    ftl_table_options options = {.format = "csv",
                                 .delimiter = delimiters[data[0] & 7],
                                 .decimal = data[0] & 8 ? ',' : '.',
                                 .no_header = data[0] & 16,
                                 .max_record_bytes = data[0] & 32 ? 24 : 0,
                                 .na_values = na,
                                 .n_na_values = data[0] & 64 ? 3 : 0};
    uint8_t types = data[1];
    data += 2;
    size -= 2;
    outcome whole = run(data, size, options, types, 0, 100000, true);
    options.block_bytes = 1 + types % 64;
    outcome cut = run(data, size, options, types, 1 + types % 5, 1 + types % 3, false);
    if (whole.status != cut.status || whole.rows != cut.rows || whole.bad != cut.bad ||
        whole.hash != cut.hash || whole.line != cut.line)
        abort();
    return 0;
}
