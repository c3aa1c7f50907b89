/*
 * Graph → plan: which steps are needed, their dtypes, their slots in the workspace, their prepared
 * states.
 */
#include "plan/plan.h"

#include "base/checked.h"

#include <string.h>

enum {
    smallest_block = 16,
    usual_smallest_block = 256,
    largest_block = 4096,
    workspace_aim = 1 << 20, /* stays in a core's L2 with room for the model */
    workspace_limit = 1 << 28,
    sparse_row_aim = 1 << 10 /* what a row of a sparse edge is taken to need */
};

static void mark_needed(ftl_plan *plan, const ftl_graph *graph)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        if (!(plan->methods & 1u << m))
            continue;
        for (size_t i = 0; i < graph->methods[m].count; i++)
            plan->steps[graph->methods[m].outputs[i].op].methods |= 1u << m;
    }
    for (size_t id = graph->n_ops; id-- > 0;) {
        for (uint32_t i = 0; i < graph->ops[id].n_segments; i++)
            plan->steps[graph->ops[id].segments[i].op].methods |= plan->steps[id].methods;
    }
}

/*
 * numpy's promotion: a NUM edge is float32 only when every numeric source is. cells count as
 * float64.
 */
static bool resolve_f32(const ftl_plan *plan, const ftl_op *op)
{
    if (op->edge == FTL_EDGE_OBJECT)
        return false;
    if (op->edge == FTL_EDGE_CODED)
        return op->dtype == FTL_DTYPE_F32; /* the encoder's dtype parameter */
    if (op->dtype != FTL_DTYPE_SAME)
        return op->dtype == FTL_DTYPE_F32;
    if (op->kind == FTL_OP_INPUT)
        return plan->input_dtype == FTL_F32;
    if (op->n_segments == 0)
        return false;
    for (uint32_t i = 0; i < op->n_segments; i++) {
        if (!plan->steps[op->segments[i].op].is_f32)
            return false;
    }
    return true;
}

static size_t element_size(const ftl_step *step)
{
    switch (step->op->edge) {
    case FTL_EDGE_CODED:
        return sizeof(int32_t);
    case FTL_EDGE_OBJECT:
        return sizeof(ftl_cell);
    default:
        return step->is_f32 ? sizeof(float) : sizeof(double);
    }
}

static size_t slot_row_bytes(const ftl_step *step)
{
    /* Numeric input columns are read where they lie. */
    if (!step->methods || step->alias_of != UINT32_MAX || step->op->edge == FTL_EDGE_SPARSE ||
        (step->op->kind == FTL_OP_INPUT && step->op->edge == FTL_EDGE_NUM))
        return 0;
    return step->slot_width * element_size(step);
}

static uint32_t choose_rows(const ftl_plan *plan, uint32_t wanted)
{
    size_t row_bytes = 1, largest = 1;
    for (size_t i = 0; i < plan->n_steps; i++) {
        row_bytes += plan->steps[i].slot_row_bytes;
        row_bytes += plan->steps[i].scratch_rows ? 0 : plan->steps[i].scratch_per_row;
        largest = plan->steps[i].slot_width > largest ? plan->steps[i].slot_width : largest;
        if (plan->steps[i].methods && plan->steps[i].op->edge == FTL_EDGE_SPARSE)
            row_bytes += sparse_row_aim;
    }
    size_t rows = wanted ? wanted : workspace_aim / row_bytes;
    if (!wanted && rows < usual_smallest_block)
        rows = usual_smallest_block;
    if (rows > workspace_limit / row_bytes)
        rows = workspace_limit / row_bytes;
    if (rows > largest_block)
        rows = largest_block;
    if (!wanted)
        rows = rows / smallest_block * smallest_block;
    return rows < 1 ? 1 : (uint32_t)rows;
}

/* Operations that work in the type of their matrix write slots of that type: a rule that says
 * otherwise would make them read or write past a slot. Only a plan knows the types, so this is not
 * the validator's. */
static bool keeps_dtype(ftl_op_kind kind)
{
    switch (kind) {
    case FTL_OP_CHECK:
    case FTL_OP_AFFINE:
    case FTL_OP_NORMALIZE:
    case FTL_OP_IMPUTE:
    case FTL_OP_POLYNOMIAL:
    case FTL_OP_UFUNC:
    case FTL_OP_BINARIZE:
    case FTL_OP_BINS:
    case FTL_OP_QUANTILES:
        return true;
    default:
        return false;
    }
}

