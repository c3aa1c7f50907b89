/* Pieces of C that several operations are written with. */
#include "codegen/c_code.h"

#include <math.h>

enum { per_line = 8 };

/* ---- Of the graph ---------------------------------------------------------------------------- */

static uint32_t coded_column(const ftl_encode_op *encode, uint32_t expanded, uint32_t *base)
{
    uint32_t at = 0, j = 0;
    while (j + 1 < encode->n_columns && expanded - at >= encode->columns[j].cardinality)
        at += encode->columns[j++].cardinality;
    *base = at;
    return j;
}

/* The source of column `column` of an operation whose columns are those of its sources. */
static bool step_back(const ftl_op *op, uint32_t column, uint32_t *from, uint32_t *at)
{
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (column < op->segments[s].count) {
            *from = op->segments[s].op;
            *at = op->segments[s].first + column;
            return true;
        }
        column -= op->segments[s].count;
    }
    return false;
}

int64_t ftl_c_origin(const ftl_graph *graph, uint32_t id, uint32_t column)
{
    for (;;) {
        const ftl_op *op = &graph->ops[id];
        uint32_t base;
        switch (op->kind) {
        case FTL_OP_INPUT:
            return op->u.input.column;
        case FTL_OP_GATHER:
        case FTL_OP_GATHER_OBJECT:
        case FTL_OP_CAST:
        case FTL_OP_CHECK:
        case FTL_OP_AFFINE:
        case FTL_OP_UFUNC:
        case FTL_OP_BINARIZE:
        case FTL_OP_BINS:
        case FTL_OP_POWER:
        case FTL_OP_QUANTILES:
        case FTL_OP_DOMAIN:
        case FTL_OP_DOMAIN_OBJECT:
        case FTL_OP_ORDINAL:
        case FTL_OP_INTERPOLATE:
        case FTL_OP_CATEGORY_HASH:
            break;
        case FTL_OP_ONEHOT:
            column = coded_column(&op->u.encode, column, &base);
            break;
        case FTL_OP_IMPUTE:
            column = op->u.impute.columns[column];
            break;
        case FTL_OP_IMPUTE_OBJECT:
            column = op->u.impute_object.columns[column];
            break;
        case FTL_OP_INDICATOR:
            column = op->u.indicator.columns[column];
            break;
        default:
            return -1;
        }
        if (!step_back(op, column, &id, &column))
            return -1;
    }
}

void ftl_c_each_source(ftl_c_code *code, uint32_t id, ftl_c_visit_fn *visit)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t i = 0;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        for (uint32_t c = 0; c < op->segments[s].count; c++, i++)
            visit(code, id, i, op->segments[s].op, op->segments[s].first + c);
    }
}

ftl_status ftl_c_unsupported(const ftl_op *op, const char *what, ftl_error *error)
{
    ftl_error_set(error, FTL_UNSUPPORTED,
                  "stand-alone code cannot express %s; run the model by foretell itself, for "
                  "which another target writes the program",
                  what);
    ftl_error_in(error, op->path);
    return FTL_UNSUPPORTED;
}

