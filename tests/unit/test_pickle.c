/* The pickle machine: opcodes of every protocol, known constructors, numpy and joblib layouts,
 * budgets, broken input. */
#include "pickle_test.h"

/* A literal with its size. */
#define PICKLE(text) (text), sizeof(text) - 1

static void numbers(void **state)
{
    (void)state;
    expect_graph(PICKLE("N."), "none\n");
    expect_graph(PICKLE("\x88."), "bool True\n");
    expect_graph(PICKLE("\x89."), "bool False\n");
    expect_graph(PICKLE("I01\n."), "bool True\n");
    expect_graph(PICKLE("I00\n."), "bool False\n");
    expect_graph(PICKLE("I1\n."), "int 1\n");
    expect_graph(PICKLE("I-17\n."), "int -11\n");
    expect_graph(PICKLE("K\xff."), "int ff\n");
    expect_graph(PICKLE("M\xff\xff."), "int ffff\n");
    expect_graph(PICKLE("J\xff\xff\xff\xff."), "int -1\n");
    expect_graph(PICKLE("L18446744073709551616L\n."), "int 10000000000000000\n");
    expect_graph(PICKLE("L-18446744073709551616L\n."), "int -10000000000000000\n");
    expect_graph(PICKLE("I9223372036854775808\n."), "int 8000000000000000\n");
    expect_graph(PICKLE("L-9223372036854775808L\n."), "int -8000000000000000\n");
    expect_graph(PICKLE("\x8a\x00."), "int 0\n");
    expect_graph(PICKLE("\x8a\x02\x00\xff."), "int -100\n");
    expect_graph(PICKLE("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00."), "int 8000000000000000\n");
    expect_graph(PICKLE("\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00."), "int 1\n");
    expect_graph(PICKLE("\x8b\x01\x00\x00\x00\x80."), "int -80\n");
    expect_graph(PICKLE("F-1.5\n."), "float bff8000000000000\n");
    expect_graph(PICKLE("G\x3f\xf0\x00\x00\x00\x00\x00\x00."), "float 3ff0000000000000\n");
    expect_failure(PICKLE("Iten\n."), FTL_CORRUPT);
    expect_failure(PICKLE("L\n."), FTL_CORRUPT);
    expect_failure(PICKLE("L-L\n."), FTL_CORRUPT);
    expect_failure(PICKLE("Fone\n."), FTL_CORRUPT);
    expect_failure(PICKLE("\x8b\x00\x00\x00\xff."), FTL_CORRUPT);
}

static void text(void **state)
{
    (void)state;
    expect_graph(PICKLE("S'a\\x41\\n\\'\\101\\q'\n."), "str \"aA\\x0a'A\\x5cq\"\n");
    expect_graph(PICKLE("S\"\\xff\"\n."), "bytes \"\\xff\"\n");
    expect_graph(PICKLE("U\x02"
                        "ab."),
                 "str \"ab\"\n");
    expect_graph(PICKLE("T\x01\x00\x00\x00\xfe."), "bytes \"\\xfe\"\n");
    expect_graph(PICKLE("V\\u00e9\\\\u0041\\U0001f600\xe9\n."),
                 "str \"\\xc3\\xa9\\x5c\\x5cu0041\\xf0\\x9f\\x98\\x80\\xc3\\xa9\"\n");
    expect_graph(PICKLE("X\x02\x00\x00\x00\xc3\xa9."), "str \"\\xc3\\xa9\"\n");
    expect_graph(PICKLE("X\x03\x00\x00\x00\xed\xa0\x80."),
                 "str \"\\xed\\xa0\\x80\"\n"); /* a lone surrogate */
    expect_graph(PICKLE("\x8c\x01x."), "str \"x\"\n");
    expect_graph(PICKLE("\x8d\x01\x00\x00\x00\x00\x00\x00\x00x."), "str \"x\"\n");
    expect_graph(PICKLE("C\x01\x00."), "bytes \"\\x00\"\n");
    expect_graph(PICKLE("B\x01\x00\x00\x00z."), "bytes \"z\"\n");
    expect_graph(PICKLE("\x8e\x01\x00\x00\x00\x00\x00\x00\x00z."), "bytes \"z\"\n");
    expect_graph(PICKLE("\x96\x01\x00\x00\x00\x00\x00\x00\x00z\x98."), "bytes \"z\"\n");
    expect_failure(PICKLE("X\x01\x00\x00\x00\xff."), FTL_CORRUPT);
    expect_failure(PICKLE("X\x02\x00\x00\x00\xc0\x80."), FTL_CORRUPT); /* not the shortest form */
    expect_failure(PICKLE("S'a\n."), FTL_CORRUPT);
    expect_failure(PICKLE("S'\\x4'\n."), FTL_CORRUPT);
    expect_failure(PICKLE("V\\u00\n."), FTL_CORRUPT);
    expect_failure(PICKLE("\x97."), FTL_UNSUPPORTED);
}

