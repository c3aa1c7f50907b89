/*
 * Input columns. Numbers are read where they lie (sources.c); text becomes cells, missing ones
 * MISSING.
 */
#include "plan/plan.h"

static void run_text(const ftl_step *step, ftl_exec *exec)
{
    ftl_cell *out = ftl_slot(step, exec);
    const ftl_column *column = &exec->in->columns[step->op->u.input.column];
    const char *bytes = column->values;
    for (uint32_t i = 0; i < exec->rows; i++) {
        size_t row = exec->in_row + i;
        bool missing = column->validity && !((column->validity[row / 8] >> (row % 8)) & 1);
        uint32_t from = column->offsets[row];
        out[i] = (ftl_cell){.tag = missing ? FTL_CELL_MISSING : FTL_CELL_STRING,
                            .size = column->offsets[row + 1] - from,
                            .u.text = bytes + from};
    }
}

static ftl_status prepare(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    if (step->op->edge == FTL_EDGE_OBJECT)
        step->run = run_text;
    return FTL_OK;
}

const ftl_op_impl ftl_op_impl_input = {"input", prepare};
