#include "engine/join_columns.h"

#include "base/checked.h"
#include "base/column.h"

#include <string.h>

/* The column of a column's values, whatever dictionaries are in between. */
static const ftl_column *value_column(const ftl_column *column)
{
    while (column->type == FTL_DICTIONARY)
        column = column->dictionary;
    return column;
}

/* What values of that column are copied as. */
static ftl_type value_type(const ftl_column *column)
{
    return ftl_type_is_text(column->type) ? FTL_LARGE_STRING
           : column->type == FTL_BIT      ? FTL_BOOL
                                          : column->type;
}

/*
 * A column that says all about the values of the parts but where they are; those without any value
 * have nothing to say.
 */
static ftl_status common_column(const ftl_column_part *parts, size_t n_parts, ftl_column *out,
                                ftl_error *error)
{
    *out = (ftl_column){.type = FTL_NULL};
    for (size_t i = 0; i < n_parts; i++) {
        const ftl_column *from = value_column(parts[i].column);
        ftl_type type = value_type(from);
        if (type == FTL_NULL)
            continue;
        if (out->type != FTL_NULL && out->type != type)
            return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                                    "a column has values of several types");
        *out = *from;
        out->type = type;
    }
    return FTL_OK;
}

/* A row's value: its column and the index there. False: it is missing, and has no text either. */
static bool find_value(const ftl_column *column, size_t row, const ftl_column **from, size_t *index,
                       bool *valid)
{
    *from = column;
    *valid = ftl_column_find(from, row, index);
    if (*valid)
        return true;
    *from = column;
    *index = column->offset + row;
    return column->type == FTL_STRING && column->flags & FTL_COLUMN_NULL_TEXT;
}

static ftl_status text_bytes(const ftl_column_part *parts, size_t n_parts, size_t *out,
                             ftl_error *error)
{
    *out = 0;
    for (size_t p = 0; p < n_parts; p++) {
        for (size_t row = 0; row < parts[p].rows; row++) {
            const ftl_column *from;
            size_t index, size;
            bool valid;
            if (!find_value(parts[p].column, row, &from, &index, &valid))
                continue;
            (void)ftl_column_text(from, index, &size);
            if (!ftl_add_size(*out, size, out))
                return FTL_OOM(error);
        }
    }
    return FTL_OK;
}

/* What is filled in, row by row. */
typedef struct joiner {
    ftl_type type; /* texts: FTL_STRING where the texts of nulls count, else FTL_LARGE_STRING */
    uint8_t *validity;
    char *values;
    void *offsets;
    size_t width, row, used; /* used: bytes of text */
} joiner;

static void put(joiner *j, const ftl_column *from, size_t index)
{
    if (j->offsets) {
        size_t size;
        const char *text = ftl_column_text(from, index, &size);
        if (size)
            memcpy(j->values + j->used, text, size);
        j->used += size;
    } else if (from->type == FTL_BIT) {
        j->values[j->row] = ftl_bit_at(from->values, index);
    } else {
        memcpy(j->values + j->row * j->width, ftl_column_at_index(from, from->type, index),
               j->width);
    }
}

static void put_part(joiner *j, const ftl_column_part *part)
{
    for (size_t row = 0; row < part->rows; row++, j->row++) {
        const ftl_column *from;
        size_t index;
        bool valid;
        if (find_value(part->column, row, &from, &index, &valid))
            put(j, from, index);
        if (valid)
            j->validity[j->row / 8] |= (uint8_t)(1u << j->row % 8);
        if (j->type == FTL_STRING)
            ((uint32_t *)j->offsets)[j->row + 1] = (uint32_t)j->used;
        else if (j->offsets)
            ((int64_t *)j->offsets)[j->row + 1] = (int64_t)j->used;
    }
}

/* Room for what the parts hold. */
static ftl_status make_room(joiner *j, const ftl_column_part *parts, size_t n_parts, size_t rows,
                            ftl_arena *arena, ftl_error *error)
{
    size_t bytes = 0;
    bool text = ftl_type_is_text(j->type);
    j->width = ftl_type_size(j->type);
    if (text)
        FTL_TRY(text_bytes(parts, n_parts, &bytes, error));
    else if (!ftl_mul_size(rows, j->width, &bytes))
        return FTL_OOM(error);
    if (j->type == FTL_STRING && bytes > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a column holds more than 4 GiB of text");
    size_t offset = j->type == FTL_STRING ? sizeof(uint32_t) : sizeof(int64_t);
    j->values = ftl_arena_zero_array(arena, bytes + 1, 1);
    j->validity = ftl_arena_zero_array(arena, rows / 8 + 1, 1);
    j->offsets = text ? ftl_arena_zero_array(arena, rows + 1, offset) : NULL;
    return j->values && j->validity && (j->offsets || !text) ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_join_columns(const ftl_column_part *parts, size_t n_parts, ftl_arena *arena,
                            ftl_column *out, ftl_error *error)
{
    size_t rows = 0;
    ftl_column column;
    FTL_TRY(common_column(parts, n_parts, &column, error));
    column.flags = 0;
    for (size_t p = 0; p < n_parts; p++) {
        rows += parts[p].rows;
        column.flags |= parts[p].column->flags;
    }
    if (column.type == FTL_LARGE_STRING && column.flags & FTL_COLUMN_NULL_TEXT)
        column.type = FTL_STRING;
    joiner j = {.type = column.type};
    if (j.type != FTL_NULL)
        FTL_TRY(make_room(&j, parts, n_parts, rows, arena, error));
    for (size_t p = 0; p < n_parts && j.type != FTL_NULL; p++)
        put_part(&j, &parts[p]);
    column.values = j.values;
    column.validity = j.validity;
    column.offsets = j.type == FTL_STRING ? j.offsets : NULL;
    column.large_offsets = j.type == FTL_LARGE_STRING ? j.offsets : NULL;
    column.stride = 0;
    column.offset = column.n_buffers = column.dictionary_rows = 0;
    column.buffers = NULL;
    column.buffer_sizes = NULL;
    column.dictionary = NULL;
    *out = column;
    return FTL_OK;
}
