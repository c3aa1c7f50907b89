/* Names of classes, and the program that -DPREFIX_MAIN makes of the file. */
#include "codegen/c_code.h"

#include <stdio.h>

/* ---- Classes --------------------------------------------------------------------------------- */

/* Of result i of predict: "classes", "classes_2" and so on. */
static const char *classes_name(size_t i, char text[40])
{
    if (i == 0)
        return "classes";
    snprintf(text, 40, "classes_%zu", i + 1);
    return text;
}

static const char *class_type(const ftl_labels *labels)
{
    return labels->type == FTL_STRING ? "const char *const"
           : labels->type == FTL_F64  ? "const double"
                                      : "const long long";
}

typedef void label_visit(ftl_c_code *code, const ftl_labels *labels, const char *name);

static void each_labels(ftl_c_code *code, label_visit *visit)
{
    const ftl_method_outputs *outputs = &code->graph->methods[FTL_PREDICT];
    char text[40];
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->outputs[i].as == FTL_AS_LABEL)
            visit(code, outputs->outputs[i].labels, classes_name(i, text));
    }
}

static void declare_labels(ftl_c_code *code, const ftl_labels *labels, const char *name)
{
    ftl_emitf(code->out, "extern %s %s_%s[%u];\n", class_type(labels), code->prefix, name,
              labels->count ? labels->count : 1);
}

void ftl_c_declare_classes(ftl_c_code *code)
{
    ftl_emit_text(code->out, "\n/* What the numbers of classes stand for. */\n");
    each_labels(code, declare_labels);
}

static void emit_class(ftl_c_code *code, const ftl_labels *labels, const ftl_cell *cell)
{
    bool text = cell->tag == FTL_CELL_STRING;
    if (labels->type == FTL_STRING)
        ftl_emit_c_string(code->out, text ? cell->u.text : "", text ? cell->size : 0);
    else if (labels->type == FTL_F64)
        ftl_emit_c_f64(code->out, ftl_cell_number(cell));
    else if (!ftl_cell_is_integer(cell))
        ftl_emit_text(code->out, "0");
    else if (cell->u.integer == INT64_MIN)
        ftl_emit_text(code->out, "-9223372036854775807 - 1");
    else
        ftl_emitf(code->out, "%lld", (long long)cell->u.integer);
}

static void write_labels(ftl_c_code *code, const ftl_labels *labels, const char *name)
{
    ftl_emitf(code->out, "\n%s %s_%s[%u] = {", class_type(labels), code->prefix, name,
              labels->count ? labels->count : 1);
    for (uint32_t k = 0; k < labels->count; k++) {
        ftl_c_array_next(code, k);
        emit_class(code, labels, &labels->cells[k]);
    }
    if (!labels->count)
        ftl_emit_text(code->out, "0");
    ftl_c_array_end(code);
}

void ftl_c_write_classes(ftl_c_code *code) { each_labels(code, write_labels); }

/* ---- The program ----------------------------------------------------------------------------- */

static const char program_head[] = "\n#include <stdio.h>\n#include <stdlib.h>\n"
                                   "\n/* The next field of a line; NULL where it is empty. */\n"
                                   "static char *$_next(char **rest)\n"
                                   "{\n"
                                   "    char *field = *rest;\n"
                                   "    size_t size = strcspn(field, \",\");\n"
                                   "    *rest = field + size + (field[size] == ',');\n"
                                   "    field[size] = '\\0';\n"
                                   "    return size ? field : NULL;\n"
                                   "}\n";

static const char program_field[] =
    "\nstatic double $_field(char **rest)\n"
    "{\n"
    "    char *field = $_next(rest), *end;\n"
    "    double value;\n"
    "    if (!field)\n"
    "        return NAN;\n"
    "    if (strcmp(field, \"True\") == 0 || strcmp(field, \"False\") == 0)\n"
    "        return field[0] == 'T';\n"
    "    value = strtod(field, &end);\n"
    "    if (*end) {\n"
    "        fprintf(stderr, \"'%s' is no number\\n\", field);\n"
    "        exit(4);\n"
    "    }\n"
    "    return value;\n"
    "}\n";

static const char program_tell[] =
    "\nstatic int $_tell(long line, int code)\n"
    "{\n"
    "    int column = $_error_column(code);\n"
    "    fprintf(stderr, \"line %ld: column %d %s: %s\\n\", line, column, $_column_name(column),\n"
    "            $_error(code));\n"
    "    return 4;\n"
    "}\n";

