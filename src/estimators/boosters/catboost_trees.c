/* CatBoost's columns and trees: from the input to sums of leaves, or their numbers. */
#include "estimators/boosters/catboost.h"
#include "estimators/trees/tree_nodes.h"

#include <math.h>
#include <string.h>

/* ---- The matrix that trees ask about --------------------------------------------------------- */

typedef struct sources {
    const ftl_cbm *cbm;
    const ftl_frame *in;
    ftl_frame floats; /* input columns of cbm->floats */
    ftl_frame hashes; /* [n_categories] */
    uint32_t hash_op; /* UINT32_MAX: there is none */
} sources;

static ftl_status pick_floats(ftl_build *build, sources *s, ftl_error *error)
{
    uint32_t *picked = ftl_arena_array(build->scratch, s->cbm->n_floats, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < s->cbm->n_floats; i++) {
        picked[i] = s->cbm->floats[i].column;
        ftl_build_want(build, s->in->columns[picked[i]].op, FTL_KIND_NUMERIC);
    }
    return ftl_frame_select(build, s->in, picked, s->cbm->n_floats, &s->floats, error);
}

/* bools: [texts->n_columns] in the model's arena. */
static ftl_status emit_hash_op(ftl_build *build, const ftl_estimator *e, const ftl_frame *texts,
                               const bool *bools, uint32_t *id, ftl_error *error)
{
    uint32_t objects;
    ftl_op *op = NULL;
    const char **names = ftl_arena_array(build->arena, texts->n_columns, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    FTL_TRY(ftl_build_objects(build, e, texts, &objects, error));
    for (uint32_t i = 0; i < texts->n_columns; i++) {
        const ftl_op *input = &build->ops[texts->columns[i].op];
        names[i] = texts->columns[i].name;
        if (input->kind == FTL_OP_INPUT)
            build->inputs[input->u.input.column].missing = FTL_MISSING_REFUSED;
    }
    FTL_TRY(
        ftl_build_on(build, e, FTL_OP_CATEGORY_HASH, objects, texts->n_columns, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.category_hash = (ftl_category_hash_op){.estimator = e->cls->name,
                                                 FTL_SIZED(bools, bools, texts->n_columns),
                                                 FTL_SIZED(names, names, texts->n_columns)};
    return FTL_OK;
}

/* All categories, those too that nothing asks for: the library refuses rows that lack one. */
static ftl_status hash_categories(ftl_build *build, const ftl_estimator *e, sources *s,
                                  ftl_error *error)
{
    const bool *bools = NULL;
    ftl_frame texts;
    const uint32_t n = s->cbm->n_categories;
    uint32_t *picked = ftl_arena_array(build->scratch, n, sizeof *picked);
    if (!picked)
        return FTL_OOM(error);
    s->hash_op = UINT32_MAX;
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_cat_bools(build, s->cbm, &bools, error));
    for (uint32_t i = 0; i < n; i++)
        picked[i] = s->cbm->categories[i].column;
    FTL_TRY(ftl_frame_select(build, s->in, picked, n, &texts, error));
    FTL_TRY(emit_hash_op(build, e, &texts, bools, &s->hash_op, error));
    return ftl_frame_of_op(build, s->hash_op, NULL, &s->hashes, error);
}

static ftl_status emit_matches(ftl_build *build, const ftl_estimator *e, const sources *s,
                               ftl_frame *out, ftl_error *error)
{
    const ftl_cbm *cbm = s->cbm;
    uint32_t id;
    ftl_op *op = NULL;
    uint32_t *columns = ftl_arena_array(build->arena, cbm->n_matches, sizeof *columns);
    double *values = ftl_arena_array(build->arena, cbm->n_matches, sizeof *values);
    if (!columns || !values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < cbm->n_matches; i++) {
        columns[i] = s->hashes.columns[cbm->matches[i].category].column;
        values[i] = cbm->matches[i].hash;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_MATCH, s->hash_op, cbm->n_matches, &id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    op->u.match = (ftl_match_op){FTL_SIZED(columns, columns, cbm->n_matches),
                                 FTL_SIZED(values, values, cbm->n_matches)};
    return ftl_frame_of_op(build, id, NULL, out, error);
}

static ftl_status emit_ctrs(ftl_build *build, const ftl_estimator *e, const sources *s,
                            ftl_frame *out, ftl_error *error)
{
    ftl_frame both;
    uint32_t id;
    ftl_op *op = NULL;
    const ftl_frame parts[] = {s->floats, s->hashes};
    FTL_TRY(ftl_frame_concat(build, parts, s->hash_op == UINT32_MAX ? 1 : 2, &both, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CTR, &both, &id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    op->width = s->cbm->n_ctrs;
    op->u.ctr = s->cbm->ctr;
    return ftl_frame_of_op(build, id, NULL, out, error);
}

/* Trees that ask nothing have a source all the same. */
static ftl_status emit_nothing(ftl_build *build, const ftl_estimator *e, uint32_t *id,
                               ftl_error *error)
{
    static const double zero[] = {0};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    op->width = 1;
    op->u.constant = (ftl_constant_op){FTL_SIZED(values, zero, 1)};
    return FTL_OK;
}

/* Columns: floats, matches, statistics: the order in which questions are numbered. */
ftl_status ftl_cat_matrix(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                          const ftl_frame *in, uint32_t *id, ftl_error *error)
{
    sources s = {.cbm = cbm, .in = in};
    ftl_frame parts[3], all;
    size_t n = 1;
    ftl_op *op = NULL;
    FTL_TRY(pick_floats(build, &s, error));
    FTL_TRY(hash_categories(build, e, &s, error));
    parts[0] = s.floats;
    if (cbm->n_matches)
        FTL_TRY(emit_matches(build, e, &s, &parts[n++], error));
    if (cbm->n_ctrs)
        FTL_TRY(emit_ctrs(build, e, &s, &parts[n++], error));
    FTL_TRY(ftl_frame_concat(build, parts, n, &all, error));
    if (all.n_columns == 0)
        return emit_nothing(build, e, id, error);
    FTL_TRY(ftl_build_op(build, e, FTL_OP_GATHER, &all, id, &op, error));
    op->dtype = FTL_DTYPE_F32;
    return FTL_OK;
}

/* ---- Trees ----------------------------------------------------------------------------------- */

/* Every column of the matrix with its borders; a match is above one half. */
typedef struct questions {
    uint32_t n_columns;
    uint32_t *start; /* [n_columns + 1] */
    float *borders;
    bool *nan_above; /* [n_columns] */
} questions;

static void add_column(questions *q, const float *borders, uint32_t n, bool nan_above)
{
    uint32_t at = q->start[q->n_columns];
    memcpy(q->borders + at, borders, n * sizeof *borders);
    q->nan_above[q->n_columns++] = nan_above;
    q->start[q->n_columns] = at + n;
}

static ftl_status list_questions(ftl_build *build, const ftl_cbm *cbm, questions *out,
                                 ftl_error *error)
{
    static const float half = 0.5F;
    uint64_t total = cbm->n_matches;
    size_t n = (size_t)cbm->n_floats + cbm->n_matches + cbm->n_ctrs;
    for (uint32_t i = 0; i < cbm->n_floats; i++)
        total += cbm->floats[i].n_borders;
    for (uint32_t i = 0; i < cbm->n_ctrs; i++)
        total += cbm->ctr_borders[i].n;
    if (total > UINT32_MAX)
        return FTL_FAIL(error, FTL_LIMIT, "the model has more than 4 billion borders");
    /* one more column for models that ask nothing */
    questions q = {.start = ftl_arena_zero_array(build->arena, n + 2, sizeof *q.start),
                   .borders = ftl_arena_array(build->arena, total, sizeof *q.borders),
                   .nan_above = ftl_arena_zero_array(build->arena, n + 1, sizeof *q.nan_above)};
    if (!q.start || !q.borders || !q.nan_above)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < cbm->n_floats; i++)
        add_column(&q, cbm->floats[i].borders, cbm->floats[i].n_borders, cbm->floats[i].nan_above);
    for (uint32_t i = 0; i < cbm->n_matches; i++)
        add_column(&q, &half, 1, false);
    for (uint32_t i = 0; i < cbm->n_ctrs; i++)
        add_column(&q, cbm->ctr_borders[i].borders, cbm->ctr_borders[i].n, false);
    *out = q;
    return FTL_OK;
}

static ftl_status emit_oblivious(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                                 uint32_t source, bool leaf_number, uint32_t *id, ftl_error *error)
{
    questions q;
    ftl_op *op = NULL;
    uint32_t width = leaf_number ? cbm->n_trees : cbm->width, n = build->ops[source].width;
    FTL_TRY(list_questions(build, cbm, &q, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_OBLIVIOUS, source, width, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.oblivious = (ftl_oblivious_op){
        .n_trees = cbm->n_trees,
        FTL_SIZED(start, cbm->start, (size_t)cbm->n_trees + 1),
        FTL_SIZED(splits, cbm->splits, cbm->start[cbm->n_trees]),
        FTL_SIZED(border_start, q.start, (size_t)n + 1),
        FTL_SIZED(borders, q.borders, q.start[n]),
        FTL_SIZED(nan_above, q.nan_above, n),
        .n_values = cbm->n_values,
        FTL_SIZED(values, leaf_number ? NULL : cbm->values, leaf_number ? 0 : cbm->n_values),
        .leaf_number = leaf_number};
    return FTL_OK;
}

/*
 * Other trees: a node's step of 0 ends there, in a leaf that is the node's own; both steps 0: it
 * asks nothing. Ends of nodes that ask become nodes of their own behind the others.
 */
static uint32_t count_ends(const ftl_cbm *cbm, uint32_t first, uint32_t last)
{
    uint32_t n = 0;
    for (uint32_t i = first; i < last; i++)
        n += (cbm->steps[i][0] == 0) != (cbm->steps[i][1] == 0);
    return n;
}

static uint32_t question_column(const questions *q, uint32_t question)
{
    uint32_t low = 0, high = q->n_columns;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (q->start[middle] <= question)
            low = middle;
        else
            high = middle;
    }
    return low;
}

typedef struct tree_maker {
    const ftl_cbm *cbm;
    const questions *questions;
    ftl_tree_arrays arrays;
    uint32_t first, size; /* of the tree: its nodes, those that the library has */
    uint32_t next;        /* local id of the next end */
    uint32_t base;        /* of the tree among all nodes */
} tree_maker;

/* The local id that a step leads to. */
static uint32_t follow(tree_maker *m, uint32_t at, uint32_t side)
{
    uint32_t step = m->cbm->steps[m->first + at][side];
    if (step)
        return at + step < m->size ? at + step : UINT32_MAX;
    ftl_tree_arrays_leaf(&m->arrays, m->base + m->next,
                         m->cbm->leaves[m->first + at] / m->cbm->width);
    return m->next++;
}

static ftl_status add_node(tree_maker *m, uint32_t tree, uint32_t at, ftl_error *error)
{
    const uint16_t *steps = m->cbm->steps[m->first + at];
    if (steps[0] == 0 && steps[1] == 0) {
        ftl_tree_arrays_leaf(&m->arrays, m->base + at,
                             m->cbm->leaves[m->first + at] / m->cbm->width);
        return FTL_OK;
    }
    uint32_t question = m->cbm->splits[m->first + at];
    uint32_t left = follow(m, at, 0), right = follow(m, at, 1);
    if (left == UINT32_MAX || right == UINT32_MAX || m->questions->n_columns == 0 ||
        question >= m->questions->start[m->questions->n_columns])
        return FTL_FAIL(error, FTL_CORRUPT, "tree %u: node %u leads out of the tree", tree, at);
    uint32_t column = question_column(m->questions, question);
    uint8_t flags = m->questions->nan_above[column] ? 0 : FTL_NODE_MISSING_LEFT;
    ftl_tree_arrays_split(&m->arrays, m->base + at, flags, column, left, right);
    m->arrays.threshold[m->base + at] = (double)m->questions->borders[question];
    return FTL_OK;
}

static ftl_status make_nodes(ftl_build *build, const ftl_cbm *cbm, const questions *q,
                             ftl_tree_nodes **out, ftl_error *error)
{
    uint32_t n = cbm->n_trees;
    uint64_t total = 0;
    ftl_tree_nodes *nodes = FTL_ARENA_NEW(build->arena, ftl_tree_nodes);
    uint32_t *root = ftl_arena_array(build->arena, (size_t)n + 1, sizeof *root);
    if (!nodes || !root)
        return FTL_OOM(error);
    for (uint32_t t = 0; t < n; t++) {
        root[t] = (uint32_t)total;
        total += cbm->start[t + 1] - cbm->start[t] +
                 count_ends(cbm, cbm->start[t], cbm->start[t + 1]);
        if (total > INT32_MAX)
            return FTL_FAIL(error, FTL_LIMIT, "the trees have more than 2 billion nodes");
    }
    root[n] = (uint32_t)total;
    tree_maker m = {.cbm = cbm, .questions = q};
    FTL_TRY(ftl_tree_arrays_make(build, root[n], &m.arrays, error));
    for (uint32_t t = 0; t < n; t++) {
        m.first = cbm->start[t];
        m.size = m.next = cbm->start[t + 1] - m.first;
        m.base = root[t];
        for (uint32_t at = 0; at < m.size; at++)
            FTL_TRY(add_node(&m, t, at, error));
    }
    *nodes = (ftl_tree_nodes){.n_trees = n,
                              .n_nodes = root[n],
                              .root = root,
                              .n_values = (uint32_t)(cbm->n_values / cbm->width),
                              .value_width = cbm->width,
                              .values = cbm->values};
    ftl_tree_arrays_give(&m.arrays, nodes);
    ftl_tree_nodes_count(nodes);
    *out = nodes;
    return FTL_OK;
}

static ftl_status emit_trees(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                             uint32_t source, bool leaf_number, uint32_t *id, ftl_error *error)
{
    questions q;
    ftl_tree_nodes *nodes = NULL;
    ftl_op *op = NULL;
    const ftl_tree_nodes *known = ftl_tree_nodes_emitted(build, e, FTL_OP_TREES);
    if (!known) {
        FTL_TRY(list_questions(build, cbm, &q, error));
        FTL_TRY(make_nodes(build, cbm, &q, &nodes, error));
        known = nodes;
    }
    if (leaf_number) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_TREE_APPLY, source, cbm->n_trees, id, &op, error));
        op->dtype = FTL_DTYPE_F64;
        op->u.tree_apply = (ftl_tree_apply_op){
            .nodes = known, .input = FTL_TREE_INPUT_F32, .leaf_index = true};
        return FTL_OK;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, source, cbm->width, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = known, .input = FTL_TREE_INPUT_F32, .divisor = 1};
    return FTL_OK;
}

ftl_status ftl_cat_trees(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                         uint32_t source, bool leaf_number, uint32_t *id, ftl_error *error)
{
    return cbm->oblivious ? emit_oblivious(build, e, cbm, source, leaf_number, id, error)
                          : emit_trees(build, e, cbm, source, leaf_number, id, error);
}
