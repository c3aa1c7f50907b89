/* Sums of products: in the order of plan/op_linear.c and of its kernels. */
#include "codegen/c_code.h"

#include <stdio.h>

/* ---- LINEAR ---------------------------------------------------------------------------------- */

/* Columns that are added one after another: inputs. Matrices of one output have eight sums. */
static bool is_dense(const ftl_c_code *code, const ftl_segment *segment)
{
    const ftl_op *from = ftl_c_op_at(code, segment->op);
    return from->edge == FTL_EDGE_NUM && !ftl_c_is_input(from);
}

static ftl_status check_linear(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++) {
        uint32_t from = op->segments[s].op;
        if (ftl_c_is_cell(code, from) || ftl_c_op_at(code, from)->edge == FTL_EDGE_SPARSE)
            return ftl_c_unsupported(op, "texts or sparse columns in a linear model", error);
        if (is_dense(code, &op->segments[s]) && op->width == 1)
            code->uses |= code->ops[from].is_f32 ? FTL_C_DOT_F32 : FTL_C_DOT_F64;
    }
    return FTL_OK;
}

/* Weights of a segment: [column][output]. */
static void weights_table(ftl_c_code *code, uint32_t id, uint32_t s, uint32_t first)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    size_t sources = ftl_op_source_columns(op), n = op->segments[s].count;
    char name[24];
    snprintf(name, sizeof name, "w%u", s);
    ftl_c_array_begin(code, id, "double", name, n * op->width);
    for (size_t i = 0; i < n * op->width && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_c_f64(code->out,
                       op->u.linear.coef[i % op->width * sources + first + i / op->width]);
    }
    ftl_c_array_end(code);
}

/* Which codes of a one-hot encoding a segment takes: {column, what to add to its code}. */
static uint32_t coded_table(ftl_c_code *code, uint32_t id, uint32_t s, bool write)
{
    const ftl_segment *segment = &ftl_c_op_at(code, id)->segments[s];
    const ftl_encode_op *encode = &ftl_c_op_at(code, segment->op)->u.encode;
    int64_t offset = 0, first = segment->first, end = first + segment->count;
    uint32_t n = 0;
    for (uint32_t c = 0; c < encode->n_columns; c++) {
        int64_t next = offset + encode->columns[c].cardinality;
        if (offset < end && next > first) {
            if (write) {
                ftl_c_array_next(code, n);
                ftl_emitf(code->out, "%u, %lld", c, (long long)(offset - first));
            }
            n++;
        }
        offset = next;
    }
    return n;
}

static void linear_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t first = 0;
    char name[24];
    for (uint32_t s = 0; s < op->n_segments; first += op->segments[s++].count) {
        if (op->segments[s].count == 0)
            continue;
        weights_table(code, id, s, first);
        if (ftl_c_op_at(code, op->segments[s].op)->edge != FTL_EDGE_CODED)
            continue;
        snprintf(name, sizeof name, "c%u", s);
        ftl_c_array_begin(code, id, "int", name, 2 * (size_t)coded_table(code, id, s, false));
        coded_table(code, id, s, true);
        ftl_c_array_end(code);
    }
    if (op->u.linear.intercept)
        ftl_c_array_f64(code, id, "intercept", op->u.linear.intercept, op->width);
}

static void linear_dense(ftl_c_code *code, uint32_t id, uint32_t s)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_segment *segment = &op->segments[s];
    uint32_t slot = code->ops[segment->op].slot;
    if (op->width == 1) {
        ftl_emitf(code->out, "    sum[0] += %s_dot%s(v%u + %u, %s_op%u_w%u, %u);\n", code->prefix,
                  code->ops[segment->op].is_f32 ? "f" : "", slot, segment->first, code->prefix, id,
                  s, segment->count);
        return;
    }
    ftl_emitf(
        code->out,
        "    memset(part, 0, sizeof part);\n"
        "    for (j = 0; j < %u; j++) {\n        const double x = v%u[%u + j];\n"
        "        for (k = 0; k < %u; k++)\n            part[k] += x * %s_op%u_w%u[j * %u + k];\n"
        "    }\n    for (k = 0; k < %u; k++)\n        sum[k] += part[k];\n",
        segment->count, slot, segment->first, op->width, code->prefix, id, s, op->width, op->width);
}

