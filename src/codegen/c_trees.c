/*
 * TREES and TREE_APPLY. A row goes down eight trees at once; a block of rows passes the cuts of one
 * tree after the other, as many rows at a time as a register holds.
 */
#include "codegen/c_forest.h"

#include <stdio.h>

static const ftl_tree_nodes *nodes_of(const ftl_op *op)
{
    return op->kind == FTL_OP_TREES ? op->u.trees.nodes : op->u.tree_apply.nodes;
}

static bool is_narrow(const ftl_op *op)
{
    return (op->kind == FTL_OP_TREES ? op->u.trees.input : op->u.tree_apply.input) ==
           FTL_TREE_INPUT_F32;
}

static ftl_status check_trees(ftl_c_code *code, uint32_t id, ftl_error *error)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    ftl_c_forest *forest = FTL_ARENA_NEW(&code->arena, ftl_c_forest);
    if (!forest)
        return FTL_OOM(error);
    FTL_TRY(ftl_c_forest_make(code, op, nodes_of(op), is_narrow(op), forest, error));
    code->ops[id].state = forest;
    code->ops[id].stack += forest->n_columns * sizeof(unsigned);
    uint32_t bytes = op->kind == FTL_OP_TREES && !op->u.trees.linear ? ftl_c_forest_bytes(forest)
                                                                     : 0;
    code->ops[id].block = bytes == 1 ? 256 : bytes == 2 ? 128 : 0;
    code->uses |= bytes == 1 ? FTL_C_CUTS8 : bytes == 2 ? FTL_C_CUTS16 : 0;
    if (ftl_c_forest_bytes(forest) == 1 && forest->n_numeric)
        code->uses |= forest->narrow ? FTL_C_BELOW_F32 : FTL_C_BELOW_F64;
    if (ftl_c_forest_has_lanes(forest))
        code->uses |= FTL_C_ROW_LANES | (forest->narrow ? FTL_C_BELOW_F32 : FTL_C_BELOW_F64);
    return FTL_OK;
}

/* ---- What a leaf gives ----------------------------------------------------------------------- */

static uint32_t value_row(const ftl_tree_nodes *nodes, uint32_t node)
{
    return nodes->leaf ? (uint32_t)nodes->leaf[node] : node;
}

static void values_table(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const ftl_trees_op *op = &ftl_c_op_at(code, id)->u.trees;
    uint32_t width = forest->nodes->value_width;
    ftl_c_array_begin(code, id, op->sum_f32 ? "float" : "double", "values",
                      (size_t)forest->n_leaves * width);
    for (size_t i = 0; i < (size_t)forest->n_leaves * width && code->out->status == FTL_OK; i++) {
        size_t row = value_row(forest->nodes, forest->node_of[i / width]);
        double value = forest->nodes->values[row * width + i % width];
        ftl_c_array_next(code, i);
        if (op->sum_f32)
            ftl_emit_c_f32(code->out, (float)value);
        else
            ftl_emit_c_f64(code->out, value);
    }
    ftl_c_array_end(code);
}

/* The functions of leaves of linear trees, leaf by leaf. */
static void linear_tables(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const ftl_linear_leaves *linear = ftl_c_op_at(code, id)->u.trees.linear;
    ftl_emitf(code->out,
              "static const struct {\n    unsigned start, count;\n    double constant;\n} "
              "%s_op%u_lines[%u] = {",
              code->prefix, id, forest->n_leaves);
    for (uint32_t i = 0; i < forest->n_leaves; i++) {
        uint32_t row = value_row(forest->nodes, forest->node_of[i]);
        ftl_c_array_next(code, i);
        ftl_emitf(code->out, "{%u, %u, ", linear->start[row],
                  linear->start[row + 1] - linear->start[row]);
        ftl_emit_c_f64(code->out, linear->constant[row]);
        ftl_emit_text(code->out, "}");
    }
    ftl_c_array_end(code);
    uint32_t n = linear->start[forest->nodes->n_values];
    ftl_c_array_u32(code, id, "terms", linear->column, n);
    ftl_c_array_f64(code, id, "coef", linear->coef, n);
}