/* Result i as text: a class's name where it stands for one. */
static void emit_print(ftl_c_code *code, ftl_method method, size_t i)
{
    const ftl_output *output = &code->graph->methods[method].outputs[i];
    const char *type = ftl_c_result_type(code, method), *comma = i ? "," : "";
    char text[40];
    ftl_emit_text(code->out, "            printf(\"");
    if (method == FTL_PREDICT && output->as == FTL_AS_LABEL) {
        const char *format = output->labels->type == FTL_STRING ? "%s"
                             : output->labels->type == FTL_F64  ? "%.17g"
                                                                : "%lld";
        ftl_emitf(code->out, "%s%s\", %s_%s[(int)out[%zu]]);\n", comma, format, code->prefix,
                  classes_name(i, text), i);
        return;
    }
    ftl_emitf(code->out, "%s%s\", %sout[%zu]);\n", comma,
              type[0] == 'f'   ? "%.9g"
              : type[0] == 'd' ? "%.17g"
              : type[0] == 'i' ? "%d"
                               : "%lld",
              type[0] == 'f' ? "(double)" : "", i);
}

static void emit_case(ftl_c_code *code, ftl_method method)
{
    const char *name = ftl_method_name(method);
    size_t n = code->graph->methods[method].count;
    ftl_emitf(code->out,
              "        if (strcmp(method, \"%s\") == 0) {\n"
              "            static %s out[%zu];\n"
              "            int code = %s_%s(%s, out);\n"
              "            if (code)\n"
              "                return %s_tell(line, code);\n",
              name, ftl_c_result_type(code, method), n ? n : 1, code->prefix, name,
              code->cells ? "&row" : "row", code->prefix);
    for (size_t i = 0; i < n; i++)
        emit_print(code, method, i);
    ftl_emit_text(code->out, "            putchar('\\n');\n            continue;\n        }\n");
}

static void emit_row(ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    const char *cast = code->request->input_dtype == FTL_F32 ? "(float)" : "";
    if (!code->cells) {
        ftl_emitf(code->out,
                  "        for (i = 0; i < %zu; i++)\n            row[i] = %s%s_field(&rest);\n",
                  model->graph.n_inputs, cast, code->prefix);
        return;
    }
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        bool text = model->inputs[i].batch_type == FTL_STRING;
        if (model->inputs[i].kind == FTL_KIND_UNUSED) {
            ftl_emitf(code->out, "        (void)%s_next(&rest);\n", code->prefix);
            continue;
        }
        ftl_emitf(code->out, "        row.%s = %s%s_%s(&rest);\n", code->members[i],
                  text ? "" : cast, code->prefix, text ? "next" : "field");
    }
}

/* Whether a number is read at all. */
static bool reads_numbers(const ftl_c_code *code)
{
    const ftl_model *model = code->request->model;
    bool any = !code->cells;
    for (size_t i = 0; i < model->graph.n_inputs; i++)
        any = any || (model->inputs[i].batch_type != FTL_STRING &&
                      model->inputs[i].kind != FTL_KIND_UNUSED);
    return any;
}

void ftl_c_write_main(ftl_c_code *code)
{
    size_t n = code->graph->n_inputs;
    unsigned first = 0;
    while (!(code->request->methods & 1u << first))
        first++;
    ftl_emitf(code->out, "\n#ifdef %s_MAIN", code->upper);
    ftl_c_text(code, program_head);
    if (reads_numbers(code))
        ftl_c_text(code, program_field);
    ftl_c_text(code, program_tell);
    ftl_emitf(code->out,
              "\n/* The argument is the method. */\n"
              "int main(int argc, char **argv)\n{\n"
              "    static char text[1 << 20];\n"
              "    const char *method = argc > 1 ? argv[1] : \"%s\";\n"
              "    long line = 0;\n",
              ftl_method_name((ftl_method)first));
    ftl_emitf(code->out, "    static %s_row row", code->prefix);
    if (!code->cells)
        ftl_emitf(code->out, "[%zu]", n ? n : 1);
    ftl_emit_text(code->out, ";\n");
    ftl_emitf(code->out,
              "%s    while (fgets(text, sizeof text, stdin)) {\n        char *rest = text;\n",
              code->cells ? "" : "    size_t i;\n");
    ftl_emit_text(code->out, "        text[strcspn(text, \"\\r\\n\")] = '\\0';\n        line++;\n");
    emit_row(code);
    for (unsigned m = 0; m < FTL_METHOD_COUNT; m++) {
        if (code->request->methods & 1u << m)
            emit_case(code, (ftl_method)m);
    }
    ftl_emit_text(code->out, "        fprintf(stderr, \"there is no method %s\\n\", method);\n"
                             "        return 2;\n    }\n    return 0;\n}\n#endif\n#endif\n");
}
