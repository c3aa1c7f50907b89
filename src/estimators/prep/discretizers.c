/*
 * Binarizer and KBinsDiscretizer of sklearn.preprocessing.
 *
 * KBinsDiscretizer counts the inner edges at or below a value. Up to 1.0 the value is first raised
 * by 1e-8 + 1e-5 |x|, in the rows' own float type. One-hot encodings of the bins stay coded.
 */
#include "build/transformer.h"
#include "estimators/families.h"

#include <math.h>
#include <string.h>

enum { max_bins = 1 << 24 };

/* ---- Binarizer ------------------------------------------------------------------------------- */

static bool all_coded(const ftl_build *build, const ftl_frame *in)
{
    for (uint32_t i = 0; i < in->n_columns; i++) {
        if (build->ops[in->columns[i].op].edge != FTL_EDGE_CODED)
            return false;
    }
    return true;
}

static ftl_status emit_binarizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                 const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    double threshold;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_f64(e, "threshold", 0, &threshold, error));
    *out = *in;
    if (all_coded(build, in) && threshold >= 0 && threshold < 1)
        return FTL_OK; /* zeros and ones stay what they are */
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, id, in->n_columns, &id, &op, error));
    op->u.binarize.threshold = threshold;
    return ftl_frame_like(build, id, in, out, error);
}

/* ---- KBinsDiscretizer ------------------------------------------------------------------------ */

typedef struct bins {
    uint32_t *start; /* [columns + 1] of edges */
    double *edges;   /* inner ones */
} bins;

/* bin_edges_[j] has the outer edges too. */
static ftl_status read_bins(ftl_build *build, const ftl_estimator *e, uint32_t n, bins *out,
                            ftl_error *error)
{
    ftl_node **items = NULL;
    size_t count = 0, total = 0;
    FTL_TRY(ftl_attr_items(e, "bin_edges_", &items, &count, error));
    if (count != n)
        return FTL_ATTR_FAIL(error, e, "bin_edges_", FTL_CORRUPT,
                             "edges of %zu columns for %u features", count, n);
    ftl_array2 *arrays = ftl_arena_zero_array(build->scratch, n, sizeof *arrays);
    out->start = ftl_arena_array(build->arena, (size_t)n + 1, sizeof *out->start);
    if (!arrays || !out->start)
        return FTL_OOM(error);
    out->start[0] = 0;
    for (uint32_t j = 0; j < n; j++) {
        ftl_status status = ftl_node_matrix(build, items[j], &arrays[j], error);
        size_t edges = arrays[j].rows * arrays[j].columns;
        if (status == FTL_OK && (edges < 1 || edges > max_bins))
            status = FTL_FAIL(error, FTL_CORRUPT, "a column has %zu edges", edges);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "bin_edges_");
            return status;
        }
        total += edges > 2 ? edges - 2 : 0; /* one edge: all bins were too narrow to stay */
        if (total > max_bins)
            return FTL_ATTR_FAIL(error, e, "bin_edges_", FTL_LIMIT, "more than %d bins",
                                 (int)max_bins);
        out->start[j + 1] = (uint32_t)total;
    }
    out->edges = ftl_arena_array(build->arena, total, sizeof *out->edges);
    if (!out->edges)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n; j++)
        memcpy(out->edges + out->start[j], arrays[j].data + 1,
               (out->start[j + 1] - out->start[j]) * sizeof *out->edges);
    return FTL_OK;
}

/* "x0_0.0": the encoder was fitted on floats. */
static ftl_status bin_names(ftl_build *build, const ftl_frame *in, const bins *b, ftl_frame *out,
                            ftl_error *error)
{
    const char **names = ftl_frame_names(build, in);
    uint32_t at = 0;
    if (!names)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < in->n_columns; j++) {
        for (uint32_t i = 0; i <= b->start[j + 1] - b->start[j]; i++, at++) {
            out->columns[at].name = ftl_arena_printf(build->arena, "%s_%u.0", names[j], i);
            if (!out->columns[at].name)
                return FTL_OOM(error);
        }
    }
    return FTL_OK;
}

static ftl_status one_hot_bins(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                               const bins *b, uint32_t source, ftl_frame *out, ftl_error *error)
{
    ftl_frame codes;
    ftl_op *op = NULL;
    uint32_t id, width = b->start[in->n_columns] + in->n_columns, most = 0;
    ftl_encode_column *columns = ftl_arena_zero_array(build->arena, in->n_columns, sizeof *columns);
    for (uint32_t j = 0; j < in->n_columns; j++) {
        uint32_t n = b->start[j + 1] - b->start[j] + 1;
        most = n > most ? n : most;
    }
    double *numbers = ftl_arena_array(build->arena, most, sizeof *numbers);
    int32_t *indices = ftl_arena_array(build->arena, most, sizeof *indices);
    if (!columns || !numbers || !indices)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < most; i++) {
        numbers[i] = i;
        indices[i] = (int32_t)i;
    }
    for (uint32_t j = 0; j < in->n_columns; j++) {
        uint32_t n = b->start[j + 1] - b->start[j] + 1;
        columns[j] = (ftl_encode_column){
            .categories = {.count = n, .numeric = true, FTL_SIZED(numbers, numbers, n)},
            FTL_SIZED(codes, indices, n),
            .unknown = FTL_CODE_NONE,
            .cardinality = n,
            .name = in->columns[j].name};
    }
    FTL_TRY(ftl_frame_of_op(build, source, NULL, &codes, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ONEHOT, &codes, &id, &op, error));
    op->edge = FTL_EDGE_CODED;
    op->dtype = FTL_DTYPE_F64;
    op->width = width;
    op->u.encode = (ftl_encode_op){.n_columns = in->n_columns,
                                   FTL_SIZED(columns, columns, in->n_columns),
                                   .estimator = e->cls->name};
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    out->sparse = ftl_attr_is(e, "encode", "onehot");
    return bin_names(build, in, b, out, error);
}

static ftl_status emit_bins(ftl_build *build, const ftl_estimator *e, ftl_method method,
                            const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    bins b = {0};
    ftl_number_type type;
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_bins(build, e, in->n_columns, &b, error));
    FTL_TRY(ftl_attr_number_type(e, "dtype", &type, error));
    FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    if (!ftl_node_is_none(ftl_attr(e, "dtype"))) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_CAST, id, in->n_columns, &id, &op, error));
        op->dtype = type.dtype;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_BINS, id, in->n_columns, &id, &op, error));
    op->u.bins = (ftl_bins_op){FTL_SIZED(start, b.start, (size_t)in->n_columns + 1),
                               FTL_SIZED(edges, b.edges, b.start[in->n_columns]),
                               .raised = e->version < FTL_SKLEARN(1, 1)};
    if (ftl_attr_is(e, "encode", "ordinal"))
        return ftl_frame_like(build, id, in, out, error);
    if (!ftl_attr_is(e, "encode", "onehot") && !ftl_attr_is(e, "encode", "onehot-dense"))
        return FTL_ATTR_FAIL(error, e, "encode", FTL_CORRUPT,
                             "encode is none of onehot, onehot-dense and ordinal");
    return one_hot_bins(build, e, in, &b, id, out, error);
}

static ftl_status bin_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("n_bins_"), out, error);
}

const ftl_estimator_class ftl_discretize_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "Binarizer", emit_binarizer),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "KBinsDiscretizer", emit_bins,
                          .inputs = bin_inputs),
    {0},
};