static void containers(void **state)
{
    (void)state;
    expect_graph(PICKLE("K\x01K\x02K\x03\x87."), "tuple 3\n  int 1\n  int 2\n  int 3\n");
    expect_graph(PICKLE("K\x01\x85."), "tuple 1\n  int 1\n");
    expect_graph(PICKLE("(K\x01t."), "tuple 1\n  int 1\n");
    expect_graph(PICKLE(")."), "tuple 0\n");
    expect_graph(PICKLE("(lK\x01"
                        "a."),
                 "list 1\n  int 1\n");
    expect_graph(PICKLE("](K\x01K\x02"
                        "e."),
                 "list 2\n  int 1\n  int 2\n");
    expect_graph(PICKLE("(K\x01K\x02"
                        "d."),
                 "dict 1\n  int 1\n  int 2\n");
    expect_graph(PICKLE("}K\x01K\x02s."), "dict 1\n  int 1\n  int 2\n");
    expect_graph(PICKLE("\x8f(K\x01\x90."), "set 1\n  int 1\n");
    expect_graph(PICKLE("(K\x01\x91."), "set 1\n  int 1\n");
    expect_graph(PICKLE("K\x01\x32\x86."), "tuple 2\n  int 1\n  int 1\n");
    expect_graph(PICKLE("K\x01(K\x02\x31."), "int 1\n");
    expect_graph(PICKLE("K\x01(0."), "int 1\n");
    expect_graph(PICKLE("K\x01K\x02"
                        "0."),
                 "int 1\n");
    expect_graph(PICKLE("K\x01p7\n0g7\n."), "int 1\n");
    expect_graph(PICKLE("K\x01q\x05"
                        "0h\x05."),
                 "int 1\n");
    expect_graph(PICKLE("K\x01r\x05\x00\x00\x00"
                        "0j\x05\x00\x00\x00."),
                 "int 1\n");
    expect_graph(PICKLE("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fK\x01\x94K\x02\x94"
                        "0h\x00\x86."),
                 "tuple 2\n  int 1\n  int 1\n");
    expect_failure(PICKLE("("), FTL_CORRUPT);
    expect_failure(PICKLE("t."), FTL_CORRUPT);
    expect_failure(PICKLE("."), FTL_CORRUPT);
    expect_failure(PICKLE("K\x01(\x85."), FTL_CORRUPT); /* a tuple reaches below its mark */
    expect_failure(PICKLE("(K\x01"
                          "d."),
                   FTL_CORRUPT);
    expect_failure(PICKLE("K\x01K\x02"
                          "a."),
                   FTL_CORRUPT);
    expect_failure(PICKLE("K\x01K\x02K\x03s."), FTL_CORRUPT);
    expect_failure(PICKLE("h\x00."), FTL_CORRUPT);
    expect_failure(PICKLE("K\x01r\xff\xff\xff\xff."), FTL_LIMIT);
    expect_failure(PICKLE("\x80\x06N."), FTL_UNSUPPORTED);
    expect_failure(PICKLE("\xff."), FTL_CORRUPT);
    expect_failure(PICKLE(""), FTL_CORRUPT);
}

/* A key given twice keeps its place and takes the later value, in small dicts and in large ones. */
static void duplicate_keys(void **state)
{
    (void)state;
    expect_graph(PICKLE("}(U\x01"
                        "aK\x01U\x01"
                        "bK\x02U\x01"
                        "aK\x03u."),
                 "dict 2\n  str \"a\"\n  int 3\n  str \"b\"\n  int 2\n");
    expect_graph(PICKLE("}(U\x01"
                        "aK\x01K\x01K\x01K\x01K\x02u."), /* only text keys are compared */
                 "dict 3\n  str \"a\"\n  int 1\n  int 1\n  int 1\n  int 1\n  int 2\n");
    static char many[2 + 2 * 26 * 5 + 3];
    size_t n = 0;
    many[n++] = '}';
    many[n++] = '(';
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 26; i++, n += 5)
            memcpy(many + n, (char[]){'U', 1, (char)('a' + i), 'K', (char)(i + 100 * round)}, 5);
    }
    memcpy(many + n, "u.", 2);
    pickle_test test;
    assert_int_equal(load_pickle(&test, many, n + 2, NULL), FTL_OK);
    assert_int_equal(test.root->u.dict.size, 26);
    for (size_t i = 0; i < 26; i++) {
        assert_int_equal(test.root->u.dict.keys[i]->u.str.data[0], 'a' + (int)i);
        assert_int_equal(test.root->u.dict.values[i]->u.integer, 100 + (int)i);
    }
    end_pickle(&test);
}

