/*
 * Blobs: pieces and pointers as bytes and back, plans that outlive their graph, one packing of
 * trees for all methods, and bytes that somebody damaged or changed.
 */
#include "op_fixture.h"
#include "random_numbers.h"

#include "base/cityhash.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Blobs ----------------------------------------------------------------------------------- */

typedef struct record {
    struct record *next;
    const double *numbers;
    const char *text;
    uint64_t value;
} record;

static const double borrowed[4] = {1.5, 2.5, 3.5, 4.5};

/* A root that points to a piece, into one, behind one and to itself; twice to the same numbers. */
static record *make_records(ftl_blob *blob)
{
    record *root = ftl_blob_state(blob, 1, sizeof *root);
    record *list = ftl_blob_state(blob, 3, sizeof *list);
    double *own = ftl_blob_data(blob, 5, sizeof *own);
    assert_true(root && list && own);
    for (uint32_t i = 0; i < 5; i++)
        own[i] = i;
    *root = (record){.next = list, .numbers = own + 2, .text = "root", .value = 7};
    list[0] = (record){.next = &list[2], .numbers = borrowed, .text = NULL, .value = 8};
    list[1] = (record){.next = root, .numbers = own + 5, .text = "", .value = 9};
    list[2] = (record){.next = &list[2], .numbers = borrowed + 1, .text = "root", .value = 10};
    ftl_blob_ref(blob, &root->next);
    ftl_blob_ref(blob, &root->numbers);
    ftl_blob_borrow_text(blob, &root->text);
    ftl_blob_ref_each(blob, &list[0].next, 3, sizeof *list);
    ftl_blob_borrow(blob, &list[0].numbers, 4, sizeof(double));
    ftl_blob_ref(blob, &list[1].numbers);
    ftl_blob_borrow(blob, &list[2].numbers, 3, sizeof(double));
    for (uint32_t i = 0; i < 3; i++)
        ftl_blob_borrow_text(blob, &list[i].text);
    assert_false(blob->failed);
    return root;
}

static void check_records(const record *root)
{
    const record *list = root->next;
    assert_int_equal(root->value, 7);
    assert_string_equal(root->text, "root");
    assert_true(root->numbers[0] == 2 && root->numbers[2] == 4);
    assert_true(list[0].next == &list[2] && list[1].next == root && list[2].next == &list[2]);
    assert_memory_equal(list[0].numbers, borrowed, sizeof borrowed);
    assert_true(list[1].numbers == root->numbers + 3);
    assert_memory_equal(list[2].numbers, borrowed + 1, 3 * sizeof(double));
    assert_null(list[0].text);
    assert_string_equal(list[1].text, "");
    assert_string_equal(list[2].text, "root");
}

static void pointers_become_offsets_and_come_back(void **state)
{
    (void)state;
    for (int owns_all = 0; owns_all < 2; owns_all++) {
        ftl_account account;
        ftl_blob blob;
        ftl_blob_view view;
        ftl_error error;
        unsigned char *bytes = NULL;
        size_t size;
        ftl_account_init(&account, NULL, 0);
        ftl_blob_init(&blob, &account, 1);
        blob.owns_all = owns_all;
        const record *root = make_records(&blob);
        check_records(root);
        assert_true((root->next[0].numbers == borrowed) == !owns_all);
        assert_int_equal(ftl_blob_write(&blob, &account, 0, &bytes, &size, &error), FTL_OK);
        ftl_blob_free(&blob);
        unsigned char *room = ftl_alloc(&account, size + 64);
        unsigned char *aligned = room + (-(uintptr_t)room & 63);
        memcpy(aligned, bytes, size);
        assert_int_equal(ftl_blob_open(aligned, size, &account, &view, &error), FTL_OK);
        check_records(view.root);
        assert_true((const unsigned char *)((const record *)view.root)->numbers > aligned &&
                    (const unsigned char *)((const record *)view.root)->numbers < aligned + size);
        ftl_blob_close(&view, &account);
        assert_int_equal(ftl_blob_open(aligned + 8, size - 8, &account, &view, &error), FTL_ARG);
        ftl_free(&account, room);
        ftl_free(&account, bytes);
        assert_int_equal(ftl_account_used(&account), 0);
    }
}

