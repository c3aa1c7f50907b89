/* One thread's workspace for a plan: runs a block of rows through the steps in order. */
#include "plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The parts that depend on what the plan's steps are; freed by ftl_exec_free also when half made.
 */
static ftl_status open_steps(ftl_exec *exec, ftl_error *error)
{
    const ftl_plan *plan = exec->plan;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const ftl_step *step = &plan->steps[i];
        if (!step->methods)
            continue;
        if (step->op->edge == FTL_EDGE_SPARSE) {
            if (!exec->sparse)
                exec->sparse = ftl_alloc_zero(exec->account, plan->n_steps, sizeof *exec->sparse);
            if (!exec->sparse)
                return FTL_OOM(error);
            ftl_sparse *sparse = &exec->sparse[i];
            sparse->start = ftl_alloc_zero(exec->account, plan->block_rows + (size_t)1,
                                           sizeof *sparse->start);
            if (!sparse->start)
                return FTL_OOM(error);
            /* arrays of no entries are arrays too: rows are found by adding to them */
            FTL_TRY(ftl_grow(exec->account, &sparse->columns, &sparse->columns_room, 1,
                             sizeof *sparse->columns, error));
            FTL_TRY(ftl_grow(exec->account, &sparse->values, &sparse->values_room, 1,
                             sizeof *sparse->values, error));
        }
        if (step->open) {
            if (!exec->locals)
                exec->locals = ftl_alloc_zero(exec->account, plan->n_steps, sizeof *exec->locals);
            if (!exec->locals)
                return FTL_OOM(error);
            FTL_TRY(step->open(step, exec->account, &exec->locals[i], error));
        }
    }
    return FTL_OK;
}

ftl_status ftl_exec_init(ftl_exec *exec, const ftl_plan *plan, ftl_account *account,
                         ftl_error *error)
{
    *exec = (ftl_exec){.plan = plan, .account = account};
    /*
     * Slots are defined memory from the start: a row that was marked bad may leave its values
     * unwritten.
     */
    unsigned char *block = ftl_alloc_zero(account, 1,
                                          plan->workspace_bytes + plan->block_rows + 2 * 64);
    if (!block)
        return FTL_OOM(error);
    exec->allocation = block;
    exec->workspace = block + (-(uintptr_t)block & 63);
    exec->bad = exec->workspace + plan->workspace_bytes;
    ftl_status status = open_steps(exec, error);
    if (status != FTL_OK)
        ftl_exec_free(exec, account);
    return status;
}

void ftl_exec_free(ftl_exec *exec, ftl_account *account)
{
    for (size_t i = 0; exec->sparse && i < exec->plan->n_steps; i++) {
        ftl_free(account, exec->sparse[i].start);
        ftl_free(account, exec->sparse[i].columns);
        ftl_free(account, exec->sparse[i].values);
    }
    ftl_free(account, exec->sparse);
    for (size_t i = 0; exec->locals && i < exec->plan->n_steps; i++) {
        if (exec->locals[i])
            exec->plan->steps[i].close(account, exec->locals[i]);
    }
    ftl_free(account, exec->locals);
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

void ftl_exec_fail(ftl_exec *exec, const ftl_step *step, ftl_status status, const char *format, ...)
{
    char reason[400];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    exec->status = status;
    ftl_error_set(&exec->error, status, "%s", reason);
    ftl_error_in(&exec->error, step->op->path);
}

bool ftl_sparse_reserve(const ftl_step *step, ftl_exec *exec, size_t entries)
{
    ftl_sparse *sparse = ftl_sparse_of(step, exec);
    if (FTL_LIKELY(entries <= sparse->columns_room && entries <= sparse->values_room))
        return true;
    if (entries > INT32_MAX) {
        ftl_exec_fail(exec, step, FTL_LIMIT,
                      "a block of rows has more than 2 billion words; use smaller batches");
        return false;
    }
    ftl_error error;
    ftl_status status = ftl_grow(exec->account, &sparse->columns, &sparse->columns_room, entries,
                                 sizeof *sparse->columns, &error);
    if (status == FTL_OK)
        status = ftl_grow(exec->account, &sparse->values, &sparse->values_room, entries,
                          sizeof *sparse->values, &error);
    if (status != FTL_OK)
        ftl_exec_fail(exec, step, status, "out of memory for the words of a block of rows");
    return status == FTL_OK;
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
    exec->status = FTL_OK;
    memset(exec->bad, 0, plan->block_rows);
    for (size_t i = 0; i < plan->n_steps && exec->status == FTL_OK; i++) {
        const ftl_step *step = &plan->steps[i];
        if ((step->methods & methods) && step->run)
            step->run(step, exec);
    }
}
