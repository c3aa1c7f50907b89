/*
 * CatBoost: CatBoostClassifier, CatBoostRegressor, CatBoostRanker and CatBoost. Their state is the
 * parameters and, as "__model", the bytes of a .cbm file; such a file by itself comes here as a
 * CatBoost of "__model" alone.
 *
 * A numeric column is compared as float32; a categorical one is the hash of its text, which matches
 * a known hash or leads to target statistics. Comparisons, matches and statistics become the
 * columns of one float32 matrix; trees ask about those. Sums are float64 in the order of the trees;
 * then scale and bias.
 *
 * CatBoost().predict gives raw scores whatever the loss was. A file by itself says what it was
 * trained for, and is taken for the wrapper that would have trained it.
 */
#include "estimators/linear.h"
#include "estimators/registry.h"
#include "estimators/tree_nodes.h"

#include "formats/catboost.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BIT(method) (1u << (method))

typedef enum cat_role {
    ROLE_RAW,
    ROLE_EXPONENT,
    ROLE_UNCERTAINTY, /* mean and, as half a logarithm, variance */
    ROLE_BINARY,
    ROLE_CLASSES,
    ROLE_ONE_VS_ALL,
    ROLE_MULTI_LABEL
} cat_role;

typedef struct cat {
    const ftl_node_string *model;
    ftl_cbm_info info;
    cat_role role;
    const ftl_labels *labels; /* of a classifier: what predict gives */
    const ftl_labels *scored; /* whose scores the columns are; NULL: columns have numbers */
} cat;

/* ---- What it is ------------------------------------------------------------------------------ */

static ftl_status model_bytes(const ftl_estimator *e, const ftl_node_string **out, ftl_error *error)
{
    const ftl_node *node = ftl_attr(e, "__model");
    if (ftl_node_is_none(node))
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "%s was not fitted", e->cls->name);
    if (node->kind != FTL_NODE_BYTES)
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "the model is not bytes");
    *out = &node->u.str;
    return FTL_OK;
}

static bool is_file(const ftl_estimator *e)
{
    const ftl_node *state = e->node->u.object->state;
    return state && state->kind == FTL_NODE_DICT && state->u.dict.size == 1;
}

static bool any_of(const char *text, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(text, *names) == 0)
            return true;
    }
    return false;
}

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Of a regressor: from the loss that it was given, or that the file was trained with. */
static cat_role regressor_role(const ftl_estimator *e, const ftl_cbm_info *info)
{
    ftl_node_string given = {"", 0};
    const char *loss = info->loss;
    if (!is_file(e)) {
        const ftl_node *node = ftl_attr(e, "loss_function");
        if (ftl_node_is_none(node))
            node = ftl_attr(e, "objective");
        if (ftl_node_is_none(node) || !ftl_node_as_str(node, &given))
            return ROLE_RAW;
        loss = given.data;
    }
    if (begins(loss, "Poisson") || begins(loss, "Tweedie"))
        return ROLE_EXPONENT;
    return strcmp(loss, "RMSEWithUncertainty") == 0 && info->width == 2 ? ROLE_UNCERTAINTY
                                                                        : ROLE_RAW;
}

static cat_role role_of(const ftl_estimator *e, const ftl_cbm_info *info)
{
    static const char *const classes[] = {"Logloss", "CrossEntropy", "MultiClass",
                                          "MultiClassOneVsAll", NULL};
    static const char *const labels[] = {"MultiLogloss", "MultiCrossEntropy", NULL};
    bool file = is_file(e), several = any_of(info->loss, labels);
    if (strcmp(e->cls->name, "CatBoostClassifier") == 0 ||
        (file && (several || any_of(info->loss, classes)))) {
        if (several)
            return ROLE_MULTI_LABEL;
        if (info->width == 1)
            return ROLE_BINARY;
        return strcmp(info->loss, "MultiClassOneVsAll") == 0 ? ROLE_ONE_VS_ALL : ROLE_CLASSES;
    }
    if (file || strcmp(e->cls->name, "CatBoostRegressor") == 0)
        return regressor_role(e, info);
    return ROLE_RAW;
}

static bool is_classifier(const cat *c) { return c->role >= ROLE_BINARY; }

