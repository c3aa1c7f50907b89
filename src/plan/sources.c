/* Reading one column of any source: input batches, numeric and coded slots, cells. */
#include "base/cell_text.h"
#include "plan/input_column.h"

#include <math.h>
#include <string.h>

/* ---- Coded columns and cells ----------------------------------------------------------------- */

/*
 * The source column of a one-hot step that an expanded column belongs to; *base receives its first
 * expanded column.
 */
static uint32_t coded_column(const ftl_encode_op *encode, uint32_t expanded, uint32_t *base)
{
    uint32_t at = 0;
    for (uint32_t j = 0; j < encode->n_columns; j++) {
        if (expanded - at < encode->columns[j].cardinality) {
            *base = at;
            return j;
        }
        at += encode->columns[j].cardinality;
    }
    *base = at;
    return 0; /* not reached: validate keeps expanded below the sum */
}

bool ftl_cell_read_number(const ftl_cell *cell, double *out)
{
    *out = ftl_cell_number(cell);
    /* Which texts are missing was decided when the cell was made. */
    return cell->tag != FTL_CELL_STRING ||
           ftl_text_to_f64(cell->u.text, cell->size, '.', NULL, out);
}

static double cell_to_f64(const ftl_step *step, ftl_exec *exec, uint32_t row, const ftl_cell *cell)
{
    double value = NAN;
    if (!ftl_cell_read_number(cell, &value))
        ftl_exec_bad(exec, step, row, NULL, "'%.*s' is not a number",
                     cell->size > 40 ? 40 : (int)cell->size, cell->u.text);
    return value;
}

/* ---- Sparse columns -------------------------------------------------------------------------- */

static double sparse_value(const ftl_sparse *sparse, uint32_t row, uint32_t column)
{
    uint32_t low = sparse->start[row], high = sparse->start[row + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sparse->columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sparse->start[row + 1] && sparse->columns[low] == column ? sparse->values[low] : 0;
}

/* Type-generic bodies: the compiler makes a float and a double form. */
#define FTL_READ_BODY(TYPE, INPUT)                                                           \
    const ftl_segment *s = &step->op->segments[segment];                                     \
    const ftl_step *from = &exec->plan->steps[s->op];                                        \
    const uint32_t rows = exec->rows, c = s->first + column;                                 \
    if (from->op->kind == FTL_OP_INPUT && from->op->edge == FTL_EDGE_NUM) {                  \
        INPUT(step, exec, from->op->u.input.column, out, stride);                            \
    } else if (from->op->edge == FTL_EDGE_OBJECT) {                                          \
        const ftl_cell *cells = ftl_slot(from, exec);                                        \
        for (uint32_t i = 0; i < rows; i++)                                                  \
            out[i * stride] = (TYPE)cell_to_f64(step, exec, i,                               \
                                                &cells[(size_t)i * from->slot_width + c]);   \
    } else if (from->op->edge == FTL_EDGE_CODED) {                                           \
        uint32_t base, j = coded_column(&from->op->u.encode, c, &base);                      \
        const int32_t *codes = ftl_slot(from, exec);                                         \
        for (uint32_t i = 0; i < rows; i++)                                                  \
            out[i * stride] = codes[(size_t)i * from->slot_width + j] == (int32_t)(c - base) \
                                  ? (TYPE)1                                                  \
                                  : (TYPE)0;                                                 \
    } else if (from->op->edge == FTL_EDGE_SPARSE) {                                          \
        for (uint32_t i = 0; i < rows; i++)                                                  \
            out[i * stride] = (TYPE)sparse_value(&exec->sparse[from->id], i, c);             \
    } else if (from->is_f32) {                                                               \
        const float *data = ftl_slot(from, exec);                                            \
        for (uint32_t i = 0; i < rows; i++)                                                  \
            out[i * stride] = (TYPE)data[(size_t)i * from->slot_width + c];                  \
    } else {                                                                                 \
        const double *data = ftl_slot(from, exec);                                           \
        for (uint32_t i = 0; i < rows; i++)                                                  \
            out[i * stride] = (TYPE)data[(size_t)i * from->slot_width + c];                  \
    }

void ftl_read_f64(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                  double *out, size_t stride)
{
    FTL_READ_BODY(double, ftl_input_f64)
}

void ftl_read_f32(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                  float *out, size_t stride)
{
    FTL_READ_BODY(float, ftl_input_f32)
}

void ftl_read_cells(const ftl_step *step, ftl_exec *exec, uint32_t segment, uint32_t column,
                    ftl_cell *out, size_t stride)
{
    const ftl_segment *s = &step->op->segments[segment];
    const ftl_step *from = &exec->plan->steps[s->op];
    if (from->op->edge == FTL_EDGE_OBJECT) {
        const ftl_cell *cells = ftl_slot(from, exec);
        for (uint32_t i = 0; i < exec->rows; i++)
            out[i * stride] = cells[(size_t)i * from->slot_width + s->first + column];
        return;
    }
    for (uint32_t i = 0; i < exec->rows; i++) {
        double value = NAN;
        const ftl_cell missing = {.tag = FTL_CELL_MISSING};
        if (from->op->kind == FTL_OP_INPUT)
            value = ftl_input_value(step, exec, from->op->u.input.column, i);
        else if (from->op->edge == FTL_EDGE_CODED) {
            uint32_t base, j = coded_column(&from->op->u.encode, s->first + column, &base);
            const int32_t *codes = ftl_slot(from, exec);
            value = codes[(size_t)i * from->slot_width + j] == (int32_t)(s->first + column - base)
                        ? 1.0
                        : 0.0;
        } else if (from->op->edge == FTL_EDGE_SPARSE)
            value = sparse_value(&exec->sparse[from->id], i, s->first + column);
        else if (from->is_f32)
            value = (double)((const float *)ftl_slot(
                from, exec))[(size_t)i * from->slot_width + s->first + column];
        else
            value = ((const double *)ftl_slot(
                from, exec))[(size_t)i * from->slot_width + s->first + column];
        out[i * stride] = isnan(value) ? missing
                                       : (ftl_cell){.tag = FTL_CELL_FLOAT, .u.number = value};
    }
}

bool ftl_source_is_object(const ftl_step *step, const ftl_plan *plan, uint32_t segment)
{
    return plan->steps[step->op->segments[segment].op].op->edge == FTL_EDGE_OBJECT;
}
