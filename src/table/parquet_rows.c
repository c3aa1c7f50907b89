#include "table/parquet_rows.h"

#include <string.h>

/* Columns of text are read so many rows at a time, so that a block can end when it is full. */
enum { TEXT_STEP = 256 };

ftl_status ftl_parquet_rows_open(ftl_parquet_rows *rows, ftl_account *account,
                                 const ftl_stream *source, size_t text_limit, size_t block_text,
                                 ftl_error *error)
{
    *rows = (ftl_parquet_rows){.account = account, .block_text = block_text};
    ftl_arena_init(&rows->arena, account);
    ftl_parquet_shared_init(&rows->shared, source, account, text_limit);
    FTL_TRY(ftl_parquet_meta_read(source, &rows->arena, &rows->meta, error));
    rows->group = SIZE_MAX; /* the one before the first */
    return FTL_OK;
}

void ftl_parquet_rows_free(ftl_parquet_rows *rows)
{
    for (size_t i = 0; i < rows->n_wanted; i++)
        ftl_parquet_cursor_free(&rows->cursors[i]);
    ftl_parquet_shared_free(&rows->shared);
    ftl_arena_free(&rows->arena);
}

static ftl_status refuse(const ftl_parquet_column *column, ftl_error *error)
{
    return FTL_FAIL_BECAUSE(
        error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
        "column '%.120s' of the Parquet file holds %s, which neither models nor outputs take; "
        "cast it to a number or to text",
        column->name, column->refused);
}

ftl_status ftl_parquet_rows_want(ftl_parquet_rows *rows, const size_t *columns, size_t n,
                                 ftl_error *error)
{
    const ftl_parquet_meta *meta = &rows->meta;
    uint8_t *asked = ftl_arena_zero_array(&rows->arena, meta->n_columns + 1, 1);
    size_t room = n < meta->n_columns ? n : meta->n_columns;
    rows->wanted = ftl_arena_zero_array(&rows->arena, room + 1, sizeof(void *));
    rows->chunks = ftl_arena_zero_array(&rows->arena, room + 1, sizeof *rows->chunks);
    rows->cursors = ftl_arena_zero_array(&rows->arena, room + 1, sizeof *rows->cursors);
    if (!asked || !rows->wanted || !rows->chunks || !rows->cursors)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        if (meta->columns[columns[i]].refused)
            return refuse(&meta->columns[columns[i]], error);
        asked[columns[i]] = 1;
    }
    for (size_t i = 0; i < meta->n_columns; i++) {
        const ftl_parquet_column *column = &meta->columns[i];
        if (!asked[i] || column->type == FTL_NULL)
            continue;
        rows->has_text |= column->type == FTL_STRING;
        ftl_parquet_cursor_init(&rows->cursors[rows->n_wanted], &rows->shared, column);
        rows->wanted[rows->n_wanted++] = column;
    }
    return FTL_OK;
}

size_t ftl_parquet_rows_slot(const ftl_parquet_rows *rows, size_t column)
{
    const ftl_parquet_column *sought = &rows->meta.columns[column];
    size_t low = 0, high = rows->n_wanted;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->wanted[middle] < sought)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The next row group that has rows. */
static ftl_status next_group(ftl_parquet_rows *rows, ftl_error *error)
{
    const ftl_parquet_meta *meta = &rows->meta;
    while (rows->group_left == 0) {
        size_t group = rows->group + 1;
        if (group >= meta->n_groups)
            return FTL_END;
        rows->group = group;
        if (meta->groups[group].rows == 0)
            continue;
        if (rows->n_wanted)
            FTL_TRY(
                ftl_parquet_chunks(meta, group, rows->wanted, rows->n_wanted, rows->chunks, error));
        for (size_t i = 0; i < rows->n_wanted; i++)
            FTL_TRY(ftl_parquet_cursor_begin(&rows->cursors[i], group, meta->groups[group].rows,
                                             &rows->chunks[i], error));
        rows->group_left = meta->groups[group].rows;
    }
    return FTL_OK;
}

/* So many rows of all columns. */
typedef struct step {
    ftl_parquet_rows *rows;
    ftl_parquet_values *values;
    size_t n;
    /* Under the lock of what columns share. */
    size_t failed; /* the first column that failed */
    ftl_status status;
    ftl_error error;
} step;

static void read_column(void *user, size_t i)
{
    step *s = user;
    ftl_error error;
    ftl_error_clear(&error);
    ftl_status status = ftl_parquet_cursor_read(&s->rows->cursors[i], s->n, &s->values[i], &error);
    if (status == FTL_OK)
        return;
    pthread_mutex_lock(&s->rows->shared.lock);
    if (i < s->failed) {
        s->failed = i;
        s->status = status;
        s->error = error;
    }
    pthread_mutex_unlock(&s->rows->shared.lock);
}

/* All columns, n rows; *text: bytes of texts that the block holds then. Of columns that fail the
 * first one is told, whichever was read first. */
static ftl_status read_columns(ftl_parquet_rows *rows, size_t n, ftl_parquet_values *values,
                               size_t *text, ftl_error *error)
{
    step s = {.rows = rows, .values = values, .n = n, .failed = SIZE_MAX, .status = FTL_OK};
    ftl_group_share(rows->helpers, rows->n_wanted, read_column, &s);
    if (s.status != FTL_OK && error)
        *error = s.error;
    FTL_TRY(s.status);
    *text = 0;
    for (size_t i = 0; i < rows->n_wanted; i++)
        *text += values[i].used;
    return FTL_OK;
}

ftl_status ftl_parquet_rows_read(ftl_parquet_rows *rows, size_t max_rows,
                                 ftl_parquet_values *values, size_t *n, ftl_error *error)
{
    size_t text = 0;
    *n = 0;
    for (size_t i = 0; i < rows->n_wanted; i++)
        ftl_parquet_values_clear(&values[i]);
    while (*n < max_rows && text < rows->block_text) {
        ftl_status status = next_group(rows, error);
        if (status == FTL_END && *n > 0)
            return FTL_OK;
        FTL_TRY(status);
        size_t some = max_rows - *n;
        if (rows->has_text && some > TEXT_STEP)
            some = TEXT_STEP;
        if (some > rows->group_left)
            some = (size_t)rows->group_left;
        FTL_TRY(read_columns(rows, some, values, &text, error));
        rows->group_left -= some;
        *n += some;
    }
    return FTL_OK;
}
