/* Typed access to an estimator's attributes; every error carries the dotted path. */
#include "base/checked.h"
#include "base/number.h"
#include "base/utf8.h"
#include "build/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void ftl_error_in_attr(ftl_error *error, const ftl_estimator *estimator, const char *name)
{
    if (!error)
        return;
    error->path[0] = '\0';
    ftl_error_in(error, name);
    if (estimator->path[0])
        ftl_error_prefix(error, "%s", estimator->path);
}

const ftl_node *ftl_attr(const ftl_estimator *estimator, const char *name)
{
    return ftl_node_attr(estimator->node, name);
}

ftl_status ftl_attr_need(const ftl_estimator *estimator, const char *const *names,
                         const ftl_node **out, ftl_error *error)
{
    for (const char *const *name = names; *name; name++) {
        const ftl_node *node = ftl_attr(estimator, *name);
        if (!ftl_node_is_none(node)) {
            *out = node;
            return FTL_OK;
        }
    }
    return FTL_ATTR_FAIL(error, estimator, names[0], FTL_CORRUPT,
                         "%s has no %s: it was not fitted, or the file is damaged",
                         estimator->cls ? estimator->cls->name : "the object", names[0]);
}

static ftl_status wrong_type(const ftl_estimator *e, const char *name, const char *expected,
                             const ftl_node *node, ftl_error *error)
{
    char text[160];
    return FTL_ATTR_FAIL(error, e, name, FTL_CORRUPT, "%s is %s where %s was expected", name,
                         ftl_node_describe(node, text, sizeof text), expected);
}

ftl_status ftl_attr_bool(const ftl_estimator *e, const char *name, bool fallback, bool *out,
                         ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, name);
    int64_t integer;
    if (ftl_node_is_none(node))
        *out = fallback;
    else if (!ftl_node_as_bool(node, out)) {
        if (!ftl_node_as_int(node, &integer))
            return wrong_type(e, name, "a bool", node, error);
        *out = integer != 0;
    }
    return FTL_OK;
}

ftl_status ftl_attr_int(const ftl_estimator *e, const char *name, int64_t fallback, int64_t *out,
                        ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, name);
    if (ftl_node_is_none(node))
        *out = fallback;
    else if (!ftl_node_as_int(node, out))
        return wrong_type(e, name, "an integer", node, error);
    return FTL_OK;
}

ftl_status ftl_attr_f64(const ftl_estimator *e, const char *name, double fallback, double *out,
                        ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, name);
    if (ftl_node_is_none(node))
        *out = fallback;
    else if (!ftl_node_as_f64(node, out))
        return wrong_type(e, name, "a number", node, error);
    return FTL_OK;
}

bool ftl_attr_is(const ftl_estimator *e, const char *name, const char *text)
{
    const ftl_node *node = ftl_attr(e, name);
    return node && ftl_node_str_equal(node, text);
}

size_t ftl_node_length(const ftl_node *sequence)
{
    if (!sequence)
        return 0;
    switch (sequence->kind) {
    case FTL_NODE_LIST:
    case FTL_NODE_TUPLE:
        return sequence->u.seq.size;
    case FTL_NODE_ARRAY:
        return sequence->u.array->size;
    default:
        return 0;
    }
}