static void ids_table(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const ftl_tree_nodes *nodes = forest->nodes;
    bool index = ftl_c_op_at(code, id)->u.tree_apply.leaf_index;
    ftl_c_array_begin(code, id, "int", "ids", forest->n_leaves);
    for (uint32_t t = 0; t < nodes->n_trees && code->out->status == FTL_OK; t++) {
        uint32_t lowest = nodes->root[t];
        if (index)
            lowest = UINT32_MAX;
        for (uint32_t i = forest->first_leaf[t]; index && i < forest->first_leaf[t + 1]; i++) {
            uint32_t row = value_row(nodes, forest->node_of[i]);
            lowest = row < lowest ? row : lowest;
        }
        for (uint32_t i = forest->first_leaf[t]; i < forest->first_leaf[t + 1]; i++) {
            uint32_t node = forest->node_of[i];
            ftl_c_array_next(code, i);
            ftl_emitf(code->out, "%u", (index ? value_row(nodes, node) : node) - lowest);
        }
    }
    ftl_c_array_end(code);
}

/* ---- Codes ----------------------------------------------------------------------------------- */

static const char byte_rule[] = "    const int fits = x > -2147483649.0 && x < 2147483648.0;\n"
                                "    const uint32_t c = fits ? (uint32_t)(int32_t)x & 0xffu : 0;\n";
static const char int_rule[] = "    uint32_t c;\n"
                               "    if (!(x > -1.0 && x < 2147483648.0))\n        return 0;\n"
                               "    c = (uint32_t)(int32_t)x;\n";
static const char positive_rule[] = "    uint32_t c;\n"
                                    "    if (!(x >= 0 && x < 2147483648.0))\n        return 0;\n"
                                    "    c = (uint32_t)(int32_t)x;\n";

static void write_set_function(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *const rules[] = {byte_rule, int_rule, positive_rule};
    ftl_emitf(
        code->out,
        "static int %s_op%u_inside(double x, unsigned start, unsigned words)\n{\n%s"
        "    return c >> 5 < words && (%s_op%u_words[start + (c >> 5)] >> (c & 31) & 1);\n}\n",
        code->prefix, id, rules[forest->nodes->category_rule], code->prefix, id);
}

/*
 * PREFIX_op<id>_code(i, x): the code of a value of column i; zero: some column takes zero for
 * missing. wide: by instructions that not all processors have.
 */
static void write_code(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest, bool zero,
                       bool wide)
{
    const char *real = forest->narrow ? "float" : "double", *p = code->prefix;
    bool sixteens = ftl_c_forest_bytes(forest) == 1;
    if (wide)
        ftl_emitf(code->out, "#if defined(%s_LANES)\n%s_WIDE ", p, p);
    ftl_emitf(code->out,
              "static inline unsigned %s_op%u_code%s(unsigned i, %s x)\n{\n"
              "    const %s *edges = %s_op%u_edges + %s_op%u_columns[i].start;\n",
              p, id, wide ? "_wide" : "", real, real, p, id, p, id);
    if (sixteens) {
        const char *below = forest->narrow ? "belowf" : "below", *how = wide ? "_wide" : "";
        ftl_emitf(
            code->out,
            "    unsigned at = 16 * %s_%s%s(edges, x);\n    at += %s_%s%s(edges + 16 + at, x);\n",
            p, below, how, p, below, how);
    } else
        ftl_emitf(code->out,
                  "    unsigned at = 0, step = (1u << %s_op%u_columns[i].steps) >> 1;\n"
                  "    for (; step; step >>= 1)\n"
                  "        at += step & (0u - (unsigned)(edges[at + step - 1] < x));\n",
                  p, id);
    ftl_emit_text(code->out, "    if (x != x");
    if (zero)
        ftl_emitf(code->out,
                  " || (%s_op%u_columns[i].zero && x >= -(double)1e-35f && x <= (double)1e-35f)", p,
                  id);
    ftl_emitf(code->out, ")\n        at = %s_op%u_columns[i].missing;\n    return at;\n}\n%s", p,
              id, wide ? "#endif\n" : "");
}

