#include "table/parquet_state.h"

#include "table/parquet_meta.h"

static const char magic[4] = {'P', 'A', 'R', '1'};

static ftl_status unfit(ftl_error *error)
{
    return FTL_FAIL(error, FTL_CORRUPT, "the row groups are not those of the file");
}

/* *at: where the group begins in the file, and then where it ends. */
static ftl_status check_group(const ftl_parquet_meta *meta, size_t group,
                              const ftl_parquet_column *const *columns, ftl_parquet_chunk *chunks,
                              uint64_t *at, ftl_error *error)
{
    FTL_TRY(ftl_parquet_chunks(meta, group, columns, meta->n_columns, chunks, error));
    for (size_t i = 0; i < meta->n_columns; i++) {
        if (chunks[i].begin != *at)
            return unfit(error);
        *at = chunks[i].end;
    }
    return FTL_OK;
}

static ftl_status check_groups(ftl_parquet_meta *meta, const ftl_output_mark *mark,
                               ftl_arena *arena, ftl_error *error)
{
    uint64_t at = sizeof magic;
    const ftl_parquet_column **columns = ftl_arena_array(arena, meta->n_columns, sizeof *columns);
    ftl_parquet_chunk *chunks = ftl_arena_array(arena, meta->n_columns, sizeof *chunks);
    if (!columns || !chunks)
        return FTL_OOM(error);
    for (size_t i = 0; i < meta->n_columns; i++)
        columns[i] = &meta->columns[i];
    meta->footer_at = mark->packed; /* data end there */
    for (size_t group = 0; group < meta->n_groups; group++)
        FTL_TRY(check_group(meta, group, columns, chunks, &at, error));
    return at == mark->packed && meta->rows == mark->written ? FTL_OK : unfit(error);
}

static ftl_status check(ftl_stream *stream, const ftl_output_mark *mark, ftl_account *account,
                        ftl_error *error)
{
    ftl_arena arena;
    ftl_arena_init(&arena, account);
    ftl_parquet_meta meta;
    ftl_status status = ftl_parquet_meta_read(stream, &arena, &meta, error);
    if (status == FTL_OK)
        status = check_groups(&meta, mark, &arena, error);
    ftl_arena_free(&arena);
    return status == FTL_OK || status == FTL_NOMEM ? status : unfit(error);
}

ftl_status ftl_parquet_check_state(ftl_account *account, const ftl_strbuf *footer,
                                   const ftl_output_mark *mark, ftl_error *error)
{
    ftl_strbuf file; /* one of no rows, whose footer speaks of them */
    ftl_stream *stream = NULL;
    const uint32_t size = (uint32_t)footer->size;
    ftl_strbuf_init(&file, account, INT32_MAX);
    ftl_strbuf_append(&file, magic, sizeof magic);
    ftl_strbuf_append(&file, footer->data, footer->size);
    ftl_strbuf_append(&file, (const char *)&size, sizeof size);
    ftl_strbuf_append(&file, magic, sizeof magic);
    ftl_status status = file.failed ? FTL_OOM(error) : FTL_OK;
    if (status == FTL_OK)
        status = ftl_stream_open_memory(account, file.data, file.size, &stream, error);
    if (status == FTL_OK)
        status = check(stream, mark, account, error);
    ftl_stream_close(stream);
    ftl_strbuf_free(&file);
    return status;
}
