/*
 * Models that were opened for one plan alone, through the public header: the same answers, names
 * and classes as ever, less memory, and a clear word where more is asked. The models are those of
 * the fuzz targets' corpus; under AddressSanitizer every use of what was given back would show.
 */
#include "unit.h"

#include "../../fuzz/fuzz_model.h"

#include <foretell/experimental.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ftl_context *new_context(void)
{
    const ftl_context_options options = {.struct_size = sizeof options, .threads = 1};
    ftl_context *context = NULL;
    assert_int_equal(ftl_context_create(&options, &context, NULL), FTL_OK);
    return context;
}

static ftl_status open_as(ftl_context *context, const char *name, const ftl_plan_options *only,
                          ftl_model **out)
{
    char path[512];
    ftl_error error;
    const ftl_model_options options = {.struct_size = sizeof options, .only_plan = only};
    snprintf(path, sizeof path, FTL_TEST_DIR "/../fuzz/corpus/model/%s", name);
    return ftl_model_open(context, path, &options, out, &error);
}

/* Awkward rows for a model; text where it wants text. */
static ftl_batch rows_for(const ftl_model *model, size_t n_inputs, ftl_column columns[fuzz_columns])
{
    for (size_t i = 0; i < n_inputs; i++) {
        ftl_schema_column input = {.struct_size = sizeof input};
        assert_int_equal(ftl_model_input(model, i, &input), FTL_OK);
        if (input.batch_type == FTL_STRING)
            columns[i] = (ftl_column){.type = FTL_STRING,
                                      .values = fuzz_text,
                                      .offsets = fuzz_offsets,
                                      .validity = fuzz_validity};
        else
            columns[i] = (ftl_column){.type = FTL_F64, .values = fuzz_numbers};
    }
    return (ftl_batch){.rows = fuzz_rows, .n_columns = n_inputs, .columns = columns};
}

static size_t value_size(ftl_type type)
{
    return type == FTL_F32 ? sizeof(float) : type == FTL_BOOL ? 1 : sizeof(double);
}

static void same_results(const ftl_batch *a, const ftl_batch *b)
{
    assert_int_equal(a->n_columns, b->n_columns);
    for (size_t i = 0; i < a->n_columns; i++) {
        const ftl_column *x = &a->columns[i], *y = &b->columns[i];
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->validity != NULL, y->validity != NULL);
        if (x->validity)
            assert_int_equal(x->validity[0] & 0x7f, y->validity[0] & 0x7f); /* of seven rows */
        if (x->type == FTL_STRING) {
            assert_memory_equal(x->offsets, y->offsets, (a->rows + 1) * sizeof(uint32_t));
            assert_memory_equal(x->values, y->values, x->offsets[a->rows]);
        } else {
            assert_memory_equal(x->values, y->values, a->rows * value_size(x->type));
        }
    }
}

static void compare(ftl_model *whole, ftl_model *only, const ftl_plan_options *options)
{
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(whole, &info), FTL_OK);
    if (info.n_inputs > fuzz_columns)
        return;
    ftl_column columns[fuzz_columns];
    ftl_batch in = rows_for(only, info.n_inputs, columns);
    ftl_plan *plans[2] = {NULL, NULL};
    ftl_session *sessions[2] = {NULL, NULL};
    ftl_model *models[2] = {whole, only};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ftl_model_plan(models[i], options, &plans[i], NULL), FTL_OK);
        assert_int_equal(ftl_plan_borrow(plans[i], &sessions[i], NULL), FTL_OK);
        assert_int_equal(ftl_session_set_on_error(sessions[i], FTL_ON_ERROR_NULL), FTL_OK);
    }
    for (int m = 0; m < FTL_METHOD_COUNT; m++) {
        ftl_batch results[2];
        if (!ftl_model_has_method(whole, (ftl_method)m))
            continue;
        ftl_status status[2];
        for (int i = 0; i < 2; i++)
            status[i] = ftl_predict(sessions[i], (ftl_method)m, &in, &results[i], NULL);
        assert_int_equal(status[0], status[1]);
        if (status[0] == FTL_OK)
            same_results(&results[0], &results[1]);
    }
    for (int i = 0; i < 2; i++) {
        ftl_plan_return(sessions[i]);
        ftl_plan_release(plans[i]);
    }
}