void ftl_c_text(ftl_c_code *code, const char *text)
{
    for (const char *at; (at = strchr(text, '$')) != NULL; text = at + 1) {
        ftl_emit_bytes(code->out, text, (size_t)(at - text));
        ftl_emit_text(code->out, code->prefix);
    }
    ftl_emit_text(code->out, text);
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

void ftl_c_array_begin(ftl_c_code *code, uint32_t id, const char *type, const char *name, size_t n)
{
    ftl_emitf(code->out, "static const %s %s_op%u_%s[%zu] = {", type, code->prefix, id, name,
              n ? n : 1);
    if (n == 0)
        ftl_emit_text(code->out, "0");
}

void ftl_c_array_next(ftl_c_code *code, size_t i)
{
    ftl_emit_text(code->out, i == 0 ? "\n    " : i % per_line == 0 ? ",\n    " : ", ");
}

void ftl_c_array_end(ftl_c_code *code) { ftl_emit_text(code->out, "};\n"); }

void ftl_c_array_f64(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                     size_t n)
{
    ftl_c_array_begin(code, id, "double", name, n);
    for (size_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_c_f64(code->out, values[i]);
    }
    ftl_c_array_end(code);
}

void ftl_c_array_f32(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                     size_t n)
{
    ftl_c_array_begin(code, id, "float", name, n);
    for (size_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_c_f32(code->out, (float)values[i]);
    }
    ftl_c_array_end(code);
}

void ftl_c_array_real(ftl_c_code *code, uint32_t id, const char *name, const double *values,
                      size_t n)
{
    if (code->ops[id].is_f32)
        ftl_c_array_f32(code, id, name, values, n);
    else
        ftl_c_array_f64(code, id, name, values, n);
}

void ftl_c_array_u32(ftl_c_code *code, uint32_t id, const char *name, const uint32_t *values,
                     size_t n)
{
    ftl_c_array_begin(code, id, "unsigned", name, n);
    for (size_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "%uu", values[i]);
    }
    ftl_c_array_end(code);
}

void ftl_c_array_int(ftl_c_code *code, uint32_t id, const char *type, const char *name,
                     const int64_t *values, size_t n)
{
    ftl_c_array_begin(code, id, type, name, n);
    for (size_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "%lld", (long long)values[i]);
    }
    ftl_c_array_end(code);
}

/* ---- Columns --------------------------------------------------------------------------------- */

static bool input_is_text(const ftl_c_code *code, const ftl_op *op)
{
    return ftl_c_is_input(op) &&
           code->request->model->inputs[op->u.input.column].batch_type == FTL_STRING;
}

bool ftl_c_is_cell(const ftl_c_code *code, uint32_t from)
{
    const ftl_op *op = ftl_c_op_at(code, from);
    return op->edge == FTL_EDGE_OBJECT || input_is_text(code, op);
}

static void emit_input(ftl_c_code *code, uint32_t column)
{
    if (code->cells)
        ftl_emitf(code->out, "row->%s", code->members[column]);
    else
        ftl_emitf(code->out, "row[%u]", column);
}

void ftl_c_number(ftl_c_code *code, uint32_t from, uint32_t column, bool narrow)
{
    const ftl_op *op = ftl_c_op_at(code, from);
    if (op->edge == FTL_EDGE_CODED) {
        uint32_t base, j = coded_column(&op->u.encode, column, &base);
        ftl_emitf(code->out,
                  narrow ? "(v%u[%u] == %u ? 1.0f : 0.0f)" : "(v%u[%u] == %u ? 1.0 : 0.0)",
                  code->ops[from].slot, j, column - base);
        return;
    }
    if (narrow && !code->ops[from].is_f32)
        ftl_emit_text(code->out, "(float)");
    else if (!narrow && code->ops[from].is_f32)
        ftl_emit_text(code->out, "(double)");
    if (ftl_c_is_input(op))
        emit_input(code, op->u.input.column);
    else
        ftl_emitf(code->out, "v%u[%u]", code->ops[from].slot, column);
}

void ftl_c_set_number(ftl_c_code *code, uint32_t from, uint32_t column, const char *x)
{
    const ftl_op *op = ftl_c_op_at(code, from);
    if (!ftl_c_is_cell(code, from)) {
        ftl_emitf(code->out, "    %s = ", x);
        ftl_c_number(code, from, column, false);
        ftl_emit_text(code->out, ";\n");
        return;
    }
    if (op->edge == FTL_EDGE_OBJECT) {
        ftl_emitf(code->out, "    c = ");
        ftl_c_cell(code, from, column);
        ftl_emitf(code->out, ";\n    if (!%s_cell_number(&c, &%s))\n    ", code->prefix, x);
    } else {
        ftl_emitf(code->out, "    if (!%s_text_number(", code->prefix);
        emit_input(code, op->u.input.column);
        ftl_emitf(code->out, ", 1, &%s))\n    ", x);
    }
    ftl_c_refuse(code, from, column, FTL_C_NO_NUMBER);
}

