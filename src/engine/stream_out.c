#include "engine/stream_out.h"

#include "engine/arrow_export.h"

#include <stdio.h>
#include <string.h>

void *ftl_stream_out_new(const ftl_allocator *allocator, size_t size)
{
    ftl_account account;
    ftl_account_init(&account, allocator, 0);
    ftl_stream_out *stream = ftl_alloc_zero(&account, 1, size);
    if (!stream)
        return NULL;
    ftl_account_init(&stream->own, allocator, 0);
    ftl_arena_init(&stream->names, &stream->own);
    ftl_error_clear(&stream->error);
    return stream;
}

void ftl_stream_out_destroy(ftl_stream_out *stream)
{
    ftl_account account;
    stream->give_up(stream);
    ftl_arena_free(&stream->names);
    ftl_account_init(&account, &stream->own.allocator, 0);
    ftl_free(&account, stream);
}

ftl_status ftl_stream_out_columns(ftl_stream_out *stream, const ftl_sink_column *columns, size_t n,
                                  ftl_error *error)
{
    ftl_sink_column *copies = ftl_arena_copy(&stream->names, columns, n * sizeof *copies);
    if (!copies)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        copies[i].name = ftl_arena_string(&stream->names, columns[i].name, strlen(columns[i].name));
        if (!copies[i].name)
            return FTL_OOM(error);
    }
    stream->columns = copies;
    stream->n_columns = n;
    return FTL_OK;
}

/* ---- What the consumer calls ----------------------------------------------------------------- */

static int fail(ftl_stream_out *stream, ftl_status status)
{
    stream->give_up(stream);
    stream->status = status;
    snprintf(stream->message, sizeof stream->message, "%s: %s", ftl_status_name(status),
             stream->error.message);
    return ftl_arrow_errno(status);
}

static int get_schema(struct ArrowArrayStream *out, struct ArrowSchema *schema)
{
    ftl_stream_out *stream = out->private_data;
    ftl_status status = ftl_arrow_export_schema(&stream->own.allocator, stream->columns,
                                                stream->n_columns, schema, &stream->error);
    return status == FTL_OK ? 0 : fail(stream, status);
}

static int get_next(struct ArrowArrayStream *out, struct ArrowArray *batch)
{
    ftl_stream_out *stream = out->private_data;
    ftl_status status = stream->status;
    if (status == FTL_OK)
        status = stream->next(stream, batch, &stream->error);
    if (status == FTL_OK)
        return 0;
    if (status != FTL_END)
        return fail(stream, status);
    stream->give_up(stream);
    stream->status = FTL_END;
    *batch = (struct ArrowArray){0};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *out)
{
    const ftl_stream_out *stream = out->private_data;
    return stream->message[0] ? stream->message : NULL;
}

static void release(struct ArrowArrayStream *out)
{
    ftl_stream_out_destroy(out->private_data);
    out->release = NULL;
}

void ftl_stream_out_hand(ftl_stream_out *stream, struct ArrowArrayStream *out)
{
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = stream};
}
