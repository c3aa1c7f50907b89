/*
 * POWER, SPLINES, FILL, DOMAIN, KNN_IMPUTE and NEIGHBOR_DENSITY in small graphs written by hand:
 * both float types, any block size; what the validator refuses.
 */
#include "op_fixture.h"

static const ftl_segment inputs[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};
static const ftl_segment whole = {INPUTS, 0, INPUTS};

/* A gathered matrix, then the op; out: rows × width. */
static void run_op(const ftl_op *wanted, const double *x, size_t rows, ftl_type dtype,
                   uint32_t block, double *out)
{
    float x32[ROWS * INPUTS];
    fixture f;
    assert_true(rows <= ROWS);
    for (size_t i = 0; i < rows * INPUTS; i++)
        x32[i] = (float)x[i];
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, wanted->kind, wanted->width, &whole, 1);
    op->dtype = wanted->dtype;
    op->u = wanted->u;
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, rows, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* In float64, and rounded in float32, whatever the block. */
static void check_op(const ftl_op *op, const double *x, size_t rows, const double *expected)
{
    double out[ROWS * 16];
    for (uint32_t block = 0; block < 40; block += 13) {
        run_op(op, x, rows, FTL_F64, block, out);
        for (size_t i = 0; i < rows * op->width; i++)
            assert_true(same(out[i], expected[i]));
        run_op(op, x, rows, FTL_F32, block, out);
        for (size_t i = 0; i < rows * op->width; i++)
            assert_true(same(out[i], (double)(float)expected[i]));
    }
}

/* ---- Powers ---------------------------------------------------------------------------------- */

static void powers(void **state)
{
    (void)state;
    static const double lambdas[INPUTS] = {2, 0, 1, 0.5};
    volatile double one = 1;
    const double x[] = {3, 1, 4, 8, 0, -0.5, -2, 3, NAN, NAN, NAN, NAN};
    /* ((1 + x)^2 - 1) / 2, log1p(x), x, 2 ((1 + x)^0.5 - 1); below 0 with 2 - lambda */
    const double expected[] = {7.5, log1p(one), 4,   4,   0,   -(pow(1.5, 2) - 1) / 2,
                               -2,  2,          NAN, NAN, NAN, NAN};
    ftl_op op = {.kind = FTL_OP_POWER,
                 .width = INPUTS,
                 .u.power = {.rule = FTL_POWER_YEO_JOHNSON, FTL_WHOLE(lambdas, lambdas)}};
    check_op(&op, x, 3, expected);
    volatile double two = 2, three = 3; /* computed when the program runs, as the op does */
    static const double roots[INPUTS] = {0, 1, 1, 0};
    const double y[] = {2, 3, 1, 8}, logs[] = {log(two), expm1(log(three)), 0, log(8)};
    op.u.power = (ftl_power_op){.rule = FTL_POWER_BOX_COX, FTL_WHOLE(lambdas, roots)};
    check_op(&op, y, 1, logs);
}

/* ---- Splines --------------------------------------------------------------------------------- */

/* Hats on the knots 0, 1, 2, with their ends, for every column. */
static ftl_op hats(ftl_spline_ends ends)
{
    static const double knots[INPUTS * 5] = {-1, 0, 1, 2, 3, -1, 0, 1, 2, 3,
                                             -1, 0, 1, 2, 3, -1, 0, 1, 2, 3};
    static const uint32_t edge[INPUTS] = {1, 1, 1, 1}, reach[INPUTS] = {1, 1, 1, 1};
    return (ftl_op){.kind = FTL_OP_SPLINES,
                    .width = 3 * INPUTS,
                    .u.splines = {.degree = 1,
                                  .n_knots = 5,
                                  .n_splines = 3,
                                  .kept = 3,
                                  .ends = ends,
                                  .missing_is_zero = true,
                                  FTL_WHOLE(knots, knots),
                                  FTL_WHOLE(edge, edge),
                                  FTL_WHOLE(reach, reach)}};
}

static void splines(void **state)
{
    (void)state;
    const double x[] = {0.25, 1, 1.75, 2, 3, -1, NAN, 0};
    const double constant[] = {0.75, 0.25, 0, 0, 1, 0, 0, 0.25, 0.75, 0, 0, 1,
                               0,    0,    1, 1, 0, 0, 0, 0,    0,    1, 0, 0};
    ftl_op op = hats(FTL_SPLINE_CONSTANT);
    check_op(&op, x, 2, constant);
    /* Beyond its ends the outer line goes on. */
    const double continued[] = {0.75, 0.25, 0, 0, 1,  0, 0, 0.25, 0.75, 0, 0, 1,
                                0,    -1,   2, 2, -1, 0, 0, 0,    0,    1, 0, 0};
    op = hats(FTL_SPLINE_CONTINUED);
    check_op(&op, x, 2, continued);
    static const uint32_t reach[INPUTS] = {2, 2, 2, 2};
    op = hats(FTL_SPLINE_LINEAR);
    op.u.splines.reach = reach;
    check_op(&op, x, 2, continued);
}

