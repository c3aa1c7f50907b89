/*
 * What the nodes of boosters do with special values: sets of categories of any size and either
 * direction, zero as missing, sums in float32, numbers of leaves.
 */
#include "unit.h"

#include "plan/plan.h"

#include <math.h>
#include <string.h>

enum { ROWS = 12 };

static const uint32_t root[2] = {0, 3}, set_start[2] = {0, 3}, set_words[3] = {5, 0, 1u << 6};
static const int32_t feature[3] = {0}, left[3] = {1, 0, 0}, right[3] = {2, 0, 0},
                     leaf[3] = {-1, 7, 8};
static const double values[9] = {0, 0, 0, 0, 0, 0, 0, 0.1, 1e8};
static const ftl_segment from_input[1] = {{0, 0, 1}}, from_matrix[1] = {{1, 0, 1}};

/* One split, by its flags and threshold; out: leaf numbers, 0 left and 1 right, or the sums. */
static void run(uint8_t flags, double threshold, ftl_category_rule rule, bool sums,
                const double x[ROWS], double out[ROWS])
{
    const uint8_t all[3] = {flags, FTL_NODE_LEAF, FTL_NODE_LEAF};
    const double thresholds[3] = {threshold, 0, 0}, base[1] = {0.3};
    ftl_tree_nodes nodes = {.n_trees = 1,
                            .n_nodes = 3,
                            .root = root,
                            .flags = all,
                            .feature = feature,
                            .threshold = thresholds,
                            .left = left,
                            .right = right,
                            .leaf = leaf,
                            .n_values = 9,
                            .value_width = 1,
                            .values = values,
                            .n_sets = 1,
                            .set_start = set_start,
                            .set_words = set_words,
                            .category_rule = rule};
    ftl_tree_nodes_count(&nodes);
    ftl_op ops[3] = {
        {.kind = FTL_OP_INPUT, .width = 1, .path = ""},
        {.kind = FTL_OP_GATHER, .width = 1, .n_segments = 1, .segments = from_input, .path = ""},
        {.kind = sums ? FTL_OP_TREES : FTL_OP_TREE_APPLY,
         .width = 1,
         .dtype = sums ? FTL_DTYPE_F32 : FTL_DTYPE_F64,
         .n_segments = 1,
         .segments = from_matrix,
         .path = ""}};
    if (sums)
        ops[2].u.trees = (ftl_trees_op){.nodes = &nodes,
                                        .input = FTL_TREE_INPUT_F64,
                                        FTL_WHOLE(base, base),
                                        .divisor = 1.0,
                                        .sum_f32 = true};
    else
        ops[2].u.tree_apply = (ftl_tree_apply_op){
            .nodes = &nodes, .input = FTL_TREE_INPUT_F64, .leaf_index = true};
    ftl_output output = {.name = "p", .op = 2};
    ftl_input_schema input = {.kind = FTL_KIND_NUMERIC, .batch_type = FTL_F64};
    ftl_model model = {.inputs = &input, .class_name = "Model"};
    ftl_account_init(&model.account, NULL, 0);
    ftl_model_init_accounts(&model);
    model.graph = (ftl_graph){.n_ops = 3, .ops = ops, .n_inputs = 1};
    model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = 1, .outputs = &output};
    const ftl_column column = {.type = FTL_F64, .values = x};
    const ftl_batch batch = {.rows = ROWS, .n_columns = 1, .columns = &column};
    ftl_plan *plan = NULL;
    ftl_exec exec;
    ftl_error error;
    assert_int_equal(ftl_graph_validate(&model.graph, &model.account, &error), FTL_OK);
    assert_int_equal(ftl_plan_create(&model, FTL_F64, 1u << FTL_PREDICT, 0, &plan, &error), FTL_OK);
    assert_int_equal(ftl_exec_init(&exec, plan, &model.account, &error), FTL_OK);
    ftl_exec_run(&exec, &batch, 0, ROWS, 1u << FTL_PREDICT);
    for (size_t i = 0; i < ROWS; i++)
        out[i] = sums ? (double)((const float *)ftl_slot(&plan->steps[2], &exec))[i]
                      : ((const double *)ftl_slot(&plan->steps[2], &exec))[i];
    ftl_exec_free(&exec, &model.account);
    ftl_plan_destroy(plan);
    assert_int_equal(ftl_account_used(&model.account), 0);
}

static void expect(uint8_t flags, double threshold, ftl_category_rule rule, const double x[ROWS],
                   const char *sides)
{
    double out[ROWS];
    run(flags, threshold, rule, false, x, out);
    for (size_t i = 0; i < ROWS; i++) {
        if (out[i] != (sides[i] == 'r'))
            fail_msg("flags %u, row %zu (%g): %g instead of %c", flags, i, x[i], out[i], sides[i]);
    }
}

/* Categories 0, 2 and 70 of 96. */
static void test_sets(void **state)
{
    (void)state;
    const double x[ROWS] = {0, 1, 2.75, 70, 95, 96, 1e10, -1, -0.5, NAN, INFINITY, -INFINITY};
    const uint8_t category = FTL_NODE_CATEGORICAL, missing = FTL_NODE_MISSING_LEFT;
    expect(category, 0, FTL_CATEGORY_INT, x, "lrllrrrrlrrr");
    expect(category, 0, FTL_CATEGORY_NOT_NEGATIVE, x, "lrllrrrrrrrr");
    expect(category | missing, 0, FTL_CATEGORY_INT, x, "lrllrrrrllrr");
    expect(category | FTL_NODE_SET_RIGHT, 0, FTL_CATEGORY_INT, x, "rlrrllllrrll");
    expect(category | FTL_NODE_SET_RIGHT | missing, 0, FTL_CATEGORY_NOT_NEGATIVE, x,
           "rlrrllllllll");
}

static void test_zero_is_missing(void **state)
{
    (void)state;
    const double zero = (double)1e-35f;
    const double x[ROWS] = {
        0, -0.0, zero, -zero, nextafter(zero, 1), nextafter(-zero, -1), NAN, 1, -1, 1e-40, 2, -2};
    expect(FTL_NODE_ZERO_MISSING, 0.5, FTL_CATEGORY_INT, x, "rrrrllrrlrrl");
    expect(FTL_NODE_ZERO_MISSING | FTL_NODE_MISSING_LEFT, -0.5, FTL_CATEGORY_INT, x,
           "llllrrlrllrl");
    expect(0, -0.5, FTL_CATEGORY_INT, x, "rrrrrrrrlrrl");
}

static void test_sums_in_float32(void **state)
{
    (void)state;
    const double x[ROWS] = {-1, 1};
    double out[ROWS];
    run(0, 0.5, FTL_CATEGORY_INT, true, x, out);
    assert_true(out[0] == (double)(0.3f + 0.1f));
    assert_true(out[1] == (double)(0.3f + 1e8f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_zero_is_missing),
        cmocka_unit_test(test_sums_in_float32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
