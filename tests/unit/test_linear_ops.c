/*
 * LINEAR, LINK and DECIDE in small graphs written by hand: segments that straddle one-hot columns,
 * inputs read directly, both dtypes, any block size; links at their extremes.
 */
#include "op_fixture.h"

/* ---- Linear ---------------------------------------------------------------------------------- */

/* Columns 2 and 3 are categories 0 1 2 and 5 7; 7 has no column of its own, other values none
 * either. */
static const double categories[2][3] = {{0, 1, 2}, {5, 6, 7}};
static const int32_t codes[2][3] = {{0, 1, 2}, {0, 1, FTL_CODE_NONE}};
static const ftl_encode_column encoded[2] = {
    {.categories = {.count = 3, .numeric = true, FTL_WHOLE(numbers, categories[0])},
     FTL_WHOLE(codes, codes[0]),
     .unknown = FTL_CODE_NONE,
     .cardinality = 3},
    {.categories = {.count = 3, .numeric = true, FTL_WHOLE(numbers, categories[1])},
     FTL_WHOLE(codes, codes[1]),
     .unknown = FTL_CODE_NONE,
     .cardinality = 2},
};

/* The eight columns that the linear step reads, for one row of input. */
static void expand(const double x[INPUTS], double out[8])
{
    const double hot[5] = {x[2] == 0, x[2] == 1, x[2] == 2, x[3] == 5, x[3] == 6};
    const double columns[8] = {x[1], hot[1], hot[2], hot[3], x[0], x[0], x[1], hot[4]};
    memcpy(out, columns, sizeof columns);
}

static void check_linear(ftl_type dtype, uint32_t width, uint32_t block)
{
    static const ftl_segment from_codes[] = {{2, 0, 1}, {3, 0, 1}},
                             from_two[] = {{0, 0, 1}, {1, 0, 1}};
    static const ftl_segment mixed[] = {{5, 1, 1}, {4, 1, 3}, {0, 0, 1}, {5, 0, 2}, {4, 4, 1}};
    double coef[9 * 8], intercept[9], x[ROWS * INPUTS], out[ROWS * 9];
    float x32[ROWS * INPUTS];
    for (size_t i = 0; i < sizeof coef / sizeof *coef; i++)
        coef[i] = (double)(i * 7 % 23) - 11.25;
    for (size_t i = 0; i < sizeof intercept / sizeof *intercept; i++)
        intercept[i] = (double)i - 0.5;
    for (size_t r = 0; r < ROWS; r++) {
        const double row[INPUTS] = {(double)r - 8.5, 0.125 * (double)(r * r), (double)(r % 4),
                                    4.0 + (double)(r % 5)};
        memcpy(x + r * INPUTS, row, sizeof row);
    }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x32[i] = (float)x[i];
    fixture f;
    start(&f);
    ftl_op *hot = add(&f, FTL_OP_ONEHOT, 5, from_codes, 2);
    hot->edge = FTL_EDGE_CODED;
    hot->dtype = dtype == FTL_F32 ? FTL_DTYPE_F32 : FTL_DTYPE_F64;
    hot->u.encode = (ftl_encode_op){.n_columns = 2, FTL_WHOLE(columns, encoded), .estimator = "t"};
    add(&f, FTL_OP_GATHER, 2, from_two, 2);
    ftl_op *linear = add(&f, FTL_OP_LINEAR, width, mixed, 5);
    linear->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, width * (size_t)8),
                                       FTL_SIZED(intercept, intercept, width)};
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        double columns[8];
        expand(x + r * INPUTS, columns);
        for (size_t k = 0; k < width; k++) {
            double sum = intercept[k];
            for (size_t j = 0; j < 8; j++)
                sum += columns[j] * coef[k * 8 + j];
            assert_true(fabs(out[r * width + k] - (dtype == FTL_F32 ? (double)(float)sum : sum)) <=
                        1e-10);
        }
    }
}

static void linear_reads_every_kind_of_source(void **state)
{
    (void)state;
    const uint32_t widths[] = {1, 2, 8, 9}, blocks[] = {0, 1, 5, 64};
    for (size_t w = 0; w < 4; w++) {
        for (size_t b = 0; b < 4; b++) {
            check_linear(FTL_F64, widths[w], blocks[b]);
            check_linear(FTL_F32, widths[w], blocks[b]);
        }
    }
}

/* ---- Scaled numbers ---------------------------------------------------------------------------- */

/*
 * Scaled columns in a linear step: the fixture runs them as rows and as columns, which must give
 * the same bits. forked: something else reads the scaled numbers that takes rows alone.
 */