static void a_pointer_out_of_the_blob_is_not_written(void **state)
{
    (void)state;
    ftl_account account;
    ftl_blob blob;
    ftl_error error;
    unsigned char *bytes = NULL;
    size_t size;
    ftl_account_init(&account, NULL, 0);
    ftl_blob_init(&blob, &account, 1);
    record *root = ftl_blob_state(&blob, 1, sizeof *root);
    root->numbers = borrowed;
    ftl_blob_ref(&blob, &root->numbers);
    assert_int_equal(ftl_blob_write(&blob, &account, 0, &bytes, &size, &error), FTL_INTERNAL);
    ftl_blob_free(&blob);
    assert_int_equal(ftl_account_used(&account), 0);
}

static void a_dropped_piece_is_given_back(void **state)
{
    (void)state;
    enum { large = 3 << 20 };
    ftl_account account;
    ftl_blob blob;
    ftl_account_init(&account, NULL, 0);
    ftl_blob_init(&blob, &account, 1);
    assert_non_null(ftl_blob_state(&blob, 1, 8));
    uint64_t before = ftl_account_used(&account);
    void *piece = ftl_blob_data(&blob, large, 1);
    assert_true(piece && (uintptr_t)piece % 64 == 0 && ftl_account_used(&account) > large);
    ftl_blob_drop(&blob, piece);
    assert_int_equal(ftl_account_used(&account), before);
    ftl_blob_free(&blob);
}

/* ---- Plans of a small ensemble --------------------------------------------------------------- */

enum { TREES = 30, NODES = 5, LEAVES = 3 };

/* What a graph has on the heap, so that it can be freed before the plan runs. */
typedef struct forest {
    ftl_tree_nodes nodes;
    uint32_t root[TREES + 1];
    uint8_t flags[TREES * NODES];
    int32_t feature[TREES * NODES], left[TREES * NODES], right[TREES * NODES], leaf[TREES * NODES];
    double threshold[TREES * NODES], values[TREES * LEAVES];
    double mean[INPUTS];
    ftl_affine_step scale;
    ftl_segment inputs[INPUTS], matrix, scaled, checked;
    char path[8], estimator[8], name[4][8];
    const char *names[INPUTS];
} forest;

/* Trees of three leaves, whose rows of values are in no order. */
static forest *make_forest(void)
{
    forest *f = calloc(1, sizeof *f);
    assert_non_null(f);
    for (uint32_t t = 0; t < TREES; t++) {
        uint32_t at = t * NODES;
        const int32_t left[NODES] = {1, 0, 3, 0, 0}, right[NODES] = {2, 0, 4, 0, 0};
        const int32_t rows[NODES] = {-1, 2, -1, 0, 1};
        f->root[t] = at;
        for (uint32_t i = 0; i < NODES; i++, at++) {
            f->flags[at] = rows[i] < 0 ? 0 : FTL_NODE_LEAF;
            f->feature[at] = (int32_t)((t + i) % INPUTS);
            f->threshold[at] = rows[i] < 0 ? (double)(t % 12) / 4.0 - 1.5 + 0.25 * i : 0.0;
            f->left[at] = left[i];
            f->right[at] = right[i];
            f->leaf[at] = rows[i] < 0 ? -1 : rows[i] + (int32_t)(t * LEAVES);
        }
    }
    f->root[TREES] = TREES * NODES;
    for (uint32_t i = 0; i < TREES * LEAVES; i++)
        f->values[i] = 1.0 / (i + 1);
    f->nodes = (ftl_tree_nodes){.n_trees = TREES,
                                .n_nodes = TREES * NODES,
                                .root = f->root,
                                .flags = f->flags,
                                .feature = f->feature,
                                .threshold = f->threshold,
                                .left = f->left,
                                .right = f->right,
                                .leaf = f->leaf,
                                .n_values = TREES * LEAVES,
                                .value_width = 1,
                                .values = f->values};
    ftl_tree_nodes_count(&f->nodes);
    return f;
}

