/* Plans of graphs made by hand: types of edges, and what a plan refuses. */
#include "unit.h"

#include "plan/plan.h"

#include <math.h>
#include <string.h>

static const uint32_t first_column[1] = {0};
static const double fill[1] = {7.0};
static const ftl_segment from_input[1] = {{0, 0, 1}}, from_matrix[1] = {{1, 0, 1}};

/* input → gather → impute → prediction; dtype is the rule of the impute step. */
static void make_model(ftl_model *model, ftl_op ops[3], ftl_output *output, ftl_input_schema *input,
                       ftl_dtype_rule dtype)
{
    memset(model, 0, sizeof *model);
    ftl_account_init(&model->account, NULL, 0);
    ftl_model_init_accounts(model);
    ops[0] = (ftl_op){.kind = FTL_OP_INPUT, .width = 1, .path = ""};
    ops[1] = (ftl_op){
        .kind = FTL_OP_GATHER, .width = 1, .n_segments = 1, .segments = from_input, .path = ""};
    ops[2] = (ftl_op){.kind = FTL_OP_IMPUTE,
                      .dtype = dtype,
                      .width = 1,
                      .n_segments = 1,
                      .segments = from_matrix,
                      .path = "steps[0]"};
    ops[2].u.impute = (ftl_impute_op){
        .missing_is_nan = true, FTL_WHOLE(columns, first_column), FTL_WHOLE(fill, fill)};
    *output = (ftl_output){.name = "prediction", .op = 2};
    *input = (ftl_input_schema){.kind = FTL_KIND_NUMERIC, .batch_type = FTL_F64};
    model->inputs = input;
    model->class_name = "Model";
    model->graph = (ftl_graph){.n_ops = 3, .ops = ops, .n_inputs = 1};
    model->graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = 1, .outputs = output};
}

static ftl_status plan_of(ftl_dtype_rule rule, ftl_type input_dtype, ftl_error *error)
{
    ftl_model model;
    ftl_op ops[3];
    ftl_output output;
    ftl_input_schema input;
    ftl_plan *plan = NULL;
    make_model(&model, ops, &output, &input, rule);
    assert_int_equal(ftl_graph_validate(&model.graph, &model.account, error), FTL_OK);
    ftl_status status = ftl_plan_create(&model, input_dtype, 1u << FTL_PREDICT, 0, &plan, error);
    ftl_plan_destroy(plan);
    assert_int_equal(ftl_account_used(&model.account), 0);
    return status;
}

static void test_a_step_keeps_the_type_of_its_source(void **state)
{
    (void)state;
    ftl_error error;
    assert_int_equal(plan_of(FTL_DTYPE_SAME, FTL_F32, &error), FTL_OK);
    assert_int_equal(plan_of(FTL_DTYPE_SAME, FTL_F64, &error), FTL_OK);
    assert_int_equal(plan_of(FTL_DTYPE_F64, FTL_F64, &error), FTL_OK);
    /* A float64 slot read from float32 values would be read past its end. */
    assert_int_equal(plan_of(FTL_DTYPE_F64, FTL_F32, &error), FTL_INTERNAL);
    assert_string_equal(error.path, "steps[0]");
    assert_int_equal(plan_of(FTL_DTYPE_F32, FTL_F64, &error), FTL_INTERNAL);
}

static void test_a_block_is_computed(void **state)
{
    (void)state;
    ftl_model model;
    ftl_op ops[3];
    ftl_output output;
    ftl_input_schema input;
    ftl_plan *plan = NULL;
    ftl_exec exec;
    ftl_error error;
    const double values[3] = {1.5, NAN, -2.0};
    const ftl_column column = {.type = FTL_F64, .values = values};
    const ftl_batch batch = {.rows = 3, .n_columns = 1, .columns = &column};
    make_model(&model, ops, &output, &input, FTL_DTYPE_SAME);
    assert_int_equal(ftl_plan_create(&model, FTL_F64, 1u << FTL_PREDICT, 0, &plan, &error), FTL_OK);
    assert_int_equal(ftl_exec_init(&exec, plan, &model.account, &error), FTL_OK);
    ftl_exec_run(&exec, &batch, 0, 3, 1u << FTL_PREDICT);
    const double *out = ftl_slot(&plan->steps[2], &exec);
    assert_true(out[0] == 1.5 && out[1] == 7.0 && out[2] == -2.0);
    assert_int_equal(exec.n_bad, 0);
    ftl_exec_free(&exec, &model.account);
    ftl_plan_destroy(plan);
    assert_int_equal(ftl_account_used(&model.account), 0);
}

/* Whether the gather's slot is the caller's matrix. */
static bool lies_there(ftl_exec *exec, const ftl_matrix *matrix, size_t first, uint32_t rows)
{
    const ftl_batch batch = {.rows = matrix->rows, .n_columns = 1, .matrix = matrix};
    size_t element = matrix->dtype == FTL_F64 ? sizeof(double) : sizeof(float);
    const char *from = (const char *)matrix->data +
                       (ptrdiff_t)first * matrix->row_stride * (ptrdiff_t)element;
    ftl_exec_run(exec, &batch, first, rows, 1u << FTL_PREDICT);
    const double *out = ftl_slot(&exec->plan->steps[2], exec);
    for (uint32_t i = 0; i < rows; i++)
        assert_true(out[i] == (double)(first + i));
    return ftl_slot(&exec->plan->steps[1], exec) == (const void *)from;
}

static void test_a_matrix_is_read_where_it_lies(void **state)
{
    (void)state;
    ftl_model model;
    ftl_op ops[3];
    ftl_output output;
    ftl_input_schema input;
    ftl_plan *plan = NULL;
    ftl_exec exec;
    ftl_error error;
    double values[8] = {0, 1, 2, 3}, apart[8] = {0, -1, 1, -1, 2, -1, 3, -1};
    const float narrow[4] = {0, 1, 2, 3};
    _Alignas(8) unsigned char odd[1 + sizeof values];
    memcpy(odd + 1, values, sizeof values);
    make_model(&model, ops, &output, &input, FTL_DTYPE_SAME);
    assert_int_equal(ftl_plan_create(&model, FTL_F64, 1u << FTL_PREDICT, 0, &plan, &error), FTL_OK);
    assert_int_equal(ftl_exec_init(&exec, plan, &model.account, &error), FTL_OK);
    ftl_matrix matrix = {values, FTL_F64, 4, 1, 1, 1};
    assert_true(lies_there(&exec, &matrix, 0, 4));
    assert_true(lies_there(&exec, &matrix, 2, 2));
    matrix = (ftl_matrix){apart, FTL_F64, 4, 1, 2, 1};
    assert_false(lies_there(&exec, &matrix, 0, 4));
    assert_true(lies_there(&exec, &matrix, 3, 1));
    matrix = (ftl_matrix){narrow, FTL_F32, 4, 1, 1, 1};
    assert_false(lies_there(&exec, &matrix, 0, 4));
    matrix = (ftl_matrix){odd + 1, FTL_F64, 4, 1, 1, 1};
    assert_false(lies_there(&exec, &matrix, 0, 4));
    ftl_exec_free(&exec, &model.account);
    ftl_plan_destroy(plan);
    assert_int_equal(ftl_account_used(&model.account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_keeps_the_type_of_its_source),
        cmocka_unit_test(test_a_block_is_computed),
        cmocka_unit_test(test_a_matrix_is_read_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
