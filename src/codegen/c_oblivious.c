/*
 * OBLIVIOUS: CatBoost's trees, in which a level asks one question: the leaf's number is made of the
 * answers' bits.
 */
#include "codegen/c_code.h"

static ftl_status check_oblivious(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    code->ops[id].stack = ftl_op_source_columns(op) * sizeof(unsigned);
    return code->ops[ftl_c_source(code, id)].is_f32
               ? FTL_OK
               : ftl_c_unsupported(op, "oblivious trees over float64 columns", error);
}

static void oblivious_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_oblivious_op *trees = &op->u.oblivious;
    uint32_t n_columns = ftl_op_source_columns(op), n_borders = trees->border_start[n_columns];
    uint32_t column = 0;
    ftl_c_array_begin(code, id, "float", "borders", n_borders);
    for (uint32_t i = 0; i < n_borders && code->out->status == FTL_OK; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_c_f32(code->out, trees->borders[i]);
    }
    ftl_c_array_end(code);
    ftl_c_array_u32(code, id, "border", trees->border_start, (size_t)n_columns + 1);
    ftl_c_array_begin(code, id, "unsigned char", "nan", n_columns);
    for (uint32_t i = 0; i < n_columns; i++) {
        ftl_c_array_next(code, i);
        ftl_emit_text(code->out, trees->nan_above[i] ? "1" : "0");
    }
    ftl_c_array_end(code);
    /* a level: which column, and how many borders are to be below its value */
    uint32_t n = trees->start[trees->n_trees];
    ftl_emitf(code->out,
              "static const struct {\n    unsigned column, code;\n} %s_op%u_levels[%u] = {",
              code->prefix, id, n ? n : 1);
    for (uint32_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        uint32_t low = 0, high = n_columns;
        while (high - low > 1) {
            uint32_t middle = low + (high - low) / 2;
            if (trees->border_start[middle] <= trees->splits[i])
                low = middle;
            else
                high = middle;
        }
        column = low;
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "{%u, %u}", column, trees->splits[i] - trees->border_start[column]);
    }
    ftl_emit_text(code->out, n ? "};\n" : "{0, 0}};\n");
    ftl_c_array_u32(code, id, "start", trees->start, (size_t)trees->n_trees + 1);
    if (!trees->leaf_number)
        ftl_c_array_f64(code, id, "values", trees->values, trees->n_values);
}

/* NaN is above all borders or none. */
static void emit_codes(ftl_c_code *code, uint32_t id, uint32_t n_columns)
{
    const char *p = code->prefix;
    ftl_emitf(
        code->out,
        "    for (i = 0; i < %u; i++) {\n"
        "        const float x = v%u[i];\n"
        "        unsigned low = %s_op%u_border[i], n = %s_op%u_border[i + 1] - low;\n"
        "        if (x != x) {\n            c[i] = %s_op%u_nan[i] ? n : 0;\n            continue;\n"
        "        }\n"
        "        while (n > 0) {\n            const unsigned half = n / 2;\n"
        "            const unsigned above = x > %s_op%u_borders[low + half];\n"
        "            low += above ? half + 1 : 0;\n            n = above ? n - half - 1 : half;\n"
        "        }\n        c[i] = low - %s_op%u_border[i];\n    }\n",
        n_columns, ftl_c_source_slot(code, id), p, id, p, id, p, id, p, id, p, id);
}

static void write_oblivious(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_oblivious_op *trees = &op->u.oblivious;
    uint32_t n_columns = ftl_op_source_columns(op);
    const char *p = code->prefix;
    ftl_emitf(code->out, "    unsigned c[%u], i, t;\n", n_columns ? n_columns : 1);
    if (!trees->leaf_number)
        ftl_emitf(code->out,
                  "    const double *values = %s_op%u_values;\n    int k;\n"
                  "    for (k = 0; k < %u; k++)\n        out[k] = 0;\n",
                  p, id, op->width);
    emit_codes(code, id, n_columns);
    ftl_emitf(
        code->out,
        "    for (t = 0; t < %u; t++) {\n"
        "        const unsigned first = %s_op%u_start[t], depth = %s_op%u_start[t + 1] - first;\n"
        "        unsigned leaf = 0;\n"
        "        for (i = 0; i < depth; i++)\n"
        "            leaf |= (unsigned)(c[%s_op%u_levels[first + i].column] >\n"
        "                               %s_op%u_levels[first + i].code) << i;\n",
        trees->n_trees, p, id, p, id, p, id, p, id);
    if (trees->leaf_number)
        ftl_emit_text(code->out, "        out[t] = leaf;\n    }\n");
    else
        ftl_emitf(code->out,
                  "        for (k = 0; k < %u; k++)\n            out[k] += values[leaf * %u + k];\n"
                  "        values += (size_t)%u << depth;\n    }\n",
                  op->width, op->width, op->width);
}

const ftl_c_writer ftl_c_oblivious = {
    .check = check_oblivious, .tables = oblivious_tables, .body = write_oblivious};