/* ---- Filling --------------------------------------------------------------------------------- */

static void fill(void **state)
{
    (void)state;
    const double x[] = {1, NAN, 3, 4, NAN, 6, 7, NAN, NAN, NAN, NAN, NAN};
    const double expected[] = {1, 4, 7, 6, NAN, NAN};
    const ftl_op op = {.kind = FTL_OP_FILL, .width = 2};
    check_op(&op, x, 3, expected);
}

/* ---- Domains --------------------------------------------------------------------------------- */

static const double no_data[] = {-999, 0.5};

static void domain(void **state)
{
    (void)state;
    /* What is missing, what is invalid, what lies beyond the limits; a column that stays. */
    static const ftl_domain_column columns[INPUTS] = {
        {.nan_is_missing = true,
         .n_missing = 2,
         FTL_WHOLE(missing, no_data),
         .low = 0,
         .high = 8,
         .outlier_low = 1,
         .outlier_high = 6,
         .if_missing = FTL_DOMAIN_REPLACED,
         .missing_value = 7.5,
         .if_invalid = FTL_DOMAIN_REPLACED,
         .invalid_value = -1,
         .if_low = FTL_DOMAIN_REPLACED,
         .low_value = 1,
         .if_high = FTL_DOMAIN_REPLACED,
         .high_value = NAN},
        {.low = 0, .high = 8, .if_invalid = FTL_DOMAIN_REPLACED, .invalid_value = 2},
        {.nan_is_missing = true, .low = 0, .high = 1, .outlier_low = -1, .outlier_high = 2},
        {.low = -INFINITY, .high = INFINITY, .outlier_low = -INFINITY, .outlier_high = INFINITY},
    };
    const double x[] = {-999, 3,  5,  -0.0, NAN, NAN,       NAN,      NAN, 0.5, 8.25, 0, 1,
                        0,    -1, -1, 2,    8,   -INFINITY, INFINITY, 3,   9,   0,    2, 4};
    const double expected[] = {7.5, 3, 5,  -0.0, 7.5, 2, NAN,      NAN, 7.5, 2, 0, 1,
                               1,   2, -1, 2,    NAN, 2, INFINITY, 3,   -1,  0, 2, 4};
    const ftl_op op = {.kind = FTL_OP_DOMAIN,
                       .width = INPUTS,
                       .u.domain = {FTL_WHOLE(columns, columns), .estimator = "Domain"}};
    check_op(&op, x, 6, expected);
}

/* Numbers as cells, and back to numbers. */
static void domain_of_cells(void **state)
{
    (void)state;
    static const ftl_cell known[] = {{.tag = FTL_CELL_INT, .u.integer = 3},
                                     {.tag = FTL_CELL_MISSING}};
    static const ftl_cell becomes[] = {{.tag = FTL_CELL_INT, .u.integer = 4},
                                       {.tag = FTL_CELL_FLOAT, .u.number = 0.5},
                                       {.tag = FTL_CELL_STRING, .size = 2, .u.text = "-1"}};
    static const ftl_encode_column columns[INPUTS] = {
        {.categories = {.count = 2, FTL_WHOLE(cells, known)},
         .unknown = FTL_CODE_NONE,
         FTL_WHOLE(cells, becomes)},
        {.categories = {.count = 2, FTL_WHOLE(cells, known)},
         .unknown = 0,
         FTL_WHOLE(cells, becomes)},
        {.categories = {.count = 0}, .unknown = 0, FTL_SIZED(cells, becomes, 1)},
        {.categories = {.count = 0}, .unknown = FTL_CODE_NONE, FTL_SIZED(cells, becomes, 1)},
    };
    static const ftl_segment cells = {INPUTS + 1, 0, INPUTS};
    const double x[] = {3, 3, 3, 3, NAN, NAN, NAN, NAN, 7, 7.25, 7, 7};
    const double expected[] = {4, 4, 3, 4, 0.5, 0.5, NAN, 4, -1, 7.25, 7, 4};
    const ftl_matrix in = {x, FTL_F64, 3, INPUTS, INPUTS, 1};
    double out[3 * INPUTS];
    fixture f;
    for (uint32_t block = 0; block < 3; block++) {
        start(&f);
        add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
        ftl_op *op = add(&f, FTL_OP_DOMAIN_OBJECT, INPUTS, &whole, 1);
        op->edge = FTL_EDGE_OBJECT;
        op->u.encode = (ftl_encode_op){
            .n_columns = INPUTS, FTL_WHOLE(columns, columns), .estimator = "Domain"};
        add(&f, FTL_OP_GATHER, INPUTS, &cells, 1);
        run(&f, FTL_F64, block, &in, out);
        for (size_t i = 0; i < 3 * INPUTS; i++)
            assert_true(same(out[i], expected[i]));
    }
}

