#include "table/arrow_dictionary.h"

#include "base/checked.h"
#include "base/column.h"

#include <stdio.h>
#include <string.h>

/* ---- Deltas ---------------------------------------------------------------------------------- */

/*
 * A dictionary that was continued: values of one width (bools are bytes), or texts with 64-bit
 * offsets. It has room for more, which is written behind what rows refer to; so continuing again
 * and again costs no more than its size in the end.
 */
typedef struct joined {
    _Atomic size_t references;
    ftl_account *account;
    ftl_type type;
    int32_t scale; /* of decimals */
    size_t rows, values_room, text_size, text_room, validity_room;
    uint8_t *values; /* or offsets, of which there is one more */
    char *text;
    uint8_t *validity; /* NULL: no nulls */
} joined;

static void release_joined(joined *j)
{
    if (!j || atomic_fetch_sub_explicit(&j->references, 1, memory_order_acq_rel) != 1)
        return;
    ftl_free(j->account, j->values);
    ftl_free(j->account, j->text);
    ftl_free(j->account, j->validity);
    ftl_free(j->account, j);
}

static void free_continued(ftl_arrow_rows *rows) { release_joined(rows->user); }

static ftl_type joined_type(ftl_type type)
{
    if (ftl_type_is_text(type))
        return FTL_LARGE_STRING;
    return type == FTL_BIT ? FTL_BOOL : type;
}

static size_t value_size(const joined *j)
{
    return j->type == FTL_LARGE_STRING ? sizeof(int64_t) : ftl_type_size(j->type);
}

/* Bytes of text, and whether there are nulls. */
static bool survey(const ftl_column *column, size_t rows, size_t *text)
{
    bool nulls = column->type == FTL_NULL;
    *text = 0;
    for (size_t i = 0; i < rows; i++) {
        const ftl_column *inner = column;
        size_t index, size = 0;
        if (!ftl_column_find(&inner, i, &index))
            nulls = true;
        else if (ftl_type_is_text(column->type))
            (void)ftl_column_text(inner, index, &size);
        *text += size; /* each is a part of memory that is there, at most 2^32 of them */
    }
    return nulls;
}

static void put_value(joined *j, const ftl_column *column, size_t row)
{
    size_t at = j->rows++, width = value_size(j), index, size = 0;
    bool valid = ftl_column_find(&column, row, &index);
    if (j->type == FTL_LARGE_STRING) {
        const char *text = valid ? ftl_column_text(column, index, &size) : "";
        if (size)
            memcpy(j->text + j->text_size, text, size);
        j->text_size += size;
        memcpy(j->values + (at + 1) * width, &(int64_t){(int64_t)j->text_size}, width);
    } else if (j->type == FTL_BOOL) {
        j->values[at] = valid && ftl_column_number(column, index) != 0;
    } else if (valid) {
        memcpy(j->values + at * width, ftl_column_at_index(column, column->type, index), width);
    } else if (width) {
        memset(j->values + at * width, 0, width);
    }
    if (!j->validity)
        return;
    uint8_t bit = (uint8_t)(1u << at % 8);
    j->validity[at / 8] = (uint8_t)(at % 8 ? j->validity[at / 8] & ~bit : 0);
    if (valid)
        j->validity[at / 8] |= bit;
}

/* Whether rows of so much text can be written behind what others read. */
static bool has_room(const joined *j, size_t rows, size_t text, bool nulls)
{
    if (nulls ? !j->validity : false)
        return false;
    if (j->validity && (j->rows % 8 || (j->rows + rows + 7) / 8 > j->validity_room))
        return false; /* others read the byte that the next bit is in */
    return j->rows + rows + 1 <= j->values_room && j->text_size + text <= j->text_room;
}

static ftl_status make_joined(ftl_account *account, ftl_type type, size_t rows, size_t text,
                              bool nulls, joined **out, ftl_error *error)
{
    joined *j = ftl_alloc_zero(account, 1, sizeof *j);
    if (!j)
        return FTL_OOM(error);
    j->references = 1;
    j->account = account;
    j->type = type;
    j->values_room = rows + 1;
    j->text_room = text;
    j->validity_room = nulls ? rows / 8 + 1 : 0;
    j->values = ftl_alloc_zero(account, j->values_room, value_size(j));
    j->text = ftl_alloc(account, text);
    j->validity = nulls ? ftl_alloc_zero(account, j->validity_room, 1) : NULL;
    if (!j->values || !j->text || (nulls && !j->validity)) {
        release_joined(j);
        return FTL_OOM(error);
    }
    *out = j;
    return FTL_OK;
}

