/* A program on top of libforetell: a file by ftl_score, a row by ftl_predict. */
#include "codegen/script.h"

enum { usual_rows = 5000 };

static const char head[] =
    " *\n"
    " *   cc -O2 THIS_FILE.c $(pkg-config --cflags --libs foretell) -o predict\n"
    " *   ./predict                                predicts DATA_PATH into OUTPUT_PATH\n"
    " *   ./predict MODEL IN OUT                   the same with other files\n"
    " *   ./predict --row VALUE...                 one row, a value for each column; \"\" is "
    "missing\n"
    " *\n"
    " * The model is opened once, the file is read, predicted and written in batches by all CPUs, "
    "and\n"
    " * memory stays the same whatever the file's size. A server would keep the model and its plan "
    "open.\n"
    " */\n"
    "#include <foretell/foretell.h>\n"
    "\n"
    "#include <math.h>\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "\n";

static const char failing[] =
    "\n"
    "static int fail(const ftl_error *error)\n"
    "{\n"
    "    fprintf(stderr, \"%s: \", ftl_status_name(error->code));\n"
    "    if (error->path[0])\n"
    "        fprintf(stderr, \"%s: \", error->path);\n"
    "    fprintf(stderr, \"%s\\n\", error->message);\n"
    "    return 1;\n"
    "}\n"
    "\n"
    "/* CSV: quotes where a text needs them. */\n"
    "static void print_text(const char *text, size_t size)\n"
    "{\n"
    "    bool plain = true;\n"
    "    for (size_t i = 0; i < size; i++)\n"
    "        plain &= !strchr(\",\\\"\\r\\n\", text[i]);\n"
    "    if (!plain)\n"
    "        putchar('\"');\n"
    "    for (size_t i = 0; i < size; i++) {\n"
    "        if (text[i] == '\"')\n"
    "            putchar('\"');\n"
    "        putchar(text[i]);\n"
    "    }\n"
    "    if (!plain)\n"
    "        putchar('\"');\n"
    "}\n"
    "\n"
    "/* The value of a result column in the first row. */\n"
    "static void print_value(const ftl_column *column)\n"
    "{\n"
    "    if (column->validity && !(column->validity[0] & 1))\n"
    "        return;\n"
    "    if (column->type == FTL_F64)\n"
    "        printf(\"%.17g\", *(const double *)column->values);\n"
    "    else if (column->type == FTL_F32)\n"
    "        printf(\"%.9g\", (double)*(const float *)column->values);\n"
    "    else if (column->type == FTL_I64)\n"
    "        printf(\"%lld\", (long long)*(const int64_t *)column->values);\n"
    "    else if (column->type == FTL_BOOL)\n"
    "        printf(\"%s\", *(const uint8_t *)column->values ? \"True\" : \"False\");\n"
    "    else\n"
    "        print_text((const char *)column->values + column->offsets[0],\n"
    "                   column->offsets[1] - column->offsets[0]);\n"
    "}\n"
    "\n";

