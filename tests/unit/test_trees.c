/*
 * Tree ensembles: every way to a leaf (walks of few and many rows, codes and cuts, each instruction
 * set) against a plain walk over the nodes, on random ensembles and rows that sit on and beside the
 * thresholds.
 */
#include "guarded.h"
#include "random_numbers.h"
#include "unit.h"

#include "base/cpu.h"
#include "plan/tree_layout.h"

#include <math.h>
#include <string.h>

enum {
    MAX_TREES = 48,
    MAX_NODES = 48 * 1100,
    MAX_SETS = 64,
    MAX_FEATURES = 100,
    MAX_ROWS = 100,
    MAX_POOL = 400
};

typedef struct recipe {
    uint32_t n_features, n_trees, n_leaves, pool;
    uint32_t category_percent, missing_left_percent, nan_percent, zero_percent;
    ftl_category_rule rule;
    bool chain;    /* each tree as deep as it can be */
    bool row_leaf; /* leaves have rows of their own; else a node's position is its row */
    ftl_tree_input input;
    bool source_f32, sum_f32;
    bool full;  /* every tree has n_leaves, else up to as many */
    bool masks; /* expected of full ones: a row that comes alone makes no steps */
} recipe;

typedef struct ensemble {
    ftl_tree_nodes nodes;
    double pool[MAX_POOL]; /* thresholds */
    uint32_t root[MAX_TREES + 1];
    uint8_t flags[MAX_NODES];
    int32_t feature[MAX_NODES], left[MAX_NODES], right[MAX_NODES], leaf[MAX_NODES];
    double threshold[MAX_NODES], values[MAX_NODES];
    uint32_t set_start[MAX_SETS + 1], set_words[MAX_SETS * 12];
    double x[MAX_ROWS * MAX_FEATURES];
    float x32[MAX_ROWS * MAX_FEATURES];
} ensemble;

static void fill_pool(ensemble *e, uint32_t n)
{
    const double special[] = {INFINITY, -INFINITY, 0.0,   -0.0,   5e-324,
                              -5e-324,  1e-310,    1e300, -1e300, 3.4028235677973366e38,
                              1e-45,    255.0,     0.1,   -1.0,   2.0};
    for (uint32_t i = 0; i < n; i++)
        e->pool[i] = i < sizeof special / sizeof special[0] && n > 20
                         ? special[i]
                         : ((double)random_below(1000000) - 500000.0) / 7.0;
}

static void split_node(ensemble *e, const recipe *r, uint32_t at)
{
    e->feature[at] = (int32_t)random_below(r->n_features);
    e->flags[at] = random_below(100) < r->missing_left_percent ? FTL_NODE_MISSING_LEFT : 0;
    if (random_below(100) < r->zero_percent)
        e->flags[at] |= FTL_NODE_ZERO_MISSING;
    /* Some features are categorical. */
    if (r->category_percent && (uint32_t)e->feature[at] % 100 < r->category_percent) {
        uint32_t flags = FTL_NODE_CATEGORICAL | (random_below(2) ? FTL_NODE_NEGATIVE_MISSING : 0u) |
                         (random_below(3) == 0 ? FTL_NODE_SET_RIGHT : 0u);
        e->flags[at] = (uint8_t)(e->flags[at] | flags);
        e->threshold[at] = random_below(MAX_SETS);
    } else {
        e->threshold[at] = e->pool[random_below(r->pool)];
    }
}

/* Splits random leaves until there are enough; a chain splits the last one made. */
static uint32_t grow_tree(ensemble *e, const recipe *r, uint32_t first)
{
    uint32_t size = 1, leaves = 1, wanted = r->full ? r->n_leaves : 1 + random_below(r->n_leaves);
    e->flags[first] = FTL_NODE_LEAF;
    while (leaves < wanted) {
        uint32_t local = r->chain ? size - 1 : random_below(size), at = first + local;
        if (!(e->flags[at] & FTL_NODE_LEAF))
            continue;
        split_node(e, r, at);
        bool swap = random_below(2);
        e->left[at] = (int32_t)(size + swap);
        e->right[at] = (int32_t)(size + !swap);
        e->flags[first + size] = e->flags[first + size + 1] = FTL_NODE_LEAF;
        size += 2;
        leaves++;
    }
    return size;
}

