#include "estimators/meta/children.h"

#include "build/transformer.h"
#include "estimators/linear/linear_model.h"

#include <math.h>
#include <string.h>

/* ---- Children -------------------------------------------------------------------------------- */

/*
 * Looking again costs as well: children that are shared would unfold exponentially. Asking for
 * methods, which nobody wants errors of, is cheap and frequent.
 */
static ftl_status count_again(ftl_build *build, const ftl_estimator *e, uint32_t n,
                              ftl_error *error)
{
    uint32_t cost = error ? n : n / 16 + 1;
    if (build->n_lookups >= FTL_MAX_LOOKUPS || cost > FTL_MAX_LOOKUPS - build->n_lookups) {
        build->n_lookups = FTL_MAX_LOOKUPS;
        ftl_error_set(error, FTL_LIMIT, "the model refers to more than %d estimators",
                      (int)FTL_MAX_LOOKUPS);
        ftl_error_in(error, e->path);
        return FTL_LIMIT;
    }
    build->n_lookups += cost;
    return FTL_OK;
}

ftl_status ftl_children_read(ftl_build *build, const ftl_estimator *e, const char *attribute,
                             ftl_children *out, ftl_error *error)
{
    const ftl_children *kept = ftl_parsed_of(build, e->node);
    if (kept) {
        *out = *kept;
        return count_again(build, e, kept->n, error);
    }
    ftl_node **nodes = NULL;
    size_t n = 0;
    FTL_TRY(ftl_attr_items(e, attribute, &nodes, &n, error));
    if (n == 0 || n > 1u << 20)
        return FTL_ATTR_FAIL(error, e, attribute, FTL_CORRUPT, "%s has %zu estimators", attribute,
                             n);
    ftl_children *made = FTL_ARENA_NEW(build->scratch, ftl_children);
    if (!made)
        return FTL_OOM(error);
    *made = (ftl_children){.items = ftl_arena_array(build->scratch, n, sizeof *made->items),
                           .n = (uint32_t)n};
    if (!made->items)
        return FTL_OOM(error);
    for (size_t i = 0; i < n; i++)
        FTL_TRY(ftl_estimator_of(build, nodes[i], e,
                                 ftl_child_path(build, e, "%s[%zu]", attribute, i), &made->items[i],
                                 error));
    FTL_TRY(ftl_parsed_keep(build, e->node, made, error));
    *out = *made;
    return FTL_OK;
}

uint32_t ftl_children_methods(ftl_build *build, const ftl_estimator *e, const char *attribute)
{
    ftl_children children;
    if (ftl_children_read(build, e, attribute, &children, NULL) != FTL_OK)
        return 0;
    return ftl_estimator_methods(build, &children.items[0]);
}

ftl_method ftl_child_scores(ftl_build *build, const ftl_estimator *child)
{
    bool decides = ftl_estimator_methods(build, child) & 1u << FTL_DECISION_FUNCTION;
    return decides ? FTL_DECISION_FUNCTION : FTL_PREDICT_PROBA;
}

ftl_status ftl_child_emit(ftl_build *build, const ftl_estimator *child, ftl_method method,
                          const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    if (ftl_estimator_methods(build, child) & 1u << method)
        return ftl_emit(build, child, method, in, out, error);
    ftl_error_set(error, FTL_UNSUPPORTED, "%s has no %s", child->cls->name,
                  ftl_method_name(method));
    ftl_error_in(error, child->path);
    return FTL_UNSUPPORTED;
}

ftl_status ftl_own_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                          ftl_error *error)
{
    ftl_estimator_class plain = *e->cls;
    plain.inputs = NULL;
    ftl_estimator self = *e;
    self.cls = &plain;
    return ftl_estimator_inputs(build, &self, out, error);
}

ftl_status ftl_inputs_with_child(ftl_build *build, const ftl_estimator *child, ftl_inputs *out,
                                 ftl_error *error)
{
    ftl_inputs found;
    if (out->names)
        return FTL_OK;
    if (out->count < 0)
        return ftl_estimator_inputs(build, child, out, error);
    if (ftl_estimator_inputs(build, child, &found, NULL) == FTL_OK && found.names &&
        found.count == out->count)
        *out = found;
    return FTL_OK;
}

ftl_status ftl_ensemble_inputs(ftl_build *build, const ftl_estimator *e, ftl_inputs *out,
                               ftl_error *error)
{
    ftl_children children;
    FTL_TRY(ftl_own_inputs(build, e, out, error));
    if (out->names)
        return FTL_OK;
    ftl_status status = ftl_children_read(build, e, "estimators_", &children,
                                          out->count < 0 ? error : NULL);
    if (status != FTL_OK)
        return out->count < 0 ? status : FTL_OK;
    return ftl_inputs_with_child(build, &children.items[0], out, error);
}

