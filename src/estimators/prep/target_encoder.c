/*
 * TargetEncoder of sklearn.preprocessing (1.3): a category becomes the mean of the target among its
 * rows, an unknown one the mean of all. With a target of several classes (1.4) every feature has a
 * column a class.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/prep/encoder_categories.h"

#include <string.h>

enum { most_columns = 1 << 20 };

typedef struct target_encoder {
    uint32_t n, n_classes;    /* features; columns a feature */
    const ftl_labels *labels; /* of several classes, else NULL */
    ftl_category_column *categories;
    const double *means;  /* [n_classes] */
    ftl_node **encodings; /* [n * n_classes] */
} target_encoder;

static ftl_status read_encoder(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               target_encoder *t, ftl_error *error)
{
    size_t n_encodings = 0;
    const ftl_node *classes = NULL;
    *t = (target_encoder){.n = in->n_columns, .n_classes = 1};
    FTL_TRY(ftl_load_categories(build, e, in, &t->categories, error));
    if (ftl_attr_is(e, "target_type_", "multiclass")) {
        FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
        FTL_TRY(ftl_node_labels(build, classes, &t->labels, error));
        t->n_classes = t->labels->count;
    }
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES("target_mean_"), t->n_classes, &t->means, error));
    FTL_TRY(ftl_attr_items(e, "encodings_", &t->encodings, &n_encodings, error));
    if (n_encodings > most_columns || n_encodings != (uint64_t)t->n * t->n_classes)
        return FTL_ATTR_FAIL(error, e, "encodings_", FTL_CORRUPT,
                             "%zu encodings for %u features and %u classes", n_encodings, t->n,
                             t->n_classes);
    return FTL_OK;
}

/* One more value, for the category that ftl_category_sources added. */
static ftl_status add_missing(ftl_build *build, const ftl_category_column *column,
                              ftl_encode_column *out, ftl_error *error)
{
    double *values = ftl_arena_zero_array(build->arena, out->categories.count, sizeof *values);
    if (!values)
        return FTL_OOM(error);
    memcpy(values, out->values, column->count * sizeof *values);
    if (column->empty_at < column->count)
        values[column->count] = values[column->empty_at];
    out->values = values;
    out->values_count = out->categories.count;
    return FTL_OK;
}

/* Output column i, of feature j, whose categories are known. */
static ftl_status read_column(ftl_build *build, const ftl_estimator *e, const target_encoder *t,
                              uint32_t i, uint32_t j, ftl_encode_column *out, ftl_error *error)
{
    const ftl_category_column *column = &t->categories[j];
    ftl_array2 values = {0};
    ftl_status status = ftl_node_matrix(build, t->encodings[i], &values, error);
    if (status == FTL_OK && values.rows * values.columns != column->count)
        status = FTL_FAIL(error, FTL_CORRUPT, "%zu means for the %u categories of column %u",
                          values.rows * values.columns, column->count, j);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "encodings_");
        return status;
    }
    if (column->none_at < column->count && column->nan_at < column->count) {
        double *means = ftl_matrix_copy(build, &values);
        if (!means)
            return FTL_OOM(error);
        means[column->none_at] = means[column->nan_at];
        values.data = means;
    }
    out->values = values.data;
    out->values_count = column->count;
    if (out->categories.count > column->count) /* missing cells are the empty text, or refused */
        FTL_TRY(add_missing(build, column, out, error));
    out->unknown = FTL_CODE_NONE;
    out->unknown_value = t->means[i % t->n_classes];
    return FTL_OK;
}

static ftl_status name_columns(ftl_build *build, const ftl_frame *in, const target_encoder *t,
                               ftl_frame *out, ftl_error *error)
{
    for (uint32_t i = 0; i < out->n_columns; i++) {
        out->columns[i].name = in->columns[i / t->n_classes].name;
        if (!t->labels)
            continue;
        const char *label = ftl_cell_text(build->arena, &t->labels->cells[i % t->n_classes]);
        out->columns[i].name = label ? ftl_arena_printf(build->arena, "%s_%s",
                                                        in->columns[i / t->n_classes].name, label)
                                     : NULL;
        if (!out->columns[i].name)
            return FTL_OOM(error);
    }
    return FTL_OK;
}

static ftl_status emit_target(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    target_encoder t;
    ftl_frame once, sources;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_encoder(build, e, in, &t, error));
    uint32_t width = t.n * t.n_classes;
    ftl_encode_column *features = ftl_arena_zero_array(build->scratch, t.n, sizeof *features);
    ftl_encode_column *columns = ftl_arena_zero_array(build->arena, width, sizeof *columns);
    uint32_t *picked = ftl_arena_array(build->scratch, width, sizeof *picked);
    if (!features || !columns || !picked)
        return FTL_OOM(error);
    FTL_TRY(
        ftl_category_sources(build, e, in, t.categories, FTL_CHECK_INF, features, &once, error));
    for (uint32_t i = 0; i < width; i++) {
        picked[i] = i / t.n_classes;
        columns[i] = features[picked[i]];
        FTL_TRY(read_column(build, e, &t, i, picked[i], &columns[i], error));
    }
    FTL_TRY(ftl_frame_select(build, &once, picked, width, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &sources, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = width, FTL_SIZED(columns, columns, width), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    return name_columns(build, in, &t, out, error);
}

static ftl_status target_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("categories_"), out, error);
}

const ftl_estimator_class ftl_target_encoder_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "TargetEncoder", emit_target,
                          .inputs = target_inputs),
    {0},
};
