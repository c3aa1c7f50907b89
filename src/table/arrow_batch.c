#include "table/arrow_batch.h"

#include "base/checked.h"
#include "base/column.h"

#include <stdio.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    WINDOW_BYTES = 2 << 20,   /* of numbers, offsets and views */
    WINDOW_TEXT = 32 << 20,   /* of texts, unless it is a few rows' */
    LEAST_ROWS = 8,           /* of a window: a byte of validity */
    VIEW_BYTES = 16,          /* of a view */
    PIECE_SIZE = 1 << 20,     /* what a claim of a stream is worth before its bytes have come */
    UNBACKED_ROWS = INT32_MAX /* of a batch that no bytes stand for */
};

/* "record batch 3, column 'x': " in front of what is wrong. */
static ftl_status at_part(const ftl_arrow_batch *batch, const ftl_arrow_part *part,
                          ftl_status status, ftl_error *error)
{
    char message[FTL_ERROR_MESSAGE_SIZE];
    if (status == FTL_OK || !error)
        return status;
    const ftl_error bare = *error;
    memcpy(message, error->message, sizeof message);
    ftl_error_set(error, status, "%s, column '%.120s': %.400s", batch->what, part->field->name,
                  message);
    ftl_error_because(error, bare.reason, bare.option);
    return status;
}

static ftl_status too_large(const ftl_arrow_batch *batch, ftl_error *error)
{
    return FTL_FAIL(error, FTL_LIMIT,
                    "%s takes more than %d bytes of memory; write the table in smaller batches%s",
                    batch->what, FTL_BLOCK_LIMIT, batch->source->random ? ", or uncompressed" : "");
}

/* ---- Where things lie ------------------------------------------------------------------------ */

/* The lists of a RecordBatch. */
typedef struct lists {
    ftl_fb_vector nodes, buffers, views;
} lists;

enum { NODE_SIZE = 16, BUFFER_SIZE = 16, COUNT_SIZE = 8, SECOND_NUMBER = 8 };

static ftl_status get_piece(const ftl_arrow_batch *batch, const lists *from, size_t i,
                            ftl_arrow_piece *out, ftl_error *error)
{
    if (i >= from->buffers.count)
        return FTL_FAIL(error, FTL_CORRUPT, "there is no buffer %zu, but %u", i,
                        from->buffers.count);
    int64_t at = ftl_fb_i64_within(&from->buffers, (uint32_t)i, 0);
    int64_t size = ftl_fb_i64_within(&from->buffers, (uint32_t)i, SECOND_NUMBER);
    if (at < 0 || size < 0 || (uint64_t)at > batch->body_size ||
        (uint64_t)size > batch->body_size - (uint64_t)at)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "buffer %zu of %lld bytes at %lld lies outside of the body of %llu", i,
                        (long long)size, (long long)at, (unsigned long long)batch->body_size);
    *out = (ftl_arrow_piece){(uint64_t)at, (uint64_t)size};
    return FTL_OK;
}

/* Bytes that rows take of a column's first buffer. */
static uint64_t first_bytes(ftl_type type, uint64_t rows)
{
    switch (type) {
    case FTL_NULL:
        return 0;
    case FTL_BIT:
        return (rows + 7) / 8;
    case FTL_STRING:
        return (rows + 1) * sizeof(uint32_t);
    case FTL_LARGE_STRING:
        return (rows + 1) * sizeof(int64_t);
    case FTL_STRING_VIEW:
        return rows * VIEW_BYTES;
    default:
        return rows * ftl_type_size(type);
    }
}

static bool has_texts(const ftl_arrow_part *part)
{
    return part->type == FTL_STRING || part->type == FTL_LARGE_STRING;
}

