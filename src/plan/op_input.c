/*
 * Input columns. Numbers are read where they lie (input_column.c); inputs that the model takes as
 * text become cells.
 */
#include "plan/input_column.h"

static void run_text(const ftl_step *step, ftl_exec *exec)
{
    ftl_input_cells(step, exec, step->op->u.input.column, exec->locals[step->id],
                    ftl_slot(step, exec));
}

static ftl_status open_texts(const ftl_step *step, ftl_account *account, void **local,
                             ftl_error *error)
{
    (void)step;
    *local = ftl_alloc_zero(account, 1, sizeof(ftl_input_texts));
    return *local ? FTL_OK : FTL_OOM(error);
}

static void close_texts(ftl_account *account, void *local)
{
    ftl_input_texts *texts = local;
    ftl_free(account, texts->data);
    ftl_free(account, texts);
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    if (step->op->edge == FTL_EDGE_OBJECT) {
        out->run = run_text;
        out->open = open_texts;
        out->close = close_texts;
    }
}

const ftl_op_impl ftl_op_impl_input = {.name = "input", .bind = bind};