static void linear_coded(ftl_c_code *code, uint32_t id, uint32_t s)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_segment *segment = &op->segments[s];
    const char *p = code->prefix;
    ftl_emitf(
        code->out,
        "    for (j = 0; j < %u; j++) {\n"
        "        const int one = v%u[%s_op%u_c%u[2 * j]], at = one + %s_op%u_c%u[2 * j + 1];\n"
        "        if (one < 0 || at < 0 || at >= %u)\n            continue;\n"
        "        for (k = 0; k < %u; k++)\n            sum[k] += %s_op%u_w%u[at * %u + k];\n"
        "    }\n",
        coded_table(code, id, s, false), code->ops[segment->op].slot, p, id, s, p, id, s,
        segment->count, op->width, p, id, s, op->width);
}

static void linear_input(ftl_c_code *code, uint32_t id, uint32_t s)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_emitf(code->out, "    for (k = 0; k < %u; k++)\n        sum[k] += ", op->width);
    ftl_c_number(code, op->segments[s].op, 0, false);
    ftl_emitf(code->out, " * %s_op%u_w%u[k];\n", code->prefix, id, s);
}

static void write_linear(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool part = false, columns = false;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        bool dense = is_dense(code, &op->segments[s]) && op->segments[s].count;
        part = part || (dense && op->width > 1);
        columns = columns || (dense && op->width > 1) ||
                  (ftl_c_op_at(code, op->segments[s].op)->edge == FTL_EDGE_CODED &&
                   op->segments[s].count);
    }
    ftl_emitf(code->out, "    double sum[%u] = {0}", op->width);
    if (part)
        ftl_emitf(code->out, ", part[%u]", op->width);
    ftl_emitf(code->out, ";\n    int %sk;\n", columns ? "j, " : "");
    for (uint32_t s = 0; s < op->n_segments; s++) {
        const ftl_op *from = ftl_c_op_at(code, op->segments[s].op);
        if (op->segments[s].count == 0)
            continue;
        if (from->edge == FTL_EDGE_CODED)
            linear_coded(code, id, s);
        else if (is_dense(code, &op->segments[s]))
            linear_dense(code, id, s);
        else
            linear_input(code, id, s);
    }
    ftl_emitf(code->out, "    for (k = 0; k < %u; k++)\n        out[k] = %s", op->width,
              code->ops[id].is_f32 ? "(float)" : "");
    if (op->u.linear.intercept)
        ftl_emitf(code->out, "(sum[k] + %s_op%u_intercept[k]);\n", code->prefix, id);
    else
        ftl_emit_text(code->out, "sum[k];\n");
}

const ftl_c_writer ftl_c_linear = {
    .check = check_linear, .tables = linear_tables, .body = write_linear};

/* ---- GAUSSIAN -------------------------------------------------------------------------------- */

static ftl_status check_gaussian(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    (void)id;
    (void)error;
    code->uses |= FTL_C_GAUSSIAN;
    return FTL_OK;
}

static void gaussian_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    size_t n = (size_t)op->width * op->segments[0].count;
    ftl_c_array_f64(code, id, "mean", op->u.gaussian.mean, n);
    ftl_c_array_f64(code, id, "variance", op->u.gaussian.variance, n);
    ftl_c_array_f64(code, id, "prior", op->u.gaussian.prior, op->width);
    ftl_c_array_f64(code, id, "norm", op->u.gaussian.norm, op->width);
}