static void neighbours_fill(void **state)
{
    (void)state;
    static const double points[] = {0, 0, 5, 10, 1, 0, 7, NAN, 9, 9, NAN, 30};
    static const double means[INPUTS] = {10.0 / 3, 3, 6, 20};
    static const uint32_t columns[] = {0, 2, 3};
    const double x[] = {0, 0, NAN, NAN, 2, 0, NAN, 1, NAN, NAN, NAN, NAN};
    ftl_op op = {.kind = FTL_OP_KNN_IMPUTE,
                 .width = 3,
                 .u.knn_impute = {.missing_is_nan = true,
                                  .k = 2,
                                  .n_points = 3,
                                  FTL_WHOLE(points, points),
                                  FTL_WHOLE(means, means),
                                  FTL_WHOLE(columns, columns)}};
    /* The nearest two that have the column; the mean where no column is in common. */
    const double expected[] = {0, 6, 20, 2, 6, 1, means[0], 6, 20};
    check_op(&op, x, 3, expected);
    /* A donor at distance 0 stands alone; two at the same distance count alike. */
    op.u.knn_impute.by_distance = true;
    const double near[] = {0, 0, NAN, 10, 0.5, 0, NAN, NAN}, alone[] = {0, 5, 10, 0.5, 6};
    double out[2 * 3];
    run_op(&op, near, 2, FTL_F64, 0, out);
    assert_memory_equal(out, alone, sizeof alone);
    /* A column that no point has becomes 0. */
    static const double unknown[INPUTS] = {10.0 / 3, 3, NAN, 20};
    op.u.knn_impute.means = unknown;
    run_op(&op, near, 1, FTL_F64, 0, out);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 10);
}

/* ---- Densities ------------------------------------------------------------------------------- */

static void densities(void **state)
{
    (void)state;
    static const double points[3 * INPUTS] = {0, 0, 0, 0, 2, 0, 0, 0, 10, 0, 0, 0};
    static const double reach[3] = {2, 3, 8}, density[3] = {0.5, 0.25, 1};
    const double x[] = {1, 0, 0, 0, 2, 0, 0, 0};
    const ftl_segment found = {INPUTS + 1, 0, 4};
    double out[2];
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, FTL_OP_NEIGHBORS, 4, &whole, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.neighbors = (ftl_neighbors_op){.metric = FTL_METRIC_EUCLIDEAN,
                                         .search = FTL_SEARCH_DIRECT,
                                         .k = 2,
                                         .n_points = 3,
                                         FTL_WHOLE(points, points)};
    op = add(&f, FTL_OP_NEIGHBOR_DENSITY, 1, &found, 1);
    op->dtype = FTL_DTYPE_F64;
    op->u.neighbor_density = (ftl_neighbor_density_op){
        .n_points = 3, FTL_WHOLE(reach, reach), FTL_WHOLE(density, density)};
    ftl_matrix in = {x, FTL_F64, 2, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 0, &in, out);
    /* Both are near points 0 and 1, farther than either is reached from there. */
    double about = 1.0 / ((2.0 + 3.0) / 2 + 1e-10);
    double expected = -((0.5 / about + 0.25 / about) / 2);
    assert_true(out[0] == expected && out[1] == expected);
}

/* Shares of a whole, the same whether zeros are stored or not; negative counts are refused. */
static void topic_graph(fixture *f, bool sparse, ftl_dtype_rule dtype)
{
    static const double words[INPUTS * 3] = {0.5, 0.1, 0.2, 0.1, 0.6, 0.2,
                                             0.2, 0.1, 0.3, 0.2, 0.2, 0.3};
    start(f);
    add(f, sparse ? FTL_OP_GATHER_SPARSE : FTL_OP_GATHER, INPUTS, inputs, INPUTS)->edge =
        sparse ? FTL_EDGE_SPARSE : FTL_EDGE_NUM;
    ftl_op *op = add(f, FTL_OP_TOPICS, 3, &whole, 1);
    op->dtype = dtype;
    op->u.topics = (ftl_topics_op){.prior = 0.25,
                                   .tolerance = 1e-3,
                                   .iterations = 100,
                                   .estimator = "t",
                                   FTL_WHOLE(words, words)};
}