static ftl_status number_array(ftl_build *build, const ftl_node_array *array, ftl_array2 *out,
                               ftl_error *error)
{
    if (array->ndim > 2)
        return FTL_FAIL(error, FTL_CORRUPT,
                        "an array of %u dimensions was found where at most 2 were expected",
                        array->ndim);
    out->rows = array->ndim == 2 ? array->shape[0] : 1;
    out->columns = array->ndim == 0 ? 1 : array->shape[array->ndim - 1];
    out->was_f32 = array->dtype->kind == 'f' && array->dtype->item_size == 4;
    double *data = ftl_arena_array(build->arena, array->size, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    out->data = data;
    if (array->dtype->kind == 'f' && array->dtype->item_size == 8 && array->data &&
        !(array->fortran && array->ndim == 2)) {
        memcpy(data, array->data, array->size * sizeof(double));
        return FTL_OK;
    }
    for (size_t i = 0; i < array->size; i++) {
        if (!ftl_array_f64_at(array, i, &data[i]))
            return FTL_FAIL(error, FTL_CORRUPT, "element %zu is not a number", i);
    }
    return FTL_OK;
}

static ftl_status sparse_matrix(ftl_build *build, const ftl_node_sparse *sparse, ftl_array2 *out,
                                ftl_error *error)
{
    size_t size;
    if (!ftl_mul_size(sparse->rows, sparse->columns, &size) || size > (size_t)1 << 28)
        return FTL_FAIL(error, FTL_LIMIT, "a sparse matrix of %zu x %zu is too large", sparse->rows,
                        sparse->columns);
    *out = (ftl_array2){.rows = sparse->rows, .columns = sparse->columns};
    double *dense = ftl_arena_zero_array(build->arena, size, sizeof *dense);
    if (!dense)
        return FTL_OOM(error);
    out->data = dense;
    const ftl_node_array *data = sparse->data->u.array;
    size_t lines = sparse->csc ? sparse->columns : sparse->rows;
    out->was_f32 = data->dtype->kind == 'f' && data->dtype->item_size == 4;
    for (size_t line = 0; line < lines; line++) {
        int64_t from = 0, to = 0;
        if (!ftl_array_i64_at(sparse->indptr->u.array, line, &from) ||
            !ftl_array_i64_at(sparse->indptr->u.array, line + 1, &to))
            return FTL_FAIL(error, FTL_CORRUPT, "a sparse matrix has a damaged index");
        for (int64_t k = from; k < to; k++) {
            int64_t at = 0;
            double value;
            if (!ftl_array_i64_at(sparse->indices->u.array, (size_t)k, &at) ||
                !ftl_array_f64_at(data, (size_t)k, &value))
                return FTL_FAIL(error, FTL_CORRUPT, "a sparse matrix has a damaged index");
            size_t row = sparse->csc ? (size_t)at : line, column = sparse->csc ? line : (size_t)at;
            dense[row * sparse->columns + column] += value;
        }
    }
    return FTL_OK;
}

static ftl_status number_sequence(ftl_build *build, const ftl_node_sequence *seq, ftl_array2 *out,
                                  ftl_error *error)
{
    double *data = ftl_arena_array(build->arena, seq->size, sizeof *data);
    if (!data)
        return FTL_OOM(error);
    *out = (ftl_array2){.rows = 1, .columns = seq->size, .data = data};
    for (size_t i = 0; i < seq->size; i++) {
        if (!ftl_node_as_f64(seq->items[i], &data[i]))
            return FTL_FAIL(error, FTL_CORRUPT, "element %zu is not a number", i);
    }
    return FTL_OK;
}

static ftl_status number_scalar(ftl_build *build, const ftl_node *node, ftl_array2 *out,
                                ftl_error *error)
{
    double number;
    char text[160];
    if (!node || !ftl_node_as_f64(node, &number))
        return FTL_FAIL(error, FTL_CORRUPT, "%s was found where an array of numbers was expected",
                        ftl_node_describe(node, text, sizeof text));
    *out = (ftl_array2){
        .rows = 1, .columns = 1, .data = ftl_arena_copy(build->arena, &number, sizeof number)};
    return out->data ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_node_matrix(ftl_build *build, const ftl_node *node, ftl_array2 *out,
                           ftl_error *error)
{
    ftl_array2 result = {0};
    ftl_node_kind kind = node ? node->kind : FTL_NODE_NONE;
    bool array = kind == FTL_NODE_ARRAY, sparse = kind == FTL_NODE_SPARSE,
         sequence = kind == FTL_NODE_LIST || kind == FTL_NODE_TUPLE;
    if (!array && !sparse && !sequence)
        return number_scalar(build, node, out, error);
    const ftl_array2 *known = ftl_made_of(build, node, FTL_MADE_MATRIX);
    if (!known) {
        if (array)
            FTL_TRY(number_array(build, node->u.array, &result, error));
        else if (sparse)
            FTL_TRY(sparse_matrix(build, node->u.sparse, &result, error));
        else
            FTL_TRY(number_sequence(build, &node->u.seq, &result, error));
        known = ftl_arena_copy(build->scratch, &result, sizeof result);
        if (!known)
            return FTL_OOM(error);
        FTL_TRY(ftl_made_keep(build, node, FTL_MADE_MATRIX, known, error));
    }
    *out = *known;
    return FTL_OK;
}

ftl_status ftl_attr_matrix(ftl_build *build, const ftl_estimator *e, const char *const *names,
                           ftl_array2 *out, ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, names, &node, error));
    ftl_status status = ftl_node_matrix(build, node, out, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, names[0]);
    return status;
}