const char *ftl_ensemble_detail(ftl_build *build, const ftl_estimator *e)
{
    ftl_node **nodes = NULL;
    size_t n = 0;
    if (ftl_attr_items(e, "estimators_", &nodes, &n, NULL) != FTL_OK || n == 0)
        return "";
    const char *name = nodes[0]->kind == FTL_NODE_OBJECT ? nodes[0]->u.object->name : "";
    for (size_t i = 1; i < n; i++) {
        if (nodes[i]->kind != FTL_NODE_OBJECT || strcmp(nodes[i]->u.object->name, name) != 0)
            name = "";
    }
    return ftl_arena_printf(build->arena, "%zu estimator%s%s%.100s", n, n == 1 ? "" : "s",
                            name[0] ? " of " : "", name);
}

/* ---- Classes --------------------------------------------------------------------------------- */

ftl_status ftl_own_labels(ftl_build *build, const ftl_estimator *e, const ftl_labels **out,
                          ftl_error *error)
{
    const ftl_node *classes = NULL;
    FTL_TRY(ftl_attr_need(e, FTL_NAMES("classes_"), &classes, error));
    ftl_status status = ftl_node_labels(build, classes, out, error);
    if (status != FTL_OK)
        ftl_error_in_attr(error, e, "classes_");
    return status;
}

static bool cells_equal(const ftl_cell *a, const ftl_cell *b)
{
    if (a->tag == FTL_CELL_STRING && b->tag == FTL_CELL_STRING)
        return a->size == b->size && memcmp(a->u.text, b->u.text, a->size) == 0;
    if (a->tag == b->tag && ftl_cell_is_integer(a))
        return a->u.integer == b->u.integer; /* beyond 2**53 too */
    return ftl_cell_number(a) == ftl_cell_number(b) ||
           (a->tag == FTL_CELL_MISSING && b->tag == FTL_CELL_MISSING);
}

uint32_t ftl_class_index(const ftl_labels *own, ftl_encoding encoding, const ftl_cell *cell)
{
    if (encoding == FTL_LABELS_ENCODED) {
        double number = ftl_cell_number(cell);
        bool fits = number >= 0 && number < own->count && number == floor(number);
        return fits ? (uint32_t)number : FTL_VOTE_NONE;
    }
    for (uint32_t i = 0; i < own->count; i++) {
        if (cells_equal(&own->cells[i], cell))
            return i;
    }
    return FTL_VOTE_NONE;
}

ftl_status ftl_decode_labels(ftl_build *build, const ftl_estimator *e, const ftl_labels *encoded,
                             const ftl_labels *own, const ftl_labels **out, ftl_error *error)
{
    ftl_labels *made = FTL_ARENA_NEW(build->arena, ftl_labels);
    ftl_cell *cells = ftl_arena_zero_array(build->arena, encoded->count, sizeof *cells);
    if (!made || !cells)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < encoded->count; i++) {
        uint32_t at = ftl_class_index(own, FTL_LABELS_ENCODED, &encoded->cells[i]);
        if (at == FTL_VOTE_NONE)
            return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT,
                                 "an inner model predicts a class that is not among the %u classes",
                                 own->count);
        cells[i] = own->cells[at];
    }
    *made = (ftl_labels){.type = own->type, .count = encoded->count, .cells = cells};
    *out = made;
    return FTL_OK;
}

/* ---- Adding up ------------------------------------------------------------------------------- */

ftl_status ftl_parts_add(ftl_build *build, const ftl_frame *result, ftl_parts *parts,
                         ftl_error *error)
{
    uint32_t needed;
    if (__builtin_add_overflow(parts->frame.n_columns, result->n_columns, &needed) ||
        needed > 1u << 24)
        return FTL_FAIL(error, FTL_LIMIT, "the model makes more than 16 million columns");
    if (!parts->frame.columns || needed > parts->room) {
        uint32_t room = needed > parts->room * 2 ? needed : parts->room * 2;
        ftl_frame bigger;
        FTL_TRY(ftl_frame_new(build, room, &bigger, error));
        if (parts->frame.n_columns)
            memcpy(bigger.columns, parts->frame.columns,
                   parts->frame.n_columns * sizeof *bigger.columns);
        parts->frame.columns = bigger.columns;
        parts->room = room;
    }
    parts->frame.sparse = parts->frame.sparse || result->sparse;
    parts->frame.csc = parts->frame.csc || result->csc;
    parts->frame.zeros_unknown = parts->frame.zeros_unknown || result->zeros_unknown;
    for (uint32_t i = 0; i < result->n_columns; i++)
        parts->frame.columns[parts->frame.n_columns++] = result->columns[i];
    return FTL_OK;
}

