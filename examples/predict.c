/*
 * A small program on top of the installed library.
 *
 *   predict MODEL                    what the model takes and gives
 *   predict MODEL row VALUE...       one row, a value for each input column ("" is missing)
 *   predict MODEL file IN.csv OUT.csv
 *
 *   cc predict.c $(pkg-config --cflags --libs foretell) -o predict
 */
#include <foretell/foretell.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const ftl_error *error)
{
    fprintf(stderr, "%s: ", ftl_status_name(error->code));
    if (error->path[0])
        fprintf(stderr, "%s: ", error->path);
    fprintf(stderr, "%s\n", error->message);
    return 1;
}

static int show(ftl_model *model)
{
    static const char *const kinds[] = {"number", "text", "bool", "mixed", "unused"};
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return 1;
    printf("%s, written by %s %s\n", info.class_name, info.library, info.library_version);
    for (size_t i = 0; i < info.n_inputs; i++) {
        ftl_schema_column column = {.struct_size = sizeof column};
        if (ftl_model_input(model, i, &column) != FTL_OK)
            return 1;
        printf("input %zu: %s (%s)\n", i, column.name ? column.name : "-", kinds[column.kind]);
    }
    for (size_t i = 0; i < ftl_model_output_count(model, info.default_method); i++) {
        ftl_output_column column = {.struct_size = sizeof column};
        if (ftl_model_output(model, info.default_method, i, &column) != FTL_OK)
            return 1;
        printf("output %zu: %s\n", i, column.name);
    }
    return 0;
}

/* One cell of a column of one row: the number, or the text with its two offsets. */
typedef struct cell {
    double number;
    uint32_t offsets[2];
    uint8_t validity;
} cell;

static int print_outputs(const ftl_batch *out)
{
    for (size_t i = 0; i < out->n_columns; i++) {
        const ftl_column *column = &out->columns[i];
        const char *end = i + 1 < out->n_columns ? "," : "\n";
        if (column->validity && !(column->validity[0] & 1))
            printf("%s", end);
        else if (column->type == FTL_F64)
            printf("%.17g%s", *(const double *)column->values, end);
        else if (column->type == FTL_F32)
            printf("%.9g%s", (double)*(const float *)column->values, end);
        else if (column->type == FTL_I64)
            printf("%lld%s", (long long)*(const int64_t *)column->values, end);
        else if (column->type == FTL_BOOL)
            printf("%s%s", *(const uint8_t *)column->values ? "True" : "False", end);
        else
            printf("%.*s%s", (int)(column->offsets[1] - column->offsets[0]),
                   (const char *)column->values + column->offsets[0], end);
    }
    return 0;
}

static int predict_row(ftl_model *model, size_t count, char **values)
{
    ftl_model_info info = {.struct_size = sizeof info};
    if (ftl_model_get_info(model, &info) != FTL_OK)
        return 1;
    if (count != info.n_inputs) {
        fprintf(stderr, "the model takes %zu values, not %zu\n", info.n_inputs, count);
        return 1;
    }
    ftl_column *columns = calloc(count ? count : 1, sizeof *columns);
    cell *cells = calloc(count ? count : 1, sizeof *cells);
    ftl_plan *plan = NULL;
    ftl_session *session = NULL;
    ftl_error error;
    int result = 1;
    if (!columns || !cells)
        goto done;
    for (size_t i = 0; i < count; i++) {
        ftl_schema_column schema = {.struct_size = sizeof schema};
        if (ftl_model_input(model, i, &schema) != FTL_OK)
            goto done;
        bool missing = values[i][0] == '\0';
        cells[i].validity = !missing;
        columns[i].type = schema.batch_type;
        columns[i].validity = &cells[i].validity;
        if (schema.batch_type == FTL_STRING) {
            cells[i].offsets[1] = (uint32_t)strlen(values[i]);
            columns[i].values = values[i];
            columns[i].offsets = cells[i].offsets;
        } else {
            char *end = values[i];
            cells[i].number = missing ? NAN : strtod(values[i], &end);
            if (!missing && (end == values[i] || *end)) {
                fprintf(stderr, "'%s' is not a number\n", values[i]);
                goto done;
            }
            columns[i].values = &cells[i].number;
        }
    }
    const ftl_batch in = {.rows = 1, .n_columns = count, .columns = columns};
    /*
     * A server would keep the plan, and borrow a session of it for each request, on any thread: the
     * plan is made once, and a session is a small workspace that waits in the plan's pool.
     */
    const ftl_plan_options options = {.struct_size = sizeof options,
                                      .methods = 1u << info.default_method};
    ftl_batch out;
    if (ftl_model_plan(model, &options, &plan, &error) != FTL_OK ||
        ftl_plan_borrow(plan, &session, &error) != FTL_OK ||
        ftl_predict(session, info.default_method, &in, &out, &error) != FTL_OK)
        result = fail(&error);
    else
        result = print_outputs(&out);
done:
    ftl_plan_return(session);
    ftl_plan_release(plan);
    free(cells);
    free(columns);
    return result;
}

static int predict_file(ftl_model *model, const char *input, const char *output)
{
    ftl_error error;
    ftl_score_result result = {.struct_size = sizeof result};
    ftl_score_options options = {.struct_size = sizeof options};
    if (ftl_score(model, input, output, &options, &result, &error) != FTL_OK)
        return fail(&error);
    printf("%llu rows in %.2f s\n", (unsigned long long)result.rows_written, result.seconds);
    return 0;
}

int main(int argc, char **argv)
{
    bool row = argc >= 3 && strcmp(argv[2], "row") == 0;
    bool file = argc == 5 && strcmp(argv[2], "file") == 0;
    if (argc != 2 && !row && !file) {
        fprintf(stderr, "usage: predict MODEL [row VALUE... | file IN.csv OUT.csv]\n");
        return 2;
    }
    ftl_error error;
    ftl_context *context = NULL;
    ftl_model *model = NULL;
    int result;
    if (ftl_context_create(NULL, &context, &error) != FTL_OK ||
        ftl_model_open(context, argv[1], NULL, &model, &error) != FTL_OK)
        result = fail(&error);
    else if (row)
        result = predict_row(model, (size_t)argc - 3, argv + 3);
    else if (file)
        result = predict_file(model, argv[3], argv[4]);
    else
        result = show(model);
    ftl_model_release(model);
    ftl_context_destroy(context);
    return result;
}