static void check_scaled(ftl_type dtype, uint32_t width, bool wide, bool forked, uint32_t block)
{
    static const ftl_segment inputs[INPUTS] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};
    static const ftl_segment gathered = {4, 0, INPUTS}, checked = {5, 0, INPUTS};
    static const ftl_segment scaled[] = {{6, 1, 3}, {6, 0, 1}}, both[] = {{7, 0, 1}, {6, 2, 1}};
    const double shift[INPUTS] = {0.1, -3, 1.0 / 3, 1e-3}, scale[INPUTS] = {0.7, 3, 1.1, 9},
                 most[INPUTS] = {2, 1, 30, 1e9}, coef[] = {0.3, -1.7, 1e-2, 5, 1, 2, 3, 0.1};
    const ftl_affine_step steps[] = {
        {.kind = FTL_AFFINE_SUB, .wide = wide, FTL_SIZED(vector, shift, INPUTS)},
        {.kind = FTL_AFFINE_DIV, FTL_SIZED(vector, scale, INPUTS)},
        {.kind = FTL_AFFINE_CLIP_HIGH, FTL_SIZED(vector, most, INPUTS)}};
    double x[ROWS * INPUTS], out[ROWS * 2];
    float x32[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS * INPUTS; i++) {
        x[i] = (double)(i * 37 % 101) / 7 - 6;
        x32[i] = (float)x[i];
    }
    fixture f;
    start(&f);
    add(&f, FTL_OP_GATHER, INPUTS, inputs, INPUTS);
    ftl_op *op = add(&f, FTL_OP_CHECK, INPUTS, &gathered, 1);
    op->u.check = (ftl_check_op){.refuse = FTL_CHECK_NAN, .estimator = "t"};
    op = add(&f, FTL_OP_AFFINE, INPUTS, &checked, 1);
    op->u.affine = (ftl_affine_op){3, FTL_SIZED(steps, steps, 3)};
    op = add(&f, FTL_OP_LINEAR, width, scaled, 2);
    op->u.linear = (ftl_linear_op){FTL_SIZED(coef, coef, (size_t)width * INPUTS)};
    if (forked)
        add(&f, FTL_OP_GATHER, 2, both, 2);
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        double y[INPUTS], sum = 0;
        for (size_t j = 0; j < INPUTS; j++) {
            y[j] = (x[r * INPUTS + j] - shift[j]) / scale[j];
            y[j] = y[j] > most[j] ? most[j] : y[j];
        }
        for (size_t j = 0; j < INPUTS; j++)
            sum += y[(j + 1) % INPUTS] * coef[j];
        assert_true(fabs(out[r * (forked ? 2 : width)] - sum) <=
                    (dtype == FTL_F32 ? 1e-4 : 1e-12) * (1 + fabs(sum)));
    }
}

static void scaled_numbers_lie_either_way(void **state)
{
    (void)state;
    const uint32_t blocks[] = {0, 16, 20, 64};
    for (unsigned i = 0; i < 64; i++)
        check_scaled(i & 1 ? FTL_F32 : FTL_F64, i & 2 ? 2 : 1, i & 4, i & 8, blocks[i >> 4]);
}

/* ---- Links and decisions ------------------------------------------------------------------------ */

/* Scores through one link or decision, in float64 or float32. */
static void apply(ftl_op_kind kind, int rule, ftl_dtype_rule dtype, const double *scores,
                  uint32_t n, uint32_t width, double *out)
{
    const double x[INPUTS] = {0};
    const ftl_matrix in = {x, FTL_F64, 1, INPUTS, INPUTS, 1};
    const ftl_segment all = {INPUTS, 0, n};
    fixture f;
    start(&f);
    ftl_op *constant = add(&f, FTL_OP_CONSTANT, n, NULL, 0);
    constant->dtype = dtype;
    constant->u.constant = (ftl_constant_op){FTL_SIZED(values, scores, n)};
    ftl_op *op = add(&f, kind, width, &all, 1);
    if (kind == FTL_OP_LINK)
        op->u.link.link = (ftl_link)rule;
    else
        op->u.decide.rule = (ftl_decide)rule;
    run(&f, FTL_F64, 0, &in, out);
}

static void check_link(ftl_link link, const double *scores, uint32_t n, uint32_t width,
                       const double *expected)
{
    double out[8];
    apply(FTL_OP_LINK, link, FTL_DTYPE_F64, scores, n, width, out);
    for (uint32_t i = 0; i < width; i++)
        assert_true(out[i] == expected[i] || fabs(out[i] - expected[i]) <= 1e-15 ||
                    (isnan(out[i]) && isnan(expected[i])));
    apply(FTL_OP_LINK, link, FTL_DTYPE_F32, scores, n, width, out);
    for (uint32_t i = 0; i < width; i++)
        assert_true(out[i] == expected[i] || fabs(out[i] - expected[i]) <= 1e-7 ||
                    (isnan(out[i]) && isnan(expected[i])));
}

#define LIST(...) ((const double[]){__VA_ARGS__})
#define CHECK(link, n, width, scores, expected) check_link(link, scores, n, width, expected)

