/*
 * Arrow IPC streams and files as tables. Their columns are shown to the engine as they lie in
 * memory; nothing is converted. The formats: https://arrow.apache.org/docs/format/Columnar.html
 *
 * A file that can be read at any place is read by its footer, so that dictionaries may lie anywhere
 * in it; through a pipe or a codec it is read from front to end, like a stream.
 */
#include "table/arrow_dictionary.h"

#include <stdio.h>
#include <string.h>

enum { POOL_SIZE = 16 };

typedef struct arrow {
    ftl_arrow_source source;
    ftl_arrow_schema schema;
    ftl_arrow_dictionary *dictionaries;
    size_t *wanted, n_wanted, *places; /* see ftl_arrow_list_wanted */
    ftl_arrow_batch batch;             /* the last one that was begun */
    uint64_t n_batches;
    ftl_arrow_rows *window; /* whose rows are handed out, from next on */
    size_t next;
    /* rows that were made before, to be used again when no block shows them any more */
    ftl_arrow_rows *pool[POOL_SIZE];
} arrow;

/* The metadata's length, and where in it the root table is. */
static bool begins_message(const uint8_t *data, uint32_t most_root)
{
    uint32_t size = ftl_le_u32(data), root = ftl_le_u32(data + 4);
    return size > 16 && size < 1u << 26 && root % 4 == 0 && root >= 4 && root < size &&
           root <= most_root;
}

static int arrow_bid(const uint8_t *data, size_t size)
{
    if (size >= 6 && memcmp(data, "ARROW1", 6) == 0)
        return 48;
    if (size >= 4 && memcmp(data, "FEA1", 4) == 0)
        return 32;
    if (size >= 12 && memcmp(data, "\xff\xff\xff\xff", 4) == 0 &&
        begins_message(data + 4, UINT32_MAX))
        return 40;
    /* before version 0.15 no magic went ahead; what text has no zero bytes */
    return size >= 8 && begins_message(data, 64) ? 24 : -1;
}

static ftl_status read_schema(arrow *state, ftl_fb_table *table, ftl_error *error)
{
    ftl_arrow_message message;
    FTL_TRY(ftl_arrow_source_open(&state->source, table, error));
    if (table->buffer)
        return FTL_OK;
    ftl_status status = ftl_arrow_source_next(&state->source, &message, error);
    if (status == FTL_CORRUPT && state->source.file) /* such as those of polars 1 and 2 */
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the Arrow file does not begin with a schema and is read by its footer "
                        "alone: give it as a plain file, not compressed and not through a pipe");
    if (status == FTL_END || (status == FTL_OK && message.kind != FTL_ARROW_SCHEMA))
        return FTL_FAIL(error, FTL_CORRUPT, "the Arrow data does not begin with a schema");
    FTL_TRY(status);
    *table = message.header;
    return ftl_arrow_source_skip(&state->source, message.body_size, error);
}

static ftl_status arrow_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    (void)options;
    const uint8_t *data;
    size_t seen;
    ftl_fb_table schema;
    FTL_TRY(ftl_stream_ahead(table->stream, 4, &data, &seen, error));
    if (seen >= 4 && memcmp(data, "FEA1", 4) == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "the input is a Feather file of version 1, which is not read; write it as "
                        "version 2, which is an Arrow file");
    arrow *state = FTL_ARENA_NEW(&table->arena, arrow);
    if (!state)
        return FTL_OOM(error);
    table->state = state;
    state->source.table = table;
    FTL_TRY(read_schema(state, &schema, error));
    FTL_TRY(ftl_arrow_schema_parse(&schema, &table->arena, &state->schema, error));
    size_t n = state->schema.n_fields;
    if (n == 0)
        return FTL_FAIL(error, FTL_SHAPE, "the Arrow table has no columns");
    table->info.n_columns = n;
    table->names = ftl_arena_array(&table->arena, n, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        table->names[i] = state->schema.fields[i].name;
    return FTL_OK;
}

static void arrow_close(ftl_table *table)
{
    arrow *state = table->state;
    if (!state)
        return;
    ftl_arrow_rows_release(state->window);
    for (size_t i = 0; i < POOL_SIZE; i++)
        ftl_arrow_rows_release(state->pool[i]);
    ftl_arrow_dictionaries_free(&state->schema, state->dictionaries);
    ftl_arrow_batch_free(&state->batch);
    ftl_arrow_source_close(&state->source);
}

static ftl_type arrow_column_type(const ftl_table *table, size_t column)
{
    const ftl_arrow_field *field = &((const arrow *)table->state)->schema.fields[column];
    const ftl_column shape = {.type = field->type == FTL_DICTIONARY ? field->value_type
                                                                    : field->type};
    return ftl_plain_type(&shape);
}

static const char *arrow_refused(const ftl_table *table, size_t column)
{
    return ((const arrow *)table->state)->schema.fields[column].refused;
}

