/*
 * LabelBinarizer as a model by itself: one column of labels → a column per class with pos_label
 * where it is that class and neg_label elsewhere; two classes share one column, one class gets
 * nothing but neg_label. Labels unseen in training belong to no class.
 *
 * The library looks at a whole batch to tell two classes from several: given a third label it would
 * widen two classes to two columns. Here the number of classes alone decides.
 */
#include "build/transformer.h"
#include "estimators/families.h"
#include "estimators/prep/encoder_categories.h"

#include <math.h>
#include <string.h>

typedef struct binarizer {
    ftl_category_column column;
    double low, high; /* neg_label, pos_label */
} binarizer;

static ftl_status read_binarizer(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                 binarizer *out, ftl_error *error)
{
    const ftl_node *classes = NULL, *type = ftl_attr(e, "y_type_");
    ftl_node_string text;
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    if (type && ftl_node_as_str(type, &text) && text.size >= 10 &&
        memcmp(text.data, "multilabel", 10) == 0)
        return FTL_ATTR_FAIL(
            error, e, "y_type_", FTL_UNSUPPORTED,
            "LabelBinarizer of several labels a row is not supported; its input is "
            "its output already");
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_load_category_column(build, classes, in->columns[0].name, &out->column, error));
    if (out->column.count == 0)
        return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT, "there are no classes");
    FTL_TRY(ftl_attr_f64(e, "neg_label", 0, &out->low, error));
    FTL_TRY(ftl_attr_f64(e, "pos_label", 1, &out->high, error));
    if (!isfinite(out->low) || !isfinite(out->high))
        return FTL_ATTR_FAIL(error, e, "neg_label", FTL_CORRUPT, "a label is not a finite number");
    return FTL_OK;
}

/* What each class becomes. ftl_category_sources adds to it what a missing cell becomes. */
static ftl_status fill_codes(ftl_build *build, const binarizer *b, ftl_encode_column *out,
                             ftl_error *error)
{
    uint32_t n = b->column.count;
    double *values = ftl_arena_array(build->arena, n, sizeof *values);
    int32_t *codes = ftl_arena_array(build->arena, n, sizeof *codes);
    if (!values || !codes)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = i == 1 ? b->high : b->low;
        codes[i] = (int32_t)i;
    }
    out->unknown = FTL_CODE_NONE;
    out->unknown_value = b->low;
    if (n <= 2) {
        out->values = values;
        out->values_count = n;
    } else {
        out->codes = codes;
        out->codes_count = n;
        out->cardinality = n;
    }
    return FTL_OK;
}

/* Up to two classes: the values of one column. */
static ftl_status emit_one_column(ftl_build *build, const ftl_estimator *e,
                                  const ftl_frame *sources, const ftl_encode_column *encoded,
                                  uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, sources, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    return FTL_OK;
}

/* zeros and ones → low and high */
static ftl_status shift(ftl_build *build, const ftl_estimator *e, const binarizer *b, uint32_t *id,
                        ftl_error *error)
{
    uint32_t n = build->ops[*id].width;
    ftl_frame coded;
    ftl_op *op = NULL;
    double *factor = ftl_arena_array(build->arena, n, sizeof *factor);
    double *low = ftl_arena_array(build->arena, n, sizeof *low);
    ftl_affine_step *steps = ftl_arena_zero_array(build->arena, 2, sizeof *steps);
    if (!factor || !low || !steps)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        factor[i] = b->high - b->low;
        low[i] = b->low;
    }
    steps[0] = (ftl_affine_step){.kind = FTL_AFFINE_MUL, FTL_SIZED(vector, factor, n)};
    steps[1] = (ftl_affine_step){.kind = FTL_AFFINE_ADD, FTL_SIZED(vector, low, n)};
    FTL_TRY(ftl_frame_of_op(build, *id, NULL, &coded, error));
    FTL_TRY(ftl_build_matrix(build, e, &coded, id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, n, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 2, FTL_SIZED(steps, steps, 2)};
    return FTL_OK;
}

static ftl_status emit_columns(ftl_build *build, const ftl_estimator *e, const binarizer *b,
                               const ftl_frame *sources, const ftl_encode_column *encoded,
                               uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ONEHOT, sources, id, &op, error));
    op->edge = FTL_EDGE_CODED;
    op->dtype = FTL_DTYPE_F64;
    op->width = b->column.count;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    if (b->low == 0 && b->high == 1)
        return FTL_OK;
    return shift(build, e, b, id, error);
}

static ftl_status emit_binarizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    binarizer b = {0};
    ftl_frame sources;
    uint32_t id;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_binarizer(build, e, in, &b, error));
    ftl_encode_column *encoded = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    if (!encoded)
        return FTL_OOM(error);
    FTL_TRY(fill_codes(build, &b, encoded, error));
    FTL_TRY(ftl_category_sources(build, e, in, &b.column, FTL_CHECK_INF | FTL_CHECK_NAN, encoded,
                                 &sources, error));
    bool several = b.column.count > 2;
    if (several)
        FTL_TRY(emit_columns(build, e, &b, &sources, encoded, &id, error));
    else
        FTL_TRY(emit_one_column(build, e, &sources, encoded, &id, error));
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++) {
        uint32_t class = several ? i : b.column.count - 1;
        out->columns[i].as = FTL_AS_INT;
        out->columns[i].name = ftl_cell_text(build->arena, &b.column.cells[class]);
        if (!out->columns[i].name)
            return FTL_OOM(error);
    }
    return ftl_attr_bool(e, "sparse_output", false, &out->sparse, error);
}

const ftl_estimator_class ftl_label_binarizer_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "LabelBinarizer", emit_binarizer,
                          .inputs = ftl_inputs_one, .detail = ftl_classes_detail),
    {0},
};
