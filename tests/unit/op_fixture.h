/*
 * Small graphs written by hand: INPUTS input columns, then operations; the last one's output is the
 * prediction.
 */
#ifndef FTL_TEST_OP_FIXTURE_H
#define FTL_TEST_OP_FIXTURE_H

#include "unit.h"

#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { MAX_OPS = 12, ROWS = 37, INPUTS = 4 };

typedef struct fixture {
    ftl_model model;
    ftl_account account;
    ftl_op ops[MAX_OPS];
    ftl_schema_column inputs[INPUTS];
    ftl_output outputs[32];
} fixture;

static inline void start(fixture *f)
{
    memset(f, 0, sizeof *f);
    ftl_account_init(&f->account, NULL, 0);
    ftl_account_init_child(&f->model.account, &f->account);
    ftl_model_init_accounts(&f->model);
    f->model.class_name = "test";
    f->model.inputs = f->inputs;
    f->model.graph.ops = f->ops;
    f->model.graph.n_inputs = INPUTS;
    for (uint32_t i = 0; i < INPUTS; i++) {
        f->inputs[i].batch_type = FTL_F64;
        f->ops[i] = (ftl_op){.kind = FTL_OP_INPUT, .width = 1, .path = "", .u.input.column = i};
    }
    f->model.graph.n_ops = INPUTS;
}

static inline ftl_op *add(fixture *f, ftl_op_kind kind, uint32_t width, const ftl_segment *segments,
                          uint32_t n)
{
    assert_true(f->model.graph.n_ops < MAX_OPS);
    ftl_op *op = &f->ops[f->model.graph.n_ops++];
    *op = (ftl_op){
        .kind = kind, .width = width, .segments = segments, .n_segments = n, .path = "t"};
    return op;
}

/* Runs the last op as the model's prediction; out: rows × its width. */
static inline void run(fixture *f, ftl_type dtype, uint32_t block, const ftl_matrix *in,
                       double *out)
{
    uint32_t last = (uint32_t)f->model.graph.n_ops - 1, width = f->ops[last].width;
    for (uint32_t i = 0; i < width; i++)
        f->outputs[i] = (ftl_output){.name = "p", .op = last, .column = i, .as = FTL_AS_FLOAT};
    f->model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){width, f->outputs};
    ftl_error error;
    ftl_plan *plan = NULL;
    ftl_exec exec;
    assert_int_equal(ftl_graph_validate(&f->model.graph, &f->account, &error), FTL_OK);
    assert_int_equal(ftl_plan_create(&f->model, dtype, 1u << FTL_PREDICT, block, &plan, &error),
                     FTL_OK);
    assert_int_equal(ftl_exec_init(&exec, plan, &f->account, &error), FTL_OK);
    ftl_batch batch = {.rows = in->rows, .n_columns = INPUTS, .matrix = in};
    for (size_t row = 0; row < in->rows; row += plan->block_rows) {
        size_t left = in->rows - row;
        uint32_t rows = left < plan->block_rows ? (uint32_t)left : plan->block_rows;
        ftl_exec_run(&exec, &batch, row, rows, 1u << FTL_PREDICT);
        const ftl_step *step = &plan->steps[last];
        for (size_t i = 0; i < (size_t)rows * width; i++)
            out[row * width + i] = step->is_f32 ? (double)((const float *)ftl_slot(step, &exec))[i]
                                                : ((const double *)ftl_slot(step, &exec))[i];
    }
    ftl_exec_free(&exec, &f->account);
    ftl_plan_destroy(plan);
    assert_int_equal(ftl_account_used(&f->account), 0);
}

#endif
