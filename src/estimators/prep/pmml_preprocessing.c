/*
 * What of sklearn2pmml.preprocessing and sklearn2pmml.util needs no Python code: labels that may be
 * missing, tables of values, and slices of columns.
 *
 * PMMLLabelBinarizer gives every class a column, two classes as well; PMMLLabelEncoder numbers
 * them. From 0.93 on a label that training did not see counts as a missing one, before it raised.
 * The file does not tell which: such a row is refused.
 */
#include "build/pandas_table.h"
#include "build/transformer.h"
#include "estimators/prep/domain_rules.h"
#include "estimators/prep/encoder_categories.h"

#include <math.h>
#include <string.h>

/* ---- Labels ---------------------------------------------------------------------------------- */

/* The classes, and at the end a missing value. */
static ftl_status load_classes(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_category_column *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(
        ftl_load_category_column(build, ftl_inner_list(classes), in->columns[0].name, out, error));
    ftl_cell *cells = ftl_arena_zero_array(build->arena, (size_t)out->count + 1, sizeof *cells);
    if (!cells)
        return FTL_OOM(error);
    if (out->count)
        memcpy(cells, out->cells, out->count * sizeof *cells);
    if (out->nan_at < out->count || out->none_at < out->count)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT, "a missing value is a class");
    cells[out->count].tag = FTL_CELL_MISSING;
    out->cells = cells;
    out->nan_at = out->count++;
    out->none_at = out->count;
    return FTL_OK;
}

static ftl_status emit_binarizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_category_column column;
    ftl_frame sources;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(load_classes(build, e, in, &column, error));
    uint32_t n = column.count - 1;
    ftl_encode_column *encoded = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    int32_t *codes = ftl_arena_array(build->arena, column.count, sizeof *codes);
    if (!encoded || !codes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++)
        codes[i] = (int32_t)i;
    codes[n] = FTL_CODE_NONE;
    *encoded = (ftl_encode_column){FTL_SIZED(codes, codes, column.count),
                                   .unknown = FTL_CODE_REFUSED, .cardinality = n};
    FTL_TRY(ftl_category_sources(build, e, in, &column, false, encoded, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ONEHOT, &sources, &id, &op, error));
    op->edge = FTL_EDGE_CODED;
    op->dtype = FTL_DTYPE_F64;
    op->width = n;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < n; i++) {
        out->columns[i].as = FTL_AS_INT;
        out->columns[i].name = ftl_cell_text(build->arena, &column.cells[i]);
        if (!out->columns[i].name)
            return FTL_OOM(error);
    }
    return ftl_attr_bool(e, "sparse_output", false, &out->sparse, error);
}

static ftl_status emit_encoder(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    /* It was called missing_value at first. */
    const char *name = ftl_attr(e, "missing_values") ? "missing_values" : "missing_value";
    ftl_category_column column;
    ftl_frame sources;
    uint32_t id;
    ftl_op *op = NULL;
    ftl_cell missing;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_cell(build, e, name, &missing, error));
    if (missing.tag == FTL_CELL_STRING)
        return FTL_ATTR_FAIL(error, e, name, FTL_UNSUPPORTED, "a text among numbers");
    FTL_TRY(load_classes(build, e, in, &column, error));
    ftl_encode_column *encoded = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    double *values = ftl_arena_array(build->arena, column.count, sizeof *values);
    if (!encoded || !values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < column.count; i++)
        values[i] = i;
    values[column.count - 1] = ftl_cell_number(&missing);
    *encoded = (ftl_encode_column){FTL_SIZED(values, values, column.count),
                                   .unknown = FTL_CODE_REFUSED};
    FTL_TRY(ftl_category_sources(build, e, in, &column, false, encoded, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &sources, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    out->columns[0].as = missing.tag == FTL_CELL_INT ? FTL_AS_INT : FTL_AS_FLOAT;
    return FTL_OK;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/*
 * What a missing value becomes: default_value before 0.99.1, itself since then. Only files of later
 * versions, which have dtype, tell where that shows.
 */
static int32_t missing_code(const ftl_estimator *e, bool filter, const ftl_cell *fallback)
{
    bool sure = filter || fallback->tag == FTL_CELL_MISSING || ftl_attr(e, "dtype");
    return sure ? 0 : FTL_CODE_REFUSED;
}

static ftl_status read_mapping(ftl_build *build, const ftl_estimator *e, const ftl_node_dict *dict,
                               ftl_encode_column *out, bool *numbers, ftl_error *error)
{
    const bool filter = strcmp(e->cls->name, "FilterLookupTransformer") == 0;
    size_t n = dict->size;
    if (n > 1 << 24)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_LIMIT, "more than %d values", 1 << 24);
    FTL_TRY(ftl_build_spend(build, n, error));
    ftl_cell *from = ftl_arena_zero_array(build->arena, n + 1, sizeof *from);
    ftl_cell *to = ftl_arena_zero_array(build->arena, n + 2, sizeof *to);
    int32_t *codes = ftl_arena_zero_array(build->arena, n + 1, sizeof *codes);
    if (!from || !to || !codes)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        FTL_TRY(ftl_cell_of(build, dict->keys[i], &from[i], error));
        FTL_TRY(ftl_cell_of(build, dict->values[i], &to[i], error));
        *numbers = *numbers || from[i].tag != FTL_CELL_STRING;
    }
    FTL_TRY(ftl_attr_cell(build, e, "default_value", &to[n + 1], error));
    codes[n] = missing_code(e, filter, &to[n + 1]);
    *out = (ftl_encode_column){
        .categories = {.count = (uint32_t)n + 1, FTL_SIZED(cells, from, (uint32_t)n + 1)},
        FTL_SIZED(codes, codes, (uint32_t)n + 1),
        FTL_SIZED(cells, to, (uint32_t)n + 2),
        .unknown = filter ? 0 : FTL_CODE_NONE};
    return FTL_OK;
}

