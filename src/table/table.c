#include "table/table.h"

#include "base/hash.h"
#include "io/recode.h"
#include "table/table_impl.h"

#include <string.h>

/* Another row format is another entry; the highest bid wins and CSV takes what nobody claims. */
static const ftl_table_format *const formats[] = {&ftl_table_npy, &ftl_table_csv};

enum { DEFAULT_RECORD = 1 << 20, DEFAULT_BLOCK = 1 << 20, MAGIC_BYTES = 16 };

/* The slot of a name, or the empty one where it belongs. */
static struct ftl_name_slot *name_slot(const ftl_table *table, const char *name)
{
    size_t at = (size_t)ftl_hash_bytes(ftl_hash_seed(), name, strlen(name)) & table->name_mask;
    while (table->name_slots[at].count &&
           strcmp(table->names[table->name_slots[at].column], name) != 0)
        at = (at + 1) & table->name_mask;
    return &table->name_slots[at];
}

static ftl_status index_names(ftl_table *table, ftl_error *error)
{
    if (!table->names)
        return FTL_OK;
    size_t n = table->info.n_columns, slots = 16;
    if (n >= UINT32_MAX / 4)
        return FTL_FAIL(error, FTL_LIMIT, "the header has %zu columns", n);
    while (slots < 2 * n)
        slots *= 2;
    table->name_slots = ftl_arena_zero_array(&table->arena, slots, sizeof *table->name_slots);
    if (!table->name_slots)
        return FTL_OOM(error);
    table->name_mask = slots - 1;
    for (size_t i = 0; i < n; i++) {
        struct ftl_name_slot *slot = name_slot(table, table->names[i]);
        if (slot->count++ == 0)
            slot->column = (uint32_t)i;
    }
    return FTL_OK;
}

size_t ftl_table_find(const ftl_table *table, const char *name, size_t *index)
{
    const struct ftl_name_slot *slot = table->names ? name_slot(table, name) : NULL;
    if (!slot || slot->count == 0)
        return 0;
    *index = slot->column;
    return slot->count;
}

static ftl_status set_limits(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    table->max_record = options->max_record_bytes ? options->max_record_bytes : DEFAULT_RECORD;
    table->block_bytes = options->block_bytes ? options->block_bytes : DEFAULT_BLOCK;
    if (table->max_record > FTL_RECORD_LIMIT)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "max_record_bytes",
                               "options.max_record_bytes is %zu bytes, the most is %d",
                               table->max_record, FTL_RECORD_LIMIT);
    if (table->block_bytes > FTL_BLOCK_LIMIT / 2)
        return FTL_FAIL(error, FTL_ARG, "a block of %zu bytes is too large, the most is %d",
                        table->block_bytes, FTL_BLOCK_LIMIT / 2);
    return FTL_OK;
}

ftl_status ftl_table_recode(ftl_account *account, ftl_stream **stream, const char *encoding,
                            const char **from, ftl_error *error)
{
    const uint8_t *data;
    size_t size;
    FTL_TRY(ftl_stream_ahead(*stream, MAGIC_BYTES, &data, &size, error));
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        if (encoding && formats[i]->bid(data, size) > 0)
            return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "encoding",
                                   "options.encoding is for text; the input is a %s file",
                                   formats[i]->name);
    }
    const ftl_stream *before = *stream;
    if (!encoding)
        encoding = ftl_recode_mark(data, size);
    if (encoding)
        FTL_TRY(ftl_recode(account, stream, encoding, error));
    *from = *stream != before ? encoding : NULL;
    return FTL_OK;
}

static ftl_status open_format(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    const uint8_t *data;
    size_t size;
    FTL_TRY(set_limits(table, options, error));
    FTL_TRY(ftl_stream_ahead(table->stream, MAGIC_BYTES, &data, &size, error));
    int best = -1;
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        int bid = formats[i]->bid(data, size);
        if (bid > best) {
            best = bid;
            table->format = formats[i];
        }
    }
    FTL_TRY(table->format->open(table, options, error));
    table->info.format = table->format->name;
    table->info.has_names = table->names != NULL;
    return index_names(table, error);
}

