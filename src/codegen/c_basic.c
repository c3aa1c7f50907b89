/* Columns gathered, checked, scaled and filled: one number at a time. */
#include "codegen/c_code.h"

#include <math.h>
#include <stdio.h>

enum { least_loop = 4 };

static void emit_loop(ftl_c_code *code, uint32_t n)
{
    ftl_emitf(code->out, "    for (i = 0; i < %u; i++)\n        ", n);
}

/* Of operations that have arrays of the model that generated code indexes by int. */
static ftl_status check_width(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    return code->ops[id].width > INT32_MAX / 16
               ? ftl_c_unsupported(ftl_c_op_at(code, id), "so many columns", error)
               : FTL_OK;
}

/* ---- GATHER and the like --------------------------------------------------------------------- */

/* How many source columns from i on lie one behind another in one array; 0: it is no plain array.
 */
static uint32_t run_length(const ftl_c_code *code, const ftl_op *op, uint32_t s, uint32_t *segments)
{
    const ftl_segment *segment = &op->segments[s];
    const ftl_op *from = ftl_c_op_at(code, segment->op);
    *segments = 1;
    if (ftl_c_is_cell(code, segment->op) || from->edge != FTL_EDGE_NUM)
        return 0;
    if (!ftl_c_is_input(from))
        return segment->count;
    if (code->cells)
        return 0;
    uint32_t n = 1;
    while (s + n < op->n_segments) {
        const ftl_op *next = ftl_c_op_at(code, op->segments[s + n].op);
        if (!ftl_c_is_input(next) || next->u.input.column != from->u.input.column + n)
            break;
        n++;
    }
    *segments = n;
    return n;
}

static void gather_run(ftl_c_code *code, uint32_t id, uint32_t at, const ftl_segment *from,
                       uint32_t n)
{
    const ftl_op *source = ftl_c_op_at(code, from->op);
    bool input = ftl_c_is_input(source);
    uint32_t first = input ? source->u.input.column : from->first;
    emit_loop(code, n);
    ftl_emitf(code->out, "out[%u + i] = ", at);
    if (code->ops[id].is_f32 && !code->ops[from->op].is_f32)
        ftl_emit_text(code->out, "(float)");
    if (input)
        ftl_emitf(code->out, "row[%u + i];\n", first);
    else
        ftl_emitf(code->out, "v%u[%u + i];\n", code->ops[from->op].slot, first);
}

static void gather_column(ftl_c_code *code, uint32_t id, uint32_t at, uint32_t from,
                          uint32_t column)
{
    if (ftl_c_is_cell(code, from)) {
        ftl_c_set_number(code, from, column, "x");
        ftl_emitf(code->out, "    out[%u] = %sx;\n", at, code->ops[id].is_f32 ? "(float)" : "");
        return;
    }
    ftl_emitf(code->out, "    out[%u] = ", at);
    ftl_c_number(code, from, column, code->ops[id].is_f32);
    ftl_emit_text(code->out, ";\n");
}

/* Whether some source is a cell; *objects: of an OBJECT edge; *runs: there is a loop. */
static bool gathers_cells(const ftl_c_code *code, const ftl_op *op, bool *objects, bool *runs)
{
    bool any = false;
    *objects = *runs = false;
    for (uint32_t s = 0, n; s < op->n_segments; s += n) {
        uint32_t from = op->segments[s].op;
        *runs = *runs || run_length(code, op, s, &n) >= least_loop;
        any = any || ftl_c_is_cell(code, from);
        *objects = *objects || ftl_c_op_at(code, from)->edge == FTL_EDGE_OBJECT;
    }
    return any;
}

static ftl_status check_gather(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    bool objects, runs;
    ftl_c_use_cells(code, id, true);
    code->ops[id].fails = gathers_cells(code, ftl_c_op_at(code, id), &objects, &runs);
    return check_width(code, id, error);
}

static void write_gather(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool objects, runs;
    if (gathers_cells(code, op, &objects, &runs))
        ftl_emit_text(code->out, "    double x;\n");
    if (objects)
        ftl_emitf(code->out, "    %s_cell c;\n", code->prefix);
    if (runs)
        ftl_emit_text(code->out, "    int i;\n");
    uint32_t at = 0;
    for (uint32_t s = 0, n; s < op->n_segments; s += n) {
        const ftl_segment *from = &op->segments[s];
        uint32_t length = run_length(code, op, s, &n);
        if (length >= least_loop) {
            gather_run(code, id, at, from, length);
            at += length;
            continue;
        }
        n = 1;
        for (uint32_t c = 0; c < from->count; c++)
            gather_column(code, id, at++, from->op, from->first + c);
    }
}

