/*
 * SplineTransformer of sklearn.preprocessing (1.0): the columns' B-splines, which scipy's BSpline
 * objects keep as knots.
 */
#include "build/transformer.h"
#include "estimators/families.h"

#include <string.h>

enum { most_columns = 1 << 20 };

static ftl_status read_ends(const ftl_estimator *e, ftl_spline_ends *out, ftl_error *error)
{
    static const char *const names[] = {[FTL_SPLINE_REFUSED] = "error",
                                        [FTL_SPLINE_CONSTANT] = "constant",
                                        [FTL_SPLINE_LINEAR] = "linear",
                                        [FTL_SPLINE_CONTINUED] = "continue",
                                        [FTL_SPLINE_PERIODIC] = "periodic"};
    for (unsigned i = 0; i < FTL_SPLINE_ENDS_COUNT; i++) {
        if (ftl_attr_is(e, "extrapolation", names[i])) {
            *out = (ftl_spline_ends)i;
            return FTL_OK;
        }
    }
    return FTL_ATTR_FAIL(error, e, "extrapolation", FTL_CORRUPT, "it is of unknown kind");
}

/* t; _t in scipy 1.17; and from 1.18 on t of an object in the state, which is a pair. */
static const ftl_node *knots_of(const ftl_node *spline)
{
    const ftl_node *t = ftl_node_attr(spline, "t");
    if (!t)
        t = ftl_node_attr(spline, "_t");
    const ftl_node *state = spline->kind == FTL_NODE_OBJECT ? spline->u.object->state : NULL;
    if (!t && state && state->kind == FTL_NODE_TUPLE && state->u.seq.size > 0)
        t = ftl_node_attr(state->u.seq.items[0], "t");
    return t;
}

/* The knots of all columns, which are as many for each. */
static ftl_status read_knots(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                             ftl_splines_op *out, ftl_error *error)
{
    ftl_node **splines = NULL;
    size_t n = 0;
    double *knots = NULL;
    FTL_TRY(ftl_attr_items(e, "bsplines_", &splines, &n, error));
    FTL_TRY(ftl_frame_expect(e, &(ftl_frame){.n_columns = n_columns}, n, error));
    for (size_t j = 0; j < n; j++) {
        ftl_array2 t = {0};
        ftl_status status = ftl_node_matrix(build, knots_of(splines[j]), &t, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "bsplines_");
            return status;
        }
        if (j == 0) {
            if (t.columns < 2 || t.columns > most_columns)
                return FTL_ATTR_FAIL(error, e, "bsplines_", FTL_CORRUPT, "%zu knots", t.columns);
            out->n_knots = (uint32_t)t.columns;
            knots = ftl_arena_array(build->arena, n * t.columns, sizeof *knots);
            if (!knots)
                return FTL_OOM(error);
        }
        if (t.rows != 1 || t.columns != out->n_knots)
            return FTL_ATTR_FAIL(error, e, "bsplines_", FTL_CORRUPT,
                                 "column %zu has %zu knots, another %u", j, t.columns,
                                 out->n_knots);
        memcpy(knots + j * t.columns, t.data, t.columns * sizeof *knots);
    }
    out->knots = knots;
    out->knots_count = n * out->n_knots;
    return FTL_OK;
}

/*
 * Where a column's ends are, and how many splines go on there. With linear ends and a degree below
 * 2 the library counts its degree up from column to column, until it is 2.
 */
static ftl_status find_ends(ftl_build *build, uint32_t n_columns, ftl_splines_op *out,
                            ftl_error *error)
{
    uint32_t *edge = ftl_arena_array(build->arena, n_columns, sizeof *edge);
    uint32_t *reach = ftl_arena_array(build->arena, n_columns, sizeof *reach);
    uint32_t degree = out->degree;
    if (!edge || !reach)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < n_columns; j++) {
        edge[j] = degree;
        if (out->ends == FTL_SPLINE_LINEAR && degree <= 1)
            degree++;
        reach[j] = degree < out->n_splines ? degree : out->n_splines;
    }
    out->edge = edge;
    out->edge_count = n_columns;
    out->reach = reach;
    out->reach_count = n_columns;
    return FTL_OK;
}

static ftl_status read_splines(ftl_build *build, const ftl_estimator *e, uint32_t n_columns,
                               ftl_splines_op *out, ftl_error *error)
{
    int64_t degree;
    bool bias;
    FTL_TRY(read_ends(e, &out->ends, error));
    FTL_TRY(ftl_attr_int(e, "degree", 3, &degree, error));
    FTL_TRY(ftl_attr_bool(e, "include_bias", true, &bias, error));
    FTL_TRY(read_knots(build, e, n_columns, out, error));
    int64_t bases = (int64_t)out->n_knots - degree - 1;
    int64_t splines = out->ends == FTL_SPLINE_PERIODIC ? bases - degree : bases;
    if (degree < 0 || degree > FTL_SPLINE_MAX_DEGREE || splines < 1)
        return FTL_ATTR_FAIL(error, e, "degree", FTL_CORRUPT, "%u knots for degree %lld",
                             out->n_knots, (long long)degree);
    out->degree = (uint32_t)degree;
    out->n_splines = (uint32_t)splines;
    out->kept = out->n_splines - (bias ? 0 : 1);
    out->missing_is_zero = ftl_attr_is(e, "handle_missing", "zeros");
    if ((uint64_t)out->kept * n_columns > most_columns || out->kept == 0)
        return FTL_ATTR_FAIL(error, e, "bsplines_", FTL_LIMIT, "%u splines of %u columns",
                             out->kept, n_columns);
    return find_ends(build, n_columns, out, error);
}

static ftl_status emit_splines(ftl_build *build, const ftl_estimator *e, ftl_method method,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_splines_op splines = {0};
    uint32_t id;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_splines(build, e, in->n_columns, &splines, error));
    uint32_t refuse = splines.missing_is_zero ? 0u : FTL_CHECK_NAN | FTL_CHECK_INF;
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &id, error));
    FTL_TRY(
        ftl_build_on(build, e, FTL_OP_SPLINES, id, in->n_columns * splines.kept, &id, &op, error));
    op->u.splines = splines;
    FTL_TRY(ftl_frame_of_op(build, id, NULL, out, error));
    for (uint32_t i = 0; i < out->n_columns; i++) {
        out->columns[i].name = ftl_arena_printf(
            build->arena, "%s_sp_%u", in->columns[i / splines.kept].name, i % splines.kept);
        if (!out->columns[i].name)
            return FTL_OOM(error);
    }
    FTL_TRY(ftl_attr_bool(e, "sparse_output", false, &out->sparse, error));
    out->zeros_unknown = out->sparse; /* a basis that is zero at a knot may be stored */
    return FTL_OK;
}

static ftl_status spline_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    return ftl_inputs_by_length(build, e, FTL_NAMES("bsplines_"), out, error);
}

const ftl_estimator_class ftl_spline_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.preprocessing", "SplineTransformer", emit_splines,
                          .inputs = spline_inputs),
    {0},
};
