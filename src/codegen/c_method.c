/* Functions of operations and of methods, and what they are told by: results, classes, errors. */
#include "codegen/c_code.h"

/* ---- Operations ------------------------------------------------------------------------------ */

static const char *element_type(const ftl_c_code *code, uint32_t id)
{
    switch (ftl_c_op_at(code, id)->edge) {
    case FTL_EDGE_CODED:
        return "int";
    case FTL_EDGE_OBJECT:
        return NULL; /* PREFIX_cell */
    default:
        return ftl_c_real(code, id);
    }
}

/* Elements of an operation's array. */
static uint32_t array_width(const ftl_c_code *code, uint32_t id)
{
    return code->ops[id].width ? code->ops[id].width : 1;
}

static void emit_type(ftl_c_code *code, uint32_t id)
{
    const char *type = element_type(code, id);
    if (type)
        ftl_emit_text(code->out, type);
    else
        ftl_emitf(code->out, "%s_cell", code->prefix);
}

/* Whether segment s is the first that reads its array; inputs count as one. */
static bool is_first(const ftl_c_code *code, const ftl_op *op, uint32_t s)
{
    uint32_t from = op->segments[s].op;
    bool input = ftl_c_is_input(ftl_c_op_at(code, from));
    for (uint32_t i = 0; i < s; i++) {
        uint32_t other = op->segments[i].op;
        if (input ? ftl_c_is_input(ftl_c_op_at(code, other))
                  : code->ops[other].slot == code->ops[from].slot)
            return false;
    }
    return true;
}

/* Arguments of one row, or of row r of a block. */
typedef enum how { AS_PARAMETERS, AS_ARGUMENTS, AS_BLOCK } how;

static void emit_array_of_row(ftl_c_code *code, uint32_t slot, how as)
{
    if (as == AS_BLOCK)
        ftl_emitf(code->out, "b%u + r * %u", slot, array_width(code, slot));
    else
        ftl_emitf(code->out, "v%u", slot);
}

/*
 * The arguments of an operation's function, or its parameters. Operations with many
 * sources are gathering ones, of inputs mostly, which are one argument.
 */
static void emit_arguments(ftl_c_code *code, uint32_t id, how as)
{
    bool types = as == AS_PARAMETERS;
    const ftl_op *op = ftl_c_op_at(code, id);
    const char *between = "";
    bool row = false;
    for (uint32_t s = 0; s < op->n_segments; s++) {
        uint32_t from = op->segments[s].op;
        bool input = ftl_c_is_input(ftl_c_op_at(code, from));
        if (input ? row : !is_first(code, op, s))
            continue;
        row = row || input;
        ftl_emit_text(code->out, between);
        between = ", ";
        if (types) {
            ftl_emit_text(code->out, "const ");
            if (input)
                ftl_emitf(code->out, "%s_row *", code->prefix);
            else {
                emit_type(code, code->ops[from].slot);
                ftl_emit_text(code->out, " *");
            }
        }
        if (input)
            ftl_emit_text(code->out, "row");
        else
            emit_array_of_row(code, code->ops[from].slot, as);
    }
    if (code->ops[id].slot != id)
        return;
    ftl_emit_text(code->out, between);
    if (types)
        emit_type(code, id);
    if (types)
        ftl_emit_text(code->out, " *out");
    else
        emit_array_of_row(code, id, as);
}

/* A function that reads no column of a source would leave its argument unused. */
static void emit_unused(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    bool unused = op->width == 0;
    for (uint32_t s = 0; s < op->n_segments; s++)
        unused = unused || op->segments[s].count == 0;
    for (uint32_t s = 0; s < op->n_segments && unused; s++) {
        uint32_t from = op->segments[s].op;
        if (ftl_c_is_input(ftl_c_op_at(code, from)))
            ftl_emit_text(code->out, "    (void)row;\n");
        else
            ftl_emitf(code->out, "    (void)v%u;\n", code->ops[from].slot);
    }
    if (unused && code->ops[id].slot == id)
        ftl_emit_text(code->out, "    (void)out;\n");
}