static void make_ensemble(ensemble *e, const recipe *r)
{
    uint32_t at = 0, n_values = 0;
    fill_pool(e, r->pool);
    e->set_start[0] = 0;
    for (uint32_t s = 0; s < MAX_SETS; s++) {
        uint32_t words = r->rule == FTL_CATEGORY_BYTE ? 8 : random_below(13);
        e->set_start[s + 1] = e->set_start[s] + words;
        for (uint32_t w = 0; w < words; w++)
            e->set_words[e->set_start[s] + w] = random_below(UINT32_MAX) * 2 + random_below(2);
    }
    for (uint32_t t = 0; t < r->n_trees; t++) {
        e->root[t] = at;
        at += grow_tree(e, r, at);
    }
    e->root[r->n_trees] = at;
    for (uint32_t i = 0; i < at; i++) {
        bool is_leaf = e->flags[i] & FTL_NODE_LEAF;
        e->values[i] = ((double)random_below(1u << 30) - 5e8) * 1e-7;
        if (is_leaf) {
            e->feature[i] = -2, e->left[i] = e->right[i] = 0;
            e->threshold[i] = -2.0;
        }
        e->leaf[i] = is_leaf ? (int32_t)n_values++ : -1;
    }
    e->nodes = (ftl_tree_nodes){.n_trees = r->n_trees,
                                .n_nodes = at,
                                .root = e->root,
                                .flags = e->flags,
                                .feature = e->feature,
                                .threshold = e->threshold,
                                .left = e->left,
                                .right = e->right,
                                .leaf = r->row_leaf ? e->leaf : NULL,
                                .n_values = r->row_leaf ? n_values : at,
                                .value_width = 1,
                                .values = e->values,
                                .n_sets = MAX_SETS,
                                .set_start = e->set_start,
                                .set_words = e->set_words,
                                .category_rule = r->rule};
}

static void make_rows(ensemble *e, const recipe *r)
{
    const double special[] = {0.0,   -0.0,   INFINITY,     -INFINITY,      5e-324, -5e-324, 254.5,
                              1e-35, -1e-35, 1e-34,        1.00000001e-35, 255.0,  256.0,   -0.5,
                              -1.0,  -3.0,   4294967297.0, 1e300,          17.0,   3.0};
    for (uint32_t i = 0; i < MAX_ROWS * r->n_features; i++) {
        double value = e->pool[random_below(r->pool)];
        switch (random_below(6)) {
        case 0:
            value = nextafter(value, INFINITY);
            break;
        case 1:
            value = nextafter(value, -INFINITY);
            break;
        case 2:
            value = (double)nextafterf((float)value, INFINITY);
            break;
        case 3:
            value = special[random_below(sizeof special / sizeof special[0])];
            break;
        case 4:
            value = (double)random_below(300);
            break;
        default:
            break;
        }
        if (random_below(100) < r->nan_percent)
            value = NAN;
        e->x32[i] = (float)value;
        e->x[i] = r->source_f32 ? (double)e->x32[i] : value;
    }
}

static bool in_set(const ensemble *e, const recipe *r, uint32_t set, double v)
{
    uint32_t c = ftl_tree_category(v);
    if (r->rule != FTL_CATEGORY_BYTE) {
        if (isnan(v) || v >= 2147483648.0 || trunc(v) < 0 ||
            (r->rule == FTL_CATEGORY_NOT_NEGATIVE && v < 0))
            return false;
        c = (uint32_t)v;
    }
    uint32_t words = e->set_start[set + 1] - e->set_start[set];
    return c / 32 < words && e->set_words[e->set_start[set] + c / 32] >> c % 32 & 1;
}