static void write_gaussian(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t n = op->segments[0].count;
    const char *p = code->prefix;
    ftl_emitf(
        code->out,
        "    double x[%u];\n    int i, k;\n    for (i = 0; i < %u; i++)\n        x[i] = v%u[i];\n"
        "    for (k = 0; k < %u; k++) {\n"
        "        double squares = %s_distance(x, %s_op%u_mean + k * %u, %s_op%u_variance + k * %u, "
        "%u);\n"
        "        out[k] = %s(%s_op%u_prior[k] + (%s_op%u_norm[k] - 0.5 * squares));\n    }\n",
        n ? n : 1, n, ftl_c_source_slot(code, id), op->width, p, p, id, n, p, id, n, n,
        code->ops[id].is_f32 ? "(float)" : "", p, id, p, id);
}

const ftl_c_writer ftl_c_gaussian = {
    .check = check_gaussian, .tables = gaussian_tables, .body = write_gaussian};

/* ---- NORMALIZE ------------------------------------------------------------------------------- */

static ftl_status check_normalize(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    (void)error;
    if (ftl_c_op_at(code, id)->u.normalize.norm == FTL_NORM_L1)
        code->uses |= code->ops[id].is_f32 ? FTL_C_ABS_SUM_F32 : FTL_C_ABS_SUM_F64;
    return FTL_OK;
}

static void emit_norm(ftl_c_code *code, uint32_t id, uint32_t n, uint32_t slot)
{
    const char *f = code->ops[id].is_f32 ? "f" : "";
    switch (ftl_c_op_at(code, id)->u.normalize.norm) {
    case FTL_NORM_L1:
        ftl_emitf(code->out, "    norm = %s_abs_sum%s(v%u, %u);\n", code->prefix, f, slot, n);
        break;
    case FTL_NORM_L2:
        ftl_emitf(code->out,
                  "    for (i = 0; i < %u; i++)\n        sum += (double)v%u[i] * (double)v%u[i];\n"
                  "    norm = sqrt%s(%ssum);\n",
                  n, slot, slot, f, f[0] ? "(float)" : "");
        break;
    default: {
        bool is_signed = ftl_c_op_at(code, id)->u.normalize.norm == FTL_NORM_MAX_SIGNED;
        ftl_emitf(code->out, "    norm = %s%s(v%u[0]);\n", is_signed ? "" : "fabs",
                  is_signed ? "" : f, slot);
        break;
    }
    }
}

static void write_normalize(ftl_c_code *code, uint32_t id)
{
    const ftl_normalize_op *op = &ftl_c_op_at(code, id)->u.normalize;
    uint32_t n = code->ops[id].width, slot = ftl_c_source_slot(code, id);
    bool narrow = code->ops[id].is_f32;
    ftl_emitf(code->out, "    int i;\n    %s norm;\n", ftl_c_real(code, id));
    if (op->norm == FTL_NORM_L2)
        ftl_emit_text(code->out, "    double sum = 0;\n");
    emit_norm(code, id, n, slot);
    if (op->norm != FTL_NORM_L1 && op->norm != FTL_NORM_L2) {
        const char *call = op->norm == FTL_NORM_MAX_SIGNED ? "" : narrow ? "fabsf" : "fabs";
        ftl_emitf(code->out,
                  "    for (i = 1; i < %u; i++)\n"
                  "        norm = %s(v%u[i]) > norm ? %s(v%u[i]) : norm;\n",
                  n, call, slot, call, slot);
    }
    ftl_emit_text(code->out, "    if (norm == 0");
    if (op->tiny_is_zero)
        ftl_emitf(code->out, " || norm < 10 * %s_EPSILON", narrow ? "FLT" : "DBL");
    ftl_emitf(
        code->out,
        ")\n        norm = 1;\n    for (i = 0; i < %u; i++)\n        out[i] = v%u[i] / norm;\n", n,
        slot);
}

