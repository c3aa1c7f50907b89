/*
 * COMBINE, VOTE, MEDIAN and INTERPOLATE in small graphs written by hand: both dtypes, any block
 * size; what the validator refuses.
 */
#include "op_fixture.h"

static const ftl_segment INPUT_SEGMENTS[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};

static void fill(double *x, float *x32)
{
    for (size_t r = 0; r < ROWS; r++) {
        const double row[INPUTS] = {(double)r - 8.5, 0.1 * (double)(r * r), (double)(r % 4), -2.5};
        memcpy(x + r * INPUTS, row, sizeof row);
    }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x32[i] = (float)x[i];
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static void check_sum(ftl_type dtype, ftl_dtype_rule rule, uint32_t block)
{
    static const uint32_t target[] = {1, 0, 1, 1};
    static const double weights[] = {0.5, 3, 1, -2};
    double x[ROWS * INPUTS], out[ROWS * 3];
    float x32[ROWS * INPUTS];
    fixture f;
    fill(x, x32);
    start(&f);
    ftl_op *op = add(&f, FTL_OP_COMBINE, 3, INPUT_SEGMENTS, INPUTS);
    op->dtype = rule;
    op->u.combine = (ftl_combine_op){.rule = FTL_COMBINE_SUM,
                                     FTL_WHOLE(target, target),
                                     FTL_WHOLE(weights, weights),
                                     .divisor = 7};
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        double expected[3] = {0};
        bool narrow = dtype == FTL_F32 && rule == FTL_DTYPE_SAME;
        for (size_t j = 0; j < INPUTS; j++) {
            double value = dtype == FTL_F32 ? (double)x32[r * INPUTS + j] : x[r * INPUTS + j];
            expected[target[j]] += value * weights[j];
            if (narrow)
                expected[target[j]] = (double)(float)expected[target[j]];
        }
        for (size_t k = 0; k < 3; k++) {
            double mean = expected[k] / 7;
            assert_true(out[r * 3 + k] == (narrow ? (double)(float)mean : mean));
        }
    }
}

static void sums(void **state)
{
    (void)state;
    for (uint32_t block = 0; block < 40; block += 9) {
        check_sum(FTL_F64, FTL_DTYPE_SAME, block);
        check_sum(FTL_F32, FTL_DTYPE_SAME, block);
        check_sum(FTL_F32, FTL_DTYPE_F64, block);
    }
}

/* Infinities stay what they are; an output that nothing is added to is log 0. */
static void logarithms(void **state)
{
    (void)state;
    static const uint32_t target[] = {0, 0, 1, 1};
    const double rows[] = {0, 0, -INFINITY, -INFINITY, -INFINITY, 2, INFINITY, 1, 3, 1, -800, -799};
    const double expected[] = {log(2.0),
                               -INFINITY,
                               -INFINITY,
                               2,
                               INFINITY,
                               -INFINITY,
                               3 + log1p(exp(-2.0)),
                               -799 + log1p(exp(-1.0)),
                               -INFINITY};
    double out[9];
    fixture f;
    start(&f);
    ftl_op *op = add(&f, FTL_OP_COMBINE, 3, INPUT_SEGMENTS, INPUTS);
    op->u.combine = (ftl_combine_op){
        .rule = FTL_COMBINE_LOGADDEXP, FTL_WHOLE(target, target), .divisor = 1};
    ftl_matrix in = {rows, FTL_F64, 3, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 0, &in, out);
    for (size_t i = 0; i < 9; i++)
        assert_true(out[i] == expected[i]);
}

/* ---- Votes ----------------------------------------------------------------------------------- */

static void votes(void **state)
{
    (void)state;
    static const uint32_t start_of[] = {0, 2, 4, 7, 8},
                          map[] = {0, 1, 1, FTL_VOTE_NONE, 2, 1, 0, 2};
    static const double hit[] = {1, 2, 4, 8}, miss[] = {-1, 0, 0.5, 0};
    /* Indices outside a voter's classes, as only a damaged plan could yield, are nobody's. */
    const double rows[] = {0, 0, 0, 0, 1, 1, 2, 0, -1, 2, NAN, 1e300};
    const double with_miss[] = {1.5, 1.5, 11, 3, 1.5, 7.5, -0.5, -0.5, -0.5},
                 without[] = {1, 2, 12, 4, 1, 8, 0, 0, 0};
    for (int misses = 0; misses < 2; misses++) {
        double out[9];
        fixture f;
        start(&f);
        ftl_op *op = add(&f, FTL_OP_VOTE, 3, INPUT_SEGMENTS, INPUTS);
        op->dtype = FTL_DTYPE_F64;
        op->u.vote = (ftl_vote_op){
            FTL_WHOLE(start, start_of), FTL_WHOLE(map, map), FTL_WHOLE(hit, hit),
            FTL_SIZED(miss, misses ? miss : NULL, misses ? 4 : 0), .divisor = 1};
        ftl_matrix in = {rows, FTL_F64, 3, INPUTS, INPUTS, 1};
        run(&f, FTL_F64, 0, &in, out);
        for (size_t i = 0; i < 9; i++)
            assert_true(out[i] == (misses ? with_miss : without)[i]);
    }
}