static void write_set_code(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *p = code->prefix;
    write_set_function(code, id, forest);
    ftl_emitf(code->out,
              "static unsigned %s_op%u_set_code(unsigned i, double x)\n{\n"
              "    if (x != x || (%s_op%u_sets[i].negative && x < 0) ||\n"
              "        (%s_op%u_sets[i].zero && x >= -(double)1e-35f && x <= (double)1e-35f))\n"
              "        return (unsigned)%s_op%u_sets[i].missing;\n"
              "    return %s_op%u_inside(x, %s_op%u_sets[i].start, %s_op%u_sets[i].words) == "
              "%s_op%u_sets[i].inside;\n}\n",
              p, id, p, id, p, id, p, id, p, id, p, id, p, id, p, id);
}

void ftl_c_forest_codes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *real = ftl_c_real(code, ftl_c_source(code, id)), *p = code->prefix;
    const char *cast = forest->narrow ? "(float)" : "";
    bool zero = false;
    for (uint32_t i = 0; i < forest->n_numeric; i++)
        zero = zero || forest->columns[i].zero_missing;
    if (forest->n_numeric)
        write_code(code, id, forest, zero, false);
    if (forest->n_numeric && ftl_c_forest_bytes(forest) == 1)
        write_code(code, id, forest, zero, true);
    if (forest->n_columns > forest->n_numeric)
        write_set_code(code, id, forest);
    ftl_emitf(code->out, "static void %s_op%u_codes(const %s *x, unsigned *c)\n{\n", p, id, real);
    if (forest->n_columns)
        ftl_emit_text(code->out, "    unsigned i;\n");
    else
        ftl_emit_text(code->out, "    (void)x;\n    c[0] = 0;\n");
    if (forest->n_numeric)
        ftl_emitf(code->out,
                  "    for (i = 0; i < %u; i++)\n"
                  "        c[i] = %s_op%u_code(i, %sx[%s_op%u_columns[i].feature]);\n",
                  forest->n_numeric, p, id, cast, p, id);
    if (forest->n_columns > forest->n_numeric)
        ftl_emitf(code->out,
                  "    for (i = 0; i < %u; i++)\n"
                  "        c[%u + i] = %s_op%u_set_code(i, %sx[%s_op%u_sets[i].feature]);\n",
                  forest->n_columns - forest->n_numeric, forest->n_numeric, p, id, cast, p, id);
    ftl_emit_text(code->out, "}\n");
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void write_line(ftl_c_code *code, uint32_t id)
{
    const char *p = code->prefix, *real = ftl_c_real(code, ftl_c_source(code, id));
    ftl_emitf(code->out,
              "static double %s_op%u_line(const %s *x, unsigned leaf)\n{\n"
              "    double sum = %s_op%u_lines[leaf].constant;\n"
              "    unsigned k = %s_op%u_lines[leaf].start, end = k + %s_op%u_lines[leaf].count;\n"
              "    for (; k < end; k++) {\n"
              "        const double v = x[%s_op%u_terms[k]];\n"
              "        if (v != v)\n            return %s_op%u_values[leaf];\n"
              "        sum += %s_op%u_coef[k] * (fabs(v) <= (double)1e-35f ? 0.0 : v);\n"
              "    }\n    return sum;\n}\n",
              p, id, real, p, id, p, id, p, id, p, id, p, id, p, id);
}