/* Inputs, scaled or not, checked, then sums of leaves (op 7) and the leaves' node ids (op 8). */
static void make_graph(fixture *f, forest *h, bool scaled)
{
    start(f);
    memcpy(h->path, "model", 6);
    memcpy(h->estimator, "Forest", 7);
    for (uint32_t i = 0; i < INPUTS; i++) {
        h->inputs[i] = (ftl_segment){i, 0, 1};
        h->mean[i] = 0.125 * i;
        memcpy(h->name[i], "name", 5);
        h->names[i] = h->name[i];
    }
    h->matrix = (ftl_segment){4, 0, INPUTS};
    h->scaled = (ftl_segment){scaled ? 5 : 4, 0, INPUTS};
    h->checked = (ftl_segment){6, 0, INPUTS};
    h->scale = (ftl_affine_step){
        .kind = FTL_AFFINE_SUB, .wide = true, FTL_SIZED(vector, h->mean, INPUTS)};
    add(f, FTL_OP_GATHER, INPUTS, h->inputs, INPUTS)->path = h->path;
    ftl_op *op = add(f, FTL_OP_AFFINE, INPUTS, &h->matrix, 1);
    op->u.affine = (ftl_affine_op){1, FTL_SIZED(steps, &h->scale, 1)};
    op = add(f, FTL_OP_CHECK, INPUTS, &h->scaled, 1);
    op->u.check = (ftl_check_op){FTL_CHECK_NAN, h->estimator, FTL_SIZED(names, h->names, INPUTS)};
    op = add(f, FTL_OP_TREES, 1, &h->checked, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.trees = (ftl_trees_op){.nodes = &h->nodes, .divisor = TREES};
    op = add(f, FTL_OP_TREE_APPLY, TREES, &h->checked, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.tree_apply = (ftl_tree_apply_op){.nodes = &h->nodes};
    f->outputs[0] = (ftl_output){.name = "p", .op = 7, .as = FTL_AS_FLOAT};
    for (uint32_t t = 0; t < TREES; t++)
        f->outputs[1 + t] = (ftl_output){.name = "a", .op = 8, .column = t, .as = FTL_AS_INT};
    f->model.graph.methods[FTL_PREDICT] = (ftl_method_outputs){.count = 1, .outputs = f->outputs};
    f->model.graph.methods[FTL_APPLY] = (ftl_method_outputs){.count = TREES,
                                                             .outputs = f->outputs + 1};
    ftl_error error;
    assert_int_equal(ftl_graph_validate(&f->model.graph, &f->account, &error), FTL_OK);
}

typedef struct results {
    double sums[ROWS], leaves[ROWS * TREES];
    uint32_t n_bad;
    char message[200];
} results;

static void fill_rows(double *x)
{
    for (uint32_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = (double)random_below(40) / 8.0 - 2.0;
    x[5 * INPUTS + 1] = NAN;
}

static void compute_batch(fixture *f, const ftl_plan *plan, const ftl_batch *batch,
                          uint32_t methods, results *out)
{
    ftl_exec exec;
    ftl_error error;
    memset(out, 0, sizeof *out);
    assert_int_equal(ftl_exec_init(&exec, plan, &f->account, &error), FTL_OK);
    for (uint32_t at = 0, rows; at < ROWS; at += rows) {
        rows = ROWS - at < plan->block_rows ? ROWS - at : plan->block_rows;
        ftl_exec_run(&exec, batch, at, rows, methods);
        assert_int_equal(exec.status, FTL_OK);
        if (methods & 1u << FTL_PREDICT)
            memcpy(out->sums + at, ftl_slot(&plan->steps[7], &exec), rows * sizeof *out->sums);
        if (methods & 1u << FTL_APPLY)
            memcpy(out->leaves + at * TREES, ftl_slot(&plan->steps[8], &exec),
                   rows * TREES * sizeof *out->leaves);
        out->n_bad += exec.n_bad;
        if (exec.n_bad)
            snprintf(out->message, sizeof out->message, "%.150s", exec.bad_error.message);
    }
    ftl_exec_free(&exec, &f->account);
}

static void compute(fixture *f, const ftl_plan *plan, const double *x, uint32_t methods,
                    results *out)
{
    const ftl_matrix in = {.data = x,
                           .dtype = FTL_F64,
                           .rows = ROWS,
                           .columns = INPUTS,
                           .row_stride = INPUTS,
                           .column_stride = 1};
    const ftl_batch batch = {.rows = ROWS, .n_columns = INPUTS, .matrix = &in};
    compute_batch(f, plan, &batch, methods, out);
}

static ftl_plan *compile_plan(fixture *f, uint32_t methods, bool owns_all)
{
    ftl_plan *plan = NULL;
    ftl_error error;
    const ftl_compile_options options = {.input_dtype = FTL_F64,
                                         .methods = methods,
                                         .block_rows = ROWS,
                                         .owns_all = owns_all,
                                         .seed = 7};
    assert_int_equal(ftl_plan_compile(&f->model, &options, &plan, &error), FTL_OK);
    return plan;
}

enum { SUMS = 1 << FTL_PREDICT, LEAF_IDS = 1 << FTL_APPLY };

/* The graph is freed before the plan that owns all runs; so is that plan before its bytes do. */
static void a_plan_outlives_its_graph(void **state)
{
    (void)state;
    fixture f;
    forest *h = make_forest();
    double x[ROWS * INPUTS];
    results expected, got;
    ftl_error error;
    unsigned char *bytes = NULL;
    size_t size;
    fill_rows(x);
    make_graph(&f, h, true);
    ftl_plan *plan = compile_plan(&f, SUMS | LEAF_IDS, false);
    compute(&f, plan, x, SUMS | LEAF_IDS, &expected);
    ftl_plan_destroy(plan);
    assert_int_equal(expected.n_bad, 1);
    assert_non_null(strstr(expected.message, "name"));
    plan = compile_plan(&f, SUMS | LEAF_IDS, true);
    memset(h, 0xa5, sizeof *h);
    free(h);
    memset(f.ops, 0xa5, sizeof f.ops);
    compute(&f, plan, x, SUMS | LEAF_IDS, &got);
    assert_memory_equal(&got, &expected, sizeof got);
    assert_int_equal(ftl_plan_write(plan, &f.account, &bytes, &size, &error), FTL_OK);
    ftl_plan_destroy(plan);
    unsigned char *room = ftl_alloc(&f.account, size + 64);
    unsigned char *aligned = room + (-(uintptr_t)room & 63);
    memcpy(aligned, bytes, size);
    ftl_free(&f.account, bytes);
    assert_int_equal(ftl_plan_open(&f.model, aligned, size, &plan, &error), FTL_OK);
    compute(&f, plan, x, SUMS | LEAF_IDS, &got);
    assert_memory_equal(&got, &expected, sizeof got);
    assert_int_equal(ftl_plan_write(plan, &f.account, &bytes, &size, &error), FTL_ARG);
    ftl_plan_destroy(plan);
    ftl_free(&f.account, room);
    assert_int_equal(ftl_account_used(&f.account), 0);
}

/* Node ids from the trees that are packed for sums are those of trees packed for them. */
static void trees_are_packed_once(void **state)
{
    (void)state;
    for (int shared_rows = 0; shared_rows < 2; shared_rows++) {
        fixture f;
        forest *h = make_forest();
        double x[ROWS * INPUTS];
        results both, one;
        fill_rows(x);
        if (shared_rows) /* two leaves of a tree have one row of values: its node is not told */
            h->leaf[3] = h->leaf[4];
        make_graph(&f, h, true);
        ftl_plan *plan = compile_plan(&f, SUMS | LEAF_IDS, false);
        compute(&f, plan, x, SUMS | LEAF_IDS, &both);
        const void *const *sums = plan->steps[7].state, *const *leaves = plan->steps[8].state;
        assert_true((sums[0] == leaves[0]) == !shared_rows); /* the layout comes first in both */
        ftl_plan_destroy(plan);
        for (uint32_t methods = SUMS; methods; methods = methods == SUMS ? LEAF_IDS : 0) {
            plan = compile_plan(&f, methods, false);
            compute(&f, plan, x, methods, &one);
            if (methods == SUMS)
                assert_memory_equal(one.sums, both.sums, sizeof one.sums);
            else
                assert_memory_equal(one.leaves, both.leaves, sizeof one.leaves);
            ftl_plan_destroy(plan);
        }
        free(h);
        assert_int_equal(ftl_account_used(&f.account), 0);
    }
}

/* Complete trees of so many nodes, whose thresholds and values do not matter. */
static void fill_large(ftl_tree_nodes *nodes, uint32_t n_trees, uint32_t size)
{
    uint32_t n = n_trees * size, leaves = (size + 1) / 2;
    uint32_t *root = calloc(n_trees + 1, sizeof *root);
    uint8_t *flags = calloc(n, 1);
    int32_t *ids = calloc((size_t)4 * n, sizeof *ids);
    double *numbers = calloc((size_t)2 * n, sizeof *numbers);
    assert_true(root && flags && ids && numbers);
    *nodes = (ftl_tree_nodes){.n_trees = n_trees,
                              .n_nodes = n,
                              .root = root,
                              .flags = flags,
                              .feature = ids,
                              .left = ids + n,
                              .right = ids + (size_t)2 * n,
                              .leaf = ids + (size_t)3 * n,
                              .threshold = numbers,
                              .n_values = n_trees * leaves,
                              .value_width = 1,
                              .values = numbers + n};
    ftl_tree_nodes_count(nodes);
    for (uint32_t t = 0; t <= n_trees; t++)
        root[t] = t * size;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t local = i % size, first_leaf = size / 2;
        bool split = local < first_leaf;
        flags[i] = split ? 0 : FTL_NODE_LEAF;
        ids[i] = (int32_t)(i % INPUTS);
        ids[n + i] = split ? (int32_t)(2 * local + 1) : 0;
        ids[2 * n + i] = split ? (int32_t)(2 * local + 2) : 0;
        ids[3 * n + i] = split ? -1 : (int32_t)(i / size * leaves + local - first_leaf);
        numbers[i] = split ? (double)random_below(1000) / 250.0 - 2.0 : 0;
        numbers[n + i] = i;
    }
}

static void free_large(const ftl_tree_nodes *nodes)
{
    free((void *)(uintptr_t)nodes->root);
    free((void *)(uintptr_t)nodes->flags);
    free((void *)(uintptr_t)nodes->feature);
    free((void *)(uintptr_t)nodes->threshold);
}

/* Nodes of 8 bytes, a byte of kinds and the leaves' values: little else is held, though the plan
 * owns all and tells node ids as well. */
static void a_forest_is_held_once(void **state)
{
    (void)state;
    enum { size = 8191 };
    fixture f;
    forest *h = make_forest();
    fill_large(&h->nodes, TREES, size);
    make_graph(&f, h, true);
    f.ops[7].u.trees.input = f.ops[8].u.tree_apply.input = FTL_TREE_INPUT_F32;
    for (int ids = 0; ids < 2; ids++) {
        ftl_plan *plan = compile_plan(&f, ids ? SUMS | LEAF_IDS : SUMS, true);
        uint64_t nodes = (uint64_t)TREES * size, values = TREES * (size + 1) / 2;
        uint64_t needed = nodes * 9 + values * sizeof(double);
        uint64_t used = ftl_account_used(&plan->account);
        assert_true(used >= needed && used <= needed * 13 / 10);
        ftl_plan_destroy(plan);
    }
    free_large(&h->nodes);
    free(h);
    assert_int_equal(ftl_account_used(&f.account), 0);
}

/* ---- Layouts --------------------------------------------------------------------------------- */

/* scaled: a scaler lies between the columns and the trees. */
static void check_layouts(ftl_tree_input input, ftl_type dtype, bool scaled, uint32_t block)
{
    fixture f;
    forest *h = make_forest();
    double x[ROWS * INPUTS], column[INPUTS][ROWS];
    ftl_column columns[INPUTS];
    results by_rows, by_columns;
    ftl_plan *plan = NULL;
    ftl_error error;
    fill_rows(x);
    x[21 * INPUTS + 3] = x[21 * INPUTS + 2] = NAN;
    make_graph(&f, h, scaled);
    f.ops[7].u.trees.input = f.ops[8].u.tree_apply.input = input;
    for (uint32_t i = 0; i < ROWS * INPUTS; i++)
        column[i % INPUTS][i / INPUTS] = x[i];
    memset(columns, 0, sizeof columns);
    for (uint32_t c = 0; c < INPUTS; c++) {
        columns[c].type = FTL_F64;
        columns[c].values = column[c];
        memcpy(h->name[c], "a", 2);
        h->name[c][0] = (char)('a' + c);
    }
    const ftl_batch batch = {.rows = ROWS, .n_columns = INPUTS, .columns = columns};
    assert_int_equal(ftl_plan_create(&f.model, dtype, SUMS | LEAF_IDS, block, &plan, &error),
                     FTL_OK);
    assert_int_equal(plan->steps[4].layout, FTL_LAYOUT_BATCH);
    assert_int_equal(plan->steps[5].layout, scaled ? FTL_LAYOUT_BATCH : FTL_LAYOUT_ROWS);
    assert_int_equal(plan->steps[6].layout, FTL_LAYOUT_BATCH);
    compute(&f, plan, x, SUMS | LEAF_IDS, &by_rows);
    compute_batch(&f, plan, &batch, SUMS | LEAF_IDS, &by_columns);
    assert_int_equal(by_rows.n_bad, 2);
    assert_memory_equal(&by_rows, &by_columns, sizeof by_rows);
    ftl_plan_destroy(plan);
    free(h);
    assert_int_equal(ftl_account_used(&f.account), 0);
}

/* Batches of columns stay columns on their way to the trees, with the same results and the same
 * complaints; whole blocks, and ones that end with few rows. */
static void columns_give_the_same(void **state)
{
    (void)state;
    const uint32_t blocks[] = {ROWS, 20, ROWS - 2, 16, 1};
    for (size_t b = 0; b < 2 * sizeof blocks / sizeof blocks[0]; b++) {
        bool scaled = b % 2;
        check_layouts(FTL_TREE_INPUT_F64, FTL_F64, scaled, blocks[b / 2]);
        check_layouts(FTL_TREE_INPUT_F32, FTL_F64, scaled, blocks[b / 2]);
        check_layouts(FTL_TREE_INPUT_F32, FTL_F32, scaled, blocks[b / 2]);
        check_layouts(FTL_TREE_INPUT_F64, FTL_F32, scaled, blocks[b / 2]);
    }
}

/* Oblivious trees over rows and over columns, and from bytes (run), against plain comparisons. */
static void oblivious_trees_read_either(void **state)
{
    (void)state;
    enum { trees = 8, depth = 3, borders_each = 3, leaves = 1 << depth };
    static const ftl_segment inputs[INPUTS] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}},
                             matrix = {INPUTS, 0, INPUTS};
    static const uint32_t border_start[INPUTS + 1] = {0, 3, 6, 9, 12};
    static const bool nan_above[INPUTS] = {true, false, true, false};
    float borders[INPUTS * borders_each];
    uint32_t first[trees + 1], splits[trees * depth];
    double values[trees * leaves], x[ROWS * INPUTS], out[ROWS];
    const ftl_matrix in = {.data = x,
                           .dtype = FTL_F64,
                           .rows = ROWS,
                           .columns = INPUTS,
                           .row_stride = INPUTS,
                           .column_stride = 1};
    fixture f;
    fill_rows(x);
    for (uint32_t i = 0; i < INPUTS * borders_each; i++)
        borders[i] = (float)(i % borders_each) - 0.875f + 0.25f * (float)(i / borders_each);
    for (uint32_t i = 0; i < trees * depth; i++)
        splits[i] = random_below(INPUTS * borders_each);
    for (uint32_t t = 0; t <= trees; t++)
        first[t] = t * depth;
    for (uint32_t i = 0; i < trees * leaves; i++)
        values[i] = 1.0 / (i + 3);
    for (uint32_t block = 1; block <= ROWS; block += block < 16 ? 15 : 3) {
        start(&f);
        add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS)->dtype = FTL_DTYPE_F32;
        ftl_op *op = add(&f, FTL_OP_OBLIVIOUS, 1, &matrix, 1);
        op->dtype = FTL_DTYPE_F64;
        op->u.oblivious = (ftl_oblivious_op){.n_trees = trees,
                                             FTL_WHOLE(start, first),
                                             FTL_WHOLE(splits, splits),
                                             FTL_WHOLE(border_start, border_start),
                                             FTL_WHOLE(borders, borders),
                                             FTL_WHOLE(nan_above, nan_above),
                                             .n_values = trees * leaves,
                                             FTL_WHOLE(values, values)};
        run(&f, FTL_F64, block, &in, out);
        for (uint32_t r = 0; r < ROWS; r++) {
            double sum = 0;
            for (uint32_t t = 0; t < trees; t++) {
                uint32_t leaf = 0;
                for (uint32_t d = 0; d < depth; d++) {
                    uint32_t split = splits[t * depth + d], c = split / borders_each;
                    float v = (float)x[r * INPUTS + c];
                    bool above = isnan(v) ? nan_above[c] : v > borders[split];
                    leaf |= (uint32_t)above << d;
                }
                sum += values[t * leaves + leaf];
            }
            assert_true(out[r] == sum);
        }
    }
}