/* The local id of the leaf. */
static uint32_t plain_walk(const ensemble *e, const recipe *r, uint32_t tree, uint32_t row)
{
    uint32_t local = 0;
    for (;;) {
        uint32_t at = e->root[tree] + local;
        if (e->flags[at] & FTL_NODE_LEAF)
            return local;
        double v = e->x[row * r->n_features + (uint32_t)e->feature[at]];
        if (r->input == FTL_TREE_INPUT_F32)
            v = (double)(float)v;
        uint32_t flags = e->flags[at];
        bool left, missing = isnan(v) || (flags & FTL_NODE_ZERO_MISSING && fabs(v) <= 1e-35f);
        if (flags & FTL_NODE_CATEGORICAL) {
            missing |= v < 0 && (flags & FTL_NODE_NEGATIVE_MISSING);
            left = in_set(e, r, (uint32_t)e->threshold[at], v) != !!(flags & FTL_NODE_SET_RIGHT);
        } else {
            left = v <= e->threshold[at];
        }
        if (missing)
            left = e->flags[at] & FTL_NODE_MISSING_LEFT;
        local = (uint32_t)(left ? e->left[at] : e->right[at]);
    }
}

typedef struct fixture {
    ensemble e;
    ftl_plan plan;
    ftl_op source_op;
    ftl_step source;
    ftl_trees_op sums;
    ftl_tree_layout layout;
    bool has_values;
    ftl_tree_payload payload;
    uint32_t expected[MAX_TREES][MAX_ROWS];
    _Alignas(64) unsigned char room[2 << 20];
} fixture;

static void make_layout(fixture *f, const recipe *r, ftl_tree_payload payload)
{
    ftl_error error;
    memset(&f->plan, 0, sizeof f->plan);
    ftl_account_init(&f->plan.account, NULL, 0);
    ftl_blob_init(&f->plan.blob, &f->plan.account, 7);
    memset(&f->layout, 0, sizeof f->layout);
    f->source_op = (ftl_op){.kind = FTL_OP_GATHER, .width = r->n_features, .path = ""};
    f->source = (ftl_step){.op = &f->source_op, .is_f32 = r->source_f32};
    f->sums = (ftl_trees_op){.sum_f32 = r->sum_f32};
    f->has_values = payload == FTL_TREE_LEAF_ROW;
    f->payload = payload;
    const ftl_tree_request request = {.nodes = &f->e.nodes,
                                      .source = &f->source,
                                      .input = r->input,
                                      .payload = payload,
                                      .sums = f->has_values ? &f->sums : NULL};
    assert_int_equal(ftl_tree_layout_make(&f->plan, &request, &f->layout, &error), FTL_OK);
    assert_false(f->plan.blob.failed);
    assert_true(!f->layout.bases == (payload == FTL_TREE_NODE_ID));
    assert_true(ftl_tree_room_bytes(&f->layout, f->layout.block) <= sizeof f->room);
}

static double value_of(const fixture *f, const recipe *r, uint32_t tree, uint32_t local)
{
    uint32_t at = f->e.root[tree] + local;
    return f->e.values[r->row_leaf ? (uint32_t)f->e.leaf[at] : at];
}

static uint32_t row_of(const fixture *f, const recipe *r, uint32_t at)
{
    return r->row_leaf ? (uint32_t)f->e.leaf[at] : at;
}

/* What a leaf is called, the base included. */
static uint32_t number_of(const fixture *f, const recipe *r, uint32_t tree, uint32_t local)
{
    uint32_t first = f->e.root[tree], lowest = UINT32_MAX;
    if (f->payload == FTL_TREE_NODE_ID)
        return local;
    if (f->payload == FTL_TREE_LEAF_ROW)
        return row_of(f, r, first + local);
    for (uint32_t i = first; i < f->e.root[tree + 1]; i++) {
        if ((f->e.flags[i] & FTL_NODE_LEAF) && row_of(f, r, i) < lowest)
            lowest = row_of(f, r, i);
    }
    return row_of(f, r, first + local) - lowest;
}

