/* What the validator refuses of kernel machines and neighbours, so that their steps need no checks.
 */
#include "unit.h"

#include "model/ir.h"
#include "model/validate.h"

#include <math.h>
#include <string.h>

static ftl_error error;

/* ---- Kernel machines ------------------------------------------------------------------------- */

static const double numbers[64];
static const uint32_t n_support[3] = {2, 1, 1};
static const uint32_t start[5] = {0, 2, 2, 3, 4}, column[4] = {0, 2, 1, 2};

static ftl_op machine(void)
{
    return (ftl_op){.kind = FTL_OP_KERNEL_MACHINE,
                    .width = 3,
                    .path = "t",
                    .u.kernel_machine = {.n_vectors = 4,
                                         FTL_SIZED(vectors, numbers, 4 * 3),
                                         .n_classes = 3,
                                         FTL_WHOLE(n_support, n_support),
                                         FTL_SIZED(coef, numbers, 2 * 4),
                                         FTL_SIZED(intercept, numbers, 3)}};
}

/* An operation by itself, which reads n columns. */
static ftl_status proof_status(const ftl_op *op, uint32_t n)
{
    const ftl_proof proof = {.op = op, .columns = n};
    FTL_TRY(ftl_validate_parameters(&proof, &error));
    return ftl_validate_rest(&proof, &error);
}

static ftl_status machine_status(const ftl_op *op) { return proof_status(op, 3); }

static void machines(void **state)
{
    (void)state;
    ftl_op op = machine();
    assert_int_equal(machine_status(&op), FTL_OK);
    op.width = 2;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    op = machine(), op.u.kernel_machine.n_vectors = 5;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    op = machine(), op.u.kernel_machine.n_classes = 1;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    op = machine(), op.u.kernel_machine.n_classes = 0;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    op.width = 1, op.u.kernel_machine.intercept_count = 1;
    op.u.kernel_machine.n_support_count = 0, op.u.kernel_machine.coef_count = 4;
    assert_int_equal(machine_status(&op), FTL_OK);
    op = machine(), op.u.kernel_machine.kernel = FTL_KERNEL_COUNT;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    op = machine(), op.u.kernel_machine.vectors = NULL;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
}

static void sparse_machines(void **state)
{
    (void)state;
    ftl_sparse_rows rows = {FTL_WHOLE(start, start), FTL_WHOLE(column, column),
                            FTL_SIZED(value, numbers, 4)};
    ftl_op op = machine();
    op.u.kernel_machine.sparse = &rows;
    assert_int_equal(machine_status(&op), FTL_CORRUPT); /* both forms */
    op.u.kernel_machine.vectors = NULL, op.u.kernel_machine.vectors_count = 0;
    assert_int_equal(machine_status(&op), FTL_OK);
    assert_int_equal(proof_status(&op, 2), FTL_CORRUPT);
    const uint32_t falling[4] = {2, 0, 1, 2}, twice[4] = {1, 1, 1, 2}, back[5] = {0, 2, 1, 3, 4};
    rows.column = falling;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    rows.column = twice;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
    rows.column = column, rows.start = back;
    assert_int_equal(machine_status(&op), FTL_CORRUPT);
}

static void pairs(void **state)
{
    (void)state;
    assert_int_equal(ftl_pairs(0), 0);
    assert_int_equal(ftl_pairs(1), 0);
    for (uint32_t n = 2; n < 6000; n += n < 20 ? 1 : 97) {
        assert_int_equal(ftl_pairs_classes((uint32_t)ftl_pairs(n)), n);
        assert_int_equal(ftl_pairs_classes((uint32_t)ftl_pairs(n) + 1), n + 1);
    }
    ftl_op op = {.kind = FTL_OP_COUPLING,
                 .width = 4,
                 .path = "t",
                 .u.coupling = {FTL_SIZED(a, numbers, 6), FTL_SIZED(b, numbers, 6)}};
    assert_int_equal(proof_status(&op, 6), FTL_OK);
    assert_int_equal(proof_status(&op, 5), FTL_CORRUPT);
    op = (ftl_op){.kind = FTL_OP_DECIDE, .width = 1, .path = "t", .u.decide = {FTL_DECIDE_VOTE}};
    assert_int_equal(proof_status(&op, 6), FTL_OK);
    assert_int_equal(proof_status(&op, 5), FTL_CORRUPT);
    op = (ftl_op){
        .kind = FTL_OP_LINK, .width = 4, .path = "t", .u.link = {FTL_LINK_ONE_VERSUS_ONE}};
    assert_int_equal(proof_status(&op, 6), FTL_OK);
    assert_int_equal(proof_status(&op, 7), FTL_CORRUPT);
}

/* ---- Neighbours ------------------------------------------------------------------------------ */

typedef struct searching {
    ftl_point_node nodes[3];
    uint32_t order[5];
    ftl_point_tree tree;
    ftl_op op;
} searching;

