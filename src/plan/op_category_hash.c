/*
 * CATEGORY_HASH: CatBoost's number of a category, the low 32 bits of CityHash64 of its text. Whole
 * numbers are their decimal text, as its Python package makes it. MATCH: is it that one?
 */
#include "base/cell_text.h"
#include "base/cityhash.h"
#include "plan/plan.h"

#include <math.h>
#include <string.h>

/* Decimal digits of a whole number, without the C library's locale. */
static size_t integer_text(int64_t value, char text[24])
{
    char digits[24];
    size_t n = 0, at = 0;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0)
        text[at++] = '-';
    while (n)
        text[at++] = digits[--n];
    return at;
}

static uint32_t hash_text(const char *text, size_t size)
{
    return (uint32_t)ftl_cityhash64(text, size);
}

static uint32_t hash_integer(int64_t value)
{
    char text[24];
    size_t size = integer_text(value, text);
    return hash_text(text, size);
}

static uint32_t hash_cell(const ftl_step *step, ftl_exec *exec, uint32_t row, uint32_t column,
                          const ftl_cell *cell)
{
    const ftl_category_hash_op *op = &step->op->u.category_hash;
    bool truth;
    switch (cell->tag) {
    case FTL_CELL_STRING:
        if (op->bools[column] && ftl_text_to_bool(cell->u.text, cell->size, &truth))
            return hash_integer(truth);
        return hash_text(cell->u.text, cell->size);
    case FTL_CELL_MISSING: /* "NA" is a text like others, but nothing is none */
        if (cell->size)
            return hash_text(cell->u.text, cell->size);
        break;
    case FTL_CELL_FLOAT:
        if (cell->u.number == floor(cell->u.number) && fabs(cell->u.number) < 0x1p63)
            return hash_integer((int64_t)cell->u.number);
        break;
    default:
        return hash_integer(cell->u.integer);
    }
    ftl_exec_bad(exec, step, row, op->names[column],
                 "categories of %s are texts or whole numbers, not %s", op->estimator,
                 cell->tag == FTL_CELL_MISSING ? "missing" : "fractions");
    return 0;
}

static void run_hash(const ftl_step *step, ftl_exec *exec)
{
    ftl_cell *cells = ftl_scratch(step, exec);
    double *out = ftl_slot(step, exec);
    uint32_t j = 0;
    for (uint32_t s = 0; s < step->op->n_segments; s++) {
        for (uint32_t c = 0; c < step->op->segments[s].count; c++, j++) {
            ftl_read_cells(step, exec, s, c, cells, 1);
            for (uint32_t r = 0; r < exec->rows; r++)
                out[(size_t)r * step->slot_width + j] = hash_cell(step, exec, r, j, &cells[r]);
        }
    }
}

static ftl_status compile_hash(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    (void)plan;
    (void)error;
    step->scratch_per_row = sizeof(ftl_cell);
    step->is_f32 = false;
    return FTL_OK;
}

static void keep_hash(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow_text(blob, &op->u.category_hash.estimator);
    ftl_blob_copy_texts(blob, &op->u.category_hash.names, op->width);
    ftl_blob_borrow(blob, &op->u.category_hash.bools, op->width, sizeof(bool));
}

static void bind_hash(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_hash;
}

const ftl_op_impl ftl_op_impl_category_hash = {
    .name = "category_hash", .compile = compile_hash, .keep = keep_hash, .bind = bind_hash};

static void run_match(const ftl_step *step, ftl_exec *exec)
{
    const ftl_match_op *op = &step->op->u.match;
    bool is_f32;
    const double *source = ftl_matrix_source(step, exec, &is_f32);
    float *out = ftl_slot(step, exec);
    uint32_t n_columns = ftl_op_source_columns(step->op), width = step->op->width;
    for (uint32_t r = 0; r < exec->rows; r++) {
        for (uint32_t i = 0; i < width; i++)
            out[(size_t)r * width + i] = source[(size_t)r * n_columns + op->columns[i]] ==
                                                 op->values[i]
                                             ? 1.0F
                                             : 0.0F;
    }
}

static ftl_status compile_match(ftl_plan *plan, ftl_step *step, ftl_error *error)
{
    if (plan->steps[step->op->segments[0].op].is_f32)
        return FTL_FAIL(error, FTL_INTERNAL, "a match step needs float64 columns");
    step->is_f32 = true;
    return FTL_OK;
}

static void keep_match(ftl_blob *blob, const ftl_step *step, ftl_op *op)
{
    (void)step;
    ftl_blob_borrow(blob, &op->u.match.columns, op->width, sizeof(uint32_t));
    ftl_blob_borrow(blob, &op->u.match.values, op->width, sizeof(double));
}

static void bind_match(const ftl_plan *plan, const ftl_step *step, ftl_step_functions *out)
{
    (void)plan;
    (void)step;
    out->run = run_match;
}

const ftl_op_impl ftl_op_impl_match = {
    .name = "match", .compile = compile_match, .keep = keep_match, .bind = bind_match};
