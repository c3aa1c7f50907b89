/* One thread's workspace for a plan: runs a block of rows through the steps in order. */
#include "plan/plan.h"

#include "base/checked.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { slot_alignment = 64, least_scratch_rows = 64, least_column_rows = 16 };

/* ---- Room for rows --------------------------------------------------------------------------- */

/* Few sizes, so that a session that sees batches of many lengths grows a few times only. */
static uint32_t capacity_for(const ftl_plan *plan, uint32_t rows)
{
    uint32_t capacity = 1;
    while (capacity < rows)
        capacity = capacity == 1 ? 16 : capacity * 4;
    return capacity < plan->block_rows ? capacity : plan->block_rows;
}

/* Adds size bytes at a multiple of the alignment; *at: where they begin. */
static bool place(size_t *end, size_t size, size_t *at)
{
    *at = *end;
    return ftl_add_size(*end, size, end) && ftl_add_size(*end, slot_alignment - 1, end) &&
           (*end &= ~(size_t)(slot_alignment - 1), true);
}

static bool scratch_bytes(const ftl_step *step, uint32_t capacity, size_t *out)
{
    size_t rows = ((size_t)capacity + least_scratch_rows - 1) / least_scratch_rows *
                  least_scratch_rows;
    if (step->scratch_rows && rows > step->scratch_rows)
        rows = step->scratch_rows;
    return ftl_mul_size(step->scratch_per_row, rows, out) &&
           ftl_add_size(*out, step->scratch_fixed, out);
}

/*
 * Slots and scratch of the steps, one after another, then the rows' marks. With base NULL only the
 * size is found; else pointers are set.
 */
static bool lay_out(ftl_exec *exec, uint32_t capacity, unsigned char *base, size_t *size)
{
    const ftl_plan *plan = exec->plan;
    size_t end = 0, at, bytes;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const ftl_step *step = &plan->steps[i];
        if (!step->methods)
            continue;
        if (!ftl_mul_size(step->slot_row_bytes, capacity, &bytes) || !place(&end, bytes, &at))
            return false;
        if (base)
            exec->rooms[i] = exec->slots[i] = step->alias_of != UINT32_MAX
                                                  ? exec->rooms[step->alias_of]
                                                  : base + at;
        if (!scratch_bytes(step, capacity, &bytes) || !place(&end, bytes, &at))
            return false;
        if (base)
            exec->scratch[i] = base + at;
    }
    if (!place(&end, capacity, &at))
        return false;
    if (base)
        exec->bad = base + at;
    *size = end;
    return true;
}

/* Sparse edges have a row more than the block: where the last one ends. */
static ftl_status grow_sparse(ftl_exec *exec, uint32_t capacity, ftl_error *error)
{
    for (size_t i = 0; exec->sparse && i < exec->plan->n_steps; i++) {
        const ftl_step *step = &exec->plan->steps[i];
        if (!step->methods || step->op->edge != FTL_EDGE_SPARSE)
            continue;
        ftl_sparse *sparse = &exec->sparse[i];
        uint32_t *start = ftl_realloc(exec->account, sparse->start,
                                      (capacity + (size_t)1) * sizeof *start);
        if (!start)
            return FTL_OOM(error);
        memset(start, 0, (capacity + (size_t)1) * sizeof *start);
        sparse->start = start;
    }
    return FTL_OK;
}

/*
 * Room for so many rows. On failure the old room stays. Slots are defined memory from the start: a
 * row that was marked bad may leave its values unwritten.
 */