const ftl_c_writer ftl_c_gather = {.check = check_gather, .body = write_gather, .fails = true};

/* What a sparse matrix of the columns would not hold, zeros, is missing. */
static ftl_status check_stored(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (ftl_c_op_at(code, op->segments[s].op)->edge == FTL_EDGE_SPARSE)
            return ftl_c_unsupported(op, "sparse columns", error);
    }
    return check_gather(code, id, error);
}

static void write_stored(ftl_c_code *code, uint32_t id)
{
    write_gather(code, id);
    ftl_emitf(code->out,
              "    {\n        int j;\n        for (j = 0; j < %u; j++)\n"
              "            out[j] = out[j] == 0 ? NAN : out[j];\n    }\n",
              code->ops[id].width);
}

const ftl_c_writer ftl_c_gather_stored = {
    .check = check_stored, .body = write_stored, .fails = true};

static ftl_status check_gather_object(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    ftl_c_use_cells(code, id, false);
    return check_width(code, id, error);
}

static void gather_cell(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    (void)id;
    ftl_emitf(code->out, "    out[%u] = ", i);
    ftl_c_cell(code, from, column);
    ftl_emit_text(code->out, ";\n");
}

static void write_gather_object(ftl_c_code *code, uint32_t id)
{
    ftl_c_each_source(code, id, gather_cell);
}

const ftl_c_writer ftl_c_gather_object = {.check = check_gather_object,
                                          .body = write_gather_object};

static void write_cast(ftl_c_code *code, uint32_t id)
{
    ftl_emit_text(code->out, "    int i;\n");
    emit_loop(code, code->ops[id].width);
    ftl_emitf(code->out, "out[i] = %sv%u[i];\n",
              code->ops[id].is_f32 && !code->ops[ftl_c_source(code, id)].is_f32 ? "(float)" : "",
              ftl_c_source_slot(code, id));
}

const ftl_c_writer ftl_c_cast = {.check = check_width, .body = write_cast};

static void constant_tables(ftl_c_code *code, uint32_t id)
{
    ftl_c_array_real(code, id, "values", ftl_c_op_at(code, id)->u.constant.values,
                     code->ops[id].width);
}

static void write_constant(ftl_c_code *code, uint32_t id)
{
    ftl_emit_text(code->out, "    int i;\n");
    emit_loop(code, code->ops[id].width);
    ftl_emitf(code->out, "out[i] = %s_op%u_values[i];\n", code->prefix, id);
}

const ftl_c_writer ftl_c_constant = {
    .check = check_width, .tables = constant_tables, .body = write_constant};

static void add_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    uint32_t width = code->ops[id].width;
    ftl_emitf(code->out, i < width ? "    out[%u] = " : "    out[%u] += ", i % width);
    ftl_c_number(code, from, column, code->ops[id].is_f32);
    ftl_emit_text(code->out, ";\n");
}

static ftl_status check_numbers(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (ftl_c_is_cell(code, op->segments[s].op))
            return ftl_c_unsupported(op, "texts where this step computes", error);
    }
    return check_width(code, id, error);
}

static void write_add(ftl_c_code *code, uint32_t id) { ftl_c_each_source(code, id, add_column); }

const ftl_c_writer ftl_c_add = {.check = check_numbers, .body = write_add};

static void fill_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    uint32_t width = code->ops[id].width, at = i % width;
    if (i >= width)
        ftl_emitf(code->out, "    if (out[%u] != out[%u])\n    ", at, at);
    ftl_emitf(code->out, "    out[%u] = ", at);
    ftl_c_number(code, from, column, code->ops[id].is_f32);
    ftl_emit_text(code->out, ";\n");
}

static void write_fill(ftl_c_code *code, uint32_t id) { ftl_c_each_source(code, id, fill_column); }

const ftl_c_writer ftl_c_fill = {.check = check_numbers, .body = write_fill};

/* ---- CHECK ----------------------------------------------------------------------------------- */