/* ---- Hostile bytes --------------------------------------------------------------------------- */

enum { HEADER = 128, SUM_AT = 56 }; /* of bytes; where their sum lies */

/* What ftl_blob_write leaves in the header, for bytes that were changed. */
static void seal(unsigned char *bytes, size_t size)
{
    uint64_t both[2] = {0}, sum;
    memset(bytes + SUM_AT, 0, sizeof sum);
    both[0] = ftl_cityhash64((const char *)bytes, HEADER);
    both[1] = ftl_cityhash64((const char *)bytes + HEADER, size - HEADER);
    sum = ftl_cityhash64((const char *)both, sizeof both);
    memcpy(bytes + SUM_AT, &sum, sizeof sum);
}

typedef struct sample {
    fixture f;
    forest *h;
    unsigned char *bytes, *room, *copy; /* the copy is aligned, in a block that ends with it */
    size_t size;
} sample;

static void start_sample(sample *s)
{
    ftl_error error;
    s->h = make_forest();
    make_graph(&s->f, s->h, true);
    ftl_plan *plan = compile_plan(&s->f, SUMS | LEAF_IDS, false);
    assert_int_equal(ftl_plan_write(plan, &s->f.account, &s->bytes, &s->size, &error), FTL_OK);
    ftl_plan_destroy(plan);
    s->room = aligned_alloc(64, (s->size + 63) / 64 * 64);
    assert_non_null(s->room);
    s->copy = s->room;
    memcpy(s->copy, s->bytes, s->size);
}

