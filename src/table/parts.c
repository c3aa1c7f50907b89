/* Several tables as one: each part is read, converted and explained by its own format. */
#include "table/parts.h"

#include "base/utf8.h"
#include "table/table_impl.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* An open part: held by the table while it is read, by the blocks of its rows, and by the batches
 * that these became. */
typedef struct one_part {
    ftl_account *account;
    atomic_size_t references;
    const char *path;
    ftl_table *table;
    uint64_t first_row; /* rows of the parts before it */
} one_part;

typedef struct parts {
    ftl_parts_options options;
    size_t n_opened;
    one_part *now;         /* being read; NULL: the next one is to be opened */
    uint64_t bytes_before; /* of the parts that were read */
    uint64_t bytes_total;
    /* of the first part */
    const ftl_table_format *format;
    ftl_type *types; /* [n_columns] as they are copied */
} parts;

typedef struct parts_block {
    ftl_table_block block;
    one_part *part; /* NULL: of none yet, and neither is inner there */
    ftl_table_block *inner;
} parts_block;

typedef struct parts_batch {
    one_part *part;
    ftl_row_batch *inner;
} parts_batch;

static one_part *hold(one_part *part)
{
    atomic_fetch_add_explicit(&part->references, 1, memory_order_relaxed);
    return part;
}

static void let_go(one_part *part)
{
    if (!part || atomic_fetch_sub_explicit(&part->references, 1, memory_order_acq_rel) != 1)
        return;
    ftl_table_close(part->table);
    ftl_free(part->account, part);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static const char *shown(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* Whether a message begins with the name, or has it in quotes as those of the system's failures. */
static bool is_named(const char *message, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = message; (at = strstr(at, name)) != NULL; at++) {
        if (at > message ? at[-1] == '"' && at[size] == '"' : at[size] == ':')
            return true;
    }
    return false;
}

void ftl_table_name_origin(ftl_error *error, const char *origin)
{
    if (!error || !origin || error->code == FTL_NOMEM || error->code == FTL_CANCELLED ||
        is_named(error->message, shown(origin)))
        return;
    ftl_error named = *error;
    ftl_error_set(error, named.code, "%.250s: %.500s", shown(origin), named.message);
    memcpy(named.message, error->message, sizeof named.message);
    *error = named;
}

/* What a column holds, for people. */
static const char *type_name(ftl_type type)
{
    switch (type) {
    case FTL_F64:
        return "float64";
    case FTL_F32:
        return "float32";
    case FTL_BOOL:
        return "boolean";
    case FTL_STRING:
        return "text";
    default:
        return type == FTL_U64 ? "uint64" : "int64";
    }
}

/* ---- Whether a part fits --------------------------------------------------------------------- */

/* The same names in the same order, or as many columns without names. */
static bool same_columns(const ftl_table *table, const ftl_table *other)
{
    size_t n = table->info.n_columns;
    if (n != other->info.n_columns || table->info.has_names != other->info.has_names)
        return false;
    for (size_t i = 0; table->names && i < n; i++) {
        if (strcmp(table->names[i], other->names[i]) != 0)
            return false;
    }
    return true;
}

static ftl_status check_kind(const ftl_table *table, const ftl_table *other, ftl_error *error)
{
    const parts *state = table->state;
    const ftl_table_info *info = &table->info, *its = &other->info;
    const char *first = shown(state->options.paths[0]);
    if (info->has_names != its->has_names)
        return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_NO_HEADER,
                                its->has_names ? "it has column names, and %.250s has none"
                                               : "it has no column names, and %.250s has",
                                first);
    if (!info->has_names && info->n_columns != its->n_columns)
        return FTL_FAIL_BECAUSE(error, FTL_SHAPE, FTL_REASON_COLUMN_COUNT,
                                "it has %zu columns, and %.250s has %zu", its->n_columns, first,
                                info->n_columns);
    if (!state->options.rejects)
        return FTL_OK;
    bool by_place = info->delimiter != '\0';
    if (other->format != state->format || info->delimiter != its->delimiter ||
        (by_place && !same_columns(table, other)))
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_BAD_OPTION, "reject_path",
                               "options.reject_path needs inputs of one format, with the same "
                               "columns in the same order, and this one differs from %.200s",
                               first);
    return FTL_OK;
}