static void links(void **state)
{
    (void)state;
    const double p = 1 / (1 + exp(-1.0)), third = 1.0 / 3;
    CHECK(FTL_LINK_SIGMOID_PAIR, 1, 2, LIST(1), LIST(1 - p, p));
    CHECK(FTL_LINK_SIGMOID2_PAIR, 1, 2, LIST(0.5), LIST(1 - p, p));
    CHECK(FTL_LINK_SOFTMAX_PAIR, 1, 2, LIST(0.5), LIST(1 - p, p));
    CHECK(FTL_LINK_SIGMOID_PAIR, 1, 2, LIST(-800), LIST(1, 0));
    CHECK(FTL_LINK_HUBER_PAIR, 1, 2, LIST(0.5), LIST(0.25, 0.75));
    CHECK(FTL_LINK_HUBER_PAIR, 1, 2, LIST(3), LIST(0, 1));
    CHECK(FTL_LINK_SOFTMAX, 3, 3, LIST(1e6, 1e6, 1e6), LIST(third, third, third));
    CHECK(FTL_LINK_SOFTMAX, 3, 3, LIST(-1e6, 1e6, 0), LIST(0, 1, 0));
    CHECK(FTL_LINK_LOGSUMEXP_SOFTMAX, 3, 3, LIST(-4, -4, -4), LIST(third, third, third));
    CHECK(FTL_LINK_OVR, 2, 2, LIST(-800, -900), LIST(NAN, NAN));
    CHECK(FTL_LINK_OVR_UNIFORM, 2, 2, LIST(-800, -900), LIST(0.5, 0.5));
    CHECK(FTL_LINK_OVR, 2, 2, LIST(0, 0), LIST(0.5, 0.5));
    CHECK(FTL_LINK_HUBER_OVR, 3, 3, LIST(-1, -2, -3), LIST(third, third, third));
    CHECK(FTL_LINK_HUBER_OVR, 3, 3, LIST(0.5, -0.5, -3), LIST(0.75, 0.25, 0));
    CHECK(FTL_LINK_EXP, 2, 2, LIST(0, 1000), LIST(1, INFINITY));
    CHECK(FTL_LINK_LOG, 2, 2, LIST(1, 0), LIST(0, -INFINITY));
    CHECK(FTL_LINK_SIGMOID, 2, 2, LIST(1, 0), LIST(p, 0.5));
    CHECK(FTL_LINK_NORMALIZE, 2, 2, LIST(2, 6), LIST(0.25, 0.75));
    CHECK(FTL_LINK_PAIR, 1, 2, LIST(0.25), LIST(0.75, 0.25));
    CHECK(FTL_LINK_LOG_NORMALIZE, 2, 2, LIST(0, 0), LIST(-log(2.0), -log(2.0)));
    CHECK(FTL_LINK_LOG_NORMALIZE, 2, 2, LIST(0, -1e6), LIST(0, -1e6));
    CHECK(FTL_LINK_LOG_NORMALIZE, 2, 2, LIST(-INFINITY, -INFINITY), LIST(NAN, NAN));
}

/* exp(-100) is a number in float64 and zero in float32. */
static void float32_underflows_as_float32(void **state)
{
    (void)state;
    const double scores[2] = {0, 110};
    double out[2];
    apply(FTL_OP_LINK, FTL_LINK_SOFTMAX, FTL_DTYPE_F64, scores, 2, 2, out);
    assert_true(out[0] > 0);
    apply(FTL_OP_LINK, FTL_LINK_SOFTMAX, FTL_DTYPE_F32, scores, 2, 2, out);
    assert_true(out[0] == 0);
}

static double argmax(double a, double b, double c)
{
    const double scores[3] = {a, b, c};
    double out = -1, out32 = -1;
    apply(FTL_OP_DECIDE, FTL_DECIDE_ARGMAX, FTL_DTYPE_F64, scores, 3, 1, &out);
    apply(FTL_OP_DECIDE, FTL_DECIDE_ARGMAX, FTL_DTYPE_F32, scores, 3, 1, &out32);
    assert_true(out == out32);
    return out;
}

static void decisions(void **state)
{
    (void)state;
    assert_true(argmax(1, 3, 3) == 1);
    assert_true(argmax(-INFINITY, -INFINITY, -INFINITY) == 0);
    assert_true(argmax(-0.0, 0.0, 0.0) == 0);
    assert_true(argmax(5, NAN, NAN) == 1);
    assert_true(argmax(NAN, 9, NAN) == 0);
    const double scores[4] = {-0.0, 0.5, NAN, -2};
    double out[4];
    apply(FTL_OP_DECIDE, FTL_DECIDE_POSITIVE, FTL_DTYPE_F64, scores, 4, 4, out);
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == 0 && out[3] == 0);
    apply(FTL_OP_DECIDE, FTL_DECIDE_NOT_NEGATIVE, FTL_DTYPE_F32, scores, 4, 4, out);
    assert_true(out[0] == 1 && out[1] == 1 && out[2] == 0 && out[3] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_reads_every_kind_of_source),
        cmocka_unit_test(scaled_numbers_lie_either_way),
        cmocka_unit_test(links),
        cmocka_unit_test(float32_underflows_as_float32),
        cmocka_unit_test(decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
