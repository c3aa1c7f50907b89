/*
 * What sparse matrices store, in small graphs written by hand: entries that IMPUTE, UFUNC and
 * BINARIZE make, and GATHER_STORED, which has NaN where there is none; what the validator refuses.
 */
#include "op_fixture.h"

enum { KEPT = 3, WIDTH = KEPT + 2 };

static const ftl_segment inputs[] = {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}};

/* Zeros, missing numbers, numbers that the floor makes zero, and others. */
static void fill(double *x, float *x32)
{
    for (size_t r = 0; r < ROWS; r++) {
        const double row[INPUTS] = {r % 3 ? 0 : (double)r - 7.5, r % 5 ? 0.25 : NAN,
                                    r % 4 ? NAN : (double)r, r % 2 ? -0.0 : 0.5};
        memcpy(x + r * INPUTS, row, sizeof row);
    }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x32[i] = (float)x[i];
}

/* Sparse columns 0, 2 and 3, imputed and rounded down, between two dense columns. */
static void stored_graph(fixture *f)
{
    static const ftl_segment whole = {INPUTS, 0, INPUTS}, imputed = {INPUTS + 1, 0, KEPT},
                             all[] = {{1, 0, 1}, {INPUTS + 2, 0, 1}, {INPUTS + 2, 1, 2}, {0, 0, 1}};
    static const uint32_t columns[KEPT] = {0, 2, 3};
    static const double values[KEPT] = {9, 0, 7};
    start(f);
    add(f, FTL_OP_GATHER_SPARSE, INPUTS, inputs, INPUTS)->edge = FTL_EDGE_SPARSE;
    ftl_op *op = add(f, FTL_OP_IMPUTE, KEPT, &whole, 1);
    op->edge = FTL_EDGE_SPARSE;
    op->u.impute = (ftl_impute_op){
        .missing_is_nan = true, FTL_WHOLE(columns, columns), FTL_WHOLE(fill, values)};
    op = add(f, FTL_OP_UFUNC, KEPT, &imputed, 1);
    op->edge = FTL_EDGE_SPARSE;
    op->u.ufunc.function = FTL_UFUNC_FLOOR;
    add(f, FTL_OP_GATHER_STORED, WIDTH, all, FTL_ARRAY_LEN(all));
}

static void check_stored(ftl_type dtype, uint32_t block)
{
    double x[ROWS * INPUTS], out[ROWS * WIDTH];
    float x32[ROWS * INPUTS];
    fixture f;
    fill(x, x32);
    stored_graph(&f);
    ftl_matrix in = {dtype == FTL_F32 ? (const void *)x32 : x, dtype, ROWS, INPUTS, INPUTS, 1};
    run(&f, dtype, block, &in, out);
    for (size_t r = 0; r < ROWS; r++) {
        const double *row = x + r * INPUTS, *got = out + r * WIDTH;
        const double expected[WIDTH] = {row[1],                            /* never zero */
                                        row[0] == 0 ? NAN : floor(row[0]), /* absent, or rounded */
                                        isnan(row[2]) ? 0
                                        : row[2] == 0 ? NAN
                                                      : row[2], /* a zero that was filled in */
                                        row[3] == 0 ? NAN : 0,  /* one that rounding left */
                                        row[0] == 0 ? NAN : row[0]};
        for (size_t k = 0; k < WIDTH; k++)
            assert_true(isnan(expected[k]) ? isnan(got[k]) : got[k] == expected[k]);
    }
}

static void stored(void **state)
{
    (void)state;
    for (uint32_t block = 0; block < 40; block += 7) {
        check_stored(FTL_F64, block);
        check_stored(FTL_F32, block);
    }
}

/* Dense sources alone: the matrix may lie by columns. */
static void stored_numbers(void **state)
{
    double x[ROWS * INPUTS], out[ROWS * INPUTS];
    float x32[ROWS * INPUTS];
    fixture f;
    (void)state;
    fill(x, x32);
    start(&f);
    add(&f, FTL_OP_GATHER_STORED, INPUTS, inputs, INPUTS);
    ftl_matrix in = {x, FTL_F64, ROWS, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 0, &in, out);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        assert_true(x[i] == 0 || isnan(x[i]) ? isnan(out[i]) : out[i] == x[i]);
}