const ftl_c_writer ftl_c_normalize = {.check = check_normalize, .body = write_normalize};

/* ---- DISTANCES ------------------------------------------------------------------------------- */

static ftl_status check_distances(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++) {
        uint32_t from = op->segments[s].op;
        if (ftl_c_is_cell(code, from) || ftl_c_op_at(code, from)->edge == FTL_EDGE_SPARSE)
            return ftl_c_unsupported(op, "distances of texts or of sparse rows", error);
    }
    return FTL_OK;
}

/* Centres as [column][centre]. */
static void distances_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    size_t sources = ftl_op_source_columns(op), n = sources * op->width;
    ftl_c_array_begin(code, id, "double", "centres", n);
    for (size_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_c_f64(code->out, op->u.distances.centres[i % op->width * sources + i / op->width]);
    }
    ftl_c_array_end(code);
    ftl_c_array_f64(code, id, "norms", op->u.distances.norms, op->width);
}

/* Columns of a matrix: products in the order of the columns, squares in four sums. */
static void distances_dense(ftl_c_code *code, uint32_t id, uint32_t s, uint32_t first)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_segment *segment = &op->segments[s];
    uint32_t slot = code->ops[segment->op].slot, n = segment->count;
    ftl_emitf(code->out,
              "    memset(part, 0, sizeof part);\n    memset(four, 0, sizeof four);\n"
              "    for (j = 0; j < %u; j++) {\n        x = v%u[%u + j];\n"
              "        for (k = 0; k < %u; k++)\n"
              "            part[k] += x * %s_op%u_centres[(%u + j) * %u + k];\n"
              "        four[j < %u ? j %% 4 : 0] += x * x;\n    }\n"
              "    for (k = 0; k < %u; k++)\n        dot[k] += part[k];\n"
              "    squares += (four[0] + four[1]) + (four[2] + four[3]);\n",
              n, slot, segment->first, op->width, code->prefix, id, first, op->width, n / 4 * 4,
              op->width);
}

static void distances_column(ftl_c_code *code, uint32_t id, uint32_t from, uint32_t column,
                             uint32_t at)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_emit_text(code->out, "    x = ");
    ftl_c_number(code, from, column, false);
    ftl_emitf(code->out,
              ";\n    if (x != 0) {\n        squares += x * x;\n"
              "        for (k = 0; k < %u; k++)\n            dot[k] += x * %s_op%u_centres[%u * %u "
              "+ k];\n"
              "    }\n",
              op->width, code->prefix, id, at, op->width);
}

static void write_distances(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool narrow = code->ops[id].is_f32, dense = false;
    for (uint32_t s = 0; s < op->n_segments; s++)
        dense = dense || (is_dense(code, &op->segments[s]) && op->segments[s].count);
    ftl_emitf(code->out, "    double dot[%u] = {0}, squares = 0, x;\n    int k;\n", op->width);
    if (dense)
        ftl_emitf(code->out, "    double part[%u], four[4];\n    int j;\n", op->width);
    for (uint32_t s = 0, at = 0; s < op->n_segments; at += op->segments[s++].count) {
        const ftl_segment *segment = &op->segments[s];
        if (is_dense(code, segment) && segment->count)
            distances_dense(code, id, s, at);
        for (uint32_t c = 0; c < segment->count && !is_dense(code, segment); c++)
            distances_column(code, id, segment->op, segment->first + c, at + c);
    }
    ftl_emitf(code->out,
              "    for (k = 0; k < %u; k++) {\n"
              "        x = -2 * dot[k] + squares + %s_op%u_norms[k];\n        x = x < 0 ? 0 : x;\n"
              "        out[k] = %s;\n    }\n",
              op->width, code->prefix, id, narrow ? "sqrtf((float)x)" : "sqrt(x)");
}

const ftl_c_writer ftl_c_distances = {
    .check = check_distances, .tables = distances_tables, .body = write_distances};