static ftl_status make_labels(ftl_build *build, const ftl_estimator *e, cat *c, ftl_error *error)
{
    static const ftl_cell no_yes[] = {{.tag = FTL_CELL_INT, .u.integer = 0},
                                      {.tag = FTL_CELL_INT, .u.integer = 1}};
    uint32_t needed = c->role == ROLE_BINARY ? 2
                      : c->info.n_order      ? c->info.n_labels
                                             : c->info.width;
    ftl_labels *labels = FTL_ARENA_NEW(build->arena, ftl_labels);
    if (!labels)
        return FTL_OOM(error);
    *labels = (ftl_labels){c->info.label_type, c->info.n_labels, c->info.labels};
    c->labels = c->scored = labels;
    if (c->role == ROLE_MULTI_LABEL) {
        static const ftl_labels yes_no = {FTL_I64, 2, no_yes};
        c->labels = &yes_no;
        c->scored = labels->count == needed ? labels : NULL;
    } else if (labels->count != needed)
        return FTL_ATTR_FAIL(error, e, "__model", FTL_CORRUPT, "%u classes do not fit %u outputs",
                             labels->count, c->info.width);
    return FTL_OK;
}

static ftl_status read_cat(ftl_build *build, const ftl_estimator *e, cat *out, ftl_error *error)
{
    cat c = {0};
    FTL_TRY(model_bytes(e, &c.model, error));
    ftl_status status = ftl_cbm_read_info(build->arena, c.model->data, c.model->size, &c.info,
                                          error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "__model");
        return status;
    }
    c.role = role_of(e, &c.info);
    if (is_classifier(&c))
        FTL_TRY(make_labels(build, e, &c, error));
    *out = c;
    return FTL_OK;
}

/* ---- The matrix that trees ask about --------------------------------------------------------- */

typedef struct sources {
    const ftl_cbm *cbm;
    const ftl_frame *in;
    ftl_frame floats; /* input columns of cbm->floats */
    ftl_frame hashes; /* [n_categories]; those that nothing asks for are some other */
    uint32_t hash_op; /* UINT32_MAX: there is none */
} sources;

/* The categories that matches and projections ask for. */
static ftl_status used_categories(ftl_build *build, const ftl_cbm *cbm, const bool **out,
                                  ftl_error *error)
{
    bool *used = ftl_arena_zero_array(build->scratch, cbm->n_categories, sizeof *used);
    if (!used)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < cbm->n_matches; i++)
        used[cbm->matches[i].category] = true;
    for (uint32_t p = 0; p < cbm->ctr.n_projections; p++) {
        const ftl_ctr_projection *projection = &cbm->ctr.projections[p];
        for (uint32_t i = 0; i < projection->n_hashes; i++)
            used[projection->hashes[i] - cbm->n_floats] = true;
        for (uint32_t i = 0; i < projection->n_equal; i++)
            used[projection->equal[i].column - cbm->n_floats] = true;
    }
    *out = used;
    return FTL_OK;
}

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

static ftl_status emit_hash_op(ftl_build *build, const ftl_estimator *e, const ftl_frame *texts,
                               uint32_t *id, ftl_error *error)
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
    op->u.category_hash = (ftl_category_hash_op){.estimator = e->cls->name, .names = names};
    return FTL_OK;
}

static ftl_status hash_categories(ftl_build *build, const ftl_estimator *e, sources *s,
                                  ftl_error *error)
{
    const bool *used = NULL;
    ftl_frame texts, hashed;
    uint32_t n = s->cbm->n_categories, n_used = 0;
    uint32_t *picked = ftl_arena_array(build->scratch, n, sizeof *picked);
    uint32_t *slots = ftl_arena_zero_array(build->scratch, n, sizeof *slots);
    if (!picked || !slots)
        return FTL_OOM(error);
    s->hash_op = UINT32_MAX;
    FTL_TRY(used_categories(build, s->cbm, &used, error));
    for (uint32_t i = 0; i < n; i++) {
        if (!used[i])
            continue;
        slots[i] = n_used;
        picked[n_used++] = s->cbm->categories[i].column;
    }
    if (n_used == 0)
        return FTL_OK;
    FTL_TRY(ftl_frame_select(build, s->in, picked, n_used, &texts, error));
    FTL_TRY(emit_hash_op(build, e, &texts, &s->hash_op, error));
    FTL_TRY(ftl_frame_of_op(build, s->hash_op, NULL, &hashed, error));
    return ftl_frame_select(build, &hashed, slots, n, &s->hashes, error);
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
    op->u.match = (ftl_match_op){.columns = columns, .values = values};
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
    op->u.constant = (ftl_constant_op){.values = zero};
    return FTL_OK;
}

