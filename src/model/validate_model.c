/* The validator's part for what a model is beside its graph: schema and labels. */
#include "model/describe.h"

/* Nobody looks at a column that the schema calls unused; callers may leave it out. */
static ftl_status check_use(const ftl_model *model, uint32_t id, ftl_error *error)
{
    const ftl_op *op = &model->graph.ops[id];
    if (op->kind != FTL_OP_INPUT || model->inputs[op->u.input.column].kind != FTL_KIND_UNUSED)
        return FTL_OK;
    return FTL_FAIL(error, FTL_CORRUPT, "input column %u is read, but said to be unused",
                    op->u.input.column);
}

static ftl_status check_inputs(const ftl_model *model, ftl_error *error)
{
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        const ftl_input_schema *column = &model->inputs[i];
        bool text = column->kind == FTL_KIND_STRING || column->kind == FTL_KIND_MIXED;
        if (column->batch_type != (text ? FTL_STRING : FTL_F64))
            return FTL_FAIL(error, FTL_CORRUPT, "input column %zu is of another type than its kind",
                            i);
        if (model->has_input_names && !column->name)
            return FTL_FAIL(error, FTL_CORRUPT, "input column %zu has no name, but others have", i);
    }
    for (size_t i = 0; i < model->graph.n_ops; i++) {
        const ftl_op *op = &model->graph.ops[i];
        bool text = op->edge == FTL_EDGE_OBJECT;
        for (uint32_t k = 0; k < op->n_segments; k++)
            FTL_TRY(check_use(model, op->segments[k].op, error));
        if (op->kind == FTL_OP_INPUT &&
            text != (model->inputs[op->u.input.column].batch_type == FTL_STRING))
            return FTL_FAIL(error, FTL_CORRUPT, "input column %u is read as another type",
                            op->u.input.column);
    }
    return FTL_OK;
}

/* Cells are shown by the labels' type. */
static ftl_status check_labels(const ftl_labels *labels, ftl_error *error)
{
    uint32_t allowed = labels->type == FTL_I64      ? 1u << FTL_CELL_INT
                       : labels->type == FTL_BOOL   ? 1u << FTL_CELL_BOOL
                       : labels->type == FTL_F64    ? 1u << FTL_CELL_FLOAT | 1u << FTL_CELL_MISSING
                       : labels->type == FTL_STRING ? UINT32_MAX
                                                    : 0;
    if (labels->count && !labels->cells)
        return FTL_FAIL(error, FTL_CORRUPT, "there are no class labels");
    for (uint32_t i = 0; i < labels->count; i++) {
        const ftl_cell *cell = &labels->cells[i];
        if (cell->tag > FTL_CELL_BOOL || !(allowed >> cell->tag & 1) ||
            (cell->tag == FTL_CELL_STRING && !cell->u.text))
            return FTL_FAIL(error, FTL_CORRUPT, "class label %u is of another type", i);
    }
    return FTL_OK;
}

static ftl_status check_outputs(const ftl_model *model, ftl_error *error)
{
    const ftl_labels *last = NULL;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        for (size_t i = 0; i < model->graph.methods[m].count; i++) {
            const ftl_labels *labels = model->graph.methods[m].outputs[i].labels;
            FTL_TRY(check_use(model, model->graph.methods[m].outputs[i].op, error));
            if (labels && labels != last)
                FTL_TRY(check_labels(labels, error));
            last = labels;
        }
    }
    for (size_t i = 0; i < model->n_classes; i++) {
        if (!model->classes[i])
            return FTL_FAIL(error, FTL_CORRUPT, "the classes of target %zu are missing", i);
        FTL_TRY(check_labels(model->classes[i], error));
    }
    return FTL_OK;
}

ftl_status ftl_model_validate(const ftl_model *model, ftl_account *scratch, ftl_error *error)
{
    FTL_TRY(ftl_graph_validate(&model->graph, scratch, error));
    FTL_TRY(check_inputs(model, error));
    return check_outputs(model, error);
}