static const char rows[] =
    "/* One cell: a number, or a text with its two offsets. */\n"
    "typedef struct cell {\n"
    "    double number;\n"
    "    uint32_t offsets[2];\n"
    "    uint8_t validity;\n"
    "} cell;\n"
    "\n"
    "/* Makes columns of one row out of texts; false: a value is no number. */\n"
    "static bool read_row(char **values, cell *cells, ftl_column *columns)\n"
    "{\n"
    "    for (size_t i = 0; i < N_INPUTS; i++) {\n"
    "        bool missing = values[i][0] == '\\0';\n"
    "        cells[i].validity = !missing;\n"
    "        columns[i].validity = &cells[i].validity;\n"
    "        columns[i].type = inputs[i].type;\n"
    "        if (inputs[i].type == FTL_STRING) {\n"
    "            cells[i].offsets[1] = (uint32_t)strlen(values[i]);\n"
    "            columns[i].values = values[i];\n"
    "            columns[i].offsets = cells[i].offsets;\n"
    "            continue;\n"
    "        }\n"
    "        char *end = values[i];\n"
    "        cells[i].number = missing ? NAN : strtod(values[i], &end);\n"
    "        if (!missing && (end == values[i] || *end)) {\n"
    "            fprintf(stderr, \"column %zu (%s): '%s' is not a number\\n\", i, inputs[i].name, "
    "values[i]);\n"
    "            return false;\n"
    "        }\n"
    "        columns[i].values = &cells[i].number;\n"
    "    }\n"
    "    return true;\n"
    "}\n"
    "\n"
    "/* Computes both methods in one pass, and prints their names and values. */\n"
    "static int print_row(ftl_model *model, const ftl_batch *in)\n"
    "{\n"
    "    const ftl_session_options options = {.struct_size = sizeof options, .methods = METHODS};\n"
    "    ftl_session *session = NULL;\n"
    "    ftl_error error;\n"
    "    const char *between = \"\";\n"
    "    if (ftl_session_create(model, &options, &session, &error) != FTL_OK ||\n"
    "        ftl_session_run(session, METHODS, in, &error) != FTL_OK) {\n"
    "        ftl_session_destroy(session);\n"
    "        return fail(&error);\n"
    "    }\n"
    "    for (unsigned method = 0; method < FTL_METHOD_COUNT; method++) {\n"
    "        ftl_batch out;\n"
    "        if (!(METHODS & 1u << method) ||\n"
    "            ftl_session_result(session, (ftl_method)method, &out, &error) != FTL_OK)\n"
    "            continue;\n"
    "        for (size_t i = 0; i < out.n_columns; i++) {\n"
    "            printf(\"%s\", between);\n"
    "            print_value(&out.columns[i]);\n"
    "            between = \",\";\n"
    "        }\n"
    "    }\n"
    "    printf(\"\\n\");\n"
    "    ftl_session_destroy(session);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "static int predict_row(ftl_model *model, int count, char **values)\n"
    "{\n"
    "    if (count != N_INPUTS) {\n"
    "        fprintf(stderr, \"the model takes %d values, not %d\\n\", N_INPUTS, count);\n"
    "        return 2;\n"
    "    }\n"
    "    ftl_column *columns = calloc(N_INPUTS + 1, sizeof *columns);\n"
    "    cell *cells = calloc(N_INPUTS + 1, sizeof *cells);\n"
    "    int result = 1;\n"
    "    if (columns && cells && read_row(values, cells, columns)) {\n"
    "        const ftl_batch in = {.rows = 1, .n_columns = N_INPUTS, .columns = columns};\n"
    "        result = print_row(model, &in);\n"
    "    }\n"
    "    free(cells);\n"
    "    free(columns);\n"
    "    return result;\n"
    "}\n"
    "\n";

static const char files[] =
    "static int predict_file(ftl_model *model, const char *input, const char *output)\n"
    "{\n"
    "    ftl_error error;\n"
    "    ftl_score_result result = {.struct_size = sizeof result};\n"
    "    const ftl_score_options options = {.struct_size = sizeof options,\n"
    "                                       .method = METHOD,\n"
    "                                       .method_set = true,\n"
    "                                       .proba = PROBABILITIES,\n"
    "                                       .batch_rows = BATCH_ROWS};\n"
    "    if (ftl_score(model, input, output, &options, &result, &error) != FTL_OK)\n"
    "        return fail(&error);\n"
    "    fprintf(stderr, \"%s: %llu rows in %.3f s\\n\", output, (unsigned long "
    "long)result.rows_written,\n"
    "            result.seconds);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "/* Another model in the place of the one that this program was made for? */\n"
    "static bool is_known(const ftl_model *model)\n"
    "{\n"
    "    ftl_model_info info = {.struct_size = sizeof info};\n"
    "    if (ftl_model_get_info(model, &info) == FTL_OK && info.n_inputs == N_INPUTS)\n"
    "        return true;\n"
    "    fprintf(stderr, \"the model takes other columns than this program was made for\\n\");\n"
    "    return false;\n"
    "}\n"
    "\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    bool row = argc >= 2 && strcmp(argv[1], \"--row\") == 0;\n"
    "    bool given = argc == 4 && !row;\n"
    "    if (!row && argc != 1 && argc != 4) {\n"
    "        fprintf(stderr, \"usage: %s [MODEL IN OUT | --row VALUE...]\\n\", argv[0]);\n"
    "        return 2;\n"
    "    }\n"
    "    ftl_error error;\n"
    "    ftl_context *context = NULL;\n"
    "    ftl_model *model = NULL;\n"
    "    int result = 1;\n"
    "    if (ftl_context_create(NULL, &context, &error) != FTL_OK ||\n"
    "        ftl_model_open(context, given ? argv[1] : MODEL_PATH, NULL, &model, &error) != "
    "FTL_OK)\n"
    "        result = fail(&error);\n"
    "    else if (is_known(model))\n"
    "        result = row ? predict_row(model, argc - 2, argv + 2)\n"
    "                     : predict_file(model, given ? argv[2] : DATA_PATH, given ? argv[3] : "
    "OUTPUT_PATH);\n"
    "    ftl_model_release(model);\n"
    "    ftl_context_destroy(context);\n"
    "    return result;\n"
    "}\n";