ftl_status ftl_attr_vector(ftl_build *build, const ftl_estimator *e, const char *const *names,
                           size_t n, const double **out, ftl_error *error)
{
    ftl_array2 array = {0};
    FTL_TRY(ftl_attr_matrix(build, e, names, &array, error));
    if (array.rows * array.columns != n || (array.rows != 1 && array.columns != 1 && n != 0))
        return FTL_ATTR_FAIL(error, e, names[0], FTL_CORRUPT,
                             "%s has shape (%zu, %zu) where %zu numbers were expected", names[0],
                             array.rows, array.columns, n);
    *out = array.data;
    return FTL_OK;
}

double *ftl_matrix_copy(ftl_build *build, const ftl_array2 *array)
{
    return ftl_arena_copy(build->arena, array->data,
                          array->rows * array->columns * sizeof *array->data);
}

double *ftl_repeat(ftl_build *build, double value, uint32_t n)
{
    double *made = ftl_arena_array(build->arena, n, sizeof *made);
    for (uint32_t i = 0; made && i < n; i++)
        made[i] = value;
    return made;
}

ftl_status ftl_attr_vector_copy(ftl_build *build, const ftl_estimator *e, const char *const *names,
                                size_t n, double **out, ftl_error *error)
{
    const double *shared = NULL;
    FTL_TRY(ftl_attr_vector(build, e, names, n, &shared, error));
    *out = ftl_arena_copy(build->arena, shared, n * sizeof *shared);
    return *out ? FTL_OK : FTL_OOM(error);
}

ftl_status ftl_node_items(const ftl_node *node, ftl_node ***items, size_t *count, ftl_error *error)
{
    char text[160];
    if (node && (node->kind == FTL_NODE_LIST || node->kind == FTL_NODE_TUPLE)) {
        *items = node->u.seq.items;
        *count = node->u.seq.size;
        return FTL_OK;
    }
    if (node && node->kind == FTL_NODE_ARRAY && node->u.array->objects) {
        *items = node->u.array->objects;
        *count = node->u.array->size;
        return FTL_OK;
    }
    return FTL_FAIL(error, FTL_CORRUPT, "%s was found where a list was expected",
                    ftl_node_describe(node, text, sizeof text));
}

ftl_status ftl_attr_items(const ftl_estimator *e, const char *name, ftl_node ***items,
                          size_t *count, ftl_error *error)
{
    const ftl_node *node = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES(name), &node, error));
    ftl_status status = ftl_node_items(node, items, count, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, name);
    return status;
}

static bool is_missing_object(const ftl_node *node)
{
    double number;
    if (ftl_node_is_none(node))
        return true;
    if (node->kind == FTL_NODE_FLOAT)
        return isnan(node->u.number);
    if (node->kind == FTL_NODE_ARRAY && node->u.array->ndim == 0 && ftl_node_as_f64(node, &number))
        return isnan(number);
    /* pandas.NA and NaT are singletons made by a call or named as a global. */
    if (node->kind == FTL_NODE_OBJECT)
        return strcmp(node->u.object->name, "NAType") == 0 ||
               strcmp(node->u.object->name, "_nat_unpickle") == 0;
    return node->kind == FTL_NODE_GLOBAL && strcmp(node->u.global.name, "NA") == 0;
}

/* Texts of so many bytes are copied once, however often the file refers to them. */
enum { long_text = 256 };

