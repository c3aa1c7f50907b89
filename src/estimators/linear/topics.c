/*
 * LatentDirichletAllocation of sklearn.decomposition: how much of each topic is in a row of counts.
 * Fitting starts at random, transform always from ones. A model that was fitted on float32 (1.2)
 * computes in float32, whatever it is given.
 */
#include "build/transformer.h"
#include "estimators/families.h"

#include <string.h>

/* exp_dirichlet_component_ turned: a row a word. */
static ftl_status read_words(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                             double **words, uint32_t *n_topics, bool *single, ftl_error *error)
{
    ftl_array2 topics = {0};
    FTL_TRY(ftl_attr_matrix(build, e, FTL_NAMES("exp_dirichlet_component_"), &topics, error));
    FTL_TRY(ftl_frame_expect(e, in, topics.columns, error));
    if (topics.rows == 0 || topics.rows > UINT32_MAX)
        return FTL_ATTR_FAIL(error, e, "exp_dirichlet_component_", FTL_CORRUPT,
                             "there are no topics");
    double *turned = ftl_arena_array(build->arena, topics.rows * topics.columns, sizeof *turned);
    if (!turned)
        return FTL_OOM(error);
    for (size_t k = 0; k < topics.rows; k++) {
        for (size_t j = 0; j < topics.columns; j++)
            turned[j * topics.rows + k] = topics.data[k * topics.columns + j];
    }
    *words = turned;
    *n_topics = (uint32_t)topics.rows;
    *single = topics.was_f32;
    return FTL_OK;
}

static ftl_status read_options(const ftl_estimator *e, ftl_topics_op *op, ftl_error *error)
{
    int64_t iterations = 100;
    FTL_TRY(ftl_attr_int(e, "max_doc_update_iter", 100, &iterations, error));
    FTL_TRY(ftl_attr_f64(e, "mean_change_tol", 1e-3, &op->tolerance, error));
    FTL_TRY(ftl_attr_f64(e, "doc_topic_prior_", -1, &op->prior, error));
    if (iterations < 0 || iterations > FTL_MOST_TOPIC_ITERATIONS)
        return FTL_ATTR_FAIL(error, e, "max_doc_update_iter", FTL_LIMIT,
                             "max_doc_update_iter is none from 0 to %d",
                             (int)FTL_MOST_TOPIC_ITERATIONS);
    if (!(op->prior >= 0))
        return FTL_ATTR_FAIL(error, e, "doc_topic_prior_", FTL_CORRUPT,
                             "doc_topic_prior_ is no number from 0 on");
    op->iterations = (uint32_t)iterations;
    return FTL_OK;
}

static ftl_status emit_topics(ftl_build *build, const ftl_estimator *e, ftl_method method,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_topics_op topics = {.estimator = e->cls->name};
    double *words = NULL;
    uint32_t n_topics = 0, id;
    bool single = false;
    ftl_op *op = NULL;
    FTL_TRY(ftl_expect_transform(e, method, error));
    FTL_TRY(read_words(build, e, in, &words, &n_topics, &single, error));
    FTL_TRY(read_options(e, &topics, error));
    const char **names = ftl_frame_names(build, in);
    if (!names)
        return FTL_OOM(error);
    const uint32_t refuse = FTL_CHECK_NAN | FTL_CHECK_INF;
    if (ftl_frame_has_sparse(build, in))
        FTL_TRY(ftl_build_sparse(build, e, in, refuse, &id, error));
    else
        FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &id, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TOPICS, id, n_topics, &id, &op, error));
    op->dtype = single ? FTL_DTYPE_F32 : FTL_DTYPE_F64;
    op->u.topics = topics;
    op->u.topics.words = words;
    op->u.topics.words_count = (size_t)n_topics * in->n_columns;
    op->u.topics.names = names;
    op->u.topics.names_count = in->n_columns;
    return ftl_frame_numbered(build, e, id, out, error);
}

static ftl_status topic_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    return ftl_inputs_by_width(build, e, FTL_NAMES("components_", "exp_dirichlet_component_"), out,
                               error);
}

static const char *topic_detail(ftl_build *build, const ftl_estimator *e)
{
    const ftl_node *node = ftl_attr(e, "exp_dirichlet_component_");
    if (!node || node->kind != FTL_NODE_ARRAY || node->u.array->ndim != 2)
        return "";
    return ftl_arena_printf(build->arena, "%zu topics of %zu features", node->u.array->shape[0],
                            node->u.array->shape[1]);
}

const ftl_estimator_class ftl_topic_classes[] = {
    FTL_PLAIN_TRANSFORMER("sklearn.decomposition", "LatentDirichletAllocation", emit_topics,
                          .inputs = topic_inputs, .detail = topic_detail),
    {0},
};