static void define_path(ftl_emitter *out, const char *name, const char *path)
{
    ftl_emitf(out, "static const char %s[] = ", name);
    ftl_emit_c_string(out, path, strlen(path));
    ftl_emit_text(out, ";\n");
}

static void write_inputs(const ftl_generate_request *request, ftl_emitter *out)
{
    size_t n = request->model->graph.n_inputs;
    ftl_emitf(out,
              "/* What the model takes: the names, and what it reads of each column. */\n"
              "enum { N_INPUTS = %zu };\n"
              "static const struct {\n"
              "    const char *name;\n"
              "    ftl_type type;\n"
              "} inputs[N_INPUTS + 1] = {\n",
              n);
    for (size_t i = 0; i < n; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(request->model, i, &column) != FTL_OK)
            continue;
        const char *name = column.name ? column.name : "";
        ftl_emit_text(out, "    {");
        ftl_emit_c_string(out, name, strlen(name));
        ftl_emitf(out, ", %s},\n", column.batch_type == FTL_STRING ? "FTL_STRING" : "FTL_F64");
    }
    ftl_emit_text(out, "};\n");
}

static const char *constant_of(ftl_method method)
{
    static const char *const names[FTL_METHOD_COUNT] = {
        [FTL_PREDICT] = "FTL_PREDICT",
        [FTL_PREDICT_PROBA] = "FTL_PREDICT_PROBA",
        [FTL_PREDICT_LOG_PROBA] = "FTL_PREDICT_LOG_PROBA",
        [FTL_DECISION_FUNCTION] = "FTL_DECISION_FUNCTION",
        [FTL_TRANSFORM] = "FTL_TRANSFORM",
        [FTL_SCORE_SAMPLES] = "FTL_SCORE_SAMPLES",
        [FTL_APPLY] = "FTL_APPLY",
        [FTL_MARGIN] = "FTL_MARGIN",
        [FTL_KNEIGHBORS] = "FTL_KNEIGHBORS",
        [FTL_INVERSE_TRANSFORM] = "FTL_INVERSE_TRANSFORM"};
    return names[method];
}

static ftl_status write_c(const ftl_generate_request *request, ftl_emitter *out, ftl_error *error)
{
    if (request->plain)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "plain",
                               "options.plain is for the target python");
    const char *model = request->model_path, *data = request->data_path;
    const char *output = request->output_path, *method = constant_of(ftl_script_method(request));
    bool probabilities = request->probabilities && ftl_script_has_probabilities(request);
    ftl_emit_text(out, "/*\n * Predictions of a saved model by libforetell.\n *\n");
    ftl_script_facts(out, request, &ftl_comment_c);
    ftl_emit_text(out, head);
    define_path(out, "MODEL_PATH", model ? model : "model.joblib");
    define_path(out, "DATA_PATH", data ? data : "data.csv");
    define_path(out, "OUTPUT_PATH", output ? output : "predictions.csv");
    ftl_emitf(out, "enum { BATCH_ROWS = %u };\n",
              request->batch_size ? request->batch_size : usual_rows);
    ftl_emitf(out,
              "static const ftl_method METHOD = %s;\n"
              "static const bool PROBABILITIES = %s; /* beside the predictions */\n"
              "static const uint32_t METHODS = 1u << %s%s; /* of a row */\n\n",
              method, probabilities ? "true" : "false", method,
              probabilities ? " | 1u << FTL_PREDICT_PROBA" : "");
    write_inputs(request, out);
    ftl_emit_text(out, failing);
    ftl_emit_text(out, rows);
    ftl_emit_text(out, files);
    return FTL_OK;
}

const ftl_target ftl_target_c = {
    .name = "c", .about = "a C program on top of libforetell", .write = write_c};