/* Row first + i by itself, which is row i of rows: its leaves, and its sum in the trees' order. */
static void check_row(fixture *f, const recipe *r, const ftl_tree_layout *layout,
                      const ftl_tree_rows *rows, uint32_t first, uint32_t i)
{
    uint32_t leaf[MAX_TREES];
    double sum[2] = {0}, expected = 0;
    float sum_f32[2] = {0}, expected_f32 = 0;
    ftl_tree_row row;
    ftl_tree_row_start(layout, rows, i, &row);
    assert_true(row.coded == (layout->masks && rows->kernels->trees.row_masks));
    ftl_tree_row_leaves(layout, rows->kernels, &row, 0, r->n_trees, leaf);
    for (uint32_t t = 0; t < r->n_trees; t++) {
        uint32_t local = f->expected[t][first + i];
        uint32_t base = f->payload == FTL_TREE_LEAF_ROW ? layout->bases[t] : 0;
        assert_int_equal(leaf[t] + base, number_of(f, r, t, local));
        if (f->has_values) {
            expected += value_of(f, r, t, local);
            expected_f32 += (float)value_of(f, r, t, local);
        }
    }
    void *to = r->sum_f32 ? (void *)sum_f32 : sum;
    bool added = ftl_tree_row_add(layout, rows->kernels, &row, 0, r->n_trees, leaf, NULL, to);
    assert_true(added == (row.coded && f->has_values));
    if (added && r->sum_f32)
        assert_memory_equal(&expected_f32, sum_f32, sizeof expected_f32);
    else if (added)
        assert_memory_equal(&expected, sum, sizeof expected);
}

/* Rows [first, first + n) as one block. */
static void check_block(fixture *f, const recipe *r, const ftl_tree_layout *layout,
                        const ftl_kernels *kernels, uint32_t first, uint32_t n)
{
    enum { width = 3 };
    static double sum[MAX_ROWS * width];
    uint32_t leaf[MAX_ROWS + MAX_TREES], base;
    const ftl_tree_source source = {.matrix = r->source_f32 ? (const void *)f->e.x32 : f->e.x};
    bool has_base = f->payload == FTL_TREE_LEAF_ROW;
    memset(f->room, 0xa5, ftl_tree_room_bytes(layout, layout->block));
    ftl_tree_rows rows = ftl_tree_rows_make(layout, kernels, &source, first, n, f->room);
    for (uint32_t t = 0; t < r->n_trees; t++) {
        base = has_base ? layout->bases[t] : 0;
        ftl_tree_rows_walk(layout, t, &rows, leaf);
        memset(sum, 0, sizeof sum);
        bool added = !r->sum_f32 && ftl_tree_rows_add(layout, t, &rows, sum, 1, width);
        assert_true(added == (rows.codes && f->has_values && !r->sum_f32));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t local = f->expected[t][first + i];
            assert_int_equal(leaf[i] + base, number_of(f, r, t, local));
            assert_true(sum[i * width] == 0 && sum[i * width + 2] == 0);
            assert_true(sum[i * width + 1] == (added ? value_of(f, r, t, local) : 0.0));
        }
    }
    for (uint32_t i = 0; i < n && ftl_tree_rows_are_plain(layout, &rows); i++)
        check_row(f, r, layout, &rows, first, i);
}

/* A block's sums, tree after tree, are those of the plain order, bit for bit. */
static void check_sums(fixture *f, const recipe *r, const ftl_tree_layout *layout,
                       const ftl_kernels *kernels)
{
    double sum[MAX_ROWS] = {0};
    float sum_f32[MAX_ROWS] = {0};
    const ftl_tree_source source = {.matrix = r->source_f32 ? (const void *)f->e.x32 : f->e.x};
    ftl_tree_rows rows = ftl_tree_rows_make(layout, kernels, &source, 0, MAX_ROWS, f->room);
    if (!rows.codes || !f->has_values)
        return;
    void *to = r->sum_f32 ? (void *)sum_f32 : sum;
    for (uint32_t t = 0; t < r->n_trees; t++)
        assert_true(ftl_tree_rows_add(layout, t, &rows, to, 0, 1));
    for (uint32_t i = 0; i < MAX_ROWS; i++) {
        double expected = 0;
        float expected_f32 = 0;
        for (uint32_t t = 0; t < r->n_trees; t++) {
            double value = value_of(f, r, t, f->expected[t][i]);
            expected += value;
            expected_f32 += (float)value;
        }
        if (r->sum_f32)
            assert_memory_equal(&expected_f32, &sum_f32[i], sizeof expected_f32);
        else
            assert_memory_equal(&expected, &sum[i], sizeof expected);
    }
}