/* Columns: floats, matches, statistics: the order in which questions are numbered. */
static ftl_status emit_matrix(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
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
    uint32_t width = leaf_number ? cbm->n_trees : cbm->width;
    FTL_TRY(list_questions(build, cbm, &q, error));
    FTL_TRY(ftl_build_on(build, e, FTL_OP_OBLIVIOUS, source, width, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.oblivious = (ftl_oblivious_op){.n_trees = cbm->n_trees,
                                         .start = cbm->start,
                                         .splits = cbm->splits,
                                         .border_start = q.start,
                                         .borders = q.borders,
                                         .nan_above = q.nan_above,
                                         .n_values = cbm->n_values,
                                         .values = cbm->values,
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
    *out = nodes;
    return FTL_OK;
}

static ftl_status emit_trees(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                             uint32_t source, bool leaf_number, uint32_t *id, ftl_error *error)
{
    questions q;
    ftl_tree_nodes *nodes = NULL;
    ftl_op *op = NULL;
    FTL_TRY(list_questions(build, cbm, &q, error));
    FTL_TRY(make_nodes(build, cbm, &q, &nodes, error));
    if (leaf_number) {
        FTL_TRY(ftl_build_on(build, e, FTL_OP_TREE_APPLY, source, cbm->n_trees, id, &op, error));
        op->dtype = FTL_DTYPE_F64;
        op->u.tree_apply = (ftl_tree_apply_op){
            .nodes = nodes, .input = FTL_TREE_INPUT_F32, .leaf_index = true};
        return FTL_OK;
    }
    FTL_TRY(ftl_build_on(build, e, FTL_OP_TREES, source, cbm->width, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = nodes, .input = FTL_TREE_INPUT_F32, .divisor = 1};
    return FTL_OK;
}

/* ---- Raw scores ------------------------------------------------------------------------------ */

/* The whole model: raw scores and leaves share it. */
static ftl_status read_model(ftl_build *build, const ftl_estimator *e, const cat *c,
                             const ftl_frame *in, const ftl_cbm **out, ftl_error *error)
{
    const ftl_cbm *known = ftl_parsed_of(build, e->node);
    if (!known) {
        ftl_cbm *cbm = FTL_ARENA_NEW(build->scratch, ftl_cbm);
        if (!cbm)
            return FTL_OOM(error);
        ftl_status status = ftl_cbm_read(build->arena, c->model->data, c->model->size, cbm, error);
        if (status != FTL_OK) {
            ftl_error_in_attr(error, e, "__model");
            return status;
        }
        FTL_TRY(ftl_parsed_keep(build, e->node, cbm, error));
        known = cbm;
    }
    *out = known;
    return ftl_frame_expect(e, in, known->n_columns, error);
}

/* The library leaves out what would change nothing. */
static ftl_status emit_scale(ftl_build *build, const ftl_estimator *e, const ftl_cbm *cbm,
                             uint32_t *id, ftl_error *error)
{
    ftl_op *op = NULL;
    bool biased = false;
    uint32_t n = 0;
    ftl_affine_step *steps = ftl_arena_zero_array(build->arena, 2, sizeof *steps);
    double *scale = ftl_arena_array(build->arena, cbm->width, sizeof *scale);
    if (!steps || !scale)
        return FTL_OOM(error);
    for (uint32_t k = 0; k < cbm->width; k++) {
        scale[k] = cbm->scale;
        biased |= cbm->bias[k] != 0;
    }
    if (cbm->scale != 1)
        steps[n++] = (ftl_affine_step){.kind = FTL_AFFINE_MUL, .wide = true, .vector = scale};
    if (biased)
        steps[n++] = (ftl_affine_step){.kind = FTL_AFFINE_ADD, .wide = true, .vector = cbm->bias};
    if (n == 0)
        return FTL_OK;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, *id, cbm->width, id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = n, .steps = steps};
    return FTL_OK;
}

/* Outputs to the order of the classes; a class that training never met has no score. */
static ftl_status emit_order(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t *id,
                             ftl_error *error)
{
    static const double none[] = {-INFINITY};
    const ftl_cbm_info *info = &c->info;
    bool same = info->n_labels == info->n_order;
    for (uint32_t k = 0; k < info->n_order; k++)
        same &= info->order[k] == k;
    if (info->n_order == 0 || same)
        return FTL_OK;
    uint32_t constant;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_CONSTANT, NULL, &constant, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->width = 1;
    op->u.constant = (ftl_constant_op){.values = none};
    FTL_TRY(ftl_frame_new(build, info->n_labels, &frame, error));
    for (uint32_t i = 0; i < info->n_labels; i++)
        frame.columns[i] = (ftl_frame_column){.op = constant, .column = 0};
    for (uint32_t k = 0; k < info->n_order; k++)
        frame.columns[info->order[k]] = (ftl_frame_column){.op = *id, .column = k};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_margin(ftl_build *build, const ftl_estimator *e, const cat *c,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_cbm *cbm = NULL;
    uint32_t id = 0;
    FTL_TRY(read_model(build, e, c, in, &cbm, error));
    FTL_TRY(emit_matrix(build, e, cbm, in, &id, error));
    FTL_TRY(cbm->oblivious ? emit_oblivious(build, e, cbm, id, false, &id, error)
                           : emit_trees(build, e, cbm, id, false, &id, error));
    FTL_TRY(emit_scale(build, e, cbm, &id, error));
    if (is_classifier(c))
        FTL_TRY(emit_order(build, e, c, &id, error));
    return ftl_result_scores(build, id, c->scored, out, error);
}

/* calc_leaf_indexes. */
static ftl_status emit_apply(ftl_build *build, const ftl_estimator *e, const cat *c,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    const ftl_cbm *cbm = NULL;
    uint32_t id = 0;
    FTL_TRY(read_model(build, e, c, in, &cbm, error));
    if (cbm->n_trees == 0)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "the model has no trees to apply");
    FTL_TRY(emit_matrix(build, e, cbm, in, &id, error));
    FTL_TRY(cbm->oblivious ? emit_oblivious(build, e, cbm, id, true, &id, error)
                           : emit_trees(build, e, cbm, id, true, &id, error));
    return ftl_tree_result_apply(build, id, FTL_AS_INT, out, error);
}

/* ---- Predictions ----------------------------------------------------------------------------- */

/* (mean, variance) of (mean, s): the variance is exp(2 s). */
static ftl_status emit_uncertainty(ftl_build *build, const ftl_estimator *e, uint32_t raw,
                                   uint32_t *id, ftl_error *error)
{
    static const double twos[] = {1, 2};
    static const ftl_affine_step twice[] = {{.kind = FTL_AFFINE_MUL, .wide = true, .vector = twos}};
    uint32_t doubled, powers;
    ftl_op *op = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_build_on(build, e, FTL_OP_AFFINE, raw, 2, &doubled, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, .steps = twice};
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_EXP, doubled, 2, &powers, error));
    FTL_TRY(ftl_frame_new(build, 2, &frame, error));
    frame.columns[0] = (ftl_frame_column){.op = raw, .column = 0};
    frame.columns[1] = (ftl_frame_column){.op = powers, .column = 1};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_predict(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t raw,
                               ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw, width = build->ops[raw].width;
    ftl_op *op = NULL;
    switch (c->role) {
    case ROLE_RAW:
        break;
    case ROLE_EXPONENT:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_EXP, raw, width, &id, error));
        break;
    case ROLE_UNCERTAINTY:
        FTL_TRY(emit_uncertainty(build, e, raw, &id, error));
        break;
    case ROLE_BINARY:
    case ROLE_MULTI_LABEL:
        FTL_TRY(ftl_build_on(build, e, FTL_OP_BINARIZE, raw, width, &id, &op, error));
        op->u.binarize.threshold = c->role == ROLE_BINARY ? c->info.threshold : 0;
        return ftl_result_labels(build, id, c->labels, out, error);
    case ROLE_CLASSES:
    case ROLE_ONE_VS_ALL:
        FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, raw, 1, &id, error));
        return ftl_result_labels(build, id, c->labels, out, error);
    }
    return ftl_result_values(build, id, out, error);
}

