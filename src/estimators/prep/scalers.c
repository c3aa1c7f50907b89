/*
 * Scalers and Normalizer of sklearn.preprocessing.
 *
 * All of them work in place on a float matrix: float32 input stays float32. numpy's `X -= v` with a
 * float64 vector computes in float64 and rounds to X's dtype ("wide"); StandardScaler casts its
 * vectors to X's dtype first from 1.8 on. Sparse matrices are not centred, and are multiplied by 1
 * / v where dense ones are divided by v.
 */
#include "build/transformer.h"

#include <math.h>
#include <string.h>

enum { max_steps = 4 };

typedef struct steps {
    ftl_affine_step list[max_steps];
    uint32_t n;
    size_t width;
    bool sparse;
} steps;

/* Adds kind with the vector attribute `name`, which must have one number a column. */
static ftl_status add_vector(ftl_build *build, const ftl_estimator *e, steps *s,
                             ftl_affine_step_kind kind, bool wide, const char *name,
                             ftl_error *error)
{
    const double *vector = NULL;
    FTL_TRY(ftl_attr_vector(build, e, FTL_NAMES(name), s->width, &vector, error));
    if (s->sparse && kind == FTL_AFFINE_SUB)
        return FTL_OK;
    if (s->sparse && kind == FTL_AFFINE_DIV) {
        double *inverse = ftl_arena_array(build->arena, s->width, sizeof *inverse);
        if (!inverse)
            return FTL_OOM(error);
        for (size_t i = 0; i < s->width; i++)
            inverse[i] = 1.0 / vector[i];
        vector = inverse;
        kind = FTL_AFFINE_MUL;
        wide = true;
    }
    s->list[s->n++] = (ftl_affine_step){
        .kind = kind, .wide = wide, FTL_SIZED(vector, vector, s->width)};
    return FTL_OK;
}

static ftl_status add_clip(ftl_build *build, steps *s, double low, double high, ftl_error *error)
{
    double *lows = ftl_arena_array(build->arena, s->width, sizeof *lows);
    double *highs = ftl_arena_array(build->arena, s->width, sizeof *highs);
    if (!lows || !highs)
        return FTL_OOM(error);
    for (size_t i = 0; i < s->width; i++) {
        lows[i] = low;
        highs[i] = high;
    }
    s->list[s->n++] = (ftl_affine_step){.kind = FTL_AFFINE_CLIP_LOW,
                                        FTL_SIZED(vector, lows, s->width)};
    s->list[s->n++] = (ftl_affine_step){.kind = FTL_AFFINE_CLIP_HIGH,
                                        FTL_SIZED(vector, highs, s->width)};
    return FTL_OK;
}

/* NaN passes, infinity is refused (force_all_finite='allow-nan'), then the steps. */
static ftl_status emit_steps(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             const steps *s, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    bool sparse = in->sparse && ftl_frame_has_sparse(build, in);
    if (sparse)
        FTL_TRY(ftl_build_sparse(build, e, in, FTL_CHECK_INF, &id, error));
    else
        FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_INF, &id, error));
    if (s->n > 0) {
        ftl_op *op = NULL;
        FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, id, in->n_columns, &id, &op, error));
        op->edge = sparse ? FTL_EDGE_SPARSE : FTL_EDGE_NUM;
        op->u.affine.n_steps = s->n;
        op->u.affine.steps_count = s->n;
        op->u.affine.steps = ftl_arena_copy(build->arena, s->list, s->n * sizeof s->list[0]);
        if (!op->u.affine.steps)
            return FTL_OOM(error);
    }
    return ftl_frame_like(build, id, in, out, error);
}

static ftl_status emit_standard(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    steps s = {.width = in->n_columns, .sparse = in->sparse};
    bool with_mean, with_std, wide = e->version < FTL_SKLEARN(1, 8);
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_bool(e, "with_mean", true, &with_mean, error));
    FTL_TRY(ftl_attr_bool(e, "with_std", true, &with_std, error));
    if (with_mean)
        FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_SUB, wide, "mean_", error));
    if (with_std)
        FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_DIV, wide, "scale_", error));
    FTL_TRY(emit_steps(build, e, in, &s, out, error));
    out->csc = false;
    return FTL_OK;
}

static ftl_status feature_range(const ftl_estimator *e, double *low, double *high, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, "feature_range", &items, &n, error));
    if (n != 2 || !ftl_node_as_f64(items[0], low) || !ftl_node_as_f64(items[1], high))
        return FTL_ATTR_FAIL(error, e, "feature_range", FTL_CORRUPT,
                             "feature_range is not a pair of numbers");
    return FTL_OK;
}

static ftl_status emit_minmax(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    steps s = {.width = in->n_columns, .sparse = in->sparse};
    bool clip;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_MUL, true, "scale_", error));
    FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_ADD, true, "min_", error));
    FTL_TRY(ftl_attr_bool(e, "clip", false, &clip, error));
    if (clip) {
        double low, high;
        FTL_TRY(feature_range(e, &low, &high, error));
        FTL_TRY(add_clip(build, &s, low, high, error));
    }
    return emit_steps(build, e, in, &s, out, error);
}