static ftl_status text_cell(ftl_build *build, ftl_node_string text, ftl_cell *out, ftl_error *error)
{
    if (text.size > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "a text value is longer than 4 GiB");
    const char *copy = text.size < long_text ? NULL : ftl_made_of(build, text.data, FTL_MADE_TEXT);
    if (!copy) {
        copy = ftl_arena_string(build->arena, text.data, text.size);
        if (!copy)
            return FTL_OOM(error);
        if (text.size >= long_text)
            FTL_TRY(ftl_made_keep(build, text.data, FTL_MADE_TEXT, copy, error));
    }
    *out = (ftl_cell){.tag = FTL_CELL_STRING, .size = (uint32_t)text.size, .u.text = copy};
    return FTL_OK;
}

ftl_status ftl_cell_of(ftl_build *build, const ftl_node *node, ftl_cell *out, ftl_error *error)
{
    ftl_node_string text;
    bool boolean;
    char about[160];
    if (is_missing_object(node)) {
        *out = (ftl_cell){.tag = FTL_CELL_MISSING};
        return FTL_OK;
    }
    if (ftl_node_as_str(node, &text))
        return text_cell(build, text, out, error);
    if (ftl_node_as_bool(node, &boolean))
        *out = (ftl_cell){.tag = FTL_CELL_BOOL, .u.integer = boolean};
    else if (ftl_node_as_int(node, &out->u.integer))
        out->tag = FTL_CELL_INT;
    else if (ftl_node_as_f64(node, &out->u.number))
        out->tag = FTL_CELL_FLOAT;
    else
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "a value of type %s cannot be a category or a class label",
                        ftl_node_describe(node, about, sizeof about));
    return FTL_OK;
}

static ftl_status array_cell(ftl_build *build, const ftl_node_array *array, size_t i, ftl_cell *out,
                             ftl_error *error)
{
    switch (array->dtype->kind) {
    case 'O':
        return ftl_cell_of(build, array->objects[i], out, error);
    case 'U':
    case 'S': {
        ftl_node_string text;
        FTL_TRY(ftl_array_string_at(array, i, build->arena, &text, error));
        return text_cell(build, text, out, error);
    }
    case 'f': {
        double number;
        if (!ftl_array_f64_at(array, i, &number))
            return FTL_FAIL(error, FTL_UNSUPPORTED, "an array of %u-byte floats cannot be read",
                            array->dtype->item_size);
        *out = isnan(number) ? (ftl_cell){.tag = FTL_CELL_MISSING}
                             : (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = number};
        return FTL_OK;
    }
    default:
        if (!ftl_array_i64_at(array, i, &out->u.integer))
            return FTL_FAIL(error, FTL_UNSUPPORTED,
                            "values of numpy kind '%c' cannot be categories or class labels",
                            array->dtype->kind);
        out->tag = array->dtype->kind == 'b' ? FTL_CELL_BOOL : FTL_CELL_INT;
        return FTL_OK;
    }
}

ftl_status ftl_expect_fields(const ftl_node_array *array, const char *const *known,
                             const char *what, const char *path, ftl_error *error)
{
    const char *name = ftl_dtype_unknown_field(array->dtype, known);
    if (!name)
        return FTL_OK;
    ftl_error_set(
        error, FTL_UNSUPPORTED,
        "%s have a field '%.60s' that is not known here: the library that wrote the model "
        "is newer than those that are supported",
        what, name);
    ftl_error_in(error, path);
    return FTL_UNSUPPORTED;
}

ftl_status ftl_node_cell(ftl_build *build, const ftl_node *sequence, size_t i, ftl_cell *out,
                         ftl_error *error)
{
    ftl_cell cell = {0};
    if (i >= ftl_node_length(sequence))
        return FTL_FAIL(error, FTL_CORRUPT, "element %zu does not exist", i);
    if (sequence->kind == FTL_NODE_ARRAY)
        FTL_TRY(array_cell(build, sequence->u.array, i, &cell, error));
    else
        FTL_TRY(ftl_cell_of(build, sequence->u.seq.items[i], &cell, error));
    *out = cell;
    return FTL_OK;
}