static ftl_status emit_proba(ftl_build *build, const ftl_estimator *e, const cat *c, uint32_t raw,
                             ftl_frame *out, ftl_error *error)
{
    uint32_t id, width = build->ops[raw].width;
    switch (c->role) {
    case ROLE_BINARY:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID_PAIR, raw, 2, &id, error));
        break;
    case ROLE_CLASSES:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SOFTMAX, raw, width, &id, error));
        break;
    default:
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID, raw, width, &id, error));
    }
    return ftl_result_scores(build, id, c->scored, out, error);
}

/* log(1 / (1 + exp(x))) and log(1 / (1 + exp(-x))): small ones do not vanish in 1 - p. */
static ftl_status emit_both_signs(ftl_build *build, const ftl_estimator *e, uint32_t raw,
                                  uint32_t *id, ftl_error *error)
{
    uint32_t negative;
    ftl_frame frame;
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_NEGATE, raw, 1, &negative, error));
    FTL_TRY(ftl_frame_new(build, 2, &frame, error));
    frame.columns[0] = (ftl_frame_column){.op = negative, .column = 0};
    frame.columns[1] = (ftl_frame_column){.op = raw, .column = 0};
    return ftl_build_op(build, e, FTL_OP_GATHER, &frame, id, NULL, error);
}

