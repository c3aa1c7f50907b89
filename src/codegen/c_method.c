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

/*
 * The arguments of an operation's function, or with types its parameters. Operations with many
 * sources are gathering ones, of inputs mostly, which are one argument.
 */
static void emit_arguments(ftl_c_code *code, uint32_t id, bool types)
{
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
            ftl_emitf(code->out, "v%u", code->ops[from].slot);
    }
    if (code->ops[id].slot != id)
        return;
    ftl_emit_text(code->out, between);
    if (types)
        emit_type(code, id);
    if (types)
        ftl_emit_text(code->out, " *out");
    else
        ftl_emitf(code->out, "v%u", id);
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
    ftl_emitf(code->out, "static %s %s_op%u(", writer->fails ? "int" : "void", code->prefix, id);
    emit_arguments(code, id, true);
    ftl_emit_text(code->out, ")\n{\n");
    writer->body(code, id);
    ftl_emit_text(code->out, writer->fails ? "    return 0;\n}\n" : "}\n");
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

static void emit_call(ftl_c_code *code, uint32_t id)
{
    bool fails = ftl_c_writer_of(ftl_c_op_at(code, id))->fails;
    ftl_emitf(code->out, fails ? "    if ((code = %s_op%u(" : "    %s_op%u(", code->prefix, id);
    emit_arguments(code, id, false);
    ftl_emit_text(code->out, fails ? ")) != 0)\n        return code;\n" : ");\n");
}

static void emit_arrays(ftl_c_code *code, ftl_method method)
{
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        const ftl_op *op = ftl_c_op_at(code, id);
        if (!(code->ops[id].methods & 1u << method) || ftl_c_is_input(op) ||
            code->ops[id].slot != id)
            continue;
        ftl_emit_text(code->out, "    ");
        emit_type(code, id);
        ftl_emitf(code->out, " v%u[%u];\n", id, code->ops[id].width ? code->ops[id].width : 1);
    }
}

static bool method_fails(const ftl_c_code *code, ftl_method method)
{
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        const ftl_op *op = ftl_c_op_at(code, id);
        if (code->ops[id].methods & 1u << method && !ftl_c_is_input(op) &&
            ftl_c_writer_of(op)->fails)
            return true;
    }
    return false;
}

static void emit_results(ftl_c_code *code, ftl_method method, const char *type)
{
    const ftl_method_outputs *outputs = &code->graph->methods[method];
    for (size_t i = 0; i < outputs->count; i++) {
        const ftl_output *output = &outputs->outputs[i];
        bool narrow = type[0] == 'f';
        ftl_emitf(code->out, "    out[%zu] = ", i);
        if (type[0] == 'i' || type[0] == 'l')
            ftl_emitf(code->out, "(%s)", type);
        ftl_c_number(code, output->op, output->column, narrow);
        ftl_emit_text(code->out, ";\n");
    }
}

void ftl_c_write_method(ftl_c_code *code, ftl_method method)
{
    const char *type = ftl_c_result_type(code, method), *name = ftl_method_name(method);
    ftl_emitf(code->out, "\nint %s_%s(const %s_row *row, %s *out)\n{\n", code->prefix, name,
              code->prefix, type);
    emit_arrays(code, method);
    if (method_fails(code, method))
        ftl_emit_text(code->out, "    int code;\n");
    for (uint32_t id = 0; id < code->graph->n_ops; id++) {
        if (code->ops[id].methods & 1u << method && !ftl_c_is_input(ftl_c_op_at(code, id)))
            emit_call(code, id);
    }
    emit_results(code, method, type);
    ftl_emit_text(code->out, "    return 0;\n}\n");
    ftl_emitf(code->out,
              "\nsize_t %s_%s_batch(const %s_row *rows, size_t n, %s *out, int *codes)\n{\n"
              "    size_t i, refused = 0;\n"
              "    for (i = 0; i < n; i++) {\n"
              "        int code = %s_%s(rows + i * %zu, out + i * %zu);\n"
              "        refused += code != 0;\n"
              "        if (codes)\n"
              "            codes[i] = code;\n"
              "    }\n"
              "    return refused;\n}\n",
              code->prefix, name, code->prefix, type, code->prefix, name, ftl_c_row_step(code),
              code->graph->methods[method].count);
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