static const char *place_of(const ftl_op *op) { return op->path[0] ? op->path : "the model"; }

void ftl_c_write_op(ftl_c_code *code, uint32_t id)
{
    const ftl_op *op = ftl_c_op_at(code, id);
    const ftl_c_writer *writer = ftl_c_writer_of(op);
    ftl_emitf(code->out, "\n/* %s: ", ftl_op_name(op->kind));
    ftl_emit_c_comment(code->out, place_of(op));
    ftl_emit_text(code->out, " */\n");
    if (writer->tables)
        writer->tables(code, id);
    bool fails = code->ops[id].fails;
    ftl_emitf(code->out, "static %s %s_op%u(", fails ? "int" : "void", code->prefix, id);
    emit_arguments(code, id, AS_PARAMETERS);
    ftl_emit_text(code->out, ")\n{\n");
    writer->body(code, id);
    emit_unused(code, id);
    ftl_emit_text(code->out, fails ? "    return 0;\n}\n" : "}\n");
    if (code->ops[id].block)
        writer->block(code, id);
}

/* ---- Methods --------------------------------------------------------------------------------- */

const char *ftl_c_result_type(const ftl_c_code *code, ftl_method method)
{
    const ftl_method_outputs *outputs = &code->graph->methods[method];
    bool labels = true, integers = true, narrow = true;
    for (size_t i = 0; i < outputs->count; i++) {
        const ftl_output *output = &outputs->outputs[i];
        labels = labels && output->as == FTL_AS_LABEL;
        integers = integers && (output->as == FTL_AS_INT || output->as == FTL_AS_BOOL);
        narrow = narrow && output->as == FTL_AS_FLOAT && code->ops[output->op].is_f32;
    }
    return labels ? "int" : integers ? "long long" : narrow ? "float" : "double";
}

static bool is_called(const ftl_c_code *code, uint32_t id, ftl_method method)
{
    return code->ops[id].methods & 1u << method && !ftl_c_is_input(ftl_c_op_at(code, id));
}

static void emit_call(ftl_c_code *code, uint32_t id)
{
    bool fails = code->ops[id].fails;
    ftl_emitf(code->out, fails ? "    if ((code = %s_op%u(" : "    %s_op%u(", code->prefix, id);
    emit_arguments(code, id, AS_ARGUMENTS);
    ftl_emit_text(code->out, fails ? ")) != 0)\n        return code;\n" : ");\n");
}

/* The arrays of one row, v<number>, or of a block of rows, b<number>. */
static void emit_arrays(ftl_c_code *code, ftl_method method, uint32_t rows)
{
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (!is_called(code, id, method) || code->ops[id].slot != id)
            continue;
        ftl_emit_text(code->out, "    ");
        emit_type(code, id);
        if (rows)
            ftl_emitf(code->out, " b%u[%u * %u] = {0};\n", id, rows, array_width(code, id));
        else
            ftl_emitf(code->out, " v%u[%u];\n", id, array_width(code, id));
    }
}

static bool method_fails(const ftl_c_code *code, ftl_method method)
{
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (is_called(code, id, method) && code->ops[id].fails)
            return true;
    }
    return false;
}

static void emit_results(ftl_c_code *code, ftl_method method, const char *type, const char *indent)
{
    const ftl_method_outputs *outputs = &code->graph->methods[method];
    for (size_t i = 0; i < outputs->count; i++) {
        const ftl_output *output = &outputs->outputs[i];
        ftl_emitf(code->out, "%sout[%zu] = ", indent, i);
        if (type[0] == 'i' || type[0] == 'l')
            ftl_emitf(code->out, "(%s)", type);
        ftl_c_number(code, output->op, output->column, type[0] == 'f');
        ftl_emit_text(code->out, ";\n");
    }
}