static void check_layout(fixture *f, const recipe *r)
{
    const uint32_t sets[] = {0, FTL_CPU_AVX2, FTL_CPU_AVX2 | FTL_CPU_AVX512};
    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        if ((ftl_cpu_flags() & sets[s]) != sets[s])
            continue;
        for (int cut = 0; cut < 2; cut++) {
            const ftl_kernels *kernels = ftl_kernels_for(sets[s]);
            ftl_tree_layout layout = f->layout;
            if (!cut) {
                layout.cuts = NULL;
                layout.masks = NULL;
            }
            for (uint32_t n = 1; n <= MAX_ROWS; n += n < 20 ? 1 : 13)
                check_block(f, r, &layout, kernels, random_below(MAX_ROWS - n + 1), n);
            check_block(f, r, &layout, kernels, 0, MAX_ROWS);
            check_sums(f, r, &layout, kernels);
        }
    }
}

/* cuts: 0: walks alone; 1 or 2: bytes of a code. */
static void check(const recipe *r, uint32_t cuts)
{
    static fixture f;
    const ftl_tree_payload payloads[] = {FTL_TREE_LEAF_ROW, FTL_TREE_NODE_ID, FTL_TREE_LEAF_INDEX};
    make_ensemble(&f.e, r);
    make_rows(&f.e, r);
    for (uint32_t t = 0; t < r->n_trees; t++) {
        for (uint32_t i = 0; i < MAX_ROWS; i++)
            f.expected[t][i] = plain_walk(&f.e, r, t, i);
    }
    for (size_t p = 0; p < sizeof payloads / sizeof payloads[0]; p++) {
        make_layout(&f, r, payloads[p]);
        uint32_t bytes = !f.layout.cuts ? 0 : f.layout.cuts->two_bytes ? 2 : 1;
        assert_int_equal(bytes, cuts);
        assert_true(!r->full || !f.layout.masks == !r->masks);
        check_layout(&f, r);
        ftl_blob_free(&f.plan.blob);
        assert_int_equal(ftl_account_used(&f.plan.account), 0);
    }
}

static void every_type(recipe r, uint32_t cuts)
{
    for (int type = 0; type < 3; type++) {
        r.input = type == 0 || r.category_percent ? FTL_TREE_INPUT_F64 : FTL_TREE_INPUT_F32;
        r.source_f32 = type == 2;
        r.row_leaf = type != 1;
        r.sum_f32 = type == 2;
        check(&r, cuts);
        r.nan_percent = 0;
    }
}

static void numeric(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 5, .n_trees = 40, .n_leaves = 31, .pool = 100}, 1);
    every_type((recipe){.n_features = 2, .n_trees = 30, .n_leaves = 8, .pool = 21}, 1);
}

static void missing_values_go_either_way(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 6,
                        .n_trees = 40,
                        .n_leaves = 31,
                        .pool = 60,
                        .missing_left_percent = 50,
                        .nan_percent = 20},
               1);
    every_type((recipe){.n_features = 3,
                        .n_trees = 20,
                        .n_leaves = 31,
                        .pool = 60,
                        .missing_left_percent = 100,
                        .nan_percent = 60},
               1);
}

static void more_thresholds_than_a_byte_counts(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 1,
                        .n_trees = 48,
                        .n_leaves = 64,
                        .pool = 400,
                        .missing_left_percent = 30,
                        .nan_percent = 5},
               2);
}

