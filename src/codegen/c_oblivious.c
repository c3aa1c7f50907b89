/*
 * OBLIVIOUS: CatBoost's trees, in which a level asks one question: the leaf's number is made of the
 * answers' bits. Codes are those of other trees (c_forest.h).
 */
#include "codegen/c_forest.h"

enum { most_block_depth = 8, together = 4 };

/* The column of each border; borders of column i are border_start[i] and on. */
static uint32_t column_of(const ftl_oblivious_op *trees, uint32_t n_columns, uint32_t border)
{
    uint32_t low = 0, high = n_columns;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (trees->border_start[middle] <= border)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t depth_of(const ftl_oblivious_op *trees, uint32_t tree)
{
    return trees->start[tree + 1] - trees->start[tree];
}

static ftl_status make_columns(ftl_c_code *code, const ftl_op *op, ftl_c_forest *out,
                               ftl_error *error)
{
    const ftl_oblivious_op *trees = &op->u.oblivious;
    uint32_t n = ftl_op_source_columns(op), n_borders = trees->border_start[n];
    out->narrow = true;
    out->n_columns = out->n_numeric = n;
    out->n_edges = n_borders;
    out->columns = ftl_arena_zero_array(&code->arena, (size_t)n + 1, sizeof *out->columns);
    out->edges = ftl_arena_array(&code->arena, (size_t)n_borders + 1, sizeof *out->edges);
    if (!out->columns || !out->edges)
        return FTL_OOM(error);
    for (uint32_t i = 0; i < n_borders; i++)
        out->edges[i] = (double)trees->borders[i];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t count = trees->border_start[i + 1] - trees->border_start[i];
        out->columns[i] = (ftl_c_column){.feature = i,
                                         .missing_right = trees->nan_above[i],
                                         .start = trees->border_start[i],
                                         .count = count};
        out->most_codes = count > out->most_codes ? count : out->most_codes;
    }
    return FTL_OK;
}

static ftl_status check_oblivious(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_oblivious_op *trees = &op->u.oblivious;
    ftl_c_forest *forest = FTL_ARENA_NEW(&code->arena, ftl_c_forest);
    if (!forest)
        return FTL_OOM(error);
    if (!code->ops[ftl_c_source(code, id)].is_f32)
        return ftl_c_unsupported(op, "oblivious trees over float64 columns", error);
    FTL_TRY(make_columns(code, op, forest, error));
    code->ops[id].state = forest;
    code->ops[id].stack = forest->n_columns * sizeof(unsigned);
    bool block = ftl_c_forest_bytes(forest) == 1 && !trees->leaf_number;
    for (uint32_t t = 0; t < trees->n_trees; t++)
        block = block && depth_of(trees, t) <= most_block_depth;
    code->ops[id].block = block ? 256 : 0;
    code->uses |= block ? FTL_C_LEVELS : 0;
    code->uses |= ftl_c_forest_bytes(forest) == 1 ? FTL_C_BELOW_F32 : 0;
    return FTL_OK;
}

/* A level: which column, and how many borders are to be below its value. */
static void levels_table(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_oblivious_op *trees = &op->u.oblivious;
    uint32_t n = trees->start[trees->n_trees], n_columns = ftl_op_source_columns(op);
    ftl_emitf(code->out,
              "static const struct {\n    unsigned column, code;\n} %s_op%u_levels[%u] = {",
              code->prefix, id, n ? n : 1);
    for (uint32_t i = 0; i < n && code->out->status == FTL_OK; i++) {
        uint32_t column = column_of(trees, n_columns, trees->splits[i]);
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "{%u, %u}", column, trees->splits[i] - trees->border_start[column]);
    }
    ftl_emit_text(code->out, n ? "};\n" : "{0, 0}};\n");
}

static void oblivious_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_oblivious_op *trees = &ftl_c_op_at(code, id)->u.oblivious;
    const ftl_c_forest *forest = code->ops[id].state;
    ftl_c_forest_columns(code, id, forest);
    levels_table(code, id);
    ftl_c_array_u32(code, id, "start", trees->start, (size_t)trees->n_trees + 1);
    if (!trees->leaf_number)
        ftl_c_array_f64(code, id, "values", trees->values, trees->n_values);
    ftl_c_forest_codes(code, id, forest);
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
    ftl_emitf(
        code->out,
        "    %s_op%u_codes(v%u, c);\n    for (t = 0; t < %u; t++) {\n"
        "        const unsigned first = %s_op%u_start[t], depth = %s_op%u_start[t + 1] - first;\n"
        "        unsigned leaf = 0;\n"
        "        for (i = 0; i < depth; i++)\n"
        "            leaf |= (unsigned)(c[%s_op%u_levels[first + i].column] >\n"
        "                               %s_op%u_levels[first + i].code) << i;\n",
        p, id, ftl_c_source_slot(code, id), trees->n_trees, p, id, p, id, p, id, p, id);
    if (trees->leaf_number)
        ftl_emit_text(code->out, "        out[t] = leaf;\n    }\n");
    else
        ftl_emitf(code->out,
                  "        for (k = 0; k < %u; k++)\n            out[k] += values[leaf * %u + k];\n"
                  "        values += (size_t)%u << depth;\n    }\n",
                  op->width, op->width, op->width);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* Levels as cuts that ask whatever the leaf is: a row whose code is larger gets the level's bit. */
