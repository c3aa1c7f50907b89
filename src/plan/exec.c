/* One thread's workspace for a plan: runs a block of rows through the steps in order. */
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ftl_status ftl_exec_init(ftl_exec *exec, const ftl_plan *plan, ftl_account *account,
                         ftl_error *error)
{
    *exec = (ftl_exec){.plan = plan};
    unsigned char *block = ftl_alloc(account, plan->workspace_bytes + plan->block_rows + 2 * 64);
    if (!block)
        return FTL_OOM(error);
    exec->allocation = block;
    exec->workspace = block + (-(uintptr_t)block & 63);
    exec->bad = exec->workspace + plan->workspace_bytes;
    /*
     * Slots are defined memory from the start: a row that was marked bad may leave its values
     * unwritten.
     */
    memset(exec->workspace, 0, plan->workspace_bytes + plan->block_rows);
    return FTL_OK;
}

void ftl_exec_free(ftl_exec *exec, ftl_account *account)
{
    ftl_free(account, exec->allocation);
    *exec = (ftl_exec){0};
}

void ftl_exec_bad(ftl_exec *exec, const ftl_step *step, uint32_t row, const char *column,
                  const char *format, ...)
{
    if (exec->bad[row])
        return; /* the first reason of a row is the one to tell */
    exec->bad[row] = 1;
    exec->n_bad++;
    if (row > exec->first_bad)
        return;
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    exec->first_bad = row;
    if (column)
        ftl_error_set(&exec->bad_error, FTL_VALUE, "column '%.120s': %s", column, reason);
    else
        ftl_error_set(&exec->bad_error, FTL_VALUE, "%s", reason);
    ftl_error_in(&exec->bad_error, step->op->path);
}

void ftl_exec_run(ftl_exec *exec, const ftl_batch *in, size_t in_row, uint32_t rows,
                  uint32_t methods)
{
    const ftl_plan *plan = exec->plan;
    exec->rows = rows;
    exec->in = in;
    exec->in_row = in_row;
    exec->n_bad = 0;
    exec->first_bad = UINT32_MAX;
    memset(exec->bad, 0, plan->block_rows);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const ftl_step *step = &plan->steps[i];
        if ((step->methods & methods) && step->run)
            step->run(step, exec);
    }
}