/* 255 thresholds, all in use: the codes go from 0 to 255, and NaN has the last of them. */
static void codes_of_one_byte_are_all_used(void **state)
{
    (void)state;
    static fixture f;
    recipe r = {.n_features = 1,
                .n_trees = 2,
                .n_leaves = 256,
                .pool = 255,
                .chain = true,
                .nan_percent = 5,
                .input = FTL_TREE_INPUT_F64,
                .row_leaf = true};
    for (uint32_t spare = 0; spare < 2; spare++) {
        fill_pool(&f.e, MAX_POOL);
        do
            make_ensemble(&f.e, &r);
        while (f.e.root[2] < 2 * 255);
        /* The first 255 splits take thresholds of their own; one more, if any, needs two bytes. */
        uint32_t n = 0;
        for (uint32_t i = 0; i < f.e.nodes.n_nodes; i++) {
            if (!(f.e.flags[i] & FTL_NODE_LEAF))
                f.e.threshold[i] = (double)(n++ % (255 + spare)) - 100.0;
        }
        make_rows(&f.e, &r);
        for (uint32_t i = 0; i < MAX_ROWS; i++) {
            f.e.x[i] = random_below(10) ? (double)random_below(260) - 102.0 : NAN;
            for (uint32_t t = 0; t < r.n_trees; t++)
                f.expected[t][i] = plain_walk(&f.e, &r, t, i);
        }
        make_layout(&f, &r, FTL_TREE_LEAF_ROW);
        if (!spare)
            assert_true(f.layout.cuts && !f.layout.cuts->two_bytes);
        check_layout(&f, &r);
        ftl_blob_free(&f.plan.blob);
    }
}

static void categories(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 8,
                        .n_trees = 40,
                        .n_leaves = 31,
                        .pool = 60,
                        .category_percent = 4,
                        .missing_left_percent = 40,
                        .nan_percent = 10},
               2);
    for (uint32_t rule = 0; rule < FTL_CATEGORY_RULE_COUNT; rule++)
        every_type((recipe){.n_features = 7,
                            .n_trees = 30,
                            .n_leaves = 31,
                            .pool = 40,
                            .category_percent = 5,
                            .missing_left_percent = 40,
                            .zero_percent = 30,
                            .rule = (ftl_category_rule)rule,
                            .nan_percent = 10},
                   2);
    every_type((recipe){.n_features = 3,
                        .n_trees = 12,
                        .n_leaves = 31,
                        .pool = 20,
                        .category_percent = 100,
                        .missing_left_percent = 40,
                        .nan_percent = 10},
               2);
}

static void zero_is_missing(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 4,
                        .n_trees = 30,
                        .n_leaves = 31,
                        .pool = 50,
                        .missing_left_percent = 50,
                        .zero_percent = 50,
                        .nan_percent = 10},
               1);
}

static void deep_trees(void **state)
{
    (void)state;
    every_type((recipe){.n_features = 4,
                        .n_trees = 5,
                        .n_leaves = 256,
                        .pool = 150,
                        .chain = true,
                        .missing_left_percent = 10,
                        .nan_percent = 2},
               1);
}

static void large_trees_are_walked(void **state)
{
    (void)state;
    recipe r = {.n_features = 4,
                .n_trees = 40,
                .n_leaves = 500,
                .pool = 90,
                .nan_percent = 3,
                .missing_left_percent = 50,
                .row_leaf = true,
                .input = FTL_TREE_INPUT_F64};
    check(&r, 0);
}

static void many_features(void **state)
{
    (void)state;
    every_type(
        (recipe){.n_features = 70, .n_trees = 48, .n_leaves = 120, .pool = 100, .nan_percent = 1},
        1);
}

static void few_trees_are_walked(void **state)
{
    (void)state;
    recipe r = {.n_features = 20,
                .n_trees = 1,
                .n_leaves = 40,
                .pool = 90,
                .row_leaf = true,
                .input = FTL_TREE_INPUT_F64};
    check(&r, 0);
    /* Leaves alone. */
    r = (recipe){.n_features = 1, .n_trees = 3, .n_leaves = 1, .pool = 1, .row_leaf = true};
    check(&r, 0);
}