static void put_all(joined *j, const ftl_arrow_rows *rows)
{
    for (size_t i = 0; i < rows->rows; i++)
        put_value(j, &rows->columns[0], i);
}

/* The rows so far and more of them, in a joined dictionary with as much room again. */
static ftl_status join(const ftl_arrow_rows *before, const ftl_arrow_rows *more, joined **out,
                       ftl_error *error)
{
    size_t old_text, text, rows = before->rows + more->rows;
    bool nulls = survey(&before->columns[0], before->rows, &old_text);
    nulls |= survey(&more->columns[0], more->rows, &text);
    text += old_text;
    if (rows > FTL_BLOCK_LIMIT / 8 || text > FTL_BLOCK_LIMIT)
        return FTL_FAIL(error, FTL_LIMIT, "it grows beyond %d values or %d bytes of text",
                        FTL_BLOCK_LIMIT / 8, FTL_BLOCK_LIMIT);
    FTL_TRY(make_joined(before->account, joined_type(before->columns[0].type), 2 * rows, 2 * text,
                        nulls, out, error));
    (*out)->scale = before->columns[0].scale;
    put_all(*out, before);
    put_all(*out, more);
    return FTL_OK;
}

/* Rows that view all of a joined dictionary, whose reference they take. */
static ftl_status view_joined(joined *j, ftl_arrow_rows **out, ftl_error *error)
{
    ftl_arrow_rows *rows;
    ftl_status status = ftl_arrow_rows_create(j->account, 1, 0, &rows, error);
    if (status != FTL_OK) {
        release_joined(j);
        return status;
    }
    rows->rows = j->rows;
    rows->user = j;
    rows->release = free_continued;
    rows->text_sizes[0] = j->text_size;
    rows->columns[0] = (ftl_column){
        .type = j->type, .validity = j->validity, .values = j->values, .scale = j->scale};
    if (j->type == FTL_LARGE_STRING) {
        rows->columns[0].values = j->text;
        rows->columns[0].large_offsets = (const int64_t *)(const void *)j->values;
    }
    *out = rows;
    return FTL_OK;
}

/* Makes *values the values so far and more. */
static ftl_status append(ftl_arrow_rows **values, const ftl_arrow_rows *more, ftl_error *error)
{
    joined *j = (*values)->release == free_continued ? (*values)->user : NULL;
    size_t text;
    bool nulls = survey(&more->columns[0], more->rows, &text);
    if (j && has_room(j, more->rows, text, nulls)) {
        atomic_fetch_add_explicit(&j->references, 1, memory_order_relaxed);
        put_all(j, more);
    } else {
        FTL_TRY(join(*values, more, &j, error));
    }
    ftl_arrow_rows *grown;
    FTL_TRY(view_joined(j, &grown, error));
    ftl_arrow_rows_release(*values);
    *values = grown;
    return FTL_OK;
}

/* ---- Batches --------------------------------------------------------------------------------- */

ftl_status ftl_arrow_dictionaries_init(ftl_account *account, const ftl_arrow_schema *schema,
                                       const size_t *wanted, size_t n_wanted,
                                       ftl_arrow_dictionary *out, ftl_error *error)
{
    for (size_t i = 0; i < n_wanted; i++) {
        const ftl_arrow_field *field = &schema->fields[wanted[i]];
        if (field->type == FTL_DICTIONARY)
            out[field->dictionary].wanted = true;
    }
    for (size_t i = 0; i < schema->n_dictionaries; i++) {
        if (!out[i].wanted)
            continue;
        FTL_TRY(ftl_arrow_rows_create(account, 1, 0, &out[i].values, error));
        out[i].values->columns[0].type = schema->dictionaries[i].type;
        out[i].values->columns[0].scale = schema->dictionaries[i].scale;
    }
    return FTL_OK;
}

void ftl_arrow_dictionaries_free(const ftl_arrow_schema *schema, ftl_arrow_dictionary *dictionaries)
{
    for (size_t i = 0; dictionaries && i < schema->n_dictionaries; i++)
        ftl_arrow_rows_release(dictionaries[i].values);
}

