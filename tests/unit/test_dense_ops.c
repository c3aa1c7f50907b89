/*
 * GAUSSIAN, BINARIZE and DISTANCES in small graphs written by hand: both dtypes, any block size,
 * one-hot columns among the sources; what the validator refuses.
 */
#include "op_fixture.h"

enum { WIDTH = 3 };

static void fill(double *x, float *x32)
{
    for (size_t r = 0; r < ROWS; r++) {
        const double row[INPUTS] = {(double)r - 8.5, 0.125 * (double)(r * r), (double)(r % 4),
                                    -2.5};
        memcpy(x + r * INPUTS, row, sizeof row);
    }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x32[i] = (float)x[i];
}

/* ---- Normal distributions -------------------------------------------------------------------- */

static void check_gaussian(ftl_type dtype, ftl_dtype_rule rule, uint32_t block)
{
    static const ftl_segment inputs[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};
    static const ftl_segment whole = {INPUTS, 0, INPUTS};
    static const double mean[WIDTH * INPUTS] = {0, 1, 2, 3, -1, 5, 0, -2, 4, 4, 1, 0},
                                     variance[WIDTH * INPUTS] = {1, 2, 3, 4,   0.5, 9,
                                                                 1, 2, 3, 100, 2,   1},
                                     prior[WIDTH] = {-1, -2, -0.5}, norm[WIDTH] = {-3, 0, 1};
    double x[ROWS * INPUTS], out[ROWS * WIDTH];
    float x32[ROWS * INPUTS];
    fixture f;
    fill(x, x32);
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, FTL_OP_GAUSSIAN, WIDTH, &whole, 1);
    op->dtype = rule;
    op->u.gaussian = (ftl_gaussian_op){FTL_WHOLE(mean, mean), FTL_WHOLE(variance, variance),
                                       FTL_WHOLE(prior, prior), FTL_WHOLE(norm, norm)};
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t k = 0; k < WIDTH; k++) {
            double sum = 0;
            for (size_t j = 0; j < INPUTS; j++) {
                double off = x[r * INPUTS + j] - mean[k * INPUTS + j];
                sum += off * off / variance[k * INPUTS + j];
            }
            double expected = prior[k] + (norm[k] - 0.5 * sum);
            bool narrow = dtype == FTL_F32 && rule == FTL_DTYPE_SAME;
            assert_true(out[r * WIDTH + k] == (narrow ? (double)(float)expected : expected));
        }
    }
}

static void gaussian(void **state)
{
    (void)state;
    for (uint32_t block = 0; block < 40; block += 7) {
        check_gaussian(FTL_F64, FTL_DTYPE_F64, block);
        check_gaussian(FTL_F32, FTL_DTYPE_F64, block);
        check_gaussian(FTL_F32, FTL_DTYPE_SAME, block);
    }
}

/* ---- Thresholds ------------------------------------------------------------------------------ */

static void check_binarize(ftl_type dtype, double threshold, const double *values,
                           const double *expected)
{
    static const ftl_segment inputs[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};
    static const ftl_segment whole = {INPUTS, 0, INPUTS};
    float narrow[INPUTS];
    double out[INPUTS];
    fixture f;
    for (size_t i = 0; i < INPUTS; i++)
        narrow[i] = (float)values[i];
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    add(&f, FTL_OP_BINARIZE, INPUTS, &whole, 1)->u.binarize.threshold = threshold;
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)narrow : values, dtype, 1, INPUTS, INPUTS, 1};
    run(&f, dtype, 0, &in, out);
    for (size_t i = 0; i < INPUTS; i++)
        assert_true(out[i] == expected[i]);
}

/* 0.1 as float32 lies above 0.1: only a comparison in float32 sees them as equal. */
static void binarize(void **state)
{
    (void)state;
    check_binarize(FTL_F64, 0.1, (const double[]){0.1, 0.1000001, -1, NAN},
                   (const double[]){0, 1, 0, 0});
    check_binarize(FTL_F32, 0.1, (const double[]){0.1, 0.2, -1, NAN}, (const double[]){0, 1, 0, 0});
    check_binarize(FTL_F64, -1, (const double[]){-1, 0, -INFINITY, INFINITY},
                   (const double[]){0, 1, 0, 1});
}

/* ---- Distances ------------------------------------------------------------------------------- */

static const double categories[2] = {0, 1};
static const int32_t codes[2] = {0, 1};
static const ftl_encode_column encoded = {
    .categories = {.count = 2, .numeric = true, FTL_WHOLE(numbers, categories)},
    FTL_WHOLE(codes, codes),
    .unknown = FTL_CODE_NONE,
    .cardinality = 2};