static void block_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_oblivious_op *trees = &op->u.oblivious;
    uint32_t n = trees->start[trees->n_trees], n_columns = ftl_op_source_columns(op);
    ftl_emitf(code->out, "static const %s_cut %s_op%u_bits[%u] = {", code->prefix, code->prefix, id,
              n ? n : 1);
    for (uint32_t t = 0, i = 0; t < trees->n_trees && code->out->status == FTL_OK; t++) {
        for (uint32_t level = 0; level < depth_of(trees, t); level++, i++) {
            uint32_t column = column_of(trees, n_columns, trees->splits[i]);
            uint32_t above = trees->splits[i] - trees->border_start[column] - 128;
            ftl_c_array_next(code, i);
            ftl_emitf(code->out, "{%u, %uu, 0, %uu}", column, (above & 0xff) * 0x01010101u,
                      (1u << level) * 0x01010101u);
        }
    }
    ftl_emit_text(code->out, n ? "};\n" : "{0, 0, 0, 0}};\n");
    ftl_c_array_begin(code, id, "unsigned", "at", trees->n_trees);
    for (uint32_t t = 0, at = 0; t < trees->n_trees; at += op->width << depth_of(trees, t++)) {
        ftl_c_array_next(code, t);
        ftl_emitf(code->out, "%uu", at);
    }
    ftl_c_array_end(code);
}

/* The leaves of trees t and on, `n` of them, then their values, tree after tree for each row. */
static void emit_trees(ftl_c_code *code, uint32_t id, uint32_t n)
{
    uint32_t width = code->ops[id].width;
    const char *p = code->prefix;
    for (uint32_t i = 0; i < n; i++)
        ftl_emitf(
            code->out,
            "        %s_level8(%s_op%u_bits + %s_op%u_start[t + %u],\n"
            "                  %s_op%u_start[t + %u] - %s_op%u_start[t + %u], c, leaf[%u], n);\n",
            p, p, id, p, id, i, p, id, i + 1, p, id, i, i);
    ftl_emitf(code->out,
              "        for (r = 0; r < n; r++) {\n            double *sum = out + r * %u;\n",
              width);
    for (uint32_t i = 0; i < n && width == 1; i++)
        ftl_emitf(
            code->out,
            "            %s %s_op%u_values[%s_op%u_at[t + %u] + (unsigned char)leaf[%u][r]]%s",
            i == 0 ? "sum[0] = sum[0] +" : "+", p, id, p, id, i, i, i + 1 < n ? "\n" : ";\n");
    for (uint32_t i = 0; i < n && width != 1; i++)
        ftl_emitf(
            code->out,
            "            for (k = 0; k < %u; k++)\n                sum[k] += %s_op%u_values[\n"
            "                    %s_op%u_at[t + %u] + (unsigned char)leaf[%u][r] * %uu + k];\n",
            width, p, id, p, id, i, i, width);
    ftl_emit_text(code->out, "        }\n");
}

static void write_block(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    uint32_t n = op->u.oblivious.n_trees, n_columns = ftl_op_source_columns(op);
    block_tables(code, id);
    bool wide = ftl_c_forest_block_codes(code, id, code->ops[id].state);
    ftl_emitf(code->out,
              "static void %s_op%u_block(const float *x, double *out, unsigned n)\n{\n"
              "    signed char c[%u * 256] = {0}, leaf[%d][256];\n    unsigned r, t = 0, k = 0;\n"
              "    (void)t;\n    (void)k;\n    (void)leaf;\n",
              code->prefix, id, n_columns, together);
    ftl_c_forest_block_call(code, id, wide);
    ftl_emitf(code->out, "    for (r = 0; r < n * %u; r++)\n        out[r] = 0;\n", op->width);
    if (n >= together) {
        ftl_emitf(code->out, "    for (t = 0; t + %d <= %u; t += %d) {\n", together, n, together);
        emit_trees(code, id, together);
        ftl_emit_text(code->out, "    }\n");
    }
    if (n % together) {
        ftl_emitf(code->out, "    for (t = %u; t < %u; t++) {\n", n / together * together, n);
        emit_trees(code, id, 1);
        ftl_emit_text(code->out, "    }\n");
    }
    ftl_emit_text(code->out, "}\n");
}

const ftl_c_writer ftl_c_oblivious = {.check = check_oblivious,
                                      .tables = oblivious_tables,
                                      .body = write_oblivious,
                                      .block = write_block};