/* The whole batch as rows. */
static ftl_status read_values(ftl_arrow_source *source, const ftl_arrow_message *message,
                              const ftl_fb_table *data,
                              const ftl_arrow_dictionary_field *dictionary, const char *what,
                              ftl_arrow_rows *rows, ftl_error *error)
{
    const ftl_arrow_field field = {.name = dictionary->name,
                                   .type = dictionary->type,
                                   .scale = dictionary->scale,
                                   .share = {.nodes = 1,
                                             .buffers = ftl_arrow_buffers_of(dictionary->type),
                                             .views = dictionary->type == FTL_STRING_VIEW}};
    ftl_arrow_batch batch = {.whole = true};
    ftl_status status = ftl_arrow_batch_init(&batch, source, &field, &(size_t){0}, 1, error);
    if (status == FTL_OK)
        status = ftl_arrow_batch_begin(&batch, message, data, &field, 1, what, error);
    if (status == FTL_OK && batch.rows)
        status = ftl_arrow_batch_read(&batch, 1, rows, error);
    ftl_arrow_batch_free(&batch);
    FTL_TRY(status);
    rows->columns[0].type = dictionary->type;
    char why[FTL_ERROR_MESSAGE_SIZE];
    status = ftl_arrow_column_check(&rows->columns[0], rows->rows, rows->text_sizes[0],
                                    source->table->max_record, error);
    if (status != FTL_OK && error) {
        const ftl_error bare = *error;
        memcpy(why, error->message, sizeof why);
        ftl_error_set(error, status, "%s %.500s", what, why);
        ftl_error_because(error, bare.reason, bare.option);
    }
    return status;
}

/* The dictionary of an id; they are in the order of their ids. */
static size_t find(const ftl_arrow_schema *schema, int64_t id)
{
    size_t low = 0, high = schema->n_dictionaries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (schema->dictionaries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < schema->n_dictionaries && schema->dictionaries[low].id == id ? low : SIZE_MAX;
}

ftl_status ftl_arrow_dictionary_read(ftl_arrow_source *source, const ftl_arrow_message *message,
                                     const ftl_arrow_schema *schema,
                                     ftl_arrow_dictionary *dictionaries, ftl_error *error)
{
    enum { ID = 0, DATA = 1, IS_DELTA = 2, DICTIONARY_FIELDS = 3 };
    int64_t id = ftl_fb_i64(&message->header, ID, 0);
    bool delta = ftl_fb_u8(&message->header, IS_DELTA, 0);
    const ftl_fb_table data = ftl_fb_child(&message->header, DATA);
    char what[160];
    ftl_fb_expect(&message->header, DICTIONARY_FIELDS, "DictionaryBatch");
    FTL_TRY(ftl_fb_status(&source->buffer, "a dictionary batch of the Arrow data", error));
    size_t i = find(schema, id);
    if (i == SIZE_MAX || !dictionaries[i].wanted)
        return ftl_arrow_source_skip(source, message->body_size, error);
    ftl_arrow_dictionary *dictionary = &dictionaries[i];
    snprintf(what, sizeof what, "the dictionary of column '%.100s'", schema->dictionaries[i].name);
    if (!data.buffer || (delta && !dictionary->seen) ||
        (!delta && dictionary->seen && source->file))
        return FTL_FAIL(error, FTL_CORRUPT, "%s %s", what,
                        !data.buffer ? "has no data"
                        : delta      ? "is continued before it has begun"
                                     : "comes twice, which streams alone may have");
    ftl_arrow_rows *rows;
    FTL_TRY(ftl_arrow_rows_create(source->table->account, 1, 1, &rows, error));
    ftl_status status = read_values(source, message, &data, &schema->dictionaries[i], what, rows,
                                    error);
    if (status == FTL_OK && delta) {
        status = append(&dictionary->values, rows, error);
    } else if (status == FTL_OK) {
        ftl_arrow_rows_release(dictionary->values);
        dictionary->values = ftl_arrow_rows_retain(rows);
        dictionary->seen = true;
    }
    ftl_arrow_rows_release(rows);
    return status;
}

void ftl_arrow_dictionary_attach(const ftl_arrow_dictionary *dictionaries,
                                 const ftl_arrow_field *field, ftl_arrow_rows *rows, size_t i)
{
    ftl_arrow_rows *values = dictionaries[field->dictionary].values;
    ftl_column *column = &rows->columns[i];
    column->type = FTL_DICTIONARY;
    column->index_type = field->index_type;
    column->dictionary = &values->columns[0];
    column->dictionary_rows = values->rows;
    rows->held[1 + i] = ftl_arrow_rows_retain(values);
}