/* Zeros and ones, of which ones alone are stored. */
static void signs(void **state)
{
    static const ftl_segment whole = {INPUTS, 0, INPUTS}, above = {INPUTS + 1, 0, INPUTS};
    double x[ROWS * INPUTS], out[ROWS * INPUTS];
    float x32[ROWS * INPUTS];
    fixture f;
    (void)state;
    fill(x, x32);
    start(&f);
    add(&f, FTL_OP_GATHER_SPARSE, INPUTS, inputs, INPUTS)->edge = FTL_EDGE_SPARSE;
    add(&f, FTL_OP_BINARIZE, INPUTS, &whole, 1)->edge = FTL_EDGE_SPARSE;
    add(&f, FTL_OP_GATHER_STORED, INPUTS, &above, 1);
    ftl_matrix in = {x, FTL_F64, ROWS, INPUTS, INPUTS, 1};
    run(&f, FTL_F64, 5, &in, out);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        assert_true(x[i] > 0 ? out[i] == 1 : isnan(out[i]));
}

/* Keys of numbers in backward order: zeros and NaN are entries; integers are cut off. */
static void keys_graph(fixture *f, const ftl_key_column *columns, ftl_key_numbers numbers)
{
    static const ftl_segment all = {INPUTS, 0, INPUTS + 1};
    start(f);
    ftl_op *op = add(f, FTL_OP_KEYS, INPUTS + 1, inputs, INPUTS);
    op->edge = FTL_EDGE_SPARSE;
    op->dtype = FTL_DTYPE_F64;
    op->u.keys = (ftl_keys_op){.numbers = numbers,
                               .n_columns = INPUTS,
                               FTL_SIZED(columns, columns, INPUTS),
                               .estimator = "t"};
    add(f, FTL_OP_GATHER_STORED, INPUTS + 1, &all, 1);
}

static void keys(void **state)
{
    static const ftl_key_column columns[INPUTS] = {{.number = true, .column = 4},
                                                   {.number = true, .column = 3},
                                                   {.number = false},
                                                   {.number = true, .column = 0}};
    static const uint32_t source[INPUTS + 1] = {3, INPUTS, INPUTS, 1, 0};
    double x[ROWS * INPUTS], out[ROWS * (INPUTS + 1)];
    float x32[ROWS * INPUTS];
    fixture f;
    (void)state;
    fill(x, x32);
    for (int numbers = FTL_KEY_FLOATS; numbers < FTL_KEY_NUMBERS_COUNT; numbers++) {
        keys_graph(&f, columns, (ftl_key_numbers)numbers);
        ftl_matrix in = {x, FTL_F64, ROWS, INPUTS, INPUTS, 1};
        run(&f, FTL_F64, 6, &in, out);
        for (size_t i = 0; i < ROWS * (INPUTS + 1); i++) {
            uint32_t from = source[i % (INPUTS + 1)];
            double value = from < INPUTS ? x[i / (INPUTS + 1) * INPUTS + from] : (double)NAN;
            if (from < INPUTS && numbers != FTL_KEY_FLOATS)
                value = numbers == FTL_KEY_BOOLS ? value != 0 : trunc(value);
            assert_true(isnan(value) ? isnan(out[i]) : out[i] == value);
        }
    }
}

static void assert_refused(fixture *f, const char *word)
{
    ftl_error error;
    assert_int_equal(ftl_graph_validate(&f->model.graph, &f->account, &error), FTL_CORRUPT);
    assert_non_null(strstr(error.message, word));
}

static void refused(void **state)
{
    static const uint32_t twice[KEPT] = {0, 2, 2}, back[KEPT] = {2, 0, 3};
    fixture f;
    (void)state;
    stored_graph(&f);
    f.ops[INPUTS + 1].u.impute.columns = twice;
    assert_refused(&f, "ascend");
    stored_graph(&f);
    f.ops[INPUTS + 1].u.impute.columns = back;
    assert_refused(&f, "ascend");
    stored_graph(&f);
    f.ops[INPUTS + 1].u.impute.missing_is_nan = false;
    assert_refused(&f, "cannot be missing");
    stored_graph(&f);
    f.ops[INPUTS + 2].u.ufunc.function = FTL_UFUNC_COS;
    assert_refused(&f, "moves zero");
    ftl_key_column columns[INPUTS] = {{.number = true, .column = 4}, {.number = true, .column = 4}};
    keys_graph(&f, columns, FTL_KEY_FLOATS);
    assert_refused(&f, "several keys");
    columns[1].column = INPUTS + 1;
    assert_refused(&f, "several keys");
    columns[1].column = 0;
    columns[1].categories.numeric = true;
    assert_refused(&f, "are numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stored), cmocka_unit_test(stored_numbers),
                                       cmocka_unit_test(signs), cmocka_unit_test(keys),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