/* The sum's operation on all columns of the results; target and weights are filled by `place`. */
typedef uint32_t place_fn(const void *user, const ftl_frame *result, uint32_t column);

static ftl_status combine(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                          uint32_t n, uint32_t width, const ftl_sum *how, place_fn *place,
                          const void *user, uint32_t *id, ftl_error *error)
{
    ftl_parts parts = {0};
    for (uint32_t i = 0; i < n; i++)
        FTL_TRY(ftl_parts_add(build, &results[i], &parts, error));
    uint32_t total = parts.frame.n_columns, at = 0;
    uint32_t *target = ftl_arena_array(build->arena, total, sizeof *target);
    double *weights = ftl_arena_array(build->arena, total, sizeof *weights);
    if (!target || !weights)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < results[i].n_columns; k++, at++) {
            target[at] = place(user, &results[i], k);
            weights[at] = how->weights ? how->weights[i] : 1.0;
            if (target[at] >= width)
                return FTL_ATTR_FAIL(error, e, "classes_", FTL_CORRUPT,
                                     "inner model %u has a class or an output that the model lacks",
                                     i);
        }
    }
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_COMBINE, &parts.frame, id, &op, error));
    op->width = width;
    op->dtype = how->dtype;
    op->u.combine = (ftl_combine_op){
        .rule = how->rule,
        FTL_SIZED(target, target, total),
        FTL_SIZED(weights, how->weights ? weights : NULL, how->weights ? total : 0),
        .divisor = how->divisor};
    return FTL_OK;
}

typedef struct class_place {
    const ftl_labels *own;
    ftl_encoding encoding;
} class_place;

static uint32_t place_by_class(const void *user, const ftl_frame *result, uint32_t column)
{
    const class_place *place = user;
    const ftl_frame_column *c = &result->columns[column];
    if (!c->labels || c->label >= c->labels->count)
        return FTL_VOTE_NONE;
    return ftl_class_index(place->own, place->encoding, &c->labels->cells[c->label]);
}

static uint32_t place_by_column(const void *user, const ftl_frame *result, uint32_t column)
{
    (void)user;
    (void)result;
    return column;
}

ftl_status ftl_emit_sum(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                        uint32_t n, const ftl_labels *own, const ftl_sum *how, uint32_t *id,
                        ftl_error *error)
{
    const class_place place = {own, how->encoding};
    return combine(build, e, results, n, own->count, how, place_by_class, &place, id, error);
}

ftl_status ftl_emit_plain_sum(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                              uint32_t n, const ftl_sum *how, uint32_t *id, ftl_error *error)
{
    for (uint32_t i = 1; i < n; i++) {
        if (results[i].n_columns != results[0].n_columns) {
            ftl_error_set(error, FTL_CORRUPT, "inner models yield %u and %u columns",
                          results[0].n_columns, results[i].n_columns);
            ftl_error_in(error, e->path);
            return FTL_CORRUPT;
        }
    }
    return combine(build, e, results, n, results[0].n_columns, how, place_by_column, NULL, id,
                   error);
}

/* The table of a child's classes: where each stands among the parent's. */
static ftl_status vote_map(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                           uint32_t n, const ftl_labels *own, ftl_encoding encoding,
                           ftl_vote_op *out, ftl_error *error)
{
    uint32_t *start = ftl_arena_zero_array(build->arena, (size_t)n + 1, sizeof *start);
    if (!start)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        const ftl_frame_column *c = results[i].n_columns == 1 ? &results[i].columns[0] : NULL;
        if (!c || c->as != FTL_AS_LABEL || !c->labels)
            return FTL_ATTR_FAIL(error, e, "estimators_", FTL_UNSUPPORTED,
                                 "inner model %u does not predict one class", i);
        if (__builtin_add_overflow(start[i], c->labels->count, &start[i + 1]))
            return FTL_FAIL(error, FTL_LIMIT, "the model has too many classes");
    }
    uint32_t *map = ftl_arena_array(build->arena, start[n], sizeof *map), at = 0;
    if (!map)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        const ftl_labels *labels = results[i].columns[0].labels;
        for (uint32_t k = 0; k < labels->count; k++)
            map[at++] = ftl_class_index(own, encoding, &labels->cells[k]);
    }
    out->start = start;
    out->start_count = (size_t)n + 1;
    out->map = map;
    out->map_count = start[n];
    return FTL_OK;
}