static void objects(void **state)
{
    (void)state;
    expect_graph(PICKLE("cm\nC\n."), "global m.C\n");
    expect_graph(PICKLE("\x8c\x01m\x8c\x03"
                        "C.D\x93."),
                 "global m.C.D\n");
    expect_graph(PICKLE("cm\nf\nK\x01\x85R."), "object m.f\n  args\n    tuple 1\n      int 1\n");
    expect_graph(
        PICKLE("cm\nC\n)\x81}U\x01"
               "aK\x01sb."),
        "object m.C\n  args\n    tuple 0\n  state\n    dict 1\n      str \"a\"\n      int 1\n");
    expect_graph(PICKLE("cm\nC\n)}\x92."), "object m.C\n  args\n    tuple 0\n");
    expect_graph(PICKLE("cm\nC\n)}U\x01"
                        "aK\x01s\x92."),
                 "object m.C\n  args\n    tuple 2\n      tuple 0\n      dict 1\n        str "
                 "\"a\"\n        int 1\n");
    expect_graph(PICKLE("(im\nC\n."), "object m.C\n  args\n    tuple 0\n");
    expect_graph(PICKLE("(cm\nC\nK\x01o."), "object m.C\n  args\n    tuple 1\n      int 1\n");
    expect_graph(PICKLE("ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR."),
                 "object m.C\n  args\n    tuple 0\n");
    expect_graph(PICKLE("cm\nC\n)\x81(K\x01"
                        "e(K\x02K\x03u."),
                 "object m.C\n  args\n    tuple 0\n  items 1\n    int 1\n  dict_items 1\n    int "
                 "2\n    int 3\n");
    expect_graph(PICKLE("\x82\x07."), "global copyreg.extension 7\n");
    expect_graph(PICKLE("Pabc\n."), "persistent\n  str \"abc\"\n");
    expect_graph(PICKLE("K\x01Q."), "persistent\n  int 1\n");
    expect_graph(PICKLE("c__builtin__\nset\n](K\x01"
                        "e\x85R."),
                 "set 1\n  int 1\n");
    expect_graph(PICKLE("cbuiltins\nbytearray\nC\x01z\x85R."), "bytes \"z\"\n");
    expect_graph(PICKLE("cdill._dill\n_load_type\nU\tbytearray\x85RC\x01z\x85R."), "bytes \"z\"\n");
    expect_graph(PICKLE("cdill._dill\n_load_type\nU\x05slice\x85R."), "global builtins.slice\n");
    expect_graph(PICKLE("cdill._dill\n_load_type\nU\x04"
                        "eval\x85R."),
                 "object dill._dill._load_type\n  args\n    tuple 1\n      str \"eval\"\n");
    expect_graph(PICKLE("c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfU\x06latin1\x86R."),
                 "bytes \"\\xff\"\n");
    expect_graph(PICKLE("ccollections\nOrderedDict\n]](K\x01K\x02"
                        "ea\x85R."),
                 "dict 1\n  int 1\n  int 2\n");
    expect_graph(PICKLE("ccollections\ndefaultdict\nc__builtin__\nint\n\x85RK\x01K\x02s."),
                 "dict 1\n  int 1\n  int 2\n");
    expect_graph(PICKLE("csklearn.utils\nBunch\n)\x81U\x01"
                        "aK\x01s}b."),
                 "dict 1\n  str \"a\"\n  int 1\n");
    expect_failure(PICKLE("cm\nf\nK\x01R."), FTL_CORRUPT);
    expect_failure(PICKLE("K\x01K\x02\x93."), FTL_CORRUPT);
    expect_failure(PICKLE("c\xff\nC\n."), FTL_CORRUPT);
    expect_failure(PICKLE("(o."), FTL_CORRUPT);
    expect_failure(PICKLE("c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacU\x06latin1\x86R."),
                   FTL_CORRUPT);
}

#define F8                 \
    "cnumpy\ndtype\nU\x02" \
    "f8\x89\x88\x87R"