/* ---- Medians --------------------------------------------------------------------------------- */

static void medians(void **state)
{
    (void)state;
    static const double weights[] = {1, 2, 3, 1};
    const double rows[] = {5, 1, 9, 7, 4, 3, 2, 1, 2, 2, 2, 2, NAN, 1, 0, NAN, 1, 3, 2, 4};
    const double expected[] = {7, 2, 2, 1, 2};
    for (uint32_t block = 1; block < 6; block++) {
        double out[5];
        fixture f;
        start(&f);
        ftl_op *op = add(&f, FTL_OP_MEDIAN, 1, INPUT_SEGMENTS, INPUTS);
        op->u.median = (ftl_median_op){FTL_WHOLE(weights, weights)};
        ftl_matrix in = {rows, FTL_F64, 5, INPUTS, INPUTS, 1};
        run(&f, FTL_F64, block, &in, out);
        for (size_t i = 0; i < 5; i++)
            assert_true(out[i] == expected[i]);
    }
}

/* Places of known values give what the values give; there are more than a word of the set holds. */
static void medians_of_places(void **state)
{
    (void)state;
    enum { n_values = 9000, n_rows = 40 };
    static const double weights[INPUTS] = {1, 2.5, 3, 1};
    static double values[n_values], rows[n_rows * INPUTS], places[n_rows * INPUTS];
    static uint32_t column[n_values];
    for (uint32_t i = 0; i < n_values; i++) {
        values[i] = i < n_values - 4 ? (double)(i / 3) - 1000 : NAN;
        column[i] = i % INPUTS;
    }
    for (uint32_t i = 0; i < n_rows * INPUTS; i++) {
        uint32_t step = i * 2654435761u % (n_values / INPUTS); /* any of its column's */
        uint32_t place = i < 8 ? n_values - 8 + i : step * INPUTS + i % INPUTS;
        places[i] = place;
        rows[i] = values[place];
    }
    for (uint32_t block = 0; block < 9; block += 4) {
        double out[n_rows], expected[n_rows];
        for (uint32_t pass = 0; pass < 2; pass++) {
            fixture f;
            start(&f);
            ftl_op *op = add(&f, FTL_OP_MEDIAN, 1, INPUT_SEGMENTS, INPUTS);
            op->u.median = (ftl_median_op){FTL_WHOLE(weights, weights)};
            if (pass)
                op->u.median = (ftl_median_op){FTL_WHOLE(weights, weights), .n_values = n_values,
                                               FTL_WHOLE(values, values),
                                               FTL_WHOLE(column, column)};
            ftl_matrix in = {pass ? places : rows, FTL_F64, n_rows, INPUTS, INPUTS, 1};
            run(&f, FTL_F64, block, &in, pass ? out : expected);
        }
        for (size_t i = 0; i < n_rows; i++)
            assert_true(out[i] == expected[i] || (isnan(out[i]) && isnan(expected[i])));
    }
}

/* Numbers that are no places are taken for the first one: rows that were refused hold anything. */
static void places_of_anything(void **state)
{
    (void)state;
    static const double weights[INPUTS] = {1, 1, 1, 1}, values[] = {7, 8}, odd = 1e30;
    static const uint32_t column[] = {0, 1};
    const double rows[] = {NAN, INFINITY, -INFINITY, odd, 2, -1, -0.5, 1.5};
    const double expected[] = {7, 7};
    double out[2];
    fixture f;
    start(&f);
    add(&f, FTL_OP_MEDIAN, 1, INPUT_SEGMENTS, INPUTS)->u.median = (ftl_median_op){
        FTL_WHOLE(weights, weights), .n_values = 2, FTL_WHOLE(values, values),
        FTL_WHOLE(column, column)};
    ftl_matrix in = {rows, FTL_F64, 2, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 0, &in, out);
    for (size_t i = 0; i < 2; i++)
        assert_true(out[i] == expected[i]);
}