ftl_status ftl_emit_vote(ftl_build *build, const ftl_estimator *e, const ftl_frame *results,
                         uint32_t n, const ftl_labels *own, ftl_encoding encoding,
                         const double *hit, const double *miss, double divisor, uint32_t *id,
                         ftl_error *error)
{
    ftl_vote_op vote = {FTL_SIZED(hit, hit, n), FTL_SIZED(miss, miss, miss ? n : 0),
                        .divisor = divisor};
    ftl_parts parts = {0};
    ftl_op *op = NULL;
    FTL_TRY(vote_map(build, e, results, n, own, encoding, &vote, error));
    for (uint32_t i = 0; i < n; i++)
        FTL_TRY(ftl_parts_add(build, &results[i], &parts, error));
    FTL_TRY(ftl_build_op(build, e, FTL_OP_VOTE, &parts.frame, id, &op, error));
    op->width = own->count;
    op->dtype = FTL_DTYPE_F64;
    op->u.vote = vote;
    return FTL_OK;
}

/* ---- Results --------------------------------------------------------------------------------- */

ftl_status ftl_predict_largest(ftl_build *build, const ftl_estimator *e, ftl_method scores,
                               const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    ftl_frame frame;
    uint32_t id, index;
    FTL_TRY(ftl_emit(build, e, scores, in, &frame, error));
    const ftl_labels *labels = frame.columns[0].labels;
    FTL_TRY(ftl_build_matrix(build, e, &frame, &id, error));
    FTL_TRY(ftl_emit_decide(build, e, FTL_DECIDE_ARGMAX, id, 1, &index, error));
    return ftl_result_labels(build, index, labels, out, error);
}

/* Class index → label as a number, by an ORDINAL step whose categories are the indices. */
static ftl_status label_numbers(ftl_build *build, const ftl_estimator *e,
                                const ftl_frame_column *column, uint32_t *id, ftl_error *error)
{
    uint32_t n = column->labels->count;
    ftl_encode_column *encode = FTL_ARENA_NEW(build->arena, ftl_encode_column);
    double *numbers = ftl_arena_array(build->arena, n, sizeof *numbers);
    double *values = ftl_arena_array(build->arena, n, sizeof *values);
    if (!encode || !numbers || !values)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n; i++) {
        numbers[i] = i;
        values[i] = ftl_cell_number(&column->labels->cells[i]);
        if (isnan(values[i])) {
            ftl_error_set(error, FTL_UNSUPPORTED,
                          "class labels that are text cannot be taken as numbers");
            ftl_error_in(error, e->path);
            return FTL_UNSUPPORTED;
        }
    }
    *encode = (ftl_encode_column){
        .categories = {.count = n, .numeric = true, FTL_SIZED(numbers, numbers, n)},
        .unknown = FTL_CODE_NONE,
        FTL_SIZED(values, values, n),
        .unknown_value = NAN,
    };
    const ftl_frame one = {.n_columns = 1, .columns = (ftl_frame_column *)(uintptr_t)column};
    ftl_op *op = NULL;
    FTL_TRY(ftl_build_op(build, e, FTL_OP_ORDINAL, &one, id, &op, error));
    op->dtype = FTL_DTYPE_F64;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, encode, 1), .estimator = e->cls->name};
    return FTL_OK;
}

/* Indices that are the labels themselves need no step. */
static bool counts_up(const ftl_labels *labels)
{
    for (uint32_t i = 0; i < labels->count; i++) {
        if (ftl_cell_number(&labels->cells[i]) != i)
            return false;
    }
    return true;
}

ftl_status ftl_label_values(ftl_build *build, const ftl_estimator *e, const ftl_frame *in,
                            ftl_frame *out, ftl_error *error)
{
    ftl_frame made;
    FTL_TRY(ftl_frame_new(build, in->n_columns, &made, error));
    made.n_targets = in->n_targets;
    for (uint32_t i = 0; i < in->n_columns; i++) {
        ftl_frame_column column = in->columns[i];
        if (column.as == FTL_AS_LABEL) {
            const ftl_labels *labels = column.labels;
            if (!counts_up(labels)) {
                uint32_t id;
                FTL_TRY(label_numbers(build, e, &column, &id, error));
                column.op = id;
                column.column = 0;
            }
            column.as = labels->type == FTL_I64    ? FTL_AS_INT
                        : labels->type == FTL_BOOL ? FTL_AS_BOOL
                                                   : FTL_AS_FLOAT;
            column.labels = NULL;
        }
        made.columns[i] = column;
    }
    *out = made;
    return FTL_OK;
}

ftl_status ftl_frame_checked(ftl_build *build, const ftl_estimator *e, uint32_t refuse,
                             const ftl_frame *in, ftl_frame *out, ftl_error *error)
{
    uint32_t id;
    if (in->sparse)
        return ftl_linear_sources(build, e, in, refuse, out, error);
    FTL_TRY(ftl_build_checked_matrix(build, e, in, refuse, &id, error));
    return ftl_frame_like(build, id, in, out, error);
}
