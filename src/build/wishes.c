#include "build/wishes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Threshold ------------------------------------------------------------------------------- */

ftl_status ftl_emit_threshold(ftl_build *build, const ftl_estimator *root, double threshold,
                              const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame proba;
    uint32_t id;
    ftl_op *op = NULL;
    if (!(ftl_estimator_methods(build, root) & 1u << FTL_PREDICT_PROBA))
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "threshold",
                               "options.threshold needs a classifier that has predict_proba");
    FTL_TRY(ftl_emit(build, root, FTL_PREDICT_PROBA, in, &proba, error));
    const ftl_labels *labels = proba.n_columns == 2 ? proba.columns[1].labels : NULL;
    if (!labels || labels->count != 2 || proba.n_targets > 1)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "threshold",
                               "options.threshold is for classifiers of two classes");
    const ftl_frame second = {.n_columns = 1, .columns = &proba.columns[1]};
    double *vector = ftl_arena_array(build->arena, 1, sizeof *vector);
    ftl_affine_step *step = FTL_ARENA_NEW(build->arena, ftl_affine_step);
    if (!vector || !step)
        return FTL_OOM(error);
    vector[0] = threshold;
    /* p >= t is p - t >= 0 to the bit; t is rounded to p's type first, as numpy compares them. */
    *step = (ftl_affine_step){.kind = FTL_AFFINE_SUB, FTL_SIZED(vector, vector, 1)};
    FTL_TRY(ftl_build_matrix(build, root, &second, &id, error));
    FTL_TRY(ftl_build_on(build, root, FTL_OP_AFFINE, id, 1, &id, &op, error));
    op->u.affine = (ftl_affine_op){.n_steps = 1, FTL_SIZED(steps, step, 1)};
    FTL_TRY(ftl_build_on(build, root, FTL_OP_DECIDE, id, 1, &id, &op, error));
    op->u.decide.rule = FTL_DECIDE_NOT_NEGATIVE;
    op->dtype = FTL_DTYPE_F64;
    return ftl_result_labels(build, id, labels, out, error);
}

/* ---- Classes ---------------------------------------------------------------------------------- */

bool ftl_gives_class(ftl_build *build)
{
    build->gave_classes |= build->wants_classes;
    return build->wants_classes;
}

/* ---- Names of classes ------------------------------------------------------------------------ */

static ftl_status bad_labels(ftl_error *error, const char *why)
{
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "labels",
                           "options.labels takes a LabelEncoder, a list of names, or a dict of "
                           "numbers and names; %s",
                           why);
}

/* The names of 0, 1 … as a list or array; NULL when the node is none. */
static const ftl_node *names_in_order(const ftl_node *node)
{
    static const char *const attributes[] = {"classes_", "data"}; /* LabelEncoder, pandas' Index */
    for (size_t i = 0; node && node->kind == FTL_NODE_OBJECT && i < FTL_ARRAY_LEN(attributes);
         i++) {
        const ftl_node *inner = ftl_node_attr(node, attributes[i]);
        if (ftl_node_length(inner))
            return inner;
    }
    return node && node->kind != FTL_NODE_OBJECT && ftl_node_length(node) ? node : NULL;
}

static ftl_status read_list(ftl_build *build, const ftl_node *list, ftl_class_names *out,
                            ftl_error *error)
{
    const ftl_labels *labels = NULL;
    FTL_TRY(ftl_node_labels(build, list, &labels, error));
    int64_t *numbers = ftl_arena_array(build->scratch, labels->count, sizeof *numbers);
    if (!numbers)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < labels->count; i++)
        numbers[i] = i;
    out->labels = *labels;
    out->numbers = numbers;
    return FTL_OK;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Whether two of n numbers are equal, which are sorted in place. */
static bool any_equal(int64_t *numbers, size_t n)
{
    bool equal = false;
    qsort(numbers, n, sizeof *numbers, by_number);
    for (size_t i = 1; i < n; i++)
        equal |= numbers[i] == numbers[i - 1];
    return equal;
}