static ftl_status reserve(ftl_exec *exec, uint32_t rows, ftl_error *error)
{
    uint32_t capacity = capacity_for(exec->plan, rows);
    size_t size, bytes;
    if (!lay_out(exec, capacity, NULL, &size) || !ftl_add_size(size, slot_alignment, &bytes))
        return FTL_OOM(error);
    FTL_TRY(grow_sparse(exec, capacity, error));
    unsigned char *block = ftl_alloc_zero(exec->account, 1, bytes);
    if (!block)
        return FTL_OOM(error);
    ftl_free(exec->account, exec->allocation);
    exec->allocation = block;
    exec->capacity = capacity;
    (void)lay_out(exec, capacity, block + (-(uintptr_t)block & (slot_alignment - 1)), &size);
    return FTL_OK;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

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
            /* arrays of no entries are arrays too: rows are found by adding to them */
            FTL_TRY(ftl_grow(exec->account, &sparse->columns, &sparse->columns_room, 1,
                             sizeof *sparse->columns, error));
            FTL_TRY(ftl_grow(exec->account, &sparse->values, &sparse->values_room, 1,
                             sizeof *sparse->values, error));
        }
        const ftl_step_functions *bound = &plan->functions[i];
        if (bound->open) {
            if (!exec->locals)
                exec->locals = ftl_alloc_zero(exec->account, plan->n_steps, sizeof *exec->locals);
            if (!exec->locals)
                return FTL_OOM(error);
            FTL_TRY(bound->open(step, exec->account, &exec->locals[i], error));
        }
    }
    return FTL_OK;
}

ftl_status ftl_exec_init(ftl_exec *exec, const ftl_plan *plan, ftl_account *account,
                         ftl_error *error)
{
    *exec = (ftl_exec){.plan = plan, .account = account};
    exec->slots = ftl_alloc_zero(account, plan->n_steps, 3 * sizeof *exec->slots);
    if (!exec->slots)
        return FTL_OOM(error);
    exec->rooms = exec->slots + plan->n_steps;
    exec->scratch = exec->rooms + plan->n_steps;
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
            exec->plan->functions[i].close(account, exec->locals[i]);
    }
    ftl_free(account, exec->locals);
    ftl_free(account, exec->slots);
    ftl_free(account, exec->allocation);
    *exec = (ftl_exec){0};
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The input of that name; -1: none, or name is NULL. */
static int64_t input_of_name(const ftl_model *model, const char *name)
{
    for (size_t i = 0; name && i < model->graph.n_inputs; i++) {
        if (model->inputs[i].name && strcmp(model->inputs[i].name, name) == 0)
            return (int64_t)i;
    }
    return -1;
}

bool ftl_exec_bad(ftl_exec *exec, const ftl_step *step, uint32_t row, const char *column,
                  const char *format, ...)
{
    if (exec->bad[row])
        return false; /* the first reason of a row is the one to tell */
    exec->bad[row] = 1;
    exec->n_bad++;
    if (row > exec->first_bad)
        return false;
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
    exec->bad_error.column = input_of_name(exec->plan->model, column);
    ftl_error_because(&exec->bad_error, FTL_REASON_ROW_REFUSED, NULL);
    ftl_error_in(&exec->bad_error, step->op->path);
    return true;
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

/* Whether each column of a batch lies in one piece. */
static bool has_columns(const ftl_batch *in)
{
    return !in->matrix || (in->matrix->row_stride == 1 && in->matrix->column_stride != 1);
}

void ftl_exec_run(ftl_exec *exec, const ftl_batch *in, size_t in_row, uint32_t rows,
                  uint32_t methods)
{
    const ftl_plan *plan = exec->plan;
    exec->rows = rows;
    exec->in = in;
    exec->in_row = in_row;
    exec->columns = rows >= least_column_rows && has_columns(in);
    exec->n_bad = 0;
    exec->first_bad = UINT32_MAX;
    exec->status = FTL_OK;
    if (FTL_UNLIKELY(rows > exec->capacity)) {
        exec->status = reserve(exec, rows, &exec->error);
        if (exec->status != FTL_OK)
            return;
    }
    memset(exec->bad, 0, rows);
    for (size_t i = 0; i < plan->n_running && exec->status == FTL_OK; i++) {
        const ftl_running *running = &plan->running[i];
        if (running->step->methods & methods)
            running->run(running->step, exec);
    }
}
