#include "table/arrow_c.h"

#include "base/column.h"
#include "table/arrow_format.h"

#include <string.h>

/* ---- Schemas --------------------------------------------------------------------------------- */

ftl_status ftl_arrow_schema_check(const struct ArrowSchema *schema, ftl_error *error)
{
    if (!schema->release)
        return FTL_FAIL(error, FTL_ARG, "the Arrow schema was released");
    if (!schema->format || strcmp(schema->format, "+s") != 0)
        return FTL_FAIL(error, FTL_ARG,
                        "the Arrow schema is no record batch's: its format is '%.40s', not '+s'",
                        schema->format ? schema->format : "");
    if (schema->n_children < 0 || (schema->n_children && !schema->children))
        return FTL_FAIL(error, FTL_ARG, "the Arrow schema has no children");
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        if (!child || !child->format || (child->dictionary && !child->dictionary->format))
            return FTL_FAIL(error, FTL_ARG, "column %lld of the Arrow schema has no format",
                            (long long)i);
    }
    return FTL_OK;
}

const char *ftl_arrow_child_name(const struct ArrowSchema *schema, size_t i)
{
    const char *name = schema->children[i]->name;
    return name ? name : "";
}

/* ---- Types ----------------------------------------------------------------------------------- */

static ftl_status type_error(const char *name, size_t child, const char *format, const char *role,
                             ftl_error *error)
{
    const char *words = ftl_arrow_format_words(format);
    if (!words)
        return FTL_FAIL(error, FTL_ARG, "column %zu '%.120s': %s'%.40s' is no format of Arrow",
                        child, name, role, format);
    return FTL_FAIL_BECAUSE(error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
                            "column %zu '%.120s' is %s%s (format %.40s), which neither models nor "
                            "outputs take; cast it to "
                            "a number or to text",
                            child, name, role, words, format);
}

ftl_status ftl_arrow_child_type(const struct ArrowSchema *schema, size_t i, ftl_arrow_type *out,
                                ftl_error *error)
{
    const struct ArrowSchema *child = schema->children[i];
    const char *name = ftl_arrow_child_name(schema, i);
    ftl_arrow_type found = {0};
    ftl_type type;
    if (!ftl_arrow_format_parse(child->format, &type, &found.scale))
        return type_error(name, i, child->format, "", error);
    if (child->n_children)
        return FTL_FAIL(error, FTL_ARG, "column %zu '%.120s' has children of its own", i, name);
    found.type = type;
    if (!child->dictionary) {
        *out = found;
        return FTL_OK;
    }
    if (!ftl_type_is_integer(type))
        return FTL_FAIL(error, FTL_ARG,
                        "column %zu '%.120s' is a dictionary whose indices are no integers", i,
                        name);
    if (child->dictionary->dictionary)
        return FTL_FAIL_BECAUSE(
            error, FTL_SCHEMA, FTL_REASON_COLUMN_TYPE,
            "column %zu '%.120s' is a dictionary of dictionaries, which no model takes", i, name);
    if (!ftl_arrow_format_parse(child->dictionary->format, &found.value_type, &found.scale))
        return type_error(name, i, child->dictionary->format, "a dictionary of ", error);
    found.index_type = type;
    found.type = FTL_DICTIONARY;
    *out = found;
    return FTL_OK;
}