/* A column's type in a part: what the first one promised is what sinks and the model were told. */
static ftl_status check_type(const ftl_table *table, const ftl_table_column_request *request,
                             const ftl_table *other, size_t column, ftl_error *error)
{
    const parts *state = table->state;
    ftl_type type = state->types[request->index];
    ftl_type its = ftl_table_column_type(other, column);
    /* float32 as a whole is another arithmetic; a wider type takes all others in */
    bool fits = request->raw || type == FTL_F32 ? its == type : true;
    if (fits)
        return FTL_OK;
    char name[96];
    if (table->names)
        snprintf(name, sizeof name, "column '%.80s'", table->names[request->index]);
    else
        snprintf(name, sizeof name, "column %zu", request->index);
    return FTL_FAIL_BECAUSE(
        error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE, "%s is %s here and %s in %.200s; %s", name,
        type_name(its), type_name(type), shown(state->options.paths[0]),
        request->raw ? "a column that is kept has one type in all inputs"
                     : "give it before the files of float32, or store all alike");
}

/* The part's column of a request; false: there is none, or there are several. */
static bool find_column(const ftl_table *table, size_t index, const ftl_table *other, bool same,
                        size_t *column, size_t *found)
{
    *found = 1;
    *column = index;
    if (!same && table->names)
        *found = ftl_table_find(other, table->names[index], column);
    return *found == 1;
}

static ftl_status missing_columns(const ftl_table *table, const ftl_table *other, ftl_error *error)
{
    enum { most_named = 20 };
    const parts *state = table->state;
    size_t n = 0, column, found;
    ftl_strbuf names;
    ftl_strbuf_init(&names, table->account, 1 << 14);
    for (size_t i = 0; i < table->n_requests; i++) {
        size_t index = table->requests[i].index;
        if (index == table->info.n_columns ||
            find_column(table, index, other, false, &column, &found) || found > 0)
            continue;
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= table->requests[j].index == index;
        if (!again && n++ < most_named)
            ftl_strbuf_printf(&names, "%s%.80s", n > 1 ? ", " : "", table->names[index]);
    }
    ftl_error_set(error, FTL_SCHEMA, "%zu column%s of %.200s %s missing here: %.300s%s", n,
                  n == 1 ? "" : "s", shown(state->options.paths[0]), n == 1 ? "is" : "are",
                  ftl_strbuf_text(&names), n > most_named ? ", ..." : "");
    ftl_error_because(error, FTL_REASON_MISSING_COLUMNS, NULL);
    ftl_strbuf_free(&names);
    return FTL_SCHEMA;
}

/* The part's requests: those of the table but for the origin, with its own indices. */
static ftl_status map_requests(const ftl_table *table, const ftl_table *other,
                               ftl_table_column_request *requests, size_t *n, ftl_error *error)
{
    bool same = same_columns(table, other);
    for (size_t i = 0; i < table->n_requests; i++) {
        ftl_table_column_request request = table->requests[i];
        size_t index = request.index, found;
        if (index == table->info.n_columns)
            continue;
        bool fits = find_column(table, index, other, same, &request.index, &found);
        if (!fits && found == 0)
            return missing_columns(table, other, error);
        if (!fits)
            return FTL_FAIL_BECAUSE(
                error, FTL_SCHEMA, FTL_REASON_DUPLICATE_COLUMN,
                "column '%.120s' appears %zu times in the header; rename the others",
                table->names[index], found);
        FTL_TRY(check_type(table, &table->requests[i], other, request.index, error));
        requests[(*n)++] = request;
    }
    return FTL_OK;
}

