/*
 * Arrow C streams as tables: record batches of a program's own, whose columns are viewed where they
 * lie. A batch goes back to its producer when no block shows its rows any more, on the thread that
 * reads.
 */
#include "table/arrow_c.h"
#include "table/arrow_rows.h"

#include <errno.h>
#include <string.h>

typedef struct arrow_stream {
    struct ArrowSchema schema;
    ftl_arrow_type *types; /* [n_wanted] */
    size_t *wanted, n_wanted, *places;
    uint64_t n_batches;
    ftl_arrow_rows *rows; /* whose rows are handed out, from next on */
    size_t next;
    bool ended;
} arrow_stream;

/* What the producer says; its answers are errno values. */
static ftl_status producer_failed(struct ArrowArrayStream *stream, int code, ftl_error *error)
{
    const char *message = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    if (code == ENOMEM)
        return FTL_OOM(error);
    return FTL_FAIL(error, FTL_IO, "the Arrow stream failed with code %d: %.500s", code,
                    message ? message : "it does not say why");
}

static ftl_status stream_open(ftl_table *table, const ftl_table_options *options, ftl_error *error)
{
    (void)options;
    struct ArrowArrayStream *in = table->arrow;
    arrow_stream *state = FTL_ARENA_NEW(&table->arena, arrow_stream);
    if (!state)
        return FTL_OOM(error);
    table->state = state;
    if (!in->release || !in->get_schema || !in->get_next)
        return FTL_FAIL(error, FTL_ARG, "the Arrow stream was released");
    int code = in->get_schema(in, &state->schema);
    if (code != 0)
        state->schema.release = NULL; /* whatever it wrote there */
    if (code != 0)
        return producer_failed(in, code, error);
    FTL_TRY(ftl_arrow_schema_check(&state->schema, error));
    size_t n = (size_t)state->schema.n_children;
    if (n == 0)
        return FTL_FAIL(error, FTL_SHAPE, "the Arrow stream has no columns");
    table->info.n_columns = n;
    table->names = ftl_arena_array(&table->arena, n, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        table->names[i] = ftl_arrow_child_name(&state->schema, i);
    return FTL_OK;
}

static void stream_close(ftl_table *table)
{
    arrow_stream *state = table->state;
    if (!state)
        return;
    ftl_arrow_rows_release(state->rows);
    if (state->schema.release)
        state->schema.release(&state->schema);
}

static ftl_type stream_column_type(const ftl_table *table, size_t column)
{
    const arrow_stream *state = table->state;
    ftl_arrow_type type;
    if (ftl_arrow_child_type(&state->schema, column, &type, NULL) != FTL_OK)
        return FTL_STRING; /* binding it tells what is wrong */
    const ftl_column shape = {.type = type.type == FTL_DICTIONARY ? type.value_type : type.type};
    return ftl_plain_type(&shape);
}

static const char *stream_refused(const ftl_table *table, size_t column)
{
    return ftl_arrow_child_refused(&((const arrow_stream *)table->state)->schema, column);
}

static ftl_status stream_bind(ftl_table *table, ftl_error *error)
{
    arrow_stream *state = table->state;
    FTL_TRY(ftl_arrow_list_wanted(table, &state->wanted, &state->n_wanted, &state->places, error));
    state->types = ftl_arena_zero_array(&table->arena, state->n_wanted, sizeof *state->types);
    if (!state->types)
        return FTL_OOM(error);
    for (size_t i = 0; i < state->n_wanted; i++)
        FTL_TRY(ftl_arrow_child_type(&state->schema, state->wanted[i], &state->types[i], error));
    return FTL_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void release_batch(ftl_arrow_rows *rows)
{
    struct ArrowArray *array = rows->user;
    if (array->release)
        array->release(array);
    ftl_free(rows->account, array);
}

/* The rows' columns, and behind them the dictionaries of those that have one. */
static ftl_status view_batch(const ftl_table *table, const struct ArrowArray *array,
                             ftl_arrow_rows *rows, ftl_error *error)
{
    const arrow_stream *state = table->state;
    char message[FTL_ERROR_MESSAGE_SIZE];
    FTL_TRY(ftl_arrow_batch_check(array, table->info.n_columns, error));
    rows->rows = (size_t)array->length;
    for (size_t i = 0; i < state->n_wanted; i++) {
        rows->text_sizes[i] = SIZE_MAX;
        ftl_status status = ftl_arrow_child_view(array, state->wanted[i], &state->types[i],
                                                 &rows->columns[i],
                                                 &rows->columns[state->n_wanted + i], error);
        if (status == FTL_OK && rows->columns[i].type == FTL_DICTIONARY)
            status = ftl_arrow_column_check(rows->columns[i].dictionary,
                                            rows->columns[i].dictionary_rows, SIZE_MAX, SIZE_MAX,
                                            error);
        if (status == FTL_OK)
            continue;
        if (error) {
            memcpy(message, error->message, sizeof message);
            ftl_error_set(error, status, "record batch %llu: column '%.120s' %.500s",
                          (unsigned long long)rows->batch, table->names[state->wanted[i]], message);
        }
        return status;
    }
    return FTL_OK;
}

static ftl_status next_batch(ftl_table *table, arrow_stream *state, ftl_error *error)
{
    ftl_arrow_rows *rows;
    struct ArrowArray *array = ftl_alloc_zero(table->account, 1, sizeof *array);
    if (!array)
        return FTL_OOM(error);
    ftl_status status = ftl_arrow_rows_create(table->account, 2 * state->n_wanted, 0, &rows, error);
    if (status != FTL_OK) {
        ftl_free(table->account, array);
        return status;
    }
    rows->user = array;
    rows->release = release_batch;
    rows->batch = state->n_batches++;
    int code = table->arrow->get_next(table->arrow, array);
    if (code != 0) {
        array->release = NULL;
        status = producer_failed(table->arrow, code, error);
    } else if (!array->release) {
        state->ended = true;
        status = FTL_END;
    } else {
        status = view_batch(table, array, rows, error);
    }
    if (status != FTL_OK) {
        ftl_arrow_rows_release(rows);
        return status;
    }
    state->rows = rows;
    state->next = 0;
    return FTL_OK;
}

static ftl_status stream_read(ftl_table *table, size_t max_rows, ftl_table_block *block,
                              ftl_error *error)
{
    arrow_stream *state = table->state;
    for (;;) {
        if (state->rows && state->next < state->rows->rows) {
            ftl_arrow_block_show((ftl_arrow_block *)block, state->rows, state->places, &state->next,
                                 max_rows);
            return FTL_OK;
        }
        ftl_arrow_rows_release(state->rows);
        state->rows = NULL;
        if (state->ended)
            return FTL_END;
        FTL_TRY(next_batch(table, state, error));
    }
}

const ftl_table_format ftl_table_arrow_stream = {
    .name = "Arrow stream",
    .open = stream_open,
    .close = stream_close,
    .column_type = stream_column_type,
    .refused = stream_refused,
    .bind = stream_bind,
    .block_size = sizeof(ftl_arrow_block),
    .block_free = ftl_arrow_block_free,
    .read = stream_read,
    .convert = ftl_arrow_convert,
};
