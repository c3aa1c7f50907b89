/*
 * Graph → plan: which steps are needed, their dtypes, their slots in the workspace, their compiled
 * states.
 */
#include "plan/plan.h"

#include "base/hash.h"
#include "model/facts.h"

#include <string.h>

enum {
    smallest_block = 16,
    usual_smallest_block = 256,
    largest_block = 4096,
    workspace_aim = 1 << 20, /* stays in a core's L2 with room for the model */
    workspace_limit = 1 << 28,
    sparse_row_aim = 1 << 10 /* what a row of a sparse edge is taken to need */
};

static void mark_sources(ftl_plan *plan, const ftl_graph *graph)
{
    for (size_t id = graph->n_ops; id-- > 0;) {
        for (uint32_t i = 0; i < graph->ops[id].n_segments; i++)
            plan->steps[graph->ops[id].segments[i].op].methods |= plan->steps[id].methods;
    }
}

/*
 * Steps that a wanted method's outputs depend on. The library runs a step whether or not somebody
 * reads its result, such as an encoder whose columns a selector drops: one that may refuse rows and
 * that no method depends on is every method's.
 */
static void mark_needed(ftl_plan *plan, const ftl_graph *graph)
{
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        for (size_t i = 0; i < graph->methods[m].count; i++)
            plan->steps[graph->methods[m].outputs[i].op].methods |= 1u << m;
    }
    mark_sources(plan, graph);
    for (size_t id = 0; id < graph->n_ops; id++) {
        if (!plan->steps[id].methods && ftl_op_may_refuse(&graph->ops[id]))
            plan->steps[id].methods = UINT32_MAX;
    }
    mark_sources(plan, graph);
    for (size_t id = 0; id < graph->n_ops; id++)
        plan->steps[id].methods &= plan->methods;
}

static bool resolve_f32(const ftl_plan *plan, const ftl_op *op)
{
    bool sources = true;
    for (uint32_t i = 0; i < op->n_segments; i++)
        sources = sources && plan->steps[op->segments[i].op].is_f32;
    bool first = op->n_segments > 0 && plan->steps[op->segments[0].op].is_f32;
    return ftl_op_is_f32(op, plan->input_dtype, first, sources);
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

/*
 * Operations that work in the type of their matrix write slots of that type: a rule that says
 * otherwise would make them read or write past a slot. Only a plan knows the types, so this is not
 * the validator's.
 */
static ftl_status check_dtype(const ftl_plan *plan, const ftl_step *step, ftl_error *error)
{
    if (!ftl_op_keeps_dtype(step->op->kind) ||
        plan->steps[step->op->segments[0].op].is_f32 == step->is_f32)
        return FTL_OK;
    return FTL_FAIL(error, FTL_INTERNAL,
                    "a %s step may not change the type of its source; cast it first",
                    ftl_op_name(step->op->kind));
}

/* Compiles the step and leaves in its operation what running reads. */
static ftl_status compile_step(ftl_plan *plan, ftl_step *step, ftl_op *op, ftl_error *error)
{
    const ftl_op_impl *impl = ftl_op_impls[op->kind];
    if (!impl)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "this build cannot run %s steps",
                        ftl_op_name(op->kind));
    FTL_TRY(check_dtype(plan, step, error));
    if (impl->compile)
        FTL_TRY(impl->compile(plan, step, error));
    if (impl->keep)
        impl->keep(&plan->blob, step, op);
    ftl_blob_borrow(&plan->blob, &op->segments, op->n_segments, sizeof *op->segments);
    ftl_blob_borrow_text(&plan->blob, &op->path);
    ftl_blob_ref(&plan->blob, &step->op);
    ftl_blob_ref(&plan->blob, &step->state);
    return FTL_OK;
}

static ftl_status compile_steps(ftl_plan *plan, ftl_error *error)
{
    const ftl_graph *graph = &plan->model->graph;
    for (size_t id = 0; id < graph->n_ops; id++) {
        ftl_step *step = &plan->steps[id];
        const ftl_op *op = &graph->ops[id];
        step->id = (uint32_t)id;
        step->alias_of = UINT32_MAX;
        step->is_f32 = resolve_f32(plan, op);
        step->slot_width = op->edge == FTL_EDGE_CODED ? ftl_op_source_columns(op) : op->width;
        if (!step->methods)
            continue;
        ftl_op *own = ftl_blob_state(&plan->blob, 1, sizeof *own);
        if (!own)
            return FTL_OOM(error);
        ftl_op_copy(own, op);
        step->op = own;
        ftl_status status = compile_step(plan, step, own, error);
        if (status != FTL_OK) {
            ftl_error_in(error, op->path);
            return status;
        }
    }
    return plan->blob.failed ? FTL_OOM(error) : FTL_OK;
}