static void write_row(ftl_c_code *code, ftl_method method, const char *type)
{
    ftl_emitf(code->out, "\nint %s_%s(const %s_row *row, %s *out)\n{\n", code->prefix,
              ftl_method_name(method), code->prefix, type);
    emit_arrays(code, method, 0);
    if (method_fails(code, method))
        ftl_emit_text(code->out, "    int code;\n");
    ftl_emit_text(code->out, "    (void)row;\n");
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (is_called(code, id, method))
            emit_call(code, id);
    }
    emit_results(code, method, type, "    ");
    ftl_emit_text(code->out, "    return 0;\n}\n");
}

/* ---- Blocks of rows -------------------------------------------------------------------------- */

enum { most_block_stack = 1 << 19 };

/* Rows that all functions of blocks take, or 0 where rows go one by one. */
static uint32_t block_rows(const ftl_c_code *code, ftl_method method)
{
    uint32_t rows = 0;
    uint64_t bytes = 0;
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        uint32_t own = code->ops[id].block;
        if (!is_called(code, id, method))
            continue;
        if (own && (!rows || own < rows))
            rows = own;
        if (code->ops[id].slot == id)
            bytes += (uint64_t)array_width(code, id) * sizeof(double);
    }
    return bytes * rows <= most_block_stack ? rows : 0;
}

/* Consecutive operations of rows share a loop. */
static void emit_block_call(ftl_c_code *code, uint32_t id, bool *open)
{
    bool block = code->ops[id].block != 0;
    if (block && *open)
        ftl_emit_text(code->out, "    }\n");
    if (!block && !*open)
        ftl_emitf(code->out,
                  "    for (r = 0; r < n; r++) {\n"
                  "        const %s_row *row = rows + r * %zu;\n        (void)row;\n",
                  code->prefix, ftl_c_row_step(code));
    *open = !block;
    if (block) {
        ftl_emitf(code->out, "    %s_op%u_block(b%u, b%u, n);\n", code->prefix, id,
                  ftl_c_source_slot(code, id), id);
        return;
    }
    bool fails = code->ops[id].fails;
    ftl_emitf(code->out, fails ? "        if ((code = %s_op%u(" : "        %s_op%u(", code->prefix,
              id);
    emit_arguments(code, id, AS_BLOCK);
    ftl_emit_text(code->out,
                  fails ? ")) != 0 && !codes[r])\n            codes[r] = code;\n" : ");\n");
}

/* Row r's arrays that results are read from. */
static void emit_result_rows(ftl_c_code *code, ftl_method method)
{
    const ftl_method_outputs *outputs = &code->graph->methods[method];
    for (size_t i = 0; i < outputs->count; i++) {
        uint32_t slot = code->ops[outputs->outputs[i].op].slot;
        bool seen = ftl_c_is_input(ftl_c_op_at(code, slot));
        for (size_t j = 0; j < i && !seen; j++)
            seen = code->ops[outputs->outputs[j].op].slot == slot;
        if (seen)
            continue;
        ftl_emit_text(code->out, "        const ");
        emit_type(code, slot);
        ftl_emitf(code->out, " *v%u = b%u + r * %u;\n", slot, slot, array_width(code, slot));
    }
}

static void write_block(ftl_c_code *code, ftl_method method, const char *type, uint32_t rows)
{
    bool open = false;
    ftl_emitf(code->out,
              "\nstatic void %s_%s_block(const %s_row *rows, unsigned n, %s *out, int *codes)\n{\n",
              code->prefix, ftl_method_name(method), code->prefix, type);
    emit_arrays(code, method, rows);
    ftl_emitf(code->out, "    unsigned r;\n%s    memset(codes, 0, n * sizeof *codes);\n",
              method_fails(code, method) ? "    int code;\n" : "");
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (is_called(code, id, method))
            emit_block_call(code, id, &open);
    }
    if (open)
        ftl_emit_text(code->out, "    }\n");
    ftl_emitf(code->out, "    for (r = 0; r < n; r++, out += %zu) {\n",
              code->graph->methods[method].count);
    emit_result_rows(code, method);
    ftl_emitf(code->out,
              "        const %s_row *row = rows + r * %zu;\n        (void)row;\n"
              "        if (codes[r])\n            continue;\n",
              code->prefix, ftl_c_row_step(code));
    emit_results(code, method, type, "        ");
    ftl_emit_text(code->out, "    }\n}\n");
}