static void topics(void **state)
{
    (void)state;
    double x[ROWS * INPUTS], out[2][ROWS * 3];
    fixture f;
    ftl_matrix in = {x, FTL_F64, ROWS, INPUTS, INPUTS, 1};
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = (double)(i * 7 % 5);
    for (int single = 0; single < 2; single++) {
        for (int sparse = 0; sparse < 2; sparse++) {
            topic_graph(&f, sparse, single ? FTL_DTYPE_F32 : FTL_DTYPE_F64);
            run(&f, FTL_F64, 7, &in, out[sparse]);
        }
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        for (size_t r = 0; r < ROWS; r++)
            assert_true(fabs(out[0][3 * r] + out[0][3 * r + 1] + out[0][3 * r + 2] - 1) < 1e-6);
    }
    f.ops[INPUTS + 1].u.topics.iterations = FTL_MOST_TOPIC_ITERATIONS + 1;
    ftl_error error;
    assert_int_equal(ftl_graph_validate(&f.model.graph, &f.account, &error), FTL_LIMIT);
}

/* ---- Refused --------------------------------------------------------------------------------- */

static ftl_status status_of(const ftl_op *op)
{
    fixture f;
    ftl_error error;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    f.ops[f.model.graph.n_ops] = *op;
    f.ops[f.model.graph.n_ops].segments = &whole;
    f.ops[f.model.graph.n_ops].n_segments = 1;
    f.ops[f.model.graph.n_ops++].path = "t";
    return ftl_graph_validate(&f.model.graph, &f.account, &error);
}

static void malformed(void **state)
{
    (void)state;
    static const double down[INPUTS * 5] = {3, 2, 1, 0, -1}, numbers[INPUTS] = {0};
    static const uint32_t far[INPUTS] = {1, 1, 1, 4}, columns[] = {0, 1, 2, INPUTS};
    ftl_op op = hats(FTL_SPLINE_LINEAR);
    assert_int_equal(status_of(&op), FTL_OK);
    op.u.splines.knots = down;
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = hats(FTL_SPLINE_LINEAR), op.u.splines.reach = far;
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = hats(FTL_SPLINE_PERIODIC);
    assert_int_equal(status_of(&op), FTL_CORRUPT); /* has two splines then */
    op = hats(FTL_SPLINE_LINEAR), op.u.splines.kept = 2;
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = hats(FTL_SPLINE_LINEAR), op.u.splines.degree = FTL_SPLINE_MAX_DEGREE + 1;
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = (ftl_op){.kind = FTL_OP_POWER, .width = INPUTS};
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = (ftl_op){.kind = FTL_OP_FILL, .width = 3};
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = (ftl_op){.kind = FTL_OP_KNN_IMPUTE,
                  .width = 1,
                  .u.knn_impute = {.k = 2,
                                   .n_points = 1,
                                   FTL_WHOLE(points, numbers),
                                   FTL_WHOLE(means, numbers),
                                   FTL_SIZED(columns, columns, 1)}};
    assert_int_equal(status_of(&op), FTL_CORRUPT); /* two neighbours of one point */
    op.u.knn_impute.k = 1;
    assert_int_equal(status_of(&op), FTL_OK);
    op.width = 4, op.u.knn_impute.columns_count = 4;
    assert_int_equal(status_of(&op), FTL_CORRUPT);
    op = (ftl_op){.kind = FTL_OP_NEIGHBOR_DENSITY,
                  .width = 1,
                  .dtype = FTL_DTYPE_F64,
                  .u.neighbor_density = {
                      .n_points = 4, FTL_WHOLE(reach, numbers), FTL_WHOLE(density, numbers)}};
    assert_int_equal(status_of(&op), FTL_CORRUPT); /* its source finds no neighbours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics),          cmocka_unit_test(powers),
        cmocka_unit_test(splines),         cmocka_unit_test(fill),
        cmocka_unit_test(domain),          cmocka_unit_test(domain_of_cells),
        cmocka_unit_test(neighbours_fill), cmocka_unit_test(densities),
        cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