/* A dict from values to others: what is not in it becomes default_value, or stays as it is. */
static ftl_status emit_lookup(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *mapping = NULL;
    bool numbers = false;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("mapping"), &mapping, error));
    if (mapping->kind != FTL_NODE_DICT)
        return FTL_ATTR_FAIL(error, e, "mapping", FTL_CORRUPT, "the mapping is no dict");
    if (!ftl_node_is_none(ftl_attr(e, "dtype")))
        return FTL_ATTR_FAIL(error, e, "dtype", FTL_UNSUPPORTED, "a mapping to categories");
    ftl_encode_column *encoded = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    if (!encoded)
        return FTL_OOM(error);
    FTL_TRY(read_mapping(build, e, &mapping->u.dict, encoded, &numbers, error));
    encoded->name = in->columns[0].name;
    ftl_build_want(build, in->columns[0].op, numbers ? FTL_KIND_MIXED : FTL_KIND_STRING);
    FTL_TRY(ftl_build_op(build, e, FTL_OP_DOMAIN_OBJECT, in, &id, &op, error));
    op->edge = FTL_EDGE_OBJECT;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    return ftl_frame_like(build, id, in, out, error);
}

/* ---- Slices ---------------------------------------------------------------------------------- */

/* One end of a Python slice over n columns. */
static ftl_status slice_end(const ftl_estimator *e, const char *name, int64_t fallback, int64_t n,
                            int64_t *out, ftl_error *error)
{
    FTL_TRY(ftl_attr_int(e, name, fallback, out, error));
    if (*out < 0)
        *out = *out < -n ? 0 : *out + n;
    if (*out > n)
        *out = n;
    return FTL_OK;
}

static ftl_status emit_slice(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    int64_t n = in->n_columns, start, stop, step;
    uint32_t count = 0, *picked = ftl_arena_array(build->scratch, in->n_columns, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(slice_end(e, "start", 0, n, &start, error));
    FTL_TRY(slice_end(e, "stop", n, n, &stop, error));
    FTL_TRY(ftl_attr_int(e, "step", 1, &step, error));
    if (step < 1)
        return FTL_ATTR_FAIL(error, e, "step", FTL_CORRUPT, "step is not above 0");
    while (start < stop) {
        picked[count++] = (uint32_t)start;
        start = step < n ? start + step : stop;
    }
    return ftl_frame_select(build, in, picked, count, out, error);
}

#define TRANSFORMER(package_, name_, emit_, inputs_, detail_)                           \
    FTL_PLAIN_TRANSFORMER(package_, name_, emit_, .inputs = inputs_, .detail = detail_, \
                          .library = "sklearn2pmml")

const ftl_estimator_class ftl_pmml_classes[] = {
    TRANSFORMER("sklearn2pmml.preprocessing", "PMMLLabelBinarizer", emit_binarizer, ftl_inputs_one,
                ftl_classes_detail),
    TRANSFORMER("sklearn2pmml.preprocessing", "PMMLLabelEncoder", emit_encoder, ftl_inputs_one,
                ftl_classes_detail),
    TRANSFORMER("sklearn2pmml.preprocessing", "LookupTransformer", emit_lookup, ftl_inputs_one,
                NULL),
    TRANSFORMER("sklearn2pmml.preprocessing", "FilterLookupTransformer", emit_lookup,
                ftl_inputs_one, NULL),
    TRANSFORMER("sklearn2pmml.util", "Slicer", emit_slice, NULL, NULL),
    {0},
};
