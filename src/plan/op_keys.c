/*
 * Columns that hold a key's value each become the entries of a sparse row: 1 in the column of a
 * text that is known, the number itself in the column of the key's numbers. Cells are read a column
 * at a time into scratch, rows are built from there.
 */
#include "base/cell_text.h"
#include "plan/input_column.h"
#include "plan/lookup.h"
#include "plan/sparse.h"

#include <math.h>

enum { no_entry = UINT32_MAX };

/* Integers beyond it have neighbours that a float64 cannot tell from them. */
static const double largest_integer = 9007199254740992.0;

/* Scratch: a column's cells, then the rows' values and the columns where they stand. */
static ftl_cell *cells_of(const ftl_step *step, const ftl_exec *exec)
{
    return ftl_scratch(step, exec);
}

static double *values_of(const ftl_step *step, const ftl_exec *exec)
{
    return (double *)(cells_of(step, exec) + exec->capacity);
}

static uint32_t *entries_of(const ftl_step *step, const ftl_exec *exec)
{
    size_t n = step->op->u.keys.n_columns;
    void *behind = values_of(step, exec) + (size_t)exec->capacity * n;
    return behind;
}

/* ---- Cells ----------------------------------------------------------------------------------- */

/* The input column that segment s is; UINT32_MAX: it is none. */
static uint32_t input_of(const ftl_step *step, const ftl_exec *exec, uint32_t s)
{
    const ftl_op *from = ftl_source_step(step, exec, s)->op;
    return from->kind == FTL_OP_INPUT ? from->u.input.column : UINT32_MAX;
}

/*
 * The number that a cell is. Nothing stands in an empty cell; the text of a missing one stands for
 * NaN. Numbers of a batch are taken as they are, not from their texts.
 */
static bool key_number(const ftl_exec *exec, uint32_t input, uint32_t row, const ftl_cell *cell,
                       double *out)
{
    if (input != UINT32_MAX && ftl_input_number(exec, input, row, out))
        return true;
    if (cell->tag == FTL_CELL_MISSING && cell->size == 0 && input != UINT32_MAX)
        return false;
    return ftl_cell_read_number(cell, out);
}

static double converted(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t j,
                        double value)
{
    const ftl_keys_op *keys = &step->op->u.keys;
    if (keys->numbers == FTL_KEY_BOOLS)
        return value != 0 ? 1 : 0;
    if (keys->numbers == FTL_KEY_FLOATS)
        return step->is_f32 ? (double)(float)value : value;
    if (!(fabs(value) <= largest_integer))
        ftl_exec_bad(exec, step, row, keys->columns[j].name,
                     "%.17g is no integer that %s takes here", value, keys->estimator);
    return trunc(value);
}

/* A text with a decimal comma would be left out as one that is not known: it means a number. */
static void refuse_comma(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t j,
                         const ftl_cell *cell)
{
    const ftl_keys_op *keys = &step->op->u.keys;
    double number;
    if (cell->tag == FTL_CELL_STRING &&
        ftl_text_to_f64(cell->u.text, cell->size, ',', NULL, &number))
        ftl_exec_bad(exec, step, row, keys->columns[j].name,
                     "'%.*s' is not a number: the keys of %s take a decimal point",
                     cell->size > 40 ? 40 : (int)cell->size, cell->u.text, keys->estimator);
}

/* Column c of segment s, which is key j. */
static void read_key(const ftl_step *step, ftl_exec *exec, uint32_t s, uint32_t c, uint32_t j)
{
    const ftl_key_column *key = &step->op->u.keys.columns[j];
    const ftl_lookup *lookup = (const ftl_lookup *)step->state + j;
    const size_t n = step->op->u.keys.n_columns;
    const uint32_t input = input_of(step, exec, s);
    const ftl_cell *cells = cells_of(step, exec);
    double *values = values_of(step, exec);
    uint32_t *entries = entries_of(step, exec);
    ftl_read_cells(step, exec, s, c, cells_of(step, exec), 1);
    for (uint32_t i = 0; i < exec->rows; i++) {
        double number = 0;
        const size_t at = i * n + j;
        const int32_t found = ftl_lookup_cell(lookup, &cells[i]);
        entries[at] = no_entry;
        if (found >= 0) {
            entries[at] = key->columns[found];
            values[at] = 1;
        } else if (key->number && key_number(exec, input, i, &cells[i], &number)) {
            entries[at] = key->column;
            values[at] = converted(step, exec, i, j, number);
        } else if (key->number) {
            refuse_comma(step, exec, i, j, &cells[i]);
        }
    }
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Shell's sort: the columns of a row nearly ascend, and never take long. */
static void sort_row(uint32_t *columns, double *values, uint32_t n)
{
    uint32_t gap = 1;
    while (gap < n / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (uint32_t i = gap; i < n; i++) {
            const uint32_t column = columns[i];
            const double value = values[i];
            uint32_t k = i;
            for (; k >= gap && columns[k - gap] > column; k -= gap) {
                columns[k] = columns[k - gap];
                values[k] = values[k - gap];
            }
            columns[k] = column;
            values[k] = value;
        }
    }
}

static void run(const ftl_step *step, ftl_exec *exec)
{
    const ftl_sparse *out = ftl_sparse_of(step, exec);
    const uint32_t n = step->op->u.keys.n_columns;
    uint32_t j = 0, at = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++)
            read_key(step, exec, s, c, j++);
    }
    if (!ftl_sparse_reserve(step, exec, (size_t)exec->rows * n))
        return;
    out->start[0] = 0;
    for (uint32_t i = 0; i < exec->rows; i++) {
        const uint32_t *entries = entries_of(step, exec) + (size_t)i * n;
        const double *values = values_of(step, exec) + (size_t)i * n;
        for (j = 0; j < n; j++) {
            if (entries[j] == no_entry)
                continue;
            out->columns[at] = entries[j];
            out->values[at++] = values[j];
        }
        sort_row(out->columns + out->start[i], out->values + out->start[i], at - out->start[i]);
        out->start[i + 1] = at;
    }
}

/* ---- Preparing ------------------------------------------------------------------------------- */

static ftl_status compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_keys_op *keys = &step->op->u.keys;
    ftl_lookup *lookups = ftl_blob_state(&plan->blob, keys->n_columns, sizeof *lookups);
    if (!lookups)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < keys->n_columns; j++)
        FTL_TRY(ftl_lookup_init(&lookups[j], &keys->columns[j].categories, &plan->blob, error));
    step->state = lookups;
    step->scratch_per_row = sizeof(ftl_cell) +
                            keys->n_columns * (sizeof(double) + sizeof(uint32_t));
    return FTL_OK;
}

static void keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_keys_op *keys = &op->u.keys;
    ftl_key_column *columns = ftl_keep_records(blob, &keys->columns, keys->n_columns,
                                               ftl_key_column_record_());
    (void)step;
    ftl_blob_borrow_text(blob, &keys->estimator);
    for (uint32_t j = 0; columns && j < keys->n_columns; j++) {
        ftl_key_column *column = &columns[j];
        column->categories.numbers = NULL; /* the lookups have them */
        column->categories.cells = NULL;
        ftl_blob_borrow(blob, &column->columns, column->categories.count, sizeof(uint32_t));
        ftl_blob_borrow_text(blob, &column->name);
    }
}

static void bind(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run;
}

const ftl_op_impl ftl_op_impl_keys = {
    .name = "keys", .compile = compile, .keep = keep, .bind = bind};