const char *ftl_arrow_child_refused(const struct ArrowSchema *schema, size_t i)
{
    const struct ArrowSchema *child = schema->children[i];
    ftl_arrow_type type;
    if (ftl_arrow_child_type(schema, i, &type, NULL) == FTL_OK)
        return NULL;
    const char *words = ftl_arrow_format_words(child->format);
    if (!words && child->dictionary)
        words = ftl_arrow_format_words(child->dictionary->format);
    return words ? words : "a type that is not read";
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

/* The buffers that an array of a type has; views have at least so many. */
static int64_t buffers_of(ftl_type type)
{
    switch (type) {
    case FTL_NULL:
        return 0;
    case FTL_STRING:
    case FTL_LARGE_STRING:
    case FTL_STRING_VIEW:
        return 3;
    default:
        return 2;
    }
}

/* Counts and pointers of an array; what its buffers hold is looked at when the batch is. */
static ftl_status check_array(const struct ArrowArray *array, ftl_type type, ftl_error *error)
{
    int64_t end, buffers = buffers_of(type);
    if (!array)
        return FTL_FAIL(error, FTL_ARG, "is no array");
    if (array->length < 0 || array->offset < 0 ||
        __builtin_add_overflow(array->length, array->offset, &end) || array->null_count < -1 ||
        array->null_count > array->length)
        return FTL_FAIL(error, FTL_ARG, "has a length, offset or null_count out of range");
    bool enough = type == FTL_STRING_VIEW ? array->n_buffers >= buffers
                                          : array->n_buffers == buffers;
    if (!enough || (buffers && !array->buffers))
        return FTL_FAIL(error, FTL_ARG, "has %lld buffers where its type has %lld",
                        array->buffers ? (long long)array->n_buffers : 0LL, (long long)buffers);
    if (array->n_children)
        return FTL_FAIL(error, FTL_ARG, "has children of its own");
    if (buffers && array->null_count > 0 && !array->buffers[0])
        return FTL_FAIL(error, FTL_ARG, "counts nulls and has no validity");
    return FTL_OK;
}

/* Borrows the array's buffers; rows are seen to afterwards. */
static ftl_column view_array(const struct ArrowArray *array, ftl_type type, int32_t scale)
{
    ftl_column column = {.type = type, .offset = (size_t)array->offset, .scale = scale};
    if (type == FTL_NULL)
        return column;
    if (array->null_count != 0)
        column.validity = array->buffers[0];
    column.values = array->buffers[type == FTL_STRING || type == FTL_LARGE_STRING ? 2 : 1];
    if (type == FTL_STRING)
        column.offsets = array->buffers[1];
    if (type == FTL_LARGE_STRING)
        column.large_offsets = array->buffers[1];
    if (type == FTL_STRING_VIEW) {
        column.n_buffers = (size_t)(array->n_buffers - 3);
        column.buffers = array->buffers + 2;
        column.buffer_sizes = array->buffers[array->n_buffers - 1];
    }
    return column;
}

ftl_status ftl_arrow_child_view(const struct ArrowArray *batch, size_t i,
                                const ftl_arrow_type *type, ftl_column *column,
                                ftl_column *dictionary, ftl_error *error)
{
    const struct ArrowArray *child = batch->children[i];
    FTL_TRY(check_array(child, type->type, error));
    if (child->length < batch->offset || child->length - batch->offset < batch->length)
        return FTL_FAIL(error, FTL_ARG, "has %lld rows; the record batch needs %lld",
                        (long long)child->length, (long long)(batch->offset + batch->length));
    *column = view_array(child, type->type, type->scale);
    column->offset += (size_t)batch->offset;
    if (type->type != FTL_DICTIONARY)
        return child->dictionary
                   ? FTL_FAIL(error, FTL_ARG, "has a dictionary of which the schema does not tell")
                   : FTL_OK;
    if (!child->dictionary)
        return FTL_FAIL(error, FTL_ARG, "has no dictionary");
    FTL_TRY(check_array(child->dictionary, type->value_type, error));
    *dictionary = view_array(child->dictionary, type->value_type, type->scale);
    column->index_type = type->index_type;
    column->dictionary = dictionary;
    column->dictionary_rows = (size_t)child->dictionary->length;
    return FTL_OK;
}

/* A record batch has rows of columns; none of them is null as a whole. */
static bool has_null_rows(const struct ArrowArray *array)
{
    const uint8_t *validity = array->buffers ? array->buffers[0] : NULL;
    for (int64_t i = 0; validity && array->null_count != 0 && i < array->length; i++) {
        int64_t at = array->offset + i;
        if (!(validity[at / 8] >> (at % 8) & 1))
            return true;
    }
    return false;
}

ftl_status ftl_arrow_batch_check(const struct ArrowArray *array, size_t n_columns, ftl_error *error)
{
    int64_t end;
    if (!array->release)
        return FTL_FAIL(error, FTL_ARG, "the Arrow array was released");
    if (array->length < 0 || array->offset < 0 ||
        __builtin_add_overflow(array->length, array->offset, &end))
        return FTL_FAIL(error, FTL_ARG, "the Arrow array has a length or offset out of range");
    if (array->n_children < 0 || (size_t)array->n_children != n_columns ||
        (array->n_children && !array->children))
        return FTL_FAIL(error, FTL_ARG, "the Arrow array has %lld columns where its schema has %zu",
                        array->children ? (long long)array->n_children : 0LL, n_columns);
    if (array->n_buffers != 1 || !array->buffers)
        return FTL_FAIL(error, FTL_ARG, "the Arrow array is no record batch's: it has %lld buffers",
                        array->buffers ? (long long)array->n_buffers : 0LL);
    if (has_null_rows(array))
        return FTL_FAIL(error, FTL_ARG, "the record batch has rows that are null as a whole");
    return FTL_OK;
}