static void test_every_model_answers_the_same(void **state)
{
    (void)state;
    const ftl_plan_options types[] = {
        {.struct_size = sizeof types[0], .input_dtype = FTL_F64},
        {.struct_size = sizeof types[0], .input_dtype = FTL_F32, .block_rows = 3}};
    DIR *dir = opendir(FTL_TEST_DIR "/../fuzz/corpus/model");
    assert_non_null(dir);
    int compared = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        ftl_context *context = new_context();
        ftl_model *whole = NULL, *only = NULL;
        if (entry->d_name[0] != '.' && open_as(context, entry->d_name, NULL, &whole) == FTL_OK) {
            for (int t = 0; t < 2; t++) {
                ftl_status status = open_as(context, entry->d_name, &types[t], &only);
                if (status == FTL_UNSUPPORTED) /* open width */
                    continue;
                assert_int_equal(status, FTL_OK);
                ftl_model_trim(only); /* the plan stays, although nobody holds it */
                compare(whole, only, &types[t]);
                ftl_model_release(only);
                compared++;
            }
        }
        ftl_model_release(whole);
        ftl_context_destroy(context);
    }
    closedir(dir);
    assert_true(compared > 100);
}

static bool collect(void *user, const void *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return true;
}

static void test_what_is_gone_is_told(void **state)
{
    (void)state;
    ftl_context *context = new_context();
    ftl_model *model = NULL;
    const ftl_plan_options only = {.struct_size = sizeof only, .methods = 1u << FTL_PREDICT};
    const ftl_plan_options narrow = {.struct_size = sizeof narrow, .input_dtype = FTL_F32};
    const ftl_plan_options no_size = {.struct_size = 0};
    ftl_plan *plan = NULL;
    assert_int_equal(open_as(context, "1.9-rf_balanced", &no_size, &model), FTL_ARG);
    assert_int_equal(open_as(context, "0.20.4-normalizer_l2", &only, &model), FTL_UNSUPPORTED);
    assert_int_equal(open_as(context, "1.9-rf_balanced", &only, &model), FTL_OK);
    assert_int_equal(ftl_model_plan(model, &only, &plan, NULL), FTL_OK);
    ftl_plan_release(plan);
    assert_int_equal(ftl_model_plan(model, &narrow, &plan, NULL), FTL_ARG);
    assert_int_equal(ftl_model_plan(model, NULL, &plan, NULL), FTL_ARG); /* all methods */
    assert_int_equal(ftl_model_write(model, collect, NULL, NULL), FTL_ARG);
    size_t described = 0;
    assert_int_equal(ftl_model_describe(model, true, fuzz_ignore_text, &described, NULL), FTL_OK);
    assert_true(described > 100);
    ftl_model_release(model);
    ftl_context_destroy(context);
}

/* What no written model says (the files it is of, notes, what else the file holds) stays, too. */
static void test_jobs_run_and_guard_the_model_file(void **state)
{
    (void)state;
    char in[] = "/tmp/foretell-only-plan-XXXXXX", out[sizeof in + 4], model_path[512];
    int file = mkstemp(in);
    assert_true(file >= 0);
    FILE *rows = fdopen(file, "w");
    assert_non_null(rows);
    ftl_context *context = new_context();
    ftl_model *model = NULL;
    ftl_error error;
    const ftl_plan_options only = {.struct_size = sizeof only, .methods = 1u << FTL_PREDICT};
    assert_int_equal(open_as(context, "1.9-rf_balanced", &only, &model), FTL_OK);
    ftl_model_info info = {.struct_size = sizeof info};
    assert_int_equal(ftl_model_get_info(model, &info), FTL_OK);
    assert_string_equal(info.note, "");
    assert_null(info.parts);
    for (int row = 0; row < 3; row++) {
        for (size_t i = 0; i < info.n_inputs; i++)
            fprintf(rows, i ? ",%d" : "%d", row);
        fputc('\n', rows);
    }
    fclose(rows);
    snprintf(out, sizeof out, "%s.csv", in);
    snprintf(model_path, sizeof model_path, FTL_TEST_DIR "/../fuzz/corpus/model/1.9-rf_balanced");
    const ftl_score_options options = {.struct_size = sizeof options, .no_header = true};
    ftl_score_result result = {.struct_size = sizeof result};
    assert_int_equal(ftl_score(model, in, out, &options, &result, &error), FTL_OK);
    assert_int_equal(result.rows_written, 3);
    assert_int_equal(ftl_score(model, in, model_path, &options, &result, &error), FTL_ARG);
    assert_int_equal(error.reason, FTL_REASON_SAME_FILE);
    remove(in);
    remove(out);
    ftl_model_release(model);
    ftl_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_model_answers_the_same),
        cmocka_unit_test(test_what_is_gone_is_told),
        cmocka_unit_test(test_jobs_run_and_guard_the_model_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