static void check_distances(ftl_type dtype, ftl_dtype_rule rule, uint32_t block)
{
    static const ftl_segment coded = {2, 0, 1}, two[] = {{0, 0, 1}, {1, 0, 1}};
    static const ftl_segment sources[] = {{INPUTS, 0, 2}, {INPUTS + 1, 0, 2}};
    static const double centres[WIDTH * 4] = {1, 0, 0.5, 2, 0, 1, -8.5, 0, 0, 0, 0, 0};
    double norms[WIDTH] = {0}, x[ROWS * INPUTS], out[ROWS * WIDTH];
    float x32[ROWS * INPUTS];
    fixture f;
    fill(x, x32);
    for (size_t i = 0; i < WIDTH * 4; i++)
        norms[i / 4] += centres[i] * centres[i];
    start(&f);
    ftl_op *hot = add(&f, FTL_OP_ONEHOT, 2, &coded, 1);
    hot->edge = FTL_EDGE_CODED;
    hot->dtype = dtype == FTL_F32 ? FTL_DTYPE_F32 : FTL_DTYPE_F64;
    hot->u.encode = (ftl_encode_op){
        .n_columns = 1, FTL_SIZED(columns, &encoded, 1), .estimator = "t"};
    add(&f, FTL_OP_GATHER, 2, two, 2);
    ftl_op *op = add(&f, FTL_OP_DISTANCES, WIDTH, sources, 2);
    op->dtype = rule;
    op->u.distances = (ftl_distances_op){FTL_WHOLE(centres, centres), FTL_WHOLE(norms, norms)};
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        const double row[4] = {x[r * INPUTS + 2] == 0, x[r * INPUTS + 2] == 1, x[r * INPUTS],
                               x[r * INPUTS + 1]};
        for (size_t k = 0; k < WIDTH; k++) {
            double sum = 0;
            for (size_t j = 0; j < 4; j++)
                sum += (row[j] - centres[k * 4 + j]) * (row[j] - centres[k * 4 + j]);
            double unit = dtype == FTL_F32 && rule == FTL_DTYPE_SAME ? 1e-6 : 1e-13;
            assert_true(fabs(out[r * WIDTH + k] - sqrt(sum)) <= unit * (1 + sqrt(sum)));
        }
    }
}

static void distances(void **state)
{
    (void)state;
    for (uint32_t block = 0; block < 40; block += 9) {
        check_distances(FTL_F64, FTL_DTYPE_F64, block);
        check_distances(FTL_F32, FTL_DTYPE_SAME, block);
        check_distances(FTL_F32, FTL_DTYPE_F64, block);
    }
}

/* ---- The validator --------------------------------------------------------------------------- */

static void malformed(void **state)
{
    (void)state;
    static const ftl_segment inputs[] = {{0, 0, 1}, {1, 0, 1}};
    static const ftl_segment whole = {INPUTS, 0, 2}, part = {INPUTS, 0, 1};
    static const double numbers[4] = {0};
    const ftl_gaussian_op gaussian = {FTL_SIZED(mean, numbers, 4), FTL_SIZED(variance, numbers, 4),
                                      FTL_SIZED(prior, numbers, 2), FTL_SIZED(norm, numbers, 2)};
    ftl_gaussian_op empty = gaussian, short_prior = gaussian;
    empty.mean_count = empty.variance_count = empty.prior_count = empty.norm_count = 0;
    short_prior.prior_count = 1;
    const ftl_op broken[] = {
        {.kind = FTL_OP_GAUSSIAN, .width = 2, .segments = &whole, .n_segments = 1},
        {.kind = FTL_OP_GAUSSIAN,
         .width = 0,
         .segments = &whole,
         .n_segments = 1,
         .u.gaussian = empty},
        {.kind = FTL_OP_GAUSSIAN,
         .width = 2,
         .segments = &whole,
         .n_segments = 1,
         .u.gaussian = short_prior},
        {.kind = FTL_OP_GAUSSIAN,
         .width = 2,
         .segments = &part,
         .n_segments = 1,
         .u.gaussian = gaussian},
        {.kind = FTL_OP_BINARIZE, .width = 1, .segments = &whole, .n_segments = 1},
        {.kind = FTL_OP_DISTANCES, .width = 2, .segments = &whole, .n_segments = 1},
        {.kind = FTL_OP_DISTANCES, .width = 2, .u.distances = {FTL_SIZED(norms, numbers, 2)}},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(broken); i++) {
        fixture f;
        ftl_error error;
        start(&f);
        add(&f, FTL_OP_GATHER, 2, inputs, 2);
        f.ops[f.model.graph.n_ops] = broken[i];
        f.ops[f.model.graph.n_ops++].path = "t";
        assert_int_equal(ftl_graph_validate(&f.model.graph, &f.account, &error), FTL_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian),
        cmocka_unit_test(binarize),
        cmocka_unit_test(distances),
        cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