static bool wants_origin(const ftl_table *table)
{
    for (size_t i = 0; i < table->n_requests; i++) {
        if (table->requests[i].index == table->info.n_columns)
            return true;
    }
    return false;
}

static ftl_status bind_part(const ftl_table *table, const one_part *part, ftl_error *error)
{
    size_t n = 0;
    if (wants_origin(table) && !ftl_utf8_valid(part->path, strlen(part->path)))
        return FTL_FAIL_OPTION(error, FTL_SCHEMA, FTL_REASON_BAD_OPTION, "keep",
                               "the file's name is not UTF-8, so that options.keep cannot copy it");
    ftl_table_column_request *requests = ftl_alloc_array(table->account, table->n_requests + 1,
                                                         sizeof *requests);
    if (!requests)
        return FTL_OOM(error);
    ftl_status status = map_requests(table, part->table, requests, &n, error);
    if (status == FTL_OK)
        status = ftl_table_bind(part->table, requests, n, error);
    ftl_free(table->account, requests);
    return status;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static ftl_status make_part(ftl_table *table, one_part *part, ftl_error *error)
{
    const parts *state = table->state;
    FTL_TRY(state->options.open(state->options.user, part->path, &part->table, error));
    if (state->format)
        FTL_TRY(check_kind(table, part->table, error));
    return table->bound ? bind_part(table, part, error) : FTL_OK;
}

/* Opens the next part as the one that is read. */
static ftl_status open_next(ftl_table *table, ftl_error *error)
{
    parts *state = table->state;
    one_part *next = ftl_alloc_zero(table->account, 1, sizeof *next);
    if (!next)
        return FTL_OOM(error);
    next->account = table->account;
    next->path = state->options.paths[state->n_opened];
    next->first_row = table->rows_read;
    atomic_init(&next->references, 1);
    ftl_status status = make_part(table, next, error);
    if (status != FTL_OK) {
        ftl_table_name_origin(error, next->path);
        let_go(next);
        return status;
    }
    if (ftl_table_bytes_total(next->table) == 0)
        state->bytes_total = 0; /* compressed, or a pipe */
    ftl_table_share(next->table, table->helpers);
    state->n_opened++;
    state->now = next;
    return FTL_OK;
}

/* What the first part says of all. */
static ftl_status adopt(ftl_table *table, parts *state, ftl_error *error)
{
    const ftl_table *first = state->now->table;
    size_t n = first->info.n_columns;
    table->info = first->info;
    table->info.rows = -1;
    table->info.n_parts = state->options.n_paths;
    table->info.first_part = state->now->path;
    table->reject_format = first->reject_format;
    table->has_origin = true;
    state->format = first->format;
    state->types = ftl_arena_array(&table->arena, n + 1, sizeof *state->types);
    if (!state->types)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        state->types[i] = ftl_table_column_type(first, i);
    if (!first->names)
        return FTL_OK;
    table->names = ftl_arena_zero_array(&table->arena, n + 1, sizeof *table->names);
    if (!table->names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        table->names[i] = ftl_arena_string(&table->arena, first->names[i], strlen(first->names[i]));
        if (!table->names[i])
            return FTL_OOM(error);
    }
    return ftl_table_index_names(table, error);
}

static void parts_close(ftl_table *table)
{
    if (table->state)
        let_go(((parts *)table->state)->now);
}

static ftl_type parts_column_type(const ftl_table *table, size_t column)
{
    const parts *state = table->state;
    return column < table->info.n_columns ? state->types[column] : FTL_STRING;
}

static const char *parts_refused(const ftl_table *table, size_t column)
{
    const parts *state = table->state;
    return column < table->info.n_columns ? ftl_table_column_refused(state->now->table, column)
                                          : NULL;
}

static ftl_status parts_bind(ftl_table *table, ftl_error *error)
{
    const parts *state = table->state;
    ftl_status status = bind_part(table, state->now, error);
    if (status != FTL_OK)
        ftl_table_name_origin(error, state->now->path);
    return status;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static uint64_t parts_bytes_read(const ftl_table *table)
{
    const parts *state = table->state;
    return state->bytes_before + (state->now ? ftl_table_bytes_read(state->now->table) : 0);
}

static uint64_t parts_bytes_total(const ftl_table *table)
{
    return ((const parts *)table->state)->bytes_total;
}

static void detach_block(parts_block *block)
{
    ftl_table_block_destroy(block->inner);
    let_go(block->part);
    block->inner = NULL;
    block->part = NULL;
}

static ftl_status attach_block(parts_block *block, one_part *now, ftl_error *error)
{
    if (block->part == now)
        return FTL_OK;
    detach_block(block);
    FTL_TRY(ftl_table_block_create(now->table, &block->inner, error));
    block->part = hold(now);
    return FTL_OK;
}

/* Rows of the part that is open; END behind its last. */
static ftl_status read_part(one_part *now, size_t max_rows, parts_block *block, ftl_error *error)
{
    FTL_TRY(attach_block(block, now, error));
    ftl_status status = ftl_table_read(now->table, max_rows, block->inner, error);
    if (status == FTL_OK) {
        block->block.rows = ftl_table_block_rows(block->inner);
        block->block.origin = now->path;
        block->block.origin_row = ftl_table_block_first_row(block->inner);
    } else if (status != FTL_END) {
        ftl_table_name_origin(error, now->path);
        if (error && error->row >= 0)
            error->row += (int64_t)now->first_row;
    }
    return status;
}

static ftl_status parts_read(ftl_table *table, size_t max_rows, ftl_table_block *into,
                             ftl_error *error)
{
    parts_block *block = (parts_block *)into;
    parts *state = table->state;
    for (;;) {
        if (!state->now && state->n_opened == state->options.n_paths)
            return FTL_END;
        if (!state->now)
            FTL_TRY(open_next(table, error));
        ftl_status status = read_part(state->now, max_rows, block, error);
        if (status != FTL_END)
            return status;
        state->bytes_before += ftl_table_bytes_read(state->now->table);
        detach_block(block);
        let_go(state->now);
        state->now = NULL;
    }
}

static void parts_share(ftl_table *table)
{
    const parts *state = table->state;
    if (state->now)
        ftl_table_share(state->now->table, table->helpers);
}

static int64_t parts_line(const ftl_table_block *block, size_t row)
{
    return ftl_table_block_line(((const parts_block *)block)->inner, row);
}

static void parts_block_free(ftl_table_block *block) { detach_block((parts_block *)block); }

static ftl_status parts_reject(const ftl_table *table, const ftl_table_block *block, size_t row,
                               const char *reason, ftl_strbuf *out, ftl_error *error)
{
    (void)table;
    const parts_block *from = (const parts_block *)block;
    return ftl_table_block_reject(from->part->table, from->inner, row, reason, out, error);
}

/* ---- Converting ------------------------------------------------------------------------------ */

static void detach_batch(parts_batch *batch)
{
    ftl_row_batch_destroy(batch->inner);
    let_go(batch->part);
    *batch = (parts_batch){0};
}

static void parts_batch_free(ftl_row_batch *batch) { detach_batch(batch->state); }

static ftl_status attach_batch(parts_batch *batch, one_part *part, ftl_error *error)
{
    if (batch->part == part)
        return FTL_OK;
    detach_batch(batch);
    FTL_TRY(ftl_row_batch_create(part->table, &batch->inner, error));
    batch->part = hold(part);
    return FTL_OK;
}

/* The name of the part in every row. */
static ftl_status set_origin(ftl_row_batch *batch, size_t column, const char *path,
                             ftl_error *error)
{
    ftl_column_buffer *buffer = &batch->buffers[column];
    size_t rows = batch->rows, size = strlen(path);
    FTL_TRY(ftl_grow(batch->account, &buffer->offsets, &buffer->offsets_room, rows + 1,
                     sizeof(uint32_t), error));
    FTL_TRY(ftl_grow(batch->account, &buffer->validity, &buffer->validity_room, rows / 8 + 1, 1,
                     error));
    memset(buffer->validity, 0, rows / 8 + 1);
    buffer->offsets[0] = 0;
    buffer->used = 0;
    for (size_t row = 0; row < rows; row++)
        FTL_TRY(ftl_row_batch_set_string(batch, column, row, path, size, true, error));
    batch->columns[column] = (ftl_column){.type = FTL_STRING,
                                          .values = buffer->values,
                                          .offsets = buffer->offsets,
                                          .validity = buffer->validity};
    return FTL_OK;
}

static ftl_status parts_convert(const ftl_table *table, const ftl_table_block *block,
                                ftl_row_batch *batch, ftl_error *error)
{
    const parts_block *from = (const parts_block *)block;
    parts_batch *state = batch->state;
    FTL_TRY(attach_batch(state, from->part, error));
    ftl_status status = ftl_table_convert(from->part->table, from->inner, state->inner, error);
    if (status != FTL_OK) {
        ftl_table_name_origin(error, from->part->path);
        return status;
    }
    for (size_t i = 0, inner = 0; i < batch->n_columns; i++) {
        if (batch->requests[i].index == table->info.n_columns)
            FTL_TRY(set_origin(batch, i, from->part->path, error));
        else
            batch->columns[i] = state->inner->columns[inner++];
    }
    for (size_t i = 0; i < state->inner->n_bad; i++)
        FTL_TRY(ftl_row_batch_mark_bad(batch, state->inner->bad_rows[i], error));
    return FTL_OK;
}

/* The table's column that one of the part's is. */
static int64_t outer_column(const ftl_table *table, const ftl_row_batch *inner, int64_t column)
{
    for (size_t i = 0, at = 0; i < table->n_requests; i++) {
        if (table->requests[i].index == table->info.n_columns)
            continue;
        if (inner->requests[at++].index == (size_t)column)
            return (int64_t)table->requests[i].index;
    }
    return -1;
}

static void parts_explain(const ftl_table *table, const ftl_table_block *block,
                          ftl_row_batch *batch, size_t row, ftl_error *error)
{
    const parts_block *from = (const parts_block *)block;
    ftl_row_batch *inner = ((parts_batch *)batch->state)->inner;
    const ftl_table *part = from->part->table;
    if (!part->format->explain)
        return;
    part->format->explain(part, from->inner, inner, row, error);
    if (error->column >= 0)
        error->column = outer_column(table, inner, error->column);
}

static const ftl_table_format parts_format = {
    .name = "parts",
    .close = parts_close,
    .column_type = parts_column_type,
    .refused = parts_refused,
    .bytes_read = parts_bytes_read,
    .bytes_total = parts_bytes_total,
    .bind = parts_bind,
    .block_size = sizeof(parts_block),
    .block_free = parts_block_free,
    .read = parts_read,
    .share = parts_share,
    .line = parts_line,
    .batch_size = sizeof(parts_batch),
    .batch_free = parts_batch_free,
    .convert = parts_convert,
    .explain = parts_explain,
    .reject = parts_reject,
};

ftl_status ftl_table_open_parts(ftl_account *account, const ftl_parts_options *options,
                                ftl_table **out, ftl_error *error)
{
    ftl_table *table = ftl_table_new(account, &parts_format);
    if (!table)
        return FTL_OOM(error);
    parts *state = FTL_ARENA_NEW(&table->arena, parts);
    ftl_status status = state ? FTL_OK : FTL_OOM(error);
    if (status == FTL_OK) {
        state->options = *options;
        state->bytes_total = options->bytes_total;
        table->state = state;
        status = open_next(table, error);
    }
    if (status == FTL_OK)
        status = adopt(table, state, error);
    if (status != FTL_OK) {
        ftl_table_close(table);
        return status;
    }
    *out = table;
    return FTL_OK;
}
