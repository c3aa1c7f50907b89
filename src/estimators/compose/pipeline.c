/*
 * Pipeline of sklearn.pipeline: each step transforms what the one before made; the last one
 * answers. imbalanced-learn's is the same, with samplers that only matter while fitting. So are
 * sklearn2pmml's, which keeps the names of its table, and sklearn-pandas's, of transformers alone;
 * and a chain of foretell's own (ftl_chain_node), whose steps are called by their names.
 */
#include "build/pandas_table.h"
#include "build/transformer.h"

#include <string.h>

typedef struct pipeline {
    ftl_node **steps; /* (name, estimator) tuples */
    size_t n;
} pipeline;

static ftl_status load(const ftl_estimator *e, pipeline *p, ftl_error *error)
{
    FTL_TRY(ftl_attr_items(e, "steps", &p->steps, &p->n, error));
    if (p->n == 0)
        return FTL_ATTR_FAIL(error, e, "steps", FTL_CORRUPT, "a pipeline has no steps");
    for (size_t i = 0; i < p->n; i++) {
        const ftl_node *step = p->steps[i];
        if ((step->kind != FTL_NODE_TUPLE && step->kind != FTL_NODE_LIST) || step->u.seq.size != 2)
            return FTL_ATTR_FAIL(error, e, "steps", FTL_CORRUPT,
                                 "step %zu is no pair of a name and an estimator", i);
    }
    return FTL_OK;
}

/* imblearn.over_sampling, imblearn.under_sampling and so on. */
static bool is_sampler(const ftl_node *node)
{
    return node && node->kind == FTL_NODE_OBJECT &&
           strncmp(node->u.object->module, "imblearn.", 9) == 0 &&
           strncmp(node->u.object->module, "imblearn.pipeline", 17) != 0 &&
           strncmp(node->u.object->module, "imblearn.ensemble", 17) != 0;
}

static bool is_chain(const ftl_estimator *e) { return strcmp(e->cls->package, "foretell") == 0; }

/* Whether it hands apply on to its last step. */
static bool has_apply(const ftl_estimator *e)
{
    return is_chain(e) || strcmp(e->cls->name, "PMMLPipeline") == 0;
}

/* The estimator of step i; *skip for 'passthrough' and None. */
static ftl_status step_at(ftl_build *build, const ftl_estimator *e, const pipeline *p, size_t i,
                          bool *skip, ftl_estimator *out, ftl_error *error)
{
    const ftl_node *node = p->steps[i]->u.seq.items[1];
    *skip = ftl_node_is_none(node) || ftl_node_str_equal(node, "passthrough") || is_sampler(node);
    if (*skip)
        return FTL_OK;
    if (!is_chain(e))
        return ftl_estimator_of(build, node, e, ftl_child_path(build, e, "steps[%zu]", i), out,
                                error);
    const char *name = ftl_name_text(build, p->steps[i]->u.seq.items[0]);
    return ftl_estimator_of(build, node, e, name ? ftl_child_path(build, e, "%s", name) : NULL, out,
                            error);
}

static uint32_t pipeline_methods(ftl_build *build, const ftl_estimator *e)
{
    pipeline p;
    bool skip;
    ftl_estimator last;
    if (load(e, &p, NULL) != FTL_OK)
        return 1u << FTL_PREDICT; /* asking for it tells why not */
    if (step_at(build, e, &p, p.n - 1, &skip, &last, NULL) != FTL_OK)
        return 1u << FTL_PREDICT;
    uint32_t methods = skip ? 1u << FTL_TRANSFORM : ftl_estimator_methods(build, &last);
    return has_apply(e) ? methods : methods & ~(1u << FTL_APPLY);
}

/*
 * Whether the columns that reach a step of a chain are those that it was fitted on: as many and,
 * where both know names, of the same names.
 */
static ftl_status check_link(ftl_build *build, const ftl_estimator *chain,
                             const ftl_estimator *step, const ftl_frame *in, ftl_error *error)
{
    ftl_inputs wanted = {.count = -1};
    bool guessed = false;
    (void)!ftl_attr_bool(chain, "guessed", false, &guessed, NULL);
    FTL_TRY(ftl_estimator_inputs(build, step, &wanted, error));
    if (wanted.count >= 0 && wanted.count != in->n_columns)
        return FTL_FAIL(error, FTL_SHAPE, "%s takes %lld columns, but the part before it makes %u",
                        step->path, (long long)wanted.count, in->n_columns);
    for (uint32_t i = 0; guessed && wanted.names && i < in->n_columns; i++) {
        const char *name = in->columns[i].name;
        if (name && strcmp(name, wanted.names[i]) != 0)
            return FTL_FAIL(error, FTL_SHAPE,
                            "%s was fitted on a column '%.60s' where the part before it makes "
                            "'%.60s'",
                            step->path, wanted.names[i], name);
    }
    return FTL_OK;
}