static void write_check(ftl_c_code *code, uint32_t id)
{
    uint32_t refuse = ftl_c_op_at(code, id)->u.check.refuse, slot = code->ops[id].slot;
    bool narrow = code->ops[id].is_f32, range = refuse & FTL_CHECK_F32_RANGE && !narrow;
    if (!(refuse & (FTL_CHECK_NAN | FTL_CHECK_INF)) && !range) {
        ftl_emitf(code->out, "    (void)v%u;\n", slot);
        return;
    }
    ftl_emitf(code->out,
              "    int i;\n    for (i = 0; i < %u; i++) {\n        const %s x = v%u[i];\n"
              "        if (%s(x) <= %s)\n            continue;\n",
              code->ops[id].width, ftl_c_real(code, id), slot, narrow ? "fabsf" : "fabs",
              narrow || range ? "FLT_MAX" : "DBL_MAX");
    if (refuse & FTL_CHECK_NAN) {
        ftl_emit_text(code->out, "        if (x != x)\n            ");
        ftl_c_refuse_loop(code, id, FTL_C_MISSING);
    }
    if (refuse & FTL_CHECK_INF) {
        ftl_emit_text(code->out, "        if (isinf(x))\n            ");
        ftl_c_refuse_loop(code, id, FTL_C_INFINITE);
    }
    if (range) {
        ftl_emit_text(code->out, "        if (!isinf(x) && isinf((float)x))\n            ");
        ftl_c_refuse_loop(code, id, FTL_C_TOO_LARGE);
    }
    ftl_emit_text(code->out, "    }\n");
}

const ftl_c_writer ftl_c_check = {
    .check = check_width, .tables = ftl_c_origins, .body = write_check, .fails = true};

/* ---- Scalers and the like -------------------------------------------------------------------- */

static void affine_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_affine_op *op = &ftl_c_op_at(code, id)->u.affine;
    char name[24];
    for (uint32_t s = 0; s < op->n_steps; s++) {
        snprintf(name, sizeof name, "k%u", s);
        if (op->steps[s].wide)
            ftl_c_array_f64(code, id, name, op->steps[s].vector, code->ops[id].width);
        else
            ftl_c_array_real(code, id, name, op->steps[s].vector, code->ops[id].width);
    }
}

static void affine_step(ftl_c_code *code, uint32_t id, const ftl_affine_step *step, uint32_t s)
{
    static const char *const signs[] = {"-", "+", "*", "/", "<", ">"};
    bool narrow = code->ops[id].is_f32, wide = narrow && step->wide;
    const char *sign = signs[step->kind], *p = code->prefix;
    if (step->kind < FTL_AFFINE_CLIP_LOW)
        ftl_emitf(code->out,
                  wide ? "        x = (float)((double)x %s %s_op%u_k%u[i]);\n"
                       : "        x = x %s %s_op%u_k%u[i];\n",
                  sign, p, id, s);
    else
        ftl_emitf(code->out,
                  wide ? "        x = (double)x %s %s_op%u_k%u[i] ? (float)%s_op%u_k%u[i] : x;\n"
                       : "        x = x %s %s_op%u_k%u[i] ? %s_op%u_k%u[i] : x;\n",
                  sign, p, id, s, p, id, s);
}

static void write_affine(ftl_c_code *code, uint32_t id)
{
    const ftl_affine_op *op = &ftl_c_op_at(code, id)->u.affine;
    ftl_emitf(code->out, "    int i;\n    for (i = 0; i < %u; i++) {\n        %s x = v%u[i];\n",
              code->ops[id].width, ftl_c_real(code, id), ftl_c_source_slot(code, id));
    for (uint32_t s = 0; s < op->n_steps; s++)
        affine_step(code, id, &op->steps[s], s);
    ftl_emit_text(code->out, "        out[i] = x;\n    }\n");
}

const ftl_c_writer ftl_c_affine = {
    .check = check_width, .tables = affine_tables, .body = write_affine};

static void write_binarize(ftl_c_code *code, uint32_t id)
{
    double threshold = ftl_c_op_at(code, id)->u.binarize.threshold;
    ftl_emit_text(code->out, "    int i;\n");
    emit_loop(code, code->ops[id].width);
    ftl_emitf(code->out, "out[i] = v%u[i] > ", ftl_c_source_slot(code, id));
    if (code->ops[id].is_f32)
        ftl_emit_c_f32(code->out, (float)threshold);
    else
        ftl_emit_c_f64(code->out, threshold);
    ftl_emit_text(code->out, ";\n");
}

const ftl_c_writer ftl_c_binarize = {.check = check_width, .body = write_binarize};

static void impute_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_impute_op *op = &ftl_c_op_at(code, id)->u.impute;
    ftl_c_array_u32(code, id, "columns", op->columns, code->ops[id].width);
    ftl_c_array_real(code, id, "fill", op->fill, code->ops[id].width);
}

