/*
 * FeatureUnion of sklearn.pipeline: every transformer gets all columns; the results stand side by
 * side.
 */
#include "build/transformer.h"

static ftl_status member(ftl_build *build, const ftl_estimator *e, const ftl_node *pair, size_t i,
                         const char **name, const ftl_node **node, ftl_error *error)
{
    if ((pair->kind != FTL_NODE_TUPLE && pair->kind != FTL_NODE_LIST) || pair->u.seq.size != 2)
        return FTL_ATTR_FAIL(error, e, "transformer_list", FTL_CORRUPT,
                             "element %zu is no pair of a name and a transformer", i);
    *name = ftl_name_text(build, pair->u.seq.items[0]);
    *node = pair->u.seq.items[1];
    return *name ? FTL_OK : FTL_OOM(error);
}

static bool is_dropped(const ftl_node *node)
{
    return ftl_node_is_none(node) || ftl_node_str_equal(node, "drop");
}

static ftl_status emit_member(ftl_build *build, const ftl_estimator *e, const ftl_node *pair,
                              size_t i, const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const char *name;
    const ftl_node *node;
    ftl_frame frame = *in;
    double weight;
    bool weighted;
    *out = (ftl_frame){0};
    FTL_TRY(member(build, e, pair, i, &name, &node, error));
    if (is_dropped(node))
        return FTL_OK;
    if (!ftl_node_str_equal(node, "passthrough")) {
        ftl_estimator child;
        ftl_frame made = {0};
        FTL_TRY(ftl_estimator_of(
            build, node, e, ftl_child_path(build, e, "transformer_list[%zu]", i), &child, error));
        FTL_TRY(ftl_emit(build, &child, FTL_TRANSFORM, in, &made, error));
        frame = made;
    }
    FTL_TRY(ftl_transformer_weight(e, name, &weighted, &weight, error));
    if (weighted)
        FTL_TRY(ftl_frame_scale(build, e, weight, &frame, error));
    return ftl_frame_prefix(build, e, name, &frame, out, error);
}

static ftl_status emit_union(ftl_build *build, const ftl_estimator *e, ftl_method method,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(ftl_attr_items(e, "transformer_list", &items, &n, error));
    ftl_frame *frames = ftl_arena_zero_array(build->scratch, n, sizeof *frames);
    if (!frames)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        FTL_TRY(emit_member(build, e, items[i], i, in, &frames[i], error));
    FTL_TRY(ftl_frame_concat(build, frames, n, out, error));
    out->csc = false;
    return ftl_gives_tables(e) ? FTL_OK : ftl_frame_promote(build, e, out, error);
}

/* Any member that can tell: all of them get the same columns. */
static ftl_status union_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_node **items = NULL;
    size_t n = 0;
    FTL_TRY(ftl_inputs_by_length(build, e, FTL_NAMES(NULL), out, error));
    FTL_TRY(ftl_attr_items(e, "transformer_list", &items, &n, error));
    for (size_t i = 0; i < n && !out->names; i++) {
        const char *name;
        const ftl_node *node;
        ftl_estimator child;
        ftl_inputs inputs = {.count = -1};
        FTL_TRY(member(build, e, items[i], i, &name, &node, error));
        if (is_dropped(node) || ftl_node_str_equal(node, "passthrough"))
            continue;
        FTL_TRY(ftl_estimator_of(
            build, node, e, ftl_child_path(build, e, "transformer_list[%zu]", i), &child, error));
        FTL_TRY(ftl_estimator_inputs(build, &child, &inputs, error));
        if (inputs.names || out->count < 0)
            *out = inputs;
    }
    return FTL_OK;
}

const ftl_estimator_class ftl_union_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.pipeline", "FeatureUnion", emit_union, .inputs = union_inputs),
    {0},
};