static void end_sample(sample *s)
{
    ftl_free(&s->f.account, s->bytes);
    free(s->room);
    free(s->h);
    assert_int_equal(ftl_account_used(&s->f.account), 0);
}

/* Opens the copy and destroys what came of it. */
static ftl_status open_copy(sample *s, size_t size)
{
    ftl_plan *plan = NULL;
    ftl_error error;
    ftl_status status = ftl_plan_open(&s->f.model, s->copy, size, &plan, &error);
    if (status == FTL_OK)
        ftl_plan_destroy(plan);
    return status;
}

static void damage_is_found(void **state)
{
    (void)state;
    sample s;
    start_sample(&s);
    assert_int_equal(open_copy(&s, s.size), FTL_OK);
    for (size_t i = 0; i < s.size; i++) {
        s.copy[i] ^= (unsigned char)(1u << i % 8);
        assert_int_not_equal(open_copy(&s, s.size), FTL_OK);
        s.copy[i] = s.bytes[i];
    }
    for (size_t size = 0; size < s.size; size += size < HEADER ? 1 : 97)
        assert_int_equal(open_copy(&s, size), FTL_CORRUPT);
    end_sample(&s);
}

/* The header's numbers set to edges of their ranges, with a sum that is right. */
static void sizes_are_checked(void **state)
{
    (void)state;
    const uint64_t edges[] = {0, 1, 8, UINT64_MAX, UINT64_MAX - 63, 1u << 31, UINT64_MAX / 16};
    sample s;
    start_sample(&s);
    for (size_t at = 8; at < 88; at += at == 16 ? 32 : 8) {
        for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
            if (at == SUM_AT || at == 48)
                continue;
            memcpy(s.copy + at, &edges[e], sizeof edges[e]);
            seal(s.copy, s.size);
            assert_int_not_equal(open_copy(&s, s.size), FTL_OK);
            memcpy(s.copy, s.bytes, HEADER);
        }
    }
    uint32_t needs = UINT32_MAX;
    memcpy(s.copy + 48, &needs, sizeof needs);
    seal(s.copy, s.size);
    assert_int_equal(open_copy(&s, s.size), FTL_UNSUPPORTED);
    end_sample(&s);
}