ftl_status ftl_table_open(ftl_account *account, ftl_stream *stream,
                          const ftl_table_options *options, ftl_table **out, ftl_error *error)
{
    static const ftl_table_options defaults;
    ftl_table *table = ftl_alloc_zero(account, 1, sizeof *table);
    if (!table)
        return FTL_OOM(error);
    table->account = account;
    table->stream = stream;
    table->info.rows = -1;
    ftl_arena_init(&table->arena, account);
    ftl_status status = open_format(table, options ? options : &defaults, error);
    if (status != FTL_OK) {
        table->stream = NULL; /* still the caller's */
        ftl_table_close(table);
        return status;
    }
    *out = table;
    return FTL_OK;
}

void ftl_table_close(ftl_table *table)
{
    if (!table)
        return;
    if (table->format)
        table->format->close(table);
    ftl_stream_close(table->stream);
    ftl_arena_free(&table->arena);
    ftl_free(table->account, table);
}

const ftl_table_info *ftl_table_get_info(const ftl_table *table) { return &table->info; }

const char *ftl_table_column_name(const ftl_table *table, size_t index)
{
    return table->names && index < table->info.n_columns ? table->names[index] : NULL;
}

const char *ftl_table_header(const ftl_table *table, size_t *size)
{
    *size = 0;
    return table->format->header ? table->format->header(table, size) : "";
}

uint64_t ftl_table_bytes_read(const ftl_table *table) { return ftl_stream_offset(table->stream); }

ftl_status ftl_table_bind(ftl_table *table, const ftl_table_column_request *requests,
                          size_t n_requests, ftl_error *error)
{
    if (table->bound)
        return FTL_FAIL(error, FTL_ARG, "the columns of a table are bound once");
    for (size_t i = 0; i < n_requests; i++) {
        if (requests[i].index >= table->info.n_columns)
            return FTL_FAIL(error, FTL_ARG, "column %zu is asked for and the table has %zu",
                            requests[i].index, table->info.n_columns);
        if (requests[i].type != FTL_F64 && requests[i].type != FTL_F32 &&
            requests[i].type != FTL_STRING)
            return FTL_FAIL(error, FTL_ARG, "column %zu: a table yields float64, float32 and text",
                            requests[i].index);
    }
    table->requests = ftl_arena_array(&table->arena, n_requests ? n_requests : 1, sizeof *requests);
    if (!table->requests)
        return FTL_OOM(error);
    if (n_requests)
        memcpy(table->requests, requests, n_requests * sizeof *requests);
    table->n_requests = n_requests;
    table->bound = true;
    return FTL_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

ftl_status ftl_table_read(ftl_table *table, size_t max_rows, ftl_table_block *block,
                          ftl_error *error)
{
    if (table->failed.code != FTL_OK) {
        if (error)
            *error = table->failed;
        return table->failed.code;
    }
    if (!table->bound || max_rows == 0)
        return FTL_FAIL(error, FTL_ARG,
                        "columns are bound before the first read, and a read asks for rows");
    if (max_rows > UINT32_MAX / 2)
        max_rows = UINT32_MAX / 2;
    block->size = block->rows = 0;
    block->first_row = table->rows_read;
    ftl_error failure;
    ftl_error_clear(&failure);
    ftl_status status = table->format->read(table, max_rows, block, &failure);
    if (status == FTL_END)
        return FTL_END;
    table->rows_read += block->rows;
    if (status != FTL_OK) {
        if (failure.row < 0)
            failure.row = (int64_t)table->rows_read;
        table->failed = failure;
        table->failed.code = status;
        if (block->rows == 0) {
            if (error)
                *error = failure;
            return status;
        }
    }
    return FTL_OK;
}
