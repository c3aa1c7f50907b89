/* The life of a plan: begun, bound to this process, held, released. */
#include "plan/plan.h"

ftl_status ftl_plan_new(const ftl_model *model, ftl_plan **out, ftl_error *error)
{
    /* counting is atomic; the model itself is not changed */
    ftl_account *account = (ftl_account *)&model->plan_account;
    ftl_plan *plan = ftl_alloc_zero(account, 1, sizeof *plan);
    if (!plan)
        return FTL_OOM(error);
    plan->model = model;
    ftl_account_init_child(&plan->account, account);
    ftl_account_init_child(&plan->session_account, (ftl_account *)&model->session_account);
    ftl_blob_init(&plan->blob, &plan->account, 0);
    ftl_arena_init(&plan->scratch, &plan->account);
    *out = plan;
    return FTL_OK;
}

void ftl_plan_destroy(ftl_plan *plan)
{
    if (!plan)
        return;
    ftl_blob_close(&plan->view, &plan->account);
    ftl_blob_free(&plan->blob);
    ftl_free(&plan->account, plan->functions);
    ftl_free(&plan->account, plan->running);
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

ftl_status ftl_plan_bind(ftl_plan *plan, ftl_error *error)
{
    plan->kernels = ftl_kernels_get();
    plan->functions = ftl_alloc_zero(&plan->account, plan->n_steps, sizeof *plan->functions);
    plan->running = ftl_alloc_array(&plan->account, plan->n_steps, sizeof *plan->running);
    if (!plan->functions || !plan->running)
        return FTL_OOM(error);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const ftl_step *step = &plan->steps[i];
        ftl_step_functions *functions = &plan->functions[i];
        if (!step->methods)
            continue;
        ftl_op_impls[step->op->kind]->bind(plan, step, functions);
        if (functions->run)
            plan->running[plan->n_running++] = (ftl_running){step, functions->run};
    }
    return FTL_OK;
}