static int by_cell(const void *a, const void *b)
{
    const ftl_cell *x = a, *y = b;
    if (x->tag != y->tag)
        return x->tag < y->tag ? -1 : 1;
    if (x->tag == FTL_CELL_FLOAT)
        return (x->u.number > y->u.number) - (x->u.number < y->u.number);
    if (x->tag != FTL_CELL_STRING)
        return (x->u.integer > y->u.integer) - (x->u.integer < y->u.integer);
    size_t size = x->size < y->size ? x->size : y->size;
    int order = size ? memcmp(x->u.text, y->u.text, size) : 0;
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* Two classes of one name would be two columns of one name, and no telling them apart. */
static ftl_status refuse_equal(ftl_build *build, const ftl_cell *cells, size_t n, ftl_error *error)
{
    ftl_cell *sorted = ftl_arena_array(build->scratch, n, sizeof *sorted);
    if (!sorted)
        return FTL_OOM(error);
    memcpy(sorted, cells, n * sizeof *cells);
    qsort(sorted, n, sizeof *sorted, by_cell);
    for (size_t i = 1; i < n; i++) {
        if (by_cell(&sorted[i - 1], &sorted[i]) == 0)
            return bad_labels(error, "two of these names are equal");
    }
    return FTL_OK;
}

/* {0: "no", 1: "yes"}, or {"no": 0, "yes": 1}. */
static ftl_status read_dict(ftl_build *build, const ftl_node_dict *dict, ftl_class_names *out,
                            ftl_error *error)
{
    int64_t *numbers = ftl_arena_zero_array(build->scratch, dict->size, sizeof *numbers);
    int64_t *sorted = ftl_arena_array(build->scratch, dict->size, sizeof *sorted);
    ftl_node *list = FTL_ARENA_NEW(build->scratch, ftl_node);
    ftl_node **names = ftl_arena_zero_array(build->scratch, dict->size, sizeof *names);
    if (!numbers || !sorted || !list || !names)
        return FTL_OOM(error);
    if (dict->size == 0)
        return bad_labels(error, "this dict is empty");
    int64_t number;
    bool keys_are_numbers = ftl_node_as_int(dict->keys[0], &number);
    for (size_t i = 0; i < dict->size; i++) {
        names[i] = keys_are_numbers ? dict->values[i] : dict->keys[i];
        if (!ftl_node_as_int(keys_are_numbers ? dict->keys[i] : dict->values[i], &numbers[i]))
            return bad_labels(error, "this dict pairs other things");
    }
    *list = (ftl_node){.kind = FTL_NODE_LIST, .u.seq = {names, dict->size, dict->size}};
    FTL_TRY(read_list(build, list, out, error));
    memcpy(sorted, numbers, dict->size * sizeof *numbers);
    if (any_equal(sorted, dict->size))
        return bad_labels(error, "this dict has a number twice");
    out->numbers = numbers;
    return FTL_OK;
}

ftl_status ftl_names_read(ftl_build *build, const ftl_build_wishes *wishes, ftl_class_names *out,
                          ftl_error *error)
{
    char about[200];
    const ftl_node *node = wishes->labels, *list = names_in_order(node);
    *out = (ftl_class_names){.only_if_fit = wishes->labels_only_if_fit};
    if (list)
        return read_list(build, list, out, error);
    if (node && node->kind == FTL_NODE_DICT)
        return read_dict(build, &node->u.dict, out, error);
    return bad_labels(error, ftl_node_describe(node, about, sizeof about));
}

/* The number that a class is; false for text and fractions. */
static bool class_number(const ftl_cell *cell, int64_t *out)
{
    *out = cell->u.integer;
    if (ftl_cell_is_integer(cell))
        return true;
    if (cell->tag != FTL_CELL_FLOAT || cell->u.number != floor(cell->u.number) ||
        fabs(cell->u.number) > 1e15)
        return false;
    *out = (int64_t)cell->u.number;
    return true;
}

static bool fits(const ftl_class_names *names, const ftl_labels *source)
{
    if (source->count != names->labels.count)
        return false;
    for (uint32_t i = 0; i < source->count; i++) {
        int64_t number;
        if (!class_number(&source->cells[i], &number) || number != (int64_t)i)
            return false;
    }
    return true;
}

static ftl_status rename_class(ftl_build *build, const ftl_class_names *names, const ftl_cell *cell,
                               ftl_cell *out, ftl_error *error)
{
    int64_t number;
    if (!class_number(cell, &number)) {
        const char *text = ftl_cell_text(build->scratch, cell);
        return FTL_FAIL_OPTION(
            error, FTL_ARG, FTL_REASON_BAD_OPTION, "labels",
            "the model's class '%.80s' is no number that options.labels could name",
            text ? text : "");
    }
    for (uint32_t i = 0; i < names->labels.count; i++) {
        if (names->numbers[i] == number) {
            *out = names->labels.cells[i];
            return FTL_OK;
        }
    }
    return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "labels",
                           "the model predicts class %lld, which the %u names of options.labels do "
                           "not have",
                           (long long)number, names->labels.count);
}

static ftl_status rename_table(ftl_build *build, ftl_class_names *names, const ftl_labels *source,
                               const ftl_labels **out, ftl_error *error)
{
    *out = source;
    if (names->only_if_fit && !fits(names, source))
        return FTL_OK;
    ftl_labels *made = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, source->count, sizeof *cells);
    if (!made || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < source->count; i++)
        FTL_TRY(rename_class(build, names, &source->cells[i], &cells[i], error));
    FTL_TRY(refuse_equal(build, cells, source->count, error));
    *made = (ftl_labels){.type = names->labels.type, .count = source->count, .cells = cells};
    names->used++;
    *out = made;
    return FTL_OK;
}

ftl_status ftl_names_apply(ftl_build *build, ftl_class_names *names, ftl_frame *result,
                           ftl_error *error)
{
    const ftl_labels *source = NULL, *renamed = NULL;
    ftl_frame frame;
    FTL_TRY(ftl_frame_new(build, result->n_columns, &frame, error));
    memcpy(frame.columns, result->columns, result->n_columns * sizeof *result->columns);
    frame.n_targets = result->n_targets;
    frame.sparse = result->sparse;
    frame.matrix = result->matrix;
    for (uint32_t i = 0; i < frame.n_columns; i++) {
        ftl_frame_column *column = &frame.columns[i];
        if (!column->labels)
            continue;
        if (column->labels != source) {
            source = column->labels;
            FTL_TRY(rename_table(build, names, source, &renamed, error));
        }
        column->labels = renamed;
    }
    *result = frame;
    return FTL_OK;
}