static void rows_alone_make_no_steps_down_32_leaves(void **state)
{
    (void)state;
    recipe r = {.n_features = 32,
                .n_trees = 48,
                .n_leaves = 32,
                .pool = 100,
                .chain = true,
                .missing_left_percent = 50,
                .nan_percent = 1,
                .full = true,
                .masks = true};
    every_type(r, 1);
    r.chain = false;
    r.n_features = 5;
    every_type(r, 1);
    r.masks = false;
    r.n_features = 33;
    every_type(r, 1);
    r.n_features = 32;
    r.n_leaves = 33;
    every_type(r, 1);
}

/* ---- The step: what it makes of the leaves ---------------------------------------------------- */

enum { WIDTH = 3 };

typedef struct sums {
    bool by_target, by_vector, linear, f32; /* else one output */
    double divisor;
} sums;

/* Two terms a leaf; leaf row i starts at 2 i. */
static struct {
    uint32_t start[MAX_NODES + 1], column[2 * MAX_NODES];
    double coef[2 * MAX_NODES], constant[MAX_NODES];
    ftl_linear_leaves leaves;
} lines;

static void make_lines(const recipe *r)
{
    for (uint32_t i = 0; i < MAX_NODES; i++) {
        lines.start[i + 1] = 2 * i + 2;
        lines.constant[i] = i * 0.37;
        for (uint32_t k = 2 * i; k < 2 * i + 2; k++) {
            lines.column[k] = random_below(r->n_features);
            lines.coef[k] = random_below(100) * 0.013;
        }
    }
    lines.leaves = (ftl_linear_leaves){FTL_WHOLE(start, lines.start),
                                       FTL_WHOLE(column, lines.column), FTL_WHOLE(coef, lines.coef),
                                       FTL_WHOLE(constant, lines.constant)};
}

static double leaf_value(const fixture *f, const recipe *r, const sums *how, uint32_t row,
                         uint32_t leaf, uint32_t output)
{
    if (how->by_vector)
        return f->e.values[leaf * WIDTH + output];
    double sum = lines.constant[leaf];
    for (uint32_t k = 2 * leaf; how->linear && k < 2 * leaf + 2; k++) {
        double x = f->e.x[row * r->n_features + lines.column[k]];
        if (isnan(x))
            return f->e.values[leaf];
        sum += lines.coef[k] * (fabs(x) <= 1e-35f ? 0.0 : x);
    }
    return how->linear ? sum : f->e.values[leaf];
}

static double expected_sum(const fixture *f, const recipe *r, const sums *how, uint32_t row,
                           uint32_t output, double base)
{
    double sum = base;
    float narrow = (float)base;
    for (uint32_t t = 0; t < r->n_trees; t++) {
        uint32_t leaf = row_of(f, r, f->e.root[t] + f->expected[t][row]);
        if (how->by_target && t % WIDTH != output)
            continue;
        double value = leaf_value(f, r, how, row, leaf, output);
        sum += value;
        narrow += (float)value;
    }
    return how->f32 ? (double)narrow : sum / how->divisor;
}