/* Whether a buffer has the bytes that rows need. */
static ftl_status check_size(uint64_t size, uint64_t needed, const char *buffer, uint64_t rows,
                             ftl_error *error)
{
    if (size >= needed)
        return FTL_OK;
    return FTL_FAIL(error, FTL_CORRUPT, "its %s have %llu bytes where %llu rows need %llu", buffer,
                    (unsigned long long)size, (unsigned long long)rows, (unsigned long long)needed);
}

static ftl_status check_part(const ftl_arrow_batch *batch, const ftl_arrow_part *part,
                             ftl_error *error)
{
    if (part->nulls && part->validity.size == 0)
        return FTL_FAIL(error, FTL_CORRUPT, "it counts nulls and has no validity");
    if (batch->packed) /* the sizes are not known yet */
        return FTL_OK;
    if (part->nulls)
        FTL_TRY(check_size(part->validity.size, (batch->rows + 7) / 8, "validity bits", batch->rows,
                           error));
    return check_size(part->first.size, first_bytes(part->type, batch->rows),
                      has_texts(part) ? "offsets" : "values", batch->rows, error);
}

/* Where a view's further buffers are; *buffer: the first of them. */
static ftl_status add_views(ftl_arrow_batch *batch, const lists *from, size_t view, size_t buffer,
                            ftl_arrow_part *part, ftl_error *error)
{
    part->first_view = batch->n_views;
    int64_t n = view < from->views.count ? ftl_fb_i64_within(&from->views, (uint32_t)view, 0) : -1;
    if (n < 0 || buffer > from->buffers.count || (uint64_t)n > from->buffers.count - buffer)
        return FTL_FAIL(error, FTL_CORRUPT, "it has no buffers for its views");
    part->n_views = (size_t)n;
    FTL_TRY(ftl_grow(batch->source->table->account, &batch->views, &batch->views_room,
                     batch->n_views + part->n_views, sizeof *batch->views, error));
    for (size_t i = 0; i < part->n_views; i++)
        FTL_TRY(get_piece(batch, from, buffer + i, &batch->views[batch->n_views++], error));
    return FTL_OK;
}

static ftl_status set_part(ftl_arrow_batch *batch, const lists *from, size_t node, size_t buffer,
                           size_t view, ftl_arrow_part *part, ftl_error *error)
{
    if (node >= from->nodes.count)
        return FTL_FAIL(error, FTL_CORRUPT, "there is no node %zu, but %u", node,
                        from->nodes.count);
    int64_t rows = ftl_fb_i64_within(&from->nodes, (uint32_t)node, 0);
    int64_t nulls = ftl_fb_i64_within(&from->nodes, (uint32_t)node, SECOND_NUMBER);
    if (rows < 0 || (uint64_t)rows != batch->rows || nulls < 0 || nulls > rows)
        return FTL_FAIL(error, FTL_CORRUPT, "it has %lld rows, %lld nulls among them, of %llu",
                        (long long)rows, (long long)nulls, (unsigned long long)batch->rows);
    part->nulls = nulls != 0 && part->type != FTL_NULL;
    part->n_views = 0;
    if (part->type == FTL_NULL)
        return FTL_OK;
    FTL_TRY(get_piece(batch, from, buffer, &part->validity, error));
    FTL_TRY(get_piece(batch, from, buffer + 1, &part->first, error));
    if (has_texts(part))
        FTL_TRY(get_piece(batch, from, buffer + 2, &part->second, error));
    if (part->type == FTL_STRING_VIEW)
        FTL_TRY(add_views(batch, from, view, buffer + 2, part, error));
    return check_part(batch, part, error);
}

