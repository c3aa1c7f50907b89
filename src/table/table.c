#include "table/table.h"

#include "base/ending.h"
#include "base/hash.h"
#include "io/codec.h"
#include "io/recode.h"
#include "table/table_impl.h"

#include <stdio.h>
#include <string.h>

/* The highest bid wins, the first of equal ones. */
#define FTL_ENTRY(name) &ftl_table_##name,
static const ftl_table_format *const formats[] = {FTL_TABLE_FORMATS(FTL_ENTRY)};
#undef FTL_ENTRY

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

ftl_status ftl_table_index_names(ftl_table *table, ftl_error *error)
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

bool ftl_table_find_origin(const ftl_table *table, const char *name, size_t *index)
{
    size_t column;
    if (!table->has_origin || strcmp(name, FTL_TABLE_ORIGIN) != 0 ||
        ftl_table_find(table, name, &column))
        return false;
    *index = table->info.n_columns;
    return true;
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

/* ---- Formats --------------------------------------------------------------------------------- */

/* Whether a name, but for the ending of a codec, has one of the format's endings. */
static bool has_ending(const ftl_table_format *format, const char *name)
{
    size_t size = name ? ftl_codec_strip_ending(name, strlen(name)) : 0;
    for (const char *const *ending = format->endings; *ending; ending++) {
        if (ftl_has_ending(name, size, *ending))
            return true;
    }
    return false;
}

static const ftl_table_format *format_of_keyword(const char *keyword)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        if (strcmp(formats[i]->keyword, keyword) == 0)
            return formats[i];
    }
    return NULL;
}

static ftl_status unknown_format(const char *keyword, ftl_error *error)
{
    char known[256] = "";
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", formats[i]->keyword);
    }
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "input_format",
                           "options.input_format '%.40s' is none of %s", keyword, known);
}

/* The format of a table that begins so: what was recognised, then what the name says. */
static const ftl_table_format *best_format(const char *name, const uint8_t *data, size_t size)
{
    enum { bits_of_a_name = 16 }; /* more than a brace tells, less than any magic number */
    const ftl_table_format *found = NULL;
    int best = -1;
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        int bid = formats[i]->bid(data, size);
        if (bid >= 0 && has_ending(formats[i], name))
            bid += bits_of_a_name;
        if (bid > best) {
            best = bid;
            found = formats[i];
        }
    }
    return found;
}

/* The format that a name promises; NULL: none. */
static const ftl_table_format *promised_format(const char *name)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        if (has_ending(formats[i], name))
            return formats[i];
    }
    return NULL;
}

bool ftl_table_known_ending(const char *name) { return promised_format(name) != NULL; }

static ftl_status choose_format(ftl_table *table, const ftl_table_options *options,
                                const uint8_t *data, size_t size, ftl_error *error)
{
    if (options->format) {
        table->format = format_of_keyword(options->format);
        if (!table->format)
            return unknown_format(options->format, error);
        if (table->format->bid(data, size) < 0)
            return FTL_FAIL_OPTION(error, FTL_CORRUPT, FTL_REASON_BAD_OPTION, "input_format",
                                   "options.input_format says %s, and the input does not begin "
                                   "like one",
                                   table->format->name);
        return FTL_OK;
    }
    table->format = best_format(options->name, data, size);
    const ftl_table_format *promised = promised_format(options->name);
    if (promised && promised->bid(data, size) < 0 && table->format->bid(data, size) == 0)
        return size == 0
                   ? FTL_FAIL(error, FTL_CORRUPT,
                              "the file is empty, and its name says %s; get it again",
                              promised->name)
                   : FTL_FAIL(error, FTL_CORRUPT,
                              "the file's name says %s, and it does not begin like one; if it is "
                              "something else, say so with options.input_format",
                              promised->name);
    return FTL_OK;
}