void ftl_c_cell(ftl_c_code *code, uint32_t from, uint32_t column)
{
    const ftl_op *op = ftl_c_op_at(code, from);
    if (input_is_text(code, op)) {
        ftl_emitf(code->out, "%s_of_text(", code->prefix);
        emit_input(code, op->u.input.column);
        ftl_emit_text(code->out, ")");
    } else if (op->edge == FTL_EDGE_OBJECT && !ftl_c_is_input(op)) {
        ftl_emitf(code->out, "v%u[%u]", code->ops[from].slot, column);
    } else {
        ftl_emitf(code->out, "%s_of_number(", code->prefix);
        ftl_c_number(code, from, column, false);
        ftl_emit_text(code->out, ")");
    }
}

void ftl_c_use_cell(ftl_c_code *code, uint32_t id, bool number)
{
    const ftl_op *from = ftl_c_op_at(code, id);
    bool text = input_is_text(code, from), object = from->edge == FTL_EDGE_OBJECT;
    if (number && object)
        code->uses |= FTL_C_CELLS | FTL_C_CELL_NUMBER | FTL_C_TEXT_NUMBER;
    if (number && text && !object)
        code->uses |= FTL_C_TEXT_NUMBER;
    else if (text)
        code->uses |= FTL_C_CELLS | FTL_C_OF_TEXT;
    else if (!number && !object)
        code->uses |= FTL_C_CELLS | FTL_C_OF_NUMBER;
}

void ftl_c_use_cells(ftl_c_code *code, uint32_t id, bool number)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++)
        ftl_c_use_cell(code, op->segments[s].op, number);
}

static int refusal(int64_t origin, ftl_c_reason reason)
{
    return (int)reason + 8 * (int)(origin + 1);
}

void ftl_c_refuse(ftl_c_code *code, uint32_t from, uint32_t column, ftl_c_reason reason)
{
    ftl_emitf(code->out, "    return %d;\n",
              refusal(ftl_c_origin(code->graph, from, column), reason));
}

/* Whether column i of the operation is input column i, or no column is known. */
static bool plain_origins(const ftl_c_code *code, uint32_t id, bool *known)
{
    bool same = true, any = false;
    for (uint32_t i = 0; i < code->ops[id].width; i++) {
        int64_t origin = ftl_c_origin(code->graph, id, i);
        same = same && origin == (int64_t)i;
        any = any || origin >= 0;
    }
    *known = any;
    return same;
}

void ftl_c_origins(ftl_c_code *code, uint32_t id)
{
    bool known;
    if (plain_origins(code, id, &known) || !known)
        return;
    ftl_c_array_begin(code, id, "int", "origin", code->ops[id].width);
    for (uint32_t i = 0; i < code->ops[id].width; i++) {
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "%d", refusal(ftl_c_origin(code->graph, id, i), 0));
    }
    ftl_c_array_end(code);
}

void ftl_c_refuse_loop(ftl_c_code *code, uint32_t id, ftl_c_reason reason)
{
    bool known, same = plain_origins(code, id, &known);
    if (same)
        ftl_emitf(code->out, "return %d + 8 * (i + 1);\n", (int)reason);
    else if (known)
        ftl_emitf(code->out, "return %d + %s_op%u_origin[i];\n", (int)reason, code->prefix, id);
    else
        ftl_emitf(code->out, "return %d;\n", (int)reason);
}

void ftl_c_cell_constant(ftl_c_code *code, const ftl_cell *cell)
{
    double number = ftl_cell_number(cell);
    if (cell->tag == FTL_CELL_STRING) {
        ftl_emitf(code->out, "{1, 0.0, ");
        ftl_emit_c_string(code->out, cell->u.text, cell->size);
        ftl_emit_text(code->out, "}");
    } else if (isnan(number)) {
        ftl_emit_text(code->out, "{0, 0.0, NULL}");
    } else {
        ftl_emit_text(code->out, "{2, ");
        ftl_emit_c_f64(code->out, number);
        ftl_emit_text(code->out, ", NULL}");
    }
}