static ftl_status check_part(ftl_build *build, const ftl_estimator *step, bool last,
                             ftl_error *error)
{
    if (last || ftl_estimator_methods(build, step) & 1u << FTL_TRANSFORM)
        return FTL_OK;
    return FTL_FAIL(error, FTL_ARG, "%s, a %s, has no transform: nothing can come after it",
                    step->path, step->cls->name);
}

static ftl_status emit_pipeline(ftl_build *build, const ftl_estimator *e, ftl_method method,
                                const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    pipeline p;
    ftl_frame frame = *in;
    FTL_TRY(load(e, &p, error));
    for (size_t i = 0; i < p.n; i++) {
        bool skip;
        ftl_estimator step;
        ftl_frame made = {0};
        FTL_TRY(step_at(build, e, &p, i, &skip, &step, error));
        if (skip)
            continue;
        if (is_chain(e)) {
            FTL_TRY(check_part(build, &step, i + 1 == p.n, error));
            if (i > 0)
                FTL_TRY(check_link(build, e, &step, &frame, error));
        }
        FTL_TRY(ftl_emit(build, &step, i + 1 < p.n ? FTL_TRANSFORM : method, &frame, &made, error));
        frame = made;
    }
    *out = frame;
    return FTL_OK;
}

/* inverse_transform: the steps' own, from the last to the first. */
static ftl_status invert_pipeline(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                                  ftl_frame *out, ftl_error *error)
{
    pipeline p;
    ftl_frame frame = *in;
    FTL_TRY(load(e, &p, error));
    for (size_t i = p.n; i-- > 0;) {
        bool skip;
        ftl_estimator step;
        ftl_frame made = {0};
        FTL_TRY(step_at(build, e, &p, i, &skip, &step, error));
        if (skip)
            continue;
        FTL_TRY(ftl_emit_inverse(build, &step, &frame, &made, error));
        frame = made;
    }
    *out = frame;
    return FTL_OK;
}

/*
 * The first step that says what it was fitted on; steps before it must hand columns on as they are.
 */
static ftl_status pipeline_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                                  ftl_error *error)
{
    pipeline p;
    FTL_TRY(load(e, &p, error));
    *out = (ftl_inputs){.count = -1};
    for (size_t i = 0; i < p.n && out->count < 0; i++) {
        bool skip;
        ftl_estimator step;
        FTL_TRY(step_at(build, e, &p, i, &skip, &step, error));
        if (skip)
            continue;
        FTL_TRY(ftl_estimator_inputs(build, &step, out, error));
        if (!ftl_keeps_columns(&step))
            break;
    }
    return FTL_OK;
}

/* active_fields: the names of the table that fit() saw, or the name of the series. */
static ftl_status pmml_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                              ftl_error *error)
{
    const ftl_node *fields = ftl_attr(e, "active_fields");
    ftl_inputs found = {.count = -1};
    ftl_node_string text;
    if (fields && ftl_node_as_str(fields, &text)) {
        const char **one = ftl_arena_zero_array(build->arena, 1, sizeof *one);
        if (!one || !(one[0] = ftl_arena_string(build->arena, text.data, text.size)))
            return FTL_OOM(error);
        found = (ftl_inputs){.count = 1, .names = one};
    } else if (!ftl_node_is_none(fields))
        FTL_TRY(ftl_names_of(build, ftl_inner_list(fields), &found, error));
    if (!found.names)
        return pipeline_inputs(build, e, out, error);
    *out = found;
    return FTL_OK;
}

static ftl_status last_step(ftl_build *build, const ftl_estimator *e, ftl_estimator *out,
                            ftl_error *error)
{
    pipeline p;
    bool skip;
    FTL_TRY(load(e, &p, error));
    FTL_TRY(step_at(build, e, &p, p.n - 1, &skip, out, error));
    return skip ? FTL_FAIL(error, FTL_UNSUPPORTED, "the last step is no estimator") : FTL_OK;
}

static const char *pipeline_detail(ftl_build *build, const ftl_estimator *e)
{
    pipeline p;
    return load(e, &p, NULL) == FTL_OK ? ftl_arena_printf(build->arena, "%zu steps", p.n) : NULL;
}

#define PIPELINE(package_, name_, library_, inputs_) \
    {.package = (package_),                          \
     .name = (name_),                                \
     .kind = FTL_OTHER_MODEL,                        \
     .methods = pipeline_methods,                    \
     .emit = emit_pipeline,                          \
     .inputs = (inputs_),                            \
     .answers = last_step,                           \
     .inverse = invert_pipeline,                     \
     .detail = pipeline_detail,                      \
     .library = (library_)}

const ftl_estimator_class ftl_pipeline_classes[] = {
    PIPELINE("sklearn.pipeline", "Pipeline", NULL, pipeline_inputs),
    PIPELINE("imblearn.pipeline", "Pipeline", "imbalanced-learn", pipeline_inputs),
    PIPELINE("sklearn2pmml", "PMMLPipeline", "sklearn2pmml", pmml_inputs),
    PIPELINE("sklearn_pandas.pipeline", "TransformerPipeline", "sklearn-pandas", pipeline_inputs),
    PIPELINE("foretell", "Chain", "foretell", pipeline_inputs),
    {0},
};
