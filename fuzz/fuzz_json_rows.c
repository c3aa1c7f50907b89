/*
 * JSON tables. The first byte chooses the format and the limits, the second the columns' types and
 * the sizes of blocks and batches. Beyond memory safety: the same cells must come out however the
 * file is cut into pieces, and a row is sound where the tokenizer of io/json.h says so.
 */
#include "fuzz_table.h"

#include "base/utf8.h"
#include "io/json.h"
#include "kernels/kernels.h"
#include "table/json_row.h"

enum { MOST_COLUMNS = 16 };

/* What a run saw, in a form that does not depend on how it was cut. */
typedef struct outcome {
    ftl_status status;
    uint64_t rows, bad, hash;
} outcome;

static void mix(outcome *o, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        o->hash = (o->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

/* A cell that is copied as JSON is JSON, on one line. */
static void check_json(const char *text, size_t size)
{
    ftl_json json;
    ftl_json_token token = FTL_JSON_NULL;
    ftl_json_init(&json, text, size, FTL_JSON_NONFINITE);
    while (token != FTL_JSON_DONE) {
        if (ftl_json_next(&json, &token, NULL) != FTL_OK)
            abort();
    }
    if (memchr(text, '\n', size))
        abort();
}

static void mix_cell(outcome *o, const ftl_column *c, size_t row, bool json)
{
    if (c->type == FTL_F64) {
        double value = ((const double *)c->values)[row];
        if (value != value)
            value = 0;
        mix(o, &value, sizeof value);
        return;
    }
    const char *text = (const char *)c->values + c->offsets[row];
    size_t size = c->offsets[row + 1] - c->offsets[row];
    bool valid = c->validity[row / 8] >> row % 8 & 1;
    if (!ftl_utf8_valid(text, size))
        abort();
    if (valid && json)
        check_json(text, size);
    mix(o, text, size);
    mix(o, valid ? "v" : "m", 1);
}

static void mix_batch(outcome *o, const ftl_table *table, const ftl_table_block *block,
                      ftl_row_batch *batch, const ftl_table_column_request *requests,
                      bool give_json, ftl_strbuf *rejected)
{
    ftl_row_view view;
    ftl_row_batch_view(batch, &view);
    size_t problem = 0;
    for (size_t row = 0; row < view.batch.rows; row++) {
        for (size_t i = 0; i < view.batch.n_columns; i++)
            mix_cell(o, &view.batch.columns[i], row, give_json && requests[i].raw);
        ftl_strbuf_clear(rejected);
        if (ftl_table_block_reject(table, block, row, "why", rejected, NULL) != FTL_OK)
            abort();
        check_json(rejected->data, rejected->size - 1);
        mix(o, rejected->data, rejected->size);
        int64_t line = ftl_table_block_line(block, row);
        mix(o, &line, sizeof line);
        if (view.bad[row]) {
            ftl_error error;
            size_t bad_row;
            ftl_error_clear(&error);
            ftl_row_batch_problem(table, block, batch, problem++, &bad_row, &error);
            if (bad_row != row || !error.message[0])
                abort();
            mix(o, error.message, strlen(error.message));
        }
    }
    o->rows += view.batch.rows;
    o->bad += view.n_bad;
}

/* What visits of a run's batches need. */
typedef struct visitor {
    outcome *outcome;
    const ftl_table_column_request *requests;
    bool give_json;
    ftl_strbuf rejected;
} visitor;

static void visit(void *user, const ftl_table *table, const ftl_table_block *block,
                  ftl_row_batch *batch)
{
    visitor *v = user;
    mix_batch(v->outcome, table, block, batch, v->requests, v->give_json, &v->rejected);
}

/* piece 0: the bytes are seen as a whole. */
static outcome run(const uint8_t *data, size_t size, ftl_table_options options, uint8_t types,
                   size_t piece, size_t max_rows)
{
    outcome o = {.hash = UINT64_C(0xcbf29ce484222325)};
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    fuzz_pieces pieces = {.data = data, .size = size, .piece = piece};
    ftl_table *table;
    o.status = fuzz_table_open(&account, &pieces, &options, &table);
    if (o.status != FTL_OK)
        return o;
    ftl_table_column_request requests[MOST_COLUMNS];
    size_t n = fuzz_cell_requests(table, types, MOST_COLUMNS, requests);
    bool give_json = types & 128;
    if (give_json)
        ftl_table_give_json(table);
    if (ftl_table_bind(table, requests, n, NULL) != FTL_OK)
        abort();
    visitor v = {.outcome = &o, .requests = requests, .give_json = give_json};
    ftl_strbuf_init(&v.rejected, &account, 0);
    const fuzz_reading how = {.max_rows = max_rows, .visit = visit, .user = &v};
    o.status = fuzz_table_read(table, &how);
    ftl_strbuf_free(&v.rejected);
    fuzz_table_end(&account, table);
    return o;
}

static int32_t find_nothing(const void *user, const char *key, size_t size)
{
    (void)user;
    (void)key;
    (void)size;
    return -1;
}

/* The row scanner and the tokenizer are of one mind. */
static void compare_scanners(const uint8_t *data, size_t size)
{
    static const int32_t none = -1;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    ftl_json json;
    ftl_json_token token = FTL_JSON_NULL;
    ftl_json_init(&json, (const char *)data, size, FTL_JSON_NONFINITE);
    ftl_status status = FTL_OK;
    while (status == FTL_OK && token != FTL_JSON_DONE)
        status = ftl_json_next(&json, &token, NULL);
    for (int arrays = 0; arrays < 2; arrays++) {
        ftl_json_split split = {.find = find_nothing,
                                .columns = arrays ? &none : NULL,
                                .values = ftl_kernels_get()->json.values};
        ftl_json_fault fault;
        if (ftl_json_split_init(&split, &account, 0, NULL) != FTL_OK)
            abort();
        for (int again = 0; again < 2; again++) { /* with and without what was learned */
            if (ftl_json_split_row(&split, (const char *)data, size, size, &fault, NULL) != FTL_OK)
                abort();
            /* the outermost brackets count as a level there, and not here */
            if (status != FTL_LIMIT && (fault == FTL_JSON_BROKEN) != (status != FTL_OK))
                abort();
        }
        ftl_json_split_free(&split);
    }
    if (ftl_account_used(&account) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    static const char *const na[] = {"-1", "?", ""};
    ftl_table_options options = {.format = data[0] & 1 ? "jsonl" : "json",
                                 .decimal = data[0] & 8 ? ',' : '.',
                                 .max_record_bytes = data[0] & 32 ? 24 : 0,
                                 .empty_text = (ftl_empty_text)((data[0] >> 1 & 3) % 3),
                                 .na_values = na,
                                 .n_na_values = data[0] & 64 ? 3 : 0};
    uint8_t types = data[1];
    data += 2;
    size -= 2;
    if (ftl_utf8_valid((const char *)data, size))
        compare_scanners(data, size);
    outcome whole = run(data, size, options, types, 0, 100000);
    options.block_bytes = 1 + types % 64;
    outcome cut = run(data, size, options, types, 1 + types % 7, 1 + types % 3);
    if (whole.status != cut.status || whole.rows != cut.rows || whole.bad != cut.bad ||
        whole.hash != cut.hash)
        abort();
    return 0;
}