static ftl_status emit_log_proba(ftl_build *build, const ftl_estimator *e, const cat *c,
                                 uint32_t raw, ftl_frame *out, ftl_error *error)
{
    uint32_t id = raw, width = build->ops[raw].width;
    if (c->role == ROLE_CLASSES) {
        FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG_NORMALIZE, raw, width, &id, error));
        return ftl_result_scores(build, id, c->scored, out, error);
    }
    if (c->role == ROLE_BINARY)
        FTL_TRY(emit_both_signs(build, e, raw, &id, error));
    width = build->ops[id].width;
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_SIGMOID, id, width, &id, error));
    FTL_TRY(ftl_emit_link(build, e, FTL_LINK_LOG, id, width, &id, error));
    return ftl_result_scores(build, id, c->scored, out, error);
}

static ftl_status cat_emit(ftl_build *build, const ftl_estimator *e, ftl_method method,
                           const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    cat c;
    ftl_frame raw;
    FTL_TRY(read_cat(build, e, &c, error));
    if (method == FTL_MARGIN)
        return emit_margin(build, e, &c, in, out, error);
    if (method == FTL_APPLY)
        return emit_apply(build, e, &c, in, out, error);
    FTL_TRY(ftl_emit(build, e, FTL_MARGIN, in, &raw, error));
    if (method == FTL_PREDICT_PROBA)
        return emit_proba(build, e, &c, raw.columns[0].op, out, error);
    if (method == FTL_PREDICT_LOG_PROBA)
        return emit_log_proba(build, e, &c, raw.columns[0].op, out, error);
    return emit_predict(build, e, &c, raw.columns[0].op, out, error);
}

/* ---- About it -------------------------------------------------------------------------------- */

static uint32_t cat_methods(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    uint32_t methods = BIT(FTL_PREDICT) | BIT(FTL_MARGIN) | BIT(FTL_APPLY);
    if (read_cat(build, e, &c, NULL) == FTL_OK && is_classifier(&c))
        methods |= BIT(FTL_PREDICT_PROBA) | BIT(FTL_PREDICT_LOG_PROBA);
    return methods;
}

/* Without names of their own the columns are named by their numbers: those are no names. */
static bool is_named(const ftl_cbm_column *columns, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", i);
        if (columns[i].name[0] && strcmp(columns[i].name, number) != 0)
            return true;
    }
    return false;
}

static ftl_status cat_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                             ftl_error *error)
{
    const ftl_node_string *model = NULL;
    const ftl_cbm_column *columns = NULL;
    uint32_t n = 0;
    FTL_TRY(model_bytes(e, &model, error));
    ftl_status status = ftl_cbm_read_columns(build->arena, model->data, model->size, &n, &columns,
                                             error);
    if (status != FTL_OK) {
        ftl_error_in_attr(error, e, "__model");
        return status;
    }
    *out = (ftl_inputs){.count = n};
    if (!is_named(columns, n))
        return FTL_OK;
    const char **names = ftl_arena_array(build->arena, n, sizeof *names);
    if (!names)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = columns[i].name[0] ? columns[i].name : ftl_arena_printf(build->arena, "%u", i);
        if (!names[i])
            return FTL_OOM(error);
    }
    out->names = names;
    return FTL_OK;
}

static const char *cat_detail(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    if (read_cat(build, e, &c, NULL) != FTL_OK)
        return "";
    return ftl_arena_printf(build->arena, "%u %stree%s%s%s", c.info.n_trees,
                            c.info.oblivious ? "oblivious " : "", c.info.n_trees == 1 ? "" : "s",
                            c.info.loss[0] ? ", " : "", c.info.loss);
}

static const char *cat_wrote(ftl_build *build, const ftl_estimator *e)
{
    cat c;
    return read_cat(build, e, &c, NULL) == FTL_OK ? c.info.version : "";
}

#define CATBOOST(name_, kind_) \
    {.package = "catboost",    \
     .name = name_,            \
     .kind = kind_,            \
     .methods = cat_methods,   \
     .emit = cat_emit,         \
     .inputs = cat_inputs,     \
     .detail = cat_detail,     \
     .library = "CatBoost",    \
     .wrote = cat_wrote}

const ftl_estimator_class ftl_catboost_classes[] = {
    CATBOOST("CatBoost", FTL_OTHER_MODEL),
    CATBOOST("CatBoostClassifier", FTL_CLASSIFIER),
    CATBOOST("CatBoostRegressor", FTL_REGRESSOR),
    CATBOOST("CatBoostRanker", FTL_REGRESSOR),
    {0},
};