/* Adds leaf `leaf` of tree t to a row's sums, as statements. */
static void emit_add(ftl_c_code *code, uint32_t id, const char *indent, const char *sum,
                     const char *t, const char *leaf)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const char *p = code->prefix;
    if (op->kind == FTL_OP_TREE_APPLY) {
        ftl_emitf(code->out, "%sout[%s] = %s_op%u_ids[%s];\n", indent, t, p, id, leaf);
        return;
    }
    const ftl_trees_op *trees = &op->u.trees;
    if (!trees->target && op->width > 1) {
        ftl_emitf(
            code->out,
            "%sfor (k = 0; k < %u; k++)\n%s    %s[k] += %s_op%u_values[(size_t)(%s) * %u + k];\n",
            indent, op->width, indent, sum, p, id, leaf, op->width);
        return;
    }
    ftl_emitf(code->out, "%s%s[", indent, sum);
    if (trees->target)
        ftl_emitf(code->out, "%s_op%u_target[%s]", p, id, t);
    else
        ftl_emit_text(code->out, "0");
    if (trees->linear)
        ftl_emitf(code->out, "] += %s_op%u_line(v%u, %s);\n", p, id, ftl_c_source_slot(code, id),
                  leaf);
    else
        ftl_emitf(code->out, "] += %s_op%u_values[%s];\n", p, id, leaf);
}

/* The start of the sums. row: the source's */
static void emit_start(ftl_c_code *code, uint32_t id, const char *indent, const char *sum,
                       const char *row)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const char *cast = op->u.trees.sum_f32 ? "(float)" : "";
    ftl_emitf(code->out, "%sfor (k = 0; k < %u; k++)\n%s    %s[k] = ", indent, op->width, indent,
              sum);
    if (op->u.trees.base_column)
        ftl_emitf(code->out, "%s%s[%u + k];\n", cast, row, op->u.trees.base_column);
    else if (op->u.trees.base)
        ftl_emitf(code->out, "%s_op%u_base[k];\n", code->prefix, id);
    else
        ftl_emit_text(code->out, "0;\n");
}

static void emit_divide(ftl_c_code *code, uint32_t id, const char *indent, const char *sum)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    if (op->u.trees.divisor == 1.0)
        return;
    ftl_emitf(code->out, "%sfor (k = 0; k < %u; k++)\n%s    %s[k] /= ", indent, op->width, indent,
              sum);
    ftl_emit_c_f64(code->out, op->u.trees.divisor);
    ftl_emit_text(code->out, ";\n");
}

/* ---- Tables and functions -------------------------------------------------------------------- */

static void write_tables(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_c_forest *forest = code->ops[id].state;
    ftl_c_forest_columns(code, id, forest);
    ftl_c_forest_nodes(code, id, forest);
    if (op->kind == FTL_OP_TREE_APPLY) {
        ids_table(code, id, forest);
    } else {
        const ftl_trees_op *trees = &op->u.trees;
        values_table(code, id, forest);
        if (trees->target)
            ftl_c_array_u32(code, id, "target", trees->target, forest->nodes->n_trees);
        if (trees->base && !trees->base_column)
            ftl_c_array_real(code, id, "base", trees->base, op->width);
        if (trees->linear) {
            linear_tables(code, id, forest);
            write_line(code, id);
        }
    }
    if (ftl_c_forest_has_lanes(forest)) {
        size_t n = (size_t)forest->nodes->n_trees + 1;
        if (code->ops[id].block)
            ftl_c_array_u32(code, id, "first", forest->first_leaf, n);
        ftl_emitf(code->out, "#if defined(%s_LANES)\n", code->prefix);
        if (!code->ops[id].block)
            ftl_c_array_u32(code, id, "first", forest->first_leaf, n);
        ftl_c_forest_lanes(code, id, forest);
        ftl_emit_text(code->out, "#endif\n");
    }
    ftl_c_forest_codes(code, id, forest);
}