/* Bytes behind the header changed at random, with a sum that is right: whatever opening says, it
 * reads and writes nothing else. */
static void changed_bytes_do_no_harm(void **state)
{
    (void)state;
    enum { times = 20000 };
    uint32_t opened = 0;
    sample s;
    start_sample(&s);
    for (uint32_t i = 0; i < times; i++) {
        for (uint32_t k = random_below(6) + 1; k > 0; k--) {
            size_t at = HEADER + random_below((uint32_t)(s.size - HEADER));
            if (random_below(3)) {
                s.copy[at] = (unsigned char)random_bits();
            } else { /* a whole word: offsets and counts */
                uint64_t word = random_below(2) ? random_below(2000) : random_bits();
                at = at / 8 * 8;
                memcpy(s.copy + at, &word, sizeof word);
            }
        }
        seal(s.copy, s.size);
        opened += open_copy(&s, s.size) == FTL_OK;
        memcpy(s.copy, s.bytes, s.size);
    }
    assert_true(opened > 0 && opened < times);
    end_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_become_offsets_and_come_back),
        cmocka_unit_test(a_pointer_out_of_the_blob_is_not_written),
        cmocka_unit_test(a_dropped_piece_is_given_back),
        cmocka_unit_test(a_plan_outlives_its_graph),
        cmocka_unit_test(trees_are_packed_once),
        cmocka_unit_test(a_forest_is_held_once),
        cmocka_unit_test(columns_give_the_same),
        cmocka_unit_test(oblivious_trees_read_either),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(changed_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
