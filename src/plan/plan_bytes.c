/* Binding a plan to this process; plans as bytes, and back. */
#include "plan/plan.h"

enum { most_rows = 1 << 16 }; /* of a block */

ftl_status ftl_plan_write(const ftl_plan *plan, ftl_account *account, unsigned char **out,
                          size_t *size, ftl_error *error)
{
    if (plan->view.root)
        return FTL_FAIL(error, FTL_ARG, "the plan was opened from bytes: those are what it is");
    return ftl_blob_write(&plan->blob, account, 0, out, size, error);
}

static bool is_bool(const void *flag) { return *(const unsigned char *)flag <= 1; }

/*
 * What binding and the making of workspaces rely on. Whatever else a state says was proved when the
 * plan was compiled (see ftl_blob_open).
 */
static bool step_is_sound(const ftl_plan *plan, const ftl_step *step, size_t id)
{
    const ftl_op *op = step->op;
    if (!step->methods)
        return true;
    if (step->id != id || !op || !ftl_blob_has_state(&plan->view, op, sizeof *op, _Alignof(ftl_op)))
        return false;
    if ((unsigned)op->kind >= FTL_OP_KIND_COUNT || !ftl_op_impls[op->kind] ||
        (unsigned)op->edge > FTL_EDGE_SPARSE || !op->path)
        return false;
    if (op->n_segments == 0 && op->kind != FTL_OP_INPUT && op->kind != FTL_OP_CONSTANT)
        return false;
    if (op->n_segments &&
        !ftl_blob_has_data(&plan->view, op->segments, op->n_segments * sizeof *op->segments,
                           _Alignof(ftl_segment)))
        return false;
    for (uint32_t i = 0; i < op->n_segments; i++) {
        if (op->segments[i].op >= id || !plan->steps[op->segments[i].op].methods)
            return false;
    }
    if (!is_bool(&step->is_f32) || !is_bool(&step->writes_columns) ||
        !is_bool(&step->reads_columns))
        return false;
    return step->alias_of == UINT32_MAX ||
           (step->alias_of < id && plan->steps[step->alias_of].methods);
}

static bool image_is_sound(const ftl_plan *plan)
{
    const ftl_graph *graph = &plan->model->graph;
    if (plan->n_steps == 0 || plan->n_steps > SIZE_MAX / sizeof(ftl_step) ||
        !ftl_blob_has_state(&plan->view, plan->steps, plan->n_steps * sizeof(ftl_step),
                            _Alignof(ftl_step)))
        return false;
    if ((plan->input_dtype != FTL_F64 && plan->input_dtype != FTL_F32) || plan->block_rows == 0 ||
        plan->block_rows > most_rows)
        return false;
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        for (size_t i = 0; plan->methods & 1u << m && i < graph->methods[m].count; i++) {
            uint32_t id = graph->methods[m].outputs[i].op;
            if (id >= plan->n_steps || !(plan->steps[id].methods & 1u << m))
                return false;
        }
    }
    for (size_t i = 0; i < plan->n_steps; i++) {
        if (!step_is_sound(plan, &plan->steps[i], i))
            return false;
    }
    return true;
}

static ftl_status open_image(ftl_plan *plan, const void *bytes, size_t size, ftl_error *error)
{
    FTL_TRY(ftl_blob_open(bytes, size, &plan->account, &plan->view, error));
    const ftl_plan_image *image = plan->view.root;
    if (!ftl_blob_has_state(&plan->view, image, sizeof *image, _Alignof(ftl_plan_image)))
        return FTL_FAIL(error, FTL_CORRUPT, "the compiled plan has no steps");
    plan->input_dtype = (ftl_type)image->input_dtype;
    plan->methods = image->methods;
    plan->block_rows = image->block_rows;
    plan->n_steps = image->n_steps;
    plan->steps = image->steps;
    if (!image_is_sound(plan))
        return FTL_FAIL(error, FTL_CORRUPT, "the compiled plan is not one of this model");
    return ftl_plan_bind(plan, error);
}

ftl_status ftl_plan_open(const ftl_model *model, const void *bytes, size_t size, ftl_plan **out,
                         ftl_error *error)
{
    ftl_plan *plan;
    FTL_TRY(ftl_plan_new(model, &plan, error));
    ftl_status status = open_image(plan, bytes, size, error);
    if (status != FTL_OK) {
        ftl_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return FTL_OK;
}
