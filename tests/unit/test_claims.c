/*
 * What a model from a file may not claim, beyond the lengths and ranges of its description: each
 * would let a plan read what nobody wrote. One test a claim, with a neighbour that is allowed.
 */
#include "op_fixture.h"

static const ftl_segment inputs[INPUTS] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}},
                         matrix = {INPUTS, 0, INPUTS};

/* The last op is what predict yields, its first column. */
static ftl_status validate(fixture *f, ftl_as as)
{
    uint32_t last = (uint32_t)f->model.graph.n_ops - 1;
    ftl_error error;
    f->outputs[0] = (ftl_output){.name = "p", .op = last, .as = as};
    f->model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = 1, .outputs = f->outputs};
    return ftl_model_validate(&f->model, &f->account, &error);
}

static void an_output_is_a_number_that_a_step_wrote(void **state)
{
    (void)state;
    static const double numbers[] = {1, 2};
    static const int32_t codes[] = {0, 1};
    static const ftl_encode_column column = {
        .categories = {.count = 2, .numeric = true, FTL_WHOLE(numbers, numbers)},
        FTL_WHOLE(codes, codes),
        .unknown = FTL_CODE_NONE,
        .cardinality = 2};
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_OK);
    f.model.graph.n_ops = INPUTS; /* an input: it has no slot */
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
    ftl_op *op = add(&f, FTL_OP_ONEHOT, 2, inputs, 1);
    op->edge = FTL_EDGE_CODED;
    op->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, &column, 1), .estimator = "OneHotEncoder"};
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
}

static void a_column_that_is_read_is_used(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS - 1, inputs, INPUTS - 1);
    f.inputs[INPUTS - 1].kind = FTL_KIND_UNUSED;
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_OK);
    f.inputs[0].kind = FTL_KIND_UNUSED;
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
}

static void a_model_that_knows_names_knows_all(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    f.model.has_input_names = true;
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
    for (size_t i = 0; i < INPUTS; i++)
        f.inputs[i].name = "x";
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_OK);
}

static void there_are_quantiles(void **state)
{
    (void)state;
    static const double quantiles[INPUTS] = {0}, references[] = {0.5};
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, FTL_OP_QUANTILES, INPUTS, &matrix, 1);
    op->u.quantiles = (ftl_quantiles_op){
        .n = 1, FTL_WHOLE(quantiles, quantiles), FTL_WHOLE(references, references)};
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_OK);
    op->u.quantiles = (ftl_quantiles_op){
        .n = 0, FTL_SIZED(quantiles, quantiles, 0), FTL_SIZED(references, references, 0)};
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
}

/*
 * A leaf above the deepest ones, where a row waits while others go on, says besides that it is
 * categorical, of a set that there is not.
 */
static void a_leaf_is_only_a_leaf(void **state)
{
    (void)state;
    static const uint32_t root[] = {0, 5};
    static const uint8_t flags[] = {0, FTL_NODE_LEAF | FTL_NODE_CATEGORICAL | FTL_NODE_SET_RIGHT, 0,
                                    FTL_NODE_LEAF, FTL_NODE_LEAF | FTL_NODE_CATEGORICAL};
    static const int32_t feature[] = {0, -2, 1, 99, 7}, left[] = {1, 0, 3, 0, 0},
                         right[] = {2, 0, 4, 0, 0}, leaf[] = {-1, 0, -1, 1, 2};
    static const double threshold[] = {0.5, 3, 0.5, -1e300, NAN}, values[] = {10, 20, 30};
    static const double x[3 * INPUTS] = {0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
    const ftl_matrix in = {x, FTL_F64, 3, INPUTS, INPUTS, 1};
    ftl_tree_nodes nodes = {.n_trees = 1,
                            .n_nodes = 5,
                            .root = root,
                            .flags = flags,
                            .feature = feature,
                            .threshold = threshold,
                            .left = left,
                            .right = right,
                            .leaf = leaf,
                            .n_values = 3,
                            .value_width = 1,
                            .values = values};
    double out[3];
    fixture f;
    ftl_tree_nodes_count(&nodes);
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, FTL_OP_TREES, 1, &matrix, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = &nodes, .input = FTL_TREE_INPUT_F64, .divisor = 1};
    run(&f, FTL_F64, 1, &in, out);
    assert_true(out[0] == 10 && out[1] == 20 && out[2] == 30);
}

static void trees_have_a_column_to_ask_about(void **state)
{
    (void)state;
    static const uint32_t root[] = {0, 1};
    static const uint8_t flags[] = {FTL_NODE_LEAF};
    static const int32_t zero[] = {0};
    static const double number[] = {0};
    static const ftl_segment nothing = {INPUTS, 0, 0};
    ftl_tree_nodes nodes = {.n_trees = 1,
                            .n_nodes = 1,
                            .root = root,
                            .flags = flags,
                            .feature = zero,
                            .threshold = number,
                            .left = zero,
                            .right = zero,
                            .leaf = zero,
                            .n_values = 1,
                            .value_width = 1,
                            .values = number};
    fixture f;
    ftl_tree_nodes_count(&nodes);
    start(&f);
    add(&f, FTL_OP_GATHER, 0, NULL, 0);
    ftl_op *op = add(&f, FTL_OP_TREES, 1, &nothing, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = &nodes, .input = FTL_TREE_INPUT_F64, .divisor = 1};
    assert_int_equal(validate(&f, FTL_AS_FLOAT), FTL_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_is_a_number_that_a_step_wrote),
        cmocka_unit_test(a_column_that_is_read_is_used),
        cmocka_unit_test(a_model_that_knows_names_knows_all),
        cmocka_unit_test(there_are_quantiles),
        cmocka_unit_test(a_leaf_is_only_a_leaf),
        cmocka_unit_test(trees_have_a_column_to_ask_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