/* Eight trees at once. */
static void emit_eight(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *p = code->prefix;
    char t[16], leaf[48];
    ftl_emitf(code->out, "    for (; t + 8 <= %u; t += 8) {\n        unsigned moved;\n",
              forest->nodes->n_trees);
    for (int i = 0; i < 8; i++)
        ftl_emitf(code->out,
                  "        const %s_op%u_node *n%d = %s_op%u_nodes + %s_op%u_roots[t + %d];\n", p,
                  id, i, p, id, p, id, i);
    ftl_emit_text(code->out, "        do {\n            unsigned step;\n            moved = 0;\n");
    for (int i = 0; i < 8; i++)
        ftl_emitf(code->out,
                  "            step = n%d->next + (unsigned)(c[n%d->column] > n%d->code);\n"
                  "            n%d += step;\n            moved |= step;\n",
                  i, i, i, i);
    ftl_emit_text(code->out, "        } while (moved);\n");
    for (int i = 0; i < 8; i++) {
        snprintf(t, sizeof t, "t + %d", i);
        snprintf(leaf, sizeof leaf, "n%d->code - %uu", i, forest->most_codes);
        emit_add(code, id, "        ", "sum", t, leaf);
    }
    ftl_emit_text(code->out, "    }\n");
}

static void emit_walk(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *p = code->prefix;
    char leaf[48];
    if (forest->nodes->n_trees >= 8)
        emit_eight(code, id, forest);
    if (forest->nodes->n_trees % 8 == 0)
        return;
    ftl_emitf(code->out,
              "    for (; t < %u; t++) {\n"
              "        const %s_op%u_node *n0 = %s_op%u_nodes + %s_op%u_roots[t];\n"
              "        while (n0->next)\n"
              "            n0 += n0->next + (unsigned)(c[n0->column] > n0->code);\n",
              forest->nodes->n_trees, p, id, p, id, p, id);
    snprintf(leaf, sizeof leaf, "n0->code - %uu", forest->most_codes);
    emit_add(code, id, "        ", "sum", "t", leaf);
    ftl_emit_text(code->out, "    }\n");
}

/* Groups of 64 trees where the processor has instructions for them, else eight at a time. */
static void emit_leaves(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    const char *p = code->prefix;
    if (!ftl_c_forest_has_lanes(forest)) {
        emit_walk(code, id, forest);
        return;
    }
    ftl_emitf(
        code->out,
        "#if defined(%s_LANES)\n"
        "    if (__builtin_cpu_supports(\"avx2\")) {\n"
        "        const unsigned char *steps = %s_op%u_lanes;\n"
        "        const int wide = __builtin_cpu_supports(\"avx512vbmi\") &&\n"
        "                         __builtin_cpu_supports(\"avx512bw\");\n"
        "        signed char codes[64] = {0};\n        unsigned g, i;\n"
        "        for (i = 0; i < %u; i++)\n            codes[i] = (signed char)((int)c[i] - 128);\n"
        "        for (g = 0; t < %u; g++) {\n"
        "            unsigned char leaf[64];\n"
        "            if (wide)\n                %s_lanes_64(steps, %s_op%u_steps[g], codes, "
        "leaf);\n"
        "            else\n                %s_lanes_32(steps, %s_op%u_steps[g], codes, %u, leaf);\n"
        "            steps += (size_t)%s_op%u_steps[g] * 256;\n"
        "            for (i = 0; i < 64 && t < %u; i++, t++) {\n",
        p, p, id, forest->n_columns, forest->nodes->n_trees, p, p, id, p, p, id,
        (forest->n_columns + 15) / 16, p, id, forest->nodes->n_trees);
    char leaf[80];
    snprintf(leaf, sizeof leaf, "%.40s_op%u_first[t] + leaf[i]", p, id);
    emit_add(code, id, "                ", "sum", "t", leaf);
    ftl_emit_text(code->out, "            }\n        }\n    }\n#endif\n");
    emit_walk(code, id, forest);
}