static void write_batch(ftl_c_code *code, ftl_method method, const char *type, uint32_t rows)
{
    const char *p = code->prefix, *name = ftl_method_name(method);
    size_t step = ftl_c_row_step(code), count = code->graph->methods[method].count;
    ftl_emitf(code->out,
              "\nsize_t %s_%s_batch(const %s_row *rows, size_t n, %s *out, int *codes)\n{\n"
              "    size_t i, refused = 0;\n",
              p, name, p, type);
    if (!rows) {
        ftl_emitf(code->out,
                  "    for (i = 0; i < n; i++) {\n"
                  "        int code = %s_%s(rows + i * %zu, out + i * %zu);\n"
                  "        refused += code != 0;\n"
                  "        if (codes)\n            codes[i] = code;\n    }\n"
                  "    return refused;\n}\n",
                  p, name, step, count);
        return;
    }
    ftl_emitf(code->out,
              "    for (i = 0; i < n; i += %u) {\n"
              "        int own[%u];\n"
              "        unsigned r, m = n - i < %u ? (unsigned)(n - i) : %u;\n"
              "        if (m < 16)\n            for (r = 0; r < m; r++)\n"
              "                own[r] = %s_%s(rows + (i + r) * %zu, out + (i + r) * %zu);\n"
              "        else\n            %s_%s_block(rows + i * %zu, m, out + i * %zu, own);\n"
              "        for (r = 0; r < m; r++) {\n            refused += own[r] != 0;\n"
              "            if (codes)\n                codes[i + r] = own[r];\n        }\n    }\n"
              "    return refused;\n}\n",
              rows, rows, rows, rows, p, name, step, count, p, name, step, count);
}

void ftl_c_write_method(ftl_c_code *code, ftl_method method)
{
    const char *type = ftl_c_result_type(code, method);
    uint32_t rows = block_rows(code, method);
    write_row(code, method, type);
    if (rows)
        write_block(code, method, type, rows);
    write_batch(code, method, type, rows);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

static const char *const reason_texts[FTL_C_REASON_COUNT] = {
    "",
    "a missing value, which the model does not accept here",
    "infinity, which the model does not accept here",
    "a number that is too large for the model",
    "a category that was not seen in training",
    "a text where a number belongs",
    "a value that the model does not accept"};

void ftl_c_write_errors(ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    ftl_emitf(code->out,
              "\nconst char *%s_error(int code)\n{\n"
              "    static const char *const texts[8] = {\n        \"\"",
              code->prefix);
    for (unsigned i = 1; i < 8; i++)
        ftl_emitf(code->out, ",\n        \"%s\"", i < FTL_C_REASON_COUNT ? reason_texts[i] : "");
    ftl_emit_text(code->out, "};\n    return texts[code & 7];\n}\n");
    ftl_emitf(code->out,
              "\nint %s_error_column(int code) { return code / 8 - 1; }\n"
              "\nconst char *%s_column_name(int column)\n{\n",
              code->prefix, code->prefix);
    ftl_emitf(code->out, "    static const char *const names[%zu] = {",
              model->graph.n_inputs ? model->graph.n_inputs : 1);
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        const char *name = model->inputs[i].name;
        ftl_emit_text(code->out, i ? ",\n        " : "\n        ");
        ftl_emit_c_string(code->out, name ? name : "", name ? strlen(name) : 0);
    }
    ftl_emitf(code->out,
              "%s};\n    return column >= 0 && column < %zu ? names[column] : \"\";\n}\n",
              model->graph.n_inputs ? "" : "\"\"", model->graph.n_inputs);
}