static void check_step(fixture *f, const recipe *r, const sums *how)
{
    static _Alignas(64) unsigned char workspace[4 << 20];
    static double base[WIDTH] = {0.5, -7.25, 1e-9};
    static uint32_t target[MAX_TREES];
    const size_t slot = 1 << 20, scratch = 2 << 20;
    ftl_error error;
    void *slots[] = {NULL, workspace + slot}, *scratches[] = {NULL, workspace + scratch};
    ftl_exec exec = {.plan = &f->plan, .slots = slots, .scratch = scratches};
    make_layout(f, r, FTL_TREE_LEAF_ROW);
    for (uint32_t t = 0; t < r->n_trees; t++)
        target[t] = t % WIDTH;
    f->e.nodes.value_width = how->by_vector ? WIDTH : 1;
    const ftl_segment segment = {0, 0, r->n_features};
    ftl_op op = {.kind = FTL_OP_TREES,
                 .width = how->by_vector || how->by_target ? WIDTH : 1,
                 .n_segments = 1,
                 .segments = &segment,
                 .path = "",
                 .u.trees = {.nodes = &f->e.nodes,
                             .input = r->input,
                             .target = how->by_target ? target : NULL,
                             .base = base,
                             .divisor = how->divisor,
                             .sum_f32 = how->f32,
                             .linear = how->linear ? &lines.leaves : NULL}};
    ftl_step steps[2] = {f->source, {.op = &op, .id = 1}}, *step = &steps[1];
    ftl_step_functions bound;
    const ftl_op_impl *impl = ftl_op_impls[FTL_OP_TREES];
    ftl_arena_init(&f->plan.scratch, &f->plan.account);
    f->plan.steps = steps;
    f->plan.kernels = ftl_kernels_get();
    assert_int_equal(impl->compile(&f->plan, step, &error), FTL_OK);
    impl->keep(&f->plan.blob, step, &op);
    impl->bind(&f->plan, step, &bound);
    assert_true(step->scratch_fixed + step->scratch_per_row * step->scratch_rows <= scratch);
    const size_t row = r->n_features * sizeof(double);
    guarded source = guarded_open(MAX_ROWS * row);
    for (exec.rows = 1; exec.rows <= MAX_ROWS; exec.rows += exec.rows < 18 ? 1 : 27) {
        slots[0] = guarded_copy(&source, f->e.x, exec.rows * row, 0);
        memset(workspace + slot, 0xa5, scratch - slot);
        bound.run(step, &exec);
        for (uint32_t i = 0; i < exec.rows * op.width; i++) {
            uint32_t output = i % op.width;
            double expected = expected_sum(f, r, how, i / op.width, output, base[output]);
            double got = how->f32 ? (double)((float *)(void *)(workspace + slot))[i]
                                  : ((double *)(void *)(workspace + slot))[i];
            assert_true(got == expected || (isnan(got) && isnan(expected)));
        }
    }
    guarded_close(&source);
    f->e.nodes.value_width = 1;
    ftl_arena_free(&f->plan.scratch);
    ftl_blob_free(&f->plan.blob);
}

static void the_step_adds_in_order(void **state)
{
    (void)state;
    static fixture f;
    const sums ways[] = {{.divisor = 1},
                         {.divisor = 40},
                         {.by_target = true, .divisor = 1},
                         {.by_vector = true, .divisor = 40},
                         {.linear = true, .divisor = 1},
                         {.linear = true, .by_target = true, .divisor = 1},
                         {.f32 = true, .divisor = 1},
                         {.f32 = true, .by_target = true, .divisor = 1}};
    recipe r = {.n_features = 5, .n_trees = 40, .n_leaves = 31, .pool = 100, .nan_percent = 3};
    r.input = FTL_TREE_INPUT_F64;
    r.row_leaf = true;
    make_ensemble(&f.e, &r);
    make_rows(&f.e, &r);
    make_lines(&r);
    for (uint32_t i = 0; i < MAX_NODES; i++)
        f.e.values[i] = ((double)random_below(1u << 30) - 5e8) * 1e-7;
    for (uint32_t t = 0; t < r.n_trees; t++) {
        for (uint32_t i = 0; i < MAX_ROWS; i++)
            f.expected[t][i] = plain_walk(&f.e, &r, t, i);
    }
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++)
        check_step(&f, &r, &ways[w]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric),
        cmocka_unit_test(missing_values_go_either_way),
        cmocka_unit_test(more_thresholds_than_a_byte_counts),
        cmocka_unit_test(codes_of_one_byte_are_all_used),
        cmocka_unit_test(categories),
        cmocka_unit_test(zero_is_missing),
        cmocka_unit_test(deep_trees),
        cmocka_unit_test(large_trees_are_walked),
        cmocka_unit_test(many_features),
        cmocka_unit_test(few_trees_are_walked),
        cmocka_unit_test(rows_alone_make_no_steps_down_32_leaves),
        cmocka_unit_test(the_step_adds_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
