/* COMBINE, VOTE and MEDIAN: what an ensemble makes of its models' columns. */
#include "codegen/c_code.h"

static ftl_status check_columns(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    for (uint32_t s = 0; s < op->n_segments; s++) {
        if (ftl_c_is_cell(code, op->segments[s].op))
            return ftl_c_unsupported(op, "texts where models are combined", error);
    }
    return FTL_OK;
}

static void combine_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from,
                           uint32_t column)
{
    const ftl_combine_op *op = &ftl_c_op_at(code, id)->u.combine;
    bool narrow = code->ops[id].is_f32;
    ftl_emit_text(code->out, "    x = ");
    ftl_c_number(code, from, column, false);
    if (op->weights) {
        ftl_emit_text(code->out, " * ");
        ftl_emit_c_f64(code->out, op->weights[i]);
    }
    if (op->rule == FTL_COMBINE_SUM)
        ftl_emitf(code->out, ";\n    out[%u] = %s(%sout[%u] + x);\n", op->target[i],
                  narrow ? "(float)" : "", narrow ? "(double)" : "", op->target[i]);
    else
        ftl_emitf(code->out, ";\n    out[%u] = %s%s_op%u_add(%sout[%u], x);\n", op->target[i],
                  narrow ? "(float)" : "", code->prefix, id, narrow ? "(double)" : "",
                  op->target[i]);
}

static void combine_tables(ftl_c_code *code, uint32_t id)
{
    if (ftl_c_op_at(code, id)->u.combine.rule != FTL_COMBINE_LOGADDEXP)
        return;
    ftl_emitf(code->out,
              "static double %s_op%u_add(double a, double b)\n{\n    double difference = a - b;\n"
              "    if (a == b)\n        return a + 0.693147180559945309417232121458176568;\n"
              "    if (difference > 0)\n        return a + log1p(exp(-difference));\n"
              "    if (difference <= 0)\n        return b + log1p(exp(difference));\n"
              "    return difference;\n}\n",
              code->prefix, id);
}

static void write_combine(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_combine_op *combine = &op->u.combine;
    bool sum = combine->rule == FTL_COMBINE_SUM, narrow = code->ops[id].is_f32;
    ftl_emitf(code->out,
              "    double x;\n    int k;\n    for (k = 0; k < %u; k++)\n        out[k] = %s;\n",
              op->width, sum ? "0" : "-INFINITY");
    ftl_c_each_source(code, id, combine_column);
    ftl_emitf(code->out,
              "    for (k = 0; k < %u; k++) {\n        x = out[k];\n        out[k] = %s(x %s ",
              op->width, narrow ? "(float)" : "", sum ? "/" : "-");
    if (sum)
        ftl_emit_c_f64(code->out, combine->divisor);
    else {
        ftl_emit_text(code->out, "log(");
        ftl_emit_c_f64(code->out, combine->divisor);
        ftl_emit_text(code->out, ")");
    }
    ftl_emit_text(code->out, ");\n    }\n");
}

const ftl_c_writer ftl_c_combine = {
    .check = check_columns, .tables = combine_tables, .body = write_combine};

/* ---- VOTE ------------------------------------------------------------------------------------ */

static void vote_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_vote_op *op = &ftl_c_op_at(code, id)->u.vote;
    size_t n = ftl_op_source_columns(ftl_c_op_at(code, id));
    ftl_c_array_begin(code, id, "int", "map", op->start[n]);
    for (uint32_t i = 0; i < op->start[n]; i++) {
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "%lld", op->map[i] == FTL_VOTE_NONE ? -1LL : (long long)op->map[i]);
    }
    ftl_c_array_end(code);
}

static void vote_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    const ftl_vote_op *op = &ftl_c_op_at(code, id)->u.vote;
    ftl_emit_text(code->out, "    x = ");
    ftl_c_number(code, from, column, false);
    ftl_emitf(code->out, ";\n    chosen = x >= 0 && x < %u ? %s_op%u_map[%u + (unsigned)x] : -1;\n",
              op->start[i + 1] - op->start[i], code->prefix, id, op->start[i]);
    if (op->miss) {
        ftl_emitf(code->out, "    for (k = 0; k < %u; k++)\n        out[k] += k == chosen ? ",
                  code->ops[id].width);
        ftl_emit_c_f64(code->out, op->hit[i]);
        ftl_emit_text(code->out, " : ");
        ftl_emit_c_f64(code->out, op->miss[i]);
    } else {
        ftl_emit_text(code->out, "    if (chosen >= 0)\n        out[chosen] += ");
        ftl_emit_c_f64(code->out, op->hit[i]);
    }
    ftl_emit_text(code->out, ";\n");
}

static void write_vote(ftl_c_code *code, uint32_t id)
{
    ftl_emitf(
        code->out,
        "    double x;\n    int k, chosen;\n    for (k = 0; k < %u; k++)\n        out[k] = 0;\n",
        code->ops[id].width);
    ftl_c_each_source(code, id, vote_column);
    ftl_emitf(code->out, "    for (k = 0; k < %u; k++)\n        out[k] /= ", code->ops[id].width);
    ftl_emit_c_f64(code->out, ftl_c_op_at(code, id)->u.vote.divisor);
    ftl_emit_text(code->out, ";\n");
}

const ftl_c_writer ftl_c_vote = {.check = check_columns, .tables = vote_tables, .body = write_vote};

/* ---- MEDIAN ---------------------------------------------------------------------------------- */

static ftl_status check_median(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    code->uses |= FTL_C_MEDIAN;
    code->ops[id].stack = ftl_op_source_columns(ftl_c_op_at(code, id)) * 16;
    return check_columns(code, id, error);
}

static void median_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_median_op *op = &ftl_c_op_at(code, id)->u.median;
    ftl_c_array_f64(code, id, "weights", op->weights, ftl_op_source_columns(ftl_c_op_at(code, id)));
    if (op->n_values)
        ftl_c_array_f64(code, id, "values", op->values, op->n_values);
}

static void median_column(ftl_c_code *code, uint32_t id, uint32_t i, uint32_t from, uint32_t column)
{
    (void)id;
    ftl_emitf(code->out, "    x[%u] = ", i);
    ftl_c_number(code, from, column, false);
    ftl_emit_text(code->out, ";\n");
}

/* Places of known values ascend as those do, and no two columns share one: the order is theirs. */
static void write_median(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t n = ftl_op_source_columns(op);
    const char *cast = code->ops[id].is_f32 ? "(float)" : "", *p = code->prefix;
    ftl_emitf(code->out, "    double x[%u];\n    int order[%u], other[%u];\n", n, n, n);
    ftl_c_each_source(code, id, median_column);
    if (op->u.median.n_values)
        ftl_emitf(
            code->out,
            "    out[0] = %s%s_op%u_values[(unsigned)%s_median(x, %s_op%u_weights, %u, order, "
            "other)];\n",
            cast, p, id, p, p, id, n);
    else
        ftl_emitf(code->out, "    out[0] = %s%s_median(x, %s_op%u_weights, %u, order, other);\n",
                  cast, p, p, id, n);
}

const ftl_c_writer ftl_c_median = {
    .check = check_median, .tables = median_tables, .body = write_median};