/* ---- Curves ---------------------------------------------------------------------------------- */

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static void curves(void **state)
{
    (void)state;
    static const double x[] = {-1, 0, 0.5, 4}, y[] = {10, 20, 20, -1};
    const ftl_curve all[] = {{4, x, 4, y, 4, FTL_OUTSIDE_CLIP, -1, 4},
                             {4, x, 4, y, 4, FTL_OUTSIDE_NAN, 0, 0},
                             {1, x, 1, y, 1, FTL_OUTSIDE_REFUSED, 0, 0},
                             {2, x, 2, y, 2, FTL_OUTSIDE_CLIP, -0.5, 0}};
    const double rows[] = {-9, -9, -9, -9, 0.25, 0.25, 1, 0.25, 4, 4, NAN, -1, NAN, NAN, NAN, NAN};
    const double expected[] = {10, NAN, 10, 15, 20, 20, 10, 20, -1, -1, 10, 15, NAN, NAN, 10, NAN};
    double out[16];
    fixture f;
    start(&f);
    ftl_op *op = add(&f, FTL_OP_INTERPOLATE, 4, INPUT_SEGMENTS, INPUTS);
    op->u.interpolate = (ftl_interpolate_op){FTL_WHOLE(curves, all)};
    ftl_matrix in = {rows, FTL_F64, 4, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 0, &in, out);
    for (size_t i = 0; i < 16; i++)
        assert_true(same(out[i], expected[i]));
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void refuse(fixture *f)
{
    ftl_error error;
    assert_int_not_equal(ftl_graph_validate(&f->model.graph, &f->account, &error), FTL_OK);
}

static void malformed_sums(void **state)
{
    (void)state;
    static const uint32_t good[] = {0, 1, 1, 0}, beyond[] = {0, 1, 2, 0};
    const ftl_combine_op wrong[] = {{FTL_COMBINE_SUM, beyond, 4, NULL, 0, 1},
                                    {FTL_COMBINE_SUM, NULL, 0, NULL, 0, 1},
                                    {FTL_COMBINE_SUM, good, 3, NULL, 0, 1},
                                    {FTL_COMBINE_COUNT, good, 4, NULL, 0, 1}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(wrong); i++) {
        fixture f;
        start(&f);
        add(&f, FTL_OP_COMBINE, 2, INPUT_SEGMENTS, INPUTS)->u.combine = wrong[i];
        refuse(&f);
    }
}

static void malformed_medians(void **state)
{
    (void)state;
    static const double weights[INPUTS] = {0}, values[] = {1, 2}, back[] = {2, 1};
    static const uint32_t column[] = {0, 3}, beyond[] = {0, INPUTS};
    const ftl_median_op wrong[] = {
        {NULL, 0, 0, NULL, 0, NULL, 0},      {weights, 4, 2, NULL, 0, column, 2},
        {weights, 4, 2, values, 2, NULL, 0}, {weights, 4, 2, values, 1, column, 2},
        {weights, 4, 2, back, 2, column, 2}, {weights, 4, 2, values, 2, beyond, 2}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(wrong); i++) {
        fixture f;
        start(&f);
        add(&f, FTL_OP_MEDIAN, 1, INPUT_SEGMENTS, INPUTS)->u.median = wrong[i];
        refuse(&f);
    }
}

static void malformed_votes(void **state)
{
    (void)state;
    static const uint32_t good[] = {0, 1, 2, 3, 4}, back[] = {0, 2, 1, 3, 4},
                          late[] = {1, 1, 2, 3, 4}, map[] = {0, 1, 1, 0}, beyond[] = {0, 1, 2, 0};
    static const double hit[4] = {0};
    const ftl_vote_op wrong[] = {{back, 5, map, 4, hit, 4, NULL, 0, 1},
                                 {late, 5, map, 4, hit, 4, NULL, 0, 1},
                                 {good, 5, beyond, 4, hit, 4, NULL, 0, 1},
                                 {good, 5, map, 3, hit, 4, NULL, 0, 1},
                                 {good, 5, map, 4, NULL, 0, NULL, 0, 1}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(wrong); i++) {
        fixture f;
        start(&f);
        add(&f, FTL_OP_VOTE, 2, INPUT_SEGMENTS, INPUTS)->u.vote = wrong[i];
        refuse(&f);
    }
}

static void malformed_curves(void **state)
{
    (void)state;
    static const double x[] = {0, 1}, back[] = {1, 0}, unknown[] = {0, NAN};
    const ftl_curve wrong[] = {
        {2, back, 2, x, 2, FTL_OUTSIDE_NAN, 0, 0}, {2, unknown, 2, x, 2, FTL_OUTSIDE_NAN, 0, 0},
        {0, x, 0, x, 0, FTL_OUTSIDE_NAN, 0, 0},    {2, x, 2, NULL, 0, FTL_OUTSIDE_NAN, 0, 0},
        {2, x, 2, x, 1, FTL_OUTSIDE_NAN, 0, 0},    {2, x, 2, x, 2, FTL_OUTSIDE_COUNT, 0, 0}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(wrong); i++) {
        fixture f;
        start(&f);
        ftl_op *op = add(&f, FTL_OP_INTERPOLATE, 1, INPUT_SEGMENTS, 1);
        op->u.interpolate = (ftl_interpolate_op){FTL_SIZED(curves, &wrong[i], 1)};
        refuse(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),
        cmocka_unit_test(logarithms),
        cmocka_unit_test(votes),
        cmocka_unit_test(medians),
        cmocka_unit_test(medians_of_places),
        cmocka_unit_test(places_of_anything),
        cmocka_unit_test(curves),
        cmocka_unit_test(malformed_sums),
        cmocka_unit_test(malformed_votes),
        cmocka_unit_test(malformed_medians),
        cmocka_unit_test(malformed_curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