static void write_row(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_c_forest *forest = code->ops[id].state;
    uint32_t slot = ftl_c_source_slot(code, id);
    char row[16];
    snprintf(row, sizeof row, "v%u", slot);
    bool sums = op->kind == FTL_OP_TREES;
    ftl_emitf(code->out, "    unsigned c[%u], t = 0;\n", forest->n_columns ? forest->n_columns : 1);
    if (sums)
        ftl_emitf(code->out, "    %s sum[%u];\n    int k;\n",
                  op->u.trees.sum_f32 ? "float" : "double", op->width ? op->width : 1);
    ftl_emitf(code->out, "    %s_op%u_codes(v%u, c);\n", code->prefix, id, slot);
    if (sums)
        emit_start(code, id, "    ", "sum", row);
    if (forest->nodes->n_trees)
        emit_leaves(code, id, forest);
    else
        ftl_emit_text(code->out, "    (void)t;\n");
    if (!sums)
        return;
    emit_divide(code, id, "    ", "sum");
    ftl_emitf(code->out, "    for (k = 0; k < %u; k++)\n        out[k] = sum[k];\n", op->width);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static const char *element_of(const ftl_c_code *code, uint32_t id)
{
    return code->ops[id].block == 256 ? "signed char" : "short";
}

/* One loop of codes: of columns of thresholds, or of categories. */
static void emit_code_loop(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest, bool sets,
                           const char *wide)
{
    const char *p = code->prefix, *cast = forest->narrow ? "(float)" : "";
    uint32_t rows = code->ops[id].block;
    uint32_t n = sets ? forest->n_columns - forest->n_numeric : forest->n_numeric;
    if (n == 0)
        return;
    ftl_emitf(code->out,
              "    for (i = 0; i < %u; i++)\n        for (r = 0; r < n; r++)\n"
              "            c[(%u + i) * %u + r] = (%s)((int)%s_op%u_%s%s(i, %sx[r * %u + "
              "%s_op%u_%s[i].feature])%s);\n",
              n, sets ? forest->n_numeric : 0, rows, element_of(code, id), p, id,
              sets ? "set_code" : "code", sets ? "" : wide, cast,
              ftl_op_source_columns(ftl_c_op_at(code, id)), p, id, sets ? "sets" : "columns",
              rows == 256 ? " - 128" : "");
}

/* void PREFIX_op<id>_rows(x, n, c): the codes of a block. */
static void write_block_codes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest, bool wide)
{
    const char *p = code->prefix, *real = ftl_c_real(code, ftl_c_source(code, id));
    if (wide)
        ftl_emitf(code->out, "#if defined(%s_LANES)\n%s_WIDE ", p, p);
    ftl_emitf(code->out,
              "static void %s_op%u_rows%s(const %s *x, unsigned n, %s *c)\n{\n"
              "    unsigned i, r;\n",
              p, id, wide ? "_wide" : "", real, element_of(code, id));
    emit_code_loop(code, id, forest, false, wide ? "_wide" : "");
    emit_code_loop(code, id, forest, true, "");
    ftl_emitf(code->out, "}\n%s", wide ? "#endif\n" : "");
}

bool ftl_c_forest_block_codes(ftl_c_code *code, uint32_t id, const ftl_c_forest *forest)
{
    bool wide = code->ops[id].block == 256 && forest->n_numeric;
    write_block_codes(code, id, forest, false);
    if (wide)
        write_block_codes(code, id, forest, true);
    return wide;
}

void ftl_c_forest_block_call(ftl_c_code *code, uint32_t id, bool wide)
{
    const char *p = code->prefix;
    if (wide)
        ftl_emitf(
            code->out,
            "#if defined(%s_LANES)\n    if (__builtin_cpu_supports(\"avx512bw\") &&\n"
            "        __builtin_cpu_supports(\"avx512dq\"))\n        %s_op%u_rows_wide(x, n, c);\n"
            "    else\n#endif\n    ",
            p, p, id);
    ftl_emitf(code->out, "    %s_op%u_rows(x, n, c);\n", p, id);
}

static void emit_block_start(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const char *real = ftl_c_real(code, ftl_c_source(code, id));
    ftl_emitf(code->out,
              "    for (r = 0; r < n; r++) {\n        const %s *row = x + r * %u;\n"
              "        %s *sum = out + r * %u;\n        (void)row;\n",
              real, ftl_op_source_columns(op), op->u.trees.sum_f32 ? "float" : "double", op->width);
    emit_start(code, id, "        ", "sum", "row");
    ftl_emit_text(code->out, "    }\n");
}

