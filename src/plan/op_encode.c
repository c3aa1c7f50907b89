#include "plan/op_encode.h"

#include <math.h>

/* Scratch: the column's values (cells or doubles), then their categories. */
void *ftl_encode_values(const ftl_step *step, const ftl_exec *exec)
{
    return ftl_scratch(step, exec);
}

static int32_t *found_of(const ftl_step *step, const ftl_exec *exec)
{
    return (int32_t *)((ftl_cell *)ftl_encode_values(step, exec) + exec->capacity);
}

/* One array in the model, as neighbouring columns have where the file has one list for them. */
static bool same_categories(const ftl_categories *a, const ftl_categories *b)
{
    return a->count == b->count && a->count > 0 && a->numeric == b->numeric &&
           (a->numeric ? a->numbers == b->numbers : a->cells == b->cells);
}

ftl_status ftl_encode_compile(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    const ftl_encode_op *encode = &step->op->u.encode;
    ftl_lookup *lookups = ftl_blob_state(&plan->blob, encode->n_columns, sizeof *lookups);
    if (!lookups)
        return FTL_OOM(error);
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        const ftl_categories *own = &encode->columns[j].categories;
        if (j > 0 && same_categories(own, &encode->columns[j - 1].categories))
            ftl_lookup_share(&lookups[j], &lookups[j - 1], &plan->blob);
        else
            FTL_TRY(ftl_lookup_init(&lookups[j], own, &plan->blob, error));
    }
    step->state = lookups;
    step->scratch_per_row = sizeof(ftl_cell) + sizeof(int32_t);
    return FTL_OK;
}

void ftl_encode_keep(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    ftl_encode_op *encode = &op->u.encode;
    ftl_encode_column *columns = ftl_keep_records(blob, &encode->columns, encode->n_columns,
                                                  ftl_encode_column_record_());
    (void)step;
    ftl_blob_borrow_text(blob, &encode->estimator);
    for (uint32_t j = 0; columns && j < encode->n_columns; j++) {
        ftl_encode_column *column = &columns[j];
        column->categories.numbers = NULL; /* the lookups have them */
        column->categories.cells = NULL;
        if (op->kind != FTL_OP_ORDINAL)
            column->values = NULL;
        if (op->kind == FTL_OP_DOMAIN_OBJECT) {
            size_t n = (size_t)column->categories.count + 1;
            ftl_keep_cells(blob, ftl_blob_copy(blob, &column->cells, n, sizeof *column->cells), n);
        } else
            column->cells = NULL;
        ftl_blob_borrow(blob, &column->codes, column->categories.count, sizeof(int32_t));
        ftl_blob_borrow(blob, &column->values, column->categories.count, sizeof(double));
        ftl_blob_borrow_text(blob, &column->name);
    }
}

const int32_t *ftl_encode_column_run(const ftl_step *step, ftl_exec *exec, uint32_t s, uint32_t c,
                                     uint32_t j)
{
    const ftl_lookup *lookup = (const ftl_lookup *)step->state + j;
    int32_t *found = found_of(step, exec);
    if (step->op->u.encode.columns[j].categories.numeric) {
        double *values = ftl_encode_values(step, exec);
        ftl_read_f64(step, exec, s, c, values, 1);
        for (uint32_t i = 0; i < exec->rows; i++)
            found[i] = ftl_lookup_number(lookup, values[i]);
    } else {
        ftl_cell *cells = ftl_encode_values(step, exec);
        ftl_read_cells(step, exec, s, c, cells, 1);
        for (uint32_t i = 0; i < exec->rows; i++)
            found[i] = ftl_lookup_cell(lookup, &cells[i]);
    }
    return found;
}

void ftl_encode_refuse(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t j)
{
    const ftl_encode_op *encode = &step->op->u.encode;
    const char *name = encode->columns[j].name;
    ftl_cell cell = {.tag = FTL_CELL_FLOAT};
    if (encode->columns[j].categories.numeric)
        cell.u.number = ((const double *)ftl_encode_values(step, exec))[row];
    else
        cell = ((const ftl_cell *)ftl_encode_values(step, exec))[row];
    bool told, missing = false;
    switch (cell.tag) {
    case FTL_CELL_STRING:
        told = ftl_exec_bad(exec, step, row, name,
                            "'%.*s' is a category that %s did not see in training",
                            cell.size > 60 ? 60 : (int)cell.size, cell.u.text, encode->estimator);
        break;
    case FTL_CELL_INT:
    case FTL_CELL_BOOL:
        told = ftl_exec_bad(exec, step, row, name,
                            "%lld is a category that %s did not see in training",
                            (long long)cell.u.integer, encode->estimator);
        break;
    case FTL_CELL_FLOAT:
        if (!isnan(cell.u.number)) {
            told = ftl_exec_bad(exec, step, row, name,
                                "%.17g is a category that %s did not see in training",
                                cell.u.number, encode->estimator);
            break;
        }
        /* fall through */
    default:
        missing = true;
        told = ftl_exec_bad(exec, step, row, name, "a missing value, which %s does not accept here",
                            encode->estimator);
        break;
    }
    if (told)
        exec->bad_error.reason = missing ? FTL_REASON_MISSING_VALUE : FTL_REASON_UNKNOWN_CATEGORY;
}