static void write_impute(ftl_c_code *code, uint32_t id)
{
    const ftl_impute_op *op = &ftl_c_op_at(code, id)->u.impute;
    ftl_emitf(
        code->out,
        "    int i;\n    for (i = 0; i < %u; i++) {\n        %s x = v%u[%s_op%u_columns[i]];\n"
        "        out[i] = ",
        code->ops[id].width, ftl_c_real(code, id), ftl_c_source_slot(code, id), code->prefix, id);
    if (op->missing_is_nan || isnan(op->missing_value))
        ftl_emit_text(code->out, op->missing_is_nan ? "x != x" : "0");
    else {
        ftl_emit_text(code->out, "x == ");
        if (code->ops[id].is_f32)
            ftl_emit_c_f32(code->out, (float)op->missing_value);
        else
            ftl_emit_c_f64(code->out, op->missing_value);
    }
    ftl_emitf(code->out, " ? %s_op%u_fill[i] : x;\n    }\n", code->prefix, id);
}

const ftl_c_writer ftl_c_impute = {
    .check = check_width, .tables = impute_tables, .body = write_impute};

static void polynomial_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_polynomial_op *op = &ftl_c_op_at(code, id)->u.polynomial;
    uint32_t width = code->ops[id].width;
    ftl_c_array_u32(code, id, "start", op->start, (size_t)width + 1);
    ftl_c_array_u32(code, id, "factors", op->factors, op->start[width]);
}

static void write_polynomial(ftl_c_code *code, uint32_t id)
{
    ftl_emitf(code->out,
              "    int i;\n    for (i = 0; i < %u; i++) {\n"
              "        unsigned k = %s_op%u_start[i], end = %s_op%u_start[i + 1];\n"
              "        %s x = k < end ? v%u[%s_op%u_factors[k]] : 1;\n"
              "        for (k++; k < end; k++)\n            x *= v%u[%s_op%u_factors[k]];\n"
              "        out[i] = x;\n    }\n",
              code->ops[id].width, code->prefix, id, code->prefix, id, ftl_c_real(code, id),
              ftl_c_source_slot(code, id), code->prefix, id, ftl_c_source_slot(code, id),
              code->prefix, id);
}

const ftl_c_writer ftl_c_polynomial = {
    .check = check_width, .tables = polynomial_tables, .body = write_polynomial};

static void bins_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_bins_op *op = &ftl_c_op_at(code, id)->u.bins;
    ftl_c_array_u32(code, id, "start", op->start, (size_t)code->ops[id].width + 1);
    ftl_c_array_f64(code, id, "edges", op->edges, op->start[code->ops[id].width]);
}

static void write_bins(ftl_c_code *code, uint32_t id)
{
    bool narrow = code->ops[id].is_f32;
    const char *p = code->prefix;
    ftl_emitf(code->out,
              "    int i;\n    for (i = 0; i < %u; i++) {\n"
              "        unsigned low = %s_op%u_start[i], n = %s_op%u_start[i + 1] - low;\n"
              "        %s x = v%u[i];\n",
              code->ops[id].width, p, id, p, id, ftl_c_real(code, id), ftl_c_source_slot(code, id));
    if (ftl_c_op_at(code, id)->u.bins.raised)
        ftl_emit_text(code->out, narrow ? "        x += 1e-8f + 1e-5f * fabsf(x);\n"
                                        : "        x += 1e-8 + 1e-5 * fabs(x);\n");
    ftl_emitf(code->out,
              "        while (n > 0) {\n            unsigned half = n / 2;\n"
              "            if (%s_op%u_edges[low + half] <= x) {\n"
              "                low += half + 1;\n                n -= half + 1;\n"
              "            } else\n                n = half;\n        }\n"
              "        out[i] = (%s)(low - %s_op%u_start[i]);\n    }\n",
              p, id, ftl_c_real(code, id), p, id);
}

const ftl_c_writer ftl_c_bins = {.check = check_width, .tables = bins_tables, .body = write_bins};

static void match_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_match_op *op = &ftl_c_op_at(code, id)->u.match;
    ftl_c_array_u32(code, id, "columns", op->columns, code->ops[id].width);
    ftl_c_array_f64(code, id, "values", op->values, code->ops[id].width);
}

static void write_match(ftl_c_code *code, uint32_t id)
{
    ftl_emit_text(code->out, "    int i;\n");
    emit_loop(code, code->ops[id].width);
    ftl_emitf(code->out, "out[i] = v%u[%s_op%u_columns[i]] == %s_op%u_values[i];\n",
              ftl_c_source_slot(code, id), code->prefix, id, code->prefix, id);
}

const ftl_c_writer ftl_c_match = {
    .check = check_width, .tables = match_tables, .body = write_match};