ftl_status ftl_table_recode(ftl_account *account, ftl_stream **stream, const char *encoding,
                            const char **from, ftl_error *error)
{
    const uint8_t *data;
    size_t size;
    FTL_TRY(ftl_stream_ahead(*stream, MAGIC_BYTES, &data, &size, error));
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        bool text = formats[i]->abilities & FTL_TABLE_CELLS;
        if (encoding && !text && formats[i]->bid(data, size) > 0)
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
    FTL_TRY(set_limits(table, options, error));
    table->empty_is_missing = options->empty_text == FTL_EMPTY_IS_MISSING;
    table->flush_early = options->flush_early;
    if (!table->arrow) {
        const uint8_t *data;
        size_t size;
        FTL_TRY(ftl_stream_ahead(table->stream, table->flush_early ? 1 : MAGIC_BYTES, &data, &size,
                                 error));
        FTL_TRY(choose_format(table, options, data, size, error));
    }
    FTL_TRY(table->format->open(table, options, error));
    table->info.format = table->format->name;
    table->info.abilities = table->format->abilities;
    table->info.has_names = table->names != NULL;
    table->reject_format = table->format->reject_format;
    table->bytes_total = options->bytes_total;
    return ftl_table_index_names(table, error);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

ftl_table *ftl_table_new(ftl_account *account, const ftl_table_format *format)
{
    ftl_table *table = ftl_alloc_zero(account, 1, sizeof *table);
    if (!table)
        return NULL;
    table->account = account;
    table->format = format;
    table->info.rows = -1;
    ftl_arena_init(&table->arena, account);
    return table;
}

ftl_status ftl_table_open(ftl_account *account, ftl_stream *stream,
                          const ftl_table_options *options, ftl_table **out, ftl_error *error)
{
    static const ftl_table_options defaults;
    ftl_table *table = ftl_table_new(account, NULL);
    if (!table)
        return FTL_OOM(error);
    table->stream = stream;
    ftl_status status = open_format(table, options ? options : &defaults, error);
    if (status != FTL_OK) {
        status = ftl_table_cause(table, status, error);
        table->stream = NULL; /* still the caller's */
        ftl_table_close(table);
        return status;
    }
    *out = table;
    return FTL_OK;
}

ftl_status ftl_table_open_arrow(ftl_account *account, struct ArrowArrayStream *stream,
                                const ftl_table_options *options, ftl_table **out, ftl_error *error)
{
    static const ftl_table_options defaults;
    ftl_table *table = ftl_table_new(account, &ftl_table_arrow_stream);
    if (!table)
        return FTL_OOM(error);
    table->arrow = stream;
    ftl_status status = open_format(table, options ? options : &defaults, error);
    if (status != FTL_OK) {
        ftl_table_close(table);
        return status;
    }
    table->owned = *stream;
    table->arrow = &table->owned;
    stream->release = NULL;
    *out = table;
    return FTL_OK;
}

void ftl_table_give_back(ftl_table *table, struct ArrowArrayStream *stream)
{
    *stream = table->owned;
    table->owned.release = NULL;
}

void ftl_table_close(ftl_table *table)
{
    if (!table)
        return;
    if (table->format && table->format->close)
        table->format->close(table);
    ftl_stream_close(table->stream);
    if (table->owned.release)
        table->owned.release(&table->owned);
    ftl_arena_free(&table->arena);
    ftl_free(table->account, table);
}

const ftl_table_info *ftl_table_get_info(const ftl_table *table) { return &table->info; }

const char *ftl_table_column_name(const ftl_table *table, size_t index)
{
    if (table->has_origin && index == table->info.n_columns)
        return FTL_TABLE_ORIGIN;
    return table->names && index < table->info.n_columns ? table->names[index] : NULL;
}

ftl_type ftl_table_column_type(const ftl_table *table, size_t index)
{
    return table->format->column_type ? table->format->column_type(table, index) : FTL_STRING;
}

const char *ftl_table_column_refused(const ftl_table *table, size_t index)
{
    return table->format->refused ? table->format->refused(table, index) : NULL;
}

const char *ftl_table_reject_format(const ftl_table *table) { return table->reject_format; }

uint64_t ftl_table_bytes_read(const ftl_table *table)
{
    if (table->format->bytes_read)
        return table->format->bytes_read(table);
    uint64_t ahead = table->stream ? ftl_stream_offset(table->stream) : 0;
    return ahead > table->bytes_at ? ahead : table->bytes_at;
}

uint64_t ftl_table_bytes_total(const ftl_table *table)
{
    return table->format->bytes_total ? table->format->bytes_total(table) : table->bytes_total;
}

ftl_status ftl_table_bind(ftl_table *table, const ftl_table_column_request *requests,
                          size_t n_requests, ftl_error *error)
{
    if (table->bound)
        return FTL_FAIL(error, FTL_ARG, "the columns of a table are bound once");
    size_t n_columns = table->info.n_columns + table->has_origin;
    for (size_t i = 0; i < n_requests; i++) {
        if (requests[i].index >= n_columns)
            return FTL_FAIL(error, FTL_ARG, "column %zu is asked for and the table has %zu",
                            requests[i].index, n_columns);
        bool cells = table->format->abilities & FTL_TABLE_CELLS;
        if (cells && requests[i].type != FTL_F64 && requests[i].type != FTL_F32 &&
            requests[i].type != FTL_STRING)
            return FTL_FAIL(error, FTL_ARG, "column %zu: cells become float64, float32 and text",
                            requests[i].index);
    }
    table->requests = ftl_arena_array(&table->arena, n_requests ? n_requests : 1, sizeof *requests);
    if (!table->requests)
        return FTL_OOM(error);
    if (n_requests)
        memcpy(table->requests, requests, n_requests * sizeof *requests);
    table->n_requests = n_requests;
    if (table->format->bind)
        FTL_TRY(table->format->bind(table, error));
    table->bound = true;
    return FTL_OK;
}

void ftl_table_give_json(ftl_table *table) { table->give_json = true; }

/* ---- Reading --------------------------------------------------------------------------------- */

ftl_status ftl_table_cause(const ftl_table *table, ftl_status status, ftl_error *error)
{
    if (!table->stream || status == FTL_OK || status == FTL_IO || status == FTL_NOMEM ||
        status == FTL_CANCELLED)
        return status;
    ftl_status changed = ftl_stream_verify(table->stream, error);
    return changed == FTL_OK ? status : changed;
}

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
    block->rows = 0;
    block->first_row = table->rows_read;
    ftl_error failure;
    ftl_error_clear(&failure);
    ftl_status status = table->format->read(table, max_rows, block, &failure);
    status = ftl_table_cause(table, status, &failure);
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

bool ftl_table_is_foreign(const ftl_table *table) { return table->arrow || table->foreign; }

void ftl_table_set_foreign(ftl_table *table) { table->foreign = true; }

void ftl_table_share(ftl_table *table, ftl_task_group *group)
{
    table->helpers = group;
    if (table->format->share)
        table->format->share(table);
}

/* ---- Places ---------------------------------------------------------------------------------- */

void ftl_table_tell(const ftl_table *table, ftl_table_position *out)
{
    *out = (ftl_table_position){.rows = table->rows_read};
    /* a read that failed behind some rows may have left off anywhere */
    if (table->format->tell && table->failed.code == FTL_OK)
        table->format->tell(table, out);
}

/* Reads rows that nobody looks at. */
static ftl_status pass_over(ftl_table *table, ftl_table_block *block, uint64_t rows,
                            ftl_error *error)
{
    enum { rows_at_once = 1 << 16 };
    while (table->rows_read < rows) {
        uint64_t left = rows - table->rows_read;
        ftl_status status = ftl_table_read(table, left < rows_at_once ? (size_t)left : rows_at_once,
                                           block, error);
        if (status == FTL_END)
            return FTL_FAIL(error, FTL_CORRUPT, "the table has %llu rows where there were %llu",
                            (unsigned long long)table->rows_read, (unsigned long long)rows);
        FTL_TRY(status);
    }
    return FTL_OK;
}

ftl_status ftl_table_seek(ftl_table *table, const ftl_table_position *to, ftl_error *error)
{
    uint64_t extent;
    if (table->format->seek && to->offset && ftl_stream_extent(table->stream, &extent)) {
        FTL_TRY(table->format->seek(table, to, error));
        table->rows_read = to->rows;
        return FTL_OK;
    }
    ftl_table_block *block;
    FTL_TRY(ftl_table_block_create(table, &block, error));
    ftl_status status = pass_over(table, block, to->rows, error);
    ftl_table_block_destroy(block);
    return status;
}