static ftl_status check_dtype(const ftl_plan *plan, const ftl_step *step, ftl_error *error)
{
    if (!keeps_dtype(step->op->kind) ||
        plan->steps[step->op->segments[0].op].is_f32 == step->is_f32)
        return FTL_OK;
    return FTL_FAIL(error, FTL_INTERNAL,
                    "a %s step may not change the type of its source; cast it first",
                    ftl_op_name(step->op->kind));
}

static ftl_status prepare_steps(ftl_plan *plan, ftl_error *error)
{
    const ftl_graph *graph = &plan->model->graph;
    for (size_t id = 0; id < graph->n_ops; id++) {
        ftl_step *step = &plan->steps[id];
        step->op = &graph->ops[id];
        step->id = (uint32_t)id;
        step->alias_of = UINT32_MAX;
        step->is_f32 = resolve_f32(plan, step->op);
        step->slot_width = step->op->width;
        if (step->op->edge == FTL_EDGE_CODED)
            step->slot_width = ftl_op_source_columns(step->op);
        if (!step->methods)
            continue;
        const ftl_op_impl *impl = ftl_op_impls[step->op->kind];
        if (!impl)
            return FTL_FAIL(error, FTL_UNSUPPORTED, "this build cannot run %s steps",
                            ftl_op_name(step->op->kind));
        ftl_status status = check_dtype(plan, step, error);
        if (status == FTL_OK)
            status = impl->prepare(plan, step, error);
        if (status != FTL_OK) {
            ftl_error_in(error, step->op->path);
            return status;
        }
    }
    return FTL_OK;
}

static ftl_status list_running(ftl_plan *plan, ftl_error *error)
{
    plan->running = ftl_arena_array(&plan->arena, plan->n_steps, sizeof(const ftl_step *));
    if (!plan->running)
        return FTL_OOM(error);
    for (size_t i = 0; i < plan->n_steps; i++) {
        if (plan->steps[i].methods && plan->steps[i].run)
            plan->running[plan->n_running++] = &plan->steps[i];
    }
    return FTL_OK;
}

static ftl_status make_plan(ftl_plan *plan, uint32_t methods, uint32_t block_rows, ftl_error *error)
{
    plan->methods = methods;
    plan->n_steps = plan->model->graph.n_ops;
    plan->steps = ftl_arena_zero_array(&plan->arena, plan->n_steps, sizeof *plan->steps);
    if (!plan->steps)
        return FTL_OOM(error);
    mark_needed(plan, &plan->model->graph);
    FTL_TRY(prepare_steps(plan, error));
    for (size_t i = 0; i < plan->n_steps; i++)
        plan->steps[i].slot_row_bytes = slot_row_bytes(&plan->steps[i]);
    plan->block_rows = choose_rows(plan, block_rows);
    return list_running(plan, error);
}

ftl_status ftl_plan_create(const ftl_model *model, ftl_type input_dtype, uint32_t methods,
                           uint32_t block_rows, ftl_plan **out, ftl_error *error)
{
    /* counting is atomic; the model itself is not changed */
    ftl_account *account = (ftl_account *)&model->plan_account;
    ftl_plan *plan = ftl_alloc_zero(account, 1, sizeof *plan);
    if (!plan)
        return FTL_OOM(error);
    plan->model = model;
    plan->input_dtype = input_dtype;
    ftl_account_init_child(&plan->account, (ftl_account *)&model->plan_account);
    ftl_account_init_child(&plan->session_account, (ftl_account *)&model->session_account);
    ftl_arena_init(&plan->arena, &plan->account);
    ftl_status status = make_plan(plan, methods, block_rows, error);
    if (status != FTL_OK) {
        ftl_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return FTL_OK;
}

void ftl_plan_destroy(ftl_plan *plan)
{
    if (!plan)
        return;
    ftl_arena_free(&plan->arena);
    ftl_free((ftl_account *)&plan->model->plan_account, plan);
}

ftl_plan *ftl_plan_retain(ftl_plan *plan)
{
    atomic_fetch_add_explicit(&plan->holders, 1, memory_order_relaxed);
    (void)ftl_model_retain((ftl_model *)plan->model);
    return plan;
}

void ftl_plan_release(ftl_plan *plan)
{
    if (!plan)
        return;
    ftl_model *model = (ftl_model *)plan->model; /* the plan may be gone in a moment */
    atomic_fetch_sub_explicit(&plan->holders, 1, memory_order_acq_rel);
    ftl_model_release(model);
}