/* Goes through all fields up to the last wanted one: what comes before says where it is. */
static ftl_status find_parts(ftl_arrow_batch *batch, const lists *from,
                             const ftl_arrow_field *fields, size_t n_fields, bool once_valid,
                             ftl_error *error)
{
    size_t node = 0, buffer = 0, view = 0, found = 0;
    batch->n_views = 0;
    for (size_t i = 0; i < n_fields && found < batch->n_parts; i++) {
        const ftl_arrow_share *share = &fields[i].share;
        ftl_arrow_part *part = &batch->parts[found];
        if (part->field == &fields[i]) {
            FTL_TRY(at_part(batch, part, set_part(batch, from, node, buffer, view, part, error),
                            error));
            found++;
        }
        node += share->nodes;
        buffer += share->buffers + (once_valid ? share->once_valid : 0);
        for (size_t k = 0; k < share->views; k++, view++) {
            int64_t n = view < from->views.count
                            ? ftl_fb_i64_within(&from->views, (uint32_t)view, 0)
                            : -1;
            if (n < 0 || (uint64_t)n > from->buffers.count)
                return FTL_FAIL(error, FTL_CORRUPT,
                                "%s does not say how many buffers its views have", batch->what);
            buffer += (size_t)n;
        }
    }
    return FTL_OK;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static ftl_status reserve(const ftl_arrow_batch *batch, ftl_block_bytes *bytes, uint64_t size,
                          ftl_error *error)
{
    if (size > FTL_BLOCK_LIMIT)
        return too_large(batch, error);
    return ftl_block_bytes_reserve(batch->source->table->account, bytes, (size_t)size, error);
}

/* Room for size bytes behind what there is, at a multiple of a cache line. */
static ftl_status append(const ftl_arrow_batch *batch, ftl_block_bytes *bytes, uint64_t size,
                         size_t *at, ftl_error *error)
{
    size_t begin = (bytes->size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > FTL_BLOCK_LIMIT)
        return too_large(batch, error);
    FTL_TRY(reserve(batch, bytes, begin + size, error));
    bytes->size = begin + (size_t)size;
    *at = begin;
    return FTL_OK;
}

/* Reads the next bytes of a stream, which may not have as many as it says. */
static ftl_status fetch_body(const ftl_arrow_batch *batch, ftl_block_bytes *bytes, uint64_t size,
                             ftl_error *error)
{
    bytes->size = 0;
    FTL_TRY(reserve(batch, bytes, size < PIECE_SIZE ? size : PIECE_SIZE, error));
    if (size > FTL_BLOCK_LIMIT)
        return too_large(batch, error);
    while (bytes->size < size) {
        size_t piece = bytes->size < PIECE_SIZE ? PIECE_SIZE : bytes->size;
        piece = piece < size - bytes->size ? piece : (size_t)size - bytes->size;
        FTL_TRY(reserve(batch, bytes, bytes->size + piece, error));
        FTL_TRY(ftl_arrow_source_read(batch->source, bytes->data + bytes->size, piece, error));
        bytes->size += piece;
    }
    return FTL_OK;
}

/* A compressed buffer gets its place; see unpack_listed. */
static ftl_status list_packed(ftl_arrow_batch *batch, ftl_block_bytes *bytes, size_t owner,
                              const ftl_arrow_piece *piece, size_t *at, size_t *size,
                              ftl_error *error)
{
    ftl_arrow_packed packed;
    FTL_TRY(ftl_arrow_unpack_look(&batch->unpack, piece, &packed, error));
    FTL_TRY(append(batch, bytes, packed.size, &packed.at, error));
    packed.owner = owner;
    *at = packed.at;
    *size = packed.size;
    return ftl_arrow_unpack_list(&batch->unpack, &packed, error);
}

/* Fills the places of compressed buffers, when no more will be given. */
static ftl_status unpack_listed(ftl_arrow_batch *batch, ftl_block_bytes *bytes, ftl_error *error)
{
    size_t owner;
    if (!batch->packed)
        return FTL_OK;
    ftl_status status = ftl_arrow_unpack_all(&batch->unpack, bytes->data, &owner, error);
    if (status != FTL_OK && owner < batch->n_parts)
        (void)at_part(batch, &batch->parts[owner], status, error);
    return status;
}

/*
 * Brings bytes from..from + size of a buffer into memory; of a compressed one all, whose size
 * *got tells and which are there once unpack_listed was called. owner: the part, n_parts: none.
 */
static ftl_status load(ftl_arrow_batch *batch, ftl_block_bytes *bytes, size_t owner,
                       const ftl_arrow_piece *piece, uint64_t from, uint64_t size, size_t *at,
                       size_t *got, ftl_error *error)
{
    if (batch->packed)
        return list_packed(batch, bytes, owner, piece, at, got, error);
    *got = (size_t)size;
    if (batch->resident) {
        *at = (size_t)(piece->at + from);
        return FTL_OK;
    }
    FTL_TRY(append(batch, bytes, size, at, error));
    return ftl_arrow_source_read_at(batch->source, batch->body_at + piece->at + from,
                                    bytes->data + *at, (size_t)size, error);
}

/* ---- What all windows share ------------------------------------------------------------------ */

/* The buffers of views: their addresses, and their sizes behind them. */
typedef struct view_buffers {
    int64_t *sizes;
    const void *addresses[];
} view_buffers;

static void free_view_buffers(ftl_arrow_rows *rows) { ftl_free(rows->account, rows->user); }

static ftl_status load_views(ftl_arrow_batch *batch, ftl_error *error)
{
    ftl_account *account = batch->source->table->account;
    ftl_arrow_rows *shared = batch->shared;
    size_t size, n = batch->n_views;
    if (!ftl_mul_size(n, sizeof(void *) + sizeof(int64_t), &size) ||
        !ftl_add_size(size, sizeof(view_buffers), &size))
        return FTL_OOM(error);
    view_buffers *buffers = ftl_alloc(account, size);
    if (!buffers)
        return FTL_OOM(error);
    shared->user = buffers;
    shared->release = free_view_buffers;
    buffers->sizes = (int64_t *)(buffers->addresses + n);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0, got = 0;
        FTL_TRY(load(batch, &shared->bytes, batch->n_parts, &batch->views[i], 0,
                     batch->views[i].size, &at, &got, error));
        buffers->sizes[i] = (int64_t)got;
        buffers->addresses[i] = (const void *)(uintptr_t)at; /* becomes one when all are there */
    }
    FTL_TRY(unpack_listed(batch, &shared->bytes, error));
    for (size_t i = 0; i < n; i++)
        buffers->addresses[i] = shared->bytes.data + (uintptr_t)buffers->addresses[i];
    return FTL_OK;
}