static ftl_status arrow_bind(ftl_table *table, ftl_error *error)
{
    arrow *state = table->state;
    const ftl_arrow_schema *schema = &state->schema;
    for (size_t i = 0; i < table->n_requests; i++) {
        size_t column = table->requests[i].index;
        const ftl_arrow_field *field = &schema->fields[column];
        if (field->refused)
            return FTL_FAIL_BECAUSE(
                error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                "column %zu '%.120s' is %s%s, which neither models nor outputs take; cast it to "
                "a number or to text",
                column, field->name, field->type == FTL_DICTIONARY ? "a dictionary of " : "",
                field->refused);
    }
    FTL_TRY(ftl_arrow_list_wanted(table, &state->wanted, &state->n_wanted, &state->places, error));
    state->dictionaries = ftl_arena_zero_array(&table->arena, schema->n_dictionaries,
                                               sizeof *state->dictionaries);
    if (!state->dictionaries)
        return FTL_OOM(error);
    FTL_TRY(ftl_arrow_dictionaries_init(table->account, schema, state->wanted, state->n_wanted,
                                        state->dictionaries, error));
    return ftl_arrow_batch_init(&state->batch, &state->source, schema->fields, state->wanted,
                                state->n_wanted, error);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Rows that nobody shows any more, or new ones. */
static ftl_status take_rows(arrow *state, ftl_arrow_rows **out, ftl_error *error)
{
    size_t room = POOL_SIZE;
    for (size_t i = 0; i < POOL_SIZE; i++) {
        ftl_arrow_rows *rows = state->pool[i];
        if (rows && atomic_load_explicit(&rows->references, memory_order_acquire) == 1) {
            ftl_arrow_rows_let_go(rows);
            *out = ftl_arrow_rows_retain(rows);
            return FTL_OK;
        }
        if (!rows)
            room = i;
    }
    FTL_TRY(ftl_arrow_rows_create(state->source.table->account, state->n_wanted,
                                  1 + state->n_wanted, out, error));
    if (room < POOL_SIZE)
        state->pool[room] = ftl_arrow_rows_retain(*out);
    return FTL_OK;
}

static ftl_status next_window(ftl_table *table, arrow *state, size_t max_rows, ftl_error *error)
{
    ftl_arrow_batch *batch = &state->batch;
    ftl_arrow_rows *rows;
    FTL_TRY(take_rows(state, &rows, error));
    ftl_status status = ftl_arrow_batch_read(batch, max_rows, rows, error);
    if (status != FTL_OK) {
        ftl_arrow_rows_release(rows);
        return status;
    }
    for (size_t i = 0; i < batch->n_parts; i++) {
        if (batch->parts[i].field->type == FTL_DICTIONARY)
            ftl_arrow_dictionary_attach(state->dictionaries, batch->parts[i].field, rows, i);
    }
    state->window = rows;
    state->next = 0;
    if (state->source.random)
        table->bytes_at = batch->body_at + (uint64_t)((double)batch->body_size *
                                                      (double)batch->next / (double)batch->rows);
    return FTL_OK;
}

static ftl_status next_message(arrow *state, ftl_error *error)
{
    ftl_arrow_message message;
    char what[64];
    FTL_TRY(ftl_arrow_source_next(&state->source, &message, error));
    switch (message.kind) {
    case FTL_ARROW_DICTIONARY:
        return ftl_arrow_dictionary_read(&state->source, &message, &state->schema,
                                         state->dictionaries, error);
    case FTL_ARROW_BATCH:
        state->batch.number = state->n_batches++;
        snprintf(what, sizeof what, "record batch %llu", (unsigned long long)state->batch.number);
        return ftl_arrow_batch_begin(&state->batch, &message, &message.header, state->schema.fields,
                                     state->schema.n_fields, what, error);
    default:
        return FTL_FAIL(error, FTL_CORRUPT,
                        "the Arrow data holds a message of kind %u where a record batch belongs",
                        message.kind);
    }
}

static ftl_status arrow_read(ftl_table *table, size_t max_rows, ftl_table_block *block,
                             ftl_error *error)
{
    arrow *state = table->state;
    for (;;) {
        if (state->window && state->next < state->window->rows) {
            ftl_arrow_block_show((ftl_arrow_block *)block, state->window, state->places,
                                 &state->next, max_rows);
            return FTL_OK;
        }
        ftl_arrow_rows_release(state->window);
        state->window = NULL;
        if (state->batch.next < state->batch.rows)
            FTL_TRY(next_window(table, state, max_rows, error));
        else
            FTL_TRY(next_message(state, error));
    }
}

static const char *const arrow_endings[] = {".arrow", ".arrows", ".feather", ".ipc", NULL};

const ftl_table_format ftl_table_arrow = {
    .name = "Arrow",
    .keyword = "arrow",
    .endings = arrow_endings,
    .bid = arrow_bid,
    .open = arrow_open,
    .close = arrow_close,
    .column_type = arrow_column_type,
    .refused = arrow_refused,
    .bind = arrow_bind,
    .block_size = sizeof(ftl_arrow_block),
    .block_free = ftl_arrow_block_free,
    .read = arrow_read,
    .convert = ftl_arrow_convert,
};
