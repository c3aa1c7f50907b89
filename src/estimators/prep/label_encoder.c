/*
 * LabelEncoder of sklearn.preprocessing as a model by itself: one column of labels → their
 * positions in classes_.
 */
#include "build/transformer.h"
#include "estimators/prep/decode.h"
#include "estimators/prep/encoder_categories.h"

static ftl_status emit_label(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    ftl_category_column column;
    ftl_frame sources;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_load_category_column(build, classes, in->columns[0].name, &column, error));
    ftl_encode_column *encoded = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    double *values = ftl_arena_array(build->arena, column.count, sizeof *values);
    if (!encoded || !values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < column.count; i++)
        values[i] = i;
    encoded->values = values;
    encoded->values_count = column.count;
    encoded->unknown = FTL_CODE_REFUSED;
    FTL_TRY(
        ftl_category_sources(build, e, in, &column,
                             FTL_CHECK_INF | (e->version < FTL_SKLEARN(0, 24) ? FTL_CHECK_NAN : 0),
                             encoded, &sources, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &sources, &id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encoded, 1), .estimator = e->cls->name};
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    out->columns[0].as = FTL_AS_INT;
    return FTL_OK;
}

/* A number that is no class's is refused. */
static ftl_status invert_label(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               ftl_frame *out, ftl_error *error)
{
    const ftl_node *classes = NULL;
    ftl_category_column column;
    ftl_decoding decoding;
    ftl_frame sources;
    uint32_t id;
    FTL_TRY(ftl_frame_expect(e, in, 1, error));
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    FTL_TRY(ftl_load_category_column(build, classes, in->columns[0].name, &column, error));
    FTL_TRY(ftl_decoding_new(build, column.count, &decoding, error));
    for (uint32_t i = 0; i < column.count; i++)
        ftl_decoding_number(&decoding, i, ftl_decoding_cell(&decoding, column.cells[i]));
    const char **names = ftl_frame_names(build, in);
    if (!names)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_matrix(build, e, in, &id, error));
    FTL_TRY(ftl_frame_like(build, id, in, &sources, error));
    return ftl_emit_decoding(build, e, &sources, &decoding, names, false, out, error);
}

const ftl_estimator_class ftl_label_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "LabelEncoder", emit_label,
                          .inverse = invert_label, .inputs = ftl_inputs_one,
                          .detail = ftl_classes_detail),
    {0},
};