/* Leaves of trees t and on, `together` of them, then their values, tree after tree for each row. */
static void emit_block_trees(ftl_c_code *code, uint32_t id, uint32_t together)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const char *p = code->prefix, *real = op->u.trees.sum_f32 ? "float" : "double";
    bool bytes = code->ops[id].block == 256;
    char leaf[120], tree[24];
    for (uint32_t i = 0; i < together; i++)
        ftl_emitf(
            code->out,
            "        %s_cut%u(%s_op%u_cuts + (%s_op%u_first[t + %u] - t - %u),\n"
            "                 %s_op%u_first[t + %u] - %s_op%u_first[t + %u] - 1, c, leaf[%u], "
            "n);\n",
            p, bytes ? 8u : 16u, p, id, p, id, i, i, p, id, i + 1, p, id, i, i);
    ftl_emitf(code->out, "        for (r = 0; r < n; r++) {\n            %s *sum = out + r * %u;\n",
              real, op->width);
    if (together > 1 && op->width == 1)
        ftl_emitf(code->out, "            %s s[1];\n            s[0] = sum[0];\n", real);
    for (uint32_t i = 0; i < together; i++) {
        snprintf(leaf, sizeof leaf, "%.40s_op%u_first[t + %u] + (unsigned %s)leaf[%u][r]", p, id, i,
                 bytes ? "char" : "short", i);
        snprintf(tree, sizeof tree, "t + %u", i);
        emit_add(code, id, "            ", together > 1 && op->width == 1 ? "s" : "sum", tree,
                 leaf);
    }
    if (together > 1 && op->width == 1)
        ftl_emit_text(code->out, "            sum[0] = s[0];\n");
    ftl_emit_text(code->out, "        }\n");
}

static void write_block(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_c_forest *forest = code->ops[id].state;
    const char *p = code->prefix, *real = ftl_c_real(code, ftl_c_source(code, id));
    uint32_t rows = code->ops[id].block, trees = forest->nodes->n_trees;
    ftl_c_forest_cuts(code, id, forest);
    bool wide = ftl_c_forest_block_codes(code, id, forest);
    ftl_emitf(code->out,
              "static void %s_op%u_block(const %s *x, %s *out, unsigned n)\n{\n"
              "    %s c[%u * %u] = {0}, leaf[8][%u];\n    unsigned r, t = 0, k;\n",
              p, id, real, op->u.trees.sum_f32 ? "float" : "double", element_of(code, id),
              forest->n_columns, rows, rows);
    ftl_c_forest_block_call(code, id, wide);
    emit_block_start(code, id);
    if (trees >= 8) {
        ftl_emitf(code->out, "    for (t = 0; t + 8 <= %u; t += 8) {\n", trees);
        emit_block_trees(code, id, 8);
        ftl_emit_text(code->out, "    }\n");
    }
    if (trees % 8) {
        ftl_emitf(code->out, "    for (t = %u; t < %u; t++) {\n", trees / 8 * 8, trees);
        emit_block_trees(code, id, 1);
        ftl_emit_text(code->out, "    }\n");
    }
    ftl_emit_text(code->out, "    for (r = 0; r < n; r++) {\n");
    ftl_emitf(code->out, "        %s *sum = out + r * %u;\n        (void)sum;\n",
              op->u.trees.sum_f32 ? "float" : "double", op->width);
    emit_divide(code, id, "        ", "sum");
    ftl_emit_text(code->out, "    }\n    (void)t;\n    (void)k;\n}\n");
}

const ftl_c_writer ftl_c_trees = {
    .check = check_trees, .tables = write_tables, .body = write_row, .block = write_block};
const ftl_c_writer ftl_c_tree_apply = {
    .check = check_trees, .tables = write_tables, .body = write_row};