#define STATE(order) "(K\x03U\x01" order "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
#define EMPTY_ARRAY                                                         \
    "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01" \
    "b\x87R"
#define ONE "\x00\x00\x00\x00\x00\x00\xf0\x3f"

static void arrays(void **state)
{
    (void)state;
    expect_graph(PICKLE(F8 STATE("<") "."), "dtype <f8\n");
    expect_graph(PICKLE(F8 STATE(">") "."), "dtype >f8\n");
    expect_graph(PICKLE(EMPTY_ARRAY "(K\x01K\x01\x85" F8 STATE("<") "\x89"
                                                                    "C\x08" ONE "tb."),
                 "ndarray <f8 1\n  000000000000f03f\n");
    expect_graph(PICKLE(EMPTY_ARRAY
                        "(K\x01K\x01\x85" F8 STATE(">") "\x89"
                                                        "C\x08\x3f\xf0\x00\x00\x00\x00\x00\x00tb."),
                 "ndarray <f8 1\n  000000000000f03f\n");
    expect_graph(PICKLE("cnumpy._core.multiarray\nscalar\n" F8 STATE("<") "C\x08" ONE "\x86R."),
                 "scalar <f8 000000000000f03f\n");
    expect_graph(
        PICKLE("cnumpy._core.numeric\n_frombuffer\n(C\x08" ONE F8 STATE("<") "K\x01\x85U\x01"
                                                                             "CtR."),
        "ndarray <f8 1\n  000000000000f03f\n");
    expect_graph(PICKLE(EMPTY_ARRAY "(K\x01K\x02\x85"
                                    "cnumpy\ndtype\nU\x01O\x89\x88\x87R"
                                    "\x89](K\x01NetB\x00\x00\x00\x00"
                                    "0b."),
                 "ndarray |O 2\n  int 1\n  none\n");
    expect_failure(PICKLE(EMPTY_ARRAY "(K\x01K\x02\x85" F8 "\x89"
                                      "C\x08" ONE "tb."),
                   FTL_CORRUPT);
    expect_failure(PICKLE(EMPTY_ARRAY "(K\x01J\xff\xff\xff\xff\x85" F8 "\x89"
                                      "C\x00tb."),
                   FTL_CORRUPT);
    expect_failure(PICKLE(EMPTY_ARRAY "(K\x01(\x8a\x07\x00\x00\x00\x00\x00\x00\x10K\x00t" F8 "\x89"
                                      "C\x00tb."),
                   FTL_OK);
    expect_failure(PICKLE(EMPTY_ARRAY "(K\x01(\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x70K\x00t" F8
                                      "\x89"
                                      "C\x00tb."),
                   FTL_CORRUPT);
    expect_failure(PICKLE(EMPTY_ARRAY "2(K\x01K\x01\x85" F8 "\x89"
                                      "C\x08" ONE "tb2(K\x01K\x00\x85" F8 "\x89"
                                      "C\x00tb."),
                   FTL_CORRUPT); /* a second state */
    expect_failure(PICKLE("cnumpy\ndtype\nU\x02q9\x89\x88\x87R."), FTL_UNSUPPORTED);
}

#define WRAPPER                                                                \
    "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x05shapeK\x01\x85U\x05" \
    "dtype" F8 STATE("<") "U\x05orderU\x01"                                    \
                          "C"

static void joblib_arrays(void **state)
{
    (void)state;
    expect_graph(PICKLE(WRAPPER "ub" ONE "K\x02\x86."),
                 "tuple 2\n  ndarray <f8 1\n    000000000000f03f\n  int 2\n");
    expect_graph(PICKLE(WRAPPER "U\x1bnumpy_array_alignment_bytesK\x10ub\x03\xff\xff\xff" ONE "."),
                 "ndarray <f8 1\n  000000000000f03f\n");
    expect_graph(PICKLE(WRAPPER "U\x1bnumpy_array_alignment_bytesNub" ONE "."),
                 "ndarray <f8 1\n  000000000000f03f\n");
    expect_failure(PICKLE(WRAPPER "ub\x00\x00."), FTL_CORRUPT);
    expect_failure(PICKLE("cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}U\x08"
                          "filenameU\x0a../a.x.npysb."),
                   FTL_FORBIDDEN);
    expect_failure(PICKLE("cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}U\x08"
                          "filenameU\x05"
                          "a.npysb."),
                   FTL_UNSUPPORTED);
}