static void make(searching *s)
{
    *s = (searching){.nodes = {{0, 5, false, 1}, {0, 2, true, 1}, {2, 5, true, 1}},
                     .order = {4, 3, 2, 1, 0}};
    s->tree = (ftl_point_tree){.n_nodes = 3,
                               FTL_WHOLE(nodes, s->nodes),
                               FTL_WHOLE(order, s->order),
                               FTL_SIZED(bounds, numbers, 2 * 3 * 3)};
    s->op = (ftl_op){.kind = FTL_OP_NEIGHBORS,
                     .width = 4,
                     .path = "t",
                     .u.neighbors = {.search = FTL_SEARCH_KD_TREE,
                                     .k = 2,
                                     .n_points = 5,
                                     FTL_SIZED(points, numbers, 5 * 3),
                                     .tree = &s->tree}};
}

static ftl_status search_status(const searching *s) { return proof_status(&s->op, 3); }

static void searches(void **state)
{
    (void)state;
    searching s;
    make(&s);
    assert_int_equal(search_status(&s), FTL_OK);
    s.op.u.neighbors.k = 6, s.op.width = 12;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.op.u.neighbors.k = 0, s.op.width = 0;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.op.width = 3;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.op.u.neighbors.search = FTL_SEARCH_DIRECT;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    s.op.u.neighbors.tree = NULL;
    assert_int_equal(search_status(&s), FTL_OK);
    s.op.u.neighbors.metric = FTL_METRIC_MINKOWSKI;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    s.op.u.neighbors.p = NAN;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    s.op.u.neighbors.p = 1.5;
    assert_int_equal(search_status(&s), FTL_OK);
    s.op.u.neighbors.search = FTL_SEARCH_EXPANDED;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    s.op.u.neighbors.search = FTL_SEARCH_EXPANDED_PLAIN;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    s.op.u.neighbors.metric = FTL_METRIC_EUCLIDEAN;
    assert_int_equal(search_status(&s), FTL_OK);
    make(&s), s.op.u.neighbors.metric = FTL_METRIC_COSINE;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
}

static void trees(void **state)
{
    (void)state;
    searching s;
    make(&s), s.order[2] = 5;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.nodes[0].end = 4;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.nodes[1].end = 3; /* overlaps */
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.nodes[2].is_leaf = false; /* children beyond the array */
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.nodes[2].end = 6;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.tree.n_nodes = 0, s.tree.nodes_count = 0, s.tree.bounds_count = 0;
    assert_int_equal(search_status(&s), FTL_CORRUPT);
    make(&s), s.tree.n_nodes = 1, s.nodes[0].is_leaf = true;
    assert_int_equal(search_status(&s), FTL_CORRUPT); /* the arrays are of three nodes */
    s.tree.nodes_count = 1, s.tree.bounds_count = 2 * 3;
    assert_int_equal(search_status(&s), FTL_OK);
}

static void votes(void **state)
{
    (void)state;
    const uint32_t classes[5] = {0, 1, 2, 1, 0};
    searching s;
    make(&s);
    s.op.u.neighbors.points_count = 5, s.tree.bounds_count = 2 * 3; /* of one column */
    const ftl_segment whole = {.op = 1, .count = 4};
    const ftl_segment input = {.op = 0, .count = 1};
    ftl_op ops[4] = {{.kind = FTL_OP_INPUT, .width = 1, .path = ""},
                     s.op,
                     {.kind = FTL_OP_NEIGHBOR_VOTE,
                      .dtype = FTL_DTYPE_F64,
                      .width = 3,
                      .n_segments = 1,
                      .segments = &whole,
                      .path = "t",
                      .u.neighbor_vote = {.n_points = 5, FTL_WHOLE(classes, classes)}}};
    ftl_op gather = {
        .kind = FTL_OP_GATHER, .width = 1, .n_segments = 1, .segments = &input, .path = ""};
    ftl_graph graph = {.n_ops = 4, .n_inputs = 1, .ops = ops};
    const ftl_segment from_gather = {.op = 1, .count = 1}, from_search = {.op = 2, .count = 4};
    ops[3] = ops[2], ops[2] = ops[1], ops[1] = gather;
    ops[2].segments = &from_gather, ops[2].n_segments = 1;
    ops[3].segments = &from_search;
    assert_int_equal(ftl_graph_validate(&graph, NULL, &error), FTL_OK);
    ops[3].width = 2;
    assert_int_equal(ftl_graph_validate(&graph, NULL, &error), FTL_CORRUPT);
    ops[3].width = 3, ops[3].u.neighbor_vote.n_points = 4, ops[3].u.neighbor_vote.classes_count = 4;
    assert_int_equal(ftl_graph_validate(&graph, NULL, &error), FTL_CORRUPT);
    ops[3].u.neighbor_vote.n_points = 5, ops[3].u.neighbor_vote.classes_count = 5;
    ops[3].segments = &from_gather;
    assert_int_equal(ftl_graph_validate(&graph, NULL, &error), FTL_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines), cmocka_unit_test(sparse_machines), cmocka_unit_test(pairs),
        cmocka_unit_test(searches), cmocka_unit_test(trees),           cmocka_unit_test(votes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
