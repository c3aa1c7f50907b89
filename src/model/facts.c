#include "model/facts.h"

#include "model/describe.h"

#include <math.h>
#include <string.h>

static bool encoder_may_refuse(const ftl_encode_op *encode)
{
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        const ftl_encode_column *column = &encode->columns[j];
        if (column->unknown == FTL_CODE_REFUSED)
            return true;
        for (uint32_t i = 0; column->codes && i < column->categories.count; i++) {
            if (column->codes[i] == FTL_CODE_REFUSED)
                return true;
        }
    }
    return false;
}

bool ftl_op_may_refuse(const ftl_op *op)
{
    if (!(ftl_op_describe(op->kind)->traits & FTL_MAY_REFUSE))
        return false;
    switch (op->kind) {
    case FTL_OP_ONEHOT:
    case FTL_OP_ORDINAL:
    case FTL_OP_DOMAIN_OBJECT:
        return encoder_may_refuse(&op->u.encode);
    case FTL_OP_IMPUTE_OBJECT:
        return op->u.impute_object.refuse_missing;
    case FTL_OP_INDICATOR:
        return op->u.indicator.n_refused > 0;
    case FTL_OP_POWER:
        return op->u.power.rule == FTL_POWER_BOX_COX;
    default:
        return true;
    }
}

/* The source of column c of an op that hands its columns on, missing ones filled in perhaps. */
static bool step_back(const ftl_graph *graph, uint32_t *id, uint32_t *column)
{
    const ftl_op *op = &graph->ops[*id];
    uint32_t c = *column;
    switch (op->kind) {
    case FTL_OP_GATHER:
    case FTL_OP_GATHER_OBJECT:
    case FTL_OP_CHECK:
    case FTL_OP_CAST:
    case FTL_OP_DOMAIN:
    case FTL_OP_DOMAIN_OBJECT:
        break;
    case FTL_OP_IMPUTE:
        c = op->u.impute.columns[c];
        break;
    case FTL_OP_IMPUTE_OBJECT:
        c = op->u.impute_object.columns[c];
        break;
    default:
        return false;
    }
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (c < op->segments[s].count) {
            *id = op->segments[s].op;
            *column = op->segments[s].first + c;
            return graph->ops[*id].edge != FTL_EDGE_CODED;
        }
        c -= op->segments[s].count;
    }
    return false;
}

/* Sources come earlier, so this ends. */
static void note_source(const ftl_graph *graph, uint32_t id, uint32_t column,
                        ftl_category_place place, ftl_category_place *out)
{
    while (graph->ops[id].kind != FTL_OP_INPUT) {
        if (!step_back(graph, &id, &column))
            return;
    }
    ftl_category_place *first = &out[graph->ops[id].u.input.column];
    if (!first->encoded)
        *first = place;
}

void ftl_graph_categories(const ftl_graph *graph, ftl_category_place *out)
{
    memset(out, 0, graph->n_inputs * sizeof *out);
    for (size_t i = 0; i < graph->n_ops; i++) {
        const ftl_op *op = &graph->ops[i];
        uint32_t j = 0;
        if (op->kind != FTL_OP_ONEHOT && op->kind != FTL_OP_ORDINAL)
            continue;
        for (uint32_t s = 0; s < op->n_segments; s++) {
            for (uint32_t c = 0; c < op->segments[s].count; c++, j++)
                note_source(graph, op->segments[s].op, op->segments[s].first + c,
                            (ftl_category_place){&op->u.encode.columns[j], (uint32_t)i, j}, out);
        }
    }
}

ftl_cell ftl_category_cell(const ftl_categories *categories, uint32_t i)
{
    if (!categories->numeric)
        return categories->cells[i];
    double number = categories->numbers[i];
    if (number >= -1e15 && number <= 1e15 && (double)(int64_t)number == number)
        return (ftl_cell){.tag = FTL_CELL_INT, .u.integer = (int64_t)number};
    return isnan(number) ? (ftl_cell){.tag = FTL_CELL_MISSING}
                         : (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = number};
}

void ftl_graph_f32(const ftl_graph *graph, ftl_type input, bool *out)
{
    for (size_t i = 0; i < graph->n_ops; i++) {
        const ftl_op *op = &graph->ops[i];
        bool sources = true;
        for (uint32_t s = 0; s < op->n_segments; s++)
            sources = sources && out[op->segments[s].op];
        out[i] = ftl_op_is_f32(op, input, op->n_segments > 0 && out[op->segments[0].op], sources);
    }
}