static void report(void **state)
{
    (void)state;
    pickle_test test;
    assert_int_equal(load_pickle(&test,
                                 PICKLE("](cm\nC\ncos\nsystem\nU\x04true\x85R"
                                        "cbuiltins\neval\ne.xx"),
                                 NULL),
                     FTL_OK);
    assert_string_equal(test.report.dangerous, "os.system");
    assert_int_equal(test.report.dangerous_offset, 7);
    assert_true(test.report.trailing);
    assert_int_equal(test.report.bytes, sizeof("](cm\nC\ncos\nsystem\nU\x04true\x85R"
                                               "cbuiltins\neval\ne.") -
                                            1);
    end_pickle(&test);
    assert_int_equal(
        load_pickle(&test, PICKLE("ccloudpickle.cloudpickle\n_make_function\n)R."), NULL), FTL_OK);
    assert_null(test.report.dangerous);
    assert_string_equal(test.report.local_function, "cloudpickle.cloudpickle._make_function");
    assert_false(test.report.trailing);
    end_pickle(&test);
    assert_int_equal(load_pickle(&test,
                                 PICKLE("cbuiltins\ngetattr\ncm\nC\nU\x01"
                                        "f\x86R)R."),
                                 NULL),
                     FTL_OK);
    assert_string_equal(test.report.dangerous, "builtins.getattr");
    end_pickle(&test);
}

static void budgets(void **state)
{
    (void)state;
    pickle_test test;
    ftl_pickle_options few = {.max_objects = 3};
    assert_int_equal(load_pickle(&test, PICKLE("]]]]."), &few), FTL_LIMIT);
    assert_int_equal(test.error.offset, 3);
    end_pickle(&test);
    static char deep[2000];
    memset(deep, '(', sizeof deep);
    assert_int_equal(load_pickle(&test, deep, sizeof deep, NULL), FTL_LIMIT);
    assert_int_equal(test.error.offset, 500);
    end_pickle(&test);
}

/* Sizes that the file does not hold fail fast and small. */
static void declared_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
    } files[] = {
        {PICKLE("\x8d\x00\x00\x00\x00\x00\x01\x00\x00x.")},
        {PICKLE("\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx.")},
        {PICKLE("\x8e\xff\xff\xff\xff\xff\xff\xff\xffx.")},
        {PICKLE("\x8b\xff\xff\xff\x7fx.")},
        {PICKLE("X\xff\xff\xff\xffx.")},
        {PICKLE("cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("
                "U\x05shape\x8a\x06\x00\x00\x00\x00\x00\x01\x85U\x05"
                "dtype" F8 "ub" ONE ".")},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(files); i++) {
        pickle_test test;
        assert_int_equal(load_pickle(&test, files[i].data, files[i].size, NULL), FTL_CORRUPT);
        assert_true(ftl_account_used(&test.account) < 4u << 20);
        end_pickle(&test);
    }
}

/* The same bytes used over and over: time and memory stay in proportion to the file. */
static void amplification(void **state)
{
    (void)state;
    enum { TEXT = 1 << 20, CALLS = 200000 };
    size_t size = 6 + TEXT + 64 + (size_t)CALLS * 8 + 2, n = 0;
    char *file = malloc(size);
    assert_non_null(file);
    memcpy(file, "X\x00\x00\x10\x00", 5);
    n = 5;
    memset(file + n, 'a', TEXT);
    n += TEXT;
    memcpy(file + n,
           "q\x00"
           "0U\x06latin1q\x01"
           "0c_codecs\nencode\nq\x02",
           32);
    n += 32;
    for (int i = 0; i < CALLS; i++, n += 8)
        memcpy(file + n, "h\x02h\x00h\x01\x86R", 8);
    file[n++] = '.';
    pickle_test test;
    assert_int_equal(load_pickle(&test, file, n, NULL), FTL_LIMIT);
    end_pickle(&test);
    free(file);
}

static void cycles(void **state)
{
    (void)state;
    pickle_test test;
    assert_int_equal(load_pickle(&test,
                                 PICKLE("]q\x00h\x00"
                                        "a."),
                                 NULL),
                     FTL_OK);
    assert_ptr_equal(test.root->u.seq.items[0], test.root);
    end_pickle(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),       cmocka_unit_test(text),
        cmocka_unit_test(containers),    cmocka_unit_test(duplicate_keys),
        cmocka_unit_test(objects),       cmocka_unit_test(arrays),
        cmocka_unit_test(joblib_arrays), cmocka_unit_test(report),
        cmocka_unit_test(budgets),       cmocka_unit_test(declared_sizes),
        cmocka_unit_test(amplification), cmocka_unit_test(cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