/* A step whose matrix lies as its source's does: a check, or one that works on either. */
static bool lies_as_source(const ftl_step *step)
{
    return step->alias_of != UINT32_MAX || (step->reads_columns && step->writes_columns);
}

/*
 * Edges lie by columns where the step that writes one and all that read it can, and steps in
 * between that lie as their source. What a method yields is read by rows.
 */
static ftl_status choose_layouts(ftl_plan *plan, ftl_error *error)
{
    const ftl_graph *graph = &plan->model->graph;
    bool *rows = ftl_arena_zero_array(&plan->scratch, plan->n_steps, sizeof *rows);
    if (!rows)
        return FTL_OOM(error);
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        for (size_t i = 0; plan->methods & 1u << m && i < graph->methods[m].count; i++)
            rows[graph->methods[m].outputs[i].op] = true;
    }
    for (size_t id = plan->n_steps; id-- > 0;) {
        const ftl_step *step = &plan->steps[id];
        bool reads = lies_as_source(step) ? !rows[id] : step->reads_columns;
        for (uint32_t i = 0; step->methods && i < step->op->n_segments; i++) {
            if (!reads)
                rows[step->op->segments[i].op] = true;
        }
    }
    for (size_t id = 0; id < plan->n_steps; id++) {
        ftl_step *step = &plan->steps[id];
        if (step->methods && lies_as_source(step))
            step->layout = plan->steps[step->op->segments[0].op].layout;
        else if (step->methods && step->writes_columns && !rows[id])
            step->layout = FTL_LAYOUT_BATCH;
    }
    return FTL_OK;
}

static ftl_status compile(ftl_plan *plan, const ftl_compile_options *options, ftl_error *error)
{
    ftl_plan_image *image = ftl_blob_state(&plan->blob, 1, sizeof *image);
    plan->methods = options->methods;
    plan->n_steps = plan->model->graph.n_ops;
    plan->steps = ftl_blob_state(&plan->blob, plan->n_steps, sizeof *plan->steps);
    if (!image || !plan->steps)
        return FTL_OOM(error);
    mark_needed(plan, &plan->model->graph);
    FTL_TRY(compile_steps(plan, error));
    for (size_t i = 0; i < plan->n_steps; i++)
        plan->steps[i].slot_row_bytes = slot_row_bytes(&plan->steps[i]);
    FTL_TRY(choose_layouts(plan, error));
    plan->block_rows = choose_rows(plan, options->block_rows);
    image->input_dtype = (uint32_t)plan->input_dtype;
    image->methods = plan->methods;
    image->block_rows = plan->block_rows;
    image->n_steps = plan->n_steps;
    image->steps = plan->steps;
    ftl_blob_ref(&plan->blob, &image->steps);
    if (plan->blob.failed)
        return FTL_OOM(error);
    return ftl_plan_bind(plan, error);
}

/*
 * A plan may take as much as opening the model may: what the file shares, the model shares, and
 * steps may hold a copy each.
 */
static ftl_status compile_within_budget(ftl_plan *plan, const ftl_model *model,
                                        const ftl_compile_options *options, ftl_error *error)
{
    ftl_budget budget = {.bytes = model->read_bytes};
    plan->account.budget = &budget;
    ftl_status status = compile(plan, options, error);
    plan->account.budget = NULL;
    if (!budget.passed)
        return status;
    return FTL_FAIL_BECAUSE(
        error, FTL_LIMIT, FTL_REASON_PLAN_SIZE,
        "the model blows up: its plan takes too much memory for a file of %llu bytes",
        (unsigned long long)budget.bytes);
}

ftl_status ftl_plan_compile(const ftl_model *model, const ftl_compile_options *options,
                            ftl_plan **out, ftl_error *error)
{
    ftl_plan *plan;
    FTL_TRY(ftl_plan_new(model, &plan, error));
    plan->input_dtype = options->input_dtype;
    plan->blob.owns_all = options->owns_all;
    plan->blob.seed = options->seed ? options->seed : ftl_hash_seed();
    ftl_status status = compile_within_budget(plan, model, options, error);
    ftl_arena_free(&plan->scratch);
    plan->shared_trees = NULL;
    if (status != FTL_OK) {
        ftl_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return FTL_OK;
}

ftl_status ftl_plan_create(const ftl_model *model, ftl_type input_dtype, uint32_t methods,
                           uint32_t block_rows, ftl_plan **out, ftl_error *error)
{
    const ftl_compile_options options = {
        .input_dtype = input_dtype, .methods = methods, .block_rows = block_rows};
    return ftl_plan_compile(model, &options, out, error);
}