/* ---- Missing cells that a later step refuses -------------------------------------------------- */

/* How a NaN comes through an op. */
typedef enum passing {
    PASSES_NOWHERE, /* or perhaps not */
    PASSES_IN_PLACE,
    PASSES_EVERYWHERE /* into all columns */
} passing;

static passing passing_of(const ftl_op *op)
{
    switch (op->kind) {
    case FTL_OP_GATHER:
    case FTL_OP_CAST:
    case FTL_OP_CHECK:
    case FTL_OP_AFFINE:
    case FTL_OP_QUANTILES:
        return op->edge == FTL_EDGE_NUM ? PASSES_IN_PLACE : PASSES_NOWHERE;
    case FTL_OP_NORMALIZE:
    case FTL_OP_LINEAR:
        return op->edge == FTL_EDGE_NUM ? PASSES_EVERYWHERE : PASSES_NOWHERE;
    default:
        return PASSES_NOWHERE;
    }
}

typedef struct search {
    const ftl_graph *graph;
    bool *needed;   /* [n_ops] by the method */
    bool **refused; /* [n_ops] NULL or [width]: a NaN there is refused */
    ftl_arena *scratch;
} search;

static bool *columns_of(search *s, uint32_t id)
{
    if (!s->refused[id])
        s->refused[id] = ftl_arena_zero_array(s->scratch, s->graph->ops[id].width, sizeof(bool));
    return s->refused[id];
}

static ftl_status hand_back(search *s, const ftl_op *op, const bool *refused, ftl_error *error)
{
    passing how = passing_of(op);
    bool any = false;
    uint32_t column = 0;
    for (uint32_t c = 0; c < op->width; c++)
        any = any || refused[c];
    for (uint32_t k = 0; any && how != PASSES_NOWHERE && k < op->n_segments; k++) {
        const ftl_segment *segment = &op->segments[k];
        const ftl_op *source = &s->graph->ops[segment->op];
        bool *back = source->edge == FTL_EDGE_NUM ? columns_of(s, segment->op) : NULL;
        if (!back && source->edge == FTL_EDGE_NUM)
            return FTL_OOM(error);
        for (uint32_t c = 0; c < segment->count; c++, column++) {
            bool hit = how == PASSES_EVERYWHERE || (column < op->width && refused[column]);
            if (back && hit && segment->first + c < source->width)
                back[segment->first + c] = true;
        }
    }
    return FTL_OK;
}

static void mark_needed(const ftl_graph *graph, ftl_method method, bool *needed)
{
    const ftl_method_outputs *outputs = &graph->methods[method];
    for (size_t i = 0; i < outputs->count; i++)
        needed[outputs->outputs[i].op] = true;
    for (size_t id = graph->n_ops; id-- > 0;) {
        for (uint32_t k = 0; needed[id] && k < graph->ops[id].n_segments; k++)
            needed[graph->ops[id].segments[k].op] = true;
    }
}

ftl_status ftl_graph_refused(const ftl_graph *graph, ftl_method method, ftl_arena *scratch,
                             bool *out, ftl_error *error)
{
    search s = {.graph = graph, .scratch = scratch};
    s.needed = ftl_arena_zero_array(scratch, graph->n_ops + 1, sizeof *s.needed);
    s.refused = ftl_arena_zero_array(scratch, graph->n_ops + 1, sizeof *s.refused);
    if (!s.needed || !s.refused)
        return FTL_OOM(error);
    mark_needed(graph, method, s.needed);
    for (size_t id = graph->n_ops; id-- > 0;) {
        const ftl_op *op = &graph->ops[id];
        bool checks = op->kind == FTL_OP_CHECK && op->edge == FTL_EDGE_NUM &&
                      op->u.check.refuse & FTL_CHECK_NAN;
        if (!s.needed[id] || (!checks && !s.refused[id]))
            continue;
        bool *refused = columns_of(&s, (uint32_t)id);
        if (!refused)
            return FTL_OOM(error);
        if (checks)
            memset(refused, true, op->width * sizeof *refused);
        if (op->kind == FTL_OP_INPUT)
            out[op->u.input.column] = out[op->u.input.column] || refused[0];
        FTL_TRY(hand_back(&s, op, refused, error));
    }
    return FTL_OK;
}
