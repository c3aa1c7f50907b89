/* Rows in memory through the public header alone: ftl_session_read. */
#include "public_api.h"

#include <foretell/rows.h>

#include <math.h>
#include <string.h>

static ftl_status read_text(opened *o, const char *text, const char *format, size_t *taken,
                            ftl_batch *out)
{
    const ftl_read_options options = {.struct_size = sizeof options, .format = format};
    return ftl_session_read(o->session, text, strlen(text), &options, taken, out, &o->error);
}

static ftl_batch must_read(opened *o, const char *text, const char *format)
{
    ftl_batch in = {0};
    if (read_text(o, text, format, NULL, &in) != FTL_OK)
        fail_msg("%s: %s", text, o->error.message);
    return in;
}

/* The labels of a classifier with whole numbers. */
static const int64_t *labels(opened *o, const ftl_batch *in)
{
    ftl_batch out;
    if (ftl_predict(o->session, FTL_PREDICT, in, &out, &o->error) != FTL_OK)
        fail_msg("%s", o->error.message);
    assert_int_equal(out.rows, in->rows);
    assert_int_equal(out.columns[0].type, FTL_I64);
    return out.columns[0].values;
}

static void test_formats_give_the_same_rows(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text;
    } tables[] = {
        {NULL, "[[1, 2, 3, 4, 5], [0.1, -2.5e3, 7, 1e-300, null]]"},
        {"json", "{\"columns\": [\"a\", \"b\", \"c\", \"d\", \"e\"], \"data\": "
                 "[[1, 2, 3, 4, 5], [0.1, -2.5e3, 7, 1e-300, null]]}"},
        {"json", "{\"a\": [1, 0.1], \"b\": [2, -2500], \"c\": [3, 7], \"d\": [4, 1e-300], "
                 "\"e\": [5, NaN]}"},
        {"jsonl", "[1, 2, 3, 4, 5]\n[0.1, -2.5e3, 7, 1e-300, null]\n"},
        {"csv", "a,b,c,d,e\n1,2,3,4,5\n0.1,-2.5e3,7,1e-300,\n"},
        {NULL, "[{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5},"
               " {\"a\": 0.1, \"b\": -2.5e3, \"c\": 7, \"d\": 1e-300}]"},
    };
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    static const double expected[2][5] = {{1, 2, 3, 4, 5}, {0.1, -2.5e3, 7, 1e-300, NAN}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        ftl_batch in = must_read(&o, tables[i].text, tables[i].format);
        assert_int_equal(in.rows, 2);
        assert_int_equal(in.n_columns, 5);
        for (size_t c = 0; c < 5; c++) {
            assert_int_equal(in.columns[c].type, FTL_F64);
            for (size_t r = 0; r < 2; r++) {
                double value = ((const double *)in.columns[c].values)[r];
                assert_true(value == expected[r][c] || (isnan(value) && isnan(expected[r][c])));
            }
        }
        in.rows = 1;
        (void)labels(&o, &in);
    }
    close_session(&o);
}

static void test_one_value_is_taken(void **state)
{
    (void)state;
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    const char *text = " [[1, 2, 3, 4, 5]] , \"more\": 1}";
    size_t taken = 0;
    ftl_batch in;
    assert_int_equal(read_text(&o, text, NULL, &taken, &in), FTL_OK);
    assert_int_equal(taken, strlen(" [[1, 2, 3, 4, 5]]"));
    assert_int_equal(in.rows, 1);
    taken = 77;
    assert_int_equal(read_text(&o, "[[1, 2, 3, 4, 5]", NULL, &taken, &in), FTL_CORRUPT);
    assert_int_equal(taken, 77);
    assert_int_equal(read_text(&o, text, NULL, NULL, &in), FTL_CORRUPT);
    assert_int_equal(read_text(&o, text, "csv", &taken, &in), FTL_ARG);
    close_session(&o);
}

static void test_bad_cells_are_bad_rows(void **state)
{
    (void)state;
    const char *text = "[[1, 2, 3, 4, 5], [1, 2, \"x\", 4, 5], [1, 2, 3, 4, 5], [1, [2], 3, 4, 5]]";
    opened o = open_session(FOREST, FTL_ON_ERROR_FAIL, 0);
    ftl_batch in;
    assert_int_equal(read_text(&o, text, NULL, NULL, &in), FTL_VALUE);
    assert_int_equal(o.error.row, 1);
    assert_int_equal(o.error.column, 2);
    assert_non_null(strstr(o.error.message, "row 1, value 3: 'x' is not a number"));
    assert_int_equal(ftl_session_set_on_error(o.session, FTL_ON_ERROR_NULL), FTL_OK);
    in = must_read(&o, text, NULL);
    assert_int_equal(in.rows, 4);
    (void)labels(&o, &in);
    assert_int_equal(ftl_session_bad_rows(o.session), 2);
    ftl_batch out;
    assert_int_equal(ftl_session_result(o.session, FTL_PREDICT, &out, NULL), FTL_OK);
    assert_int_equal(out.columns[0].validity[0] & 15, 5);
    ftl_error why;
    assert_int_equal(ftl_session_bad_row(o.session, 0, &why), FTL_OK);
    assert_int_equal(why.row, 1);
    assert_int_equal(why.column, 2);
    assert_int_equal(ftl_session_bad_row(o.session, 1, &why), FTL_OK);
    assert_int_equal(why.row, 3);
    assert_non_null(strstr(why.message, "row 3, value 2: '[2]' is no single value"));
    assert_int_equal(ftl_session_bad_row(o.session, 2, &why), FTL_END);
    close_session(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_give_the_same_rows),
        cmocka_unit_test(test_one_value_is_taken),
        cmocka_unit_test(test_bad_cells_are_bad_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