/* Labels are shown, never compared, and outputs are valid UTF-8. */
static ftl_status show_valid(ftl_build *build, ftl_cell *label, ftl_error *error)
{
    if (ftl_utf8_valid(label->u.text, label->size))
        return FTL_OK;
    char *copy = ftl_arena_string(build->arena, label->u.text, label->size);
    if (!copy)
        return FTL_OOM(error);
    ftl_utf8_replace_surrogates(copy, label->size);
    label->u.text = copy;
    return FTL_OK;
}

/* numpy's name of the dtype of an array of labels; NULL for other objects and dtypes. */
static const char *labels_dtype(ftl_build *build, const ftl_node *classes)
{
    if (classes->kind != FTL_NODE_ARRAY || classes->u.array->dtype->n_fields)
        return NULL;
    const ftl_dtype *dtype = classes->u.array->dtype;
    switch (dtype->kind) {
    case 'b':
        return "bool";
    case 'i':
        return ftl_arena_printf(build->arena, "int%u", dtype->item_size * 8);
    case 'u':
        return ftl_arena_printf(build->arena, "uint%u", dtype->item_size * 8);
    case 'f':
        return ftl_arena_printf(build->arena, "float%u", dtype->item_size * 8);
    case 'U':
        return ftl_arena_printf(build->arena, "<U%u", dtype->item_size / 4);
    case 'S':
        return ftl_arena_printf(build->arena, "S%u", dtype->item_size);
    case 'O':
        return "object";
    default:
        return NULL;
    }
}

static ftl_status read_labels(ftl_build *build, const ftl_node *classes, const ftl_labels **out,
                              ftl_error *error)
{
    size_t n = ftl_node_length(classes);
    char text[160];
    if (n == 0 || n > 1u << 24)
        return FTL_FAIL(error, FTL_CORRUPT, "%s was found where the class labels were expected",
                        ftl_node_describe(classes, text, sizeof text));
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, n, sizeof *cells);
    if (!labels || !cells)
        return FTL_OOM(error);
    unsigned tags = 0;
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(ftl_node_cell(build, classes, i, &cells[i], error));
        if (cells[i].tag == FTL_CELL_STRING)
            FTL_TRY(show_valid(build, &cells[i], error));
        tags |= 1u << cells[i].tag;
    }
    labels->count = (uint32_t)n;
    labels->cells = cells;
    labels->dtype = labels_dtype(build, classes);
    if (tags == 1u << FTL_CELL_INT)
        labels->type = FTL_I64;
    else if (tags == 1u << FTL_CELL_BOOL)
        labels->type = FTL_BOOL;
    else if ((tags & ~(1u << FTL_CELL_FLOAT | 1u << FTL_CELL_MISSING)) == 0)
        labels->type = FTL_F64;
    else
        labels->type = FTL_STRING;
    *out = labels;
    return FTL_OK;
}

ftl_status ftl_node_labels(ftl_build *build, const ftl_node *classes, const ftl_labels **out,
                           ftl_error *error)
{
    const ftl_labels *known = ftl_made_of(build, classes, FTL_MADE_LABELS);
    if (!known) {
        FTL_TRY(read_labels(build, classes, &known, error));
        FTL_TRY(ftl_made_keep(build, classes, FTL_MADE_LABELS, known, error));
    }
    *out = known;
    return FTL_OK;
}

const char *ftl_cell_text(ftl_arena *arena, const ftl_cell *cell)
{
    switch (cell->tag) {
    case FTL_CELL_STRING:
        return cell->u.text;
    case FTL_CELL_INT:
        return ftl_arena_printf(arena, "%lld", (long long)cell->u.integer);
    case FTL_CELL_BOOL:
        return cell->u.integer ? "True" : "False";
    case FTL_CELL_FLOAT: {
        char text[FTL_F64_TEXT_SIZE];
        return ftl_arena_string(arena, text, ftl_print_f64(cell->u.number, text));
    }
    default:
        return "nan";
    }
}