static ftl_status emit_maxabs(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    steps s = {.width = in->n_columns, .sparse = in->sparse};
    bool clip;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_DIV, true, "scale_", error));
    FTL_TRY(ftl_attr_bool(e, "clip", false, &clip, error));
    if (clip)
        FTL_TRY(add_clip(build, &s, -1.0, 1.0, error));
    return emit_steps(build, e, in, &s, out, error);
}

static ftl_status emit_robust(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    steps s = {.width = in->n_columns, .sparse = in->sparse};
    bool centre, scale;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_bool(e, "with_centering", true, &centre, error));
    FTL_TRY(ftl_attr_bool(e, "with_scaling", true, &scale, error));
    if (centre)
        FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_SUB, true, "center_", error));
    if (scale)
        FTL_TRY(add_vector(build, e, &s, FTL_AFFINE_DIV, true, "scale_", error));
    return emit_steps(build, e, in, &s, out, error);
}

static ftl_status emit_normalizer(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                  const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    ftl_op *op = NULL;
    /* Rows of sparse matrices are divided by every norm but 0. */
    ftl_normalize_op normalize = {.norm = FTL_NORM_L2,
                                  .tiny_is_zero = e->version >= FTL_SKLEARN(1, 0) && !in->sparse};
    FTL_TRY(ftl_expect_transform(e, method, error));
    if (ftl_attr_is(e, "norm", "l1"))
        normalize.norm = FTL_NORM_L1;
    else if (ftl_attr_is(e, "norm", "max"))
        normalize.norm = e->version < FTL_SKLEARN(0, 23) ? FTL_NORM_MAX_SIGNED : FTL_NORM_MAX;
    else if (!ftl_attr_is(e, "norm", "l2"))
        return FTL_ATTR_FAIL(error, e, "norm", FTL_CORRUPT, "norm is none of l1, l2 and max");
    bool sparse = in->sparse && ftl_frame_has_sparse(build, in);
    if (sparse)
        FTL_TRY(ftl_build_sparse(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    else
        FTL_TRY(ftl_build_checked_matrix(build, e, in, FTL_CHECK_NAN | FTL_CHECK_INF, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_NORMALIZE, id, in->n_columns, &id, &op, error));
    op->edge = sparse ? FTL_EDGE_SPARSE : FTL_EDGE_NUM;
    op->u.normalize = normalize;
    FTL_TRY(ftl_frame_like(build, id, in, out, error));
    out->csc = false;
    return FTL_OK;
}

/* ---- inverse_transform ----------------------------------------------------------------------- */

/* Vectors in the order of the way back, each when its parameter says so (NULL: always). */
typedef struct way_back {
    ftl_affine_step_kind kind;
    const char *vector, *parameter;
} way_back;

static ftl_status invert(ftl_build *build, const ftl_estimator *e, const way_back *way, size_t n,
                         bool wide, const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    steps s = {.width = in->n_columns};
    for (size_t i = 0; i < n; i++) {
        bool on = true;
        if (way[i].parameter)
            FTL_TRY(ftl_attr_bool(e, way[i].parameter, true, &on, error));
        if (on)
            FTL_TRY(add_vector(build, e, &s, way[i].kind, wide, way[i].vector, error));
    }
    return emit_steps(build, e, in, &s, out, error);
}

static ftl_status invert_standard(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    static const way_back way[] = {{FTL_AFFINE_MUL, "scale_", "with_std"},
                                   {FTL_AFFINE_ADD, "mean_", "with_mean"}};
    return invert(build, e, way, FTL_ARRAY_LEN(way), e->version < FTL_SKLEARN(1, 8), in, out,
                  error);
}

static ftl_status invert_minmax(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    static const way_back way[] = {{FTL_AFFINE_SUB, "min_", NULL},
                                   {FTL_AFFINE_DIV, "scale_", NULL}};
    return invert(build, e, way, FTL_ARRAY_LEN(way), true, in, out, error);
}

static ftl_status invert_maxabs(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    static const way_back way[] = {{FTL_AFFINE_MUL, "scale_", NULL}};
    return invert(build, e, way, FTL_ARRAY_LEN(way), true, in, out, error);
}

static ftl_status invert_robust(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                ftl_frame *out, ftl_error *error)
{
    static const way_back way[] = {{FTL_AFFINE_MUL, "scale_", "with_scaling"},
                                   {FTL_AFFINE_ADD, "center_", "with_centering"}};
    return invert(build, e, way, FTL_ARRAY_LEN(way), true, in, out, error);
}

const ftl_estimator_class ftl_scaler_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "StandardScaler", emit_standard,
                          .inverse = invert_standard),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "MinMaxScaler", emit_minmax,
                          .inverse = invert_minmax),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "MaxAbsScaler", emit_maxabs,
                          .inverse = invert_maxabs),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "RobustScaler", emit_robust,
                          .inverse = invert_robust),
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "Normalizer", emit_normalizer),
    {0},
};
