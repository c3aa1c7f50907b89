/* The columns that an estimator was fitted on. */
#include "build/build.h"

enum { max_inputs = 1 << 20 };

ftl_status ftl_names_of(ftl_build *build, const ftl_node *node, ftl_inputs *out, ftl_error *error)
{
    size_t n = ftl_node_length(node);
    if (n == 0 || (out->count >= 0 && (int64_t)n != out->count))
        return FTL_OK;
    const char *const *known = ftl_made_of(build, node, FTL_MADE_NAMES);
    if (known) {
        *out = (ftl_inputs){.count = (int64_t)n, .names = known};
        return FTL_OK;
    }
    const char **names = ftl_arena_zero_array(build->arena, n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++) {
        ftl_cell cell;
        FTL_TRY(ftl_node_cell(build, node, i, &cell, error));
        names[i] = ftl_cell_text(build->arena, &cell);
        if (!names[i])
            return FTL_OOM(error);
    }
    FTL_TRY(ftl_made_keep(build, node, FTL_MADE_NAMES, names, error));
    *out = (ftl_inputs){.count = (int64_t)n, .names = names};
    return FTL_OK;
}

static ftl_status names_of(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                           ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "feature_names_in_");
    size_t n = ftl_node_length(node);
    if (n == 0)
        return FTL_OK;
    if (n > max_inputs)
        return FTL_ATTR_FAIL(error, e, "feature_names_in_", FTL_LIMIT, "more than %d columns",
                             (int)max_inputs);
    return ftl_names_of(build, node, out, error);
}

/* The last dimension of a weight array tells the number of features of most old estimators. */
static int64_t columns_of(const ftl_node *node)
{
    size_t n;
    if (node && node->kind == FTL_NODE_SPARSE)
        n = node->u.sparse->columns;
    else if (node && node->kind == FTL_NODE_ARRAY && node->u.array->ndim > 0)
        n = node->u.array->shape[node->u.array->ndim - 1];
    else
        return -1;
    return n <= max_inputs ? (int64_t)n : -1;
}

ftl_status ftl_estimator_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                ftl_error *error)
{
    static const char *const counts[] = {"n_features_in_", "n_features_", "n_features",
                                         "_n_features", "n_input_features_"};
    static const char *const arrays[] = {"coef_",       "scale_",           "mean_", "center_",
                                         "statistics_", "support_vectors_", "_fit_X"};
    ftl_inputs found = {.count = -1};
    if (e->cls->inputs) {
        if (build->depth >= FTL_MAX_NESTING) {
            ftl_error_set(error, FTL_LIMIT, "estimators are nested more than %d deep",
                          (int)FTL_MAX_NESTING);
            ftl_error_in(error, e->path);
            return FTL_LIMIT;
        }
        build->depth++;
        ftl_status status = e->cls->inputs(build, e, &found, error);
        build->depth--;
        FTL_TRY(status);
    } else {
        FTL_TRY(names_of(build, e, &found, error));
        for (size_t i = 0; found.count < 0 && i < FTL_ARRAY_LEN(counts); i++) {
            int64_t n;
            const ftl_node *node = ftl_attr(e, counts[i]);
            if (node && ftl_node_as_int(node, &n) && n >= 0)
                found.count = n;
        }
        for (size_t i = 0; found.count < 0 && i < FTL_ARRAY_LEN(arrays); i++)
            found.count = columns_of(ftl_attr(e, arrays[i]));
    }
    if (found.count > max_inputs)
        return FTL_FAIL(error, FTL_LIMIT, "the model expects %lld columns; the limit is %d",
                        (long long)found.count, (int)max_inputs);
    *out = found;
    return FTL_OK;
}