static ftl_status load_shared(ftl_arrow_batch *batch, ftl_error *error)
{
    ftl_arrow_source *source = batch->source;
    ftl_arrow_rows_release(batch->shared);
    batch->shared = NULL;
    if (!batch->resident && batch->n_views == 0)
        return FTL_OK;
    FTL_TRY(ftl_arrow_rows_create(source->table->account, 0, 0, &batch->shared, error));
    FTL_TRY(reserve(batch, &batch->shared->bytes, 1, error)); /* never NULL */
    if (batch->resident)
        FTL_TRY(fetch_body(batch, &batch->shared->bytes, batch->body_size, error));
    return batch->n_views ? load_views(batch, error) : FTL_OK;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

ftl_status ftl_arrow_batch_init(ftl_arrow_batch *batch, ftl_arrow_source *source,
                                const ftl_arrow_field *fields, const size_t *wanted,
                                size_t n_wanted, ftl_error *error)
{
    batch->source = source;
    batch->parts = ftl_alloc_zero(source->table->account, n_wanted, sizeof *batch->parts);
    if (!batch->parts)
        return FTL_OOM(error);
    batch->n_parts = n_wanted;
    ftl_arrow_unpack_init(&batch->unpack, source);
    for (size_t i = 0; i < n_wanted; i++) {
        const ftl_arrow_field *field = &fields[wanted[i]];
        batch->parts[i].field = field;
        batch->parts[i].type = field->type == FTL_DICTIONARY ? field->index_type : field->type;
    }
    return FTL_OK;
}

void ftl_arrow_batch_free(ftl_arrow_batch *batch)
{
    if (!batch->source)
        return;
    ftl_account *account = batch->source->table->account;
    ftl_arrow_rows_release(batch->shared);
    ftl_arrow_unpack_free(&batch->unpack);
    ftl_free(account, batch->views);
    ftl_free(account, batch->parts);
    *batch = (ftl_arrow_batch){0};
}

static ftl_status read_codec(ftl_arrow_batch *batch, const ftl_fb_table *compression,
                             ftl_error *error)
{
    enum { CODEC = 0, METHOD = 1 };
    batch->packed = compression->buffer != NULL;
    if (!batch->packed)
        return FTL_OK;
    uint8_t codec = ftl_fb_u8(compression, CODEC, 0);
    if (codec > FTL_UNPACK_ZSTD || ftl_fb_u8(compression, METHOD, 0) != 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "%s is compressed in a way of a later version of Arrow; write it with lz4 "
                        "or zstd",
                        batch->what);
    batch->unpack.codec = (ftl_unpack_codec)codec;
    return FTL_OK;
}

/* Rows without a byte that stands for them are believed up to a number. */
static ftl_status check_rows(const ftl_arrow_batch *batch, int64_t rows, ftl_error *error)
{
    bool backed = false;
    for (size_t i = 0; i < batch->n_parts; i++)
        backed |= batch->parts[i].type != FTL_NULL;
    if (rows < 0 || rows > (backed ? PTRDIFF_MAX / 64 : UNBACKED_ROWS))
        return FTL_FAIL(error, rows < 0 ? FTL_CORRUPT : FTL_LIMIT, "%s says that it has %lld rows",
                        batch->what, (long long)rows);
    return FTL_OK;
}

ftl_status ftl_arrow_batch_begin(ftl_arrow_batch *batch, const ftl_arrow_message *message,
                                 const ftl_fb_table *table, const ftl_arrow_field *fields,
                                 size_t n_fields, const char *what, ftl_error *error)
{
    enum { LENGTH = 0, NODES = 1, BUFFERS = 2, COMPRESSION = 3, VIEWS = 4, BATCH_FIELDS = 5 };
    ftl_arrow_source *source = batch->source;
    snprintf(batch->what, sizeof batch->what, "%s", what);
    int64_t rows = ftl_fb_i64(table, LENGTH, 0);
    const lists from = {.nodes = ftl_fb_items(table, NODES, NODE_SIZE),
                        .buffers = ftl_fb_items(table, BUFFERS, BUFFER_SIZE),
                        .views = ftl_fb_items(table, VIEWS, COUNT_SIZE)};
    const ftl_fb_table compression = ftl_fb_child(table, COMPRESSION);
    FTL_TRY(read_codec(batch, &compression, error));
    ftl_fb_expect(table, BATCH_FIELDS, "RecordBatch"); /* what is added changes what buffers hold */
    FTL_TRY(ftl_fb_status(table->buffer, what, error));
    FTL_TRY(check_rows(batch, rows, error));
    batch->rows = (uint64_t)rows;
    batch->next = 0;
    batch->body_size = message->body_size;
    batch->body_at = batch->unpack.body_at = source->at;
    batch->unpack.n_listed = 0; /* of a batch that failed */
    FTL_TRY(find_parts(batch, &from, fields, n_fields, message->version < FTL_ARROW_V5, error));
    batch->resident = !source->random && !batch->packed;
    if (!source->random && batch->packed)
        FTL_TRY(fetch_body(batch, &batch->unpack.body, batch->body_size, error));
    FTL_TRY(load_shared(batch, error));
    return source->random ? ftl_arrow_source_skip(source, batch->body_size, error) : FTL_OK;
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* How many rows to read. */
static size_t window_rows(const ftl_arrow_batch *batch, size_t max_rows)
{
    uint64_t left = batch->rows - batch->next, bytes = 1;
    if (batch->whole || batch->packed || batch->resident)
        return (size_t)left;
    for (size_t i = 0; i < batch->n_parts; i++)
        bytes += first_bytes(batch->parts[i].type, LEAST_ROWS);
    uint64_t rows = (uint64_t)WINDOW_BYTES * LEAST_ROWS / bytes / max_rows * max_rows;
    rows = rows < max_rows ? max_rows : rows;
    rows = (rows + LEAST_ROWS - 1) / LEAST_ROWS * LEAST_ROWS;
    return (size_t)(rows < left ? rows : left);
}

/* The validity bits and the first buffer of a column. */
static ftl_status load_first(ftl_arrow_batch *batch, ftl_arrow_rows *rows, ftl_arrow_part *part,
                             ftl_error *error)
{
    size_t got = 0, n = rows->rows, owner = (size_t)(part - batch->parts);
    uint64_t needed = first_bytes(part->type, n);
    if (part->nulls) {
        FTL_TRY(load(batch, &rows->bytes, owner, &part->validity, batch->next / 8, (n + 7) / 8,
                     &part->validity_at, &got, error));
        FTL_TRY(check_size(got, (n + 7) / 8, "validity bits", n, error));
    }
    if (part->type == FTL_NULL)
        return FTL_OK;
    uint64_t before = first_bytes(part->type, batch->next);
    if (has_texts(part)) /* as many offsets as texts, and one */
        before = first_bytes(part->type, batch->next) - first_bytes(part->type, 0);
    FTL_TRY(load(batch, &rows->bytes, owner, &part->first, before, needed, &part->first_at, &got,
                 error));
    return check_size(got, needed, has_texts(part) ? "offsets" : "values", n, error);
}

static uint64_t offset_at(const ftl_arrow_part *part, const uint8_t *offsets, size_t i)
{
    uint32_t small;
    uint64_t large;
    if (part->type == FTL_STRING) {
        memcpy(&small, offsets + i * sizeof small, sizeof small);
        return small;
    }
    memcpy(&large, offsets + i * sizeof large, sizeof large);
    return large;
}

/* Texts are loaded from the first one of the window on, and so count the offsets. What is wrong
 * with those between is seen when rows are looked at. */
static void rebase(const ftl_arrow_part *part, uint8_t *offsets, size_t rows, uint64_t base)
{
    if (base == 0)
        return;
    if (part->type == FTL_STRING) {
        uint32_t *at = (uint32_t *)(void *)offsets;
        for (size_t i = 0; i <= rows; i++)
            at[i] -= (uint32_t)base;
    } else {
        uint64_t *at = (uint64_t *)(void *)offsets;
        for (size_t i = 0; i <= rows; i++)
            at[i] -= base;
    }
}

/* The texts' span of a window of so many rows. */
static ftl_status text_span(const ftl_arrow_part *part, const uint8_t *offsets, size_t rows,
                            uint64_t *from, uint64_t *size, ftl_error *error)
{
    uint64_t begin = offset_at(part, offsets, 0), end = offset_at(part, offsets, rows);
    if (begin > end || end > part->second.size)
        return FTL_FAIL(error, FTL_CORRUPT, "its texts reach from byte %llu to %llu of %llu",
                        (unsigned long long)begin, (unsigned long long)end,
                        (unsigned long long)part->second.size);
    *from = begin;
    *size = end - begin;
    return FTL_OK;
}

/* Makes the window smaller until its texts are no more than is sensible. */
static ftl_status shrink(const ftl_arrow_batch *batch, ftl_arrow_rows *rows, ftl_error *error)
{
    for (;;) {
        uint64_t all = 0, from, size;
        for (size_t i = 0; i < batch->n_parts; i++) {
            const ftl_arrow_part *part = &batch->parts[i];
            if (!has_texts(part))
                continue;
            FTL_TRY(at_part(
                batch, part,
                text_span(part, rows->bytes.data + part->first_at, rows->rows, &from, &size, error),
                error));
            all += size;
        }
        if (all <= WINDOW_TEXT || rows->rows <= LEAST_ROWS)
            return FTL_OK;
        rows->rows = rows->rows / 2 / LEAST_ROWS * LEAST_ROWS;
        rows->rows = rows->rows < LEAST_ROWS ? LEAST_ROWS : rows->rows;
    }
}

static ftl_status load_texts(ftl_arrow_batch *batch, ftl_arrow_rows *rows, ftl_arrow_part *part,
                             ftl_error *error)
{
    size_t owner = (size_t)(part - batch->parts);
    if (batch->packed || batch->resident)
        return load(batch, &rows->bytes, owner, &part->second, 0, part->second.size,
                    &part->second_at, &part->text_size, error);
    uint64_t from = 0, size = 0;
    FTL_TRY(text_span(part, rows->bytes.data + part->first_at, rows->rows, &from, &size, error));
    if (rows->rows && size / rows->rows > batch->source->table->max_record) /* one at least is */
        return ftl_arrow_long_text(size / rows->rows, batch->source->table->max_record, error);
    FTL_TRY(load(batch, &rows->bytes, owner, &part->second, from, size, &part->second_at,
                 &part->text_size, error));
    rebase(part, rows->bytes.data + part->first_at, rows->rows, from);
    return FTL_OK;
}

static void set_column(const ftl_arrow_batch *batch, const ftl_arrow_part *part,
                       const uint8_t *base, ftl_column *out)
{
    ftl_column column = {.type = part->type, .scale = part->field->scale};
    if (part->nulls)
        column.validity = base + part->validity_at;
    if (part->type == FTL_STRING)
        column.offsets = (const uint32_t *)(const void *)(base + part->first_at);
    else if (part->type == FTL_LARGE_STRING)
        column.large_offsets = (const int64_t *)(const void *)(base + part->first_at);
    else if (part->type != FTL_NULL)
        column.values = base + part->first_at;
    if (has_texts(part))
        column.values = base + part->second_at;
    if (part->n_views) {
        const view_buffers *buffers = batch->shared->user;
        column.n_buffers = part->n_views;
        column.buffers = buffers->addresses + part->first_view;
        column.buffer_sizes = buffers->sizes + part->first_view;
    }
    *out = column;
}

ftl_status ftl_arrow_batch_read(ftl_arrow_batch *batch, size_t max_rows, ftl_arrow_rows *rows,
                                ftl_error *error)
{
    rows->rows = window_rows(batch, max_rows);
    rows->batch = batch->number;
    rows->first = batch->next;
    rows->bytes.size = 0;
    FTL_TRY(reserve(batch, &rows->bytes, 1, error)); /* never NULL */
    for (size_t i = 0; i < batch->n_parts; i++) {
        ftl_arrow_part *part = &batch->parts[i];
        FTL_TRY(at_part(batch, part, load_first(batch, rows, part, error), error));
    }
    if (!batch->whole && !batch->packed && !batch->resident)
        FTL_TRY(shrink(batch, rows, error));
    for (size_t i = 0; i < batch->n_parts; i++) {
        ftl_arrow_part *part = &batch->parts[i];
        if (has_texts(part))
            FTL_TRY(at_part(batch, part, load_texts(batch, rows, part, error), error));
    }
    FTL_TRY(unpack_listed(batch, &rows->bytes, error));
    const uint8_t *base = batch->resident ? batch->shared->bytes.data : rows->bytes.data;
    for (size_t i = 0; i < batch->n_parts; i++) {
        set_column(batch, &batch->parts[i], base, &rows->columns[i]);
        rows->text_sizes[i] = batch->parts[i].text_size;
    }
    if (batch->shared)
        rows->held[0] = ftl_arrow_rows_retain(batch->shared);
    batch->next += rows->rows;
    return FTL_OK;
}
